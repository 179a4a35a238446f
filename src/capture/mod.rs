//! Captures: connections as files have them, be it packets (pcap and pcapng), a hex dump or the octets themselves.

mod hex;
mod packets;
mod tcp;

/// The most octets of a file that are looked at.
pub const MOST_OCTETS: usize = 256 << 20;

/// The most octets that are kept of one side of a connection: the rest says no more of how it is framed.
pub const MOST_KEPT: usize = 4 << 20;

/// The most connections that are kept.
pub const MOST_CONNECTIONS: usize = 1000;

/// What one side of a connection said, from its first octet on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The octets, at most [`MOST_KEPT`] of them.
    pub octets: Vec<u8>,
    /// Where the segments end in which they came, as far as that is known.
    pub ends: Vec<usize>,
    /// Whether more came that is not there: the capture ends before the connection does, or misses a segment.
    pub is_cut: bool,
}

/// One connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// What the client said; of a file that does not tell, what anybody said.
    pub asked: Said,
    /// What the server said.
    pub answered: Said,
    /// The port of the server, if it is known.
    pub port: Option<u16>,
    /// Whose segments came in which order, for the first of them.
    pub order: Vec<Speaker>,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Who has connected.
    Client,
    /// Whom it has connected to.
    Server,
}

/// How many segments of a connection are told in order.
const MOST_ORDERED: usize = 16;

/// Why a file has no connections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is larger than [`MOST_OCTETS`].
    #[error("it has more than {} MiB", MOST_OCTETS >> 20)]
    TooLarge,
    /// It begins as a file of packets, and does not go on as one.
    #[error("it begins as a file of packets and cannot be read as one: {0}")]
    Broken(String),
    /// Its packets hold nothing that was said over TCP.
    #[error("none of its {packets} packets holds anything that was said over TCP")]
    NoTcp {
        /// Packets in it.
        packets: usize,
    },
    /// It is a dump in which lines that repeat are left out.
    #[error(
        "line {line}: a dump that leaves repeated lines out cannot be read; hexdump -v and xxd write all"
    )]
    Folded {
        /// The line, counted from 1.
        line: usize,
    },
}

/// The connections in a file: one that begins as pcap or pcapng is read as such, one that is text and nothing
/// but a hex dump as that, and of any other the octets are what was said.
///
/// In a hex dump, lines that begin with `>` are the client's and those with `<` the server's; each such line is a
/// segment.
///
/// ```
/// let exchanges = framespec::capture::read(b"> 00 00 00 02 68 69\n< 00 00 00 00\n")?;
/// assert_eq!(exchanges[0].asked.octets, b"\0\0\0\x02hi");
/// # Ok::<(), framespec::capture::CaptureError>(())
/// ```
///
/// # Errors
/// If there is nothing in it, or nothing that can be read.
pub fn read(file: &[u8]) -> Result<Vec<Exchange>, CaptureError> {
    if file.is_empty() {
        return Err(CaptureError::Empty);
    }
    if file.len() > MOST_OCTETS {
        return Err(CaptureError::TooLarge);
    }
    if packets::are_in(file) {
        return packets::exchanges(file);
    }
    let exchange = match hex::read(file)? {
        Some(exchange) => exchange,
        None => raw(file),
    };
    Ok(vec![exchange])
}

fn raw(file: &[u8]) -> Exchange {
    let mut asked = Said::default();
    asked.hear(file);
    asked.ends.clear();
    Exchange {
        asked,
        ..Exchange::default()
    }
}

impl Said {
    /// Takes a segment, as far as there is room for it.
    fn hear(&mut self, segment: &[u8]) {
        let room = MOST_KEPT.saturating_sub(self.octets.len());
        let kept = segment.get(..room).unwrap_or(segment);
        self.octets.extend_from_slice(kept);
        if kept.len() < segment.len() {
            self.is_cut = true;
        } else if !kept.is_empty() {
            self.ends.push(self.octets.len());
        }
    }
}
