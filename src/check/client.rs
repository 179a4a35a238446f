//! Clients, as something to be checked.

use super::{Check, CheckError, Manner, Subject, Tell};
use crate::cases;
use crate::run::{self, ClientTarget, Input, Listener, Options, Source, default_jobs};
use crate::script::HOLE;
use crate::spec::Role;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A client that is started here: how, what is typed for it, what it is answered.
#[derive(Debug, Clone)]
pub struct Client {
    command: String,
    input: Input,
    reply: Option<String>,
    wait: Option<Duration>,
}

impl Client {
    pub(super) const fn of(command: String) -> Self {
        Self {
            command,
            input: Input::Usual,
            reply: None,
            wait: None,
        }
    }
}

impl Check<Client> {
    /// What is typed for each request, with `{text}` where a text goes that occurs nowhere else; a JSON
    /// string if nothing is said.
    pub fn input(mut self, text: impl Into<String>) -> Self {
        self.subject.input = Input::Typed(text.into());
        self
    }

    /// Nothing is typed: the client sends by itself.
    pub fn no_input(mut self) -> Self {
        self.subject.input = Input::Nothing;
        self
    }

    /// The payload of replies, with `{text}` where a text goes that occurs nowhere else; a JSON string if
    /// nothing is said.
    pub fn reply(mut self, payload: impl Into<String>) -> Self {
        self.subject.reply = Some(payload.into());
        self
    }

    /// How long a connection is waited for, instead of 10 s.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.subject.wait = Some(wait);
        self
    }
}

impl Subject for Client {
    fn is_case(id: &str) -> bool {
        cases::case(id).is_some_and(|case| case.role() == Role::Client)
    }

    async fn play(self, manner: Manner, tell: Tell<'_>) -> Result<(), CheckError> {
        let cases = manner.selection.cases(Role::Client)?;
        let options = Options {
            cases,
            timeout: manner.timeout,
            jobs: manner.jobs.unwrap_or(default_jobs(Role::Client)),
            seed: manner.seed,
            keep: manner.keep,
            ..Options::new(Role::Client, self.command.clone(), manner.profile)
        };
        let client = self.target().await?;
        run::run(&mut client.into(), &options, tell).await?;
        Ok(())
    }
}

impl Client {
    /// What is said of the client itself.
    async fn target(self) -> Result<ClientTarget, CheckError> {
        let launch = CheckError::launch(&self.command)?;
        if let Some(payload) = self.reply.iter().find(|payload| !payload.contains(HOLE)) {
            return Err(CheckError::NoHole(payload.clone()));
        }
        let anywhere = [(Ipv4Addr::LOCALHOST, 0).into()];
        let listener = Listener::open(&anywhere).await;
        let listener = listener.map_err(CheckError::NoListener)?;
        Ok(ClientTarget::new(Source::Command(launch), listener)
            .input(self.input)
            .reply(self.reply)
            .wait(self.wait))
    }
}
