//! Sending in a script: segment by segment, and what becomes of what cannot be sent.

use super::pace::{Pace, SILENT_ROUND_TRIPS};
use super::session::Session;
use crate::peer::clock::TurnClock;
use crate::peer::connection::Sending;
use crate::peer::drained::drained;
use crate::peer::unread::unread;
use crate::script::{Action, Conn};
use crate::transcript::Seen;
use crate::transport::Stream;
use std::time::Duration;
use tokio::time::sleep;

/// What a server is given to read a segment if it cannot be seen whether it has, beside a canary's round
/// trip.
const A_MOMENT: Duration = Duration::from_millis(2);

/// What it is given where that can be seen.
const A_WHILE: Duration = Duration::from_millis(50);

/// How long a client that does not read goes on trying to send.
const DEAF_PATIENCE: Duration = Duration::from_millis(40);

/// How often that is tried in vain: the thread that would read may have to wait for a processor.
const DEAF_ATTEMPTS: u32 = 3;

/// How long it takes to see that a server takes no more of a client that does not read.
pub(super) fn deafness(pace: &Pace) -> Duration {
    let attempt = pace.round_trip.saturating_mul(SILENT_ROUND_TRIPS);
    attempt
        .saturating_add(DEAF_PATIENCE)
        .saturating_mul(DEAF_ATTEMPTS)
}

impl Session<'_> {
    pub(super) async fn send(&mut self, conn: Conn, segments: &[Vec<u8>]) {
        if self.is_of_datagrams() {
            return self.send_datagrams(conn, segments).await;
        }
        for (index, segment) in segments.iter().enumerate() {
            if self.log.now(conn).is_blocked {
                self.keep(conn, segment);
                continue;
            }
            if index > 0 {
                self.let_it_be_read(conn).await;
            }
            let sending = self.send_segment(conn, segment).await;
            if let Sending::Blocked { left } = sending {
                self.keep(conn, last(segment, left));
            }
            if !self.goes_on(conn, sending) {
                return;
            }
        }
    }

    /// Notes what came of sending, and tells whether the connection stands.
    pub(super) fn goes_on(&self, conn: Conn, sending: Sending) -> bool {
        match sending {
            Sending::Done => {}
            Sending::Ended => self.log.note(conn, Seen::SendFailed),
            Sending::Blocked { .. } => self.log.note(conn, Seen::SendBlocked),
        }
        sending != Sending::Ended
    }

    /// Keeps what cannot be sent, if the client will read again.
    fn keep(&mut self, conn: Conn, octets: &[u8]) {
        let mut steps = self.script.steps().iter();
        if steps.any(|step| step.conn == conn && step.action == Action::Resume) {
            self.unsent.push((conn, octets.to_vec()));
        }
    }

    /// A client reads again, and then sends what it could not send before.
    pub(super) async fn resume(&mut self, conn: Conn) {
        let Some(live) = self.live(conn) else { return };
        self.log.note(conn, Seen::Resumed);
        live.set_reading(true);
        let kept = self.unsent.iter().filter(|(of, _)| *of == conn);
        for (index, (_, octets)) in kept.enumerate() {
            let limit = self.peer.hard_timeout(1, octets.len());
            // The first is the rest of a segment that has been noted.
            if index > 0 {
                self.log.note(conn, Seen::Sent(octets.len()));
            }
            let sending = live.send(octets, limit).await;
            if !self.goes_on(conn, sending) || self.log.now(conn).is_blocked {
                break;
            }
        }
        self.unsent.retain(|(of, _)| *of != conn);
    }

    async fn send_segment(&mut self, conn: Conn, segment: &[u8]) -> Sending {
        let limit = self.peer.hard_timeout(1, segment.len());
        let octets = self.with_held(conn, segment);
        let segment_len = segment.len();
        let segment = octets.as_ref();
        let Some(live) = self.live(conn) else {
            return Sending::Done;
        };
        // It is noted first, so that no reply can seem to come before it.
        self.log.note(conn, Seen::Sent(segment_len));
        if live.is_reading() {
            return live.send(segment, limit).await;
        }
        let sending = live.send(segment, DEAF_PATIENCE).await;
        self.insist(conn, segment, sending).await
    }

    /// A client that does not read cannot expect to be read. It is given up when the server has taken
    /// nothing more while it served the canary.
    async fn insist(&mut self, conn: Conn, segment: &[u8], mut sending: Sending) -> Sending {
        let (mut before, mut in_vain) = (usize::MAX, 0_u32);
        while let Sending::Blocked { left } = sending {
            in_vain = if left < before {
                0
            } else {
                in_vain.saturating_add(1)
            };
            if in_vain >= DEAF_ATTEMPTS {
                break;
            }
            before = left;
            for _ in 0..SILENT_ROUND_TRIPS {
                self.sing().await;
            }
            let Some(live) = self.live(conn) else { break };
            sending = live.send(last(segment, left), DEAF_PATIENCE).await;
        }
        sending
    }

    /// Lets the server read what has been sent before more is: the more segments are read each by itself,
    /// the more faults show. What a wrong server answers to a part shows only if nothing follows at once.
    async fn let_it_be_read(&mut self, conn: Conn) {
        let sings = self.peer.pace.is_quick() && self.canary.is_some();
        if sings && self.peer.pace.haste.is_some() {
            return self.let_it_be_read_in_haste(conn).await;
        }
        let mut clock = TurnClock::by(A_MOMENT);
        while let Some(octets) = self.unread(conn) {
            if octets == 0 {
                if self.has_few_cuts {
                    break;
                }
                return;
            }
            if clock.turn() > A_WHILE {
                // It does not read now, and need not: from here on it is only given time.
                self.reads = false;
            }
            if !(sings && self.sing().await) {
                sleep(Duration::from_millis(1)).await;
            }
        }
        if sings {
            self.sing().await;
        }
        if !sings || self.has_few_cuts {
            sleep(A_MOMENT).await;
        }
    }

    /// The same where there is haste: no more is waited for than that it has been read, and that the canary was
    /// served once.
    async fn let_it_be_read_in_haste(&mut self, conn: Conn) {
        let mut clock = TurnClock::by(A_MOMENT);
        while self.sing().await && self.unread(conn).is_some_and(|octets| octets > 0) {
            if clock.turn() > A_WHILE {
                self.reads = false;
            }
        }
    }

    /// Lets the server read what a connection begins with, where that is cut.
    pub(super) async fn let_it_be_taken(&mut self, stream: &Stream) {
        drained(|| unread(stream)).await;
        self.sing().await;
        sleep(A_MOMENT).await;
    }

    /// How many octets the server has still to read, as long as it reads and that can be told.
    fn unread(&self, conn: Conn) -> Option<u32> {
        self.live(conn).filter(|_| self.reads)?.unread()
    }
}

/// So many octets at the end.
fn last(octets: &[u8], left: usize) -> &[u8] {
    let from = octets.len().saturating_sub(left);
    octets.get(from..).unwrap_or_default()
}
