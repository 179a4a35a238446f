//! What is waited for while a script is played to a client, and how long.
//!
//! Each wait ends as soon as it is met, as nothing can meet it any more, or as its time is up. In the last
//! case it is noted what was waited for in vain.

use super::{CONN, Session};
use crate::judge::{Shows, found};
use crate::model::Owes;
use crate::peer::clock::TurnClock;
use crate::run::log::{Now, Program};
use crate::script::Awaited;
use crate::transcript::{Reading, Seen};
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::{Duration, Instant};

/// How long a client that need not notice at once is left alone before it wants to send.
const LEFT_ALONE: Duration = Duration::from_millis(400);

/// How often a client's process is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(15);

/// What part of the time that a reaction has had it is given once more to come late.
const LATE: u32 = 2;

/// Nothing can be sent to the client any more.
const fn is_over(now: Now, program: &Program) -> bool {
    now.rst || program.exited
}

impl Session<'_> {
    /// Waits for what the next `await` of the script is about.
    pub(super) async fn next_awaited(&mut self) -> ControlFlow<()> {
        let asking = self.permitted.asking.as_ref();
        let awaited = asking.and_then(|asking| asking.awaits.get(self.awaits).copied());
        self.awaits = self.awaits.saturating_add(1);
        match awaited {
            Some(Awaited::Request(before)) => self.request(before, false).await,
            Some(Awaited::RequestOrEnd(before)) => self.request(before, true).await,
            Some(Awaited::End) => self.ended().await,
            Some(Awaited::Notice) => self.noticed().await,
            Some(Awaited::Owed | Awaited::Connection | Awaited::Shown) | None => Continue(()),
        }
    }

    /// Whatever is still owed when the script is over is waited for, so that nothing is missed only because
    /// nobody waited.
    pub(super) async fn still_owed(&mut self) -> ControlFlow<()> {
        let shows_at_once = self.peer.traits.shows == Shows::AtOnce;
        match self.permitted.must_end() {
            Some(_) if self.has_reacted() => Continue(()),
            Some(_) if self.at_reset.is_some() => self.noticed().await,
            Some(_) => self.ended().await,
            None if shows_at_once => self.shown().await,
            None => Continue(()),
        }
    }

    /// Waits for one more request than `before`. Where the client may as well end, that will do.
    async fn request(&mut self, before: usize, may_end: bool) -> ControlFlow<()> {
        let asked = before.saturating_add(1);
        let limit = match before {
            0 => self.peer.patience.first,
            _ => self.peer.patience.reaction,
        };
        let begun = Instant::now();
        let met = |now: Now, program: &Program| {
            now.replies >= asked || now.is_garbled || is_over(now, program) || now.fin
        };
        let was_met = self.progressing(limit, met).await;
        let now = self.log.now(CONN);
        if now.replies >= asked {
            return Continue(());
        }
        if was_met && !now.is_garbled {
            self.hear_the_last().await;
            return Break(());
        }
        match may_end {
            true => self.give_up(Awaited::RequestOrEnd(before), begun),
            false => self.give_up(Awaited::Request(before), begun),
        }
    }

    /// Waits until something is met; once octets have come, only as long as more of them do.
    async fn progressing(&self, limit: Duration, met: impl Fn(Now, &Program) -> bool) -> bool {
        let begun = Instant::now();
        loop {
            let received = self.log.now(CONN).received;
            let left = limit.saturating_sub(begun.elapsed());
            let step = if received > 0 {
                left.min(self.peer.patience.reaction)
            } else {
                left
            };
            let moved = |now: Now, program: &Program| met(now, program) || now.received > received;
            if !self.log.until(step, moved).await {
                return false;
            }
            if self.log.client(&met) {
                return true;
            }
        }
    }

    /// What a client that is gone has said may still be on its way.
    pub(super) async fn hear_the_last(&self) {
        if self.program.is_some() {
            let limit = self.peer.patience.reaction;
            self.log.until(limit, |_, program| program.is_gone()).await;
        }
    }

    /// Waits for the texts so far. That they do not come is found by the judge.
    pub(super) async fn shown(&mut self) -> ControlFlow<()> {
        let begun = Instant::now();
        if self.shown_within(self.peer.patience.reaction).await {
            Continue(())
        } else {
            self.give_up(Awaited::Shown, begun)
        }
    }

    async fn shown_within(&self, limit: Duration) -> bool {
        let duties = self.permitted.duties.iter();
        let due: Vec<_> = duties
            .filter(|duty| duty.due <= self.sent)
            .filter_map(|duty| match &duty.owes {
                Owes::Showing(showing) => Some(showing),
                _ => None,
            })
            .collect();
        let optional = due.iter().any(|showing| showing.unless_ended);
        let had_fin = self.had_fin;
        let met = |now: Now, program: &Program| {
            let is_in_vain = program.is_gone() || (optional && now.fin && !had_fin);
            is_in_vain || {
                let output = String::from_utf8_lossy(&program.output);
                let is_there = |text: &str| found(text, &output, 0).is_some();
                due.iter().all(|showing| is_there(&showing.text))
            }
        };
        self.log.until(limit, met).await
    }

    /// What was waited for in vain may have been late only: it is given some more time, so that this can be
    /// told from what never comes. The script is over all the same.
    pub(super) async fn linger(&self) {
        let Some(missed) = self.missed else {
            return;
        };
        let limit = self
            .peer
            .patience
            .reaction
            .checked_div(LATE)
            .unwrap_or_default();
        let came = match missed {
            Awaited::Request(before) | Awaited::RequestOrEnd(before) => {
                let came = |now: Now, _: &Program| now.replies > before;
                self.log.until(limit, came).await
            }
            Awaited::Shown => self.shown_within(limit).await,
            Awaited::End => {
                let ended = |now: Now, program: &Program| self.has_ended(now, program);
                self.log.until(limit, ended).await
            }
            Awaited::Notice => self.notice(limit).await.is_some(),
            Awaited::Connection | Awaited::Owed => false,
        };
        if came {
            self.log.note(CONN, Seen::CameLate);
        }
    }

    /// Whether the client has ended, or noticed that the connection was reset: what it has to do in the
    /// end it has done.
    pub(super) fn has_reacted(&self) -> bool {
        if self.at_reset.is_some() {
            return self.has_noticed().is_some();
        }
        let may_end = self.may_end();
        self.log.client(|now, program| {
            is_over(now, program) || (may_end && self.has_ended(now, program))
        })
    }

    /// Whether the client has reason to end the connection by now.
    fn may_end(&self) -> bool {
        let mut duties = self.permitted.duties.iter();
        let is_refused = duties.any(|duty| match duty.owes {
            Owes::Close(_) | Owes::ReadOnOrEnd(_) => duty.due <= self.sent,
            _ => false,
        });
        is_refused || self.log.now(CONN).fin_sent
    }

    /// Whether the client has ended the connection or itself since the script last did something.
    fn has_ended(&self, now: Now, program: &Program) -> bool {
        is_over(now, program) || (now.fin && !self.had_fin)
    }

    /// Gives the client time to end the connection, or to notice that it was reset.
    pub(super) async fn settle(&mut self) {
        let limit = self.left_alone();
        if self.at_reset.is_some() {
            self.notice(limit).await;
            return;
        }
        let ended = |now: Now, program: &Program| self.has_ended(now, program);
        if self.permitted.must_end().is_some() {
            self.watched(limit, ended).await;
        } else {
            self.log.until(limit, ended).await;
        }
    }

    /// Waits until the client has ended the connection or itself.
    async fn ended(&mut self) -> ControlFlow<()> {
        let ended = |now: Now, program: &Program| self.has_ended(now, program);
        let begun = Instant::now();
        if !self.watched(self.peer.patience.reaction, ended).await {
            return self.give_up(Awaited::End, begun);
        }
        self.see_it_die().await;
        Continue(())
    }

    fn left_alone(&self) -> Duration {
        let stretched = LEFT_ALONE.saturating_mul(self.peer.patience.stretch);
        stretched.min(self.peer.patience.reaction)
    }

    /// The connections of a process that dies end a moment before it does. How it dies matters.
    async fn see_it_die(&self) {
        let exited = self.program.is_some()
            && self
                .log
                .until(self.left_alone(), |_, program| program.exited)
                .await;
        if exited {
            self.hear_the_last().await;
        }
    }

    /// Waits until something is met, and looks at the process meanwhile.
    async fn watched(&self, limit: Duration, met: impl Fn(Now, &Program) -> bool) -> bool {
        let begun = Instant::now();
        let at_first = self.reading().await;
        let mut most = Growth::default();
        let mut clock = TurnClock::by(LOOK);
        let is_met = loop {
            if self.log.until(LOOK.min(limit), &met).await {
                break true;
            }
            if clock.turn() >= limit {
                break false;
            }
            if let (Some(before), Some(now)) = (&self.before, self.reading().await) {
                most.note(before, &now);
            }
        };
        most.tell(self);
        if !is_met {
            self.note_used(at_first, begun).await;
        }
        is_met
    }

    /// Waits until the client has noticed that the connection was reset.
    async fn noticed(&mut self) -> ControlFlow<()> {
        let begun = Instant::now();
        match self.notice(self.peer.patience.reaction).await {
            None => self.give_up(Awaited::Notice, begun),
            Some(how) => {
                self.log.note(CONN, Seen::Noticed(how));
                self.see_it_die().await;
                Continue(())
            }
        }
    }

    async fn notice(&self, limit: Duration) -> Option<&'static str> {
        let begun = Instant::now();
        let at_first = self.reading().await;
        let mut clock = TurnClock::by(LOOK);
        loop {
            let how = self.has_noticed();
            if how.is_some() {
                return how;
            }
            if self.has_fewer_sockets().await {
                return Some("it closed the socket");
            }
            if clock.turn() >= limit {
                break;
            }
            let (at, log) = (self.at_reset, &self.log);
            log.until(LOOK, |_, program| noticed_by(at, program).is_some())
                .await;
        }
        self.note_used(at_first, begun).await;
        None
    }

    fn has_noticed(&self) -> Option<&'static str> {
        self.log
            .client(|_, program| noticed_by(self.at_reset, program))
    }

    async fn has_fewer_sockets(&self) -> bool {
        let before = self.at_reset.and_then(|at| at.sockets);
        let now = self.reading().await;
        before
            .zip(now)
            .is_some_and(|(before, now)| now.sockets < before)
    }
}

fn noticed_by(at_reset: Option<super::AtReset>, program: &Program) -> Option<&'static str> {
    let before = at_reset?;
    if program.exited {
        Some("it ended")
    } else if program.more_connections > before.more_connections {
        Some("it connected again")
    } else if program.said > before.said {
        Some("it said something")
    } else {
        None
    }
}

/// The most memory that a process was seen to take.
#[derive(Debug, Default)]
struct Growth {
    resident: u64,
    address_space: u64,
}

impl Growth {
    fn note(&mut self, before: &Reading, now: &Reading) {
        let resident = now.resident.saturating_sub(before.resident);
        let space = now.virtual_size.saturating_sub(before.virtual_size);
        self.resident = self.resident.max(resident);
        self.address_space = self.address_space.max(space);
    }

    fn tell(&self, session: &Session<'_>) {
        if self.address_space > 0 {
            let (resident, address_space) = (self.resident, self.address_space);
            session.log.note(
                CONN,
                Seen::Grew {
                    resident,
                    address_space,
                },
            );
        }
    }
}
