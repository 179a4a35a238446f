//! Files and parts of the docs that are made from the sources, and the one way to make them again.
//!
//! A part stands between two lines, `<!-- made: NAME -->` and `<!-- end: NAME -->`. Its test says what
//! should stand there; run with `FRAMESPEC_BLESS=1`, the same test puts it there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The variable that makes the tests write what is made instead of comparing it.
const BLESS: &str = "FRAMESPEC_BLESS";

/// The command that makes all of it again.
const COMMAND: &str = "FRAMESPEC_BLESS=1 cargo test --test suite";

/// Two parts may stand in one file, and tests run side by side.
static WRITING: Mutex<()> = Mutex::new(());

/// Whether generated parts are to be written instead of compared.
pub(crate) fn is_blessing() -> bool {
    std::env::var_os(BLESS).is_some()
}

/// Holds that the part called `name` of a document reads `expected`.
pub(crate) fn part(document: &str, name: &str, expected: &str) {
    let path = at(document);
    let _writing = WRITING.lock().unwrap_or_else(|left| left.into_inner());
    let text = read(&path);
    let (head, found, tail) = split(&text, name)
        .unwrap_or_else(|| panic!("{document} has no part between the lines for {name:?}"));
    settle(document, &path, found, expected, || {
        [head, expected, tail].concat()
    });
}

/// Holds that a file is made of these octets.
pub(crate) fn file(name: &str, expected: &[u8]) {
    let path = at(name);
    if is_blessing() {
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder that can be made");
        fs::write(&path, expected).expect("a file that can be written");
    }
    let found = fs::read(&path).ok();
    assert!(
        found.as_deref() == Some(expected),
        "{name} is not what the sources say.\nTo make it again: {COMMAND}"
    );
}

fn settle(document: &str, path: &Path, found: &str, expected: &str, mended: impl Fn() -> String) {
    if found == expected {
        return;
    }
    if is_blessing() {
        fs::write(path, mended()).expect("a document that can be written");
        return;
    }
    panic!(
        "{document} is not what the sources say. {}\nTo make it again: {COMMAND}",
        first_difference(found, expected)
    );
}

fn at(document: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(document)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands before a part, in it and behind it; the lines that mark it belong to the outside.
fn split<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = format!("<!-- made: {name} -->\n");
    let end = format!("<!-- end: {name} -->\n");
    let from = text.find(&begin)?.checked_add(begin.len())?;
    let to = from.checked_add(text.get(from..)?.find(&end)?)?;
    Some((text.get(..from)?, text.get(from..to)?, text.get(to..)?))
}

fn first_difference(found: &str, expected: &str) -> String {
    let mut expected = expected.lines();
    for (number, line) in (1..).zip(found.lines()) {
        match expected.next() {
            Some(due) if due == line => {}
            Some(due) => {
                return format!("Its line {number} reads\n  {line}\nand should read\n  {due}");
            }
            None => return format!("Its line {number} should not be there:\n  {line}"),
        }
    }
    match expected.next() {
        Some(due) => format!("At its end is missing:\n  {due}"),
        None => "They differ in how lines end.".into(),
    }
}

#[test]
fn a_part_is_found_between_its_lines() {
    let text = "a\n<!-- made: x -->\nb\n<!-- end: x -->\nc\n";
    assert_eq!(
        split(text, "x"),
        Some(("a\n<!-- made: x -->\n", "b\n", "<!-- end: x -->\nc\n"))
    );
    assert_eq!(split(text, "y"), None);
}

#[test]
fn a_difference_is_told_with_its_line() {
    assert!(first_difference("a\nb\n", "a\nc\n").starts_with("Its line 2"));
    assert!(first_difference("a\nb\n", "a\n").contains("should not be there"));
    assert!(first_difference("a\n", "a\nb\n").contains("is missing"));
}

#[test]
fn what_differs_fails_with_the_command_that_mends_it() {
    if is_blessing() {
        return;
    }
    let told = std::panic::catch_unwind(|| {
        settle("docs/X.md", Path::new("unread"), "a\n", "b\n", String::new);
    });
    let told = told.expect_err("they differ");
    let told = told.downcast_ref::<String>().expect("a text");
    assert!(
        told.contains("docs/X.md") && told.contains(COMMAND),
        "{told}"
    );
}
