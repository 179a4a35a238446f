//! The end of a connection: what came behind the last whole reply, and who ended it when.

use super::{Close, MUST_WAIT, ReplyRule, Rest, SHOULD_WAIT, Walk, duration, excerpt, place};
use crate::judge::Finding;
use crate::lang::{self, say};
use crate::model::Tail;
use crate::script::OwnEnd;
use crate::spec::{Clause, Level};

impl Walk<'_> {
    /// What came behind the last whole reply.
    pub(super) fn rest(&mut self) {
        let reset = matches!(self.observed.close, Some((_, Close::Rst)));
        match &self.observed.rest {
            Rest::Nothing => {}
            Rest::Malformed(_, octets) if *self.rule == ReplyRule::None => {
                let what = say!(
                    "octets that no request asked for: {excerpt}",
                    excerpt = excerpt(octets)
                );
                self.findings
                    .push(Finding::must(Clause::Unsolicited, self.conn, what));
            }
            Rest::Unfinished(octets) if *self.rule == ReplyRule::None => {
                let what = say!(
                    "{octets} that no request asked for",
                    octets = lang::octets(*octets)
                );
                self.findings
                    .push(Finding::must(Clause::Unsolicited, self.conn, what));
            }
            Rest::Malformed(..) if self.was_refused() => {}
            Rest::Malformed(fault, octets) => {
                let what = say!(
                    "octets that are no reply frame ({fault}): {excerpt}",
                    fault,
                    excerpt = excerpt(octets)
                );
                self.findings
                    .push(Finding::must(Clause::ReplyFraming, self.conn, what));
            }
            Rest::Unfinished(octets) if self.observed.flooded => {
                let what = say!(
                    "octets without end: {octets} of a reply, and no end of it",
                    octets
                );
                self.findings
                    .push(Finding::must(Clause::ReplyFraming, self.conn, what));
            }
            Rest::Unfinished(_) if reset || self.is_void() => {}
            // Before a close nothing need end what is said.
            Rest::Unfinished(_) if self.observed.is_unended && self.observed.close.is_some() => {}
            Rest::Unfinished(octets) => {
                let what = say!(
                    "a reply of which only {octets} came",
                    octets = lang::octets(*octets)
                );
                self.findings
                    .push(Finding::must(Clause::ReplyFraming, self.conn, what));
            }
        }
    }

    /// The end of a connection all of whose duties were met.
    pub(super) fn end(&mut self) {
        let closed = self.observed.close;
        match (self.permitted.tail, self.observed.own_end) {
            _ if self.is_void() => {}
            (Tail::Void, _) => {}
            (tail, Some((_, OwnEnd::Fin))) if self.is_still_open() => {
                let clause = match tail {
                    Tail::Inside { .. } => Clause::Truncation,
                    _ => Clause::OrderlyClose,
                };
                let what = say!(
                    "the client ended its stream {place}, and {still_open}",
                    place = place(tail),
                    still_open = self.still_open()
                );
                self.findings.push(Finding::must(clause, self.conn, what));
            }
            (tail, None) => {
                if let Some((_, close)) = closed.filter(|_| !self.may_close) {
                    let frame = match tail {
                        Tail::Inside { start, .. } => Some(start),
                        Tail::Boundary | Tail::Void | Tail::Apart => None,
                    };
                    self.closed_unasked(frame, close);
                }
            }
            _ => {}
        }
    }

    /// Nobody need wait for the rest of a frame for ever; between frames a client may take its time.
    /// The frame is the one that begins at that offset, if there is one.
    pub(super) fn closed_unasked(&mut self, frame: Option<usize>, close: Close) {
        let how = close.how();
        let (clause, level, what) = match frame.map(|start| self.observed.open_since(start)) {
            Some(age) if age >= SHOULD_WAIT => return,
            Some(age) => {
                let level = if age >= MUST_WAIT {
                    Level::Should
                } else {
                    Level::Must
                };
                let what = say!(
                    "the server {how} inside a frame, unasked, {after} after its first octet",
                    how,
                    after = duration(age)
                );
                (Clause::Patience, level, what)
            }
            None => {
                let what = say!("the server {how} between frames, unasked", how);
                (Clause::Persistence, Level::Must, what)
            }
        };
        let finding = Finding::must(clause, self.conn, what);
        self.findings.push(Finding { level, ..finding });
    }

    /// The script could not be sent to its end.
    pub(super) fn broken_off(&mut self) {
        if self.is_void() || self.may_close {
            return;
        }
        if let Some((at, close)) = self.observed.close {
            let mut duties = self.permitted.duties.iter();
            let inside = duties.find(|duty| self.is_inside(duty, at));
            self.closed_unasked(inside.map(|duty| duty.start), close);
        } else if self.observed.blocked {
            let what = say!("the server stopped reading although the client read every reply");
            self.findings
                .push(Finding::must(Clause::Pipelining, self.conn, what));
        }
    }
}
