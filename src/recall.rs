//! What failed last time, kept between runs: a file for each target and profile.
//!
//! The files are a cache. One that is missing, broken or of another's making costs nothing but the memory of what failed;
//! there are never many of them, and each is replaced as a whole. Where nothing fails, nothing is kept.

use crate::event::{Role, Run, Verdict};
use crate::report::Destination;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Name and version of the form of the files.
const SCHEMA: &str = "framespec-failed/1";

/// The longest file that is read, in octets: the names of all cases take a tenth of that.
const LONGEST: u64 = 256 << 10;

/// How many files are kept; beyond that the oldest go.
const MOST_FILES: usize = 100;

/// Whose failures they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// Whether it is a server or a client.
    pub role: Role,
    /// How it is reached or started, as the user says it.
    pub target: String,
    /// The folder that it is started in, if what is started depends on that.
    pub folder: Option<PathBuf>,
    /// The name of the profile.
    pub profile: String,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    schema: String,
    #[serde(flatten)]
    whose: Whose,
    failed: BTreeSet<String>,
}

/// Why what failed last is not known.
#[derive(Debug, thiserror::Error)]
#[error("what failed last time cannot be read from {}: {why}", .path.display())]
pub struct NotRecalled {
    path: PathBuf,
    why: String,
}

/// The memory of what failed at one target.
#[derive(Debug, Clone)]
pub struct Recall {
    folder: PathBuf,
    whose: Whose,
}

impl Recall {
    /// Kept in that folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>, whose: Whose) -> Self {
        Self {
            folder: folder.into(),
            whose,
        }
    }

    /// The names of the cases that failed last time; none if nothing is known of that.
    ///
    /// # Errors
    /// If there is a file, and it cannot be read or is none of these.
    pub fn failed(&self) -> Result<BTreeSet<String>, NotRecalled> {
        let path = self.path();
        let text = match text(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            read => read.map_err(|error| error.to_string()),
        };
        text.and_then(|text| self.parsed(&text))
            .map_err(|why| NotRecalled { path, why })
    }

    fn parsed(&self, text: &str) -> Result<BTreeSet<String>, String> {
        let kept: Kept = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if kept.schema != SCHEMA {
            return Err(format!("it is of the form {:?}", kept.schema));
        }
        if kept.whose != self.whose {
            return Err("it is about another target".to_owned());
        }
        Ok(kept.failed)
    }

    /// Keeps what failed in a run, and of what failed `before` that which the run says nothing of.
    ///
    /// # Errors
    /// If the folder cannot be made, or the file not be written.
    pub fn keep(&self, run: &Run, before: &BTreeSet<String>) -> io::Result<()> {
        let failed = failed(run, before);
        let path = self.path();
        if failed.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        fs::create_dir_all(&self.folder)?;
        let kept = Kept {
            schema: SCHEMA.to_owned(),
            whose: self.whose.clone(),
            failed,
        };
        let text = serde_json::to_string_pretty(&kept).map_err(io::Error::other)?;
        Destination::File(path).write(|out| writeln!(out, "{text}"))?;
        forget_oldest(&self.folder);
        Ok(())
    }

    fn path(&self) -> PathBuf {
        let Whose {
            role,
            target,
            folder,
            profile,
        } = &self.whose;
        let folder = folder.as_deref().unwrap_or(Path::new("")).display();
        let digest = Sha256::digest(format!("{role:?}\0{target}\0{folder}\0{profile}"));
        let name: String = digest.iter().take(16).map(|o| format!("{o:02x}")).collect();
        self.folder.join(name).with_extension(EXTENSION)
    }
}

const EXTENSION: &str = "json";

/// What failed in a run, and what failed before and was neither played nor ruled out since.
fn failed(run: &Run, before: &BTreeSet<String>) -> BTreeSet<String> {
    let failed: BTreeSet<String> = run.failures().map(|result| result.id.clone()).collect();
    let is_settled = |id: &String| {
        let mut results = run.results.iter();
        results.any(|result| result.id == *id && result.verdict != Verdict::Skip)
    };
    let left = before.iter().filter(|id| !is_settled(id)).cloned();
    failed.iter().cloned().chain(left).collect()
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Removes what is oldest, beyond as many as are kept. What cannot be removed is left: it is only a cache.
fn forget_oldest(folder: &Path) {
    let mut files = kept_in(folder);
    files.sort();
    let surplus = files.len().saturating_sub(MOST_FILES);
    for (_, path) in files.into_iter().take(surplus) {
        let _ = fs::remove_file(path);
    }
}

/// The files of these that a folder holds, each with when it was written.
fn kept_in(folder: &Path) -> Vec<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|it| it == EXTENSION))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CaseResult;
    use crate::spec::{CaseId, Clause, Level};

    fn run(verdicts: &[(&'static str, Verdict)]) -> Run {
        let results = verdicts.iter().map(|(variant, verdict)| CaseResult {
            verdict: *verdict,
            ..CaseResult::unjudged(CaseId::new(Clause::Order, variant), Level::Must, "", "")
        });
        Run {
            results: results.collect(),
            ..Run::default()
        }
    }

    fn recall(folder: &Path, target: &str) -> Recall {
        let whose = Whose {
            role: Role::Server,
            target: target.to_owned(),
            folder: None,
            profile: "any".to_owned(),
        };
        Recall::new(folder.join("made"), whose)
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_failed_is_known_until_it_passes() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (recall(folder.path(), "one"), recall(folder.path(), "other"));
        let keep = |verdicts: &[_]| {
            one.keep(&run(verdicts), &one.failed().unwrap()).unwrap();
            one.failed().unwrap()
        };
        assert_eq!(keep(&[("a", Verdict::Pass)]), names(&[]));
        assert!(!one.folder.exists());
        let all = [
            ("a", Verdict::Fail),
            ("b", Verdict::Fail),
            ("c", Verdict::Fail),
            ("d", Verdict::Error),
            ("e", Verdict::Skip),
        ];
        let failed = ["order/a", "order/b", "order/c", "order/d"];
        assert_eq!(keep(&all), names(&failed));
        assert_eq!(other.failed().unwrap(), names(&[]));
        // What was not played and what was skipped may fail as it did.
        let some = [("a", Verdict::Pass), ("b", Verdict::Skip)];
        assert_eq!(keep(&some), names(&failed[1..]));
        let rest = ["b", "c", "d"].map(|variant| (variant, Verdict::Pass));
        assert_eq!(keep(&rest), names(&[]));
        assert_eq!(fs::read_dir(&one.folder).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_broken_or_of_another_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (recall(folder.path(), "one"), recall(folder.path(), "other"));
        one.keep(&run(&[("a", Verdict::Fail)]), &names(&[]))
            .unwrap();
        fs::copy(one.path(), other.path()).unwrap();
        let why = |recall: &Recall| recall.failed().unwrap_err().to_string();
        assert!(why(&other).contains("another target"), "{}", why(&other));
        let text = fs::read_to_string(one.path()).unwrap();
        for broken in [
            "",
            "{}",
            "[1",
            &text.replace("failed/1", "failed/9"),
            &" ".repeat(300 << 10),
        ] {
            fs::write(one.path(), broken).unwrap();
            assert!(why(&one).contains("cannot be read"), "{broken:?}");
        }
        one.keep(&run(&[("b", Verdict::Fail)]), &names(&[]))
            .unwrap();
        assert_eq!(one.failed().unwrap(), names(&["order/b"]));
    }

    #[test]
    fn there_are_never_many_files() {
        let folder = tempfile::tempdir().unwrap();
        let failed = run(&[("a", Verdict::Fail)]);
        for target in 0..MOST_FILES + 3 {
            let recall = recall(folder.path(), &target.to_string());
            recall.keep(&failed, &names(&[])).unwrap();
        }
        let kept = fs::read_dir(folder.path().join("made")).unwrap().count();
        assert_eq!(kept, MOST_FILES);
    }
}
