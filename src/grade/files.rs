//! The files of a submission: what they are, and a copy of them for its server to run in.
//!
//! The copy is what a server may write into. What it does there changes no submission, neither its own nor another's, and
//! is gone when it has been checked.

use super::submission::{Kind, Submission};
use crate::peer::regular;
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
    #[error("its link {} leads out of what was handed in, to {}", path.display(), to.display())]
    LeadsOut { path: PathBuf, to: PathBuf },
    #[error("its name is not UTF-8, so that no command can be told it: call it otherwise")]
    Unnamed,
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
    /// Where it is read.
    from: PathBuf,
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
            Kind::Folder => files.add_all(Path::new(""), submission)?,
            Kind::File => {
                let name = submission.path.file_name().unwrap_or_default();
                name.to_str().ok_or(Unfit::Unnamed)?;
                files.root.pop();
                files.add(name.as_ref(), submission)?;
            }
        }
        files
            .entries
            .sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Adds what a folder holds.
    fn add_all(&mut self, folder: &Path, submission: &Submission) -> Result<(), Unfit> {
        let path = self.root.join(folder);
        let unreadable = |error| unreadable(&path, error);
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if !PASSED_OVER.iter().any(|other| name == *other) {
                self.add(&folder.join(name), submission)?;
            }
        }
        Ok(())
    }

    /// Adds a file, a link, or a folder with what it holds. What is neither is passed over: it cannot be copied.
    fn add(&mut self, path: &Path, submission: &Submission) -> Result<(), Unfit> {
        if self.entries.len() >= MOST_FILES {
            return Err(Unfit::TooMany);
        }
        let whole = self.root.join(path);
        let from = match leads_elsewhere(&whole, submission) {
            Some(to) => handed_in(&whole, to, submission)?,
            None => whole,
        };
        let what = What::of(&from).map_err(|error| unreadable(&from, error))?;
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
            from,
            what,
        });
        match is_folder {
            true => self.add_all(&path, submission),
            false => Ok(()),
        }
    }

    /// Takes all of them into account: their names, what they hold, and which may be run.
    pub(super) fn add_to(&self, digest: &mut Sha256) -> Result<(), Unfit> {
        for Entry { path, from, what } in &self.entries {
            let name = path.as_os_str().as_encoded_bytes();
            part(digest, name);
            match what {
                What::Folder => part(digest, b"folder"),
                What::Link(to) => part(digest, to.as_os_str().as_encoded_bytes()),
                What::File { is_program } => {
                    part(digest, if *is_program { b"program" } else { b"file" });
                    let read = digest_of(from).map_err(|error| unreadable(from, error))?;
                    part(digest, &read);
                }
            }
        }
        Ok(())
    }

    /// Copies them into a folder that is there.
    pub(super) fn copy_into(&self, folder: &Path) -> io::Result<()> {
        for Entry { path, from, what } in &self.entries {
            let to = folder.join(path);
            match what {
                What::Folder => fs::create_dir(to)?,
                What::Link(target) => linked(target, &to)?,
                // A file may have become something without an end meanwhile.
                What::File { is_program } => {
                    let mut file = File::create(&to)?;
                    io::copy(&mut regular::read(from)?.take(MOST_OCTETS), &mut file)?;
                    made_program(&file, *is_program)?;
                }
            }
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: io::Error) -> Unfit {
    Unfit::Unreadable {
        path: path.to_owned(),
        error,
    }
}

/// Where a link leads that would lead nowhere from a copy of the submission: what it leads to stays behind. One that leads
/// from the root of the system does so from anywhere, and one that is broken is so in the copy too.
fn leads_elsewhere(path: &Path, submission: &Submission) -> Option<PathBuf> {
    let to = fs::read_link(path).ok().filter(|to| to.is_relative())?;
    let (own, to) = (
        submission.path.canonicalize().ok()?,
        path.parent()?.join(to),
    );
    let found = to.canonicalize().ok()?;
    let is_copied = match submission.kind {
        Kind::Folder => found.starts_with(own),
        Kind::File => false,
    };
    (!is_copied).then_some(found)
}

/// The same, if it is a file that was handed in with the class.
fn handed_in(path: &Path, to: PathBuf, submission: &Submission) -> Result<PathBuf, Unfit> {
    let class = submission
        .path
        .parent()
        .and_then(|class| class.canonicalize().ok());
    match class.is_some_and(|class| to.starts_with(class)) && to.is_file() {
        true => Ok(to),
        false => Err(Unfit::LeadsOut {
            path: path.to_owned(),
            to,
        }),
    }
}

/// Removes a folder with all that is in it, also where nobody may look into it any more; that it is not there is as good.
pub(super) fn removed(folder: &Path) -> io::Result<()> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    fs::remove_dir_all(folder).or_else(gone).or_else(|_| {
        open_to_us(folder);
        fs::remove_dir_all(folder).or_else(gone)
    })
}

/// Gives back what a server may have taken from its folders: that their owner may look into them and change them.
fn open_to_us(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // That it cannot be is told by whoever removes it.
        let _ = made_ours(&folder);
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir()));
        folders.extend(below.map(|entry| entry.path()));
    }
}

/// A part of a digest, told from the one behind it.
pub(super) fn part(digest: &mut Sha256, octets: &[u8]) {
    let length = u64::try_from(octets.len()).unwrap_or(u64::MAX);
    digest.update(length.to_be_bytes());
    digest.update(octets);
}

fn digest_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = regular::read(path)?.take(MOST_OCTETS);
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
fn made_ours(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn made_ours(_: &Path) -> io::Result<()> {
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
        let all = submission::all(path, Kind::Folder, None).unwrap();
        let mut digest = Sha256::new();
        Files::of(&all.submissions[0])
            .unwrap()
            .add_to(&mut digest)
            .unwrap();
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
        let all = submission::all(class.path(), Kind::Folder, None).unwrap();
        Files::of(&all.submissions[0])
            .unwrap()
            .copy_into(&copy)
            .unwrap();
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

    /// A link is not copied to lead nowhere: what it leads to is, or the reason why it cannot be is told.
    #[test]
    #[cfg(unix)]
    fn what_a_link_leads_to_is_copied_if_it_was_handed_in() {
        use std::os::unix::fs::symlink;
        let class = tempfile::tempdir().unwrap();
        fs::write(class.path().join("alice.py"), "x").unwrap();
        let bob = class.path().join("bob.py");
        symlink("alice.py", &bob).unwrap();
        let files = || {
            let all = submission::all(class.path(), Kind::File, None).unwrap();
            Files::of(&all.submissions[1])
        };
        let copy = tempfile::tempdir().unwrap();
        files().unwrap().copy_into(copy.path()).unwrap();
        let copied = copy.path().join("bob.py");
        assert!(copied.is_file() && !copied.is_symlink());
        let other = tempfile::NamedTempFile::new_in(class.path().parent().unwrap()).unwrap();
        fs::remove_file(&bob).unwrap();
        symlink(
            Path::new("..").join(other.path().file_name().unwrap()),
            &bob,
        )
        .unwrap();
        assert!(matches!(files(), Err(Unfit::LeadsOut { .. })));
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_nobody_may_look_into_is_removed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (outer, inner) = (folder.path().join("x"), folder.path().join("x/y"));
        fs::create_dir_all(&inner).unwrap();
        for closed in [&inner, &outer] {
            fs::set_permissions(closed, fs::Permissions::from_mode(0o0)).unwrap();
        }
        open_to_us(&outer);
        // Where this is run by a user who may do all, only this tells.
        assert_eq!(
            fs::metadata(&inner).unwrap().permissions().mode() & 0o777,
            0o700
        );
        removed(&outer).unwrap();
        assert!(!outer.exists() && removed(&outer).is_ok());
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
