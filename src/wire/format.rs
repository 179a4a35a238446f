//! A profile as the codec uses it, and the general way of reading and making any header.
//!
//! What most profiles need goes the quick way in `layout`. This is the one that knows every profile, and
//! what is wrong with a header.

mod indexed;

pub(super) use indexed::{IN_PIECES, Indexed};

use super::checksum::{Checksum, Ends};
use super::error::{DecodeErrorKind, EncodeError};
use super::frame::Around;
use super::index::Index;
use super::layout::Layout;
use super::length::{self, Count};
use crate::profile::{Length, Mark, Profile, Region, Unit};
use bytes::BytesMut;
use std::num::NonZeroUsize;
use std::ops::Range;

/// What the codec needs to know of a profile.
#[derive(Debug, Clone)]
pub(super) struct Format {
    layout: Layout,
    before: Mark,
    after: Mark,
    length: Length,
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
    /// Octets of the shortest header. No other is longer, unless the length field grows with its number.
    header_len: usize,
    /// Whether it does.
    grows: bool,
    plain_around: Around,
    index: Option<Index>,
    trailer: Mark,
    checksum: Option<Checksum>,
    has_ids: bool,
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
    Whole(Around, Shape),
    /// A whole frame whose chunks have indexes.
    Indexed(Indexed),
    /// The beginning of a frame, of which nothing more can be said before there are so many octets.
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

/// What a header says, and how many octets it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    len: usize,
    sizes: Sizes,
}

impl Format {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            layout: Layout::new(profile),
            before: profile.before().clone(),
            after: profile.after().clone(),
            length: profile.length(),
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
            plain_around: Around::new(profile.header_len(), profile.trailer().len()),
            grows: profile.longest_header_len() > profile.header_len(),
            index: Index::new(profile),
            trailer: profile.trailer().clone(),
            checksum: Checksum::new(profile),
            has_ids: profile.has_ids(),
        }
    }

    pub(super) fn pad(&self) -> u8 {
        self.pad
    }

    /// What is around the body of every frame with a plain header, and of any whose header does not grow.
    #[inline(always)]
    pub(super) fn plain_around(&self) -> Around {
        self.plain_around
    }

    /// What is around a body behind a header of so many octets.
    fn around(&self, header: usize) -> Around {
        Around::new(header, self.trailer.len())
    }

    /// Whether the receiver finds the end of the payload by dropping pad octets.
    pub(super) fn trims(&self) -> bool {
        self.trims
    }

    /// The frame at the front of these octets, if it is whole and its header a plain one.
    #[inline(always)]
    pub(super) fn plain_front(&self, octets: &[u8]) -> Option<Shape> {
        let sizes = self.layout.read_plain(octets)?;
        self.shape(octets, self.header_len, sizes)
    }

    /// What stands at the front of these octets. The checksum of a frame is looked at once all of it is there, and an
    /// index once that is; those that end in front of `known` are known to be right.
    pub(super) fn front(&self, octets: &[u8], known: usize) -> Result<Front, Fault> {
        if let Some(index) = self.index {
            return self.front_with(index, octets, known);
        }
        let front = self.front_unsummed(octets)?;
        if let (Front::Whole(around, shape), Some(checksum)) = (front, &self.checksum) {
            check_sum(checksum, octets, self.ends(around, shape))?;
        }
        Ok(front)
    }

    /// Where the parts of a whole frame end.
    fn ends(&self, around: Around, shape: Shape) -> Ends {
        Ends {
            header: around.header(),
            payload: shape.payload,
            body: shape.end.get().saturating_sub(self.trailer.len()),
        }
    }

    /// What stands at the front, whatever the checksum of a frame is.
    fn front_unsummed(&self, octets: &[u8]) -> Result<Front, Fault> {
        let Some(Header { len, sizes }) = self.header_at(octets)? else {
            return Ok(Front::Unknown);
        };
        let begun = || self.size(len, sizes).map_or(Front::Unknown, Front::Begun);
        let Some(shape) = self.shape(octets, len, sizes) else {
            return Ok(begun());
        };
        if self.trailer.is_empty() {
            return Ok(Front::Whole(self.around(len), shape));
        }
        self.with_trailer(octets, len, shape)
    }

    /// What stands at the front, if a body does that ends where this shape does. A trailer is refused as soon as
    /// one of its octets is wrong.
    #[inline(never)]
    fn with_trailer(&self, octets: &[u8], header: usize, shape: Shape) -> Result<Front, Fault> {
        let body_end = shape.end.get();
        check_mark(&self.trailer, octets, body_end)?;
        let end = shape.end.saturating_add(self.trailer.len());
        if octets.len() < end.get() {
            return Ok(Front::Begun(octets.len().saturating_add(1)));
        }
        let payload = shape.payload;
        Ok(Front::Whole(self.around(header), Shape { payload, end }))
    }

    /// The header at the front, if it is there. One that grows is refused as soon as it can no longer become
    /// right.
    fn header_at(&self, octets: &[u8]) -> Result<Option<Header>, Fault> {
        if let Some(sizes) = self.layout.read(octets) {
            let len = self.header_len;
            return Ok(Some(Header { len, sizes }));
        }
        if octets.is_empty() || !self.grows && octets.len() < self.header_len {
            return Ok(None);
        }
        self.read_header(octets)
    }

    /// Octets of the header at the front, if it is whole and nothing is wrong with it.
    pub(super) fn len_of_header(&self, octets: &[u8]) -> Option<usize> {
        let header = self.header_at(octets).ok().flatten();
        header.map(|header| header.len)
    }

    /// The frame at the front of these octets, of which it is known that it is whole.
    #[inline(always)]
    pub(super) fn known_front(&self, octets: &[u8]) -> Option<(Around, Shape)> {
        if let Some(shape) = self.plain_front(octets) {
            return Some((self.plain_around, shape));
        }
        match self.front_unsummed(octets) {
            Ok(Front::Whole(around, shape)) => Some((around, shape)),
            Ok(Front::Indexed(_) | Front::Begun(_) | Front::Unknown) | Err(_) => None,
        }
    }

    /// How many octets the frame at the front has, whole or not, if its header is there; of one that is not
    /// whole, at least how many more than there are.
    #[inline]
    pub(super) fn size_of_front(&self, octets: &[u8]) -> Result<Option<usize>, Fault> {
        if let Some(sizes) = self.layout.read_plain(octets) {
            return Ok(self.size(self.header_len, sizes));
        }
        if !self.trailer.is_empty() || self.checksum.is_some() {
            return self.size_with_trailer(octets);
        }
        let header = self.header_at(octets)?;
        Ok(header.and_then(|header| self.size(header.len, header.sizes)))
    }

    #[inline(never)]
    fn size_with_trailer(&self, octets: &[u8]) -> Result<Option<usize>, Fault> {
        Ok(match self.front(octets, 0)? {
            Front::Whole(_, shape) => Some(shape.end.get()),
            Front::Begun(size) => Some(size),
            Front::Indexed(_) | Front::Unknown => None,
        })
    }

    /// Octets of header and body with these sizes, if they can be counted.
    #[inline(always)]
    fn size(&self, header: usize, sizes: Sizes) -> Option<usize> {
        let body = usize::try_from(sizes.body).ok()?;
        body.checked_add(header)
    }

    /// The shape of header and body with these sizes, if the octets go as far as their end.
    #[inline(always)]
    fn shape(&self, octets: &[u8], header: usize, sizes: Sizes) -> Option<Shape> {
        let end = self.size(header, sizes)?;
        let body = octets.get(header..end)?;
        let payload = match sizes.payload.map(usize::try_from) {
            Some(Ok(exact)) => exact,
            _ => self.trimmed_len(body),
        };
        Some(Shape {
            payload: header.wrapping_add(payload),
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

    /// The header at the front, if all of it is there. Whatever there is of it is looked at.
    fn read_header(&self, octets: &[u8]) -> Result<Option<Header>, Fault> {
        check_mark(&self.before, octets, 0)?;
        let at = self.before.len();
        let field = octets.get(at..).unwrap_or_default();
        let Some((count, width)) = self.read_count(field).map_err(|kind| Fault { kind, at })?
        else {
            return Ok(None);
        };
        let sizes = self.sizes(count).map_err(|kind| Fault { kind, at })?;
        let after_at = at.saturating_add(width);
        check_mark(&self.after, octets, after_at)?;
        let len = after_at.saturating_add(self.after.len());
        Ok((octets.len() >= len).then_some(Header { len, sizes }))
    }

    /// The count at the front of these octets and how many it takes, if it is whole.
    fn read_count(&self, field: &[u8]) -> Result<Option<(u128, usize)>, DecodeErrorKind> {
        match length::read(self.length, field) {
            Count::Whole { count, octets } => Ok(Some((count, octets))),
            Count::AtLeast(least) => self.within(least).map(|()| None),
            Count::Wrong { least } => {
                Err(self.within(least).err().unwrap_or(DecodeErrorKind::Length))
            }
            Count::Negative => Err(DecodeErrorKind::Negative),
        }
    }

    /// Whether a count of so much or more may still be within the limit. Whatever follows can only make it more, so
    /// that a number is too large at the octet that shows it, and not where something else is wrong behind that.
    fn within(&self, least: u128) -> Result<(), DecodeErrorKind> {
        match self.sizes(least) {
            Err(DecodeErrorKind::OverLimit) => Err(DecodeErrorKind::OverLimit),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// What a count means. A count has at most 70 bits and a chunk 17, so their product cannot
    /// overflow, and a size of more than 64 bits is over any limit there is.
    fn sizes(&self, count: u128) -> Result<Sizes, DecodeErrorKind> {
        let length = count.saturating_mul(u128::from(self.unit));
        let counted = length
            .checked_sub(u128::from(self.covered))
            .ok_or(DecodeErrorKind::Underflow)?;
        let (counted, fits) = match self.index {
            Some(index) => index.uncounted(counted),
            None => (counted, true),
        };
        let counted = u64::try_from(counted).map_err(|_| DecodeErrorKind::OverLimit)?;
        let sizes = if self.covers_padding {
            self.whole_chunks(counted)
        } else {
            self.padded(counted).ok_or(DecodeErrorKind::OverLimit)
        };
        match fits {
            true => sizes,
            false => sizes.and(Err(DecodeErrorKind::NotWholeChunks)),
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
        let (width, most) = length::room(self.length);
        let narrow = EncodeError::FieldTooNarrow { width };
        let indexes = self.index.map_or(0, |index| index.counted(counted));
        let length = u128::from(counted)
            .saturating_add(u128::from(self.covered))
            .saturating_add(indexes);
        let unit = u128::from(self.unit).max(1);
        if !length.is_multiple_of(unit) {
            return Err(EncodeError::NotWholeChunks { chunk: self.chunk });
        }
        length
            .checked_div(unit)
            .and_then(|count| u64::try_from(count).ok())
            .filter(|count| *count <= most)
            .ok_or(narrow)
    }

    /// Appends a header with that value in the length field, or as much of it as there is room for.
    pub(super) fn put_header(&self, count: u64, out: &mut BytesMut) {
        put_mark(&self.before, out);
        length::put(self.length, count, out);
        put_mark(&self.after, out);
    }

    /// Octets behind the header of a frame with so many octets of body.
    pub(super) fn behind_header(&self, body: usize) -> usize {
        let indexes = self.index.map_or(0, |index| index.octets(body));
        body.saturating_add(indexes)
            .saturating_add(self.trailer.len())
    }

    /// What stands in front of each chunk, if something does.
    #[inline]
    pub(super) fn index(&self) -> Option<Index> {
        self.index
    }

    /// Appends what stands behind a body.
    #[inline]
    pub(super) fn put_trailer(&self, out: &mut BytesMut) {
        put_mark(&self.trailer, out);
    }

    /// Whether frames have a checksum.
    #[inline]
    pub(super) fn has_checksum(&self) -> bool {
        self.checksum.is_some()
    }

    /// Puts the checksum in its place that belongs to a whole frame, if frames have one.
    pub(super) fn put_checksum(&self, payload: usize, body: usize, frame: &mut [u8]) {
        let Some(checksum) = &self.checksum else {
            return;
        };
        let behind = body.saturating_add(self.trailer.len());
        let header = frame.len().saturating_sub(behind);
        let ends = Ends {
            header,
            payload: header.saturating_add(payload),
            body: header.saturating_add(body),
        };
        checksum.put(frame, ends);
    }

    /// The id in a header, if frames have one.
    pub(super) fn id_in(&self, header: &[u8]) -> Option<u64> {
        let id = header.get(self.id_at(header.len())?)?;
        let number = |number: u64, octet: &u8| number.wrapping_shl(8) | u64::from(*octet);
        Some(id.iter().fold(0, number))
    }

    /// Puts an id into a header, if frames have one.
    pub(super) fn put_id(&self, id: u64, header: &mut [u8]) {
        let place = self.id_at(header.len());
        if let Some(place) = place.and_then(|at| header.get_mut(at)) {
            let octets = id.to_be_bytes().into_iter().rev();
            place
                .iter_mut()
                .rev()
                .zip(octets)
                .for_each(|(at, octet)| *at = octet);
        }
    }

    /// Where the id lies in a header of so many octets.
    fn id_at(&self, header: usize) -> Option<Range<usize>> {
        let (before, after) = (self.before.id(), self.after.id());
        let (from, id) = match before.is_empty() {
            true => (header.checked_sub(self.after.len())?, after),
            false => (0, before),
        };
        let at = from.checked_add(id.start)?..from.checked_add(id.end)?;
        (!at.is_empty()).then_some(at)
    }

    /// Whether frames have an id.
    #[inline]
    pub(super) fn has_ids(&self) -> bool {
        self.has_ids
    }

    /// Octets of the whole frame with that count in its header and so many octets of body.
    pub(super) fn frame_len(&self, count: u64, body: usize) -> Option<usize> {
        let marks = self.before.len().checked_add(self.after.len())?;
        let header = marks.checked_add(length::len(self.length, count))?;
        let indexes = self.index.map_or(0, |index| index.octets(body));
        body.checked_add(header)?
            .checked_add(indexes)?
            .checked_add(self.trailer.len())
    }
}

fn put_mark(mark: &Mark, out: &mut BytesMut) {
    out.extend_from_slice(mark.sent());
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

fn check_sum(checksum: &Checksum, octets: &[u8], ends: Ends) -> Result<(), Fault> {
    let wrong = checksum.wrong_at(octets, ends);
    let kind = DecodeErrorKind::Checksum;
    wrong.map_or(Ok(()), |at| Err(Fault { kind, at }))
}

#[cfg(test)]
mod tests {
    use super::super::properties::{pieces, profiles, stream};
    use super::*;
    use proptest::prelude::*;

    impl Format {
        fn ends_otherwise(&self) -> bool {
            let fixed = matches!(self.length, Length::Binary { .. });
            let has_more = self.checksum.is_some() || self.index.is_some();
            !fixed || !self.trailer.is_empty() || has_more
        }
    }

    /// Where the general way says yes, a header that is short must not need it.
    fn is_shortcut<T: PartialEq>(format: &Format, quick: Option<T>, general: Option<T>) -> bool {
        let has_none = format.header_len > 8 || format.ends_otherwise();
        quick == general || quick.is_none() && has_none
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
                let general = format.read_header(front).ok().flatten();
                let general = general.map(|header| header.sizes);
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
