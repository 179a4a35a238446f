//! One half of an altered client: what it takes to send, or to receive.

use super::hooks::{End, Steps};
use super::shared::Shared;
use crate::altered::alteration;
use crate::profile::{Profile, Speaker};
use crate::transport;
use crate::wire::{Prologue, PrologueStep};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The most that one read brings.
const ROOM: usize = 64 << 10;

/// The steps of a client.
pub type Hooks = Steps<Half>;

/// What a client does differently.
pub type Alteration = alteration::Alteration<Hooks>;

/// What a client does differently in several ways at once.
pub type Alterations = alteration::Alterations<Hooks>;

/// One deviation of a client.
pub type Fault = alteration::Fault<Hooks>;

/// A client that is different as it may be.
pub type Variant = alteration::Variant<Hooks>;

/// What an altered step remembers until the next. One that is not altered leaves it alone.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) octets: Vec<u8>,
    pub(crate) count: usize,
    pub(crate) flag: bool,
}

/// The half that sends, or the half that receives, or one that does both in turns.
pub struct Half {
    pub(crate) shared: Arc<Shared<Half>>,
    /// Octets that have been read and not been used.
    pub(crate) inbox: Vec<u8>,
    pub(crate) memory: Memory,
}

/// Goes through what a connection begins with.
fn begin(mut stream: &TcpStream, mut prologue: Prologue) -> io::Result<()> {
    loop {
        match prologue.step() {
            PrologueStep::Done => return Ok(()),
            PrologueStep::Send(octets) => stream.write_all(&octets)?,
            PrologueStep::Read(most) => {
                let mut octets = vec![0; most];
                let taken = stream.read(&mut octets)?;
                octets.truncate(taken);
                transport::take(&mut prologue, &octets)?;
            }
        }
    }
}

impl Half {
    pub(super) fn new(shared: Arc<Shared<Self>>) -> Self {
        Self {
            shared,
            inbox: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// The other half of the same client.
    pub(crate) fn other(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// The steps to be taken.
    pub(crate) fn hooks(&self) -> &Hooks {
        &self.shared.hooks
    }

    /// Connects, and forgets the connection before.
    pub(crate) fn connect(&mut self) -> io::Result<()> {
        let stream = TcpStream::connect(&*self.shared.servers)?;
        stream.set_nodelay(true)?;
        begin(&stream, Prologue::new(self.profile(), Speaker::Client))?;
        self.inbox.clear();
        self.shared.set_stream(Some(stream));
        Ok(())
    }

    /// Some octets, at least one and at most so many; none if the server has ended its stream.
    pub(crate) fn recv(&mut self, most: usize) -> Result<Vec<u8>, End> {
        if self.inbox.is_empty() && most > 0 {
            return Ok(self.read(most)?);
        }
        let taken = most.min(self.inbox.len());
        Ok(self.inbox.drain(..taken).collect())
    }

    /// The next octet, if it is here already or comes within a moment.
    pub(crate) fn recv_at_once(&mut self) -> Result<Vec<u8>, End> {
        if self.inbox.is_empty() {
            self.look_ahead(Duration::from_millis(1))?;
        }
        let taken = self.inbox.len().min(1);
        Ok(self.inbox.drain(..taken).collect())
    }

    /// One read of at most so many octets, whatever was read before.
    pub(crate) fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; most.min(ROOM)];
        let taken = (&*self.shared.stream()?).read(&mut buffer)?;
        buffer.truncate(taken);
        Ok(buffer)
    }

    /// So many octets; fewer only if the server has ended its stream.
    pub(crate) fn collect(&mut self, wanted: usize) -> Result<Vec<u8>, End> {
        let mut all = Vec::new();
        while all.len() < wanted {
            let octets = self.recv(wanted.saturating_sub(all.len()))?;
            if octets.is_empty() {
                break;
            }
            all.extend(octets);
        }
        Ok(all)
    }

    /// One read of whatever comes next, put behind what was read before.
    pub(crate) fn fill(&mut self) -> Result<(), End> {
        let inside = !self.inbox.is_empty();
        match self.read(ROOM)? {
            octets if octets.is_empty() => Err(End::Eof { inside }),
            octets => {
                self.inbox.extend(octets);
                Ok(())
            }
        }
    }

    /// Reads what is here already, or comes in that time; whether the server has ended its stream.
    pub(crate) fn look_ahead(&mut self, time: Duration) -> io::Result<bool> {
        self.limit_reads(Some(time))?;
        let came = self.read(ROOM);
        self.limit_reads(None)?;
        match came {
            Ok(octets) => {
                self.inbox.extend(&octets);
                Ok(octets.is_empty())
            }
            Err(error) if is_timeout(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// From now on no read waits longer than that.
    pub(crate) fn limit_reads(&self, time: Option<Duration>) -> io::Result<()> {
        self.shared.stream()?.set_read_timeout(time)
    }

    pub(crate) fn write(&self, octets: &[u8]) -> io::Result<()> {
        (&*self.shared.stream()?).write_all(octets)
    }

    /// Ends the stream to the server, whose replies can still be read.
    pub(crate) fn end_stream(&self) {
        // If there is no connection any more, there is nothing to end.
        let _ = self
            .shared
            .stream()
            .and_then(|stream| stream.shutdown(Shutdown::Write));
    }

    /// Makes the connection end by a reset once its socket is closed.
    pub(crate) fn reset_at_close(&self) {
        let _ = self
            .shared
            .stream()
            .and_then(|stream| socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)));
    }
}

/// Whether a read came to nothing because its time was up.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
