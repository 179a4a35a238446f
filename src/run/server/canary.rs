//! The canary: a healthy client beside a script.
//!
//! Its round trips are what time is measured with. If the server answered it so many times and still
//! sent nothing elsewhere, the server was silent there; if it is no longer answered, the script has
//! done harm.

use crate::judge::ReplyRule;
use crate::judge::frame_log::{FrameLog, Rest};
use crate::lang::{Hole, Text, say};
use crate::model::{self, Carried, Owes, with_id};
use crate::peer::clock::patiently;
use crate::peer::connection::{connect, was_reset};
use crate::peer::door::Door;
use crate::profile::{Profile, Speaker};
use crate::run::prologue::begin;
use crate::script::OwnEnd;
use crate::script::craft::Craft;
use crate::transcript::{CANARY_DIGITS, CANARY_TEXT};
use crate::transport::Stream;
use bytes::Bytes;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

/// The most octets that are taken for one reply.
const MOST: usize = 4 << 20;

/// A client that asks one thing at a time.
#[derive(Debug)]
pub(super) struct Canary {
    /// Where it connects again once a connection has had its requests.
    door: Door,
    /// Requests on this connection so far.
    asked: u32,
    profile: Profile,
    stream: Stream,
    replies: FrameLog,
    /// Room for what comes.
    buffer: Vec<u8>,
}

/// So much is read at a time.
const READ: usize = 16 << 10;

/// Why a round trip did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    Refused(Text),
    NotBegun(Text),
    Fin,
    Rst,
    Mute(Duration),
    Unfinished(usize, Duration),
    Endless,
    Garbage(Text),
    Wrong(String),
    TooMany,
}

impl Hole for Trouble {
    fn text(&self) -> Text {
        match self {
            Self::Refused(why) => say!("could not connect: {why}", why),
            Self::NotBegun(why) => say!("did not get through the prologue: {why}", why),
            Self::Fin => say!("was closed (FIN)"),
            Self::Rst => say!("was reset (RST)"),
            Self::Mute(after) => say!(
                "got no reply within {after}",
                after = format!("{after:.1?}")
            ),
            Self::Unfinished(octets, after) => say!(
                "got {octets} octets of a reply and no end of it within {after}",
                octets,
                after = format!("{after:?}")
            ),
            Self::Endless => say!("got {octets} octets and no end of a reply", octets = MOST),
            Self::Garbage(what) => say!("got octets that are no reply ({what})", what),
            Self::Wrong(reply) => {
                say!("got a reply that answers something else: {reply}", reply)
            }
            Self::TooMany => say!("got more than one reply"),
        }
    }
}

/// All canaries count together, so that no two ask the same.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// A text unlike any other, and the frame that asks it.
pub(super) fn question(profile: &Profile) -> (String, Vec<u8>) {
    question_of(profile, |text| text)
}

/// The same with a text as long as leaves no room for padding.
pub(super) fn question_without_padding(profile: &Profile) -> (String, Vec<u8>) {
    let craft = Craft::new(profile);
    question_of(profile, |text| {
        let octets = craft.payload(&text).len();
        let whole = octets.next_multiple_of(craft.chunk());
        text + &"x".repeat(whole.saturating_sub(octets))
    })
}

/// The frame that asks about so many octets, if there may be as many.
pub(super) fn question_of_octets(profile: &Profile, octets: usize) -> Vec<u8> {
    let most = usize::try_from(profile.max_body()).unwrap_or(usize::MAX);
    let octets = octets.min(most / 2);
    let (_, frame) = question_of(profile, |text| text + &"x".repeat(octets));
    frame
}

fn question_of(profile: &Profile, fill: impl Fn(String) -> String) -> (String, Vec<u8>) {
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let text = fill(format!("{CANARY_TEXT}{asked:0CANARY_DIGITS$}"));
    let craft = Craft::new(profile);
    let frame = craft.frame(&craft.payload(&text));
    (text, with_id(profile, frame, asked.into()))
}

impl Canary {
    pub(super) async fn connect(
        door: &Door,
        profile: &Profile,
        limit: Duration,
    ) -> Result<Self, Trouble> {
        let stream = Self::begun(door, profile, limit).await?;
        let (profile, replies) = (profile.clone(), FrameLog::new(&profile.of_replies()));
        Ok(Self {
            door: door.clone(),
            asked: 0,
            profile,
            stream,
            replies,
            buffer: vec![0; READ],
        })
    }

    /// A connection on which the prologue is over.
    async fn begun(door: &Door, profile: &Profile, limit: Duration) -> Result<Stream, Trouble> {
        let stream = connect(door, limit, false).await.map_err(|error| {
            if was_reset(&error) {
                Trouble::Rst
            } else {
                Trouble::Refused(error.text())
            }
        })?;
        let begun = begin(&stream, profile, Speaker::Client, limit).await;
        begun.map_err(|why| Trouble::NotBegun(why.text()))?;
        Ok(stream)
    }

    /// Connects anew where the connection has had all the requests that it is there for.
    async fn renew(&mut self, limit: Duration) -> Result<(), Trouble> {
        let most = self.profile.requests_per_connection();
        if most.is_some_and(|most| self.asked >= most) {
            self.stream = Self::begun(&self.door, &self.profile, limit).await?;
            self.replies = FrameLog::new(&self.profile.of_replies());
            self.asked = 0;
        }
        self.asked = self.asked.saturating_add(1);
        Ok(())
    }

    /// Asks, waits for the reply, and tells how long that took.
    pub(super) async fn round_trip(
        &mut self,
        rule: &ReplyRule,
        limit: Duration,
    ) -> Result<Duration, Trouble> {
        let (_, frame) = question(&self.profile);
        let begun = Instant::now();
        let reply = self.ask(&frame, limit).await?;
        let took = begun.elapsed();
        let carried = carried(&self.profile, &frame);
        if carried.is_none_or(|carried| rule.answers(&carried, &reply)) {
            Ok(took)
        } else {
            Err(Trouble::Wrong(shown(&reply)))
        }
    }

    /// The payload of the one reply to a frame.
    pub(super) async fn ask(&mut self, frame: &[u8], limit: Duration) -> Result<Vec<u8>, Trouble> {
        self.renew(limit).await?;
        match patiently(limit, self.exchange(frame)).await {
            Some(exchanged) => exchanged,
            None => Err(match self.replies.rest() {
                Rest::Unfinished(octets) => Trouble::Unfinished(octets, limit),
                _ => Trouble::Mute(limit),
            }),
        }
    }

    async fn exchange(&mut self, frame: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.stream
            .write_all(frame)
            .await
            .map_err(|error| ended(&error))?;
        let mut room = MOST;
        loop {
            match self.replies.take_whole().as_slice() {
                [] => {}
                [reply] => return Ok(reply.payload().to_vec()),
                _ => return Err(Trouble::TooMany),
            }
            if let Rest::Malformed(fault, octets) = self.replies.rest() {
                return Err(Trouble::Garbage(say!(
                    "{fault}: {octets}",
                    fault,
                    octets = shown(&octets)
                )));
            }
            self.stream.acknowledge_at_once();
            match self.stream.read(&mut self.buffer).await {
                Ok(0) if self.stream.is_of_datagrams() => {
                    return Err(Trouble::Garbage(say!("a datagram without an octet")));
                }
                Ok(0) => return Err(Trouble::Fin),
                Ok(taken) => {
                    room = room.checked_sub(taken).ok_or(Trouble::Endless)?;
                    let came = self.buffer.get(..taken).unwrap_or_default();
                    self.replies.push(0, &Bytes::copy_from_slice(came));
                }
                Err(error) => return Err(ended(&error)),
            }
        }
    }

    /// Resets the connection.
    pub(super) fn reset(self) {
        self.stream.break_when_dropped();
    }

    /// What the server does within that time although nothing was asked.
    pub(super) async fn unasked(&mut self, wait: Duration) -> Option<Unasked> {
        let mut buffer = vec![0; 256];
        match timeout(wait, self.stream.read(&mut buffer)).await {
            Ok(Ok(0)) if self.stream.is_of_datagrams() => None,
            Ok(Ok(0)) => Some(Unasked::Ended),
            Ok(Ok(taken)) => {
                let came = buffer.get(..taken).unwrap_or_default();
                Some(Unasked::Said(came.to_vec()))
            }
            // A reset says less: a listener that is closed resets those that it has not accepted.
            _ => None,
        }
    }
}

/// What a server does that nobody has asked anything.
#[derive(Debug)]
pub(super) enum Unasked {
    /// It sends something.
    Said(Vec<u8>),
    /// It ends the connection.
    Ended,
}

fn ended(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Trouble::Fin,
        // Over UDP the system says so when something has been sent.
        io::ErrorKind::ConnectionRefused => Trouble::Refused(error.text()),
        _ => Trouble::Rst,
    }
}

/// What a frame of our own making carries.
pub(super) fn carried(profile: &Profile, frame: &[u8]) -> Option<Carried> {
    let permitted = model::permitted_for(profile, frame, OwnEnd::Open);
    match permitted.duties.into_iter().next()?.owes {
        Owes::Reply(carried) => Some(carried),
        _ => None,
    }
}

/// The beginning of some octets as text.
pub(super) fn shown(octets: &[u8]) -> String {
    let head = octets.get(..40).unwrap_or(octets);
    format!("{:?}", String::from_utf8_lossy(head))
}
