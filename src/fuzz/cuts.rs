//! Ways of cutting a stream into segments.

use super::Way;
use crate::script::draws::Draws;
use crate::script::{Action, Conn, Script};
use std::iter;

/// Segments that a stream is cut into at most where it is cut finely. Longer ones are cut coarser,
/// so that a large stream takes no longer than many small ones.
const FINE: usize = 1024;

/// The same where it is to cost little.
const FEW: usize = 32;

/// Ways that follow from the octets: one by one, at the pace of headers, and one that looks random
/// but is the same every time.
pub(super) fn derived(stream: &[u8], header_len: usize) -> Vec<Way> {
    let least = stream.len().div_ceil(FINE).max(1);
    vec![
        Way::segments(vec![least]),
        Way::segments(vec![header_len.max(least)]),
        random(least, hash(stream)),
    ]
}

/// A way that costs little, and where that is dear. Both follow from the octets, so that a stream is always read alike.
pub(super) struct Chosen {
    pub(super) way: Way,
    /// Once in so many streams all ways are to be tried.
    pub(super) is_dear: bool,
}

/// One stream in this many is read in all ways.
const DEAR: usize = 16;

/// Chooses one way of few segments: of one size, of that of a header, of any, or octet by octet around the end of a
/// frame, where decoders have most to do.
pub(super) fn chosen(
    stream: &[u8],
    header_len: usize,
    mut borders: impl ExactSizeIterator<Item = usize>,
) -> Chosen {
    let hash = hash(stream);
    let mut draws = Draws::new(hash);
    let least = stream.len().div_ceil(FEW).max(1);
    let way = match draws.below(6) {
        0 => Way::segments(vec![least]),
        1 => Way::segments(vec![header_len.max(least)]),
        2..=3 => random(least, hash),
        _ => {
            let border = draws.below(borders.len().saturating_add(1));
            around(stream, borders.nth(border).unwrap_or_default(), header_len)
        }
    };
    Chosen {
        way,
        is_dear: draws.one_in(DEAR),
    }
}

/// Segments of any size of so many octets and up to 127 more.
fn random(least: usize, hash: u64) -> Way {
    let octets = hash.to_le_bytes();
    let sizes = octets.map(|octet| least.saturating_add(usize::from(octet & 0x7f)));
    Way::segments(sizes.to_vec())
}

/// Octet by octet from two in front of a border to behind the header that follows, and all else at once.
fn around(stream: &[u8], border: usize, header_len: usize) -> Way {
    let front = border.saturating_sub(2);
    let single = header_len.saturating_add(4).min(FEW);
    let sizes = iter::once(front).filter(|front| *front > 0);
    let sizes = sizes
        .chain(iter::repeat_n(1, single))
        .chain([stream.len().max(1)]);
    Way::segments(sizes.collect())
}

/// The way in which a script cuts the stream of a connection.
pub(super) fn written(script: &Script, conn: Conn) -> Option<Way> {
    let sends = script.steps().iter().filter(|step| step.conn == conn);
    let sizes = sends.filter_map(|step| match &step.action {
        Action::Send(segments) => Some(segments.iter().map(Vec::len)),
        _ => None,
    });
    let sizes: Vec<_> = sizes.flatten().collect();
    (!sizes.is_empty()).then(|| Way::segments(sizes))
}

/// Whether all is to be tried with these octets, which is dear.
pub(super) fn are_dear(octets: &[u8]) -> bool {
    Draws::new(hash(octets)).one_in(DEAR)
}

/// The same script with all that it sends cut in another way: finely, or as it costs little.
pub(super) fn otherwise(script: &Script, is_fine: bool) -> Script {
    let most = if is_fine { FINE } else { FEW };
    let mut other = script.emptied();
    for step in script.steps() {
        let action = match &step.action {
            Action::Send(segments) => Action::Send(recut(&segments.concat(), most)),
            action => action.clone(),
        };
        // What could be pushed once can be pushed again.
        let _ = other.push(step.conn, action);
    }
    other
}

fn recut(octets: &[u8], most: usize) -> Vec<Vec<u8>> {
    let size = octets.len().div_ceil(most).max(1);
    let size = size.saturating_add((hash(octets) % 7) as usize);
    octets.chunks(size).map(<[u8]>::to_vec).collect()
}

/// A number that looks random and follows from octets, of which eight are taken at a time.
fn hash(octets: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    };
    let (words, rest) = octets.as_chunks();
    let hash = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        mix(hash, u64::from_le_bytes(*word))
    });
    rest.iter()
        .fold(mix(hash, 1), |hash, octet| mix(hash, u64::from(*octet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_stream_is_cut_into_few_segments() {
        for len in [0, 1, FINE, FINE + 1, 4 << 20] {
            for way in derived(&vec![7; len], 4) {
                let least = way.sizes().iter().min().unwrap();
                assert!(len / least <= FINE, "{len} octets in {way}");
            }
        }
    }

    #[test]
    fn what_is_chosen_costs_little_and_is_all_there_is_for_some() {
        let (mut dear, mut around) = (0, 0);
        for seed in 0..=255_u8 {
            for len in [0, 1, 300, 4 << 10] {
                let borders = [4, 64, 300].into_iter();
                let chosen = chosen(&vec![seed; len], 4, borders);
                let sizes = chosen.way.sizes();
                let least = sizes.iter().min().unwrap();
                let is_around = len > 300 && sizes.last() == Some(&len);
                assert!(
                    len <= 300 || is_around || len / least <= FEW,
                    "{len}: {sizes:?}"
                );
                assert!(sizes.len() <= FEW + 2, "{sizes:?}");
                around += usize::from(is_around);
                dear += usize::from(chosen.is_dear);
            }
        }
        assert!((20..150).contains(&dear), "{dear} in all ways");
        assert!((50..150).contains(&around), "{around} around a border");
    }

    #[test]
    fn cut_otherwise_it_is_the_same_script() {
        let text = "framespec script 1\nopen a\nsend a 'abc' | 00*900\nawait a\npause 3\nfin a";
        let script: Script = text.parse().unwrap();
        let other = otherwise(&script, true);
        assert_ne!(other, script);
        assert_eq!(other.stream(0), script.stream(0));
        assert_eq!(other.steps().len(), script.steps().len());
    }

    #[test]
    fn a_script_is_cut_as_it_says() {
        let script: Script =
            "framespec script 1\nopen a\nopen b\nsend a 00 | 00*3\nsend b 00\nsend a 00*2"
                .parse()
                .unwrap();
        assert_eq!(written(&script, 0), Some(Way::segments(vec![1, 3, 2])));
        assert_eq!(written(&script, 2), None);
    }
}
