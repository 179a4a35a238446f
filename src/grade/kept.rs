//! What is kept of a submission that has been checked, so that it need not be checked again.

use super::files::{Files, Unfit, part};
use super::submission::{Submission, hex};
use super::trial::{Absent, Outcome, Trial};
use super::{GradeError, Grading};
use crate::event::{Conclusion, Run};
use crate::peer::regular;
use crate::report::{Destination, Format, Look, class, read_run};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read again, in octets.
const MOST: u64 = 256 << 20;

/// Where the pages of people are, for links on the page of the class.
const PAGES: &str = "pages";

/// Where their reports are that programs read.
const REPORTS: &str = "reports";

/// Where it is kept what they were made of.
const KEPT: &str = ".kept";

/// Where both are of those who are no longer in the class.
const LEFT: &str = "left";

/// What whoever writes into the folder holds meanwhile.
const LOCK: &str = "lock";

/// A folder into which a class is written, by nobody else as long as this is there.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    folder: PathBuf,
    _lock: Arc<File>,
}

/// What is written of a submission beside its reports.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    fingerprint: String,
    /// The limits that were broken.
    over: Vec<String>,
    /// Why there was no server, if there was none; else there is a report.
    not_served: Option<String>,
}

/// The page about a submission, as a link leads there.
fn page(submission: &Submission) -> String {
    format!("{PAGES}/{}.html", submission.slug)
}

/// What a submission is known by: its files, and all that is said of how it is checked.
pub(super) fn fingerprint(grading: &Grading, files: &Files) -> Result<String, Unfit> {
    let mut digest = Sha256::new();
    let limits = grading.limits;
    let manner = format!(
        "{:?}",
        (
            grading.within,
            grading.startup,
            (limits.memory, limits.processes, limits.file),
            (&grading.only, &grading.except, grading.is_slow),
        )
    );
    let profile = grading.profile.to_toml();
    for said in [
        env!("CARGO_PKG_VERSION"),
        &grading.command,
        &profile,
        &manner,
    ] {
        part(&mut digest, said.as_bytes());
    }
    files.add_to(&mut digest)?;
    Ok(hex(&digest.finalize()))
}

impl Kept {
    /// A folder, which is made if it is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, GradeError> {
        for inner in [PAGES, REPORTS, KEPT] {
            let inner = folder.join(inner);
            fs::create_dir_all(&inner).map_err(|error| unwritable(&inner, error))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: Arc::new(locked(folder)?),
        })
    }

    /// The page about a submission, as a link leads there, if there is one.
    pub(super) fn page_of(&self, submission: &Submission) -> Option<String> {
        let page = page(submission);
        self.folder.join(&page).is_file().then_some(page)
    }

    /// Sets aside what there is of people who are not among these.
    pub(super) fn set_aside_others(&self, submissions: &[Submission]) -> Result<(), GradeError> {
        for inner in [PAGES, REPORTS] {
            let from = self.folder.join(inner);
            let entries = fs::read_dir(&from).map_err(|error| unwritable(&from, error))?;
            for entry in entries.flatten() {
                let path = entry.path();
                let is_of = |one: &Submission| path.file_stem() == Some(one.slug.as_ref());
                if !submissions.iter().any(is_of) {
                    self.set_aside(&path, inner)?;
                }
            }
        }
        Ok(())
    }

    fn set_aside(&self, path: &Path, inner: &str) -> Result<(), GradeError> {
        let to = self.folder.join(LEFT).join(inner);
        let name = path.file_name().unwrap_or_default();
        let moved = fs::create_dir_all(&to).and_then(|()| fs::rename(path, to.join(name)));
        moved.map_err(|error| unwritable(&to, error))
    }

    fn note(&self, submission: &Submission) -> PathBuf {
        let name = format!("{}.json", submission.slug);
        self.folder.join(KEPT).join(name)
    }

    fn report(&self, submission: &Submission) -> PathBuf {
        let name = format!("{}.json", submission.slug);
        self.folder.join(REPORTS).join(name)
    }

    /// What became of a submission that is known by that, if it is kept whole.
    pub(super) fn read(&self, submission: &Submission, fingerprint: &str) -> Option<Trial> {
        let note = text(&self.note(submission))?;
        let note: Note = serde_json::from_str(&note).ok()?;
        if note.fingerprint != fingerprint {
            return None;
        }
        self.page_of(submission)?;
        let outcome = match note.not_served {
            Some(why) => Outcome::NotServed(Absent::because(why)),
            None => {
                let report = text(&self.report(submission))?;
                let run = read_run(&report).ok()?;
                // Of what was not decided another time may tell more.
                let is_decided = run.conclusion() != Conclusion::Undecided;
                Outcome::Checked(Box::new(is_decided.then_some(run)?))
            }
        };
        Some(Trial {
            outcome,
            over: note.over,
        })
    }

    /// Writes what became of a submission, which is then known by that. The note of it comes last: without it, the rest is
    /// made anew.
    pub(super) fn write(
        &self,
        submission: &Submission,
        known_by: Option<&str>,
        trial: &Trial,
        again: &str,
    ) -> Result<(), GradeError> {
        // Of what is no longer so nothing is left, wherever this is broken off.
        let paths = [self.note(submission), self.report(submission)];
        for path in paths.iter().chain([&self.folder.join(page(submission))]) {
            removed(path)?;
        }
        let not_served = match &trial.outcome {
            Outcome::NotGraded(_) => return Ok(()),
            Outcome::NotServed(absent) => {
                self.write_absent(submission, absent, again)?;
                Some(absent.why.clone())
            }
            Outcome::Checked(run) => {
                self.write_reports(submission, run)?;
                None
            }
        };
        let Some(fingerprint) = known_by else {
            return Ok(());
        };
        let note = Note {
            fingerprint: fingerprint.to_owned(),
            over: trial.over.clone(),
            not_served,
        };
        self.written(&self.note(submission), |out| {
            serde_json::to_writer(out, &note).map_err(io::Error::from)
        })
    }

    /// The page of somebody whose server was not there.
    fn write_absent(
        &self,
        submission: &Submission,
        absent: &Absent,
        again: &str,
    ) -> Result<(), GradeError> {
        let page = self.folder.join(page(submission));
        let told = class::Absent {
            name: &submission.name,
            why: &absent.why,
            said: &absent.said,
            again,
        };
        self.written(&page, |out| told.write_html(out))
    }

    fn write_reports(&self, submission: &Submission, run: &Run) -> Result<(), GradeError> {
        let page = self.folder.join(page(submission));
        for (format, path) in [
            (Format::Json, self.report(submission)),
            (Format::Html, page),
        ] {
            self.written(&path, |out| format.write(run, Look::default(), out))?;
        }
        Ok(())
    }

    /// Writes something about the whole class.
    pub(super) fn write_of_all(
        &self,
        name: &str,
        written: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), GradeError> {
        self.written(&self.folder.join(name), written)
    }

    fn written(
        &self,
        path: &Path,
        written: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), GradeError> {
        let destination = Destination::File(path.to_owned());
        destination
            .write(written)
            .map_err(|error| unwritable(path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> GradeError {
    GradeError::Unwritable {
        path: path.to_owned(),
        error,
    }
}

/// Takes the folder for this process alone, until what is given is dropped.
fn locked(folder: &Path) -> Result<File, GradeError> {
    let path = folder.join(KEPT).join(LOCK);
    let mut options = OpenOptions::new();
    let file = regular::opened(options.append(true).create(true), &path)
        .map_err(|error| unwritable(&path, error))?;
    match held(&file) {
        true => Ok(file),
        false => Err(GradeError::Taken {
            path: folder.to_owned(),
        }),
    }
}

/// Whether nobody else holds it. Where a system of files knows no such thing, nobody does.
#[cfg(unix)]
fn held(file: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    flock(file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK)
}

#[cfg(not(unix))]
fn held(_: &File) -> bool {
    true
}

fn removed(path: &Path) -> Result<(), GradeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(path, error)),
        _ => Ok(()),
    }
}

/// What a file holds that this program has written, if it is there and is such a file.
fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = regular::read(path).ok()?;
    file.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}
