//! Formats with an index in front of each chunk: our own server and client, one in Python, and the mistakes that people
//! make in it.

use super::program::{Served, said as run};
use super::{peers, python};

const SCRIPT: &str = "blocks.py";

#[test]
fn our_server_and_client_keep_every_clause_of_them() {
    for profile in ["blocks-60", "blocks-36", "blocks-25"] {
        let named = ["--profile", profile, "--max-frame", "1M"];
        let served = Served::start(&named);
        let addr = served.addr.to_string();
        let (code, said) = run(&[&["check", &addr][..], &named].concat());
        assert_eq!(code, 0, "{said}");
        let (code, said) = run(&["send", &addr, "--profile", profile, "[1]"]);
        assert_eq!((code, said.as_str()), (0, "[1]\n"));
    }
    let program = shell_words::quote(env!("CARGO_BIN_EXE_conformance"));
    let exec = format!("{program} chat {{host}}:{{port}} --profile blocks-25");
    let (code, said) = run(&["check-client", "--profile", "blocks-25", "--exec", &exec]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_correct_server_in_python_is_clean() {
    // A block at a time is slow in Python, so that bodies are not as large as they could be.
    let small = ["--max-body", "65536"];
    let is_clean = |profile: &str, args: &[&str]| {
        let Some(server) = peers::start(SCRIPT, &[args, &small].concat()) else {
            return;
        };
        let addr = server.address.to_string();
        // Beside all other tests it takes as long as it takes.
        let all = ["check", "--within", "0", "--max-frame", "64k"];
        let (code, said) = run(&[&all[..], &["--profile", profile, &addr]].concat());
        assert_eq!(code, 0, "{said}");
    };
    let other = ["--block", "25", "--width", "3"];
    std::thread::scope(|scope| {
        scope.spawn(|| is_clean("blocks-60", &[]));
        scope.spawn(|| is_clean("blocks-25", &other));
    });
}

#[test]
fn each_mistake_is_found_by_a_case_that_is_about_it() {
    let Some(python) = python::or_skip() else {
        return;
    };
    for (mistake, case) in [
        ("other-order", "chunk-index/each-count"),
        ("from-zero", "chunk-index/each-count"),
        // Nothing can be told from its replies but that they are all the same.
        ("not-stripped", "fidelity/not-one-reply-for-all"),
        ("not-checked", "chunk-index/swapped"),
        ("one-octet", "chunk-index/more-than-255"),
        ("goes-on", "chunk-index/each-count"),
    ] {
        let server = peers::start_with(python, SCRIPT, &["--mistake", mistake]);
        let addr = server.address.to_string();
        let check = ["check", &addr, "--profile", "blocks-60", "--run", case];
        let (code, said) = run(&check);
        assert_eq!(code, 1, "{mistake}: {said}");
        assert!(said.contains(case), "{mistake}: {said}");
    }
}

/// A saved script shows each index apart from payload and padding, and a Python program that replays it knows where
/// frames end.
#[test]
fn what_is_shown_of_a_script_tells_indexes_from_payload() {
    let Some(server) = peers::start(SCRIPT, &["--mistake", "not-checked"]) else {
        return;
    };
    let addr = server.address.to_string();
    let folder = tempfile::TempDir::new().unwrap();
    let scripts = folder.path().join("scripts");
    let save = ["--save", scripts.to_str().unwrap()];
    let case = ["--run", "chunk-index/behind-requests"];
    let check = [
        &["check", &addr, "--profile", "blocks-60"][..],
        &case,
        &save,
    ]
    .concat();
    let (code, said) = run(&check);
    assert_eq!(code, 1, "{said}");
    let mut files = std::fs::read_dir(&scripts).unwrap();
    let script = files.next().expect("a script").unwrap().path();
    let script = script.to_str().unwrap();
    let (_, hex) = run(&["show", script, "--as", "hex"]);
    assert!(hex.contains("index of a chunk"), "{hex}");
    let (_, text) = run(&["show", script, "--as", "python"]);
    let program = folder.path().join("program.py");
    std::fs::write(&program, text).unwrap();
    let python = python::or_skip().expect("it was there a moment ago");
    let output = python.command().arg(&program).arg(&addr).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("<- a frame: b'\\x00\\x00"), "{told}");
    assert!(!told.contains("no whole frame"), "{told}");
}
