//! Replays every file of the corpus through every in-process target, one named test a file.
//!
//! Each seed of the table must be among them, so that an empty or misplaced folder does not pass.

#[path = "suite/corpus/seeds.rs"]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod seeds;

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files = Vec::new();
    collect(&corpus, &mut files);
    files.sort();
    let names: BTreeSet<_> = files.iter().map(|file| name_of(&corpus, file)).collect();
    let mut trials: Vec<_> = files
        .into_iter()
        .map(|file| Trial::test(name_of(&corpus, &file), move || replay(&file)))
        .collect();
    trials.push(Trial::test("every-seed-is-there", move || complete(&names)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn name_of(corpus: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(corpus).unwrap_or(file);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Each file must be input for a target at least, and none may find anything wrong with it.
fn replay(file: &Path) -> Result<(), Failed> {
    let read_by = framespec::fuzz::feed(&fs::read(file)?)?;
    match read_by.as_slice() {
        [] => Err("no target reads it".into()),
        _ => Ok(()),
    }
}

fn complete(names: &BTreeSet<String>) -> Result<(), Failed> {
    let seeds = seeds::all();
    let seeds = seeds.iter().map(|(name, _)| format!("decoder/{name}"));
    let seeds = seeds.chain(seeds::of_chance().into_iter().map(|(name, _)| name));
    let missing: Vec<_> = seeds.filter(|seed| !names.contains(seed)).collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(format!("not in the corpus: {}", missing.join(", ")).into()),
    }
}
