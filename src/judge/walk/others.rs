//! Replies to something else than what they are taken for, or earlier: to what has been answered, to another request, to another client.

use super::{Duty, Owes, Reply, Rest, Walk, excerpt};
use crate::lang::{Text, say};
use crate::model::{Carried, Doubt, Tail};
use crate::profile::ReplyOrder;
use crate::spec::Clause;

impl Walk<'_> {
    /// Whether the server answered a header over the limit before the body was whole, as the profile has it.
    pub(super) fn header_was_answered(&self, unmet: Option<&Duty>) -> bool {
        let start = match (unmet, self.permitted.tail) {
            (Some(duty), _) if duty.owes == Owes::ReplyOrClose(Doubt::OverLimit) => duty.start,
            (
                None,
                Tail::Inside {
                    start,
                    may_answer: true,
                    ..
                },
            ) => start,
            _ => return false,
        };
        let first = self.pending.front().map(|(_, reply)| reply.first_entry);
        first.is_some_and(|first| self.observed.sent_before(first) >= self.header_end(start))
    }

    /// Whether the server said in its own way that it reads nothing more, where it could, and closed.
    pub(super) fn was_refused(&self) -> bool {
        let says_so = match &self.observed.rest {
            Rest::Malformed(_, octets) => self.profile.is_refusal(octets),
            _ => false,
        };
        let sent = self.observed.sent_in_all();
        let is_there = |start: usize| self.header_end(start) <= sent;
        let may = |duty: &Duty| matches!(duty.owes, Owes::Close(_) | Owes::ReplyOrClose(_));
        let mut duties = self.permitted.duties.iter();
        let in_tail = matches!(self.permitted.tail, Tail::Inside { start, may_close: true, .. } if is_there(start));
        let could = in_tail || duties.any(|duty| may(duty) && is_there(duty.start));
        says_so && could && (self.observed.close.is_some() || self.is_void())
    }

    /// Replies that came before the one to this duty and answer one that has been answered, in any other order than that
    /// of ids: those came twice.
    pub(super) fn pass_over_repeated(&mut self, duty: &Duty, carried: &Carried) {
        let is_in_order = self.profile.reply_order() == ReplyOrder::Requests;
        let is_own = |reply: &Reply| self.rule.answers(carried, reply.payload());
        let place = self.pending.iter().position(|(_, reply)| is_own(reply));
        let Some(before) = place.filter(|_| is_in_order) else {
            return;
        };
        let is_old = |(_, reply): &(_, &Reply)| self.is_answered_before(duty, reply.payload());
        if !self.pending.iter().take(before).all(is_old) {
            return;
        }
        for (_, reply) in self.pending.drain(..before).collect::<Vec<_>>() {
            let what = say!(
                "the reply {excerpt} came once more: its request had been answered",
                excerpt = excerpt(reply.payload())
            );
            self.must(Clause::OneReply, what, duty);
        }
    }

    /// A reply that came next, and can be told to answer what is owed none.
    pub(super) fn pass_over_undue(&mut self, duty: &Duty, carried: &Carried) {
        let place = self.answering(duty);
        let is_known = carried.token().is_some() && self.rule.tells_apart();
        let answers = |(_, reply): &(_, &Reply)| self.rule.answers(carried, reply.payload());
        if !is_known || !self.pending.get(place).is_some_and(answers) {
            return;
        }
        if let Some((_, reply)) = self.pending.remove(place) {
            let what = say!(
                "the reply {excerpt} is to a message that is owed none",
                excerpt = excerpt(reply.payload())
            );
            self.must(Clause::Unsolicited, what, duty);
        }
    }

    /// Whether it answers a request in front of that duty which can be told from others, as the reply did that this got.
    fn is_answered_before(&self, duty: &Duty, payload: &[u8]) -> bool {
        let mut earlier = self.permitted.duties.iter();
        let earlier = earlier
            .by_ref()
            .take_while(|earlier| earlier.start < duty.start);
        earlier
            .filter(|earlier| self.answered.contains(&earlier.start))
            .any(|earlier| {
                matches!(&earlier.owes, Owes::Reply(carried)
                if carried.token().is_some() && self.rule.answers(carried, payload))
            })
    }

    /// Whether it answers another request of this connection with all of its text, and not only with a part of this one's.
    pub(super) fn quotes_another(&self, carried: &Carried, payload: &[u8]) -> bool {
        let length = carried.text().map(str::len);
        self.permitted.duties.iter().any(|other| {
            matches!(&other.owes, Owes::Reply(other)
                if other.text() != carried.text() && other.text().map(str::len) >= length
                    && self.rule.answers(other, payload) && self.rule.keeps_text(other, payload))
        })
    }

    /// The request that a wrong reply answers, if it is another of the script's.
    pub(super) fn whose(&self, duty: &Duty, payload: &[u8]) -> (Clause, Text) {
        for (conn, permitted) in self.all.iter().enumerate() {
            for other in &permitted.duties {
                let Owes::Reply(carried) = &other.owes else {
                    continue;
                };
                let itself = conn == self.conn && other.start == duty.start;
                let known = carried.token().is_some() && self.rule.answers(carried, payload);
                if itself || !known {
                    continue;
                }
                return if conn == self.conn {
                    (
                        Clause::Order,
                        say!("answers another request of this connection"),
                    )
                } else {
                    (
                        Clause::Crosstalk,
                        say!("answers a request of another connection"),
                    )
                };
            }
        }
        if self.rule.is_of_the_canary(payload) {
            return (
                Clause::Crosstalk,
                say!("answers a request of the healthy client beside it"),
            );
        }
        (Clause::Fidelity, say!("is not the answer to this request"))
    }

    /// Whether the first of so many replies that nothing asked for answers what another connection asked.
    pub(super) fn is_anothers(&self, extra: usize) -> bool {
        let is_of = |conn: usize, payload: &[u8]| {
            let permitted = self.all.get(conn).filter(|_| conn != self.conn);
            let mut duties = permitted
                .into_iter()
                .flat_map(|permitted| &permitted.duties);
            duties.any(|duty| {
                matches!(&duty.owes, Owes::Reply(carried)
                    if carried.token().is_some() && self.rule.answers(carried, payload))
            })
        };
        let first = self
            .pending
            .front()
            .filter(|_| extra > 0 && self.rule.tells_apart());
        first.is_some_and(|(_, reply)| {
            let payload = reply.payload();
            self.rule.is_of_the_canary(payload)
                || (0..self.all.len()).any(|conn| is_of(conn, payload))
        })
    }
}
