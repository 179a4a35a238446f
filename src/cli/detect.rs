//! `conformance detect`: which wire format a capture is of, or a server speaks, as a profile file.

mod live;

use super::durations::waiting;
use super::exit::{Exit, Failure};
use super::out;
use super::tls::TrustArgs;
use crate::capture::{self, Exchange};
use crate::detect::{Doubt, Proposal, detect};
use crate::transport::Name;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Find out how a protocol is framed: by asking a server, or from what was said
///
/// Prints a profile file, with what speaks for it in its comments. A server is listened to first. Then it is sent
/// requests, in the plainest formats first and then in all known ones, each on a connection of its own, until it has
/// answered so that there is no doubt. FILE is a capture (pcap or pcapng, as tcpdump
/// and Wireshark write them), a hex dump (lines that begin with > are the client's, with < the server's), or octets as
/// they were sent.
#[derive(Debug, clap::Args)]
#[command(override_usage = "conformance detect <TARGET>
       conformance detect --from <FILE>... [--port <PORT>]")]
pub(crate) struct DetectArgs {
    /// The server: host:port, tls:host:port or unix:PATH
    #[arg(
        value_name = "TARGET",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    target: Option<Name>,
    #[command(flatten)]
    trust: TrustArgs,
    /// What was said
    #[arg(long, value_name = "FILE", num_args = 1..)]
    from: Vec<PathBuf>,
    /// Only connections to that port
    #[arg(long, value_name = "PORT", requires = "from")]
    port: Option<u16>,
    /// How long a server is given for its first octet
    #[arg(long, value_name = "TIME", default_value = "300ms", value_parser = waiting)]
    timeout: Duration,
}

impl DetectArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match &self.target {
            Some(target) => live::ask(target, &self.trust, self.timeout),
            None => self.read(),
        }
    }

    fn read(&self) -> Result<Exit, Failure> {
        let mut exchanges = Vec::new();
        for file in &self.from {
            exchanges.extend(read(file)?);
        }
        if let Some(port) = self.port {
            exchanges.retain(|exchange| exchange.port == Some(port));
        }
        if exchanges.is_empty() {
            return Err(self.no_connection());
        }
        let proposals = detect(&exchanges);
        let Some((best, rivals)) = proposals.split_first() else {
            return Err(nothing(&exchanges));
        };
        let on = counted(exchanges.len(), "connection");
        let seen = format!("{} on {on}", measure(best));
        out::line(told(best, rivals, seen))?;
        Ok(Exit::Ok)
    }

    fn no_connection(&self) -> Failure {
        let port = self.port.unwrap_or_default();
        Failure::could_not(format!("nothing was said to port {port}"))
            .hint("without --port every connection is looked at")
    }
}

fn read(path: &Path) -> Result<Vec<Exchange>, Failure> {
    let name = path.display();
    let octets = octets(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    capture::read(&octets).map_err(|error| {
        let hint = "a pcap or pcapng file, a hex dump, or octets as they were sent";
        Failure::usage(format!("{name}: {error}")).hint(hint)
    })
}

/// A file, as far as it is looked at, and an octet more.
fn octets(path: &Path) -> io::Result<Vec<u8>> {
    let most = u64::try_from(capture::MOST_OCTETS).unwrap_or(u64::MAX);
    let mut octets = Vec::new();
    File::open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut octets)?;
    Ok(octets)
}

fn nothing(exchanges: &[Exchange]) -> Failure {
    let first = exchanges.iter().map(|one| &one.asked.octets);
    let mut first = first.filter(|octets| !octets.is_empty());
    let first: Vec<String> = first
        .next()
        .map(|octets| {
            octets
                .iter()
                .take(16)
                .map(|octet| format!("{octet:02x}"))
                .collect()
        })
        .unwrap_or_default();
    Failure::could_not(format!(
        "no layout was found in which this is frames with a length in front; it begins {}",
        first.join(" ")
    ))
    .hint("give connections from their first octet on; --port PORT leaves out those of other protocols")
}

/// The profile, with what speaks for it and against it.
fn told(best: &Proposal, rivals: &[Proposal], seen: String) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str("# ");
        text.push_str(&line);
        text.push('\n');
    };
    say(format!(
        "{seen}; {:.0} bits speak for this layout",
        best.bits
    ));
    say(surety(best));
    if !best.alike.is_empty() {
        let alike = best.alike.join(", ");
        say(format!("formats in use with the same frames: {alike}"));
    }
    for rival in rivals {
        say(format!(
            "it could also be {}: {}, {:.0} bits speak for it",
            rival.profile.name(),
            layout(rival),
            rival.bits
        ));
    }
    text.push_str(&best.profile.to_toml());
    text
}

/// How many frames, and how large.
fn measure(best: &Proposal) -> String {
    let (least, most) = best.sizes;
    let sizes = match least == most {
        true => format!("{least} octets"),
        false => format!("{least} to {most} octets"),
    };
    format!("{} of {sizes}", counted(best.frames, "frame"))
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn surety(best: &Proposal) -> String {
    let known = match best.is_known {
        true => format!("the layout of {}", best.profile.name()),
        false => "this layout".to_owned(),
    };
    match best.doubt {
        None => format!("sure: it is {known}"),
        Some(Doubt::TooLittle) => "a guess: there is too little of it to be sure".to_owned(),
        Some(Doubt::OneSize) => "a guess: all frames are of one size, and any field that never changes could be their length".to_owned(),
        Some(Doubt::Rivals) => "a guess: other layouts fit nearly as well".to_owned(),
        Some(Doubt::SaidToAll) => {
            "a guess: what is a frame in no format was answered alike".to_owned()
        }
        Some(Doubt::Unanswered) => {
            format!("a guess: {} begins so, and no request was answered", best.profile.name())
        }
    }
}

/// A layout in a line.
fn layout(proposal: &Proposal) -> String {
    let profile = &proposal.profile;
    format!(
        "{} octets, a length ({:?}), {} octets, then the body",
        profile.before().len(),
        profile.length(),
        profile.after().len()
    )
}
