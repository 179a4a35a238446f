//! Submissions: what a folder holds that is to be graded, and what each is called.

use super::GradeError;
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// Stands in a command for the folder of a submission.
pub(super) const DIR: &str = "{dir}";

/// Stands in a command for the file that a submission is.
pub(super) const FILE: &str = "{file}";

/// The longest part of a name that stands in the name of a file.
const LONGEST: usize = 60;

/// What a submission is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A folder.
    Folder,
    /// A file.
    File,
}

impl Kind {
    /// What submissions are that this command starts.
    pub(super) fn of(command: &str) -> Result<Self, GradeError> {
        match (command.contains(DIR), command.contains(FILE)) {
            (true, false) => Ok(Self::Folder),
            (false, true) => Ok(Self::File),
            (false, false) => Err(GradeError::NoPlace(command.to_owned())),
            (true, true) => Err(GradeError::TwoPlaces(command.to_owned())),
        }
    }

    fn is(self, path: &Path) -> bool {
        match self {
            Self::Folder => path.is_dir(),
            Self::File => path.is_file(),
        }
    }

    /// What such submissions are called.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Folder => "sub-folder",
            Self::File => "file",
        }
    }
}

/// Something that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submission {
    /// As its folder or file is called.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// As files are called that tell of it.
    pub(super) slug: String,
    pub(super) kind: Kind,
}

/// All submissions of that kind in a folder, by their names. What begins with a dot is none.
pub(super) fn all(folder: &Path, kind: Kind) -> Result<Vec<Submission>, GradeError> {
    let unreadable = |error| GradeError::Unreadable {
        path: folder.to_owned(),
        error,
    };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let entries: Result<Vec<DirEntry>, _> = entries.collect();
    let entries = entries.map_err(unreadable)?;
    let mut found: Vec<Submission> = entries
        .iter()
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .filter(|entry| kind.is(&entry.path()))
        .map(|entry| Submission {
            name: entry.file_name().to_string_lossy().into_owned(),
            path: entry.path(),
            slug: slug(&entry.file_name()),
            kind,
        })
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    match found.is_empty() {
        true => Err(GradeError::None {
            folder: folder.to_owned(),
            kind: kind.word(),
        }),
        false => Ok(found),
    }
}

/// A name as one of a file: the same where it is plain, else what is plain of it with what tells it from others.
fn slug(name: &OsStr) -> String {
    let octets = name.as_encoded_bytes();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text = name.to_string_lossy();
    if text.chars().all(|c| is_plain(&c)) && octets.len() <= LONGEST {
        return text.into_owned();
    }
    let plain: String = text.chars().filter(is_plain).take(LONGEST).collect();
    let digest = hex(&Sha256::digest(octets));
    format!("{plain}~{}", digest.get(..8).unwrap_or_default())
}

/// Octets as hex pairs.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart_as_names_of_files() {
        let slug = |name: &str| slug(name.as_ref());
        assert_eq!(slug("alice_2.py"), "alice_2.py");
        assert!(slug("../x y").starts_with("..xy~"));
        assert_ne!(slug("José"), slug("Jos\u{e8}"));
        assert_ne!(slug(&"x".repeat(200)), slug(&"x".repeat(201)));
        assert!(!slug("a/b<script>").contains(['/', '<']));
    }

    #[test]
    fn a_command_says_what_submissions_are() {
        assert_eq!(Kind::of("python3 {dir}/x {port}").unwrap(), Kind::Folder);
        assert_eq!(Kind::of("python3 {file} {port}").unwrap(), Kind::File);
        assert!(Kind::of("python3 server.py {port}").is_err());
        assert!(Kind::of("{dir} {file} {port}").is_err());
    }
}
