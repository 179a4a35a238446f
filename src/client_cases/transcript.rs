//! What was seen of a client while a play was played to it.

use crate::transcript::Exit;
use std::time::Duration;

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Time since the play began.
    pub at: Duration,
    /// What was seen.
    pub seen: Seen,
}

/// The kinds of entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The client's process was started.
    Started,
    /// The client connected; once more, if it did so before.
    Connected {
        /// How many connections it had made before.
        before: usize,
    },
    /// A line was typed.
    Typed(String),
    /// Octets came from the client.
    Sent(Vec<u8>),
    /// The client ended its stream.
    Fin,
    /// The client reset the connection.
    Rst,
    /// More came than is kept; reading was stopped.
    Flooded,
    /// These octets are sent to the client.
    Replied(Vec<u8>),
    /// The client took none, or no more, of what is sent to it.
    NotTaken,
    /// The server ended its stream.
    ServerFin,
    /// The server reset the connection.
    ServerRst,
    /// Octets on the client's standard output.
    Printed(Vec<u8>),
    /// More was printed than is kept: so many octets in all.
    PrintedTooMuch(usize),
    /// Octets on the client's standard error.
    Complained(Vec<u8>),
    /// The client's process ended.
    Exited(Exit),
    /// Processor time that the client used while it had nothing to do.
    Used {
        /// What it used, or waited for while others had the processor.
        busy: Duration,
        /// The time that passed.
        over: Duration,
    },
    /// Memory that the client took since it got a header.
    Grew {
        /// Resident memory, in octets.
        resident: u64,
        /// Address space, in octets.
        address_space: u64,
    },
    /// After a reset: the client gave this up, or said something.
    Noticed(&'static str),
    /// Something was waited for and did not come.
    GaveUp(Wanted, Duration),
    /// The play is over, and the client is made to end. What follows does not count, except what a
    /// client prints that buffers its output.
    Farewell,
}

/// What may be waited for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A connection.
    Connection,
    /// A whole request; so many had come before.
    Request(usize),
    /// A sign that the replies were read.
    Shown,
    /// The end of the connection or of the client.
    End,
    /// A sign that the reset was noticed.
    Notice,
}

/// All that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// What was seen, in order.
    pub entries: Vec<Entry>,
    /// How many acts of the play were done.
    pub acts: usize,
}

impl Transcript {
    /// What counts: all up to the farewell.
    pub fn counting(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries
            .iter()
            .enumerate()
            .take_while(|(_, entry)| entry.seen != Seen::Farewell)
    }

    /// What the client printed before the farewell.
    #[must_use]
    pub fn output(&self) -> String {
        printed(self.counting().map(|(_, entry)| entry))
    }

    /// All that the client printed.
    #[must_use]
    pub fn whole_output(&self) -> String {
        printed(self.entries.iter())
    }

    /// What stands on the client's standard error, in the end at most so many octets.
    #[must_use]
    pub fn complaints(&self, most: usize) -> String {
        let mut octets = Vec::new();
        for entry in &self.entries {
            match &entry.seen {
                Seen::Complained(more) => octets.extend_from_slice(more),
                Seen::Farewell => break,
                _ => {}
            }
        }
        let from = octets.len().saturating_sub(most);
        String::from_utf8_lossy(octets.get(from..).unwrap_or_default()).into_owned()
    }

    /// How the client's process ended before the farewell, if it did.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.counting().find_map(|(_, entry)| match entry.seen {
            Seen::Exited(exit) => Some(exit),
            _ => None,
        })
    }

    /// Whether the client ended the connection, or itself, before the farewell. If it ends its stream
    /// before anything has been sent to it, it may still wait for replies.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        let is_act =
            |seen: &Seen| matches!(seen, Seen::Replied(_) | Seen::ServerFin | Seen::ServerRst);
        let mut has_acted = !self.counting().any(|(_, entry)| is_act(&entry.seen));
        self.counting().any(|(_, entry)| {
            has_acted |= is_act(&entry.seen);
            match entry.seen {
                Seen::Rst | Seen::Exited(_) => true,
                Seen::Fin => has_acted,
                _ => false,
            }
        })
    }
}

fn printed<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut octets = Vec::new();
    for entry in entries {
        if let Seen::Printed(more) = &entry.seen {
            octets.extend_from_slice(more);
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(seen: Vec<Seen>) -> Transcript {
        let at = Duration::ZERO;
        Transcript {
            entries: seen.into_iter().map(|seen| Entry { at, seen }).collect(),
            acts: 0,
        }
    }

    #[test]
    fn what_comes_behind_the_farewell_does_not_count() {
        let transcript = transcript(vec![
            Seen::Printed(b"a\xc3".to_vec()),
            Seen::Printed(b"\xa9".to_vec()),
            Seen::Farewell,
            Seen::Printed(b"b".to_vec()),
            Seen::Exited(Exit::Signal(9)),
        ]);
        assert_eq!(transcript.output(), "aé");
        assert_eq!(transcript.whole_output(), "aéb");
        assert_eq!(transcript.exit(), None);
        assert!(!transcript.is_ended());
    }
}
