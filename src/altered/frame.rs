//! What a header says, in steps of their own: the number in it, the sizes that it stands for, the payload
//! in a body.

use crate::profile::{Index, Length, Mark, Order, Profile, Region, Unit};
use crate::wire;
use std::ops::Range;

/// A body and, where the header tells that, how much of it is payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) octets: Vec<u8>,
    pub(crate) payload: Option<usize>,
}

/// The size of a body and, where the header tells that, of the payload in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) body: usize,
    pub(crate) payload: Option<usize>,
}

/// A header that no frame can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// How many octets are missing from the header that these are the beginning of, as far as they tell: none
/// from one that is whole, or that cannot become right.
pub(crate) fn missing(profile: &Profile, header: &[u8]) -> usize {
    let marks = profile.before().len().saturating_add(profile.after().len());
    let behind = header.get(profile.before().len()..).unwrap_or_default();
    let wanted = marks.saturating_add(field_len(profile.length(), behind));
    let wanted = wanted.max(profile.header_len());
    let most = profile.longest_header_len();
    wanted.min(most).saturating_sub(header.len())
}

/// Octets of the length field that these are the beginning of, as far as they tell.
fn field_len(length: Length, octets: &[u8]) -> usize {
    let goes_on = |more: fn(&u8) -> bool| octets.iter().take_while(|octet| more(octet)).count();
    match length {
        Length::Binary { width, .. } => width.into(),
        Length::Varint { .. } => goes_on(|octet| *octet >= 0x80).saturating_add(1),
        Length::Decimal { end, .. } => {
            let digits = goes_on(u8::is_ascii_digit).max(1);
            digits.saturating_add(end.octets().len())
        }
    }
}

/// The octet that stands for nothing in a length field: what follows it still belongs to the number.
pub(crate) fn zero(profile: &Profile) -> u8 {
    match profile.length() {
        Length::Binary { .. } => 0,
        Length::Varint { .. } => 0x80,
        Length::Decimal { .. } => b'0',
    }
}

/// The octets of a header as they are in memory that was cleared; where what is read is text, a number all the same.
pub(crate) fn of_nothing(profile: &Profile) -> Vec<u8> {
    let zero = match profile.length() {
        Length::Binary { width, .. } => vec![0; width.into()],
        Length::Varint { .. } => vec![0],
        Length::Decimal { end, .. } => [b"0", end.octets()].concat(),
    };
    let cleared = |octets: usize| vec![0; octets];
    [
        cleared(profile.before().len()),
        zero,
        cleared(profile.after().len()),
    ]
    .concat()
}

/// Octets of the header that a frame begins with.
pub(crate) fn header_len(profile: &Profile, frame: &[u8]) -> usize {
    let mut len = 0_usize;
    loop {
        let missing = missing(profile, frame.get(..len).unwrap_or_default());
        if missing == 0 || len >= frame.len() {
            return len.min(frame.len());
        }
        len = len.saturating_add(missing).min(frame.len());
    }
}

/// Where the length field lies in a header, as far as that goes.
pub(crate) fn field(profile: &Profile, header: &[u8]) -> Range<usize> {
    let start = profile.before().len().min(header.len());
    let behind = header.get(start..).unwrap_or_default();
    let len = field_len(profile.length(), behind).min(profile.length().most_len());
    start..start.saturating_add(len).min(header.len())
}

/// The sizes that a header tells, its number read by `count` and judged by `sizes`.
pub(crate) fn sizes_in(
    profile: &Profile,
    header: &[u8],
    count: fn(&Profile, &[u8]) -> i128,
    sizes: fn(&Profile, i128) -> Result<Sizes, Malformed>,
) -> Result<Sizes, Malformed> {
    let field = field(profile, header);
    check_mark(profile.before(), header)?;
    check_mark(profile.after(), header.get(field.end..).unwrap_or_default())?;
    sizes(
        profile,
        count(profile, header.get(field).unwrap_or_default()),
    )
}

/// The id in a header; 0 where there is none.
pub(crate) fn id(profile: &Profile, header: &[u8]) -> u64 {
    let behind = header.len().saturating_sub(profile.after().len());
    let parts = [(0, profile.before().id()), (behind, profile.after().id())];
    let octets = parts
        .into_iter()
        .flat_map(|(from, id)| header.iter().skip(from).skip(id.start).take(id.len()));
    octets.fold(0, |id: u64, octet| id.wrapping_shl(8) | u64::from(*octet))
}

/// What is sent behind a body.
pub(crate) fn trailer(profile: &Profile) -> Vec<u8> {
    profile.trailer().sent().to_vec()
}

/// What stands behind a body, if these are its octets.
pub(crate) fn check_trailer(profile: &Profile, octets: &[u8]) -> Result<(), Malformed> {
    check_mark(profile.trailer(), octets)
}

/// All that there is of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) padding: &'a [u8],
    pub(crate) trailer: &'a [u8],
}

impl<'a> Whole<'a> {
    /// Of a frame with that body.
    pub(crate) fn of(
        profile: &Profile,
        header: &'a [u8],
        body: &'a Body,
        trailer: &'a [u8],
    ) -> Self {
        let payload = payload_len(profile, body);
        let (payload, padding) = body
            .octets
            .split_at_checked(payload)
            .unwrap_or((&body.octets, &[]));
        Self {
            header,
            payload,
            padding,
            trailer,
        }
    }

    /// The part of it that a region is; of one in which the checksum stands, what is in front of that.
    fn region(&self, profile: &Profile, region: Region) -> &'a [u8] {
        let (before, after) = (profile.before(), profile.after());
        let behind = self.header.len().saturating_sub(after.len());
        let in_front = |mark: &Mark| match mark.checksum() {
            at if at.is_empty() => mark.len(),
            at => at.start,
        };
        let header = |range: Range<usize>| self.header.get(range).unwrap_or_default();
        match region {
            Region::Before => header(0..in_front(before)),
            Region::Length => header(before.len()..behind),
            Region::After => header(behind..behind.saturating_add(in_front(after))),
            Region::Payload => self.payload,
            Region::Padding => self.padding,
            // No checksum is reckoned from them.
            Region::Indexes => &[],
        }
    }

    /// The checksum that stands in it; empty if frames have none.
    pub(crate) fn found(&self, profile: &Profile) -> &'a [u8] {
        let behind = self.header.len().saturating_sub(profile.after().len());
        let behind = self.header.get(behind..).unwrap_or_default();
        let marks = [
            (self.header, profile.before()),
            (behind, profile.after()),
            (self.trailer, profile.trailer()),
        ];
        let mut found = marks
            .into_iter()
            .map(|(octets, mark)| octets.get(mark.checksum()).unwrap_or_default());
        found.find(|octets| !octets.is_empty()).unwrap_or_default()
    }

    /// The checksum that belongs to it.
    pub(crate) fn expected(&self, profile: &Profile) -> Vec<u8> {
        self.expected_over(profile, |region| {
            let checksum = profile.checksum();
            checksum.is_some_and(|checksum| checksum.covers(region))
        })
    }

    /// The checksum that would belong to it if it were reckoned from these regions.
    pub(crate) fn expected_over(
        &self,
        profile: &Profile,
        covers: impl Fn(Region) -> bool,
    ) -> Vec<u8> {
        let Some(checksum) = profile.checksum() else {
            return Vec::new();
        };
        let regions = [
            Region::Before,
            Region::Length,
            Region::After,
            Region::Payload,
            Region::Padding,
        ];
        let covered = regions.into_iter().filter(|region| covers(*region));
        let parts = covered.map(|region| self.region(profile, region));
        let sum = wire::sum(checksum.kind(), checksum.order(), parts);
        sum.as_ref().to_vec()
    }

    /// Whether the checksum in it is the one that belongs to it.
    pub(crate) fn is_right(&self, profile: &Profile) -> bool {
        self.found(profile) == self.expected(profile)
    }
}

fn check_mark(mark: &Mark, octets: &[u8]) -> Result<(), Malformed> {
    let mut pairs = mark.octets().iter().zip(octets);
    let fits = pairs.all(|(expected, octet)| expected.is_none_or(|expected| expected == *octet));
    fits.then_some(()).ok_or(Malformed)
}

/// The number in a length field, read as the profile writes it. Below zero where it is none.
pub(crate) fn count(profile: &Profile, field: &[u8]) -> i128 {
    match profile.length() {
        Length::Binary { order, signed, .. } => binary(order, signed, field),
        Length::Varint { overlong, .. } => varint(field, overlong).unwrap_or(-1),
        Length::Decimal { end, overlong, .. } => {
            decimal(field, end.octets(), overlong).unwrap_or(-1)
        }
    }
}

fn binary(order: Order, signed: bool, field: &[u8]) -> i128 {
    let mut octets = field.to_vec();
    if order == Order::Little {
        octets.reverse();
    }
    let number = in_big_endian(&octets);
    let bits = u32::try_from(octets.len()).map_or(0, |octets| octets.saturating_mul(8));
    let negative = signed && octets.first().is_some_and(|octet| *octet >= 0x80);
    if negative {
        number.saturating_sub(1_i128.checked_shl(bits).unwrap_or_default())
    } else {
        number
    }
}

fn varint(field: &[u8], overlong: bool) -> Option<i128> {
    let (last, rest) = field.split_last()?;
    if *last >= 0x80 || *last == 0 && !rest.is_empty() && !overlong {
        return None;
    }
    let bits = |number: i128, octet: &u8| number.wrapping_shl(7) | i128::from(octet & 0x7f);
    Some(field.iter().rev().fold(0, bits))
}

fn decimal(field: &[u8], end: &[u8], overlong: bool) -> Option<i128> {
    let digits = std::str::from_utf8(field.strip_suffix(end)?).ok()?;
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let has_zeros = digits.len() > 1 && digits.starts_with('0');
    if !is_plain || has_zeros && !overlong {
        return None;
    }
    digits.parse().ok()
}

/// A number of so many octets, the first of them the most significant.
pub(crate) fn in_big_endian(octets: &[u8]) -> i128 {
    octets.iter().fold(0, |number: i128, octet| {
        number.saturating_mul(256).saturating_add((*octet).into())
    })
}

/// The first number that is too large for the length field, or for the 32 bits that one without a fixed width
/// is most often kept in.
pub(crate) fn modulus(profile: &Profile) -> i128 {
    match profile.length() {
        Length::Binary { width, .. } => {
            let bits = u32::from(width).saturating_mul(8);
            1_i128.checked_shl(bits).unwrap_or(i128::MAX)
        }
        length => {
            let most = length.most_counted().map_or(i128::MAX, i128::from);
            most.saturating_add(1).min(1 << 32)
        }
    }
}

pub(crate) fn sizes(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    sizes_up_to(profile, count, profile.max_body().into())
}

/// The sizes that a number stands for, if the body is not over the limit and has whole chunks.
pub(crate) fn sizes_up_to(profile: &Profile, count: i128, limit: i128) -> Result<Sizes, Malformed> {
    let (body, _) = lengths(profile, count);
    let is_whole = body.checked_rem(profile.chunk().into()) == Some(0);
    let in_order = body <= limit && is_whole;
    in_order.then_some(()).ok_or(Malformed)?;
    sizes_unchecked(profile, count)
}

/// The same for any number that is not below nothing.
pub(crate) fn sizes_unchecked(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let octets = |number: i128| usize::try_from(number).map_err(|_| Malformed);
    let (body, payload) = lengths(profile, count);
    Ok(Sizes {
        body: octets(body)?,
        payload: payload.map(octets).transpose()?,
    })
}

/// The same with a limit of 32 KiB, unless another one is declared.
pub(crate) fn sizes_up_to_32_kib(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let limit = profile.declared_max_body().unwrap_or(32 << 10);
    sizes_up_to(profile, count, limit.into())
}

/// Octets of body that a number stands for, and of payload where that is another matter. Negative
/// where the number is too small for what it covers.
pub(crate) fn lengths(profile: &Profile, count: i128) -> (i128, Option<i128>) {
    let chunk = i128::from(profile.chunk());
    let length = match profile.unit() {
        Unit::Octets => count,
        Unit::Chunks => count.saturating_mul(chunk),
    };
    let covered = i128::try_from(profile.covered_header_len()).unwrap_or(i128::MAX);
    let counted = uncounted(profile, length.saturating_sub(covered));
    if profile.covers(Region::Padding) {
        return (counted, (chunk == 1).then_some(counted));
    }
    let over = counted.checked_rem_euclid(chunk).unwrap_or_default();
    let missing = if over == 0 {
        0
    } else {
        chunk.saturating_sub(over)
    };
    (counted.saturating_add(missing), Some(counted))
}

/// What a length leaves without the indexes that it counts; a number that ends in one or behind one leaves less than
/// nothing.
fn uncounted(profile: &Profile, length: i128) -> i128 {
    let Some(index) = profile.index().filter(|_| profile.covers(Region::Indexes)) else {
        return length;
    };
    let width = i128::try_from(index.width()).unwrap_or_default();
    let chunk = width.saturating_add(index.chunk().into());
    let last = length.checked_rem(chunk).unwrap_or_default();
    if length < 0 || last > 0 && last <= width {
        return -1;
    }
    let more = chunk.saturating_sub(1);
    let chunks = length.saturating_add(more).checked_div(chunk);
    length.saturating_sub(chunks.unwrap_or_default().saturating_mul(width))
}

/// Octets of a chunk and of its index; no index where chunks have none.
pub(crate) fn chunk_sizes(profile: &Profile) -> (usize, usize) {
    let sizes = |index: Index| (index.chunk() as usize, index.width());
    profile.index().map_or((usize::MAX, 0), sizes)
}

/// Octets of a body of so many, with its indexes.
pub(crate) fn with_indexes(profile: &Profile, body: usize) -> usize {
    let (chunk, index) = chunk_sizes(profile);
    body.saturating_add(body.div_ceil(chunk).saturating_mul(index))
}

/// The chunks of a body as they came, each behind its index.
pub(crate) fn chunks<'a>(profile: &Profile, body: &'a [u8]) -> Vec<(&'a [u8], &'a [u8])> {
    let (chunk, index) = chunk_sizes(profile);
    let chunks = body.chunks(chunk.saturating_add(index));
    let parted = chunks.map(|chunk| chunk.split_at_checked(index));
    parted.flatten().collect()
}

/// A body without its indexes, if they are those that belong there.
pub(crate) fn without_indexes(profile: &Profile, body: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    if profile.index().is_none() {
        return Ok(body);
    }
    let mut octets = Vec::new();
    for (number, (found, chunk)) in chunks(profile, &body).into_iter().enumerate() {
        if found != index(profile, number) {
            return Err(Malformed);
        }
        octets.extend(chunk);
    }
    Ok(octets)
}

/// A body with its indexes.
pub(crate) fn put_indexes(profile: &Profile, body: &[u8]) -> Vec<u8> {
    let (chunk, _) = chunk_sizes(profile);
    let chunks = body.chunks(chunk).enumerate();
    let parts = chunks.flat_map(|(number, chunk)| [index(profile, number), chunk.to_vec()]);
    parts.flatten().collect()
}

/// What stands in front of the chunk that is so many behind the first.
pub(crate) fn index(profile: &Profile, chunk: usize) -> Vec<u8> {
    let from = profile.index().map_or(0, Index::from);
    numbered(profile, from.wrapping_add(chunk as u64))
}

/// A number as it stands in front of a chunk.
pub(crate) fn numbered(profile: &Profile, number: u64) -> Vec<u8> {
    let Some(index) = profile.index() else {
        return Vec::new();
    };
    let octets = number.to_le_bytes().into_iter().take(index.width());
    match index.order() {
        Order::Little => octets.collect(),
        Order::Big => octets.rev().collect(),
    }
}

/// Whether a body ends in a whole chunk of padding or more, with a payload before it.
pub(crate) fn has_spare_padding(profile: &Profile, body: &Body) -> bool {
    let octets = body.octets.len();
    let padding = octets.saturating_sub(payload(profile, body.clone()).len());
    padding >= profile.chunk() as usize && padding < octets
}

/// The payload in a body: all of it but the padding.
pub(crate) fn payload(profile: &Profile, body: Body) -> Vec<u8> {
    let end = payload_len(profile, &body);
    let mut octets = body.octets;
    octets.truncate(end);
    octets
}

fn payload_len(profile: &Profile, body: &Body) -> usize {
    let pad = profile.pad();
    body.payload.unwrap_or_else(|| {
        let last = body.octets.iter().rposition(|octet| *octet != pad);
        last.map_or(0, |last| last.saturating_add(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Decoder, Encoder};
    use arbitrary::{Arbitrary as _, Unstructured};
    use bytes::BytesMut;
    use proptest::prelude::*;

    proptest! {
        /// Whatever stands in the length field of whatever format: the sizes are those that the
        /// reference server goes by.
        #[test]
        fn sizes_are_those_of_the_decoder(
            seed in prop::collection::vec(any::<u8>(), 0..60),
            number in prop_oneof![0..400_u64, any::<u64>(), (0..400_u64).prop_map(|n| !n)],
        ) {
            let profile = Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap();
            let mut octets = BytesMut::new();
            Encoder::new(&profile).header_with(number, &mut octets);
            let field = octets[field(&profile, &octets)].to_vec();
            let header = octets.to_vec();
            let decoded = Decoder::new(&profile).decode(&mut octets);
            match sizes(&profile, count(&profile, &field)) {
                Err(Malformed) => prop_assert!(decoded.is_err(), "{:?}", decoded),
                Ok(Sizes { body, payload }) if body < 1 << 18 => {
                    let body_on_wire = vec![1; with_indexes(&profile, body)];
                    let whole = [header, body_on_wire, trailer(&profile)].concat();
                    let mut decoder = Decoder::new(&profile.unsummed());
                    let mut octets = BytesMut::from(&whole[..whole.len() - 1]);
                    prop_assert_eq!(decoder.decode(&mut octets), Ok(None));
                    octets.extend_from_slice(&whole[whole.len() - 1..]);
                    let frame = decoder.decode(&mut octets).unwrap().unwrap();
                    prop_assert_eq!(frame.body().len(), body);
                    prop_assert_eq!(frame.payload().len(), payload.unwrap_or(body));
                }
                Ok(_) => prop_assert_eq!(decoded, Ok(None)),
            }
        }
    }
}
