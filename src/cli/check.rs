//! `conformance check`: the suite, played at a server.

use super::command::CommandLine;
use super::durations::{duration, waiting, word};
use super::exit::{Exit, Failure};
use super::last_failed::{LastFailedArgs, Memory};
use super::opening::Shown;
use super::reporting::ReportArgs;
use super::running::Run;
use super::runtime;
use super::saving::SaveArgs;
use super::selection::SelectionArgs;
use super::target::TargetArgs;
use super::wire_format::WireFormatArgs;
use crate::cases;
use crate::diagnosis::Knowledge;
use crate::lang::say;
use crate::profile::{Profile, Reply};
use crate::recall::Whose;
use crate::run::{DEFAULT_TIMEOUT, Options, bound, default_jobs};
use crate::spec::Role;
use std::path::PathBuf;
use std::time::Duration;

/// Check a server against the protocol; without a target, the reference server of this program
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten, next_help_heading = "The server")]
    target: TargetArgs,
    #[command(flatten, next_help_heading = "Wire format")]
    format: WireFormatArgs,
    #[command(flatten, next_help_heading = "Which cases")]
    selection: SelectionArgs,
    #[command(flatten)]
    last: LastFailedArgs,
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
    /// Cases played side by side
    #[arg(long, value_name = "N", default_value_t = default_jobs(Role::Server), value_parser = jobs, allow_hyphen_values = true, conflicts_with = "serial")]
    jobs: usize,
    /// Play one case at a time
    #[arg(long)]
    serial: bool,
    /// How long an owed answer is waited for at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = waiting, allow_hyphen_values = true)]
    timeout: Duration,
    /// What is added to silence that round trips have shown, instead of what was measured
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    slack: Option<Duration>,
    /// How replies relate to requests, instead of finding out
    #[arg(long, value_enum)]
    reply: Option<ReplyArg>,
    /// Play the slow cases too
    #[arg(long)]
    slow: bool,
    /// How long all of it may take; 0 for as long as it takes [default: 30s, 5m with --slow]
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

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ReplyArg {
    Auto,
    Echo,
    Token,
    Any,
    None,
}

impl From<ReplyArg> for Reply {
    fn from(reply: ReplyArg) -> Self {
        match reply {
            ReplyArg::Auto => Self::Auto,
            ReplyArg::Echo => Self::Echo,
            ReplyArg::Token => Self::Token,
            ReplyArg::Any => Self::Any,
            ReplyArg::None => Self::None,
        }
    }
}

pub(crate) fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err(say!("give a number from 1 to 64").to_string()),
    }
}

pub(crate) fn repeat(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(times @ 1..=1000) => Ok(times),
        _ => Err(say!("give a number from 1 to 1000").to_string()),
    }
}

pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let wrong = |_| say!("give a whole number from 0 to {most}", most = u64::MAX).to_string();
    text.parse().map_err(wrong)
}

/// Which of the selected cases are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// Those that failed last time, or all if none did.
    LastFailed,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) exit: Exit,
    /// Whether all of the selected cases were played.
    pub(crate) is_whole: bool,
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let which = match self.last.last_failed {
            true => Which::LastFailed,
            false => Which::All,
        };
        let done = self.while_shown(|shown| self.checked(which, shown));
        done.map(|checked| checked.exit)
    }

    /// Does what plays cases, and shows it in a browser if that is wanted.
    pub(crate) fn while_shown<T>(
        &self,
        play: impl FnOnce(&Shown) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.reports.shown.during(play)
    }

    /// Whether a command starts the server.
    pub(crate) const fn is_started(&self) -> bool {
        self.target.is_started()
    }

    /// The files and folders that a run writes itself.
    pub(crate) fn written(&self) -> Vec<PathBuf> {
        let reports = self.reports.files();
        reports.chain(self.saving.folder()).collect()
    }

    pub(crate) fn checked(&self, which: Which, shown: &Shown) -> Result<Checked, Failure> {
        let mut profile = self.target.carried(self.format.profile()?)?;
        let selected = self.selection.cases_in(Role::Server, &profile)?;
        let memory = Memory::of(self.whose(&profile));
        let failed = match which {
            Which::All => None,
            Which::LastFailed => memory.failed(&selected),
        };
        let is_whole = failed.is_none();
        if let Some(reply) = self.manner.reply {
            profile = profile.with_reply(reply.into());
        }
        self.target.doubt_process()?;
        let expectations = self.reports.expectations(self.manner.strict)?;
        if self.target.is_embedded() {
            profile = declared(profile)?;
        }
        let saver = self.saving.open(self.target.words())?;
        let mut outputs = self.reports.open(shown)?;
        outputs.mark(expectations.clone().marker(is_case));
        let named = self
            .target
            .named(&profile)
            .inspect_err(|failure| outputs.broken_off(failure.what.clone()))?;
        let options = Options {
            cases: failed.unwrap_or(selected),
            timeout: self.manner.timeout.max(Duration::from_millis(1)),
            jobs: if self.manner.serial {
                1
            } else {
                self.manner.jobs
            },
            repeat: self.manner.repeat,
            seed: self.manner.seed,
            slow: self.manner.slow,
            within: bound(self.manner.within, self.manner.slow),
            knowledge: (!self.manner.thorough).then(Knowledge::embedded),
            all_played: !expectations.is_empty(),
            keep: self.reports.keep(),
            command: self.command(),
            ..Options::new(Role::Server, named.name.clone(), profile)
        };
        let server = named.server.slack(self.manner.slack);
        let run = Run::new(server.into(), &options, outputs, saver);
        let closing = run.finish(&runtime::multi()?, &memory, |error| {
            self.target.failure(error)
        })?;
        let exit = self.reports.end(&closing, &expectations, is_case)?;
        Ok(Checked { exit, is_whole })
    }

    /// Whose failures are remembered.
    fn whose(&self, profile: &Profile) -> Whose {
        Whose {
            role: Role::Server,
            target: shell_words::join(self.target.words()),
            folder: self.target.folder(),
            profile: profile.name().to_owned(),
        }
    }

    /// The command line that plays the same again, without what selects cases and writes reports.
    fn command(&self) -> String {
        let mut line = CommandLine::new("check");
        self.target.add_to(&mut line);
        self.format.add_to(&mut line);
        let manner = &self.manner;
        let timeout = (manner.timeout != DEFAULT_TIMEOUT).then(|| word(manner.timeout));
        line.option("--timeout", timeout);
        line.option("--slack", manner.slack.map(word));
        line.option("--reply", manner.reply.map(Reply::from));
        if manner.slow {
            line.word("--slow");
        }
        line.option("--within", manner.within.map(word));
        line.option("--seed", (manner.seed != 1).then_some(manner.seed));
        line.to_string()
    }
}

fn is_case(id: &str) -> bool {
    cases::case(id).is_some()
}

/// The profile with its limit declared: the reference server's is known.
pub(super) fn declared(profile: Profile) -> Result<Profile, Failure> {
    let limit = profile.max_body();
    profile
        .with_max_body(limit)
        .map_err(|error| Failure::usage(error.to_string()))
}
