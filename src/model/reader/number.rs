//! Numbers, octet by octet: in a length field, or in front of a chunk.

use super::NoNumber;
use crate::profile::{DigitsEnd, Length, Order};

/// What a length field says.
#[derive(Clone, Copy)]
pub(super) enum Number {
    /// A number, and the octets that it takes.
    Whole(i128, usize),
    /// The beginning of one, which is no less than that.
    Part(i128),
}

/// What is wrong with a number, and what it was or more in front of the octet that shows it.
type Not = (NoNumber, i128);

pub(super) fn number(length: Length, field: &[u8]) -> Result<Number, Not> {
    match length {
        Length::Binary {
            width,
            order,
            signed,
        } => Ok(integer(width.into(), order, signed, field)),
        Length::Varint { most, overlong } => groups(most.into(), overlong, field),
        Length::Decimal {
            most,
            end,
            overlong,
        } => digits(most.into(), end, overlong, field),
    }
}

/// Groups of seven bits. Those that are there are put together from the last to the first.
fn groups(most: usize, overlong: bool, field: &[u8]) -> Result<Number, Not> {
    let last = field.iter().position(|octet| *octet < 0x80);
    let groups = last.map_or(field.len(), |last| last.saturating_add(1));
    let field = field.get(..groups.min(most)).unwrap_or_default();
    let value = field.iter().rev().fold(0_i128, |value, octet| {
        let group = i128::from(octet.checked_rem(0x80).unwrap_or(0));
        value.saturating_mul(0x80).saturating_add(group)
    });
    match last {
        Some(last) if last >= most => Err((NoNumber::TooMany, value)),
        None if groups >= most => Err((NoNumber::TooMany, value)),
        None => Ok(Number::Part(value)),
        Some(1..) if field.last() == Some(&0) && !overlong => Err((NoNumber::Overlong, value)),
        Some(_) => Ok(Number::Whole(value, groups)),
    }
}

/// Digits one by one, and then what ends them.
fn digits(most: usize, end: DigitsEnd, overlong: bool, field: &[u8]) -> Result<Number, Not> {
    let mut value = 0_i128;
    for (at, octet) in field.iter().enumerate() {
        match octet {
            b'0'..=b'9' if at >= most => return Err((NoNumber::TooMany, value)),
            b'0'..=b'9' if at > 0 && field.first() == Some(&b'0') && !overlong => {
                return Err((NoNumber::Overlong, value));
            }
            b'0'..=b'9' => {
                let digit = i128::from(octet.saturating_sub(b'0'));
                value = value.saturating_mul(10).saturating_add(digit);
            }
            other if at == 0 => return Err((NoNumber::NoDigit(*other), value)),
            _ => return behind_digits(end, value, at, field),
        }
    }
    Ok(Number::Part(value))
}

/// The number that is written in the octets up to `at`, if what ends it follows.
fn behind_digits(end: DigitsEnd, value: i128, at: usize, field: &[u8]) -> Result<Number, Not> {
    let behind = field.iter().skip(at);
    for (expected, found) in end.octets().iter().zip(behind) {
        if expected != found {
            return Err((NoNumber::NoDigit(*found), value));
        }
    }
    let width = at.saturating_add(end.octets().len());
    if field.len() < width {
        return Ok(Number::Part(value));
    }
    Ok(Number::Whole(value, width))
}

pub(super) fn integer(width: usize, order: Order, signed: bool, field: &[u8]) -> Number {
    let Some(field) = field.get(..width) else {
        return Number::Part(0);
    };
    let add = |value: i128, octet: &u8| value.saturating_mul(256).saturating_add((*octet).into());
    let (first, unsigned) = match order {
        Order::Big => (field.first(), field.iter().fold(0, add)),
        Order::Little => (field.last(), field.iter().rev().fold(0, add)),
    };
    let negative = signed && first.is_some_and(|octet| *octet >= 0x80);
    let modulus = field
        .iter()
        .fold(1_i128, |value, _| value.saturating_mul(256));
    let value = if negative {
        unsigned.saturating_sub(modulus)
    } else {
        unsigned
    };
    Number::Whole(value, width)
}
