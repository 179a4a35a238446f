//! Whole chunks, counted without a division.

/// The size of a chunk, and what is multiplied by instead of dividing by it.
///
/// A division costs as much as all the rest that reading a header does. The reciprocal is exact up to
/// [`Chunk::MOST`]: with `size <= 2^bits` it is `2^(31 + bits) / size` rounded up, which is too large by less
/// than one. So `n` times it is too large by less than `n`, that is less than `2^31`, and a quotient would
/// need an error of `2^(31 + bits) / size >= 2^31` to come out wrong.
///
/// Whether octets are whole chunks takes one multiplication by the inverse of the odd part of the size,
/// modulo `2^64`: it maps the multiples, and only those, to the quotients, once the twos are rotated out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    size: u64,
    reciprocal: u64,
    shift: u32,
    inverse: u64,
    twos: u32,
    most_quotient: u64,
}

impl Chunk {
    /// As many octets as can be counted, rounding up to whole chunks included.
    pub(super) const MOST: u64 = (1 << 31) - (1 << 17);

    /// Chunks of so many octets, 1 to 65,536.
    pub(super) fn new(size: u32) -> Self {
        let shift = size.next_power_of_two().trailing_zeros().saturating_add(31);
        let twos = size.trailing_zeros();
        let size = u64::from(size).max(1);
        Self {
            size,
            reciprocal: 1_u64.wrapping_shl(shift).div_ceil(size),
            shift,
            inverse: inverse(size.wrapping_shr(twos)),
            twos,
            most_quotient: u64::MAX.checked_div(size).unwrap_or(u64::MAX),
        }
    }

    /// How many whole chunks there are in so many octets, at most [`Chunk::MOST`].
    #[inline]
    pub(super) fn count(self, octets: u64) -> u64 {
        octets
            .wrapping_mul(self.reciprocal)
            .wrapping_shr(self.shift)
    }

    /// The octets of so many chunks.
    #[inline]
    pub(super) fn octets(self, chunks: u64) -> u64 {
        chunks.wrapping_mul(self.size)
    }

    /// The octets as whole chunks, the last of them filled up.
    #[inline]
    pub(super) fn round_up(self, octets: u64) -> u64 {
        let fills = octets.wrapping_add(self.size).wrapping_sub(1);
        self.octets(self.count(fills))
    }

    /// Whether the octets are whole chunks.
    #[inline]
    pub(super) fn is_whole(self, octets: u64) -> bool {
        octets.wrapping_mul(self.inverse).rotate_right(self.twos) <= self.most_quotient
    }
}

/// What an odd number is multiplied by to give 1, modulo `2^64`. It is its own inverse in the lowest three
/// bits, and each step of Newton's method doubles how many are right.
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |inverse, _| {
        inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(size: u32, octets: u64) {
        let (chunk, wide) = (Chunk::new(size), u64::from(size));
        assert_eq!(chunk.count(octets), octets / wide, "{octets} / {size}");
        assert_eq!(chunk.round_up(octets), octets.next_multiple_of(wide));
        assert_eq!(chunk.is_whole(octets), octets.is_multiple_of(wide));
    }

    /// A quotient is first wrong next to a multiple, and for large numbers.
    #[test]
    fn every_size_is_exact_at_the_edges() {
        for size in 1..=1 << 16 {
            let wide = u64::from(size);
            let last = Chunk::MOST / wide * wide;
            for octets in [0, 1, wide - 1, wide, wide + 1, last - 1, last, Chunk::MOST] {
                holds(size, octets);
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_a_division(size in 1..=1_u32 << 16, octets in 0..=Chunk::MOST) {
            holds(size, octets);
        }
    }
}
