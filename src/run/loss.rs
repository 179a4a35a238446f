//! What is done when the server is gone, or hangs.
//!
//! Whatever was being played then is suspected. If there is a server again, be it that it came back by
//! itself or that it could be started anew, each suspect is played at it alone, and the one that it does
//! not survive is named; the others get the verdict that they deserve. If there is none, the suspect is
//! named that was the last to send something before the first sign of the end.

use super::plan::Planned;
use super::played::{Played, tries};
use super::schedule::Run;
use crate::event::Verdict;
use crate::transcript::{Canary, Exit};
use std::time::Duration;

impl Run<'_> {
    /// The server was lost while these were played.
    pub(super) async fn server_lost(&mut self, mut lost: Vec<Played>) {
        let ended = self.host.ended().await;
        for played in &mut lost {
            self.hear(played);
        }
        // The likeliest comes last.
        lost.sort_by_key(|played| played.last_sent);
        if self.comes_back(ended).await {
            self.find_culprit(lost, ended).await;
        } else {
            self.end(lost, ended);
        }
    }

    /// It was lost while this was played alone.
    pub(super) async fn lost_again(&mut self, played: &mut Played) {
        let ended = self.host.ended().await;
        self.hear(played);
        charge(played, ended);
        let is_back = if self.host.can_be_revived() {
            self.revive().await
        } else {
            self.peer.comes_back().await
        };
        // Nobody else was there to have done it.
        played.is_certain = ended.is_some() || !is_back;
        if !is_back {
            self.gone = Some(self.gone_after(&played.planned));
        }
    }

    async fn find_culprit(&mut self, mut lost: Vec<Played>, ended: Option<Exit>) {
        let (mut cleared, mut found) = (Vec::new(), false);
        while let Some(first) = lost.pop() {
            if let Some(why) = &self.gone {
                let why = format!("not finished: {why}");
                self.teller.without(first.planned.case, Verdict::Skip, why);
                continue;
            }
            let mut again = tries(&self.peer.stretched(), first.planned.clone(), 1).await;
            if again.server_is_gone() {
                found = true;
                self.lost_again(&mut again).await;
                self.tell(first.followed_by(again));
            } else {
                cleared.push((first, again));
            }
        }
        let mut cleared = cleared.into_iter();
        if !found && let Some((mut likeliest, again)) = cleared.next() {
            charge(&mut likeliest, ended);
            self.suspects.push(likeliest.followed_by(again));
        }
        for (first, mut again) in cleared {
            again.elapsed = again.elapsed.saturating_add(first.elapsed);
            self.take(again);
        }
    }

    fn end(&mut self, mut lost: Vec<Played>, ended: Option<Exit>) {
        let Some(mut culprit) = lost.pop() else {
            return;
        };
        let why = self.gone_after(&culprit.planned);
        for other in lost {
            let why = format!("not finished: {why}");
            self.teller.without(other.planned.case, Verdict::Skip, why);
        }
        charge(&mut culprit, ended);
        culprit.is_certain = true;
        self.gone = Some(why);
        self.tell(culprit);
        for played in std::mem::take(&mut self.suspects) {
            self.tell(played);
        }
    }

    /// Whether there is a server again.
    async fn comes_back(&mut self, ended: Option<Exit>) -> bool {
        if ended.is_some() {
            return self.revive().await;
        }
        if self.host.can_be_revived() {
            // It need not be waited for any longer than it takes to ask once more.
            return self.peer.comes_back_within(Duration::ZERO).await || self.revive().await;
        }
        self.peer.comes_back().await
    }

    /// Starts the server anew, if it was started here, and finds out whether it serves.
    async fn revive(&mut self) -> bool {
        self.start_anew().await && matches!(self.peer.health().await, Canary::Well)
    }

    /// Starts the server anew, if it was started here. Nobody has been its client yet.
    pub(super) async fn start_anew(&mut self) -> bool {
        match self.host.revive().await {
            None => false,
            Some(Ok(place)) => {
                self.peer.move_to(place);
                true
            }
            Some(Err(error)) => {
                self.not_revived = Some(error.to_string());
                false
            }
        }
    }

    pub(super) fn gone_after(&self, planned: &Planned) -> String {
        let gone = format!("the server was gone after {}", planned.case.id);
        match &self.not_revived {
            Some(why) => format!("{gone}, and when it was to be started again, {why}"),
            None => gone,
        }
    }

    fn hear(&self, played: &mut Played) {
        if let Some(stderr) = &self.peer.stderr {
            played.hear(stderr);
        }
    }
}

/// Charges a case with the loss of the server.
fn charge(played: &mut Played, ended: Option<Exit>) {
    let what = match (ended, &played.attempt.transcript.canary) {
        (Some(ended), _) => format!("the server {ended}"),
        (None, Canary::Mute(how)) => {
            format!("the server no longer serves anybody: a new client {how}")
        }
        (None, Canary::Dead(how)) => format!("the server is gone: a new client {how}"),
        (None, _) => "the server is gone".to_owned(),
    };
    played.attempt.charge(played.planned.case, what);
    played.attempts.failed = played.attempts.failed.max(1);
}
