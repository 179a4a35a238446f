//! Datagrams in the place of streams: those from and to one peer, and one alone with the answers to it.

use socket2::{Domain, SockRef, Socket, Type};
use std::fmt;
use std::future::Future;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Room for the largest datagram there is.
const ROOM: usize = 64 << 10;

/// Octets of datagrams that the system is asked to keep for a server until it reads them.
const KEPT: usize = 1 << 20;

/// A socket that hears one peer and no other.
pub(super) struct Connected {
    socket: Arc<UdpSocket>,
    /// Until something can be read, or the system has to say that nobody got what was sent.
    news: Mutex<Option<News>>,
}

type News = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// What a reader waits for. Of an error alone the system says nothing to those who wait for datagrams.
const NEWS: Interest = Interest::READABLE.add(Interest::ERROR);

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected").finish_non_exhaustive()
    }
}

impl Connected {
    pub(super) async fn to(there: SocketAddr) -> io::Result<Self> {
        let here: SocketAddr = match there {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(here).await?;
        socket.connect(there).await?;
        Ok(Self {
            socket: Arc::new(socket),
            news: Mutex::default(),
        })
    }

    /// What is here already: a datagram, or the word that an earlier one of ours found nobody.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = SockRef::from(&*self.socket);
        let mut read = || (&*socket).read(buffer);
        // To try for both at once, tokio does not know how.
        match self.socket.try_io(Interest::READABLE, &mut read) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.socket.try_io(Interest::ERROR, read)
            }
            done => done,
        }
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.poll_news(cx))?;
                }
                read => return Poll::Ready(read),
            }
        }
    }

    fn poll_news(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let awaited = news.get_or_insert_with(|| {
            let socket = Arc::clone(&self.socket);
            Box::pin(async move { socket.ready(NEWS).await.map(drop) })
        });
        let came = ready!(awaited.as_mut().poll(cx));
        *news = None;
        Poll::Ready(came)
    }

    /// Sends one datagram. That nobody got an earlier one is the reader's to say, and keeps no later one back.
    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.socket.poll_send(cx, octets) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                sent => return sent,
            }
        }
    }
}

/// A socket that hears everybody.
pub(super) fn bound(here: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(here), Type::DGRAM, None)?;
    if here.is_ipv6() {
        // A system that cannot do both serves IPv6 alone.
        let _ = socket.set_only_v6(false);
    }
    // As many as there may be, if that is less.
    let _ = socket.set_recv_buffer_size(KEPT);
    socket.set_nonblocking(true)?;
    socket.bind(&here.into())?;
    UdpSocket::from_std(socket.into())
}

/// A datagram that has come: a stream that brings its octets and then ends, and on which each write is a
/// datagram back to its sender.
#[derive(Debug)]
pub(super) struct Asked {
    socket: Arc<UdpSocket>,
    from: SocketAddr,
    unread: Mutex<Vec<u8>>,
}

impl Asked {
    /// The next one, and whose it is.
    pub(super) async fn next(socket: &Arc<UdpSocket>) -> io::Result<(Self, SocketAddr)> {
        let mut unread = vec![0; ROOM];
        let (octets, from) = socket.recv_from(&mut unread).await?;
        unread.truncate(octets);
        unread.shrink_to_fit();
        let asked = Self {
            socket: Arc::clone(socket),
            from,
            unread: Mutex::new(unread),
        };
        Ok((asked, from))
    }

    /// Takes octets that have not been read; how many.
    pub(super) fn take(&self, buffer: &mut [u8]) -> usize {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = unread.len().min(buffer.len());
        let octets = unread.drain(..taken);
        buffer
            .iter_mut()
            .zip(octets)
            .for_each(|(place, octet)| *place = octet);
        taken
    }

    /// Sends one datagram. Of those who wait for the same socket the system wakes one: where it has no room just
    /// now, all try again in turn.
    pub(super) fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.socket.try_send_to(octets, self.from) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }
}
