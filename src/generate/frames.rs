//! Frames, right ones and wrong ones, and what is none at all.

use super::payloads;
use crate::model::reader::{self, FrameAt, Part};
use crate::profile::{Length, Profile, Unit};
use crate::script::craft::Craft;
use crate::script::draws::Draws;
use crate::script::index;
use std::ops::Range;

/// What other protocols begin with.
const OTHERS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"{\"a\": 1}\n",
    b"[1]\n",
    b"\r\n",
    b" \n\t",
    b"\x16\x03\x01\x02\0",
    b"SSH-2.0-x\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// The largest body that is sent whole where a length claims it.
const MOST_BODY: usize = 40 << 10;

/// A frame that a server should take, of a message or of something like it.
pub(super) fn right(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let craft = Craft::new(profile);
    match draws.below(16) {
        0..=1 => craft.frame(&payloads::full(profile, draws)),
        2..=6 => craft.frame(&payloads::message(profile, draws)),
        _ => craft.frame(&payloads::any(profile, draws)),
    }
}

/// A frame of any kind; a few have a wrong index, where chunks have one.
pub(super) fn any(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let mut octets = of_any_kind(profile, draws);
    if profile.index().is_some() && draws.one_in(SPOILED) {
        let index = an_index(profile, &octets, draws);
        if let Some(index) = octets.get_mut(index) {
            spoiled(index, draws);
        }
    }
    octets
}

/// Where the index of one of the chunks in a frame stands; nothing, where there is none.
pub(super) fn an_index(profile: &Profile, frame: &[u8], draws: &mut Draws) -> Range<usize> {
    let frames = reader::read_with_limit(profile, frame, u128::MAX).frames;
    let parts = frames.first().map(FrameAt::parts).unwrap_or_default();
    let is_index = |(part, range): (Part, Range<usize>)| (part == Part::Index).then_some(range);
    let indexes: Vec<Range<usize>> = parts.into_iter().filter_map(is_index).collect();
    draws.pick(&indexes).cloned().unwrap_or_default()
}

fn of_any_kind(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    match draws.below(24) {
        0..=12 => right(profile, draws),
        13..=14 => Craft::new(profile).header(0),
        15 => more_padding(profile, draws),
        16 => broken_padding(profile, draws),
        17 => odd_length(profile, draws),
        18..=20 => wrong_length(profile, draws),
        21 => broken_off(profile, draws),
        22 => at_the_limit(profile, draws),
        _ => no_frame(profile, draws),
    }
}

/// More padding than is needed: by any number of chunks, few as often as many.
fn more_padding(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let craft = Craft::new(profile);
    let payload = match draws.one_in(4) {
        true => Vec::new(),
        false => payloads::plain(profile, draws),
    };
    let chunks = draws.of_any_size(most_chunks(
        profile,
        MOST_BODY.saturating_sub(payload.len()),
    ));
    craft.frame_with(&payload, chunks.max(1))
}

/// So many chunks has a body within the limit and within so many octets.
fn most_chunks(profile: &Profile, octets: usize) -> usize {
    let limit = usize::try_from(profile.max_body()).unwrap_or(usize::MAX);
    let chunk = Craft::new(profile).chunk();
    limit.min(octets).checked_div(chunk).unwrap_or_default()
}

/// One checksum in this many is made wrong, and so is an index in one frame of as many.
const SPOILED: usize = 24;

/// Leaves a checksum as it is, but for a few.
pub(super) fn spoil(sum: &mut [u8], draws: &mut Draws) {
    if draws.one_in(SPOILED) {
        spoiled(sum, draws);
    }
}

fn spoiled(sum: &mut [u8], draws: &mut Draws) {
    match draws.below(4) {
        0 => sum.reverse(),
        1 => sum.fill(0),
        2 => sum.iter_mut().for_each(|octet| *octet = !*octet),
        _ => {
            let bit = draws.below(8);
            let at = draws.below(sum.len());
            if let Some(octet) = sum.get_mut(at) {
                *octet ^= 1_u8.rotate_left(u32::try_from(bit).unwrap_or_default());
            }
        }
    }
}

/// A frame with something in its padding.
fn broken_padding(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let payload = payloads::plain(profile, draws);
    let mut frame = Craft::new(profile).frame_with(&payload, draws.below(2));
    let padding = index::place(profile, payload.len());
    let padding = padding.saturating_add(reader::header_len(profile, &frame));
    let at = padding.saturating_add(draws.below(frame.len().saturating_sub(padding)));
    if let Some(octet) = frame.get_mut(at) {
        *octet = b'x';
    }
    frame
}

/// A body that is no whole number of chunks, as its header says.
fn odd_length(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let payload = payloads::plain(profile, draws);
    let craft = Craft::new(profile);
    let count = craft.count_for(i128::try_from(payload.len()).unwrap_or_default());
    let body = craft.with_indexes(&payload);
    [craft.header_with(count), body, craft.trailer()].concat()
}

/// A header that says something else than what follows it.
fn wrong_length(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let craft = Craft::new(profile);
    let body = craft.body(&payloads::plain(profile, draws), 0);
    let mut octets = wrong_header(profile, body.len(), draws);
    if !draws.one_in(3) {
        octets.extend(craft.with_indexes(&body));
        octets.extend(craft.trailer());
    }
    octets
}

/// A header that claims something else than a body of that many octets.
///
/// Decoders go wrong at one number of many: at a limit, where a number of so many bits ends, at a size that stands in
/// their code. So each number of chunks comes, small ones often, and those where numbers end come more often still.
pub(super) fn wrong_header(profile: &Profile, body: usize, draws: &mut Draws) -> Vec<u8> {
    let octets = i128::try_from(body).unwrap_or_default();
    let count = match draws.below(8) {
        0..=1 => draws.pick(&edges(profile)).copied().unwrap_or_default(),
        2 => wrapping(profile, draws),
        3..=4 => of_any_size(profile, draws),
        _ => beside(profile, octets, draws),
    };
    Craft::new(profile).header_with(count)
}

/// A claim without a body, as what a stream ends with.
pub(super) fn claim(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    wrong_header(profile, 0, draws)
}

/// The count of any number of chunks up to the limit, most often of whole ones.
fn of_any_size(profile: &Profile, draws: &mut Draws) -> i128 {
    let chunks = draws.of_any_size(most_chunks(profile, usize::MAX));
    let chunks = i128::try_from(chunks).unwrap_or_default();
    let body = chunks.saturating_mul(profile.chunk().into());
    let more = draws.pick(&[0, 0, 0, 0, 0, 0, 1, -1]).copied();
    Craft::new(profile).count_for(body.saturating_add(more.unwrap_or_default()))
}

/// Bits of the numbers that lengths are kept in, and of those that may be lost to a sign.
const BITS: [u32; 14] = [7, 8, 15, 16, 23, 24, 31, 32, 40, 48, 56, 62, 63, 64];

/// A count that is a small number, or means few octets, once all but so many bits of it are lost.
fn wrapping(profile: &Profile, draws: &mut Draws) -> i128 {
    let bits = draws.pick(&BITS).copied().unwrap_or_default();
    let power = 1_i128.checked_shl(bits).unwrap_or_default();
    let (chunk, unit) = (i128::from(profile.chunk()), octets_of_one(profile));
    let few = i128::try_from(draws.of_any_size(64)).unwrap_or_default();
    match draws.below(3) {
        0 => power.saturating_add(few.saturating_mul(chunk)),
        // Multiplied by what one of it stands for it is a little more than the power.
        1 => {
            let least = power.saturating_add(unit.saturating_sub(1));
            let least = least.checked_div(unit).unwrap_or_default();
            least.saturating_add(few)
        }
        _ => {
            let whole = whole_chunks(power, profile.chunk());
            let octets = whole.saturating_add(few.saturating_mul(chunk));
            Craft::new(profile).count_for(octets)
        }
    }
}

/// Octets that one of a count stands for.
fn octets_of_one(profile: &Profile) -> i128 {
    match profile.unit() {
        Unit::Octets => 1,
        Unit::Chunks => profile.chunk().into(),
    }
}

/// A count that is a little more or less than that of so many octets, turned around, negative, or too large by what is lost to
/// a number of fewer bits.
fn beside(profile: &Profile, octets: i128, draws: &mut Draws) -> i128 {
    let craft = Craft::new(profile);
    let right = craft.count_for(octets);
    let unit = craft.count_for(octets.saturating_add(i128::from(profile.chunk())));
    let chunk = unit.saturating_sub(right);
    let whole = |bits: u32| {
        let more = whole_chunks(1 << bits, profile.chunk());
        craft.count_for(octets.saturating_add(more))
    };
    match draws.below(18) {
        0 => right.saturating_add(1),
        1 => right.saturating_sub(1),
        2 => right.saturating_add(chunk),
        3 => right.saturating_sub(chunk),
        4 => turned(right, profile.length()),
        5 => right.saturating_neg(),
        6 => chunk.saturating_neg(),
        7 => -1,
        8 => right.saturating_add(1 << 8),
        9 => right.saturating_add(1 << 16),
        10 => right.saturating_add(1 << 24),
        11 => right.saturating_add(1 << 31),
        12 => chunk.saturating_mul(1 << 29),
        13 => right.saturating_add(1 << 29),
        14 => whole(8),
        15 => whole(16),
        16 => whole(24),
        _ => whole(31),
    }
}

/// The smallest multiple of both: what is lost of it to a number of fewer bits leaves whole chunks.
fn whole_chunks(power: i128, chunk: u32) -> i128 {
    let odd = chunk.checked_shr(chunk.trailing_zeros()).unwrap_or(1);
    power.max(i128::from(chunk)).saturating_mul(i128::from(odd))
}

/// Counts at which length fields and limits end, and those beside them.
fn edges(profile: &Profile) -> [i128; 23] {
    let craft = Craft::new(profile);
    let (chunk, unit) = (i128::from(profile.chunk()), octets_of_one(profile));
    let largest = craft.largest_count();
    let half = largest.checked_div(2).unwrap_or_default();
    let limit = i128::from(profile.max_body());
    let full = limit.saturating_sub(limit.checked_rem(chunk).unwrap_or_default());
    let of = |octets: i128| craft.count_for(octets);
    let less = |less: i128| largest.saturating_sub(less);
    let more = |octets: i128| of(full.saturating_add(octets));
    // Negative numbers of whole chunks.
    let below = |chunks: i128| {
        let octets = chunks.saturating_mul(chunk).saturating_neg();
        octets.checked_div(unit).unwrap_or_default()
    };
    [
        // The smallest of all, where there is a sign.
        less(-1),
        largest,
        less(1),
        less(2),
        less(3),
        less(4),
        less(7),
        less(8),
        less(59),
        half,
        half.saturating_add(1),
        of(craft.largest_body().into()),
        of(limit),
        more(0),
        more(chunk.saturating_neg()),
        more(-1),
        more(1),
        more(chunk),
        more(chunk.saturating_mul(2)),
        of(0).saturating_sub(1),
        below(1),
        below(2),
        below(1 << 16),
    ]
}

/// The same octets of a length field in the other order; where it has no order, of one of 32 bits.
fn turned(count: i128, length: Length) -> i128 {
    let width = match length {
        Length::Binary { width, .. } => width,
        Length::Varint { .. } | Length::Decimal { .. } => 4,
    };
    let octets = count.to_le_bytes();
    let field = octets.get(..usize::from(width)).unwrap_or_default();
    field.iter().fold(0, |number: i128, octet| {
        number.wrapping_shl(8) | i128::from(*octet)
    })
}

/// A frame that ends somewhere inside.
fn broken_off(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let frame = right(profile, draws);
    let header = reader::header_len(profile, &frame);
    let places = [
        draws.below(frame.len()),
        draws.below(header),
        header,
        frame.len().saturating_sub(1),
    ];
    let cut = draws.pick(&places).copied().unwrap_or_default();
    frame.get(..cut).unwrap_or_default().to_vec()
}

/// A body of exactly the limit, or of a chunk more or less, if that is not too much to be sent.
fn at_the_limit(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let craft = Craft::new(profile);
    let limit = usize::try_from(profile.max_body()).unwrap_or(usize::MAX);
    let over = draws.below(3).saturating_mul(craft.chunk());
    let body = limit.saturating_add(over).saturating_sub(craft.chunk());
    if body > MOST_BODY {
        return wrong_length(profile, draws);
    }
    let payload = match draws.one_in(2) {
        true => payloads::plain(profile, draws),
        false => vec![b'f'; body],
    };
    let spare = body.saturating_sub(payload.len());
    let more = spare.checked_div(craft.chunk().max(1)).unwrap_or_default();
    craft.frame_with(&payload, more)
}

fn no_frame(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    if draws.one_in(2) {
        return payloads::noise(draws, 80);
    }
    let other = draws.pick(OTHERS).copied().unwrap_or_default();
    let behind = right(profile, draws);
    [other, &behind].concat()
}
