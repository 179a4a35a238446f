//! What is seen while one script is played, in the order in which it is seen: on its connections, and of
//! the client's program if it is a client that is played to.

use crate::judge::frame_log::FrameLog;
use crate::peer::clock::patiently;
use crate::peer::connection::ConnectionObserver;
use crate::peer::group::{Output, ProcessObserver};
use crate::profile::{Carriage, Profile};
use crate::script::Conn;
use crate::transcript::{Entry, Exit, Seen};
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What is kept of a peer's octets beyond as many as a script sends four times over …
const SPARE_ROOM: usize = 2 << 20;

/// … which is no more than so much beyond those once.
const MOST_BEYOND: usize = 8 << 20;

/// How many octets are kept of the replies to a script that sends so many.
pub(crate) fn room_for_replies(sent: usize) -> usize {
    let beyond = sent.saturating_mul(3).min(MOST_BEYOND);
    sent.saturating_add(beyond).saturating_add(SPARE_ROOM)
}

/// What a datagram takes beside its octets, of which it may have none.
const KEPT_OF_DATAGRAM: usize = 64;

/// The most octets that are kept of what a client prints.
const MOST_PRINTED: usize = 4 << 20;

/// The most that are kept of its standard error.
const MOST_STDERR: usize = 64 << 10;

/// Shared by all that happens in a script. Its lock is never held across a wait.
#[derive(Debug)]
pub(crate) struct Log {
    began: Instant,
    profile: Profile,
    inner: Mutex<Inner>,
    /// Wakes whoever waits for something to be seen.
    pub(crate) changed: Notify,
}

#[derive(Debug)]
struct Inner {
    entries: Vec<Entry>,
    conns: Vec<State>,
    program: Program,
    /// Octets that may still be kept.
    room: usize,
}

/// What is known of a client's program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// It has ended.
    pub(crate) exited: bool,
    /// What it has printed, as far as it is kept.
    pub(crate) output: Vec<u8>,
    /// Octets on both its outputs, kept or not.
    pub(crate) said: usize,
    /// Connections that it has made beyond the first.
    pub(crate) more_connections: usize,
    printed: usize,
    stderr: usize,
    /// How many of its two outputs are closed.
    closed: u8,
}

impl Program {
    /// It has ended, and all that it said has been read.
    pub(crate) const fn is_gone(&self) -> bool {
        self.exited && self.closed >= 2
    }
}

/// Where a connection stands.
#[derive(Debug)]
struct State {
    replies: FrameLog,
    now: Now,
}

/// What is known of a connection at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Now {
    /// Octets handed to the system.
    pub(crate) sent: usize,
    /// How often octets were: where each frame is one, the datagrams.
    pub(crate) sends: usize,
    /// Octets that came.
    pub(crate) received: usize,
    /// Whole replies that came.
    pub(crate) replies: usize,
    /// One side has ended the connection for good, or reading was given up, or it never stood.
    pub(crate) is_over: bool,
    /// The client has ended its stream.
    pub(crate) fin_sent: bool,
    /// The peer has stopped to read, so that nothing more can be sent until the client reads again.
    pub(crate) is_blocked: bool,
    /// What came can no longer be read as frames.
    pub(crate) is_garbled: bool,
    /// Something stands behind the last whole frame that came.
    pub(crate) has_rest: bool,
    /// The peer has ended its stream.
    pub(crate) fin: bool,
    /// The peer has reset the connection.
    pub(crate) rst: bool,
}

impl Log {
    /// Keeps at most `room` octets of what a peer sends on all connections.
    pub(crate) fn new(profile: &Profile, room: usize) -> Self {
        let inner = Inner {
            entries: Vec::new(),
            conns: Vec::new(),
            program: Program::default(),
            room,
        };
        Self {
            began: Instant::now(),
            profile: profile.clone(),
            inner: Mutex::new(inner),
            changed: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something.
    pub(crate) fn note(&self, conn: Conn, seen: Seen) {
        let mut inner = self.inner();
        let at = self.began.elapsed();
        while inner.conns.len() <= conn {
            let replies = FrameLog::counting(&self.profile);
            inner.conns.push(State {
                replies,
                now: Now::default(),
            });
        }
        let index = inner.entries.len();
        if let Some(state) = inner.conns.get_mut(conn) {
            state.take(index, &seen, self.profile.carriage());
        }
        inner.program.take(&seen);
        inner.entries.push(Entry { at, conn, seen });
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Notes octets that came; `false` if there is no room for them, which is noted instead.
    pub(crate) fn received(&self, conn: Conn, octets: &[u8]) -> bool {
        let mut inner = self.inner();
        let taken = match self.profile.carriage() {
            Carriage::Stream => octets.len(),
            Carriage::Datagrams => octets.len().saturating_add(KEPT_OF_DATAGRAM),
        };
        let left = inner.room.checked_sub(taken);
        inner.room = left.unwrap_or_default();
        drop(inner);
        self.note(
            conn,
            match left {
                Some(_) => Seen::Received(Bytes::copy_from_slice(octets)),
                None => Seen::Flooded,
            },
        );
        left.is_some()
    }

    /// Notes octets on the client's standard output.
    pub(crate) fn printed(&self, octets: &[u8]) {
        let (kept, overflow) = self.change(|program| {
            let before = program.printed;
            program.printed = before.saturating_add(octets.len());
            program.said = program.said.saturating_add(octets.len());
            let room = MOST_PRINTED.saturating_sub(before);
            let overflows = before <= MOST_PRINTED && program.printed > MOST_PRINTED;
            (
                octets.get(..room).unwrap_or(octets),
                overflows.then_some(program.printed),
            )
        });
        if !kept.is_empty() {
            self.note(0, Seen::Printed(kept.to_vec()));
        }
        if let Some(printed) = overflow {
            self.note(0, Seen::PrintedTooMuch(printed));
        }
    }

    /// Notes octets on the client's standard error.
    pub(crate) fn complained(&self, octets: &[u8]) {
        let kept = self.change(|program| {
            program.said = program.said.saturating_add(octets.len());
            let room = MOST_STDERR.saturating_sub(program.stderr);
            let kept = octets.get(..room).unwrap_or(octets);
            program.stderr = program.stderr.saturating_add(kept.len());
            kept
        });
        if !kept.is_empty() {
            self.note(0, Seen::Stderr(kept.to_vec()));
        }
    }

    /// One of the client's outputs is closed.
    pub(crate) fn closed(&self) {
        self.change(|program| program.closed = program.closed.saturating_add(1));
    }

    /// The client's program has ended.
    pub(crate) fn exited(&self, exit: Exit) {
        self.note(0, Seen::Exited(exit));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Program) -> T) -> T {
        let changed = change(&mut self.inner().program);
        self.changed.notify_waiters();
        changed
    }

    /// What is asked of the client as it stands now: its one connection and its program.
    pub(crate) fn client<T>(&self, ask: impl FnOnce(Now, &Program) -> T) -> T {
        let inner = self.inner();
        let now = inner.conns.first().map(|state| state.now);
        ask(now.unwrap_or_default(), &inner.program)
    }

    /// Waits until a client has `met` something, at most that long, [as far as anybody had a
    /// turn](patiently); whether it has.
    pub(crate) async fn until(&self, limit: Duration, met: impl Fn(Now, &Program) -> bool) -> bool {
        let wait = async {
            loop {
                // Registered before looking, so that no change is missed between the two.
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                if self.client(&met) {
                    return;
                }
                changed.await;
            }
        };
        patiently(limit, wait).await.is_some()
    }

    /// How the connection stands now.
    pub(crate) fn now(&self, conn: Conn) -> Now {
        self.inner()
            .conns
            .get(conn)
            .map(|state| state.now)
            .unwrap_or_default()
    }

    /// Time since the script began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// When the script began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// All that has been noted so far.
    pub(crate) fn so_far(&self) -> Vec<Entry> {
        self.inner().entries.clone()
    }

    /// All that was noted.
    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.inner().entries)
    }
}

impl State {
    fn take(&mut self, index: usize, seen: &Seen, carriage: Carriage) {
        match seen {
            Seen::Sent(octets) => {
                self.now.sent = self.now.sent.saturating_add(*octets);
                self.now.sends = self.now.sends.saturating_add(1);
            }
            // Each is a reply, or stands for one.
            Seen::Received(octets) if carriage.is_datagrams() => {
                self.now.received = self.now.received.saturating_add(octets.len());
                self.now.replies = self.now.replies.saturating_add(1);
            }
            Seen::Received(octets) => {
                self.replies.push(index, octets);
                self.now.received = self.now.received.saturating_add(octets.len());
                self.now.replies = self.replies.count();
                // Behind a refusal a close is still to come.
                self.now.is_garbled = self.replies.is_garbled() && !self.replies.is_refusal();
                self.now.has_rest = self.replies.has_rest();
            }
            Seen::FinSent => self.now.fin_sent = true,
            Seen::SendBlocked => self.now.is_blocked = true,
            Seen::Resumed => self.now.is_blocked = false,
            Seen::Fin => (self.now.is_over, self.now.fin) = (true, true),
            Seen::Rst => (self.now.is_over, self.now.rst) = (true, true),
            Seen::Flooded | Seen::Refused(_) | Seen::NotBegun(_) | Seen::RstSent => {
                self.now.is_over = true;
            }
            _ => {}
        }
    }
}

/// Notes what comes on one connection.
#[derive(Debug)]
pub(crate) struct Noting {
    conn: Conn,
    log: Arc<Log>,
}

impl Noting {
    pub(crate) fn new(conn: Conn, log: &Arc<Log>) -> Self {
        let log = Arc::clone(log);
        Self { conn, log }
    }
}

impl ConnectionObserver for Noting {
    fn received(&self, octets: &[u8]) -> bool {
        self.log.received(self.conn, octets)
    }

    fn fin(&self) {
        self.log.note(self.conn, Seen::Fin);
    }

    fn rst(&self) {
        self.log.note(self.conn, Seen::Rst);
    }
}

/// Notes what a client's program says, and how it ends.
impl ProcessObserver for Arc<Log> {
    fn said(&self, output: Output, octets: &[u8]) {
        match output {
            Output::Stdout => self.printed(octets),
            Output::Stderr => self.complained(octets),
        }
    }

    fn closed(&self, _: Output) {
        Log::closed(self);
    }

    fn exited(&self, exit: Exit) {
        Log::exited(self, exit);
    }
}

impl Program {
    fn take(&mut self, seen: &Seen) {
        match seen {
            Seen::Printed(octets) => self.output.extend_from_slice(octets),
            Seen::Exited(_) => self.exited = true,
            Seen::ConnectedAgain(_) => {
                self.more_connections = self.more_connections.saturating_add(1);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::craft::Craft;

    #[test]
    fn frames_are_counted_and_what_is_none_is_known() {
        let profile = Profile::tutorial();
        let log = Log::new(&profile, 1 << 20);
        let frame = Craft::new(&profile).frame(b"1");
        let (head, tail) = frame.split_at(5);
        log.received(0, head);
        assert_eq!(log.now(0).replies, 0);
        log.received(0, tail);
        assert_eq!((log.now(0).replies, log.now(0).has_rest), (1, false));
        log.received(0, b"\n\0\0\0");
        assert!(log.now(0).is_garbled && log.now(0).has_rest);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let log = Log::new(&Profile::tutorial(), 256 << 10);
        let much = vec![b'x'; 1 << 20];
        for _ in 0..9 {
            log.printed(&much);
            log.complained(&much);
            log.received(0, &much);
        }
        assert_eq!(log.client(|_, program| program.output.len()), MOST_PRINTED);
        assert_eq!(log.client(|_, program| program.said), 18 << 20);
        let entries = log.take();
        let kept = |entry: &Entry| match &entry.seen {
            Seen::Printed(octets) | Seen::Stderr(octets) => octets.len(),
            Seen::Received(octets) => octets.len(),
            _ => 0,
        };
        let kept: usize = entries.iter().map(kept).sum();
        assert_eq!(kept, MOST_PRINTED + MOST_STDERR);
        let too_much = |entry: &&Entry| matches!(entry.seen, Seen::PrintedTooMuch(_));
        assert_eq!(entries.iter().filter(too_much).count(), 1);
        assert!(entries.iter().any(|entry| entry.seen == Seen::Flooded));
    }

    #[tokio::test]
    async fn waiting_ends_when_it_is_met_and_when_time_is_up() {
        let log = Log::new(&Profile::tutorial(), 0);
        assert!(!log.until(Duration::from_millis(1), |now, _| now.fin).await);
        log.note(0, Seen::Fin);
        assert!(log.until(Duration::from_secs(60), |now, _| now.fin).await);
    }
}
