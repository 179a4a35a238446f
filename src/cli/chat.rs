//! `conformance chat`: a conversation with a server.

use super::alterations::AlterationArgs;
use super::durations::waiting;
use super::exit::{Exit, Failure};
use super::lines;
use super::send::{failed, shown};
use super::tls::TrustArgs;
use super::wire_format::WireFormatArgs;
use super::{out, runtime};
use crate::altered::client::{self as altered, Alterations, Console, Hooks, Over};
use crate::client::{ClientError, Receiver, Sender};
use crate::message::Message;
use crate::profile::Profile;
use crate::transport::Name;
use bytes::Bytes;
use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// Talk to a server: each line is sent, and replies are printed as they come
///
/// A line that is one JSON text is sent as it is, any other as a JSON string.
#[derive(Debug, clap::Args)]
pub(crate) struct ChatArgs {
    /// The server: host:port, tls:host:port, udp:host:port or unix:PATH
    #[arg(value_name = "TARGET", required_unless_present_any = ["list_faults", "list_variants"])]
    target: Option<Name>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    wire: WireFormatArgs,
    /// How long to wait for the connection, and at the end for replies that are still owed
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = waiting)]
    timeout: Duration,
    #[command(flatten)]
    altered: AlterationArgs<Hooks>,
}

/// A conversation that has begun.
#[derive(Debug)]
struct Chat {
    target: Name,
    trust: TrustArgs,
    timeout: Duration,
}

/// Messages that went and came so far.
#[derive(Debug, Default)]
struct Counts {
    sent: Cell<u64>,
    answered: Cell<u64>,
}

impl Counts {
    fn owed(&self) -> u64 {
        self.sent.get().saturating_sub(self.answered.get())
    }
}

fn one_more(count: &Cell<u64>) {
    count.set(count.get().saturating_add(1));
}

impl ChatArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let altered = self.altered.chosen()?;
        let (Some(target), false) = (self.target, self.altered.list()?) else {
            return Ok(Exit::Ok);
        };
        let profile = self.wire.profile()?;
        if let Some(alterations) = altered {
            return talk_altered(&target, profile, alterations);
        }
        let timeout = self.timeout;
        let chat = Chat {
            target,
            trust: self.trust,
            timeout,
        };
        runtime::single()?.block_on(chat.talk(&profile))
    }
}

/// The same by the client that can be altered.
fn talk_altered(
    target: &Name,
    profile: Profile,
    alterations: Alterations,
) -> Result<Exit, Failure> {
    let Name::Host(host) = target else {
        return Err(
            Failure::usage(format!("an altered client does not speak over {target}"))
                .hint("give host:port, or leave out --fault and --variant"),
        );
    };
    let addresses = host.resolve().map_err(|error| runtime::unknown(&error))?;
    let over = altered::run(&addresses, profile, alterations, Console::standard());
    Ok(match over {
        Over::Well => Exit::Ok,
        Over::Badly => Exit::CouldNot,
    })
}

impl Chat {
    async fn talk(&self, profile: &Profile) -> Result<Exit, Failure> {
        let client = runtime::connect(&self.target, &self.trust, profile, self.timeout).await?;
        let (mut sender, mut receiver) = client.split();
        let counts = Counts::default();
        let over = Cell::new(false);
        let mut listening = pin!(self.listen(&mut receiver, &counts, &over));
        let spoken = tokio::select! {
            done = &mut listening => return done.and_then(|()| self.server_went(&counts)),
            spoken = speak(&mut sender, profile, &counts) => spoken,
        };
        match spoken {
            Err(ClientError::Io(_)) | Ok(()) => {}
            Err(error) => return Err(failed(&self.target, &error)),
        }
        over.set(true);
        if counts.owed() == 0 && spoken.is_ok() {
            return Ok(Exit::Ok);
        }
        match (timeout(self.timeout, listening).await, spoken) {
            (Ok(done), Ok(())) => done.and_then(|()| self.all_answered(&counts)),
            (Ok(done), Err(_)) => done.and_then(|()| self.server_went(&counts)),
            (Err(_), Err(error)) => Err(failed(&self.target, &error)),
            (Err(_), Ok(())) => Err(self.still_owed(&counts)),
        }
    }

    /// Prints what comes, until the server ends its stream; once the talk is `over`, until all that is
    /// owed has come.
    async fn listen(
        &self,
        receiver: &mut Receiver,
        counts: &Counts,
        over: &Cell<bool>,
    ) -> Result<(), Failure> {
        loop {
            match receiver.receive().await {
                Ok(None) => return Ok(()),
                Ok(Some(message)) => out::line(shown(&message))?,
                Err(error @ ClientError::Undecodable { .. }) => {
                    out::note(failed(&self.target, &error).what)
                }
                Err(error) => return Err(failed(&self.target, &error)),
            }
            one_more(&counts.answered);
            if over.get() && counts.owed() == 0 {
                return Ok(());
            }
        }
    }

    fn server_went(&self, counts: &Counts) -> Result<Exit, Failure> {
        let exit = self.all_answered(counts)?;
        out::note(format_args!("{} has closed the connection", self.target));
        Ok(exit)
    }

    fn all_answered(&self, counts: &Counts) -> Result<Exit, Failure> {
        match counts.owed() {
            0 => Ok(Exit::Ok),
            _ => Err(failed(&self.target, &ClientError::Closed)),
        }
    }

    fn still_owed(&self, counts: &Counts) -> Failure {
        let Self {
            target, timeout, ..
        } = self;
        let owed = counts.owed();
        Failure::could_not(format!(
            "{target} still owes {owed} replies after {timeout:?}"
        ))
        .hint("another --profile, if the server speaks one, or a longer --timeout")
    }
}

/// Sends line by line to the end of the input, then ends the stream. Lines that cannot be sent are
/// remarked upon and cost nothing else.
async fn speak(sender: &mut Sender, profile: &Profile, counts: &Counts) -> Result<(), ClientError> {
    let mut lines = lines::stdin(usize::try_from(profile.max_body()).unwrap_or(usize::MAX));
    while let Some(line) = lines.recv().await {
        let message = match line {
            Ok((_, text)) => in_words(profile, text),
            Err(error) => {
                out::note(error);
                continue;
            }
        };
        match sender.send(&message).await {
            Ok(()) => one_more(&counts.sent),
            Err(error @ ClientError::Encode(_)) => out::note(error),
            Err(error) => return Err(error),
        }
    }
    Ok(sender.finish().await?)
}

/// A line as a message.
fn in_words(profile: &Profile, line: String) -> Message {
    let kind = profile.payload();
    let text = Bytes::from(line);
    Message::read(kind, text.clone())
        .unwrap_or_else(|_| Message::from_text(kind, &String::from_utf8_lossy(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_sent_as_it_is_and_all_else_as_a_string() {
        let payload = |line: &str| in_words(&Profile::tutorial(), line.into()).into_payload();
        assert_eq!(payload("{\"a\": 1.0}"), "{\"a\": 1.0}");
        assert_eq!(payload("hello \"you\""), "\"hello \\\"you\\\"\"");
        assert_eq!(payload(""), "\"\"");
    }
}
