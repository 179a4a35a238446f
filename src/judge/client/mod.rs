//! Whether a client did what the script's octets make it owe.
//!
//! The walk along the duties of a client, as there is one along those of a server. What a client reads is
//! seen in what it shows, so most duties are looked for on its standard output. What was waited for in
//! vain is always a finding, so nothing passes because nobody looked.

mod process;
mod requests;
mod shape;
mod shown;

pub use process::{FREE_ADDRESS_SPACE, FREE_MEMORY};
pub use shape::Shape;
pub use shown::found;

use super::Finding;
use super::frame_log::{FrameLog, LoggedFrame as Request, Rest};
use crate::model::payload::is_json_text;
use crate::model::{Owes, Permitted, Tail};
use crate::profile::Profile;
use crate::script::Awaited;
use crate::spec::{Clause, Level};
use crate::transcript::{Entry, Seen, Transcript};
use std::time::Duration;

/// How it can be seen that a client has read a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Its text turns up on the standard output at once.
    AtOnce,
    /// Its text turns up there when the client ends: the output is buffered.
    AtEnd,
    /// The client sends its next request, and never before.
    NextRequest,
    /// Not at all.
    Nothing,
}

/// What calibration found out about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTraits {
    /// How it can be seen that it has read a reply.
    pub shows: Shows,
    /// Whether it sends a second request on the same connection.
    pub again: bool,
    /// Whether it sends a second request before it has the reply to the first.
    pub ahead: bool,
    /// Octets of the payload that a line becomes beyond those of the line, fewer than none if it is
    /// shorter; `None` if requests do not hold what was typed.
    pub carries: Option<isize>,
    /// How a reply stands in the output; `None` if that differs from reply to reply.
    pub shape: Option<Shape>,
    /// Whether its process can be observed.
    pub process: bool,
}

/// The octets that a client sent, read as requests.
#[derive(Debug)]
pub struct Requests {
    /// The whole requests.
    pub whole: Vec<Request>,
    /// What stands behind them.
    pub rest: Rest,
}

impl Requests {
    /// What the client, which is asked for so many requests, sent before it was ended.
    #[must_use]
    pub fn of(profile: &Profile, transcript: &Transcript, asked: usize) -> Self {
        let mut requests = FrameLog::asked(profile, asked);
        for (index, entry) in transcript.counting() {
            if let Seen::Received(octets) = &entry.seen {
                requests.push(index, octets);
            }
        }
        let rest = requests.rest();
        Self {
            whole: requests.into_whole(),
            rest,
        }
    }
}

/// Everything about a client that is not permitted.
pub(super) fn findings(
    profile: &Profile,
    traits: &ClientTraits,
    permitted: &Permitted,
    transcript: &Transcript,
) -> Vec<Finding> {
    let mut walk = Walk::new(profile, traits, permitted, transcript);
    if walk.missed_aim().is_none() {
        walk.duties();
        walk.too_many();
        walk.end();
        walk.awaited();
        walk.process();
    }
    walk.sent();
    walk.findings
}

/// Why nothing can be concluded from what a client did, if that is so.
#[must_use]
pub fn missed_aim(
    profile: &Profile,
    traits: &ClientTraits,
    permitted: &Permitted,
    transcript: &Transcript,
) -> Option<String> {
    Walk::new(profile, traits, permitted, transcript).missed_aim()
}

struct Walk<'a> {
    profile: &'a Profile,
    traits: &'a ClientTraits,
    permitted: &'a Permitted,
    transcript: &'a Transcript,
    requests: Requests,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn new(
        profile: &'a Profile,
        traits: &'a ClientTraits,
        permitted: &'a Permitted,
        transcript: &'a Transcript,
    ) -> Self {
        Self {
            profile,
            traits,
            permitted,
            transcript,
            requests: Requests::of(profile, transcript, permitted.duties.len()),
            findings: Vec::new(),
        }
    }

    fn find(&mut self, clause: Clause, level: Level, what: impl Into<String>) {
        let finding = Finding::must(clause, 0, what);
        self.findings.push(Finding { level, ..finding });
    }

    fn must(&mut self, clause: Clause, what: impl Into<String>) {
        self.find(clause, Level::Must, what);
    }

    /// The clause of what was being done to the client at last.
    fn context(&self) -> Clause {
        if let Some(end) = self.permitted.must_end() {
            return end.clause;
        }
        let last = self.permitted.duties.last();
        match last.map(|duty| &duty.owes) {
            Some(Owes::Showing(showing)) => showing.clause,
            Some(Owes::ReadOnOrEnd(no_message)) => no_message.clause,
            _ => Clause::ClientFraming,
        }
    }

    fn gave_up(&self) -> Option<(Awaited, Duration)> {
        self.transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::GaveUp(awaited, after) => Some((awaited, after)),
                _ => None,
            })
    }

    fn has_typed(&self, line: &str) -> bool {
        let is_it = |entry: &Entry| matches!(&entry.seen, Seen::Typed(typed) if typed == line);
        self.transcript.counting().any(|(_, entry)| is_it(entry))
    }

    fn missed_aim(&self) -> Option<String> {
        if self.had_nothing_to_send() {
            return Some("the client sends what is typed for it, and nothing was typed".into());
        }
        let typed = self
            .permitted
            .asking
            .iter()
            .flat_map(|asking| &asking.typed);
        let aim = typed.filter_map(|typed| typed.payload).next_back()?;
        let last = self.requests.whole.last()?;
        (last.payload_len != aim && is_json_text(last.payload())).then(|| {
            format!(
                "a request of {aim} octets was needed, and what was typed became one of {}",
                last.payload_len
            )
        })
    }

    /// Whether a client that sends what it is told to was waited for without having been told anything.
    fn had_nothing_to_send(&self) -> bool {
        let awaited = match self.gave_up() {
            Some((Awaited::Connection, _)) => 1,
            Some((Awaited::Request(before) | Awaited::RequestOrEnd(before), _)) => {
                before.saturating_add(1)
            }
            _ => 0,
        };
        let is_typed = |entry: &Entry| matches!(entry.seen, Seen::Typed(_));
        let counting = self.transcript.counting();
        let typed = counting.filter(|(_, entry)| is_typed(entry)).count();
        self.traits.carries.is_some() && typed < awaited
    }

    /// How the client went, in words, if it did.
    fn ending(&self) -> Option<String> {
        if let Some(exit) = self.transcript.exit() {
            return Some(format!("it {exit}{}", self.last_words()));
        }
        let end = self
            .transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::Fin => Some("it ended the connection (FIN)"),
                Seen::Rst => Some("it reset the connection (RST)"),
                _ => None,
            });
        end.map(str::to_owned)
    }

    fn end(&mut self) {
        let Some(must_end) = self.permitted.must_end() else {
            return;
        };
        match self.gave_up() {
            Some((Awaited::End, after)) => {
                let printed = self.printed_instead();
                let what = format!(
                    "{}, and {:.1} s later the client has ended neither the connection nor itself{printed}",
                    must_end.why,
                    after.as_secs_f64()
                );
                self.must(must_end.clause, what);
            }
            Some((Awaited::Notice, after)) => {
                let what = format!(
                    "the connection was reset, and {:.1} s later the client has not noticed: it keeps the socket, says nothing and goes on",
                    after.as_secs_f64()
                );
                self.must(must_end.clause, what);
            }
            None | Some((Awaited::Shown, _)) if !self.was_played() && !self.ended_freely() => {
                let ending = self.ending().unwrap_or_else(|| "it took no more".into());
                let what = format!("it was not to be seen ({}): {ending} before", must_end.why);
                self.must(must_end.clause, what);
            }
            _ => {}
        }
    }

    /// Whether the client was there until all had been sent, and the stream ended if it was to be.
    fn was_played(&self) -> bool {
        use crate::script::OwnEnd;
        let mut sent = 0_usize;
        let mut end = OwnEnd::Open;
        for (_, entry) in self.transcript.counting() {
            match &entry.seen {
                Seen::Sent(octets) => sent = sent.saturating_add(*octets),
                Seen::FinSent => end = OwnEnd::Fin,
                Seen::RstSent => end = OwnEnd::Rst,
                _ => {}
            }
        }
        let due = self.permitted.duties.last().map_or(0, |duty| duty.due);
        sent >= due && end == self.permitted.own_end
    }

    /// Whether the client ended where it is free to, so that what was to come was not to be seen: behind what is no
    /// message, or at a header that it need not take, or must not.
    fn ended_freely(&self) -> bool {
        let (begun, at_header) = match self.permitted.tail {
            Tail::Inside {
                start, may_close, ..
            } => (start, may_close),
            Tail::Boundary | Tail::Void | Tail::Apart => (usize::MAX, false),
        };
        let is_free = |owes: &Owes| matches!(owes, Owes::ReadOnOrEnd(_) | Owes::Close(_));
        let duties = self.permitted.duties.iter();
        let mut free = duties.filter(|duty| duty.start < begun && is_free(&duty.owes));
        // Of a length that is no whole number of chunks it knows as soon as the header is there.
        free.any(|duty| self.ended_in(duty.start)) || at_header && self.ended_in(begun)
    }

    /// Whether the client ended when it had been sent something of what begins there.
    fn ended_in(&self, start: usize) -> bool {
        let sent_at = self.sent_at(start.saturating_add(1)).unwrap_or(usize::MAX);
        let ended = |seen: &Seen| matches!(seen, Seen::Fin | Seen::Rst | Seen::Exited(_));
        let mut counting = self.transcript.counting();
        counting.any(|(index, entry)| index > sent_at && ended(&entry.seen))
    }

    /// What was waited for in vain, and requests that never came.
    fn awaited(&mut self) {
        match self.gave_up() {
            Some((Awaited::Connection, after)) => {
                let what = self.no_connection(after);
                self.must(Clause::ClientFraming, what);
            }
            Some((Awaited::Request(before), after)) => {
                let what = self.no_request(before, after);
                self.must(Clause::ClientFraming, what);
            }
            Some((Awaited::RequestOrEnd(_), after)) => {
                let (clause, printed) = (self.no_message_clause(), self.printed_instead());
                let what = format!(
                    "a reply that is no message came, and {:.1} s later the client has neither asked again nor ended the connection{printed}",
                    after.as_secs_f64()
                );
                self.must(clause, what);
            }
            _ => {}
        }
        self.too_few_requests();
    }

    fn no_connection(&self, after: Duration) -> String {
        if let Some(why) = self.transcript.refused() {
            return format!("the connection did not get through the prologue: {why}");
        }
        let ending = self.ending();
        format!(
            "the client did not connect within {:.1} s{}",
            after.as_secs_f64(),
            ending.map_or(String::new(), |ending| format!(": {ending}"))
        )
    }

    fn no_message_clause(&self) -> Clause {
        let mut duties = self.permitted.duties.iter().rev();
        let no_message = duties.find_map(|duty| match &duty.owes {
            Owes::ReadOnOrEnd(no_message) => Some(no_message.clause),
            _ => None,
        });
        no_message.unwrap_or(Clause::ClientUndecodable)
    }

    fn too_few_requests(&mut self) {
        let (came, wanted) = (self.requests.whole.len(), self.permitted.requests());
        let may_end = |owes: &Owes| matches!(owes, Owes::ReadOnOrEnd(_));
        let may_end = self.permitted.must_end().is_some()
            || self.permitted.duties.iter().any(|duty| may_end(&duty.owes))
            || self.ended_freely();
        let is_short = came < wanted && self.transcript.has_client_ended();
        if is_short && !may_end && self.findings.is_empty() {
            let ending = self.ending().unwrap_or_default();
            let what = format!("{came} of {wanted} requests came: {ending}");
            self.must(Clause::ClientFraming, what);
        }
    }

    fn no_request(&self, before: usize, after: Duration) -> String {
        let which = match before {
            0 => "request".to_owned(),
            before => format!("request behind the first {before}"),
        };
        let after = after.as_secs_f64();
        match &self.requests.rest {
            Rest::Nothing => format!("no {which} came within {after:.1} s"),
            Rest::Unfinished(octets) => format!(
                "no {which} came within {after:.1} s, only {} that are no whole request as the profile {} has it",
                counted(*octets),
                self.profile.name()
            ),
            Rest::Malformed(fault, octets) => {
                format!("instead of a {which} came {}: {fault}", excerpt(octets))
            }
        }
    }
}

fn counted(octets: usize) -> String {
    match octets {
        1 => "1 octet".to_owned(),
        more => format!("{more} octets"),
    }
}

/// The beginning of some octets as text.
fn excerpt(octets: &[u8]) -> String {
    let head = octets.get(..48).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}
