//! What is said on each connection before the first frame: segments that are left out, and what they are in a profile.

use crate::capture::{Exchange, Said, Speaker};

/// How many segments of a side can stand in front of its frames.
const MOST_SEGMENTS: usize = 2;

/// The most octets of a segment that a profile can hold.
const MOST_OCTETS: usize = 512;

/// Connections without what they begin with.
pub(super) struct Behind {
    /// What is left of them.
    pub(super) sample: Vec<Exchange>,
    /// What was left out, as `exchange.prologue` of a profile has it.
    pub(super) turns: Vec<String>,
}

/// What stands behind a handshake, for each that could be one.
pub(super) fn behind(sample: &[Exchange]) -> impl Iterator<Item = Behind> {
    let counts = (0..=MOST_SEGMENTS)
        .flat_map(|asked| (0..=MOST_SEGMENTS).map(move |answered| (asked, answered)));
    counts
        .filter(|counts| *counts != (0, 0))
        .filter_map(|(asked, answered)| behind_so_many(sample, asked, answered))
}

fn behind_so_many(sample: &[Exchange], asked: usize, answered: usize) -> Option<Behind> {
    let turns = turns(sample, asked, answered)?;
    let rest = |exchange: &Exchange| Exchange {
        asked: without(&exchange.asked, asked),
        answered: without(&exchange.answered, answered),
        ..exchange.clone()
    };
    Some(Behind {
        sample: sample.iter().map(rest).collect(),
        turns,
    })
}

/// Where the segment of that number lies, counted from 0.
fn segment(said: &Said, number: usize) -> Option<&[u8]> {
    let start = match number.checked_sub(1) {
        None => 0,
        Some(before) => *said.ends.get(before)?,
    };
    said.octets.get(start..*said.ends.get(number)?)
}

fn without(said: &Said, segments: usize) -> Said {
    let cut = segments.checked_sub(1).and_then(|last| said.ends.get(last));
    let cut = cut.copied().unwrap_or(0);
    Said {
        octets: said.octets.get(cut..).unwrap_or_default().to_vec(),
        ends: said
            .ends
            .iter()
            .filter_map(|end| end.checked_sub(cut).filter(|end| *end > 0))
            .collect(),
        is_cut: said.is_cut,
    }
}

/// The segments in front, in the order in which they came, if all connections begin with as many octets.
fn turns(sample: &[Exchange], asked: usize, answered: usize) -> Option<Vec<String>> {
    let (mut clients, mut servers) = (0_usize, 0_usize);
    let mut turns = Vec::new();
    for speaker in &sample.first()?.order {
        let (number, most) = match speaker {
            Speaker::Client => (&mut clients, asked),
            Speaker::Server => (&mut servers, answered),
        };
        if *number < most {
            turns.push(turn(sample, *speaker, *number)?);
        }
        *number = number.saturating_add(1);
    }
    (turns.len() == asked.saturating_add(answered)).then_some(turns)
}

fn turn(sample: &[Exchange], speaker: Speaker, number: usize) -> Option<String> {
    let said = |exchange| side(exchange, speaker);
    let first = segment(said(sample.first()?), number)?;
    let all: Option<Vec<&[u8]>> = sample
        .iter()
        .map(|exchange| segment(said(exchange), number))
        .collect();
    let all = all?;
    if first.len() > MOST_OCTETS || all.iter().any(|one| one.len() != first.len()) {
        return None;
    }
    let octet = |(at, octet): (usize, &u8)| {
        let is_same = all.iter().all(|one| one.get(at) == Some(octet));
        match is_same {
            true => format!("{octet:02x}"),
            false => "??".to_owned(),
        }
    };
    let octets: Vec<String> = first.iter().enumerate().map(octet).collect();
    let name = match speaker {
        Speaker::Client => "client",
        Speaker::Server => "server",
    };
    Some(format!("{name} {}", octets.join(" ")))
}

fn side(exchange: &Exchange, speaker: Speaker) -> &Said {
    match speaker {
        Speaker::Client => &exchange.asked,
        Speaker::Server => &exchange.answered,
    }
}
