//! The server is gone: which script did it.

use super::workers::Outcome;
use super::{Attempts, Campaign, Found, Told};
use crate::event::FindingNote;
use crate::lang::say;
use crate::run::Player;
use crate::script::Script;
use crate::spec::{Clause, Level};

/// How often it is looked for what ended the server, or made it mute.
const MOST_CRASHES: u32 = 3;

impl Campaign<'_> {
    /// The server is gone, or serves no new client, since these were played side by side.
    pub(super) async fn crashed(&mut self, outcomes: Vec<Outcome>) {
        self.workers.rest();
        let ended = self.how_it_ended().await;
        let suspects = self.suspects(outcomes);
        let Some(likeliest) = suspects.first().cloned() else {
            return;
        };
        if !self.recovers().await {
            // A process closes its sockets before it is gone.
            let ended = match ended {
                Some(ended) => Some(ended),
                None => self.how_it_ended().await,
            };
            return self.tell_crash(likeliest, ended, Attempts { failed: 1, of: 1 });
        }
        if self.crashes >= MOST_CRASHES {
            return;
        }
        self.crashes = self.crashes.saturating_add(1);
        if !self.is_found_among(suspects).await {
            match ended {
                Some(_) => self.tell_crash(likeliest, ended, Attempts { failed: 1, of: 2 }),
                None => self.status.refuted = self.status.refuted.saturating_add(1),
            }
        }
    }

    /// How the server ended, if its process can be looked at and has.
    async fn how_it_ended(&mut self) -> Option<String> {
        match Player::ended(self.target).await {
            Some(exit) => Some(format!("the server {exit}")),
            None if self.player.process_has_ended() => {
                Some("the process of the server has ended".to_owned())
            }
            None => None,
        }
    }

    /// What was played last, the likeliest first.
    fn suspects(&self, mut outcomes: Vec<Outcome>) -> Vec<(u64, Script)> {
        outcomes.sort_by_key(|outcome| {
            let played = &outcome.played;
            std::cmp::Reverse((played.peer_is_gone(), played.last_sent()))
        });
        let now = outcomes
            .iter()
            .map(|outcome| (outcome.number, outcome.script.clone()));
        let is_now = |number: u64| outcomes.iter().any(|outcome| outcome.number == number);
        let before = self
            .recent
            .iter()
            .rev()
            .filter(|(number, _)| !is_now(*number));
        now.chain(before.cloned()).collect()
    }

    /// Plays them back, one after the other, until the server does not survive one. That is told.
    async fn is_found_among(&mut self, suspects: Vec<(u64, Script)>) -> bool {
        for (number, script) in suspects {
            let Ok(played) = self.hasty().play(&script, None).await else {
                return false;
            };
            if !played.peer_is_gone() {
                continue;
            }
            if !self.recovers().await {
                let attempts = Attempts { failed: 2, of: 2 };
                self.found(number, script, &played, attempts).await;
                return true;
            }
            let (mut attempts, shown) = self.confirm(&script).await;
            if let Some(shown) = shown.filter(|_| attempts.failed > 0) {
                attempts.failed = attempts.failed.saturating_add(1);
                attempts.of = attempts.of.saturating_add(1);
                self.found(number, script, &shown, attempts).await;
                return true;
            }
        }
        false
    }

    /// Tells of a crash that no script can be shown to have caused, or that cannot be tried again.
    fn tell_crash(
        &mut self,
        (number, script): (u64, Script),
        ended: Option<String>,
        attempts: Attempts,
    ) {
        let how =
            ended.unwrap_or_else(|| "the server is gone, and serves no new client".to_owned());
        let finding = FindingNote {
            clause: Clause::Isolation.to_string(),
            level: Level::Must,
            what: say!(
                "{how}; of what was played last, this is the likeliest to have done it",
                how
            ),
            conn: "a".to_owned(),
            frame: None,
        };
        if self.told.insert((finding.clause.clone(), how)) {
            self.status.findings = self.status.findings.saturating_add(1);
            (self.tell)(Told::Found(Box::new(Found {
                script,
                findings: vec![finding],
                attempts,
                smaller: String::new(),
                number,
            })));
        }
    }
}
