//! Datagrams in a script: not more at once than the server's system keeps for it, and silence where one need not be
//! answered.

use super::session::Session;
use crate::judge::{ReplyRule, replies_to};
use crate::model::Permitted;
use crate::script::Conn;
use crate::transcript::Seen;
use std::time::Duration;
use tokio::time::sleep;

/// Datagrams that may lie unread at a server, at most: each takes up far more than its octets.
const MOST: usize = 24;

/// Octets that may, at most, beside one datagram.
const MOST_OCTETS: usize = 32 << 10;

/// What a server is given to read where no canary can show that it has.
const A_WHILE: Duration = Duration::from_millis(20);

/// What was sent since the server was known to have read all of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InFlight {
    datagrams: usize,
    octets: usize,
}

impl InFlight {
    /// Whether there is room for so many octets more.
    const fn has_room_for(self, octets: usize) -> bool {
        let octets = self.octets.saturating_add(octets);
        self.datagrams < MOST && (octets <= MOST_OCTETS || self.datagrams == 0)
    }

    const fn with(self, octets: usize) -> Self {
        Self {
            datagrams: self.datagrams.saturating_add(1),
            octets: self.octets.saturating_add(octets),
        }
    }
}

impl Session<'_> {
    /// Whether each frame is a datagram here.
    pub(super) fn is_of_datagrams(&self) -> bool {
        self.peer.profile.carriage().is_datagrams()
    }

    pub(super) async fn send_datagrams(&mut self, conn: Conn, datagrams: &[Vec<u8>]) {
        for datagram in datagrams {
            if !self.send_datagram(conn, datagram).await {
                return;
            }
        }
    }

    /// A datagram without an octet; nothing, in a stream.
    pub(super) async fn send_empty(&mut self, conn: Conn) {
        if self.is_of_datagrams() {
            self.send_datagram(conn, &[]).await;
        }
    }

    /// Sends a datagram, and tells whether another can be sent.
    async fn send_datagram(&mut self, conn: Conn, octets: &[u8]) -> bool {
        if !self.in_flight.has_room_for(octets.len()) {
            self.let_all_be_read().await;
        }
        self.in_flight = self.in_flight.with(octets.len());
        let limit = self.peer.hard_timeout(1, octets.len());
        let Some(live) = self.live(conn) else {
            return false;
        };
        // It is noted first, so that no reply can seem to come before it.
        self.log.note(conn, Seen::Sent(octets.len()));
        let sending = live.send(octets, limit).await;
        self.goes_on(conn, sending)
    }

    /// A server that has answered what the canary asks has read all that came before.
    async fn let_all_be_read(&mut self) {
        if !self.sing().await {
            sleep(A_WHILE).await;
        }
        self.in_flight = InFlight::default();
    }

    /// Where datagrams may be answered or not, whatever comes is taken up until the server keeps silent.
    pub(super) async fn let_more_come(&mut self, conn: Conn, permitted: &Permitted) {
        let silent = self.peer.rule == ReplyRule::None;
        loop {
            let now = self.log.now(conn);
            let most = *replies_to(permitted, now.sends, silent).end();
            if now.is_over || now.replies >= most {
                return;
            }
            self.quiet(conn).await;
            if self.log.now(conn).replies == now.replies {
                return;
            }
        }
    }
}
