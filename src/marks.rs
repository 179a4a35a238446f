//! Marks: where the frames lie in the octets of a timeline, so that reports, which know no profile,
//! can tell header from payload and padding.

use crate::event::{ChunkMarks, FrameMark, Moment, Side, What};
use crate::model::reader::{self, Ending, FrameAt, Part};
use crate::profile::{Carriage, Profile};

/// The most frames that are marked on one side of a connection.
pub const MAX_MARKS: usize = 256;

/// Frames are looked for in so many octets from the beginning of a stream, and no further.
pub const MAX_OCTETS: usize = 256 << 10;

/// The octets of one side of a connection.
struct Stream<'a> {
    conn: &'a str,
    from: Side,
    /// Octets of the same side in front of these, where each datagram stands by itself.
    before: usize,
    octets: Vec<u8>,
}

/// Where frames lie in what was sent in the one format and received in the other, by connection and side in
/// the order in which they first appear. What cannot be read as a frame, and what comes behind it, has no mark.
#[must_use]
pub fn mark(sent: &Profile, received: &Profile, timeline: &[Moment]) -> Vec<FrameMark> {
    // A wrong checksum or index says nothing against where the parts of a frame lie.
    let [sent, received] = [sent, received].map(Profile::unsummed);
    let all = match sent.carriage() {
        Carriage::Stream => streams(timeline),
        Carriage::Datagrams => datagrams(timeline),
    };
    all.iter()
        .flat_map(|stream| match stream.from {
            Side::Client => in_stream(&sent, stream),
            Side::Server => in_stream(&received, stream),
        })
        .collect()
}

fn streams(timeline: &[Moment]) -> Vec<Stream<'_>> {
    let mut streams: Vec<Stream<'_>> = Vec::new();
    for moment in timeline {
        let (from, octets) = match &moment.what {
            What::Sent { octets } => (Side::Client, octets),
            What::Received { octets } => (Side::Server, octets),
            _ => continue,
        };
        let known = streams
            .iter_mut()
            .find(|stream| stream.conn == moment.conn && stream.from == from);
        if let Some(stream) = known {
            let room = MAX_OCTETS.saturating_sub(stream.octets.len());
            stream.octets.extend(octets.iter().take(room));
        } else {
            streams.push(Stream {
                conn: &moment.conn,
                from,
                before: 0,
                octets: octets.iter().copied().take(MAX_OCTETS).collect(),
            });
        }
    }
    streams
}

/// Each datagram as a stream of its own.
fn datagrams(timeline: &[Moment]) -> Vec<Stream<'_>> {
    let mut datagrams: Vec<Stream<'_>> = Vec::new();
    for moment in timeline {
        let one = std::slice::from_ref(moment);
        let before = streams(one).into_iter().map(|stream| {
            let mut same = datagrams.iter().rev();
            let last = same.find(|last| last.conn == stream.conn && last.from == stream.from);
            let before = last.map_or(0, |last| last.before.saturating_add(last.octets.len()));
            Stream { before, ..stream }
        });
        let next: Vec<Stream<'_>> = before.collect();
        datagrams.extend(next);
    }
    datagrams
}

fn in_stream(profile: &Profile, stream: &Stream<'_>) -> Vec<FrameMark> {
    let reading = reader::read(profile, &stream.octets);
    let mark = |start, header, payload, padding| FrameMark {
        conn: stream.conn.to_owned(),
        from: stream.from,
        start: stream.before.saturating_add(start),
        header,
        payload,
        padding,
        chunks: None,
    };
    let whole = reading.frames.iter().map(|frame| {
        let payload = end_of_payload(frame);
        FrameMark {
            chunks: chunks(profile, frame.body.len()),
            ..mark(
                frame.start,
                frame.body.start.saturating_sub(frame.start),
                payload.saturating_sub(frame.body.start),
                frame.end.saturating_sub(payload),
            )
        }
    });
    let cut = match reading.ending {
        Ending::Boundary => None,
        Ending::Inside { start, .. } => {
            let rest = stream.octets.get(start..).unwrap_or_default();
            let header = reader::header_len(profile, rest);
            let payload = rest.len().saturating_sub(header);
            Some(FrameMark {
                chunks: chunks(profile, payload),
                ..mark(start, header, payload, 0)
            })
        }
        Ending::Malformed { start, .. } => {
            let rest = stream.octets.get(start..).unwrap_or_default();
            Some(mark(start, reader::header_len(profile, rest), 0, 0))
        }
    };
    whole.chain(cut).take(MAX_MARKS).collect()
}

/// Where the payload of a frame ends, whatever indexes stand in it.
fn end_of_payload(frame: &FrameAt) -> usize {
    let parts = frame.parts().into_iter().rev();
    let mut payload = parts.filter(|(part, _)| *part == Part::Payload);
    payload.next().map_or(frame.body.start, |(_, at)| at.end)
}

/// The headers of the chunks in so many octets of body, if there are any.
fn chunks(profile: &Profile, body: usize) -> Option<ChunkMarks> {
    let index = profile.index()?;
    let octets = usize::try_from(index.chunk()).unwrap_or(usize::MAX);
    let header = index.width();
    let count = body.div_ceil(header.saturating_add(octets));
    Some(ChunkMarks {
        count,
        header,
        octets,
    })
    .filter(|_| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(conn: &str, what: What) -> Moment {
        Moment {
            at_us: 0,
            conn: conn.to_owned(),
            what,
        }
    }

    fn sent(conn: &str, octets: &[u8]) -> Moment {
        moment(
            conn,
            What::Sent {
                octets: octets.to_vec(),
            },
        )
    }

    fn received(conn: &str, octets: &[u8]) -> Moment {
        moment(
            conn,
            What::Received {
                octets: octets.to_vec(),
            },
        )
    }

    fn spans(marks: &[FrameMark]) -> Vec<(&str, Side, [usize; 4])> {
        marks
            .iter()
            .map(|mark| {
                (
                    mark.conn.as_str(),
                    mark.from,
                    [mark.start, mark.header, mark.payload, mark.padding],
                )
            })
            .collect()
    }

    #[test]
    fn streams_are_put_together_by_connection_and_side() {
        let profile = Profile::chunk_count();
        let timeline = [
            sent("a", &[1, 0]),
            sent("b", &[0]),
            received("a", &[1, 0, 0, 0, b'1', b'2', 0, 0]),
            sent("a", &[0, 0, b'"', b'x', b'"', 0, 2, 0, 0, 0, b'7']),
        ];
        let marks = mark(&profile, &profile, &timeline);
        assert_eq!(
            spans(&marks),
            [
                ("a", Side::Client, [0, 4, 3, 1]),
                ("a", Side::Client, [8, 4, 1, 0]),
                ("b", Side::Client, [0, 1, 0, 0]),
                ("a", Side::Server, [0, 4, 2, 2]),
            ]
        );
    }

    #[test]
    fn the_headers_of_chunks_are_counted_right_or_wrong() {
        let text = "name = 'p'\nlength = { width = 1, covers = ['payload'] }\n\
            body = { chunk = 2, index = { width = 1, from = 1 } }\ntrailer.octets = '0d'";
        let profile = Profile::from_toml(text).unwrap();
        let marks = mark(
            &profile,
            &profile,
            &[sent("a", b"\x03\x01ab\x07c\0\x0d\x02\x01x")],
        );
        let chunks = marks.iter().map(|mark| mark.chunks);
        let of = |count| {
            Some(ChunkMarks {
                count,
                header: 1,
                octets: 2,
            })
        };
        assert_eq!(chunks.collect::<Vec<_>>(), [of(2), of(1)]);
        let side = Side::Client;
        let expected = [("a", side, [0, 1, 5, 2]), ("a", side, [8, 1, 2, 0])];
        assert_eq!(spans(&marks), expected);
    }

    #[test]
    fn behind_a_malformed_header_nothing_is_marked() {
        let profile = Profile::tutorial();
        let marks = mark(
            &profile,
            &profile,
            &[sent("a", &[0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7])],
        );
        assert_eq!(spans(&marks), [("a", Side::Client, [0, 4, 0, 0])]);
    }

    #[test]
    fn a_flood_of_frames_gets_a_bounded_number_of_marks() {
        let profile = Profile::tutorial();
        let marks = mark(&profile, &profile, &[received("a", &[0; 64 << 10])]);
        assert_eq!(marks.len(), MAX_MARKS);
    }
}
