//! Script files, and folders full of them.

use super::exit::Failure;
use crate::cases::{self, Case};
use crate::profile::Profile;
use crate::reproducer::case_of_file;
use crate::script::{MAX_OCTETS, Script, profile_of_file};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The longest file that is read, in octets: the largest script in hex, and something for its
/// comments.
const LONGEST: u64 = 4 * MAX_OCTETS as u64;

/// How deep folders are gone into.
const DEEPEST: usize = 32;

/// A script, and what its file says about it.
#[derive(Debug, Clone)]
pub(crate) struct ScriptFile {
    pub(crate) script: Script,
    /// The wire format that it is meant for, if it says so.
    pub(crate) profile: Option<Profile>,
    /// The case that it stands for, if it says so and there is such a case.
    pub(crate) case: Option<&'static Case>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is larger than any script, which sends at most {MAX_OCTETS} octets")]
    TooLarge,
    #[error("{0}")]
    Script(#[from] crate::script::ScriptError),
    #[error("the profile in its comments that begin with #: is none: {0}")]
    Profile(#[from] crate::profile::FileError),
}

/// Reads a script file, in text form or raw.
pub(crate) fn read(path: &Path) -> Result<ScriptFile, FileError> {
    parse(&octets(path)?)
}

/// The octets of a file, or one more than any script file has.
pub(crate) fn octets(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let file = File::open(path)?;
    file.take(LONGEST.saturating_add(1))
        .read_to_end(&mut octets)?;
    Ok(octets)
}

/// Whether the octets of a file are, or ought to be, a script in text form.
pub(crate) fn is_text(octets: &[u8]) -> bool {
    without_mark(octets).starts_with(crate::script::MAGIC.as_bytes())
}

/// The script that the octets of a file are.
pub(crate) fn parse(octets: &[u8]) -> Result<ScriptFile, FileError> {
    let octets = without_mark(octets);
    let most = if is_text(octets) {
        LONGEST
    } else {
        MAX_OCTETS as u64
    };
    if u64::try_from(octets.len()).is_ok_and(|octets| octets > most) {
        return Err(FileError::TooLarge);
    }
    Ok(ScriptFile {
        script: Script::from_file(octets)?,
        profile: profile_of_file(octets)?,
        case: case_of_file(octets).and_then(|case| cases::case(&case)),
    })
}

/// Without the mark that some editors put in front of a text. In front of raw octets it is one of them.
fn without_mark(octets: &[u8]) -> &[u8] {
    let text = octets.strip_prefix("\u{feff}".as_bytes());
    text.filter(|text| text.starts_with(crate::script::MAGIC.as_bytes()))
        .unwrap_or(octets)
}

/// The files that are named, and those in the folders that are named, sorted within each. What begins
/// with a dot is not looked at in folders.
pub(crate) fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        walk(path, 0, &mut files)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        if files.len() == before {
            let what = format!("there is no file in {}", path.display());
            return Err(Failure::usage(what).hint("conformance check TARGET --save DIR fills one"));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // A link to a folder is not followed: it may lead back here.
        if !entry.file_type()?.is_dir() {
            if !path.is_dir() {
                files.push(path);
            }
        } else if depth < DEEPEST {
            walk(&path, depth.saturating_add(1), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;
    use crate::spec::{CaseId, Clause};

    #[test]
    fn folders_are_gone_through_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        for name in ["c", "a", "b/deep/x", ".hidden", "b/.part"] {
            fs::write(at(name), "").unwrap();
        }
        let named = [at("c"), folder.path().to_owned()];
        let files = collect(&named).unwrap();
        assert_eq!(files, [at("c"), at("a"), at("b/deep/x"), at("c")]);
        assert!(collect(&[at("not there")]).is_ok());
    }

    #[test]
    fn a_folder_without_files_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".hidden"), "").unwrap();
        let failure = collect(&[folder.path().to_owned()]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn what_a_file_says_about_itself_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let text = "framespec script 1\n#: chunk-count\n# case: one-reply/single\nopen a\n";
        fs::write(&path, text).unwrap();
        let file = read(&path).unwrap();
        let single = CaseId::new(Clause::OneReply, "single");
        assert_eq!(file.profile, Some(Profile::chunk_count()));
        assert_eq!(file.case.map(|case| case.id), Some(single));
        assert_eq!(file.script.connections(), 1);

        let as_on_windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        fs::write(&path, as_on_windows).unwrap();
        let again = read(&path).unwrap();
        assert_eq!((again.profile, again.script), (file.profile, file.script));
        assert_eq!(again.case.map(|case| case.id), Some(single));
        fs::write(&path, "\u{feff}open a\n").unwrap();
        let raw = read(&path).unwrap().script;
        assert_eq!(
            raw,
            Script::from_file("\u{feff}open a\n".as_bytes()).unwrap()
        );

        fs::write(&path, text.replace("single", "gone")).unwrap();
        assert!(read(&path).unwrap().case.is_none());
        fs::write(&path, text.replace("open a", "open b")).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 4: "), "{error}");
        fs::write(&path, text.replace("chunk-count", "nonsense")).unwrap();
        assert!(matches!(read(&path), Err(FileError::Profile(_))));
    }
}
