//! Formats in which an exchange is more than a frame for a frame, or a connection is there for one.

use super::program::{Served, said as run};
use super::python;
use std::fs;
use tempfile::TempDir;

/// A reply is ended by a frame that begins with `Z`, of which the format leaves the first octet free.
const LONG: &str = r#"
    name = "long"
    length.width = 4
    header.before = "51"
    replies.before = "??=44"
    replies.last = "5a"
    limits.max_body = 65536
    exchange.prologue = ["client 01 02", "server reply"]
"#;

/// A connection is there for one request.
const ONE: &str = r#"
    name = "one"
    length.width = 4
    limits.max_body = 65536
    exchange.requests_per_connection = 1
"#;

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn checked(served: &Served, profile: &str, more: &[&str]) -> (i32, String) {
    let addr = served.addr.to_string();
    let plain = ["check", &addr, "--profile", profile, "--timeout", "1s"];
    run(&[&plain, more].concat())
}

#[test]
fn replies_of_several_frames_are_read_as_one() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "long", LONG);
    let served = Served::start(&["--profile", &profile]);
    let (code, said) = checked(
        &served,
        &profile,
        &["--run", "fidelity", "--run", "order", "--verbose"],
    );
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("replies: echo"), "{said}");
    let parts = Served::start(&["--profile", &profile, "--variant", "replies-in-many-frames"]);
    for server in [&served, &parts] {
        let addr = server.addr.to_string();
        let sent = ["send", &addr, "--profile", &profile, "[1, 22, 333]"];
        assert_eq!(run(&sent), (0, "[1, 22, 333]\n".to_owned()));
    }
    let fault = "last-frame-twice-if-another-waits";
    let served = Served::start(&["--profile", &profile, "--fault", fault]);
    assert_eq!(checked(&served, &profile, &["--run", "pipelining"]).0, 1);
}

#[test]
fn a_program_in_python_counts_replies_and_not_their_frames() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "long", LONG);
    let served = Served::start(&["--profile", &profile, "--variant", "replies-in-many-frames"]);
    let script = "framespec script 1\nopen a\nsend a 51 00000003 '[7]' 51 00000001 '1'\nawait a\n";
    let script = file(&folder, "script", script);
    let show = ["show", &script, "--profile", &profile, "--as", "python"];
    let program = file(&folder, "program.py", &run(&show).1);
    let mut program_at = python.command();
    let target = served.addr.to_string();
    let output = program_at.arg(&program).arg(target).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.matches("<- a frame").count() > 6, "{told}");
    assert!(
        !told.contains("given up") && !told.contains("WRONG"),
        "{told}"
    );
}

#[test]
fn a_connection_for_one_request_is_no_fault_where_it_is_said() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "one", ONE);
    let served = Served::start(&["--profile", &profile]);
    let (code, said) = checked(&served, &profile, &["--verbose"]);
    assert_eq!(code, 0, "{said}");
    let why = "a connection of this profile is there for fewer requests";
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(why), "{said}");
    let passed = said.lines().last().unwrap();
    let passed = passed
        .split(", ")
        .find_map(|part| part.strip_suffix(" pass"));
    let passed: usize = passed.unwrap().parse().unwrap();
    assert!(passed > 130, "{said}");
    let plain = file(
        &folder,
        "plain",
        &ONE.replace("exchange.requests_per_connection = 1", ""),
    );
    let (code, said) = checked(&served, &plain, &["--run", "persistence/two-hundred"]);
    assert_eq!(code, 1, "{said}");
}

#[test]
fn faults_are_found_where_a_connection_is_there_for_one_request() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "one", ONE);
    for (fault, case) in [
        ("header-in-one-read", "reassembly/header-in-two"),
        ("empty-frame-ignored", "empty-frame/alone"),
        ("undecodable-ends-the-client", "undecodable"),
        ("truncation-never-closed", "truncation"),
    ] {
        let served = Served::start(&["--profile", &profile, "--fault", fault]);
        let (code, said) = checked(&served, &profile, &["--run", case]);
        assert_eq!(code, 1, "{fault}: {said}");
    }
}

/// What else is right with it is told from that: each request has a connection of its own.
#[test]
fn a_server_that_closes_after_one_reply_is_told_of_that_and_judged_for_the_rest() {
    let served = Served::start(&["--fault", "closes-after-one-reply"]);
    let (code, said) = checked(&served, "tutorial", &[]);
    assert_eq!(code, 1, "{said}");
    let named = "\n1. The connection is closed after one reply\n   closes-after-one-reply,";
    assert!(said.contains(named), "{said}");
    assert!(
        said.contains("\n1 cause of ") && said.contains(": all that failed is explained"),
        "{said}"
    );
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "blocked: it needs a connection for more than one request";
    assert!(words.contains(why), "{said}");
    assert!(said.lines().count() < 60, "{said}");
}
