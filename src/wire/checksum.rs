//! The checksum of a frame: where it stands, and what it has to be.

use crate::profile::{Checksum as Described, ChecksumKind, Mark, Order, Profile, Region};
use std::ops::Range;

/// Where the checksum of a frame stands, and how it is reckoned.
#[derive(Debug, Clone)]
pub(super) struct Checksum {
    described: Described,
    before: Mark,
    after: Mark,
    trailer: Mark,
}

/// Where the parts of a whole frame end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) header: usize,
    pub(super) payload: usize,
    pub(super) body: usize,
}

/// The octets of a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    octets: [u8; 4],
    width: usize,
}

impl AsRef<[u8]> for Sum {
    fn as_ref(&self) -> &[u8] {
        self.octets.get(..self.width).unwrap_or_default()
    }
}

impl Checksum {
    /// That of the profile, if it has one.
    pub(super) fn new(profile: &Profile) -> Option<Self> {
        Some(Self {
            described: profile.checksum()?.clone(),
            before: profile.before().clone(),
            after: profile.after().clone(),
            trailer: profile.trailer().clone(),
        })
    }

    /// Where the checksum stands in a frame.
    fn place(&self, ends: Ends) -> Range<usize> {
        let marks = [
            (0, &self.before),
            (ends.header.saturating_sub(self.after.len()), &self.after),
            (ends.body, &self.trailer),
        ];
        let moved = |(from, mark): (usize, &Mark)| {
            let at = mark.checksum();
            from.saturating_add(at.start)..from.saturating_add(at.end)
        };
        let mut places = marks.into_iter().map(moved);
        places.find(|at| !at.is_empty()).unwrap_or_default()
    }

    /// What has to stand there.
    fn of(&self, frame: &[u8], ends: Ends) -> Sum {
        let own = self.place(ends).start;
        let length = self.before.len();
        let after = ends.header.saturating_sub(self.after.len());
        let regions = [
            (Region::Before, 0..length.min(own)),
            (Region::Length, length..after),
            (Region::After, after..ends.header),
            (Region::Payload, ends.header..ends.payload),
            (Region::Padding, ends.payload..ends.body),
        ];
        let parts = regions
            .into_iter()
            .filter(|(region, _)| self.described.covers(*region))
            .filter_map(|(region, range)| {
                let is_own = region == Region::After && range.contains(&own);
                let end = if is_own { own } else { range.end };
                frame.get(range.start..end)
            });
        sum(self.described.kind(), self.described.order(), parts)
    }

    /// Where a frame's checksum stands, if it is not the one that it should be.
    pub(super) fn wrong_at(&self, frame: &[u8], ends: Ends) -> Option<usize> {
        let at = self.place(ends);
        let found = frame.get(at.clone()).unwrap_or_default();
        (found != self.of(frame, ends).as_ref()).then_some(at.start)
    }

    /// Puts a frame's checksum in its place.
    pub(super) fn put(&self, frame: &mut [u8], ends: Ends) {
        let sum = self.of(frame, ends);
        if let Some(place) = frame.get_mut(self.place(ends)) {
            let octets = sum.as_ref().iter();
            place
                .iter_mut()
                .zip(octets)
                .for_each(|(at, octet)| *at = *octet);
        }
    }
}

/// The checksum of these octets, one part behind the other.
pub(crate) fn sum<'a>(
    kind: ChecksumKind,
    order: Order,
    parts: impl Iterator<Item = &'a [u8]>,
) -> Sum {
    let number = |number: u32| match order {
        Order::Big => number.to_be_bytes(),
        Order::Little => number.to_le_bytes(),
    };
    let octets = match kind {
        ChecksumKind::Crc32 => number(reckon::crc32(parts)),
        ChecksumKind::Crc32c => number(reckon::crc32c(parts)),
        ChecksumKind::Crc16Modbus => {
            let sum = reckon::crc16_modbus(parts);
            let [first, second] = match order {
                Order::Big => sum.to_be_bytes(),
                Order::Little => sum.to_le_bytes(),
            };
            [first, second, 0, 0]
        }
        ChecksumKind::Sha256d4 => reckon::sha256d(parts),
    };
    let width = kind.width();
    Sum { octets, width }
}

#[cfg(feature = "checksum")]
mod reckon {
    use crc::{CRC_16_MODBUS, CRC_32_ISCSI, CRC_32_ISO_HDLC, Crc, Table};
    use sha2::{Digest as _, Sha256};

    static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
    static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
    static CRC16_MODBUS: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);

    macro_rules! crc {
        ($name:ident, $table:ident, $number:ty) => {
            pub(super) fn $name<'a>(parts: impl Iterator<Item = &'a [u8]>) -> $number {
                let mut digest = $table.digest();
                parts.for_each(|part| digest.update(part));
                digest.finalize()
            }
        };
    }

    crc!(crc32, CRC32, u32);
    crc!(crc32c, CRC32C, u32);
    crc!(crc16_modbus, CRC16_MODBUS, u16);

    pub(super) fn sha256d<'a>(parts: impl Iterator<Item = &'a [u8]>) -> [u8; 4] {
        let mut digest = Sha256::new();
        parts.for_each(|part| digest.update(part));
        let twice = Sha256::digest(digest.finalize());
        twice.first_chunk().copied().unwrap_or_default()
    }
}

/// Without the feature no profile has a checksum, and nothing of this is ever called.
#[cfg(not(feature = "checksum"))]
mod reckon {
    macro_rules! nothing {
        ($($name:ident: $sum:ty),*) => {
            $(pub(super) fn $name<'a>(_: impl Iterator<Item = &'a [u8]>) -> $sum {
                Default::default()
            })*
        };
    }

    nothing!(crc32: u32, crc32c: u32, crc16_modbus: u16, sha256d: [u8; 4]);
}

#[cfg(all(test, feature = "checksum"))]
mod tests {
    use super::*;

    /// What the catalogue of CRCs lists as the check value, and two hashes that openssl makes.
    #[test]
    fn the_kinds_are_those_that_have_these_names() {
        let of = |kind, order, octets: &[u8]| {
            let (one, other) = octets.split_at(octets.len() / 2);
            sum(kind, order, [one, other].into_iter()).as_ref().to_vec()
        };
        let check = |kind, order| of(kind, order, b"123456789");
        use ChecksumKind::{Crc16Modbus, Crc32, Crc32c, Sha256d4};
        assert_eq!(check(Crc32, Order::Big), b"\xcb\xf4\x39\x26");
        assert_eq!(check(Crc32, Order::Little), b"\x26\x39\xf4\xcb");
        assert_eq!(check(Crc32c, Order::Big), b"\xe3\x06\x92\x83");
        assert_eq!(check(Crc16Modbus, Order::Big), b"\x4b\x37");
        assert_eq!(check(Crc16Modbus, Order::Little), b"\x37\x4b");
        assert_eq!(of(Sha256d4, Order::Big, b""), b"\x5d\xf6\xe0\xe2");
        assert_eq!(of(Sha256d4, Order::Big, b"hello"), b"\x95\x95\xc9\xdf");
    }
}
