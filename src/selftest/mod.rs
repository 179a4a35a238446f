//! The suite against servers of which it is known what it should find.
//!
//! Every [`Fault`] must be noticed by a case of the clause that it breaks, every case must be failed by
//! some fault, and every [`Variant`] must pass, as must the reference server. What comes of it is a
//! [`Matrix`]: it says which case found what, and of what nobody took notice.

mod matrix;
mod page;
mod trial;

pub use matrix::{Alarm, Fate, FaultRow, HonestRow, Matrix};
pub use page::{cases_table, faults_table, honest_table, page};
pub use trial::Program;

use crate::altered::Need;
use crate::altered::server::{Fault, Variant};
use crate::cases::{self, Case};
use crate::profile::{Profile, ProfileError};
use crate::spec::{CaseId, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trial::{Results, Subject, Trial};

/// How many servers are tried at the same time, unless an option says otherwise. Most of the time they
/// are waited for.
pub const DEFAULT_JOBS: usize = 16;

/// The limit that is declared where one is: small enough for a case to send so much.
pub const DECLARED_LIMIT: u64 = 1 << 20;

/// What to try, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The wire format.
    pub profile: Profile,
    /// The faults that are to be found.
    pub faults: Vec<&'static Fault>,
    /// The variants that are to pass.
    pub variants: Vec<&'static Variant>,
    /// How many servers are tried at the same time, at least 1.
    pub jobs: usize,
    /// Whether faults are looked for that take minutes to be found.
    pub slow: bool,
    /// The program `conformance`, whose process is looked at where a fault shows only there.
    pub program: Option<Program>,
    /// Whether a fault is looked for that fails each case.
    pub each_case: bool,
}

impl Options {
    /// Everything, as far as it takes no minutes and no process of its own.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            faults: Fault::all().collect(),
            variants: Variant::all().collect(),
            jobs: DEFAULT_JOBS,
            slow: false,
            program: None,
            each_case: true,
        }
    }
}

/// A server that has been tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// One with a fault.
    Fault(FaultRow),
    /// One that is to pass.
    Honest(HonestRow),
}

/// Tries everything, and tells of each server as it is done with.
///
/// # Errors
/// If the profile has chunks larger than [`DECLARED_LIMIT`].
pub async fn selftest(
    options: &Options,
    tell: &mut (dyn FnMut(&Tried) + Send),
) -> Result<Matrix, ProfileError> {
    let declared = options.profile.clone().with_max_body(DECLARED_LIMIT)?;
    let bench = Arc::new(Bench {
        options: options.clone(),
        declared,
        places: Semaphore::new(options.jobs.max(1)),
        process: Semaphore::new(1),
    });
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
    /// The profile with a limit declared.
    declared: Profile,
    places: Semaphore,
    /// Processes are looked at one at a time.
    process: Semaphore,
}

impl Bench {
    /// The trial of a fault with some cases; why not, if it cannot be had.
    fn trial(
        &self,
        fault: &'static Fault,
        cases: Vec<&'static Case>,
    ) -> Result<Trial, &'static str> {
        let mut trial = Trial {
            subject: Subject::Fault(fault),
            profile: self.declared.clone(),
            cases,
            program: None,
            slow: false,
        };
        match fault.needs {
            Need::Nothing | Need::DeclaredLimit => {}
            Need::Time if self.options.slow => trial.slow = true,
            Need::Time => return Err("takes minutes: give --slow"),
            Need::Process => {
                trial.profile = self.options.profile.clone();
                trial.program = self.options.program.clone();
                if trial.program.is_none() {
                    return Err("shows only in the process of a server of its own");
                }
            }
        }
        Ok(trial)
    }

    /// The trials of servers that are to pass, each with a declared limit and without.
    fn honest(&self) -> Vec<Trial> {
        let variants = self.options.variants.iter().copied().map(Subject::Variant);
        let subjects = [Subject::Reference, Subject::Unaltered];
        let trial = |subject| {
            [&self.declared, &self.options.profile].map(|profile| Trial {
                subject,
                profile: profile.clone(),
                cases: cases::all(Role::Server).collect(),
                program: None,
                slow: false,
            })
        };
        subjects
            .into_iter()
            .chain(variants)
            .flat_map(trial)
            .collect()
    }

    /// Plays a trial when its turn comes.
    async fn play(&self, trial: Trial) -> Results {
        let turns = if trial.program.is_some() {
            &self.process
        } else {
            &self.places
        };
        let Ok(_turn) = turns.acquire().await else {
            return Results::default();
        };
        trial::play(trial).await
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
    fn note(&mut self, fault: &'static Fault, results: &Results) {
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
        let all = bench.options.faults.len() == Fault::all().count();
        cases::all(Role::Server)
            .map(|case| case.id)
            .filter(|case| all && self.played.contains(case) && !self.by.contains_key(case))
            .collect()
    }
}

async fn try_each(
    bench: &Arc<Bench>,
    matrix: &mut Matrix,
    failed: &mut Failed,
    tell: &mut (dyn FnMut(&Tried) + Send),
) {
    let mut trying = JoinSet::new();
    // The honest play every case, and take longest: they begin.
    let mut trials = bench.honest();
    for fault in bench.options.faults.iter().copied() {
        match bench.trial(fault, own_cases(fault)) {
            Ok(trial) => trials.push(trial),
            Err(why) => {
                let row = FaultRow::new(fault, Fate::NotLooked(why.to_owned()));
                tell(&Tried::Fault(row.clone()));
                matrix.faults.push(row);
            }
        }
    }
    for trial in trials {
        let (bench, subject) = (Arc::clone(bench), trial.subject);
        let declared = trial.profile.declared_max_body().is_some();
        trying.spawn(async move { (subject, declared, bench.play(trial).await) });
    }
    while let Some(tried) = trying.join_next().await {
        // A task that panicked leaves its row out, and that is noticed.
        let Ok((subject, declared, results)) = tried else {
            continue;
        };
        if let Subject::Fault(fault) = subject {
            failed.note(fault, &results);
            let row = FaultRow::new(fault, Fate::of(&results));
            tell(&Tried::Fault(row.clone()));
            matrix.faults.push(row);
        } else {
            let row = HonestRow::new(subject.name(), subject.is_warned(), declared, &results);
            tell(&Tried::Honest(row.clone()));
            matrix.honest.push(row);
        }
    }
    matrix.sort();
}

fn own_cases(fault: &Fault) -> Vec<&'static Case> {
    cases::of(fault.clause).collect()
}

/// Looks among all faults for one that fails each case that no fault of its own clause has failed.
async fn fail_the_others(bench: &Arc<Bench>, failed: Failed) -> Failed {
    let failed = Arc::new(Mutex::new(failed));
    let mut trying = JoinSet::new();
    for fault in bench.options.faults.iter().copied() {
        let (bench, failed) = (Arc::clone(bench), Arc::clone(&failed));
        trying.spawn(async move {
            let Ok(_place) = bench.places.acquire().await else {
                return;
            };
            let left = {
                let failed = lock(&failed);
                let is_left = |case: &&Case| !failed.by.contains_key(&case.id);
                cases::all(Role::Server).filter(is_left).collect::<Vec<_>>()
            };
            let Ok(trial) = bench.trial(fault, left) else {
                return;
            };
            if trial.program.is_none() && !trial.slow && !trial.cases.is_empty() {
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
