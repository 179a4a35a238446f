//! Ports of this machine: which is free, and who listens at one.

use crate::transport::Address;
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Whether the system tells who listens.
pub(super) const SEES_LISTENERS: bool = cfg!(target_os = "linux");

/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_millis(500);

/// Ports that were given to servers last.
static GIVEN: Mutex<VecDeque<u16>> = Mutex::new(VecDeque::new());

/// How many of them are remembered.
const REMEMBERED: usize = 256;

/// What a server that is started listens over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Net {
    Tcp,
    Udp,
}

impl Net {
    /// A server's address over it.
    pub(super) const fn at(self, address: SocketAddr) -> Address {
        match self {
            Self::Tcp => Address::Tcp(address),
            Self::Udp => Address::Udp(address),
        }
    }

    /// An address of this machine at which nobody listens, and that was not given to another server lately: of two that
    /// are started side by side on the same port, one would be taken for the other.
    pub(super) fn free_address(self) -> io::Result<SocketAddr> {
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut address = self.bound((Ipv4Addr::LOCALHOST, 0).into())?;
        for _ in 0..REMEMBERED {
            if !given.contains(&address.port()) {
                break;
            }
            address = self.bound((Ipv4Addr::LOCALHOST, 0).into())?;
        }
        given.push_back(address.port());
        let over = given.len().saturating_sub(REMEMBERED);
        given.drain(..over);
        Ok(address)
    }

    pub(super) fn is_taken(self, address: SocketAddr) -> bool {
        self.bound(address).is_err()
    }

    fn bound(self, address: SocketAddr) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp => TcpListener::bind(address)?.local_addr(),
            Self::Udp => UdpSocket::bind(address)?.local_addr(),
        }
    }

    /// Whether a client would find somebody there. Over UDP nobody is asked, as a datagram might be the end of some
    /// server: somebody has the port.
    pub(super) async fn answers(self, address: SocketAddr) -> bool {
        if self == Self::Udp {
            return self.is_taken(address);
        }
        let connected = timeout(CONNECT, TcpStream::connect(address)).await;
        // A socket can connect to itself if the system gives it the very port that it asks for.
        connected.is_ok_and(|stream| {
            stream.is_ok_and(|stream| stream.local_addr().is_ok_and(|local| local != address))
        })
    }

    /// Where clients on this machine reach whoever listens on that port, as far as the system tells. Nobody
    /// is disturbed by that: a server that is watched from the beginning has not had a client yet.
    #[cfg(target_os = "linux")]
    pub(super) fn listener(self, port: u16) -> Option<SocketAddr> {
        let all = match self {
            Self::Tcp => tcp_listeners()?,
            Self::Udp => udp_sockets()?,
        };
        all.into_iter().find_map(|at| {
            let is_local = at.ip().is_loopback() || at.ip().is_unspecified();
            let here = match at {
                SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port)),
            };
            (at.port() == port && is_local).then_some(here)
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn listener(self, _: u16) -> Option<SocketAddr> {
        None
    }
}

#[cfg(target_os = "linux")]
fn tcp_listeners() -> Option<Vec<SocketAddr>> {
    use procfs::net::TcpState;
    let (four, six) = (procfs::net::tcp().ok()?, procfs::net::tcp6().ok());
    let all = four.into_iter().chain(six.into_iter().flatten());
    let listening = all.filter(|entry| entry.state == TcpState::Listen);
    Some(listening.map(|entry| entry.local_address).collect())
}

#[cfg(target_os = "linux")]
fn udp_sockets() -> Option<Vec<SocketAddr>> {
    let (four, six) = (procfs::net::udp().ok()?, procfs::net::udp6().ok());
    let all = four.into_iter().chain(six.into_iter().flatten());
    Some(all.map(|entry| entry.local_address).collect())
}
