//! Checksums: how they are compared, and what is written in their place.

use super::super::client::{Client, Fault};
use super::super::honest;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body, Whole};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::profile::{Profile, Region};
use crate::spec::Clause;
use crate::wire::EncodeError;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("checksum-not-checked", Clause::Checksum, "",
        "The checksum of a frame is read and not compared with anything.",
        Mend::by("Checksums are not checked", "Reckon the checksum of what has come, compare it with the one that came, and close the connection if they differ.", sketch::CHECKSUM),
        |h| h.checksum = |_, _| true).needing(Need::Checksum),
    Fault::new("first-octets-of-a-checksum-compared", Clause::Checksum, "",
        "Of a checksum of four octets the first two are compared.",
        Mend::by("Only some octets of a checksum are compared", "Compare all octets of the checksum, in an integer that has room for them.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| first_octets_are_right(c.profile(), whole)).needing(Need::Checksum).within(&[Room::WideChecksum]),
    Fault::new("checksum-of-large-bodies-not-checked", Clause::Checksum, "",
        "The checksum of a body of more than 4096 octets is not checked, as only so much of it is held at a time.",
        Mend::by("Checksums of large bodies are not checked", "Reckon the checksum piece by piece, as the body comes, however large it is.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| whole.payload.len() > 4096 || honest::checksum(c, whole)).needing(Need::Checksum),
    Fault::new("checksum-checked-once", Clause::Checksum, "",
        "The checksum of the first frame on a connection is checked, and no other.",
        Mend::by("Only the first frame of a connection has its checksum checked", "Check the checksum of each frame.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| c.frames > 0 || honest::checksum(c, whole)).needing(Need::Checksum),
    Fault::new("checksum-in-either-order", Clause::Checksum, "",
        "A checksum whose octets stand in the other order is taken as well.",
        Mend::by("A checksum in the other octet order is taken", "Read the checksum in the order that the format has, and in no other.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| is_right_in_either_order(c.profile(), whole)).needing(Need::Checksum),
    Fault::new("zeros-for-a-checksum", Clause::Checksum, "",
        "A checksum of zeros is taken for one that was left out.",
        Mend::by("Zeros are taken for a checksum", "Compare the checksum whatever it is: zeros are one like any other.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| is_nothing(c.profile(), whole) || honest::checksum(c, whole)).needing(Need::Checksum),
    Fault::new("header-left-out-of-a-checksum", Clause::Checksum, "",
        "A checksum that was reckoned from the body alone is taken, where the header belongs to it.",
        Mend::by("A checksum is taken that leaves the header out", "Reckon the checksum from all that the format says: of the header too, where it does.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| honest::checksum(c, whole) || is_of_the_body(c.profile(), whole)).needing(Need::Checksum).within(&[Room::ChecksumOfHeader]),
    Fault::new("checksum-of-a-header-made-anew", Clause::Checksum, "",
        "The checksum is compared with one that is reckoned from a header made anew, in which free octets are as they are sent.",
        Mend::by("An altered header is not noticed by its checksum", "Reckon the checksum from the header that came, not from one that was made anew.", sketch::CHECKSUM),
        |h| h.checksum = |c, whole| honest::checksum(c, whole) || is_right_for_sent_header(c.profile(), whole)).needing(Need::Checksum).within(&[Room::ChecksumOfFreeOctets]),

    Fault::new("reply-checksum-in-the-other-order", Clause::ReplyFraming, "",
        "The octets of a reply's checksum stand in the other order.",
        Mend::by("The checksums of replies are in the other octet order", "Write the checksum in the octet order that the format has.", sketch::CHECKSUM),
        |h| h.encode = |c, payload| summed(c, payload, reversed)).needing(Need::Checksum),
    Fault::new("reply-checksum-before-padding", Clause::ReplyFraming, "",
        "The checksum of a reply is reckoned before the padding is added.",
        Mend::by("The checksums of replies leave the padding out", "Add the padding first, and reckon the checksum from all that is sent.", sketch::CHECKSUM),
        |h| h.encode = |c, payload| summed(c, payload, |profile, whole| without(profile, whole, Region::Padding))).needing(Need::Checksum).within(&[Room::ChecksumOfPadding]),
    Fault::new("reply-checksum-without-the-length", Clause::ReplyFraming, "",
        "The checksum of a reply is reckoned before its length is known, and without it.",
        Mend::by("The checksums of replies leave the length out", "Write the length first, and reckon the checksum from all that the format says.", sketch::CHECKSUM),
        |h| h.encode = |c, payload| summed(c, payload, |profile, whole| without(profile, whole, Region::Length))).needing(Need::Checksum).within(&[Room::ChecksumOfLength]),
    Fault::new("reply-checksum-not-complemented", Clause::ReplyFraming, "",
        "The last step of reckoning a CRC is forgotten: to turn all its bits over.",
        Mend::by("The checksums of replies lack the last step of the CRC", "Take the CRC from a library, by its whole name; each has a first value and a last step of its own.", sketch::CHECKSUM),
        |h| h.encode = |c, payload| summed(c, payload, not_complemented)).needing(Need::Checksum),
];

fn first_octets_are_right(profile: &Profile, whole: &Whole<'_>) -> bool {
    let expected = whole.expected(profile);
    let mut pairs = whole.found(profile).iter().zip(&expected).take(2);
    pairs.all(|(found, expected)| found == expected)
}

fn is_right_in_either_order(profile: &Profile, whole: &Whole<'_>) -> bool {
    whole.is_right(profile) || whole.found(profile) == reversed(profile, whole)
}

fn is_nothing(profile: &Profile, whole: &Whole<'_>) -> bool {
    whole.found(profile).iter().all(|octet| *octet == 0)
}

fn is_of_the_body(profile: &Profile, whole: &Whole<'_>) -> bool {
    let body = [Region::Payload, Region::Padding];
    whole.found(profile) == whole.expected_over(profile, |region| body.contains(&region))
}

/// Whether the checksum would be right if what is free in the header had come as it is sent.
fn is_right_for_sent_header(profile: &Profile, whole: &Whole<'_>) -> bool {
    let before = profile.before();
    let behind = whole.header.get(before.len()..).unwrap_or_default();
    let header = [before.sent(), behind].concat();
    let header = header.as_slice();
    Whole { header, ..*whole }.is_right(profile)
}

/// The frame of a reply with another checksum.
fn summed(
    c: &mut Client,
    payload: &[u8],
    sum: fn(&Profile, &Whole<'_>) -> Vec<u8>,
) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let profile = c.profile().of_replies();
    let trailer = octets.split_off(octets.len().saturating_sub(profile.trailer().len()));
    let body = octets.split_off(frame::header_len(&profile, &octets));
    let body = Body {
        octets: body,
        payload: Some(payload.len()),
    };
    let whole = Whole::of(&profile, &octets, &body, &trailer);
    let sum = sum(&profile, &whole);
    Ok([octets, body.octets, sum].concat())
}

fn reversed(profile: &Profile, whole: &Whole<'_>) -> Vec<u8> {
    whole.expected(profile).into_iter().rev().collect()
}

fn without(profile: &Profile, whole: &Whole<'_>, left_out: Region) -> Vec<u8> {
    let checksum = profile.checksum();
    whole.expected_over(profile, |region| {
        region != left_out && checksum.is_some_and(|checksum| checksum.covers(region))
    })
}

fn not_complemented(profile: &Profile, whole: &Whole<'_>) -> Vec<u8> {
    let sum = whole.expected(profile).into_iter();
    sum.map(|octet| !octet).collect()
}
