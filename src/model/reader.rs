//! The naive reader: all octets at once, one frame behind the other, numbers as wide as they get.
//!
//! Slow and literal on purpose. It is what the decoder is held against.

use crate::profile::{Mark, Order, Profile, Region, Unit};
use std::fmt;
use std::ops::Range;

/// What octets read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The whole frames, in order.
    pub frames: Vec<FrameAt>,
    /// What is behind the last of them.
    pub ending: Ending,
}

/// Where a whole frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAt {
    /// Its first octet.
    pub start: usize,
    /// Its body, padding included.
    pub body: Range<usize>,
    /// Its payload.
    pub payload: Range<usize>,
}

/// What is behind the last whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Boundary,
    /// The beginning of a frame.
    Inside {
        /// Its first octet.
        start: usize,
        /// How far it goes.
        place: Place,
    },
    /// A header that no frame can have.
    Malformed {
        /// Its first octet.
        start: usize,
        /// Where the body would begin.
        body_start: usize,
        /// What is wrong with it.
        fault: Fault,
        /// The first octet at fault: in a mark, or the length field's first.
        at: usize,
    },
}

/// Where in a frame a stream stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Inside the header.
    Header,
    /// Exactly between header and body.
    Boundary,
    /// Inside the body.
    Body,
}

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A fixed octet has another value.
    Mark {
        /// The value it has.
        found: u8,
        /// The value it must have.
        expected: u8,
    },
    /// The length is negative.
    Negative(i128),
    /// The length is smaller than the header octets that it covers.
    Underflow {
        /// What it counts, in octets.
        length: u128,
        /// What of the header it covers.
        covered: u128,
    },
    /// The body is no whole number of chunks.
    NotWholeChunks {
        /// Its octets.
        body: u128,
        /// Octets of a chunk.
        chunk: u128,
    },
    /// The body is larger than the limit.
    OverLimit {
        /// Its octets.
        body: u128,
        /// The limit.
        limit: u128,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark { found, expected } => {
                write!(f, "header octet {found:02x} where {expected:02x} belongs")
            }
            Self::Negative(length) => write!(f, "negative length {length}"),
            Self::Underflow { length, covered } => {
                write!(
                    f,
                    "length {length} covers less than the {covered} header octets it counts"
                )
            }
            Self::NotWholeChunks { body, chunk } => {
                write!(
                    f,
                    "body of {body} octets is no whole number of {chunk}-octet chunks"
                )
            }
            Self::OverLimit { body, limit } => {
                write!(f, "body of {body} octets is over the limit of {limit}")
            }
        }
    }
}

/// Reads by the profile and its own limit.
#[must_use]
pub fn read(profile: &Profile, octets: &[u8]) -> Reading {
    read_with_limit(profile, octets, u128::from(profile.max_body()))
}

/// Reads by the profile, with bodies of at most `limit` octets.
#[must_use]
pub fn read_with_limit(profile: &Profile, octets: &[u8], limit: u128) -> Reading {
    let mut frames = Vec::new();
    let mut start = 0;
    loop {
        match frame(profile, octets, start, limit) {
            Ok(frame) => {
                start = frame.body.end;
                frames.push(frame);
            }
            Err(ending) => return Reading { frames, ending },
        }
    }
}

fn frame(profile: &Profile, octets: &[u8], start: usize, limit: u128) -> Result<FrameAt, Ending> {
    let rest = octets.get(start..).unwrap_or_default();
    let inside = |place| Ending::Inside { start, place };
    if rest.is_empty() {
        return Err(Ending::Boundary);
    }
    let Some(header) = rest.get(..profile.header_len()) else {
        return Err(inside(Place::Header));
    };
    let body_start = start.saturating_add(header.len());
    let (body, payload) =
        lengths(profile, header, limit).map_err(|(fault, at)| Ending::Malformed {
            start,
            body_start,
            fault,
            at: start.saturating_add(at),
        })?;
    let arrived = octets.get(body_start..).unwrap_or_default();
    let body_len = usize::try_from(body).unwrap_or(usize::MAX);
    let Some(body) = arrived.get(..body_len) else {
        return Err(inside(if arrived.is_empty() {
            Place::Boundary
        } else {
            Place::Body
        }));
    };
    let payload_len = match payload {
        Some(exact) => usize::try_from(exact).unwrap_or(usize::MAX),
        None => without_padding(profile, body),
    };
    Ok(FrameAt {
        start,
        body: body_start..body_start.saturating_add(body_len),
        payload: body_start..body_start.saturating_add(payload_len),
    })
}

/// Octets of the body, and of the payload if the length tells. Else the fault, and where it is.
fn lengths(
    profile: &Profile,
    header: &[u8],
    limit: u128,
) -> Result<(u128, Option<u128>), (Fault, usize)> {
    let length_at = profile.before().len();
    let after_at = length_at.saturating_add(usize::from(profile.width()));
    mark(profile.before(), header, 0)?;
    let (body, payload) = counted(
        profile,
        header.get(length_at..after_at).unwrap_or_default(),
        limit,
    )
    .map_err(|fault| (fault, length_at))?;
    mark(profile.after(), header, after_at)?;
    Ok((body, payload))
}

fn mark(mark: &Mark, header: &[u8], at: usize) -> Result<(), (Fault, usize)> {
    for (i, expected) in mark.octets().iter().enumerate() {
        let place = at.saturating_add(i);
        if let (Some(expected), Some(found)) = (*expected, header.get(place).copied())
            && expected != found
        {
            return Err((Fault::Mark { found, expected }, place));
        }
    }
    Ok(())
}

fn counted(profile: &Profile, field: &[u8], limit: u128) -> Result<(u128, Option<u128>), Fault> {
    let count = integer(profile, field);
    let count = u128::try_from(count).map_err(|_| Fault::Negative(count))?;
    let chunk = u128::from(profile.chunk());
    let length = match profile.unit() {
        Unit::Octets => count,
        Unit::Chunks => count.saturating_mul(chunk),
    };
    let covered = [
        (Region::Before, profile.before().len()),
        (Region::Length, usize::from(profile.width())),
        (Region::After, profile.after().len()),
    ]
    .into_iter()
    .filter(|(region, _)| profile.covers(*region))
    .map(|(_, octets)| octets as u128)
    .sum();
    let counted = length
        .checked_sub(covered)
        .ok_or(Fault::Underflow { length, covered })?;
    let within = |body: u128| {
        if body > limit {
            Err(Fault::OverLimit { body, limit })
        } else {
            Ok(body)
        }
    };
    if !profile.covers(Region::Padding) {
        let body = counted.div_ceil(chunk).saturating_mul(chunk);
        return Ok((within(body)?, Some(counted)));
    }
    let body = within(counted)?;
    if body.checked_rem(chunk) != Some(0) {
        return Err(Fault::NotWholeChunks { body, chunk });
    }
    Ok((body, (chunk == 1).then_some(body)))
}

fn integer(profile: &Profile, field: &[u8]) -> i128 {
    let mut octets = field.to_vec();
    if profile.order() == Order::Little {
        octets.reverse();
    }
    let negative = profile.signed() && octets.first().is_some_and(|octet| *octet >= 0x80);
    let unsigned = octets.iter().fold(0_i128, |value, octet| {
        value.saturating_mul(256).saturating_add((*octet).into())
    });
    let modulus = octets
        .iter()
        .fold(1_i128, |value, _| value.saturating_mul(256));
    if negative {
        unsigned.saturating_sub(modulus)
    } else {
        unsigned
    }
}

fn without_padding(profile: &Profile, body: &[u8]) -> usize {
    body.iter()
        .rposition(|octet| *octet != profile.pad())
        .map_or(0, |last| last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_example_reads_back() {
        let payload = b"{\"nombre\": \"Margot\", \"edad\": 15, \"raza\": \"Schnauzer\"}";
        let octets = [b"\x0e\0\0\0", &payload[..], b"\0\0\0"].concat();
        let reading = read(&Profile::chunk_count(), &octets);
        assert_eq!(reading.ending, Ending::Boundary);
        assert_eq!(reading.frames[0].body, 4..60);
        assert_eq!(&octets[reading.frames[0].payload.clone()], payload);
    }

    #[test]
    fn the_end_of_the_octets_is_told_by_its_place() {
        let at = |octets: &[u8]| read(&Profile::tutorial(), octets).ending;
        assert_eq!(at(b""), Ending::Boundary);
        assert_eq!(at(b"\0\0\0\0"), Ending::Boundary);
        assert_eq!(
            at(b"\0\0\0"),
            Ending::Inside {
                start: 0,
                place: Place::Header
            }
        );
        assert_eq!(
            at(b"\0\0\0\x3c"),
            Ending::Inside {
                start: 0,
                place: Place::Boundary
            }
        );
        assert_eq!(
            at(b"\0\0\0\0\0\0\0\x3c1"),
            Ending::Inside {
                start: 4,
                place: Place::Body
            }
        );
    }

    #[test]
    fn faults_are_told_with_their_place() {
        let fault = |octets: &[u8]| match read(&Profile::tutorial(), octets).ending {
            Ending::Malformed { fault, at, .. } => (fault, at),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            fault(b"\0\0\0\x3d"),
            (
                Fault::NotWholeChunks {
                    body: 61,
                    chunk: 60
                },
                0
            )
        );
        let (body, limit) = (u128::from(u32::MAX), 1 << 20);
        assert_eq!(
            fault(b"\0\0\0\0\xff\xff\xff\xff"),
            (Fault::OverLimit { body, limit }, 4)
        );
    }
}
