//! Streams of frames that are right and wrong in the ways that decoders are: lengths that say too much or too little, in
//! the other order, below zero or beyond all limits, no whole chunks, broken padding, and cuts everywhere.
//!
//! They are made by what makes scripts for live servers; the octets stand for chance, so that who changes one of
//! them changes one frame, one number or one cut.

use super::{Known, Way, formats};
use crate::generate;
use crate::profile::Profile;
use crate::script::craft::Craft;
use crate::script::draws::Draws;

/// Frames that a stream is made of at most.
const MOST_FRAMES: usize = 40;

/// Octets of a stream behind which no frame begins.
const ENOUGH: usize = 32 << 10;

/// A stream and a way of cutting it.
pub(super) struct Chunks {
    pub(super) known: &'static Known,
    pub(super) stream: Vec<u8>,
    pub(super) way: Way,
}

/// The stream that octets stand for; `None` if they do not suffice for a profile.
pub(super) fn from(data: &[u8]) -> Option<Chunks> {
    let (known, mut draws) = formats::known(data)?;
    let profile = &known.profile;
    let way = way(profile, &mut draws);
    let mut stream = Vec::new();
    for _ in 0..MOST_FRAMES {
        stream.extend(piece(profile, &mut draws));
        if draws.are_over() || stream.len() > ENOUGH {
            break;
        }
    }
    Some(Chunks { known, stream, way })
}

fn piece(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    match draws.one_in(12) {
        true => in_parts(profile, draws),
        false => generate::frame(profile, draws),
    }
}

/// A payload of which every chunk has a header, as if each were a frame.
fn in_parts(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let craft = Craft::new(profile);
    let payload = generate::payload(profile, draws);
    let parts = payload.chunks(craft.chunk().max(16));
    parts.flat_map(|part| craft.frame(part)).collect()
}

/// Segments of a few sizes, over and over: of an octet each, of a header each, or of any.
fn way(profile: &Profile, draws: &mut Draws) -> Way {
    let sizes = match draws.below(4) {
        0 => vec![1],
        1 => vec![profile.header_len().max(1)],
        _ => (0..=draws.below(4))
            .map(|_| draws.below(200).saturating_add(1))
            .collect(),
    };
    Way::segments(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::decoding::Reached;

    /// The streams are worth reading: they hold whole frames, and every kind of error.
    #[test]
    fn streams_reach_everything() {
        let mut chance = Draws::new(1);
        let (mut reached, mut streams) = (Reached::default(), 0);
        for _ in 0..4000 {
            let data: Vec<u8> = (0..chance.below(200))
                .map(|_| chance.number().to_le_bytes()[0])
                .collect();
            let Some(chunks) = from(&data) else { continue };
            streams += 1;
            reached.note(&chunks.known.profile, &chunks.stream);
        }
        assert!(reached.whole > 2 * streams, "{streams}: {reached:?}");
        assert_eq!(reached.kinds.len(), 11, "{reached:?}");
    }

    #[test]
    fn one_octet_changes_one_frame() {
        let of = |octets: &[u8]| from(octets).unwrap().stream;
        let data: Vec<u8> = (0..40).collect();
        let mut other = data.clone();
        other[39] ^= 1;
        let (one, other) = (of(&data), of(&other));
        let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        assert!(same >= 60, "{same} octets of {}", one.len());
    }
}
