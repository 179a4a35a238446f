//! Servers, as something to be checked.

use super::{Check, CheckError, Manner, Subject, Tell};
use crate::cases;
use crate::peer::Process;
use crate::profile::Reply;
use crate::run::{self, DEFAULT_STARTUP, Options, ServerTarget, default_jobs};
use crate::spec::Role;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// A server: where it is, and how it is played at.
#[derive(Debug, Clone)]
pub struct Server<P> {
    place: P,
    reply: Option<Reply>,
    slack: Option<Duration>,
    is_slow: bool,
    repeat: u32,
}

/// The place of a server that somebody else started.
#[derive(Debug, Clone)]
pub struct Address {
    /// As the user calls it.
    name: String,
    /// What that has become, or why it is nothing.
    found: Result<Vec<SocketAddr>, String>,
    pid: Option<u32>,
}

/// The place of a server that is started here.
#[derive(Debug, Clone)]
pub struct Command {
    text: String,
    startup: Duration,
}

impl<P> Server<P> {
    pub(super) const fn new(place: P) -> Self {
        Self {
            place,
            reply: None,
            slack: None,
            is_slow: false,
            repeat: 1,
        }
    }
}

impl Address {
    pub(super) fn of(target: impl ToSocketAddrs + fmt::Display) -> Self {
        let found = target.to_socket_addrs().map(Vec::from_iter);
        Self {
            name: target.to_string(),
            found: found.map_err(|error| error.to_string()),
            pid: None,
        }
    }
}

impl Command {
    pub(super) const fn of(text: String) -> Self {
        Self {
            text,
            startup: DEFAULT_STARTUP,
        }
    }
}

impl<P> Check<Server<P>> {
    /// How replies relate to requests, instead of finding out.
    pub fn reply(mut self, reply: Reply) -> Self {
        self.subject.reply = Some(reply);
        self
    }

    /// What is added to silence that round trips have shown, instead of what was measured.
    pub fn slack(mut self, slack: Duration) -> Self {
        self.subject.slack = Some(slack);
        self
    }

    /// Plays the slow cases too.
    pub fn slow(mut self) -> Self {
        self.subject.is_slow = true;
        self
    }

    /// Plays each case so often; never is taken for once.
    pub fn repeat(mut self, times: u32) -> Self {
        self.subject.repeat = times.max(1);
        self
    }
}

impl Check<Server<Address>> {
    /// The server's process on this machine: what clients cost it is checked too, on Linux.
    pub fn pid(mut self, pid: u32) -> Self {
        self.subject.place.pid = Some(pid);
        self
    }
}

impl Check<Server<Command>> {
    /// How long the server may take until it listens, instead of 10 s.
    pub fn startup(mut self, startup: Duration) -> Self {
        self.subject.place.startup = startup;
        self
    }
}

/// A server that can be played at.
struct Ready {
    name: String,
    server: ServerTarget,
}

trait Place: Send + 'static {
    fn ready(self) -> Result<Ready, CheckError>;
}

impl Place for Address {
    fn ready(self) -> Result<Ready, CheckError> {
        let Self { name, found, pid } = self;
        let unknown = |why| CheckError::NoAddress {
            target: name.clone(),
            why,
        };
        Ok(Ready {
            server: ServerTarget::at(&found.map_err(unknown)?)
                .process(pid.map(Process::new).transpose()?),
            name,
        })
    }
}

impl Place for Command {
    fn ready(self) -> Result<Ready, CheckError> {
        let launch = CheckError::launch(&self.text)?;
        Ok(Ready {
            name: self.text,
            server: ServerTarget::spawned(launch, self.startup),
        })
    }
}

impl<P: Place> Subject for Server<P> {
    fn is_case(id: &str) -> bool {
        cases::case(id).is_some()
    }

    async fn play(self, manner: Manner, tell: Tell<'_>) -> Result<(), CheckError> {
        let cases = manner.selection.cases(Role::Server)?;
        let ready = self.place.ready()?;
        let profile = match self.reply {
            Some(reply) => manner.profile.with_reply(reply),
            None => manner.profile,
        };
        let options = Options {
            cases,
            timeout: manner.timeout,
            jobs: manner.jobs.unwrap_or(default_jobs(Role::Server)),
            repeat: self.repeat,
            seed: manner.seed,
            slow: self.is_slow,
            keep: manner.keep,
            ..Options::new(Role::Server, ready.name, profile)
        };
        let server = ready.server.slack(self.slack);
        run::run(&mut server.into(), &options, tell).await?;
        Ok(())
    }
}
