//! The naive reader: all octets at once, one frame behind the other, numbers as wide as they get.
//!
//! Slow and literal on purpose. It is what the decoder is held against.

mod frame_at;
mod indexes;
mod number;

pub use frame_at::{FrameAt, Part};
pub use indexes::content_so_far;

use crate::lang::{Hole, Text, say};
use crate::profile::{Mark, Profile, Region, Unit};
use crate::script::checksum::{self, Ends};
use indexes::{in_all, indexes_in, without_indexes};
use number::{Number, number};
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
    /// A header that no frame can have, or an index or a trailer, or a frame that is not what its checksum was made
    /// of.
    Malformed {
        /// The frame's first octet.
        start: usize,
        /// Where the header or the trailer ends that is at fault, or could end at the latest; of a frame with
        /// a wrong checksum or index its end.
        end: usize,
        /// What is wrong with it.
        fault: Fault,
        /// The first octet at fault: in a mark or trailer, or the length field's, the index's or the
        /// checksum's first.
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

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A fixed octet has another value.
    Mark {
        /// The value it has.
        found: u8,
        /// The value it must have.
        expected: u8,
    },
    /// The length field holds no number, or one that is written otherwise than it should be.
    NoNumber(NoNumber),
    /// The length is negative.
    Negative(i128),
    /// The length is smaller than the header octets that it covers.
    Underflow {
        /// What it counts, in octets.
        length: u128,
        /// What of the header it covers.
        covered: u128,
    },
    /// The body is no whole number of chunks, or its last one is an index and nothing else.
    NotWholeChunks {
        /// Its octets, as the length counts them.
        body: u128,
        /// Octets of a chunk, counted alike.
        chunk: u128,
    },
    /// The index in front of a chunk is another.
    Index {
        /// The number that stands there.
        found: u64,
        /// The one that belongs there.
        expected: u64,
    },
    /// The body is larger than the limit.
    OverLimit {
        /// Its octets.
        body: u128,
        /// The limit.
        limit: u128,
    },
    /// The checksum is another.
    Checksum {
        /// The one that stands there.
        found: Octets,
        /// The one that belongs there.
        expected: Octets,
    },
}

/// A few octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Octets {
    number: u64,
    len: usize,
}

impl Octets {
    fn new(octets: &[u8]) -> Self {
        let number = |number: u64, octet: &u8| number.wrapping_shl(8) | u64::from(*octet);
        Self {
            number: octets.iter().fold(0, number),
            len: octets.len(),
        }
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.len.saturating_mul(2);
        write!(f, "{:0digits$x}", self.number)
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with how a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNumber {
    /// An octet that is no digit, where one belongs or what ends them.
    NoDigit(u8),
    /// More octets or digits than there may be.
    TooMany,
    /// More octets or digits than the number needs.
    Overlong,
}

impl Hole for NoNumber {
    fn text(&self) -> Text {
        match self {
            Self::NoDigit(octet) => {
                say!("octet {octet} in a decimal length", octet = hex(*octet))
            }
            Self::TooMany => say!("a length of more octets than there may be"),
            Self::Overlong => say!("a length of more octets than it needs"),
        }
    }
}

impl Hole for Fault {
    fn text(&self) -> Text {
        match self {
            Self::Mark { found, expected } => say!(
                "fixed octet {found} where {expected} belongs",
                found = hex(*found),
                expected = hex(*expected)
            ),
            Self::NoNumber(what) => what.text(),
            Self::Negative(length) => say!("negative length {length}", length),
            Self::Underflow { length, covered } => say!(
                "length {length} covers less than the {covered} header octets it counts",
                length,
                covered
            ),
            Self::NotWholeChunks { body, chunk } => say!(
                "body of {body} octets is no whole number of {chunk}-octet chunks",
                body,
                chunk
            ),
            Self::Index { found, expected } => say!(
                "index {found} of a chunk where {expected} belongs",
                found,
                expected
            ),
            Self::OverLimit { body, limit } => {
                say!(
                    "body of {body} octets is over the limit of {limit}",
                    body,
                    limit
                )
            }
            Self::Checksum { found, expected } => say!(
                "checksum {found} where {expected} belongs",
                found = found.to_string(),
                expected = expected.to_string()
            ),
        }
    }
}

fn hex(octet: u8) -> String {
    format!("{octet:02x}")
}

/// In the language of the reader.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
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
                start = frame.end;
                frames.push(frame);
            }
            Err(ending) => return Reading { frames, ending },
        }
    }
}

/// Octets of the header that these octets begin with, as far as it goes: of a malformed one up to where it
/// could end at the latest.
#[must_use]
pub fn header_len(profile: &Profile, octets: &[u8]) -> usize {
    let end = match header(profile, octets, u128::MAX) {
        Ok(Some(header)) => header.len,
        Ok(None) => profile.longest_header_len(),
        Err(wrong) => wrong.end,
    };
    end.min(octets.len())
}

/// Octets of a frame with indexes, of which each is looked at as soon as it is there.
const READ_AT_ONCE: usize = 64 << 10;

/// How many octets there have to be before it is worth while to read the frame that these begin with once more: it has
/// not said anything new before, or, if it is large and its chunks have an index, not much.
#[must_use]
pub fn least_to_read(profile: &Profile, octets: &[u8]) -> usize {
    match header(profile, octets, u128::MAX) {
        Ok(Some(header)) => {
            let all = |body: u128| usize::try_from(body).unwrap_or(usize::MAX);
            let Some(index) = profile.index() else {
                return header.len.saturating_add(all(header.body));
            };
            let body = header.body.saturating_add(in_all(index, header.body));
            let more = octets.len() / 2;
            match octets.len() {
                // Any octet more may be one that is wrong.
                ..READ_AT_ONCE => 0,
                come => header
                    .len
                    .saturating_add(all(body))
                    .min(come.saturating_add(more)),
            }
        }
        // Any octet more may be the last of the header, or one that is wrong.
        Ok(_) | Err(_) => 0,
    }
}

/// Where the id lies in a header of so many octets, if headers have one.
#[must_use]
pub fn id_at(profile: &Profile, header: usize) -> Option<Range<usize>> {
    let before = profile.before().id();
    let behind = header.checked_sub(profile.after().len())?;
    let after = profile.after().id();
    let after = behind.checked_add(after.start)?..behind.checked_add(after.end)?;
    [before, after].into_iter().find(|id| !id.is_empty())
}

/// The id in a header, if headers have one and it is all there: its octets as a number, the first most significant.
#[must_use]
pub fn id_in(profile: &Profile, header: &[u8]) -> Option<u64> {
    let octets = header.get(id_at(profile, header.len())?)?;
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    u64::from_str_radix(&hex, 16).ok()
}

fn frame(profile: &Profile, octets: &[u8], start: usize, limit: u128) -> Result<FrameAt, Ending> {
    let rest = octets.get(start..).unwrap_or_default();
    if rest.is_empty() {
        return Err(Ending::Boundary);
    }
    let inside = |place| Ending::Inside { start, place };
    let behind = |within: usize| start.saturating_add(within);
    let malformed = |wrong: Wrong| Ending::Malformed {
        start,
        end: behind(wrong.end),
        fault: wrong.fault,
        at: behind(wrong.at),
    };
    let header = header(profile, rest, limit)
        .map_err(malformed)?
        .ok_or(inside(Place::Header))?;
    let body = body(profile, rest, &header).map_err(malformed)?;
    let body = body.ok_or_else(|| match rest.len() == header.len {
        true => inside(Place::Boundary),
        false => inside(Place::Body),
    })?;
    let mut frame = FrameAt {
        start,
        body: behind(header.len)..behind(header.len.saturating_add(body.len())),
        payload_len: 0,
        content_len: usize::try_from(header.body).unwrap_or(usize::MAX),
        end: 0,
        index: profile.index(),
    };
    let payload = header.payload.map(usize::try_from);
    frame.payload_len = payload.map_or_else(
        || without_padding(profile, &frame.content(octets)),
        |exact| exact.unwrap_or(usize::MAX),
    );
    let ends = Ends {
        header: header.len,
        payload: header.len.saturating_add(frame.payload_len),
        body: header.len.saturating_add(body.len()),
    };
    let end = ends.body.saturating_add(profile.trailer().len());
    sum(profile, rest, ends, end).map_err(malformed)?;
    frame.end = behind(end);
    Ok(frame)
}

/// The checksum of a whole frame, if it has one.
fn sum(profile: &Profile, frame: &[u8], ends: Ends, end: usize) -> Result<(), Wrong> {
    let place = checksum::place(profile, ends).unwrap_or_default();
    let expected = checksum::of(profile, frame, ends).unwrap_or_default();
    let found = frame.get(place.clone()).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    Err(Wrong {
        fault: Fault::Checksum {
            found: Octets::new(found),
            expected: Octets::new(&expected),
        },
        at: place.start,
        end,
    })
}

/// What a header says.
struct Header {
    len: usize,
    body: u128,
    /// Octets of the payload, if the length tells.
    payload: Option<u128>,
}

/// What is wrong with a frame, at which octet, and where the part of it that is wrong ends at the latest.
struct Wrong {
    fault: Fault,
    at: usize,
    end: usize,
}

/// The header at the front, if it is whole. One of a fixed size is looked at when it is; any other as it
/// comes, since who reads that must look at each octet.
fn header(profile: &Profile, octets: &[u8], limit: u128) -> Result<Option<Header>, Wrong> {
    let longest = profile.longest_header_len();
    if longest == profile.header_len() && octets.len() < longest {
        return Ok(None);
    }
    mark(profile.before(), octets, 0, longest)?;
    let at = profile.before().len();
    let wrong = |end| move |fault| Wrong { fault, at, end };
    let field = octets.get(at..).unwrap_or_default();
    let told = number(profile.length(), field);
    let (count, width) = match told {
        Ok(Number::Whole(count, width)) => (count, width),
        Ok(Number::Part(least)) | Err((_, least)) => {
            // Whatever follows, or is wrong with what follows: what has come may be too much already.
            within(profile, least, limit).map_err(wrong(longest))?;
            let part = told.map_err(|(what, _)| wrong(longest)(Fault::NoNumber(what)));
            return part.map(|_| None);
        }
    };
    let after_at = at.saturating_add(width);
    let len = after_at.saturating_add(profile.after().len());
    let (body, payload) = counted(profile, count, limit).map_err(wrong(len))?;
    mark(profile.after(), octets, after_at, len)?;
    Ok((len <= octets.len()).then_some(Header { len, body, payload }))
}

/// A fault if a number of that much or more is over the limit.
fn within(profile: &Profile, least: i128, limit: u128) -> Result<(), Fault> {
    match counted(profile, least, limit) {
        Err(fault @ Fault::OverLimit { .. }) => Err(fault),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The body behind a header, indexes included, if it and its trailer are whole.
fn body<'a>(
    profile: &Profile,
    octets: &'a [u8],
    header: &Header,
) -> Result<Option<&'a [u8]>, Wrong> {
    let indexes = profile
        .index()
        .map_or(0, |index| in_all(index, header.body));
    let body_end = usize::try_from(header.body.saturating_add(indexes)).unwrap_or(usize::MAX);
    let body_end = header.len.saturating_add(body_end);
    let end = body_end.saturating_add(profile.trailer().len());
    if let Some(index) = profile.index() {
        let came = octets.get(..body_end).unwrap_or(octets);
        indexes_in(index, came, header.len, end)?;
    }
    mark(profile.trailer(), octets, body_end, end)?;
    let body = octets.get(header.len..body_end);
    Ok(body.filter(|_| end <= octets.len()))
}

/// The octets of a mark at that place, as far as they are there.
fn mark(mark: &Mark, octets: &[u8], at: usize, end: usize) -> Result<(), Wrong> {
    for (i, expected) in mark.octets().iter().enumerate() {
        let at = at.saturating_add(i);
        if let (Some(expected), Some(found)) = (*expected, octets.get(at).copied())
            && expected != found
        {
            let fault = Fault::Mark { found, expected };
            return Err(Wrong { fault, at, end });
        }
    }
    Ok(())
}

/// Octets of the body that a number tells, and of the payload if it tells that.
fn counted(profile: &Profile, count: i128, limit: u128) -> Result<(u128, Option<u128>), Fault> {
    let count = u128::try_from(count).map_err(|_| Fault::Negative(count))?;
    let chunk = u128::from(profile.chunk());
    let length = match profile.unit() {
        Unit::Octets => count,
        Unit::Chunks => count.saturating_mul(chunk),
    };
    let covered = [
        (Region::Before, profile.before().len()),
        (Region::Length, profile.length().most_len()),
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
    let (left, odd) = without_indexes(profile, counted);
    if !profile.covers(Region::Padding) {
        let body = within(left.div_ceil(chunk).saturating_mul(chunk))?;
        return odd.map_or(Ok((body, Some(left))), Err);
    }
    let body = within(left)?;
    if let Some(odd) = odd {
        return Err(odd);
    }
    if body.checked_rem(chunk) != Some(0) {
        return Err(Fault::NotWholeChunks { body, chunk });
    }
    Ok((body, (chunk == 1).then_some(body)))
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
        assert_eq!(&*reading.frames[0].payload(&octets), payload);
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
