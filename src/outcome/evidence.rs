//! What was sent and seen, in the form that reports show.

use crate::event::{Evidence, Moment, What};
use crate::marks;
use crate::model::{self, Permitted};
use crate::profile::Profile;
use crate::script::{Action, Awaited, ConnName, Octets, Opening, Script, Side};
use crate::transcript::{Canary, Entry, Reading, Seen, Transcript};
use std::collections::HashMap;
use std::time::Duration;

/// The most octets of a transcript that a report keeps.
const MOST_OCTETS: usize = 128 << 10;

/// The most that it keeps of all of them: a server that floods every case would fill a disk …
pub(super) const MOST_IN_ALL: usize = 5 << 20;

/// … and of each case behind those still the beginning.
const BEHIND_THOSE: usize = 4 << 10;

/// What stands where the rest was.
const MORE: &str = "more octets than a report keeps";

/// The most of what a client printed that one line of a timeline tells, in octets.
const MOST_PRINTED: usize = 200;

/// The most lines that say what was permitted.
const MOST_PERMITTED: usize = 40;

/// The evidence of one playing of a script.
pub(super) fn evidence(
    profile: &Profile,
    script: &Script,
    permitted: &[Permitted],
    transcript: &Transcript,
) -> Evidence {
    let timeline = timeline(script, transcript);
    let replies = profile.of_replies();
    let (sent, received) = match script.side() {
        Side::Client => (profile, &replies),
        Side::Server => (&replies, profile),
    };
    Evidence {
        script: script.to_string(),
        frames: marks::mark(sent, received, &timeline),
        timeline,
        permitted: permitted_lines(permitted),
        stderr: String::new(),
    }
}

/// What a script would send, and what is permitted then, as if it had been played at a peer that says
/// nothing.
#[must_use]
pub fn rehearsal(profile: &Profile, script: &Script) -> Evidence {
    let permitted = model::permitted(profile, script);
    evidence(
        profile,
        script,
        &permitted,
        &Transcript {
            entries: only_sent(script),
            ..Transcript::default()
        },
    )
}

fn only_sent(script: &Script) -> Vec<Entry> {
    let mut entries = Vec::new();
    for step in script.steps() {
        let seen = match &step.action {
            Action::Open => vec![Seen::Connected],
            Action::Begin(opening) => vec![Seen::Connected, Seen::BeganWith(opening.clone())],
            Action::Send(segments) => segments.iter().map(|s| Seen::Sent(s.len())).collect(),
            Action::SendEmpty => vec![Seen::Sent(0)],
            Action::Fin => vec![Seen::FinSent],
            Action::Rst => vec![Seen::RstSent],
            Action::Stall => vec![Seen::Stalled],
            Action::Resume => vec![Seen::Resumed],
            Action::Type(typed) => vec![Seen::Typed(typed.line.clone())],
            Action::Await
            | Action::Quiet
            | Action::Pause(_)
            | Action::Sample(_)
            | Action::Shown
            | Action::Settle => vec![],
        };
        let entry = |seen| Entry {
            at: Duration::ZERO,
            conn: step.conn,
            seen,
        };
        entries.extend(seen.into_iter().map(entry));
    }
    entries
}

/// What is permitted, one line for each thing owed.
fn permitted_lines(permitted: &[Permitted]) -> Vec<String> {
    let lines: Vec<String> = permitted
        .iter()
        .enumerate()
        .flat_map(|(conn, permitted)| {
            permitted
                .lines()
                .into_iter()
                .map(move |line| format!("{}: {line}", ConnName(conn)))
        })
        .collect();
    let more = lines.len().saturating_sub(MOST_PERMITTED);
    let mut lines: Vec<String> = lines.into_iter().take(MOST_PERMITTED).collect();
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines
}

fn timeline(script: &Script, transcript: &Transcript) -> Vec<Moment> {
    let mut sent = Sent {
        script,
        streams: HashMap::new(),
    };
    let mut room = MOST_OCTETS;
    let mut moments: Vec<Moment> = Vec::new();
    for (_, entry) in transcript.counting() {
        let what = seen_from(script.side(), what(entry, &mut sent));
        let octets = octets_of(&what);
        if octets > room {
            moments.push(moment(entry.at, entry.conn, note(MORE)));
            break;
        }
        room = room.saturating_sub(octets);
        moments.push(moment(entry.at, entry.conn, what));
    }
    let end = transcript
        .entries
        .last()
        .map(|entry| entry.at)
        .unwrap_or_default();
    for sample in &transcript.samples {
        let text = format!("process ({}): {}", sample.name, told(&sample.reading));
        moments.push(moment(sample.at, 0, note(text)));
    }
    moments.sort_by_key(|moment| moment.at_us);
    if let Some(text) = canary(&transcript.canary) {
        moments.push(Moment {
            at_us: super::micros(end),
            conn: "canary".into(),
            what: note(text),
        });
    }
    moments
}

fn moment(at: Duration, conn: usize, what: What) -> Moment {
    Moment {
        at_us: super::micros(at),
        conn: ConnName(conn).to_string(),
        what,
    }
}

/// What a connection begins with, in the words of scripts.
fn begins_with(opening: &Opening) -> String {
    let segments = opening.segments.iter();
    let segments: Vec<String> = segments.map(|one| Octets(one).to_string()).collect();
    match segments.is_empty() {
        true => "begins with nothing".to_owned(),
        false => format!("begins with {}", segments.join(" | ")),
    }
}

/// Shortens what is kept of a case, if there is no room left for all of it; how much room it takes.
pub(super) fn shorten(evidence: &mut Evidence, left: usize) -> usize {
    let room = left.max(BEHIND_THOSE);
    let (mut taken, mut is_cut) = (0_usize, false);
    evidence.timeline.retain_mut(|moment| {
        let octets = octets_of(&moment.what);
        if octets == 0 {
            return true;
        }
        let all = taken.saturating_add(octets);
        if !is_cut && all <= room {
            taken = all;
            return true;
        }
        // One moment stands for all that is left out.
        let is_first = !std::mem::replace(&mut is_cut, true);
        if is_first {
            moment.what = note(MORE);
        }
        is_first
    });
    taken
}

fn octets_of(what: &What) -> usize {
    match what {
        What::Sent { octets } | What::Received { octets } => octets.len(),
        _ => 0,
    }
}

fn note(text: impl Into<String>) -> What {
    What::Note { text: text.into() }
}

/// The script's octets, handed out in the order in which they were sent.
struct Sent<'a> {
    script: &'a Script,
    streams: HashMap<usize, (Vec<u8>, usize)>,
}

impl Sent<'_> {
    fn next(&mut self, conn: usize, octets: usize) -> Vec<u8> {
        let (stream, at) = self
            .streams
            .entry(conn)
            .or_insert_with(|| (self.script.stream(conn), 0));
        let end = at.saturating_add(octets);
        let taken = stream.get(*at..end).unwrap_or_default().to_vec();
        *at = end;
        taken
    }
}

fn what(entry: &Entry, sent: &mut Sent<'_>) -> What {
    match &entry.seen {
        Seen::Connected => What::Connected,
        Seen::Sent(octets) => What::Sent {
            octets: sent.next(entry.conn, *octets),
        },
        Seen::Received(octets) => What::Received {
            octets: octets.to_vec(),
        },
        Seen::Fin => What::Fin,
        Seen::Rst => What::Rst,
        Seen::FinSent => What::ClientFin,
        Seen::RstSent => What::ClientRst,
        Seen::Refused(why) => note(format!("could not connect: {why}")),
        Seen::BeganWith(opening) => note(begins_with(opening)),
        Seen::NotBegun(why) => note(format!("did not get through the prologue: {why}")),
        Seen::SendFailed => note("the connection was ended by the other side: not all was sent"),
        Seen::SendBlocked => note("the other side read no more: not all was sent"),
        Seen::Flooded => note("more came than a checker keeps; reading was stopped"),
        Seen::Stalled => note("the client stops reading"),
        Seen::Resumed => note("the client reads again"),
        Seen::GaveUp(awaited, after) => note(given_up(*awaited, *after)),
        Seen::CameLate => note("what was waited for came late"),
        Seen::Silent { round_trips } => note(format!(
            "silent while another client was served {round_trips} times"
        )),
        client => note(of_client(client)),
    }
}

/// In a timeline it is always the client's octets that are sent, and the server's that are received.
fn seen_from(side: Side, what: What) -> What {
    match (side, what) {
        (Side::Client, what) => what,
        (Side::Server, What::Sent { octets }) => What::Received { octets },
        (Side::Server, What::Received { octets }) => What::Sent { octets },
        (Side::Server, What::Fin) => What::ClientFin,
        (Side::Server, What::Rst) => What::ClientRst,
        (Side::Server, What::ClientFin) => What::Fin,
        (Side::Server, What::ClientRst) => What::Rst,
        (Side::Server, what) => what,
    }
}

fn given_up(awaited: Awaited, after: Duration) -> String {
    let awaited = match awaited {
        Awaited::Owed => return format!("nothing more was waited for after {after:.1?}"),
        Awaited::Connection => "a connection".to_owned(),
        Awaited::Request(before) => format!("request {}", before.saturating_add(1)),
        Awaited::RequestOrEnd(_) => "another request, or the end of the connection,".to_owned(),
        Awaited::Shown => "a sign that the reply was read".to_owned(),
        Awaited::End => "the end of the connection".to_owned(),
        Awaited::Notice => "a sign that the reset was noticed".to_owned(),
    };
    format!("{awaited} was waited for in vain for {after:.1?}")
}

/// What was seen of a client as a program, in words; nothing for what has no words.
fn of_client(seen: &Seen) -> String {
    match seen {
        Seen::Started => "the client is started".to_owned(),
        Seen::ConnectedAgain(before) => format!("the client connects once more, after {before}"),
        Seen::Typed(line) => format!("typed: {}", brief(line.as_bytes())),
        Seen::Printed(octets) => format!("printed: {}", brief(octets)),
        Seen::PrintedTooMuch(octets) => {
            format!("{} KiB printed so far; no more is kept", octets >> 10)
        }
        Seen::Stderr(octets) => format!("on standard error: {}", brief(octets)),
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
        _ => String::new(),
    }
}

/// The beginning of some octets as text in quotes.
fn brief(octets: &[u8]) -> String {
    let head = octets.get(..MOST_PRINTED).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}

fn told(reading: &Reading) -> String {
    format!(
        "{} KiB of memory, {} MiB address space, {} ms processor time, {} descriptors, {} threads",
        reading.resident >> 10,
        reading.virtual_size >> 20,
        reading.cpu.as_millis(),
        reading.descriptors,
        reading.threads
    )
}

fn canary(canary: &Canary) -> Option<String> {
    match canary {
        Canary::Well => None,
        Canary::Disturbed(how) => Some(format!("the healthy client beside the script {how}")),
        Canary::Dead(how) | Canary::Mute(how) => Some(format!("a new client afterwards {how}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(octets: usize) -> Moment {
        let what = What::Received {
            octets: vec![b'x'; octets],
        };
        moment(Duration::ZERO, 0, what)
    }

    fn evidence_of(timeline: Vec<Moment>) -> Evidence {
        Evidence {
            timeline,
            ..Evidence::default()
        }
    }

    #[test]
    fn what_there_is_room_for_is_left_as_it_is() {
        let mut evidence = evidence_of(vec![received(10), moment(Duration::ZERO, 0, What::Fin)]);
        let before = evidence.clone();
        assert_eq!(shorten(&mut evidence, MOST_IN_ALL), 10);
        assert_eq!(evidence, before);
    }

    #[test]
    fn without_room_the_beginning_is_left_and_how_it_ended() {
        let fin = moment(Duration::ZERO, 0, What::Fin);
        let all = vec![
            received(1_000),
            received(64 << 10),
            received(9),
            fin.clone(),
        ];
        let mut evidence = evidence_of(all);
        assert_eq!(shorten(&mut evidence, 0), 1_000);
        let cut = moment(Duration::ZERO, 0, note(MORE));
        assert_eq!(evidence.timeline, [received(1_000), cut, fin]);
    }
}
