//! What a transcript says of a client under test as a program: what it printed, how it ended.

use super::{Entry, Exit, Seen, Transcript};

impl Transcript {
    /// What counts: all that was seen before the peer was ended.
    pub fn counting(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries
            .iter()
            .enumerate()
            .take_while(|(_, entry)| entry.seen != Seen::Teardown)
    }

    /// What the client printed before it was ended.
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
    pub fn stderr(&self, most: usize) -> String {
        let mut octets = Vec::new();
        for (_, entry) in self.counting() {
            if let Seen::Stderr(more) = &entry.seen {
                octets.extend_from_slice(more);
            }
        }
        let from = octets.len().saturating_sub(most);
        String::from_utf8_lossy(octets.get(from..).unwrap_or_default()).into_owned()
    }

    /// How the client's process came to its end by itself, if it did.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.counting().find_map(|(_, entry)| match entry.seen {
            Seen::Exited(exit) => Some(exit),
            _ => None,
        })
    }

    /// Whether the client ended the connection, or itself. If it ends its stream before anything has been
    /// sent to it, it may still wait for replies.
    #[must_use]
    pub fn has_client_ended(&self) -> bool {
        let acts = |seen: &Seen| matches!(seen, Seen::Sent(_) | Seen::FinSent | Seen::RstSent);
        let mut has_acted = !self.counting().any(|(_, entry)| acts(&entry.seen));
        self.counting().any(|(_, entry)| {
            has_acted |= acts(&entry.seen);
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
    use std::time::Duration;

    #[test]
    fn what_comes_once_the_client_is_ended_does_not_count() {
        let seen = [
            Seen::Printed(b"a\xc3".to_vec()),
            Seen::Printed(b"\xa9".to_vec()),
            Seen::Teardown,
            Seen::Printed(b"b".to_vec()),
            Seen::Exited(Exit::Signal(9)),
        ];
        let entry = |seen| Entry {
            at: Duration::ZERO,
            conn: 0,
            seen,
        };
        let transcript = Transcript {
            entries: seen.map(entry).to_vec(),
            ..Transcript::default()
        };
        assert_eq!(transcript.output(), "aé");
        assert_eq!(transcript.whole_output(), "aéb");
        assert_eq!(transcript.exit(), None);
        assert!(!transcript.has_client_ended());
    }
}
