//! IP, as far as a capture needs it.

use std::net::IpAddr;

/// What is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Where the checksum is in what is carried.
    const fn checksum_at(self) -> usize {
        match self {
            Self::Tcp => 16,
            Self::Udp => 6,
        }
    }
}

/// Puts an IP header in front of a segment or datagram, and the checksum into it.
pub(super) fn packet(
    protocol: Protocol,
    source: IpAddr,
    target: IpAddr,
    mut carried: Vec<u8>,
) -> Vec<u8> {
    let mut addresses = octets_of(source);
    addresses.extend(octets_of(target));
    let len = u16::try_from(carried.len()).unwrap_or(u16::MAX);
    let mut pseudo = addresses.clone();
    pseudo.extend(u32::from(len).to_be_bytes());
    pseudo.extend(u32::from(protocol.number()).to_be_bytes());
    let sum = checksum(&[&pseudo, &carried]);
    put(&mut carried, protocol.checksum_at(), sum);
    let mut packet = if source.is_ipv4() {
        ipv4_header(protocol, len, &addresses)
    } else {
        ipv6_header(protocol, len, &addresses)
    };
    packet.extend(carried);
    packet
}

fn octets_of(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn ipv4_header(protocol: Protocol, len: u16, addresses: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend(len.saturating_add(20).to_be_bytes());
    // No identification, never fragmented; then the time to live, and room for the checksum.
    header.extend([0, 0, 0x40, 0, 64, protocol.number(), 0, 0]);
    header.extend(addresses);
    let sum = checksum(&[&header]);
    put(&mut header, 10, sum);
    header
}

fn ipv6_header(protocol: Protocol, len: u16, addresses: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(len.to_be_bytes());
    header.extend([protocol.number(), 64]);
    header.extend(addresses);
    header
}

fn put(octets: &mut [u8], at: usize, value: u16) {
    for (octet, value) in octets.iter_mut().skip(at).zip(value.to_be_bytes()) {
        *octet = value;
    }
}

/// The Internet checksum over parts, of which all but the last are of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let word = match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            [high] => u16::from_be_bytes([*high, 0]),
            _ => 0,
        };
        sum = sum.saturating_add(u32::from(word));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff).saturating_add(sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}
