//! `conformance check-client`: the server's side of the protocol, played to a client.

use super::check::{jobs, repeat, seed};
use super::client_target::ClientArgs;
use super::command::CommandLine;
use super::durations::{duration, waiting, word};
use super::exit::{Exit, Failure};
use super::last_failed::{LastFailedArgs, Memory};
use super::opening::Shown;
use super::reporting::ReportArgs;
use super::running;
use super::saving::SaveArgs;
use super::selection::SelectionArgs;
use super::wire_format::WireFormatArgs;
use super::{out, runtime};
use crate::cases::client::Circumstances;
use crate::cases::{self, Case, Unfit};
use crate::diagnosis::Knowledge;
use crate::event::{Event, Run};
use crate::judge::{ClientTraits, Shows};
use crate::lang::{Hole as _, Text};
use crate::profile::Profile;
use crate::recall::Whose;
use crate::report::{Outputs, Reporter};
use crate::run::{DEFAULT_TIMEOUT, Options, bound, default_jobs, typed};
use crate::script::Script;
use crate::spec::Role;
use std::env;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Check a client: play the server to it, and see what it makes of that
///
/// The server's side is played in every way that a server may behave.
/// With --exec the client is started anew for each case, and what it prints tells whether it has read a
/// reply. Without, the address is the first line printed, and each connection gets the next case.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckClientArgs {
    #[command(flatten, next_help_heading = "The client")]
    client: ClientArgs,
    #[command(flatten, next_help_heading = "Wire format")]
    format: WireFormatArgs,
    #[command(flatten, next_help_heading = "Which cases")]
    selection: SelectionArgs,
    #[command(flatten)]
    last: LastFailedArgs,
    /// List the cases and what each is for, instead of playing them
    #[arg(long)]
    list: bool,
    #[command(flatten, next_help_heading = "How they are played")]
    manner: MannerArgs,
    #[command(flatten, next_help_heading = "Reports and known failures")]
    reports: ReportArgs,
    #[command(flatten, next_help_heading = "Reproducers")]
    saving: SaveArgs,
}

/// How cases are played.
#[derive(Debug, clap::Args)]
struct MannerArgs {
    /// Take warnings and unstable cases for failures
    #[arg(long)]
    strict: bool,
    /// How long a reaction of the client is waited for at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = waiting, allow_hyphen_values = true)]
    timeout: Duration,
    /// Clients started side by side
    #[arg(long, value_name = "N", default_value_t = default_jobs(Role::Client), value_parser = jobs, allow_hyphen_values = true)]
    jobs: usize,
    /// How long all of it may take; 0 for as long as it takes, as without --exec [default: 30s]
    ///
    /// What does not fit is told as not run, and never counts as passed.
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    within: Option<Duration>,
    /// Confirm failures, and play cases, that a known cause explains already
    #[arg(long)]
    thorough: bool,
    /// Play each case so often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = repeat, allow_hyphen_values = true)]
    repeat: u32,
    /// What all that chance chooses is made from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed, allow_hyphen_values = true)]
    seed: u64,
}

impl CheckClientArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.list {
            return list(&self.selection.cases(Role::Client)?);
        }
        self.reports.shown.during(|shown| self.checked(shown))
    }

    fn checked(&self, shown: &Shown) -> Result<Exit, Failure> {
        let profile = self.format.profile()?;
        let cases = self.selection.cases_in(Role::Client, &profile)?;
        let memory = Memory::of(self.whose(&profile));
        let failed = self.last.last_failed.then(|| memory.failed(&cases));
        let cases = failed.flatten().unwrap_or(cases);
        let expectations = self.reports.expectations(self.manner.strict)?;
        let saver = self.saving.open(self.client.words())?;
        let runtime = runtime::multi()?;
        let target = runtime.block_on(self.client.target())?;
        let mut outputs = self.reports.open(shown)?;
        outputs.mark(expectations.clone().marker(is_case));
        let options = Options {
            all_played: !expectations.is_empty(),
            ..self.options(cases, profile, target.address())
        };
        if self.client.exec.is_none() {
            wait_for_user(target.address(), &options, &mut outputs)?;
        }
        let run = running::Run::new(target.into(), &options, outputs, saver);
        let closing = run.finish(&runtime, &memory, |error| self.client.failure(error))?;
        self.reports.end(&closing, &expectations, is_case)
    }

    /// Whose failures are remembered.
    fn whose(&self, profile: &Profile) -> Whose {
        let is_started = self.client.exec.is_some();
        Whose {
            role: Role::Client,
            target: shell_words::join(self.client.words()),
            folder: is_started.then(|| env::current_dir().ok()).flatten(),
            profile: profile.name().to_owned(),
        }
    }

    fn options(&self, cases: Vec<&'static Case>, profile: Profile, address: SocketAddr) -> Options {
        Options {
            cases,
            timeout: self.manner.timeout.max(Duration::from_millis(1)),
            jobs: self.manner.jobs,
            repeat: self.manner.repeat,
            within: self.within(),
            seed: self.manner.seed,
            knowledge: (!self.manner.thorough).then(Knowledge::embedded),
            keep: self.reports.keep(),
            command: self.command(),
            ..Options::new(Role::Client, self.client.name(address), profile)
        }
    }

    /// Who starts a client by hand for each case takes the time that it takes.
    fn within(&self) -> Option<Duration> {
        match (&self.client.exec, self.manner.within) {
            (None, None) => None,
            (_, within) => bound(within, false),
        }
    }

    /// The command line that plays the same again, without what selects cases and writes reports.
    fn command(&self) -> String {
        let mut line = CommandLine::new("check-client");
        self.client.add_to(&mut line);
        self.format.add_to(&mut line);
        let manner = &self.manner;
        let timeout = (manner.timeout != DEFAULT_TIMEOUT).then(|| word(manner.timeout));
        line.option("--timeout", timeout);
        line.option("--within", manner.within.map(word));
        line.option("--seed", (manner.seed != 1).then_some(manner.seed));
        line.to_string()
    }
}

/// Says where to connect to: on the first line of the standard output for programs, on the standard
/// error for people.
fn wait_for_user(
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
            out::line(format_args!("{clause} ({})", clause.level().text()))?;
        }
        for case in of_it {
            let why = Text::whole(case.why);
            out::line(format_args!("  {:<42} {why}", case.id.to_string()))?;
        }
    }
    Ok(Exit::Ok)
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
        profile: &profile.of_replies(),
        client: &client,
        input: Some(&typed(profile)),
        reply: None,
        seed: 1,
    })
}
