//! Where a server is met: at an address, or in a process of its own for each connection.

use super::group::Group;
use super::{Launch, Stderr};
use crate::lang::{Text, say};
use crate::transport::{Address, Stream};
use std::ffi::OsString;
use std::io;
use std::time::Duration;

/// How long a process whose connection is over is given to end, once it is told to.
const GRACE: Duration = Duration::from_millis(500);

/// Where a server is met.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// It listens there.
    At(Address),
    /// It is started for each connection, and speaks on its standard input and output.
    Program(Program),
}

/// A command that is started for each connection.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    launch: Launch,
    /// What all its processes write to their standard error.
    stderr: Stderr,
}

impl From<Address> for Door {
    fn from(address: Address) -> Self {
        Self::At(address)
    }
}

impl Door {
    /// Why a connection to it cannot be reset, if it cannot.
    pub(crate) fn no_reset(&self) -> Option<Text> {
        match self {
            Self::At(address) => address.no_reset().map(Text::whole),
            Self::Program(_) => Some(say!("standard input and output cannot be reset")),
        }
    }

    /// Whether each frame is a datagram there.
    pub(crate) const fn is_of_datagrams(&self) -> bool {
        match self {
            Self::At(address) => address.is_of_datagrams(),
            Self::Program(_) => false,
        }
    }

    /// Whether each connection has a process of its own, which has to start first.
    pub(crate) const fn is_started_anew(&self) -> bool {
        matches!(self, Self::Program(_))
    }

    /// A connection, with as little room for what has arrived and is not read as is asked for.
    pub(super) async fn connect(&self, room: Option<usize>) -> io::Result<Stream> {
        match self {
            Self::At(address) => Stream::connect_with(address, room).await,
            Self::Program(program) => program.stream(),
        }
    }
}

impl Program {
    pub(crate) fn new(launch: Launch) -> Self {
        let stderr = Stderr::default();
        Self { launch, stderr }
    }

    /// The same, started with these variables beside those of this process.
    pub(crate) fn with_environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self {
            launch: self.launch.with_environment(environment),
            ..self
        }
    }

    pub(crate) const fn stderr(&self) -> &Stderr {
        &self.stderr
    }

    #[cfg(unix)]
    fn stream(&self) -> io::Result<Stream> {
        let (group, stdin, stdout) = self.start()?;
        Stream::over_pipes(
            stdout,
            stdin,
            std::sync::Mutex::new(group.with_grace(GRACE)),
        )
    }

    #[cfg(unix)]
    fn start(&self) -> io::Result<(Group, std::os::fd::OwnedFd, std::os::fd::OwnedFd)> {
        Group::start_on_pipes(self.launch.command_without_port(), &self.stderr)
    }

    /// How it ends by itself, if it does within that time though it is left alone.
    #[cfg(unix)]
    pub(crate) async fn ends_by_itself(&self, limit: Duration) -> Option<crate::transcript::Exit> {
        let (group, _stdin, _stdout) = self.start().ok()?;
        let mut group = group.with_grace(GRACE);
        let ended = group.ended_within(limit).await;
        if ended.is_some() {
            self.stderr.ended(GRACE).await;
        }
        ended
    }

    #[cfg(not(unix))]
    fn stream(&self) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(not(unix))]
    pub(crate) async fn ends_by_itself(&self, _: Duration) -> Option<crate::transcript::Exit> {
        None
    }
}
