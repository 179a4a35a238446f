//! Ways of cutting a stream into segments.

use super::Way;
use crate::script::{Action, Conn, Script};

/// Segments that a stream is cut into at most where it is cut finely. Longer ones are cut coarser,
/// so that a large stream takes no longer than many small ones.
const FINE: usize = 1024;

/// Ways that follow from the octets: one by one, at the pace of headers, and one that looks random
/// but is the same every time.
pub(super) fn derived(stream: &[u8], header_len: usize) -> Vec<Way> {
    let least = stream.len().div_ceil(FINE).max(1);
    let hash = hash(stream).to_le_bytes();
    let random = hash.map(|octet| least.saturating_add(usize::from(octet & 0x7f)));
    vec![
        Way::segments(vec![least]),
        Way::segments(vec![header_len.max(least)]),
        Way::segments(random.to_vec()),
    ]
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

/// The same script with all that it sends cut in another way.
pub(super) fn otherwise(script: &Script) -> Script {
    let mut other = script.emptied();
    for step in script.steps() {
        let action = match &step.action {
            Action::Send(segments) => Action::Send(recut(&segments.concat())),
            action => action.clone(),
        };
        // What could be pushed once can be pushed again.
        let _ = other.push(step.conn, action);
    }
    other
}

fn recut(octets: &[u8]) -> Vec<Vec<u8>> {
    let size = octets.len().div_ceil(FINE).max(1);
    let size = size.saturating_add((hash(octets) % 7) as usize);
    octets.chunks(size).map(<[u8]>::to_vec).collect()
}

/// FNV-1a, 64 bits.
fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
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
    fn cut_otherwise_it_is_the_same_script() {
        let text = "framespec script 1\nopen a\nsend a 'abc' | 00*900\nawait a\npause 3\nfin a";
        let script: Script = text.parse().unwrap();
        let other = otherwise(&script);
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
