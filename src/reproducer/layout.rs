//! Which octets of a script are headers, payload and padding, and what else a frame has.

use crate::model::checksum_in;
use crate::model::reader::{self, Ending, FrameAt};
use crate::profile::Profile;
use crate::script::{Conn, Script, index};
use std::ops::Range;

/// What octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Header,
    Payload,
    Padding,
    /// Behind a body.
    Trailer,
    Checksum,
    /// In front of a chunk.
    Index,
    /// Behind a header that no frame can have.
    Other,
}

/// The streams of a script, taken apart, and how far each has been gone through.
#[derive(Debug)]
pub(super) struct Layout {
    streams: Vec<Stream>,
}

/// The parts of a stream, and how many of its octets have been gone through.
#[derive(Debug)]
struct Stream {
    parts: Vec<(Part, Range<usize>)>,
    at: usize,
}

impl Layout {
    pub(super) fn new(profile: &Profile, script: &Script) -> Self {
        let profile = script.written_in(profile);
        let stream = |octets: Vec<u8>| Stream {
            parts: parts(&profile, &octets),
            at: 0,
        };
        let streams = script.streams().into_iter().map(stream).collect();
        Self { streams }
    }

    /// The octets that are sent next on a connection, cut where a part ends.
    pub(super) fn next<'a>(&mut self, conn: Conn, octets: &'a [u8]) -> Vec<(Part, &'a [u8])> {
        let Some(Stream { parts, at }) = self.streams.get_mut(conn) else {
            return vec![(Part::Other, octets)];
        };
        let (start, end) = (*at, at.saturating_add(octets.len()));
        *at = end;
        let first = parts.partition_point(|(_, range)| range.end <= start);
        let touched = parts.iter().skip(first);
        touched
            .take_while(|(_, range)| range.start < end)
            .filter_map(|(part, range)| {
                let from = range.start.saturating_sub(start);
                let to = range.end.min(end).saturating_sub(start);
                Some((*part, octets.get(from..to)?))
            })
            .collect()
    }
}

/// All of a stream, in order, without empty parts.
fn parts(profile: &Profile, stream: &[u8]) -> Vec<(Part, Range<usize>)> {
    // A wrong checksum or index says nothing against where the parts of a frame lie.
    let reading = reader::read(&profile.unsummed(), stream);
    let mut parts = Vec::new();
    for frame in &reading.frames {
        parts_of_frame(profile, stream, frame, &mut parts);
    }
    let behind_header = |start: usize| {
        let rest = stream.get(start..).unwrap_or_default();
        start.saturating_add(reader::header_len(profile, rest))
    };
    match reading.ending {
        Ending::Boundary => {}
        Ending::Inside { start, .. } => {
            let header = behind_header(start);
            parts.push((Part::Header, start..header));
            let body = stream.get(header..).unwrap_or_default();
            parts.extend(parts_begun(profile, header, body.len()));
        }
        Ending::Malformed { start, .. } => {
            let header = behind_header(start);
            parts.push((Part::Header, start..header));
            parts.push((Part::Other, header..stream.len()));
        }
    }
    parts.retain(|(_, range)| !range.is_empty());
    parts
}

/// The parts of so many octets of a body that is not whole, of which the first has that offset.
fn parts_begun(profile: &Profile, start: usize, octets: usize) -> Vec<(Part, Range<usize>)> {
    let end = start.saturating_add(octets);
    let Some(index) = profile.index() else {
        return vec![(Part::Payload, start..end)];
    };
    let step = index.width().saturating_add(index::chunk(index));
    let in_chunk = |at: usize| {
        let payload = at.saturating_add(index.width()).min(end);
        let next = at.saturating_add(step).min(end);
        [(Part::Index, at..payload), (Part::Payload, payload..next)]
    };
    (start..end).step_by(step).flat_map(in_chunk).collect()
}

fn parts_of_frame(
    profile: &Profile,
    stream: &[u8],
    frame: &FrameAt,
    parts: &mut Vec<(Part, Range<usize>)>,
) {
    let octets = stream.get(frame.start..frame.end).unwrap_or_default();
    let within = |at: usize| frame.start.saturating_add(at);
    let sum = checksum_in(profile, octets).map(|(at, _)| within(at.start)..within(at.end));
    let header = (Part::Header, frame.start..frame.body.start);
    let body = frame.parts().into_iter().map(|(part, range)| match part {
        reader::Part::Index => (Part::Index, range),
        reader::Part::Payload => (Part::Payload, range),
        reader::Part::Padding => (Part::Padding, range),
    });
    let trailer = (Part::Trailer, frame.body.end..frame.end);
    for (part, range) in [header].into_iter().chain(body).chain([trailer]) {
        match &sum {
            Some(sum) if range.contains(&sum.start) => parts.extend([
                (part, range.start..sum.start),
                (Part::Checksum, sum.clone()),
                (part, sum.end..range.end),
            ]),
            _ => parts.push((part, range)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_a_part_of_its_own_right_or_wrong() {
        use Part::{Checksum, Header, Payload, Trailer};
        let profile = Profile::from_toml(
            "name = 'p'\nlength.width = 1\ntrailer.octets = '0d ck ck 0a'\nchecksum.kind = 'crc16-modbus'",
        );
        assert_eq!(
            parts(&profile.unwrap(), b"\x01x\x0d\0\0\x0a\x02"),
            [
                (Header, 0..1),
                (Payload, 1..2),
                (Trailer, 2..3),
                (Checksum, 3..5),
                (Trailer, 5..6),
                (Header, 6..7),
            ]
        );
    }

    #[test]
    fn indexes_are_parts_of_their_own_right_or_wrong() {
        use Part::{Header, Index, Padding, Payload};
        let profile = Profile::from_toml(
            "name = 'p'\nlength = { width = 1, covers = ['payload'] }\nbody = { chunk = 2, index = { width = 1 } }",
        );
        assert_eq!(
            parts(&profile.unwrap(), b"\x03\0ab\x07c\0\x09\0ab\x01"),
            [
                (Header, 0..1),
                (Index, 1..2),
                (Payload, 2..4),
                (Index, 4..5),
                (Payload, 5..6),
                (Padding, 6..7),
                (Header, 7..8),
                (Index, 8..9),
                (Payload, 9..11),
                (Index, 11..12),
            ]
        );
    }

    #[test]
    fn every_octet_is_some_part() {
        use Part::{Header, Other, Padding, Payload};
        let parts = |stream: &[u8]| parts(&Profile::chunk_count(), stream);
        assert_eq!(
            parts(b"\x01\0\0\x00123\0\0\0\0\0\x02\0\0\0ab"),
            [
                (Header, 0..4),
                (Payload, 4..7),
                (Padding, 7..8),
                (Header, 8..12),
                (Header, 12..16),
                (Payload, 16..18),
            ]
        );
        assert_eq!(parts(b"\x01\0"), [(Header, 0..2)]);
        assert_eq!(
            parts(b"\xff\xff\xff\xffxyz"),
            [(Header, 0..4), (Other, 4..7)]
        );
    }

    #[test]
    fn segments_are_cut_where_parts_end() {
        let script: Script = "framespec script 1\nopen a\nsend a 0100 | 0000 313233 | 00\n"
            .parse()
            .unwrap();
        let mut layout = Layout::new(&Profile::chunk_count(), &script);
        assert_eq!(layout.next(0, b"\x01\0"), [(Part::Header, &b"\x01\0"[..])]);
        assert_eq!(
            layout.next(0, b"\0\x00123"),
            [(Part::Header, &b"\0\0"[..]), (Part::Payload, &b"123"[..])]
        );
        assert_eq!(layout.next(0, b"\0"), [(Part::Padding, &b"\0"[..])]);
    }
}
