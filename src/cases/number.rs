//! Lengths that are written as numbers without a fixed width, and what stands behind a body.

use super::length::two_chunks;
use super::{Case, Maker};
use crate::lang::say;
use crate::profile::Length;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::LengthPrefix,
        "no-number",
        "What stands where digits belong is something else: a sign, a space, a letter, nothing at all. Functions that read numbers take some of them, and what they return then is not what was sent.",
        |s| {
            need_grown(s, |length| matches!(length, Length::Decimal { .. }));
            for [front, behind] in [
                ["+", ""],
                [" ", ""],
                ["", " "],
                ["-", ""],
                ["0x", ""],
                ["x", ""],
            ] {
                length_written_as(s, |count| format!("{front}{count}{behind}").into_bytes());
            }
            length_written_as(s, |_| Vec::new());
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "more-than-a-number-may-have",
        "A number of more octets or digits than there may be: whoever only looks for its end reads on for as long as somebody sends, and whoever adds up what he reads has a small number again at last.",
        |s| {
            need_grown(s, |_| true);
            let length = s.profile().length();
            let most = length.most_len().saturating_sub(digits_end(s).len());
            match length {
                Length::Decimal { .. } => {
                    length_written_as(s, |count| wrapping_digits(count, most));
                    let a = s.open();
                    let digits = vec![b'1'; most.saturating_add(1)];
                    let header = s.craft().header_around(&digits);
                    s.send(a, &header);
                    s.wait(a);
                }
                _ => length_written_as(s, |count| groups(count, most.saturating_add(1))),
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "more-than-a-number-needs",
        "Each number is written in one way alone where the format says so. A server that takes another, and one that does not, disagree on where frames begin.",
        |s| {
            let is_strict = |length| {
                matches!(
                    length,
                    Length::Varint {
                        overlong: false,
                        most: 2..
                    } | Length::Decimal {
                        overlong: false,
                        most: 2..,
                        ..
                    }
                )
            };
            need_grown(s, is_strict);
            match s.profile().length() {
                Length::Decimal { .. } => {
                    length_written_as(s, |count| format!("0{count}").into_bytes());
                }
                _ => length_written_as(s, |count| {
                    groups(count, groups_needed(count).saturating_add(1))
                }),
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "longer-than-it-needs-to-be",
        "Where the format says that a number may be written with octets that add nothing, it is the same number: with one of them more, and with as many as there is room for.",
        |s| {
            let is_lax = |length| match length {
                Length::Varint { overlong, most } | Length::Decimal { overlong, most, .. } => {
                    overlong && most > 1
                }
                Length::Binary { .. } => false,
            };
            need_grown(s, is_lax);
            let length = s.profile().length();
            for more in [1, usize::MAX] {
                length_written_as(s, |count| longer(length, count, more));
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "wrong-octets-behind-a-body",
        "The octets behind a body are fixed. Others there mean that the two do not agree on where the body ends, and nothing that follows can be trusted.",
        |s| {
            let fixed = s.profile().trailer().octets().iter().any(Option::is_some);
            s.need(fixed, say!("nothing that is fixed stands behind a body"));
            let a = s.open();
            let mut octets = s.request();
            let body = octets.len().saturating_sub(s.craft().trailer().len());
            for octet in octets.iter_mut().skip(body) {
                *octet = !*octet;
            }
            octets.extend(s.request());
            s.send(a, &octets);
            s.wait(a);
        },
    ),
];

/// The length has a form in which that can be tried.
fn need_grown(s: &mut Maker<'_>, fits: impl Fn(Length) -> bool) {
    let length = s.profile().length();
    let grown = !matches!(length, Length::Binary { .. });
    s.need(
        grown && fits(length),
        say!("a length of this profile cannot be written so"),
    );
}

/// What ends the digits of a length, if digits are what it has.
fn digits_end(s: &Maker<'_>) -> &'static [u8] {
    match s.profile().length() {
        Length::Decimal { end, .. } => end.octets(),
        Length::Binary { .. } | Length::Varint { .. } => &[],
    }
}

/// On a connection of its own, a request whose length is written in another way, and others behind it: whoever
/// takes it for the number that it looks like answers them all.
fn length_written_as(s: &mut Maker<'_>, written: impl Fn(i128) -> Vec<u8>) {
    let body = two_chunks(s);
    let count = i128::try_from(body).unwrap_or(i128::MAX);
    let count = s.craft().count_for(count);
    let request = s.request_of(body);
    let behind = s.craft().header_with(count).len();
    let field = [written(count).as_slice(), digits_end(s)].concat();
    let mut octets = s.craft().header_around(&field);
    octets.extend(request.into_iter().skip(behind));
    for _ in 0..2 {
        octets.extend(s.request());
    }
    let a = s.open();
    s.send(a, &octets);
    s.wait(a);
    s.done_with(a);
}

/// A number of more digits than there may be that is this one in 32 bits, or in 64 where those are within bounds.
fn wrapping_digits(count: i128, most: usize) -> Vec<u8> {
    let modulus = if most < 20 { 1_i128 << 32 } else { 1 << 64 };
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let bound = 10_i128.checked_pow(most).unwrap_or(i128::MAX);
    let rounds = bound.checked_div(modulus).unwrap_or_default();
    let added = rounds.saturating_add(1).saturating_mul(modulus);
    added.saturating_add(count).to_string().into_bytes()
}

/// A number in so many digits or octets more than it needs, as far as there may be as many.
fn longer(length: Length, count: i128, more: usize) -> Vec<u8> {
    let grown = |needed: usize, most: u8| needed.saturating_add(more).min(most.into());
    match length {
        Length::Decimal { most, .. } => {
            let digits = count.to_string();
            format!("{digits:0>0$}", grown(digits.len(), most)).into_bytes()
        }
        Length::Varint { most, .. } => groups(count, grown(groups_needed(count), most)),
        Length::Binary { .. } => Vec::new(),
    }
}

/// Octets of a number as a varint.
fn groups_needed(count: i128) -> usize {
    let bits = i128::BITS.saturating_sub(count.leading_zeros());
    usize::try_from(bits.div_ceil(7)).unwrap_or_default().max(1)
}

/// A number as a varint of so many octets, those at its end adding nothing.
fn groups(count: i128, octets: usize) -> Vec<u8> {
    let last = octets.saturating_sub(1);
    let group = |at: usize| {
        let bits = count.checked_shr(u32::try_from(at).unwrap_or(u32::MAX).saturating_mul(7));
        let group = u8::try_from(bits.unwrap_or_default() & 0x7f).unwrap_or_default();
        if at < last { group | 0x80 } else { group }
    };
    (0..octets).map(group).collect()
}
