//! Two pipes as one stream: the standard input and output of a process, seen from either side.

use std::any::Any;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};

/// Two pipes, and whatever is to last as long as they are held. Each is closed when it is at its end.
pub(super) struct Pipes {
    incoming: Mutex<Option<Receiver>>,
    outgoing: Mutex<Option<Sender>>,
    _held: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Pipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipes").finish_non_exhaustive()
    }
}

fn locked<T>(end: &Mutex<T>) -> MutexGuard<'_, T> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipes {
    pub(super) fn new(
        incoming: OwnedFd,
        outgoing: OwnedFd,
        held: Box<dyn Any + Send + Sync>,
    ) -> io::Result<Self> {
        Ok(Self {
            incoming: Mutex::new(Some(Receiver::from_owned_fd(incoming)?)),
            outgoing: Mutex::new(Some(Sender::from_owned_fd(outgoing)?)),
            _held: held,
        })
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut incoming = locked(&self.incoming);
        let Some(pipe) = incoming.as_mut() else {
            return Poll::Ready(Ok(0));
        };
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(pipe).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match locked(&self.incoming).as_ref() {
            Some(pipe) => pipe.try_read(buffer),
            None => Ok(0),
        }
    }

    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match locked(&self.outgoing).as_mut() {
            Some(pipe) => Pin::new(pipe).poll_write(cx, octets),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Closes the pipe to the peer.
    pub(super) fn end(&self) {
        *locked(&self.outgoing) = None;
    }

    /// Closes both.
    pub(super) fn shut(&self) {
        self.end();
        *locked(&self.incoming) = None;
    }

    /// How many octets the peer has still to read.
    #[cfg(target_os = "linux")]
    pub(super) fn unread(&self) -> Option<u32> {
        let octets = rustix::io::ioctl_fionread(locked(&self.outgoing).as_ref()?).ok()?;
        u32::try_from(octets).ok()
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn unread(&self) -> Option<u32> {
        None
    }
}
