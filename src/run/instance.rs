//! One instance of the peer: what scripts are played at, and how it is had anew.
//!
//! A run plays its cases at one. Where more can be had, failures are confirmed at others, each of which has been
//! through nothing before.

use super::peer::Peer;
use super::plan::Planned;
use super::played::{Once, once};
use super::target::Target;
use super::time::Time;
use crate::event::Role;
use crate::lang::{Hole as _, Text, say};
use crate::transcript::Exit;
use std::borrow::BorrowMut;
use std::time::Duration;

/// One instance of the peer, and how it is had anew: `T` is the target, or a borrow of it.
#[derive(Debug)]
pub(super) struct Instance<T> {
    pub(super) peer: Peer,
    target: T,
    /// Whether nothing has been played at it since it was started.
    is_fresh: bool,
    /// Why it could not be started again, if that was tried in vain.
    not_revived: Option<Text>,
    /// Why nothing more can be played at it, if that is so.
    pub(super) gone: Option<Text>,
}

impl<T: BorrowMut<Target>> Instance<T> {
    /// The one that the first look has met.
    pub(super) const fn met(peer: Peer, target: T) -> Self {
        Self {
            peer,
            target,
            is_fresh: false,
            not_revived: None,
            gone: None,
        }
    }

    /// Another of the same, which is still to be started if it is a server; `None` if there can be only one.
    pub(super) fn another(&self) -> Option<Instance<Target>> {
        let target = self.target.borrow().another()?;
        Some(Instance::met(self.peer.elsewhere(), target))
    }

    pub(super) fn role(&self) -> Role {
        self.target.borrow().role()
    }

    pub(super) fn can_be_revived(&self) -> bool {
        self.target.borrow().can_be_revived()
    }

    /// How its process came to its end, if it was started here to last, and has ended or is about to.
    pub(super) async fn ended(&mut self) -> Option<Exit> {
        self.target.borrow_mut().ended().await
    }

    /// Starts it anew, if it is a server that is started here. Nobody has been its client yet.
    pub(super) async fn start_anew(&mut self) -> bool {
        match self.target.borrow_mut().revive(&mut self.peer).await {
            None => false,
            Some(Ok(())) => {
                self.is_fresh = true;
                true
            }
            Some(Err(error)) => {
                self.not_revived = Some(error.text());
                false
            }
        }
    }

    /// Starts it anew if it can be, and finds out whether it serves.
    pub(super) async fn revive(&mut self) -> bool {
        self.start_anew().await && self.peer.serves().await
    }

    /// Sees to it that nothing has been played at it; whether that is so, or cannot be had.
    pub(super) async fn is_made_fresh(&mut self) -> bool {
        self.is_fresh || !self.can_be_revived() || self.start_anew().await
    }

    /// Sees to it that it is not at work any more on what was played at it; whether that is so, or cannot be had.
    pub(super) async fn is_made_calm(&mut self) -> bool {
        match self.peer.process() {
            Some(process) if !self.is_fresh && process.is_at_rest().await => true,
            _ => self.is_made_fresh().await,
        }
    }

    /// Whether there is a server again, after its process has ended in that way or it has stopped to answer.
    pub(super) async fn comes_back(&mut self, ended: Option<Exit>) -> bool {
        if ended.is_some() {
            return self.revive().await;
        }
        if self.can_be_revived() {
            // It need not be waited for any longer than it takes to ask once more.
            return self.peer.comes_back_within(Duration::ZERO).await || self.revive().await;
        }
        self.peer.comes_back().await
    }

    /// Plays a case once more, alone and with more time for everything; `None` if there is no time left, or
    /// the peer cannot be started.
    pub(super) async fn again(&mut self, planned: Planned, time: Time) -> Option<Once> {
        self.is_fresh = false;
        let peer = self.peer.stretched();
        let played = time.within(once(&peer, planned)).await;
        played?.ok()
    }

    /// Why nothing more can be played, after a case that it was gone after.
    pub(super) fn gone_after(&self, planned: &Planned) -> Text {
        let gone = say!(
            "the server was gone after {id}",
            id = planned.case.id.to_string()
        );
        match &self.not_revived {
            Some(why) => say!(
                "{gone}, and when it was to be started again, {why}",
                gone,
                why
            ),
            None => gone,
        }
    }

    pub(super) fn take_up_stderr(&self, once: &mut Once) {
        if let Some(stderr) = self.peer.stderr() {
            once.take_up(stderr);
        }
    }
}
