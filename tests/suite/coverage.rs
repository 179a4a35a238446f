//! Coverage of servers in Python: what is counted while one of tests/peers is asked by hand, and that `fuzz` uses it.

use crate::peers::{self, Came, Raw, TUTORIAL};
use crate::program::{command, conformance};
use crate::python;
use framespec::coverage::{Coverage, Reached};
use serde_json::{Value, json};
use std::fs;

/// Asks one thing after the other on a new connection, and looks what was reached when all is answered.
fn ask(coverage: &mut Coverage, peer: &peers::Peer, payloads: &[&str]) -> (Reached, usize) {
    let mut client = Raw::connect(peer.address, TUTORIAL);
    for payload in payloads {
        client.request(payload);
        assert!(matches!(client.come(), Came::Reply(_)));
    }
    (coverage.look(), coverage.edges())
}

const fn is_seldom(reached: Reached) -> bool {
    matches!(reached, Reached::Seldom(_))
}

#[test]
fn each_condition_that_is_met_is_a_step_that_was_not_taken_before() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let mut coverage = Coverage::open().unwrap();
    let peer = peers::start_in(python, "nested.py", &[], coverage.environment());
    let how = coverage.attached().unwrap();
    assert!(how.starts_with("sys."), "{how}");
    // Until all that is done beside has been seen as often as it is done at a time.
    for _ in 0..20 {
        ask(&mut coverage, &peer, &["{\"a\": 1}"]);
        ask(&mut coverage, &peer, &["{\"a\": 1}", "{\"a\": 1}"]);
    }
    let (_, plain) = ask(&mut coverage, &peer, &["{\"a\": 2}"]);
    let (field, with_field) = ask(&mut coverage, &peer, &["{\"op\": 1}"]);
    assert!(is_seldom(field) && with_field > plain, "{field:?}");
    let (value, with_value) = ask(&mut coverage, &peer, &["{\"op\": \"sync\"}"]);
    assert!(is_seldom(value) && with_value > with_field, "{value:?}");
    let (twice, _) = ask(&mut coverage, &peer, &["{\"op\": \"sync\"}"; 2]);
    assert!(is_seldom(twice), "{twice:?}");
    let words = coverage.words();
    for word in [json!("op"), json!("sync"), json!(3)] {
        assert!(words.contains(&word), "{word} in {words:?}");
    }
    assert!(!words.contains(&json!("--max-body")), "{words:?}");
}

#[test]
fn what_python_loads_by_itself_is_still_loaded() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let coverage = Coverage::open().unwrap();
    let own = tempfile::tempdir().unwrap();
    fs::write(
        own.path().join("sitecustomize.py"),
        "import builtins; builtins.own = 'mine'\n",
    )
    .unwrap();
    let folders = [coverage.folder(), own.path()];
    let path = std::env::join_paths(folders).unwrap();
    let program = "import sys; print(own, len([one for one in sys.path if 'framespec' in one]))";
    let mut command = python.command();
    let output = command
        .args(["-c", program])
        .env("PYTHONPATH", path)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "mine 0\n");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(coverage.attached().is_ok());
}

/// What a short campaign said of the server's own code, and how it ended.
fn campaign(server: &str, options: &[&str]) -> [Value; 2] {
    let folder = tempfile::tempdir().unwrap();
    let mut fuzzing = conformance();
    fuzzing.args([
        "fuzz", "--exec", server, "--runs", "60", "--format", "jsonl",
    ]);
    let output = fuzzing
        .args(options)
        .arg("--out")
        .arg(folder.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    ["watched", "finished"].map(|event| {
        let mut of = lines.iter().filter(|line| line["event"] == event);
        of.next()
            .unwrap_or_else(|| panic!("no {event}: {stdout}"))
            .clone()
    })
}

#[test]
fn a_campaign_watches_a_python_that_it_starts_unless_it_is_told_not_to() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let server = format!("{} --port {{port}}", python.peer_in_words("", "correct.py"));
    let [watched, finished] = campaign(&server, &[]);
    assert!(
        watched["how"].as_str().unwrap().contains("Python 3."),
        "{watched}"
    );
    assert!(
        finished["status"]["edges"].as_u64() > Some(40),
        "{finished}"
    );
    assert_eq!(finished["status"]["scripts"], 60);
    let [watched, finished] = campaign(&server, &["--no-coverage"]);
    assert_eq!(watched["why_not"], "--no-coverage");
    assert!(finished["status"]["edges"].is_null(), "{finished}");
    let server = format!(
        "{} --port {{port}}",
        python.peer_in_words("-E", "correct.py")
    );
    let [watched, _] = campaign(&server, &[]);
    assert!(
        watched["why_not"].as_str().unwrap().contains("PYTHONPATH"),
        "{watched}"
    );
}

#[test]
fn of_another_program_it_is_said_that_nothing_steers() {
    let program = command().get_program().to_str().unwrap().to_owned();
    let [watched, finished] = campaign(&format!("{program} serve --listen {{host}}:{{port}}"), &[]);
    assert!(
        watched["why_not"].as_str().unwrap().contains("no Python"),
        "{watched}"
    );
    assert!(finished["status"]["edges"].is_null(), "{finished}");
}
