//! The peer's side of a connection, read as frames: which replies came, when, and what came after.

use crate::model::reader::{self, Ending, Fault};
use crate::profile::Profile;
use crate::script::Conn;
use crate::transcript::{Seen, Transcript};

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedFrame {
    /// Place in the transcript of the entry that brought its first octet.
    pub first_entry: usize,
    /// Its header.
    pub header: Vec<u8>,
    /// Its body, padding included.
    pub body: Vec<u8>,
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

/// What stands behind the last whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// This many octets of a reply that is not complete.
    Unfinished(usize),
    /// Octets that no reply of the profile begins with.
    Malformed(Fault, Vec<u8>),
}

/// Takes octets as they come and keeps the replies in them.
#[derive(Debug, Clone)]
pub struct FrameLog {
    profile: Profile,
    whole: Vec<LoggedFrame>,
    pending: Vec<u8>,
    /// For each stretch of `pending`, the entry that brought it and how many octets it has left.
    origins: Vec<(usize, usize)>,
    fault: Option<Fault>,
}

impl FrameLog {
    /// Before anything has come.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            whole: Vec::new(),
            pending: Vec::new(),
            origins: Vec::new(),
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

    /// Takes the octets that the entry at `index` of the transcript brought.
    pub fn push(&mut self, index: usize, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
        self.origins.push((index, octets.len()));
        if self.fault.is_none() {
            self.read();
        }
    }

    /// Frames have no limit of their own: what is kept of them is bounded by the run.
    fn read(&mut self) {
        let reading = reader::read_with_limit(&self.profile, &self.pending, u128::MAX);
        let mut taken = 0;
        for frame in &reading.frames {
            let first_entry = self.take_origin(frame.end.saturating_sub(frame.start));
            let part = |range: std::ops::Range<usize>| {
                self.pending.get(range).unwrap_or_default().to_vec()
            };
            self.whole.push(LoggedFrame {
                first_entry,
                header: part(frame.start..frame.body.start),
                body: part(frame.body.clone()),
                payload_len: frame.payload.len(),
            });
            taken = frame.end;
        }
        self.pending.drain(..taken.min(self.pending.len()));
        if let Ending::Malformed { fault, .. } = reading.ending {
            self.fault = Some(fault);
        }
    }

    /// Takes `octets` off the front and says which entry brought the first of them.
    fn take_origin(&mut self, mut octets: usize) -> usize {
        let first = self.origins.first().map_or(0, |(index, _)| *index);
        while let Some((_, left)) = self.origins.first_mut() {
            if *left > octets {
                *left = left.saturating_sub(octets);
                break;
            }
            octets = octets.saturating_sub(*left);
            self.origins.remove(0);
        }
        first
    }

    /// The whole replies so far.
    #[must_use]
    pub fn whole(&self) -> &[LoggedFrame] {
        &self.whole
    }

    /// The whole replies, and no more of the rest.
    #[must_use]
    pub fn into_whole(self) -> Vec<LoggedFrame> {
        self.whole
    }

    /// Whether octets came that no reply begins with: nothing behind them can be read.
    #[must_use]
    pub fn is_garbled(&self) -> bool {
        self.fault.is_some()
    }

    /// What stands behind them.
    #[must_use]
    pub fn rest(&self) -> Rest {
        match &self.fault {
            Some(fault) => Rest::Malformed(*fault, self.pending.clone()),
            None if self.pending.is_empty() => Rest::Nothing,
            None => Rest::Unfinished(self.pending.len()),
        }
    }
}
