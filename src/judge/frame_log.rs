//! The peer's side of a connection, read as frames: which replies came, when, and what came after.

mod pending;

use crate::model::reader::{self, Ending, Fault, FrameAt, Reading};
use crate::model::{Misfit, one_frame};
use crate::profile::Profile;
use crate::script::Conn;
use crate::transcript::{Seen, Transcript};
use bytes::{Bytes, BytesMut};
use pending::Pending;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

/// The most frames that are kept beyond those that are asked for. Of a flood of empty frames each would take more room
/// here than on the wire.
pub(crate) const MOST_UNASKED: usize = 1 << 16;

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedFrame {
    /// Place in the transcript of the entry that brought its first octet.
    pub first_entry: usize,
    /// Its header.
    pub header: Bytes,
    /// Octets of the whole frame.
    pub len: usize,
    /// Its payload and padding.
    pub body: Bytes,
    /// Octets of the body that are payload.
    pub payload_len: usize,
}

impl LoggedFrame {
    /// Its payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.body.get(..self.payload_len).unwrap_or_default()
    }

    /// Octets of padding.
    #[must_use]
    pub fn padding_len(&self) -> usize {
        self.body.len().saturating_sub(self.payload_len)
    }
}

/// What has come of a reply of several frames.
#[derive(Debug, Clone)]
struct Part {
    /// Its first frame.
    first: LoggedFrame,
    /// What all of them hold.
    payload: BytesMut,
    /// The most padding that one of them has.
    padding: Bytes,
    len: usize,
}

impl Part {
    fn new(first: LoggedFrame) -> Self {
        let mut part = Self {
            payload: BytesMut::new(),
            padding: Bytes::new(),
            len: 0,
            first: first.clone(),
        };
        part.take(&first);
        part
    }

    fn take(&mut self, frame: &LoggedFrame) {
        self.payload.extend_from_slice(frame.payload());
        self.len = self.len.saturating_add(frame.len);
        if frame.padding_len() > self.padding.len() {
            self.padding = frame.body.slice(frame.payload_len..);
        }
    }

    /// All of it as one frame.
    fn into_whole(mut self) -> LoggedFrame {
        let payload_len = self.payload.len();
        self.payload.extend_from_slice(&self.padding);
        LoggedFrame {
            len: self.len,
            body: self.payload.freeze(),
            payload_len,
            ..self.first
        }
    }
}

/// What stands behind the last whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// This many octets of a reply that is not complete.
    Unfinished(usize),
    /// Octets that no reply of the profile begins with; of many, the first.
    Malformed(Fault, Vec<u8>),
}

/// Takes octets as they come and keeps the replies in them.
#[derive(Debug, Clone)]
pub struct FrameLog {
    profile: Profile,
    whole: Vec<LoggedFrame>,
    /// How many of them are kept; the others are only counted.
    most: usize,
    count: usize,
    /// What has come of a reply of which the last frame is still to come.
    part: Option<Part>,
    pending: Pending,
    /// For each stretch of what is pending, the entry that brought it and how many octets it has left.
    origins: VecDeque<(usize, usize)>,
    fault: Option<Fault>,
}

impl FrameLog {
    /// Before anything has come.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self::asked(profile, 0)
    }

    /// Before anything has come of what was asked for: so many frames are kept in any case.
    #[must_use]
    pub fn asked(profile: &Profile, frames: usize) -> Self {
        Self::keeping(profile, frames.saturating_add(MOST_UNASKED))
    }

    /// One that counts frames and keeps none.
    #[must_use]
    pub fn counting(profile: &Profile) -> Self {
        Self::keeping(profile, 0)
    }

    fn keeping(profile: &Profile, most: usize) -> Self {
        Self {
            profile: profile.clone(),
            whole: Vec::new(),
            most,
            count: 0,
            part: None,
            pending: Pending::default(),
            origins: VecDeque::new(),
            fault: None,
        }
    }

    /// The whole replies on one connection of a transcript.
    #[must_use]
    pub fn of(profile: &Profile, transcript: &Transcript, conn: Conn) -> Vec<LoggedFrame> {
        let mut replies = Self::new(&profile.of_replies());
        for (index, entry) in transcript.of(conn) {
            if let Seen::Received(octets) = &entry.seen {
                replies.push(index, octets);
            }
        }
        replies.into_whole()
    }

    /// Takes the octets that the entry at `index` of the transcript brought. Frames that are whole in them are not
    /// copied, and of one that is not nothing is before its last octet is there.
    pub fn push(&mut self, index: usize, octets: &Bytes) {
        self.origins.push_back((index, octets.len()));
        if self.fault.is_none() && self.pending.is_empty() {
            let taken = self.read(octets);
            let rest = octets.slice(taken.min(octets.len())..);
            self.pending
                .want(reader::least_to_read(&self.profile, &rest));
            return self.pending.push(rest);
        }
        self.pending.push(octets.clone());
        if self.fault.is_none() && self.pending.are_enough() {
            self.read_pending();
        }
    }

    fn read_pending(&mut self) {
        let reading = reader::read_with_limit(&self.profile, self.pending.joined(), u128::MAX);
        let end = reading.frames.last().map_or(0, |frame| frame.end);
        let octets = self.pending.split_to(end);
        self.take(&octets, &reading);
        let wanted = reader::least_to_read(&self.profile, self.pending.joined());
        self.pending.want(wanted);
    }

    /// Reads frames at the front of octets; how many those have.
    fn read(&mut self, octets: &Bytes) -> usize {
        let reading = reader::read_with_limit(&self.profile, octets, u128::MAX);
        self.take(octets, &reading);
        reading.frames.last().map_or(0, |frame| frame.end)
    }

    /// Frames have no limit of their own: what is kept of them is bounded by the run.
    fn take(&mut self, octets: &Bytes, reading: &Reading) {
        for frame in &reading.frames {
            let first_entry = self.take_origin(frame.end.saturating_sub(frame.start));
            if self.profile.has_long_replies() {
                self.take_part(logged(octets, frame, first_entry));
                continue;
            }
            self.count = self.count.saturating_add(1);
            if self.count <= self.most {
                self.whole.push(logged(octets, frame, first_entry));
            }
        }
        if let Ending::Malformed { fault, .. } = reading.ending {
            self.fault = Some(fault);
        }
    }

    /// Takes a frame of a reply of several, and keeps the reply once its last is there.
    fn take_part(&mut self, frame: LoggedFrame) {
        let is_last = self.profile.ends_reply(&frame.header);
        let reply = match (self.part.take(), is_last) {
            (None, true) => frame,
            (None, false) => {
                self.part = Some(Part::new(frame));
                return;
            }
            (Some(mut part), _) => {
                part.take(&frame);
                if !is_last {
                    self.part = Some(part);
                    return;
                }
                part.into_whole()
            }
        };
        self.count = self.count.saturating_add(1);
        if self.count <= self.most {
            self.whole.push(reply);
        }
    }

    /// Takes `octets` off the front and says which entry brought the first of them.
    fn take_origin(&mut self, mut octets: usize) -> usize {
        let first = self.origins.front().map_or(0, |(index, _)| *index);
        while let Some((_, left)) = self.origins.front_mut() {
            if *left > octets {
                *left = left.saturating_sub(octets);
                break;
            }
            octets = octets.saturating_sub(*left);
            self.origins.pop_front();
        }
        first
    }

    /// How many whole replies there were, kept or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether something stands behind them.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        self.fault.is_some() || self.part.is_some() || !self.pending.is_empty()
    }

    /// The whole replies so far, as far as they are kept; from now on they are counted anew.
    pub fn take_whole(&mut self) -> Vec<LoggedFrame> {
        self.count = 0;
        std::mem::take(&mut self.whole)
    }

    /// The whole replies, as far as they are kept, and no more of the rest.
    #[must_use]
    pub fn into_whole(self) -> Vec<LoggedFrame> {
        self.whole
    }

    /// Whether octets came that no reply begins with: nothing behind them can be read.
    #[must_use]
    pub fn is_garbled(&self) -> bool {
        self.fault.is_some()
    }

    /// Whether what came behind them says that nothing more is read, in the form that the profile has for that.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.profile.is_refusal(&self.pending.beginning())
    }

    /// Whether what stands behind them are whole frames of a reply that none of them ends.
    #[must_use]
    pub fn is_unended(&self) -> bool {
        self.part.is_some() && self.pending.is_empty()
    }

    /// What stands behind them.
    #[must_use]
    pub fn rest(&self) -> Rest {
        match &self.fault {
            Some(fault) => Rest::Malformed(*fault, self.pending.beginning()),
            None if !self.has_rest() => Rest::Nothing,
            None => {
                let part = self.part.as_ref().map_or(0, |part| part.len);
                Rest::Unfinished(part.saturating_add(self.pending.len()))
            }
        }
    }
}

/// The one reply that a datagram is, which the entry at `index` of the transcript brought.
///
/// # Errors
/// If it is anything else, and what.
pub(super) fn alone(
    profile: &Profile,
    index: usize,
    datagram: &Bytes,
) -> Result<LoggedFrame, Misfit> {
    let frame = one_frame(profile, datagram, u128::MAX)?;
    Ok(logged(datagram, &frame, index))
}

fn logged(octets: &Bytes, frame: &FrameAt, first_entry: usize) -> LoggedFrame {
    let part = |range: Range<usize>| {
        let is_there = range.start <= range.end && range.end <= octets.len();
        match is_there {
            true => octets.slice(range),
            false => Bytes::new(),
        }
    };
    let body = match frame.content(octets) {
        Cow::Borrowed(_) => part(frame.body.clone()),
        Cow::Owned(body) => body.into(),
    };
    LoggedFrame {
        first_entry,
        header: part(frame.start..frame.body.start),
        len: frame.end.saturating_sub(frame.start),
        body,
        payload_len: frame.payload_len,
    }
}
