//! Runs: cases played at a live server, and what became of each.
//!
//! A run first calibrates: how long a round trip takes, how replies relate to requests, whether
//! several clients are served at once. Then it plays the cases side by side, those that need the
//! server to themselves afterwards, and whatever failed once more alone. It tells everything as
//! [events](crate::event) and writes nothing itself.
//!
//! Nothing a server does ends a run early without a report: a server that dies, hangs, floods, drips
//! or resets costs a case its verdict, and a server that is gone ends the run with every case told.

mod calibrate;
mod canary;
mod crash;
pub(crate) mod log;
mod minimise;
mod pace;
mod plan;
mod play;
mod played;
mod player;
mod schedule;
mod sending;
mod target;

pub use minimise::{Bounds, Ended, Minimised, NotMinimised, minimise};
pub use player::{MeetError, Played, Player};
pub use target::{DEFAULT_STARTUP, NotStarted, Target};

use crate::cases::Case;
use crate::event::{Event, Finished, Role, Verdict};
use crate::outcome::{EventSink, Head, Keep, Start};
use crate::peer::Process;
use crate::profile::Profile;
use crate::spec::{CaseId, Clause};
use calibrate::{Calibrated, Failed, NotServed, calibrate};
use std::net::SocketAddr;
use std::time::Duration;

/// How long an owed answer is waited for at least, unless an option says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// How many scripts are played side by side, unless an option says otherwise.
pub const DEFAULT_JOBS: usize = 6;

/// The most connections that are open at the same time: as many clients as a server must serve.
pub const MOST_CONNECTIONS: usize = 16;

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server as the user calls it.
    pub target: String,
    /// The wire format.
    pub profile: Profile,
    /// The cases, in the order of the table.
    pub cases: Vec<&'static Case>,
    /// How long an owed answer is waited for at least.
    pub timeout: Duration,
    /// What is added to shown silence; found out if it is not given.
    pub slack: Option<Duration>,
    /// How many scripts are played side by side, at least 1.
    pub jobs: usize,
    /// How often each case is played, at least 1.
    pub repeat: u32,
    /// What all that chance chooses is made from.
    pub seed: u64,
    /// Whether slow cases are played.
    pub slow: bool,
    /// The server's process, if it may be looked at.
    pub process: Option<Process>,
    /// Which cases keep their evidence.
    pub keep: Keep,
    /// The command line that repeats this run, up to where a case is selected.
    pub command: String,
}

impl Options {
    /// All cases, with nothing out of the ordinary.
    #[must_use]
    pub fn new(target: impl Into<String>, profile: Profile) -> Self {
        Self {
            target: target.into(),
            profile,
            cases: crate::cases::all(Role::Server).collect(),
            timeout: DEFAULT_TIMEOUT,
            slack: None,
            jobs: DEFAULT_JOBS,
            repeat: 1,
            seed: 1,
            slow: false,
            process: None,
            keep: Keep::OfFindings,
            command: String::new(),
        }
    }
}

/// Why nothing could be run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot connect to {target}: {why}")]
pub struct Unreachable {
    /// The server as the user calls it.
    pub target: String,
    /// What the system said.
    pub why: String,
    /// Whether it said that nobody listens there.
    pub refused: bool,
}

/// Why no case was played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Nobody is there.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The server was to be started, and did not come up.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
}

/// Plays the cases at the server behind these addresses; [`run_at`] for one that somebody else started.
///
/// # Errors
/// If the server cannot be reached.
pub async fn run(
    addresses: &[SocketAddr],
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Finished, RunError> {
    run_at(&mut Target::at(addresses), options, tell).await
}

/// Plays the cases at a server and tells `tell` what happens. The last event is always
/// [`Event::Finished`], also when the server cannot be reached or started. One that is started here is
/// started again when it dies or hangs, and still runs when this returns: it ends with `target`.
///
/// # Errors
/// If the server cannot be reached or started.
pub async fn run_at(
    target: &mut Target,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Finished, RunError> {
    let mut sink = EventSink::begin(
        Start {
            role: Role::Server,
            target: &options.target,
            profile: &options.profile,
            seed: options.seed,
            command: &options.command,
            cases: options.cases.iter().copied().map(Head::from).collect(),
        },
        tell,
    );
    match meet(target, options).await {
        Ok(calibrated) => {
            sink.calibrated(calibrated.told.clone());
            Ok(schedule::run(calibrated, target, options, sink).await)
        }
        Err(NotMet::NotServed(not_served)) => Ok(tell_not_served(options, &not_served, sink)),
        Err(NotMet::NotThere(error)) => {
            sink.finish(Some(error.to_string()));
            Err(error)
        }
    }
}

/// The plainest cases, of which one fails where a plain request is not answered.
const PLAINEST: [CaseId; 2] = [
    CaseId::new(Clause::OneReply, "single"),
    CaseId::new(Clause::LengthPrefix, "one-chunk"),
];

/// The server does not answer a plain request. That fails the plainest case of those selected;
/// nothing can be said of the others.
fn tell_not_served(options: &Options, failed: &NotServed, mut sink: EventSink<'_>) -> Finished {
    let advice = failed.advice.iter().map(|advice| format!("; {advice}"));
    let told = format!("{}{}", failed.what, advice.collect::<String>());
    let selected = |id: CaseId| options.cases.iter().copied().find(|case| case.id == id);
    let plain = PLAINEST.into_iter().find_map(selected);
    let plain = plain.or(options.cases.first().copied());
    for case in options.cases.iter().copied() {
        if plain.is_some_and(|plain| plain.id == case.id) {
            sink.without_play(case.into(), Verdict::Fail, told.clone());
        } else {
            let why = "not run: the server does not answer a plain request";
            sink.without_play(case.into(), Verdict::Skip, why);
        }
    }
    sink.finish(Some(told))
}

const BUSY: &str = "the server's process was busy before the first client came: what clients cost it is not checked";

/// Why there is nothing to be played at.
enum NotMet {
    NotThere(RunError),
    NotServed(NotServed),
}

async fn meet(target: &mut Target, options: &Options) -> Result<Calibrated, NotMet> {
    let endpoint = target.start().await;
    let endpoint = endpoint.map_err(|error| NotMet::NotThere(error.into()))?;
    let options = Options {
        process: endpoint.process.or(options.process),
        ..options.clone()
    };
    // Before the first client has come: some servers never come to rest again.
    let rests = match options.process {
        Some(process) => process.comes_to_rest().await,
        None => true,
    };
    match calibrate(&endpoint.addresses, &options).await {
        Ok(mut calibrated) => {
            calibrated.peer.stderr = endpoint.stderr;
            calibrated.peer.rests = rests;
            calibrated
                .told
                .notes
                .extend((!rests).then(|| BUSY.to_owned()));
            Ok(calibrated)
        }
        Err(Failed::Unreachable(error)) => Err(NotMet::NotThere(error.into())),
        Err(Failed::NotServed(mut not_served)) => {
            if let Some(ended) = target.ended().await {
                not_served
                    .what
                    .push_str(&format!("; then the server {ended}"));
                let said = endpoint
                    .stderr
                    .map(|stderr| stderr.since(0))
                    .unwrap_or_default();
                if let Some(last) = said.lines().next_back() {
                    not_served
                        .what
                        .push_str(&format!(", with the last words: {last}"));
                }
            }
            Err(NotMet::NotServed(not_served))
        }
    }
}
