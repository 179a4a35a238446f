//! Coverage of servers: what is counted while one of tests/peers is asked by hand, and that `fuzz` uses it.

use crate::peers::{self, Came, Raw, TUTORIAL};
use crate::program::{command, conformance, needed};
use crate::python;
use framespec::coverage::{Coverage, Reached};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Meets one condition more at a time at a server that hides a bug behind three.
fn each_condition_is_a_step(coverage: &mut Coverage, peer: &peers::Peer) {
    // Until all that is done beside has been seen as often as it is done at a time.
    for _ in 0..20 {
        ask(coverage, peer, &["{\"a\": 1}"]);
        ask(coverage, peer, &["{\"a\": 1}", "{\"a\": 1}"]);
    }
    let (_, plain) = ask(coverage, peer, &["{\"a\": 2}"]);
    let (field, with_field) = ask(coverage, peer, &["{\"op\": 1}"]);
    assert!(is_seldom(field) && with_field > plain, "{field:?}");
    let (value, with_value) = ask(coverage, peer, &["{\"op\": \"sync\"}"]);
    assert!(is_seldom(value) && with_value > with_field, "{value:?}");
    let (twice, _) = ask(coverage, peer, &["{\"op\": \"sync\"}"; 2]);
    assert!(is_seldom(twice), "{twice:?}");
    // The number is another where the compiler asks for more than 2 instead of 3 or more.
    let words = coverage.words();
    for word in [json!("op"), json!("sync")] {
        assert!(words.contains(&word), "{word} in {words:?}");
    }
}

/// A program that answers when it is asked for its version; `None`, said aloud, where there is none.
fn installed(program: &str, variable: &str) -> Option<()> {
    let output = Command::new(program).arg("--version").output();
    let found = output.map_err(|_| format!("there is no {program}"));
    needed(found.as_ref().map(|_| ()).map_err(String::as_str), variable)
}

/// Where nested.c and what `fuzz --runtime` prints were made a program by a compiler, as docs/FUZZING.md says.
fn compiled(compiler: &str, counts: &str, folder: &Path) -> PathBuf {
    let runtime = conformance().args(["fuzz", "--runtime"]).output().unwrap();
    fs::write(folder.join("framespec_cov.c"), runtime.stdout).unwrap();
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/nested.c");
    let run = |args: &[&str]| {
        let mut command = Command::new(compiler);
        let output = command.args(["-Wall", "-Wextra", "-Werror"]).args(args);
        let output = output.current_dir(folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{compiler} {args:?}: {said}");
    };
    let instrumented = format!("-fsanitize-coverage={counts},trace-cmp");
    run(&["-c", "framespec_cov.c"]);
    run(&[
        "-fno-builtin",
        &instrumented,
        "-c",
        server.to_str().unwrap(),
    ]);
    run(&["nested.o", "framespec_cov.o", "-pthread", "-o", "nested"]);
    folder.join("nested")
}

fn a_compiled_server_is_watched(compiler: &str, counts: &str) {
    if installed(compiler, "FRAMESPEC_REQUIRE_CC").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = compiled(compiler, counts, folder.path());
    let mut coverage = Coverage::open().unwrap();
    let peer = peers::start_command(Command::new(&program).envs(coverage.environment()));
    let how = coverage.attached().unwrap();
    assert_eq!(how, format!("SanitizerCoverage, {counts}"));
    each_condition_is_a_step(&mut coverage, &peer);
    // Without the variable it is a server as any other.
    let unwatched = Coverage::open().unwrap();
    let peer = peers::start_command(&mut Command::new(program));
    ask(&mut coverage, &peer, &["1"]);
    assert!(unwatched.attached().is_err());
}

#[test]
fn a_server_that_gcc_instruments_is_watched() {
    a_compiled_server_is_watched("gcc", "trace-pc");
}

#[test]
fn a_server_that_clang_instruments_is_watched() {
    a_compiled_server_is_watched("clang", "trace-pc-guard");
}

#[test]
fn a_server_for_node_is_watched() {
    if installed("node", "FRAMESPEC_REQUIRE_NODE").is_none() {
        return;
    }
    let mut coverage = Coverage::open().unwrap();
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/nested.mjs");
    let mut node = Command::new("node");
    node.arg(server).arg("--until-eof");
    let peer = peers::start_command(node.envs(coverage.environment()));
    let how = coverage.attached().unwrap();
    assert!(how.starts_with("blocks, Node.js "), "{how}");
    each_condition_is_a_step(&mut coverage, &peer);
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
    each_condition_is_a_step(&mut coverage, &peer);
    let words = coverage.words();
    assert!(words.contains(&json!(3)), "{words:?}");
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
