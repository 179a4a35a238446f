//! One live connection, for whichever side.
//!
//! What comes is told to an observer by a task of its own, in the order in which it comes. What is sent is
//! noted by whoever sends.

use super::door::Door;
use super::drained::drained;
use super::unread::unread;
use crate::transport::Stream;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Octets taken from a socket at a time.
const READ: usize = 64 << 10;

/// Room for what has arrived and is not read, on a connection that will stop reading: small, so that
/// the other side soon notices.
const SMALL_BUFFER: usize = 4 << 10;

/// Whoever is told what comes on a connection.
pub(crate) trait ConnectionObserver: Send + 'static {
    /// Octets came; `false` if no more are to be read.
    fn received(&self, octets: &[u8]) -> bool;
    /// The other side has ended its stream.
    fn fin(&self);
    /// The other side has reset the connection.
    fn rst(&self);
}

/// A connection whose incoming octets are told by a task of its own.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    reading: watch::Sender<bool>,
    reader: JoinHandle<()>,
}

/// The stream of a connection. The system tells of a reset once, be it to whoever reads or to whoever
/// writes; to the other it then looks like an orderly end, which it is not.
#[derive(Debug)]
struct Shared {
    stream: Stream,
    /// Whether a writer has been told. Held while the system is asked, so that nobody is told between
    /// the question and the note.
    writer_was_told: Mutex<bool>,
}

impl Shared {
    fn new(stream: Stream) -> Self {
        let writer_was_told = Mutex::new(false);
        Self {
            stream,
            writer_was_told,
        }
    }

    fn told(&self) -> MutexGuard<'_, bool> {
        let told = self.writer_was_told.lock();
        told.unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, octets: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            let mut told = self.told();
            let written = self.stream.poll_write(cx, octets);
            *told |= matches!(&written, Poll::Ready(Err(error)) if was_reset(error));
            written
        })
        .await
    }

    async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.acknowledge_at_once();
        poll_fn(|cx| {
            let told = self.told();
            match self.stream.poll_read(cx, buffer) {
                Poll::Ready(Ok(0)) if *told => {
                    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
                }
                read => read,
            }
        })
        .await
    }
}

/// How sending went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Done,
    /// The peer has ended the connection.
    Ended,
    /// The peer took nothing for as long as it was given; so many octets are left.
    Blocked {
        left: usize,
    },
}

/// Which part of the whole patience the first attempt to connect gets; the next ones get more.
const FIRST_ATTEMPT: u32 = 10;

/// Connects, if that can be done in about that time.
///
/// A server whose queue of new connections is full lets a client's first packet get lost, and the
/// system sends it again only a second later. So a new attempt is made before: it gets in as soon as
/// there is room.
pub(crate) async fn connect(
    door: &Door,
    limit: Duration,
    is_slow_reader: bool,
) -> io::Result<Stream> {
    let room = is_slow_reader.then_some(SMALL_BUFFER);
    let mut patience = limit.checked_div(FIRST_ATTEMPT).unwrap_or(limit);
    while patience < limit {
        let attempt = door.connect(room);
        if let Ok(connected) = timeout(patience, attempt).await {
            return connected;
        }
        patience = patience.saturating_mul(2);
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"))
}

/// Whether a connection was made and then reset before anybody could look at it.
pub(crate) fn was_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

impl Connection {
    /// Tells the observer whatever comes from now on.
    pub(crate) fn new(stream: Stream, observer: impl ConnectionObserver) -> Self {
        stream.send_at_once();
        let shared = Arc::new(Shared::new(stream));
        let (reading, gate) = watch::channel(true);
        let reader = tokio::spawn(read(Arc::clone(&shared), observer, gate));
        Self {
            shared,
            reading,
            reader,
        }
    }

    /// Sends octets, as long as some are taken at least as often as that.
    pub(crate) async fn send(&self, octets: &[u8], limit: Duration) -> Sending {
        let mut rest = octets;
        // A datagram may have none.
        loop {
            match timeout(limit, self.shared.write(rest)).await {
                Ok(Ok(taken)) => rest = rest.get(taken..).unwrap_or_default(),
                Ok(Err(_)) => return Sending::Ended,
                Err(_) => return Sending::Blocked { left: rest.len() },
            }
            if rest.is_empty() {
                return Sending::Done;
            }
        }
    }

    /// Ends the sending side.
    pub(crate) async fn fin(&self) {
        // A peer that has reset the connection makes this fail, and the observer is told of that.
        let _ = self.shared.stream.end().await;
    }

    /// Reads no more, or reads again.
    pub(crate) fn set_reading(&self, reads: bool) {
        self.reading.send_replace(reads);
    }

    pub(crate) fn is_reading(&self) -> bool {
        *self.reading.borrow()
    }

    /// How many octets the other side has still to read, if that can be told.
    pub(crate) fn unread(&self) -> Option<u32> {
        unread(&self.shared.stream)
    }

    /// Waits until the other side has read all that has been sent to it, within bounds.
    pub(crate) async fn drained(&self) {
        drained(|| self.unread()).await;
    }

    /// Resets the connection, or where there are no resets, ends both its directions at once.
    pub(crate) async fn rst(self) {
        self.shared.stream.break_when_dropped();
        self.reader.abort();
        // The task holds the socket too; it has let go of it when it is joined.
        let _ = self.reader.await;
    }

    /// Ends the connection without telling anything more, and gives the peer that long to end it too.
    /// If it does not, the connection is reset, so that nothing of it weighs on what comes next.
    pub(crate) async fn end_quietly(self, limit: Duration) {
        let Self { shared, reader, .. } = self;
        reader.abort();
        let _ = reader.await;
        if shared.stream.is_of_datagrams() {
            return;
        }
        let _ = shared.stream.end().await;
        if timeout(limit, discard(&shared)).await.is_err() {
            shared.stream.break_when_dropped();
        }
    }
}

/// Reads until the peer has ended the connection, and keeps nothing.
async fn discard(shared: &Shared) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = shared.read(&mut buffer).await {}
}

/// Tells what comes until the connection ends or no more is to be read.
async fn read(
    shared: Arc<Shared>,
    observer: impl ConnectionObserver,
    mut gate: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; READ];
    loop {
        if gate.wait_for(|reads| *reads).await.is_err() {
            return;
        }
        let came = tokio::select! {
            biased;
            _ = gate.changed() => continue,
            came = shared.read(&mut buffer) => came,
        };
        match came {
            Ok(0) if !shared.stream.is_of_datagrams() => return observer.fin(),
            Ok(taken) => {
                if !observer.received(buffer.get(..taken).unwrap_or_default()) {
                    return;
                }
            }
            Err(_) => return observer.rst(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Address;
    use socket2::{Domain, SockRef, Socket, Type};
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};

    fn listener(backlog: i32) -> io::Result<(TcpListener, Door)> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.listen(backlog)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok((listener, Address::from(address).into()))
    }

    /// The system's own next attempt comes after a second, later than this test waits.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_queue_that_was_full_is_tried_again_before_the_system_does() {
        let (listener, address) = listener(0).unwrap();
        let mut queued = Vec::new();
        while let Ok(one) = connect(&address, Duration::from_millis(20), false).await {
            queued.push(one);
        }
        let limit = Duration::from_millis(600);
        let connecting = tokio::spawn(async move { connect(&address, limit, false).await });
        // If it is accepted before the first attempt, this shows nothing; it cannot fail for that.
        tokio::time::sleep(limit / FIRST_ATTEMPT / 2).await;
        for _ in &queued {
            listener.accept().unwrap();
        }
        assert!(connecting.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_reset_that_the_writer_was_told_of_is_no_end_to_the_reader() {
        let (listener, address) = listener(8).unwrap();
        let stream = connect(&address, Duration::from_secs(9), false)
            .await
            .unwrap();
        let (peer, _) = listener.accept().unwrap();
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        let shared = Shared::new(stream);
        let told = loop {
            if let Err(error) = shared.write(b"x").await {
                break error;
            }
        };
        assert!(was_reset(&told), "{told}");
        assert!(was_reset(&shared.read(&mut [0; 8]).await.unwrap_err()));
    }
}
