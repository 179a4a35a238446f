//! A mutator that knows what a length is.
//!
//! Blind mutation of a stream nearly always breaks its first header, and nothing behind that is ever
//! read. So after each mutation the lengths are made to fit again, all but a few.

use crate::model::reader;
use crate::profile::Profile;
use crate::script::MAGIC;
use crate::script::draws::Draws;
use crate::wire::{Decoder, Encoder};
use bytes::BytesMut;

/// One header in this many is left as it is, however wrong.
const LEFT_WRONG: u64 = 32;

/// Makes the lengths in a stream fit what follows them, so that whole frames stand one behind the
/// other up to its end. Scripts in text form are not touched.
///
/// Only headers are rewritten, so the stream keeps its size. Which ones are left wrong follows from
/// the seed.
pub fn mend_lengths(profile: &Profile, data: &mut [u8], seed: u32) {
    if data.starts_with(MAGIC.as_bytes()) {
        return;
    }
    let mut draws = Draws::new(u64::from(seed));
    let encoder = Encoder::new(profile);
    let mut rest = data;
    loop {
        let len = reader::header_len(profile, rest).max(profile.header_len());
        let Some((header, behind)) = rest.split_at_mut_checked(len) else {
            return;
        };
        if draws.number().is_multiple_of(LEFT_WRONG) {
            return;
        }
        let body = match whole(profile, header, behind) {
            Some(body) => body,
            None => mend(profile, &encoder, header, behind.len(), &mut draws),
        };
        let Some((_, next)) = behind.split_at_mut_checked(body) else {
            return;
        };
        rest = next;
    }
}

/// Octets of the body, if the header is that of a whole frame.
fn whole(profile: &Profile, header: &[u8], behind: &[u8]) -> Option<usize> {
    let mut octets = BytesMut::from(header);
    let limit = usize::try_from(profile.max_body()).unwrap_or(usize::MAX);
    octets.extend_from_slice(behind.get(..limit.min(behind.len())).unwrap_or_default());
    let frame = Decoder::new(profile).decode(&mut octets).ok()??;
    Some(frame.body().len())
}

/// Writes a header that claims some of what is behind it, most often little. Says how much.
fn mend(
    profile: &Profile,
    encoder: &Encoder,
    header: &mut [u8],
    behind: usize,
    draws: &mut Draws,
) -> usize {
    let chunk = profile.chunk() as usize;
    let most = behind.checked_div(chunk).unwrap_or(0) as u64;
    let few = draws.number() % 4;
    let chunks = match draws.number() % 8 {
        0 => most,
        _ => few.min(most),
    };
    let body = chunks.saturating_mul(chunk as u64);
    let mut out = BytesMut::new();
    if encoder.claim(body, &mut out).is_ok() && out.len() == header.len() {
        header.copy_from_slice(&out);
    }
    usize::try_from(body).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frames;

    fn mended(data: &[u8], seed: u32) -> Vec<u8> {
        let mut data = data.to_vec();
        mend_lengths(&Profile::tutorial(), &mut data, seed);
        data
    }

    #[test]
    fn most_noise_becomes_frames_up_to_its_end() {
        let noise = vec![0xee; 640];
        let mut whole = 0;
        let mut broken = 0;
        for seed in 0..200 {
            let mended = mended(&noise, seed);
            assert_eq!(mended.len(), noise.len());
            let frames = frames(&Profile::tutorial(), &mended);
            whole += frames.clone().filter(Result::is_ok).count();
            broken += frames
                .filter(|item| item.as_ref().is_err_and(|e| e.offset < 560))
                .count();
        }
        assert!(whole > 1000, "{whole} frames");
        assert!((5..180).contains(&broken), "{broken} early errors");
    }

    #[test]
    fn what_is_whole_is_left_alone() {
        let whole = [b"\0\0\0\x3c", &[b'1'; 60][..]].concat().repeat(3);
        for seed in 0..50 {
            assert_eq!(mended(&whole, seed), whole);
        }
    }

    #[test]
    fn text_is_left_alone() {
        let text = b"framespec script 1\nopen a\nsend a ffffffff\n";
        assert_eq!(mended(text, 1), text);
    }
}
