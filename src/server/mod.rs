//! The server: sockets, tasks, limits and shutdown around the session.
//!
//! One task accepts, and each client has one of its own. What a client can take from the others is
//! bounded in every direction: connections by [`Settings::max_connections`], memory by the session's
//! limits, time by its deadlines, a turn on the processor by what one read brings. A client that stalls,
//! floods, resets or never reads costs the others nothing.
//!
//! ```
//! use framespec::{message::Message, profile::Profile, server::{Server, Settings}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::bind("127.0.0.1:0", Profile::tutorial(), Settings::default()).await?;
//! println!("{}", server.local_addr()?);
//! # let ctrl_c = async {};
//! server.serve(|message: Message| message, ctrl_c).await;
//! # Ok(())
//! # }
//! ```
//!
//! What is said to a request is the business of a [`Handler`]: a closure, [`Echo`] or [`Tutorial`].
//! [`Background`] is a server on a thread of its own, for programs that are not asynchronous.

mod accept;
mod background;
mod connection;
mod handler;
mod python;

pub use background::{Background, Shutdown};
pub use handler::{Echo, Handler, Tutorial, from_async};

use crate::profile::Profile;
use crate::session::{Limits, Session};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, lookup_host};
use tracing::{debug, info};

/// Limits of a server.
///
/// More of them may be added, so a literal ends in `..Settings::default()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Limits of each connection.
    pub limits: Limits,
    /// Clients at once; one more is closed as soon as it is accepted.
    pub max_connections: usize,
    /// How long clients may take to fetch their last replies once the server goes down.
    pub drain: Duration,
    /// How long octets are still taken, and dropped, from a client that was closed upon: it can then
    /// read its last replies, which a reset would destroy.
    pub linger: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            max_connections: 4096,
            drain: Duration::from_secs(5),
            linger: Duration::from_secs(1),
        }
    }
}

/// Connections that wait to be accepted; the system may hold fewer.
const BACKLOG: i32 = 1024;

/// A client that has been silent for so long is asked by the system whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Octets of replies that the system takes without being able to send them. Left to itself, it takes
/// megabytes for each client that does not read.
#[cfg(any(target_os = "android", target_os = "linux"))]
const MOST_HELD_BY_SYSTEM: u32 = 128 << 10;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    profile: Profile,
    settings: Settings,
}

impl Server {
    /// Listens on the first of the addresses where that is possible. `[::]` takes IPv4 clients too,
    /// where the system can do that.
    ///
    /// # Errors
    /// If it is possible on none, or a name has no address.
    pub async fn bind(
        addr: impl ToSocketAddrs,
        profile: Profile,
        settings: Settings,
    ) -> io::Result<Self> {
        let mut last = None;
        for addr in lookup_host(addr).await? {
            match listen(addr) {
                Ok(listener) => {
                    return Ok(Self {
                        listener,
                        profile,
                        settings,
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("the name has no address")))
    }

    /// Where it listens; with the port that the system chose, if it was left to it.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready, then takes no more clients, answers those requests that have
    /// arrived whole, closes, and returns: within [`Settings::drain`].
    pub async fn serve<H: Handler>(self, handler: H, shutdown: impl Future<Output = ()>) {
        let (listener, profile, settings) = self.into_parts();
        let shared = Arc::new((profile, handler));
        let client = |stream: TcpStream, peer, down| {
            let shared = Arc::clone(&shared);
            async move {
                let (profile, handler) = &*shared;
                prepare(&stream);
                debug!(%peer, "connected");
                let session = Session::new(profile, settings.limits, Instant::now());
                match connection::serve(stream, session, handler, down, settings.linger).await {
                    Ok(end) => debug!(%peer, %end, "ended"),
                    Err(error) => debug!(%peer, %error, "broken"),
                }
            }
        };
        info!(profile = shared.0.name(), "serving");
        accept::run(listener, &settings, shutdown, client).await;
        info!("down");
    }

    /// What it is made of, for those who serve in another way: [`prepare`] is for each client that they
    /// accept.
    #[must_use]
    pub fn into_parts(self) -> (TcpListener, Profile, Settings) {
        (self.listener, self.profile, self.settings)
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    if addr.is_ipv6() {
        // A system that cannot do both serves IPv6 alone.
        let _ = socket.set_only_v6(false);
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Sets up the socket of a client.
///
/// Replies leave at once, a peer that vanished is noticed, and the system holds only so much for one
/// that does not read. Where the system refuses any of these, the client is served as it is.
pub fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let _ = socket.set_tcp_notsent_lowat(MOST_HELD_BY_SYSTEM);
}
