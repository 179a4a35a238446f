//! TCP over IP, as far as a capture needs it.

use super::ip::{self, Protocol};
use crate::event::Side;
use std::net::SocketAddr;

/// The most octets of data in a packet.
const MAX_DATA: usize = 32 << 10;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// Largest segment 65,495; windows scaled by 7, so that none is ever full.
const SYN_OPTIONS: &[u8] = &[2, 4, 0xff, 0xd7, 1, 3, 3, 7];

/// How far a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Reset,
}

/// One end of it.
#[derive(Debug, Clone, Copy)]
struct End {
    address: SocketAddr,
    /// The sequence number of the next octet that it sends.
    next: u32,
    has_ended: bool,
}

/// A connection whose packets are made up. What can no longer be sent makes no packet.
#[derive(Debug)]
pub(super) struct Conversation {
    client: End,
    server: End,
    state: State,
}

impl Conversation {
    pub(super) const fn new(client: SocketAddr, server: SocketAddr) -> Self {
        const fn end(address: SocketAddr) -> End {
            End {
                address,
                next: 1,
                has_ended: false,
            }
        }
        Self {
            client: end(client),
            server: end(server),
            state: State::New,
        }
    }

    /// The handshake.
    pub(super) fn open(&mut self) -> Vec<Vec<u8>> {
        if self.state != State::New {
            return Vec::new();
        }
        self.state = State::Open;
        vec![
            self.packet(Side::Client, SYN, SYN_OPTIONS, &[]),
            self.packet(Side::Server, SYN | ACK, SYN_OPTIONS, &[]),
            self.packet(Side::Client, ACK, &[], &[]),
        ]
    }

    /// Octets, and that they have arrived.
    pub(super) fn data(&mut self, from: Side, octets: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = self.open();
        if !self.can_send(from) {
            return packets;
        }
        for piece in octets.chunks(MAX_DATA) {
            packets.push(self.packet(from, PSH | ACK, &[], piece));
            packets.push(self.packet(other(from), ACK, &[], &[]));
        }
        packets
    }

    /// The end of a stream, and that it has arrived.
    pub(super) fn fin(&mut self, from: Side) -> Vec<Vec<u8>> {
        let mut packets = self.open();
        if !self.can_send(from) {
            return packets;
        }
        packets.push(self.packet(from, FIN | ACK, &[], &[]));
        packets.push(self.packet(other(from), ACK, &[], &[]));
        self.end_mut(from).has_ended = true;
        packets
    }

    /// The end of everything; in a conversation that has not begun, a refusal.
    pub(super) fn rst(&mut self, from: Side) -> Vec<Vec<u8>> {
        if self.state == State::Reset {
            return Vec::new();
        }
        let mut packets = Vec::new();
        if self.state == State::New {
            packets.push(self.packet(Side::Client, SYN, SYN_OPTIONS, &[]));
        }
        packets.push(self.packet(from, RST | ACK, &[], &[]));
        self.state = State::Reset;
        packets
    }

    fn can_send(&self, from: Side) -> bool {
        self.state == State::Open && !self.end(from).has_ended
    }

    const fn end(&self, side: Side) -> &End {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn packet(&mut self, from: Side, flags: u8, options: &[u8], data: &[u8]) -> Vec<u8> {
        let (source, target) = (*self.end(from), *self.end(other(from)));
        let acknowledged = if flags & ACK == 0 { 0 } else { target.next };
        let words = u8::try_from(options.len() / 4).unwrap_or(0);
        let mut tcp = Vec::with_capacity(data.len().saturating_add(40));
        tcp.extend(source.address.port().to_be_bytes());
        tcp.extend(target.address.port().to_be_bytes());
        tcp.extend(source.next.to_be_bytes());
        tcp.extend(acknowledged.to_be_bytes());
        tcp.push(words.saturating_add(5) << 4);
        tcp.push(flags);
        tcp.extend(u16::MAX.to_be_bytes());
        // Checksum and urgent pointer.
        tcp.extend([0; 4]);
        tcp.extend(options);
        tcp.extend(data);
        let ends = u32::from(flags & (SYN | FIN) != 0);
        let sent = u32::try_from(data.len()).unwrap_or(0).wrapping_add(ends);
        self.end_mut(from).next = source.next.wrapping_add(sent);
        ip::packet(Protocol::Tcp, source.address.ip(), target.address.ip(), tcp)
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}
