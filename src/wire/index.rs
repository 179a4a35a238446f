//! The index in front of each chunk: written, compared, and taken out of a frame.

use crate::profile::{Order, Profile, Region};
use bytes::{BufMut, BytesMut};

/// How indexes are written, and between how many octets they stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    width: usize,
    order: Order,
    from: u64,
    chunk: usize,
    is_counted: bool,
    is_free: bool,
}

/// How far the indexes in a body have been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// All that have come are right. No more can be said before so many octets of the body have.
    Right(usize),
    /// The one that begins there is another than it should be.
    Wrong(usize),
}

impl Index {
    /// That of the profile, if chunks have one.
    pub(super) fn new(profile: &Profile) -> Option<Self> {
        let index = profile.index()?;
        Some(Self {
            width: index.width(),
            order: index.order(),
            from: index.from(),
            chunk: index.chunk() as usize,
            is_counted: profile.covers(Region::Indexes),
            is_free: index.is_free(),
        })
    }

    /// Octets of all indexes in a body of so many octets besides.
    pub(super) fn octets(self, body: usize) -> usize {
        body.div_ceil(self.chunk).saturating_mul(self.width)
    }

    /// The same where the length counts them, and nothing where it does not.
    pub(super) fn counted(self, body: u64) -> u128 {
        let chunks = u128::from(body).div_ceil(self.chunk.max(1) as u128);
        match self.is_counted {
            true => chunks.saturating_mul(self.width as u128),
            false => 0,
        }
    }

    /// What is left of a length without the indexes that it counts, and whether it ends where a chunk may: not within
    /// an index, and not behind one.
    pub(super) fn uncounted(self, length: u128) -> (u128, bool) {
        if !self.is_counted {
            return (length, true);
        }
        let (width, chunk) = (self.width as u128, self.chunk as u128);
        let whole = width.saturating_add(chunk).max(1);
        let chunks = length.checked_div(whole).unwrap_or(0);
        let last = length.checked_rem(whole).unwrap_or(0);
        let body = chunks.saturating_mul(chunk);
        let rest = last.saturating_sub(width);
        (body.saturating_add(rest), last == 0 || rest > 0)
    }

    /// The octets of the index of the chunk that is so many behind the first: `width` of them count.
    fn of(self, chunk: usize) -> [u8; 8] {
        let number = self.from.wrapping_add(chunk as u64);
        match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => {
                let unused = 8_u32.saturating_sub(u32::try_from(self.width).unwrap_or(8));
                let shift = unused.saturating_mul(8);
                number.checked_shl(shift).unwrap_or(0).to_be_bytes()
            }
        }
    }

    /// Octets between the beginnings of two chunks.
    fn step(self) -> usize {
        self.chunk.saturating_add(self.width)
    }

    /// Looks at the indexes in what has come of a body that has so many octets in all. Those that end in front of
    /// `known` are known to be right.
    pub(super) fn look(self, came: &[u8], body: usize, known: usize) -> Looked {
        let known = known.saturating_sub(self.width);
        let mut chunk = known.checked_div(self.step()).unwrap_or(0);
        loop {
            let start = chunk.saturating_mul(self.step());
            if start >= body {
                return Looked::Right(body);
            }
            let end = start.saturating_add(self.width);
            let Some(found) = came.get(start..end) else {
                return Looked::Right(end.min(body));
            };
            if !self.is_free && Some(found) != self.of(chunk).get(..self.width) {
                return Looked::Wrong(start);
            }
            chunk = chunk.saturating_add(1);
        }
    }

    /// Appends a body: a payload and what makes it so many octets, with an index in front of each chunk.
    pub(super) fn put(self, payload: &[u8], body: usize, pad: u8, out: &mut BytesMut) {
        let (mut rest, mut left, mut chunk) = (payload, body, 0_usize);
        while left > 0 {
            let (octets, behind) = rest.split_at(self.chunk.min(rest.len()));
            let size = self.chunk.min(left);
            out.put_slice(self.of(chunk).get(..self.width).unwrap_or_default());
            out.put_slice(octets);
            out.put_bytes(pad, size.saturating_sub(octets.len()));
            (rest, left) = (behind, left.saturating_sub(size));
            chunk = chunk.saturating_add(1);
        }
    }

    /// Takes the indexes out of a frame that has so many octets of header, and of body besides them. What is behind an
    /// index moves up to what is in front of it.
    pub(super) fn take_out(self, frame: &mut BytesMut, header: usize, body: usize) {
        let (mut from, mut to, mut left) = (header, header, body);
        while left > 0 {
            let size = self.chunk.min(left);
            let start = from.saturating_add(self.width);
            from = start.saturating_add(size);
            if from > frame.len() {
                break;
            }
            frame.copy_within(start..from, to);
            to = to.saturating_add(size);
            left = left.saturating_sub(size);
        }
        let whole = frame.len();
        frame.copy_within(from.min(whole)..whole, to);
        let behind = whole.saturating_sub(from);
        frame.truncate(to.saturating_add(behind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(width: usize, order: Order, chunk: usize) -> Index {
        Index {
            width,
            order,
            from: 1,
            chunk,
            is_counted: true,
            is_free: false,
        }
    }

    #[test]
    fn what_is_put_in_is_taken_out() {
        let index = index(3, Order::Little, 4);
        let mut frame = BytesMut::from(&b"h"[..]);
        index.put(b"123456789", 12, b'.', &mut frame);
        frame.put_slice(b"t");
        let written = b"h\x01\0\x001234\x02\0\x005678\x03\0\x009...t";
        assert_eq!(&frame[..], written);
        index.take_out(&mut frame, 1, 12);
        assert_eq!(&frame[..], b"h123456789...t");
    }

    #[test]
    fn behind_the_largest_comes_nothing() {
        let index = index(1, Order::Big, 1);
        assert_eq!(index.of(254)[0], 255);
        assert_eq!(index.of(255)[0], 0);
    }

    #[test]
    fn each_index_is_looked_at_once() {
        let index = index(2, Order::Big, 3);
        let body = b"\0\x01abc\0\x02d";
        assert_eq!(index.look(&body[..1], 8, 0), Looked::Right(2));
        assert_eq!(index.look(&body[..4], 8, 2), Looked::Right(7));
        assert_eq!(index.look(body, 8, 7), Looked::Right(8));
        assert_eq!(index.look(b"\0\x01abc\0\x03d", 8, 7), Looked::Wrong(5));
        assert_eq!(index.look(b"\x01\0abc\0\x02d", 8, 7), Looked::Right(8));
    }

    #[test]
    fn a_length_that_counts_indexes_ends_in_no_index() {
        let index = index(2, Order::Big, 3);
        for (length, body, fits) in [
            (0, 0, true),
            (1, 0, false),
            (2, 0, false),
            (3, 1, true),
            (5, 3, true),
            (7, 3, false),
            (8, 4, true),
        ] {
            assert_eq!(index.uncounted(length), (body, fits), "{length}");
            let again = u128::from(u64::try_from(body).unwrap());
            let counted = index.counted(again as u64) + again;
            assert!(!fits || counted == length, "{length}");
        }
    }
}
