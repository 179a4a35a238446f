//! The program over other transports than TCP: the reference server served and checked over each, and what
//! is said where that cannot be.

use super::program::{Served, conformance};
use framespec::event::{Run, Verdict};
use framespec::report::read_run;
use rustix::process::Signal;
use std::path::Path;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance");

/// Runs the program with these arguments; its exit code, what it printed, and what it said beside that.
fn run(args: &[&str], input: &str) -> (i32, String, String) {
    let output = conformance()
        .args(args)
        .write_stdin(input)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn checked(args: &[&str]) -> (i32, Run) {
    let (code, stdout, stderr) = run(&[&["check", "--format", "json"], args].concat(), "");
    let read = read_run(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout:.200} {stderr}"));
    (code, read)
}

fn with(run: &Run, verdict: Verdict) -> Vec<&str> {
    let wanted = run.results.iter();
    let wanted = wanted.filter(|result| result.verdict == verdict);
    wanted.map(|result| result.id.as_str()).collect()
}

/// Nothing is found, and much was looked at.
fn is_clean(args: &[&str]) -> Run {
    let (code, run) = checked(args);
    assert_eq!((code, with(&run, Verdict::Fail)), (0, vec![]), "{args:?}");
    assert_eq!(with(&run, Verdict::Warn), [""; 0], "{args:?}");
    assert!(
        run.finished.summary.pass > 150,
        "{:?}",
        run.finished.summary
    );
    run
}

/// What [`FAULT`] does is found, and nothing before it.
fn is_found_out(args: &[&str]) {
    let (code, run) = checked(&[args, &["--run", "reassembly"]].concat());
    assert_eq!(code, 1, "{args:?}");
    assert!(!with(&run, Verdict::Fail).is_empty());
}

/// It reads a header with one call, and takes whatever that brings for all of it.
const FAULT: &str = "header-in-one-read";

fn socket(folder: &TempDir) -> String {
    format!("unix:{}", folder.path().join("a.sock").display())
}

#[test]
fn a_unix_socket_is_served_and_checked() {
    let folder = TempDir::new().unwrap();
    let path = socket(&folder);
    let served = Served::at(&path, &[]);
    assert_eq!(served.addr, path);
    let found = is_clean(&[&path]);
    let skipped = with(&found, Verdict::Skip);
    let results = found.results.iter();
    let told = results.filter(|result| result.detail == "a unix socket cannot be reset");
    assert!(told.clone().count() > 3);
    assert!(
        told.into_iter()
            .all(|result| skipped.contains(&&*result.id))
    );

    let (code, stdout, _) = run(&["send", &path, "[1]", "2"], "");
    assert_eq!((code, stdout.as_str()), (0, "[1]\n2\n"));
    let (code, stdout, _) = run(&["chat", &path], "hello\n");
    assert_eq!((code, stdout.as_str()), (0, "\"hello\"\n"));
    let (code, _, stderr) = run(
        &["chat", &path, "--fault", "request-length-in-other-order"],
        "",
    );
    assert_eq!(code, 2, "{stderr}");
    let found_in = folder.path().join("found").display().to_string();
    let (code, stdout, stderr) = run(&["fuzz", &path, "--runs", "60", "--out", &found_in], "");
    assert_eq!(code, 0, "{stdout} {stderr}");

    served.signal(Signal::TERM);
    assert!(served.wait().0.success());
    assert!(!Path::new(path.strip_prefix("unix:").unwrap()).exists());
}

#[test]
fn a_fault_is_found_over_a_unix_socket_and_replayed_there() {
    let folder = TempDir::new().unwrap();
    let path = socket(&folder);
    let _served = Served::at(&path, &["--fault", FAULT]);
    is_found_out(&[&path]);
    let saved = folder.path().join("saved").display().to_string();
    let (code, ..) = run(
        &["check", &path, "--run", "reassembly", "--save", &saved],
        "",
    );
    assert_eq!(code, 1);
    let (code, stdout, stderr) = run(&["replay", &saved, &path], "");
    assert_eq!(code, 1, "{stdout} {stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_unix_socket_without_a_file_is_served_and_checked() {
    let name = format!("unix:@framespec-suite-{}", std::process::id());
    let _served = Served::at(&name, &[]);
    is_clean(&[&name]);
}

/// The reference server, to be started for each connection.
fn on_stdio(options: &str) -> String {
    format!("'{PROGRAM}' serve --listen stdio: {options}")
}

#[test]
fn a_server_on_standard_input_and_output_is_checked() {
    let command = on_stdio("");
    let run = is_clean(&["--exec", &command, "stdio:"]);
    let reasons = [
        "standard input and output cannot be reset",
        "each connection has a process of its own",
    ];
    for reason in reasons {
        assert!(
            run.results.iter().any(|result| result.detail == reason),
            "{reason}"
        );
    }
}

#[test]
fn a_fault_is_found_on_standard_input_and_output_and_replayed_there() {
    let folder = TempDir::new().unwrap();
    let command = on_stdio(&format!("--fault {FAULT}"));
    is_found_out(&["--exec", &command, "stdio:"]);
    let saved = folder.path().join("saved").display().to_string();
    let what = ["--run", "reassembly", "--save", &saved];
    let (code, ..) = run(
        &[&["check", "--exec", &command, "stdio:"], &what[..]].concat(),
        "",
    );
    assert_eq!(code, 1);
    let (code, stdout, stderr) = run(&["replay", &saved, "--exec", &command, "stdio:"], "");
    assert_eq!(code, 1, "{stdout} {stderr}");
    let (code, stdout, stderr) = run(&["replay", &saved, "--exec", &on_stdio(""), "stdio:"], "");
    assert_eq!(code, 0, "{stdout} {stderr}");
    let (code, _, stderr) = run(
        &[
            "fuzz",
            "--exec",
            &on_stdio(""),
            "stdio:",
            "--runs",
            "20",
            "--out",
            &saved,
        ],
        "",
    );
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn a_command_that_serves_nobody_is_told() {
    let of = |command: &str| run(&["check", "--exec", command, "stdio:"], "");
    let (code, _, stderr) = of("/no/such/program");
    assert_eq!(code, 3);
    assert!(stderr.contains("did not start"), "{stderr}");
    let (code, _, stderr) = of("echo 'no licence' >&2; exit 7");
    assert_eq!(code, 3);
    assert!(stderr.contains("7 before anything was asked"), "{stderr}");
    assert!(stderr.contains("no licence"), "{stderr}");
    for (wrong, why) in [
        (&["check", "stdio:"][..], "--exec COMMAND stdio:"),
        (
            &["check", "--exec", "cat", "localhost:1"],
            "cannot be used with",
        ),
        (&["check", "--exec", "cat"], "{port}"),
        (
            &["send", "stdio:", "1"],
            "give host:port, tls:host:port, udp:host:port or unix:PATH",
        ),
    ] {
        let (code, _, stderr) = run(wrong, "");
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(why), "{stderr}");
    }
}

const OVER_TLS: &str = "tls:127.0.0.1:0";

#[test]
fn a_server_over_tls_is_served_and_checked() {
    let served = Served::at(OVER_TLS, &[]);
    assert!(served.addr.starts_with("tls:127.0.0.1:"), "{}", served.addr);
    is_clean(&[&served.addr, "--insecure"]);
    let folder = TempDir::new().unwrap();
    let found_in = folder.path().join("found").display().to_string();
    let fuzz = [
        "fuzz",
        &served.addr,
        "--insecure",
        "--runs",
        "40",
        "--out",
        &found_in,
    ];
    let (code, stdout, stderr) = run(&fuzz, "");
    assert_eq!(code, 0, "{stdout} {stderr}");
    let (code, stdout, _) = run(&["chat", &served.addr, "--insecure"], "hello\n");
    assert_eq!((code, stdout.as_str()), (0, "\"hello\"\n"));
}

#[test]
fn a_fault_is_found_over_tls_and_replayed_there() {
    let folder = TempDir::new().unwrap();
    let served = Served::at(OVER_TLS, &["--fault", FAULT]);
    is_found_out(&[&served.addr, "--insecure"]);
    let saved = folder.path().join("saved").display().to_string();
    let check = [
        "check",
        &served.addr,
        "--insecure",
        "--run",
        "reassembly",
        "--save",
        &saved,
    ];
    assert_eq!(run(&check, "").0, 1);
    let (code, stdout, stderr) = run(&["replay", &saved, &served.addr, "--insecure"], "");
    assert_eq!(code, 1, "{stdout} {stderr}");
}

/// A certificate for `localhost` and the key to it, as files.
fn certificate(folder: &TempDir) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let put = |name: &str, pem: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let cert = put("cert.pem", made.cert.pem());
    (cert, put("key.pem", made.signing_key.serialize_pem()))
}

#[test]
fn a_certificate_is_taken_from_whoever_is_trusted() {
    let folder = TempDir::new().unwrap();
    let (cert, key) = certificate(&folder);
    let served = Served::at(OVER_TLS, &["--cert", &cert, "--key", &key]);
    let sent = |options: &[&str]| run(&[&["send", &served.addr, "1"], options].concat(), "");

    let (code, _, stderr) = sent(&[]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("certificate"), "{stderr}");
    assert!(stderr.contains("--ca FILE"), "{stderr}");
    let (code, _, stderr) = sent(&["--ca", &cert]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("--servername NAME"), "{stderr}");
    let (code, stdout, stderr) = sent(&["--ca", &cert, "--servername", "localhost"]);
    assert_eq!((code, stdout.as_str()), (0, "1\n"), "{stderr}");
    let (code, _, stderr) = run(&["check", &served.addr], "");
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("--ca FILE"), "{stderr}");

    let (code, _, stderr) = sent(&["--ca", &key]);
    assert!(
        code == 2 && stderr.contains("no certificate in it"),
        "{stderr}"
    );
    let (other, _) = certificate(&TempDir::new().unwrap());
    for wrong in [&["--ca", &other][..], &["--ca", &cert, "--insecure"]] {
        let (code, _, stderr) = sent(wrong);
        assert_eq!(code, 2, "{stderr}");
    }
}

#[test]
fn what_is_for_tls_alone_is_refused_elsewhere() {
    let folder = TempDir::new().unwrap();
    let (cert, key) = certificate(&folder);
    let (_, other) = certificate(&TempDir::new().unwrap());
    for wrong in [
        &["send", "localhost:1", "1", "--insecure"][..],
        &["check", "localhost:1", "--servername", "a"],
        &["serve", "--cert", &cert, "--key", &key],
        &["serve", "--listen", OVER_TLS, "--cert", &cert],
        &[
            "serve", "--listen", OVER_TLS, "--cert", &cert, "--key", &other,
        ],
        &["serve", "--listen", OVER_TLS, "--cert", &key, "--key", &key],
    ] {
        let (code, _, stderr) = run(wrong, "");
        assert_eq!(code, 2, "{wrong:?} {stderr}");
    }
}

#[test]
fn what_is_wrong_with_a_unix_socket_is_told() {
    let folder = TempDir::new().unwrap();
    let path = socket(&folder);
    for command in [&["check", &path][..], &["send", &path, "1"]] {
        let (code, _, stderr) = run(command, "");
        assert_eq!(code, 3, "{stderr}");
        assert!(stderr.contains("there is no such socket"), "{stderr}");
        assert!(stderr.contains(&path), "{stderr}");
    }
    let gone = folder.path().join("gone.sock");
    drop(std::os::unix::net::UnixListener::bind(&gone).unwrap());
    let gone = format!("unix:{}", gone.display());
    let (code, _, stderr) = run(&["send", &gone, "1"], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("nothing listens there"), "{stderr}");
    let _served = Served::at(&gone, &[]);
    let (code, _, stderr) = run(&["serve", "--listen", &gone], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("a path that is not taken"), "{stderr}");
    for (wrong, why) in [("unix:", "no path in it"), ("/run/a.sock", "unix:PATH")] {
        let (code, _, stderr) = run(&["check", wrong], "");
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(why), "{stderr}");
    }
}
