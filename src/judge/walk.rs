//! The walk along the duties of one connection.

mod apart;
mod end;
mod ids;
mod no_session;
mod others;

use super::frame_log::{LoggedFrame as Reply, Rest};
use super::observed::{Close, Observed};
use super::words::{duration, excerpt, place};
use super::{Finding, ReplyRule};
use crate::lang::{Text, say};
use crate::model::payload::is_json_text;
use crate::model::reader::Fault;
use crate::model::{Carried, Doubt, Duty, Owes, Permitted, Tail};
use crate::profile::{Carriage, Payload, Profile};
use crate::script::{Conn, OwnEnd};
use crate::spec::{Clause, Level};
use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

/// What is not permitted on the connection `conn`.
pub(super) fn findings(
    profile: &Profile,
    rule: &ReplyRule,
    all: &[Permitted],
    conn: Conn,
    observed: &Observed,
) -> Vec<Finding> {
    let Some(permitted) = all.get(conn) else {
        return Vec::new();
    };
    if let Some(why) = &observed.refused {
        return vec![Finding::must(
            Clause::Concurrency,
            conn,
            say!("could not connect: {why}", why),
        )];
    }
    let mut walk = Walk::new(profile, rule, (all, conn, permitted), observed);
    match profile.carriage() {
        Carriage::Stream if walk.is_unbegun() => {}
        Carriage::Stream => walk.run(),
        Carriage::Datagrams => walk.run_apart(),
    }
    walk.findings
}

/// Whether replies have come on the connection `conn` that are wrong whatever comes behind them: one before its request
/// was whole, or one that answers another.
pub(super) fn is_contradicted(
    profile: &Profile,
    rule: &ReplyRule,
    all: &[Permitted],
    conn: Conn,
    observed: &Observed,
) -> bool {
    let Some(permitted) = all.get(conn) else {
        return false;
    };
    let mut walk = Walk::new(profile, rule, (all, conn, permitted), observed);
    let _ = walk.duties();
    let mut findings = walk.findings.iter();
    findings.any(|finding| finding.level == Level::Must && !finding.own_clause_only)
}

/// A pause inside a frame that must be borne.
const MUST_WAIT: Duration = Duration::from_millis(200);

/// A pause inside a frame that should be borne.
const SHOULD_WAIT: Duration = Duration::from_secs(1);

struct Walk<'a> {
    profile: &'a Profile,
    rule: &'a ReplyRule,
    all: &'a [Permitted],
    conn: Conn,
    permitted: &'a Permitted,
    observed: &'a Observed,
    /// The replies that no duty has taken yet, each with its id where replies have one.
    pending: VecDeque<(Option<u64>, &'a Reply)>,
    /// Offsets of the requests that have been answered as they should be.
    answered: BTreeSet<usize>,
    /// Whether the server may have closed upon the last duty that took a reply.
    may_close: bool,
    findings: Vec<Finding>,
}

/// Whether the duties behind this one are still to be met.
enum Then {
    GoOn,
    /// The connection was closed here, or a finding says why it is not known what follows.
    Stop,
}

impl<'a> Walk<'a> {
    fn new(
        profile: &'a Profile,
        rule: &'a ReplyRule,
        (all, conn, permitted): (&'a [Permitted], Conn, &'a Permitted),
        observed: &'a Observed,
    ) -> Self {
        Self {
            profile,
            rule,
            all,
            conn,
            permitted,
            observed,
            pending: ids::pending(profile, observed),
            answered: BTreeSet::new(),
            may_close: false,
            findings: Vec::new(),
        }
    }

    fn run(&mut self) {
        for reply in &self.observed.replies {
            self.form(reply);
        }
        let unmet = match self.duties() {
            ControlFlow::Continue(unmet) => unmet,
            ControlFlow::Break(()) => return self.rest(),
        };
        let refused = self.header_was_refused(unmet);
        if refused || self.header_was_answered(unmet) {
            // One last reply may say what was wrong.
            self.pending.pop_front();
        }
        self.left_over();
        self.rest();
        match unmet {
            _ if refused => {}
            None => self.end(),
            Some(_) => self.broken_off(),
        }
    }

    /// Lets each duty that is due take what it is owed; the first one that is not due yet. Breaks off where it is not known
    /// what follows.
    fn duties(&mut self) -> ControlFlow<(), Option<&'a Duty>> {
        for duty in &self.permitted.duties {
            if duty.due > self.observed.sent_in_all() {
                return ControlFlow::Continue(Some(duty));
            }
            if matches!(self.meet(duty), Then::Stop) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(None)
    }

    /// Whether the server closed upon a header that it may refuse, before the body was whole.
    fn header_was_refused(&self, unmet: Option<&Duty>) -> bool {
        let start = match (unmet, self.permitted.tail) {
            (Some(duty), _) if self.may_be_refused(duty) => duty.start,
            (
                None,
                Tail::Inside {
                    start,
                    may_close: true,
                    ..
                },
            ) => start,
            _ => return false,
        };
        self.observed.close.is_some() && self.observed.sent_in_all() >= self.header_end(start)
    }

    /// By when a server can know what is wrong with a header: of one that is read step by step at its first octet, of others
    /// once its length is there, whatever stands behind that.
    fn header_end(&self, start: usize) -> usize {
        let header = match self.is_read_step_by_step() {
            true => 1,
            false => {
                let behind = self.profile.after().len();
                self.profile.header_len().saturating_sub(behind)
            }
        };
        start.saturating_add(header)
    }

    /// Whether what is wrong with a frame can be seen before it or its header is whole.
    fn is_read_step_by_step(&self) -> bool {
        let grows = self.profile.longest_header_len() > self.profile.header_len();
        grows || !self.profile.trailer().is_empty() || self.profile.index().is_some()
    }

    /// Whether the header of what it is about is reason enough to close.
    fn may_be_refused(&self, duty: &Duty) -> bool {
        match duty.owes {
            Owes::ReplyOrClose(Doubt::OddLength | Doubt::OverLimit | Doubt::Size(_)) => true,
            Owes::Close(_) => self.is_read_step_by_step() || !self.profile.after().is_empty(),
            _ => false,
        }
    }

    fn meet(&mut self, duty: &'a Duty) -> Then {
        if *self.rule == ReplyRule::None && !matches!(duty.owes, Owes::Close(_)) {
            return Then::GoOn;
        }
        match &duty.owes {
            Owes::Reply(carried) => {
                self.pass_over_repeated(duty, carried);
                match self.take(duty) {
                    Some(reply) => {
                        self.may_close = self.is_last(duty);
                        self.content(duty, carried, reply);
                        Then::GoOn
                    }
                    None => self.missing(duty),
                }
            }
            Owes::Nothing(carried) => {
                self.pass_over_undue(duty, carried);
                Then::GoOn
            }
            // Whether a reply is to this or to what is behind it cannot be told.
            Owes::ReplyOrClose(Doubt::Unanswered) => Then::Stop,
            Owes::ReplyOrClose(doubt) => self.reply_or_close(duty, doubt),
            // No server's duties in a stream.
            Owes::ReplyOrSilence(_) | Owes::Showing(_) | Owes::ReadOnOrEnd(_) => Then::GoOn,
            Owes::Close(fault) => {
                // One last reply may say what was wrong.
                self.take(duty);
                if self.is_still_open() {
                    let what = say!(
                        "{fault}: the connection should have been closed, and {still_open}",
                        fault,
                        still_open = self.still_open()
                    );
                    self.must(clause_of(fault), what, duty);
                }
                Then::GoOn
            }
        }
    }

    fn reply_or_close(&mut self, duty: &'a Duty, doubt: &Doubt) -> Then {
        let Some(reply) = self.take(duty) else {
            if self.is_still_open() && self.observed.rest == Rest::Nothing {
                let what = say!(
                    "{doubt}: neither a reply nor a close, {still_open}",
                    doubt,
                    still_open = self.still_open()
                );
                self.must(unanswered(doubt), what, duty);
            } else if matches!(doubt, Doubt::MorePadding(_)) && self.observed.close.is_some() {
                self.refused_padding(&say!("the connection was closed"), duty);
            }
            return Then::Stop;
        };
        self.may_close = true;
        match doubt {
            Doubt::Smuggled(parts) => self.smuggled(duty, parts, reply),
            Doubt::MorePadding(carried) if self.rule.answers(carried, reply.payload()) => {
                self.may_close = self.is_last(duty);
                self.content(duty, carried, reply);
            }
            Doubt::MorePadding(_) => {
                let what = say!(
                    "the reply {excerpt} is no answer to it",
                    excerpt = excerpt(reply.payload())
                );
                self.refused_padding(&what, duty);
            }
            // One last reply may say what was wrong.
            Doubt::OddLength if self.closed_behind_last_reply() => {}
            Doubt::OddLength => {
                let what = say!(
                    "a body that is no whole number of chunks was taken like any other; closing the connection is safer"
                );
                self.push(
                    Finding::must(Clause::ChunkMultiple, self.conn, what).should(),
                    duty,
                );
            }
            Doubt::Size(Some(carried)) => self.whole_if_quoted(duty, carried, reply),
            Doubt::Payload
            | Doubt::Unanswered
            | Doubt::Beyond
            | Doubt::OverLimit
            | Doubt::Size(None) => {}
        }
        Then::GoOn
    }

    /// Whether it is the last request that a connection is there for.
    fn is_last(&self, duty: &Duty) -> bool {
        let most = self.profile.requests_per_connection();
        let before = |other: &&Duty| other.start <= duty.start;
        let asked = self.permitted.duties.iter().filter(before).count();
        most.is_some_and(|most| usize::try_from(most).is_ok_and(|most| asked >= most))
    }

    fn refused_padding(&mut self, how: &Text, duty: &Duty) {
        let what = say!(
            "a body with more padding than it needs was not taken: {how}",
            how
        );
        self.push(
            Finding::must(Clause::Padding, self.conn, what).should(),
            duty,
        );
    }

    /// Whether the server closed, by itself, when it had sent the replies that were taken so far.
    fn closed_behind_last_reply(&self) -> bool {
        self.pending.is_empty() && self.observed.close.is_some() && self.observed.own_end.is_none()
    }

    /// The next reply, which must not have begun before the duty was due. What is wrong with a header
    /// can be said as soon as it is there.
    fn take(&mut self, duty: &Duty) -> Option<&'a Reply> {
        let (id, reply) = self.pending.remove(self.answering(duty))?;
        self.repeated(duty, id);
        let due = if self.may_be_refused(duty) {
            self.header_end(duty.start)
        } else {
            duty.due
        };
        if self.observed.sent_before(reply.first_entry) < due {
            let what = say!(
                "a reply began when {sent} of the request's {octets} octets had been sent",
                sent = self
                    .observed
                    .sent_before(reply.first_entry)
                    .saturating_sub(duty.start),
                octets = duty.due.saturating_sub(duty.start)
            );
            self.must(Clause::Unsolicited, what, duty);
        }
        Some(reply)
    }

    fn missing(&mut self, duty: &Duty) -> Then {
        let is_garbled = matches!(self.observed.rest, Rest::Malformed(..)) && !self.was_refused();
        if self.is_void() || is_garbled {
            return Then::Stop;
        }
        match self.observed.close {
            Some(_) if self.may_close => {}
            Some((_, Close::Rst)) if self.close_follows(duty) => {}
            Some((_, close)) if self.was_outstanding_at_fin(duty) => {
                let what = say!(
                    "the client ended its stream behind a request, and the server {how} without a reply",
                    how = close.how()
                );
                self.push(
                    Finding::must(Clause::HalfClose, self.conn, what).should(),
                    duty,
                );
            }
            Some((at, close)) if self.is_inside(duty, at) => {
                self.closed_unasked(Some(duty.start), close);
            }
            Some((_, close)) => {
                let what = say!("the server {how} where a reply was owed", how = close.how());
                self.must(Clause::OneReply, what, duty);
            }
            None if self.is_still_open() => {
                let what = say!("no reply, {still_open}", still_open = self.still_open());
                self.must(Clause::OneReply, what, duty);
            }
            None => {}
        }
        Then::Stop
    }

    /// A close behind this duty that was permitted can, as an RST, have overtaken its reply.
    fn close_follows(&self, duty: &Duty) -> bool {
        self.permitted
            .duties
            .iter()
            .filter(|later| later.start > duty.start && later.due <= self.observed.sent_in_all())
            .any(|later| !matches!(later.owes, Owes::Reply(_) | Owes::Nothing(_)))
    }

    fn was_outstanding_at_fin(&self, duty: &Duty) -> bool {
        matches!(self.observed.own_end, Some((fin, OwnEnd::Fin))
            if self.observed.sent_before(fin) >= duty.due
                && self.observed.close.is_some_and(|(close, _)| close > fin))
    }

    fn content(&mut self, duty: &Duty, carried: &Carried, reply: &Reply) {
        let payload = reply.payload();
        let cut = self.rule.cut_short(carried, payload);
        let is_anothers = cut.is_some() && self.quotes_another(carried, payload);
        if let Some(left) = cut.filter(|_| !is_anothers) {
            self.cut_short(duty, carried, left);
        } else if is_anothers || !self.rule.answers(carried, payload) {
            let (clause, whose) = self.whose(duty, payload);
            let what = say!(
                "the reply {excerpt} {whose}",
                excerpt = excerpt(payload),
                whose
            );
            self.must(clause, what, duty);
        } else if !self.rule.keeps_text(carried, payload) {
            let text = carried.text().unwrap_or_default();
            let what = say!(
                "the reply {excerpt} does not hold the text {text} as it was sent",
                excerpt = excerpt(payload),
                text = excerpt(text.as_bytes())
            );
            let finding = Finding::must(Clause::Fidelity, self.conn, what).own_clause_only();
            self.push(finding, duty);
        } else {
            self.answered.insert(duty.start);
        }
    }

    /// A message that is larger than every server must take may be refused, but not halved.
    fn whole_if_quoted(&mut self, duty: &Duty, carried: &Carried, reply: &Reply) {
        if let Some(left) = self.rule.cut_short(carried, reply.payload()) {
            self.cut_short(duty, carried, left);
        }
    }

    fn cut_short(&mut self, duty: &Duty, carried: &Carried, left: usize) {
        let whole = carried.text().unwrap_or_default().len();
        let what = say!(
            "the reply is cut short: it holds {left} of the {whole} octets of the request's text",
            left,
            whole
        );
        self.must(Clause::Fidelity, what, duty);
    }

    fn smuggled(&mut self, duty: &Duty, parts: &[Carried], reply: &Reply) {
        if parts
            .iter()
            .any(|part| self.rule.is_surely_answer(part, reply.payload()))
        {
            let what = say!(
                "a payload with a pad octet inside was answered as a message, or a part of it was: {excerpt}",
                excerpt = excerpt(reply.payload())
            );
            self.must(Clause::Smuggling, what, duty);
        }
    }

    /// The form of a reply, whatever it answers.
    fn form(&mut self, reply: &Reply) {
        let chunk = usize::try_from(self.profile.chunk()).unwrap_or(usize::MAX);
        if chunk > 1 && reply.padding_len() >= chunk {
            let what = say!(
                "a reply with {octets} octets of padding, where fewer than {chunk} do",
                octets = reply.padding_len(),
                chunk
            );
            self.loose(Clause::MinimalPadding, what);
        }
        if self.profile.payload() == Payload::Json && !is_json_text(reply.payload()) {
            let what = say!(
                "a reply that is no JSON text: {excerpt}",
                excerpt = excerpt(reply.payload())
            );
            self.loose(Clause::ReplyText, what);
        }
    }

    /// Replies that nothing asked for.
    fn left_over(&mut self) {
        let extra = self.pending.len();
        if extra == 0 && !self.observed.flooded {
            return;
        }
        let (clause, when) = match (self.permitted.tail, self.observed.own_end) {
            _ if self.is_anothers(extra) => {
                (Clause::Crosstalk, say!("that belong to another client"))
            }
            (Tail::Inside { .. }, Some((_, OwnEnd::Fin))) => (
                Clause::Truncation,
                say!("although the last frame was never completed"),
            ),
            (Tail::Boundary, Some((fin, OwnEnd::Fin))) if self.first_extra_after(fin) => (
                Clause::OrderlyClose,
                say!("after the client had ended its stream"),
            ),
            (Tail::Inside { .. }, _) => (
                Clause::Unsolicited,
                say!("before the last frame was complete"),
            ),
            _ => (Clause::Unsolicited, say!("that no request asked for")),
        };
        let first = self.pending.front();
        let first = first.map(|(_, reply)| excerpt(reply.payload()));
        let what = if self.observed.flooded {
            say!("octets without end {when}; reading was stopped", when)
        } else {
            say!(
                "{extra} more replies {when}, the first {first}",
                extra,
                when,
                first = first.unwrap_or_default()
            )
        };
        self.findings.push(Finding::must(clause, self.conn, what));
    }

    fn first_extra_after(&self, fin: usize) -> bool {
        let first = self.pending.front();
        first.is_some_and(|(_, reply)| reply.first_entry > fin)
    }

    /// Whether only a part of the request had been sent when that entry was noted.
    fn is_inside(&self, duty: &Duty, entry: usize) -> bool {
        let sent = self.observed.sent_before(entry);
        duty.start < sent && sent < duty.due
    }

    /// Whether nothing can be said of what is missing: the client did not look, or left.
    fn is_void(&self) -> bool {
        self.observed.is_reset_by_client() || self.observed.deaf
    }

    /// Whether the connection stood when waiting for its end, or for a reply, was given up. A script
    /// that was broken off elsewhere did not wait here, and says nothing.
    fn is_still_open(&self) -> bool {
        self.observed.close.is_none() && self.observed.gave_up.is_some() && !self.is_void()
    }

    fn still_open(&self) -> Text {
        match self.observed.gave_up {
            Some(after) => say!(
                "the connection was still open after {after}",
                after = duration(after)
            ),
            None => say!("the connection was still open"),
        }
    }

    fn must(&mut self, clause: Clause, what: Text, duty: &Duty) {
        self.push(Finding::must(clause, self.conn, what), duty);
    }

    fn push(&mut self, finding: Finding, duty: &Duty) {
        self.findings.push(finding.about(duty.start));
    }

    fn loose(&mut self, clause: Clause, what: Text) {
        self.findings
            .push(Finding::must(clause, self.conn, what).own_clause_only());
    }
}

/// What a server breaks that neither replies nor closes upon a frame of which that is doubtful.
const fn unanswered(doubt: &Doubt) -> Clause {
    match doubt {
        Doubt::OverLimit => Clause::LengthLimit,
        Doubt::Beyond => Clause::OneReply,
        _ => Clause::Undecodable,
    }
}

/// What a server breaks that does not close upon a frame with that fault.
const fn clause_of(fault: &Fault) -> Clause {
    match fault {
        Fault::Mark { .. } | Fault::NoNumber(_) => Clause::LengthPrefix,
        Fault::Checksum { .. } => Clause::Checksum,
        Fault::Index { .. } => Clause::ChunkIndex,
        _ => Clause::LengthLimit,
    }
}
