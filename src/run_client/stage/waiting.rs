//! What is waited for in a play, and how long.
//!
//! Each wait ends as soon as it is met, as nothing can meet it any more, or as its time is up. In the last
//! case it is noted what was waited for in vain.

use super::super::log::State;
use super::Stage;
use crate::client_cases::{Fate, Line, Seen, Wanted};
use crate::peer::clock::TurnClock;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::{Duration, Instant};

/// How long a client that need not notice at once is left alone before it wants to send.
const LEFT_ALONE: Duration = Duration::from_millis(400);

/// How often a client's process is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(15);

impl Stage<'_> {
    pub(super) async fn request(&mut self) -> ControlFlow<()> {
        let before = self.asked;
        self.asked = before.saturating_add(1);
        let asked = self.asked;
        let limit = if before == 0 {
            self.patience.first
        } else {
            self.patience.reaction
        };
        let begun = Instant::now();
        let met = |state: &State| {
            state.requests >= asked || state.is_malformed || state.is_over() || state.fin
        };
        let was_met = self.progressing(limit, met).await;
        let came = self.log.now(|state| state.requests >= asked);
        match (came, was_met) {
            (true, _) => Continue(()),
            (false, true) if self.log.now(|state| !state.is_malformed) => {
                self.hear_the_last().await;
                Break(())
            }
            _ => self.give_up(Wanted::Request(before), begun),
        }
    }

    /// Waits like [`Log::until`]; once something has come, only as long as more of it does.
    async fn progressing(&self, limit: Duration, met: impl Fn(&State) -> bool) -> bool {
        let begun = Instant::now();
        loop {
            let received = self.log.now(|state| state.received);
            let left = limit.saturating_sub(begun.elapsed());
            let step = if received > 0 {
                left.min(self.patience.reaction)
            } else {
                left
            };
            let moved = |state: &State| met(state) || state.received > received;
            if !self.log.until(step, moved).await {
                return false;
            }
            if self.log.now(&met) {
                return true;
            }
        }
    }

    /// What a client that is gone has said may still be on its way.
    pub(super) async fn hear_the_last(&self) {
        if self.child.is_some() {
            self.log.until(self.patience.reaction, State::is_gone).await;
        }
    }

    /// Waits for the texts so far. That they do not come is found by the judge.
    pub(super) async fn shown(&mut self) -> ControlFlow<()> {
        let due: Vec<_> = self
            .play
            .texts
            .iter()
            .filter(|text| text.due <= self.sent && !matches!(text.fate, Fate::Hidden(_)))
            .collect();
        let optional = due.iter().any(|text| text.fate == Fate::ShownUnlessEnded);
        let had_fin = self.had_fin;
        let met = |state: &State| {
            let is_hopeless = state.is_gone() || (optional && state.fin && !had_fin);
            is_hopeless || {
                let output = String::from_utf8_lossy(&state.output);
                due.iter().all(|text| text.find(&output, 0).is_some())
            }
        };
        let begun = Instant::now();
        if self.log.until(self.patience.reaction, met).await {
            Continue(())
        } else {
            self.give_up(Wanted::Shown, begun)
        }
    }

    /// Waits until the client has ended the connection or itself; with a line, until it has done so
    /// upon wanting to send that at the latest.
    pub(super) async fn ended(&mut self, line: Option<&Line>) -> ControlFlow<()> {
        let had_fin = self.had_fin;
        let ended = move |state: &State| state.is_over() || (state.fin && !had_fin);
        let begun = Instant::now();
        let limit = match line {
            Some(_) => self.left_alone(),
            None => self.patience.reaction,
        };
        let mut has_ended = self.watched(limit, ended).await;
        if let (false, Some(line)) = (has_ended, line) {
            self.types(line).await;
            has_ended = self.watched(self.patience.reaction, ended).await;
        }
        if !has_ended {
            return self.give_up(Wanted::End, begun);
        }
        self.see_it_die().await;
        Continue(())
    }

    pub(super) fn left_alone(&self) -> Duration {
        let stretched = LEFT_ALONE.saturating_mul(self.patience.stretch);
        stretched.min(self.patience.reaction)
    }

    /// The connections of a process that dies end a moment before it does. How it dies matters.
    async fn see_it_die(&self) {
        if self.child.is_some()
            && self
                .log
                .until(self.left_alone(), |state| state.exited)
                .await
        {
            self.hear_the_last().await;
        }
    }

    /// Waits like [`Log::until`], and looks at the process meanwhile.
    async fn watched(&self, limit: Duration, met: impl Fn(&State) -> bool) -> bool {
        let begun = Instant::now();
        let before = self.reading().await;
        let (mut resident, mut address_space) = (0, 0);
        let mut clock = TurnClock::by(LOOK);
        let is_met = loop {
            if self.log.until(LOOK.min(limit), &met).await {
                break true;
            }
            if clock.turn() >= limit {
                break false;
            }
            if let (Some(weight), Some(now)) = (self.weight, self.reading().await) {
                resident = now.resident.saturating_sub(weight.resident).max(resident);
                let space = now.virtual_size.saturating_sub(weight.virtual_size);
                address_space = space.max(address_space);
            }
        };
        if self.play.weighs && address_space > 0 {
            self.log.note(Seen::Grew {
                resident,
                address_space,
            });
        }
        if !is_met {
            self.used(before, begun).await;
        }
        is_met
    }

    /// Waits until the client has noticed that the connection was reset.
    pub(super) async fn noticed(&mut self, line: &Line) -> ControlFlow<()> {
        let begun = Instant::now();
        let (said, connections) = self.log.now(|state| (state.said, state.connections));
        let sockets = self.weight.map(|weight| weight.sockets);
        let mut how = self
            .notice(self.left_alone(), said, connections, sockets)
            .await;
        if how.is_none() {
            self.types(line).await;
            let limit = self.patience.reaction;
            how = self.notice(limit, said, connections, sockets).await;
        }
        let Some(how) = how else {
            return self.give_up(Wanted::Notice, begun);
        };
        self.log.note(Seen::Noticed(how));
        self.see_it_die().await;
        Continue(())
    }

    async fn notice(
        &self,
        limit: Duration,
        said: usize,
        connections: usize,
        sockets: Option<u64>,
    ) -> Option<&'static str> {
        let begun = Instant::now();
        let before = self.reading().await;
        let met =
            |state: &State| state.exited || state.connections > connections || state.said > said;
        while begun.elapsed() < limit {
            if self.log.until(LOOK, met).await {
                return Some(self.log.now(|state| {
                    if state.exited {
                        "it ended"
                    } else if state.connections > connections {
                        "it connected again"
                    } else {
                        "it said something"
                    }
                }));
            }
            if let (Some(before), Some(now)) = (sockets, self.reading().await)
                && now.sockets < before
            {
                return Some("it closed the socket");
            }
        }
        self.used(before, begun).await;
        None
    }
}
