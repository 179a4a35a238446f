//! The files of a submission: what they are, and a copy of them for its server to run in.
//!
//! The copy is what a server may write into. What it does there changes no submission, neither its own nor another's, and
//! is gone when it has been checked.

use super::submission::{Kind, Submission};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The most files and folders of a submission.
const MOST_FILES: usize = 20_000;

/// The most octets of all its files.
const MOST_OCTETS: u64 = 1 << 30;

/// Octets that are read at a time.
const READ: usize = 64 << 10;

/// What is none of what was handed in, wherever it is.
const PASSED_OVER: [&str; 1] = [".git"];

/// Why the files of a submission are not looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it has more than {MOST_FILES} files")]
    TooMany,
    #[error("it has more than {} MiB of files", MOST_OCTETS >> 20)]
    TooLarge,
    #[error("cannot read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
}

/// The files of a submission, in an order that is always the same.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    entries: Vec<Entry>,
    octets: u64,
}

#[derive(Debug)]
struct Entry {
    /// Below the root.
    path: PathBuf,
    what: What,
}

#[derive(Debug)]
enum What {
    Folder,
    File { is_program: bool },
    Link(PathBuf),
}

impl What {
    /// What is there, with the octets that it holds; nothing, if it is none of these.
    fn of(path: &Path) -> io::Result<Option<(Self, u64)>> {
        let known = fs::symlink_metadata(path)?;
        let what = if known.is_dir() {
            Self::Folder
        } else if known.is_symlink() {
            Self::Link(fs::read_link(path)?)
        } else if known.is_file() {
            let is_program = is_program(&known);
            return Ok(Some((Self::File { is_program }, known.len())));
        } else {
            return Ok(None);
        };
        Ok(Some((what, 0)))
    }
}

impl Files {
    /// Looks at them, without reading what is in them.
    pub(super) fn of(submission: &Submission) -> Result<Self, Unfit> {
        let mut files = Self {
            root: submission.path.clone(),
            entries: Vec::new(),
            octets: 0,
        };
        match submission.kind {
            Kind::Folder => files.add_all(Path::new(""))?,
            Kind::File => {
                files.root.pop();
                files.add(submission.path.file_name().unwrap_or_default().as_ref())?;
            }
        }
        files
            .entries
            .sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Adds what a folder holds.
    fn add_all(&mut self, folder: &Path) -> Result<(), Unfit> {
        let path = self.root.join(folder);
        let unreadable = |error| Unfit::Unreadable {
            path: path.clone(),
            error,
        };
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if !PASSED_OVER.iter().any(|other| name == *other) {
                self.add(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Adds a file, a link, or a folder with what it holds. What is neither is passed over: it cannot be copied.
    fn add(&mut self, path: &Path) -> Result<(), Unfit> {
        if self.entries.len() >= MOST_FILES {
            return Err(Unfit::TooMany);
        }
        let whole = self.root.join(path);
        let what = What::of(&whole).map_err(|error| Unfit::Unreadable { path: whole, error })?;
        let Some((what, octets)) = what else {
            return Ok(());
        };
        self.octets = self.octets.saturating_add(octets);
        if self.octets > MOST_OCTETS {
            return Err(Unfit::TooLarge);
        }
        let is_folder = matches!(what, What::Folder);
        let path = path.to_owned();
        self.entries.push(Entry {
            path: path.clone(),
            what,
        });
        match is_folder {
            true => self.add_all(&path),
            false => Ok(()),
        }
    }

    /// Takes all of them into account: their names, what they hold, and which may be run.
    pub(super) fn add_to(&self, digest: &mut Sha256) -> Result<(), Unfit> {
        for Entry { path, what } in &self.entries {
            let name = path.as_os_str().as_encoded_bytes();
            part(digest, name);
            match what {
                What::Folder => part(digest, b"folder"),
                What::Link(to) => part(digest, to.as_os_str().as_encoded_bytes()),
                What::File { is_program } => {
                    part(digest, if *is_program { b"program" } else { b"file" });
                    let whole = self.root.join(path);
                    let read = digest_of(&whole);
                    let read = read.map_err(|error| Unfit::Unreadable { path: whole, error })?;
                    part(digest, &read);
                }
            }
        }
        Ok(())
    }

    /// Copies them into a folder that is there.
    pub(super) fn copy_into(&self, folder: &Path) -> io::Result<()> {
        for Entry { path, what } in &self.entries {
            let (from, to) = (self.root.join(path), folder.join(path));
            match what {
                What::Folder => fs::create_dir(to)?,
                What::Link(target) => linked(target, &to)?,
                // A file may have become something without an end meanwhile.
                What::File { is_program } => {
                    let mut file = File::create(&to)?;
                    io::copy(&mut File::open(from)?.take(MOST_OCTETS), &mut file)?;
                    made_program(&file, *is_program)?;
                }
            }
        }
        Ok(())
    }
}

/// A part of a digest, told from the one behind it.
pub(super) fn part(digest: &mut Sha256, octets: &[u8]) {
    let length = u64::try_from(octets.len()).unwrap_or(u64::MAX);
    digest.update(length.to_be_bytes());
    digest.update(octets);
}

fn digest_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?.take(MOST_OCTETS);
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; READ]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().to_vec()),
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

#[cfg(unix)]
fn is_program(known: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    known.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_program(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn made_program(file: &File, is_program: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    match is_program {
        true => file.set_permissions(fs::Permissions::from_mode(0o755)),
        false => Ok(()),
    }
}

#[cfg(not(unix))]
fn made_program(_: &File, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn linked(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn linked(target: &Path, at: &Path) -> io::Result<()> {
    fs::copy(target, at).map(drop)
}

/// Octets that the files below a folder take on the disk, as far as that can be told; no more than `most` is counted.
pub(super) fn taken(folder: &Path, most: u64) -> u64 {
    let (mut sum, mut folders) = (0_u64, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        // It may go on writing and deleting meanwhile.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(known) = entry.metadata() else {
                continue;
            };
            if known.is_dir() {
                folders.push(entry.path());
            }
            sum = sum.saturating_add(on_disk(&known).max(1 << 9));
            if sum > most {
                return sum;
            }
        }
    }
    sum
}

#[cfg(unix)]
fn on_disk(known: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    known.blocks().saturating_mul(512)
}

#[cfg(not(unix))]
fn on_disk(known: &Metadata) -> u64 {
    known.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::submission;

    fn digest(path: &Path) -> Vec<u8> {
        let all = submission::all(path, Kind::Folder).unwrap();
        let mut digest = Sha256::new();
        Files::of(&all[0]).unwrap().add_to(&mut digest).unwrap();
        digest.finalize().to_vec()
    }

    /// Whatever of a submission changes what its server does changes what it is known by.
    #[test]
    #[cfg(unix)]
    fn a_copy_is_the_same_and_a_change_is_noticed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let class = tempfile::tempdir().unwrap();
        let one = class.path().join("one");
        fs::create_dir_all(one.join("sub/.git")).unwrap();
        fs::write(one.join("sub/server.py"), "x").unwrap();
        symlink("sub/server.py", one.join("link")).unwrap();
        symlink("nowhere", one.join("broken")).unwrap();
        let before = digest(class.path());

        let other = tempfile::tempdir().unwrap();
        let copy = other.path().join("one");
        fs::create_dir(&copy).unwrap();
        let all = submission::all(class.path(), Kind::Folder).unwrap();
        Files::of(&all[0]).unwrap().copy_into(&copy).unwrap();
        assert_eq!(digest(other.path()), before);
        assert!(!copy.join("sub/.git").exists());
        assert_eq!(fs::read_to_string(copy.join("link")).unwrap(), "x");

        fs::write(one.join("sub/.git/index"), "changes").unwrap();
        assert_eq!(digest(class.path()), before);
        let runs = fs::Permissions::from_mode(0o755);
        fs::set_permissions(one.join("sub/server.py"), runs).unwrap();
        let changed = digest(class.path());
        assert_ne!(changed, before);
        fs::rename(one.join("sub/server.py"), one.join("sub/server")).unwrap();
        assert_ne!(digest(class.path()), changed);
    }

    #[test]
    fn what_a_folder_takes_is_counted_up_to_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/file"), vec![1; 1 << 20]).unwrap();
        assert!(taken(folder.path(), u64::MAX) >= 1 << 20);
        assert!(taken(folder.path(), 1) < 1 << 20);
    }
}
