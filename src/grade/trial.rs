//! A submission, checked: in a copy of its own, within its limits, and what became of it in plain words.

use super::Grading;
use super::files::{Files, taken};
use super::submission::{DIR, FILE, Kind, Submission};
use crate::check::{Check, CheckError, Checked, Command, Server, check_command};
use crate::event::Run;
use crate::lang::say;
use crate::peer::{Confinement, Told};
use crate::run::NotStarted;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::Builder;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Between two looks at what a server has written.
const LOOK: Duration = Duration::from_millis(500);

/// How much longer than it may take a check is waited for: it ends by itself, and if it does not the fault is ours.
const OVERDUE: Duration = Duration::from_secs(60);

/// What programs say that find the end of their input where they want a line, in the languages that are most in use.
const END_OF_INPUT: [&str; 4] = [
    "EOFError",
    "NoSuchElementException",
    "EndOfStream",
    "end of file reached",
];

/// What the system says that gives no more processes, memory or descriptors, whichever language it says it in.
const SHORT_OF: [&str; 3] = ["(os error 11)", "(os error 12)", "(os error 24)"];

/// Why there is no server where the command has ended and something of it runs.
const BACKGROUND: &str =
    "it went into the background: the command has to last as long as the server does";

/// What became of a submission.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) outcome: Outcome,
    /// The limits that its server broke, each in words.
    pub(super) over: Vec<String>,
}

/// What became of it at last.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was checked.
    Checked(Box<Run>),
    /// It was not there to be checked.
    NotServed(Absent),
    /// It could not be looked at, through no fault of its own, and why not.
    NotGraded(String),
}

/// A server that was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absent {
    /// Why not, in plain words.
    pub(super) why: String,
    /// The last of what it wrote to its standard error.
    pub(super) said: String,
}

impl Absent {
    /// Without anything that it has said.
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            said: String::new(),
        }
    }
}

impl From<Outcome> for Trial {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            over: Vec::new(),
        }
    }
}

/// Checks a submission. What it needs of the disk is in `space`, a folder that it has to itself.
pub(super) async fn tried(
    grading: &Grading,
    submission: &Submission,
    files: Files,
    space: PathBuf,
) -> Trial {
    let place = match spawn_blocking(move || Place::made(&space, &files)).await {
        Ok(Ok(place)) => place,
        Ok(Err(error)) => return not_copied(&error.to_string()),
        Err(died) => return not_copied(&died.to_string()),
    };
    let check = check(grading, submission, &place);
    let limit = overdue(grading);
    let most = place.taken.saturating_add(grading.limits.file);
    let outcome = tokio::select! {
        done = timeout(limit, check.run_async()) => match done {
            Ok(done) => {
                let told = told(&place).await;
                return place.as_handed_in(submission).of(trial(done, told));
            }
            Err(_) => Outcome::NotGraded(format!("the check did not come to its end in {limit:?}")),
        },
        () = fills(&place.root, most) => Outcome::NotServed(Absent::because(format!(
            "it was stopped: it wrote more than {} MiB of files",
            grading.limits.file >> 20
        ))),
    };
    outcome.into()
}

/// What its keeper has told.
async fn told(place: &Place) -> Told {
    let path = place.told.clone();
    let read = spawn_blocking(move || Told::read(&path)).await;
    read.unwrap_or_default()
}

/// When a check should have ended long ago. One that may take as long as it takes never should.
fn overdue(grading: &Grading) -> Duration {
    let whole = grading.within.saturating_add(grading.startup);
    match grading.within.is_zero() {
        true => Duration::MAX,
        false => whole.saturating_add(OVERDUE),
    }
}

fn not_copied(why: &str) -> Trial {
    Outcome::NotGraded(format!("its files cannot be copied: {why}")).into()
}

/// Where a submission is checked.
#[derive(Debug)]
struct Place {
    /// The whole of it.
    root: PathBuf,
    /// The copy of its files.
    files: PathBuf,
    /// Where files go that it makes for a time.
    temporary: PathBuf,
    /// Where it is told which limits were broken.
    told: PathBuf,
    /// Octets on the disk before it is started.
    taken: u64,
}

impl Place {
    fn made(root: &Path, files: &Files) -> io::Result<Self> {
        let place = Self {
            root: root.to_owned(),
            files: root.join("files"),
            temporary: root.join("tmp"),
            told: PathBuf::new(),
            taken: 0,
        };
        std::fs::create_dir_all(&place.files)?;
        std::fs::create_dir_all(&place.temporary)?;
        files.copy_into(&place.files)?;
        // Not where a server would write a file by mistake.
        let told = Builder::new().prefix("told-").tempfile_in(around(root))?;
        Ok(Self {
            taken: taken(root, u64::MAX),
            told: told.into_temp_path().keep()?,
            ..place
        })
    }

    /// Its folder as those know it who have handed it in.
    fn as_handed_in(&self, submission: &Submission) -> Renamed {
        let own = match submission.kind {
            Kind::Folder => &submission.path,
            Kind::File => around(&submission.path),
        };
        Renamed {
            copy: self.files.display().to_string(),
            own: own.display().to_string(),
        }
    }
}

fn around(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// A folder that is called otherwise where people read of it.
struct Renamed {
    copy: String,
    own: String,
}

impl Renamed {
    fn of(&self, mut trial: Trial) -> Trial {
        match &mut trial.outcome {
            Outcome::Checked(run) => {
                let evidence = run
                    .results
                    .iter_mut()
                    .filter_map(|one| one.evidence.as_mut());
                evidence.for_each(|evidence| self.put(&mut evidence.stderr));
            }
            Outcome::NotServed(absent) => {
                self.put(&mut absent.why);
                self.put(&mut absent.said);
            }
            Outcome::NotGraded(why) => self.put(why),
        }
        trial
    }

    fn put(&self, text: &mut String) {
        if text.contains(&self.copy) {
            *text = text.replace(&self.copy, &self.own);
        }
    }
}

/// Waits until there is more in a folder than may be.
async fn fills(folder: &Path, most: u64) {
    loop {
        sleep(LOOK).await;
        let folder = folder.to_owned();
        let look = spawn_blocking(move || taken(&folder, most) > most).await;
        if look.unwrap_or_default() {
            return;
        }
    }
}

fn check(grading: &Grading, submission: &Submission, place: &Place) -> Check<Server<Command>> {
    let confinement = Confinement {
        keeper: grading.keeper.clone(),
        limits: grading.limits,
        folder: place.files.clone(),
        told: place.told.clone(),
        environment: vec![("TMPDIR".into(), place.temporary.clone().into())],
    };
    let (hole, path) = match submission.kind {
        Kind::Folder => (DIR, place.files.clone()),
        Kind::File => (FILE, place.files.join(file_name(submission))),
    };
    let mut check = check_command(&*grading.command)
        .filled(hole, path.to_string_lossy())
        .confined(confinement)
        .startup(grading.startup)
        .profile(grading.profile.clone())
        .within(grading.within)
        .named(&submission.name)
        .repeated_by(repeated(grading, submission));
    for cases in &grading.only {
        check = check.only(&**cases);
    }
    for cases in &grading.except {
        check = check.except(&**cases);
    }
    if grading.is_slow { check.slow() } else { check }
}

fn file_name(submission: &Submission) -> &OsStr {
    submission.path.file_name().unwrap_or_default()
}

/// The command line by which somebody checks an own submission, standing in its folder.
pub(super) fn repeated(grading: &Grading, submission: &Submission) -> String {
    let own = shell_words::quote(&submission.name);
    let command = grading.command.replace(DIR, ".").replace(FILE, &own);
    let profile = match &*grading.format {
        "" => String::new(),
        options => format!(" {options}"),
    };
    format!(
        "conformance check --exec {}{profile}",
        shell_words::quote(&command)
    )
}

/// What a check has come to.
fn trial(done: Result<Checked, CheckError>, told: Told) -> Trial {
    let outcome = match done {
        Ok(checked) => return seen(checked.into_run(), told),
        Err(CheckError::NotStarted(not_started)) => absent(not_started, &told),
        Err(CheckError::Unreachable(error)) => {
            let gone = NotStarted {
                why: say!(
                    "it listened, and then no longer: {error}",
                    error = error.to_string()
                ),
                stderr: String::new(),
            };
            absent(gone, &told)
        }
        Err(error) => Outcome::NotGraded(error.to_string()),
    };
    outcome.into()
}

/// What a run has come to. One that went into the background may have listened for a moment before it was ended, and was
/// not there to be checked all the same.
fn seen(run: Run, mut told: Told) -> Trial {
    if told.left && run.finished.summary.pass == 0 {
        return Outcome::NotServed(Absent::because(BACKGROUND)).into();
    }
    told.over.extend(told.left.then(|| BACKGROUND.to_owned()));
    Trial {
        outcome: Outcome::Checked(Box::new(run)),
        over: told.over,
    }
}

/// A server that did not start, which is the fault of nobody here where the system gave no more of what it takes.
fn absent(not_started: NotStarted, told: &Told) -> Outcome {
    let without = not_started.why.to_string();
    if told.over.is_empty() && SHORT_OF.iter().any(|words| without.contains(words)) {
        return Outcome::NotGraded(without);
    }
    Outcome::NotServed(Absent {
        why: why(&not_started, told),
        said: not_started.stderr,
    })
}

/// Why a server did not start, in plain words.
fn why(not_started: &NotStarted, told: &Told) -> String {
    if !told.over.is_empty() {
        return format!("it was stopped: {}", told.over.join(", and "));
    }
    if told.left {
        return BACKGROUND.to_owned();
    }
    let said = &not_started.stderr;
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    let wants_input = END_OF_INPUT.iter().any(|words| said.contains(words));
    let input = match wants_input {
        true => "; it reads its standard input, in which there is nothing",
        false => "",
    };
    match last {
        Some(last) => format!("{} ({}{input})", last.trim(), not_started.why),
        None => format!("{}{input}", not_started.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_started(stderr: &str) -> NotStarted {
        NotStarted {
            why: crate::lang::Text::whole("it exited with code 1 before it listened on port 7060"),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn why_there_is_no_server_is_said_in_plain_words() {
        let none = Told::default();
        let said = why(
            &not_started("Traceback\n  x\nEOFError: EOF when reading a line\n\n"),
            &none,
        );
        assert!(said.contains("reads its standard input"), "{said}");
        assert!(
            said.starts_with("EOFError: EOF when reading a line (it exited"),
            "{said}"
        );
        assert_eq!(
            why(&not_started(""), &none),
            not_started("").why.to_string()
        );
        let over = Told {
            over: vec!["it ran too many processes".to_owned()],
            left: true,
        };
        assert_eq!(
            why(&not_started("x"), &over),
            "it was stopped: it ran too many processes"
        );
        let left = Told { left: true, ..none };
        assert!(why(&not_started("x"), &left).contains("background"));
    }

    /// Whether it listened for a moment is a matter of chance.
    #[test]
    fn what_goes_into_the_background_is_not_served_unless_something_passed() {
        let left = || Told {
            left: true,
            ..Told::default()
        };
        let mut run = Run::default();
        let trial = seen(run.clone(), left());
        assert!(matches!(trial.outcome, Outcome::NotServed(absent) if absent.why == BACKGROUND));
        run.finished.summary.pass = 1;
        let trial = seen(run, left());
        assert!(matches!(trial.outcome, Outcome::Checked(_)));
        assert_eq!(trial.over, [BACKGROUND]);
    }

    /// What the machine has no more of is held against nobody, unless it was the server that took it all.
    #[test]
    fn what_the_system_does_not_give_is_no_fault_of_the_server() {
        let not_started = || NotStarted {
            why: crate::lang::Text::whole("`x`: Resource temporarily unavailable (os error 11)"),
            stderr: String::new(),
        };
        assert!(matches!(
            absent(not_started(), &Told::default()),
            Outcome::NotGraded(_)
        ));
        let over = Told {
            over: vec!["it ran too many processes".to_owned()],
            left: false,
        };
        assert!(matches!(
            absent(not_started(), &over),
            Outcome::NotServed(_)
        ));
    }
}
