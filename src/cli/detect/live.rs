//! Asking a server: one request in each format, each on a connection of its own.

use super::super::exit::{Exit, Failure};
use super::super::tls::TrustArgs;
use super::super::{out, runtime};
use super::{measure, told};
use crate::detect::probe::{self, Probe};
use crate::transport::{Address, Name, Stream};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long a server is given for what follows the first octets of its answer.
const FOR_THE_REST: Duration = Duration::from_millis(80);

/// How many octets of an answer are read.
const MOST: usize = 1 << 20;

/// What a server said on one connection.
struct Heard {
    octets: Vec<u8>,
    has_closed: bool,
}

/// Asks, and tells what was found.
pub(super) fn ask(target: &Name, trust: &TrustArgs, patience: Duration) -> Result<Exit, Failure> {
    let addresses = trust.addresses(target)?;
    runtime::single()?.block_on(async {
        let greeting = greeting(target, &addresses, patience).await?;
        if !greeting.is_empty() {
            return Err(speaks_first(&greeting));
        }
        let (mut proposals, mut asked, mut closed) = (Vec::new(), 0_usize, 0_usize);
        for probe in probe::probes() {
            let heard = answer(&addresses, &probe, patience).await;
            let heard = heard.map_err(|error| runtime::unreachable_target(target, &error))?;
            asked = asked.saturating_add(1);
            closed =
                closed.saturating_add(usize::from(heard.has_closed && heard.octets.is_empty()));
            proposals.extend(probe.answered(heard.octets));
        }
        let found = probe::best(proposals).ok_or_else(|| no_answer(asked, closed))?;
        let seen = format!("found by asking: the reply is {}", measure(&found));
        let alike = "it was answered in these formats as well";
        out::line(told(&found, &[], seen, alike))?;
        Ok(Exit::Ok)
    })
}

/// What the server says before it is asked anything.
async fn greeting(
    target: &Name,
    addresses: &[Address],
    patience: Duration,
) -> Result<Vec<u8>, Failure> {
    let connected = Stream::connect(addresses).await;
    let stream = connected.map_err(|error| runtime::unreachable_target(target, &error))?;
    Ok(listen(&stream, patience).await.octets)
}

async fn answer(addresses: &[Address], probe: &Probe, patience: Duration) -> io::Result<Heard> {
    let stream = Stream::connect(addresses).await?;
    let mut rest = probe.request();
    while !rest.is_empty() {
        match timeout(patience, stream.write(rest)).await {
            Ok(Ok(sent)) if sent > 0 => rest = rest.get(sent..).unwrap_or_default(),
            // It has had enough of this format.
            _ => break,
        }
    }
    Ok(listen(&stream, patience).await)
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

fn speaks_first(greeting: &[u8]) -> Failure {
    let begins: Vec<String> = greeting
        .iter()
        .take(24)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let more = if greeting.len() > begins.len() {
        " …"
    } else {
        ""
    };
    Failure::could_not(format!(
        "the server speaks first, {} octets: {}{more}",
        greeting.len(),
        begins.join(" ")
    ))
    .hint("capture what a client of it says, and give that with --from; exchange.prologue of a profile describes a greeting")
}

fn no_answer(asked: usize, closed: usize) -> Failure {
    Failure::could_not(format!(
        "no reply in any of {asked} formats; {closed} of the connections were closed upon the request"
    ))
    .hint("a server that takes only messages of its own protocol has to be captured with a client of it: --from FILE; a slow one may need a longer --timeout")
}
