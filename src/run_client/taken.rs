//! Whether a client on this machine has taken what was sent to it.
//!
//! It makes cuts between segments real: the next one is sent when the client has read the one before.
//! It is evidence of nothing; where it cannot be told, or not quickly enough, a short pause has to do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long a client is given to take a segment before the next is sent all the same.
const LIMIT: Duration = Duration::from_millis(100);

/// The pause between segments where it cannot be told what was taken.
const PAUSE: Duration = Duration::from_millis(8);

/// Time for a segment to arrive.
const ARRIVE: Duration = Duration::from_micros(300);

/// How long one look may take: on a machine with very many connections it takes too long.
const LOOK: Duration = Duration::from_millis(4);

/// Finds out what was taken, as long as that is quick.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    is_blind: AtomicBool,
}

impl Watcher {
    /// Waits until the client has taken all that has been sent to it, within bounds.
    pub(super) async fn taken(&self, stream: &TcpStream) {
        let (Ok(here), Ok(there)) = (stream.local_addr(), stream.peer_addr()) else {
            return;
        };
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            if self.is_blind.load(Ordering::Relaxed) {
                return sleep(PAUSE).await;
            }
            sleep(ARRIVE).await;
            match self.look(here, there).await {
                Some(0) => return,
                Some(_) => {}
                None => self.is_blind.store(true, Ordering::Relaxed),
            }
        }
    }

    /// What [`untaken`] says, on a thread that may wait.
    async fn look(&self, here: SocketAddr, there: SocketAddr) -> Option<u32> {
        let look = move || {
            let begun = Instant::now();
            (untaken(here, there), begun.elapsed())
        };
        let (untaken, took) = tokio::task::spawn_blocking(look).await.ok()?;
        if took > LOOK {
            self.is_blind.store(true, Ordering::Relaxed);
        }
        untaken
    }
}

/// Octets that have arrived on the other side and have not been read there; `None` if that cannot be
/// told, as when the other side is on another machine.
#[cfg(target_os = "linux")]
fn untaken(here: SocketAddr, there: SocketAddr) -> Option<u32> {
    let table = if there.is_ipv4() {
        procfs::net::tcp()
    } else {
        procfs::net::tcp6()
    };
    let is_it = |entry: &procfs::net::TcpNetEntry| {
        entry.local_address == there && entry.remote_address == here
    };
    table.ok()?.into_iter().find(is_it).map(|it| it.rx_queue)
}

#[cfg(not(target_os = "linux"))]
fn untaken(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn what_was_not_read_is_counted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut there = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut here, _) = listener.accept().unwrap();
        let ends = (here.local_addr().unwrap(), there.local_addr().unwrap());
        let count = || untaken(ends.0, ends.1);
        assert_eq!(count(), Some(0));
        here.write_all(b"abc").unwrap();
        while there.peek(&mut [0; 8]).unwrap() < 3 {}
        assert_eq!(count(), Some(3));
        there.read_exact(&mut [0; 3]).unwrap();
        assert_eq!(count(), Some(0));
    }
}
