//! A stream of octets there and back, whatever carries it.

use super::Address;
use super::datagram::{Asked, Connected};
#[cfg(unix)]
use super::pipes::Pipes;
#[cfg(feature = "tls")]
use super::tls::Tls;
#[cfg(all(unix, feature = "server"))]
use super::watch::{Watched, until_called};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
#[cfg(unix)]
use std::any::Any;
use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, SocketAddr};
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpSocket, TcpStream};
#[cfg(unix)]
use tokio::time::sleep;

/// A peer that has been silent for so long is asked by the system whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Octets of replies that the system takes without being able to send them. Left to itself, it takes
/// megabytes for each client that does not read.
#[cfg(any(target_os = "android", target_os = "linux"))]
const MOST_HELD_BY_SYSTEM: u32 = 128 << 10;

/// Between two attempts to get into a queue of new connections that is full.
#[cfg(unix)]
const QUEUE_FULL: Duration = Duration::from_millis(2);

/// A stream of octets there and back, or datagrams: then each write sends one, and each read brings one, be it without
/// an octet.
///
/// One task may read it while another writes to it.
#[derive(Debug)]
pub struct Stream(Carrier);

#[derive(Debug)]
enum Carrier {
    Tcp(TcpStream),
    Udp(Connected),
    Asked(Asked),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(unix)]
    Pipes(Pipes),
    #[cfg(all(unix, feature = "server"))]
    Watched(Watched),
    #[cfg(feature = "tls")]
    Tls(Tls),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self(Carrier::Tcp(stream))
    }
}

impl From<Asked> for Stream {
    fn from(datagram: Asked) -> Self {
        Self(Carrier::Asked(datagram))
    }
}

#[cfg(unix)]
impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self(Carrier::Unix(stream))
    }
}

#[cfg(feature = "tls")]
impl From<Tls> for Stream {
    fn from(stream: Tls) -> Self {
        Self(Carrier::Tls(stream))
    }
}

impl Stream {
    /// One that reads one pipe and writes to another, and keeps something as long as it is there itself.
    ///
    /// # Errors
    /// If they are no pipes. It has to be called within a runtime.
    #[cfg(unix)]
    pub fn over_pipes(
        incoming: OwnedFd,
        outgoing: OwnedFd,
        held: impl Any + Send + Sync,
    ) -> io::Result<Self> {
        let pipes = Pipes::new(incoming, outgoing, Box::new(held))?;
        Ok(Self(Carrier::Pipes(pipes)))
    }

    /// Connects to the first of the addresses that answers. No octet is delayed that is sent on it.
    ///
    /// # Errors
    /// If none does.
    pub async fn connect(addresses: &[Address]) -> io::Result<Self> {
        let mut last = None;
        for address in addresses {
            match Self::connect_with(address, None).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("there is no address")))
    }

    /// The same with one address, and as little room for what has arrived and is not read, where the transport
    /// lets that be chosen.
    pub(crate) async fn connect_with(address: &Address, room: Option<usize>) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => tcp(*address, room).await.map(Self::from),
            Address::Udp(address) => {
                let socket = Connected::to(*address).await?;
                Ok(Self(Carrier::Udp(socket)))
            }
            #[cfg(unix)]
            Address::Unix(path) => unix(path).await.map(Self::from),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "tls")]
            Address::Tls(address, client) => {
                let stream = tcp(*address, room).await?;
                client.connect(stream).await.map(Self::from)
            }
        }
    }

    /// Whether each read brings one datagram, so that one of no octets is no end.
    #[must_use]
    pub const fn is_of_datagrams(&self) -> bool {
        matches!(self.0, Carrier::Udp(_))
    }

    /// Reads octets, as a task of its own may do. None if the peer has ended its stream.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match &self.0 {
            Carrier::Tcp(stream) => {
                until_done(|| stream.poll_read_ready(cx), || stream.try_read(buffer))
            }
            Carrier::Udp(socket) => socket.poll_read(cx, buffer),
            Carrier::Asked(asked) => Poll::Ready(Ok(asked.take(buffer))),
            #[cfg(unix)]
            Carrier::Unix(stream) => {
                until_done(|| stream.poll_read_ready(cx), || stream.try_read(buffer))
            }
            #[cfg(unix)]
            Carrier::Pipes(pipes) => pipes.poll_read(cx, buffer),
            #[cfg(all(unix, feature = "server"))]
            Carrier::Watched(socket) => until_called(socket.try_read(buffer)),
            #[cfg(feature = "tls")]
            Carrier::Tls(tls) => tls.poll_read(cx, buffer),
        }
    }

    /// Sends octets; how many were taken.
    pub(crate) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &self.0 {
            Carrier::Tcp(stream) => {
                until_done(|| stream.poll_write_ready(cx), || stream.try_write(octets))
            }
            Carrier::Udp(socket) => socket.poll_write(cx, octets),
            Carrier::Asked(asked) => asked.poll_answer(cx, octets),
            #[cfg(unix)]
            Carrier::Unix(stream) => {
                until_done(|| stream.poll_write_ready(cx), || stream.try_write(octets))
            }
            #[cfg(unix)]
            Carrier::Pipes(pipes) => pipes.poll_write(cx, octets),
            #[cfg(all(unix, feature = "server"))]
            Carrier::Watched(socket) => until_called(socket.try_write(octets)),
            #[cfg(feature = "tls")]
            Carrier::Tls(tls) => tls.poll_write(cx, octets),
        }
    }

    /// Whether a write was put off: who wanted it is called soon.
    #[cfg(feature = "server")]
    pub(crate) fn is_put_off(&self) -> bool {
        match &self.0 {
            #[cfg(unix)]
            Carrier::Watched(socket) => socket.is_put_off(),
            _ => false,
        }
    }

    /// Ends the stream to the peer, whose octets can still be read.
    #[cfg_attr(
        not(feature = "tls"),
        expect(unused_variables, reason = "nobody else waits")
    )]
    pub(crate) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match &self.0 {
            Carrier::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            // Nothing in a datagram says that it is the last.
            Carrier::Udp(_) | Carrier::Asked(_) => Ok(()),
            #[cfg(unix)]
            Carrier::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Carrier::Pipes(pipes) => {
                pipes.end();
                Ok(())
            }
            #[cfg(all(unix, feature = "server"))]
            Carrier::Watched(socket) => socket.socket().shutdown(Shutdown::Write),
            #[cfg(feature = "tls")]
            Carrier::Tls(tls) => return tls.poll_end(cx),
        })
    }

    /// One read, waited for. Nothing is lost if it is not waited for to its end.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// One write, waited for.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn write(&self, octets: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write(cx, octets)).await
    }

    /// Ends the stream to the peer, whose octets can still be read.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn end(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// What is here already, without waiting: an error of the kind `WouldBlock` if that is nothing.
    ///
    /// # Errors
    /// If nothing is here, or the connection is broken.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.0 {
            Carrier::Tcp(stream) => stream.try_read(buffer),
            Carrier::Udp(socket) => socket.try_read(buffer),
            Carrier::Asked(asked) => Ok(asked.take(buffer)),
            #[cfg(unix)]
            Carrier::Unix(stream) => stream.try_read(buffer),
            #[cfg(unix)]
            Carrier::Pipes(pipes) => pipes.try_read(buffer),
            #[cfg(all(unix, feature = "server"))]
            Carrier::Watched(socket) => socket.try_read(buffer),
            #[cfg(feature = "tls")]
            Carrier::Tls(tls) => match tls.poll_read(&mut nobody(), buffer) {
                Poll::Ready(read) => read,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            },
        }
    }

    /// Ends both directions at once, though the stream is still held.
    pub fn shut(&self) {
        // One that has gone already is closed.
        let _ = match &self.0 {
            Carrier::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Both),
            Carrier::Udp(_) | Carrier::Asked(_) => Ok(()),
            #[cfg(unix)]
            Carrier::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Both),
            #[cfg(unix)]
            Carrier::Pipes(pipes) => {
                pipes.shut();
                Ok(())
            }
            #[cfg(all(unix, feature = "server"))]
            Carrier::Watched(socket) => socket.socket().shutdown(Shutdown::Both),
            #[cfg(feature = "tls")]
            Carrier::Tls(tls) => tls.socket().shutdown(Shutdown::Both),
        };
    }

    /// Has the stream end as abruptly as its transport can once it is dropped: over TCP by a reset, which
    /// discards what is unsent.
    pub fn break_when_dropped(&self) {
        if let Some(socket) = self.tcp() {
            // A socket that refuses this has been reset by the other side.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }

    /// Has octets leave at once, so that nothing is delayed that a delay could be mistaken for.
    pub fn send_at_once(&self) {
        if let Some(socket) = self.tcp() {
            let _ = socket.set_tcp_nodelay(true);
        }
    }

    /// Sets it up for a server: replies leave at once, a peer that vanished is noticed, and the system holds
    /// only so much for one that does not read. Where the system refuses any of these, the client is served
    /// as it is.
    pub fn prepare_to_serve(&self) {
        self.send_at_once();
        let Some(socket) = self.tcp() else { return };
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
        let _ = socket.set_tcp_keepalive(&keepalive);
        #[cfg(any(target_os = "android", target_os = "linux"))]
        let _ = socket.set_tcp_notsent_lowat(MOST_HELD_BY_SYSTEM);
    }

    /// Acknowledges at once what comes next.
    ///
    /// A peer that writes a header and its body by two calls may be held up for 40 ms by its own system, which
    /// waits for the first to be acknowledged. The system forgets that this is wanted, so it is said again and
    /// again; where it cannot be, such a peer is only slower.
    pub fn acknowledge_at_once(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(socket) = self.tcp() {
            let _ = socket.set_tcp_quickack(true);
        }
    }

    /// The addresses of both ends, its own first, where a transport has such.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let socket = self.tcp()?;
        let (here, there) = (socket.local_addr().ok()?, socket.peer_addr().ok()?);
        Some((here.as_socket()?, there.as_socket()?))
    }

    /// How many octets lie between the two ends of a pipe to the peer, if it is one.
    pub fn unread_in_pipe(&self) -> Option<u32> {
        match &self.0 {
            #[cfg(unix)]
            Carrier::Pipes(pipes) => pipes.unread(),
            _ => None,
        }
    }

    /// The same stream, in the way that is chosen for a socket of TCP.
    #[cfg(all(unix, feature = "server"))]
    pub(super) fn or_watched(
        self,
        watched: impl FnOnce(TcpStream) -> io::Result<Watched>,
    ) -> io::Result<Self> {
        Ok(Self(match self.0 {
            Carrier::Tcp(stream) => Carrier::Watched(watched(stream)?),
            other => other,
        }))
    }

    /// Two halves, which can be held by two tasks.
    #[must_use]
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        let stream = Arc::new(self);
        (ReadHalf(Arc::clone(&stream)), WriteHalf(stream))
    }

    fn tcp(&self) -> Option<SockRef<'_>> {
        match &self.0 {
            Carrier::Tcp(stream) => Some(stream.into()),
            Carrier::Udp(_) | Carrier::Asked(_) => None,
            #[cfg(unix)]
            Carrier::Unix(_) | Carrier::Pipes(_) => None,
            #[cfg(all(unix, feature = "server"))]
            Carrier::Watched(socket) => Some(socket.socket().into()),
            #[cfg(feature = "tls")]
            Carrier::Tls(tls) => Some(tls.socket()),
        }
    }
}

/// A context in which nobody waits.
fn nobody() -> Context<'static> {
    Context::from_waker(std::task::Waker::noop())
}

/// Octets of a segment as Ethernet carries it. What a system keeps for who does not read grows with its segments: on a loopback
/// interface, where they are large, so much that hardly anything that is written has to wait.
#[cfg(unix)]
const OF_ETHERNET: u32 = 1460;

async fn tcp(address: SocketAddr, room: Option<usize>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(room) = room {
        socket.set_recv_buffer_size(room)?;
        // No more than a wish: where it is not granted, segments are as large as elsewhere.
        #[cfg(unix)]
        let _ = socket.set_tcp_mss(OF_ETHERNET);
    }
    socket.set_nonblocking(true)?;
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(address);
    let stream = connecting.await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The system refuses at once where the queue of new connections is full, and does not tell when there is room.
#[cfg(unix)]
async fn unix(path: &super::SocketPath) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path.as_path()).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(QUEUE_FULL).await,
            done => return done,
        }
    }
}

/// Tries whenever it may work, until it does.
fn until_done(
    mut may_work: impl FnMut() -> Poll<io::Result<()>>,
    mut attempt: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(may_work())?;
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match &mut this.0 {
            Carrier::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(unix)]
            Carrier::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            _ => {
                let read = Self::poll_read(this, cx, buffer.initialize_unfilled());
                buffer.advance(ready!(read)?);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write(&self, cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_end(cx)
    }
}

/// The half of a [`Stream`] that brings octets.
#[derive(Debug)]
pub struct ReadHalf(Arc<Stream>);

impl AsyncRead for ReadHalf {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let taken = ready!(self.0.poll_read(cx, buffer.initialize_unfilled()))?;
        buffer.advance(taken);
        Poll::Ready(Ok(()))
    }
}

/// The half of a [`Stream`] that takes octets. Dropping it ends the stream to the peer, where that takes no
/// waiting.
#[derive(Debug)]
pub struct WriteHalf(Arc<Stream>);

impl AsyncWrite for WriteHalf {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_end(cx)
    }
}

impl Drop for WriteHalf {
    fn drop(&mut self) {
        // If the peer has gone already, nobody is left to be told.
        let _ = self.0.poll_end(&mut nobody());
    }
}
