//! Files of packets, pcap and pcapng: from links to segments of TCP.

use super::tcp::{Connections, Segment};
use super::{CaptureError, Exchange};
use etherparse::{EtherType, NetSlice, SlicedPacket, TransportSlice};
use pcap_parser::nom::Err as Stop;
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{
    Block, Linktype, PcapBlockOwned, PcapError, PcapNGSlice, parse_pcap_frame, parse_pcap_frame_be,
    parse_pcap_header,
};
use std::net::{IpAddr, SocketAddr};

/// How files of packets begin.
const BEGINNINGS: [[u8; 4]; 5] = [
    [0x0a, 0x0d, 0x0d, 0x0a],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
];

/// Octets that a loopback device puts in front of an IP packet, for the family it is of.
const FAMILY: usize = 4;

/// Octets of the header of Linux's cooked captures of the second version; the first two are the protocol.
const COOKED: usize = 20;

/// A packet, and what link it was captured on.
type Packet<'a> = (Linktype, &'a [u8]);

/// Whether a file is one of packets.
pub(super) fn are_in(file: &[u8]) -> bool {
    BEGINNINGS
        .iter()
        .any(|beginning| file.starts_with(beginning))
}

/// What was said on the connections in such a file. One that ends inside a packet ends there.
pub(super) fn exchanges(file: &[u8]) -> Result<Vec<Exchange>, CaptureError> {
    let is_newer = file.starts_with(&BEGINNINGS[0]);
    let packets = if is_newer { newer(file) } else { older(file) }?;
    let mut connections = Connections::default();
    let segments = packets.iter().filter_map(segment);
    segments.for_each(|segment| connections.take(segment));
    let exchanges = connections.exchanges();
    match exchanges.is_empty() {
        true => Err(CaptureError::NoTcp {
            packets: packets.len(),
        }),
        false => Ok(exchanges),
    }
}

/// The packets of a pcap file.
fn older(file: &[u8]) -> Result<Vec<Packet<'_>>, CaptureError> {
    let (mut rest, header) = parse_pcap_header(file).map_err(|stop| broken(&stop))?;
    let frame = match header.is_bigendian() {
        true => parse_pcap_frame_be,
        false => parse_pcap_frame,
    };
    let mut packets = Vec::new();
    while let Ok((behind, packet)) = frame(rest) {
        packets.push((header.network, packet.data));
        rest = behind;
    }
    Ok(packets)
}

/// The packets of a pcapng file.
fn newer(file: &[u8]) -> Result<Vec<Packet<'_>>, CaptureError> {
    let blocks = PcapNGSlice::from_slice(file).map_err(|stop| broken(&stop))?;
    let (mut packets, mut links) = (Vec::new(), Vec::new());
    for block in blocks {
        match block {
            Ok(PcapBlockOwned::NG(Block::SectionHeader(_))) => links.clear(),
            Ok(PcapBlockOwned::NG(Block::InterfaceDescription(interface))) => {
                links.push(interface.linktype);
            }
            Ok(PcapBlockOwned::NG(Block::EnhancedPacket(packet))) => {
                let link = usize::try_from(packet.if_id)
                    .ok()
                    .and_then(|at| links.get(at));
                let octets = packet.data.get(..packet.packet_data().len());
                packets.extend(link.copied().zip(octets));
            }
            Ok(_) => {}
            Err(Stop::Incomplete(_)) => break,
            Err(stop) if packets.is_empty() => return Err(broken(&stop)),
            Err(_) => break,
        }
    }
    Ok(packets)
}

fn broken(stop: &Stop<PcapError<&[u8]>>) -> CaptureError {
    CaptureError::Broken(match stop {
        Stop::Incomplete(_) => "it ends too early".to_owned(),
        Stop::Error(error) | Stop::Failure(error) => match error {
            PcapError::NomError(rest, _) => format!("{} octets in front of its end", rest.len()),
            other => other.to_string(),
        },
    })
}

/// What of a packet belongs to TCP.
fn segment<'a>(&(link, octets): &Packet<'a>) -> Option<Segment<'a>> {
    let packet = match link {
        Linktype::ETHERNET => SlicedPacket::from_ethernet(octets),
        Linktype::LINUX_SLL => SlicedPacket::from_linux_sll(octets),
        Linktype::LINUX_SLL2 => {
            let (header, packet) = octets.split_at_checked(COOKED)?;
            let kind = EtherType(u16::from_be_bytes(*header.first_chunk()?));
            SlicedPacket::from_ether_type(kind, packet)
        }
        Linktype::NULL | Linktype::LOOP => SlicedPacket::from_ip(octets.get(FAMILY..)?),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 => SlicedPacket::from_ip(octets),
        _ => return None,
    };
    let packet = packet.ok()?;
    let (from, to) = ends(packet.net.as_ref()?)?;
    let TransportSlice::Tcp(tcp) = packet.transport? else {
        return None;
    };
    Some(Segment {
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        syn: tcp.syn(),
        ack: tcp.ack(),
        octets: tcp.payload(),
    })
}

fn ends(net: &NetSlice<'_>) -> Option<(IpAddr, IpAddr)> {
    match net {
        NetSlice::Ipv4(ip) => Some((
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        )),
        NetSlice::Ipv6(ip) => Some((
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        )),
        NetSlice::Arp(_) => None,
    }
}
