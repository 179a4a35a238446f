//! One stream, read in several ways: all must find what the naive reader finds.

use super::tally;
use crate::model::reader::{self, Ending, Fault, FrameAt};
use crate::profile::Profile;
use crate::wire::{
    Batch, DecodeError, DecodeErrorKind, Decoder, Encoder, Frame, FrameRef, Frames, Place,
};
use bytes::BytesMut;
use std::fmt;

/// A way of reading a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// All octets are there from the beginning.
    AtOnce,
    /// They arrive in segments of these sizes, over and over.
    Segments(Vec<usize>),
}

impl Way {
    /// In segments of these sizes, of which none may be empty.
    pub(super) fn segments(sizes: Vec<usize>) -> Self {
        Self::Segments(sizes)
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> &[usize] {
        match self {
            Self::AtOnce => &[],
            Self::Segments(sizes) => sizes,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtOnce => f.write_str("at once"),
            Self::Segments(sizes) => write!(f, "in segments of {sizes:?} octets, over and over"),
        }
    }
}

/// What a way of reading finds that the naive reader does not, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read {way}: {what}")]
pub struct Disagreement {
    /// The way of reading.
    pub way: Way,
    /// What was found and what should have been.
    pub what: String,
}

/// Reads the stream at once, the beginning of it at once, and in each of the ways, frame by frame and in
/// batches.
///
/// Each must find the same frames as the naive reader and the same error at the same offset, reserve
/// nothing, and be able to send every payload again.
///
/// # Errors
/// The first that does not.
pub fn compare(profile: &Profile, stream: &[u8], ways: &[Way]) -> Result<(), Disagreement> {
    let known = Known::new(profile.clone());
    Comparison::new(&known, stream).in_all(ways)
}

/// A format and a codec for it, worked out once for all that is read by them.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) profile: Profile,
    /// At the beginning of a stream, and so is each clone of it.
    decoder: Decoder,
    encoder: Encoder,
}

impl Known {
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            decoder: Decoder::new(&profile),
            encoder: Encoder::new(&profile),
            profile,
        }
    }

    /// Octets of the frame at the front, if there is a whole one.
    pub(super) fn frame_at_front(&self, mut octets: &[u8]) -> Option<usize> {
        let frame = self.decoder.clone().decode_ref(&mut octets);
        frame.ok()?.map(|frame| frame.octets().len())
    }

    /// The header of a body of so many octets, if there can be such.
    pub(super) fn claim(&self, body: usize) -> Option<BytesMut> {
        let mut header = BytesMut::new();
        let body = u64::try_from(body).ok()?;
        self.encoder.claim(body, &mut header).ok().map(|()| header)
    }
}

/// A stream, and what the naive reader finds in it: done once, whatever the ways it is read in.
pub(super) struct Comparison<'a> {
    naive: &'a Profile,
    tested: &'a Known,
    stream: &'a [u8],
    expected: Expected,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(known: &'a Known, stream: &'a [u8]) -> Self {
        Self::between(&known.profile, known, stream)
    }

    /// With a format for the naive reader and one for the decoder. They differ only in tests, where the decoder is to
    /// be wrong.
    fn between(naive: &'a Profile, tested: &'a Known, stream: &'a [u8]) -> Self {
        Self {
            naive,
            tested,
            stream,
            expected: Expected::of(naive, stream),
        }
    }

    /// At once, half of it at once, and in these ways.
    pub(super) fn in_all(&self, ways: &[Way]) -> Result<(), Disagreement> {
        self.at_once()?;
        self.half_at_once()?;
        ways.iter().try_for_each(|way| self.in_way(way))
    }

    /// All of it at once.
    pub(super) fn at_once(&self) -> Result<(), Disagreement> {
        let read = read_at_once(self.tested, self.stream, &self.expected);
        read.map_err(|what| Disagreement {
            way: Way::AtOnce,
            what,
        })
    }

    /// The first half of it at once.
    fn half_at_once(&self) -> Result<(), Disagreement> {
        let half = self.stream.get(..self.stream.len() / 2);
        Self::between(self.naive, self.tested, half.unwrap_or_default()).at_once()
    }

    /// Frame by frame and in batches, as it comes in that way.
    pub(super) fn in_way(&self, way: &Way) -> Result<(), Disagreement> {
        let Way::Segments(sizes) = way else {
            return Ok(());
        };
        let (tested, stream, expected) = (self.tested, self.stream, &self.expected);
        read_in_segments(tested, stream, sizes, expected)
            .and_then(|()| read_in_batches(tested, stream, sizes, expected))
            .map_err(|what| Disagreement {
                way: way.clone(),
                what,
            })
    }

    /// Counts what there is in it.
    pub(super) fn note(&self) {
        tally::note(self.expected.frames.len(), self.expected.ending.into());
    }

    /// Where frames end.
    pub(super) fn borders(&self) -> impl ExactSizeIterator<Item = usize> {
        self.expected.frames.iter().map(|frame| frame.end)
    }
}

/// What the naive reader finds.
struct Expected {
    frames: Vec<FrameAt>,
    ending: Ending,
    error: Option<DecodeError>,
}

impl Expected {
    fn of(profile: &Profile, stream: &[u8]) -> Self {
        let reading = reader::read(profile, stream);
        Self {
            frames: reading.frames,
            ending: reading.ending,
            error: error(reading.ending),
        }
    }
}

/// The decoder's error for what the naive reader says is behind the last whole frame.
pub(crate) fn error(ending: Ending) -> Option<DecodeError> {
    let (kind, offset) = match ending {
        Ending::Boundary => return None,
        Ending::Inside { start, place } => {
            let place = match place {
                reader::Place::Header => Place::Header,
                reader::Place::Boundary => Place::Boundary,
                reader::Place::Body => Place::Body,
            };
            (DecodeErrorKind::Truncated { place }, start)
        }
        Ending::Malformed { fault, at, .. } => {
            let kind = match fault {
                Fault::Mark { .. } => DecodeErrorKind::Mark,
                Fault::NoNumber(_) => DecodeErrorKind::Length,
                Fault::Negative(_) => DecodeErrorKind::Negative,
                Fault::Underflow { .. } => DecodeErrorKind::Underflow,
                Fault::NotWholeChunks { .. } => DecodeErrorKind::NotWholeChunks,
                Fault::OverLimit { .. } => DecodeErrorKind::OverLimit,
                Fault::Checksum { .. } => DecodeErrorKind::Checksum,
                Fault::Index { .. } => DecodeErrorKind::Index,
            };
            (kind, at)
        }
    };
    let offset = offset as u64;
    Some(DecodeError { kind, offset })
}

fn read_at_once(known: &Known, stream: &[u8], expected: &Expected) -> Result<(), String> {
    let mut again = BytesMut::new();
    let mut awaited = expected.frames.iter();
    let mut error = None;
    let mut take = |item: Result<FrameRef<'_>, DecodeError>| match item {
        Ok(frame) => {
            let room = awaited.as_slice().first().map_or(0, octets_of);
            is_frame(frame, awaited.next(), stream)?;
            can_be_sent(&known.encoder, frame, room, &mut again)
        }
        Err(found) => {
            error = Some(found);
            Ok(())
        }
    };
    let decoder = known.decoder.clone();
    match known.profile.index() {
        None => Frames::by(decoder, stream).try_for_each(&mut take)?,
        // Those cannot be lent out.
        Some(_) => {
            let items = decoded_by(decoder, stream);
            let mut items = items.iter();
            items.try_for_each(|item| take(item.as_ref().map(Frame::as_ref).map_err(|e| *e)))?;
        }
    }
    is_end(awaited.next(), error, expected.error)
}

/// The frames of a stream as the decoder splits them off, and the error behind them if there is one.
pub(super) fn decoded(profile: &Profile, stream: &[u8]) -> Vec<Result<Frame, DecodeError>> {
    decoded_by(Decoder::new(profile), stream)
}

fn decoded_by(mut decoder: Decoder, stream: &[u8]) -> Vec<Result<Frame, DecodeError>> {
    let mut buffer = BytesMut::from(stream);
    let mut items = Vec::new();
    loop {
        match decoder.decode(&mut buffer) {
            Ok(Some(frame)) => items.push(Ok(frame)),
            Ok(None) => {
                items.extend(decoder.finish(&buffer).err().map(Err));
                return items;
            }
            Err(error) => {
                items.push(Err(error));
                return items;
            }
        }
    }
}

/// Octets of a whole frame.
fn octets_of(frame: &FrameAt) -> usize {
    frame.end.saturating_sub(frame.start)
}

/// Octets that a buffer has room for when the first one comes, if that is more than it needs.
const SMALLEST_BUFFER: usize = 64;

fn read_in_segments(
    known: &Known,
    stream: &[u8],
    sizes: &[usize],
    expected: &Expected,
) -> Result<(), String> {
    let most = stream.len().saturating_mul(2).max(SMALLEST_BUFFER);
    read_fed(
        known,
        stream,
        sizes,
        expected,
        |decoder, buffer, awaited| {
            let (held, room) = (buffer.len(), buffer.capacity());
            let step = decoder.decode(buffer);
            let taken = match &step {
                Ok(Some(_)) => awaited.as_slice().first().map_or(held, octets_of),
                _ => 0,
            };
            let (left, now) = (buffer.len(), buffer.capacity());
            if left.saturating_add(taken) != held {
                return Err(format!("{taken} octets taken, {left} left of {held}"));
            }
            // Room may be found again, in memory that what has come made grow.
            if now > room.max(most) {
                return Err(format!("{room} octets of room became {now}"));
            }
            match step {
                Ok(Some(frame)) => is_frame(frame.as_ref(), awaited.next(), stream).map(|()| More),
                Ok(None) => Ok(Starved),
                Err(error) => Ok(Refused(error)),
            }
        },
    )
}

fn read_in_batches(
    known: &Known,
    stream: &[u8],
    sizes: &[usize],
    expected: &Expected,
) -> Result<(), String> {
    // Those cannot be had together.
    if known.profile.index().is_some() {
        return Ok(());
    }
    read_fed(
        known,
        stream,
        sizes,
        expected,
        |decoder, buffer, awaited| match decoder.decode_batch(buffer) {
            Ok(Some(batch)) => is_batch(&batch, awaited, stream).map(|()| More),
            Ok(None) => Ok(Starved),
            Err(error) => Ok(Refused(error)),
        },
    )
}

/// What a decoder made of what has come so far.
enum Step {
    /// Something; there may be more.
    More,
    /// Nothing, until more comes.
    Starved,
    /// It reads no further.
    Refused(DecodeError),
}
use Step::{More, Refused, Starved};

/// Frames that are still to come.
type Awaited<'a> = std::slice::Iter<'a, FrameAt>;

/// Feeds a decoder with segments of these sizes, over and over, and lets it read all that there is each time.
fn read_fed(
    known: &Known,
    stream: &[u8],
    sizes: &[usize],
    expected: &Expected,
    mut read: impl FnMut(&mut Decoder, &mut BytesMut, &mut Awaited<'_>) -> Result<Step, String>,
) -> Result<(), String> {
    let mut decoder = known.decoder.clone();
    let mut buffer = BytesMut::new();
    let mut awaited = expected.frames.iter();
    for segment in segments(stream, sizes) {
        buffer.extend_from_slice(segment);
        loop {
            match read(&mut decoder, &mut buffer, &mut awaited)? {
                More => {}
                Starved => break,
                Refused(error) => return is_end(awaited.next(), Some(error), expected.error),
            }
        }
    }
    let error = decoder.finish(&buffer).err();
    is_end(awaited.next(), error, expected.error)
}

/// The segments of a stream that is cut into these sizes, over and over.
fn segments<'a>(stream: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = stream;
    sizes.iter().cycle().map_while(move |size| {
        let (segment, behind) = rest.split_at((*size).min(rest.len()));
        rest = behind;
        (!segment.is_empty()).then_some(segment)
    })
}

fn is_batch(batch: &Batch, awaited: &mut Awaited<'_>, stream: &[u8]) -> Result<(), String> {
    let mut found = 0_usize;
    for frame in batch {
        is_frame(frame, awaited.next(), stream)?;
        if batch.keep(frame).is_none_or(|kept| kept.as_ref() != frame) {
            return Err(format!("{frame:?} is another one when it is kept"));
        }
        found = found.saturating_add(1);
    }
    if found == batch.len() {
        Ok(())
    } else {
        Err(format!("{found} frames in a batch of {}", batch.len()))
    }
}

fn is_frame(frame: FrameRef<'_>, expected: Option<&FrameAt>, stream: &[u8]) -> Result<(), String> {
    let Some(expected) = expected else {
        return Err(format!("{frame:?}, where there is none"));
    };
    let part = |range| stream.get(range).unwrap_or_default();
    let header = part(expected.start..expected.body.start);
    let trailer = part(expected.body.end..expected.end);
    let content = expected.content(stream);
    let parts = [header, &content, trailer];
    let same = usize::try_from(frame.start()) == Ok(expected.start)
        && frame.body() == content.as_ref()
        && frame.payload() == expected.payload(stream).as_ref()
        && is_made_of(frame.octets(), parts);
    if same {
        Ok(())
    } else {
        Err(format!("{frame:?}, where {expected:?} is"))
    }
}

/// Whether octets are these parts, one behind the other.
fn is_made_of<'a>(octets: &'a [u8], parts: [&'a [u8]; 3]) -> bool {
    let mut parts = parts.into_iter();
    let rest = parts.try_fold(octets, |rest, part| rest.strip_prefix(part));
    rest.is_some_and(<[u8]>::is_empty)
}

fn is_end(
    missing: Option<&FrameAt>,
    found: Option<DecodeError>,
    expected: Option<DecodeError>,
) -> Result<(), String> {
    if let Some(missing) = missing {
        return Err(format!("{found:?}, where {missing:?} is"));
    }
    if found == expected {
        Ok(())
    } else {
        Err(format!("the end is {found:?}, and should be {expected:?}"))
    }
}

/// A payload that has arrived can be sent, in a frame that is no longer than the one it came in.
fn can_be_sent(
    encoder: &Encoder,
    frame: FrameRef<'_>,
    room: usize,
    out: &mut BytesMut,
) -> Result<(), String> {
    out.clear();
    encoder
        .encode(frame.payload(), out)
        .map_err(|error| format!("{frame:?} cannot be sent: {error}"))?;
    if out.len() <= room {
        Ok(())
    } else {
        Err(format!("{frame:?} became {} octets", out.len()))
    }
}

/// What streams reach in the decoder: whole frames, and kinds of errors.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) whole: usize,
    pub(crate) kinds: std::collections::BTreeSet<String>,
}

#[cfg(test)]
impl Reached {
    pub(crate) fn note(&mut self, profile: &Profile, stream: &[u8]) {
        for item in decoded(profile, stream) {
            match item.map_err(|error| error.kind) {
                Ok(_) => self.whole += 1,
                Err(DecodeErrorKind::Truncated { place }) => {
                    self.kinds.insert(format!("{place:?}"));
                }
                Err(kind) => {
                    self.kinds.insert(format!("{kind:?}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Order, Region};

    fn tutorial(change: impl Fn(&mut Draft)) -> Profile {
        let mut draft = Draft::from(Profile::tutorial());
        change(&mut draft);
        Profile::try_from(draft).unwrap()
    }

    fn ways() -> [Way; 2] {
        [Way::segments(vec![1]), Way::segments(vec![5, 70])]
    }

    /// What is said when the decoder works by another profile than the naive reader.
    fn said(wrong: &Profile, stream: &[u8]) -> String {
        let right = Profile::tutorial();
        compare(&right, stream, &ways()).unwrap();
        let wrong = Known::new(wrong.clone());
        let compared = Comparison::between(&right, &wrong, stream).in_all(&ways());
        compared.unwrap_err().to_string()
    }

    #[test]
    fn a_decoder_that_is_wrong_is_found_out() {
        let one = [b"\0\0\0\x3c1 ", &[0; 58][..]].concat();
        let other_order = tutorial(|d| d.order = Order::Little);
        assert!(said(&other_order, &one).contains("OverLimit"));
        let other_pad = tutorial(|d| d.pad = b' ');
        assert!(said(&other_pad, &one).starts_with("read at once: frame at 0, payload \"1 \\x00"));
        let narrow = tutorial(|d| d.max_body = Some(60));
        let two = [b"\0\0\0\x78", &[b'1'; 120][..]].concat();
        assert!(said(&narrow, &two).contains("where FrameAt"));
        let no_chunks = tutorial(|d| d.chunk = 1);
        assert!(said(&no_chunks, b"\0\0\0\x011").contains("where there is none"));
        let counts_itself = tutorial(|d| d.covers.push(Region::Length));
        assert!(said(&counts_itself, b"\0\0\0\0").contains("Underflow"));
        let wide = tutorial(|d| d.max_body = Some(1 << 30));
        let end = said(&wide, b"\0\x7f\xff\xf8");
        assert!(end.contains("Truncated { place: Boundary }") && end.contains("OverLimit"));
    }

    #[test]
    fn each_way_is_held_against_the_naive_reader() {
        let stream = [b"\0\0\0\x3c1 ", &[0; 58][..], b"\0\0\0\x01"].concat();
        let expected = Expected::of(&Profile::tutorial(), &stream);
        let wrong = Known::new(tutorial(|d| d.chunk = 1));
        assert!(read_in_segments(&wrong, &stream, &[3], &expected).is_err());
        assert!(read_in_batches(&wrong, &stream, &[3], &expected).is_err());
        assert!(read_at_once(&wrong, &stream, &expected).is_err());
    }
}
