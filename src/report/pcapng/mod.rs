//! What was sent and seen, as a capture that Wireshark opens.
//!
//! The packets are made up: the octets, their cuts, their order and their times are those of the
//! timelines, and TCP over a loopback address is put around them, with handshake, sequence numbers,
//! acknowledgements and checksums; or UDP, where frames were carried by datagrams. So no privilege is needed, and nothing else is in the capture.
//! Packet comments name the case, its verdict, the connection, and what was noted.
//!
//! Cases follow each other, each on connections of its own, in the order of the table; only those
//! whose timeline was kept are there.

mod blocks;
mod ip;
mod talk;
mod tcp;
mod udp;

use super::escape::Line;
use super::tally::Mark;
use crate::event::{CaseResult, Evidence, Moment, Run, Side, Started, What};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use talk::Talk;

/// Time between the last packet of a case and the first of the next, in microseconds.
const GAP_US: u64 = 1_000;

/// The first port that clients have.
const FIRST_CLIENT_PORT: u16 = 49_152;

/// How many ports clients have.
const CLIENT_PORTS: u32 = 16_000;

/// The server's port where the target names none.
const SERVER_PORT: u16 = 7_000;

/// A packet on its way into the file.
struct Packet {
    at_us: u64,
    octets: Vec<u8>,
    comments: Vec<String>,
}

/// Writes the timelines of a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    blocks::section(&format!("framespec {}", Line(&run.started.version)), out)?;
    blocks::interface("lo", out)?;
    let mut ends = Ends::new(&run.started);
    let mut base = run.started.unix_ms.unwrap_or(0).saturating_mul(1000);
    for result in &run.results {
        let Some(evidence) = &result.evidence else {
            continue;
        };
        let packets = packets(result, evidence, &mut ends);
        for packet in &packets {
            let at_us = base.saturating_add(packet.at_us);
            blocks::packet(at_us, &packet.octets, &packet.comments, out)?;
        }
        let last = packets.last().map_or(0, |packet| packet.at_us);
        base = base.saturating_add(last).saturating_add(GAP_US);
    }
    Ok(())
}

/// The addresses of connections: the server's is always the same, every client has its own.
struct Ends {
    server: SocketAddr,
    clients: u32,
    datagrams: bool,
}

impl Ends {
    fn new(started: &Started) -> Self {
        let target = started.target.as_str();
        let server = target.parse().unwrap_or_else(|_| {
            let port = target.rsplit(':').next().and_then(|port| port.parse().ok());
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.unwrap_or(SERVER_PORT))
        });
        let ip: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        Self {
            server: SocketAddr::new(ip, server.port()),
            clients: 0,
            datagrams: started.datagrams,
        }
    }

    fn next(&mut self) -> Talk {
        let number = self.clients;
        self.clients = number.saturating_add(1);
        let port = u16::try_from(number % CLIENT_PORTS).unwrap_or(0);
        let mut port = FIRST_CLIENT_PORT.saturating_add(port);
        if port == self.server.port() {
            port = u16::MAX;
        }
        let round = u8::try_from((number / CLIENT_PORTS) % 256).unwrap_or(0);
        let ip: IpAddr = match self.server {
            SocketAddr::V4(_) => Ipv4Addr::new(127, 0, round, 1).into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        let (client, server) = (SocketAddr::new(ip, port), self.server);
        match self.datagrams {
            true => Talk::Datagrams { client, server },
            false => Talk::Stream(tcp::Conversation::new(client, server)),
        }
    }
}

/// The packets of a case.
fn packets(result: &CaseResult, evidence: &Evidence, ends: &mut Ends) -> Vec<Packet> {
    let mut case = Case {
        ends,
        conversations: Vec::new(),
        packets: Vec::new(),
        pending: vec![title(result)],
    };
    for moment in &evidence.timeline {
        case.moment(moment);
    }
    case.packets
}

fn title(result: &CaseResult) -> String {
    let mut title = format!("case {}: {}", Line(&result.id), Mark::of(result));
    if !result.detail.is_empty() {
        title.push_str(": ");
        title.push_str(&Line(&result.detail.shown()).to_string());
    }
    title
}

/// A case whose packets are being made.
struct Case<'a> {
    ends: &'a mut Ends,
    conversations: Vec<(&'a str, Talk)>,
    packets: Vec<Packet>,
    /// Comments that wait for a packet.
    pending: Vec<String>,
}

impl<'a> Case<'a> {
    fn moment(&mut self, moment: &'a Moment) {
        let made = match &moment.what {
            What::Connected => {
                self.pending
                    .push(format!("connection {} begins", Line(&moment.conn)));
                self.with(&moment.conn, Talk::open)
            }
            What::Sent { octets } => self.with(&moment.conn, |c| c.data(Side::Client, octets)),
            What::Received { octets } => self.with(&moment.conn, |c| c.data(Side::Server, octets)),
            What::ClientFin => self.with(&moment.conn, |c| c.fin(Side::Client)),
            What::ClientRst => self.with(&moment.conn, |c| c.rst(Side::Client)),
            What::Fin => self.with(&moment.conn, |c| c.fin(Side::Server)),
            What::Rst => self.with(&moment.conn, |c| c.rst(Side::Server)),
            What::Note { text } => return self.note(&moment.conn, &text.shown()),
        };
        let behind = self.packets.last().map_or(0, |packet| packet.at_us);
        let at_us = moment.at_us.max(behind);
        for octets in made {
            self.packets.push(Packet {
                at_us,
                octets,
                comments: std::mem::take(&mut self.pending),
            });
        }
    }

    /// What a conversation makes of it; one that was never begun is begun first.
    fn with(
        &mut self,
        conn: &'a str,
        done: impl FnOnce(&mut Talk) -> Vec<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        let known = self
            .conversations
            .iter()
            .position(|(name, _)| *name == conn);
        let index = known.unwrap_or(self.conversations.len());
        if known.is_none() {
            self.conversations.push((conn, self.ends.next()));
        }
        match self.conversations.get_mut(index) {
            Some((_, conversation)) => done(conversation),
            None => Vec::new(),
        }
    }

    /// A note belongs to the packet that it came behind.
    fn note(&mut self, conn: &str, text: &str) {
        let note = format!("connection {}: {}", Line(conn), Line(text));
        match self.packets.last_mut() {
            Some(packet) => packet.comments.push(note),
            None => self.pending.push(note),
        }
    }
}

#[cfg(test)]
mod tests;
