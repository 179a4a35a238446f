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

/// What a folder holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handed {
    /// The submissions, by their names.
    pub(super) submissions: Vec<Submission>,
    /// What is none, as it is no folder, or no file.
    pub(super) others: Vec<String>,
}

/// What a folder holds. What begins with a dot is nothing that was handed in, and neither is the folder into which the class
/// is written.
pub(super) fn all(folder: &Path, kind: Kind, output: Option<&Path>) -> Result<Handed, GradeError> {
    let unreadable = |error| GradeError::Unreadable {
        path: folder.to_owned(),
        error,
    };
    let output = output.and_then(|output| output.canonicalize().ok());
    let is_ours = |entry: &DirEntry| {
        entry.file_name().as_encoded_bytes().starts_with(b".")
            || output.is_some() && entry.path().canonicalize().ok() == output
    };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let entries: Result<Vec<DirEntry>, _> = entries.collect();
    let mut entries = entries.map_err(unreadable)?;
    entries.retain(|entry| !is_ours(entry));
    entries.sort_by_key(DirEntry::path);
    let (found, others): (Vec<DirEntry>, Vec<DirEntry>) = entries
        .into_iter()
        .partition(|entry| kind.is(&entry.path()));
    let submission = |entry: &DirEntry| Submission {
        name: name(entry),
        path: entry.path(),
        slug: slug(&entry.file_name()),
        kind,
    };
    match found.is_empty() {
        true => Err(GradeError::None {
            folder: folder.to_owned(),
            kind: kind.word(),
        }),
        false => Ok(Handed {
            submissions: found.iter().map(submission).collect(),
            others: others.iter().map(name).collect(),
        }),
    }
}

fn name(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

/// A name as one of a file: the same where it is plain, else what is plain of it with what tells it from others. It leads to
/// no other folder, hides nothing, and a link may lead there as it is.
fn slug(name: &OsStr) -> String {
    let octets = name.as_encoded_bytes();
    let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text = name.to_string_lossy();
    let is_short = text.chars().count() <= LONGEST;
    if text.chars().all(|c| is_plain(&c)) && is_short && !text.starts_with(['.', '-']) {
        return text.into_owned();
    }
    let plain: String = text.chars().filter(is_plain).take(LONGEST).collect();
    let digest = hex(&Sha256::digest(octets));
    let plain = plain.trim_start_matches(['.', '-']);
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
        assert!(slug("../x y").starts_with("xy~"));
        assert_eq!(slug("García_2.py"), "García_2.py");
        assert_ne!(slug("José"), slug("Jose\u{301}"));
        assert!(slug(" .x").starts_with("x~") && slug("…").starts_with('~'));
        assert!(slug(&"é".repeat(300)).len() < 150);
        assert_ne!(slug(&"x".repeat(200)), slug(&"x".repeat(201)));
        assert!(!slug("a/b<script>").contains(['/', '<']));
    }

    /// Neither what is written of a class is a submission, nor what is handed in otherwise forgotten.
    #[test]
    fn what_is_no_submission_is_named_unless_it_is_our_own() {
        let class = tempfile::tempdir().unwrap();
        for folder in ["alice", "grades", ".git"] {
            fs::create_dir(class.path().join(folder)).unwrap();
        }
        fs::write(class.path().join("bob.zip"), "x").unwrap();
        let output = class.path().join("../").join(class.path()).join("grades");
        let of = |kind| all(class.path(), kind, Some(&output)).unwrap();
        let names = |handed: &Handed| -> Vec<String> {
            let names = handed.submissions.iter().map(|one| one.name.clone());
            names.collect()
        };
        let folders = of(Kind::Folder);
        assert_eq!(
            (&*names(&folders), &*folders.others),
            (&["alice".to_owned()][..], &["bob.zip".to_owned()][..])
        );
        assert_eq!(of(Kind::File).others, ["alice"]);
    }

    #[test]
    fn a_command_says_what_submissions_are() {
        assert_eq!(Kind::of("python3 {dir}/x {port}").unwrap(), Kind::Folder);
        assert_eq!(Kind::of("python3 {file} {port}").unwrap(), Kind::File);
        assert!(Kind::of("python3 server.py {port}").is_err());
        assert!(Kind::of("{dir} {file} {port}").is_err());
    }
}
