//! Datagrams: each is answered by itself, and replies come in whatever order.

use super::{Close, Reply, ReplyRule, Walk, excerpt};
use crate::judge::Finding;
use crate::lang::{self, Text, say};
use crate::model::{Doubt, Duty, Owes, Unsure};
use crate::spec::Clause;

/// So many datagrams more than were sent are no accident.
const SURPLUS: usize = 64;

/// A datagram that was sent, and the entry that says so.
type Sent<'a> = (&'a Duty, usize);

impl<'a> Walk<'a> {
    pub(super) fn run_apart(&mut self) {
        if self.floods() {
            return;
        }
        for reply in &self.observed.replies {
            self.form(reply);
        }
        self.strays();
        let sent: Vec<Sent<'a>> = match *self.rule {
            ReplyRule::None => Vec::new(),
            _ => self
                .permitted
                .duties
                .iter()
                .zip(self.observed.datagrams())
                .collect(),
        };
        let mut left: Vec<Sent<'a>> = sent
            .iter()
            .filter(|sent| !self.is_answered(**sent))
            .copied()
            .collect();
        self.repeated_answers(&sent);
        if *self.rule == ReplyRule::Any {
            // Replies that do not tell whose they are go first to those that are owed one.
            left.sort_by_key(|(duty, _)| !matches!(duty.owes, Owes::Reply(_)));
        }
        for sent in left {
            self.answered_otherwise(sent);
        }
        self.more_than_asked(&sent);
    }

    /// Whether so much has come that it says nothing to go into it one by one.
    fn floods(&mut self) -> bool {
        let came = self
            .pending
            .len()
            .saturating_add(self.observed.strays.len());
        let asked = self.observed.datagrams().count();
        let floods = self.observed.flooded || came > asked.saturating_add(SURPLUS);
        if floods {
            let what = say!("{came} datagrams came, and {asked} were sent", came, asked);
            self.findings
                .push(Finding::must(Clause::Unsolicited, self.conn, what));
        }
        floods
    }

    /// Datagrams that are not one frame each: a reply in pieces, several in one, or something else.
    fn strays(&mut self) {
        let clause = match *self.rule {
            ReplyRule::None => Clause::Unsolicited,
            _ => Clause::ReplyFraming,
        };
        for (misfit, octets) in &self.observed.strays {
            let what = say!(
                "a reply that is not one frame, but {misfit}: {octets}, {excerpt}",
                misfit,
                octets = lang::octets(octets.len()),
                excerpt = excerpt(octets)
            );
            self.findings.push(Finding::must(clause, self.conn, what));
        }
    }

    /// Whether a datagram has got the reply that tells that it is its own.
    fn is_answered(&mut self, (duty, entry): Sent<'a>) -> bool {
        let (Owes::Reply(carried)
        | Owes::ReplyOrSilence(Unsure::Doubt(Doubt::MorePadding(carried)))) = &duty.owes
        else {
            return false;
        };
        let tells = match self.rule {
            ReplyRule::Echo => true,
            ReplyRule::Token(_) => carried.token().is_some(),
            ReplyRule::Any | ReplyRule::None => false,
        };
        if !tells {
            return false;
        }
        let rule = self.rule;
        let answers = |reply: &Reply| rule.answers(carried, reply.payload());
        let Some(reply) = self.taken(duty, entry, answers) else {
            return false;
        };
        self.content(duty, carried, reply);
        true
    }

    /// The first reply of those that came behind that entry which fits: of those with the id of the datagram, if there
    /// are any.
    fn taken(
        &mut self,
        duty: &Duty,
        entry: usize,
        fits: impl Fn(&Reply) -> bool,
    ) -> Option<&'a Reply> {
        let can_be = |reply: &Reply| reply.first_entry > entry && fits(reply);
        let mut pending = self.pending.iter();
        let own = pending.position(|(id, reply)| *id == duty.id && can_be(reply));
        let any = || self.pending.iter().position(|(_, reply)| can_be(reply));
        let place = own.or_else(any)?;
        let (id, reply) = self.pending.remove(place)?;
        self.repeated(duty, id);
        Some(reply)
    }

    /// Replies once more to what has been answered.
    fn repeated_answers(&mut self, sent: &[Sent<'a>]) {
        let is_old = |reply: &Reply| {
            sent.iter().any(|(duty, _)| {
                matches!(&duty.owes, Owes::Reply(carried)
                    if self.answered.contains(&duty.start)
                        && carried.token().is_some()
                        && self.rule.is_surely_answer(carried, reply.payload()))
            })
        };
        let old = self.pending.iter().filter(|(_, reply)| is_old(reply));
        let whats: Vec<Text> = old.map(|(_, reply)| once_more(reply)).collect();
        let kept = self.pending.iter().filter(|(_, reply)| !is_old(reply));
        self.pending = kept.copied().collect();
        for what in whats {
            self.findings
                .push(Finding::must(Clause::OneReply, self.conn, what));
        }
    }

    /// What came to a datagram that has got no reply yet which tells that it is its own.
    fn answered_otherwise(&mut self, (duty, entry): Sent<'a>) {
        let reply = self.taken(duty, entry, |_| true);
        match (&duty.owes, reply) {
            (Owes::Reply(carried), Some(reply)) => self.content(duty, carried, reply),
            (Owes::Reply(_), None) => self.not_answered(duty),
            (Owes::ReplyOrSilence(unsure), reply) => self.unsure(duty, unsure, reply),
            // None of what is owed for datagrams.
            _ => {}
        }
    }

    fn not_answered(&mut self, duty: &Duty) {
        let what = match (self.observed.close, self.observed.gave_up) {
            _ if self.is_void() => return,
            (Some((_, Close::Rst)), _) => {
                say!("no reply, and then the system said that nobody listens at that port")
            }
            (_, Some(after)) => say!("no reply within {after}", after = super::duration(after)),
            (_, None) if self.observed.silent => {
                say!("no reply, though others were served behind it")
            }
            _ => return,
        };
        self.must(Clause::OneReply, what, duty);
    }

    fn unsure(&mut self, duty: &Duty, unsure: &Unsure, reply: Option<&Reply>) {
        match (unsure, reply) {
            (Unsure::Doubt(Doubt::MorePadding(_)), None) if self.observed.silent => {
                self.refused_padding(&say!("there was no reply"), duty);
            }
            (Unsure::Doubt(Doubt::MorePadding(_)), Some(reply)) => {
                let what = say!(
                    "the reply {excerpt} is no answer to it",
                    excerpt = excerpt(reply.payload())
                );
                self.refused_padding(&what, duty);
            }
            (Unsure::Doubt(Doubt::Smuggled(parts)), Some(reply)) => {
                self.smuggled(duty, parts, reply);
            }
            (Unsure::Doubt(Doubt::Size(Some(carried))), Some(reply)) => {
                self.whole_if_quoted(duty, carried, reply);
            }
            (Unsure::NoFrame { misfit, undue }, Some(reply)) => {
                let is_answer = |undue| self.rule.is_surely_answer(undue, reply.payload());
                if undue.iter().any(is_answer) {
                    let what = say!(
                        "{misfit} was answered as a message: {excerpt}",
                        misfit,
                        excerpt = excerpt(reply.payload())
                    );
                    self.must(Clause::Datagram, what, duty);
                }
            }
            _ => {}
        }
    }

    /// Replies that are left over when each datagram has taken one.
    fn more_than_asked(&mut self, sent: &[Sent<'a>]) {
        let extra = self.pending.len();
        if extra == 0 {
            return;
        }
        let is_doubtful = |(duty, _): &Sent<'_>| matches!(duty.owes, Owes::ReplyOrSilence(_));
        let (clause, which) = match sent.iter().any(is_doubtful) {
            _ if self.is_anothers(extra) => {
                (Clause::Crosstalk, say!("that belong to another client"))
            }
            true => (Clause::Datagram, say!("more than one to a datagram")),
            false => (Clause::Unsolicited, say!("that no datagram asked for")),
        };
        let first = self.pending.front();
        let first = first.map(|(_, reply)| excerpt(reply.payload()));
        let first = first.unwrap_or_default();
        let what = say!(
            "{extra} more replies {which}, the first {first}",
            extra,
            which,
            first
        );
        self.findings.push(Finding::must(clause, self.conn, what));
    }
}

fn once_more(reply: &Reply) -> Text {
    say!(
        "the reply {excerpt} came once more: its datagram had been answered",
        excerpt = excerpt(reply.payload())
    )
}
