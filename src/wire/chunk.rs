//! Whole chunks, counted without a division.

/// The size of a chunk, and what counting chunks by multiplications takes.
///
/// A division costs as much as all the rest that reading a header does. Multiplying by the reciprocal
/// instead is exact up to [`Chunk::MOST`]: with `size <= 2^bits`, the reciprocal is `2^(31 + bits) / size`
/// rounded up, which is too large by less than one. So `n` times it is too large by less than `n`, that is
/// less than `2^31`, and a quotient would need an error of `2^(31 + bits) / size >= 2^31` to come out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    size: u64,
    reciprocal: u64,
    shift: u32,
}

impl Chunk {
    /// As many octets as can be counted, rounding up to whole chunks included.
    pub(super) const MOST: u64 = (1 << 31) - (1 << 17);

    /// Chunks of so many octets, 1 to 65,536.
    pub(super) fn new(size: u32) -> Self {
        let bits = size.next_power_of_two().trailing_zeros();
        let shift = bits.saturating_add(31);
        Self {
            size: size.into(),
            reciprocal: 1_u64.wrapping_shl(shift).div_ceil(u64::from(size).max(1)),
            shift,
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
        self.octets(self.count(octets)) == octets
    }
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
