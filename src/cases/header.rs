//! What stands in a header besides the length, and what of itself the length counts.

use super::length::{need_close, need_declared};
use super::{Case, Maker};
use crate::lang::say;
use crate::profile::Mark;
use crate::script::craft::Craft;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::LengthPrefix,
        "fixed-octets",
        "Each fixed octet of a header, altered a little by itself: what has another octet there is no frame, however well the rest of it reads.",
        |s| {
            let octets = marked_octets(s, |octet| octet.is_some());
            s.need(
                !octets.is_empty(),
                say!("headers of this profile have no fixed octets"),
            );
            for at in octets {
                for change in [0x01, 0x20, 0x80, 0xff] {
                    let a = s.open();
                    let request = altered(s, at, |octet| octet ^ change);
                    s.send(a, &request);
                    s.wait(a);
                    s.done_with(a);
                }
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "free-octets",
        "An octet of the header that may be anything may be anything.",
        |s| {
            let octets = marked_octets(s, |octet| octet.is_none());
            s.need(
                !octets.is_empty(),
                say!("headers of this profile have no octets that may be anything"),
            );
            let a = s.open();
            for at in octets {
                for value in [0x01, 0x20, 0x80, 0xff] {
                    let request = altered(s, at, |_| value);
                    s.send(a, &request);
                    s.wait(a);
                }
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "octets-of-replies",
        "A frame that is right in all but that its fixed octets are those of replies: whoever reads both sides with one reader takes it, and two peers that do would answer each other's answers for ever.",
        |s| {
            let replies = s.profile().of_replies();
            let has_own = replies != *s.profile();
            s.need(
                has_own,
                say!("replies of this profile have no octets of their own in headers"),
            );
            let payload = s.payload_with("");
            let a = s.open();
            s.send(a, &Craft::new(&replies).frame(&payload));
            s.wait(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "less-than-the-header",
        "A length that is less than what it counts of its own header: one less than nothing is no large number, and no empty body.",
        |s| {
            let least = s.craft().count_for(0);
            s.need(
                least > 0,
                say!("the length of this profile counts nothing of the header"),
            );
            let all = 0..least.min(MOST_COUNTS);
            for count in all.chain([least.saturating_sub(1)]) {
                let a = s.open();
                let mut octets = s.craft().header_with(count);
                octets.extend(s.request());
                s.send(a, &octets);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "thirty-one-bits",
        "Lengths just below 2 GiB: with the header added they are more than 31 bits hold, and no longer above any limit.",
        |s| {
            need_declared(s);
            need_close(s);
            let over = THIRTY_ONE_BITS <= s.craft().largest_count();
            s.need(over, say!("the length field has fewer than 31 bits"));
            let header = i128::try_from(s.profile().header_len()).unwrap_or_default();
            for less in [1, 2, header.saturating_sub(1), header] {
                let a = s.open();
                let octets = s.craft().header_with(THIRTY_ONE_BITS.saturating_sub(less));
                s.send(a, &octets);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
];

/// The first number that 31 bits do not hold.
const THIRTY_ONE_BITS: i128 = 1 << 31;

/// Counts that are tried one by one.
const MOST_COUNTS: i128 = 12;

/// Octets that are altered one by one, at each side of the length.
const MOST_OCTETS: usize = 8;

/// Offsets in the header of the octets around the length that are like that.
fn marked_octets(s: &Maker<'_>, is_one: fn(&Option<u8>) -> bool) -> Vec<usize> {
    let (before, after) = (s.profile().before(), s.profile().after());
    let behind = s.header_len().saturating_sub(after.len());
    let of = |mark: &Mark, from: usize| {
        let octets = mark.octets().iter().enumerate();
        let found = octets.filter(|(_, octet)| is_one(octet));
        let found = found.map(|(at, _)| at.saturating_add(from));
        found.take(MOST_OCTETS).collect::<Vec<usize>>()
    };
    [of(before, 0), of(after, behind)].concat()
}

/// A request with another octet at that place.
fn altered(s: &mut Maker<'_>, at: usize, change: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut request = s.request();
    if let Some(octet) = request.get_mut(at) {
        *octet = change(*octet);
    }
    request
}
