//! Scripts: what one side of an exchange does, as data.
//!
//! A script plays the client to a server under test, or the server to a client under test: it says
//! which [`Side`] it takes. It opens or accepts connections, sends octets cut into segments, pauses,
//! waits, and ends its streams by FIN or RST. It says nothing of what the peer should answer: that is
//! the model's business. A conformance case builds one, a reproducer is one, and a file of raw octets
//! reads as one too, so whatever one part of the project finds every other can use.
//!
//! ```
//! use framespec::script::Script;
//!
//! let script: Script = "framespec script 1\n\
//!     open a\n\
//!     send a 000000 | 3c '\"hi\"' 00*56\n\
//!     await a\n\
//!     fin a\n"
//!     .parse()?;
//! assert_eq!(script.stream(0).len(), 64);
//! # Ok::<(), framespec::script::ScriptError>(())
//! ```

pub mod checksum;
pub mod craft;
pub mod draws;
pub mod index;
mod meant;
mod opening;
mod print;
mod replies;
mod text;

pub use meant::profile_of_file;
pub use opening::Opening;
pub use print::{ConnName, Heading, Octets};
pub use replies::{HOLE, ReplyTemplate, filled};
pub use text::ScriptError;

use crate::profile::Profile;
use std::sync::Arc;
use std::time::Duration;

/// First line of every script file; a file that does not begin with it is raw octets.
pub const MAGIC: &str = "framespec script 1";

/// The most that a script may send on all its connections together, in octets.
pub const MAX_OCTETS: usize = 64 << 20;

/// The most steps that a script may have.
pub const MAX_STEPS: usize = 100_000;

/// The longest pause that a script may make.
pub const MAX_PAUSE: Duration = Duration::from_secs(600);

/// A connection of a script, counted from 0 in the order of opening.
pub type Conn = usize;

/// Which side of its connections a script plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// The client's: what is under test is a server.
    #[default]
    Client,
    /// The server's: what is under test is a client.
    Server,
}

impl Side {
    /// The word for it in script files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// What a user types for a client under test.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Typed {
    /// What is typed, without the end of the last line; it may hold several lines.
    pub line: String,
    /// The text in it that the request must then hold; empty if nothing of it need be.
    pub text: String,
    /// Octets of payload that the request has if the line became what it was meant to become. If it
    /// did not, nothing can be concluded.
    pub payload: Option<usize>,
}

/// One thing that is done. Unless it is said otherwise, scripts of both sides do it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Connect, or accept the client's connection. Always the first step of a connection.
    Open,
    /// The client's side: connect, and say this where the prologue has the client speak. Like [`Open`](Self::Open) it is
    /// the first step of a connection.
    Begin(Opening),
    /// Send these segments, and let the peer see each before the next is sent. Where frames are carried by datagrams,
    /// each segment is one.
    Send(Vec<Vec<u8>>),
    /// Send a datagram without an octet. In a stream there is no such thing, and nothing is done.
    SendEmpty,
    /// Wait until all that is owed for the octets sent so far has come, or a close has. What a client
    /// owes is its next request, or the end of the connection where it has reason to end it.
    Await,
    /// Find out by the order of events that the peer now keeps silent.
    Quiet,
    /// The server's side: the user types a line at the client.
    Type(Typed),
    /// The server's side: wait until the client shows the replies sent so far.
    Shown,
    /// The server's side: give a client that may end the connection now the time to do so.
    Settle,
    /// Do nothing on any connection for that long.
    Pause(Duration),
    /// End the sending side.
    Fin,
    /// Reset the connection.
    Rst,
    /// The client's side: leave whatever arrives from now on in the socket.
    Stall,
    /// The client's side: read again.
    Resume,
    /// Note what the peer's process holds at this point, under a name.
    Sample(String),
}

impl Action {
    /// Whether it is done on no connection in particular.
    #[must_use]
    pub const fn is_general(&self) -> bool {
        matches!(self, Self::Pause(_) | Self::Sample(_) | Self::Type(_))
    }

    /// The only side that does it, if it is one side's alone.
    const fn only_side(&self) -> Option<Side> {
        match self {
            Self::Stall | Self::Resume | Self::SendEmpty | Self::Begin(_) => Some(Side::Client),
            Self::Type(_) | Self::Shown | Self::Settle => Some(Side::Server),
            _ => None,
        }
    }
}

/// What a script waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// All that a server owes for what it was sent.
    Owed,
    /// A client's connection.
    Connection,
    /// A client's request; so many are to come before it.
    Request(usize),
    /// A request as well, or the end of a connection that the client need not keep.
    RequestOrEnd(usize),
    /// A sign that a client has read the replies.
    Shown,
    /// The end of the connection, or of the client.
    End,
    /// A sign that a client has noticed the reset of its connection.
    Notice,
}

/// An action and the connection that it is done on. Pauses, samples and what is typed concern none in
/// particular.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// Which connection.
    pub conn: Conn,
    /// What is done.
    pub action: Action,
}

/// How the script's side of a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnEnd {
    /// Not at all: it is still open after the last step.
    Open,
    /// By FIN.
    Fin,
    /// By RST.
    Rst,
}

/// A sequence of steps in which every connection is opened before it is used and used only until
/// it is ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    side: Side,
    replies: ReplyTemplate,
    /// Shared by all copies: some send tens of MiB.
    steps: Arc<Vec<Step>>,
    ends: Vec<OwnEnd>,
    octets: usize,
}

/// Why a step cannot follow the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// Connections are opened in order, each once.
    #[error("connections are opened in order, and each once")]
    OpenedOutOfOrder,
    /// Nothing can be done on a connection that is not there.
    #[error("the connection has not been opened")]
    NotOpen,
    /// After FIN nothing is sent. After RST nothing is done at all, but for looking at what a client
    /// makes of it.
    #[error("the connection has been ended")]
    Ended,
    /// See [`MAX_OCTETS`].
    #[error("a script sends at most {MAX_OCTETS} octets")]
    TooManyOctets,
    /// See [`MAX_STEPS`].
    #[error("a script has at most {MAX_STEPS} steps")]
    TooManySteps,
    /// See [`MAX_PAUSE`].
    #[error("a pause lasts at most {MAX_PAUSE:?}")]
    TooLong,
    /// An empty segment cannot be seen on the wire.
    #[error("a segment holds at least one octet")]
    EmptySegment,
    /// Not every action makes sense on both sides.
    #[error("the {} side does no such thing", .0.as_str())]
    WrongSide(Side),
    /// A script of the server's side is played on one connection.
    #[error("a script of the server's side plays one connection")]
    OneConnection,
}

impl Script {
    /// A script of the client's side that does nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A script of that side that does nothing yet.
    #[must_use]
    pub fn of(side: Side) -> Self {
        Self {
            side,
            ..Self::default()
        }
    }

    /// A script of the server's side that does nothing yet, and whose replies are made like that.
    #[must_use]
    pub fn serving(replies: ReplyTemplate) -> Self {
        Self {
            replies,
            ..Self::of(Side::Server)
        }
    }

    /// A script of the same side, with the same kind of replies, that does nothing yet.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self {
            side: self.side,
            replies: self.replies.clone(),
            ..Self::default()
        }
    }

    /// How its replies are made, where it plays the server.
    #[must_use]
    pub const fn replies(&self) -> &ReplyTemplate {
        &self.replies
    }

    /// The side that it plays.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The format that the octets it sends are written in: that of requests or that of replies.
    #[must_use]
    pub fn written_in(&self, profile: &Profile) -> Profile {
        match self.side {
            Side::Client => profile.clone(),
            Side::Server => profile.of_replies(),
        }
    }

    /// The script that raw octets stand for: one connection that sends them, then FIN.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Self {
        let octets = octets.get(..MAX_OCTETS).unwrap_or(octets);
        let mut script = Self::new();
        let step = |action| Step { conn: 0, action };
        let sending = (!octets.is_empty()).then(|| Action::Send(vec![octets.to_vec()]));
        let actions = [Some(Action::Open), sending, Some(Action::Fin)];
        script.steps = Arc::new(actions.into_iter().flatten().map(step).collect());
        script.ends.push(OwnEnd::Fin);
        script.octets = octets.len();
        script
    }

    /// The script in a file: its text form if it begins with [`MAGIC`], else raw octets.
    ///
    /// # Errors
    /// If it is in text form and cannot be read; the error names the line.
    pub fn from_file(octets: &[u8]) -> Result<Self, ScriptError> {
        if octets.starts_with(MAGIC.as_bytes()) {
            text::parse_file(octets)
        } else {
            Ok(Self::from_octets(octets))
        }
    }

    /// Adds a step.
    ///
    /// # Errors
    /// If it cannot follow the steps so far; the script is then as it was.
    pub fn push(&mut self, conn: Conn, action: Action) -> Result<(), StepError> {
        if self.steps.len() >= MAX_STEPS {
            return Err(StepError::TooManySteps);
        }
        self.allow(conn, &action)?;
        match &action {
            Action::Open => self.ends.push(OwnEnd::Open),
            Action::Begin(opening) => {
                self.octets = self.grown(&opening.segments)?;
                self.ends.push(OwnEnd::Open);
            }
            Action::Fin => self.end(conn, OwnEnd::Fin),
            Action::Rst => self.end(conn, OwnEnd::Rst),
            Action::Send(segments) => self.octets = self.grown(segments)?,
            _ => {}
        }
        Arc::make_mut(&mut self.steps).push(Step { conn, action });
        Ok(())
    }

    fn allow(&self, conn: Conn, action: &Action) -> Result<(), StepError> {
        if action.only_side().is_some_and(|side| side != self.side) {
            return Err(StepError::WrongSide(self.side));
        }
        let serves = self.side == Side::Server;
        match (action, self.ends.get(conn)) {
            (Action::Pause(pause), _) if *pause > MAX_PAUSE => Err(StepError::TooLong),
            (action, _) if action.is_general() => Ok(()),
            (Action::Open, _) if serves && conn > 0 => Err(StepError::OneConnection),
            (Action::Begin(opening), _) if opening.segments.iter().any(Vec::is_empty) => {
                Err(StepError::EmptySegment)
            }
            (Action::Open | Action::Begin(_), _) if conn == self.ends.len() => Ok(()),
            (Action::Open | Action::Begin(_), _) => Err(StepError::OpenedOutOfOrder),
            (_, None) => Err(StepError::NotOpen),
            (Action::Await | Action::Settle, Some(OwnEnd::Rst)) if serves => Ok(()),
            (_, Some(OwnEnd::Rst)) => Err(StepError::Ended),
            (Action::Send(_) | Action::SendEmpty | Action::Fin, Some(OwnEnd::Fin)) => {
                Err(StepError::Ended)
            }
            (Action::Send(segments), _) if segments.iter().any(Vec::is_empty) => {
                Err(StepError::EmptySegment)
            }
            _ => Ok(()),
        }
    }

    fn grown(&self, segments: &[Vec<u8>]) -> Result<usize, StepError> {
        let added: usize = segments.iter().map(Vec::len).sum();
        self.octets
            .checked_add(added)
            .filter(|octets| *octets <= MAX_OCTETS)
            .ok_or(StepError::TooManyOctets)
    }

    fn end(&mut self, conn: Conn, end: OwnEnd) {
        if let Some(slot) = self.ends.get_mut(conn) {
            *slot = end;
        }
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many connections it opens.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.ends.len()
    }

    /// Octets sent on all connections together.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// How the script's side of that connection ends; `Open` for one that does not exist.
    #[must_use]
    pub fn own_end(&self, conn: Conn) -> OwnEnd {
        self.ends.get(conn).copied().unwrap_or(OwnEnd::Open)
    }

    /// What is said on that connection where the prologue has the client speak, if the script says it.
    #[must_use]
    pub fn opening(&self, conn: Conn) -> Option<&Opening> {
        self.steps.iter().find_map(|step| match &step.action {
            Action::Begin(opening) if step.conn == conn => Some(opening),
            _ => None,
        })
    }

    /// All octets sent on a connection, however cut.
    #[must_use]
    pub fn stream(&self, conn: Conn) -> Vec<u8> {
        let mut stream = Vec::new();
        for step in self.steps.iter().filter(|step| step.conn == conn) {
            if let Action::Send(segments) = &step.action {
                segments
                    .iter()
                    .for_each(|segment| stream.extend_from_slice(segment));
            }
        }
        stream
    }

    /// All octets sent on each connection, in the order of opening.
    #[must_use]
    pub fn streams(&self) -> Vec<Vec<u8>> {
        let mut streams = vec![Vec::new(); self.connections()];
        for step in self.steps.iter() {
            if let (Action::Send(segments), Some(stream)) =
                (&step.action, streams.get_mut(step.conn))
            {
                segments
                    .iter()
                    .for_each(|segment| stream.extend_from_slice(segment));
            }
        }
        streams
    }

    /// How long all its pauses are together.
    #[must_use]
    pub fn pauses(&self) -> Duration {
        let pause = |step: &Step| match step.action {
            Action::Pause(pause) => pause,
            _ => Duration::ZERO,
        };
        self.steps
            .iter()
            .map(pause)
            .fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The most connections that are open at any one time. One whose stream has been ended and
    /// whose close has been awaited no longer is.
    #[must_use]
    pub fn most_open(&self) -> usize {
        let mut finished = vec![false; self.connections()];
        let mut open = 0_usize;
        let mut most = 0;
        for step in self.steps.iter() {
            match (&step.action, finished.get_mut(step.conn)) {
                (Action::Open | Action::Begin(_), _) => open = open.saturating_add(1),
                (Action::Rst, _) => open = open.saturating_sub(1),
                (Action::Fin, Some(finished)) => *finished = true,
                (Action::Await, Some(finished)) if *finished => {
                    *finished = false;
                    open = open.saturating_sub(1);
                }
                _ => {}
            }
            most = most.max(open);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Script {
        let mut script = Script::new();
        script.push(0, Action::Open).unwrap();
        script
    }

    #[test]
    fn steps_that_cannot_be_are_refused() {
        let mut script = open();
        assert_eq!(
            script.push(0, Action::Open),
            Err(StepError::OpenedOutOfOrder)
        );
        assert_eq!(
            script.push(2, Action::Open),
            Err(StepError::OpenedOutOfOrder)
        );
        assert_eq!(script.push(1, Action::Fin), Err(StepError::NotOpen));
        assert_eq!(
            script.push(0, Action::Send(vec![vec![]])),
            Err(StepError::EmptySegment)
        );
        let pause = MAX_PAUSE + Duration::from_millis(1);
        assert_eq!(
            script.push(0, Action::Pause(pause)),
            Err(StepError::TooLong)
        );
        script.push(0, Action::Fin).unwrap();
        assert_eq!(
            script.push(0, Action::Send(vec![vec![1]])),
            Err(StepError::Ended)
        );
        script.push(0, Action::Rst).unwrap();
        assert_eq!(script.push(0, Action::Await), Err(StepError::Ended));
    }

    #[test]
    fn each_side_does_what_it_can() {
        let typed = || {
            Action::Type(Typed {
                line: "hi".into(),
                text: "hi".into(),
                payload: None,
            })
        };
        let refused = StepError::WrongSide(Side::Client);
        assert_eq!(open().push(0, typed()), Err(refused));
        assert_eq!(open().push(0, Action::Shown), Err(refused));
        let mut script = Script::of(Side::Server);
        script.push(0, typed()).unwrap();
        script.push(0, Action::Open).unwrap();
        let refused = StepError::WrongSide(Side::Server);
        assert_eq!(script.push(0, Action::Stall), Err(refused));
        assert_eq!(script.push(1, Action::Open), Err(StepError::OneConnection));
        script.push(0, Action::Rst).unwrap();
        assert_eq!(script.push(0, Action::Shown), Err(StepError::Ended));
        script.push(0, Action::Await).unwrap();
    }

    #[test]
    fn octets_are_bounded() {
        let mut script = open();
        script
            .push(0, Action::Send(vec![vec![0; MAX_OCTETS]]))
            .unwrap();
        assert_eq!(
            script.push(0, Action::Send(vec![vec![0]])),
            Err(StepError::TooManyOctets)
        );
    }

    #[test]
    fn connections_that_came_to_their_end_are_not_counted_as_open() {
        let mut script = Script::new();
        for conn in 0..5 {
            script.push(conn, Action::Open).unwrap();
            script.push(conn, Action::Fin).unwrap();
            script.push(conn, Action::Await).unwrap();
        }
        assert_eq!(script.most_open(), 1);
    }

    #[test]
    fn streams_are_put_together_by_connection() {
        let text =
            "framespec script 1\nopen a\nopen b\nsend b 01 | 02\nsend a 03\nsend b 04\nopen c";
        let script = Script::from_file(text.as_bytes()).unwrap();
        let streams = script.streams();
        assert_eq!(streams, [vec![3], vec![1, 2, 4], vec![]]);
        assert_eq!((script.stream(1), script.octets()), (vec![1, 2, 4], 4));
        assert_eq!(Script::from_file(b"abc").unwrap().octets(), 3);
    }

    #[test]
    fn raw_octets_are_one_connection_that_ends() {
        let script = Script::from_file(b"\0\0\0\x3c").unwrap();
        assert_eq!(script.stream(0), b"\0\0\0\x3c");
        assert_eq!(script.own_end(0), OwnEnd::Fin);
        assert_eq!(Script::from_file(b"").unwrap().connections(), 1);
    }
}
