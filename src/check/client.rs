//! Clients, as something to be checked.

use super::{Check, CheckError, IntoTarget, Named};
use crate::run::{ClientTarget, Input, Listener, Source};
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
        self.target.input = Input::Typed(text.into());
        self
    }

    /// Nothing is typed: the client sends by itself.
    pub fn no_input(mut self) -> Self {
        self.target.input = Input::Nothing;
        self
    }

    /// The payload of replies, with `{text}` where a text goes that occurs nowhere else; a JSON string if
    /// nothing is said.
    pub fn reply(mut self, payload: impl Into<String>) -> Self {
        self.target.reply = Some(payload.into());
        self
    }

    /// How long a connection is waited for, instead of 10 s.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.target.wait = Some(wait);
        self
    }
}

impl IntoTarget for Client {
    const ROLE: Role = Role::Client;

    async fn into_target(self) -> Result<Named, CheckError> {
        let launch = CheckError::launch(&self.command)?;
        if let Some(payload) = self.reply.iter().find(|payload| !payload.contains(HOLE)) {
            return Err(CheckError::NoHole(payload.clone()));
        }
        let anywhere = [(Ipv4Addr::LOCALHOST, 0).into()];
        let listener = Listener::open(&anywhere).await;
        let listener = listener.map_err(CheckError::NoListener)?;
        let client = ClientTarget::new(Source::Command(launch), listener)
            .input(self.input)
            .reply(self.reply)
            .wait(self.wait);
        Ok(Named {
            name: self.command,
            target: client.into(),
        })
    }
}
