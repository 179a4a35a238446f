//! Chance that follows from a seed: what scripts are made with wherever something is to be drawn.
//!
//! The numbers are the same with any compiler and on any machine.

/// Numbers that look random and follow from a seed (SplitMix64), or from octets as far as those go.
#[derive(Debug, Clone)]
pub struct Draws {
    state: u64,
    octets: std::vec::IntoIter<u8>,
}

impl Draws {
    /// The numbers of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed,
            octets: Vec::new().into_iter(),
        }
    }

    /// Numbers that are read from octets, of which each takes as few as it needs, so that who changes one of those
    /// changes one of these. Behind the octets there are those of a seed.
    #[must_use]
    pub fn of_octets(octets: &[u8]) -> Self {
        Self {
            octets: Vec::from(octets).into_iter(),
            ..Self::new(0)
        }
    }

    /// Whether all octets have been read, if there were any.
    #[must_use]
    pub fn are_over(&self) -> bool {
        self.octets.as_slice().is_empty()
    }

    /// Numbers of their own for the one of that index, whatever is drawn for the others.
    #[must_use]
    pub fn of(seed: u64, index: u64) -> Self {
        let mut draws = Self::new(seed ^ index.wrapping_mul(0xff51_afd7_ed55_8ccd));
        Self::new(draws.number())
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.read(u64::MAX).unwrap_or_else(|| self.drawn())
    }

    /// A number from as many octets as one up to `most` needs; `None` if there are not so many left.
    fn read(&mut self, most: u64) -> Option<u64> {
        let needed = most.checked_ilog(256)?.saturating_add(1);
        let needed = usize::try_from(needed).ok()?;
        let left = self.octets.as_slice().len();
        (needed <= left).then(|| {
            let read = self.octets.by_ref().take(needed);
            read.fold(0, |number, octet| number << 8 | u64::from(octet))
        })
    }

    fn drawn(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        let number = self.read(end.saturating_sub(1).max(1));
        let number = number.unwrap_or_else(|| self.drawn());
        let below = number.checked_rem(end).unwrap_or_default();
        usize::try_from(below).unwrap_or_default()
    }

    /// A number up to `most` of which each power of two is as likely as the next: every small one comes often, every large
    /// one now and then, and `most` itself as often as all that would be more.
    pub fn of_any_size(&mut self, most: usize) -> usize {
        let powers = most
            .checked_ilog2()
            .map_or(0, |power| power.saturating_add(1));
        let power = self.below(
            usize::try_from(powers)
                .unwrap_or_default()
                .saturating_add(1),
        );
        let Some(power) = power.checked_sub(1) else {
            return 0;
        };
        let least = 1_usize.wrapping_shl(u32::try_from(power).unwrap_or_default());
        least.saturating_add(self.below(least)).min(most)
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
    fn octets_are_read_first_and_as_few_as_suffice() {
        let mut draws = Draws::of_octets(&[5, 1, 2, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!((draws.below(4), draws.below(1000)), (1, 0x102));
        assert_eq!(draws.number(), 0x100);
        assert!(draws.are_over());
        assert_eq!(draws.number(), Draws::new(0).number());
    }

    #[test]
    fn numbers_of_any_size_are_all_there() {
        let mut draws = Draws::new(1);
        let mut times = [0; 101];
        for _ in 0..20_000 {
            times[draws.of_any_size(100)] += 1;
        }
        assert!(times.iter().all(|times| *times > 10), "{times:?}");
        assert!(times[0] > 2000 && times[1] > 2000 && times[100] > 500);
        assert_eq!(draws.of_any_size(0), 0);
        let large: Vec<_> = (0..500).map(|_| draws.of_any_size(usize::MAX)).collect();
        assert!(large.iter().any(|one| *one > 1 << 60) && large.iter().any(|one| *one < 1 << 9));
    }

    #[test]
    fn bounds_are_kept() {
        let mut draws = Draws::new(1);
        let below: Vec<usize> = (0..200).map(|_| draws.below(3)).collect();
        assert!((0..3).all(|one| below.contains(&one)) && below.iter().all(|one| *one < 3));
        assert_eq!((draws.below(0), draws.pick::<u8>(&[])), (0, None));
    }
}
