//! Frames out of octets: as they arrive, or all at once.

use super::batch::Batch;
use super::error::{DecodeError, DecodeErrorKind, Place};
use super::format::{Fault, Format, Front, IN_PIECES, Indexed, Shape};
use super::frame::{Around, Frame, FrameRef};
use crate::profile::Profile;
use bytes::BytesMut;
use std::sync::Arc;

/// Splits frames off the front of a buffer.
///
/// A decoder holds no octets. The caller appends what arrives to one buffer and calls
/// [`decode`](Self::decode) until it returns `Ok(None)`; the buffer then holds less than one frame,
/// that is at most the header and [`Profile::max_body`] octets.
#[derive(Debug, Clone)]
pub struct Decoder {
    format: Arc<Format>,
    offset: u64,
    /// Where in the stream the frame ends whose header has come and whose body has not, if it lies ahead. So
    /// nothing is read again while a body arrives, and nothing has to be taken back once it is there.
    awaited: u64,
    /// What is around the body of the last frame that was found. Where no header grows it is always the same,
    /// and plain ones leave it alone.
    around: Around,
    /// A whole frame that was found last, if its chunks have indexes.
    indexed: Option<Indexed>,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder at the beginning of a stream, with the profile's own limit on bodies.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let format = Format::new(profile);
        Self {
            around: format.plain_around(),
            format: Arc::new(format),
            offset: 0,
            awaited: 0,
            indexed: None,
            failed: None,
        }
    }

    /// Splits the next frame off the buffer, or returns `None` if it is not whole yet.
    ///
    /// The frame shares the memory of the buffer. Nothing is copied or allocated; where a frame is not whole
    /// yet, its beginning may be moved to the front of the memory that the buffer has anyhow, and where chunks have an
    /// index, they are moved together.
    ///
    /// # Errors
    /// If the frame at the front is malformed. The buffer is left as it is, and every later call
    /// fails in the same way.
    #[inline(always)]
    pub fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        let awaited = self.awaited;
        let Some(shape) = self.front(octets) else {
            if self.awaited != awaited {
                self.reclaim(octets);
            }
            return self.no_frame_as_it_came(octets);
        };
        let whole = octets.split_to(shape.end.get()).freeze();
        let around = self.around;
        let start = self.pass(shape.end.get());
        Ok(Some(Frame::new(whole, around, shape.payload, start)))
    }

    /// What there is where no frame is that can be had as it came: one whose chunks have indexes, an error, or nothing.
    #[inline(never)]
    fn no_frame_as_it_came(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        let Some(indexed) = self.indexed.take() else {
            return self.no_frame();
        };
        let mut frame = octets.split_to(indexed.end.min(octets.len()));
        let (around, payload) = self.format.gather(indexed, &mut frame);
        let start = self.pass(indexed.end);
        Ok(Some(Frame::new(frame.freeze(), around, payload, start)))
    }

    /// Splits all frames that are whole off the buffer, together, or returns `None` if there is none.
    ///
    /// They share the memory of the buffer as one: what keeping a frame costs is paid once for all of them,
    /// which makes this the fastest way to have frames that borrow nothing. What is behind the last whole
    /// frame is left where it is.
    ///
    /// # Errors
    /// If the header at the front is malformed: as for [`decode`](Self::decode). A malformed header behind
    /// whole frames is found by the next call. Where chunks have an index, the first call fails:
    /// [`InPieces`](DecodeErrorKind::InPieces).
    pub fn decode_batch(&mut self, octets: &mut BytesMut) -> Result<Option<Batch>, DecodeError> {
        if self.format.index().is_some() {
            return Err(self.failed.unwrap_or_else(|| self.fail(IN_PIECES)));
        }
        if self.is_awaiting(octets.len()) {
            return Ok(None);
        }
        let awaited = self.awaited;
        let (count, end) = self.count_whole(octets)?;
        if count == 0 {
            if self.awaited != awaited {
                self.reclaim(octets);
            }
            return Ok(None);
        }
        let start = self.pass(end);
        let whole = octets.split_to(end).freeze();
        let format = Arc::clone(&self.format);
        Ok(Some(Batch::new(whole, count, start, format)))
    }

    /// How many frames are whole, and where the last of them ends. An error only if it is in front of them.
    fn count_whole(&mut self, octets: &[u8]) -> Result<(usize, usize), DecodeError> {
        self.failed.map_or(Ok(()), Err)?;
        let (mut count, mut rest) = (0_usize, octets);
        loop {
            let size = match self.format.size_of_front(rest) {
                Ok(Some(size)) => size,
                Err(fault) if count == 0 => return Err(self.fail(fault)),
                Ok(None) | Err(_) => break,
            };
            let Some(behind) = rest.get(size..) else {
                if count == 0 {
                    self.wait_for(size);
                }
                break;
            };
            rest = behind;
            count = count.saturating_add(1);
        }
        Ok((count, octets.len().saturating_sub(rest.len())))
    }

    /// Takes the next frame off the front of a slice, or returns `None` if it is not whole yet.
    ///
    /// # Errors
    /// If the header at the front is malformed. The slice is left as it is, and every later call fails
    /// in the same way. Where chunks have an index, the first whole frame is an error,
    /// [`InPieces`](DecodeErrorKind::InPieces).
    #[inline(always)]
    pub fn decode_ref<'a>(
        &mut self,
        octets: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'a>>, DecodeError> {
        let Some(shape) = self.front(octets) else {
            return self.nothing_lent();
        };
        let Some((whole, rest)) = octets.split_at_checked(shape.end.get()) else {
            return Ok(None);
        };
        *octets = rest;
        let around = self.around;
        let start = self.pass(shape.end.get());
        Ok(Some(FrameRef::new(whole, around, shape.payload, start)))
    }

    /// What is returned where there is no frame to be lent out.
    #[inline(never)]
    fn nothing_lent<T>(&mut self) -> Result<Option<T>, DecodeError> {
        if self.indexed.take().is_some() {
            self.fail(IN_PIECES);
        }
        self.no_frame()
    }

    /// Counts so many octets as taken; where they start.
    #[inline(always)]
    fn pass(&mut self, octets: usize) -> u64 {
        let start = self.offset;
        self.offset = start.saturating_add(octets as u64);
        start
    }

    /// What is returned where there is no frame: an error if there is one.
    #[inline]
    fn no_frame<T>(&self) -> Result<Option<T>, DecodeError> {
        self.failed.map_or(Ok(None), Err)
    }

    /// The shape of the frame at the front, if the octets go as far as its end and are no error.
    #[inline(always)]
    fn front(&mut self, octets: &[u8]) -> Option<Shape> {
        match self.format.plain_front(octets) {
            Some(shape) if self.failed.is_none() => Some(shape),
            _ if self.is_awaiting(octets.len()) => None,
            _ => self.front_of_any(octets),
        }
    }

    /// The same for all but a plain header of a whole frame. An error is kept.
    ///
    /// What this returns fits into registers, so that a plain header has nothing to do with memory.
    #[inline(never)]
    fn front_of_any(&mut self, octets: &[u8]) -> Option<Shape> {
        if self.failed.is_some() {
            return None;
        }
        let known = self.awaited.saturating_sub(self.offset);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        match self.format.front(octets, known) {
            Ok(Front::Whole(around, shape)) => {
                self.around = around;
                return Some(shape);
            }
            Ok(Front::Indexed(indexed)) => self.indexed = Some(indexed),
            Ok(Front::Begun(size)) => self.wait_for(size),
            Ok(Front::Unknown) => {}
            Err(fault) => {
                self.fail(fault);
            }
        }
        None
    }

    /// Nothing has to be read again before a frame of so many octets is whole.
    fn wait_for(&mut self, size: usize) {
        self.awaited = self.offset.saturating_add(size as u64);
    }

    /// Whether so many octets are known to be less than a frame.
    #[inline(always)]
    fn is_awaiting(&self, octets: usize) -> bool {
        self.offset.saturating_add(octets as u64) < self.awaited
    }

    /// Moves the beginning of a frame to the front of the buffer's memory, if the rest has no room behind it but
    /// has it then. Done as soon as the frame is awaited, when there is least of it: that a buffer
    /// runs full in the middle of a large frame would cost a copy of all that has come.
    #[inline(never)]
    fn reclaim(&self, octets: &mut BytesMut) {
        let end = self.awaited.saturating_sub(self.offset);
        let rest = usize::try_from(end)
            .ok()
            .and_then(|end| end.checked_sub(octets.len()));
        // Without room nothing changes: it will grow with what comes.
        let _ = octets.try_reclaim(rest.unwrap_or(0));
    }

    /// Keeps the error that a fault at the front is.
    fn fail(&mut self, fault: Fault) -> DecodeError {
        let error = DecodeError {
            kind: fault.kind,
            offset: self.offset.saturating_add(fault.at as u64),
        };
        self.failed = Some(error);
        error
    }

    /// Tells the decoder that the stream has ended, with `rest` left in the buffer.
    ///
    /// # Errors
    /// If the end is not between two frames; also if an error came before, or lies in `rest`.
    pub fn finish(&self, rest: &[u8]) -> Result<(), DecodeError> {
        let mut rest = rest;
        let mut reader = self.clone();
        while reader.skip(&mut rest)? {}
        match reader.place(rest) {
            None => Ok(()),
            Some(place) => Err(DecodeError {
                kind: DecodeErrorKind::Truncated { place },
                offset: reader.offset,
            }),
        }
    }

    /// Passes over the frame at the front; whether there is a whole one.
    fn skip(&mut self, octets: &mut &[u8]) -> Result<bool, DecodeError> {
        let whole = self.front(octets).map(|shape| shape.end.get());
        let indexed = self.indexed.take().map(|indexed| indexed.end);
        let Some(end) = whole.or(indexed) else {
            return Ok(self.no_frame::<()>()?.is_some());
        };
        *octets = octets.get(end..).unwrap_or_default();
        self.pass(end);
        Ok(true)
    }

    /// Where in a frame the stream stands that has these octets behind the last whole frame.
    fn place(&self, rest: &[u8]) -> Option<Place> {
        let header = self.format.len_of_header(rest);
        Some(match (rest.len(), header) {
            (0, _) => return None,
            (_, None) => Place::Header,
            (len, Some(header)) if len == header => Place::Boundary,
            (_, Some(_)) => Place::Body,
        })
    }

    /// The id in the header of a frame that this decoder found, if frames have one: its octets as a number, the most
    /// significant first.
    #[must_use]
    #[inline]
    pub fn id_of(&self, frame: &Frame) -> Option<u64> {
        let has_ids = self.format.has_ids();
        has_ids.then(|| self.format.id_in(frame.header()))?
    }

    /// Octets taken as whole frames so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream stands between two frames, `rest` being what [`decode`](Self::decode) left
    /// in the buffer: no octet of an unfinished frame has arrived and no error has come.
    #[must_use]
    pub fn is_at_boundary(&self, rest: &[u8]) -> bool {
        self.failed.is_none() && rest.is_empty()
    }
}

/// The frames in octets that are a whole stream, one after the other, borrowed.
///
/// The last item is the error, if there is one: a malformed header, or the stream's end inside a
/// frame. Nothing follows it.
///
/// ```
/// use framespec::{profile::Profile, wire::{DecodeErrorKind, Place, frames}};
///
/// let mut frames = frames(&Profile::tutorial(), &[0, 0, 0, 0, 0, 0, 0, 60]);
/// assert!(frames.next().is_some_and(|empty| empty.is_ok()));
/// let error = frames.next().and_then(Result::err).ok_or("the body is missing")?;
/// assert_eq!(error.kind, DecodeErrorKind::Truncated { place: Place::Boundary });
/// assert_eq!(error.offset, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn frames<'a>(profile: &Profile, octets: &'a [u8]) -> Frames<'a> {
    Frames::by(Decoder::new(profile), octets)
}

/// An iterator over the frames of a whole stream; [`frames`] makes it.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    decoder: Decoder,
    rest: &'a [u8],
    over: bool,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<FrameRef<'a>, DecodeError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        match self.decoder.decode_ref(&mut self.rest) {
            Ok(Some(frame)) => Some(Ok(frame)),
            Ok(None) | Err(_) => self.end(),
        }
    }
}

impl<'a> Frames<'a> {
    /// Those that a decoder at the beginning of a stream finds.
    pub(crate) const fn by(decoder: Decoder, octets: &'a [u8]) -> Self {
        Self {
            decoder,
            rest: octets,
            over: false,
        }
    }

    /// What stands behind the last whole frame, once.
    fn end<T>(&mut self) -> Option<Result<T, DecodeError>> {
        if self.over {
            return None;
        }
        self.over = true;
        self.decoder.finish(self.rest).err().map(Err)
    }
}

impl std::iter::FusedIterator for Frames<'_> {}
