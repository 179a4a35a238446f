//! The number in a length field, read and written in each of the forms that there are.
//!
//! A number is read as far as it has come: a varint or decimal one may be cut at any octet.

use crate::profile::{DigitsEnd, Length, Order};
use bytes::{BufMut, BytesMut};

/// What the octets at the front of a length field say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// The number, and how many octets it takes.
    Whole { count: u128, octets: usize },
    /// Not all of it has come: it is this or more.
    AtLeast(u128),
    /// It can be no number. What came in front of the octet that shows it would have been this or more.
    Wrong { least: u128 },
    /// The number is negative.
    Negative,
}

/// The number at the front of these octets, of which there may be too few or too many.
pub(super) fn read(length: Length, octets: &[u8]) -> Count {
    match length {
        Length::Binary { order, .. } => binary(length, order, octets),
        Length::Varint { most, overlong } => varint(most.into(), overlong, octets),
        Length::Decimal {
            most,
            end,
            overlong,
        } => decimal(most.into(), end, overlong, octets),
    }
}

fn binary(length: Length, order: Order, octets: &[u8]) -> Count {
    let width = length.most_len();
    let Some(field) = octets.get(..width) else {
        return Count::AtLeast(0);
    };
    let shift = |value: u64, octet: &u8| value << 8 | u64::from(*octet);
    let count = match order {
        Order::Big => field.iter().fold(0, shift),
        Order::Little => field.iter().rev().fold(0, shift),
    };
    if length.most_counted().is_some_and(|most| count > most) {
        return Count::Negative;
    }
    Count::Whole {
        count: count.into(),
        octets: width,
    }
}

fn varint(most: usize, overlong: bool, octets: &[u8]) -> Count {
    let mut count = 0_u128;
    for (at, octet) in octets.iter().take(most).enumerate() {
        let shift = u32::try_from(at).unwrap_or(0).saturating_mul(7);
        count |= u128::from(octet & 0x7f).wrapping_shl(shift);
        if *octet < 0x80 {
            let octets = at.saturating_add(1);
            let adds_nothing = *octet == 0 && at > 0;
            return match adds_nothing && !overlong {
                true => Count::Wrong { least: count },
                false => Count::Whole { count, octets },
            };
        }
    }
    unfinished(octets.len() < most, count)
}

fn decimal(most: usize, end: DigitsEnd, overlong: bool, octets: &[u8]) -> Count {
    let is_digit = |octet: &&u8| octet.is_ascii_digit();
    let digits = octets.iter().take(most).take_while(is_digit).count();
    let (digits, behind) = octets.split_at_checked(digits).unwrap_or_default();
    if matches!(digits, [b'0', _, ..]) && !overlong {
        return Count::Wrong { least: 0 };
    }
    let count = digits.iter().fold(0_u128, |count, digit| {
        let digit = u128::from(digit.wrapping_sub(b'0'));
        count.saturating_mul(10).saturating_add(digit)
    });
    let end = end.octets();
    if behind.starts_with(end) && !digits.is_empty() {
        let octets = digits.len().saturating_add(end.len());
        return Count::Whole { count, octets };
    }
    let may_end = behind.is_empty() || !digits.is_empty() && end.starts_with(behind);
    unfinished(may_end, count)
}

/// A number that is not whole, if it can still become so.
fn unfinished(can: bool, least: u128) -> Count {
    match can {
        true => Count::AtLeast(least),
        false => Count::Wrong { least },
    }
}

/// Octets or digits of the longest length field, and the largest number it has room for that is kept in 64 bits.
pub(super) fn room(length: Length) -> (u8, u64) {
    let width = match length {
        Length::Binary { width: most, .. }
        | Length::Varint { most, .. }
        | Length::Decimal { most, .. } => most,
    };
    (width, length.most_counted().unwrap_or(u64::MAX))
}

/// Octets of the length field with that number, for which there is room.
pub(super) fn len(length: Length, count: u64) -> usize {
    let grown = match length {
        Length::Binary { .. } => 0,
        Length::Varint { .. } => count.checked_ilog2().unwrap_or(0) / 7,
        Length::Decimal { .. } => count.checked_ilog10().unwrap_or(0),
    };
    let grown = usize::try_from(grown).unwrap_or(0);
    length.least_len().saturating_add(grown)
}

/// Appends a length field with that number, or what is left of it in as many bits or digits as there is room for.
pub(super) fn put(length: Length, count: u64, out: &mut BytesMut) {
    match length {
        Length::Binary { width, order, .. } => put_binary(width.into(), order, count, out),
        Length::Varint { .. } => put_varint(count & room(length).1, out),
        Length::Decimal { most, end, .. } => {
            let modulus = 10_u64.checked_pow(most.into());
            let left = modulus.and_then(|modulus| count.checked_rem(modulus));
            out.put_slice(left.unwrap_or(count).to_string().as_bytes());
            out.put_slice(end.octets());
        }
    }
}

fn put_binary(width: usize, order: Order, count: u64, out: &mut BytesMut) {
    let (big, little) = (count.to_be_bytes(), count.to_le_bytes());
    let field = match order {
        Order::Big => big.get(big.len().saturating_sub(width)..),
        Order::Little => little.get(..width),
    };
    out.put_slice(field.unwrap_or_default());
}

fn put_varint(mut count: u64, out: &mut BytesMut) {
    loop {
        let [low, ..] = count.to_le_bytes();
        count = count.wrapping_shr(7);
        if count == 0 {
            return out.put_u8(low);
        }
        out.put_u8(low | 0x80);
    }
}
