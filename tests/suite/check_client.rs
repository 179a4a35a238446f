//! `conformance check-client`: on our own clients, on one in Python that nobody of this crate's code
//! had a part in, on what the tutorial's does, and on single faults.

use crate::peers;
use crate::program::{GUARD_OF_A_RUN, command, conformance};
use crate::python::{self, Python};
use framespec::cases;
use framespec::event::{Run, Verdict};
use framespec::spec::{Clause, Role};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;

/// What is skipped where no limit is declared.
const OF_A_LIMIT: [&str; 2] = [
    "client-limit/at-the-declared-limit",
    "client-limit/over-the-declared-limit",
];

/// What is skipped of a client that waits for each reply.
const OF_TWO_REQUESTS: [&str; 6] = [
    "client-boundary/tail-with-next",
    "client-boundary/tail-with-next-header",
    "client-boundary/three-in-one-segment",
    "client-boundary/two-in-one-segment",
    "client-boundary/whole-with-half-a-header",
    "client-framing/in-a-row",
];

/// Checks a client; the report must be whole.
fn check(exec: &str, args: &[&str]) -> (Option<i32>, Run) {
    let output = conformance()
        .args([
            "check-client",
            "--within",
            "0",
            "--format",
            "json",
            "--exec",
            exec,
        ])
        .args(args)
        .timeout(GUARD_OF_A_RUN)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let run: Run = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no whole report of {exec}: {error}\n{stderr}"));
    assert_eq!(run.results.len(), run.started.selected, "{stderr}");
    (output.status.code(), run)
}

fn of(run: &Run, verdict: Verdict) -> Vec<String> {
    let results = run.results.iter().filter(|one| one.verdict == verdict);
    results
        .map(|one| format!("{}: {}", one.id, one.detail))
        .collect()
}

fn ids(run: &Run, verdict: Verdict) -> BTreeSet<String> {
    let results = run.results.iter().filter(|one| one.verdict == verdict);
    results.map(|one| one.id.clone()).collect()
}

/// All that was selected passes, but for these cases, which are skipped.
fn all_well<const SKIPPED: usize>(exec: &str, args: &[&str], skipped: [&str; SKIPPED]) {
    let (code, run) = check(exec, args);
    for verdict in Verdict::ALL {
        if !matches!(verdict, Verdict::Pass | Verdict::Skip) {
            assert_eq!(of(&run, verdict), [""; 0], "{exec}");
        }
    }
    assert_eq!(
        ids(&run, Verdict::Skip),
        BTreeSet::from(skipped.map(str::to_owned)),
        "{exec}"
    );
    assert_eq!(code, Some(0));
}

fn ours(arguments: &str) -> String {
    let program = shell_words::quote(env!("CARGO_BIN_EXE_conformance"));
    format!("{program} {arguments}")
}

#[test]
fn chat_passes() {
    all_well(&ours("chat {host}:{port}"), &[], OF_A_LIMIT);
}

#[test]
fn send_passes_with_a_limit_declared_and_in_the_other_format() {
    let send = ours("send {host}:{port} - --profile chunk-count --max-frame 64k");
    let args = ["--profile", "chunk-count", "--max-frame", "64k"];
    all_well(&send, &args, OF_TWO_REQUESTS);
}

/// Requests and replies differ in their headers there.
#[test]
fn chat_passes_where_replies_have_marks_of_their_own() {
    let output = conformance()
        .args(["check-client", "--within", "0", "--profile", "gearman"])
        .args(["--exec", &ours("chat {host}:{port} --profile gearman")])
        .timeout(GUARD_OF_A_RUN)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(" 46 pass"), "{told}");
}

#[test]
fn a_correct_client_passes() {
    if let Some(client) = peers::client("", "client_correct.py") {
        all_well(&format!("{client} {{host}} {{port}}"), &[], OF_A_LIMIT);
    }
}

/// It shows what it has read when it ends: what matters must be seen all the same.
#[test]
fn a_correct_client_whose_output_is_buffered_passes() {
    if let Some(client) = peers::client("-E", "client_correct.py") {
        let client = format!("{client} {{host}} {{port}} --one-by-one --buffered");
        let args = [
            "--run",
            "client-payload",
            "--run",
            "client-truncation",
            "--run",
            "client-close",
            "--run",
            "client-boundary/one-*",
        ];
        all_well(&client, &args, []);
    }
}

/// What each fault is found by, as the file of faults says.
fn faults() -> Option<(String, Vec<(String, String)>)> {
    let script = "client_faulty.py";
    let python = python::or_skip()?;
    let client = python.peer_in_words("", script);
    let list = python.peer(script).arg("--list").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let faults = list.lines().map(|line| {
        let (name, case) = line.split_once(' ').unwrap();
        (name.to_owned(), case.to_owned())
    });
    Some((client, faults.collect()))
}

#[test]
fn every_single_fault_is_found_by_a_case_of_its_own_clause() {
    let Some((client, faults)) = faults() else {
        return;
    };
    let names: BTreeSet<&String> = faults.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), faults.len());
    let clause = |case: &str| case.split_once('/').unwrap().0.to_owned();
    let clauses: BTreeSet<String> = faults.iter().map(|(_, case)| clause(case)).collect();
    let known: BTreeSet<String> = Role::Client
        .clauses()
        .map(|clause| clause.to_string())
        .collect();
    assert_eq!(clauses, known);
    let waiting = Mutex::new(faults);
    let missed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((name, case)) = waiting.lock().unwrap().pop() else {
                        return;
                    };
                    let exec = format!("{client} {{host}} {{port}} --fault {name}");
                    let args = ["--run", &case, "--timeout", "500ms", "--strict"];
                    let (code, run) = check(&exec, &args);
                    let result = &run.results[0];
                    let is_found = matches!(result.verdict, Verdict::Fail | Verdict::Warn)
                        && result.findings[0].clause == clause(&case);
                    if !is_found || code != Some(1) {
                        missed.lock().unwrap().push(format!("{name}: {result:#?}"));
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_the_tutorials_client_does_is_found() {
    let Some(client) = peers::client("", "client_tutorial_like.py") else {
        return;
    };
    let bad = [
        "client-reassembly/header-octet-by-octet",
        "client-reassembly/header-in-halves",
        "client-limit/two-gibibytes",
        "client-truncation/inside-the-header",
        "client-truncation/inside-the-padding",
        "client-close/after-the-reply",
    ];
    let good = [
        "client-framing/several-chunks",
        "client-padding/exact-fill",
        "client-text/quotes-and-backslashes",
        "client-payload/exact-fill",
        "client-undecodable/no-json",
        "client-patience/late-reply",
    ];
    let mut args = vec!["--timeout", "500ms"];
    for case in bad.iter().chain(&good) {
        args.extend(["--run", case]);
    }
    let (code, run) = check(&format!("{client} {{host}} {{port}}"), &args);
    assert_eq!(
        ids(&run, Verdict::Fail),
        BTreeSet::from(bad.map(str::to_owned))
    );
    assert_eq!(
        ids(&run, Verdict::Pass),
        BTreeSet::from(good.map(str::to_owned))
    );
    assert_eq!(code, Some(1));
    let spins = &run.results.iter().find(|one| one.id.ends_with("-padding"));
    let what: Vec<_> = spins.unwrap().findings.iter().map(|f| &f.what).collect();
    let is_busy = |what: &&framespec::lang::Text| what.as_str().contains("processor time");
    assert!(what.iter().any(is_busy), "{what:?}");
}

/// A client of the user's own, which is seen only by what it sends.
#[test]
fn a_client_that_connects_by_itself_is_judged_by_its_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("report");
    let mut checking = command()
        .args(["check-client", "--wait", "60s", "--timeout", "500ms"])
        .args(["--verbose", "--format", "human"])
        .args(["--format", &format!("json={}", saved.display())])
        .args(["--run", "client-reassembly", "--run", "client-truncation"])
        .args(["--run", "client-reset", "--run", "client-framing"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(checking.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    let rest = thread::spawn(move || lines.map(Result::unwrap).collect::<Vec<_>>());
    let begun = std::time::Instant::now();
    let status = loop {
        if let Some(status) = checking.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < GUARD_OF_A_RUN);
        // It ends when the connection does, or when the run is over and nobody listens any more.
        let sent = conformance()
            .args(["send", &address, "1", "2", "3", "4", "--timeout", "5s"])
            .output();
        sent.unwrap();
    };
    let report = rest.join().unwrap().join("\n");
    assert!(status.success(), "{report}");
    assert!(report.contains("shows no replies but follows"), "{report}");
    let unwrapped = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains("started by --exec"), "{report}");
    let run: Run = serde_json::from_slice(&std::fs::read(saved).unwrap()).unwrap();
    assert_eq!(ids(&run, Verdict::Skip), unseen_from_outside());
    let all_else = run.started.selected - unseen_from_outside().len();
    assert_eq!(run.finished.summary.pass, all_else, "{report}");
}

/// What is selected there and needs a client that is started, types lines, or sends requests ahead.
fn unseen_from_outside() -> BTreeSet<String> {
    let resets = cases::all(Role::Client).filter(|case| case.clause() == Clause::ClientReset);
    let of_lines = [
        "client-framing/characters-of-two-octets",
        "client-framing/long",
        "client-framing/several-chunks",
    ];
    let ahead = ["client-framing/in-a-row"];
    let resets = resets.map(|case| case.id.to_string());
    let others = of_lines.into_iter().chain(ahead).map(str::to_owned);
    resets.chain(others).collect()
}

#[test]
fn a_client_that_prints_nothing_of_replies_is_never_passed_on_them() {
    // It sends two requests whatever comes back, and says nothing.
    let silent = ours("chat {host}:{port} >/dev/null");
    let args = ["--run", "client-reassembly", "--run", "client-limit/two-*"];
    let (code, run) = check(&silent, &args);
    assert_eq!(code, Some(0));
    let skipped = of(&run, Verdict::Skip);
    let reason = "the client shows nothing";
    assert!(
        skipped.iter().all(|why| why.contains(reason)),
        "{skipped:?}"
    );
    let of_replies =
        cases::all(Role::Client).filter(|case| case.clause() == Clause::ClientReassembly);
    let of_replies: BTreeSet<_> = of_replies.map(|case| case.id.to_string()).collect();
    assert_eq!(ids(&run, Verdict::Skip), of_replies);
    let all_else = run.started.selected - of_replies.len();
    assert!(all_else > 0);
    assert_eq!(run.finished.summary.pass, all_else);
}

#[test]
fn where_there_is_no_client_that_is_said() {
    let refused = |exec: &str, code: i32, says: &str| {
        let output = conformance()
            .args(["check-client", "--wait", "300ms", "--exec", exec])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{exec}: {stderr}");
        assert!(stderr.contains(says), "{exec}: {stderr}");
    };
    refused("no-such-client-anywhere {port}", 3, "cannot start");
    refused("echo oh no >&2; exit 4 # {port}", 3, "oh no");
    refused("sleep 60 # {port}", 3, "no client connected within 300ms");
    refused("my-client 127.0.0.1 7060", 2, "{port}");
}

#[test]
fn what_cannot_be_is_a_usage_error() {
    for args in [
        &["--run", "reassembly"][..],
        &["--input", "x", "--input-none"],
        &["--reply", "no hole"],
        &["--jobs", "0"],
    ] {
        let run = conformance().arg("check-client").args(args).assert();
        run.code(2);
    }
}

#[test]
fn every_format_tells_of_a_client() {
    let folder = tempfile::tempdir().unwrap();
    let exec = ours("chat {host}:{port}");
    let mut checking = conformance();
    checking.args(["check-client", "--trace", "--run", "client-close"]);
    checking.args(["--exec", &exec]);
    let formats = [
        "json", "jsonl", "junit", "tap", "markdown", "html", "pcapng",
    ];
    for format in formats {
        let file = folder.path().join(format);
        checking
            .arg("--format")
            .arg(format!("{format}={}", file.display()));
    }
    checking.assert().success();
    for format in formats {
        let text = std::fs::read(folder.path().join(format)).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("client-close"), "{format}");
    }
    let schema = include_str!("../../docs/report.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let report = std::fs::read(folder.path().join("json")).unwrap();
    let report = serde_json::from_slice(&report).unwrap();
    assert!(validator.is_valid(&report));
}

#[test]
fn cases_are_listed_and_explained() {
    let listed = conformance()
        .args(["check-client", "--list"])
        .assert()
        .success();
    let listed = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
    for case in cases::all(Role::Client) {
        assert!(listed.contains(&case.id.to_string()));
    }
    let explained = conformance()
        .args(["explain", "client-boundary/tail-with-next"])
        .assert()
        .success();
    let explained = String::from_utf8(explained.get_output().stdout.clone()).unwrap();
    assert!(explained.contains("Clause client-boundary (MUST)"));
    assert!(explained.contains("What usually is behind a failure"));
}

/// Whatever a client sends or prints, the checker ends, and fails what it saw.
#[test]
fn clients_that_never_stop_are_borne() {
    let Some(client) = peers::client("", "client_hostile.py") else {
        return;
    };
    let modes = [
        ("floods", "client-close/at-once"),
        ("prints", "client-framing/first-request"),
        ("drips", "client-framing/first-request"),
        ("connects", "client-framing/first-request"),
        ("stays", "client-framing/first-request"),
    ];
    let bear = |mode: &str, case: &str| {
        let exec = format!("{client} {{host}} {{port}} {mode}");
        let patience = ["--timeout", "200ms", "--wait", "30s"];
        let only = ["--run", "client-framing", "--run", "client-close"];
        let (code, run) = check(&exec, &[patience, only].concat());
        assert_eq!(code, Some(1), "{mode}");
        let failed = ids(&run, Verdict::Fail);
        assert!(failed.contains(case), "{mode}: {failed:?}");
        assert_eq!(of(&run, Verdict::Error), [""; 0], "{mode}");
    };
    // They wait most of the time.
    std::thread::scope(|scope| {
        for (mode, case) in modes {
            let bear = &bear;
            scope.spawn(move || bear(mode, case));
        }
    });
}

/// Faults of which a plain server in Python tells as well as the checker does, each with a case.
const TOLD_IN_PYTHON: [(&str, &str); 6] = [
    ("short-header", "client-reassembly/header-in-halves"),
    ("one-read", "client-reassembly/body-in-halves"),
    ("first-of-a-read", "client-boundary/two-in-one-segment"),
    ("mute", "client-undecodable/empty-frame"),
    ("waits-for-the-rest", "client-truncation/behind-the-header"),
    ("ignores-reset", "client-reset/before-the-reply"),
];

/// What a case says when it is played by the server in Python that `show` makes of it.
fn told_in_python(python: Python, case: &str, client: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.script");
    let script = conformance().args(["explain", case, "--script"]).output();
    std::fs::write(&path, script.unwrap().stdout).unwrap();
    let mut show = conformance();
    let program = show
        .arg("show")
        .arg(&path)
        .args(["--as", "python"])
        .output();
    let mut server = assert_cmd::Command::from_std(python.command());
    server
        .args(["-", client])
        .write_stdin(program.unwrap().stdout)
        .timeout(GUARD_OF_A_RUN);
    let output = server.output().unwrap();
    assert!(output.status.success(), "{case}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_case_is_played_by_a_server_in_python_without_this_program() {
    let Some(python) = python::or_skip() else {
        return;
    };
    for (fault, case) in TOLD_IN_PYTHON {
        let correct = python.peer_in_words("", "client_correct.py");
        let told = told_in_python(python, case, &format!("{correct} {{host}} {{port}}"));
        assert!(!told.contains("GIVEN UP"), "{case}: {told}");
        let faulty = python.peer_in_words("", "client_faulty.py");
        let faulty = format!("{faulty} {{host}} {{port}} --fault {fault}");
        let told = told_in_python(python, case, &faulty);
        assert!(told.contains("GIVEN UP"), "{fault}: {told}");
    }
}
