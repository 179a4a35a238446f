//! A class: every submission of a folder started, checked and given points, within limits and several at a time.
//!
//! All submissions are checked in this process, as [`check_command`](crate::check_command) checks one. What has to be kept
//! apart are their servers. Each has a [keeper](crate::peer::Keeper), which is a process of its own and has whatever
//! descends from it: it is that, and not the check, which no other process can stand in for.
//!
//! One that does not start, hangs, floods or goes into the background costs nobody else anything: its row says so in plain
//! words, and nothing of it is left running.

mod files;
mod kept;
mod rubric;
mod submission;
mod trial;

pub use rubric::{NoPoints, Points, Rubric, RubricError};

use crate::event::Conclusion;
use crate::lang::{Text, say};
use crate::peer::{Launch, LaunchError, Limits};
use crate::profile::Profile;
use crate::report::class::{Became, Class, Found, Person};
use files::{Files, Unfit};
use kept::Kept;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use submission::{DIR, FILE, Kind, Submission};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use trial::{Absent, Outcome, Trial, tried};

/// What is written about all: the file, and how.
type Written = (
    &'static str,
    fn(&Class, &mut dyn io::Write) -> io::Result<()>,
);

/// Everything that is written about all.
const WRITTEN: [Written; 3] = [
    ("index.html", Class::write_html),
    ("grades.csv", Class::write_csv),
    ("grades.md", Class::write_markdown),
];

/// A class that is to be graded, and how.
#[derive(Debug, Clone)]
pub struct Grading {
    /// The folder that holds the submissions.
    pub folder: PathBuf,
    /// The command that starts the server of each: [`Launch`] reads it, with `{dir}` for the folder of a submission, or
    /// `{file}` where each is a file.
    pub command: String,
    /// The wire format.
    pub profile: Profile,
    /// The options of `conformance check` that name that format, for people who check their own; empty if none are needed.
    pub format: String,
    /// Only these cases, by name, clause or pattern; all, if none are named.
    pub only: Vec<String>,
    /// Not these cases.
    pub except: Vec<String>,
    /// Whether slow cases are played.
    pub is_slow: bool,
    /// How points are given.
    pub rubric: Rubric,
    /// How long the check of a submission may take; no time at all is as long as it takes.
    pub within: Duration,
    /// How long a server may take until it listens.
    pub startup: Duration,
    /// What each may have. Of files, as many octets in all as in one.
    pub limits: Limits,
    /// What keeps servers within limits: see [`Confinement`](crate::peer::Confinement).
    pub keeper: Vec<PathBuf>,
    /// How many submissions are checked side by side, at least 1.
    pub jobs: usize,
    /// The folder into which everything is written, if anything is.
    pub output: Option<PathBuf>,
    /// Whether submissions are checked again of which it is kept there what became of them.
    pub again: bool,
}

/// Why a class is not graded.
#[derive(Debug, thiserror::Error)]
pub enum GradeError {
    /// The command names no submission.
    #[error(
        "{0:?} is the same for all: {DIR} has to stand where the folder of a submission is named, or {FILE} if each is a file"
    )]
    NoPlace(String),
    /// The command names both the folder and the file.
    #[error("there are both {DIR} and {FILE} in {0:?}: a submission is one of the two")]
    TwoPlaces(String),
    /// The command cannot start anything.
    #[error("{command:?}: {error}")]
    Command {
        /// The command.
        command: String,
        /// What is wrong with it.
        error: LaunchError,
    },
    /// The folder of submissions cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is nothing in it.
    #[error("there is no {kind} in {}", folder.display())]
    None {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        kind: &'static str,
    },
    /// Somebody else writes there.
    #[error("another grading writes into {}", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// Something cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What there is to say of a submission as soon as it is known.
#[derive(Debug)]
pub struct Graded<'a> {
    /// Who, and what became of the server.
    pub person: &'a Person,
    /// How many are done, this one among them.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// Whether that was known from an earlier time.
    pub is_kept: bool,
}

/// A class that has been graded.
#[derive(Debug)]
pub struct Done {
    /// What became of each.
    pub class: Class,
    /// What could not be written about all.
    pub unwritten: Vec<GradeError>,
}

/// Removes a folder with all that is in it, also where a server has closed some of it to everybody; that it is not there is
/// as good.
///
/// # Errors
/// If something of it stays.
pub fn remove(folder: &Path) -> io::Result<()> {
    files::removed(folder)
}

/// What a class comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All conform.
    Conforms,
    /// Everybody was graded, and not all conform.
    Differs,
    /// Somebody could not be graded, or not decided upon.
    NotWhole,
    /// No server was there to be checked: most likely the command is wrong.
    NoServer,
}

impl Ending {
    /// What that class comes to.
    #[must_use]
    pub fn of(class: &Class) -> Self {
        let mut people = class.people.iter();
        let is_decided = |person: &Person| match &person.became {
            Became::Checked(found) => found.conclusion != Conclusion::Undecided,
            Became::NotServed(_) => true,
            Became::NotGraded(_) => false,
        };
        let passes = |person: &Person| matches!(&person.became, Became::Checked(found) if found.conclusion == Conclusion::Passed);
        if people
            .clone()
            .all(|person| matches!(person.became, Became::NotServed(_)))
        {
            Self::NoServer
        } else if !people.clone().all(is_decided) {
            Self::NotWhole
        } else if people.all(passes) {
            Self::Conforms
        } else {
            Self::Differs
        }
    }
}

impl Grading {
    /// Grades all submissions, and writes everything. What servers need of the disk is in `space`, a folder that is there
    /// and that the caller removes when nothing of this runs any more. Dropped before it is ready, it ends what it has
    /// started; what was graded until then is kept.
    ///
    /// # Errors
    /// If there is nothing to be graded, or nothing can be written there.
    pub async fn run(
        self,
        space: &Path,
        tell: &mut (dyn FnMut(Graded<'_>) + Send),
    ) -> Result<Done, GradeError> {
        let kind = self.kind()?;
        let handed = submission::all(&self.folder, kind, self.output.as_deref())?;
        let kept = self.output.as_deref().map(Kept::open).transpose()?;
        if let Some(kept) = &kept {
            kept.set_aside_others(&handed.submissions)?;
        }
        let all = handed.submissions.len();
        let notes = passed_over(&handed.others, kind).into_iter().collect();
        let mut running = Running::begin(Arc::new(self), kept, handed.submissions, space);
        let mut people: Vec<Option<Person>> = vec![None; all];
        let mut done = 0_usize;
        while let Some((place, person, is_kept)) = running.next().await {
            done = done.saturating_add(1);
            tell(Graded {
                person: &person,
                done,
                all,
                is_kept,
            });
            people
                .get_mut(place)
                .into_iter()
                .for_each(|slot| *slot = Some(person.clone()));
        }
        Ok(running.written(people.into_iter().flatten().collect(), notes))
    }

    /// What its submissions are.
    ///
    /// # Errors
    /// If the command names none, or starts no server.
    fn kind(&self) -> Result<Kind, GradeError> {
        let launch = self.command.parse::<Launch>();
        launch.map_err(|error| GradeError::Command {
            command: self.command.clone(),
            error,
        })?;
        Kind::of(&self.command)
    }

    /// The row of somebody, of whom there is that page.
    fn person(&self, submission: &Submission, trial: Trial, page: Option<String>) -> Person {
        let became = match trial.outcome {
            Outcome::Checked(run) => Became::Checked(Found::of(&run)),
            Outcome::NotServed(absent) => Became::NotServed(absent.why),
            Outcome::NotGraded(why) => Became::NotGraded(why),
        };
        let points = match &became {
            Became::Checked(found) => self.rubric.of(found).to_string(),
            Became::NotServed(_) => self.rubric.floor().to_string(),
            Became::NotGraded(_) => "?".to_owned(),
        };
        Person {
            name: submission.name.clone(),
            points,
            became,
            notes: trial.over,
            page,
        }
    }
}

/// What is no submission, so that nobody is forgotten who has handed in something else.
fn passed_over(others: &[String], kind: Kind) -> Option<Text> {
    let names = others.join(", ");
    let said = match kind {
        Kind::Folder => say!("passed over, as it is no folder: {names}", names),
        Kind::File => say!("passed over, as it is no file: {names}", names),
    };
    (!others.is_empty()).then_some(said)
}

/// Submissions that are being graded.
struct Running {
    grading: Arc<Grading>,
    kept: Option<Kept>,
    submissions: Vec<Submission>,
    tasks: JoinSet<(usize, Trial, bool)>,
    /// Which submission a task is about.
    places: Vec<(tokio::task::Id, usize)>,
}

impl Running {
    fn begin(
        grading: Arc<Grading>,
        kept: Option<Kept>,
        submissions: Vec<Submission>,
        space: &Path,
    ) -> Self {
        let turns = Arc::new(Semaphore::new(grading.jobs.max(1)));
        let (mut tasks, mut places) = (JoinSet::new(), Vec::new());
        for (place, submission) in submissions.iter().cloned().enumerate() {
            let one = One {
                grading: Arc::clone(&grading),
                kept: kept.clone(),
                submission,
                space: space.join(place.to_string()),
            };
            let turns = Arc::clone(&turns);
            let task = tasks.spawn(async move {
                // Nobody closes it.
                let _turn = turns.acquire().await;
                let (trial, is_kept) = one.graded().await;
                (place, trial, is_kept)
            });
            places.push((task.id(), place));
        }
        Self {
            grading,
            kept,
            submissions,
            tasks,
            places,
        }
    }

    /// The next that is done, with its place and whether it was known before.
    async fn next(&mut self) -> Option<(usize, Person, bool)> {
        let (place, trial, is_kept) = match self.tasks.join_next().await? {
            Ok(done) => done,
            Err(died) => {
                let own = self.places.iter().find(|(id, _)| *id == died.id());
                let why = format!("the check of it died: {died}");
                let place = own.map_or(usize::MAX, |(_, place)| *place);
                (place, Outcome::NotGraded(why).into(), false)
            }
        };
        let submission = self.submissions.get(place)?;
        let kept = self.kept.as_ref();
        let page = kept.and_then(|kept| kept.page_of(submission));
        let person = self.grading.person(submission, trial, page);
        Some((place, person, is_kept))
    }

    /// The class of these people, written as far as it can be.
    fn written(self, people: Vec<Person>, notes: Vec<Text>) -> Done {
        let class = Class {
            command: self.grading.command.clone(),
            profile: self.grading.profile.name().to_owned(),
            most: self.grading.rubric.points().to_string(),
            people,
            notes,
        };
        let unwritten = self.kept.iter().flat_map(|kept| {
            let written =
                WRITTEN.map(|(name, write)| kept.write_of_all(name, |out| write(&class, out)));
            written.into_iter().filter_map(Result::err)
        });
        let unwritten = unwritten.collect();
        Done { class, unwritten }
    }
}

/// A submission that is graded.
#[derive(Clone)]
struct One {
    grading: Arc<Grading>,
    kept: Option<Kept>,
    submission: Submission,
    space: PathBuf,
}

/// What a first look at a submission shows.
enum Looked {
    /// What became of it was known.
    Known(Trial),
    /// It cannot be checked.
    Unfit(Unfit),
    /// It is to be checked; what it will be known by.
    New(Files, String),
}

impl One {
    /// What became of it, and whether that was known.
    async fn graded(self) -> (Trial, bool) {
        let one = self.clone();
        let (trial, known_by) = match spawn_blocking(move || one.look()).await {
            Ok(Looked::Known(trial)) => return (trial, true),
            Ok(Looked::Unfit(unfit)) => (unfit.into(), None),
            Ok(Looked::New(files, fingerprint)) => {
                let space = self.space.clone();
                let trial = tried(&self.grading, &self.submission, files, space).await;
                (trial, Some(fingerprint))
            }
            Err(died) => return (not_graded(died), false),
        };
        let ending = spawn_blocking(move || self.end(known_by.as_deref(), trial));
        (ending.await.unwrap_or_else(not_graded), false)
    }

    fn look(&self) -> Looked {
        let looked = Files::of(&self.submission).and_then(|files| {
            let fingerprint = kept::fingerprint(&self.grading, &files)?;
            Ok((files, fingerprint))
        });
        match looked {
            Ok((files, fingerprint)) => {
                let kept = self.kept.as_ref().filter(|_| !self.grading.again);
                let known = kept.and_then(|kept| kept.read(&self.submission, &fingerprint));
                known.map_or(Looked::New(files, fingerprint), Looked::Known)
            }
            Err(unfit) => Looked::Unfit(unfit),
        }
    }

    /// Keeps what became of it, by which it is then known. What cannot be kept cannot be handed back.
    fn end(&self, known_by: Option<&str>, trial: Trial) -> Trial {
        // What its server still holds as it ends goes with the whole space.
        let _ = files::removed(&self.space);
        let again = trial::repeated(&self.grading, &self.submission);
        let kept = self.kept.as_ref();
        let written = kept.map(|kept| kept.write(&self.submission, known_by, &trial, &again));
        match written {
            Some(Err(error)) => not_graded(error),
            Some(Ok(())) | None => trial,
        }
    }
}

fn not_graded(why: impl fmt::Display) -> Trial {
    Outcome::NotGraded(why.to_string()).into()
}

/// What is larger than any submission is so by its own fault; what cannot be read is not.
impl From<Unfit> for Trial {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooMany | Unfit::TooLarge => {
                Outcome::NotServed(Absent::because(unfit.to_string())).into()
            }
            Unfit::LeadsOut { .. } | Unfit::Unnamed | Unfit::Unreadable { .. } => not_graded(unfit),
        }
    }
}
