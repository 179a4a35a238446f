//! Rules of this repository, read off its files: who may import whom, and what stands in no file.

mod clauses;
mod codec_alone;
pub(crate) mod rooms;
mod source;
mod texts;
mod tree;

use rooms::{ROOMS, breaches};
use source::Source;
use std::collections::BTreeSet;
use tree::{File, files};

/// A file that is longer holds more than one thing.
const MOST_LINES: usize = 600;

/// Fails with all that was found, or passes.
fn none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn rust(under: &[&str]) -> Vec<File> {
    let mut found = files(under);
    found.retain(|file| file.path.ends_with(".rs"));
    found
}

/// The lines of those files that hold one of these words, in any case.
fn lines_with(files: &[File], words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            let lower = line.to_lowercase();
            if let Some(word) = words.iter().find(|word| lower.contains(word.as_str())) {
                found.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    found
}

#[test]
fn rooms_import_only_what_they_may() {
    let sources: Vec<Source> = rust(&["src"]).iter().map(Source::of).collect();
    none(breaches(&sources));
}

#[test]
fn every_room_has_its_rules() {
    let rooms: BTreeSet<_> = rust(&["src"])
        .iter()
        .map(|file| Source::of(file).room().to_owned())
        .filter(|room| !matches!(room.as_str(), "" | "bin"))
        .collect();
    let unruled: Vec<_> = rooms
        .into_iter()
        .filter(|room| ROOMS.iter().all(|ruled| ruled.name != room.as_str()))
        .map(|room| format!("src/{room} has no row in tests/suite/rules/rooms.rs"))
        .collect();
    none(unruled);
}

/// The map in the crate's documentation has a row for each room, with the feature that brings it.
#[test]
fn the_crate_shows_every_room_with_its_feature() {
    let lib = files(&["src/lib.rs"]).remove(0).text;
    let lines: Vec<_> = lib.lines().collect();
    let declared = |room: &str| {
        let at = lines
            .iter()
            .position(|line| *line == format!("pub mod {room};"))?;
        let feature = lines[at - 1].strip_prefix("#[cfg(feature = \"");
        Some(feature.map_or("–".to_owned(), |rest| {
            format!("`{}`", &rest[..rest.len() - 3])
        }))
    };
    let shown = |room: &str, feature: &str| {
        let (front, end) = (format!("//! | [`{room}`] | "), format!(" | {feature} |"));
        lines
            .iter()
            .any(|line| line.starts_with(&front) && line.ends_with(&end))
    };
    let missing: Vec<_> = ROOMS
        .iter()
        .map(|room| (room.name, declared(room.name).unwrap_or_default()))
        .filter(|(room, feature)| !shown(room, feature))
        .map(|(room, feature)| format!("src/lib.rs has no row for {room}, feature {feature}"))
        .collect();
    none(missing);
}

#[test]
fn the_crate_and_the_program_forbid_unsafe_code() {
    let without: Vec<_> = rust(&["src"])
        .into_iter()
        .filter(|file| file.path == "src/lib.rs" || file.path.starts_with("src/bin/"))
        .filter(|file| !file.text.contains("\n#![forbid(unsafe_code)]\n"))
        .map(|file| format!("{}: no #![forbid(unsafe_code)]", file.path))
        .collect();
    none(without);
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let silent: Vec<_> = rust(&["src", "tests"])
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}: does not begin with a //! line", file.path))
        .collect();
    none(silent);
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = rust(&["src", "tests", "fuzz"])
        .into_iter()
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines, and {MOST_LINES} are enough"))
        .collect();
    none(long);
}

/// The words are put together here so that they do not stand in this file.
#[test]
fn nothing_is_left_for_later() {
    let words = [
        ["to", "do!("],
        ["to", "do:"],
        ["fix", "me"],
        ["xx", "x:"],
        ["unimple", "mented!("],
        ["#[ign", "ore"],
    ];
    let words = words.map(|word| word.concat());
    none(lines_with(
        &rust(&["src", "tests", "fuzz"]),
        words.as_slice(),
    ));
}

#[test]
fn no_file_knows_the_machine_that_it_was_written_on() {
    let words = [
        ["/ro", "ot/"],
        ["/wo", "rk/"],
        ["/ho", "me/"],
        ["/us", "ers/"],
        ["/tm", "p/"],
    ];
    let words = words.map(|word| word.concat());
    none(lines_with(&files(tree::ALL), words.as_slice()));
}

/// Whether there must be a Python is decided in one place.
#[test]
fn no_test_starts_python_by_itself() {
    let mut others = rust(&["tests"]);
    others.retain(|file| file.path != "tests/suite/python.rs");
    none(lines_with(&others, &[["\"pyth", "on3"].concat()]));
}

#[test]
fn what_is_forbidden_is_found() {
    let file = |path: &str, text: &str| File {
        path: path.into(),
        text: text.into(),
    };
    let bad = file(
        "src/x.rs",
        &["fn f() { to", "do!() }\n// Fix", "Me\n"].concat(),
    );
    let words = [["to", "do!("].concat(), ["fix", "me"].concat()];
    let found = lines_with(&[bad, file("src/y.rs", "fn f() {}\n")], &words);
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("src/x.rs:1: "));
    assert!(found[1].starts_with("src/x.rs:2: "));
}

#[test]
fn the_files_are_really_read() {
    let paths: Vec<_> = files(tree::ALL).into_iter().map(|file| file.path).collect();
    for path in [
        "src/lib.rs",
        "src/wire/mod.rs",
        "tests/suite/rules/mod.rs",
        "Cargo.toml",
    ] {
        assert!(paths.iter().any(|found| found == path), "{path}");
    }
}
