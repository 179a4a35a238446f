//! What is seen on the connections of one script, in the order in which it is seen.

use crate::judge::replies::Replies;
use crate::peer::connection::ConnectionObserver;
use crate::profile::Profile;
use crate::script::Conn;
use crate::transcript::{Entry, Seen};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Shared by all that happens in a script. Its lock is never held across a wait.
#[derive(Debug)]
pub(super) struct Log {
    began: Instant,
    profile: Profile,
    inner: Mutex<Inner>,
    /// Wakes whoever waits for something to be seen.
    pub(super) changed: Notify,
}

#[derive(Debug)]
struct Inner {
    entries: Vec<Entry>,
    conns: Vec<State>,
    /// Octets that may still be kept.
    room: usize,
}

/// Where a connection stands.
#[derive(Debug)]
struct State {
    replies: Replies,
    now: Now,
}

/// What is known of a connection at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Now {
    /// Octets handed to the system.
    pub(super) sent: usize,
    /// Octets that came.
    pub(super) received: usize,
    /// Whole replies that came.
    pub(super) replies: usize,
    /// One side has ended the connection for good, or reading was given up, or it never stood.
    pub(super) is_over: bool,
    /// The client has ended its stream.
    pub(super) fin_sent: bool,
    /// The peer has stopped to read, so that nothing more can be sent until the client reads again.
    pub(super) is_blocked: bool,
    /// What came can no longer be read as replies.
    pub(super) is_garbled: bool,
}

impl Log {
    /// Keeps at most `room` octets of what a peer sends on all connections.
    pub(super) fn new(profile: &Profile, room: usize) -> Self {
        let inner = Inner {
            entries: Vec::new(),
            conns: Vec::new(),
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
    pub(super) fn note(&self, conn: Conn, seen: Seen) {
        let mut inner = self.inner();
        let at = self.began.elapsed();
        while inner.conns.len() <= conn {
            let replies = Replies::new(&self.profile);
            inner.conns.push(State {
                replies,
                now: Now::default(),
            });
        }
        let index = inner.entries.len();
        if let Some(state) = inner.conns.get_mut(conn) {
            state.take(index, &seen);
        }
        inner.entries.push(Entry { at, conn, seen });
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Notes octets that came; `false` if there is no room for them, which is noted instead.
    pub(super) fn received(&self, conn: Conn, octets: &[u8]) -> bool {
        let mut inner = self.inner();
        let left = inner.room.checked_sub(octets.len());
        inner.room = left.unwrap_or_default();
        drop(inner);
        self.note(
            conn,
            match left {
                Some(_) => Seen::Received(octets.to_vec()),
                None => Seen::Flooded,
            },
        );
        left.is_some()
    }

    /// How the connection stands now.
    pub(super) fn now(&self, conn: Conn) -> Now {
        self.inner()
            .conns
            .get(conn)
            .map(|state| state.now)
            .unwrap_or_default()
    }

    /// Time since the script began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// When the script began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// All that was noted.
    pub(super) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.inner().entries)
    }
}

impl State {
    fn take(&mut self, index: usize, seen: &Seen) {
        match seen {
            Seen::Sent(octets) => self.now.sent = self.now.sent.saturating_add(*octets),
            Seen::Received(octets) => {
                self.replies.push(index, octets);
                self.now.received = self.now.received.saturating_add(octets.len());
                self.now.replies = self.replies.whole().len();
                self.now.is_garbled = self.replies.is_garbled();
            }
            Seen::ClientFin => self.now.fin_sent = true,
            Seen::SendBlocked => self.now.is_blocked = true,
            Seen::Resumed => self.now.is_blocked = false,
            Seen::Fin | Seen::Rst | Seen::Flooded | Seen::Refused(_) | Seen::ClientRst => {
                self.now.is_over = true;
            }
            _ => {}
        }
    }
}

/// Notes what comes on one connection.
#[derive(Debug)]
pub(super) struct Noting {
    conn: Conn,
    log: Arc<Log>,
}

impl Noting {
    pub(super) fn new(conn: Conn, log: &Arc<Log>) -> Self {
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
