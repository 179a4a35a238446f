//! `conformance watch`: checks a server again whenever its files change.

use super::check::{CheckArgs, Checked, Which};
use super::exit::{Exit, Failure};
use super::opening::Shown;
use super::signals::Signals;
use super::{out, runtime};
use crate::lang::{Text, say};
use crate::report::escape::Line;
use crate::watch::{Look, OwnFiles, WatchError, Watched};
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::time::sleep;

/// Check a server again whenever a file changes, what failed last first; Ctrl-C ends it
///
/// What failed last is played first. As long as some of it fails, nothing else is played; when all of it passes, all cases
/// follow. The options are those of check, and --exec is needed: each run starts the server anew. A change during a run
/// makes another one follow. Folders named target, __pycache__, node_modules or venv, what begins with a dot, and files
/// that runs write themselves are not watched. Ends with the exit code of the last run.
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// A file or folder to watch; may be repeated
    #[arg(
        long,
        value_name = "PATH",
        default_value = ".",
        help_heading = "What is watched"
    )]
    watch: Vec<PathBuf>,
    #[command(flatten)]
    check: CheckArgs,
}

/// How often is looked for changes at most.
const LOOKS_EVERY: Duration = Duration::from_millis(250);

/// How many times as long as a look takes nothing is done between looks.
const REST: u32 = 20;

/// How many looks it may take until files come to rest that are being written.
const SETTLES_WITHIN: usize = 20;

/// At most so many files are told of by name.
const NAMED: usize = 3;

impl WatchArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if !self.check.is_started() {
            return Err(Failure::usage(say!(
                "watch starts the server anew for each run, and there is no command for that"
            ))
            .hint("--exec 'python3 server.py --port {port}'"));
        }
        let watched = Watched::new(self.watch.clone(), &self.check.written()).map_err(unwatched)?;
        let runtime = runtime::single()?;
        // Before the first run, so that no signal is missed between two.
        let signals = runtime.block_on(async { Signals::new() })?;
        let check = &self.check;
        check.while_shown(|shown| {
            let watching = Watching {
                check,
                shown,
                watched,
                signals,
                own: OwnFiles::default(),
            };
            watching.go_on(&runtime)
        })
    }
}

fn unwatched(error: WatchError) -> Failure {
    let failure = Failure::usage(error.to_string());
    failure.hint(say!(
        "--watch PATH, for the files and folders that the server is made from"
    ))
}

/// A watch that has begun.
struct Watching<'a> {
    check: &'a CheckArgs,
    shown: &'a Shown,
    watched: Watched,
    signals: Signals,
    own: OwnFiles,
}

impl Watching<'_> {
    /// Runs and waits, until the user has had enough.
    fn go_on(mut self, runtime: &Runtime) -> Result<Exit, Failure> {
        let mut before = self.look()?;
        let mut last = self.play(None)?;
        let mut by_itself = false;
        loop {
            let now = self.look()?;
            let during = now.changed_since(&before);
            self.tell_own(&during, by_itself);
            let during = self.own.others(&during);
            let next = self.next(now, during.clone());
            let Some((changes, look)) = runtime.block_on(next)? else {
                return Ok(last);
            };
            by_itself = changes == during;
            before = look;
            clear();
            out::note(told(&changes));
            last = self.play(Some(last))?;
        }
    }

    fn look(&self) -> Result<Look, Failure> {
        self.watched.look().map_err(unwatched)
    }

    /// The next changes, with a look at which they have come to rest; `None` if the user has had enough.
    async fn next(
        &mut self,
        mut look: Look,
        mut changes: BTreeSet<PathBuf>,
    ) -> Result<Option<(BTreeSet<PathBuf>, Look)>, Failure> {
        if changes.is_empty() {
            out::note(say!("waiting for a change; Ctrl-C ends this"));
        }
        let mut settling = 0_usize;
        let mut rest = LOOKS_EVERY;
        loop {
            tokio::select! {
                // Whoever has had enough during a run has so before all else.
                biased;
                () = self.signals.next() => return Ok(None),
                () = sleep(rest) => {}
            }
            let begun = Instant::now();
            let now = self.look()?;
            rest = LOOKS_EVERY.max(begun.elapsed().saturating_mul(REST));
            let new = self.own.others(&now.changed_since(&look));
            let is_at_rest = new.is_empty() || settling >= SETTLES_WITHIN;
            changes.extend(new);
            look = now;
            if !changes.is_empty() && is_at_rest {
                return Ok(Some((changes, look)));
            }
            settling = settling.saturating_add(usize::from(!changes.is_empty()));
        }
    }

    /// Says which files are not watched any more, as each run writes them.
    fn tell_own(&mut self, during: &BTreeSet<PathBuf>, by_itself: bool) {
        for path in self.own.during(during, by_itself) {
            out::note(say!(
                "{file} is written by each run: it is not watched any more",
                file = shown(&path)
            ));
        }
    }

    /// Plays what failed last, and all if that passes. Only what is wrong from the very first is an end: later the user is
    /// about to mend it.
    fn play(&self, last: Option<Exit>) -> Result<Exit, Failure> {
        let done = match self.check.checked(Which::LastFailed, self.shown) {
            Ok(Checked {
                exit: Exit::Ok,
                is_whole: false,
            }) => {
                out::note(say!("what failed passes: all cases follow"));
                self.check.checked(Which::All, self.shown)
            }
            done => done,
        };
        match done {
            Ok(checked) => Ok(checked.exit),
            Err(failure) if last.is_none() && failure.exit == Exit::Usage => Err(failure),
            Err(failure) => {
                let exit = failure.exit;
                // The code is that of the end.
                let _ = failure.report();
                Ok(exit)
            }
        }
    }
}

/// Leaves the terminal to what comes. Into a pipe or a file, nothing.
fn clear() {
    if io::stdout().is_terminal() {
        // A terminal that is gone shows at the next line.
        let _ = out::line("\u{1b}[2J\u{1b}[H");
    }
}

/// Which files have changed, in a line.
fn told(changes: &BTreeSet<PathBuf>) -> Text {
    let names: Vec<String> = changes.iter().take(NAMED).map(|it| shown(it)).collect();
    let names = names.join(", ");
    match changes.len().saturating_sub(NAMED) {
        0 => say!("== changed: {names}", names),
        more => say!("== changed: {names} and {more} more", names, more),
    }
}

fn shown(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    Line(&path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_changes_are_told_by_name() {
        let changes = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        assert_eq!(told(&changes(&["./a.py"])), "== changed: a.py");
        assert_eq!(
            told(&changes(&["a", "b", "c", "d", "e"])),
            "== changed: a, b, c and 2 more"
        );
        assert!(!told(&changes(&["\u{1b}[2J"])).as_str().contains('\u{1b}'));
    }
}
