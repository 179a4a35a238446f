//! Whole frames that are owned together.

use super::format::Format;
use super::{Frame, FrameRef};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// Whole frames that came one behind the other; [`Decoder::decode_batch`](super::Decoder::decode_batch) makes it. There is at least one.
///
/// It shares the memory of the buffer that they arrived in, as one [`Frame`] does, and can go wherever a
/// `Frame` can. A clone copies no octets.
///
/// ```
/// use bytes::BytesMut;
/// use framespec::{profile::Profile, wire::Decoder};
///
/// let mut arrived = BytesMut::from(&b"\0\0\0\x02hi\0\0\0\x03you\0\0\0\x01"[..]);
/// let mut decoder = Decoder::new(&Profile::u32_be());
/// let batch = decoder.decode_batch(&mut arrived)?.ok_or("two frames are whole")?;
/// let payloads: Vec<_> = batch.iter().map(|frame| frame.payload()).collect();
/// assert_eq!(payloads, [&b"hi"[..], b"you"]);
/// assert_eq!(&arrived[..], b"\0\0\0\x01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Batch {
    octets: Bytes,
    len: usize,
    start: u64,
    format: Arc<Format>,
}

impl Batch {
    /// A batch of `len` frames that have been found whole, of which the first begins at `start`.
    pub(super) fn new(octets: Bytes, len: usize, start: u64, format: Arc<Format>) -> Self {
        Self {
            octets,
            len,
            start,
            format,
        }
    }

    /// How many frames there are, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "none is empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The octets of all frames.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The frames, in order.
    #[must_use]
    pub fn iter(&self) -> BatchFrames<'_> {
        BatchFrames {
            rest: &self.octets,
            start: self.start,
            format: &self.format,
        }
    }

    /// One of the frames to be kept by itself, without copying it. `None` if it is of another batch.
    #[must_use]
    pub fn keep(&self, frame: FrameRef<'_>) -> Option<Frame> {
        let octets = self.octets.as_ptr_range();
        let kept = frame.octets().as_ptr_range();
        let is_within = octets.start <= kept.start && kept.end <= octets.end;
        is_within.then(|| frame.to_owned_in(self.octets.slice_ref(frame.octets())))
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = FrameRef<'a>;
    type IntoIter = BatchFrames<'a>;

    fn into_iter(self) -> BatchFrames<'a> {
        self.iter()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// An iterator over the frames of a [`Batch`].
#[derive(Clone)]
pub struct BatchFrames<'a> {
    rest: &'a [u8],
    start: u64,
    format: &'a Format,
}

impl<'a> Iterator for BatchFrames<'a> {
    type Item = FrameRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<FrameRef<'a>> {
        let (around, shape) = self.format.known_front(self.rest)?;
        let (whole, rest) = self.rest.split_at_checked(shape.end.get())?;
        self.rest = rest;
        let start = self.start;
        self.start = start.saturating_add(whole.len() as u64);
        Some(FrameRef::new(whole, around, shape.payload, start))
    }
}

impl fmt::Debug for BatchFrames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl std::iter::FusedIterator for BatchFrames<'_> {}
