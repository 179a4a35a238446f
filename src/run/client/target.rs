//! The client under test, as the user names it: where it comes from, where it connects to, and what is
//! typed for it.

use super::calibrate::calibrate;
use crate::lang::{Hole, Text, say};
use crate::peer::Launch;
use crate::profile::{Payload, Profile};
use crate::run::Options;
use crate::run::target::{Met, NotMet};
use crate::script::HOLE;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a client that is started here may take to connect, unless an option says otherwise.
const WAIT_STARTED: Duration = Duration::from_secs(10);

/// How long one is waited for that somebody else starts.
const WAIT_USER: Duration = Duration::from_secs(60);

/// Where the client comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is started by this command, with the address to connect to.
    Command(Launch),
    /// Somebody else starts it.
    User,
}

/// What is typed for each request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    /// What suits the payloads of the profile; nothing to a client that somebody else has started.
    #[default]
    Usual,
    /// This, with [`HOLE`] where a text goes.
    Typed(String),
    /// Nothing: the client sends by itself.
    Nothing,
}

/// A client under test.
#[derive(Debug, Clone)]
pub struct ClientTarget {
    pub(super) source: Source,
    pub(super) listener: Arc<Listener>,
    input: Input,
    pub(super) reply: Option<String>,
    pub(super) wait: Duration,
}

impl ClientTarget {
    /// A client from there, which connects to where that listens.
    #[must_use]
    pub fn new(source: Source, listener: Listener) -> Self {
        let wait = match source {
            Source::Command(_) => WAIT_STARTED,
            Source::User => WAIT_USER,
        };
        Self {
            source,
            listener: Arc::new(listener),
            input: Input::Usual,
            reply: None,
            wait,
        }
    }

    /// What is typed for it.
    #[must_use]
    pub fn input(self, input: Input) -> Self {
        Self { input, ..self }
    }

    /// The payload of replies, with [`HOLE`] where a text goes; a JSON string if there is none.
    #[must_use]
    pub fn reply(self, reply: Option<String>) -> Self {
        Self { reply, ..self }
    }

    /// How long a connection is waited for: 10 s if nothing is said, and 60 s for a client that somebody
    /// else starts.
    #[must_use]
    pub fn wait(self, wait: Option<Duration>) -> Self {
        let wait = wait.unwrap_or(self.wait);
        Self { wait, ..self }
    }

    /// Where it connects to; one that is started here gets another port for each script, unless that one was
    /// chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Takes the first look at it.
    pub(in crate::run) async fn meet(&self, options: &Options) -> Result<Met, NotMet> {
        Ok(calibrate(self, options).await?)
    }

    /// The same, to be started beside it; `None` if somebody else starts it, or it always connects to the same port.
    pub(in crate::run) fn another(&self) -> Option<Self> {
        let is_had_at_will = self.source != Source::User && !self.listener.is_fixed;
        is_had_at_will.then(|| self.clone())
    }

    /// What is typed for each request, if anything is, with a hole for the text.
    pub(super) fn typed(&self, profile: &Profile) -> Option<String> {
        match (&self.input, &self.source) {
            (Input::Typed(text), Source::Command(_)) => Some(text.clone()),
            (Input::Usual, Source::Command(_)) => Some(typed(profile)),
            // Nobody types for a client that somebody else has started.
            (Input::Nothing, _) | (_, Source::User) => None,
        }
    }
}

/// What is typed for a client of which nothing is known, with [`HOLE`] where a text goes.
#[must_use]
pub fn typed(profile: &Profile) -> String {
    match profile.payload() {
        Payload::Json => format!("\"{HOLE}\""),
        Payload::Utf8 | Payload::Opaque => HOLE.to_owned(),
    }
}

/// Where clients connect to.
#[derive(Debug)]
pub struct Listener {
    pub(super) listener: TcpListener,
    address: SocketAddr,
    /// Whether the port was chosen by the user, so that there can be only one.
    pub(super) is_fixed: bool,
}

impl Listener {
    /// Listens on the first of the addresses where that is possible.
    ///
    /// # Errors
    /// If it is possible on none.
    pub async fn open(addresses: &[SocketAddr]) -> io::Result<Self> {
        let listener = TcpListener::bind(addresses).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            is_fixed: addresses.iter().any(|address| address.port() != 0),
        })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Why no script can be played to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoClient {
    /// The command cannot be started.
    NotStarted(Text),
    /// It ended before it had connected.
    WentAway(Text),
    /// It connected, and did not follow the prologue.
    NotBegun(Text),
    /// Its requests would have ids, and what a script answers is written down before those are known.
    Ids,
    /// Replies may be several frames, and a script writes each of its frames as a reply.
    LongReplies,
    /// Some of its messages may be owed no reply, and a script has one for each.
    Unanswered,
    /// A connection is there for so many requests only, and scripts play one connection.
    FewRequests,
    /// Nobody came.
    NobodyCame(Duration),
}

impl Hole for NoClient {
    fn text(&self) -> Text {
        match self {
            Self::NotStarted(why) => say!("cannot start the client: {why}", why),
            Self::WentAway(why) => say!("the client did not connect: {why}", why),
            Self::NotBegun(why) => say!("the client did not get through the prologue: {why}", why),
            Self::Ids => say!(
                "clients of a profile with ids cannot be checked: no script knows beforehand which ids its replies have to repeat"
            ),
            Self::LongReplies => say!(
                "clients of a profile with replies.last cannot be checked: scripts answer by one frame each"
            ),
            Self::Unanswered => say!(
                "clients of a profile with exchange.unanswered cannot be checked: scripts answer each message"
            ),
            Self::FewRequests => say!(
                "clients of a profile with exchange.requests_per_connection cannot be checked: a script plays one connection, and asks for more"
            ),
            Self::NobodyCame(after) => {
                say!(
                    "no client connected within {after}",
                    after = format!("{after:?}")
                )
            }
        }
    }
}

/// In the language of the reader.
impl fmt::Display for NoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for NoClient {}
