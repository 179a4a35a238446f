//! Folders watched: which files in them have changed between two looks, and which of them only because the watcher itself
//! had something run.
//!
//! A look is a walk through the folders. That is slower than being told by the system, and works on every system, in
//! containers and over networks; what is made rather than written is not walked into.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use walkdir::{DirEntry, WalkDir};

/// How many files are looked at: a walk through more takes so long that nobody would want it again and again.
pub const MOST_FILES: usize = 20_000;

/// How deep folders are gone into.
const DEEPEST: usize = 32;

/// Folders whose files are made, beside those that begin with a dot.
const MADE: [&str; 4] = ["target", "__pycache__", "node_modules", "venv"];

/// How the names of files end that editors and Python leave beside others.
const LEFT_BESIDE: [&str; 3] = ["~", ".pyc", ".swp"];

/// In how many runs in a row a file has to change, with nothing else to set them off, to be taken for one that the run writes.
const RUNS: u32 = 3;

/// What is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    paths: Vec<PathBuf>,
    except: Vec<PathBuf>,
}

/// Why nothing can be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// There is no such thing.
    #[error("cannot watch {}: {why}", .path.display())]
    Unreadable {
        /// What was to be watched.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// There is too much of it.
    #[error("there are more than {MOST_FILES} files to watch")]
    TooMany,
}

/// What the files were like at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look(BTreeMap<PathBuf, Stamp>);

/// What tells that a file was written, without its being read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    octets: u64,
}

impl Watched {
    /// These files and folders, and what is in the folders, but for what is at or under one of the others.
    ///
    /// # Errors
    /// If one of them is not there.
    pub fn new(paths: Vec<PathBuf>, except: &[PathBuf]) -> Result<Self, WatchError> {
        for path in &paths {
            fs::metadata(path).map_err(|error| WatchError::Unreadable {
                path: path.clone(),
                why: error.to_string(),
            })?;
        }
        let except = except.iter().map(|path| absolute(path)).collect();
        Ok(Self { paths, except })
    }

    /// What the files are like now. What cannot be read is taken not to be there.
    ///
    /// # Errors
    /// If there are too many.
    pub fn look(&self) -> Result<Look, WatchError> {
        let files = self.paths.iter().flat_map(|path| self.walk(path));
        let mut look = Look::default();
        for path in files.take(MOST_FILES.saturating_add(1)) {
            if let Some(stamp) = stamp(&path) {
                look.0.insert(path, stamp);
            }
        }
        match look.0.len() > MOST_FILES {
            true => Err(WatchError::TooMany),
            false => Ok(look),
        }
    }

    fn walk(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        let entries = WalkDir::new(path).max_depth(DEEPEST).into_iter();
        entries
            .filter_entry(|entry| self.is_watched(entry))
            .flatten()
            .filter(|entry| !entry.file_type().is_dir())
            .map(DirEntry::into_path)
    }

    /// What is named itself is watched whatever its name is.
    fn is_watched(&self, entry: &DirEntry) -> bool {
        let name = entry.file_name().to_string_lossy();
        let is_made = match entry.file_type().is_dir() {
            true => MADE.contains(&name.as_ref()),
            false => LEFT_BESIDE.iter().any(|end| name.ends_with(end)),
        };
        (entry.depth() == 0 || !(name.starts_with('.') || is_made))
            && !self.except.contains(&absolute(entry.path()))
    }
}

/// The path from the root, without looking whether it is there.
fn absolute(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // Without what does not lead anywhere.
    whole.components().collect()
}

/// A link counts as what it leads to. Folders that links lead to are not gone into: one may lead back.
fn stamp(path: &Path) -> Option<Stamp> {
    let known = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(Stamp {
        modified: known.modified().ok(),
        octets: known.len(),
    })
}

impl Look {
    /// The files that are new, gone or written since another look.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> BTreeSet<PathBuf> {
        let is_changed = |path: &&PathBuf| self.0.get(*path) != before.0.get(*path);
        let paths = self.0.keys().chain(before.0.keys());
        paths.filter(is_changed).cloned().collect()
    }
}

/// Finds out which files runs write themselves, such as a log of the server: left to themselves, those would set off one run
/// after the other. A file is taken for one of them when it has changed in three runs in a row, and nothing else had
/// set off the later ones.
#[derive(Debug, Clone, Default)]
pub struct OwnFiles {
    /// In how many such runs each file changed.
    streaks: BTreeMap<PathBuf, u32>,
    own: BTreeSet<PathBuf>,
}

impl OwnFiles {
    /// Takes notice of what changed while a run went on. `by_itself` is whether the run was set off by nothing but what had
    /// changed during the one before. Gives the files that are taken for its own from now on.
    pub fn during(&mut self, changed: &BTreeSet<PathBuf>, by_itself: bool) -> BTreeSet<PathBuf> {
        let before = std::mem::take(&mut self.streaks);
        for path in changed {
            let streak = before.get(path).copied().filter(|_| by_itself);
            let streak = streak.unwrap_or(0).saturating_add(1);
            self.streaks.insert(path.clone(), streak);
        }
        let of_runs = self.streaks.iter().filter(|(_, streak)| **streak >= RUNS);
        let of_runs: BTreeSet<PathBuf> = of_runs.map(|(path, _)| path.clone()).collect();
        let new = of_runs.difference(&self.own).cloned().collect();
        self.own.extend(of_runs);
        new
    }

    /// Those of the changes that somebody else has made.
    #[must_use]
    pub fn others(&self, changed: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        changed.difference(&self.own).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> BTreeSet<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn what_is_written_new_or_gone_is_a_change_and_what_is_made_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for made in ["target/debug", ".git", "deep/__pycache__", "own"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        for name in ["server.py", "deep/other.py", "gone.py", "report.json"] {
            fs::write(at(name), "1").unwrap();
        }
        let except = [at("own"), at("./report.json")];
        let watched = Watched::new(vec![folder.path().to_owned()], &except).unwrap();
        let before = watched.look().unwrap();
        assert_eq!(before.changed_since(&before), paths(&[]));
        for name in [
            "server.py",
            "deep/other.py",
            "new.py",
            "own/x",
            "report.json",
            "target/debug/x",
            ".git/index",
            ".hidden",
            "deep/__pycache__/x",
            "x.pyc",
            "server.py~",
        ] {
            fs::write(at(name), "22").unwrap();
        }
        fs::remove_file(at("gone.py")).unwrap();
        let changed = watched.look().unwrap().changed_since(&before);
        let expected = ["deep/other.py", "gone.py", "new.py", "server.py"];
        assert_eq!(changed, expected.map(at).into_iter().collect());
    }

    #[test]
    fn what_is_named_is_watched_and_what_is_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("target");
        fs::create_dir(&made).unwrap();
        fs::write(made.join("server"), "1").unwrap();
        let watched = Watched::new(vec![made.clone()], &[]).unwrap();
        assert_eq!(watched.look().unwrap().0.len(), 1);
        let missing = Watched::new(vec![made.join("nothing")], &[]);
        assert!(matches!(missing, Err(WatchError::Unreadable { .. })));
    }

    #[test]
    fn a_file_that_each_run_writes_is_found_out_and_one_that_is_saved_is_not() {
        let (mut own, log) = (OwnFiles::default(), paths(&["log"]));
        assert_eq!(own.during(&log, false), paths(&[]));
        assert_eq!(own.during(&log, true), paths(&[]));
        assert_eq!(own.others(&log), log);
        assert_eq!(own.during(&paths(&["log", "server.py"]), true), log);
        assert_eq!(
            own.others(&paths(&["log", "server.py"])),
            paths(&["server.py"])
        );
        assert_eq!(own.during(&log, true), paths(&[]));

        let (mut own, saved) = (OwnFiles::default(), paths(&["server.py"]));
        for by_itself in [false, true, false, true, false, true] {
            assert_eq!(own.during(&saved, by_itself), paths(&[]));
        }
        // A run in which it does not change begins the count again.
        let mut own = OwnFiles::default();
        for changed in [&saved, &saved, &paths(&[]), &saved, &saved] {
            assert_eq!(own.during(changed, true), paths(&[]));
        }
    }
}
