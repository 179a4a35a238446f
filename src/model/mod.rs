//! The model: what any conforming peer may answer to a script.
//!
//! It reads the octets of each connection as a whole, in the most literal way, and lists in order
//! what they make the peer owe: a server replies and closes, a client shows replies and ends. It shares no code with `wire`: a fault that both had would hide
//! itself. How the octets were cut into segments is not looked at, since it carries no meaning; only where frames are
//! carried by datagrams is each segment one, and read by itself.

mod checksums;
mod client;
mod datagrams;
mod ids;
pub mod payload;
pub mod prologue;
pub mod reader;
mod sending;
mod templates;
mod words;

pub use checksums::{checksum_in, sum, summed, summed_but};
pub use client::{Asking, Hidden, MustEnd, NoMessage, Showing, brief};
pub use datagrams::{Misfit, Unsure, one_frame};
pub use ids::{numbered, with_id};
pub use prologue::{Astray, NoSession};

use crate::lang::{Text, say};
use crate::profile::{OverLimit, Profile};
use crate::script::{Conn, OwnEnd, Script, Side};
use payload::Meaning;
use reader::{Ending, Fault, FrameAt};
use serde_json::Value;
use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::Range;
use templates::{in_template, is_from_template, unanswered};

/// Where a server's limit is not declared, bodies up to this many octets must be taken.
pub const SURE_BODY: u64 = 32 << 10;

/// Where a server's limit is not declared, bodies of this many octets and more must be refused.
pub const SURELY_TOO_LARGE: u64 = 2 << 30;

/// Octets of a text that identify it in a reply.
const TOKEN_LEN: usize = 32;

/// What a script permits on one connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Permitted {
    /// What the peer owes, in the order of the stream.
    pub duties: Vec<Duty>,
    /// What the stream leaves behind its last duty.
    pub tail: Tail,
    /// How the script ends the connection.
    pub own_end: OwnEnd,
    /// How the client comes to ask, where one is under test.
    pub asking: Option<Asking>,
    /// Why nothing on the connection is a request, where it does not begin as the profile has it.
    pub no_session: Option<NoSession>,
}

/// What a stretch of the stream makes the peer owe.
#[derive(Debug, Clone, PartialEq)]
pub struct Duty {
    /// Offset in the stream of its first octet.
    pub start: usize,
    /// The duty arises once this many octets of the stream have arrived.
    pub due: usize,
    /// The id that the frame has, where frames have one.
    pub id: Option<u64>,
    /// What is owed.
    pub owes: Owes,
}

/// The kinds of duty.
#[derive(Debug, Clone, PartialEq)]
pub enum Owes {
    /// Exactly one reply.
    Reply(Carried),
    /// No reply: it is a message of the kind that gets none.
    Nothing(Carried),
    /// One reply, or a close (after which nothing is owed), or the one and then the other.
    ReplyOrClose(Doubt),
    /// One reply to a datagram, or none.
    ReplyOrSilence(Unsure),
    /// A close, before which a server may send one last reply.
    Close(Fault),
    /// A client's: to show the text of this reply.
    Showing(Showing),
    /// A client's: to read the next reply, or to end the connection.
    ReadOnOrEnd(NoMessage),
}

/// Why a frame need not be taken for a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Doubt {
    /// Its payload is not surely one message.
    Payload,
    /// Its payload goes on behind a pad octet. What its parts alone would have meant, and what is left
    /// without the pad octets.
    Smuggled(Vec<Carried>),
    /// Its body is larger than every server must take, and no limit is declared. The message in it, if it
    /// holds one.
    Size(Option<Carried>),
    /// It begins as messages do that are owed no reply, and may be one or not: silence is in order as well.
    Unanswered,
    /// The connection is there for the requests in front of it and no more.
    Beyond,
    /// Its body is over the limit, which is answered or closed upon as the server likes.
    OverLimit,
    /// Its body is no whole number of chunks: to be closed upon; taking it is not in order.
    OddLength,
    /// It has a chunk of padding or more that it does not need: it should be taken all the same, as
    /// this.
    MorePadding(Carried),
}

/// What a message carries that its reply can be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// What the message means.
    pub meaning: Meaning,
    /// The text that the profile's template was filled with, if it was.
    filled_in: Option<String>,
}

/// What follows the last duty of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: the stream stops between frames.
    Boundary,
    /// A frame that is not complete, from that offset on.
    Inside {
        /// Offset of the frame's first octet.
        start: usize,
        /// Where in the frame the stream stops.
        place: reader::Place,
        /// Whether its header alone lets the server close: because it is malformed, or because it
        /// claims more than every server must take.
        may_close: bool,
        /// Whether its header alone is answered and its body passed over: because it is over the limit, and the
        /// profile has that so.
        may_answer: bool,
    },
    /// Octets that nobody reads, since the connection is to be closed.
    Void,
    /// Nothing: there is no stream, and each datagram was whole.
    Apart,
}

impl Permitted {
    /// What is permitted, one line for each thing owed and one for the end. Neighbours of which the
    /// same is owed share a line.
    #[must_use]
    pub fn lines(&self) -> Vec<Text> {
        let asked = self.asking.as_ref().and_then(|_| self.requests_line());
        let runs = self.duties.chunk_by(|one, next| one.owed() == next.owed());
        let owed = runs.filter_map(words::line);
        asked
            .into_iter()
            .chain(owed)
            .chain(self.end_line())
            .collect()
    }

    fn end_line(&self) -> Option<Text> {
        if let Some(NoSession { why, .. }) = &self.no_session {
            return Some(match self.own_end {
                OwnEnd::Fin => say!(
                    "{why}: nothing is a request; a close, at the end of the stream at the latest",
                    why
                ),
                OwnEnd::Open | OwnEnd::Rst if why.is_seen() => {
                    say!(
                        "{why}: nothing is a request; a close, or an error in any words",
                        why
                    )
                }
                OwnEnd::Open | OwnEnd::Rst => say!("{why}: nothing is a request", why),
            });
        }
        if self.asking.is_some() {
            let why = self.must_end()?.why;
            return Some(say!("then it ends the connection, or itself: {why}", why));
        }
        let place = match self.tail {
            Tail::Boundary => say!("between frames"),
            Tail::Inside { start, .. } => say!("inside the frame at octet {start}", start),
            Tail::Apart => return Some(say!("then: silence")),
            Tail::Void => return None,
        };
        match self.own_end {
            OwnEnd::Fin => Some(say!(
                "at the end of the stream, {place}: a close, no reply",
                place
            )),
            OwnEnd::Rst => Some(say!("at the reset, {place}: nothing", place)),
            OwnEnd::Open => Some(say!("then, {place}: silence, and no close", place)),
        }
    }
}

impl Duty {
    /// What is owed, in words.
    fn owed(&self) -> Text {
        match &self.owes {
            Owes::Reply(_) => say!("exactly one reply"),
            Owes::Nothing(_) => say!("no reply"),
            Owes::ReplyOrClose(doubt @ Doubt::Unanswered) => {
                say!("{doubt}: one reply, a close, or nothing", doubt)
            }
            Owes::ReplyOrClose(doubt) => say!("{doubt}: one reply or a close", doubt),
            Owes::ReplyOrSilence(unsure) => say!("{unsure}: one reply or silence", unsure),
            Owes::Close(fault) => say!("{fault}: a close, before it at most one reply", fault),
            Owes::Showing(showing) => showing.owed(),
            Owes::ReadOnOrEnd(no_message) => no_message.owed(),
        }
    }
}

/// What the script permits, connection by connection.
#[must_use]
pub fn permitted(profile: &Profile, script: &Script) -> Vec<Permitted> {
    if script.side() == Side::Server {
        let (profile, conns) = (profile.of_replies(), 0..script.connections());
        return conns.map(|_| client::permitted(&profile, script)).collect();
    }
    if profile.carriage().is_datagrams() {
        return datagrams::permitted(profile, script);
    }
    let streams = script.streams().into_iter().enumerate();
    streams
        .map(|(conn, stream)| permitted_on(profile, script, conn, &stream))
        .collect()
}

/// What a connection permits: nothing but its end, where it does not begin as the profile has it.
fn permitted_on(profile: &Profile, script: &Script, conn: Conn, stream: &[u8]) -> Permitted {
    let own_end = script.own_end(conn);
    let opening = script.opening(conn);
    match opening.and_then(|opening| prologue::no_session(profile, opening, stream)) {
        None => permitted_for(profile, stream, own_end),
        no_session => Permitted {
            duties: Vec::new(),
            tail: Tail::Void,
            own_end,
            asking: None,
            no_session,
        },
    }
}

/// What a stream and its end permit.
#[must_use]
pub fn permitted_for(profile: &Profile, stream: &[u8], own_end: OwnEnd) -> Permitted {
    let mut duties = Vec::new();
    let tail = read_on(profile, stream, 0, &mut duties);
    beyond(profile, &mut duties);
    Permitted {
        duties,
        tail,
        own_end,
        asking: None,
        no_session: None,
    }
}

/// Behind the last request that a connection is there for, no reply is owed any more.
fn beyond(profile: &Profile, duties: &mut [Duty]) {
    let most = profile.requests_per_connection().unwrap_or(u32::MAX);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for duty in duties.iter_mut().skip(most) {
        if matches!(duty.owes, Owes::Reply(_) | Owes::ReplyOrClose(_)) {
            duty.owes = Owes::ReplyOrClose(Doubt::Beyond);
        }
    }
}

/// Reads from `base` on; past a frame of odd length it goes on as a server would that took it.
fn read_on(profile: &Profile, stream: &[u8], mut base: usize, duties: &mut Vec<Duty>) -> Tail {
    let limit = most_body(profile);
    loop {
        let rest = stream.get(base..).unwrap_or_default();
        let reading = reader::read_with_limit(profile, rest, u128::from(limit));
        duties.extend(reading.frames.iter().map(|frame| Duty {
            start: base.saturating_add(frame.start),
            due: base.saturating_add(frame.end),
            id: id_of(profile, rest, frame.start..frame.body.start),
            owes: frame_owes(profile, rest, frame),
        }));
        match behind_frames(profile, stream, base, reading.ending, duties) {
            Continue(next) => base = next,
            Break(tail) => return tail,
        }
    }
}

/// The largest body that may be taken.
fn most_body(profile: &Profile) -> u64 {
    let most = SURELY_TOO_LARGE.saturating_sub(1);
    profile.declared_max_body().unwrap_or(most)
}

/// What is behind the whole frames that were read from `base` on, or where reading goes on.
fn behind_frames(
    profile: &Profile,
    stream: &[u8],
    base: usize,
    ending: Ending,
    duties: &mut Vec<Duty>,
) -> ControlFlow<Tail, usize> {
    match ending {
        Ending::Boundary => Break(Tail::Boundary),
        Ending::Inside { start, place, .. } => {
            let start = base.saturating_add(start);
            let frame = stream.get(start..).unwrap_or_default();
            let may_close = may_be_too_large(profile, frame);
            Break(Tail::Inside {
                start,
                place,
                may_close,
                may_answer: false,
            })
        }
        Ending::Malformed {
            start, end, fault, ..
        } => {
            let header = base.saturating_add(start)..base.saturating_add(end);
            let id = id_of(profile, stream, header.clone());
            behind_malformed(profile, stream, header, (fault, id), duties)
        }
    }
}

/// Behind a header that no frame can have nothing is read, unless its body may be taken or passed over all the same: then
/// the next frame may begin behind that. Of a header that breaks off a server need not have seen yet what is wrong with it.
fn behind_malformed(
    profile: &Profile,
    stream: &[u8],
    header: Range<usize>,
    (fault, id): (Fault, Option<u64>),
    duties: &mut Vec<Duty>,
) -> ControlFlow<Tail, usize> {
    let start = header.start;
    if header.end > stream.len() {
        let place = match fault {
            Fault::Index { .. } => reader::Place::Body,
            _ => reader::Place::Header,
        };
        return Break(Tail::Inside {
            start,
            place,
            may_close: true,
            may_answer: false,
        });
    }
    let Some((rest, doubt)) = taken_or_passed_over(profile, &fault) else {
        duties.push(Duty {
            start,
            due: header.end,
            id: None,
            owes: Owes::Close(fault),
        });
        return Break(Tail::Void);
    };
    let end = header.end.checked_add(rest);
    let Some(due) = end.filter(|end| *end <= stream.len()) else {
        return Break(Tail::Inside {
            start,
            place: reader::Place::Body,
            may_close: true,
            may_answer: doubt == Doubt::OverLimit,
        });
    };
    let owes = Owes::ReplyOrClose(doubt);
    duties.push(Duty {
        start,
        due,
        id,
        owes,
    });
    Continue(due)
}

/// Whether a frame claims a body larger than every server must take, where no limit is declared.
fn may_be_too_large(profile: &Profile, frame: &[u8]) -> bool {
    let ending = reader::read_with_limit(profile, frame, SURE_BODY.into()).ending;
    let over = |fault| matches!(fault, Fault::OverLimit { .. });
    profile.declared_max_body().is_none()
        && matches!(ending, Ending::Malformed { fault, .. } if over(fault))
}

/// Octets behind such a header that a server may take for a body, or pass over: a body that is no whole number of chunks, where
/// nothing stands in bodies or behind them and no checksum is made of them; one over the limit, where the profile has it answered.
fn taken_or_passed_over(profile: &Profile, fault: &Fault) -> Option<(usize, Doubt)> {
    let octets = |body: &u128| usize::try_from(*body).ok();
    let trailer = profile.trailer().len();
    let has_more = profile.checksum().is_some() || profile.index().is_some();
    let is_plain = trailer == 0 && !has_more;
    match fault {
        Fault::NotWholeChunks { body, .. } if is_plain => Some((octets(body)?, Doubt::OddLength)),
        Fault::OverLimit { body, .. } if profile.over_limit() == OverLimit::Answered => {
            let rest = octets(body).and_then(|body| body.checked_add(trailer));
            // What no memory holds is never there.
            Some((rest.unwrap_or(usize::MAX), Doubt::OverLimit))
        }
        _ => None,
    }
}

/// The id in the header that lies there.
fn id_of(profile: &Profile, octets: &[u8], header: Range<usize>) -> Option<u64> {
    reader::id_in(profile, octets.get(header)?)
}

/// What is owed for a whole frame within these octets.
fn frame_owes(profile: &Profile, octets: &[u8], frame: &FrameAt) -> Owes {
    let body = frame.content_len;
    let payload = frame.payload(octets);
    let payload = payload.as_ref();
    if let Some(owes) = unanswered(profile, body, payload) {
        return owes;
    }
    // Nothing at all is no message, not even where any octets are one.
    let meaning = payload::meaning(profile, payload).filter(|_| !payload.is_empty());
    // Where requests are made from a template, all else may be one or not.
    let meaning = meaning.filter(|_| is_from_template(profile, payload));
    let carries = meaning.map(|meaning| carried(profile, payload, meaning));
    let undeclared = profile.declared_max_body().is_none();
    if undeclared && u64::try_from(body).is_ok_and(|body| body > SURE_BODY) {
        return Owes::ReplyOrClose(Doubt::Size(carries));
    }
    if let Some(carried) = carries {
        return if has_more_padding(profile, body, payload.len()) {
            Owes::ReplyOrClose(Doubt::MorePadding(carried))
        } else {
            Owes::Reply(carried)
        };
    }
    let parts = smuggled(profile, payload);
    if parts.is_empty() {
        Owes::ReplyOrClose(Doubt::Payload)
    } else {
        Owes::ReplyOrClose(Doubt::Smuggled(parts))
    }
}

fn has_more_padding(profile: &Profile, body: usize, payload: usize) -> bool {
    let padding = u64::try_from(body.saturating_sub(payload)).unwrap_or(u64::MAX);
    profile.chunk() > 1 && padding >= u64::from(profile.chunk())
}

/// The messages that a payload would be if it were cut at its pad octets, or if those were taken out.
/// Pad octets at an end cut nothing, be there white space among them: who strips both ends of a body still
/// sees all of it.
fn smuggled(profile: &Profile, payload: &[u8]) -> Vec<Carried> {
    let is_inner = |octet: &u8| *octet != profile.pad() && !octet.is_ascii_whitespace();
    let first = payload.iter().position(is_inner);
    let last = payload.iter().rposition(is_inner);
    let inner = first
        .zip(last)
        .and_then(|(first, last)| payload.get(first..=last));
    let payload = inner.unwrap_or_default();
    let parts = payload.split(|octet| *octet == profile.pad());
    let parts = parts.filter(|part| !part.is_empty());
    let joined = parts.clone().flatten().copied().collect::<Vec<u8>>();
    // A reader that takes other encodings sees just that in it.
    let joined = Some(joined.as_slice()).filter(|_| !is_wide(payload));
    parts
        .chain(joined)
        .filter(|part| part.len() < payload.len())
        .filter_map(|part| Some(carried(profile, part, payload::meaning(profile, part)?)))
        .collect()
}

/// Whether octets are ASCII in UTF-16 or UTF-32 as far as they go: one in two or four is there, and the others are zero.
fn is_wide(octets: &[u8]) -> bool {
    [2, 4].into_iter().any(|width| {
        let is_kept = |at: usize| at.checked_rem(width) == Some(0);
        let mut octets = octets.iter().enumerate();
        octets.all(|(at, octet)| is_kept(at) != (*octet == 0))
    })
}

fn carried(profile: &Profile, payload: &[u8], meaning: Meaning) -> Carried {
    Carried {
        filled_in: in_template(profile, payload),
        meaning,
    }
}

fn longest_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()),
        Value::Array(items) => items
            .iter()
            .filter_map(longest_text)
            .max_by_key(|t| t.len()),
        Value::Object(members) => members
            .values()
            .filter_map(longest_text)
            .max_by_key(|text| text.len()),
        _ => None,
    }
}

impl From<Meaning> for Carried {
    /// A message without a template.
    fn from(meaning: Meaning) -> Self {
        Self {
            meaning,
            filled_in: None,
        }
    }
}

impl Carried {
    /// The text in it, if it has one: what a template was filled with, else the longest there is.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let filled_in = self.filled_in.as_deref();
        filled_in.or_else(|| match &self.meaning {
            Meaning::Json(value) => longest_text(value),
            Meaning::Octets(octets) => std::str::from_utf8(octets).ok(),
        })
    }

    /// The part of the text that tells this message from any other: its first plain octets.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        let text = self.text()?;
        let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
        let end = text.bytes().take(TOKEN_LEN).take_while(plain).count();
        text.get(..end).filter(|token| !token.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn who_strips_both_ends_is_not_fooled() {
        let profile = Profile::from_toml("name = 'p'\nlength.width = 4\n").unwrap();
        let parts = |payload: &[u8]| smuggled(&profile, payload).len();
        for stripped in [&b"\0 1"[..], b"1\0 ", b"\n\0\"\"\0\n", b"\0\0", b" "] {
            assert_eq!(parts(stripped), 0, "{stripped:?}");
        }
        assert!(parts(b"1\x002") > 0 && parts(b"1\0x ") > 0);
    }

    #[test]
    fn who_reads_utf_16_takes_nothing_out() {
        let profile = Profile::from_toml("name = 'p'\nlength.width = 4\n").unwrap();
        let parts = |payload: &[u8]| smuggled(&profile, payload).len();
        for wide in [&b"\0{\0}"[..], b"{\0}", b"{\0\0\0}", b"\0\0\0[\0\0\0]"] {
            assert_eq!(parts(wide), 0, "{wide:?}");
        }
        for narrow in [&b"[1\0]"[..], b"{\0\0}", b"\"a\0\0\0b\""] {
            assert!(parts(narrow) > 0, "{narrow:?}");
        }
    }

    #[test]
    fn nothing_at_all_is_no_message_whatever_payloads_are() {
        for payload in ["json", "utf-8", "opaque"] {
            let text = format!("name = \"p\"\nlength.width = 4\nbody.payload = \"{payload}\"");
            let profile = Profile::from_toml(&text).unwrap();
            let owed = |stream: &[u8]| {
                let permitted = permitted_for(&profile, stream, OwnEnd::Open);
                permitted.duties.into_iter().map(|duty| duty.owes).next()
            };
            let empty = owed(b"\0\0\0\0");
            assert_eq!(empty, Some(Owes::ReplyOrClose(Doubt::Payload)), "{payload}");
            assert!(matches!(owed(b"\0\0\0\x017"), Some(Owes::Reply(_))));
        }
    }
}
