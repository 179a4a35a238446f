//! Lengths that are written in digits, and fixed octets behind a body: how both are read.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use super::length::lower_bits;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{Body, Malformed, sizes_in};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::profile::{Length, Profile};
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("sign-or-space-in-a-length", Clause::LengthPrefix, "",
        "The length is read by a function that takes a sign, and space around the digits, as Python's int does.",
        Mend::by("A length is taken with a sign or with space around it", "See that each octet of the length is a digit before it is read as a number.", sketch::DIGITS),
        |h| h.header = |c| Box::pin(header_up_to_the_end(c, with_sign_and_space))).needing(Need::Netstring).within(&[Room::Digits]),
    Fault::new("zeros-in-front-of-a-length", Clause::LengthPrefix, "",
        "A length with zeros in front is taken, where each number has one way alone to be written.",
        Mend::by("A length is taken with zeros in front", "Refuse a length of more than one digit that begins with a zero.", sketch::DIGITS),
        |h| h.count = with_zeros_in_front).needing(Need::Netstring).within(&[Room::StrictDigits]),
    Fault::new("digits-without-bound", Clause::LengthPrefix, "",
        "Whatever stands in front of the octet that ends a length is read until that comes, and only then looked at.",
        Mend::by("The digits of a length are read without a bound", "Count the digits while they are read, and close the connection at the first that is one too many.", sketch::DIGITS),
        |h| h.header = |c| Box::pin(header_up_to_the_end(c, not_below_nothing))).needing(Need::Netstring).within(&[Room::Digits]),
    Fault::new("digits-wrap", Clause::LengthPrefix, "",
        "The digits of a length are added up in 32 bits, in which a large number becomes a small one.",
        Mend::by("A length of many digits wraps round in 32 bits", "Add up the digits with a check, or bound how many there may be.", sketch::DIGITS),
        |h| h.header = |c| Box::pin(header_up_to_the_end(c, in_32_bits))).needing(Need::Netstring).within(&[Room::Digits]),
    Fault::new("number-kept-in-32-bits", Clause::LengthLimit, "",
        "A length that may have more than 32 bits is kept in 32, and so compared with the limit.",
        Mend::by("Only the lower 32 bits of a larger length are used", "Keep the length in a type that holds every number of its form, until it has been compared with the limit.", sketch::DIGITS),
        |h| h.count = |profile, field| lower_bits(profile, field, 32)).needing(Need::Netstring).within(&[Room::MoreBits(32)]),
    Fault::new("longer-numbers-refused", Clause::LengthPrefix, "",
        "A length that has octets which add nothing is refused, although the format allows them.",
        Mend::by("A length that is longer than it needs to be is refused", "Take a number however many octets of it add nothing, as long as there are no more than there may be.", sketch::LENGTH),
        |h| h.count = |profile, field| if is_longer_than_needed(field) { -1 } else { honest::count(profile, field) }).needing(Need::Varint),
    Fault::new("octets-behind-a-body-not-looked-at", Clause::LengthPrefix, "",
        "The fixed octets behind a body are read and not looked at.",
        Mend::by("The fixed octets behind a body are not checked", "Compare what stands behind the body with what it has to be, and close the connection if it differs.", sketch::HEADER),
        |h| h.take = |c| Box::pin(whatever_stands_behind(c))).needing(Need::Netstring).within(&[Room::FixedTrailer]),
];

/// Whether the last octet of a varint adds nothing.
fn is_longer_than_needed(field: &[u8]) -> bool {
    field.len() > 1 && field.ends_with(&[0])
}

/// How a number is read of the octets in front of its end.
type Reading = fn(&[u8]) -> Option<u128>;

/// A header whose number is read by a function with a mind of its own, once its end has come, and written
/// again as it should have been.
async fn header_up_to_the_end(c: &mut Client, reading: Reading) -> Result<Vec<u8>, End> {
    let Length::Decimal { end, .. } = c.profile().length() else {
        return honest::header(c).await;
    };
    let (before, after) = (c.profile().before().len(), c.profile().after().len());
    let mut header = piece(c, before, false).await?;
    let mut field = Vec::new();
    while !field.ends_with(end.octets()) {
        field.extend(piece(c, 1, !(header.is_empty() && field.is_empty())).await?);
    }
    let number = field.strip_suffix(end.octets()).and_then(reading);
    let number = number.ok_or(End::Malformed)?;
    header.extend(number.to_string().into_bytes());
    header.extend(end.octets());
    header.extend(piece(c, after, true).await?);
    Ok(header)
}

/// So many octets of a header.
async fn piece(c: &mut Client, wanted: usize, inside: bool) -> Result<Vec<u8>, End> {
    let octets = c.collect(wanted).await?;
    if octets.len() < wanted {
        let inside = inside || !octets.is_empty();
        return Err(End::Eof { inside });
    }
    Ok(octets)
}

fn with_sign_and_space(octets: &[u8]) -> Option<u128> {
    let text = std::str::from_utf8(octets).ok()?.trim();
    text.parse().ok()
}

fn not_below_nothing(octets: &[u8]) -> Option<u128> {
    let text = std::str::from_utf8(octets).ok()?;
    let is_plain = text.bytes().all(|octet| octet.is_ascii_digit());
    let is_strict = text.len() == 1 || !text.starts_with('0');
    (is_plain && is_strict).then(|| text.parse().ok())?
}

fn in_32_bits(octets: &[u8]) -> Option<u128> {
    let is_strict = octets.len() == 1 || !octets.starts_with(b"0");
    let digits: Option<Vec<u32>> = octets
        .iter()
        .map(|octet| char::from(*octet).to_digit(10))
        .collect();
    let add = |sum: u32, digit: &u32| sum.wrapping_mul(10).wrapping_add(*digit);
    let sum = digits?.iter().fold(0, add);
    (is_strict && !octets.is_empty()).then_some(sum.into())
}

fn with_zeros_in_front(profile: &Profile, field: &[u8]) -> i128 {
    let zeros = field.iter().take_while(|octet| **octet == b'0').count();
    let last = field.get(zeros).is_some_and(u8::is_ascii_digit);
    let dropped = if last { zeros } else { zeros.saturating_sub(1) };
    honest::count(profile, field.get(dropped..).unwrap_or_default())
}

async fn whatever_stands_behind(c: &mut Client) -> Result<Body, End> {
    let header = honest::header(c).await?;
    let sizes = sizes_in(c.profile(), &header, honest::count, honest::sizes);
    let sizes = sizes.map_err(|Malformed| End::Malformed)?;
    let octets = honest::body(c, sizes.body).await?;
    honest::body(c, c.profile().trailer().len()).await?;
    let payload = sizes.payload;
    Ok(Body { octets, payload })
}
