//! What stands behind the last whole frame of a connection, shared with the transcript as long as nothing can be read in it:
//! a peer that announces much and sends a good part of it is held once and not twice.

use bytes::{Bytes, BytesMut};

/// The most that is looked at of octets that no frame begins with.
const MOST_GARBLED: usize = 4 << 10;

/// Octets behind the last whole frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    /// Those that have been put together.
    joined: BytesMut,
    /// Those that have come behind them.
    behind: Vec<Bytes>,
    /// How many there are of both.
    len: usize,
    /// How many there have to be before they say anything new.
    wanted: usize,
}

impl Pending {
    /// Nothing more is known of the frame that they begin before there are so many.
    pub(super) const fn want(&mut self, wanted: usize) {
        self.wanted = wanted;
    }

    pub(super) fn push(&mut self, octets: Bytes) {
        self.len = self.len.saturating_add(octets.len());
        if !octets.is_empty() {
            self.behind.push(octets);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether they may say something new.
    pub(super) const fn are_enough(&self) -> bool {
        self.len >= self.wanted
    }

    /// All of them in one piece.
    pub(super) fn joined(&mut self) -> &[u8] {
        let behind = self.len.saturating_sub(self.joined.len());
        self.joined.reserve(behind);
        for octets in self.behind.drain(..) {
            self.joined.extend_from_slice(&octets);
        }
        &self.joined
    }

    /// Takes so many off the front. What is left does not keep those in memory.
    pub(super) fn split_to(&mut self, front: usize) -> Bytes {
        self.joined();
        if front == 0 {
            return Bytes::new();
        }
        let front = self.joined.split_to(front.min(self.joined.len()));
        self.joined = BytesMut::from(&*self.joined);
        self.len = self.joined.len();
        front.freeze()
    }

    /// The first of them.
    pub(super) fn beginning(&self) -> Vec<u8> {
        let behind = self.behind.iter().flatten();
        let octets = self.joined.iter().chain(behind);
        octets.take(MOST_GARBLED).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_off_and_what_is_left_are_what_came() {
        let mut pending = Pending::default();
        pending.want(5);
        pending.push(Bytes::from_static(b"abc"));
        assert!(!pending.are_enough());
        pending.push(Bytes::from_static(b"def"));
        assert!(pending.are_enough());
        assert_eq!(pending.beginning(), b"abcdef");
        assert_eq!(&*pending.split_to(5), b"abcde");
        assert_eq!((pending.len(), pending.joined()), (1, &b"f"[..]));
        pending.push(Bytes::from_static(b"g"));
        assert_eq!(&*pending.split_to(0), b"");
        assert_eq!((pending.len(), &*pending.beginning()), (2, &b"fg"[..]));
    }

    #[test]
    fn of_very_many_the_first_are_looked_at() {
        let mut pending = Pending::default();
        for _ in 0..3 {
            pending.push(vec![b'x'; MOST_GARBLED].into());
        }
        assert_eq!(pending.beginning().len(), MOST_GARBLED);
        assert_eq!(pending.len(), 3 * MOST_GARBLED);
    }
}
