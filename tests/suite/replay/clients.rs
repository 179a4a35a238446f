//! Reproducers of what clients fail, and which peer a file is played at.

use super::{SCRIPT, folder, run, said, str, write};
use crate::program::Served;
use std::fs;
use std::path::Path;
use std::thread;

/// The program's own client, behaving as that option says.
fn chat(option: &str) -> String {
    let program = shell_words::quote(env!("CARGO_BIN_EXE_conformance"));
    format!("{program} chat {option} {{host}}:{{port}}")
}

/// What a case saves of a client with that fault, made as small as it gets.
fn saved_of_client(fault: &str, case: &str, folder: &Path) -> String {
    let client = chat(&format!("--fault {fault}"));
    let (code, stdout, stderr) = run(&[
        "check-client",
        "--exec",
        &client,
        "--run",
        case,
        "--save",
        str(folder),
        "--minimise",
    ]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    let name = format!("{}.min.script", case.replace('/', "."));
    fs::read_to_string(folder.join(name)).unwrap_or_else(|_| panic!("{stderr}"))
}

/// Faults of clients, each with a case that it fails.
const FAULTS: [(&str, &str); 3] = [
    (
        "reply-cut-at-the-first-pad-octet",
        "client-payload/pad-octet-inside",
    ),
    (
        "half-a-reply-is-a-reply",
        "client-truncation/inside-the-padding",
    ),
    ("garbage-ends-the-reader", "client-undecodable/no-json"),
];

#[test]
fn what_a_client_fails_is_saved_made_smaller_and_fails_again() {
    thread::scope(|scope| {
        for (fault, case) in FAULTS {
            scope.spawn(move || fails_again(fault, case));
        }
    });
}

fn fails_again(fault: &str, case: &str) {
    let folder = folder();
    let smaller = saved_of_client(fault, case, folder.path());
    assert!(smaller.contains("side server"), "{smaller}");
    let (_, again) = said(&smaller, "replay").split_once("--exec").unwrap();
    let client = chat(&format!("--fault {fault}"));
    assert_eq!(again.trim(), shell_words::quote(&client));

    let files = str(folder.path());
    let (code, stdout, _) = run(&["replay", files, "--exec", &client]);
    assert_eq!(code, 1, "{stdout}");
    let failed = stdout.lines().filter(|line| line.starts_with("FAIL "));
    assert_eq!(failed.count(), 2, "{stdout}");
    let (code, stdout, _) = run(&["replay", files, "--exec", &chat("")]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("2 pass"), "{stdout}");
}

#[test]
fn one_command_is_not_started_as_server_and_as_client() {
    let folder = folder();
    let server = write(&folder, "a", SCRIPT);
    let client = write(&folder, "b", "framespec script 1\nside server\nopen a\n");
    let exec = chat("");
    let (code, _, stderr) = run(&["replay", str(folder.path()), "--exec", &exec]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("is meant for a server and the other for a client"),
        "{stderr}"
    );

    // Where it was said who is played at, what is meant for the other is left out.
    let served = Served::start(&[]);
    let target = served.addr.to_string();
    let (code, stdout, _) = run(&["replay", str(&server), str(&client), &target]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("1 pass, 1 skip"), "{stdout}");
    let program = shell_words::quote(env!("CARGO_BIN_EXE_conformance"));
    let serve = format!("{program} serve --listen {{host}}:{{port}}");
    let (code, stdout, _) = run(&["replay", str(&server), "--exec", &serve]);
    assert_eq!(code, 0, "{stdout}");
}
