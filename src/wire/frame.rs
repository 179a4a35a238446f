//! A whole frame, owned or borrowed.

use bytes::{Buf, Bytes};

/// How many octets a frame has in front of its body and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    header: u32,
    trailer: u32,
}

impl Around {
    pub(super) fn new(header: usize, trailer: usize) -> Self {
        let few = |octets| u32::try_from(octets).unwrap_or(u32::MAX);
        Self {
            header: few(header),
            trailer: few(trailer),
        }
    }

    #[inline(always)]
    pub(super) fn header(self) -> usize {
        self.header as usize
    }

    #[inline(always)]
    fn trailer(self) -> usize {
        self.trailer as usize
    }
}

/// A whole frame that shares the memory of the buffer it arrived in. A clone copies no octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    octets: Bytes,
    around: Around,
    /// Where the payload ends.
    payload: usize,
    start: u64,
}

/// A whole frame within octets that somebody else owns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FrameRef<'a> {
    octets: &'a [u8],
    around: Around,
    /// Where the payload ends.
    payload: usize,
    start: u64,
}

impl Frame {
    #[inline]
    pub(super) fn new(octets: Bytes, around: Around, payload: usize, start: u64) -> Self {
        Self {
            octets,
            around,
            payload,
            start,
        }
    }

    /// Offset in the stream of the frame's first octet.
    #[must_use]
    #[inline]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The whole frame. Where chunks have an index, it is here without them.
    #[must_use]
    #[inline]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The header: marks and length.
    #[must_use]
    #[inline]
    pub fn header(&self) -> &[u8] {
        self.as_ref().header()
    }

    /// What stands between header and trailer: payload and padding.
    #[must_use]
    #[inline]
    pub fn body(&self) -> &[u8] {
        self.as_ref().body()
    }

    /// The body without its padding.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.as_ref().payload()
    }

    /// The payload alone, without copying it.
    #[must_use]
    #[inline]
    pub fn into_payload(self) -> Bytes {
        let mut octets = self.octets;
        octets.truncate(self.payload);
        octets.advance(self.around.header().min(octets.len()));
        octets
    }

    /// A view of this frame that borrows its octets.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> FrameRef<'_> {
        FrameRef::new(&self.octets, self.around, self.payload, self.start)
    }
}

impl<'a> FrameRef<'a> {
    #[inline]
    pub(super) fn new(octets: &'a [u8], around: Around, payload: usize, start: u64) -> Self {
        Self {
            octets,
            around,
            payload,
            start,
        }
    }

    /// The same frame, when these are its octets.
    pub(super) fn to_owned_in(self, octets: Bytes) -> Frame {
        Frame::new(octets, self.around, self.payload, self.start)
    }

    /// Offset in the stream of the frame's first octet.
    #[must_use]
    #[inline]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The whole frame.
    #[must_use]
    #[inline]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The header: marks and length.
    #[must_use]
    #[inline]
    pub fn header(&self) -> &'a [u8] {
        self.octets.get(..self.around.header()).unwrap_or_default()
    }

    /// What stands between header and trailer: payload and padding.
    #[must_use]
    #[inline]
    pub fn body(&self) -> &'a [u8] {
        let end = self.octets.len().wrapping_sub(self.around.trailer());
        let range = self.around.header()..end;
        self.octets.get(range).unwrap_or_default()
    }

    /// The body without its padding.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        let range = self.around.header()..self.payload;
        self.octets.get(range).unwrap_or_default()
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl std::fmt::Debug for FrameRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "frame at {}, payload \"{}\" in a body of {}",
            self.start,
            self.payload().escape_ascii(),
            self.body().len()
        )
    }
}
