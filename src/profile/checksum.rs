//! Checksums: octets of a frame that are reckoned from others of the same frame.

use super::{Order, Region};

/// What the checksum of a frame is. Where it stands, the marks say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    pub(super) kind: ChecksumKind,
    pub(super) order: Order,
    pub(super) covers: Vec<Region>,
}

/// How a checksum is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumKind {
    /// CRC-32/ISO-HDLC, which zip, PNG and Ethernet have.
    Crc32,
    /// CRC-32/ISCSI, also called Castagnoli.
    Crc32c,
    /// CRC-16/MODBUS.
    Crc16Modbus,
    /// The first four octets of the SHA-256 of the SHA-256.
    Sha256d4,
}

impl ChecksumKind {
    /// The word for this kind in profile files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc16Modbus => "crc16-modbus",
            Self::Sha256d4 => "sha256d-4",
        }
    }

    /// How many octets it has.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Crc16Modbus => 2,
            Self::Crc32 | Self::Crc32c | Self::Sha256d4 => 4,
        }
    }

    /// Whether it is a number, whose octets have an order.
    #[must_use]
    pub const fn is_number(self) -> bool {
        !matches!(self, Self::Sha256d4)
    }
}

impl Checksum {
    /// How it is reckoned.
    #[must_use]
    pub const fn kind(&self) -> ChecksumKind {
        self.kind
    }

    /// In which order its octets stand; [`Order::Big`] if it is no number.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.order
    }

    /// Whether it is reckoned from that region; from the one in which it stands itself, as far as that is in front of it.
    #[must_use]
    pub fn covers(&self, region: Region) -> bool {
        self.covers.contains(&region)
    }
}
