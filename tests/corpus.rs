//! Replays every file of the corpus through every in-process target, one named test a file.
//!
//! What a fuzzer leaves here under a SHA-1 name is replayed too, but does not count as a seed.

use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Named files that there must be, so that an empty or misplaced folder does not pass.
const FLOOR: usize = 40;

fn main() -> ExitCode {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files = Vec::new();
    collect(&corpus, &mut files);
    files.sort();
    let named = files.iter().filter(|file| !is_hash(file)).count();
    let mut trials: Vec<_> = files
        .into_iter()
        .map(|file| Trial::test(name_of(&corpus, &file), move || replay(&file)))
        .collect();
    trials.push(Trial::test("the-floor", move || enough(named)));
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

fn is_hash(file: &Path) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.len() == 40 && name.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A target panics where something is wrong, and the harness tells which file that was.
fn replay(file: &Path) -> Result<(), Failed> {
    let octets = fs::read(file)?;
    for (_, target) in framespec::fuzz::TARGETS {
        target(&octets);
    }
    Ok(())
}

fn enough(named: usize) -> Result<(), Failed> {
    if named >= FLOOR {
        Ok(())
    } else {
        Err(format!("{named} named files in the corpus, and there must be {FLOOR}").into())
    }
}
