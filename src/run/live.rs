//! One live connection of a script.

use super::log::Log;
use super::unread::unread;
use crate::script::Conn;
use crate::transcript::Seen;
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Octets taken from a socket at a time.
const READ: usize = 64 << 10;

/// Room for what has arrived and is not read, on a connection that will stop reading: small, so that
/// the server soon notices.
const SMALL_BUFFER: usize = 16 << 10;

/// A connection whose incoming octets are noted by a task of its own.
#[derive(Debug)]
pub(super) struct Live {
    conn: Conn,
    stream: Arc<TcpStream>,
    log: Arc<Log>,
    reading: watch::Sender<bool>,
    reader: JoinHandle<()>,
}

/// How sending went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Done,
    /// The peer has ended the connection.
    Ended,
    /// The peer took nothing for as long as it was given; so many octets are left.
    Blocked {
        left: usize,
    },
}

/// Connects within that time.
pub(super) async fn connect(
    address: SocketAddr,
    limit: Duration,
    is_slow_reader: bool,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if is_slow_reader {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    socket.set_nonblocking(true)?;
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(address);
    let stream = timeout(limit, connecting)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer"))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether a connection was made and then reset before anybody could look at it.
pub(super) fn was_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

impl Live {
    /// Notes whatever comes on that connection.
    pub(super) fn new(conn: Conn, stream: TcpStream, log: &Arc<Log>) -> Self {
        let stream = Arc::new(stream);
        let (reading, gate) = watch::channel(true);
        let reader = tokio::spawn(read(conn, Arc::clone(&stream), Arc::clone(log), gate));
        Self {
            conn,
            stream,
            log: Arc::clone(log),
            reading,
            reader,
        }
    }

    /// Sends a segment. It is noted first, so that no reply can seem to come before it.
    pub(super) async fn send(&self, octets: &[u8], limit: Duration) -> Sending {
        self.log.note(self.conn, Seen::Sent(octets.len()));
        self.push(octets, limit).await
    }

    /// Sends octets of a segment that has been noted.
    pub(super) async fn push(&self, octets: &[u8], limit: Duration) -> Sending {
        let mut rest = octets;
        while !rest.is_empty() {
            match timeout(limit, self.stream.writable()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Sending::Ended,
                Err(_) => return Sending::Blocked { left: rest.len() },
            }
            match self.stream.try_write(rest) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Sending::Ended,
            }
        }
        Sending::Done
    }

    /// Ends the sending side.
    pub(super) fn fin(&self) {
        self.log.note(self.conn, Seen::ClientFin);
        // A peer that has reset the connection makes this fail, and the reader notes that.
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
    }

    /// Reads no more, or reads again.
    pub(super) fn set_reading(&self, reads: bool) {
        let seen = if reads { Seen::Resumed } else { Seen::Stalled };
        self.log.note(self.conn, seen);
        self.reading.send_replace(reads);
    }

    /// How many octets the server has still to read, if that can be told.
    pub(super) fn unread(&self) -> Option<u32> {
        unread(&self.stream)
    }

    pub(super) fn is_reading(&self) -> bool {
        *self.reading.borrow()
    }

    /// Resets the connection.
    pub(super) async fn rst(self) {
        self.log.note(self.conn, Seen::ClientRst);
        self.reset_quietly().await;
    }

    /// Resets the connection without noting it.
    pub(super) async fn reset_quietly(self) {
        // With nothing to linger for, closing discards what is unsent and resets.
        let _ = SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO));
        self.reader.abort();
        // The task holds the socket too; it has let go of it when it is joined.
        let _ = self.reader.await;
    }

    /// Ends the connection without noting anything more, and gives the peer that long to end it too.
    /// If it does not, the connection is reset, so that nothing of it weighs on what comes next.
    pub(super) async fn end_quietly(self, limit: Duration) {
        let Self { stream, reader, .. } = self;
        reader.abort();
        let _ = reader.await;
        let _ = SockRef::from(&*stream).shutdown(Shutdown::Write);
        if timeout(limit, discard(&stream)).await.is_err() {
            let _ = SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Reads until the peer has ended the connection, and keeps nothing.
async fn discard(stream: &TcpStream) {
    let mut buffer = [0; 4096];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(taken) if taken > 0 => {}
            _ => return,
        }
    }
}

/// Notes what comes until the connection ends or there is no more room.
async fn read(conn: Conn, stream: Arc<TcpStream>, log: Arc<Log>, mut gate: watch::Receiver<bool>) {
    let mut buffer = vec![0; READ];
    loop {
        if gate.wait_for(|reads| *reads).await.is_err() {
            return;
        }
        tokio::select! {
            biased;
            _ = gate.changed() => continue,
            ready = stream.readable() => if ready.is_err() { return log.note(conn, Seen::Rst) },
        }
        match stream.try_read(&mut buffer) {
            Ok(0) => return log.note(conn, Seen::Fin),
            Ok(taken) => {
                if !log.received(conn, buffer.get(..taken).unwrap_or_default()) {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return log.note(conn, Seen::Rst),
        }
    }
}
