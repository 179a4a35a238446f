//! The wire format that an input is about, and what chance there is left in it.

use super::Known;
use crate::profile::Profile;
use crate::script::draws::Draws;
use arbitrary::{Arbitrary, Unstructured};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

static DEFAULT: LazyLock<Known> = LazyLock::new(|| Known::new(Profile::default()));

/// The format that raw octets are in.
pub(super) fn default() -> &'static Known {
    &DEFAULT
}

/// A choice of a format that is made once and kept, since to work one out takes longer than to read a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Choice {
    Default,
    /// One that has a name.
    Named(u8),
    /// Any there can be: one of those that have a number.
    Numbered(u16),
}

impl Choice {
    /// What the first octets choose, and those behind them: mostly any format, so that none is tried much more often than others.
    fn read(data: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = data.split_first()?;
        match first {
            0..0x20 => Some((Self::Default, rest)),
            0x20..0x60 => {
                let (name, rest) = rest.split_first()?;
                Some((Self::Named(*name), rest))
            }
            0x60.. => {
                let (number, rest) = rest.split_first_chunk()?;
                Some((Self::Numbered(u16::from_le_bytes(*number)), rest))
            }
        }
    }

    fn profile(self) -> Profile {
        match self {
            Self::Default => Profile::default(),
            Self::Named(name) => named(name.into()),
            Self::Numbered(number) => numbered(number),
        }
    }
}

/// One of the formats that have a name.
fn named(number: usize) -> Profile {
    let built_in = Profile::BUILT_IN.into_iter().filter_map(Profile::built_in);
    let shipped = Profile::shipped_names().filter_map(Profile::shipped);
    let names = Profile::BUILT_IN.len().saturating_add(Profile::shipped_names().count());
    let at = number.checked_rem(names).unwrap_or_default();
    built_in.chain(shipped).nth(at).unwrap_or_default()
}

/// Octets that are more than any format is made from.
const ENOUGH: usize = 400;

/// The format of that number.
fn numbered(number: u16) -> Profile {
    let mut draws = Draws::of(0, number.into());
    let octets: Vec<u8> = (0..ENOUGH).map(|_| draws.number().to_le_bytes()[0]).collect();
    Profile::arbitrary(&mut Unstructured::new(&octets)).unwrap_or_default()
}

/// So many formats are kept at most.
const MOST_KEPT: usize = 4096;

thread_local! {
    static KEPT: RefCell<HashMap<Choice, Rc<Known>>> = RefCell::default();
}

/// The format that octets choose, with what is worked out of it, and draws from those that are left; `None` if there
/// are too few.
pub(super) fn known(data: &[u8]) -> Option<(Rc<Known>, Draws)> {
    let (choice, rest) = Choice::read(data)?;
    let known = KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        let known = || Rc::new(Known::new(choice.profile()));
        Rc::clone(kept.entry(choice).or_insert_with(known))
    });
    Some((known, Draws::of_octets(rest)))
}

/// The wire format that octets choose, and draws from those that are left; `None` if there are none at all.
///
/// Half of all first octets choose the default, so that most of what is changed is not the format.
pub(super) fn chosen(data: &[u8]) -> Option<(Profile, Draws)> {
    let (first, rest) = data.split_first()?;
    if *first < 0x80 {
        return Some((Profile::default(), Draws::of_octets(rest)));
    }
    let mut u = Unstructured::new(rest);
    let profile = Profile::arbitrary(&mut u).ok()?;
    Some((profile, Draws::of_octets(u.take_rest())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn formats_are_chosen_evenly_and_are_always_the_same() {
        let of = |data: &[u8]| known(data).map(|(known, _)| known.profile.clone());
        assert_eq!(of(&[0x1f]), Some(Profile::default()));
        assert_eq!((of(&[0x20]), of(&[0x60, 1]), of(&[])), (None, None, None));
        let names = (0..=255).filter_map(|name| of(&[0x20, name]));
        let names: HashSet<String> = names.map(|profile| profile.name().to_owned()).collect();
        assert_eq!(names.len(), 3 + Profile::shipped_names().count());
        let formats: Vec<_> = (0..=255).filter_map(|low| of(&[0x60, low, 3])).collect();
        let default = |profile: &&Profile| **profile == Profile::default();
        assert_eq!(formats.iter().filter(default).count(), 0);
        assert_eq!(formats.get(7).cloned(), of(&[0xff, 7, 3]));
        let three = |profile: &&Profile| profile.length().most_len() == 3;
        assert!((10..60).contains(&formats.iter().filter(three).count()));
    }

    #[test]
    fn the_first_octet_says_whether_the_format_is_the_default() {
        let (profile, mut draws) = chosen(&[0x7f, 3]).unwrap();
        assert_eq!((profile, draws.below(9)), (Profile::default(), 3));
        let (profile, draws) = chosen(&[0x80; 3]).unwrap();
        assert_ne!(profile, Profile::default());
        assert!(draws.are_over());
        assert!(chosen(&[]).is_none());
    }
}
