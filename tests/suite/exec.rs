//! `check --exec`: a server that is started, watched, started again and ended with all it has started.
#![cfg(target_os = "linux")]

use super::program::{GUARD, GUARD_OF_A_RUN, command, conformance};
use super::python;
use super::tables;
use framespec::event::{CaseResult, Event, Run, Verdict};
use framespec::profile::Profile;
use framespec::report::read_run;
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// A case that the tutorial's format gives nothing to ask.
const OWED_NONE: &str = "one-reply/behind-what-is-owed-none";

/// The reference server as a command.
fn served(options: &str) -> String {
    let program = env!("CARGO_BIN_EXE_conformance");
    format!("'{program}' serve --listen {{host}}:{{port}} {options}")
}

/// A peer in Python as a command; `None`, said aloud, without Python.
fn peer(script: &str) -> Option<String> {
    let peer = python::or_skip()?.peer_in_words("", script);
    Some(format!("{peer} --port {{port}}"))
}

/// A Python program that sees its port as `port`; `None`, said aloud, without Python.
fn program(program: &str) -> Option<String> {
    let program = format!("import sys; port = int(sys.argv[1])\n{program}");
    let words = python::or_skip()?.program_in_words(&program);
    Some(format!("{words} {{port}}"))
}

/// Runs `check --exec` to its end and gives the exit code, the report and what stands on stderr.
fn checked(exec: &str, args: &[&str]) -> (i32, Run, String) {
    checked_within("0", exec, args)
}

fn checked_within(within: &str, exec: &str, args: &[&str]) -> (i32, Run, String) {
    let output = conformance()
        .args(["check", "--within", within, "--format", "json"])
        .args(["--exec", exec])
        .args(args)
        .timeout(GUARD_OF_A_RUN)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let run = read_run(&text).unwrap_or_else(|error| panic!("{error}: {text:.200} {stderr}"));
    (output.status.code().unwrap(), run, stderr)
}

fn failed(run: &Run) -> Vec<&str> {
    let failed = run.results.iter().filter(|r| r.verdict == Verdict::Fail);
    failed.map(|result| result.id.as_str()).collect()
}

fn result<'a>(run: &'a Run, id: &str) -> &'a CaseResult {
    run.results.iter().find(|result| result.id == id).unwrap()
}

/// Processes that have not ended.
fn all() -> impl Iterator<Item = (procfs::process::Process, procfs::process::Stat)> {
    let all = procfs::process::all_processes().unwrap().flatten();
    all.filter_map(|process| {
        let stat = process.stat().ok()?;
        (stat.state != 'Z').then_some((process, stat))
    })
}

/// The group of the process that has this in its command line; not the checker, which has it too.
fn group_of(mark: &str) -> Option<i32> {
    let bears = |process: &procfs::process::Process| {
        let words = process.cmdline().unwrap_or_default();
        words.iter().any(|word| word.contains(mark)) && !words.iter().any(|word| word == "--exec")
    };
    let mut all = all();
    all.find(|(process, _)| bears(process))
        .map(|(_, stat)| stat.pgrp)
}

fn members(group: i32) -> usize {
    all().filter(|(_, stat)| stat.pgrp == group).count()
}

/// What no other process bears.
fn mark(name: &str) -> String {
    format!("exec-test-{name}-{}", std::process::id())
}

pub(crate) fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < GUARD, "{what}");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_server_that_is_started_here_is_checked_with_its_process() {
    let only = ["--run", "memory", "--run", "cpu", "--run", "descriptors"];
    let (exit, run, _) = checked(&served(""), &only);
    assert_eq!((exit, failed(&run)), (0, vec![]));
    let summary = run.finished.summary;
    assert_eq!((summary.skip, summary.error), (0, 0));
    let of_the_process = |slug: &str| only.contains(&slug);
    let there = tables::played(Profile::tutorial(), true)
        .filter(|case| of_the_process(case.clause().slug()));
    assert_eq!(summary.pass, there.count(), "{summary:?}");
    assert!(
        run.results[0].rerun.contains(" --exec '"),
        "{:?}",
        run.results[0].rerun
    );
}

#[test]
fn correct_servers_in_python_pass_with_their_process() {
    for script in ["correct.py", "correct_asyncio.py"] {
        let Some(exec) = peer(script) else { return };
        let (exit, run, _) = checked(&exec, &[]);
        assert_eq!((exit, failed(&run)), (0, vec![]), "{script}");
    }
}

/// Checks the server with that fault behind a shell, by the case that finds it.
fn is_found_behind_a_shell(fault: &str, case: &str) {
    let exec = format!("true && {}; true", served(&format!("--fault {fault}")));
    let (exit, run, _) = checked(&exec, &["--run", case]);
    assert_eq!((exit, failed(&run)), (1, vec![case]), "{fault}");
    // It was a suspicion first, and then gone into.
    let notes = run.results[0].evidence.as_ref().unwrap().timeline.len();
    assert!(notes > 3, "{fault}: {notes}");
}

/// A wrapper is looked through: what a child of a child holds is seen.
#[test]
fn what_a_process_spends_is_found_also_behind_a_shell() {
    thread::scope(|scope| {
        for (fault, case) in [
            ("undecodable-kept", "memory/undecodable"),
            ("unfinished-frame-polled", "cpu/unfinished"),
            ("sockets-kept", "descriptors/given-back"),
            ("threads-kept", "descriptors/threads"),
        ] {
            scope.spawn(move || is_found_behind_a_shell(fault, case));
        }
    });
}

#[test]
fn a_server_that_dies_is_started_again_and_the_culprits_are_named() {
    let exec = served("--fault deep-nesting-ends-the-server");
    let (exit, run, _) = checked(
        &exec,
        &[
            "--run",
            "nesting",
            "--run",
            "json-text",
            "--run",
            "one-reply",
            "--skip",
            OWED_NONE,
        ],
    );
    assert_eq!(exit, 1);
    assert_eq!(run.finished.broken_off, None);
    assert!(!failed(&run).is_empty());
    for result in &run.results {
        assert!(
            matches!(result.verdict, Verdict::Pass | Verdict::Fail),
            "{result:?}"
        );
        let is_culprit = result.clause == "nesting" && result.verdict == Verdict::Fail;
        assert_eq!(is_culprit, result.verdict == Verdict::Fail, "{}", result.id);
        if is_culprit {
            assert_eq!(result.detail, "the server exited with code 0");
        }
    }
}

/// It dies of each payload that is not JSON, with a signal and last words.
const MORTAL: &str = r#"
import json, os, signal, socketserver
class Client(socketserver.StreamRequestHandler):
    def handle(self):
        while len(header := self.rfile.read(4)) == 4:
            body = self.rfile.read(int.from_bytes(header, "big"))
            try:
                json.loads(body.rstrip(b"\0").decode())
            except ValueError:
                os.write(2, b"no \x1b[31mJSON\n")
                os.kill(os.getpid(), signal.SIGABRT)
            self.wfile.write(header + body)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 100
with Server(("127.0.0.1", port), Client) as server:
    server.serve_forever()
"#;

#[test]
fn signal_and_last_words_of_a_server_are_told() {
    let Some(exec) = program(MORTAL) else { return };
    let only = [
        "--run",
        "undecodable/bare-text",
        "--run",
        "concurrency/two",
        "--run",
        "one-reply/ten-in-turn",
    ];
    let (exit, run, _) = checked(&exec, &only);
    assert_eq!((exit, failed(&run)), (1, vec!["undecodable/bare-text"]));
    let culprit = result(&run, "undecodable/bare-text");
    assert_eq!(culprit.detail, "the server was ended by SIGABRT (signal 6)");
    let evidence = culprit.evidence.as_ref().unwrap();
    assert_eq!(evidence.stderr, "no \u{1b}[31mJSON");
    assert_eq!(run.finished.summary.skip, 0);
}

#[test]
fn a_server_that_hangs_is_started_again() {
    let exec = served("--fault reset-keeps-the-lock");
    let (exit, run, _) = checked(
        &exec,
        &[
            "--run",
            "reset/in-header",
            "--run",
            "concurrency/two",
            "--run",
            "one-reply",
            "--skip",
            OWED_NONE,
        ],
    );
    assert_eq!((exit, failed(&run)), (1, vec!["reset/in-header"]));
    let detail = &result(&run, "reset/in-header").detail;
    assert!(
        detail.as_str().contains("no longer serves anybody"),
        "{detail}"
    );
    assert_eq!(run.finished.summary.skip, 0);
}

#[test]
fn a_server_that_does_not_come_up_is_explained() {
    let told = |exec: &str, words: &[&str]| {
        let (exit, run, stderr) = checked(exec, &["--startup", "500ms"]);
        assert_eq!(exit, 3, "{exec}");
        assert!(run.finished.broken_off.is_some());
        assert_eq!(run.finished.summary.skip, run.results.len());
        for word in words {
            assert!(stderr.contains(word), "{exec}: {word:?} is not in {stderr}");
        }
        assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
    };
    told(
        "no-such-program-anywhere {port}",
        &["no-such-program-anywhere", "try: "],
    );
    told(
        "sh -c 'echo first >&2; printf \"\\033[31msecond\\n\" >&2; exit 9' {port}",
        &[
            "exited with code 9 before it listened",
            "\n  first\n",
            "[31msecond",
        ],
    );
    told("sleep 600 {port}", &["nothing listens on port", "500ms"]);
    told("kill -9 $$ # {port}", &["ended by SIGKILL (signal 9)"]);
}

#[test]
fn what_a_command_leaves_in_the_background_is_ended() {
    let mark = mark("background");
    let exec = format!("sh -c 'sleep 600; : {mark}' & sleep 0.3; exit 4 # {{port}}");
    let check = command()
        .args(["check", "--exec", &exec])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let group = until("it is not started", || group_of(&mark));
    let output = check.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr.contains("exited with code 4"), "{stderr}");
    assert_eq!(members(group), 0);
}

#[test]
fn commands_that_cannot_be_meant_are_refused() {
    let refused = |args: &[&str], word: &str| {
        let output = conformance().arg("check").args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr.contains(word), "{args:?}: {stderr}");
    };
    refused(&["--exec", "./server 7060"], "{port}");
    refused(&["--exec", "./server '{port}"], "quotation mark");
    refused(&["--exec", " "], "no program");
    refused(&["--exec", "./server {port}", "127.0.0.1:1"], "--exec");
    refused(&["--exec", "./server {port}", "--pid", "1"], "--pid");
    refused(&["--startup", "1s", "127.0.0.1:1"], "--exec");
}

/// Cares as little for SIGTERM as its child does.
const STUBBORN: &str = r#"
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "600"])
"#;

#[test]
fn nothing_is_left_of_a_server_that_does_not_end_when_it_is_told_to() {
    let mark = mark("stubborn");
    let stubborn = format!("# {mark}{STUBBORN}{MORTAL}");
    let Some(exec) = program(&stubborn) else {
        return;
    };
    let begun = Instant::now();
    let mut check = command()
        .args(["check", "--run", "persistence", "--exec", &exec])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let group = until("it is not started", || group_of(&mark));
    assert_eq!(check.wait().unwrap().code(), Some(0));
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "it got no time to end"
    );
    assert_eq!(members(group), 0);
}

/// On the way out by signals as well.
#[test]
fn nothing_is_left_when_the_check_is_interrupted() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mark = mark("interrupted");
        let exec = format!("{} & sleep 600; : {mark}", served(""));
        let mut check = command()
            .args([
                "check", "--within", "0", "--format", "jsonl", "--repeat", "1000", "--exec", &exec,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(check.stdout.take().unwrap()).lines();
        let begun = lines.find(|line| {
            line.as_ref()
                .is_ok_and(|line| line.contains("case-started"))
        });
        assert!(begun.is_some());
        let group = group_of(&mark).unwrap();
        // The shell, the server, and the one that sleeps.
        assert!(members(group) >= 3, "{}", members(group));
        let pid = rustix::process::Pid::from_child(&check);
        rustix::process::kill_process(pid, signal).unwrap();
        // Read on, so that it can write what it has to.
        lines.for_each(drop);
        assert_eq!(check.wait().unwrap().code(), Some(3), "{signal:?}");
        assert_eq!(members(group), 0, "{signal:?}");
    }
}

/// A server that gets so slow on each connection that not one case of those that ask a hundred times fits.
#[test]
fn a_run_ends_in_time_and_tells_what_did_not_fit() {
    let Some(exec) = program(&slow_from(20)) else {
        return;
    };
    let begun = Instant::now();
    let args = [
        "--run",
        "one-reply/single",
        "--run",
        "persistence",
        "--slow",
    ];
    let (code, run, stderr) = checked_within("12s", &exec, &args);
    assert!(begun.elapsed() < Duration::from_secs(40), "{stderr}");
    assert_eq!(code, 3, "{stderr}");
    let why = run.finished.broken_off.clone().unwrap();
    assert!(why.as_str().contains(", within 12s"), "{why}");
    let of = |id| run.results.iter().find(|result| result.id == id).unwrap();
    assert_eq!(of("one-reply/single").verdict, Verdict::Pass);
    let left_out = of("persistence/two-hundred");
    assert_eq!(left_out.verdict, Verdict::Skip);
    assert_eq!(left_out.detail, "not run: no time was left");
}

/// Nothing else was found, and nobody knows.
#[test]
fn what_there_was_no_time_to_confirm_is_no_pass() {
    let Some(exec) = doubling("", "threading.Event().wait(60)") else {
        return;
    };
    // It is waited for 2 s, and 4 s to confirm that.
    let args = ["--run", "one-reply/large", "--timeout", "2s"];
    let (code, run, stderr) = checked_within("5500ms", &exec, &args);
    let large = result(&run, "one-reply/large");
    assert_eq!(large.verdict, Verdict::Skip);
    assert!(
        large.detail.as_str().starts_with("not confirmed"),
        "{}",
        large.detail
    );
    assert_eq!(code, 3, "{stderr}");
    assert!(run.finished.broken_off.is_some());
}

/// An echoing server that takes 300 ms for each request of a connection from that one on.
fn slow_from(request: usize) -> String {
    format!(
        "import socket, threading, time
def serve(client):
    for count in range(1 << 30):
        header = client.recv(4, socket.MSG_WAITALL)
        if len(header) < 4: return
        body = client.recv(int.from_bytes(header, \"big\"), socket.MSG_WAITALL)
        time.sleep(0.3 if count >= {request} else 0)
        client.sendall(header + body)
server = socket.create_server((\"127.0.0.1\", port))
while True:
    threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()"
    )
}

#[test]
fn what_is_foretold_to_take_too_long_is_not_begun() {
    let Some(exec) = program(&slow_from(0)) else {
        return;
    };
    let args = [
        "--run",
        "one-reply/single",
        "--run",
        "pipelining/five-hundred",
    ];
    let (code, run, stderr) = checked_within("30s", &exec, &args);
    // What was not looked at passes nobody.
    assert_eq!(code, 3, "{stderr}");
    let told = run.finished.broken_off.as_ref().unwrap();
    assert!(told.as_str().contains("1 cases were not played"), "{told}");
    let of = |id| run.results.iter().find(|result| result.id == id).unwrap();
    assert_eq!(of("one-reply/single").verdict, Verdict::Pass);
    let left_out = of("pipelining/five-hundred");
    assert_eq!(left_out.verdict, Verdict::Skip);
    assert!(
        left_out
            .detail
            .as_str()
            .starts_with("not run: too long for 30s"),
        "{}",
        left_out.detail
    );
}

#[test]
fn deadlines_are_waited_for_side_by_side() {
    let exec = served("--frame-deadline 2s");
    let output = conformance()
        .args(["check", "--format", "jsonl", "--slow", "--exec", &exec])
        .args(["--run", "deadline/in-header", "--run", "deadline/in-body"])
        .assert()
        .success()
        .get_output()
        .clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let turns: Vec<&str> = events
        .filter_map(|event| match event {
            Event::CaseStarted { .. } => Some("started"),
            Event::CaseFinished(result) => {
                assert_eq!(result.verdict, Verdict::Pass);
                assert!(result.elapsed_ms >= 2_000, "{}", result.elapsed_ms);
                Some("finished")
            }
            _ => None,
        })
        .collect();
    assert_eq!(turns, ["started", "started", "finished", "finished"]);
}

/// A server for the tutorial's format that answers requests of several chunks twice once `doubles(served)` is true of how
/// many clients it has had; `begin` is what it does first.
fn doubling(begin: &str, doubles: &str) -> Option<String> {
    program(&format!(
        r#"
import json, os, signal, socket, threading
{begin}
served = 0
def whole(sock, octets):
    got = b""
    while len(got) < octets:
        piece = sock.recv(octets - len(got))
        if not piece: raise EOFError
        got += piece
    return got
def serve(sock):
    try:
        while True:
            length = int.from_bytes(whole(sock, 4), "big")
            if length > 1 << 27 or length % 60: return
            text = json.loads(whole(sock, length).rstrip(b"\0"))
            body = json.dumps("Respuesta asociada al mensaje " + str(text)).encode()
            body += b"\0" * (-len(body) % 60)
            reply = len(body).to_bytes(4, "big") + body
            sock.sendall(reply * (2 if length > 60 and {doubles} else 1))
    except (EOFError, OSError, ValueError):
        pass
    finally:
        sock.close()
listener = socket.create_server(("127.0.0.1", port), backlog=64)
while True:
    sock, _ = listener.accept()
    served += 1
    threading.Thread(target=serve, args=(sock,), daemon=True).start()
"#
    ))
}

const DOUBLED: [&str; 4] = ["--run", "one-reply", "--run", "persistence"];

/// Else a server would seem to be unstable that goes wrong with the clients that it has had.
#[test]
fn what_a_server_does_only_after_many_clients_is_a_failure() {
    let Some(exec) = doubling("", "served > 40") else {
        return;
    };
    let only = [
        "--run",
        "fidelity",
        "--run",
        "exact-fill",
        "--run",
        "padding",
    ];
    let (exit, run, _) = checked(&exec, &only);
    assert_eq!(exit, 1);
    assert_eq!(run.finished.summary.unstable, 0, "{:?}", run.finished);
    let at_first = " (not at a server that has just been started)";
    let failed = failed(&run);
    let mut failed = failed.iter().map(|id| &result(&run, id).detail);
    assert!(failed.any(|how| how.as_str().ends_with(at_first)));
}

/// A second of it does not start, or ends the first: neither is a mistake.
#[test]
fn a_server_of_which_there_can_be_only_one_is_checked_all_the_same() {
    let kept = tempfile::tempdir().unwrap();
    let file = kept.path().join("only-one");
    let file = file.display();
    let locked = format!(
        "import fcntl; lock = open({:?}, \"w\"); fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        format!("{file}")
    );
    let replaced = format!(
        "file = {:?}\ntry: os.kill(int(open(file).read()), signal.SIGKILL)\nexcept OSError: pass\nopen(file, \"w\").write(str(os.getpid()))",
        format!("{file}.pid")
    );
    for begin in [locked, replaced] {
        let Some(exec) = doubling(&begin, "True") else {
            return;
        };
        let (exit, run, stderr) = checked(&exec, &DOUBLED);
        assert_eq!(
            (
                exit,
                run.finished
                    .broken_off
                    .as_ref()
                    .map(framespec::lang::Text::as_str)
            ),
            (1, None),
            "{stderr}"
        );
        let large = [
            "one-reply/large",
            "one-reply/queued-before-a-close",
            "one-reply/queued-before-much-more",
        ];
        assert_eq!(failed(&run), large);
        assert_eq!(run.finished.summary.error, 0);
    }
}
