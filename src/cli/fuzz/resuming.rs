//! `--resume`: what a campaign leaves in its folder for another to go on from.

use super::super::exit::Failure;
use super::super::out;
use super::super::saving::write;
use super::super::script_file::{self, ScriptFile};
use crate::profile::Profile;
use crate::reproducer::Reproducer;
use crate::script::Script;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// Where scripts lie that showed something new. What begins with a dot is passed over by whatever plays a folder.
const KEPT: &str = ".kept";

/// The most scripts that are gone on from.
const MOST_KEPT: usize = 512;

/// What an earlier campaign left.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// Scripts that showed something new.
    pub(super) kept: Vec<Script>,
    /// How many there were.
    pub(super) count: u64,
    /// What was found: the clause, and the script that shows it.
    pub(super) known: Vec<(String, Script)>,
}

impl Resumed {
    /// What lies in the folder of an earlier campaign; nothing, if there was none.
    pub(super) fn from(folder: &Path) -> Result<Self, Failure> {
        let mut kept = Vec::new();
        for path in files(&folder.join(KEPT))? {
            kept.push(read(&path)?.script);
        }
        let count = u64::try_from(kept.len()).unwrap_or_default();
        kept.truncate(MOST_KEPT);
        let mut known = Vec::new();
        for path in files(folder)? {
            if let Some(clause) = clause(&path) {
                known.push((clause, read(&path)?.script));
            }
        }
        out::note(format_args!(
            "going on from {count} scripts and {} findings in {}",
            known.len(),
            folder.display()
        ));
        Ok(Self { kept, count, known })
    }
}

/// The files that a folder holds itself, sorted by their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| {
        Failure::usage(format!(
            "--resume: cannot read {}: {error}",
            folder.display()
        ))
    })?;
    let paths = entries.iter().map(fs::DirEntry::path);
    let mut paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    Ok(paths)
}

/// The clause that a finding's file is named after.
fn clause(path: &Path) -> Option<String> {
    let is_script = path
        .extension()
        .is_some_and(|extension| extension == "script");
    let name = path.file_stem().filter(|_| is_script)?.to_str()?;
    name.split('.').next().map(str::to_owned)
}

fn read(path: &Path) -> Result<ScriptFile, Failure> {
    script_file::read(path)
        .map_err(|error| Failure::usage(format!("--resume: {}: {error}", path.display())))
}

/// Writes scripts that showed something new, each to a file that is named after what it holds: campaigns that share a folder
/// keep each but once.
pub(super) struct Keeper<'a> {
    folder: PathBuf,
    profile: &'a Profile,
    has_failed: bool,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(out: &Path, profile: &'a Profile) -> Self {
        Self {
            folder: out.join(KEPT),
            profile,
            has_failed: false,
        }
    }

    /// If it cannot be written that is said once, and loses no finding.
    pub(super) fn keep(&mut self, script: &Script) {
        let mut hasher = DefaultHasher::new();
        script.to_string().hash(&mut hasher);
        let path = self.folder.join(format!("{:016x}.script", hasher.finish()));
        if self.has_failed || path.exists() {
            return;
        }
        let made = fs::create_dir_all(&self.folder).map_err(|error| error.to_string());
        let file = Reproducer::new(self.profile, script);
        if let Err(why) = made.and_then(|()| write(&path, &file)) {
            self.has_failed = true;
            out::note(format_args!(
                "scripts are no longer kept for --resume: {why}"
            ));
        }
    }
}
