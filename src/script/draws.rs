//! Chance that follows from a seed: what scripts are made with wherever something is to be drawn.
//!
//! The numbers are the same with any compiler and on any machine.

/// Numbers that look random and follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// The numbers of that seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Numbers of their own for the one of that index, whatever is drawn for the others.
    #[must_use]
    pub fn of(seed: u64, index: u64) -> Self {
        let mut draws = Self(seed ^ index.wrapping_mul(0xff51_afd7_ed55_8ccd));
        Self(draws.number())
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        let below = self.number().checked_rem(end).unwrap_or_default();
        usize::try_from(below).unwrap_or_default()
    }

    /// What happens once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several; `None` if there are none.
    pub fn pick<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        several.get(self.below(several.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_has_the_same_numbers_and_each_index_its_own() {
        let numbers = |mut draws: Draws| [draws.number(), draws.number()];
        assert_eq!(numbers(Draws::of(7, 3)), numbers(Draws::of(7, 3)));
        assert_ne!(numbers(Draws::of(7, 3)), numbers(Draws::of(7, 4)));
        assert_ne!(numbers(Draws::of(7, 3)), numbers(Draws::of(8, 3)));
    }

    #[test]
    fn bounds_are_kept() {
        let mut draws = Draws::new(1);
        let below: Vec<usize> = (0..200).map(|_| draws.below(3)).collect();
        assert!((0..3).all(|one| below.contains(&one)) && below.iter().all(|one| *one < 3));
        assert_eq!((draws.below(0), draws.pick::<u8>(&[])), (0, None));
    }
}
