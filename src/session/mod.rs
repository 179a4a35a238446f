//! The server's side of one connection, without the connection.
//!
//! A [`Session`] is told what happens (`handle_…`: octets came, octets went, the client ended its
//! stream, time passed) and asked what to do (`poll_…`: a request to be answered, octets to be sent, a
//! moment to be woken at, the end). It does no I/O and reads no clock, so that a test, a fuzzer or
//! another runtime drives it as well as the server does.
//!
//! It holds a bounded amount whatever the client does: of octets received at most one frame and what
//! one read brought, of octets to be sent [`Limits::max_unsent`] and one reply. While more than that is
//! unsent, it takes no request and wants no input.
//!
//! ```
//! use framespec::{profile::Profile, session::{End, Limits, Reply, Session}};
//! use std::time::Instant;
//!
//! let now = Instant::now();
//! let mut session = Session::new(&Profile::chunk_count(), Limits::default(), now);
//! session.handle_input(b"\x01\0\0\0[1]\0", now);
//! while let Some(request) = session.poll_request() {
//!     session.handle_reply(match request {
//!         Ok(message) => Reply::from(message),
//!         Err(why) => Reply::undecodable(&why),
//!     });
//! }
//! assert_eq!(session.poll_output(), b"\x01\0\0\0[1]\0");
//! session.handle_sent(8, now);
//! session.handle_eof(now);
//! assert!(session.poll_request().is_none());
//! assert_eq!(session.poll_end(), Some(End::Closed));
//! ```

mod reply;
#[cfg(test)]
mod tests;

pub use reply::Reply;

use crate::message::{Message, Undecodable};
use crate::profile::{Payload, Profile, Template};
use crate::wire::{DecodeError, Decoder, EncodeError, Encoder};
use bytes::{Buf, BytesMut};
use std::fmt;
use std::time::{Duration, Instant};

/// A request: a message, or why its payload is none.
pub type Request = Result<Message, Undecodable>;

/// Limits on one connection. The limit on bodies is the profile's.
///
/// More of them may be added, so a literal ends in `..Limits::default()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of replies that may be unsent before no further request is taken.
    pub max_unsent: usize,
    /// How long a frame may take from its first octet to its last; `None` for ever. The octets in
    /// between do not renew it.
    pub frame_deadline: Option<Duration>,
    /// How long a client may leave unsent replies where they are; `None` for ever. It is renewed
    /// whenever [`WRITE_PROGRESS`] octets or all of them went.
    pub write_deadline: Option<Duration>,
}

/// See [`Limits::write_deadline`].
pub const WRITE_PROGRESS: usize = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_unsent: 256 << 10,
            frame_deadline: Some(Duration::from_secs(30)),
            write_deadline: Some(Duration::from_secs(30)),
        }
    }
}

/// How a connection comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The client ended its stream between two frames.
    Closed,
    /// The client ended its stream inside a frame.
    Truncated(DecodeError),
    /// A header was malformed.
    Malformed(DecodeError),
    /// A frame was not finished in time.
    Late,
    /// The client did not take its replies in time. What is unsent will not be sent.
    Stuck,
    /// A handler asked for it, or had a reply that no frame can hold.
    Asked,
    /// The server is going down.
    Drained,
}

impl End {
    /// Whether the client may still be sending, so that the receiving side should be emptied for a
    /// while after a FIN: closing it at once would make a reset, which can destroy the last replies.
    #[must_use]
    pub fn may_be_sending(self) -> bool {
        matches!(
            self,
            Self::Malformed(_) | Self::Late | Self::Asked | Self::Drained
        )
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the client"),
            Self::Truncated(error) | Self::Malformed(error) => error.fmt(f),
            Self::Late => f.write_str("a frame was not finished in time"),
            Self::Stuck => f.write_str("the client did not take its replies in time"),
            Self::Asked => f.write_str("closed by the handler"),
            Self::Drained => f.write_str("the server goes down"),
        }
    }
}

/// What is known of the client's stream beyond the octets received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// It goes on.
    Open,
    /// No more will be read; whole frames that are here are still answered.
    Ending(Last),
    /// Nothing of it is of interest any more.
    Over(End),
}

/// Why no more will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Eof,
    Shutdown,
}

/// A stretch of time that must not become too long, and what was counted in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Since {
    start: Instant,
    count: u64,
}

/// The state of one connection. See the [module](self).
///
/// A clone of a new one begins another connection, and shares what is known of the profile: a server that has
/// thousands of sessions works it out once.
#[derive(Debug, Clone)]
pub struct Session {
    decoder: Decoder,
    encoder: Encoder,
    /// That of the last frame of a reply, where a reply may be several.
    last: Option<Encoder>,
    payload: Payload,
    /// What messages are made from that are owed no reply, and whether the request that was polled last is one.
    unanswered: (Option<Template>, bool),
    /// Requests that may still be taken, if there is an end of them.
    left: Option<u32>,
    limits: Limits,
    received: BytesMut,
    unsent: BytesMut,
    /// Whether it has been lent what these are kept in.
    has_room: bool,
    stream: Stream,
    asked: bool,
    /// The id of the request that was polled last, where frames have one.
    id: u64,
    now: Instant,
    /// The unfinished frame: since when, and which one.
    unfinished: Option<Since>,
    /// The unsent replies: since when, and how many octets went since.
    waiting: Option<Since>,
}

/// Memory for octets received and octets to be sent, which a server lends to the sessions that have some just now.
///
/// So sessions that have none hold none, and those that take turns use the same memory, which is in the processor's
/// caches then.
#[derive(Debug, Default)]
pub struct Room {
    /// What is not on loan. What came back last is lent first.
    spare: Vec<BytesMut>,
}

/// Buffers that wait for the next session, at most: what one needs, and some whose replies are to be sent.
const MOST_SPARE: usize = 66;

impl Room {
    /// Instead of what nothing is kept in.
    fn lend(&mut self, buffer: &mut BytesMut) {
        if buffer.is_empty()
            && let Some(spare) = self.spare.pop()
        {
            *buffer = spare;
        }
    }

    fn take_back(&mut self, buffer: &mut BytesMut) {
        if buffer.is_empty() {
            let spare = std::mem::take(buffer);
            if self.spare.len() < MOST_SPARE {
                self.spare.push(spare);
            }
        }
    }
}

/// Buffers that have grown beyond this are given back once they are empty.
const KEPT_BUFFER: usize = 16 << 10;

/// The same of those that are lent, of which there are few.
const KEPT_ROOM: usize = 256 << 10;

impl Session {
    /// A session at the beginning of a connection.
    #[must_use]
    pub fn new(profile: &Profile, limits: Limits, now: Instant) -> Self {
        Self {
            decoder: Decoder::new(profile),
            encoder: Encoder::new(&profile.of_replies()),
            last: profile.of_last_frames().map(|last| Encoder::new(&last)),
            payload: profile.payload(),
            unanswered: (profile.unanswered().cloned(), false),
            left: profile.requests_per_connection(),
            limits,
            received: BytesMut::new(),
            unsent: BytesMut::new(),
            has_room: false,
            stream: Stream::Open,
            asked: false,
            id: 0,
            now,
            unfinished: None,
            waiting: None,
        }
    }

    /// Whether octets from the client are welcome now.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.stream == Stream::Open && !self.is_full()
    }

    /// Where octets from the client may be put directly; tell of them by [`handle_read`](Self::handle_read).
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// Takes memory on loan. Without it a session has memory of its own.
    pub fn take_room(&mut self, room: &mut Room) {
        if !std::mem::replace(&mut self.has_room, true) {
            room.lend(&mut self.received);
            room.lend(&mut self.unsent);
        }
    }

    /// Gives back memory that it was lent, as far as nothing is kept in it any more.
    pub fn give_room_back(&mut self, room: &mut Room) {
        if std::mem::take(&mut self.has_room) {
            room.take_back(&mut self.received);
            room.take_back(&mut self.unsent);
        }
    }

    /// Octets have been put into [`input`](Self::input).
    pub fn handle_read(&mut self, now: Instant) {
        self.now = now;
    }

    /// Octets came from the client.
    pub fn handle_input(&mut self, octets: &[u8], now: Instant) {
        self.received.extend_from_slice(octets);
        self.handle_read(now);
    }

    /// The client has ended its stream.
    pub fn handle_eof(&mut self, now: Instant) {
        self.handle_last(Last::Eof, now);
    }

    /// The server is going down: requests that are here whole are still answered, and no more is read.
    pub fn handle_shutdown(&mut self, now: Instant) {
        self.handle_last(Last::Shutdown, now);
    }

    fn handle_last(&mut self, last: Last, now: Instant) {
        self.now = now;
        if self.stream == Stream::Open {
            self.stream = Stream::Ending(last);
        }
    }

    /// The next request, if one is here whole, no other waits for its reply, and there is room for one.
    ///
    /// Ask again after every reply, until there is none: the end of the stream is noticed here.
    pub fn poll_request(&mut self) -> Option<Request> {
        if self.asked || self.is_full() || matches!(self.stream, Stream::Over(_)) {
            return None;
        }
        match self.decoder.decode(&mut self.received) {
            Ok(Some(frame)) => {
                self.asked = true;
                self.id = self.decoder.id_of(&frame).unwrap_or_default();
                self.unfinished = None;
                let request = Message::read(self.payload, frame.into_payload());
                self.unanswered.1 = self.is_unanswered(&request);
                Some(request)
            }
            Ok(None) => {
                self.handle_no_frame();
                None
            }
            Err(error) => {
                self.end_stream(End::Malformed(error));
                None
            }
        }
    }

    fn is_unanswered(&self, request: &Request) -> bool {
        let payload = request.as_ref().map(Message::payload).ok();
        let template = self.unanswered.0.as_ref();
        let made = template.zip(payload);
        made.is_some_and(|(template, payload)| template.text_in(payload).is_some())
    }

    /// What is here is less than a frame.
    fn handle_no_frame(&mut self) {
        match self.stream {
            Stream::Ending(last) => {
                let end = match (last, self.decoder.finish(&self.received)) {
                    (Last::Shutdown, _) => End::Drained,
                    (Last::Eof, Ok(())) => End::Closed,
                    (Last::Eof, Err(error)) => End::Truncated(error),
                };
                self.end_stream(end);
            }
            Stream::Open if self.received.is_empty() => {
                self.unfinished = None;
                give_back(&mut self.received, self.has_room);
            }
            Stream::Open => self.note_unfinished(),
            Stream::Over(_) => {}
        }
    }

    /// The time of a frame runs from its first octet, and only anew for another frame.
    fn note_unfinished(&mut self) {
        let frame = self.decoder.offset();
        if self.unfinished.is_none_or(|since| since.count != frame) {
            self.unfinished = Some(Since {
                start: self.now,
                count: frame,
            });
        }
    }

    fn end_stream(&mut self, end: End) {
        self.stream = Stream::Over(end);
        self.received = BytesMut::new();
        self.unfinished = None;
    }

    /// The reply to the request that was polled last. Without such a request it does nothing: no reply
    /// is ever sent that was not asked for, nor one to a client that has been given up meanwhile.
    ///
    /// A reply that no frame of the profile can hold becomes an error reply. One to a message that is owed none is not sent,
    /// whatever it is but [`Reply::Close`].
    pub fn handle_reply(&mut self, reply: Reply) {
        if !std::mem::take(&mut self.asked) || self.stream == Stream::Over(End::Stuck) {
            return;
        }
        let sent = self.encode(reply).or_else(|error| {
            let excuse = format!("the reply cannot be sent: {error}");
            self.encode(Reply::error(&excuse))
        });
        self.left = self.left.map(|left| left.saturating_sub(1));
        if sent.is_err() || self.left == Some(0) {
            self.end_stream(End::Asked);
        }
        if self.waiting.is_none() && !self.unsent.is_empty() {
            self.waiting = Some(Since {
                start: self.now,
                count: 0,
            });
        }
    }

    fn encode(&mut self, reply: Reply) -> Result<(), EncodeError> {
        let message = match reply {
            Reply::Message(_) | Reply::Text(_) if self.unanswered.1 => return Ok(()),
            Reply::Message(message) => message,
            Reply::Text(text) => Message::from_text(self.payload, &text),
            Reply::Nothing => return Ok(()),
            Reply::Close => {
                self.end_stream(End::Asked);
                return Ok(());
            }
        };
        let payload = message.payload();
        self.encoder
            .encode_with_id(payload, self.id, &mut self.unsent)?;
        let last = self.last.as_ref();
        last.map_or(Ok(()), |last| last.encode(b"", &mut self.unsent))
    }

    fn is_full(&self) -> bool {
        self.unsent.len() >= self.limits.max_unsent.max(1)
    }

    /// Octets to be sent; tell of those that went by [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn poll_output(&self) -> &[u8] {
        &self.unsent
    }

    /// So many octets of [`poll_output`](Self::poll_output) have gone.
    pub fn handle_sent(&mut self, octets: usize, now: Instant) {
        self.now = now;
        self.unsent.advance(octets.min(self.unsent.len()));
        if self.unsent.is_empty() {
            self.waiting = None;
            give_back(&mut self.unsent, self.has_room);
        } else if let Some(waiting) = &mut self.waiting {
            waiting.count = waiting.count.saturating_add(octets as u64);
            if waiting.count >= WRITE_PROGRESS as u64 {
                *waiting = Since {
                    start: now,
                    count: 0,
                };
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let frame = self.frame_deadline();
        let write = self.write_deadline();
        frame.into_iter().chain(write).min()
    }

    /// A client whose replies are stuck is not blamed for a frame that is not read.
    fn frame_deadline(&self) -> Option<Instant> {
        let since = self.unfinished.filter(|_| self.wants_input())?;
        since.start.checked_add(self.limits.frame_deadline?)
    }

    fn write_deadline(&self) -> Option<Instant> {
        self.waiting?.start.checked_add(self.limits.write_deadline?)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self
            .write_deadline()
            .is_some_and(|deadline| now >= deadline)
        {
            self.unsent = BytesMut::new();
            self.waiting = None;
            self.end_stream(End::Stuck);
        } else if self
            .frame_deadline()
            .is_some_and(|deadline| now >= deadline)
        {
            self.end_stream(End::Late);
        }
    }

    /// How the connection ends, once it is time to close it: nothing is left to be answered or sent.
    #[must_use]
    pub fn poll_end(&self) -> Option<End> {
        match self.stream {
            Stream::Over(end) if !self.asked && self.unsent.is_empty() => Some(end),
            _ => None,
        }
    }
}

/// Lets go of a large buffer that is empty.
fn give_back(buffer: &mut BytesMut, is_lent: bool) {
    let kept = if is_lent { KEPT_ROOM } else { KEPT_BUFFER };
    if buffer.try_reclaim(kept.saturating_add(1)) {
        *buffer = BytesMut::new();
    }
}
