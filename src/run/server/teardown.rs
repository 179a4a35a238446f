//! The end of a script: what it left open is ended, and it is found out how the server fares.

use super::company::{Beside, Company};
use super::session::{HeldCanary, Session};
use crate::lang::Hole;
use crate::model::Tail;
use crate::script::Conn;
use crate::transcript;

impl Session<'_> {
    /// Ends what is still open, and gives the canary back if it was served to the end. Only where it was not,
    /// or nothing was to be seen of it, a new client finds out how the server fares.
    pub(super) async fn teardown_beside(&mut self, held: &mut HeldCanary) -> transcript::Canary {
        if !self.sing().await || self.conns.iter().any(Option::is_none) {
            return self.teardown().await;
        }
        self.end_all().await;
        if let Some(Beside::Own(canary)) = self.canary.take() {
            held.0 = Some(*canary);
        }
        transcript::Canary::Well
    }

    async fn end_all(&mut self) {
        for conn in 0..self.conns.len() {
            self.part(conn).await;
        }
    }

    /// Ends what is still open, and finds out how the server fares.
    pub(super) async fn teardown(&mut self) -> transcript::Canary {
        if self.canary.is_some() {
            self.sing().await;
        }
        self.end_all().await;
        if let Some(Beside::Own(canary)) = self.canary.take() {
            self.peer.let_go(*canary);
        }
        let health = self.peer.health().await;
        self.told_of(health)
    }

    /// Ends what is still open, and finds out together with others how the server fares: the canary that is there
    /// already, and at the same time a new client.
    pub(super) async fn teardown_in(&mut self, company: &Company) -> transcript::Canary {
        self.end_all().await;
        let peer = self.peer;
        let (health, _) = tokio::join!(company.health(peer), self.sing());
        self.told_of(health)
    }

    fn told_of(&mut self, health: transcript::Canary) -> transcript::Canary {
        match (health, self.trouble.take()) {
            (transcript::Canary::Well, Some(trouble)) => {
                transcript::Canary::Disturbed(trouble.text())
            }
            (health, _) => health,
        }
    }

    /// Ends a connection that the script left open, without noting anything more. Between frames the
    /// server is given a moment to end it too. Inside a frame, and where something owed did not come,
    /// it is reset: there an end of the stream would be one more trial.
    async fn part(&mut self, conn: Conn) {
        let Some(live) = self.conns.get_mut(conn).and_then(Option::take) else {
            return;
        };
        if self.is_between_frames(conn) && !self.peer.spins {
            live.end_quietly(self.peer.pace.parting()).await;
        } else {
            live.rst().await;
        }
    }

    fn is_between_frames(&self, conn: Conn) -> bool {
        self.permitted.get(conn).is_some_and(|permitted| {
            let sent_all = self.log.now(conn).sent == self.script.stream(conn).len();
            permitted.tail == Tail::Boundary && sent_all && self.is_settled(conn, permitted)
        })
    }
}
