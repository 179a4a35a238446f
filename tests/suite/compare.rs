//! `conformance compare` on files, good and bad.

use crate::program::conformance;
use framespec::event::{CaseResult, Run, SCHEMA, Started, Verdict};
use framespec::report::{Format, Look};
use framespec::spec::Level;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn run(target: &str, verdicts: &[(&str, Verdict)]) -> Run {
    let mut run = Run {
        started: Started {
            schema: SCHEMA.into(),
            target: target.into(),
            ..Started::default()
        },
        ..Run::default()
    };
    for (id, verdict) in verdicts {
        run.finished.summary.count(*verdict);
        run.results.push(CaseResult {
            id: (*id).into(),
            clause: id.split('/').next().unwrap().into(),
            level: Level::Must,
            verdict: *verdict,
            known: None,
            detail: "".into(),
            elapsed_ms: 1,
            why: "".into(),
            attempts: framespec::event::Attempts::default(),
            findings: Vec::new(),
            rerun: String::new(),
            file: None,
            evidence: None,
        });
    }
    run
}

fn save(dir: &Path, name: &str, run: &Run) {
    let mut text = Vec::new();
    Format::Json.write(run, Look::default(), &mut text).unwrap();
    fs::write(dir.join(name), text).unwrap();
}

/// A folder with two runs in it.
fn saved() -> TempDir {
    let dir = TempDir::new().unwrap();
    let one = [("order/a", Verdict::Pass), ("order/b", Verdict::Pass)];
    let two = [("order/a", Verdict::Pass), ("order/b", Verdict::Fail)];
    save(dir.path(), "one.json", &run("127.0.0.1:1", &one));
    save(dir.path(), "two.json", &run("127.0.0.1:2", &two));
    dir
}

#[test]
fn runs_are_set_side_by_side() {
    let dir = saved();
    let output = conformance()
        .current_dir(&dir)
        .args(["compare", "one.json", "two.json"])
        .assert()
        .success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.contains("| case | one | two |"), "{text}");
    assert!(text.contains("| order/b | pass | **fail** |"), "{text}");
    assert!(!text.contains("order/a"), "{text}");
}

#[test]
fn a_page_of_all_cases_goes_to_a_file() {
    let dir = saved();
    conformance()
        .current_dir(&dir)
        .args([
            "compare", "one.json", "two.json", "--all", "--format", "html",
        ])
        .args(["--output", "matrix.html"])
        .assert()
        .success()
        .stdout("");
    let page = fs::read_to_string(dir.path().join("matrix.html")).unwrap();
    assert!(page.contains("order/a") && page.ends_with("</html>\n"));
    let files = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, 3, "something was left behind");
}

#[test]
fn a_bad_file_is_named() {
    let dir = saved();
    fs::write(dir.path().join("bad.json"), "{\"schema\": 1}").unwrap();
    let old = run("127.0.0.1:3", &[]);
    let old = Run {
        started: Started {
            schema: "framespec/0".into(),
            ..old.started
        },
        ..old
    };
    save(dir.path(), "old.json", &old);
    for (file, told) in [
        ("missing.json", "cannot read missing.json"),
        ("bad.json", "bad.json is not a JSON report of this program"),
        ("old.json", "old.json is of the form \"framespec/0\""),
    ] {
        let output = conformance()
            .current_dir(&dir)
            .args(["compare", "one.json", file])
            .assert()
            .code(2)
            .stdout("");
        let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = saved();
    let output = conformance()
        .current_dir(&dir)
        .args([
            "compare",
            "one.json",
            "two.json",
            "--output",
            "no/such/file",
        ])
        .assert()
        .code(3);
    let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(text.contains("no/such/file"), "{text}");
}

#[test]
fn one_run_cannot_be_compared() {
    conformance().args(["compare", "one.json"]).assert().code(2);
}
