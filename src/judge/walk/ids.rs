//! Which reply is the one to which request, where both have an id.

use super::{Observed, Reply, Walk};
use crate::lang::{Text, say};
use crate::model::{Doubt, Duty, Owes, Permitted, reader};
use crate::profile::{Profile, ReplyOrder};
use crate::spec::Clause;
use std::collections::VecDeque;

/// All replies, each with its id.
pub(super) fn pending<'a>(
    profile: &Profile,
    observed: &'a Observed,
) -> VecDeque<(Option<u64>, &'a Reply)> {
    let replies = profile.of_replies();
    let id = |reply: &Reply| reader::id_in(&replies, &reply.header);
    let all = observed.replies.iter();
    all.map(|reply| (id(reply), reply)).collect()
}

impl Walk<'_> {
    /// Which of the pending replies is the one to that duty: the next, unless replies come in any order. Then it is
    /// the one with its id, and if there is none, one with an id that no request had.
    pub(super) fn answering(&self, duty: &Duty) -> usize {
        let is_next = self.profile.reply_order() == ReplyOrder::Requests;
        if is_next || duty.id.is_none() {
            return 0;
        }
        let known = |id: Option<u64>| self.permitted.duties.iter().any(|duty| duty.id == id);
        let mut pending = self.pending.iter();
        let with_its_id = pending.position(|(id, _)| *id == duty.id);
        let of_nobody = || self.pending.iter().position(|(id, _)| !known(*id));
        let place = with_its_id.or_else(of_nobody);
        place.unwrap_or(self.pending.len())
    }

    /// A reply has the id of its request. A complaint about a header need not.
    pub(super) fn repeated(&mut self, duty: &Duty, id: Option<u64>) {
        let is_free = matches!(
            duty.owes,
            Owes::Close(_)
                | Owes::ReplyOrClose(Doubt::OddLength | Doubt::OverLimit | Doubt::Size(_))
        );
        if is_free || duty.id.is_none() || duty.id == id {
            return;
        }
        let (clause, whose) = self.whose_id(id);
        let digits = self.profile.id_width().saturating_mul(2);
        let hex = |id: Option<u64>| format!("{:0digits$x}", id.unwrap_or_default());
        let (asked, answered) = (hex(duty.id), hex(id));
        let what = say!(
            "the reply to the request \"{asked}\" has the id \"{answered}\", {whose}",
            asked,
            answered,
            whose
        );
        self.must(clause, what, duty);
    }

    /// Whose id it is that a reply has by mistake.
    fn whose_id(&self, id: Option<u64>) -> (Clause, Text) {
        let is_of = |permitted: &Permitted| permitted.duties.iter().any(|duty| duty.id == id);
        if is_of(self.permitted) {
            (Clause::Order, say!("that of another request"))
        } else if self.all.iter().any(is_of) {
            (
                Clause::Crosstalk,
                say!("that of a request of another connection"),
            )
        } else {
            (Clause::Order, say!("that of no request"))
        }
    }
}
