//! What is wrong with the client's process: how it died, what it took, what it said at that.

use super::Walk;
use crate::lang::{Text, say};
use crate::spec::{Clause, Level};
use crate::transcript::{Exit, Seen};
use std::time::Duration;

/// Memory that a client may take for a header, in octets.
pub const FREE_MEMORY: u64 = 64 << 20;

/// Address space that it may take, in octets.
pub const FREE_ADDRESS_SPACE: u64 = 512 << 20;

/// Time enough to tell whether a client is busy.
const LONG_ENOUGH: Duration = Duration::from_millis(150);

impl Walk<'_> {
    pub(super) fn process(&mut self) {
        for (_, entry) in self.transcript.counting() {
            match &entry.seen {
                Seen::Exited(exit @ Exit::Signal(_)) => {
                    let what = say!(
                        "the client {exit}{last_words}",
                        exit,
                        last_words = self.last_words()
                    );
                    self.must(self.context(), what);
                }
                Seen::Grew {
                    resident,
                    address_space,
                } if *resident > FREE_MEMORY || *address_space > FREE_ADDRESS_SPACE => {
                    let what = say!(
                        "the client took {resident} MiB of memory and {address_space} MiB of address space for what had not arrived",
                        resident = resident >> 20,
                        address_space = address_space >> 20
                    );
                    self.must(Clause::ClientLimit, what);
                }
                _ => {}
            }
        }
        if let Some(what) = self.spins() {
            self.must(self.context(), what);
        }
        let is_bad = matches!(self.transcript.exit(), Some(Exit::Code(code)) if code != 0);
        let said = self.transcript.stderr(64 << 10);
        if let Some(what) = unhandled(&said, is_bad) {
            let what = say!("{what}{last_words}", what, last_words = self.last_words());
            self.find(self.context(), Level::Should, what);
        }
    }

    /// Whether it is busy whenever it has nothing to do; once may be its start that is not over yet.
    fn spins(&self) -> Option<Text> {
        let idle: Vec<(Duration, Duration)> = self
            .transcript
            .counting()
            .filter_map(|(_, entry)| match entry.seen {
                Seen::Used { busy, over } if over >= LONG_ENOUGH => Some((busy, over)),
                _ => None,
            })
            .collect();
        let is_spinning = |(busy, over): &(Duration, Duration)| busy.saturating_mul(2) > *over;
        let (busy, over) = idle.last()?;
        idle.iter().all(is_spinning).then(|| {
            say!("the client wanted {busy} ms of processor time in {over} ms in which there was nothing to do", busy = busy.as_millis(), over = over.as_millis())
        })
    }

    /// The last line of the standard error.
    pub(super) fn last_words(&self) -> Text {
        const MOST: usize = 160;
        let said = self.transcript.stderr(4 << 10);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        last.map_or(Text::default(), |line| {
            let line: String = line.trim().chars().take(MOST).collect();
            say!(", saying {line}", line = format!("{line:?}"))
        })
    }
}

/// Whether the standard error tells of an exception that nobody handled.
fn unhandled(said: &str, is_bad_exit: bool) -> Option<Text> {
    let begins = |start: &str| said.lines().any(|line| line.starts_with(start));
    if begins("Exception in thread") {
        Some(say!(
            "an exception that nothing handles ended a thread of the client"
        ))
    } else if said.contains("exception was never retrieved") {
        Some(say!(
            "an exception that nothing handles ended a task of the client"
        ))
    } else if is_bad_exit
        && (begins("Traceback (most recent call last)")
            || begins("panic: ")
            || said.lines().any(is_rust_panic))
    {
        Some(say!("an exception that nothing handles ended the client"))
    } else {
        None
    }
}

/// Newer compilers name the thread's number in between.
fn is_rust_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_handles_is_known_in_every_language() {
        for said in [
            "Traceback (most recent call last):\n  File \"c.py\", line 1\nKeyError: 1\n",
            "panic: runtime error: index out of range\n",
            "\nthread 'main' panicked at src/main.rs:1:1:\n",
            "\nthread 'main' (4711) panicked at src/main.rs:1:1:\n",
        ] {
            assert!(unhandled(said, true).is_some(), "{said}");
            assert_eq!(unhandled(said, false), None, "{said}");
        }
        let in_thread =
            "Exception in thread Thread-1 (read):\nTraceback (most recent call last):\n";
        assert!(unhandled(in_thread, false).is_some());
        assert_eq!(
            unhandled("error: the server panicked at noon\n", true),
            None
        );
    }
}
