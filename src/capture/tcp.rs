//! TCP put together again: segments in whatever order and however often they were captured become what each side said.

use super::{Exchange, MOST_CONNECTIONS, MOST_KEPT, MOST_ORDERED, Said, Speaker};
use std::collections::HashMap;
use std::net::SocketAddr;

/// A segment as it was captured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) octets: &'a [u8],
}

/// All connections of a capture.
#[derive(Debug, Default)]
pub(super) struct Connections<'a> {
    order: Vec<Connection<'a>>,
    open: HashMap<(SocketAddr, SocketAddr), usize>,
}

#[derive(Debug)]
struct Connection<'a> {
    client: SocketAddr,
    server: SocketAddr,
    asked: Side<'a>,
    answered: Side<'a>,
    order: Vec<Speaker>,
}

/// One side's segments, in the order in which they were captured.
#[derive(Debug, Default)]
struct Side<'a> {
    first: Option<u32>,
    segments: Vec<(u32, &'a [u8])>,
    octets: usize,
    is_cut: bool,
}

impl<'a> Connections<'a> {
    pub(super) fn take(&mut self, segment: Segment<'a>) {
        let Some(connection) = self.of(&segment) else {
            return;
        };
        let (side, speaker) = match segment.from == connection.client {
            true => (&mut connection.asked, Speaker::Client),
            false => (&mut connection.answered, Speaker::Server),
        };
        if side.take(&segment) && connection.order.len() < MOST_ORDERED {
            connection.order.push(speaker);
        }
    }

    /// The connection that it belongs to: a new one where a client asks for one, or the first is heard of it.
    fn of(&mut self, segment: &Segment<'_>) -> Option<&mut Connection<'a>> {
        let ends = (segment.from, segment.to);
        let known = self.open.get(&ends).copied();
        let is_new = match known {
            None => true,
            Some(index) => segment.syn && !segment.ack && self.has_begun(index, segment),
        };
        let index = match (known, is_new) {
            (Some(index), false) => index,
            _ => self.open(segment)?,
        };
        self.order.get_mut(index)
    }

    /// Whether the connection of these ports is an earlier one than that which the segment asks for.
    fn has_begun(&self, index: usize, segment: &Segment<'_>) -> bool {
        let first = self.order.get(index).and_then(|one| one.asked.first);
        first.is_some_and(|first| first != segment.sequence.wrapping_add(1))
    }

    fn open(&mut self, segment: &Segment<'_>) -> Option<usize> {
        if self.order.len() >= MOST_CONNECTIONS {
            return None;
        }
        // Who accepts is the server. Where the beginning is missing, it is the one with the lower port.
        let is_from_server = match (segment.syn, segment.ack) {
            (true, accepts) => accepts,
            (false, _) => segment.from.port() < segment.to.port(),
        };
        let (client, server) = match is_from_server {
            true => (segment.to, segment.from),
            false => (segment.from, segment.to),
        };
        let index = self.order.len();
        self.order.push(Connection {
            client,
            server,
            asked: Side::default(),
            answered: Side::default(),
            order: Vec::new(),
        });
        self.open.insert((client, server), index);
        self.open.insert((server, client), index);
        Some(index)
    }

    /// What was said on each on which anything was.
    pub(super) fn exchanges(self) -> Vec<Exchange> {
        let exchanges = self.order.into_iter().map(|connection| Exchange {
            asked: connection.asked.said(),
            answered: connection.answered.said(),
            port: Some(connection.server.port()),
            order: connection.order,
        });
        exchanges
            .filter(|one| !one.asked.octets.is_empty() || !one.answered.octets.is_empty())
            .collect()
    }
}

impl<'a> Side<'a> {
    /// Takes a segment; whether it has octets that have not been taken before.
    fn take(&mut self, segment: &Segment<'a>) -> bool {
        if segment.syn {
            self.first = Some(segment.sequence.wrapping_add(1));
            return false;
        }
        if segment.octets.is_empty() {
            return false;
        }
        self.first.get_or_insert(segment.sequence);
        // Of what is sent twice both are kept, so a little more than is wanted in the end.
        if self.octets > MOST_KEPT.saturating_mul(2) {
            self.is_cut = true;
            return false;
        }
        self.octets = self.octets.saturating_add(segment.octets.len());
        let mut latest = self.segments.iter().rev().take(MOST_ORDERED);
        let is_new = !latest.any(|(known, _)| *known == segment.sequence);
        self.segments.push((segment.sequence, segment.octets));
        is_new
    }

    /// The octets in order, up to where one is missing.
    fn said(self) -> Said {
        let first = self.first.unwrap_or_default();
        let place = |sequence: u32| sequence.wrapping_sub(first).cast_signed();
        let mut segments: Vec<_> = self
            .segments
            .into_iter()
            .map(|(sequence, octets)| (i64::from(place(sequence)), octets))
            .collect();
        segments.sort_by_key(|(place, _)| *place);
        let mut said = Said {
            is_cut: self.is_cut,
            ..Said::default()
        };
        let mut next = 0_i64;
        for (place, octets) in segments {
            if place > next {
                said.is_cut = true;
                break;
            }
            // What was heard before is not heard again.
            let known = usize::try_from(next.saturating_sub(place)).unwrap_or(usize::MAX);
            let fresh = octets.get(known..).unwrap_or_default();
            said.hear(fresh);
            next = next.saturating_add(i64::try_from(fresh.len()).unwrap_or(i64::MAX));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(from: u16, to: u16, sequence: u32, octets: &'static [u8]) -> Segment<'static> {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Segment {
            from: at(from),
            to: at(to),
            sequence,
            syn: false,
            ack: true,
            octets,
        }
    }

    fn opening(from: u16, to: u16, sequence: u32, ack: bool) -> Segment<'static> {
        Segment {
            syn: true,
            ack,
            ..segment(from, to, sequence, b"")
        }
    }

    fn put_together(segments: &[Segment<'static>]) -> Vec<Exchange> {
        let mut connections = Connections::default();
        segments.iter().for_each(|one| connections.take(*one));
        connections.exchanges()
    }

    #[test]
    fn what_comes_twice_or_out_of_order_is_heard_once_and_in_order() {
        let near_the_end = u32::MAX - 2;
        let exchanges = put_together(&[
            opening(4000, 80, near_the_end, false),
            opening(80, 4000, 9, true),
            segment(4000, 80, near_the_end.wrapping_add(4), b"def"),
            segment(4000, 80, near_the_end.wrapping_add(1), b"abc"),
            segment(4000, 80, near_the_end.wrapping_add(2), b"bcde"),
            segment(80, 4000, 10, b"yes"),
        ]);
        let [exchange] = exchanges.as_slice() else {
            panic!("{exchanges:?}")
        };
        assert_eq!(exchange.asked.octets, b"abcdef");
        assert_eq!(exchange.answered.octets, b"yes");
        assert_eq!(exchange.port, Some(80));
        assert!(!exchange.asked.is_cut);
    }

    #[test]
    fn behind_a_gap_nothing_is_known() {
        let exchanges = put_together(&[segment(4000, 80, 5, b"ab"), segment(4000, 80, 8, b"d")]);
        assert_eq!(exchanges[0].asked.octets, b"ab");
        assert!(exchanges[0].asked.is_cut);
    }

    #[test]
    fn a_port_that_is_used_again_is_another_connection() {
        let exchanges = put_together(&[
            opening(4000, 80, 1, false),
            segment(4000, 80, 2, b"a"),
            opening(4000, 80, 70, false),
            opening(4000, 80, 70, false),
            segment(4000, 80, 71, b"b"),
        ]);
        assert_eq!(exchanges.len(), 2);
        assert_eq!(exchanges[1].asked.octets, b"b");
    }
}
