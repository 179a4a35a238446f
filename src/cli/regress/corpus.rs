//! What is in a corpus: scripts, and files for the fuzz targets.

use crate::cli::exit::Failure;
use crate::cli::script_file::{self, ScriptFile};
use crate::fuzz::TARGETS;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// What scripts are called by their ends.
const SCRIPT: &str = "script";

/// Targets whose files are streams, or scripts, and so can be sent to a server.
const STREAMS: [&str; 3] = ["decoder", "session", "script"];

/// The files of a corpus.
pub(super) struct Corpus {
    pub(super) members: Vec<Member>,
}

/// A file of a corpus.
pub(super) struct Member {
    /// Its path, from the corpus on.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The folder that it lies in, as reports group files.
    pub(super) folder: String,
    /// The fuzz target whose corpus it belongs to.
    target: Option<&'static str>,
}

/// What is in a file.
pub(super) struct Input {
    pub(super) octets: Vec<u8>,
    /// What can be played of it: a script, or a stream.
    pub(super) script: Option<ScriptFile>,
    /// Whether it is a script in text form.
    pub(super) is_text: bool,
}

impl Corpus {
    /// The corpus at a path, without a file that says what is known of it.
    ///
    /// # Errors
    /// If there is nothing.
    pub(super) fn open(path: &Path, known: Option<&Path>) -> Result<Self, Failure> {
        let root = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(path)
        };
        let known = known.and_then(|known| fs::canonicalize(known).ok());
        let is_known = |path: &Path| known.is_some() && fs::canonicalize(path).ok() == known;
        let paths = script_file::collect(&[path.to_owned()])?.into_iter();
        let members = paths
            .filter(|path| !is_known(path))
            .map(|path| Member::new(root, path));
        Ok(Self {
            members: members.collect(),
        })
    }

    pub(super) fn names(&self) -> HashSet<String> {
        let names = self.members.iter().map(|member| member.name.clone());
        names.collect()
    }

    /// The files that are scripts in text form.
    pub(super) fn scripts(&self) -> Vec<PathBuf> {
        let is_text = |path: &&PathBuf| {
            script_file::octets(path).is_ok_and(|octets| script_file::is_text(&octets))
        };
        let paths = self.members.iter().map(|member| &member.path);
        paths.filter(is_text).cloned().collect()
    }
}

impl Member {
    fn new(root: &Path, path: PathBuf) -> Self {
        let name = from(root, &path);
        let folder = name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        Self {
            folder: folder.unwrap_or_else(|| "corpus".to_owned()),
            target: target(&path),
            name,
            path,
        }
    }

    /// What is in it, or why it belongs to no corpus.
    pub(super) fn read(&self) -> Result<Input, String> {
        let octets = script_file::octets(&self.path).map_err(|error| error.to_string())?;
        let is_text = script_file::is_text(&octets);
        let script = match self.target {
            _ if is_text => Some(parsed(&octets)?),
            _ if self.path.extension() == Some(OsStr::new(SCRIPT)) => {
                return Err("it is called a script, and does not begin as one".to_owned());
            }
            Some(target) if STREAMS.contains(&target) => Some(parsed(&octets)?),
            Some(_) => None,
            None => return Err(foreign()),
        };
        Ok(Input {
            octets,
            script,
            is_text,
        })
    }
}

fn parsed(octets: &[u8]) -> Result<ScriptFile, String> {
    script_file::parse(octets).map_err(|error| error.to_string())
}

fn foreign() -> String {
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    format!(
        "it is no script, and in no folder with the name of a fuzz target, which are {}",
        targets.join(", ")
    )
}

/// A path from a folder on, the same on every system.
fn from(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(OsStr::to_string_lossy).collect();
    parts.join("/")
}

/// The target whose name the innermost folder has that has one.
fn target(path: &Path) -> Option<&'static str> {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let named = |folder: &OsStr| {
        let mut names = TARGETS.iter().map(|(name, _)| *name);
        names.find(|name| folder == OsStr::new(name))
    };
    let folders = whole.ancestors().skip(1);
    folders.filter_map(Path::file_name).find_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(files: &[(&str, &str)]) -> (tempfile::TempDir, Corpus) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let known = folder.path().join("known.toml");
        let corpus = Corpus::open(folder.path(), Some(&known)).unwrap();
        (folder, corpus)
    }

    #[test]
    fn what_a_file_is_for_follows_from_its_beginning_or_its_folder() {
        let script = "framespec script 1\nopen a\n";
        let (_folder, corpus) = corpus(&[
            ("any/name", script),
            ("decoder/raw", "\0\0\0\0"),
            ("profiles/deep/raw", "\0"),
            ("known.toml", ""),
        ]);
        let of = |member: &Member| {
            let input = member.read().unwrap();
            (member.name.clone(), input.is_text, input.script.is_some())
        };
        let read: Vec<_> = corpus.members.iter().map(of).collect();
        let expected = [
            ("any/name", true, true),
            ("decoder/raw", false, true),
            ("profiles/deep/raw", false, false),
        ];
        assert_eq!(
            read,
            expected.map(|(name, text, script)| (name.to_owned(), text, script))
        );
        assert_eq!(corpus.scripts().len(), 1);
        assert!(corpus.names().contains("decoder/raw"));
    }

    #[test]
    fn what_belongs_to_no_corpus_is_refused_with_the_reason() {
        let (_folder, corpus) = corpus(&[
            ("a.script", "no script"),
            ("b", "\0"),
            ("decoder/c", "framespec script 1\nsend a 00\n"),
            ("decoder/d.script", "\0"),
        ]);
        let why: Vec<_> = corpus
            .members
            .iter()
            .map(|member| member.read().err().unwrap())
            .collect();
        assert!(why[0].contains("does not begin as one"), "{why:?}");
        assert!(why[1].contains("profile_file"), "{why:?}");
        assert!(why[2].starts_with("line 2: "), "{why:?}");
        assert_eq!(why[3], why[0]);
    }
}
