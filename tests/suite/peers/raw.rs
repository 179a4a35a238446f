//! A client that knows nothing of the crate: a socket, and frames put together by hand.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take. A guard against hangs, not a measure.
const HANG: Duration = Duration::from_secs(30);

/// How the two wire formats differ, written down once more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) chunk: usize,
    header: fn(u32) -> [u8; 4],
    length: fn([u8; 4]) -> u32,
}

pub(crate) const TUTORIAL: Format = Format {
    name: "tutorial",
    chunk: 60,
    header: u32::to_be_bytes,
    length: u32::from_be_bytes,
};

pub(crate) const CHUNK_COUNT: Format = Format {
    name: "chunk-count",
    chunk: 4,
    header: |length| (length / 4).to_le_bytes(),
    length: |header| u32::from_le_bytes(header).saturating_mul(4),
};

impl Format {
    pub(crate) fn header(&self, length: u32) -> [u8; 4] {
        (self.header)(length)
    }

    pub(crate) fn frame(&self, payload: &str) -> Vec<u8> {
        let mut body = payload.as_bytes().to_vec();
        body.resize(body.len().next_multiple_of(self.chunk), 0);
        let length = u32::try_from(body.len()).expect("frames of tests are small");
        [self.header(length).as_slice(), &body].concat()
    }
}

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// A whole reply: its payload.
    Reply(String),
    /// The peer has ended its stream, so many octets into a frame.
    Fin(usize),
    /// The peer has reset the connection.
    Rst,
}

/// A connection.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    format: Format,
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr, format: Format) -> Self {
        let stream = TcpStream::connect_timeout(&address, HANG).expect("the peer listens");
        stream.set_nodelay(true).expect("an option of every socket");
        stream.set_read_timeout(Some(HANG)).expect("a time above 0");
        stream
            .set_write_timeout(Some(HANG))
            .expect("a time above 0");
        Self { stream, format }
    }

    /// Sends; that the peer has gone shows when the answer is read.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets);
    }

    pub(crate) fn request(&mut self, payload: &str) {
        let frame = self.format.frame(payload);
        self.send(&frame);
    }

    pub(crate) fn fin(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    pub(crate) fn come(&mut self) -> Came {
        let mut header = [0; 4];
        if let Err(came) = self.fill(&mut header, 0) {
            return came;
        }
        let mut body = vec![0; (self.format.length)(header) as usize];
        if let Err(came) = self.fill(&mut body, header.len()) {
            return came;
        }
        let payload = String::from_utf8_lossy(&body);
        Came::Reply(payload.trim_end_matches('\0').to_owned())
    }

    /// Fills `octets`, before which so many of the frame have come.
    pub(crate) fn fill(&mut self, octets: &mut [u8], before: usize) -> Result<(), Came> {
        let mut filled = 0;
        while filled < octets.len() {
            match self.stream.read(&mut octets[filled..]) {
                Ok(0) => return Err(Came::Fin(before + filled)),
                Ok(more) => filled += more,
                Err(error) if is_reset(&error) => return Err(Came::Rst),
                Err(error) => panic!("nothing came: {error}"),
            }
        }
        Ok(())
    }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}
