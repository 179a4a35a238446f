//! The wire format that an input is about, and what chance there is left in it.

use crate::profile::Profile;
use crate::script::draws::Draws;
use arbitrary::{Arbitrary, Unstructured};

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
