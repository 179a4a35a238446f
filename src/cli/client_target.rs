//! Which client is checked: one that is started here, or one that connects by itself.

use super::command::CommandLine;
use super::durations::{duration, word};
use super::exit::Failure;
use super::runtime::unknown;
use crate::peer::{Launch, LaunchError};
use crate::run::{ClientTarget, Input, Listener, NoClient, RunError, Source};
use crate::script::HOLE;
use crate::transport::HostPort;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct ClientArgs {
    /// Command that starts the client: {host} and {port} in it become the address to connect to
    #[arg(long, value_name = "COMMAND", value_parser = command)]
    pub(crate) exec: Option<Launch>,
    /// Where the client connects to; port 0 lets the system choose one, anew for each case with --exec
    #[arg(long, value_name = "HOST:PORT", default_value = ANYWHERE, value_parser = HostPort::listening)]
    pub(crate) listen: HostPort,
    /// What is typed for each request, with {text} in it; a JSON string if not given
    ///
    /// {text} becomes a text that occurs nowhere else.
    #[arg(long, value_name = "TEXT")]
    pub(crate) input: Option<String>,
    /// Nothing is typed: the client sends by itself
    #[arg(long, conflicts_with = "input")]
    pub(crate) input_none: bool,
    /// The payload of replies, with {text} in it; a JSON string if not given
    ///
    /// {text} becomes a text that occurs nowhere else, by which it is seen that the client has read the reply.
    #[arg(long, value_name = "PAYLOAD", value_parser = reply)]
    pub(crate) reply: Option<String>,
    /// How long a connection is waited for; 10s with --exec, else 60s, if not given
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    pub(crate) wait: Option<Duration>,
}

/// A command that starts a client.
pub(crate) fn command(text: &str) -> Result<Launch, String> {
    text.parse().map_err(|error| match error {
        LaunchError::NoPort => {
            "say where {port} goes, and {host} if need be: 'my-client {host} {port}'".to_owned()
        }
        other => other.to_string(),
    })
}

/// The payload of replies, with a place for a text.
pub(crate) fn reply(text: &str) -> Result<String, String> {
    if text.contains(HOLE) {
        Ok(text.to_owned())
    } else {
        Err(format!("say where {HOLE} goes: '{{\"say\": \"{HOLE}\"}}'"))
    }
}

impl ClientArgs {
    /// The client, and where it connects to: that is listened at from now on.
    pub(crate) async fn target(&self) -> Result<ClientTarget, Failure> {
        let addresses = self.listen.resolve().map_err(|error| unknown(&error))?;
        let listener = Listener::open(&addresses).await.map_err(|error| {
            Failure::could_not(format!("cannot listen on {}: {error}", self.listen))
                .hint("another address of this machine, or port 0 for any that is free")
        })?;
        let source = self.exec.clone().map_or(Source::User, Source::Command);
        Ok(ClientTarget::new(source, listener)
            .input(self.typed())
            .reply(self.reply.clone())
            .wait(self.wait))
    }

    fn typed(&self) -> Input {
        match &self.input {
            _ if self.input_none => Input::Nothing,
            Some(text) => Input::Typed(text.clone()),
            None => Input::Usual,
        }
    }

    /// As reports call it.
    pub(crate) fn name(&self, address: SocketAddr) -> String {
        match &self.exec {
            Some(command) => command.to_string(),
            None => format!("the client that connects to {address}"),
        }
    }

    /// As `replay` is to be told of it.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut line = CommandLine::default();
        self.add_to(&mut line);
        if self.exec.is_none() && !self.is_told_where() {
            line.option("--listen", Some(&self.listen));
        }
        line.into_words()
    }

    /// Whether the user has chosen where it connects to.
    fn is_told_where(&self) -> bool {
        self.listen.to_string() != ANYWHERE
    }

    /// Adds what names the client to a command line.
    pub(crate) fn add_to(&self, line: &mut CommandLine) {
        line.option("--exec", self.exec.as_ref());
        line.option("--input", self.input.as_ref());
        line.option("--reply", self.reply.as_ref());
        if self.input_none {
            line.word("--input-none");
        }
        let listen = self.is_told_where().then_some(&self.listen);
        line.option("--listen", listen);
        line.option("--wait", self.wait.map(word));
    }

    /// Why nothing was run, and what to try.
    pub(crate) fn failure(&self, error: &RunError) -> Failure {
        let failure = Failure::could_not(error.to_string());
        match error {
            RunError::NoClient(NoClient::NotStarted(_)) => failure
                .hint("run the command by hand, with an address in the place of {host} and {port}"),
            RunError::NoClient(NoClient::WentAway(_)) => {
                failure.hint("start the client by hand and see what it says")
            }
            RunError::NoClient(NoClient::NobodyCame(_)) => failure
                .hint("start the client with that host and port, or give it longer with --wait"),
            RunError::NoClient(NoClient::NotBegun(_)) => failure
                .hint("compare what the client says first with exchange.prologue of the profile"),
            RunError::NoClient(NoClient::Ids) => failure
                .hint("give a profile with ?? in place of id, if the client does not look at it"),
            RunError::NoClient(
                NoClient::LongReplies | NoClient::Unanswered | NoClient::FewRequests,
            )
            | RunError::Unreachable(_)
            | RunError::NotStarted(_) => failure,
        }
    }
}

/// Where clients connect to if nothing is said.
pub(crate) const ANYWHERE: &str = "127.0.0.1:0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_where_the_port_goes() {
        assert!(command("nc {host} {port}").is_ok());
        assert!(command("nc localhost 7000").is_err());
        assert!(reply("{}").is_err());
    }
}
