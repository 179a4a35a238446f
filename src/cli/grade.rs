//! `conformance grade`: the submissions of a class, each checked within limits and given points.

use super::check::jobs;
use super::command::CommandLine;
use super::durations::duration;
use super::exit::{Exit, Failure};
use super::out;
use super::runtime;
use super::selection::SelectionArgs;
use super::signals::Signals;
use super::text_file;
use super::wire_format::{WireFormatArgs, octets};
use crate::grade::{Done, Ending, GradeError, Graded, Grading, Rubric, remove};
use crate::lang::{Text, say};
use crate::peer::Limits;
use crate::report::class::Class;
use crate::report::escape::Line;
use crate::report::{Destination, terminal};
use crate::spec::Role;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The largest rubric that is read, in octets.
const MOST_OF_RUBRIC: u64 = 1 << 20;

/// Check the servers that a class has handed in, each within limits, and give points
#[derive(Debug, clap::Args)]
pub(crate) struct GradeArgs {
    /// The folder that holds the submissions
    ///
    /// Each is a sub-folder of it, or a file where --exec has {file}.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Command that starts the server of each, in a copy of its files
    ///
    /// {dir} in it becomes their folder, or {file} the file that a submission is; {port} a free port, {host} the address to
    /// listen on.
    #[arg(long, value_name = "COMMAND")]
    exec: String,
    #[command(flatten, next_help_heading = "Wire format")]
    format: WireFormatArgs,
    #[command(flatten, next_help_heading = "Which cases")]
    selection: SelectionArgs,
    /// Play the slow cases too
    #[arg(long)]
    slow: bool,
    #[command(flatten, next_help_heading = "Points and pages")]
    pages: PagesArgs,
    #[command(flatten, next_help_heading = "Limits of each submission")]
    limits: LimitsArgs,
}

/// What is made of a class.
#[derive(Debug, clap::Args)]
struct PagesArgs {
    /// How points are given: a TOML file
    ///
    /// Without it there are 10, of which each cause costs 1.
    #[arg(long, value_name = "FILE")]
    rubric: Option<PathBuf>,
    /// Folder for a page of all, grades.csv, grades.md, and a page and a JSON report of each
    ///
    /// What is in it already is not checked again, unless its files or what is said here have changed.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Check all again
    #[arg(long, requires = "output")]
    again: bool,
}

/// What each may have.
#[derive(Debug, clap::Args)]
struct LimitsArgs {
    /// Submissions checked side by side [default: two for each processor]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<usize>,
    /// How long the check of one may take, 0 for as long as it takes
    ///
    /// What does not fit is told as not run.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    within: Duration,
    /// How long its server may take until it listens
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    startup: Duration,
    /// Memory of all its processes together: octets, or with k, M or G
    #[arg(long, value_name = "OCTETS", default_value = "512M", value_parser = memory)]
    memory: u64,
    /// Processes at the same time
    #[arg(long, value_name = "N", default_value_t = Limits::default().processes, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    processes: u32,
    /// Files that it writes, all together: octets, or with k, M or G
    #[arg(long, value_name = "OCTETS", default_value = "256M", value_parser = octets)]
    disk: u64,
}

/// A number of octets in which a program can be started.
fn memory(text: &str) -> Result<u64, String> {
    const LEAST: u64 = 1 << 20;
    match octets(text)? {
        octets @ LEAST.. => Ok(octets),
        _ => Err("give 1M or more".to_owned()),
    }
}

impl GradeArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if cfg!(not(target_os = "linux")) {
            return Err(Failure::could_not(
                "only Linux keeps what a server starts together, so that it can be bounded and ended",
            )
            .hint("conformance check --exec COMMAND, for one server after the other"));
        }
        let grading = self.grading()?;
        let space = TempDir::with_prefix("framespec-").map_err(|error| {
            Failure::could_not(format!("cannot make a folder for copies: {error}"))
                .hint("set TMPDIR to a folder with room for the files of the submissions")
        })?;
        let runtime = runtime::multi()?;
        let done = runtime.block_on(played(grading, space.path()));
        // It waits for servers that are being ended; then nothing writes into their folders any more.
        drop(runtime);
        if let Err(error) = remove(space.path()) {
            let path = space.path().display().to_string();
            out::note(say!(
                "cannot remove {path}: {error}; remove it by hand",
                path,
                error
            ));
        }
        let done = done?;
        let look = terminal::look();
        Destination::Stdout.write(|out| done.class.write_text(look, out))?;
        if let Some(output) = &self.pages.output {
            out::note(format_args!("{}", output.join("index.html").display()));
        }
        match done.unwritten.into_iter().next() {
            Some(error) => Err(refused(error)),
            None => self.end(&done.class),
        }
    }

    fn grading(&self) -> Result<Grading, Failure> {
        let profile = self.format.profile()?;
        self.selection.cases_in(Role::Server, &profile)?;
        let keeper = std::env::current_exe().map_err(|error| {
            Failure::could_not(format!("cannot find this program itself: {error}"))
        })?;
        Ok(Grading {
            folder: self.folder.clone(),
            command: self.exec.clone(),
            profile,
            format: self.format_options(),
            only: self.selection.run.clone(),
            except: self.selection.skip.clone(),
            is_slow: self.slow,
            rubric: self.rubric()?,
            within: self.limits.within,
            startup: self.limits.startup,
            limits: Limits {
                memory: self.limits.memory,
                processes: self.limits.processes,
                file: self.limits.disk,
            },
            keeper: vec![keeper, super::keep::WORD.into()],
            jobs: self.limits.jobs.unwrap_or_else(two_a_processor),
            output: self.pages.output.clone(),
            again: self.pages.again,
        })
    }

    fn format_options(&self) -> String {
        let mut line = CommandLine::default();
        self.format.add_to(&mut line);
        line.to_string()
    }

    fn rubric(&self) -> Result<Rubric, Failure> {
        let Some(path) = &self.pages.rubric else {
            return Ok(Rubric::default());
        };
        let refuse = |why: String| Failure::usage(format!("--rubric {}: {why}", path.display()));
        let text = text_file::read(path, MOST_OF_RUBRIC)
            .map_err(|error| refuse(format!("cannot read it: {error}")))?;
        Rubric::parse(&text).map_err(|error| {
            refuse(error.to_string()).hint(
                "conformance list names the clauses, and the page of a class the causes; docs/GRADING.md has an example",
            )
        })
    }

    /// What the class comes to.
    fn end(&self, class: &Class) -> Result<Exit, Failure> {
        match Ending::of(class) {
            Ending::Conforms => Ok(Exit::Ok),
            Ending::Differs => Ok(Exit::Findings),
            Ending::NotWhole => Err(Failure::could_not(
                "not everybody could be graded: the lines above say why",
            )
            .hint(match self.pages.output {
                Some(_) => "the same command again: it goes on with those, and --within gives more time",
                None => "--output DIR keeps what is done, so that the same command goes on with the others",
            })),
            Ending::NoServer => Err(Failure::could_not("not one server was there to be checked")
                .hint("run the command by hand for one of them, from its folder: most likely it is not right for any")),
        }
    }
}

/// Most of a check is waiting.
fn two_a_processor() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.saturating_mul(2)
}

/// Grades until all is done or the user has had enough.
async fn played(grading: Grading, space: &Path) -> Result<Done, Failure> {
    let mut signals = Signals::new()?;
    let is_kept = grading.output.is_some();
    let mut done = 0_usize;
    let mut tell = |graded: Graded<'_>| {
        done = graded.done;
        out::note(told(&graded));
    };
    tokio::select! {
        graded = grading.run(space, &mut tell) => return graded.map_err(refused),
        () = signals.next() => {}
    }
    let stopped = Failure::could_not(format!("interrupted: {done} were graded until then"));
    Err(match is_kept {
        true => stopped.hint("the same command again: it goes on from there"),
        false => stopped.hint("--output DIR, which keeps what is done"),
    })
}

fn told(graded: &Graded<'_>) -> Text {
    let Graded {
        person,
        done,
        all,
        is_kept,
    } = graded;
    let name = Line(&person.name).to_string();
    let points = &person.points;
    match is_kept {
        true => say!(
            "{done} of {all}: {name}, {points} points, as it was",
            done,
            all,
            name,
            points
        ),
        false => say!(
            "{done} of {all}: {name}, {points} points",
            done,
            all,
            name,
            points
        ),
    }
}

/// Why nothing is graded, and what to try.
fn refused(error: GradeError) -> Failure {
    let what = error.to_string();
    match error {
        GradeError::NoPlace(_) | GradeError::TwoPlaces(_) => Failure::usage(what)
            .hint("--exec 'python3 {dir}/server.py {port}', or --exec 'python3 {file} {port}'"),
        GradeError::Command { .. } => Failure::usage(what),
        GradeError::Unreadable { .. } => {
            Failure::usage(what).hint("name the folder that holds the submissions")
        }
        GradeError::None { .. } => Failure::usage(what).hint(
            "a folder for each submission, and {dir} in the command; or a file for each, and {file}",
        ),
        GradeError::Taken { .. } => Failure::could_not(what)
            .hint(say!("wait until it has ended, or name another folder with --output")),
        GradeError::Unwritable { .. } => Failure::could_not(what).hint(say!(
            "--output takes a folder that can be written, or made; what is kept there is kept, and the same command goes on with it"
        )),
    }
}
