//! Formats in which something is said on a connection before its first frame.

use super::program::{Served, said as run};
use super::python;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// The server speaks first, then the client, then the server again.
const GREETED: &str = r#"
    name = "greeted"
    length.width = 4
    header.before = "3f"
    replies.before = "21"
    limits.max_body = 65536
    exchange.prologue = ["server 68 69 ??", "client 01 02", "server frame"]
"#;

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn ours(arguments: &str) -> String {
    let program = shell_words::quote(env!("CARGO_BIN_EXE_conformance"));
    format!("{program} {arguments}")
}

/// The one script in a folder of saved ones.
fn saved(folder: &TempDir, name: &str) -> PathBuf {
    let mut files = fs::read_dir(folder.path().join(name)).unwrap();
    files.next().expect("a script").unwrap().path()
}

#[test]
fn a_server_is_checked_behind_its_prologue() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "greeted", GREETED);
    let served = Served::start(&["--profile", &profile]);
    let addr = served.addr.to_string();
    let (code, said) = run(&["check", &addr, "--profile", &profile, "--verbose"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("replies: echo"), "{said}");
    let (code, said) = run(&["send", &addr, "--profile", &profile, "[1]"]);
    assert_eq!((code, said.as_str()), (0, "[1]\n"));
}

#[test]
fn a_client_is_checked_behind_its_prologue() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "greeted", GREETED);
    for client in ["chat", "chat --variant waits-for-each-reply"] {
        let exec = ours(&format!("{client} {{host}}:{{port}} --profile {profile}"));
        let (code, said) = run(&["check-client", "--profile", &profile, "--exec", &exec]);
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn a_fault_behind_it_is_found_and_played_again() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "greeted", GREETED);
    let served = Served::start(&["--profile", &profile, "--fault", "empty-frame-ignored"]);
    let addr = served.addr.to_string();
    let scripts = folder.path().join("scripts");
    let case = [
        "--run",
        "empty-frame/alone",
        "--save",
        scripts.to_str().unwrap(),
    ];
    let check = [&["check", &addr, "--profile", &profile][..], &case].concat();
    let (code, said) = run(&check);
    assert_eq!(code, 1, "{said}");
    let script = saved(&folder, "scripts");
    let script = script.to_str().unwrap();
    assert_eq!(run(&["replay", script, &addr]).0, 1);
    let (_, hex) = run(&["show", script, "--as", "hex"]);
    assert!(hex.contains("begins with: server 68 69 ??"), "{hex}");
    let Some(python) = python::or_skip() else {
        return;
    };
    let (_, program) = run(&["show", script, "--as", "python"]);
    let program = file(&folder, "program.py", &program);
    let port = served.addr.port().to_string();
    let in_one = format!("127.0.0.1:{port}");
    for target in [&["127.0.0.1", port.as_str()][..], &[in_one.as_str()]] {
        let mut program_at = python.command();
        let output = program_at.arg(&program).args(target).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(
            told.contains("the server begins with b'hi\\x00'\n"),
            "{target:?}: {told}"
        );
        assert!(told.contains("given up: 0 of 1 replies"), "{told}");
        assert!(!told.contains("WRONG"), "{told}");
    }
}

/// The client has the last word.
const ASKED: &str = r#"
    name = "asked"
    length.width = 4
    limits.max_body = 65536
    exchange.prologue = ["server 68 69", "client 01 ??", "server 6f 6b", "client 03 04"]
"#;

/// A script of one request behind that beginning.
fn script(folder: &TempDir, name: &str, begin: &str) -> String {
    let text =
        format!("framespec script 1\nbegin a {begin}\nsend a 00000003 '[7]'\nawait a\nfin a\n");
    file(folder, name, &text)
}

#[test]
fn a_script_can_begin_rightly_and_wrongly() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "asked", ASKED);
    let served = Served::start(&["--profile", &profile]);
    let fooled = Served::start(&["--profile", &profile, "--fault", "prologue-not-compared"]);
    let played = |served: &Served, script: &str| {
        let addr = served.addr.to_string();
        run(&[
            "replay",
            script,
            &addr,
            "--profile",
            &profile,
            "--timeout",
            "1s",
        ])
    };
    for begin in ["01 | ff | 03 04", "01 00 03 | 04 +", "01 00 03 04 +"] {
        let right = script(&folder, "right", begin);
        for server in [&served, &fooled] {
            let (code, said) = played(server, &right);
            assert_eq!(code, 0, "{begin}: {said}");
        }
    }
    let wrong = script(&folder, "wrong", "01 00 03 05");
    let (code, said) = played(&served, &wrong);
    assert_eq!(code, 0, "{said}");
    let (code, said) = played(&fooled, &wrong);
    assert_eq!(code, 1, "{said}");
    let told = "a prologue with \"05\" where \"04\" belongs, at octet 3, and the request behind it was answered";
    assert!(said.replace("\n    ", " ").contains(told), "{said}");
}

#[test]
fn a_program_in_python_begins_as_the_script_does() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "asked", ASKED);
    let served = Served::start(&["--profile", &profile, "--fault", "prologue-not-compared"]);
    for (begin, is_answered) in [
        ("01 | 00 03 04 +", true),
        ("05 00 | 03 04", true),
        ("01", false),
    ] {
        let script = script(&folder, "script", begin);
        let show = ["show", &script, "--profile", &profile, "--as", "python"];
        let program = file(&folder, "program.py", &run(&show).1);
        let mut program_at = python.command();
        let target = served.addr.to_string();
        let output = program_at.arg(&program).arg(target).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let mut lines = told.lines();
        let came = lines.any(|line| line.contains("<-") && line.contains("[7]"));
        assert_eq!(came, is_answered, "{begin}: {told}");
    }
}

#[test]
fn what_came_instead_is_told_and_nothing_is_checked() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "greeted", GREETED);
    let other = GREETED.replace("68 69", "68 6f");
    let other = file(&folder, "other", &other);
    let served = Served::start(&["--profile", &other]);
    let addr = served.addr.to_string();
    for (command, message) in [("check", &[][..]), ("send", &["1"])] {
        let args = [&[command, &addr, "--profile", &profile][..], message].concat();
        let (code, said) = run(&args);
        assert_eq!(code, 3, "{said}");
        let told = "the prologue has `server 68 69 ??`, and what came is 68 6f";
        assert!(said.contains(told), "{said}");
        assert!(said.contains("exchange.prologue"), "{said}");
    }
    let exec = ours("chat {host}:{port} --profile u32-be");
    let args = [
        "check-client",
        "--profile",
        &profile,
        "--timeout",
        "1s",
        "--exec",
        &exec,
    ];
    let (code, said) = run(&args);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("has `client 01 02`, and what came is"),
        "{said}"
    );
}
