//! Which server is checked: one that runs, one to be started, or the one in this program.

use super::command::CommandLine;
use super::durations::{duration, word};
use super::exit::Failure;
use super::out;
use super::runtime::{unknown, unreachable_hint};
use super::tls::TrustArgs;
use crate::lang::{Hole, Text, say};
use crate::peer::{Launch, LaunchError, Process};
use crate::profile::{Carriage, Profile};
use crate::report::escape;
use crate::run::{DEFAULT_STARTUP, NotStarted, RunError, ServerTarget, Unreachable};
use crate::server::{Background, Echo, Settings};
use crate::transport::Name;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The server: host:port, tls:host:port, udp:host:port or unix:PATH
    ///
    /// With IPv6 it is [address]:port. One that --exec starts may be stdio: or udp:.
    #[arg(value_name = "TARGET", help_heading = None::<&str>)]
    target: Option<Name>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Command that starts the server, instead of TARGET: {port} in it becomes a free port
    ///
    /// {host} becomes the address to listen on. With the TARGET stdio: the server is started for each connection, and
    /// speaks on its standard input and output; with udp: it listens over UDP.
    #[arg(long, value_name = "COMMAND", conflicts_with = "pid", value_parser = Launch::of)]
    exec: Option<Launch>,
    /// How long that server may take until it listens
    #[arg(long, value_name = "TIME", default_value = "10s", requires = "exec", value_parser = duration)]
    startup: Duration,
    /// The server's process on this machine, to check what it spends
    #[arg(long, value_name = "PID", requires = "target", value_parser = pid)]
    pid: Option<u32>,
}

/// The port of a server on this machine, if it is one's that is reached over TCP.
fn local_port(target: &Name) -> Option<u16> {
    let (Name::Host(host) | Name::Tls(host)) = target else {
        return None;
    };
    let mut addresses = host.resolve().ok()?.into_iter();
    let local = addresses.find(|address| address.ip().is_loopback())?;
    Some(local.port())
}

fn pid(text: &str) -> Result<u32, String> {
    let wrong = |_| say!("give the number of the server's process").to_string();
    text.parse().map_err(wrong)
}

/// The server to be checked, and whatever keeps it alive.
pub(crate) struct NamedTarget {
    /// As reports call it.
    pub(crate) name: Text,
    pub(crate) server: ServerTarget,
    /// The one in this program, for as long as it is kept.
    pub(super) embedded: Option<Background>,
}

impl NamedTarget {
    fn new(name: Text, server: ServerTarget) -> Self {
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

    /// Whether a command starts it.
    pub(crate) const fn is_started(&self) -> bool {
        self.exec.is_some()
    }

    /// The folder that this program runs in, if who is meant depends on that.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let is_here = self.is_started() || matches!(self.target, Some(Name::Unix(_)));
        is_here.then(|| std::env::current_dir().ok()).flatten()
    }

    /// As `replay` is to be told of it.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut line = CommandLine::default();
        line.option("--exec", self.exec.as_ref());
        match (&self.target, &self.exec) {
            (Some(target), _) => line.word(target),
            (None, Some(_)) => {}
            (None, None) => line.word("HOST:PORT"),
        }
        self.trust.add_to(&mut line);
        line.into_words()
    }

    /// The server's process, where the user has named it.
    pub(crate) fn process(&self) -> Result<Option<Process>, Failure> {
        self.pid.map(Process::new).transpose().map_err(|error| {
            Failure::usage(error.to_string()).hint(say!(
                "--pid takes the number of the server's process on this machine"
            ))
        })
    }

    /// Says so if the process that the user has named is not the server's, as far as that can be told.
    pub(crate) fn doubt_process(&self) -> Result<(), Failure> {
        let port = self.target.as_ref().and_then(local_port);
        if let (Some(process), Some(port), Some(pid)) = (self.process()?, port, self.pid)
            && process.listens_at(port) == Some(false)
        {
            out::note(say!(
                "note: another process than {pid} listens at port {port}: what it holds and spends may not be the server's",
                pid,
                port
            ));
        }
        Ok(())
    }

    /// The profile as it is spoken there.
    ///
    /// # Errors
    /// If it begins with what is said on a connection, and there is none.
    pub(crate) fn carried(&self, profile: Profile) -> Result<Profile, Failure> {
        match &self.target {
            Some(target) => carried_to(target, profile),
            None => Ok(profile),
        }
    }

    /// The server. One to be started is not started yet.
    pub(crate) fn named(&self, profile: &Profile) -> Result<NamedTarget, Failure> {
        let server = match (&self.target, &self.exec) {
            (None, None) => return embedded(profile),
            (Some(target), exec) => {
                let exec = exec.as_ref().map(|launch| (launch, self.startup));
                let server = server_at(target, &self.trust, exec)?;
                server.process(self.process()?)
            }
            (None, Some(launch)) => ServerTarget::spawned(with_port(launch)?, self.startup),
        };
        let name = match (&self.exec, &self.target) {
            (Some(launch), _) => launch.to_string(),
            (None, target) => target.as_ref().map(Name::to_string).unwrap_or_default(),
        };
        Ok(NamedTarget::new(name.into(), server))
    }

    /// Adds what names the server to a command line.
    pub(crate) fn add_to(&self, line: &mut CommandLine) {
        line.option("--exec", self.exec.as_ref());
        let is_said = self.exec.is_some() && self.startup != DEFAULT_STARTUP;
        line.option("--startup", is_said.then(|| word(self.startup)));
        if let Some(target) = &self.target {
            line.word(target);
        }
        self.trust.add_to(line);
        line.option("--pid", self.pid);
    }

    /// Why nothing was run, and what to try.
    pub(crate) fn failure(&self, error: &RunError) -> Failure {
        match error {
            RunError::Unreachable(unreachable) => self.unreachable(unreachable),
            RunError::NotStarted(not_started) => {
                started_in_vain(not_started, self.target == Some(Name::Stdio))
            }
            RunError::NoClient(_) => Failure::could_not(error.text()),
        }
    }

    fn unreachable(&self, unreachable: &Unreachable) -> Failure {
        let failure = Failure::could_not(unreachable.text());
        match &self.target {
            Some(target) if self.exec.is_none() => {
                failure.hint(unreachable_hint(target, unreachable.kind))
            }
            _ if self.exec.is_some() => failure.hint(say!(
                "the server listened, and then no longer: run it by hand and connect to it"
            )),
            _ => failure,
        }
    }
}

/// The profile as it is spoken there.
///
/// # Errors
/// If it begins with what is said on a connection, and there is none.
pub(super) fn carried_to(target: &Name, profile: Profile) -> Result<Profile, Failure> {
    let carriage = match target {
        Name::Udp(_) | Name::SomeUdp => Carriage::Datagrams,
        _ => Carriage::Stream,
    };
    if carriage.is_datagrams() && !profile.prologue().is_empty() {
        let what = say!(
            "the profile {profile} has a prologue, which is said on a connection, and over {target} there is none",
            profile = profile.name(),
            target = target.to_string()
        );
        return Err(
            Failure::usage(what).hint(say!("a profile without exchange.prologue, or host:port"))
        );
    }
    Ok(profile.carried_by(carriage))
}

/// The server that is named so, and the command that starts it, if there is one, with the time that it may take.
pub(super) fn server_at(
    target: &Name,
    trust: &TrustArgs,
    exec: Option<(&Launch, Duration)>,
) -> Result<ServerTarget, Failure> {
    match (target, exec) {
        (Name::Stdio, Some((launch, _))) => Ok(ServerTarget::on_pipes(launch.clone())),
        (Name::SomeUdp | Name::Udp(_), Some((launch, startup))) => {
            let at = udp_address(target)?;
            Ok(ServerTarget::spawned_over_udp(with_port(launch)?, startup, at))
        }
        (Name::SomeUdp, None) => Err(Failure::usage(
            say!("udp: alone is a server that a command starts, and there is none"),
        )
        .hint(say!("udp:host:port, or --exec COMMAND udp:"))),
        (Name::Stdio, None) => Err(Failure::usage(
            say!("stdio: is the standard input and output of a command, and there is none"),
        )
        .hint(say!("--exec COMMAND stdio:"))),
        (target, None) => Ok(ServerTarget::at(&trust.addresses(target)?)),
        (target, Some(_)) => Err(Failure::usage(say!("--exec starts a server, and {target} is one that runs: the argument '--exec <COMMAND>' cannot be used with it", target = target.to_string()))
        .hint(say!("leave out one of the two, or give stdio: or udp: in the place of the target"))),
    }
}

/// Where a server over UDP is to listen, if that is said.
fn udp_address(target: &Name) -> Result<Option<SocketAddr>, Failure> {
    let Name::Udp(host) = target else {
        return Ok(None);
    };
    let found = host.resolve().map_err(|error| unknown(&error))?;
    Ok(found.into_iter().next())
}

/// A command that says where the port goes.
pub(super) fn with_port(launch: &Launch) -> Result<Launch, Failure> {
    launch.to_string().parse().map_err(|error: LaunchError| {
        Failure::usage(say!(
            "invalid value '{launch}' for '--exec <COMMAND>': {error}",
            launch = launch.to_string(),
            error
        ))
        .hint(say!(
            "or stdio: as the target, if the server speaks on its standard input and output"
        ))
    })
}

pub(super) fn started_in_vain(error: &NotStarted, is_on_pipes: bool) -> Failure {
    let mut what = error.to_string();
    if !error.stderr.is_empty() {
        let label = say!("the last it wrote to its standard error");
        what.push_str(&format!("\n{label}:"));
        for line in error.stderr.lines() {
            what.push_str("\n  ");
            what.push_str(&escape::Line(line).to_string());
        }
    }
    Failure::could_not(what).hint(if is_on_pipes {
        say!("run the command by hand: the server has to stay, and to take requests from its standard input")
    } else {
        say!("run the command by hand, with a port in the place of {port}: the server has to listen on that port of this machine, and to stay in the foreground")
    })
}

/// The reference server, in this process.
pub(super) fn embedded(profile: &Profile) -> Result<NamedTarget, Failure> {
    let started = Background::start("127.0.0.1:0", profile.clone(), Settings::default(), Echo);
    let server = started.map_err(|error| {
        Failure::could_not(say!("cannot start the reference server: {error}", error))
    })?;
    let address = server.addr();
    Ok(NamedTarget {
        name: say!(
            "the reference server at {address}",
            address = address.to_string()
        ),
        server: ServerTarget::at(&[address.into()]),
        embedded: Some(server),
    })
}
