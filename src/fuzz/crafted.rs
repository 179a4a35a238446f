//! A profile and a stream in it, made from octets.

use crate::profile::Profile;
use crate::wire::Encoder;
use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::BytesMut;

/// Pieces that a stream is made of at most.
const MOST_PIECES: usize = 64;

/// A profile and a stream of frames, claims that are not kept, and noise; `None` if the octets do not
/// suffice for a profile.
pub(super) fn from(data: &[u8]) -> Option<(Profile, Vec<u8>)> {
    let mut u = Unstructured::new(data);
    let profile = Profile::arbitrary(&mut u).ok()?;
    let encoder = Encoder::new(&profile);
    let mut out = BytesMut::new();
    for _ in 0..MOST_PIECES {
        if u.is_empty() || piece(&mut u, &encoder, &mut out).is_err() {
            break;
        }
    }
    Some((profile, out.to_vec()))
}

fn piece(u: &mut Unstructured<'_>, encoder: &Encoder, out: &mut BytesMut) -> Result<()> {
    // What the profile cannot express is left out: the next piece may be better.
    let _ = match u.int_in_range(0..=11)? {
        0..=8 => {
            let len = u.int_in_range(0..=120)?;
            encoder.encode(u.bytes(len.min(u.len()))?, out)
        }
        9 => encoder.claim(near_an_edge(u)?, out),
        10 => {
            encoder.header_with(near_an_edge(u)?, out);
            Ok(())
        }
        _ => {
            let len = u.int_in_range(0..=40)?;
            out.extend_from_slice(u.bytes(len.min(u.len()))?);
            Ok(())
        }
    };
    Ok(())
}

/// A number that is small, or close to one of the places where integers and limits end.
fn near_an_edge(u: &mut Unstructured<'_>) -> Result<u64> {
    let shift = *u.choose(&[0, 0, 7, 8, 15, 16, 20, 31, 32, 62, 63])?;
    let by = u64::from(u.arbitrary::<u8>()?);
    let edge = if shift == 0 { 0 } else { 1_u64 << shift };
    Ok(match u.arbitrary()? {
        true => edge.wrapping_sub(by),
        false => edge.wrapping_add(by),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::decoding::Reached;
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    /// The streams are worth reading: they hold whole frames, and every kind of error.
    #[test]
    fn streams_reach_everything() {
        let mut runner = TestRunner::deterministic();
        let octets = prop::collection::vec(any::<u8>(), 0..400);
        let mut reached = Reached::default();
        for _ in 0..3000 {
            let data = octets.new_tree(&mut runner).unwrap().current();
            let (profile, stream) = from(&data).unwrap();
            reached.note(&profile, &stream);
        }
        assert!(reached.whole > 3000, "{reached:?}");
        assert_eq!(reached.kinds.len(), 11, "{reached:?}");
    }
}
