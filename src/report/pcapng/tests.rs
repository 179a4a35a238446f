//! The capture read back by a reader written for the purpose.

use super::tcp::Conversation;
use super::*;
use crate::report::fixture;
use std::collections::HashMap;

/// A packet as read back: times, ends, flags, numbers and data.
#[derive(Debug)]
struct Read {
    at_us: u64,
    ends: (u16, u16),
    flags: u8,
    seq: u32,
    ack: u32,
    data: Vec<u8>,
    comments: Vec<String>,
}

fn le32(octets: &[u8], at: usize) -> usize {
    u32::from_le_bytes(octets[at..at + 4].try_into().unwrap()) as usize
}

fn be16(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(octets[at..at + 2].try_into().unwrap())
}

fn be32(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(octets[at..at + 4].try_into().unwrap())
}

fn written(run: &Run) -> Vec<u8> {
    let mut file = Vec::new();
    write(run, &mut file).unwrap();
    file
}

fn blocks(mut file: &[u8]) -> Vec<(usize, &[u8])> {
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let len = le32(file, 4);
        assert_eq!(len % 4, 0);
        assert_eq!(le32(file, len - 4), len);
        blocks.push((le32(file, 0), &file[8..len - 4]));
        file = &file[len..];
    }
    blocks
}

fn comments(mut options: &[u8]) -> Vec<String> {
    let mut comments = Vec::new();
    while options.len() >= 4 {
        let code = u16::from_le_bytes([options[0], options[1]]);
        let len = usize::from(u16::from_le_bytes([options[2], options[3]]));
        if code == 1 {
            comments.push(String::from_utf8(options[4..4 + len].to_vec()).unwrap());
        }
        options = &options[4 + len.next_multiple_of(4)..];
    }
    comments
}

/// The sum over all words, the checksum included, is all ones.
fn is_sum_right(parts: &[&[u8]]) -> bool {
    let mut sum = 0_u64;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}

fn packet(body: &[u8]) -> Read {
    let len = le32(body, 12);
    assert_eq!(len, le32(body, 16));
    let ip = &body[20..20 + len];
    let (addresses, tcp) = match ip[0] >> 4 {
        4 => {
            assert!(is_sum_right(&[&ip[..20]]));
            assert_eq!(usize::from(be16(ip, 2)), ip.len());
            (&ip[12..20], &ip[20..])
        }
        6 => {
            assert_eq!(usize::from(be16(ip, 4)), ip.len() - 40);
            (&ip[8..40], &ip[40..])
        }
        version => panic!("IP version {version}"),
    };
    let pseudo = [0, 6, (tcp.len() >> 8) as u8, tcp.len() as u8];
    assert!(is_sum_right(&[addresses, &pseudo, tcp]));
    Read {
        at_us: (le32(body, 4) as u64) << 32 | le32(body, 8) as u64,
        ends: (be16(tcp, 0), be16(tcp, 2)),
        flags: tcp[13],
        seq: be32(tcp, 4),
        ack: be32(tcp, 8),
        data: tcp[usize::from(tcp[12] >> 4) * 4..].to_vec(),
        comments: comments(&body[20 + len.next_multiple_of(4)..]),
    }
}

fn packets(run: &Run) -> Vec<Read> {
    let file = written(run);
    let blocks = blocks(&file);
    assert_eq!(blocks[0].0, 0x0a0d_0d0a);
    assert_eq!(blocks[1].0, 1);
    blocks[2..]
        .iter()
        .map(|(kind, body)| {
            assert_eq!(*kind, 6);
            packet(body)
        })
        .collect()
}

/// Follows every connection as a receiver would, and gives back the octets of each direction.
fn streams(packets: &[Read]) -> HashMap<(u16, u16), Vec<u8>> {
    let mut next: HashMap<(u16, u16), u32> = HashMap::new();
    let mut streams: HashMap<(u16, u16), Vec<u8>> = HashMap::new();
    for packet in packets {
        let (from, to) = packet.ends;
        if packet.flags & 0x02 != 0 {
            next.insert((from, to), packet.seq);
        }
        assert_eq!(packet.seq, next[&(from, to)], "{packet:?}");
        if packet.flags & 0x10 != 0 {
            assert_eq!(Some(&packet.ack), next.get(&(to, from)), "{packet:?}");
        }
        let counted = packet.data.len() as u32 + u32::from(packet.flags & 0x03 != 0);
        *next.get_mut(&(from, to)).unwrap() += counted;
        streams.entry((from, to)).or_default().extend(&packet.data);
    }
    streams
}

#[test]
fn every_connection_can_be_followed_and_carries_what_was_sent_and_seen() {
    for target in [
        "127.0.0.1:7000",
        "[::1]:7001",
        "server.example:7002",
        "nonsense",
    ] {
        let mut run = fixture::run();
        run.started.target = target.into();
        let packets = packets(&run);
        let streams = streams(&packets);
        let port = target.rsplit(':').next().unwrap().parse().unwrap_or(7000);
        let mut client = 49_152;
        for result in &run.results {
            let Some(evidence) = &result.evidence else {
                continue;
            };
            for conn in ["a", "b"] {
                let of = |side| -> Vec<u8> {
                    evidence
                        .timeline
                        .iter()
                        .filter(|moment| moment.conn == conn)
                        .filter_map(|moment| match (&moment.what, side) {
                            (What::Sent { octets }, Side::Client)
                            | (What::Received { octets }, Side::Server) => Some(octets.clone()),
                            _ => None,
                        })
                        .flatten()
                        .collect()
                };
                if of(Side::Client).is_empty() {
                    continue;
                }
                assert_eq!(streams[&(client, port)], of(Side::Client));
                assert_eq!(streams[&(port, client)], of(Side::Server));
                client += 1;
            }
        }
        let connections = usize::from(client - 49_152);
        assert!(connections > 0);
        assert_eq!(streams.len(), 2 * connections);
    }
}

#[test]
fn times_never_go_back_and_begin_with_the_run() {
    let packets = packets(&fixture::run());
    assert_eq!(packets[0].at_us, 1_764_000_000_000_000);
    assert!(packets.is_sorted_by_key(|packet| packet.at_us));
}

#[test]
fn comments_name_the_case_and_are_harmless() {
    let packets = packets(&fixture::run());
    let comments: Vec<&String> = packets.iter().flat_map(|packet| &packet.comments).collect();
    for begin in [
        "case reassembly/octet-by-octet: fail: connection a: no reply",
        "case boundary/two-at-once: fail",
        "connection b begins",
        "connection a: nothing for 5 s: given up",
    ] {
        assert!(
            comments.iter().any(|comment| comment.starts_with(begin)),
            "{begin}"
        );
    }
    for comment in comments {
        assert!(
            comment.chars().all(crate::report::escape::is_harmless),
            "{comment}"
        );
    }
}

#[test]
fn what_follows_an_end_makes_no_packet() {
    let address = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let mut conversation = Conversation::new(address(50_000), address(7_000));
    assert_eq!(conversation.data(Side::Client, &[1; 40_000]).len(), 3 + 4);
    assert_eq!(conversation.fin(Side::Client).len(), 2);
    assert_eq!(conversation.data(Side::Client, b"x").len(), 0);
    assert_eq!(conversation.fin(Side::Client).len(), 0);
    assert_eq!(conversation.data(Side::Server, b"x").len(), 2);
    assert_eq!(conversation.rst(Side::Server).len(), 1);
    assert_eq!(conversation.rst(Side::Client).len(), 0);
    assert_eq!(conversation.data(Side::Server, b"x").len(), 0);
    let mut refused = Conversation::new(address(50_001), address(7_000));
    assert_eq!(refused.rst(Side::Server).len(), 2);
}

#[test]
fn a_run_without_evidence_is_a_whole_and_empty_file() {
    assert_eq!(packets(&fixture::full_pass()).len(), 0);
}

/// Each datagram is a packet of its own, an empty one too, and nothing else is.
#[test]
fn datagrams_are_those_of_udp() {
    let moment = |what| Moment {
        at_us: 0,
        conn: "a".into(),
        what,
    };
    let mut run = fixture::run();
    run.started.datagrams = true;
    run.started.target = "udp:[::1]:7001".into();
    run.results.truncate(1);
    run.results[0].evidence = Some(Evidence {
        timeline: vec![
            moment(What::Connected),
            moment(What::Sent { octets: vec![1; 9] }),
            moment(What::Received { octets: Vec::new() }),
            moment(What::Rst),
        ],
        ..Evidence::default()
    });
    let file = written(&run);
    let blocks = blocks(&file);
    let datagrams = blocks[2..].iter().map(|(_, body)| {
        let len = le32(body, 12);
        let (header, datagram) = body[20..20 + len].split_at(20);
        assert!(is_sum_right(&[header]));
        assert_eq!((header[9], be16(header, 2)), (17, len as u16));
        let octets = be16(datagram, 4);
        assert_eq!(usize::from(octets), datagram.len());
        let pseudo = [0, 17, 0, octets as u8];
        assert!(is_sum_right(&[&header[12..20], &pseudo, datagram]));
        let ends = (be16(datagram, 0), be16(datagram, 2));
        (ends, datagram[8..].to_vec())
    });
    let expected = [((49_152, 7001), vec![1; 9]), ((7001, 49_152), Vec::new())];
    assert_eq!(datagrams.collect::<Vec<_>>(), expected);
}
