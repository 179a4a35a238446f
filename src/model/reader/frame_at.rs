//! A whole frame, and where the parts of its body lie.

use super::indexes::octets_of;
use crate::profile::Index;
use std::borrow::Cow;
use std::ops::Range;

/// Where a whole frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAt {
    /// Its first octet.
    pub start: usize,
    /// Its body: payload and padding, and the index in front of each chunk.
    pub body: Range<usize>,
    /// Octets of its payload.
    pub payload_len: usize,
    /// Octets of payload and padding.
    pub content_len: usize,
    /// Where it ends: behind its body, and behind its trailer if it has one.
    pub end: usize,
    pub(super) index: Option<Index>,
}

/// What octets of a body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The index in front of a chunk.
    Index,
    /// Payload.
    Payload,
    /// Padding.
    Padding,
}

impl FrameAt {
    /// Its payload in the octets that were read, put together where indexes stand in it.
    #[must_use]
    pub fn payload<'a>(&self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        self.of(octets, |part| part == Part::Payload)
    }

    /// Its payload and padding.
    #[must_use]
    pub fn content<'a>(&self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        self.of(octets, |part| part != Part::Index)
    }

    /// Octets of its padding.
    #[must_use]
    pub fn padding_len(&self) -> usize {
        self.content_len.saturating_sub(self.payload_len)
    }

    fn of<'a>(&self, octets: &'a [u8], is_meant: impl Fn(Part) -> bool) -> Cow<'a, [u8]> {
        let of = |range| octets.get(range).unwrap_or_default();
        if self.index.is_none() {
            let padding = self.padding_len();
            let end = match is_meant(Part::Padding) {
                true => self.body.end,
                false => self.body.end.saturating_sub(padding),
            };
            return Cow::Borrowed(of(self.body.start..end));
        }
        let parts = self.parts().into_iter();
        let meant = parts.filter(|(part, _)| is_meant(*part));
        Cow::Owned(meant.flat_map(|(_, range)| of(range)).copied().collect())
    }

    /// The parts of its body in order, each with where it lies. None is empty.
    #[must_use]
    pub fn parts(&self) -> Vec<(Part, Range<usize>)> {
        let mut parts = Vec::new();
        let (mut at, mut payload, mut left) = (self.body.start, self.payload_len, self.content_len);
        while left > 0 {
            let chunk = self.index.map_or(left, |index| left.min(octets_of(index)));
            let of_payload = chunk.min(payload);
            for (part, octets) in [
                (Part::Index, self.index.map_or(0, Index::width)),
                (Part::Payload, of_payload),
                (Part::Padding, chunk.saturating_sub(of_payload)),
            ] {
                let end = at.saturating_add(octets);
                if octets > 0 {
                    parts.push((part, at..end));
                }
                at = end;
            }
            payload = payload.saturating_sub(of_payload);
            left = left.saturating_sub(chunk);
        }
        parts
    }
}
