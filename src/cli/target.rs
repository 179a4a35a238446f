//! Which server is checked: one that runs, one to be started, or the one in this program.

use super::command::CommandLine;
use super::durations::{duration, word};
use super::exit::Failure;
use super::runtime::{addresses, unreachable_hint};
use crate::peer::{Launch, Process};
use crate::profile::Profile;
use crate::report::escape;
use crate::run::{DEFAULT_STARTUP, NotStarted, RunError, ServerTarget, Unreachable};
use crate::server::{Background, Echo, Settings};
use crate::transport::Name;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The server: host:port, [address]:port for IPv6, or unix:PATH
    #[arg(value_name = "TARGET", help_heading = None::<&str>)]
    target: Option<Name>,
    /// Command that starts the server, instead of TARGET: {port} in it becomes a free port, {host} the address to listen on
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["target", "pid"])]
    exec: Option<Launch>,
    /// How long that server may take until it listens
    #[arg(long, value_name = "TIME", default_value = "10s", requires = "exec", conflicts_with = "target", value_parser = duration)]
    startup: Duration,
    /// The server's process on this machine, to check what it spends
    #[arg(long, value_name = "PID", requires = "target", value_parser = pid)]
    pid: Option<u32>,
}

fn pid(text: &str) -> Result<u32, String> {
    let wrong = |_| "give the number of the server's process".to_owned();
    text.parse().map_err(wrong)
}

/// The server to be checked, and whatever keeps it alive.
pub(crate) struct NamedTarget {
    /// As reports call it.
    pub(crate) name: String,
    pub(crate) server: ServerTarget,
    /// The one in this program, for as long as it is kept.
    pub(super) embedded: Option<Background>,
}

impl NamedTarget {
    fn new(name: String, server: ServerTarget) -> Self {
        Self {
            name,
            server,
            embedded: None,
        }
    }
}

impl TargetArgs {
    /// Whether it is the one in this program.
    pub(crate) fn is_embedded(&self) -> bool {
        self.target.is_none() && self.exec.is_none()
    }

    /// As `replay` is to be told of it.
    pub(crate) fn words(&self) -> Vec<String> {
        match (&self.target, &self.exec) {
            (Some(target), _) => vec![target.to_string()],
            (None, Some(launch)) => vec!["--exec".to_owned(), launch.to_string()],
            (None, None) => vec!["HOST:PORT".to_owned()],
        }
    }

    /// The server's process, where the user has named it.
    pub(crate) fn process(&self) -> Result<Option<Process>, Failure> {
        self.pid.map(Process::new).transpose().map_err(|error| {
            Failure::usage(error.to_string())
                .hint("--pid takes the number of the server's process on this machine")
        })
    }

    /// The server. One to be started is not started yet.
    pub(crate) fn named(&self, profile: &Profile) -> Result<NamedTarget, Failure> {
        match (&self.target, &self.exec) {
            (Some(named), _) => {
                let server = ServerTarget::at(&addresses(named)?).process(self.process()?);
                Ok(NamedTarget::new(named.to_string(), server))
            }
            (None, Some(launch)) => {
                let server = ServerTarget::spawned(launch.clone(), self.startup);
                Ok(NamedTarget::new(launch.to_string(), server))
            }
            (None, None) => embedded(profile),
        }
    }

    /// Adds what names the server to a command line.
    pub(crate) fn add_to(&self, line: &mut CommandLine) {
        if let Some(target) = &self.target {
            line.word(target);
        }
        if let Some(exec) = &self.exec {
            line.option("--exec", Some(exec));
            let startup = (self.startup != DEFAULT_STARTUP).then(|| word(self.startup));
            line.option("--startup", startup);
        }
        line.option("--pid", self.pid);
    }

    /// Why nothing was run, and what to try.
    pub(crate) fn failure(&self, error: &RunError) -> Failure {
        match error {
            RunError::Unreachable(unreachable) => self.unreachable(unreachable),
            RunError::NotStarted(not_started) => started_in_vain(not_started),
            RunError::NoClient(_) => Failure::could_not(error.to_string()),
        }
    }

    fn unreachable(&self, unreachable: &Unreachable) -> Failure {
        let failure = Failure::could_not(unreachable.to_string());
        match &self.target {
            Some(target) => failure.hint(unreachable_hint(target, unreachable.kind)),
            None if self.exec.is_some() => failure
                .hint("the server listened, and then no longer: run it by hand and connect to it"),
            None => failure,
        }
    }
}

pub(super) fn started_in_vain(error: &NotStarted) -> Failure {
    let mut what = error.to_string();
    if !error.stderr.is_empty() {
        what.push_str("\nthe last it wrote to its standard error:");
        for line in error.stderr.lines() {
            what.push_str("\n  ");
            what.push_str(&escape::Line(line).to_string());
        }
    }
    Failure::could_not(what).hint(
        "run the command by hand, with a port in the place of {port}: the server has to listen on that port of this machine, and to stay in the foreground",
    )
}

/// The reference server, in this process.
pub(super) fn embedded(profile: &Profile) -> Result<NamedTarget, Failure> {
    let started = Background::start("127.0.0.1:0", profile.clone(), Settings::default(), Echo);
    let server = started.map_err(|error| {
        Failure::could_not(format!("cannot start the reference server: {error}"))
    })?;
    let address = server.addr();
    Ok(NamedTarget {
        name: format!("the reference server at {address}"),
        server: ServerTarget::at(&[address.into()]),
        embedded: Some(server),
    })
}
