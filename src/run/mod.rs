//! Runs: scripts played at a live peer, be it a server or a client, and what became of each.
//!
//! A run first looks at the peer: can it be had at all, how long does it take, how do replies relate to
//! requests, or what is to be seen of what a client reads? Then it plays the cases side by side, those
//! that need a server to themselves afterwards, and whatever failed once more alone. It tells everything
//! as [events](crate::event) and writes nothing itself.
//!
//! What differs between a server and a client is in `server` and `client`: how it is come by, the
//! first look, and how one script is played. Which of them it is, is asked in two places: of the [`Target`]
//! that the user names, and of the `peer` that the first look makes of it.
//!
//! Nothing a peer does ends a run early without a report: one that dies, hangs, floods, drips or resets
//! costs a case its verdict, and a server that is gone ends the run with every case told.

mod apart;
mod charged;
mod client;
mod confirm;
mod crash;
mod instance;
mod log;
mod minimise;
mod peer;
mod plan;
mod played;
mod player;
mod prologue;
mod schedule;
mod server;
mod spinning;
mod target;
mod time;

pub use client::{ClientTarget, Input, Listener, NoClient, Source, typed};
pub use minimise::{Bounds, Ended, Minimised, NotMinimised, minimise};
pub use player::{MeetError, Played, Player, Probe};
pub use server::{DEFAULT_STARTUP, MOST_CONNECTIONS, NotStarted, ServerTarget, Unreachable};
pub use target::Target;

use crate::cases::Case;
use crate::diagnosis::Knowledge;
use crate::event::{Event, Finished, Role, Verdict};
use crate::lang::{Hole, Text, say};
use crate::outcome::{EventSink, Head, Keep, Start};
use crate::profile::{Carriage, Profile};
use crate::spec::{CaseId, Clause};
use server::NotServed;
use std::time::Duration;
use target::NotMet;
use time::Time;

/// How long something that is owed is waited for at least, unless an option says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// How many scripts are played side by side at a peer of that role, unless an option says otherwise. Each
/// costs a client's start, or a few connections of a server.
#[must_use]
pub const fn default_jobs(role: Role) -> usize {
    match role {
        Role::Server => 6,
        Role::Client => 4,
    }
}

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The peer as the user calls it.
    pub target: Text,
    /// The wire format.
    pub profile: Profile,
    /// The cases, in the order of the table.
    pub cases: Vec<&'static Case>,
    /// How long something that is owed is waited for at least.
    pub timeout: Duration,
    /// How many scripts are played side by side, at least 1.
    pub jobs: usize,
    /// How often each case is played, at least 1.
    pub repeat: u32,
    /// What all that chance chooses is made from.
    pub seed: u64,
    /// Whether slow cases are played.
    pub slow: bool,
    /// How long the run may take; without a bound if there is none. What does not fit is told as not run, and
    /// what was seen only once as not confirmed.
    pub within: Option<Duration>,
    /// What is known of causes. With it a failure that is explained by what others have confirmed is not
    /// confirmed once more, and a case that is sure to fail of the same cause is not played.
    pub knowledge: Option<&'static Knowledge>,
    /// Whether each case is played all the same, however sure it is to fail: failures that are known do not count, so that
    /// what they foretell has to be seen.
    pub all_played: bool,
    /// Which cases keep their evidence.
    pub keep: Keep,
    /// The command line that repeats this run, up to where a case is selected.
    pub command: String,
}

impl Options {
    /// All cases for that role in that format, with nothing out of the ordinary.
    #[must_use]
    pub fn new(role: Role, target: impl Into<Text>, profile: Profile) -> Self {
        Self {
            target: target.into(),
            cases: crate::cases::in_format(role, &profile).collect(),
            profile,
            timeout: DEFAULT_TIMEOUT,
            jobs: default_jobs(role),
            repeat: 1,
            seed: 1,
            slow: false,
            within: None,
            knowledge: None,
            all_played: false,
            keep: Keep::OfFindings,
            command: String::new(),
        }
    }
}

impl Options {
    /// The same where that carries the frames.
    fn carried_by(&self, carriage: Carriage) -> Self {
        Self {
            profile: self.profile.clone().carried_by(carriage),
            ..self.clone()
        }
    }
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
    /// No client came.
    #[error(transparent)]
    NoClient(#[from] NoClient),
}

impl Hole for RunError {
    fn text(&self) -> Text {
        match self {
            Self::Unreachable(error) => error.text(),
            Self::NotStarted(error) => error.text(),
            Self::NoClient(error) => error.text(),
        }
    }
}

/// How long a run may take that is given this time, of which none is as long as it takes. If none is given:
/// as long as somebody waits who looks on, or who has asked for the slow cases.
#[must_use]
pub fn bound(within: Option<Duration>, slow: bool) -> Option<Duration> {
    let usual = Duration::from_secs(if slow { 300 } else { 30 });
    let within = within.unwrap_or(usual);
    (!within.is_zero()).then_some(within)
}

/// Plays the cases at a peer and tells `tell` what happens. The last event is always
/// [`Event::Finished`], also when there is no peer to be had. A server that is started here is started
/// again when it dies or hangs, and still runs when this returns: it ends with `target`.
///
/// # Errors
/// If the server cannot be reached or started, or no client comes.
pub async fn run(
    target: &mut Target,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Finished, RunError> {
    let time = Time::begins(options.within);
    let options = &options.carried_by(target.carriage());
    let mut sink = EventSink::begin(
        Start {
            role: target.role(),
            target: &options.target,
            profile: &options.profile,
            seed: options.seed,
            command: &options.command,
            cases: options.cases.iter().copied().map(Head::from).collect(),
        },
        tell,
    );
    match target.meet(options).await {
        Ok(met) => {
            sink.calibrated(met.told);
            Ok(schedule::run(met.peer, target, options, time, sink).await)
        }
        Err(NotMet::NotServed(not_served)) => Ok(tell_not_served(options, &not_served, sink)),
        Err(NotMet::NotThere(error)) => {
            sink.finish(Some(error.text()));
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
    let told = match &failed.advice {
        Some(advice) => say!("{what}; {advice}", what = failed.what, advice),
        None => failed.what.clone(),
    };
    let selected = |id: CaseId| options.cases.iter().copied().find(|case| case.id == id);
    let plain = PLAINEST.into_iter().find_map(selected);
    let plain = plain.or(options.cases.first().copied());
    for case in options.cases.iter().copied() {
        if plain.is_some_and(|plain| plain.id == case.id) {
            sink.without_play(case.into(), Verdict::Fail, told.clone());
        } else {
            let why = say!("not run: the server does not answer a plain request");
            sink.without_play(case.into(), Verdict::Skip, why);
        }
    }
    sink.finish(Some(told))
}
