//! Frames out of octets: as they arrive, or all at once.

use super::batch::Batch;
use super::error::{DecodeError, DecodeErrorKind, Place};
use super::format::{Fault, Format, Shape};
use super::frame::{Frame, FrameRef};
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
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder at the beginning of a stream, with the profile's own limit on bodies.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            format: Arc::new(Format::new(profile)),
            offset: 0,
            failed: None,
        }
    }

    /// Splits the next frame off the buffer, or returns `None` if it is not whole yet.
    ///
    /// The frame shares the memory of the buffer. Nothing is copied or reserved, and what is not a
    /// whole frame is left where it is.
    ///
    /// # Errors
    /// If the header at the front is malformed. The buffer is left as it is, and every later call
    /// fails in the same way.
    #[inline(always)]
    pub fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        let Some(shape) = self.front(octets) else {
            return self.no_frame();
        };
        let whole = octets.split_to(shape.end.get()).freeze();
        let header = self.format.header_len();
        Ok(Some(Frame::new(
            whole,
            header,
            shape.payload,
            self.pass(shape),
        )))
    }

    /// Splits all frames that are whole off the buffer, together, or returns `None` if there is none.
    ///
    /// They share the memory of the buffer as one: what keeping a frame costs is paid once for all of them,
    /// which makes this the fastest way to have frames that borrow nothing. What is behind the last whole
    /// frame is left where it is.
    ///
    /// # Errors
    /// If the header at the front is malformed: as for [`decode`](Self::decode). A malformed header behind
    /// whole frames is found by the next call.
    pub fn decode_batch(&mut self, octets: &mut BytesMut) -> Result<Option<Batch>, DecodeError> {
        let (mut len, mut end) = (0_usize, 0_usize);
        if self.failed.is_none() {
            while let Some(size) = octets
                .get(end..)
                .and_then(|rest| self.format.end_of_front(rest))
            {
                len = len.saturating_add(1);
                end = end.saturating_add(size);
            }
        }
        if len == 0 {
            return self.decode(octets).map(|_| None);
        }
        let whole = octets.split_to(end).freeze();
        let batch = Batch::new(whole, len, self.clone());
        self.offset = self.offset.saturating_add(end as u64);
        Ok(Some(batch))
    }

    /// Takes the next frame off the front of a slice, or returns `None` if it is not whole yet.
    ///
    /// # Errors
    /// If the header at the front is malformed. The slice is left as it is, and every later call fails
    /// in the same way.
    #[inline(always)]
    pub fn decode_ref<'a>(
        &mut self,
        octets: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'a>>, DecodeError> {
        let Some(shape) = self.front(octets) else {
            return self.no_frame();
        };
        let Some((whole, rest)) = octets.split_at_checked(shape.end.get()) else {
            return Ok(None);
        };
        *octets = rest;
        let header = self.format.header_len();
        let start = self.pass(shape);
        Ok(Some(FrameRef::new(whole, header, shape.payload, start)))
    }

    /// Counts a frame's octets as taken; where it starts.
    #[inline(always)]
    fn pass(&mut self, shape: Shape) -> u64 {
        let start = self.offset;
        self.offset = start.saturating_add(shape.end.get() as u64);
        start
    }

    /// What is returned where there is no frame: an error if there is one.
    fn no_frame<T>(&self) -> Result<Option<T>, DecodeError> {
        self.failed.map_or(Ok(None), Err)
    }

    /// The shape of the frame at the front, if the octets go as far as its end and are no error.
    #[inline(always)]
    fn front(&mut self, octets: &[u8]) -> Option<Shape> {
        match self.format.plain_front(octets) {
            Some(shape) if self.failed.is_none() => Some(shape),
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
        self.format.front(octets).unwrap_or_else(|fault| {
            self.failed = Some(at(self.offset, fault));
            None
        })
    }

    /// Tells the decoder that the stream has ended, with `rest` left in the buffer.
    ///
    /// # Errors
    /// If the end is not between two frames; also if an error came before, or lies in `rest`.
    pub fn finish(&self, rest: &[u8]) -> Result<(), DecodeError> {
        let mut rest = rest;
        let mut reader = self.clone();
        while reader.decode_ref(&mut rest)?.is_some() {}
        match reader.place(rest) {
            None => Ok(()),
            Some(place) => Err(DecodeError {
                kind: DecodeErrorKind::Truncated { place },
                offset: reader.offset,
            }),
        }
    }

    /// Where in a frame the stream stands that has these octets behind the last whole frame.
    fn place(&self, rest: &[u8]) -> Option<Place> {
        let header = self.format.header_len();
        match rest.len() {
            0 => None,
            len if len < header => Some(Place::Header),
            len if len == header => Some(Place::Boundary),
            _ => Some(Place::Body),
        }
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

fn at(offset: u64, fault: Fault) -> DecodeError {
    DecodeError {
        kind: fault.kind,
        offset: offset.saturating_add(fault.at as u64),
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
    Frames {
        decoder: Decoder::new(profile),
        rest: octets,
        over: false,
    }
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

impl Frames<'_> {
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
