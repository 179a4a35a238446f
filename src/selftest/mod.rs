//! The suite against servers and clients of which it is known what it should find.
//!
//! Every planted [fault](Planted) must be noticed by a case of the clause that it breaks, every case must
//! be failed by some fault, and every [variant](Permitted) must pass, as must the reference server and the
//! reference client. What comes of it is a [`Matrix`]: it says which case found what, and of what nobody
//! took notice.

mod clients;
mod formats;
mod matrix;
mod measure;
mod page;
mod plays;
mod servers;
mod tables;
mod trial;

pub use matrix::{Alarm, Fate, FaultRow, HonestRow, Matrix};
pub use measure::{Figures, Measured, learned, measured};
pub use page::{cases_table, faults_table, honest_table, page};
pub use plays::{combined, plays};
pub use tables::{Permitted, Planted, ROLES};
pub use trial::Program;

use crate::altered::Need;
use crate::cases::{self, Case};
use crate::profile::{Profile, ProfileError};
use crate::spec::{CaseId, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tables::{cases_of_format, cases_that_differ, has_clients};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trial::{Results, Subject, Trial};

/// How many servers are tried at the same time, unless an option says otherwise. Most of the time they
/// are waited for.
pub const DEFAULT_JOBS: usize = 16;

/// How many servers are tried for each client that is tried beside them: a client is many processes.
const SERVERS_FOR_A_CLIENT: usize = 3;

/// How many processes of servers are looked at at the same time: each may take a whole processor.
const PROCESSES: usize = 2;

/// The limit that is declared where one is: small enough for a case to send so much.
pub const DECLARED_LIMIT: u64 = 1 << 20;

/// The limit that is declared for clients, which have to show so much.
pub const DECLARED_CLIENT_LIMIT: u64 = 64 << 10;

/// What to try, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The wire format.
    pub profile: Profile,
    /// The faults that are to be found.
    pub faults: Vec<Planted>,
    /// The variants that are to pass.
    pub variants: Vec<Permitted>,
    /// The roles whose reference is to pass.
    pub references: Vec<Role>,
    /// How many servers are tried at the same time, at least 1; and a few clients beside them.
    pub jobs: usize,
    /// Whether faults are looked for that take minutes to be found.
    pub slow: bool,
    /// The program `conformance`: it is every client, and the server whose process is looked at where a
    /// fault shows only there.
    pub program: Option<Program>,
    /// Whether a fault is looked for that fails each case.
    pub each_case: bool,
    /// Whether everything is played in the profile alone, instead of each fault in the wire format that it shows in.
    pub one_format: bool,
}

impl Options {
    /// Everything that there is of these roles, as far as it takes no minutes and no process of its own.
    #[must_use]
    pub fn new(profile: Profile, roles: &[Role]) -> Self {
        Self {
            profile,
            faults: Planted::all()
                .filter(|fault| roles.contains(&fault.role))
                .collect(),
            variants: Permitted::all()
                .filter(|variant| roles.contains(&variant.role))
                .collect(),
            references: roles.to_vec(),
            jobs: DEFAULT_JOBS,
            slow: false,
            program: None,
            each_case: true,
            one_format: false,
        }
    }

    /// Whether all faults of a role are looked for.
    fn has_all_of(&self, role: Role) -> bool {
        let of_role = |fault: &&Planted| fault.role == role;
        self.faults.iter().filter(of_role).count()
            == Planted::all().filter(|fault| fault.role == role).count()
    }
}

/// A server or client that has been tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// One with a fault.
    Fault(FaultRow),
    /// One that is to pass.
    Honest(HonestRow),
}

impl Tried {
    fn of(subject: Subject, declared: bool, results: &Results) -> Self {
        match subject {
            Subject::Fault(fault) => Self::fault(fault, Fate::of(results)),
            _ => Self::Honest(HonestRow::new(subject, declared, results)),
        }
    }

    fn fault(fault: Planted, fate: Fate) -> Self {
        Self::Fault(FaultRow::new(fault, fate))
    }
}

/// Tries everything, and tells of each peer as it is done with.
///
/// # Errors
/// If the profile has chunks larger than [`DECLARED_CLIENT_LIMIT`].
pub async fn selftest(
    options: &Options,
    tell: &mut (dyn FnMut(&Tried) + Send),
) -> Result<Matrix, ProfileError> {
    let bench = Arc::new(Bench::new(options)?);
    let mut matrix = Matrix::default();
    let mut failed = Failed::default();
    try_each(&bench, &mut matrix, &mut failed, tell).await;
    if options.each_case {
        failed = fail_the_others(&bench, failed).await;
        matrix.never_failed = failed.never(&bench);
    }
    matrix.failed_by = failed.by.into_iter().collect();
    Ok(matrix)
}

/// What all trials have in common.
#[derive(Debug)]
struct Bench {
    options: Options,
    /// The profile with a limit declared, for servers.
    declared: Profile,
    /// The same for clients.
    client: Profile,
    /// Those in which faults show that the tutorial's has no room for.
    others: Vec<(Need, Profile)>,
    servers: Semaphore,
    clients: Semaphore,
    /// Processes of servers are looked at a few at a time.
    process: Semaphore,
}

impl Bench {
    fn new(options: &Options) -> Result<Self, ProfileError> {
        let jobs = options.jobs.max(1);
        let declared = |limit| options.profile.clone().with_max_body(limit);
        Ok(Self {
            declared: declared(DECLARED_LIMIT)?,
            client: declared(DECLARED_CLIENT_LIMIT)?,
            others: match options.one_format {
                true => Vec::new(),
                false => formats::others()?,
            },
            servers: Semaphore::new(jobs),
            clients: Semaphore::new(jobs.div_ceil(SERVERS_FOR_A_CLIENT)),
            process: Semaphore::new(PROCESSES),
            options: options.clone(),
        })
    }

    /// A trial of a role with some cases, its limit on bodies declared.
    fn trial(&self, subject: Subject, cases: Vec<&'static Case>) -> Trial {
        let (profile, program) = match subject.role() {
            Role::Server => (&self.declared, None),
            Role::Client => (&self.client, self.options.program.clone()),
        };
        Trial {
            subject,
            besides: Vec::new(),
            profile: profile.clone(),
            cases,
            program,
            slow: false,
            starts: trial::MOST_STARTS,
        }
    }

    /// The trial of a fault with some cases; why not, if it cannot be had.
    fn fault_trial(
        &self,
        fault: Planted,
        cases: Vec<&'static Case>,
    ) -> Result<Trial, &'static str> {
        let mut trial = self.trial(Subject::Fault(fault), cases);
        if let Some(other) = self.other(fault.needs) {
            trial.profile = other.clone();
        }
        match (fault.role, fault.needs) {
            (Role::Client, _) if trial.program.is_none() => {
                return Err("shows only in a process of its own");
            }
            (Role::Client, _) | (_, Need::Nothing | Need::DeclaredLimit) => {}
            (_, Need::FullHeader | Need::Netstring | Need::Varint) => {}
            (_, Need::OwnMarks | Need::Ids | Need::Checksum | Need::Datagrams | Need::Index) => {}
            (_, Need::Prologue | Need::LongReplies | Need::Unanswered) => {}
            (_, Need::Time) if self.options.slow => trial.slow = true,
            (_, Need::Time) => return Err("takes minutes: give --slow"),
            (_, Need::Process) => {
                trial.profile = self.options.profile.clone();
                trial.program = self.options.program.clone();
                if trial.program.is_none() {
                    return Err("shows only in the process of a server of its own");
                }
            }
        }
        Ok(trial)
    }

    /// The trials of peers that are to pass; of servers each with a declared limit, and once more without
    /// one, as far as that makes a difference.
    fn honest(&self) -> Vec<Trial> {
        let references = self.options.references.iter().flat_map(|role| match role {
            Role::Server => vec![Subject::Reference(Role::Server), Subject::Unaltered],
            Role::Client => vec![Subject::Reference(Role::Client)],
        });
        let variants = self.options.variants.iter().copied().map(Subject::Variant);
        let (servers, clients): (Vec<Subject>, Vec<Subject>) = references
            .chain(variants)
            .partition(|subject| subject.role() == Role::Server);
        let mut trials = self.honest_servers(&servers);
        if self.options.program.is_some() && has_clients(&self.client) {
            let cases = || cases::all(Role::Client).collect();
            trials.extend(
                clients
                    .into_iter()
                    .map(|client| self.trial(client, cases())),
            );
        }
        trials
    }

    fn honest_servers(&self, servers: &[Subject]) -> Vec<Trial> {
        if servers.is_empty() {
            return Vec::new();
        }
        let undeclared = &self.options.profile;
        let without_limit = cases_that_differ(&self.declared, undeclared);
        let in_others = self.others.iter().map(|(need, other)| {
            let cases = cases_of_format(other, &self.declared);
            (Some(*need), other, cases)
        });
        let each = [
            (None, &self.declared, cases::all(Role::Server).collect()),
            (None, undeclared, without_limit),
        ];
        let each: Vec<(Option<Need>, &Profile, Vec<_>)> =
            each.into_iter().chain(in_others).collect();
        let in_each = |server: &Subject| {
            let trial = |(_, profile, cases): &(_, &Profile, Vec<&'static Case>)| Trial {
                profile: (*profile).clone(),
                ..self.trial(*server, cases.clone())
            };
            let is_permitted = |(format, profile, _): &&(Option<Need>, &Profile, Vec<_>)| {
                let format = format.or_else(|| self.stands_for(server.only_in()));
                server.is_permitted_in(format, profile)
            };
            each.iter()
                .filter(is_permitted)
                .map(trial)
                .collect::<Vec<_>>()
        };
        servers.iter().flat_map(in_each).collect()
    }

    /// The format that a fault shows in, if that is not the one that is tried.
    fn other(&self, needs: Need) -> Option<&Profile> {
        let other = self.others.iter().find(|(need, _)| *need == needs);
        other.map(|(_, profile)| profile)
    }

    /// That format, if the one that is tried is of its kind and there are no others.
    fn stands_for(&self, format: Option<Need>) -> Option<Need> {
        let profile = &self.options.profile;
        let has_room = |need: &Need| need.room().is_some_and(|room| room.is_in(profile));
        format.filter(|need| self.options.one_format && has_room(need))
    }

    /// Where a trial waits for its turn.
    fn turns(&self, trial: &Trial) -> &Semaphore {
        match (trial.subject.role(), &trial.program) {
            (Role::Client, _) => &self.clients,
            (Role::Server, Some(_)) => &self.process,
            (Role::Server, None) => &self.servers,
        }
    }

    /// Plays a trial when its turn comes.
    async fn play(&self, trial: Trial) -> Results {
        let _turn = match self.turns(&trial).acquire().await {
            Ok(turn) => turn,
            Err(closed) => return Results::broken(&closed),
        };
        // A panic is one trial's end, and told as such.
        let played = tokio::spawn(trial::play(trial)).await;
        played.unwrap_or_else(|error| Results::broken(&error))
    }
}

/// Which faults failed each case.
#[derive(Debug, Default)]
struct Failed {
    by: BTreeMap<CaseId, Vec<&'static str>>,
    /// Cases that were played at all.
    played: BTreeSet<CaseId>,
}

impl Failed {
    fn note(&mut self, fault: Planted, results: &Results) {
        // Where nothing was served, one case has to stand for all, and shows nothing of itself.
        if !results.served {
            return;
        }
        for (case, seen) in &results.cases {
            if seen.is_played() {
                self.played.insert(*case);
            }
            if seen.is_noticed() {
                self.by.entry(*case).or_default().push(fault.name);
            }
        }
    }

    /// Cases that were played and never failed.
    fn never(&self, bench: &Bench) -> Vec<CaseId> {
        let looked_for = ROLES
            .into_iter()
            .filter(|role| bench.options.has_all_of(*role));
        looked_for
            .flat_map(cases::all)
            .map(|case| case.id)
            .filter(|case| self.played.contains(case) && !self.by.contains_key(case))
            .collect()
    }

    /// Cases of a role that no fault has failed yet.
    fn left(&self, role: Role) -> Vec<&'static Case> {
        let is_left = |case: &&Case| !self.by.contains_key(&case.id);
        cases::all(role).filter(is_left).collect()
    }
}

async fn try_each(
    bench: &Arc<Bench>,
    matrix: &mut Matrix,
    failed: &mut Failed,
    tell: &mut (dyn FnMut(&Tried) + Send),
) {
    let mut take = |tried: Tried| {
        tell(&tried);
        matrix.take(tried);
    };
    // The honest play every case, and take longest: they begin.
    let mut trials = bench.honest();
    for fault in bench.options.faults.iter().copied() {
        match bench.fault_trial(fault, cases::of(fault.clause).collect()) {
            Ok(trial) => trials.push(trial),
            Err(why) => take(Tried::fault(fault, Fate::NotLooked(why.to_owned()))),
        }
    }
    // But for those that wait for a minute.
    trials.sort_by_key(|trial| !trial.slow);
    let mut trying = JoinSet::new();
    for trial in trials {
        let (bench, subject) = (Arc::clone(bench), trial.subject);
        let declared = trial.profile.declared_max_body().is_some();
        trying.spawn(async move {
            let (results, tried) = try_one(&bench, trial, declared).await;
            (subject, results, tried)
        });
    }
    while let Some(tried) = trying.join_next().await {
        // What panics in a trial is among its results.
        let Ok((subject, results, tried)) = tried else {
            continue;
        };
        if let Subject::Fault(fault) = subject {
            failed.note(fault, &results);
        }
        take(tried);
    }
    matrix.sort();
}

/// Tries one peer. In one format, what no case of its own clause finds is looked for by all others; where there is no
/// room for it, nobody has to find it.
async fn try_one(bench: &Bench, trial: Trial, declared: bool) -> (Results, Tried) {
    let results = bench.play(trial.clone()).await;
    let tried = Tried::of(trial.subject, declared, &results);
    let (Subject::Fault(fault), true) = (trial.subject, bench.options.one_format) else {
        return (results, tried);
    };
    let fate = Fate::of(&results);
    if fate.is_found() {
        return (results, tried);
    }
    if let Some(why) = fault.has_no_room_in(&trial.profile) {
        return (results, Tried::fault(fault, Fate::NoRoom(why.to_owned())));
    }
    let is_other = |case: &&Case| case.clause() != fault.clause;
    let cases = cases::all(fault.role).filter(is_other).collect();
    let besides = bench.play(Trial { cases, ..trial }).await;
    match Fate::of(&besides).beside() {
        fate @ Fate::FoundBeside(_) => (results, Tried::fault(fault, fate)),
        _ => (results, tried),
    }
}

/// Looks among all faults for one that fails each case that no fault of its own clause has failed.
async fn fail_the_others(bench: &Arc<Bench>, failed: Failed) -> Failed {
    let failed = Arc::new(Mutex::new(failed));
    let mut trying = JoinSet::new();
    for fault in bench.options.faults.iter().copied() {
        let (bench, failed) = (Arc::clone(bench), Arc::clone(&failed));
        trying.spawn(async move {
            let Ok(mut trial) = bench.fault_trial(fault, Vec::new()) else {
                return;
            };
            // What takes long to look at is looked at for its own clause only: once more, as what is waited
            // for that long may have been missed on a busy machine.
            let is_long = trial.slow || fault.needs == Need::Process;
            let may_fail = |case: &Case| !is_long || case.clause() == fault.clause;
            let Ok(_turn) = bench.turns(&trial).acquire().await else {
                return;
            };
            let mut left = lock(&failed).left(fault.role);
            left.retain(|case| may_fail(case));
            trial.cases = left;
            if !trial.cases.is_empty() {
                let results = trial::play(trial).await;
                lock(&failed).note(fault, &results);
            }
        });
    }
    while trying.join_next().await.is_some() {}
    let mut failed = lock(&failed);
    std::mem::take(&mut *failed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
