//! Connections that do not get to frames: because the server did not follow the prologue, or because the script did not.

use super::{Walk, excerpt};
use crate::judge::Finding;
use crate::judge::frame_log::FrameLog;
use crate::lang::say;
use crate::model::NoSession;
use crate::model::prologue::behind_turns;
use crate::script::OwnEnd;
use crate::spec::Clause;
use bytes::Bytes;

impl Walk<'_> {
    /// Whether nothing on the connection is a request; what is wrong with that is found here.
    pub(super) fn is_unbegun(&mut self) -> bool {
        if let Some(why) = &self.observed.not_begun {
            let what = say!("the server did not follow the prologue: \"{why}\"", why);
            self.findings
                .push(Finding::must(Clause::Prologue, self.conn, what));
            return true;
        }
        let Some(none) = &self.permitted.no_session else {
            return false;
        };
        self.answered_all_the_same(none);
        self.left_open(none);
        true
    }

    fn answered_all_the_same(&mut self, none: &NoSession) {
        let replies = self.replies_behind_turns();
        let is_undue = |reply: &&Vec<u8>| {
            let mut undue = none.undue.iter();
            undue.any(|carried| self.rule.is_surely_answer(carried, reply))
        };
        if let Some(reply) = replies.iter().find(is_undue) {
            let what = say!(
                "{why}, and the request behind it was answered: {excerpt}",
                why = none.why,
                excerpt = excerpt(reply)
            );
            self.findings
                .push(Finding::must(Clause::Prologue, self.conn, what));
        }
    }

    /// The payloads of all frames in what came, wherever the server's part of the prologue may have ended.
    fn replies_behind_turns(&self) -> Vec<Vec<u8>> {
        let octets = Bytes::from(self.observed.received.concat());
        let behind = behind_turns(self.profile, &octets).into_iter();
        let replies = behind.flat_map(|at| {
            let mut frames = FrameLog::new(&self.profile.of_replies());
            frames.push(0, &octets.slice(at.min(octets.len())..));
            frames.into_whole()
        });
        replies.map(|reply| reply.payload().to_vec()).collect()
    }

    fn left_open(&mut self, none: &NoSession) {
        if !self.is_still_open() {
            return;
        }
        let why = none.why;
        let finding = match self.observed.own_end {
            Some((_, OwnEnd::Fin)) => Finding::must(
                Clause::Prologue,
                self.conn,
                say!(
                    "{why}: the connection should have been closed when the client ended its stream, and {still_open}",
                    why,
                    still_open = self.still_open()
                ),
            ),
            _ => Finding::must(
                Clause::Prologue,
                self.conn,
                say!(
                    "{why}: neither an error nor a close, {still_open}",
                    why,
                    still_open = self.still_open()
                ),
            )
            .should(),
        };
        self.findings.push(finding);
    }
}
