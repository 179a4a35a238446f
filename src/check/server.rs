//! Servers, as something to be checked.

use super::{Check, CheckError, IntoTarget, Named};
use crate::peer::{Confinement, Process};
use crate::profile::Reply;
use crate::run::{DEFAULT_STARTUP, ServerTarget};
use crate::spec::Role;
use crate::transport::{self, Name};
use std::fmt;
use std::net::ToSocketAddrs;
use std::time::Duration;

/// A server: where it is, and how it is played at.
#[derive(Debug, Clone)]
pub struct Server<P> {
    from: P,
    slack: Option<Duration>,
}

/// Where a server listens that somebody else started.
#[derive(Debug, Clone)]
pub struct Address {
    /// As the user calls it.
    name: String,
    /// What that has become, or why it is nothing.
    found: Result<Vec<transport::Address>, String>,
    pid: Option<u32>,
}

/// The command that starts a server.
#[derive(Debug, Clone)]
pub struct Command {
    text: String,
    startup: Duration,
    is_over_udp: bool,
    confinement: Option<Confinement>,
    holes: Vec<(&'static str, String)>,
}

impl<P> Server<P> {
    pub(super) const fn new(from: P) -> Self {
        Self { from, slack: None }
    }
}

impl Address {
    pub(super) fn of(target: impl ToSocketAddrs + fmt::Display) -> Self {
        let name = target.to_string();
        let found = match name.parse() {
            Ok(Name::Unix(path)) => Ok(vec![transport::Address::Unix(path)]),
            Ok(name @ Name::Udp(_)) => name.resolve().map_err(|error| error.to_string()),
            _ => target
                .to_socket_addrs()
                .map(|found| found.map(transport::Address::from).collect())
                .map_err(|error| error.to_string()),
        };
        Self {
            name,
            found,
            pid: None,
        }
    }
}

impl Command {
    pub(super) const fn of(text: String) -> Self {
        Self {
            text,
            startup: DEFAULT_STARTUP,
            is_over_udp: false,
            confinement: None,
            holes: Vec::new(),
        }
    }
}

impl<P> Check<Server<P>> {
    /// How replies relate to requests, instead of finding out.
    pub fn reply(mut self, reply: Reply) -> Self {
        self.manner.reply = Some(reply);
        self
    }

    /// What is added to silence that round trips have shown, instead of what was measured.
    pub fn slack(mut self, slack: Duration) -> Self {
        self.target.slack = Some(slack);
        self
    }

    /// Plays the slow cases too.
    pub fn slow(mut self) -> Self {
        self.manner.is_slow = true;
        self
    }
}

impl Check<Server<Address>> {
    /// The server's process on this machine: what clients cost it is checked too, on Linux.
    pub fn pid(mut self, pid: u32) -> Self {
        self.target.from.pid = Some(pid);
        self
    }
}

impl Check<Server<Command>> {
    /// How long the server may take until it listens, instead of 10 s.
    pub fn startup(mut self, startup: Duration) -> Self {
        self.target.from.startup = startup;
        self
    }

    /// Keeps the server within limits, with all that it starts.
    pub fn confined(mut self, confinement: Confinement) -> Self {
        self.target.from.confinement = Some(confinement);
        self
    }

    /// What a hole of the command stands for, beside those for port and host. It stays one word, whatever is in it.
    pub fn filled(mut self, hole: &'static str, value: impl Into<String>) -> Self {
        self.target.from.holes.push((hole, value.into()));
        self
    }

    /// The server listens over UDP, where each frame is a datagram.
    pub fn over_udp(mut self) -> Self {
        self.target.from.is_over_udp = true;
        self
    }
}

/// How a server is come by.
trait ServerSource: Send + 'static {
    /// The server, as the user calls it.
    fn server(self) -> Result<(String, ServerTarget), CheckError>;
}

impl ServerSource for Address {
    fn server(self) -> Result<(String, ServerTarget), CheckError> {
        let Self { name, found, pid } = self;
        let unknown = |why| CheckError::NoAddress {
            target: name.clone(),
            why,
        };
        let server = ServerTarget::at(&found.map_err(unknown)?);
        let server = server.process(pid.map(Process::new).transpose()?);
        Ok((name, server))
    }
}

impl ServerSource for Command {
    fn server(self) -> Result<(String, ServerTarget), CheckError> {
        let mut launch = CheckError::launch(&self.text)?;
        for (hole, value) in self.holes {
            launch = launch.with_hole(hole, value);
        }
        if let Some(confinement) = self.confinement {
            launch = launch.confined(confinement);
        }
        let server = match self.is_over_udp {
            true => ServerTarget::spawned_over_udp(launch, self.startup, None),
            false => ServerTarget::spawned(launch, self.startup),
        };
        Ok((self.text, server))
    }
}

impl<S: ServerSource> IntoTarget for Server<S> {
    const ROLE: Role = Role::Server;

    async fn into_target(self) -> Result<Named, CheckError> {
        let (name, server) = self.from.server()?;
        let target = server.slack(self.slack).into();
        Ok(Named { name, target })
    }
}
