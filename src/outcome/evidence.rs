//! What was sent and seen, in the form that reports show.

use crate::event::{Evidence, Moment, What};
use crate::marks;
use crate::model::{self, Permitted};
use crate::profile::Profile;
use crate::script::{Action, ConnName, Script};
use crate::transcript::{Canary, Entry, Reading, Seen, Transcript};
use std::collections::HashMap;
use std::time::Duration;

/// The most octets of a transcript that a report keeps.
const MOST_OCTETS: usize = 128 << 10;

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
    Evidence {
        script: script.to_string(),
        frames: marks::mark(profile, &timeline),
        timeline,
        permitted: permitted_lines(permitted),
        stderr: String::new(),
    }
}

/// What a script would send, and what is permitted then, as if it had been played at a server that
/// says nothing.
#[must_use]
pub fn rehearsal(profile: &Profile, script: &Script) -> Evidence {
    let permitted = model::permitted(profile, script);
    evidence(
        profile,
        script,
        &permitted,
        &Transcript {
            entries: unheard(script),
            ..Transcript::default()
        },
    )
}

fn unheard(script: &Script) -> Vec<Entry> {
    let mut entries = Vec::new();
    for step in script.steps() {
        let seen = match &step.action {
            Action::Open => vec![Seen::Connected],
            Action::Send(segments) => segments.iter().map(|s| Seen::Sent(s.len())).collect(),
            Action::Fin => vec![Seen::ClientFin],
            Action::Rst => vec![Seen::ClientRst],
            Action::Stall => vec![Seen::Stalled],
            Action::Resume => vec![Seen::Resumed],
            Action::Await | Action::Quiet | Action::Pause(_) | Action::Sample(_) => vec![],
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
    for entry in &transcript.entries {
        let what = what(entry, &mut sent);
        let octets = match &what {
            What::Sent { octets } | What::Received { octets } => octets.len(),
            _ => 0,
        };
        if octets > room {
            moments.push(moment(
                entry.at,
                entry.conn,
                note("more octets than a report keeps"),
            ));
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
            octets: octets.clone(),
        },
        Seen::Fin => What::Fin,
        Seen::Rst => What::Rst,
        Seen::ClientFin => What::ClientFin,
        Seen::ClientRst => What::ClientRst,
        Seen::Refused(why) => note(format!("could not connect: {why}")),
        Seen::SendFailed => note("the server had ended the connection: not all was sent"),
        Seen::SendBlocked => note("the server read no more: not all was sent"),
        Seen::Flooded => note("more came than a checker keeps; reading was stopped"),
        Seen::Stalled => note("the client stops reading"),
        Seen::Resumed => note("the client reads again"),
        Seen::GaveUp(after) => note(format!("nothing more was waited for after {after:.1?}")),
        Seen::Silent { round_trips } => note(format!(
            "silent while another client was served {round_trips} times"
        )),
    }
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
