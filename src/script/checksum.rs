//! Checksums, reckoned without the codec and the crate that it has them from.

use crate::profile::{Checksum, ChecksumKind, Order, Profile, Region};
use sha2::{Digest as _, Sha256};
use std::ops::Range;
use std::sync::LazyLock;

/// Where the parts of a whole frame end, counted from its first octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The header.
    pub header: usize,
    /// The payload.
    pub payload: usize,
    /// The padding, and with it the body.
    pub body: usize,
}

/// Parts of a frame, each with where it lies.
pub type Regions = Vec<(Region, Range<usize>)>;

/// Where the checksum stands in a frame, if frames have one.
#[must_use]
pub fn place(profile: &Profile, ends: Ends) -> Option<Range<usize>> {
    profile.checksum()?;
    let after = ends.header.saturating_sub(profile.after().len());
    let places = [
        (0, profile.before().checksum()),
        (after, profile.after().checksum()),
        (ends.body, profile.trailer().checksum()),
    ];
    let mut places = places.into_iter().filter(|(_, at)| !at.is_empty());
    let (from, at) = places.next()?;
    Some(from.saturating_add(at.start)..from.saturating_add(at.end))
}

/// The checksum that a whole frame has to have, if frames have one.
#[must_use]
pub fn of(profile: &Profile, frame: &[u8], ends: Ends) -> Option<Vec<u8>> {
    let checksum = profile.checksum()?;
    let covered = covered(profile, checksum, frame, ends);
    Some(octets(checksum.kind(), checksum.order(), &covered))
}

/// Puts the checksum into a whole frame that belongs there. Whether frames have one.
pub fn put(profile: &Profile, frame: &mut [u8], ends: Ends) -> bool {
    let sum = of(profile, frame, ends);
    let place = place(profile, ends).and_then(|place| frame.get_mut(place));
    match (place, sum) {
        (Some(place), Some(sum)) if place.len() == sum.len() => {
            place.copy_from_slice(&sum);
            true
        }
        _ => false,
    }
}

/// The parts of a whole frame that a checksum may cover; of the one in which it stands itself, what is in front of it.
#[must_use]
pub fn regions(profile: &Profile, ends: Ends) -> Regions {
    let length = profile.before().len();
    let after = ends.header.saturating_sub(profile.after().len());
    let place = place(profile, ends).unwrap_or_default();
    let in_front = |range: Range<usize>| match range.contains(&place.start) && !place.is_empty() {
        true => range.start..place.start,
        false => range,
    };
    vec![
        (Region::Before, in_front(0..length)),
        (Region::Length, length..after),
        (Region::After, in_front(after..ends.header)),
        (Region::Payload, ends.header..ends.payload),
        (Region::Padding, ends.payload..ends.body),
    ]
}

/// All octets of a frame that its checksum is reckoned from.
fn covered(profile: &Profile, checksum: &Checksum, frame: &[u8], ends: Ends) -> Vec<u8> {
    let regions = regions(profile, ends).into_iter();
    let covered = regions.filter(|(region, _)| checksum.covers(*region));
    let parts: Vec<&[u8]> = covered
        .map(|(_, range)| frame.get(range).unwrap_or_default())
        .collect();
    parts.concat()
}

/// The checksum of these octets.
#[must_use]
pub fn octets(kind: ChecksumKind, order: Order, covered: &[u8]) -> Vec<u8> {
    let mut octets = match kind {
        ChecksumKind::Crc32 => crc(&ISO_HDLC, covered).to_le_bytes().to_vec(),
        ChecksumKind::Crc32c => crc(&ISCSI, covered).to_le_bytes().to_vec(),
        ChecksumKind::Crc16Modbus => modbus(covered),
        ChecksumKind::Sha256d4 => return sha256d(covered),
    };
    if order == Order::Big {
        octets.reverse();
    }
    octets
}

/// The division that a reflected CRC is, one octet after the other, from all ones to what is left turned over.
fn crc(remainders: &[u32], octets: &[u8]) -> u32 {
    !divided(u32::MAX, remainders, octets)
}

/// The same in 16 bits, with what is left as it is.
fn modbus(octets: &[u8]) -> Vec<u8> {
    let [low, high, ..] = divided(0xffff, &MODBUS, octets).to_le_bytes();
    vec![low, high]
}

fn divided(from: u32, remainders: &[u32], octets: &[u8]) -> u32 {
    octets.iter().fold(from, |left, octet| {
        let [low, ..] = left.to_le_bytes();
        let low = remainders.get(usize::from(low ^ octet));
        (left >> 8) ^ low.copied().unwrap_or_default()
    })
}

/// What is left of each octet.
type Remainders = LazyLock<Vec<u32>>;

static ISO_HDLC: Remainders = LazyLock::new(|| remainders(0xedb8_8320));
static ISCSI: Remainders = LazyLock::new(|| remainders(0x82f6_3b78));
static MODBUS: Remainders = LazyLock::new(|| remainders(0xa001));

fn remainders(polynomial: u32) -> Vec<u32> {
    (0..=0xff).map(|bits| remainder(polynomial, bits)).collect()
}

/// What is left of eight bits, one after the other.
fn remainder(polynomial: u32, bits: u32) -> u32 {
    (0..8).fold(bits, |left, _| {
        (left >> 1) ^ (left & 1).wrapping_mul(polynomial)
    })
}

fn sha256d(octets: &[u8]) -> Vec<u8> {
    let twice = Sha256::digest(Sha256::digest(octets));
    twice.iter().copied().take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the catalogue of CRCs lists as the check value, and the hash of nothing.
    #[test]
    fn the_kinds_are_those_that_have_these_names() {
        let check = |kind, order| octets(kind, order, b"123456789");
        use ChecksumKind::{Crc16Modbus, Crc32, Crc32c, Sha256d4};
        assert_eq!(check(Crc32, Order::Big), b"\xcb\xf4\x39\x26");
        assert_eq!(check(Crc32c, Order::Little), b"\x83\x92\x06\xe3");
        assert_eq!(check(Crc16Modbus, Order::Big), b"\x4b\x37");
        assert_eq!(octets(Sha256d4, Order::Big, b""), b"\x5d\xf6\xe0\xe2");
    }

    #[test]
    fn of_its_own_region_what_is_in_front_is_covered() {
        let profile = Profile::from_toml(
            "name = 'p'\nlength.width = 1\nheader = { before = 'f5', after = '01 ck ck' }\n\
             body.chunk = 4\nchecksum = { kind = 'crc16-modbus', covers = ['after', 'payload'] }",
        );
        let mut frame = b"\xf5\x04\x01\0\0hi\0\0".to_vec();
        let ends = Ends {
            header: 5,
            payload: 7,
            body: 9,
        };
        assert!(put(&profile.unwrap(), &mut frame, ends));
        let sum = octets(ChecksumKind::Crc16Modbus, Order::Big, b"\x01hi");
        assert_eq!(frame[3..5], sum);
    }
}
