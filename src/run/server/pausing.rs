//! Doing nothing in a script: silence, pauses, and readings of the process.

use super::pace::SILENT_ROUND_TRIPS;
use super::session::Session;
use crate::peer::connection::Connection;
use crate::script::Conn;
use crate::transcript::{Sample, Seen};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long the canary asks for nothing in a long pause.
const CANARY_IDLE: Duration = Duration::from_secs(1);

impl Session<'_> {
    /// Lets the canary be served while nothing may come here. By the first round trip the server has found
    /// what was sent; what it does about that after a while it has done by the last.
    pub(super) async fn quiet(&mut self, conn: Conn) {
        let slack = self.peer.pace.slack();
        let mut sung = u32::from(self.sing().await);
        sleep(slack).await;
        while sung < SILENT_ROUND_TRIPS && self.sing().await {
            sung = sung.saturating_add(1);
        }
        if sung < SILENT_ROUND_TRIPS {
            // Nobody was there to be served: time alone has to do.
            sleep(slack.saturating_mul(3)).await;
        }
        self.log.note(conn, Seen::Silent { round_trips: sung });
    }

    /// A pause has served its purpose when the server has ended every connection. The canary is served
    /// now and then meanwhile: how long a client may be idle is not what a script's pauses ask.
    pub(super) async fn pause(&mut self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let part = left.min(CANARY_IDLE);
            if timeout(part, self.all_over()).await.is_ok() {
                return;
            }
            left = left.saturating_sub(part);
            if !left.is_zero() {
                self.sing().await;
            }
        }
    }

    async fn all_over(&self) {
        loop {
            let changed = self.log.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let open = |(conn, live): (usize, &Option<Connection>)| {
                live.is_some() && !self.log.now(conn).is_over
            };
            if !self.conns.is_empty() && !self.conns.iter().enumerate().any(open) {
                return;
            }
            changed.await;
        }
    }

    /// Reads the process once it has come to rest.
    pub(super) async fn sample(&mut self, name: &str) {
        let Some(process) = self.peer.process else {
            return;
        };
        self.sing().await;
        let reading = process.settled().await;
        if let Some(reading) = reading {
            let (name, at) = (name.to_owned(), self.log.elapsed());
            self.samples.push(Sample { name, at, reading });
        }
    }
}
