//! Whom files are replayed at: a server that runs, a server or client that is started, or a client that
//! connects by itself.

use super::super::check::ReplyArg;
use super::super::client_target::{self, ANYWHERE, ClientArgs};
use super::super::command::CommandLine;
use super::super::durations::{duration, word};
use super::super::exit::Failure;
use super::super::out;
use super::super::script_file;
use super::super::target::{NamedTarget, server_at, started_in_vain, with_port};
use super::super::tls::TrustArgs;
use super::playing::PlayError;
use crate::peer::Launch;
use crate::profile::Reply;
use crate::run::{DEFAULT_STARTUP, RunError, ServerTarget, Target};
use crate::script::Side;
use crate::server::Background;
use crate::transport::{HostPort, Name};
use clap::ValueEnum as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct PeerArgs {
    /// Command that starts the server or the client, instead of TARGET
    ///
    /// {port} in it becomes the port, {host} the address.
    #[arg(long, value_name = "COMMAND", value_parser = Launch::of)]
    exec: Option<Launch>,
    #[command(flatten)]
    trust: TrustArgs,
    /// How long a server that is started may take until it listens
    #[arg(long, value_name = "TIME", requires = "exec", value_parser = duration)]
    startup: Option<Duration>,
    /// Where a client connects to that somebody else starts, instead of TARGET
    ///
    /// It has to connect once for a first look, and then once for each file.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "exec", value_parser = HostPort::listening)]
    listen: Option<HostPort>,
    /// What is typed for a client in the first look, as check-client takes it
    #[arg(long, value_name = "TEXT")]
    input: Option<String>,
    /// Nothing is typed: the client sends by itself
    #[arg(long, conflicts_with = "input")]
    input_none: bool,
    /// How a server's replies relate to requests, or the payload of replies to a client
    ///
    /// The first is what check takes, the second what check-client takes.
    #[arg(long, value_name = "HOW|PAYLOAD")]
    reply: Option<String>,
    /// How long a client is waited for
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    wait: Option<Duration>,
}

/// Whom files are replayed at.
pub(crate) struct ReplayPeer {
    pub(crate) target: Target,
    /// As results call it.
    pub(crate) name: String,
    /// How a server's replies relate to requests, where that was said.
    pub(crate) reply: Option<Reply>,
    /// Whether it can be had for another attempt.
    pub(crate) is_had_again: bool,
    /// What keeps it alive, where it is in this program.
    _embedded: Option<Background>,
}

impl ReplayPeer {
    /// A server of this program.
    pub(crate) fn of(named: NamedTarget) -> Self {
        Self {
            target: named.server.into(),
            name: named.name.as_str().to_owned(),
            reply: None,
            is_had_again: true,
            _embedded: named.embedded,
        }
    }
}

impl PeerArgs {
    /// Whether the peer is named here.
    pub(crate) const fn is_named(&self) -> bool {
        self.exec.is_some() || self.listen.is_some()
    }

    /// Adds what names the peer to a command line.
    pub(crate) fn add_to(&self, line: &mut CommandLine) {
        line.option("--exec", self.exec.as_ref());
        line.option("--startup", self.startup.map(word));
        line.option("--listen", self.listen.as_ref());
        line.option("--input", self.input.as_ref());
        if self.input_none {
            line.word("--input-none");
        }
        line.option("--reply", self.reply.as_ref());
        line.option("--wait", self.wait.map(word));
        self.trust.add_to(line);
    }

    /// Refuses what is said of a peer where there is none.
    pub(crate) fn must_say_nothing(&self) -> Result<(), Failure> {
        let said = [
            ("--input", self.input.is_some()),
            ("--input-none", self.input_none),
            ("--reply", self.reply.is_some()),
            ("--wait", self.wait.is_some()),
        ];
        match said.into_iter().find(|(_, is_said)| *is_said) {
            None => Ok(()),
            Some((option, _)) => Err(Failure::usage(format!(
                "{option} says something of a peer, and none is named"
            ))
            .hint("name a TARGET, --exec or --listen, or leave it out")),
        }
    }

    /// The files, and the server behind them where one is to be named there.
    pub(crate) fn split<'a>(
        &self,
        words: &'a [PathBuf],
    ) -> Result<(&'a [PathBuf], Option<Name>), Failure> {
        if self.is_named() {
            return Ok(match words {
                [files @ .., last] if self.exec.is_some() => match started(last) {
                    Some(how) => (files, Some(how)),
                    None => (words, None),
                },
                files => (files, None),
            });
        }
        let hint = "conformance replay FILE TARGET, or --exec COMMAND in the place of TARGET";
        match words {
            [] | [_] => Err(Failure::usage(
                "a file and a <TARGET> are needed: which files are played, and at which server",
            )
            .hint(hint)),
            [files @ .., last] => {
                let last = last.display().to_string();
                let target = last.parse().map_err(|error| {
                    Failure::usage(format!("{last:?} is no target: {error}")).hint(hint)
                })?;
                Ok((files, Some(target)))
            }
        }
    }

    /// The peer. A server is not started yet.
    pub(crate) async fn open(
        &self,
        target: Option<Name>,
        files: &[PathBuf],
    ) -> Result<ReplayPeer, Failure> {
        match (target, &self.exec) {
            (Some(target), _) => {
                let startup = self.startup.unwrap_or(DEFAULT_STARTUP);
                let exec = self.exec.as_ref().map(|launch| (launch, startup));
                let server = server_at(&target, &self.trust, exec)?;
                let name = self.exec.as_ref().map(Launch::to_string);
                self.server(name.unwrap_or_else(|| target.to_string()), server)
            }
            (None, Some(launch)) if side(files)? == Side::Client => {
                let startup = self.startup.unwrap_or(DEFAULT_STARTUP);
                let server = ServerTarget::spawned(with_port(launch)?, startup);
                self.server(launch.to_string(), server)
            }
            (None, _) => self.client().await,
        }
    }

    fn server(&self, name: String, server: ServerTarget) -> Result<ReplayPeer, Failure> {
        if self.input.is_some() || self.input_none || self.wait.is_some() {
            let what = "--input, --input-none and --wait are for clients, and these files are played at a server";
            return Err(Failure::usage(what).hint("leave them out"));
        }
        let how = |text: &String| {
            ReplyArg::from_str(text, false).map_err(|_| {
                Failure::usage(format!(
                    "--reply {text:?}: of a server, give auto, echo, token, any or none"
                ))
            })
        };
        let reply = self.reply.as_ref().map(how).transpose()?;
        Ok(ReplayPeer {
            target: server.into(),
            name,
            reply: reply.map(Reply::from),
            is_had_again: true,
            _embedded: None,
        })
    }

    async fn client(&self) -> Result<ReplayPeer, Failure> {
        let client = self.client_args()?;
        let target = client.target().await?;
        let name = client.name(target.address());
        if self.exec.is_none() {
            out::line(target.address())?;
            out::note(format_args!(
                "connect the client to {} again and again: first for a first look, then for each file",
                target.address()
            ));
        }
        Ok(ReplayPeer {
            target: target.into(),
            name,
            reply: None,
            is_had_again: self.exec.is_some(),
            _embedded: None,
        })
    }

    fn client_args(&self) -> Result<ClientArgs, Failure> {
        let payload = |text: &String| {
            client_target::reply(text)
                .map_err(|error| Failure::usage(format!("--reply {text:?}: of a client, {error}")))
        };
        let anywhere = HostPort::listening(ANYWHERE);
        let anywhere = anywhere.map_err(|error| Failure::could_not(error.to_string()))?;
        Ok(ClientArgs {
            exec: self.exec.as_ref().map(with_port).transpose()?,
            listen: self.listen.clone().unwrap_or(anywhere),
            input: self.input.clone(),
            input_none: self.input_none,
            reply: self.reply.as_ref().map(payload).transpose()?,
            wait: self.wait,
        })
    }

    fn names_port(&self) -> bool {
        self.exec.as_ref().is_some_and(Launch::names_port)
    }

    /// Why a file could not be played, and what to try.
    pub(crate) fn not_played(&self, error: PlayError) -> Failure {
        match error {
            PlayError::NotThere(error) => self.failure(&error),
            PlayError::Failed(failure) => failure,
        }
    }

    fn failure(&self, error: &RunError) -> Failure {
        match error {
            RunError::NoClient(_) => match self.client_args() {
                Ok(client) => client.failure(error),
                Err(failure) => failure,
            },
            RunError::NotStarted(not_started) => started_in_vain(not_started, !self.names_port()),
            RunError::Unreachable(_) => Failure::could_not(error.to_string())
                .hint("start the server first, or check host and port"),
        }
    }
}

/// How a server is spoken to that a command starts, if the word says that.
fn started(word: &Path) -> Option<Name> {
    let name = word.to_str()?.parse().ok()?;
    matches!(name, Name::Stdio | Name::SomeUdp | Name::Udp(_)).then_some(name)
}

/// Which side all files play.
fn side(files: &[PathBuf]) -> Result<Side, Failure> {
    let mut sides = files.iter().filter_map(|path| {
        let file = script_file::read(path).ok()?;
        Some((path, file.script.side()))
    });
    let Some((first, side)) = sides.next() else {
        return Ok(Side::Client);
    };
    match sides.find(|(_, other)| *other != side) {
        None => Ok(side),
        Some((other, _)) => Err(mixed(first, other)),
    }
}

fn mixed(first: &Path, other: &Path) -> Failure {
    let (first, other) = (first.display(), other.display());
    Failure::usage(format!(
        "one of {first} and {other} is meant for a server and the other for a client: --exec starts only one of them"
    ))
    .hint("name the files for servers in one call, and those for clients in another")
}
