//! A profile as the codec uses it, and the general way of reading and making any header.
//!
//! What most profiles need goes the quick way in `layout`. This is the one that knows every profile, and
//! what is wrong with a header.

use super::error::{DecodeErrorKind, EncodeError};
use super::layout::Layout;
use crate::profile::{Mark, Order, Profile, Region, Unit};
use bytes::{BufMut, BytesMut};
use std::num::NonZeroUsize;

/// What the codec needs to know of a profile.
#[derive(Debug, Clone)]
pub(super) struct Format {
    layout: Layout,
    before: Mark,
    after: Mark,
    width: u8,
    order: Order,
    /// The largest value of the length field that is not negative.
    most_counted: u64,
    /// Octets that one count of the length field stands for.
    unit: u32,
    /// Octets of the header that the length counts.
    covered: u64,
    covers_padding: bool,
    trims: bool,
    chunk: u32,
    pad: u8,
    /// As many pad octets as a word has.
    pads: u64,
    limit: u64,
    header_len: usize,
}

/// Where the parts of a whole frame end, counted from its first octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) payload: usize,
    /// No frame is empty, as it has a header.
    pub(super) end: NonZeroUsize,
}

/// What stands at the front of octets that are no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// A whole frame.
    Whole(Shape),
    /// The beginning of a frame that will have so many octets.
    Begun(usize),
    /// No whole header.
    Unknown,
}

/// What is wrong with a header, and at which of its octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: DecodeErrorKind,
    pub(super) at: usize,
}

/// The size of a body, and of the payload in it where the length tells that too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) body: u64,
    pub(super) payload: Option<u64>,
}

impl Format {
    pub(super) fn new(profile: &Profile) -> Self {
        let most_counted = most_counted(profile);
        Self {
            layout: Layout::new(profile, most_counted),
            before: profile.before().clone(),
            after: profile.after().clone(),
            width: profile.width(),
            order: profile.order(),
            most_counted,
            unit: match profile.unit() {
                Unit::Octets => 1,
                Unit::Chunks => profile.chunk(),
            },
            covered: profile.covered_header_len() as u64,
            trims: profile.trims(),
            covers_padding: profile.covers(Region::Padding),
            chunk: profile.chunk(),
            pad: profile.pad(),
            pads: u64::from_ne_bytes([profile.pad(); 8]),
            limit: profile.max_body(),
            header_len: profile.header_len(),
        }
    }

    pub(super) fn pad(&self) -> u8 {
        self.pad
    }

    pub(super) fn header_len(&self) -> usize {
        self.header_len
    }

    /// Whether the receiver finds the end of the payload by dropping pad octets.
    pub(super) fn trims(&self) -> bool {
        self.trims
    }

    /// The frame at the front of these octets, if it is whole and its header a plain one.
    #[inline(always)]
    pub(super) fn plain_front(&self, octets: &[u8]) -> Option<Shape> {
        self.whole(octets, self.layout.read_plain(octets)?)
    }

    /// What stands at the front of these octets.
    pub(super) fn front(&self, octets: &[u8]) -> Result<Front, Fault> {
        let Some(sizes) = self.sizes_at(octets)? else {
            return Ok(Front::Unknown);
        };
        let whole = self.whole(octets, sizes).map(Front::Whole);
        let begun = || self.size(sizes).map(Front::Begun);
        Ok(whole.or_else(begun).unwrap_or(Front::Unknown))
    }

    /// What the header at the front says, if it is there.
    fn sizes_at(&self, octets: &[u8]) -> Result<Option<Sizes>, Fault> {
        if let Some(sizes) = self.layout.read(octets) {
            return Ok(Some(sizes));
        }
        let header = octets.get(..self.header_len);
        header.map(|header| self.read_header(header)).transpose()
    }

    /// The frame at the front of these octets, of which it is known that it is whole.
    #[inline(always)]
    pub(super) fn known_front(&self, octets: &[u8]) -> Option<Shape> {
        self.plain_front(octets)
            .or_else(|| match self.front(octets) {
                Ok(Front::Whole(shape)) => Some(shape),
                Ok(Front::Begun(_) | Front::Unknown) | Err(_) => None,
            })
    }

    /// How many octets the frame at the front has, whole or not, if its header is there.
    #[inline]
    pub(super) fn size_of_front(&self, octets: &[u8]) -> Result<Option<usize>, Fault> {
        let sizes = match self.layout.read_plain(octets) {
            Some(sizes) => Some(sizes),
            None => self.sizes_at(octets)?,
        };
        Ok(sizes.and_then(|sizes| self.size(sizes)))
    }

    /// Octets of a whole frame with these sizes, if they can be counted.
    #[inline(always)]
    fn size(&self, sizes: Sizes) -> Option<usize> {
        let body = usize::try_from(sizes.body).ok()?;
        body.checked_add(self.header_len)
    }

    /// The shape of a frame with these sizes, if the octets go as far as its end.
    #[inline(always)]
    fn whole(&self, octets: &[u8], sizes: Sizes) -> Option<Shape> {
        let end = self.size(sizes)?;
        let body = octets.get(self.header_len..end)?;
        let payload = match sizes.payload.map(usize::try_from) {
            Some(Ok(exact)) => exact,
            _ => self.trimmed_len(body),
        };
        Some(Shape {
            payload: self.header_len.wrapping_add(payload),
            end: NonZeroUsize::new(end)?,
        })
    }

    /// Octets up to the last one that is not the pad. It is looked for in whole words, from the end.
    #[inline]
    fn trimmed_len(&self, body: &[u8]) -> usize {
        let mut left = body;
        while let Some((front, word)) = left.split_last_chunk() {
            // The last octet is the lowest, and zeros are counted faster from there.
            let others = u64::from_be_bytes(*word) ^ self.pads;
            if others != 0 {
                let pads = others.trailing_zeros().wrapping_shr(3);
                return left.len().saturating_sub(pads as usize);
            }
            left = front;
        }
        let last = left.iter().rposition(|octet| *octet != self.pad);
        last.map_or(0, |last| last.saturating_add(1))
    }

    fn read_header(&self, header: &[u8]) -> Result<Sizes, Fault> {
        let length_at = self.before.len();
        let after_at = length_at.saturating_add(usize::from(self.width));
        check_mark(&self.before, header, 0)?;
        let field = header.get(length_at..after_at).unwrap_or_default();
        let sizes = self
            .read_count(field)
            .and_then(|count| self.sizes(count))
            .map_err(|kind| Fault {
                kind,
                at: length_at,
            })?;
        check_mark(&self.after, header, after_at)?;
        Ok(sizes)
    }

    fn read_count(&self, field: &[u8]) -> Result<u64, DecodeErrorKind> {
        let shift = |value: u64, octet: &u8| value << 8 | u64::from(*octet);
        let count = match self.order {
            Order::Big => field.iter().fold(0, shift),
            Order::Little => field.iter().rev().fold(0, shift),
        };
        if count > self.most_counted {
            return Err(DecodeErrorKind::Negative);
        }
        Ok(count)
    }

    /// What a count means. A count has at most 64 bits and a chunk 17, so their product cannot
    /// overflow, and a size of more than 64 bits is over any limit there is.
    fn sizes(&self, count: u64) -> Result<Sizes, DecodeErrorKind> {
        let length = u128::from(count).saturating_mul(u128::from(self.unit));
        let counted = length
            .checked_sub(u128::from(self.covered))
            .ok_or(DecodeErrorKind::Underflow)?;
        let counted = u64::try_from(counted).map_err(|_| DecodeErrorKind::OverLimit)?;
        if self.covers_padding {
            self.whole_chunks(counted)
        } else {
            self.padded(counted).ok_or(DecodeErrorKind::OverLimit)
        }
    }

    fn whole_chunks(&self, body: u64) -> Result<Sizes, DecodeErrorKind> {
        if body > self.limit {
            return Err(DecodeErrorKind::OverLimit);
        }
        let payload = (self.chunk == 1).then_some(body);
        if payload.is_none() && !body.is_multiple_of(u64::from(self.chunk)) {
            return Err(DecodeErrorKind::NotWholeChunks);
        }
        Ok(Sizes { body, payload })
    }

    /// The sizes for a payload of so many octets, if they are within the limit.
    fn padded(&self, payload: u64) -> Option<Sizes> {
        payload
            .checked_next_multiple_of(u64::from(self.chunk))
            .filter(|body| *body <= self.limit)
            .map(|body| Sizes {
                body,
                payload: Some(payload),
            })
    }

    /// Appends the header for a payload of so many octets, with room for the body, if there is a quick way.
    /// The octets of the body.
    #[inline]
    pub(super) fn put_quickly(&self, payload: usize, out: &mut BytesMut) -> Option<usize> {
        self.layout.put_header(payload, out)
    }

    /// The size of the body for a payload, and the count that its header has.
    pub(super) fn plan(&self, payload: usize) -> Result<(usize, u64), EncodeError> {
        let over = EncodeError::OverLimit { limit: self.limit };
        let sizes = u64::try_from(payload)
            .ok()
            .and_then(|payload| self.padded(payload))
            .ok_or(over)?;
        let counted = match sizes.payload {
            Some(payload) if !self.covers_padding => payload,
            _ => sizes.body,
        };
        let body = usize::try_from(sizes.body).map_err(|_| over)?;
        Ok((body, self.count(counted)?))
    }

    /// The count that says so many octets of payload, and of padding where that is covered.
    pub(super) fn count(&self, counted: u64) -> Result<u64, EncodeError> {
        let narrow = EncodeError::FieldTooNarrow { width: self.width };
        let length = u128::from(counted).saturating_add(u128::from(self.covered));
        let unit = u128::from(self.unit).max(1);
        if !length.is_multiple_of(unit) {
            return Err(EncodeError::NotWholeChunks { chunk: self.chunk });
        }
        length
            .checked_div(unit)
            .and_then(|count| u64::try_from(count).ok())
            .filter(|count| *count <= self.most_counted)
            .ok_or(narrow)
    }

    /// Appends a header with that value in the length field, or as much of it as there is room for.
    pub(super) fn put_header(&self, count: u64, out: &mut BytesMut) {
        put_mark(&self.before, out);
        let width = usize::from(self.width);
        let (big, little) = (count.to_be_bytes(), count.to_le_bytes());
        let field = match self.order {
            Order::Big => big.get(big.len().saturating_sub(width)..),
            Order::Little => little.get(..width),
        };
        out.put_slice(field.unwrap_or_default());
        put_mark(&self.after, out);
    }
}

fn most_counted(profile: &Profile) -> u64 {
    let bits = u32::from(profile.width()).saturating_mul(8);
    let value_bits = bits.saturating_sub(u32::from(profile.signed()));
    u64::MAX >> 64_u32.saturating_sub(value_bits).min(63)
}

/// An octet that may be anything is sent as zero.
fn put_mark(mark: &Mark, out: &mut BytesMut) {
    if !mark.is_empty() {
        out.extend(mark.octets().iter().map(|octet| octet.unwrap_or(0)));
    }
}

fn check_mark(mark: &Mark, header: &[u8], at: usize) -> Result<(), Fault> {
    if mark.is_empty() {
        return Ok(());
    }
    let found = header.get(at..).unwrap_or_default();
    let differs = |(expected, found): (&Option<u8>, &u8)| expected.is_some_and(|e| e != *found);
    match mark.octets().iter().zip(found).position(differs) {
        None => Ok(()),
        Some(i) => Err(Fault {
            kind: DecodeErrorKind::Mark,
            at: at.saturating_add(i),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::{pieces, profiles, stream};
    use super::*;
    use proptest::prelude::*;

    /// Where the general way says yes, a header that is short must not need it.
    fn is_shortcut<T: PartialEq>(format: &Format, quick: Option<T>, general: Option<T>) -> bool {
        quick == general || quick.is_none() && format.header_len > 8
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn quick_ways_read_what_the_general_one_reads(
            profile in profiles(),
            pieces in pieces(),
        ) {
            let format = Format::new(&profile);
            let mut octets = stream(&profile, &pieces);
            octets.extend([0; 8]);
            for at in 0..octets.len() - 8 {
                let front = &octets[at..];
                let header = front.get(..format.header_len);
                let general = header.and_then(|header| format.read_header(header).ok());
                let general = general.filter(|sizes| sizes.body < 1 << 30);
                let quick = format.layout.read(front).filter(|sizes| sizes.body < 1 << 30);
                prop_assert!(
                    is_shortcut(&format, quick, general),
                    "{quick:?} {general:?} in {front:?}"
                );
            }
        }

        #[test]
        fn quick_ways_write_what_the_general_one_writes(
            profile in profiles(),
            payload in prop_oneof![0..400usize, 65_000..66_000usize, (1 << 20) - 70..(1 << 20) + 70usize],
        ) {
            let format = Format::new(&profile);
            let (mut quick, mut general) = (BytesMut::new(), BytesMut::new());
            let quick = format.put_quickly(payload, &mut quick).map(|body| (body, quick));
            let planned = format.plan(payload).ok();
            let general = planned.map(|(body, count)| {
                format.put_header(count, &mut general);
                (body, general)
            });
            prop_assert!(is_shortcut(&format, quick, general));
        }
    }
}
