//! Python, which the peers of tests/peers are written in, and what a test does where there is none.
//!
//! A test that needs Python asks [`or_skip`] for it, and cannot start one in any other way. Without a
//! Python that is new enough the test says so in one line, past the capturing of test output, and
//! passes. Where [`REQUIRE`] is set, it fails: that is for machines that are known to have one.

use crate::program::{decided, needed};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The variable that makes a missing Python a failure.
const REQUIRE: &str = "FRAMESPEC_REQUIRE_PYTHON";

const PROGRAM: &str = "python3";

/// The oldest version that the peers run on, as a tuple of Python.
const OLDEST: &str = "(3, 8)";

/// A Python that is new enough: where its interpreter is. What is found by the name `python3` may be a script that
/// looks for it each time, and takes longer than Python itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Python(&'static str);

/// The Python of this machine; `None`, said aloud, where there is none.
///
/// # Panics
/// Where there is none, and the variable says that there must be.
pub(crate) fn or_skip() -> Option<Python> {
    needed(found(), REQUIRE)
}

fn found() -> Result<Python, &'static str> {
    static FOUND: OnceLock<Result<Python, &'static str>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let told =
            format!("import sys; print(sys.executable); sys.exit(sys.version_info < {OLDEST})");
        match Command::new(PROGRAM).args(["-c", &told]).output() {
            Ok(output) if output.status.success() => {
                let path = String::from_utf8(output.stdout).expect("a path in UTF-8");
                Ok(Python(path.trim_end().to_owned().leak()))
            }
            Ok(_) => Err("python3 is older than 3.8"),
            Err(_) => Err("there is no python3"),
        }
    })
}

/// Where a script of tests/peers is.
fn script(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/peers").join(name)
}

impl Python {
    /// The interpreter, which leaves no compiled files behind.
    pub(crate) fn command(self) -> Command {
        let mut command = Command::new(self.0);
        command.arg("-B");
        command
    }

    /// The interpreter with a script of tests/peers.
    pub(crate) fn peer(self, name: &str) -> Command {
        let mut command = self.command();
        command.arg(script(name));
        command
    }

    /// The same as words for a shell, with these options of the interpreter.
    pub(crate) fn peer_in_words(self, options: &str, name: &str) -> String {
        let path = script(name);
        let path = shell_words::quote(path.to_str().expect("a path in UTF-8")).into_owned();
        format!("{} -B {options} {path}", self.in_words())
    }

    /// Words for a shell that run what these say.
    pub(crate) fn words(self, words: &str) -> String {
        format!("{} -B {words}", self.in_words())
    }

    /// Words for a shell that run a program, which stands in single quotes.
    pub(crate) fn program_in_words(self, program: &str) -> String {
        assert!(!program.contains('\''), "it stands in single quotes");
        format!("{} -c '{program}'", self.in_words())
    }

    fn in_words(self) -> String {
        shell_words::quote(self.0).into_owned()
    }
}

#[test]
fn without_python_a_test_is_skipped_unless_it_is_required() {
    let here = Ok(Python(PROGRAM));
    let absent: Result<Python, &str> = Err("none");
    assert_eq!(decided(here, REQUIRE, false), Ok(here));
    assert_eq!(decided(here, REQUIRE, true), Ok(here));
    assert_eq!(decided(absent, REQUIRE, false), Ok(absent));
    let failure = decided(absent, REQUIRE, true).unwrap_err();
    assert_eq!(failure, format!("none, and {REQUIRE} is set"));
}

/// A test of this binary that needs a peer.
const NEEDS_PYTHON: &str = "peers::behaviour::the_hostile_one_that_stalls_sends_half_a_frame";

/// Runs that test where no program can be found; whether it passes, and what is said.
fn without_any_program(is_required: bool) -> (bool, String) {
    let mut suite = Command::new(std::env::current_exe().unwrap());
    suite.args(["--exact", NEEDS_PYTHON]);
    suite.env("PATH", "").env_remove(REQUIRE);
    if is_required {
        suite.env(REQUIRE, "1");
    }
    let output = suite.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("running 1 test"), "{said}");
    (output.status.success(), said)
}

#[test]
fn a_test_without_python_says_so_once_and_passes() {
    let (passes, said) = without_any_program(false);
    let lines = said.lines().filter(|line| line.starts_with("skipped: "));
    let lines: Vec<&str> = lines.collect();
    let expected = format!("skipped: there is no python3: {NEEDS_PYTHON}");
    assert_eq!((passes, lines), (true, vec![expected.as_str()]), "{said}");
}

#[test]
fn a_test_without_python_fails_where_it_is_required() {
    let (passes, said) = without_any_program(true);
    assert!(!passes && said.contains(REQUIRE), "{said}");
}
