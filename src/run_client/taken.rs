//! Whether a client on this machine has taken what was sent to it.
//!
//! It makes cuts between segments real: the next one is sent when the client has read the one before.
//! It is evidence of nothing; where it cannot be told, a short pause has to do.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long a client is given to take a segment before the next is sent all the same.
const LIMIT: Duration = Duration::from_millis(100);

/// The pause between segments where it cannot be told what was taken.
const PAUSE: Duration = Duration::from_millis(10);

/// Time for a segment to arrive.
const ARRIVE: Duration = Duration::from_micros(300);

/// Waits until the client has taken all that has been sent to it, within bounds.
pub(super) async fn taken(stream: &TcpStream) {
    let (Ok(here), Ok(there)) = (stream.local_addr(), stream.peer_addr()) else {
        return;
    };
    sleep(ARRIVE).await;
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        match untaken(here, there) {
            Some(0) => return,
            Some(_) => sleep(ARRIVE).await,
            None => return sleep(PAUSE).await,
        }
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
        let there = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut here, _) = listener.accept().unwrap();
        let count = || untaken(here.local_addr().unwrap(), there.local_addr().unwrap());
        assert_eq!(count(), Some(0));
        here.try_clone().unwrap().write_all(b"abc").unwrap();
        (&there).peek(&mut [0; 8]).unwrap();
        assert_eq!(count(), Some(3));
        (&there).read_exact(&mut [0; 3]).unwrap();
        assert_eq!(count(), Some(0));
        here.flush().unwrap();
    }
}
