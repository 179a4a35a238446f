//! `conformance send`: requests from the command line, and their replies.

use super::durations::waiting;
use super::exit::{Exit, Failure};
use super::lines;
use super::tls::TrustArgs;
use super::wire_format::WireFormatArgs;
use super::{out, plain, runtime};
use crate::client::{Client, ClientError};
use crate::message::Message;
use crate::profile::{Payload, Profile};
use crate::transport::Name;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

/// Send requests to a server, in order, and print the reply to each
#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// The server: host:port, tls:host:port, udp:host:port or unix:PATH
    #[arg(value_name = "TARGET")]
    target: Name,
    #[command(flatten)]
    trust: TrustArgs,
    /// Requests, each one JSON text; - reads one a line from the standard input, and skips empty lines
    #[arg(value_name = "JSON", required = true)]
    requests: Vec<String>,
    #[command(flatten)]
    format: WireFormatArgs,
    /// How long to wait for the connection, and for each reply
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = waiting)]
    timeout: Duration,
}

/// In place of a request: read them from the standard input.
const FROM_STDIN: &str = "-";

impl SendArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let profile = self.format.profile()?;
        // All arguments are looked at before anything is sent.
        let requests: Vec<Option<Message>> = self
            .requests
            .iter()
            .map(|text| {
                (text != FROM_STDIN)
                    .then(|| argument(&profile, text))
                    .transpose()
            })
            .collect::<Result<_, _>>()?;
        runtime::single()?.block_on(self.send(&profile, requests))
    }

    async fn send(
        &self,
        profile: &Profile,
        requests: Vec<Option<Message>>,
    ) -> Result<Exit, Failure> {
        let mut client = runtime::connect(&self.target, &self.trust, profile, self.timeout).await?;
        for request in requests {
            match request {
                Some(message) => self.exchange(&mut client, &message).await?,
                None => self.send_lines(&mut client, profile).await?,
            }
        }
        Ok(Exit::Ok)
    }

    async fn send_lines(&self, client: &mut Client, profile: &Profile) -> Result<(), Failure> {
        let mut lines = lines::stdin(usize::try_from(profile.max_body()).unwrap_or(usize::MAX));
        while let Some(line) = lines.recv().await {
            let (number, text) = line.map_err(|error| Failure::usage(error.to_string()))?;
            if profile.payload() == Payload::Json && text.trim().is_empty() {
                continue;
            }
            let message = message(profile, text.clone()).map_err(|why| {
                Failure::usage(format!("line {number}: {why}: {}", excerpt(&text)))
                    .hint("one JSON text on each line")
            })?;
            self.exchange(client, &message).await?;
        }
        Ok(())
    }

    async fn exchange(&self, client: &mut Client, message: &Message) -> Result<(), Failure> {
        match timeout(self.timeout, client.request(message)).await {
            Ok(Ok(reply)) => out::line(shown(&reply)),
            Ok(Err(error)) => Err(failed(&self.target, &error)),
            Err(_) => Err(Failure::could_not(format!(
                "no reply from {} within {:?}",
                self.target, self.timeout
            ))
            .hint("another --profile, if the server speaks one, or a longer --timeout")),
        }
    }
}

fn argument(profile: &Profile, text: &str) -> Result<Message, Failure> {
    message(profile, text.to_owned()).map_err(|why| {
        let hint = match serde_json::to_string(text) {
            Ok(quoted) if !quoted.contains('\'') => {
                format!("a JSON string has quotes of its own: '{quoted}'")
            }
            _ => "one JSON text, in quotes that keep the shell from changing it".to_owned(),
        };
        Failure::usage(format!("{}: {why}", excerpt(text))).hint(hint)
    })
}

fn message(profile: &Profile, text: String) -> Result<Message, String> {
    Message::read(profile.payload(), Bytes::from(text)).map_err(|why| why.to_string())
}

/// As much of a text as fits on a line.
fn excerpt(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// A message from a server, fit for a terminal.
pub(crate) fn shown(message: &Message) -> String {
    match (message.kind(), message.text()) {
        (Payload::Json, Some(text)) => plain::json(text),
        _ => plain::octets(message.payload()),
    }
}

/// An exchange failed: why, and what to try.
pub(crate) fn failed(target: &Name, error: &ClientError) -> Failure {
    let other_format = "another --profile: the server may speak another wire format";
    let (what, hint) = match error {
        ClientError::Undecodable { payload, .. } => {
            let start = payload.get(..60).unwrap_or(payload);
            (format!("{error}: {}", plain::octets(start)), other_format)
        }
        ClientError::Decode(_) => (error.to_string(), other_format),
        ClientError::Encode(_) => return Failure::usage(error.to_string()).hint("--max-frame"),
        ClientError::Closed => (
            error.to_string(),
            "another --profile, or see what the server says in its log",
        ),
        ClientError::Io(_) => (error.to_string(), "see whether the server is still there"),
    };
    Failure::could_not(format!("{target}: {what}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_refused_with_a_hint_on_quoting() {
        let failure = argument(&Profile::tutorial(), "hello").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.hint.as_str().contains("'\"hello\"'"), "{failure:?}");
        assert!(argument(&Profile::tutorial(), "\"hello\"").is_ok());
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(excerpt("a\u{1b}"), "\"a\\u{1b}\"");
        assert!(excerpt(&"é".repeat(1000)).len() < 140);
    }
}
