//! `conformance check`: the suite, played at a server.

use super::command::CommandLine;
use super::durations::{duration, word};
use super::exit::{Exit, Failure};
use super::running::Run;
use super::saving::SaveArgs;
use super::selection::SelectionArgs;
use super::target::TargetArgs;
use super::wire_format::WireFormatArgs;
use super::{out, runtime};
use crate::cases;
use crate::diagnosis::Knowledge;
use crate::event::Stale;
use crate::expect::Expectations;
use crate::outcome::Keep;
use crate::profile::{Profile, Reply};
use crate::report::escape::Line;
use crate::report::terminal::{self, Progress};
use crate::report::{Closing, Destination, Format, Look, Output, OutputError, Outputs};
use crate::run::{DEFAULT_TIMEOUT, Options, bound, default_jobs};
use crate::spec::Role;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
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
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration, allow_hyphen_values = true)]
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
    /// How long all of it may take: what does not fit is told as not run; 0 for as long as it takes [default: 30s, 5m with --slow]
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

/// What is written, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// What to write: human, json, jsonl, junit, tap, markdown, html; as FORMAT=FILE into a file; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]")]
    format: Vec<Output>,
    /// Where the one report that has no file goes, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write what was exchanged as a capture that Wireshark opens; keeps it for passing cases too
    #[arg(long, value_name = "FILE")]
    pub(crate) pcapng: Option<PathBuf>,
    /// Show what was exchanged in passing cases and known failures too
    #[arg(long)]
    trace: bool,
    /// Show failures one by one that a cause explains, too
    #[arg(long, short)]
    verbose: bool,
    /// Known failures, each with a reason: they do not count, and one that passes does
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Write what failed as a file for --expect
    #[arg(long, value_name = "FILE")]
    pub(crate) write_expect: Option<PathBuf>,
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
        _ => Err("give a number from 1 to 64".to_owned()),
    }
}

pub(crate) fn repeat(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(times @ 1..=1000) => Ok(times),
        _ => Err("give a number from 1 to 1000".to_owned()),
    }
}

pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let wrong = |_| format!("give a whole number from 0 to {}", u64::MAX);
    text.parse().map_err(wrong)
}

impl CheckArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let selected = self.selection.cases(Role::Server)?;
        let mut profile = self.format.profile()?;
        if let Some(reply) = self.manner.reply {
            profile = profile.with_reply(reply.into());
        }
        self.target.process()?;
        let expectations = self.reports.expectations(self.manner.strict)?;
        if self.target.is_embedded() {
            profile = declared(profile)?;
        }
        let saver = self.saving.open(self.target.words())?;
        let mut outputs = self.reports.open()?;
        outputs.mark(expectations.clone().marker(is_case));
        let named = self
            .target
            .named(&profile)
            .inspect_err(|failure| outputs.broken_off(&failure.what))?;
        let options = Options {
            cases: selected,
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
            keep: self.reports.keep(),
            command: self.command(),
            ..Options::new(Role::Server, named.name.clone(), profile)
        };
        let server = named.server.slack(self.manner.slack);
        let run = Run::new(server.into(), &options, outputs, saver);
        let closing = run.finish(&runtime::multi()?, |error| self.target.failure(error))?;
        self.reports.end(&closing, &expectations, is_case)
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

impl ReportArgs {
    pub(crate) fn keep(&self) -> Keep {
        match self.trace || self.pcapng.is_some() {
            true => Keep::Everything,
            false => Keep::OfFindings,
        }
    }

    fn outputs(&self) -> Result<Vec<Output>, Failure> {
        let mut outputs = self.format.clone();
        if outputs.is_empty() {
            outputs.push(Output {
                format: Format::Human,
                destination: Destination::Stdout,
            });
        }
        if let Some(path) = &self.output {
            let mut free = outputs
                .iter_mut()
                .filter(|o| o.destination == Destination::Stdout);
            match (free.next(), free.next()) {
                (Some(output), None) => output.destination = Destination::File(path.clone()),
                (None, _) => {
                    return Err(Failure::usage("--output: every report has a file already")
                        .hint("leave it out, or one of the files"));
                }
                _ => {
                    return Err(Failure::usage("--output is for one report")
                        .hint("--format json=FILE --format html=FILE, one for each"));
                }
            }
        }
        let capture = self.pcapng.clone().map(Destination::File);
        outputs.extend(capture.map(|destination| Output {
            format: Format::Pcapng,
            destination,
        }));
        Ok(outputs)
    }

    pub(crate) fn open(&self) -> Result<Outputs, Failure> {
        let look = Look {
            whole: self.trace,
            verbose: self.verbose || self.trace,
            ..terminal::look()
        };
        if let Some(path) = &self.write_expect {
            probe(path).map_err(|error| {
                let what = format!(
                    "--write-expect {}: cannot write it: {error}",
                    path.display()
                );
                Failure::usage(what).hint(WRITABLE)
            })?;
        }
        let mut outputs = Outputs::open(&self.outputs()?, look).map_err(unopened)?;
        outputs.add(Box::new(Progress::default()));
        Ok(outputs)
    }

    /// What is known to fail: nothing, unless a file says so.
    pub(crate) fn expectations(&self, is_strict: bool) -> Result<Expectations, Failure> {
        let expectations = match &self.expect {
            None => Expectations::default(),
            Some(path) => known(path)?,
        };
        Ok(expectations.strict(is_strict))
    }

    /// What a run that was not interrupted comes to, once every report has been written. `is_case` tells
    /// whether a case of that name exists.
    pub(crate) fn end(
        &self,
        closing: &Closing,
        expectations: &Expectations,
        is_case: impl Fn(&str) -> bool,
    ) -> Result<Exit, Failure> {
        if let Some(error) = closing.failed.first() {
            return Err(unwritten(error));
        }
        let run = &closing.run;
        if let Some(path) = &self.write_expect {
            written(path, &expectations.updated(run, is_case))?;
            return match &run.finished.broken_off {
                None => Ok(Exit::Ok),
                Some(_) => Err(Failure::could_not(format!(
                    "{} tells only of what was played before the run was broken off",
                    path.display()
                ))),
            };
        }
        if !self.is_read() {
            for Stale { case, problem, .. } in &run.finished.stale {
                out::note(format_args!("stale: {} {problem}", Line(case)));
            }
        }
        Ok(run.conclusion().into())
    }

    /// Whether somebody reads on standard output what became of the run.
    fn is_read(&self) -> bool {
        let outputs = self.outputs().unwrap_or_default();
        outputs.iter().any(|output| {
            output.format == Format::Human && output.destination == Destination::Stdout
        })
    }
}

/// What a file says is known to fail.
fn known(path: &Path) -> Result<Expectations, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let what = format!("--expect {}: cannot read it: {error}", path.display());
        Failure::usage(what).hint(match error.kind() {
            ErrorKind::NotFound => "--write-expect FILE, to have such a file written",
            _ => "name a file such as --write-expect FILE writes",
        })
    })?;
    Expectations::parse(&text)
        .map_err(|error| Failure::usage(format!("--expect {}: {error}", path.display())))
}

fn is_case(id: &str) -> bool {
    cases::case(id).is_some()
}

/// What to try if something cannot be written.
const WRITABLE: &str = "name a file in a folder that is there and can be written";

/// Whether a file can be written; it is left as it is.
fn probe(path: &Path) -> io::Result<()> {
    let is_there = path.exists();
    OpenOptions::new().append(true).create(true).open(path)?;
    if is_there {
        return Ok(());
    }
    fs::remove_file(path)
}

/// Reports that cannot be written, before anything is played.
fn unopened(error: OutputError) -> Failure {
    let hint = match error {
        OutputError::Twice(_) => "--format FORMAT=FILE, another file for each but one",
        OutputError::Unwritable { .. } => WRITABLE,
    };
    Failure::usage(error.to_string()).hint(hint)
}

/// A report that could not be written. If whoever read it has seen enough, there is nothing to say.
pub(crate) fn unwritten(error: &OutputError) -> Failure {
    match error {
        OutputError::Unwritable { error, .. } if error.kind() == ErrorKind::BrokenPipe => {
            Failure::could_not("")
        }
        error => Failure::could_not(error.to_string()),
    }
}

/// The profile with its limit declared: the reference server's is known.
pub(super) fn declared(profile: Profile) -> Result<Profile, Failure> {
    let limit = profile.max_body();
    profile
        .with_max_body(limit)
        .map_err(|error| Failure::usage(error.to_string()))
}

fn written(path: &Path, text: &str) -> Result<(), Failure> {
    let destination = Destination::File(path.to_owned());
    let written = destination.write(|out| out.write_all(text.as_bytes()));
    written.map_err(|error| Failure::could_not(format!("cannot write {}: {error}", path.display())))
}
