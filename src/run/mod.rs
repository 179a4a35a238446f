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
mod evidence;
mod live;
mod log;
mod minimise;
mod pace;
mod plan;
mod play;
mod played;
mod player;
mod process;
mod schedule;
mod teller;
mod verdict;

pub use evidence::rehearsal;
pub use minimise::{Bounds, Ended, Minimised, NotMinimised, minimise};
pub use player::{MeetError, Played, Player};
pub use process::{Process, ProcessError};

use crate::cases::Case;
use crate::event::{Event, Finished, SCHEMA, Started};
use crate::profile::Profile;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// Whether passing cases keep their evidence too.
    pub trace: bool,
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
            cases: crate::cases::all().collect(),
            timeout: DEFAULT_TIMEOUT,
            slack: None,
            jobs: DEFAULT_JOBS,
            repeat: 1,
            seed: 1,
            slow: false,
            process: None,
            trace: false,
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

/// Plays the cases at the server behind these addresses and tells `tell` what happens. The last
/// event is always [`Event::Finished`], also when the server cannot be reached.
///
/// # Errors
/// If the server cannot be reached.
pub async fn run(
    addresses: &[SocketAddr],
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Finished, Unreachable> {
    let begun = std::time::Instant::now();
    tell(Event::Started(started(options)));
    let (mut finished, reached) = match calibrate::calibrate(addresses, options).await {
        Ok(calibrated) => {
            tell(Event::Calibrated(calibrated.told.clone()));
            (schedule::run(&calibrated, options, tell).await, Ok(()))
        }
        Err(calibrate::Failed::Unreachable(unreachable)) => {
            let why = unreachable.to_string();
            (teller::not_run(options, &why, tell), Err(unreachable))
        }
        Err(calibrate::Failed::NotServed(not_served)) => {
            (teller::not_served(options, &not_served, tell), Ok(()))
        }
    };
    finished.summary.elapsed_ms = millis(begun.elapsed());
    tell(Event::Finished(finished.clone()));
    reached.map(|()| finished)
}

fn started(options: &Options) -> Started {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    Started {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: options.target.clone(),
        profile: options.profile.name().to_owned(),
        selected: options.cases.len(),
        seed: options.seed,
        unix_ms: since.map(millis),
        selection: options
            .cases
            .iter()
            .map(|case| case.id.to_owned())
            .collect(),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
