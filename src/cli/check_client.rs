//! `conformance check-client`: the server's side of the protocol, played to a client.

use super::check::{INTERRUPTED, ReportArgs, interrupted, seed};
use super::command::CommandLine;
use super::durations::{duration, word};
use super::exit::{Exit, Failure};
use super::host_port::{self, HostPort};
use super::selection::SelectionArgs;
use super::signals::Signals;
use super::wire_format::WireFormatArgs;
use super::{out, runtime};
use crate::cases::client::Circumstances;
use crate::cases::{self, Case, Unfit};
use crate::event::{Event, Finished, Run};
use crate::judge::{ClientTraits, Shows};
use crate::peer::{Launch, LaunchError};
use crate::profile::Profile;
use crate::report::{Outputs, Reporter};
use crate::run_client::{self, DEFAULT_JOBS, DEFAULT_TIMEOUT, Listener, NoClient, Options, Source};
use crate::script::{HOLE, Script};
use crate::spec::Role;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Check a client: play the server to it, in every way that a server may behave, and see what it makes of that
///
/// With --exec the client is started anew for each case, and what it prints tells whether it has read a
/// reply. Without, the address is the first line printed, and each connection gets the next case.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckClientArgs {
    /// Command that starts the client: {host} and {port} in it become the address to connect to
    #[arg(long, value_name = "COMMAND", value_parser = command)]
    exec: Option<Launch>,
    /// Where the client connects to; port 0 lets the system choose one, anew for each case with --exec
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = host_port::listen)]
    listen: HostPort,
    /// What is typed for each request, with {text} where a text goes that occurs nowhere else; a JSON string if not given
    #[arg(long, value_name = "TEXT")]
    input: Option<String>,
    /// Nothing is typed: the client sends by itself
    #[arg(long, conflicts_with = "input")]
    input_none: bool,
    /// The payload of replies, with {text} where a text goes that occurs nowhere else; a JSON string if not given
    #[arg(long, value_name = "PAYLOAD", value_parser = reply)]
    reply: Option<String>,
    #[command(flatten)]
    format: WireFormatArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    /// List the cases and what each is for, instead of playing them
    #[arg(long)]
    list: bool,
    /// Take warnings and unstable cases for failures
    #[arg(long)]
    strict: bool,
    /// How long a reaction of the client is waited for at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration, allow_hyphen_values = true)]
    timeout: Duration,
    /// How long a connection is waited for; 10s with --exec, else 60s, if not given
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    wait: Option<Duration>,
    /// Clients started side by side
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = jobs)]
    jobs: usize,
    /// What all that chance chooses is made from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed, allow_hyphen_values = true)]
    seed: u64,
    #[command(flatten)]
    reports: ReportArgs,
}

fn command(text: &str) -> Result<Launch, String> {
    text.parse().map_err(|error| match error {
        LaunchError::NoPort => {
            "say where {port} goes, and {host} if need be: 'my-client {host} {port}'".to_owned()
        }
        other => other.to_string(),
    })
}

fn reply(text: &str) -> Result<String, String> {
    if text.contains(HOLE) {
        Ok(text.to_owned())
    } else {
        Err(format!("say where {HOLE} goes: '{{\"say\": \"{HOLE}\"}}'"))
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("give a number from 1 to 64".to_owned()),
    }
}

impl CheckClientArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let cases = self.selection.cases(Role::Client)?;
        if self.list {
            return list(&cases);
        }
        let profile = self.format.profile()?;
        let expectations = self.reports.expectations(self.strict)?;
        let runtime = runtime::multi()?;
        let addresses = self.listen.resolve()?;
        let listener = runtime
            .block_on(Listener::open(&addresses))
            .map_err(|error| {
                Failure::could_not(format!("cannot listen on {}: {error}", self.listen))
                    .hint("another address of this machine, or port 0 for any that is free")
            })?;
        let mut outputs = self.reports.open()?;
        outputs.mark(expectations.clone().marker(is_case));
        let options = self.options(cases, profile, listener.address());
        if self.exec.is_none() {
            self.wait_for_user(listener.address(), &options, &mut outputs)?;
        }
        let done = runtime.block_on(played(listener, &options, &mut outputs))?;
        if done.is_none() {
            outputs.broken_off(INTERRUPTED);
        }
        let closing = outputs.finish();
        match done {
            None => return Err(interrupted(&closing)),
            Some(Err(none)) => return Err(no_client(&none)),
            Some(Ok(_)) => {}
        }
        self.reports.end(&closing, &expectations, is_case)
    }

    fn options(&self, cases: Vec<&'static Case>, profile: Profile, address: SocketAddr) -> Options {
        let source = match &self.exec {
            Some(command) => Source::Command(command.clone()),
            None => Source::User,
        };
        let mut options = Options::new(source, profile);
        if self.exec.is_none() {
            options.target = format!("the client that connects to {address}");
        }
        // Nobody types for a client that somebody else has started.
        if let (Some(_), Some(input)) = (&self.exec, &self.input) {
            options.input = Some(input.clone());
        }
        Options {
            input: options.input.filter(|_| !self.input_none),
            reply: self.reply.clone(),
            cases,
            timeout: self.timeout.max(Duration::from_millis(1)),
            wait: self.wait.unwrap_or(options.wait),
            jobs: self.jobs,
            seed: self.seed,
            keep: self.reports.keep(),
            command: self.command(),
            ..options
        }
    }

    /// Says where to connect to: on the first line of the standard output for programs, on the standard
    /// error for people.
    fn wait_for_user(
        &self,
        address: SocketAddr,
        options: &Options,
        outputs: &mut Outputs,
    ) -> Result<(), Failure> {
        out::line(address)?;
        let cases = options.cases.len();
        out::note(format_args!(
            "connect the client to {address} again and again: first for a first look, then for each of at most {cases} cases"
        ));
        outputs.add(Box::new(Steps::new(address, cases)));
        Ok(())
    }

    /// The command line that plays the same again, without what selects cases and writes reports.
    fn command(&self) -> String {
        let mut line = CommandLine::new("check-client");
        line.option("--exec", self.exec.as_ref());
        line.option("--input", self.input.as_ref());
        line.option("--reply", self.reply.as_ref());
        if self.input_none {
            line.word("--input-none");
        }
        self.format.add_to(&mut line);
        let listen = self.listen.to_string();
        line.option("--listen", (listen != "127.0.0.1:0").then_some(listen));
        let timeout = (self.timeout != DEFAULT_TIMEOUT).then(|| word(self.timeout));
        line.option("--timeout", timeout);
        line.option("--wait", self.wait.map(word));
        line.option("--seed", (self.seed != 1).then_some(self.seed));
        line.to_string()
    }
}

fn is_case(id: &str) -> bool {
    cases::case(id).is_some_and(|case| case.role() == Role::Client)
}

fn list(cases: &[&'static Case]) -> Result<Exit, Failure> {
    for clause in Role::Client.clauses() {
        let mut of_it = cases
            .iter()
            .filter(|case| case.clause() == clause)
            .peekable();
        if of_it.peek().is_some() {
            out::line(format_args!("{clause} ({})", clause.level()))?;
        }
        for case in of_it {
            out::line(format_args!("  {:<42} {}", case.id, case.why))?;
        }
    }
    Ok(Exit::Ok)
}

fn no_client(none: &NoClient) -> Failure {
    let hint = match none {
        NoClient::NotStarted(_) => {
            "run the command by hand, with an address in the place of {host} and {port}"
        }
        NoClient::WentAway(_) => "start the client by hand and see what it says",
        NoClient::NobodyCame(_) => {
            "start the client with that host and port, or give it longer with --wait"
        }
    };
    Failure::could_not(none.to_string()).hint(hint)
}

/// Plays the cases; `None` if the user interrupted that.
async fn played(
    listener: Listener,
    options: &Options,
    outputs: &mut Outputs,
) -> Result<Option<Result<Finished, NoClient>>, Failure> {
    let mut signals = Signals::new()?;
    let mut tell = |event| outputs.event(event);
    tokio::select! {
        done = run_client::run(listener, options, &mut tell) => Ok(Some(done)),
        () = signals.next() => Ok(None),
    }
}

/// Tells whoever starts the clients what comes next.
struct Steps {
    address: SocketAddr,
    cases: usize,
    ended: usize,
}

impl Steps {
    const fn new(address: SocketAddr, cases: usize) -> Self {
        Self {
            address,
            cases,
            ended: 0,
        }
    }
}

impl Reporter for Steps {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::CaseStarted { id } => {
                let (number, cases) = (self.ended.saturating_add(1), self.cases);
                let address = self.address;
                out::note(format_args!(
                    "{number} of {cases}, {id}: connect the client to {address}"
                ));
            }
            Event::CaseFinished(_) => self.ended = self.ended.saturating_add(1),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _: &Run) -> io::Result<()> {
        Ok(())
    }
}

/// The script of a case for a client that can do everything.
pub(crate) fn best_script(case: &Case, profile: &Profile) -> Result<Script, Unfit> {
    let client = ClientTraits {
        shows: Shows::AtOnce,
        again: true,
        ahead: true,
        carries: Some(0),
        shape: None,
        process: true,
    };
    case.script_for_client(&Circumstances {
        profile,
        client: &client,
        input: Some(&run_client::typed(profile)),
        reply: None,
        seed: 1,
    })
}

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
