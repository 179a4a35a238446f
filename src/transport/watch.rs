//! Sockets that one task watches by itself, all of them at once.
//!
//! The runtime wakes one task for each socket in which something happens. That is a lock, a queue and a turn of a task
//! each time. A [`Watch`] asks the system once for all of its sockets, and tells their owner, who then tries those.

use super::Stream;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll as Selector, Token};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// Events that are asked for at once; more wait for the next time.
const MOST_EVENTS: usize = 256;

/// Sockets, each under a number that its owner has for it.
#[derive(Debug)]
pub(crate) struct Watch {
    selector: AsyncFd<Selector>,
    events: Events,
    /// Whether the system may have something to tell that the runtime does not know of.
    may_have_more: bool,
}

impl Watch {
    /// One without sockets. It has to be called within a runtime.
    ///
    /// # Errors
    /// If the system has no descriptor for it.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe, for types that do not own their descriptor; this one does"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        let interest = tokio::io::Interest::READABLE;
        Ok(Self {
            selector: AsyncFd::with_interest(Selector::new()?, interest)?,
            events: Events::with_capacity(MOST_EVENTS),
            may_have_more: false,
        })
    }

    /// Takes over from the runtime what it watches for this stream, if that is a socket of TCP; others stay with it.
    ///
    /// # Errors
    /// If the system refuses. The stream is then closed.
    pub(crate) fn adopt(&self, stream: Stream, number: usize) -> io::Result<(Stream, Readiness)> {
        let readiness = Readiness::default();
        let stream = stream.or_watched(|socket| {
            let mut socket = TcpStream::from_std(socket.into_std()?);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.selector.get_ref().registry();
            registry.register(&mut socket, Token(number), interest)?;
            let readiness = readiness.clone();
            Ok(Watched { socket, readiness })
        })?;
        Ok((stream, readiness))
    }

    /// What has happened, and in the socket of which number.
    ///
    /// The system is asked again and again until it has nothing to tell, and only then the runtime: under load, that is
    /// one wait where each would be two.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub(crate) fn poll_news(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<impl Iterator<Item = (usize, News)>>> {
        while !self.has_asked()? {
            let mut selector = ready!(self.selector.poll_read_ready_mut(cx))?;
            // What happens from here on makes it ready again, but not what has happened.
            selector.clear_ready();
            self.may_have_more = true;
        }
        let told = self.events.iter();
        Poll::Ready(Ok(told.map(|event| (event.token().0, News::of(event)))))
    }

    /// Whether the system, where it was asked, had something to tell.
    fn has_asked(&mut self) -> io::Result<bool> {
        if self.may_have_more {
            let at_once = Some(Duration::ZERO);
            self.selector.get_mut().poll(&mut self.events, at_once)?;
            self.may_have_more = !self.events.is_empty();
        }
        Ok(self.may_have_more)
    }
}

/// A write of no more may be put off: more than that is worth a write by itself, and memory.
const LITTLE: usize = 16 << 10;

/// What has happened in a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct News(u8);

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;

/// The peer has ended its stream, or the connection is broken: there is no more news to come.
const ENDED: u8 = 4;

/// Writes are to be put off, and one has been.
const PUTS_OFF: u8 = 8;
const PUT_OFF: u8 = 16;

impl News {
    fn of(event: &Event) -> Self {
        let all = [
            (event.is_readable(), READABLE),
            (event.is_writable(), WRITABLE),
            (event.is_read_closed(), READABLE | ENDED),
            (event.is_error(), READABLE | WRITABLE | ENDED),
        ];
        let said = all.iter().filter(|(is, _)| *is);
        Self(said.fold(0, |news, (_, bits)| news | bits))
    }
}

/// What a socket can do without waiting, as far as is known. Only the task that watches it has to do with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// Something has happened.
    pub(crate) fn note(&self, news: News) {
        self.set(news.0);
    }

    /// Has writes put off, small ones at least, until [`go_on`](Self::go_on).
    pub(crate) fn put_off(&self) {
        self.set(PUTS_OFF);
    }

    /// Has no more writes put off. Whether one was, whose owner has to be called.
    pub(crate) fn go_on(&self) -> bool {
        let was = self.is_put_off();
        self.clear(PUTS_OFF | PUT_OFF);
        was
    }

    fn is_put_off(&self) -> bool {
        self.has(PUT_OFF)
    }

    fn has(&self, bits: u8) -> bool {
        self.0.load(Ordering::Relaxed) & bits != 0
    }

    /// What is tried, if it can be; it is not tried again before there is news if it was in vain.
    fn attempt(&self, bits: u8, attempt: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
        if !self.has(bits) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let done = attempt();
        if done
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        {
            self.clear(bits);
        }
        done
    }

    fn set(&self, bits: u8) {
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    fn clear(&self, bits: u8) {
        self.0.fetch_and(!bits, Ordering::Relaxed);
    }
}

/// A socket that is watched. Who finds it not ready is called when it is, as its owner calls all of them.
#[derive(Debug)]
pub(super) struct Watched {
    socket: TcpStream,
    readiness: Readiness,
}

impl Watched {
    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let read = self
            .readiness
            .attempt(READABLE, || (&self.socket).read(buffer));
        // A read that left room has taken all there is, and there will be news of more, unless it was the last.
        if read.as_ref().is_ok_and(|octets| *octets < room) && !self.readiness.has(ENDED) {
            self.readiness.clear(READABLE);
        }
        read
    }

    pub(super) fn is_put_off(&self) -> bool {
        self.readiness.is_put_off()
    }

    pub(super) fn try_write(&self, octets: &[u8]) -> io::Result<usize> {
        if octets.len() <= LITTLE && self.readiness.has(PUTS_OFF) {
            self.readiness.set(PUT_OFF);
            return Err(ErrorKind::WouldBlock.into());
        }
        self.readiness
            .attempt(WRITABLE, || (&self.socket).write(octets))
    }
}

/// What waits until its owner calls again.
pub(super) fn until_called(done: io::Result<usize>) -> Poll<io::Result<usize>> {
    match done {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        done => Poll::Ready(done),
    }
}
