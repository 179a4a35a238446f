//! Asking a server: what it says first, and then requests in each format, each on a connection of its own.

use super::super::exit::{Exit, Failure};
use super::super::tls::TrustArgs;
use super::super::{out, runtime};
use super::{measure, told};
use crate::detect::Proposal;
use crate::detect::probe::{self, Answered, NO_FRAME, Probe};
use crate::profile::Speaker;
use crate::transport::{Address, Name, Stream};
use crate::wire::Prologue;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long a server is given for what follows the first octets of its answer.
const FOR_THE_REST: Duration = Duration::from_millis(80);

/// So many times as long it is given to say something before it is asked: who greets late would seem to answer.
const FOR_A_GREETING: u32 = 3;

/// So many times as long it is given for all that a connection begins with.
const FOR_A_PROLOGUE: u32 = 7;

/// How many octets of an answer are read.
const MOST: usize = 1 << 20;

/// How many octets of what a server says first are shown.
const SHOWN: usize = 24;

/// What a server said on one connection.
#[derive(Default)]
struct Heard {
    octets: Vec<u8>,
    has_closed: bool,
}

/// The server that is asked.
struct Asked<'a> {
    addresses: &'a [Address],
    patience: Duration,
}

/// What came of asking.
#[derive(Default)]
struct Found {
    answered: Vec<Answered>,
    asked: usize,
    closed: usize,
}

/// Asks, and tells what was found.
pub(super) fn ask(target: &Name, trust: &TrustArgs, patience: Duration) -> Result<Exit, Failure> {
    let addresses = trust.addresses(target)?;
    let server = Asked {
        addresses: &addresses,
        patience,
    };
    let unreachable = |error| runtime::unreachable_target(target, &error);
    runtime::single()?.block_on(async {
        let greetings = tokio::try_join!(server.greeting(), server.greeting());
        let greetings = <[Vec<u8>; 2]>::from(greetings.map_err(unreachable)?);
        let to_no_frame = server.told_no_frame(&greetings).await;
        let found = server.found(&greetings).await;
        let proposals = probe::best(found.answered, &to_no_frame.octets);
        let [greeting, _] = greetings;
        match proposals.split_first() {
            Some((best, rivals)) => tell(best, rivals, &greeting),
            None if greeting.is_empty() => Err(no_answer(found.asked, found.closed)),
            None => guess(&greeting),
        }
    })
}

impl Asked<'_> {
    /// What it says before it is asked anything.
    async fn greeting(&self) -> io::Result<Vec<u8>> {
        let stream = Stream::connect(self.addresses).await?;
        let patience = self.patience.saturating_mul(FOR_A_GREETING);
        Ok(listen(&stream, patience).await.octets)
    }

    /// What it says to what is no frame, behind what it says first; nothing if it cannot be asked.
    async fn told_no_frame(&self, greetings: &[Vec<u8>; 2]) -> Heard {
        let asked = async {
            let stream = Stream::connect(self.addresses).await?;
            if !greetings.iter().all(Vec::is_empty) {
                listen(&stream, self.patience.saturating_mul(FOR_A_GREETING)).await;
            }
            Ok::<_, io::Error>(self.answer(&stream, NO_FRAME).await)
        };
        asked.await.unwrap_or_default()
    }

    /// Asks in each format that fits what it says first, and once more in those in which it answers. One that is gone, or
    /// has said all, is not asked any more.
    async fn found(&self, greetings: &[Vec<u8>; 2]) -> Found {
        let mut found = Found::default();
        let probes = probe::probes().into_iter();
        let probes = probes.filter_map(|probe| probe.behind(greetings));
        for probe in probes {
            let Ok(heard) = self.question(&probe, 0).await else {
                break;
            };
            found.asked = found.asked.saturating_add(1);
            let is_closed = heard.has_closed && heard.octets.is_empty();
            found.closed = found.closed.saturating_add(usize::from(is_closed));
            found.answered.extend(self.confirmed(&probe, heard).await);
            if found.answered.last().is_some_and(Answered::settles) {
                break;
            }
        }
        found
    }

    /// What its answer says of the format, and those to further questions.
    async fn confirmed(&self, probe: &Probe, first: Heard) -> Option<Answered> {
        let mut answers = vec![first.octets];
        let once = probe.answered(&answers)?;
        for number in answers.len()..probe::QUESTIONS {
            let heard = self.question(probe, number).await.unwrap_or_default();
            answers.push(heard.octets);
        }
        Some(probe.answered(&answers).unwrap_or_else(|| once.once()))
    }

    /// Its answer to a question on a connection of its own; nothing if it does not begin as the format has it.
    async fn question(&self, probe: &Probe, number: usize) -> io::Result<Heard> {
        let stream = Stream::connect(self.addresses).await?;
        let prologue = Prologue::new(probe.profile(), Speaker::Client);
        let patience = self.patience.saturating_mul(FOR_A_PROLOGUE);
        Ok(match timeout(patience, stream.begin(prologue)).await {
            Ok(Ok(())) => self.answer(&stream, &probe.request(number)).await,
            Ok(Err(_)) | Err(_) => Heard {
                has_closed: true,
                ..Heard::default()
            },
        })
    }

    async fn answer(&self, stream: &Stream, mut rest: &[u8]) -> Heard {
        while !rest.is_empty() {
            match timeout(self.patience, stream.write(rest)).await {
                Ok(Ok(sent)) if sent > 0 => rest = rest.get(sent..).unwrap_or_default(),
                // It has had enough of this format.
                _ => break,
            }
        }
        listen(stream, self.patience).await
    }
}

/// What comes: the first octets within that time, the rest without a pause.
async fn listen(stream: &Stream, patience: Duration) -> Heard {
    let (mut octets, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let mut limit = patience;
    let has_closed = loop {
        match timeout(limit, stream.read(&mut buffer)).await {
            Err(_) => break false,
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(read)) => octets.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
        if octets.len() >= MOST {
            break false;
        }
        limit = FOR_THE_REST;
    };
    Heard { octets, has_closed }
}

fn tell(best: &Proposal, rivals: &[Proposal], greeting: &[u8]) -> Result<Exit, Failure> {
    let first = match greeting.is_empty() {
        true => String::new(),
        false => format!("it speaks first, {}; ", shown(greeting)),
    };
    let seen = format!("found by asking: {first}it answers by {}", measure(best));
    out::line(told(best, rivals, seen))?;
    Ok(Exit::Ok)
}

/// Who answers nothing may still have said what it speaks.
fn guess(greeting: &[u8]) -> Result<Exit, Failure> {
    let found = probe::greeted(greeting);
    let (best, rivals) = found.split_first().ok_or_else(|| speaks_first(greeting))?;
    let seen = format!("it speaks first, {}, and answers nothing", shown(greeting));
    out::line(told(best, rivals, seen))?;
    Ok(Exit::Ok)
}

/// What a server says first, as far as a line has room for it.
fn shown(greeting: &[u8]) -> String {
    let octets = greeting.iter().take(SHOWN);
    let hex: Vec<String> = octets.map(|octet| format!("{octet:02x}")).collect();
    let more = if greeting.len() > SHOWN { " …" } else { "" };
    format!("{} octets: {}{more}", greeting.len(), hex.join(" "))
}

fn speaks_first(greeting: &[u8]) -> Failure {
    Failure::could_not(format!(
        "the server speaks first, {}, and answers in no format behind that",
        shown(greeting)
    ))
    .hint("capture what a client of it says, and give that with --from; exchange.prologue of a profile describes a greeting")
}

fn no_answer(asked: usize, closed: usize) -> Failure {
    Failure::could_not(format!(
        "no reply in any of {asked} formats; {closed} of the connections were closed upon the request"
    ))
    .hint("a server that takes only messages of its own protocol has to be captured with a client of it: --from FILE; a slow one may need a longer --timeout")
}
