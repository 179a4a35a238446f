//! UDP over IP, as far as a capture needs it.

use super::ip::{self, Protocol};
use std::net::SocketAddr;

/// The most octets that a datagram carries.
const MOST: usize = 65_507;

/// Octets of the header.
const HEADER: u16 = 8;

/// A datagram from one address to another, of what fits into one.
pub(super) fn packet(source: SocketAddr, target: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let octets = octets.get(..MOST).unwrap_or(octets);
    let len = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    let mut datagram = Vec::with_capacity(octets.len().saturating_add(HEADER.into()));
    datagram.extend(source.port().to_be_bytes());
    datagram.extend(target.port().to_be_bytes());
    datagram.extend(len.saturating_add(HEADER).to_be_bytes());
    // The checksum.
    datagram.extend([0; 2]);
    datagram.extend(octets);
    ip::packet(Protocol::Udp, source.ip(), target.ip(), datagram)
}
