//! Who is checked, as the user names it: a server that runs or is to be started, or a client.

use super::client::ClientTarget;
use super::peer::Peer;
use super::server::{NotServed, NotStarted, ServerTarget};
use super::{Options, RunError};
use crate::event::{Calibration, Role};
use crate::profile::Carriage;
use crate::transcript::Exit;

/// Who is checked, as the user names it.
#[derive(Debug)]
pub enum Target {
    /// A server.
    Server(ServerTarget),
    /// A client.
    Client(ClientTarget),
}

impl From<ServerTarget> for Target {
    fn from(server: ServerTarget) -> Self {
        Self::Server(server)
    }
}

impl From<ClientTarget> for Target {
    fn from(client: ClientTarget) -> Self {
        Self::Client(client)
    }
}

/// What the first look at a peer found.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) peer: Peer,
    pub(super) told: Calibration,
}

/// Why there is nothing to be played at.
#[derive(Debug)]
pub(super) enum NotMet {
    /// Nobody is there.
    NotThere(RunError),
    /// Somebody is, but does not answer a plain request as the profile says.
    NotServed(NotServed),
}

impl<E: Into<RunError>> From<E> for NotMet {
    fn from(error: E) -> Self {
        Self::NotThere(error.into())
    }
}

impl Target {
    /// Which side of the protocol it plays.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Server(_) => Role::Server,
            Self::Client(_) => Role::Client,
        }
    }

    /// What carries the frames between it and whoever plays at it.
    #[must_use]
    pub fn carriage(&self) -> Carriage {
        match self {
            Self::Server(server) => server.carriage(),
            Self::Client(_) => Carriage::Stream,
        }
    }

    /// Starts it, if that is to be done, and takes the first look at it.
    pub(super) async fn meet(&mut self, options: &Options) -> Result<Met, NotMet> {
        match self {
            Self::Server(server) => server.meet(options).await,
            Self::Client(client) => client.meet(options).await,
        }
    }

    /// Whether it can be had anew, as it was before anything was played. A client is, for each script.
    pub(crate) const fn can_be_revived(&self) -> bool {
        match self {
            Self::Server(server) => server.can_be_revived(),
            Self::Client(_) => false,
        }
    }

    /// Another of the same, to be had beside it; `None` if there can be only one.
    pub(super) fn another(&self) -> Option<Self> {
        match self {
            Self::Server(server) => server.another().map(Self::Server),
            Self::Client(client) => client.another().map(Self::Client),
        }
    }

    /// Starts it anew, whether it still runs or not; `None` if that is not to be done here.
    pub(super) async fn revive(&mut self, peer: &mut Peer) -> Option<Result<(), NotStarted>> {
        match (self, peer) {
            (Self::Server(server), Peer::Server(peer)) => server.revive(peer).await,
            _ => None,
        }
    }

    /// How its process came to its end, if it was started here to last, and has ended or is about to.
    pub(super) async fn ended(&mut self) -> Option<Exit> {
        match self {
            Self::Server(server) => server.ended().await,
            Self::Client(_) => None,
        }
    }
}
