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
use crate::lang::{self, Text, say};
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
) -> Option<Text> {
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

    fn find(&mut self, clause: Clause, level: Level, what: Text) {
        let finding = Finding::must(clause, 0, what);
        self.findings.push(Finding { level, ..finding });
    }

    fn must(&mut self, clause: Clause, what: Text) {
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

    fn missed_aim(&self) -> Option<Text> {
        if self.had_nothing_to_send() {
            return Some(say!(
                "the client sends what is typed for it, and nothing was typed"
            ));
        }
        let typed = self
            .permitted
            .asking
            .iter()
            .flat_map(|asking| &asking.typed);
        let aim = typed.filter_map(|typed| typed.payload).next_back()?;
        let last = self.requests.whole.last()?;
        (last.payload_len != aim && is_json_text(last.payload())).then(|| {
            say!("a request of {aim} octets was needed, and what was typed became one of {payload_len}", aim, payload_len = last.payload_len)
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
    fn ending(&self) -> Option<Text> {
        if let Some(exit) = self.transcript.exit() {
            return Some(say!(
                "it {exit}{last_words}",
                exit,
                last_words = self.last_words()
            ));
        }
        self.transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::Fin => Some(say!("it ended the connection (FIN)")),
                Seen::Rst => Some(say!("it reset the connection (RST)")),
                _ => None,
            })
    }

    fn end(&mut self) {
        let Some(must_end) = self.permitted.must_end() else {
            return;
        };
        match self.gave_up() {
            Some((Awaited::End, after)) => {
                let printed = self.printed_instead();
                let what = say!(
                    "{why}, and {after} s later the client has ended neither the connection nor itself{printed}",
                    why = must_end.why,
                    after = seconds(after),
                    printed
                );
                self.must(must_end.clause, what);
            }
            Some((Awaited::Notice, after)) => {
                let what = say!(
                    "the connection was reset, and {after} s later the client has not noticed: it keeps the socket, says nothing and goes on",
                    after = seconds(after)
                );
                self.must(must_end.clause, what);
            }
            None | Some((Awaited::Shown, _)) if !self.was_played() && !self.ended_freely() => {
                let ending = self.ending().unwrap_or_else(|| say!("it took no more"));
                let what = say!(
                    "it was not to be seen ({why}): {ending} before",
                    why = must_end.why,
                    ending
                );
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
                let what = say!(
                    "a reply that is no message came, and {after} s later the client has neither asked again nor ended the connection{printed}",
                    after = seconds(after),
                    printed
                );
                self.must(clause, what);
            }
            _ => {}
        }
        self.too_few_requests();
    }

    fn no_connection(&self, after: Duration) -> Text {
        if let Some(why) = self.transcript.refused() {
            return say!(
                "the connection did not get through the prologue: {why}",
                why
            );
        }
        let ending = self.ending();
        say!(
            "the client did not connect within {after} s{ending}",
            after = seconds(after),
            ending = ending.map_or(Text::default(), |ending| say!(": {ending}", ending))
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
            let what = say!(
                "{came} of {wanted} requests came: {ending}",
                came,
                wanted,
                ending
            );
            self.must(Clause::ClientFraming, what);
        }
    }

    fn no_request(&self, before: usize, after: Duration) -> Text {
        let which = match before {
            0 => say!("request"),
            before => say!("request behind the first {before}", before),
        };
        match &self.requests.rest {
            Rest::Nothing => say!(
                "no {which} came within {after} s",
                which,
                after = seconds(after)
            ),
            Rest::Unfinished(octets) => say!(
                "no {which} came within {after} s, only {counted} that are no whole request as the profile {profile} has it",
                which,
                after = seconds(after),
                counted = lang::octets(*octets),
                profile = self.profile.name()
            ),
            Rest::Malformed(fault, octets) => {
                say!(
                    "instead of a {which} came {excerpt}: {fault}",
                    which,
                    excerpt = excerpt(octets),
                    fault
                )
            }
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

/// The beginning of some octets as text.
fn excerpt(octets: &[u8]) -> String {
    let head = octets.get(..48).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}
