//! Frames that are right in all but their checksum.

use super::maker::refused;
use super::{Case, Maker};
use crate::lang::say;
use crate::model::checksum_in;
use crate::profile::{Checksum, Mark, Region};
use crate::script::checksum;
use crate::spec::Clause;
use std::ops::Range;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Checksum,
        "one-bit",
        "A single bit of the checksum is another, in each of its octets once: whoever compares only some of it takes some of these.",
        |s| {
            need_checksum(s);
            for at in 0..width(s) {
                for bit in [0x01, 0x80] {
                    refused(s, |s| {
                        let request = s.request();
                        with_sum(s, request, |sum| flip(sum, at, bit))
                    });
                }
            }
        },
    ),
    Case::must(
        Clause::Checksum,
        "altered-payload",
        "The checksum is the one of what was sent, and a bit of the payload was altered on the way: at its beginning, in the middle, and near its end.",
        |s| {
            need_checksum(s);
            for part in [0, 1, 2] {
                refused(s, |s| altered_text(s, 60, part));
            }
        },
    ),
    Case::must(
        Clause::Checksum,
        "altered-large-payload",
        "A bit near the end of a large payload was altered: whoever holds only some of it, or gives up on checking, takes it.",
        |s| {
            need_checksum(s);
            refused(s, |s| altered_text(s, 9_000, 2));
        },
    ),
    Case::must(
        Clause::Checksum,
        "altered-header",
        "An octet of the header that may be anything was altered under the checksum that covers it.",
        |s| {
            need_checksum(s);
            let free = covered_free_octets(s);
            s.need(
                !free.is_empty(),
                say!("no octet of a header that may be anything is covered by a checksum"),
            );
            for at in free {
                refused(s, |s| {
                    let mut request = s.request();
                    flip(&mut request, at, 0x01);
                    request
                });
            }
        },
    ),
    Case::must(
        Clause::Checksum,
        "other-order",
        "The octets of the checksum stand in the other order, as a machine writes them that is built the other way.",
        |s| {
            need_checksum(s);
            let is_number = s
                .profile()
                .checksum()
                .is_some_and(|one| one.kind().is_number());
            s.need(
                is_number,
                say!("the octets of such a checksum have no order"),
            );
            refused(s, |s| {
                let request = s.request();
                with_sum(s, request, <[u8]>::reverse)
            });
        },
    ),
    Case::must(
        Clause::Checksum,
        "other-region",
        "The checksum is reckoned from a part of the frame too many, or from one too few.",
        |s| {
            need_checksum(s);
            let toggled = [
                Region::Before,
                Region::Length,
                Region::After,
                Region::Padding,
            ];
            for region in toggled {
                refused_over(s, |covered| toggled_in(covered, region));
            }
            refused_over(s, |_| vec![Region::Payload, Region::Padding]);
        },
    ),
    Case::must(
        Clause::Checksum,
        "none-at-all",
        "Zeros where the checksum should be, all ones, and the right one with each bit turned over, as it comes from a CRC whose last step was forgotten.",
        |s| {
            need_checksum(s);
            let others: [fn(&mut [u8]); 3] = [
                |sum| sum.fill(0),
                |sum| sum.fill(0xff),
                |sum| sum.iter_mut().for_each(|octet| *octet = !*octet),
            ];
            for other in others {
                refused(s, |s| {
                    let request = s.request();
                    with_sum(s, request, other)
                });
            }
        },
    ),
    Case::must(
        Clause::Checksum,
        "behind-requests",
        "The first frames are right, and the one behind them is not: each is checked, not the first alone.",
        |s| {
            need_checksum(s);
            refused(s, |s| {
                let mut octets = [s.request(), s.request()].concat();
                let wrong = s.request();
                octets.extend(with_sum(s, wrong, |sum| flip(sum, 0, 0x04)));
                octets
            });
        },
    ),
];

/// Frames have a checksum, and those that are made here keep theirs.
fn need_checksum(s: &mut Maker<'_>) {
    let has_one = s.profile().checksum().is_some();
    s.need(has_one, say!("frames of this profile have no checksum"));
    s.leave_checksums();
}

/// Octets of a checksum.
fn width(s: &Maker<'_>) -> usize {
    s.profile().checksum().map_or(0, |one| one.kind().width())
}

/// A frame with another checksum.
fn with_sum(s: &Maker<'_>, mut frame: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let place = checksum_in(s.profile(), &frame);
    if let Some(sum) = place.and_then(|(place, _)| frame.get_mut(place)) {
        change(sum);
    }
    frame
}

fn flip(octets: &mut [u8], at: usize, bits: u8) {
    if let Some(octet) = octets.get_mut(at) {
        *octet ^= bits;
    }
}

/// A request of so many octets or more, of whose text a letter is another: in the first, second or third part.
fn altered_text(s: &mut Maker<'_>, octets: usize, part: usize) -> Vec<u8> {
    let payload = s.payload_of(octets);
    let mut frame = s.frame(&payload);
    let text = letters(&payload);
    let all = text.len().saturating_sub(1);
    let at = text.start.saturating_add(all.saturating_mul(part) / 2);
    let header = s.header_of(&frame);
    // Another letter, whichever it is.
    flip(&mut frame, header.saturating_add(at), 0x01);
    frame
}

/// Where a payload has letters and digits: from the first to the last of them.
fn letters(payload: &[u8]) -> Range<usize> {
    let is_one = u8::is_ascii_alphanumeric;
    let first = payload.iter().position(is_one).unwrap_or_default();
    let last = payload.iter().rposition(is_one).unwrap_or_default();
    first..last.saturating_add(1)
}

/// Offsets of the octets of a header that may be anything and are covered.
fn covered_free_octets(s: &Maker<'_>) -> Vec<usize> {
    let profile = s.profile();
    let (before, after) = (profile.before(), profile.after());
    let behind = s.header_len().saturating_sub(after.len());
    let of = |region: Region, mark: &Mark, from: usize| {
        let covers = |checksum: &Checksum| checksum.covers(region);
        let is_covered = profile.checksum().is_some_and(covers);
        let (id, sum) = (mark.id(), mark.checksum());
        let octets = mark.octets().iter().enumerate();
        octets
            .filter(|(at, octet)| octet.is_none() && !id.contains(at) && !sum.contains(at))
            .filter(|_| is_covered)
            .map(|(at, _)| at.saturating_add(from))
            .collect::<Vec<usize>>()
    };
    [
        of(Region::Before, before, 0),
        of(Region::After, after, behind),
    ]
    .concat()
}

/// These regions and that one, or without it if it is one of them.
fn toggled_in(covered: &[Region], region: Region) -> Vec<Region> {
    let all = covered.iter().copied();
    match covered.contains(&region) {
        true => all.filter(|one| *one != region).collect(),
        false => all.chain([region]).collect(),
    }
}

/// On a connection of its own, a request with a checksum that is reckoned from other regions, if that is another one.
fn refused_over(s: &mut Maker<'_>, covers: impl Fn(&[Region]) -> Vec<Region>) {
    let request = s.request();
    if let Some(wrong) = summed_over(s, &request, covers)
        && wrong != request
    {
        refused(s, |_| wrong);
    }
}

fn summed_over(
    s: &Maker<'_>,
    request: &[u8],
    covers: impl Fn(&[Region]) -> Vec<Region>,
) -> Option<Vec<u8>> {
    let described = s.profile().checksum()?;
    let (_, regions) = checksum_in(s.profile(), request)?;
    let covered = regions.iter().map(|(region, _)| *region);
    let covered: Vec<Region> = covered.filter(|one| described.covers(*one)).collect();
    let covered = covers(&covered);
    let ranges = regions.into_iter().filter(|(one, _)| covered.contains(one));
    let octets: Vec<&[u8]> = ranges.filter_map(|(_, range)| request.get(range)).collect();
    let sum = checksum::octets(described.kind(), described.order(), &octets.concat());
    Some(with_sum(s, request.to_vec(), |place| {
        place
            .iter_mut()
            .zip(&sum)
            .for_each(|(at, octet)| *at = *octet);
    }))
}
