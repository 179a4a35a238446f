//! `fuzz`: what is found at servers with a fault, and that nothing is at those without. Bounded by the number of
//! scripts, not by time.

use crate::program::{Served, command, conformance};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A campaign that has ended: its exit code, and the lines that it wrote.
struct Fuzzed {
    code: i32,
    lines: Vec<Value>,
    folder: TempDir,
}

/// Plays so many scripts.
fn fuzz(target: &[&str], runs: &str, options: &[&str]) -> Fuzzed {
    fuzz_into(tempfile::tempdir().unwrap(), target, runs, options)
}

/// The same, into a folder that may hold something.
fn fuzz_into(folder: TempDir, target: &[&str], runs: &str, options: &[&str]) -> Fuzzed {
    let mut command = conformance();
    command.arg("fuzz").args(target).args([
        "--runs",
        runs,
        "--format",
        "jsonl",
        "--minimise-for",
        "2s",
    ]);
    let output = command
        .args(options)
        .arg("--out")
        .arg(folder.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    Fuzzed {
        code: output.status.code().expect("an exit code"),
        lines: stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        folder,
    }
}

impl Fuzzed {
    fn of<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["event"] == event)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).collect()
    }
}

/// The exit code of `replay`, and what it printed.
fn replay(file: &Path, peer: &[&str]) -> (i32, String) {
    let output = conformance()
        .arg("replay")
        .arg(file)
        .args(peer)
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), stdout)
}

#[test]
fn nothing_is_found_at_the_reference_server() {
    let fuzzed = fuzz(&[], "300", &[]);
    let finished = fuzzed.of("finished").next().unwrap();
    assert_eq!(fuzzed.code, 0, "{:?}", fuzzed.lines);
    assert_eq!(finished["status"]["scripts"], 300);
    assert!(
        finished["status"]["asking"].as_u64() > Some(150),
        "{finished}"
    );
    assert_eq!(fuzzed.files(), [] as [PathBuf; 0]);
}

#[test]
fn nothing_is_found_at_servers_that_are_different_as_they_may_be() {
    for variant in [
        "room-for-sixteen",
        "one-loop",
        "limit-of-32-kib",
        "half-close-is-a-close",
    ] {
        let served = Served::start(&["--variant", variant]);
        let fuzzed = fuzz(&[&served.addr.to_string()], "200", &[]);
        assert_eq!(fuzzed.code, 0, "{variant}: {:?}", fuzzed.lines);
    }
}

#[test]
fn what_is_found_is_a_file_that_fails_there_and_passes_elsewhere() {
    let faulty = Served::start(&["--fault", "header-in-one-read"]);
    let right = Served::start(&[]);
    let fuzzed = fuzz(&[&faulty.addr.to_string()], "150", &[]);
    assert_eq!(fuzzed.code, 1, "{:?}", fuzzed.lines);
    let files = fuzzed.files();
    assert_eq!(files.len(), fuzzed.of("found").count());
    for file in files {
        let (code, told) = replay(&file, &[&faulty.addr.to_string()]);
        assert_eq!(code, 1, "{told}");
        let (code, told) = replay(&file, &[&right.addr.to_string()]);
        assert_eq!(code, 0, "{told}");
        conformance()
            .arg("show")
            .arg(&file)
            .args(["--as", "python"])
            .assert()
            .success();
    }
}

#[test]
fn every_report_tells_of_each_finding() {
    let faulty = Served::start(&["--fault", "header-in-one-read"]);
    let reports = tempfile::tempdir().unwrap();
    let of = |format: &str| reports.path().join(format);
    let into =
        ["junit", "sarif", "human", "json"].map(|name| format!("{name}={}", of(name).display()));
    let options: Vec<&str> = into.iter().flat_map(|one| ["--format", one]).collect();
    let fuzzed = fuzz(&[&faulty.addr.to_string()], "150", &options);
    assert_eq!(fuzzed.code, 1, "{:?}", fuzzed.lines);
    let found: Vec<&Value> = fuzzed.of("found").collect();
    let read = |format: &str| fs::read_to_string(of(format)).unwrap();
    let json = |format: &str| serde_json::from_str::<Value>(&read(format)).unwrap();
    let (sarif, whole) = (json("sarif"), json("json"));
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let place = |result: &Value| {
        let location = &result["locations"][0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().unwrap();
        uri.strip_prefix("file://").unwrap().to_owned()
    };
    let told: Vec<_> = found
        .iter()
        .map(|one| (one["clause"].clone(), one["file"].clone()))
        .collect();
    let results: Vec<_> = results
        .iter()
        .map(|one| (one["ruleId"].clone(), place(one).into()))
        .collect();
    assert_eq!(results, told);
    assert_eq!(whole["found"].as_array().unwrap().len(), found.len());
    assert_eq!(read("human").matches("FOUND ").count(), found.len());
    let failures = format!("failures=\"{}\" errors=\"0\"", found.len());
    assert!(read("junit").contains(&failures), "{}", read("junit"));
}

#[test]
fn a_campaign_goes_on_from_what_another_left() {
    let faulty = Served::start(&["--fault", "header-in-one-read"]);
    let address = faulty.addr.to_string();
    let first = fuzz(&[&address], "150", &[]);
    assert_eq!(first.code, 1, "{:?}", first.lines);
    let kept = fs::read_dir(first.folder.path().join(".kept"))
        .unwrap()
        .count();
    assert!(kept > 5, "{kept}");
    let told = |fuzzed: &Fuzzed| -> Vec<Value> {
        let found = fuzzed.of("found");
        found.map(|one| one["script"].clone()).collect()
    };
    let before = told(&first);
    let files = first.files();
    let second = fuzz_into(first.folder, &[&address], "150", &["--resume"]);
    let seed = second.of("started").next().unwrap()["seed"].as_u64();
    assert_eq!(seed, Some(1 + kept as u64), "other scripts are made");
    let again = told(&second);
    assert!(
        again.iter().all(|script| !before.contains(script)),
        "{again:?}"
    );
    assert_eq!(second.files().len(), files.len() + again.len());
    assert!(files.iter().all(|file| file.is_file()));
}

#[test]
fn where_nothing_is_found_reports_say_that_something_was_tried() {
    let reports = tempfile::tempdir().unwrap();
    let junit = reports.path().join("junit");
    let option = format!("junit={}", junit.display());
    let fuzzed = fuzz(&[], "100", &["--format", &option]);
    assert_eq!(fuzzed.code, 0, "{:?}", fuzzed.lines);
    let junit = fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("tests=\"1\" failures=\"0\" errors=\"0\""),
        "{junit}"
    );
}

#[test]
fn of_any_profile() {
    let profile = ["--profile", "chunk-count"];
    let served =
        Served::start(&[&profile[..], &["--fault", "first-frame-of-a-read-only"]].concat());
    let fuzzed = fuzz(&[&served.addr.to_string()], "150", &profile);
    assert_eq!(fuzzed.code, 1, "{:?}", fuzzed.lines);
    let file = fuzzed.files().pop().unwrap();
    assert!(fs::read_to_string(file).unwrap().contains("#: chunk-count"));
}

#[test]
fn the_script_is_named_that_a_server_does_not_survive() {
    let program = command().get_program().to_str().unwrap().to_owned();
    let server =
        format!("{program} serve --listen {{host}}:{{port}} --fault undecodable-ends-the-server");
    let fuzzed = fuzz(&["--exec", &server], "70", &[]);
    assert_eq!(fuzzed.code, 1, "{:?}", fuzzed.lines);
    let found = fuzzed.of("found").next().unwrap();
    assert_eq!(found["clause"], "isolation", "{found}");
    let file = found["file"].as_str().unwrap();
    let (code, told) = replay(Path::new(file), &["--exec", &server]);
    assert_eq!(code, 1, "{told}");
}

#[test]
fn a_server_that_is_not_started_again_ends_the_campaign_with_what_was_found() {
    let served = Served::start(&["--fault", "undecodable-ends-the-server"]);
    let pid = served.pid().to_string();
    let fuzzed = fuzz(&[&served.addr.to_string()], "2000", &["--pid", &pid]);
    assert_eq!(fuzzed.code, 1, "{:?}", fuzzed.lines);
    let finished = fuzzed.of("finished").next().unwrap();
    assert!(finished["gone"].is_string(), "{finished}");
    let found = fuzzed.of("found").next().unwrap();
    let what = found["findings"][0]["what"].as_str().unwrap();
    let is_looked_at = cfg!(target_os = "linux");
    assert_eq!(
        what.contains("process of the server has ended"),
        is_looked_at,
        "{what}"
    );
    assert_eq!(fuzzed.files().len(), 1);
}

#[test]
fn what_cannot_be_is_said_before_anything_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = "127.0.0.1:1";
    let code = |args: &[&str]| {
        let output = conformance().arg("fuzz").args(args).output().unwrap();
        output.status.code().unwrap()
    };
    let out = folder.path().to_str().unwrap();
    assert_eq!(code(&[nobody]), 2);
    assert_eq!(code(&[nobody, "--out", out, "--runs", "0"]), 2);
    assert_eq!(
        code(&[nobody, "--out", out, "--seeds", "/nowhere/at/all"]),
        2
    );
    assert_eq!(code(&[nobody, "--out", out, "--format", "pcapng"]), 2);
    let twice = ["--format", "junit", "--format", "sarif"];
    assert_eq!(code(&[&[nobody, "--out", out], &twice[..]].concat()), 2);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(
        code(&[nobody, "--out", file.join("below").to_str().unwrap()]),
        2
    );
    assert_eq!(code(&[nobody, "--out", out, "--runs", "1"]), 3);
}
