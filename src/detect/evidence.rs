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

/// What shows itself again and again says less each time: so much of each kind counts.
const MOST_REPEATED: f64 = 32.0;

/// The first octets of frames, each with the number of the side that said it.
pub(super) type Starts = BTreeSet<(usize, usize)>;

/// How well a layout reads what was said.
#[derive(Debug, Clone, Default)]
pub(super) struct Weight {
    /// What speaks for it.
    pub(super) bits: f64,
    /// Where frames begin.
    pub(super) starts: Starts,
    /// How many there are.
    pub(super) frames: usize,
    lengths: BTreeSet<usize>,
}

/// What shows itself again and again, in bits for each kind.
#[derive(Debug, Default)]
struct Repeated {
    pairs: f64,
    ids: f64,
    fixed: f64,
    chunks: f64,
    sums: f64,
    padding: f64,
    payloads: f64,
    not_payloads: f64,
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
    let (mut weight, mut repeated) = (Weight::default(), Repeated::default());
    for (number, exchange) in (0_usize..).step_by(2).zip(sample) {
        let asked = weight.take(profile, &exchange.asked, number, &mut repeated)?;
        let behind = number.saturating_add(1);
        let answered = weight.take(&replies, &exchange.answered, behind, &mut repeated)?;
        if asked > 0 && asked == answered {
            repeated.pairs += 3.0;
        }
        repeated.ids += same_ids(profile, &replies, exchange);
    }
    weight.bits += repeated.bits()?;
    (weight.frames > 0).then_some(weight)
}

impl Repeated {
    /// All of it; nothing if payloads are not what they should be. Whoever tests a server sends what is wrong, too.
    fn bits(&self) -> Option<f64> {
        let kinds = [
            self.pairs,
            self.ids,
            self.fixed,
            self.chunks,
            self.sums,
            self.padding,
            self.payloads,
        ];
        let all = kinds.into_iter().map(|kind| kind.min(MOST_REPEATED)).sum();
        (self.not_payloads * 4.0 <= self.payloads).then_some(all)
    }

    /// Takes what each frame shows; nothing if one has padding that is none.
    fn take(&mut self, profile: &Profile, frames: &[FrameAt], octets: &[u8]) -> Option<()> {
        let count = float(frames.len());
        let fixed = |mark: &Mark| mark.octets().iter().flatten().count();
        let marks = [profile.before(), profile.after(), profile.trailer()];
        let marks: usize = marks.into_iter().map(fixed).sum();
        let sum = profile
            .checksum()
            .map_or(0, |checksum| checksum.kind().width());
        self.fixed += 8.0 * float(marks) * count;
        self.sums += 8.0 * float(sum) * count;
        if profile.trims() {
            self.chunks += f64::from(profile.chunk()).log2() * count;
        } else {
            self.padding += 8.0 * of_padding(profile, frames, octets)?;
        }
        self.take_payloads(profile.payload(), frames, octets);
        Some(())
    }

    fn take_payloads(&mut self, kind: Payload, frames: &[FrameAt], octets: &[u8]) {
        if kind == Payload::Opaque {
            return;
        }
        let payloads = frames.iter().map(|frame| frame.payload(octets));
        for payload in payloads.filter(|payload| !payload.is_empty()) {
            match means_something(kind, &payload) {
                true => self.payloads += BITS_OF_A_PAYLOAD,
                false => self.not_payloads += BITS_OF_A_PAYLOAD,
            }
        }
    }
}

/// What a payload of the right kind says.
const BITS_OF_A_PAYLOAD: f64 = 6.0;

/// How much padding there is, if all of it is made of the octet that it should be made of. What the length counts too
/// is told from the payload by that octet alone, and shows nothing.
fn of_padding(profile: &Profile, frames: &[FrameAt], octets: &[u8]) -> Option<f64> {
    let mut found = 0_usize;
    for frame in frames {
        let content = frame.content(octets);
        let padding = content.get(frame.payload_len..).unwrap_or_default();
        if padding.iter().any(|octet| *octet != profile.pad()) {
            return None;
        }
        found = found.saturating_add(padding.len());
    }
    Some(float(found))
}

impl Weight {
    /// Takes what one side said, and how many frames that were.
    fn take(
        &mut self,
        profile: &Profile,
        said: &Said,
        number: usize,
        repeated: &mut Repeated,
    ) -> Option<usize> {
        if said.octets.is_empty() {
            return Some(0);
        }
        let reading = reader::read_with_limit(profile, &said.octets, LARGEST);
        match reading.ending {
            Ending::Malformed { .. } => return None,
            Ending::Inside { .. } | Ending::Boundary => {}
        }
        self.bits += of_chain(&reading, said);
        repeated.take(profile, &reading.frames, &said.octets)?;
        self.frames = self.frames.saturating_add(reading.frames.len());
        for frame in &reading.frames {
            self.starts.insert((number, frame.start));
            self.lengths.insert(frame.end.saturating_sub(frame.start));
        }
        Some(reading.frames.len())
    }
}

/// A number of things, for reckoning in bits.
pub(super) fn float(number: usize) -> f64 {
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
