//! What speaks for a layout, in bits.

use crate::capture::{Exchange, Said};
use crate::model::payload;
use crate::model::reader::{self, Ending, FrameAt, Reading};
use crate::profile::{Mark, Payload, Profile};
use std::collections::BTreeSet;

/// The largest body that is believed in, in octets.
pub(super) const LARGEST: u128 = 64 << 20;

/// What speaks against a connection that ends inside a frame although all of it is there, in bits.
const ENDS_INSIDE: f64 = 10.0;

/// What is fixed, padded or otherwise the same again and again says less each time: so much of it counts.
const MOST_REPEATED: f64 = 32.0;

/// How well a layout reads what was said.
#[derive(Debug, Clone)]
pub(super) struct Weight {
    /// What speaks for it.
    pub(super) bits: f64,
    /// Where frames begin, side by side.
    pub(super) starts: Vec<usize>,
    /// How many there are.
    pub(super) frames: usize,
    lengths: BTreeSet<usize>,
}

impl Weight {
    /// Octets of the smallest and the largest frame.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let ends = (self.lengths.first(), self.lengths.last());
        (ends.0.copied().unwrap_or(0), ends.1.copied().unwrap_or(0))
    }
}

/// How well the layout reads all of it; nothing if it does not.
pub(super) fn weigh(profile: &Profile, sample: &[Exchange]) -> Option<Weight> {
    let replies = profile.of_replies();
    let mut weight = Weight {
        bits: 0.0,
        starts: Vec::new(),
        frames: 0,
        lengths: BTreeSet::new(),
    };
    let mut repeated = 0.0;
    for exchange in sample {
        let asked = weight.take(profile, &exchange.asked, &mut repeated)?;
        let answered = weight.take(&replies, &exchange.answered, &mut repeated)?;
        if asked > 0 && asked == answered {
            repeated += 3.0;
        }
        repeated += same_ids(profile, &replies, exchange);
    }
    weight.bits += f64::min(repeated, MOST_REPEATED);
    (weight.frames > 0).then_some(weight)
}

impl Weight {
    /// Takes what one side said, and how many frames that were.
    fn take(&mut self, profile: &Profile, said: &Said, repeated: &mut f64) -> Option<usize> {
        if said.octets.is_empty() {
            return Some(0);
        }
        let reading = reader::read_with_limit(profile, &said.octets, LARGEST);
        if let Ending::Malformed { .. } = reading.ending {
            return None;
        }
        self.bits += of_chain(&reading, said);
        *repeated += of_frames(profile, &reading.frames, &said.octets)?;
        self.frames = self.frames.saturating_add(reading.frames.len());
        self.starts
            .extend(reading.frames.iter().map(|frame| frame.start));
        self.starts.push(usize::MAX);
        let lengths = reading.frames.iter();
        self.lengths
            .extend(lengths.map(|frame| frame.end.saturating_sub(frame.start)));
        Some(reading.frames.len())
    }
}

fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

/// That the last frame ends where the connection does, and others where segments do. By chance one of the octets of a
/// frame would.
fn of_chain(reading: &Reading, said: &Said) -> f64 {
    let frames = reading.frames.len().max(1);
    let one = (float(said.octets.len()) / float(frames)).max(1.0).log2();
    let end = match reading.ending {
        Ending::Boundary => one,
        _ if said.is_cut => 0.0,
        _ => -ENDS_INSIDE,
    };
    let ends: BTreeSet<usize> = reading.frames.iter().map(|frame| frame.end).collect();
    let inner = said.ends.iter().filter(|end| **end < said.octets.len());
    let met = inner.filter(|end| ends.contains(end)).count();
    end + f64::min(one * float(met), MOST_REPEATED)
}

/// What each frame shows: octets that are fixed, whole chunks, a checksum, a payload that means something. Nothing if
/// payloads are not what they should be.
fn of_frames(profile: &Profile, frames: &[FrameAt], octets: &[u8]) -> Option<f64> {
    let fixed = |mark: &Mark| mark.octets().iter().flatten().count();
    let marks = [profile.before(), profile.after(), profile.trailer()];
    let marks: usize = marks.into_iter().map(fixed).sum();
    let chunk = match profile.trims() {
        true => f64::from(profile.chunk()).log2(),
        false => 0.0,
    };
    let sum = profile
        .checksum()
        .map_or(0, |checksum| checksum.kind().width());
    let one = 8.0 * float(marks) + chunk + 8.0 * float(sum);
    let frames_of = one * float(frames.len());
    Some(frames_of + of_padding(profile, frames, octets)? + of_payloads(profile, frames, octets)?)
}

/// That padding is made of the octet that it should be made of. What the length counts too is told from the payload by
/// that octet alone, and shows nothing.
fn of_padding(profile: &Profile, frames: &[FrameAt], octets: &[u8]) -> Option<f64> {
    if profile.trims() {
        return Some(0.0);
    }
    let padding = frames.iter().map(|frame| frame.payload.end..frame.body.end);
    let mut padding = padding.flat_map(|range| octets.get(range).unwrap_or_default());
    let found = padding.clone().count();
    padding
        .all(|octet| *octet == profile.pad())
        .then(|| 8.0 * float(found))
}

fn of_payloads(profile: &Profile, frames: &[FrameAt], octets: &[u8]) -> Option<f64> {
    if profile.payload() == Payload::Opaque {
        return Some(0.0);
    }
    let payloads = frames
        .iter()
        .filter_map(|frame| octets.get(frame.payload.clone()));
    let payloads = payloads.filter(|payload| !payload.is_empty());
    let (mut right, mut wrong) = (0_usize, 0_usize);
    for payload in payloads {
        match means_something(profile.payload(), payload) {
            true => right = right.saturating_add(1),
            false => wrong = wrong.saturating_add(1),
        }
    }
    // Whoever tests a server sends what is wrong, too.
    (wrong.saturating_mul(4) <= right).then(|| 6.0 * float(right))
}

/// Whether that is a payload of that kind.
pub(super) fn means_something(kind: Payload, octets: &[u8]) -> bool {
    match kind {
        Payload::Json => payload::is_json_text(octets),
        Payload::Utf8 => std::str::from_utf8(octets).is_ok_and(|text| {
            !text
                .chars()
                .any(|one| one.is_control() && !one.is_whitespace())
        }),
        Payload::Opaque => true,
    }
}

/// That replies have the ids of the requests.
fn same_ids(profile: &Profile, replies: &Profile, exchange: &Exchange) -> f64 {
    if !profile.has_ids() {
        return 0.0;
    }
    let ids = |profile: &Profile, said: &Said| -> BTreeSet<u64> {
        let reading = reader::read_with_limit(profile, &said.octets, LARGEST);
        let headers = reading.frames.iter();
        let headers = headers.filter_map(|frame| said.octets.get(frame.start..frame.body.start));
        headers
            .filter_map(|header| reader::id_in(profile, header))
            .collect()
    };
    let asked = ids(profile, &exchange.asked);
    match asked == ids(replies, &exchange.answered) {
        true => 8.0 * float(asked.len()),
        false => 0.0,
    }
}
