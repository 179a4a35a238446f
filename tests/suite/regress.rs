//! `regress`: a corpus fed in the process and live; what fails it, and what it says.

use crate::program::{Served, conformance};
use crate::python::{self, Python};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SCRIPT: &str = "framespec script 1\nopen a\nsend a 0000003c '\"hi\"' 00*56\nawait a\n";

/// A run that has ended.
struct Regressed {
    code: i32,
    stdout: String,
    stderr: String,
}

fn regress(corpus: &Path, args: &[&str]) -> Regressed {
    let mut command = conformance();
    command.arg("regress").arg(corpus).args(args);
    let output = command.output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let stderr = text(output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    Regressed {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr,
    }
}

impl Regressed {
    /// The rows of files of which that came and that was expected.
    fn rows(&self, came: &str, expected: &str) -> Vec<&str> {
        let is_one = |line: &&str| {
            let mut words = line.split_whitespace();
            words.next() == Some(came) && words.next() == Some(expected)
        };
        self.stdout.lines().filter(is_one).collect()
    }

    #[track_caller]
    fn assert_code(&self, code: i32) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What a short campaign finds at a server, as files.
fn found(peer: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut command = conformance();
    command
        .args(["fuzz", "--runs", "150", "--minimise-for", "2s", "--out"])
        .arg(folder.path())
        .args(peer);
    command.assert().code(1);
    folder
}

#[test]
fn the_whole_corpus_passes_in_the_process() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let regressed = regress(&corpus, &[]);
    regressed.assert_code(0);
    let folders = fs::read_dir(&corpus).unwrap().map(Result::unwrap);
    let files = folders.map(|folder| fs::read_dir(folder.path()).unwrap().count());
    let files: usize = files.sum();
    assert_eq!(regressed.rows("pass", "pass").len(), files);
    let fed = format!(" decoder {files}, ");
    assert!(regressed.stderr.contains(&fed), "{}", regressed.stderr);
    assert!(regressed.stderr.contains("the reference server "));
}

/// As a user has it: a bug found live is a file, which fails until the server is mended.
#[test]
fn what_is_found_live_fails_there_and_passes_at_a_server_that_is_right() {
    let faulty = Served::start(&["--fault", "header-in-one-read"]);
    let peer = faulty.addr.to_string();
    let corpus = found(&[&peer]);
    let there = regress(corpus.path(), &[&peer]);
    there.assert_code(1);
    let entries = fs::read_dir(corpus.path()).unwrap();
    let files = entries.filter(|entry| entry.as_ref().unwrap().path().is_file());
    let files = files.count();
    assert_eq!(there.rows("FAIL", "pass").len(), files);
    let right = Served::start(&[]);
    regress(corpus.path(), &[&right.addr.to_string()]).assert_code(0);
    regress(corpus.path(), &[]).assert_code(0);

    // Put up with until then, it says so when it is mended.
    let known = corpus.path().join("known.toml");
    let known = known.to_str().unwrap();
    regress(corpus.path(), &[&peer, "--write-expect", known]).assert_code(0);
    let there = regress(corpus.path(), &[&peer, "--expect", known]);
    there.assert_code(0);
    assert_eq!(there.rows("fail", "fail").len(), files);
    let mended = regress(corpus.path(), &["--expect", known]);
    mended.assert_code(1);
    assert_eq!(mended.rows("pass", "fail").len(), files);
    assert!(mended.stdout.contains("passes: take its entry out"));
}

#[test]
fn at_a_server_in_python_too() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let server = |python: Python, bug: &str| {
        let mut command = python.peer("buggy.py");
        command
            .args(["--host", "{host}", "--port", "{port}"])
            .args(["--bug", bug]);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        words.join(" ")
    };
    let faulty = server(python, "header-from-one-recv");
    let corpus = found(&["--exec", &faulty]);
    regress(corpus.path(), &["--exec", &faulty]).assert_code(1);
    regress(corpus.path(), &[]).assert_code(0);
}

#[test]
fn what_belongs_to_no_corpus_is_said_once_and_the_rest_is_fed() {
    let corpus = folder(&[
        ("a.script", SCRIPT),
        ("notes.txt", "not a script"),
        ("broken.script", "framespec script 1\nsend a 00\n"),
        ("other.script", "framespec script 1\n#: nonsense\nopen a\n"),
        ("decoder/raw", "\0\0\0\0"),
    ]);
    let regressed = regress(corpus.path(), &[]);
    regressed.assert_code(2);
    assert_eq!(regressed.rows("pass", "pass").len(), 2);
    assert_eq!(regressed.rows("ERROR", "pass").len(), 3);
    for name in ["notes.txt", "broken.script", "other.script"] {
        assert_eq!(
            regressed.stderr.matches(name).count(),
            1,
            "{}",
            regressed.stderr
        );
    }
}

#[test]
fn nothing_fed_is_an_error() {
    regress(folder(&[]).path(), &[]).assert_code(2);
    regress(Path::new("/nowhere/at/all"), &[]).assert_code(2);
    let server = Served::start(&[]);
    let peer = server.addr.to_string();
    let of_no_server = folder(&[
        ("profiles/one", "\0"),
        ("two.script", "framespec script 1\nside server\nopen a\n"),
    ]);
    let regressed = regress(of_no_server.path(), &[&peer]);
    regressed.assert_code(2);
    assert!(
        regressed.stderr.contains("nothing was fed"),
        "{}",
        regressed.stderr
    );
    assert_eq!(regressed.rows("skip", "pass").len(), 2);
    regress(of_no_server.path(), &[]).assert_code(0);
}

#[test]
fn a_peer_that_is_not_there_or_speaks_otherwise_is_told_as_such() {
    let corpus = folder(&[("a.script", SCRIPT)]);
    let nobody = regress(corpus.path(), &["127.0.0.1:1"]);
    nobody.assert_code(3);
    assert!(nobody.stdout.contains("broken off: "), "{}", nobody.stdout);
    let other = Served::start(&["--profile", "chunk-count"]);
    regress(corpus.path(), &[&other.addr.to_string()]).assert_code(3);
    regress(corpus.path(), &["--reply", "echo"]).assert_code(2);
    regress(corpus.path(), &["--expect", "/nowhere"]).assert_code(2);
}

#[test]
fn programs_are_told_too() {
    let cut = SCRIPT.replace("0000003c", "0000 | 003c");
    let corpus = folder(&[("a.script", &cut), ("profile_file/b", "name = \"x\"\n")]);
    let reports = tempfile::tempdir().unwrap();
    let [junit, json] = ["junit", "json"]
        .map(|format| format!("{format}={}", reports.path().join(format).display()));
    let faulty = Served::start(&["--fault", "header-in-one-read"]);
    let peer = faulty.addr.to_string();
    let args = [
        &peer, "--format", "jsonl", "--format", &junit, "--format", &json,
    ];
    let regressed = regress(corpus.path(), &args);
    regressed.assert_code(1);
    let lines = regressed
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let finished = |id: &str| {
        lines
            .iter()
            .find(|line| line["event"] == "case-finished" && line["id"] == id)
    };
    let failed = finished("a.script").unwrap();
    assert_eq!(failed["verdict"], "fail", "{failed}");
    assert!(failed["rerun"].as_str().unwrap().ends_with(&peer));
    assert_eq!(finished("profile_file/b").unwrap()["verdict"], "skip");
    let junit = fs::read_to_string(reports.path().join("junit")).unwrap();
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("name=\"a.script\""),
        "{junit}"
    );
    let schema = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let report = fs::read(reports.path().join("json")).unwrap();
    let report = serde_json::from_slice(&report).unwrap();
    assert!(validator.is_valid(&report), "{report}");
}
