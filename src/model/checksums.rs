//! Checksums: each frame of a script is given its own, whatever was done to the frame before.

use super::ids::with_streams;
use super::{datagrams, permitted_for, reader};
use crate::profile::Profile;
use crate::script::checksum::{self, Ends, Regions};
use crate::script::{OwnEnd, Script};
use std::ops::Range;

/// The script with the checksum in each of its whole frames that belongs there. Where frames have none, it is left as it
/// is.
#[must_use]
pub fn summed(profile: &Profile, script: Script) -> Script {
    summed_but(profile, script, |_| {})
}

/// The same, but that `spoil` may change each checksum.
#[must_use]
pub fn summed_but(profile: &Profile, script: Script, mut spoil: impl FnMut(&mut [u8])) -> Script {
    if profile.checksum().is_none() {
        return script;
    }
    let profile = script.written_in(profile);
    if profile.carriage().is_datagrams() {
        let summed = datagrams::changed(&script, |datagram| {
            sum_frames(&profile, datagram, &mut spoil);
        });
        return summed.unwrap_or(script);
    }
    let mut streams = script.streams();
    for stream in &mut streams {
        sum_frames(&profile, stream, &mut spoil);
    }
    // Each step follows those before it as it did.
    with_streams(&script, &streams).unwrap_or(script)
}

fn sum_frames(profile: &Profile, stream: &mut [u8], spoil: &mut impl FnMut(&mut [u8])) {
    let permitted = permitted_for(&profile.unsummed(), stream, OwnEnd::Open);
    for duty in &permitted.duties {
        let frame = stream.get_mut(duty.start..duty.due).unwrap_or_default();
        if let Some(place) = put_sum(profile, frame) {
            spoil(place);
        }
    }
}

/// Where the checksum stands in the whole frame at the front, if there is one and frames have a checksum, and the parts
/// that it may cover.
#[must_use]
pub fn checksum_in(profile: &Profile, frame: &[u8]) -> Option<(Range<usize>, Regions)> {
    let ends = ends(profile, frame)?;
    let place = checksum::place(profile, ends)?;
    Some((place, checksum::regions(profile, ends)))
}

/// The bits in which the checksum of the whole frame at the front is another than it should be; none where there is no
/// whole frame.
pub(super) fn wrong_by(profile: &Profile, frame: &[u8]) -> Vec<u8> {
    let mut summed = frame.to_vec();
    let place = put_sum(profile, &mut summed).map(|place| place.to_vec());
    let found = ends(profile, frame).and_then(|ends| frame.get(checksum::place(profile, ends)?));
    let pairs = place
        .unwrap_or_default()
        .into_iter()
        .zip(found.unwrap_or_default());
    pairs.map(|(right, found)| right ^ found).collect()
}

/// Puts the checksum into the whole frame at the front that belongs there, if frames have one.
pub fn sum(profile: &Profile, frame: &mut [u8]) {
    put_sum(profile, frame);
}

/// Puts a checksum into the whole frame at the front that is wrong in these bits.
pub(super) fn sum_wrong_by(profile: &Profile, frame: &mut [u8], bits: &[u8]) {
    if let Some(place) = put_sum(profile, frame) {
        place
            .iter_mut()
            .zip(bits)
            .for_each(|(octet, bits)| *octet ^= bits);
    }
}

/// Puts the checksum into the whole frame at the front that belongs there. Where it stands, if frames have one.
fn put_sum<'a>(profile: &Profile, frame: &'a mut [u8]) -> Option<&'a mut [u8]> {
    let ends = ends(profile, frame)?;
    checksum::put(profile, frame, ends);
    frame.get_mut(checksum::place(profile, ends)?)
}

/// Where the parts of the whole frame at the front end, if frames have a checksum.
fn ends(profile: &Profile, frame: &[u8]) -> Option<Ends> {
    profile.checksum()?;
    let reading = reader::read_with_limit(&profile.unsummed(), frame, u128::MAX);
    let frame = reading.frames.first()?;
    Some(Ends {
        header: frame.body.start,
        payload: frame.body.end.saturating_sub(frame.padding_len()),
        body: frame.body.end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Owes, numbered, permitted};

    fn profile() -> Profile {
        let text = "name = 'p'\nlength.width = 1\nheader.before = 'id'\ntrailer.octets = 'ck ck'\n\
            checksum = { kind = 'crc16-modbus', covers = ['before', 'payload'] }";
        Profile::from_toml(text).unwrap()
    }

    fn is_right(script: &Script) -> Vec<bool> {
        let permitted = permitted(&profile(), script);
        let duties = permitted.iter().flat_map(|one| &one.duties);
        duties
            .map(|duty| !matches!(duty.owes, Owes::Close(_)))
            .collect()
    }

    fn script() -> Script {
        let text = "framespec script 1\nopen a\nopen b\nsend a 00 02 | 'hi' 0000 00 01 '1' 0000\n\
            send b 0000 0000 00 01\n";
        text.parse().unwrap()
    }

    #[test]
    fn each_whole_frame_gets_its_own() {
        assert_eq!(is_right(&script()), [false, false]);
        assert_eq!(is_right(&summed(&profile(), script())), [true; 3]);
        let flipped = summed_but(&profile(), script(), |sum| sum[0] ^= 1);
        assert_eq!(is_right(&flipped), [false, false]);
    }

    #[test]
    fn an_id_leaves_a_checksum_right_or_wrong() {
        let right = numbered(&profile(), summed(&profile(), script()));
        assert_eq!(is_right(&right), [true; 3]);
        assert_ne!(right.stream(0).first(), Some(&0));
        let flipped = summed_but(&profile(), script(), |sum| sum[1] ^= 4);
        let numbered = numbered(&profile(), flipped.clone());
        assert_eq!(is_right(&numbered), [false, false]);
        let again = summed(&profile(), numbered.clone()).stream(1);
        let bits = again.iter().zip(numbered.stream(1)).map(|(a, b)| a ^ b);
        assert_eq!(bits.collect::<Vec<_>>(), [0, 0, 0, 4, 0, 0]);
    }
}
