//! Runs against clients: the server's side of every case is played to a client, and what it made of
//! that becomes a verdict.
//!
//! A client is either started anew for each case, in a process group of its own that is ended with the
//! case, or the user starts it and each connection that comes gets the next case. A run first looks at
//! the client: does it send something, does it show what it reads, does it send more before it has an
//! answer? Cases that need more than that are skipped, with the reason. Whatever fails is played again
//! alone, with more time for everything, where the client can be started at will.
//!
//! Memory and time are bounded whatever the client does, and it is ended with everything that it has
//! started.

mod calibrate;
mod process;
mod schedule;
mod session;

pub use session::{Listener, Source};

use crate::cases::{self, Case};
use crate::event::{Event, Finished};
use crate::outcome::{EventSink, Head, Keep, Start};
use crate::profile::{Payload, Profile};
use crate::script::HOLE;
use crate::spec::Role;
use std::time::Duration;

/// How long a reaction of the client is waited for at least, unless an option says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// How many clients are started side by side, unless an option says otherwise.
pub const DEFAULT_JOBS: usize = 4;

/// How long a client that is started here may take to connect, unless an option says otherwise.
const WAIT_STARTED: Duration = Duration::from_secs(10);

/// How long one is waited for that somebody else starts.
const WAIT_USER: Duration = Duration::from_secs(60);

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The client as the user calls it.
    pub target: String,
    /// Where it comes from.
    pub source: Source,
    /// What is typed for the client, with [`HOLE`] where a text goes;
    /// `None` if it sends by itself.
    pub input: Option<String>,
    /// The payload of replies, with a hole like that; a JSON string if there is none.
    pub reply: Option<String>,
    /// The wire format.
    pub profile: Profile,
    /// The cases, in the order of the table.
    pub cases: Vec<&'static Case>,
    /// How long a reaction of the client is waited for at least.
    pub timeout: Duration,
    /// How long a connection is waited for.
    pub wait: Duration,
    /// How many clients are started side by side, at least 1.
    pub jobs: usize,
    /// What all that chance chooses is made from.
    pub seed: u64,
    /// Which cases keep their evidence.
    pub keep: Keep,
    /// The command line that repeats this run, up to where a case is selected.
    pub command: String,
}

impl Options {
    /// All cases, with nothing out of the ordinary.
    #[must_use]
    pub fn new(source: Source, profile: Profile) -> Self {
        let (target, input, wait) = match &source {
            Source::Command(launch) => (launch.to_string(), Some(typed(&profile)), WAIT_STARTED),
            // Nobody types for a client that somebody else has started.
            Source::User => (String::new(), None, WAIT_USER),
        };
        Self {
            target,
            source,
            input,
            reply: None,
            profile,
            cases: cases::all(Role::Client).collect(),
            timeout: DEFAULT_TIMEOUT,
            wait,
            jobs: DEFAULT_JOBS,
            seed: 1,
            keep: Keep::OfFindings,
            command: String::new(),
        }
    }
}

/// What is typed for a client of which nothing is known.
pub(crate) fn typed(profile: &Profile) -> String {
    match profile.payload() {
        Payload::Json => format!("\"{HOLE}\""),
        Payload::Utf8 | Payload::Opaque => HOLE.to_owned(),
    }
}

/// Why nothing could be run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoClient {
    /// The command cannot be started.
    #[error("cannot start the client: {0}")]
    NotStarted(String),
    /// It ended before it had connected.
    #[error("the client did not connect: {0}")]
    WentAway(String),
    /// Nobody came.
    #[error("no client connected within {0:?}")]
    NobodyCame(Duration),
}

/// Plays the cases to the client and tells `tell` what happens. The last event is always
/// [`Event::Finished`].
///
/// # Errors
/// If there is no client to play to.
pub async fn run(
    listener: Listener,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Finished, NoClient> {
    let sink = EventSink::begin(
        Start {
            role: Role::Client,
            target: &options.target,
            profile: &options.profile,
            seed: options.seed,
            command: &options.command,
            cases: options.cases.iter().copied().map(Head::from).collect(),
        },
        tell,
    );
    schedule::run(listener, options, sink).await
}
