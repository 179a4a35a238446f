//! `conformance check` on servers that nobody of this crate wrote: see tests/peers.

use crate::peers::{self, Peer};
use crate::program::GUARD_OF_A_RUN;
use crate::python::{self, Python};
use assert_cmd::Command;
use framespec::event::{Run, Verdict};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::thread;

/// What a run left behind.
struct Checked {
    code: Option<i32>,
    run: Run,
    stderr: String,
}

/// Checks a peer with these arguments. The report must be whole: all that was selected is in it.
fn check(peer: &Peer, args: &[&str]) -> Checked {
    let output = Command::cargo_bin("conformance")
        .expect("the program is built with the tests")
        .args(["check", "--within", "0", "--format", "json"])
        .args(args)
        .arg(peer.address.to_string())
        .timeout(GUARD_OF_A_RUN)
        .output()
        .expect("a program that can be run");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let run: Run = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no whole report: {error}\n{stderr}"));
    assert_eq!(run.results.len(), run.started.selected, "{stderr}");
    Checked {
        code: output.status.code(),
        run,
        stderr,
    }
}

impl Checked {
    /// Clauses of which a case failed.
    fn broken(&self) -> BTreeSet<&str> {
        let failed = |verdict| matches!(verdict, Verdict::Fail | Verdict::Unstable);
        let results = self.run.results.iter();
        results
            .filter(|result| failed(result.verdict))
            .map(|result| result.clause.as_str())
            .collect()
    }

    /// Everything that it says of the run as a whole.
    fn says(&self) -> String {
        let notes = self.run.calibration.iter().flat_map(|found| &found.notes);
        let broken_off = self.run.finished.broken_off.iter();
        let said: Vec<_> = notes
            .chain(broken_off)
            .map(framespec::lang::Text::as_str)
            .collect();
        format!("{}\n{}", said.join("\n"), self.stderr)
    }

    fn told(&self) -> String {
        let results = self.run.results.iter();
        let bad = results.filter(|result| !matches!(result.verdict, Verdict::Pass | Verdict::Skip));
        let lines =
            bad.map(|result| format!("{} {}: {}", result.verdict, result.id, result.detail));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn the_tutorial_like_server_fails_where_it_is_wrong() {
    let Some(peer) = peers::start("tutorial_like.py", &[]) else {
        return;
    };
    // Not all of truncation and orderly-close: each case costs that server a thread that spins.
    let selected = [
        "reassembly",
        "boundary",
        "length-limit",
        "truncation/before-body",
        "truncation/in-body",
        "orderly-close/at-once",
    ];
    let args: Vec<_> = selected.iter().flat_map(|case| ["--run", case]).collect();
    let checked = check(&peer, &args);
    assert_eq!(checked.code, Some(1), "{}", checked.stderr);
    let broken = checked.broken();
    for clause in [
        "reassembly",
        "boundary",
        "orderly-close",
        "truncation",
        "length-limit",
    ] {
        assert!(broken.contains(clause), "{clause}: {broken:?}");
    }
}

const CORRECT: [&str; 2] = ["correct.py", "correct_asyncio.py"];

/// Checks a correct peer so often, one check behind the other.
fn passes(python: Python, script: &str, options: &[&str], args: &[&str], times: usize) {
    let peer = peers::start_with(python, script, options);
    for _ in 0..times {
        let checked = check(&peer, args);
        let told = checked.told();
        assert_eq!(checked.code, Some(0), "{script} {options:?}:\n{told}");
        assert_eq!(told, "", "{script} {options:?}");
    }
}

/// Most of a check is waiting, so they are made side by side.
#[test]
fn correct_servers_pass() {
    let Some(python) = python::or_skip() else {
        return;
    };
    thread::scope(|scope| {
        for script in CORRECT {
            for profile in ["tutorial", "chunk-count"] {
                let options = ["--profile", profile];
                scope.spawn(move || passes(python, script, &options, &options, 2));
            }
        }
    });
}

#[test]
fn a_server_whose_buffers_and_queue_are_short_is_waited_for() {
    let Some(python) = python::or_skip() else {
        return;
    };
    thread::scope(|scope| {
        for script in CORRECT {
            scope.spawn(move || passes(python, script, &["--narrow"], &[], 1));
        }
    });
}

#[test]
fn a_server_that_prints_objects_as_its_language_does_keeps_their_texts() {
    let Some(peer) = peers::start("correct_asyncio.py", &[]) else {
        return;
    };
    let mut profile = tempfile::NamedTempFile::new().expect("a file for the profile");
    let text = r#"
        name = "objects"
        length.width = 4
        body.chunk = 60
        exchange.request = '{"nombre": "{text}", "edad": 15}'
    "#;
    profile.write_all(text.as_bytes()).expect("room for it");
    let path = profile.path().to_str().expect("a path in UTF-8");
    let checked = check(&peer, &["--profile", path]);
    assert_eq!(checked.told(), "");
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
}

#[test]
fn a_declared_limit_is_held_to_exactly() {
    let Some(peer) = peers::start("correct.py", &["--max-body", "6000"]) else {
        return;
    };
    let limit = ["--run", "length-limit/*", "--max-frame"];
    let right = check(&peer, &[&limit[..], &["6000"]].concat());
    assert_eq!(right.code, Some(0), "{}", right.told());
    for wrong in ["5940", "6060"] {
        let checked = check(&peer, &[&limit[..], &[wrong]].concat());
        assert_eq!(checked.code, Some(1), "{wrong}");
    }
}

/// A run at a hostile peer ends, fails, has a whole report, and says what is going on.
fn hostile(mode: &str, says: &str) {
    let Some(peer) = peers::start("hostile.py", &["--mode", mode]) else {
        return;
    };
    let checked = check(&peer, &[]);
    assert_eq!(checked.code, Some(1), "{mode}: {}", checked.told());
    assert!(!checked.broken().is_empty(), "{mode}");
    let said = checked.says();
    assert!(said.contains(says), "{mode}: {said}");
}

#[test]
fn a_peer_that_says_nothing_is_told_so() {
    hostile("mute", "sends nothing");
}

#[test]
fn a_peer_that_speaks_unasked_is_told_so() {
    hostile("garbage-forever", "before anything is asked");
    hostile("endless-frames", "before anything is asked");
}

#[test]
fn a_peer_that_does_not_stop_answering_is_told_so() {
    hostile("replies-forever", "more than one reply");
}

#[test]
fn a_peer_that_ends_every_connection_is_told_so() {
    hostile("close-at-once", "before anything is asked");
    hostile("half-closed", "before anything is asked");
    hostile("reset-at-once", "without a reply");
}

#[test]
fn a_peer_that_never_ends_a_reply_does_not_hold_the_run_up() {
    for mode in ["huge-header", "drip", "half-frame-then-stall"] {
        hostile(mode, "no end of it");
    }
}

#[test]
fn a_peer_that_dies_costs_its_case_a_failure_and_the_report_is_whole() {
    let Some(peer) = peers::start("hostile.py", &["--mode", "die-after", "--requests", "40"])
    else {
        return;
    };
    let checked = check(&peer, &[]);
    assert_eq!(checked.code, Some(1));
    assert!(!checked.broken().is_empty());
    assert!(
        checked.says().contains("was gone after"),
        "{}",
        checked.says()
    );
}

#[test]
fn nothing_that_a_peer_sends_gets_to_the_terminal() {
    let Some(peer) = peers::start("hostile.py", &["--mode", "terminal-escapes"]) else {
        return;
    };
    for format in ["human", "markdown", "tap", "html", "junit"] {
        let output = Command::cargo_bin("conformance")
            .expect("the program is built with the tests")
            .args([
                "check",
                "--run",
                "reply-text",
                "--trace",
                "--format",
                format,
            ])
            .arg(peer.address.to_string())
            .timeout(GUARD_OF_A_RUN)
            .output()
            .expect("a program that can be run");
        assert_eq!(output.status.code(), Some(1), "{format}");
        let said = String::from_utf8(output.stdout).expect("text");
        let harmful = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(harmful), "{format}: {said:?}");
        let markup = matches!(format, "html" | "junit") && said.contains("<script>alert");
        assert!(!markup, "{format}");
    }
}
