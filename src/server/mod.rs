//! The server: sockets, tasks, limits and shutdown around the session.
//!
//! One task accepts, and hands each client to a group, of which there is one for each thread of the runtime.
//! What a client can take from the others is bounded in every direction: connections by [`Settings::max_connections`], memory by the session's
//! limits, time by its deadlines, a turn on the processor by what one read brings. A client that stalls,
//! floods, resets or never reads costs the others nothing. Where the profile's frames [are
//! datagrams](Carriage::Datagrams), each of them is a client of its own.
//!
//! ```
//! use framespec::{message::Message, profile::Profile, server::{Server, Settings}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::bind("127.0.0.1:0", Profile::tutorial(), Settings::default()).await?;
//! println!("{}", server.address()?);
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
mod datagram;
mod group;
mod handler;
mod python;

pub use background::{Background, Shutdown};
pub use handler::{Echo, Handler, Tutorial, from_async};

use crate::profile::{Carriage, Profile};
use crate::session::{Limits, Session};
use crate::transport::{Address, Caller, Listener, Stream};
use group::Down;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{ToSocketAddrs, lookup_host};
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

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    profile: Profile,
    settings: Settings,
}

impl Server {
    /// Listens on the first of the addresses where that is possible, over TCP or, if the profile's frames are
    /// datagrams, over UDP. `[::]` takes IPv4 clients too, where the system can do that.
    ///
    /// # Errors
    /// If it is possible on none, or a name has no address.
    pub async fn bind(
        addr: impl ToSocketAddrs,
        profile: Profile,
        settings: Settings,
    ) -> io::Result<Self> {
        let over = match profile.carriage() {
            Carriage::Stream => Address::Tcp,
            Carriage::Datagrams => Address::Udp,
        };
        let found: Vec<Address> = lookup_host(addr).await?.map(over).collect();
        Ok(Self::at(Listener::bind(&found)?, profile, settings))
    }

    /// One that serves those who connect there. Whether datagrams come there, the profile has to say as well.
    #[must_use]
    pub const fn at(listener: Listener, profile: Profile, settings: Settings) -> Self {
        Self {
            listener,
            profile,
            settings,
        }
    }

    /// Where it listens; with the port that the system chose, if it was left to it.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn address(&self) -> io::Result<Address> {
        self.listener.address()
    }

    /// Serves until `shutdown` is ready, then takes no more clients, answers those requests that have
    /// arrived whole, closes, and returns: within [`Settings::drain`].
    pub async fn serve<H: Handler>(self, handler: H, shutdown: impl Future<Output = ()>) {
        let (listener, profile, settings) = self.into_parts();
        let fresh = Session::new(&profile, settings.limits, Instant::now());
        let shared = Arc::new((profile, handler, fresh));
        info!(profile = shared.0.name(), "serving");
        let client = move |stream: Stream, peer: Caller, down: Down| {
            let shared = Arc::clone(&shared);
            async move {
                let (profile, handler, fresh) = &*shared;
                if profile.carriage().is_datagrams() {
                    let served = datagram::serve(&stream, profile, settings.limits, handler).await;
                    return served.unwrap_or_else(|error| debug!(%peer, %error, "not answered"));
                }
                stream.prepare_to_serve();
                debug!(%peer, "connected");
                if !profile.prologue().is_empty() {
                    let deadline = settings.limits.frame_deadline;
                    // Nobody else has to hold room for it.
                    let begun = Box::pin(connection::begin(&stream, profile, deadline, &down));
                    if let Err(error) = begun.await {
                        return debug!(%peer, %error, "not begun");
                    }
                }
                let session = fresh.clone();
                match connection::serve(stream, session, handler, &down, settings.linger).await {
                    Ok(end) => debug!(%peer, %end, "ended"),
                    Err(error) => debug!(%peer, %error, "broken"),
                }
            }
        };
        accept::run(listener, &settings, shutdown, client).await;
        info!("down");
    }

    /// What it is made of, for those who serve in another way.
    #[must_use]
    pub fn into_parts(self) -> (Listener, Profile, Settings) {
        (self.listener, self.profile, self.settings)
    }
}
