//! The text files of the repository.

use std::fs;
use std::path::Path;

/// A file, by its path from the root with `/` between folders.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

/// Everything in the repository that people write.
pub(super) const ALL: &[&str] = &[
    ".ci",
    ".clusterfuzzlite",
    ".dockerignore",
    ".github",
    "Cargo.toml",
    "CHANGELOG.md",
    "Containerfile",
    "README.md",
    "action.yml",
    "benches",
    "clippy.toml",
    "corpus",
    "deny.toml",
    "docs",
    "examples",
    "fuzz",
    "npm",
    "profiles",
    "pyproject.toml",
    "python",
    "scripts",
    "src",
    "templates",
    "tests",
];

/// Folders that are made, not written.
const MADE: [&str; 5] = [
    "target",
    "artifacts",
    "coverage",
    "__pycache__",
    "node_modules",
];

/// The text files at or under these paths, in order; what is not text or not there is left out.
pub(super) fn files(under: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in under {
        collect(&root.join(path), path, &mut found);
    }
    found
}

fn collect(at: &Path, path: &str, found: &mut Vec<File>) {
    if at.is_symlink() {
        return;
    }
    if !at.is_dir() {
        found.extend(fs::read_to_string(at).ok().map(|text| File {
            path: path.to_owned(),
            text,
        }));
        return;
    }
    let entries = fs::read_dir(at).expect("a folder that can be read");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .filter_map(|name| name.into_string().ok())
        .filter(|name| !MADE.contains(&name.as_str()))
        .collect();
    names.sort();
    for name in names {
        collect(&at.join(&name), &format!("{path}/{name}"), found);
    }
}
