//! What was sent and seen, in the form that reports show.

use crate::event::{Evidence, Moment, What};
use crate::lang::{Text, say};
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
fn more() -> What {
    note(say!("more octets than a report keeps"))
}

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
fn permitted_lines(permitted: &[Permitted]) -> Vec<Text> {
    let lines: Vec<Text> = permitted
        .iter()
        .enumerate()
        .flat_map(|(conn, permitted)| {
            permitted
                .lines()
                .into_iter()
                .map(move |line| say!("{conn}: {line}", conn = ConnName(conn).to_string(), line))
        })
        .collect();
    let more = lines.len().saturating_sub(MOST_PERMITTED);
    let mut lines: Vec<Text> = lines.into_iter().take(MOST_PERMITTED).collect();
    if more > 0 {
        lines.push(say!("… and {more} more", more));
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
            moments.push(moment(entry.at, entry.conn, more()));
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
        let text = say!(
            "process ({name}): {told}",
            name = sample.name,
            told = told(&sample.reading)
        );
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
fn begins_with(opening: &Opening) -> Text {
    let segments = opening.segments.iter();
    let segments: Vec<String> = segments.map(|one| Octets(one).to_string()).collect();
    match segments.is_empty() {
        true => say!("begins with nothing"),
        false => say!("begins with {octets}", octets = segments.join(" | ")),
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
            moment.what = more();
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

const fn note(text: Text) -> What {
    What::Note { text }
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
        Seen::Refused(why) => note(say!("could not connect: {why}", why)),
        Seen::BeganWith(opening) => note(begins_with(opening)),
        Seen::NotBegun(why) => note(say!("did not get through the prologue: {why}", why)),
        Seen::SendFailed => note(say!(
            "the connection was ended by the other side: not all was sent"
        )),
        Seen::SendBlocked => note(say!("the other side read no more: not all was sent")),
        Seen::Flooded => note(say!("more came than a checker keeps; reading was stopped")),
        Seen::Stalled => note(say!("the client stops reading")),
        Seen::Resumed => note(say!("the client reads again")),
        Seen::GaveUp(awaited, after) => note(given_up(*awaited, *after)),
        Seen::CameLate => note(say!("what was waited for came late")),
        Seen::Silent { round_trips } => note(say!(
            "silent while another client was served {round_trips} times",
            round_trips
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

fn given_up(awaited: Awaited, after: Duration) -> Text {
    let awaited = match awaited {
        Awaited::Owed => {
            return say!(
                "nothing more was waited for after {after}",
                after = format!("{:.1?}", after)
            );
        }
        Awaited::Connection => say!("a connection"),
        Awaited::Request(before) => say!("request {number}", number = before.saturating_add(1)),
        Awaited::RequestOrEnd(_) => say!("another request, or the end of the connection,"),
        Awaited::Shown => say!("a sign that the reply was read"),
        Awaited::End => say!("the end of the connection"),
        Awaited::Notice => say!("a sign that the reset was noticed"),
    };
    say!(
        "{awaited} was waited for in vain for {after}",
        awaited,
        after = format!("{:.1?}", after)
    )
}

/// What was seen of a client as a program, in words; nothing for what has no words.
fn of_client(seen: &Seen) -> Text {
    match seen {
        Seen::Started => say!("the client is started"),
        Seen::ConnectedAgain(before) => {
            say!("the client connects once more, after {before}", before)
        }
        Seen::Typed(line) => say!("typed: {brief}", brief = brief(line.as_bytes())),
        Seen::Printed(octets) => say!("printed: {brief}", brief = brief(octets)),
        Seen::PrintedTooMuch(octets) => {
            say!(
                "{octets} KiB printed so far; no more is kept",
                octets = octets >> 10
            )
        }
        Seen::Stderr(octets) => say!("on standard error: {brief}", brief = brief(octets)),
        Seen::Exited(exit) => say!("the client {exit}", exit),
        Seen::Used { busy, over } => say!(
            "{busy} ms of processor time used or queued for in {over} ms",
            busy = busy.as_millis(),
            over = over.as_millis()
        ),
        Seen::Grew {
            resident,
            address_space,
        } => say!(
            "{resident} KiB of memory and {address_space} KiB of address space taken",
            resident = resident >> 10,
            address_space = address_space >> 10
        ),
        Seen::Noticed(how) => say!("the reset was noticed: {how}", how),
        _ => Text::default(),
    }
}

/// The beginning of some octets as text in quotes.
fn brief(octets: &[u8]) -> String {
    let head = octets.get(..MOST_PRINTED).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}

fn told(reading: &Reading) -> Text {
    say!(
        "{resident} KiB of memory, {virtual_size} MiB address space, {cpu} ms processor time, {descriptors} descriptors, {threads} threads",
        resident = reading.resident >> 10,
        virtual_size = reading.virtual_size >> 20,
        cpu = reading.cpu.as_millis(),
        descriptors = reading.descriptors,
        threads = reading.threads
    )
}

fn canary(canary: &Canary) -> Option<Text> {
    match canary {
        Canary::Well => None,
        Canary::Disturbed(how) => Some(say!("the healthy client beside the script {how}", how)),
        Canary::Dead(how) | Canary::Mute(how) => Some(say!("a new client afterwards {how}", how)),
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
        let cut = moment(Duration::ZERO, 0, more());
        assert_eq!(evidence.timeline, [received(1_000), cut, fin]);
    }
}
