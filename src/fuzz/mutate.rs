//! A mutator that knows what a frame is, for streams and scripts in any wire format.
//!
//! Blind mutation of a stream nearly always breaks its first header, and nothing behind that is ever
//! read. So half of all mutations change whole frames, as `conformance fuzz` does, and after half of the others the
//! lengths are made to fit again, all but a few. The rest is left as libFuzzer makes it, which puts numbers in that the code
//! compares with. Scripts are changed as scripts, in the format that they name.

use super::{Known, formats};
use crate::generate;
use crate::profile::Profile;
use crate::script::draws::Draws;
use crate::script::{MAGIC, Script, Side, profile_of_file};

/// One script in this many is changed as any text.
const AS_TEXT: usize = 12;

/// One pair in this many is put together.
const CROSSED: usize = 4;

/// The most octets of a script that is changed by frames.
const MOST_OCTETS: usize = 16 << 10;

/// Changes octets in place and says how many there are then: the first argument holds so many as the second says, and has
/// room for as many as the third.
pub type Blind = fn(&mut [u8], usize, usize) -> usize;

/// Changes a stream or a script file, of which the first `size` octets of `data` are there and all others are room.
///
/// Says how many octets there are then. What cannot be changed by frames is changed by `blind`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, blind: Blind) -> usize {
    let mut draws = Draws::new(u64::from(seed));
    let max_size = max_size.min(data.len());
    let old = data.get(..size).unwrap_or_default();
    let is_text = old.starts_with(MAGIC.as_bytes());
    let kind = match is_text {
        true => Kind::of_script(&mut draws),
        false => Kind::of_stream(&mut draws),
    };
    let new = match kind {
        Kind::Frames if is_text => changed(old, &mut draws),
        Kind::Frames => {
            let (profile, most) = (&formats::default().profile, room(max_size, &mut draws));
            Some(generate::mutated_stream(profile, old, most, &mut draws))
        }
        Kind::Mended | Kind::Blind => None,
    };
    if let Some(size) = new.and_then(|new| put(&new, data, max_size)) {
        return size;
    }
    let size = blind(data, size, max_size);
    if let (Kind::Mended, Some(stream)) = (kind, data.get_mut(..size)) {
        mend_lengths(formats::default(), stream, &mut draws);
    }
    size
}

/// A kind of mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whole frames are changed, or steps.
    Frames,
    /// Octets are, and the lengths in front of them then fit.
    Mended,
    /// Octets are, and no more is done.
    Blind,
}

impl Kind {
    fn of_script(draws: &mut Draws) -> Self {
        match draws.one_in(AS_TEXT) {
            true => Self::Blind,
            false => Self::Frames,
        }
    }

    fn of_stream(draws: &mut Draws) -> Self {
        match draws.below(4) {
            0..=1 => Self::Frames,
            2 => Self::Mended,
            _ => Self::Blind,
        }
    }
}

/// Puts two streams or two scripts in one format together, at borders of frames. Says how many octets of `out` that
/// takes: 0 if they do not go together.
pub fn cross(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut draws = Draws::new(u64::from(seed));
    // What can be crossed is chosen as often as what can be mutated, which finds more.
    if !draws.one_in(CROSSED) {
        return 0;
    }
    let most = out.len();
    let is_text = [one, other].map(|data| data.starts_with(MAGIC.as_bytes()));
    let crossed = match is_text {
        [false, false] => {
            let (profile, most) = (&formats::default().profile, room(most, &mut draws));
            Some(generate::spliced_stream(
                profile,
                [one, other],
                most,
                &mut draws,
            ))
        }
        [true, true] => crossed(one, other, &mut draws),
        _ => None,
    };
    crossed.and_then(|new| put(&new, out, most)).unwrap_or(0)
}

/// So many octets a stream may have: as many as there is room for now and then, mostly few, since a long one takes as long
/// as many short ones.
fn room(most: usize, draws: &mut Draws) -> usize {
    match draws.below(8) {
        0 => most,
        1..=2 => most.min(1024),
        _ => most.min(320),
    }
}

/// How many octets that is, unless it is nothing or too much.
fn put(new: &[u8], out: &mut [u8], most: usize) -> Option<usize> {
    let room = out.get_mut(..new.len().min(most))?;
    let fits = room.len() == new.len() && !new.is_empty();
    fits.then(|| {
        room.copy_from_slice(new);
        new.len()
    })
}

/// A file with frames in it.
struct Framed<'a> {
    /// The lines that say how it is to be read, if it is a script in text form.
    comments: Option<Vec<&'a str>>,
    profile: Profile,
    script: Script,
}

impl<'a> Framed<'a> {
    /// Those of the server's side are left to others, and so are large ones, which are dear.
    fn read(data: &'a [u8]) -> Option<Self> {
        let is_text = data.starts_with(MAGIC.as_bytes());
        let text = std::str::from_utf8(data).ok().filter(|_| is_text);
        let comments = |text: &'a str| text.lines().filter(|line| line.starts_with('#')).collect();
        let framed = Self {
            comments: text.map(comments),
            profile: profile_of_file(data).ok()?.unwrap_or_default(),
            script: Script::from_file(data).ok()?,
        };
        let is_read = framed.script.side() == Side::Client && framed.script.octets() <= MOST_OCTETS;
        is_read.then_some(framed)
    }

    /// Another script in the same kind of file.
    fn write(&self, script: &Script) -> Vec<u8> {
        let Some(comments) = &self.comments else {
            return script.streams().concat();
        };
        let text = script.to_string();
        let (magic, steps) = text.split_once('\n').unwrap_or((&text, ""));
        let lines = [magic].into_iter().chain(comments.iter().copied());
        lines
            .chain([steps])
            .collect::<Vec<_>>()
            .join("\n")
            .into_bytes()
    }
}

fn changed(data: &[u8], draws: &mut Draws) -> Option<Vec<u8>> {
    let framed = Framed::read(data)?;
    let script = generate::mutated(&framed.profile, &framed.script, draws);
    Some(framed.write(&script))
}

fn crossed(one: &[u8], other: &[u8], draws: &mut Draws) -> Option<Vec<u8>> {
    let (one, other) = (Framed::read(one)?, Framed::read(other)?);
    if one.profile != other.profile {
        return None;
    }
    let script = generate::spliced(&one.profile, &one.script, &other.script, draws);
    Some(one.write(&script))
}

/// One header in this many is left as it is, however wrong.
const LEFT_WRONG: usize = 24;

/// Makes the lengths in a stream fit what follows them, so that whole frames stand one behind the
/// other up to its end. Scripts in text form are not touched.
///
/// Only headers are rewritten, so the stream keeps its size.
fn mend_lengths(known: &Known, data: &mut [u8], draws: &mut Draws) {
    if data.starts_with(MAGIC.as_bytes()) {
        return;
    }
    let mut rest = data;
    while rest.len() >= known.profile.header_len() && !draws.one_in(LEFT_WRONG) {
        let frame = known.frame_at_front(rest);
        let frame = frame.unwrap_or_else(|| mend(known, rest, draws));
        rest = std::mem::take(&mut rest)
            .get_mut(frame..)
            .unwrap_or_default();
    }
}

/// Writes a header that claims some of what is behind it, most often little. Octets of the frame that this makes.
fn mend(known: &Known, rest: &mut [u8], draws: &mut Draws) -> usize {
    let header = known.profile.header_len();
    let chunk = known.profile.chunk() as usize;
    let behind = rest.len().saturating_sub(header);
    let most = behind.checked_div(chunk).unwrap_or_default();
    let chunks = match draws.below(8) {
        0 => most,
        1 => draws.of_any_size(most),
        _ => draws.below(4).min(most),
    };
    let body = chunks.saturating_mul(chunk);
    if let (Some(claim), Some(header)) = (known.claim(body), rest.get_mut(..header))
        && claim.len() == header.len()
    {
        header.copy_from_slice(&claim);
    }
    header.saturating_add(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frames;
    use std::collections::BTreeSet;

    fn mended(data: &[u8], seed: u64) -> Vec<u8> {
        let mut data = data.to_vec();
        mend_lengths(formats::default(), &mut data, &mut Draws::new(seed));
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

    /// Nothing is changed but what knows frames.
    const IDLE: Blind = |_, size, _| size;

    fn mutated(data: &[u8], seed: u32) -> Vec<u8> {
        let mut room = data.to_vec();
        room.resize(4096, 0);
        let size = mutate(&mut room, data.len(), 4096, seed, IDLE);
        room[..size].to_vec()
    }

    #[test]
    fn scripts_stay_scripts_in_their_format() {
        let file = b"framespec script 1\n#: chunk-count\nopen a\nsend a 01000000 '\"hi\"'\nfin a\n";
        let (mut new, mut whole) = (0, 0);
        for seed in 0..300 {
            let mutated = mutated(file, seed);
            let profile = profile_of_file(&mutated).unwrap().unwrap();
            assert_eq!(profile, Profile::chunk_count());
            let streams = Script::from_file(&mutated).unwrap().streams();
            whole += streams
                .iter()
                .filter(|stream| frames(&profile, stream).any(|frame| frame.is_ok()))
                .count();
            new += usize::from(mutated != file);
        }
        assert!(
            new > 200 && whole > 140,
            "{new} new, {whole} that hold frames"
        );
    }

    #[test]
    fn streams_keep_frames_and_go_together_at_their_borders() {
        let frame = [b"\0\0\0\x3c", &[b'1'; 60][..]].concat();
        let (mut new, mut whole) = (0, 0);
        for seed in 0..300 {
            let mutated = mutated(&frame.repeat(3), seed);
            new += usize::from(mutated != frame.repeat(3));
            whole += frames(&Profile::tutorial(), &mutated)
                .filter(Result::is_ok)
                .count();
        }
        assert!(new > 100 && whole > 600, "{new} new, {whole} frames");
        let mut out = [0; 4096];
        let text = b"framespec script 1\nopen a\n";
        let mut sizes = BTreeSet::new();
        for seed in 0..100 {
            assert_eq!(cross(&frame, text, &mut out, seed), 0);
            let size = cross(&frame, &frame.repeat(2), &mut out, seed);
            assert_eq!(out[..size], frame.repeat(3)[..size]);
            sizes.insert(size);
            assert!(cross(&frame, &frame, &mut [0; 100], seed) <= 100);
        }
        assert_eq!(sizes, BTreeSet::from([0, 128, 192]));
    }

    #[test]
    fn what_is_neither_is_changed_blindly() {
        let served = b"framespec script 1\nside server\nopen a\n";
        assert_eq!(mutated(served, 7), served);
        let broken = b"framespec script 1\nsend a 00\n";
        assert_eq!(mutated(broken, 7), broken);
    }
}
