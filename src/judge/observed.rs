//! One connection of a transcript, brought into the form that duties are compared with.

use super::frame_log::{FrameLog, LoggedFrame as Reply, Rest, alone};
use crate::lang::{Text, say};
use crate::model::{Misfit, Owes, Permitted};
use crate::profile::Profile;
use crate::script::{Conn, OwnEnd};
use crate::transcript::{Entry, Seen, Transcript};
use bytes::Bytes;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How the peer ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    Fin,
    Rst,
}

impl Close {
    pub(super) fn how(self) -> Text {
        match self {
            Self::Fin => say!("closed (FIN)"),
            Self::Rst => say!("reset (RST)"),
        }
    }
}

/// What the client noticed of one connection.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) refused: Option<Text>,
    /// Why it did not get through the prologue of which it had said its part.
    pub(super) not_begun: Option<Text>,
    /// All that came, as it came.
    pub(super) received: Vec<Bytes>,
    pub(super) replies: Vec<Reply>,
    pub(super) rest: Rest,
    /// Whether that is whole frames of a reply that is not ended.
    pub(super) is_unended: bool,
    /// Datagrams that came and are not one frame each.
    pub(super) strays: Vec<(Misfit, Bytes)>,
    /// How the peer ended it, and the entry that says so.
    pub(super) close: Option<(usize, Close)>,
    closed_at: Duration,
    /// Entries that say that octets went out, each with the total so far.
    sent: Vec<(usize, usize)>,
    /// The same totals, each with the time.
    sent_at: Vec<(Duration, usize)>,
    pub(super) own_end: Option<(usize, OwnEnd)>,
    pub(super) blocked: bool,
    pub(super) flooded: bool,
    pub(super) deaf: bool,
    /// The peer was shown to keep silent in the end.
    pub(super) silent: bool,
    pub(super) gave_up: Option<Duration>,
}

impl Observed {
    /// What was seen on a connection on which so many replies are owed.
    pub(super) fn of(profile: &Profile, transcript: &Transcript, conn: Conn, owed: usize) -> Self {
        let mut observed = Self {
            refused: None,
            not_begun: None,
            received: Vec::new(),
            replies: Vec::new(),
            rest: Rest::Nothing,
            is_unended: false,
            strays: Vec::new(),
            close: None,
            closed_at: Duration::ZERO,
            sent: Vec::new(),
            sent_at: Vec::new(),
            own_end: None,
            blocked: false,
            flooded: false,
            deaf: false,
            silent: false,
            gave_up: None,
        };
        let in_replies = profile.of_replies();
        let mut replies = FrameLog::asked(&in_replies, owed);
        for (index, entry) in transcript.of(conn) {
            match &entry.seen {
                Seen::Received(datagram) if profile.carriage().is_datagrams() => {
                    observed.came_alone(&in_replies, index, datagram);
                }
                _ => observed.note(index, entry, &mut replies),
            }
        }
        if profile.carriage().is_datagrams() {
            return observed;
        }
        observed.rest = replies.rest();
        observed.is_unended = replies.is_unended();
        observed.replies = replies.into_whole();
        observed
    }

    fn came_alone(&mut self, profile: &Profile, index: usize, datagram: &Bytes) {
        match alone(profile, index, datagram) {
            Ok(reply) => self.replies.push(reply),
            Err(misfit) => self.strays.push((misfit, datagram.clone())),
        }
    }

    fn note(&mut self, index: usize, entry: &Entry, replies: &mut FrameLog) {
        match &entry.seen {
            Seen::Refused(why) => self.refused = Some(why.clone()),
            Seen::NotBegun(why) => self.not_begun = Some(why.clone()),
            Seen::Sent(octets) => {
                let total = self.sent_in_all().saturating_add(*octets);
                self.silent = false;
                self.sent.push((index, total));
                self.sent_at.push((entry.at, total));
            }
            // A client that does not read cannot expect to be read.
            Seen::SendBlocked => self.blocked |= !self.deaf,
            Seen::Received(octets) => {
                self.received.push(octets.clone());
                replies.push(index, octets);
            }
            Seen::Fin => self.end(index, entry.at, Close::Fin),
            Seen::Rst => self.end(index, entry.at, Close::Rst),
            Seen::Flooded => self.flooded = true,
            Seen::FinSent => self.own_end = Some((index, OwnEnd::Fin)),
            Seen::RstSent => self.own_end = Some((index, OwnEnd::Rst)),
            Seen::Stalled => self.deaf = true,
            Seen::Resumed => self.deaf = false,
            Seen::Silent { .. } => self.silent = true,
            Seen::GaveUp(_, after) => self.gave_up = Some(*after),
            // The rest says nothing of the connection, or is seen of clients only.
            _ => {}
        }
    }

    /// The first end counts: an RST behind a FIN says nothing new.
    fn end(&mut self, index: usize, at: Duration, close: Close) {
        if self.close.is_none() {
            self.close = Some((index, close));
            self.closed_at = at;
        }
    }

    /// Time between the octet at that offset and the peer's end of the connection.
    pub(super) fn open_since(&self, offset: usize) -> Duration {
        let begun = self.sent_at.iter().find(|(_, total)| *total > offset);
        let begun = begun.map_or(self.closed_at, |(at, _)| *at);
        self.closed_at.saturating_sub(begun)
    }

    /// The entries that say that datagrams went out, in order.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = usize> {
        self.sent.iter().map(|(index, _)| *index)
    }

    /// Octets of the script that went out.
    pub(super) fn sent_in_all(&self) -> usize {
        self.sent.last().map_or(0, |(_, total)| *total)
    }

    /// Octets of the script that had gone out before that entry.
    pub(super) fn sent_before(&self, index: usize) -> usize {
        self.sent
            .iter()
            .take_while(|(at, _)| *at < index)
            .last()
            .map_or(0, |(_, total)| *total)
    }

    pub(super) fn is_reset_by_client(&self) -> bool {
        matches!(self.own_end, Some((_, OwnEnd::Rst)))
    }
}

/// Whether nothing more is owed for the first `sent` octets of a stream, so that waiting can stop.
/// A server that is `silent` owes no replies, only closes.
#[must_use]
pub fn settled(
    permitted: &Permitted,
    sent: usize,
    fin_sent: bool,
    replies: usize,
    silent: bool,
) -> bool {
    let mut owed = 0_usize;
    for duty in permitted.duties.iter().filter(|duty| duty.due <= sent) {
        match duty.owes {
            Owes::Reply(_) | Owes::ReplyOrClose(_) => owed = owed.saturating_add(1),
            Owes::Close(_) => return false,
            Owes::Nothing(_)
            | Owes::ReplyOrSilence(_)
            | Owes::Showing(_)
            | Owes::ReadOnOrEnd(_) => {}
        }
    }
    !fin_sent && (silent || replies >= owed)
}

/// How many replies may come to the first `sent` datagrams of a connection, from those that are owed to all that may be.
/// A server that is `silent` owes none.
#[must_use]
pub fn replies_to(permitted: &Permitted, sent: usize, silent: bool) -> RangeInclusive<usize> {
    let sent = permitted.duties.iter().take(sent);
    let owed = sent
        .clone()
        .filter(|duty| matches!(duty.owes, Owes::Reply(_)));
    match silent {
        true => 0..=0,
        false => owed.count()..=sent.count(),
    }
}
