//! Whether a client did what its play asks of it.
//!
//! Pure: it sees the play, the transcript and what calibration found out, and gives findings. What was
//! waited for in vain is always a finding, so nothing passes because nobody looked.

mod process;
mod sent;
mod shown;

pub use process::{FREE_ADDRESS_SPACE, FREE_MEMORY};

use super::transcript::{Seen, Transcript, Wanted};
use super::{Client, Fate, Play};
use crate::judge::replies::{Replies, Reply as Request, Rest};
use crate::model::payload::is_json_text;
use crate::profile::Profile;
use crate::spec::Level;
use std::time::Duration;

/// Something that the protocol does not permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The clause that it breaks.
    pub clause: &'static str,
    /// How binding that is.
    pub level: Level,
    /// What was seen, and what should have been.
    pub what: String,
    /// Offset in the client's stream of the request that it is about, if it is about one.
    pub frame: Option<usize>,
}

/// What comes of judging.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What was found, in the order of the play.
    pub findings: Vec<Finding>,
    /// Why nothing can be concluded, if that is so.
    pub skip: Option<String>,
}

/// The octets that a client sent, read as requests.
#[derive(Debug)]
pub struct Heard {
    /// The whole requests.
    pub requests: Vec<Request>,
    /// What stands behind them.
    pub rest: Rest,
}

impl Heard {
    /// What was heard before the farewell.
    #[must_use]
    pub fn of(profile: &Profile, transcript: &Transcript) -> Self {
        let mut requests = Replies::new(profile);
        for (index, entry) in transcript.counting() {
            if let Seen::Sent(octets) = &entry.seen {
                requests.push(index, octets);
            }
        }
        let rest = requests.rest();
        Self {
            requests: requests.into_whole(),
            rest,
        }
    }
}

/// Everything about a transcript that is not as it should be. `slug` is the clause of the case.
#[must_use]
pub fn judge(
    profile: &Profile,
    client: &Client,
    slug: &'static str,
    play: &Play,
    transcript: &Transcript,
) -> Outcome {
    let heard = Heard::of(profile, transcript);
    let judging = Judging {
        profile,
        client,
        slug,
        play,
        transcript,
        heard: &heard,
    };
    let skip = judging.has_missed_its_aim();
    let mut findings = Vec::new();
    if skip.is_none() {
        judging.texts(&mut findings);
        judging.too_many(&mut findings);
        judging.end(&mut findings);
        judging.requests(&mut findings);
        judging.process(&mut findings);
    }
    // What a client sends badly is the business of the cases that are about that; the rest can be
    // judged nevertheless.
    findings.extend(
        judging
            .sent()
            .into_iter()
            .filter(|finding| finding.clause == slug),
    );
    Outcome { findings, skip }
}

struct Judging<'a> {
    profile: &'a Profile,
    client: &'a Client,
    slug: &'static str,
    play: &'a Play,
    transcript: &'a Transcript,
    heard: &'a Heard,
}

impl Judging<'_> {
    fn must(&self, what: impl Into<String>) -> Finding {
        self.at(Level::Must, what)
    }

    fn at(&self, level: Level, what: impl Into<String>) -> Finding {
        Finding {
            clause: self.slug,
            level,
            what: what.into(),
            frame: None,
        }
    }

    fn gave_up(&self) -> Option<(Wanted, Duration)> {
        self.transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::GaveUp(wanted, after) => Some((wanted, after)),
                _ => None,
            })
    }

    fn has_missed_its_aim(&self) -> Option<String> {
        let typed = |seen: &Seen| matches!(seen, Seen::Typed(_));
        let is_silent = !self.transcript.counting().any(|(_, e)| typed(&e.seen));
        if let Some((Wanted::Connection, _)) = self.gave_up()
            && is_silent
            && self.client.carries.is_some()
        {
            return Some("the client does not connect before it has something to send".into());
        }
        let aim = self.play.aims_at?;
        let last = self.heard.requests.last()?;
        (last.payload_len != aim && is_json_text(last.payload())).then(|| {
            format!(
                "a request of {aim} octets was needed, and what was typed became one of {}",
                last.payload_len
            )
        })
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

    fn end(&self, findings: &mut Vec<Finding>) {
        let gave_up = self.gave_up();
        if let (Some(why), Some((Wanted::End, after))) = (self.play.must_end, gave_up) {
            let printed = self.printed_instead();
            findings.push(self.must(format!(
                "{why}, and {:.1} s later the client has ended neither the connection nor itself{printed}",
                after.as_secs_f64()
            )));
        }
        if let (Some(why), None | Some((Wanted::Shown, _))) = (self.play.must_end, gave_up)
            && self.transcript.acts.saturating_add(1) < self.play.acts.len()
        {
            let ending = self.ending().unwrap_or_else(|| "it took no more".into());
            findings.push(self.must(format!("it was not to be seen ({why}): {ending} before")));
        }
        if let Some((Wanted::Notice, after)) = gave_up {
            findings.push(self.must(format!(
                "the connection was reset, and {:.1} s later the client has not noticed: it keeps the socket, says nothing and goes on",
                after.as_secs_f64()
            )));
        }
    }

    fn requests(&self, findings: &mut Vec<Finding>) {
        match self.gave_up() {
            Some((Wanted::Connection, after)) => findings.push(self.must(format!(
                "the client did not connect within {:.1} s{}",
                after.as_secs_f64(),
                self.ending().map_or(String::new(), |ending| format!(": {ending}"))
            ))),
            Some((Wanted::Request(before), after)) => {
                findings.push(self.must(self.no_request(before, after)));
            }
            _ => {}
        }
        let came = self.heard.requests.len();
        let may_end = self.play.must_end.is_some()
            || self
                .play
                .texts
                .iter()
                .any(|text| text.fate == Fate::ShownUnlessEnded);
        if came < self.play.requests
            && self.transcript.is_ended()
            && !may_end
            && findings.is_empty()
        {
            let ending = self.ending().unwrap_or_default();
            findings.push(self.must(format!(
                "{came} of {} requests came: {ending}",
                self.play.requests
            )));
        }
    }

    fn no_request(&self, before: usize, after: Duration) -> String {
        let which = match before {
            0 => "request".to_owned(),
            before => format!("request behind the first {before}"),
        };
        let after = after.as_secs_f64();
        match &self.heard.rest {
            Rest::Nothing => format!("no {which} came within {after:.1} s"),
            Rest::Unfinished(octets) => format!(
                "no {which} came within {after:.1} s, only {} that are no whole request as the profile {} has it",
                counted(*octets),
                self.profile.name()
            ),
            Rest::Malformed(fault, octets) => {
                format!("instead of a {which} came {}: {fault}", shown(octets))
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
fn shown(octets: &[u8]) -> String {
    let head = octets.get(..48).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}
