//! What is seen of a client during one play, in the order in which it is seen.

use crate::client_cases::{Entry, Exit, Seen, Transcript};
use crate::judge::replies::{Replies, Rest};
use crate::peer::clock::patiently;
use crate::peer::connection::ConnectionObserver;
use crate::profile::Profile;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The most octets that are kept of what a client sends.
const MOST_SENT: usize = 256 << 10;

/// The most that are kept of what it prints.
const MOST_PRINTED: usize = 4 << 20;

/// The most that are kept of its standard error.
const MOST_COMPLAINED: usize = 64 << 10;

/// Shared by all that happens in a play. Its lock is never held across a wait.
#[derive(Debug)]
pub(super) struct Log {
    began: Instant,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    entries: Vec<Entry>,
    requests: Replies,
    state: State,
    complained: usize,
}

/// How things stand.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Octets that the client has sent.
    pub(super) received: usize,
    /// Whole requests that came.
    pub(super) requests: usize,
    /// What came is no frame.
    pub(super) is_malformed: bool,
    /// Something stands behind the last whole request.
    pub(super) has_rest: bool,
    /// The client has ended its stream.
    pub(super) fin: bool,
    /// The client has reset the connection, or broken it off.
    pub(super) rst: bool,
    pub(super) exited: bool,
    /// How many of its two outputs are closed.
    closed: u8,
    pub(super) output: Vec<u8>,
    /// Octets on both its outputs, kept or not.
    pub(super) said: usize,
    printed: usize,
    pub(super) connections: usize,
}

impl State {
    /// Nothing can be sent to the client any more.
    pub(super) const fn is_over(&self) -> bool {
        self.rst || self.exited
    }

    /// The client's process has ended and all that it said has been heard.
    pub(super) const fn is_gone(&self) -> bool {
        self.exited && self.closed >= 2
    }
}

impl Log {
    pub(super) fn new(profile: &Profile) -> Self {
        let inner = Inner {
            entries: Vec::new(),
            requests: Replies::new(profile),
            state: State::default(),
            complained: 0,
        };
        Self {
            began: Instant::now(),
            inner: Mutex::new(inner),
            changed: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Inner, Duration)) {
        let mut inner = self.inner();
        // Under the lock, so that times and entries have one order.
        let at = self.began.elapsed();
        change(&mut inner, at);
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Notes something.
    pub(super) fn note(&self, seen: Seen) {
        self.change(|inner, at| {
            match &seen {
                Seen::Fin => inner.state.fin = true,
                Seen::Rst => inner.state.rst = true,
                Seen::Connected { .. } => {
                    inner.state.connections = inner.state.connections.saturating_add(1);
                }
                _ => {}
            }
            inner.entries.push(Entry { at, seen });
        });
    }

    /// Notes octets from the client; `false` if no more are kept.
    pub(super) fn received(&self, octets: &[u8]) -> bool {
        let mut is_kept = true;
        self.change(|inner, at| {
            inner.state.received = inner.state.received.saturating_add(octets.len());
            is_kept = inner.state.received <= MOST_SENT;
            let seen = if is_kept {
                let index = inner.entries.len();
                inner.requests.push(index, octets);
                inner.state.requests = inner.requests.whole().len();
                let rest = inner.requests.rest();
                inner.state.is_malformed = matches!(rest, Rest::Malformed(..));
                inner.state.has_rest = rest != Rest::Nothing;
                Seen::Sent(octets.to_vec())
            } else {
                Seen::Flooded
            };
            inner.entries.push(Entry { at, seen });
        });
        is_kept
    }

    /// Notes octets on the client's standard output.
    pub(super) fn printed(&self, octets: &[u8]) {
        self.change(|inner, at| {
            let before = inner.state.printed;
            inner.state.printed = before.saturating_add(octets.len());
            inner.state.said = inner.state.said.saturating_add(octets.len());
            let room = MOST_PRINTED.saturating_sub(before);
            let kept = octets.get(..room).unwrap_or(octets);
            if !kept.is_empty() {
                inner.state.output.extend_from_slice(kept);
                let seen = Seen::Printed(kept.to_vec());
                inner.entries.push(Entry { at, seen });
            }
            if before <= MOST_PRINTED && inner.state.printed > MOST_PRINTED {
                let seen = Seen::PrintedTooMuch(inner.state.printed);
                inner.entries.push(Entry { at, seen });
            }
        });
    }

    /// Notes octets on the client's standard error.
    pub(super) fn complained(&self, octets: &[u8]) {
        self.change(|inner, at| {
            inner.state.said = inner.state.said.saturating_add(octets.len());
            let room = MOST_COMPLAINED.saturating_sub(inner.complained);
            let kept = octets.get(..room).unwrap_or(octets);
            inner.complained = inner.complained.saturating_add(kept.len());
            if !kept.is_empty() {
                let seen = Seen::Complained(kept.to_vec());
                inner.entries.push(Entry { at, seen });
            }
        });
    }

    /// One of the client's outputs is closed.
    pub(super) fn closed(&self) {
        self.change(|inner, _| inner.state.closed = inner.state.closed.saturating_add(1));
    }

    pub(super) fn exited(&self, exit: Exit) {
        self.change(|inner, at| {
            inner.state.exited = true;
            let seen = Seen::Exited(exit);
            inner.entries.push(Entry { at, seen });
        });
    }

    /// What is asked of the state now.
    pub(super) fn now<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.inner().state)
    }

    /// Waits until `met`, at most that long, [as far as anybody had a turn](patiently); whether it was.
    pub(super) async fn until(&self, limit: Duration, met: impl Fn(&State) -> bool) -> bool {
        let wait = async {
            loop {
                // Registered before looking, so that no change is missed between the two.
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                if self.now(&met) {
                    return;
                }
                changed.await;
            }
        };
        patiently(limit, wait).await.is_some()
    }

    /// All that was noted.
    pub(super) fn take(&self) -> Transcript {
        Transcript {
            entries: std::mem::take(&mut self.inner().entries),
            acts: 0,
        }
    }
}

impl ConnectionObserver for Arc<Log> {
    fn received(&self, octets: &[u8]) -> bool {
        Log::received(self, octets)
    }

    fn fin(&self) {
        self.note(Seen::Fin);
    }

    fn rst(&self) {
        self.note(Seen::Rst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::craft::Craft;

    #[test]
    fn requests_are_counted_and_what_is_none_is_known() {
        let profile = Profile::tutorial();
        let log = Log::new(&profile);
        let frame = Craft::new(&profile).frame(b"1");
        let (head, tail) = frame.split_at(5);
        log.received(head);
        assert_eq!(log.now(|state| state.requests), 0);
        log.received(tail);
        assert_eq!(log.now(|state| state.requests), 1);
        log.received(b"\n\0\0\0");
        assert!(log.now(|state| state.is_malformed));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let log = Log::new(&Profile::tutorial());
        let much = vec![b'x'; 1 << 20];
        for _ in 0..9 {
            log.printed(&much);
            log.complained(&much);
            log.received(&much);
        }
        assert_eq!(log.now(|state| state.output.len()), MOST_PRINTED);
        assert_eq!(log.now(|state| state.said), 18 << 20);
        let transcript = log.take();
        assert_eq!(transcript.whole_output().len(), MOST_PRINTED);
        assert_eq!(transcript.complaints(usize::MAX).len(), MOST_COMPLAINED);
        let too_much = |entry: &Entry| matches!(entry.seen, Seen::PrintedTooMuch(_));
        assert_eq!(transcript.entries.iter().filter(|e| too_much(e)).count(), 1);
        let flooded = |entry: &Entry| entry.seen == Seen::Flooded;
        assert!(transcript.entries.iter().any(flooded));
    }

    #[tokio::test]
    async fn waiting_ends_when_it_is_met_and_when_time_is_up() {
        let log = Log::new(&Profile::tutorial());
        assert!(!log.until(Duration::from_millis(1), |state| state.fin).await);
        log.note(Seen::Fin);
        assert!(log.until(Duration::from_secs(60), |state| state.fin).await);
    }
}
