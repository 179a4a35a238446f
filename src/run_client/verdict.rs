//! From what was found to the verdict of a case, and the evidence for it.

use crate::client_cases::judge::{Finding, Outcome};
use crate::client_cases::{Act, Case, Entry, Play, Seen, Transcript, Wanted};
use crate::event::{Evidence, FindingNote, Moment, Verdict, What};
use crate::marks;
use crate::outcome::{Head, Trial, micros};
use crate::profile::Profile;
use crate::spec::Level;
use std::time::Duration;

/// The most octets of a timeline that a report keeps.
const MOST_OCTETS: usize = 1 << 20;

/// The most of what a client printed that one line of a timeline tells.
const MOST_PRINTED: usize = 200;

/// The most moments of a timeline.
const MOST_MOMENTS: usize = 2_000;

/// The most of the standard error that a report keeps.
const MOST_COMPLAINED: usize = 8 << 10;

/// The connection that is played on, as reports call it.
const CONN: &str = "a";

/// One playing of a case.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) case: &'static Case,
    pub(super) profile: Profile,
    pub(super) play: Play,
    pub(super) transcript: Transcript,
    pub(super) outcome: Outcome,
    pub(super) elapsed: Duration,
}

impl From<&'static Case> for Head {
    fn from(case: &'static Case) -> Self {
        Self {
            id: case.id,
            clause: case.slug(),
            level: case.level,
            why: case.why,
        }
    }
}

impl Attempt {
    /// Whether nobody connected.
    pub(super) fn nobody_came(&self) -> bool {
        let nobody = |seen: &Seen| matches!(seen, Seen::GaveUp(Wanted::Connection, _));
        self.transcript.entries.iter().any(|e| nobody(&e.seen))
    }
}

impl Trial for Attempt {
    fn verdict(&self) -> Verdict {
        let levels = self.outcome.findings.iter().map(|finding| finding.level);
        match levels.max().map(|level| level.min(self.case.level)) {
            Some(Level::Must) => Verdict::Fail,
            Some(Level::Should) => Verdict::Warn,
            Some(Level::May) | None if self.outcome.skip.is_some() => Verdict::Skip,
            Some(Level::May) | None => Verdict::Pass,
        }
    }

    /// A play is over when it is broken off, so that nothing that comes later is seen.
    fn is_late(&self) -> bool {
        false
    }

    /// A client is started anew for each case.
    fn peer_is_gone(&self) -> bool {
        false
    }

    fn elapsed(&self) -> Duration {
        self.elapsed
    }

    fn findings(&self) -> Vec<FindingNote> {
        let mut findings: Vec<&Finding> = self.outcome.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        findings
            .into_iter()
            .map(|finding| noted(finding, self.case))
            .collect()
    }

    fn without_findings(&self) -> &str {
        self.outcome.skip.as_deref().unwrap_or_default()
    }

    fn evidence(&self) -> Evidence {
        evidence(&self.profile, &self.play, &self.transcript)
    }
}

fn noted(finding: &Finding, case: &Case) -> FindingNote {
    FindingNote {
        clause: finding.clause.to_owned(),
        level: finding.level.min(case.level),
        what: finding.what.clone(),
        conn: CONN.to_owned(),
        frame: finding.frame,
    }
}

fn evidence(profile: &Profile, play: &Play, transcript: &Transcript) -> Evidence {
    let timeline = timeline(&transcript.entries);
    Evidence {
        script: String::new(),
        frames: marks::mark(profile, &timeline),
        timeline,
        permitted: play.permitted(),
        stderr: transcript.complaints(MOST_COMPLAINED),
    }
}

/// What a play would be to a client that does nothing.
#[must_use]
pub fn rehearsal(profile: &Profile, play: &Play) -> Evidence {
    let seen = play.acts.iter().flat_map(|act| match act {
        Act::Type(line) => vec![Seen::Typed(line.typed.clone())],
        Act::Send(segments) => segments.iter().cloned().map(Seen::Replied).collect(),
        Act::Fin => vec![Seen::ServerFin],
        Act::Rst => vec![Seen::ServerRst],
        Act::Connect => vec![Seen::Connected { before: 0 }],
        Act::Request
        | Act::Shown
        | Act::Pause(_)
        | Act::Settle
        | Act::Linger
        | Act::Ended
        | Act::EndedOnceUsed(_)
        | Act::Noticed(_) => vec![],
    });
    let entry = |seen| Entry {
        at: Duration::ZERO,
        seen,
    };
    let transcript = Transcript {
        entries: seen.map(entry).collect(),
        acts: play.acts.len(),
    };
    evidence(profile, play, &transcript)
}

/// In a timeline it is always the client's octets that are sent, and the server's that are received.
fn timeline(entries: &[Entry]) -> Vec<Moment> {
    let mut room = MOST_OCTETS;
    let mut moments = Vec::new();
    for entry in entries {
        if entry.seen == Seen::Farewell {
            break;
        }
        let octets = match &entry.seen {
            Seen::Sent(octets) | Seen::Replied(octets) => octets.len(),
            _ => 0,
        };
        let Some(left) = room
            .checked_sub(octets)
            .filter(|_| moments.len() < MOST_MOMENTS)
        else {
            moments.push(moment(entry, note("more than a report keeps")));
            break;
        };
        room = left;
        moments.push(moment(entry, what(&entry.seen)));
    }
    moments
}

fn moment(entry: &Entry, what: What) -> Moment {
    Moment {
        at_us: micros(entry.at),
        conn: CONN.to_owned(),
        what,
    }
}

fn note(text: impl Into<String>) -> What {
    What::Note { text: text.into() }
}

fn what(seen: &Seen) -> What {
    match seen {
        Seen::Connected { before: 0 } => What::Connected,
        Seen::Sent(octets) => What::Sent {
            octets: octets.clone(),
        },
        Seen::Replied(octets) => What::Received {
            octets: octets.clone(),
        },
        Seen::Fin => What::ClientFin,
        Seen::Rst => What::ClientRst,
        Seen::ServerFin => What::Fin,
        Seen::ServerRst => What::Rst,
        other => note(words(other)),
    }
}

fn words(seen: &Seen) -> String {
    match seen {
        Seen::Started => "the client is started".to_owned(),
        Seen::Connected { before } => format!("the client connects once more, after {before}"),
        Seen::Typed(line) => format!("typed: {}", brief(line.as_bytes())),
        Seen::Flooded => "more came than is kept; reading was stopped".to_owned(),
        Seen::NotTaken => "the client takes no more".to_owned(),
        Seen::Printed(octets) => format!("printed: {}", brief(octets)),
        Seen::PrintedTooMuch(octets) => {
            format!("{} KiB printed so far; no more is kept", octets >> 10)
        }
        Seen::Complained(octets) => format!("on standard error: {}", brief(octets)),
        Seen::Exited(exit) => format!("the client {exit}"),
        Seen::Used { busy, over } => format!(
            "{} ms of processor time used or queued for in {} ms",
            busy.as_millis(),
            over.as_millis()
        ),
        Seen::Grew {
            resident,
            address_space,
        } => format!(
            "{} KiB of memory and {} KiB of address space taken",
            resident >> 10,
            address_space >> 10
        ),
        Seen::Noticed(how) => format!("the reset was noticed: {how}"),
        Seen::GaveUp(wanted, after) => {
            let wanted = match wanted {
                Wanted::Connection => "a connection".to_owned(),
                Wanted::Request(before) => format!("request {}", before.saturating_add(1)),
                Wanted::Shown => "a sign that the reply was read".to_owned(),
                Wanted::End => "the end of the connection".to_owned(),
                Wanted::Notice => "a sign that the reset was noticed".to_owned(),
            };
            format!("{wanted} was waited for in vain for {after:.1?}")
        }
        Seen::Farewell => "the client is ended".to_owned(),
        Seen::Sent(_)
        | Seen::Replied(_)
        | Seen::Fin
        | Seen::Rst
        | Seen::ServerFin
        | Seen::ServerRst => String::new(),
    }
}

/// The beginning of some octets as text in quotes.
fn brief(octets: &[u8]) -> String {
    let head = octets.get(..MOST_PRINTED).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}
