//! What a header says, in steps of their own: the number in it, the sizes that it stands for, the payload
//! in a body.

use crate::profile::{Mark, Order, Profile, Region, Unit};

/// A body and, where the header tells that, how much of it is payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) octets: Vec<u8>,
    pub(crate) payload: Option<usize>,
}

/// The size of a body and, where the header tells that, of the payload in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) body: usize,
    pub(crate) payload: Option<usize>,
}

/// A header that no frame can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The sizes that a header tells, its number read by `count` and judged by `sizes`.
pub(crate) fn sizes_in(
    profile: &Profile,
    header: &[u8],
    count: fn(&Profile, &[u8]) -> i128,
    sizes: fn(&Profile, i128) -> Result<Sizes, Malformed>,
) -> Result<Sizes, Malformed> {
    let length_at = profile.before().len();
    let after_at = length_at.saturating_add(profile.width().into());
    let field = header.get(length_at..after_at.min(header.len()));
    check_mark(profile.before(), header)?;
    check_mark(profile.after(), header.get(after_at..).unwrap_or_default())?;
    sizes(profile, count(profile, field.unwrap_or_default()))
}

fn check_mark(mark: &Mark, octets: &[u8]) -> Result<(), Malformed> {
    let mut pairs = mark.octets().iter().zip(octets);
    let fits = pairs.all(|(expected, octet)| expected.is_none_or(|expected| expected == *octet));
    fits.then_some(()).ok_or(Malformed)
}

/// The number in a length field, in the order and with the sign of the profile.
pub(crate) fn count(profile: &Profile, field: &[u8]) -> i128 {
    let mut octets = field.to_vec();
    if profile.order() == Order::Little {
        octets.reverse();
    }
    let number = in_big_endian(&octets);
    let bits = u32::try_from(octets.len()).map_or(0, |octets| octets.saturating_mul(8));
    let negative = profile.signed() && octets.first().is_some_and(|octet| *octet >= 0x80);
    if negative {
        number.saturating_sub(1_i128.checked_shl(bits).unwrap_or_default())
    } else {
        number
    }
}

/// A number of so many octets, the first of them the most significant.
pub(crate) fn in_big_endian(octets: &[u8]) -> i128 {
    octets.iter().fold(0, |number: i128, octet| {
        number.saturating_mul(256).saturating_add((*octet).into())
    })
}

pub(crate) fn sizes(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    sizes_up_to(profile, count, profile.max_body().into())
}

/// The sizes that a number stands for, if the body is not over the limit and has whole chunks.
pub(crate) fn sizes_up_to(profile: &Profile, count: i128, limit: i128) -> Result<Sizes, Malformed> {
    let (body, payload) = lengths(profile, count);
    let chunk = i128::from(profile.chunk());
    let in_order = (0..=limit).contains(&body)
        && payload.is_none_or(|payload| payload >= 0)
        && body.checked_rem(chunk) == Some(0);
    let sizes = Sizes {
        body: usize::try_from(body).map_err(|_| Malformed)?,
        payload: payload.and_then(|payload| usize::try_from(payload).ok()),
    };
    in_order.then_some(sizes).ok_or(Malformed)
}

/// The same with a limit of 32 KiB, unless another one is declared.
pub(crate) fn sizes_up_to_32_kib(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let limit = profile.declared_max_body().unwrap_or(32 << 10);
    sizes_up_to(profile, count, limit.into())
}

/// Octets of body that a number stands for, and of payload where that is another matter. Negative
/// where the number is too small for what it covers.
pub(crate) fn lengths(profile: &Profile, count: i128) -> (i128, Option<i128>) {
    let chunk = i128::from(profile.chunk());
    let length = match profile.unit() {
        Unit::Octets => count,
        Unit::Chunks => count.saturating_mul(chunk),
    };
    let covered = i128::try_from(profile.covered_header_len()).unwrap_or(i128::MAX);
    let counted = length.saturating_sub(covered);
    if profile.covers(Region::Padding) {
        return (counted, (chunk == 1).then_some(counted));
    }
    let over = counted.checked_rem_euclid(chunk).unwrap_or_default();
    let missing = if over == 0 {
        0
    } else {
        chunk.saturating_sub(over)
    };
    (counted.saturating_add(missing), Some(counted))
}

/// Whether a body ends in a whole chunk of padding or more, with a payload before it.
pub(crate) fn has_spare_padding(profile: &Profile, body: &Body) -> bool {
    let octets = body.octets.len();
    let padding = octets.saturating_sub(payload(profile, body.clone()).len());
    padding >= profile.chunk() as usize && padding < octets
}

/// The payload in a body: all of it but the padding.
pub(crate) fn payload(profile: &Profile, body: Body) -> Vec<u8> {
    let mut octets = body.octets;
    let pad = profile.pad();
    let end = body.payload.unwrap_or_else(|| {
        octets
            .iter()
            .rposition(|octet| *octet != pad)
            .map_or(0, |last| last.saturating_add(1))
    });
    octets.truncate(end);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Decoder, Encoder};
    use arbitrary::{Arbitrary as _, Unstructured};
    use bytes::BytesMut;
    use proptest::prelude::*;

    proptest! {
        /// Whatever stands in the length field of whatever format: the sizes are those that the
        /// reference server goes by.
        #[test]
        fn sizes_are_those_of_the_decoder(
            seed in prop::collection::vec(any::<u8>(), 0..60),
            number in prop_oneof![0..400_u64, any::<u64>(), (0..400_u64).prop_map(|n| !n)],
        ) {
            let profile = Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap();
            let mut octets = BytesMut::new();
            Encoder::new(&profile).header_with(number, &mut octets);
            let start = profile.before().len();
            let field = octets[start..start + usize::from(profile.width())].to_vec();
            let decoded = Decoder::new(&profile).decode(&mut octets);
            match sizes(&profile, count(&profile, &field)) {
                Err(Malformed) => prop_assert!(decoded.is_err(), "{:?}", decoded),
                Ok(Sizes { body, payload }) if body < 1 << 18 => {
                    let before = octets.len();
                    let mut decoder = Decoder::new(&profile);
                    if body > 0 {
                        octets.resize(before + body - 1, 1);
                        prop_assert_eq!(decoder.decode(&mut octets), Ok(None));
                        octets.resize(before + body, 1);
                    } else {
                        Encoder::new(&profile).header_with(number, &mut octets);
                        octets.truncate(profile.header_len());
                    }
                    let frame = decoder.decode(&mut octets).unwrap().unwrap();
                    prop_assert_eq!(frame.body().len(), body);
                    prop_assert_eq!(frame.payload().len(), payload.unwrap_or(body));
                }
                Ok(_) => prop_assert_eq!(decoded, Ok(None)),
            }
        }
    }
}
