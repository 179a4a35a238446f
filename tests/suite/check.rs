//! `conformance check`, `list` and `explain` as a user meets them.

use super::program::{Served, command, conformance};
use super::tables;
use framespec::cases;
use framespec::event::{Event, Run, Verdict};
use framespec::profile::{DEFAULT_MAX_BODY, Profile};
use framespec::report::read_run;
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Runs `check` with these arguments and `--format json`; its exit code and its report.
fn checked(args: &[&str]) -> (i32, Run) {
    let output = conformance()
        .arg("check")
        .args(args)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let run = read_run(&text).unwrap_or_else(|error| panic!("{error}: {text:.200} {stderr}"));
    (output.status.code().unwrap(), run)
}

fn with(run: &Run, verdict: Verdict) -> Vec<&str> {
    let wanted = run
        .results
        .iter()
        .filter(|result| result.verdict == verdict);
    wanted.map(|result| result.id.as_str()).collect()
}

#[test]
fn the_embedded_server_passes() {
    let (exit, run) = checked(&[]);
    assert_eq!(with(&run, Verdict::Fail), [""; 0]);
    assert_eq!(exit, 0);
    let summary = run.finished.summary;
    // Of our own server the limit is known.
    let declared = Profile::tutorial().with_max_body(DEFAULT_MAX_BODY).unwrap();
    let due = tables::played(declared, false).count();
    assert_eq!(summary.pass, due, "{summary:?}");
    assert_eq!((summary.warn, summary.error), (0, 0));
    let unchecked: Vec<&str> = run
        .finished
        .clauses_unchecked
        .iter()
        .map(|clause| clause.clause.as_str())
        .collect();
    assert_eq!(unchecked, ["deadline", "memory", "cpu", "descriptors"]);
}

#[test]
fn a_server_is_judged_by_the_profile_that_it_speaks() {
    let served = Served::start(&["--profile", "chunk-count"]);
    let target = served.addr.to_string();
    let (exit, run) = checked(&[&target, "--profile", "chunk-count"]);
    assert_eq!((exit, with(&run, Verdict::Fail)), (0, vec![]));

    let begun = Instant::now();
    let (exit, run) = checked(&[&target]);
    assert_eq!(
        (exit, with(&run, Verdict::Fail)),
        (1, vec!["one-reply/single"])
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    let broken_off = run.finished.broken_off.unwrap();
    assert!(
        broken_off.as_str().contains("--profile chunk-count"),
        "{broken_off}"
    );
}

/// What says little does not pass for that, unless it is said that it is meant.
#[test]
fn requests_and_replies_may_differ_in_their_headers() {
    let served = Served::start(&["--profile", "gearman"]);
    let addr = served.addr.to_string();
    let (exit, run) = checked(&[&addr, "--profile", "gearman"]);
    assert_eq!(with(&run, Verdict::Fail), [""; 0]);
    assert_eq!(exit, 0);
    assert!(with(&run, Verdict::Pass).contains(&"length-prefix/octets-of-replies"));
}

#[test]
fn one_reply_for_all_is_no_pass_and_no_reply_is_none_at_all() {
    let said_the_same = |run: &Run| {
        let of_fidelity = |id: &str| id.starts_with("fidelity/");
        let mut results = run.results.iter().filter(|result| of_fidelity(&result.id));
        results.any(|result| {
            result
                .detail
                .as_str()
                .contains("every request got the same reply")
        })
    };
    let checked = |server: &Served, reply: &[&str]| {
        let target = server.addr.to_string();
        let only = ["fidelity/*", "unsolicited/*", "padding/*"];
        let only = only.iter().flat_map(|only| ["--run", *only]);
        let args: Vec<&str> = [target.as_str()].into_iter().chain(only).collect();
        checked(&[&args, reply].concat())
    };
    for fault in ["constant-reply", "nothing-can-be-decoded"] {
        let served = Served::start(&["--fault", fault]);
        let (exit, run) = checked(&served, &[]);
        assert!(exit == 1 && said_the_same(&run), "{fault}: {run:?}");
    }
    // Its complaints differ; a request without padding shows what they are about.
    let served = Served::start(&["--fault", "padding-left-on"]);
    let (exit, run) = checked(&served, &[]);
    assert_eq!(exit, 1);
    assert!(with(&run, Verdict::Fail).contains(&"padding/every-amount"));
    let served = Served::start(&["--fault", "constant-reply"]);
    let (exit, run) = checked(&served, &["--reply", "any"]);
    assert_eq!((exit, with(&run, Verdict::Fail)), (0, vec![]));
    let (exit, run) = checked(&served, &["--reply", "none"]);
    assert_eq!(exit, 1);
    assert!(with(&run, Verdict::Fail).contains(&"unsolicited/after-a-reply"));
}

/// With a declared limit, both of its sides are checked.
#[test]
fn a_declared_limit_is_checked_on_both_sides() {
    let served = Served::start(&["--max-frame", "60k"]);
    let target = served.addr.to_string();
    let only = ["--run", "length-limit"];
    let (exit, run) = checked(&[&[target.as_str(), "--max-frame", "60k"][..], &only].concat());
    assert_eq!(exit, 0);
    let skipped = with(&run, Verdict::Skip);
    assert_eq!(skipped, ["length-limit/less-than-the-header"]);
    let (exit, run) = checked(&[&[target.as_str(), "--max-frame", "120k"][..], &only].concat());
    assert_eq!(exit, 1);
    let failed = with(&run, Verdict::Fail);
    assert!(failed.contains(&"length-limit/at-the-limit"), "{failed:?}");
    let (exit, run) = checked(&[&[target.as_str(), "--max-frame", "40k"][..], &only].concat());
    assert_eq!(exit, 1);
    let failed = with(&run, Verdict::Fail);
    assert!(
        failed.contains(&"length-limit/chunk-above-the-limit"),
        "{failed:?}"
    );
}

/// The kill comes when the first case has been told, and long before the last could be.
#[test]
fn a_server_that_is_killed_is_charged_to_a_case_and_the_report_is_whole() {
    let served = Served::start(&[]);
    let mut check = command()
        .args([
            "check",
            &served.addr.to_string(),
            "--repeat",
            "40",
            "--format",
            "jsonl",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let first = lines.find(|line| line.contains("\"verdict\":\"pass\""));
    assert!(first.is_some());
    served.signal(Signal::KILL);
    let begun = Instant::now();
    let events: Vec<Event> = lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect();
    assert_eq!(check.wait().unwrap().code(), Some(1));
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );

    let Some(Event::Finished(finished)) = events.last() else {
        panic!("{:?}", events.last())
    };
    assert_eq!(finished.summary.fail, 1, "{finished:?}");
    let culprit = events.iter().find_map(|event| match event {
        Event::CaseFinished(result) if result.verdict == Verdict::Fail => Some(result.id.as_str()),
        _ => None,
    });
    let why = finished.broken_off.as_ref().unwrap().as_str();
    assert!(why.contains(culprit.unwrap()), "{why}");
    let told: usize = Verdict::ALL
        .iter()
        .map(|verdict| finished.summary.of(*verdict))
        .sum();
    let role = framespec::spec::Role::Server;
    assert_eq!(told, cases::in_format(role, &Profile::tutorial()).count());
}

/// The signal comes when the first case has been told, and long before the last could be.
#[test]
fn an_interrupted_run_says_so_and_is_reported_whole() {
    let mut check = command()
        .args([
            "check", "--within", "0", "--repeat", "1000", "--format", "jsonl",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.any(|line| line.contains("\"verdict\":\"pass\"")));
    let id = rustix::process::Pid::from_child(&check);
    rustix::process::kill_process(id, Signal::INT).unwrap();
    let last: Event = serde_json::from_str(&lines.last().unwrap()).unwrap();
    let Event::Finished(finished) = last else {
        panic!("{last:?}")
    };
    assert_eq!(finished.broken_off.unwrap(), "interrupted");
    assert_eq!(check.wait().unwrap().code(), Some(3));
}

#[test]
fn nobody_there_is_exit_3_with_a_whole_report() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let (exit, run) = checked(&[&free]);
    assert_eq!(exit, 3);
    assert_eq!(run.finished.summary.skip, run.started.selected);
    assert!(run.calibration.is_none());
    let told = conformance()
        .args(["check", &free])
        .assert()
        .code(3)
        .get_output()
        .clone();
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("nothing listens there"), "{told}");
}

#[test]
fn wrong_arguments_are_exit_2_and_say_what_to_try() {
    for (args, told) in [
        (&["check", "--run", "nonsense"][..], "conformance list"),
        (&["check", "--run", "truncaton"], "try: truncation"),
        (&["check", "--skip", "*"], "leaves no case"),
        (&["check", "localhost"], "no port"),
        (
            &["check", "--pid", "4000000000", "localhost:1"],
            "no process",
        ),
        (&["check", "--pid", "1"], "<TARGET>"),
        (&["check", "5000"], "localhost:5000"),
        (&["check", "--seed", "-1"], "from 0 to"),
        (&["check", "--timeout", "-1s"], "250ms"),
        (&["check", "--timeout", "0"], "above 0"),
        (&["fuzz", "--timeout", "0s", "localhost:1"], "above 0"),
        (&["explain", "no-limt"], "try: no-limit"),
        (&["check", "--formt", "json"], "try: a similar argument"),
        (&["check", "--strict=3"], "try: conformance check --help"),
        (
            &["check", "--format", "json", "--format", "tap"],
            "FORMAT=FILE",
        ),
        (
            &["check", "--write-expect", "/no/such/dir/x"],
            "cannot write it",
        ),
        (&["explain", "one-repl"], "try: one-reply"),
        (&["check", "--format", "yaml"], "json"),
        (&["check", "--jobs", "0"], "1 to 64"),
        (&["check", "--profile", "/no/such/file"], "no profile"),
        (&["check", "--output", "/no/such/dir/x"], "cannot write"),
        (&["check", "--expect", "/no/such/file"], "/no/such/file"),
        (&["check", "--max-frame", "59"], "60 or more"),
        (&["explain", "one-reply/singel"], "try: one-reply/single"),
    ] {
        let output = conformance()
            .args(args)
            .assert()
            .code(2)
            .get_output()
            .clone();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(told), "{args:?}: {stderr}");
        let in_one_manner = stderr.starts_with("error: ") && !stderr.contains("Usage:");
        assert!(in_one_manner, "{args:?}: {stderr}");
    }
}

#[test]
fn reports_go_where_they_are_sent() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (html, junit, json, capture) = (
        path("r.html"),
        path("r.xml"),
        path("r.json"),
        path("r.pcapng"),
    );
    conformance()
        .args(["check", "--run", "order", "--format", "human"])
        .args([
            "--format",
            &format!("html={html}"),
            "--format",
            &format!("junit={junit}"),
        ])
        .args(["--pcapng", &capture])
        .assert()
        .success();
    conformance()
        .args([
            "check", "--run", "order", "--format", "json", "--output", &json,
        ])
        .assert()
        .success()
        .stdout("");
    let read = |path: &str| std::fs::read(path).unwrap();
    assert!(read(&html).starts_with(b"<!"));
    assert!(
        String::from_utf8(read(&junit))
            .unwrap()
            .contains("<testsuites")
    );
    let told = read_run(&String::from_utf8(read(&json)).unwrap()).unwrap();
    let there = framespec::cases::of(framespec::spec::Clause::Order);
    assert_eq!(told.results.len(), there.count());
    assert!(read(&capture).starts_with(b"\x0a\x0d\x0d\x0a"));
}

/// A server that fails some of the cases played, and a file that says so.
fn known_of(served: &Served, dir: &Path) -> String {
    let known = dir.join("known.toml").display().to_string();
    let target = served.addr.to_string();
    let run = |more: &[&str]| {
        let mut check = conformance();
        check.arg("check").arg(&target).args(KNOWN_ONLY).args(more);
        check.assert()
    };
    run(&[]).code(1);
    run(&["--write-expect", &known]).success();
    known
}

const KNOWN_ONLY: [&str; 4] = ["--run", "one-reply", "--run", "reply-framing/large"];

#[test]
fn known_failures_do_not_count_until_they_pass() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&["--fault", "large-request-unanswered"]);
    let known = known_of(&served, dir.path());
    let check = |target: &Served| {
        let mut check = conformance();
        check.args(["check", &target.addr.to_string(), "--expect", &known]);
        check.args(KNOWN_ONLY).assert()
    };
    let told = |assert: assert_cmd::assert::Assert| {
        let output = assert.get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = told(check(&served).success());
    assert!(text.contains("\nknown: one-reply/"), "{text}");
    assert!(text.contains("\npassed: "), "{text}");
    assert!(!text.contains("FAIL"), "{text}");
    drop(served);
    let text = told(check(&Served::start(&[])).code(1));
    assert!(text.contains("\nstale: one-reply/"), "{text}");
    assert!(text.contains("\nfailed: "), "{text}");
}

/// What ends with 0 is green in every report, and what ends with 1 because of the file is red.
#[test]
fn every_report_knows_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&["--fault", "large-request-unanswered"]);
    let known = known_of(&served, dir.path());
    let of = |format: &str, target: &Served, code: i32| {
        let mut check = conformance();
        check.args(["check", &target.addr.to_string(), "--expect", &known]);
        check.args(KNOWN_ONLY).args(["--format", format]);
        let output = check.assert().code(code).get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let run = read_run(&of("json", &served, 0)).unwrap();
    let summary = run.finished.summary;
    assert!(summary.known > 0 && summary.stale == 0, "{summary:?}");
    assert_eq!(summary.known, summary.fail + summary.unstable);
    let junit = of("junit", &served, 0);
    assert!(
        junit.contains("<skipped message=\"known failure: "),
        "{junit}"
    );
    assert!(junit.contains("failures=\"0\" errors=\"0\""), "{junit}");
    assert!(of("tap", &served, 0).contains(" # TODO known failure: "));
    let lines = of("jsonl", &served, 0);
    assert!(lines.contains("\"known\":{\"kind\":\"failure\""), "{lines}");
    drop(served);

    let honest = Served::start(&[]);
    let run = read_run(&of("json", &honest, 1)).unwrap();
    let summary = run.finished.summary;
    assert_eq!((summary.known, summary.fail), (0, 0));
    assert_eq!(summary.stale, run.finished.stale.len());
    assert!(summary.stale > 0);
    let junit = of("junit", &honest, 1);
    assert!(
        junit.contains("<testcase name=\"expectations/one-reply/"),
        "{junit}"
    );
    assert!(of("tap", &honest, 1).contains(" - expectations/one-reply/"));
}

/// An entry that names no case fails the run, and a report that people do not read leaves it to
/// standard error to say why.
#[test]
fn a_name_that_no_case_has_is_stale() {
    let dir = tempfile::tempdir().unwrap();
    let known = dir.path().join("known.toml");
    std::fs::write(
        &known,
        "[[known-flaky]]\r\ncase = 'order/no'\r\nreason = 'x'\r\n",
    )
    .unwrap();
    let output = conformance()
        .args(["check", "--run", "order", "--format", "json", "--expect"])
        .arg(&known)
        .assert()
        .code(1)
        .get_output()
        .clone();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("stale: order/no is listed and is not the name"),
        "{stderr}"
    );
    let run = read_run(&String::from_utf8(output.stdout).unwrap()).unwrap();
    assert_eq!(run.finished.stale.len(), 1);
}

/// Where nothing was played there is nothing to be listed, and no file is overwritten.
#[test]
fn nothing_is_written_of_a_server_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let known = dir.path().join("known.toml");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = free.local_addr().unwrap().to_string();
    drop(free);
    conformance()
        .args(["check", &target, "--write-expect"])
        .arg(&known)
        .assert()
        .code(3);
    assert!(!known.exists());
}

#[test]
fn warnings_fail_only_if_asked() {
    let served = Served::start(&["--variant", "takes-odd-lengths"]);
    let target = served.addr.to_string();
    let (exit, run) = checked(&[&target, "--run", "chunk-multiple"]);
    assert_eq!((exit, run.finished.summary.fail), (0, 0));
    assert!(run.finished.summary.warn > 0);
    let (exit, _) = checked(&[&target, "--run", "chunk-multiple", "--strict"]);
    assert_eq!(exit, 1);
}

/// The same seed sends the same octets; another sends others.
#[test]
fn a_seed_repeats_a_run() {
    let script = |seed: &str| {
        let (_, run) = checked(&["--run", "reassembly/random-cuts", "--trace", "--seed", seed]);
        run.results[0].evidence.clone().unwrap().script
    };
    assert_eq!(script("7"), script("7"));
    assert_ne!(script("7"), script("8"));
}

#[test]
fn list_names_every_case_and_explain_tells_each() {
    let names = conformance()
        .args(["list", "--format", "names"])
        .assert()
        .success();
    let names = String::from_utf8(names.get_output().stdout.clone()).unwrap();
    assert_eq!(
        names.lines().count(),
        cases::all(framespec::spec::Role::Server).count()
    );
    for name in names.lines().step_by(9) {
        let told = conformance()
            .args(["explain", "--max-frame", "1M", name])
            .assert()
            .success();
        let told = String::from_utf8(told.get_output().stdout.clone()).unwrap();
        let of_its_script: &[&str] = match told.contains("It does not apply here: ") {
            true => &[],
            false => &["Its script", "permitted:"],
        };
        for part in ["Clause ", "usually", "Defined in src/cases/"]
            .iter()
            .chain(of_its_script)
        {
            assert!(told.contains(part), "{name}: no {part:?} in {told}");
        }
    }
}

#[test]
fn explain_says_why_a_case_does_not_apply() {
    let told = conformance()
        .args(["explain", "length-prefix/fixed-octets"])
        .assert()
        .success();
    let told = String::from_utf8(told.get_output().stdout.clone()).unwrap();
    let why = "It does not apply here: headers of this profile have no fixed octets";
    assert!(told.contains(why), "{told}");
}

#[test]
fn a_script_from_explain_reads_back() {
    let script = conformance()
        .args(["explain", "order/twenty-at-once", "--script"])
        .assert()
        .success();
    let script = String::from_utf8(script.get_output().stdout.clone()).unwrap();
    let script: framespec::script::Script = script.parse().unwrap();
    assert_eq!(script.connections(), 1);
}
