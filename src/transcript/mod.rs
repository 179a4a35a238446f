//! Transcripts: what was seen while a script was played at a live peer.
//!
//! Entries stand in the order in which they were seen, across all connections. Octets are noted as
//! sent *before* they are handed to the system, so that a reply can never seem to come before the
//! octets that it answers.

mod client;
mod exit;

pub use exit::Exit;

use crate::lang::Text;
use crate::script::{Awaited, Conn, Opening};
use bytes::Bytes;
use std::time::Duration;

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Time since the script began.
    pub at: Duration,
    /// The connection it was seen on.
    pub conn: Conn,
    /// What was seen.
    pub seen: Seen,
}

/// The kinds of entry. FIN, RST and silence are three different observations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The connection was established.
    Connected,
    /// It could not be, and why.
    Refused(Text),
    /// The script said this where the prologue has the client speak.
    BeganWith(Opening),
    /// It did not get through the prologue that it had said its part of, and why.
    NotBegun(Text),
    /// This many octets of the script were handed to the system.
    Sent(usize),
    /// The system took no more octets because the peer has ended the connection.
    SendFailed,
    /// The peer took no more octets although the connection stood.
    SendBlocked,
    /// Octets came.
    Received(Bytes),
    /// The peer ended its sending side.
    Fin,
    /// The peer reset the connection.
    Rst,
    /// More came than the checker keeps; it stopped reading.
    Flooded,
    /// The script ended its sending side.
    FinSent,
    /// The script reset the connection.
    RstSent,
    /// The script stopped reading.
    Stalled,
    /// The script reads again.
    Resumed,
    /// What was waited for had not come when this long had passed.
    GaveUp(Awaited, Duration),
    /// It came after all, when the script was over.
    CameLate,
    /// The peer was shown to keep silent: the canary made so many round trips meanwhile.
    Silent {
        /// Round trips that the canary made.
        round_trips: u32,
    },
    /// The client under test was started.
    Started,
    /// The client connected once more; so many connections had come before.
    ConnectedAgain(usize),
    /// A line was typed at the client.
    Typed(String),
    /// Octets on the client's standard output.
    Printed(Vec<u8>),
    /// More was printed than is kept: so many octets in all.
    PrintedTooMuch(usize),
    /// Octets on the client's standard error.
    Stderr(Vec<u8>),
    /// The client's process ended.
    Exited(Exit),
    /// Processor time that the client used while it had nothing to do.
    Used {
        /// What it used, or waited for while others had the processor.
        busy: Duration,
        /// The time that passed.
        over: Duration,
    },
    /// Memory that the client took since it was last looked at.
    Grew {
        /// Resident memory, in octets.
        resident: u64,
        /// Address space, in octets.
        address_space: u64,
    },
    /// After a reset the client gave this up, or said something.
    Noticed(&'static str),
    /// The script is over, and the client is made to end. What follows does not count, except what a
    /// client prints that buffers its output.
    Teardown,
}

/// What each text begins with that the canary asks …
pub const CANARY_TEXT: &str = "canary";

/// … and the digits behind it, which number them.
pub const CANARY_DIGITS: usize = 10;

/// How the canary fared, the healthy client beside the script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Canary {
    /// It was served throughout.
    #[default]
    Well,
    /// The connection that was held open across the script was disturbed, though new ones work.
    Disturbed(Text),
    /// The peer takes no connections any more.
    Dead(Text),
    /// The peer takes connections but no longer answers.
    Mute(Text),
}

/// What a process held at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Reading {
    /// Memory of its own, in octets: of code and other files it holds none.
    pub resident: u64,
    /// Address space in octets.
    pub virtual_size: u64,
    /// Processor time used since it began.
    pub cpu: Duration,
    /// Time since then in which its threads were ready to run and did not, because others did; nothing
    /// where the system does not tell.
    pub waiting: Duration,
    /// Open descriptors.
    pub descriptors: u64,
    /// Those of them that are sockets.
    pub sockets: u64,
    /// Threads.
    pub threads: u64,
}

impl Reading {
    /// Whether it has as many descriptors and threads as in another reading.
    #[must_use]
    pub const fn holds_what(&self, other: &Self) -> bool {
        self.descriptors == other.descriptors && self.threads == other.threads
    }

    /// Whether in the time that has passed since an earlier reading it computed nearly whenever it could: most need less
    /// for what they are asked.
    #[must_use]
    pub fn is_busy_since(&self, earlier: &Self, passed: Duration) -> bool {
        const BUSY: u128 = 85;
        self.share_since(earlier, passed) >= BUSY
    }

    /// Processor time since an earlier reading that was used, or waited for while others had the processor.
    /// Whoever spins does the one or the other all the time, however busy the machine is.
    #[must_use]
    pub fn busy_since(&self, earlier: &Self) -> Duration {
        let spent = self.cpu.saturating_sub(earlier.cpu);
        spent.saturating_add(self.waiting.saturating_sub(earlier.waiting))
    }

    /// Processor time spent since an earlier reading, in hundredths of what there was to be had in the
    /// time that has passed: on a busy machine that is less than all of it. Above 100 if several threads
    /// ran.
    #[must_use]
    pub fn share_since(&self, earlier: &Self, passed: Duration) -> u128 {
        let spent = self.cpu.saturating_sub(earlier.cpu);
        let waited = self.waiting.saturating_sub(earlier.waiting);
        let least = passed.checked_div(20).unwrap_or_default();
        let to_be_had = passed.saturating_sub(waited).max(least);
        let hundredfold = spent.as_micros().saturating_mul(100);
        hundredfold
            .checked_div(to_be_had.as_micros())
            .unwrap_or_default()
    }
}

/// A reading of the peer's process, taken where the script says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its name in the script.
    pub name: String,
    /// When it was taken.
    pub at: Duration,
    /// What was read.
    pub reading: Reading,
}

/// All that was seen while a script was played.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// What was seen on the script's connections.
    pub entries: Vec<Entry>,
    /// How the canary fared.
    pub canary: Canary,
    /// Readings of the peer's process.
    pub samples: Vec<Sample>,
}

impl Transcript {
    /// The entries of one connection, each with its place among all.
    pub fn of(&self, conn: Conn) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries
            .iter()
            .enumerate()
            .filter(move |(_, entry)| entry.conn == conn)
    }

    /// How many octets came, on all connections.
    #[must_use]
    pub fn octets(&self) -> usize {
        let came = self.entries.iter().map(|entry| match &entry.seen {
            Seen::Received(octets) => octets.len(),
            _ => 0,
        });
        came.sum()
    }

    /// What was seen until waiting was given up, if it was, and once the script was over.
    #[must_use]
    pub fn until_given_up(&self) -> Self {
        let gave_up = |entry: &Entry| matches!(entry.seen, Seen::GaveUp(..));
        let over = |entry: &Entry| entry.seen == Seen::Teardown;
        let end = self.entries.iter().position(gave_up);
        let is_in_time = |index: usize| end.is_none_or(|end| index <= end);
        let over = self.entries.iter().position(over);
        let is_after = |index: usize| over.is_some_and(|over| index >= over);
        let entries = self.entries.iter().enumerate();
        let kept = entries.filter(|(index, _)| is_in_time(*index) || is_after(*index));
        self.with(kept.map(|(_, entry)| entry.clone()))
    }

    /// What was seen, as if what came late had not been late.
    #[must_use]
    pub fn without_lateness(&self) -> Self {
        let came_late = self
            .entries
            .iter()
            .any(|entry| entry.seen == Seen::CameLate);
        let is_forgiven = |entry: &&Entry| came_late && matches!(entry.seen, Seen::GaveUp(..));
        let kept = self.entries.iter().filter(|entry| !is_forgiven(entry));
        self.with(kept.cloned())
    }

    fn with(&self, entries: impl Iterator<Item = Entry>) -> Self {
        Self {
            entries: entries.collect(),
            canary: self.canary.clone(),
            samples: self.samples.clone(),
        }
    }

    /// When octets were last sent before the peer first ended a connection, refused one or fell silent.
    #[must_use]
    pub fn last_sent(&self) -> Option<Duration> {
        let is_sign = |entry: &&Entry| {
            matches!(
                entry.seen,
                Seen::Fin
                    | Seen::Rst
                    | Seen::Refused(_)
                    | Seen::NotBegun(_)
                    | Seen::SendFailed
                    | Seen::GaveUp(..)
            )
        };
        let before = self.entries.iter().take_while(|entry| !is_sign(entry));
        let sent = before.filter(|entry| matches!(entry.seen, Seen::Sent(_)));
        sent.map(|entry| entry.at).last()
    }

    /// Why the first connection that did not come about did not.
    #[must_use]
    pub fn refused(&self) -> Option<&Text> {
        self.entries.iter().find_map(|entry| match &entry.seen {
            Seen::Refused(why) => Some(why),
            _ => None,
        })
    }

    /// The reading of that name.
    #[must_use]
    pub fn sample(&self, name: &str) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_took_was_not_to_be_had() {
        let ms = Duration::from_millis;
        let reading = |cpu, waiting| Reading {
            cpu: ms(cpu),
            waiting: ms(waiting),
            ..Reading::default()
        };
        let share = |cpu, waiting| reading(cpu, waiting).share_since(&Reading::default(), ms(200));
        let busy = |cpu| reading(cpu, 0).is_busy_since(&Reading::default(), ms(200));
        assert!(busy(170) && !busy(168));
        assert_eq!((share(0, 0), share(50, 0), share(200, 0)), (0, 25, 100));
        // It ran whenever it could.
        assert_eq!(share(40, 160), 100);
        // It ran hardly at all, but had to wait for that.
        assert_eq!(share(2, 150), 4);
        assert_eq!(share(400, 800), 4000);
        assert_eq!(share(0, 800), 0);
        assert_eq!(
            Reading::default().share_since(&Reading::default(), ms(0)),
            0
        );
    }
}
