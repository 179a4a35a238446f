//! Clients, as something to be checked.

use super::{Check, CheckError, Manner, Subject, Tell};
use crate::cases;
use crate::profile::Profile;
use crate::run_client::{self, DEFAULT_JOBS, Listener, Options, Source};
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

/// What is typed for each request.
#[derive(Debug, Clone)]
enum Input {
    /// What suits the payloads of the profile.
    Usual,
    /// This, with a hole where a text goes.
    Typed(String),
    /// Nothing: the client sends by itself.
    Nothing,
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
            jobs: manner.jobs.unwrap_or(DEFAULT_JOBS),
            seed: manner.seed,
            keep: manner.keep,
            ..self.options(manner.profile)?
        };
        let anywhere = [(Ipv4Addr::LOCALHOST, 0).into()];
        let door = Listener::open(&anywhere)
            .await
            .map_err(CheckError::NoDoor)?;
        run_client::run(door, &options, tell).await?;
        Ok(())
    }
}

impl Client {
    /// What is said of the client itself.
    fn options(self, profile: Profile) -> Result<Options, CheckError> {
        let launch = CheckError::launch(&self.command)?;
        if let Some(payload) = self.reply.iter().find(|payload| !payload.contains(HOLE)) {
            return Err(CheckError::NoHole(payload.clone()));
        }
        let usual = Options::new(Source::Command(launch), profile);
        Ok(Options {
            input: match self.input {
                Input::Usual => usual.input,
                Input::Typed(text) => Some(text),
                Input::Nothing => None,
            },
            reply: self.reply,
            wait: self.wait.unwrap_or(usual.wait),
            ..usual
        })
    }
}
