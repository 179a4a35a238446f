//! The wire format that an input is about, and what chance there is left in it.

use super::Known;
use crate::profile::Profile;
use crate::script::draws::Draws;
use arbitrary::{Arbitrary, Unstructured};
use std::sync::LazyLock;

/// Formats of which it is worked out once how they are read, since that takes longer than to read a stream.
struct Formats {
    default: Known,
    /// Those that have a name.
    named: Vec<Known>,
    /// Any there can be: each number is one.
    numbered: Vec<Known>,
}

/// How many there are without a name.
const NUMBERED: u16 = 4096;

static FORMATS: LazyLock<Formats> = LazyLock::new(|| {
    let built_in = Profile::BUILT_IN.into_iter().filter_map(Profile::built_in);
    let shipped = Profile::shipped_names().filter_map(Profile::shipped);
    Formats {
        default: Known::new(Profile::default()),
        named: built_in.chain(shipped).map(Known::new).collect(),
        numbered: (0..NUMBERED).map(numbered).map(Known::new).collect(),
    }
});

/// Octets that are more than any format is made from.
const ENOUGH: usize = 400;

/// The format of that number.
fn numbered(number: u16) -> Profile {
    let mut draws = Draws::of(0, number.into());
    let octets: Vec<u8> = (0..ENOUGH)
        .map(|_| draws.number().to_le_bytes()[0])
        .collect();
    Profile::arbitrary(&mut Unstructured::new(&octets)).unwrap_or_default()
}

/// The format that raw octets are in.
pub(super) fn default() -> &'static Known {
    &FORMATS.default
}

/// The format that octets choose, with what is worked out of it, and draws from those that are left; `None` if there
/// are too few. Mostly it is one without a name, so that none is tried much more often than others.
pub(super) fn known(data: &[u8]) -> Option<(&'static Known, Draws)> {
    let (first, rest) = data.split_first()?;
    let (known, rest) = match first {
        0..0x20 => (default(), rest),
        0x20..0x60 => {
            let (name, rest) = rest.split_first()?;
            (one_of(&FORMATS.named, (*name).into())?, rest)
        }
        0x60.. => {
            let (number, rest) = rest.split_first_chunk()?;
            let number = u16::from_le_bytes(*number);
            (one_of(&FORMATS.numbered, number.into())?, rest)
        }
    };
    Some((known, Draws::of_octets(rest)))
}

fn one_of(formats: &[Known], number: usize) -> Option<&Known> {
    formats.get(number.checked_rem(formats.len())?)
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
