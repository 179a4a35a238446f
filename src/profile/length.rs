//! How a length is written.

use super::Order;

/// How a number is written in the length field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Octets of a fixed width.
    Binary {
        /// How many, 1 to 8.
        width: u8,
        /// In which order.
        order: Order,
        /// Whether they are two's complement. A negative length is malformed.
        signed: bool,
    },
    /// Seven bits an octet, the lowest first; the eighth says that another octet follows.
    Varint {
        /// The most octets, 1 to 10.
        most: u8,
        /// Whether the last octet may be one that adds nothing.
        overlong: bool,
    },
    /// ASCII digits and what ends them.
    Decimal {
        /// The most digits, 1 to 20.
        most: u8,
        /// What stands behind them.
        end: DigitsEnd,
        /// Whether zeros may stand in front.
        overlong: bool,
    },
}

impl Length {
    /// Octets of the shortest length field there is.
    #[must_use]
    pub fn least_len(self) -> usize {
        match self {
            Self::Binary { width, .. } => width.into(),
            Self::Varint { .. } => 1,
            Self::Decimal { end, .. } => end.octets().len().saturating_add(1),
        }
    }

    /// Octets of the longest length field there is.
    #[must_use]
    pub fn most_len(self) -> usize {
        match self {
            Self::Binary { width: most, .. } | Self::Varint { most, .. } => most.into(),
            Self::Decimal { most, end, .. } => end.octets().len().saturating_add(most.into()),
        }
    }

    /// The largest number that there is room for; `None` if it has more than 64 bits.
    #[must_use]
    pub fn most_counted(self) -> Option<u64> {
        let bits = |bits: u32| Some(1_u64.checked_shl(bits)?.wrapping_sub(1));
        match self {
            Self::Binary { width, signed, .. } => {
                let bits = u32::from(width).saturating_mul(8);
                let shift = 64_u32.saturating_sub(bits.saturating_sub(signed.into()));
                Some(u64::MAX.wrapping_shr(shift))
            }
            Self::Varint { most, .. } => bits(u32::from(most).saturating_mul(7)),
            Self::Decimal { most, .. } => 10_u64.checked_pow(most.into())?.checked_sub(1),
        }
    }
}

/// How the number in a length field is written, its details aside: the choice in a [`Draft`](super::Draft).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// [`Length::Binary`].
    Binary,
    /// [`Length::Varint`].
    Varint,
    /// [`Length::Decimal`].
    Decimal,
}

/// What stands behind the digits of a decimal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigitsEnd {
    /// A colon.
    Colon,
    /// Carriage return and line feed.
    CrLf,
}

impl DigitsEnd {
    /// The octets.
    #[must_use]
    pub const fn octets(self) -> &'static [u8] {
        self.as_str().as_bytes()
    }

    /// The octets as the text that they are.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Colon => ":",
            Self::CrLf => "\r\n",
        }
    }
}
