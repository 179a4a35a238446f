//! Crash attribution: which case it was, when the server is gone or hangs.
//!
//! Whatever was being played then is suspected. If there is a server again, be it that it came back by
//! itself or that it could be started anew, each suspect is played at it alone, and the one that it does
//! not survive is named; the others get the verdict that they deserve. If there is none, the suspect is
//! named that was the last to send something before the first sign of the end.

use super::instance::Instance;
use super::played::{Once, Played};
use super::schedule::Run;
use super::target::Target;
use crate::event::Verdict;
use crate::lang::say;
use crate::outcome::{Judged as _, Series};
use crate::transcript::{Canary, Exit};
use std::borrow::BorrowMut;

impl Run<'_> {
    /// The server crashed, or hangs, since these were played side by side.
    pub(super) async fn attribute_crash(&mut self, mut suspects: Vec<Played>) {
        let ended = self.at.ended().await;
        let at = &self.at;
        for played in &mut suspects {
            played.amend(|once| at.take_up_stderr(once));
        }
        // The likeliest comes last.
        suspects.sort_by_key(|played| played.shown().last_sent);
        if self.at.comes_back(ended).await {
            self.find_culprit(suspects, ended).await;
        } else {
            self.end(suspects, ended);
        }
    }

    /// Plays each suspect again, at a server that is there again.
    async fn find_culprit(&mut self, mut suspects: Vec<Played>, ended: Option<Exit>) {
        let (mut cleared, mut found) = (Vec::new(), false);
        while let Some(mut first) = suspects.pop() {
            if let Some(why) = &self.at.gone {
                let why = say!("not finished: {why}", why);
                let case = first.shown().planned.case;
                self.sink.without_play(case.into(), Verdict::Skip, why);
                continue;
            }
            let planned = first.shown().planned.clone();
            let Some(mut again) = self.at.again(planned, self.time).await else {
                continue;
            };
            if again.peer_is_gone() {
                found = true;
                self.at.crashed_alone(&mut again).await;
                first.confirmed(again);
                self.tell(&first);
            } else {
                cleared.push((first, again));
            }
        }
        let mut cleared = cleared.into_iter();
        if !found && let Some((mut likeliest, again)) = cleared.next() {
            likeliest.amend(|once| {
                charge(once, ended);
                // It may take more than one of them to end it, but end it did.
                once.attempt.is_certain = ended.is_some();
            });
            likeliest.confirmed(again);
            self.wait_for_confirmation(likeliest);
        }
        for (first, mut again) in cleared {
            let elapsed = &mut again.attempt.elapsed;
            *elapsed = elapsed.saturating_add(first.elapsed());
            self.take(Series::of(again));
        }
    }

    /// Ends the run, as there is no server any more.
    fn end(&mut self, mut suspects: Vec<Played>, ended: Option<Exit>) {
        let Some(mut culprit) = suspects.pop() else {
            return;
        };
        let why = self.at.gone_after(&culprit.shown().planned);
        for other in suspects {
            let why = say!("not finished: {why}", why);
            let case = other.shown().planned.case;
            self.sink.without_play(case.into(), Verdict::Skip, why);
        }
        culprit.amend(|once| {
            charge(once, ended);
            once.attempt.is_certain = true;
        });
        self.at.gone = Some(why);
        self.tell(&culprit);
        for suspect in std::mem::take(&mut self.suspects) {
            self.tell(&suspect.first);
        }
    }
}

impl<T: BorrowMut<Target>> Instance<T> {
    /// It crashed, or hangs, since this was played alone.
    pub(super) async fn crashed_alone(&mut self, once: &mut Once) {
        let ended = self.ended().await;
        self.take_up_stderr(once);
        charge(once, ended);
        let is_back = if self.can_be_revived() {
            self.revive().await
        } else {
            self.peer.comes_back().await
        };
        // Nobody else was there to have done it.
        once.attempt.is_certain = ended.is_some() || !is_back;
        if !is_back {
            self.gone = Some(self.gone_after(&once.planned));
        }
    }
}

/// Charges a case with the crash.
fn charge(once: &mut Once, ended: Option<Exit>) {
    let what = match (ended, once.attempt.canary()) {
        (Some(ended), _) => say!("the server {ended}", ended),
        (None, Canary::Mute(how)) => {
            say!(
                "the server no longer serves anybody: a new client {how}",
                how
            )
        }
        (None, Canary::Dead(how)) => say!("the server is gone: a new client {how}", how),
        (None, _) => say!("the server is gone"),
    };
    once.attempt.charge(once.planned.case, what);
}
