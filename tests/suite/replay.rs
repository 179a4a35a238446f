//! Reproducers: what `check` saves and makes smaller, `replay` plays and `show` prints.

mod clients;

use crate::corpus::seeds;
use crate::program::{GUARD, GUARD_OF_A_RUN, Served, conformance};
use crate::python::{self, Python};
use framespec::model::permitted;
use framespec::profile::Profile;
use framespec::script::Script;
use framespec::shrink::Size;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;

/// Runs to the end; exit code, stdout and stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = conformance();
    // Making scripts smaller takes most of the time that it is given.
    command.timeout(GUARD_OF_A_RUN);
    let output = command.args(args).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let code = output.status.code().expect("an exit code");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(!stderr.contains("panicked"), "{stderr}");
    (code, stdout, stderr)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn corpus() -> String {
    format!("{}/corpus/decoder", env!("CARGO_MANIFEST_DIR"))
}

fn write(folder: &TempDir, name: &str, octets: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, octets).unwrap();
    path
}

/// What a comment of a script file says.
fn said<'a>(file: &'a str, what: &str) -> &'a str {
    let start = format!("# {what}: ");
    let line = file.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("nothing is said of {what}: {file}"))
}

/// Frames that a script in the tutorial's format sends.
fn frames_sent(file: &str) -> usize {
    let script: Script = file.parse().unwrap();
    Size::of_script(&Profile::tutorial(), &script).frames
}

/// Frames, as the file of a smaller script counts them.
fn frames(file: &str) -> usize {
    let count = said(file, "made smaller").split(' ').next().unwrap();
    count.parse().unwrap()
}

const SCRIPT: &str = "framespec script 1\nopen a\nsend a 0000003c '\"hi\"' 00*56\nawait a\n";

#[test]
fn the_whole_corpus_passes_at_the_reference_server() {
    let server = Served::start(&[]);
    let target = server.addr.to_string();
    let corpus = corpus();
    let (code, stdout, stderr) = run(&["replay", &corpus, &target]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    for line in stdout.lines().filter(|line| line.starts_with("skip")) {
        assert!(line.contains("meant for the profile "), "{line}");
    }
    // In one wire format, all of it can be played.
    let (code, stdout, stderr) = run(&["replay", "--profile", "tutorial", &corpus, &target]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    let (sum, played) = lines.split_last().unwrap();
    assert!(played.iter().all(|line| line.starts_with("pass ")));
    assert!(played.len() >= seeds::all().len(), "{stdout}");
    assert!(
        sum.starts_with(&format!("{} pass, in ", played.len())),
        "{sum}"
    );
    let mut sorted = played.to_vec();
    sorted.sort_unstable();
    assert_eq!(sorted, played);
}

#[test]
fn a_file_is_played_in_the_format_that_it_names() {
    let server = Served::start(&["--profile", "chunk-count"]);
    let target = server.addr.to_string();
    let folder = folder();
    let script = "framespec script 1\n#: chunk-count\nopen a\nsend a 01000000 '1' 00*3\n";
    let named = write(&folder, "named", script);
    let unnamed = write(&folder, "unnamed", SCRIPT);
    let (code, stdout, _) = run(&["replay", str(&named), str(&unnamed), &target]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.starts_with("pass "), "{stdout}");
    assert!(
        stdout.contains("skip ") && stdout.contains("1 pass, 1 skip"),
        "{stdout}"
    );

    // A run in which nothing was played has shown nothing.
    let (code, _, stderr) = run(&["replay", str(&unnamed), &target]);
    assert_eq!(code, 3);
    assert!(stderr.contains("try --profile chunk-count"), "{stderr}");
}

#[test]
fn what_is_no_script_costs_only_itself() {
    let server = Served::start(&[]);
    let target = server.addr.to_string();
    let folder = folder();
    write(&folder, "a", SCRIPT);
    let bad = write(&folder, "b", "framespec script 1\nopen a\nsend b 00\n");
    write(&folder, "c", "framespec script 1\n#: nonsense\nopen a\n");
    write(&folder, "d", SCRIPT);
    let missing = folder.path().join("missing");
    let (code, stdout, stderr) = run(&["replay", str(folder.path()), str(&missing), &target]);
    assert_eq!(code, 2, "{stdout}");
    assert_eq!(
        stdout
            .lines()
            .filter(|line| line.starts_with("pass "))
            .count(),
        2
    );
    let told = format!(
        "error: {}: line 3: the connection has not been opened",
        bad.display()
    );
    assert!(stderr.contains(&told), "{stderr}");
    assert!(stderr.contains(str(&missing)), "{stderr}");
    assert_eq!(
        stdout
            .lines()
            .filter(|line| line.starts_with("ERROR "))
            .count(),
        3,
        "{stdout}"
    );
}

#[test]
fn wrong_arguments_are_refused() {
    let empty = folder();
    for (args, told) in [
        (vec!["replay", "127.0.0.1:1"], "<TARGET>"),
        (
            vec!["replay", str(empty.path()), "127.0.0.1:1"],
            "there is no file in ",
        ),
        (vec!["replay", "x", "not-a-target"], "not-a-target:7060"),
        (
            vec!["replay", "x", "--exec", "server"],
            "there is no {port} in it",
        ),
        (
            vec!["replay", "x", "127.0.0.1:1", "--input-none"],
            "are for clients",
        ),
        (vec!["show", "nowhere"], "nowhere: "),
        (vec!["check", "--minimise"], "--save"),
        (
            vec!["check", "--save", "/dev/null/x"],
            "--save /dev/null/x: cannot write there",
        ),
    ] {
        let (code, stdout, stderr) = run(&args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(told), "{args:?}: {stderr}");
    }
}

#[test]
fn nobody_there_is_could_not() {
    let folder = folder();
    let file = write(&folder, "a", SCRIPT);
    // Nobody listens on a port that was just given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (code, _, stderr) = run(&["replay", str(&file), &free.to_string()]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("cannot connect"), "{stderr}");
}

#[test]
fn a_replay_can_be_read_by_a_program() {
    let server = Served::start(&["--fault", "empty-frame-ignored"]);
    let target = server.addr.to_string();
    let folder = folder();
    write(
        &folder,
        "bad",
        "framespec script 1\n# case: empty-frame/alone\nopen a\nsend a 00000000\n",
    );
    write(&folder, "good", SCRIPT);
    let args = [
        "replay",
        str(folder.path()),
        &target,
        "--format",
        "json",
        "--repeat",
        "2",
    ];
    let (code, stdout, _) = run(&args);
    assert_eq!(code, 1);
    let whole: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(whole["schema"], "framespec-replay/1");
    let (bad, good) = (&whole["files"][0], &whole["files"][1]);
    assert_eq!(
        (&bad["verdict"], &bad["case"]),
        (&"fail".into(), &"empty-frame/alone".into())
    );
    assert_eq!(bad["attempts"], serde_json::json!({"failed": 2, "of": 2}));
    assert_eq!(bad["findings"][0]["clause"], "undecodable");
    assert!(bad["evidence"]["timeline"].is_array());
    assert_eq!(
        (&good["verdict"], &good["profile"]),
        (&"pass".into(), &"tutorial".into())
    );
    assert!(good["evidence"].is_null());
    assert_eq!(
        (&whole["summary"]["fail"], &whole["summary"]["pass"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn what_was_exchanged_is_shown_on_request() {
    let server = Served::start(&[]);
    let folder = folder();
    let file = write(&folder, "a", SCRIPT);
    let target = server.addr.to_string();
    let (code, stdout, _) = run(&["replay", str(&file), &target, "--trace"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("[00 00 00 3c]22 68 69 22"), "{stdout}");
    assert!(stdout.contains("exactly one reply"), "{stdout}");
}

/// A fault of each theme, and a case that finds it.
const FAULTS: &[(&str, &str)] = &[
    ("header-parsed-again", "reassembly/sliding-cuts"),
    ("read-ahead-dropped", "pipelining/mixed-sizes"),
    ("length-of-one-octet", "length-prefix/each-size"),
    ("oversize-drained", "length-limit/after-requests"),
    ("odd-length-forgotten", "chunk-multiple/answered-once"),
    ("waits-for-padding", "exact-fill/many-chunks"),
    ("empty-frame-answered-twice", "empty-frame/several"),
    ("truncation-never-closed", "truncation/at-every-offset"),
    ("end-ignored", "orderly-close/after-many"),
    ("newline-behind-each-frame", "reply-framing/pipelined"),
    ("numbers-refused", "json-text/number"),
    ("one-plane-only", "fidelity/four-octets"),
    ("undecodable-answered-twice", "undecodable/repeated"),
    ("payload-ends-at-first-nul", "smuggling/second-chunk"),
    ("same-request-answered-once", "one-reply/same-twice"),
    ("pairs-swapped", "order/twenty-at-once"),
    ("header-acknowledged", "unsolicited/behind-a-header"),
    ("malformed-header-closes-everybody", "isolation/oversize"),
];

/// How many of them are tried at the same time: most of it is waiting.
const AT_ONCE: usize = 4;

/// Checks a server with that fault, and replays what was saved of it; what is wrong, if anything is.
fn smaller((fault, case): (&str, &str)) -> Option<String> {
    let server = Served::start(&["--fault", fault]);
    let target = server.addr.to_string();
    let folder = folder();
    let saved = str(folder.path());
    let args = [
        "check",
        &target,
        "--run",
        case,
        "--save",
        saved,
        "--minimise",
    ];
    let (code, report, stderr) = run(&args);
    if code != 1 {
        return Some(format!("{fault} is not found by {case}"));
    }
    let name = case.replace('/', ".");
    let at = |extension: &str| folder.path().join(format!("{name}.{extension}"));
    let whole = fs::read_to_string(at("script")).unwrap();
    let Ok(file) = fs::read_to_string(at("min.script")) else {
        return Some(format!("{fault} is not made smaller: {stderr}"));
    };
    for (file, path) in [(&whole, at("script")), (&file, at("min.script"))] {
        assert_eq!(said(file, "case"), case);
        let replay = format!("conformance replay {} {target}", path.display());
        assert_eq!(said(file, "replay"), replay);
    }
    // Who reads the report is told how to replay it.
    assert!(report.contains(said(&whole, "replay")), "{report}");

    let (code, replay, _) = run(&["replay", str(&at("min.script")), &target]);
    let fails_again = code == 1 && replay.starts_with("FAIL");
    let is_small = frames_sent(&file) <= 3 && frames_sent(&file) <= frames_sent(&whole);
    assert_eq!(frames(&file), frames_sent(&file), "{file}");
    (!fails_again || !is_small).then(|| format!("{fault}: {replay}{file}"))
}

#[test]
fn a_reproducer_is_at_most_three_frames_long_and_fails_again() {
    let mut wrong = Vec::new();
    for few in FAULTS.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let tried: Vec<_> = few
                .iter()
                .map(|one| scope.spawn(|| smaller(*one)))
                .collect();
            wrong.extend(tried.into_iter().filter_map(|one| one.join().unwrap()));
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_server_that_dies_of_it_is_started_again_for_each_try() {
    let program = env!("CARGO_BIN_EXE_conformance");
    let exec =
        format!("{program} serve --listen {{host}}:{{port}} --fault undecodable-ends-the-server");
    let folder = folder();
    let (saved, case) = (str(folder.path()), "undecodable/bad-utf-8");
    let args = [
        "check",
        "--exec",
        &exec,
        "--run",
        case,
        "--save",
        saved,
        "--minimise",
        "--minimise-for",
        "90s",
    ];
    let (code, stdout, stderr) = run(&args);
    assert_eq!(code, 1, "{stdout}{stderr}");
    let file = fs::read_to_string(folder.path().join("undecodable.bad-utf-8.min.script")).unwrap();
    assert_eq!(frames(&file), 1, "{file}");
    assert!(
        said(&file, "found").contains("the server was gone"),
        "{file}"
    );
}

#[test]
fn the_format_goes_into_the_file() {
    let server = Served::start(&["--profile", "chunk-count", "--fault", "empty-frame-ignored"]);
    let target = server.addr.to_string();
    let folder = folder();
    let saved = folder.path().join("made/on/the/way");
    let args = [
        "check",
        &target,
        "--profile",
        "chunk-count",
        "--run",
        "empty-frame/alone",
        "--save",
    ];
    let (code, ..) = run(&[&args[..], &[str(&saved)]].concat());
    assert_eq!(code, 1);
    let path = saved.join("empty-frame.alone.script");
    let file = fs::read_to_string(&path).unwrap();
    assert_eq!(file.lines().nth(1), Some("#: chunk-count"));
    let (code, stdout, _) = run(&["replay", str(&saved), &target]);
    assert_eq!(code, 1, "{stdout}");
    // Nothing else is left in the folder.
    assert_eq!(fs::read_dir(&saved).unwrap().count(), 1);
}

#[test]
fn what_passes_is_not_saved() {
    let folder = folder();
    let (code, ..) = run(&["check", "--run", "one-reply", "--save", str(folder.path())]);
    assert_eq!(code, 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn any_file_can_be_shown_in_three_forms() {
    let folder = folder();
    let raw = write(&folder, "raw", b"\0\0\0\x3c\"it's\"\0");
    let (code, text, _) = run(&["show", str(&raw)]);
    assert_eq!(code, 0);
    let told = "framespec script 1\nopen a\nsend a 0000003c '\"it' 27 's\"' 00\nfin a\n";
    assert_eq!(text.replace("73 22", "'s\"'"), told);
    let shown = write(&folder, "shown", &text);
    assert_eq!(run(&["show", str(&shown), "--as", "text"]).1, text);
    let (_, hex, _) = run(&["show", str(&raw), "--as", "hex"]);
    let pairs: String = hex
        .lines()
        .filter_map(|line| line.split('#').next())
        .collect();
    assert_eq!(pairs.replace(' ', ""), "0000003c22697427732200");

    let (_, script, _) = run(&[
        "explain",
        "one-reply/single",
        "--profile",
        "chunk-count",
        "--script",
    ]);
    assert!(
        script.contains("#: chunk-count\n# case: one-reply/single\n"),
        "{script}"
    );
}

#[test]
fn a_script_for_clients_says_nothing_of_a_server() {
    let server = Served::start(&[]);
    let folder = folder();
    let script = "framespec script 1\nside server\naccept a\nawait a\n\
        send a 0000003c '\"reply one\"' 00*49\nshown a\n";
    let file = write(&folder, "a", script);
    let target = server.addr.to_string();
    let (code, stdout, stderr) = run(&["replay", str(&file), &target]);
    assert_eq!(code, 3, "{stdout}{stderr}");
    assert!(stdout.contains("meant for a client"), "{stdout}");
    assert!(stderr.contains("no file is meant for a server"), "{stderr}");
    let plain = write(&folder, "b", SCRIPT);
    let (code, stdout, _) = run(&["replay", str(&file), str(&plain), &target]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("1 pass"), "{stdout}");
}

/// Runs what `show --as python` prints, at a server; what it says.
fn run_as_python(python: Python, file: &Path, server: &Served) -> String {
    let (code, program, _) = run(&["show", str(file), "--as", "python"]);
    assert_eq!(code, 0);
    let mut python = assert_cmd::Command::from_std(python.command());
    let port = server.addr.port().to_string();
    python
        .args(["-", "127.0.0.1", &port])
        .write_stdin(program)
        .timeout(GUARD);
    let output = python.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && stderr.is_empty(),
        "{told}{stderr}"
    );
    told
}

#[test]
fn the_python_program_does_the_same_without_this_one() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let server = Served::start(&[]);
    let folder = folder();
    let script = "framespec script 1\n\
        open a\nopen b\nsend a 0000 | 003c '\"it' 27 's\"' 00*54\nawait a\npause 10\n\
        send b ffffffff\nawait b\nstall a\nsend a 0000003c 31 00*59\nresume a\nfin a\nawait a\n\
        open c\nsend c 00\nrst c\n";
    let told = run_as_python(python, &write(&folder, "busy", script), &server);
    for line in [
        "a    -> 2 octets: b'\\x00\\x00'",
        "a    <- a frame: b'\\x00\\x00\\x00<\"it\\'s\"\\x00",
        "a    <- a frame: b'\\x00\\x00\\x00<1\\x00",
        "b    <- closed (FIN)",
        "a    <- closed (FIN)",
        "c    -> reset (RST)",
        "done",
    ] {
        assert!(told.contains(line), "{line} is missing:\n{told}");
    }
    assert!(!told.contains("given up"), "{told}");

    let marked = "framespec script 1\n#: chunk-count\nopen a\nsend a 02000000 '\"abcd\"' 00*2\n";
    let server = Served::start(&["--profile", "chunk-count"]);
    let told = run_as_python(python, &write(&folder, "marked", marked), &server);
    assert!(
        told.contains("<- a frame: b'\\x02\\x00\\x00\\x00\"abcd\"\\x00\\x00'"),
        "{told}"
    );
}

/// The blocks of a document that are scripts.
fn blocks(document: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```text\n").skip(1);
    blocks
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.starts_with("framespec script 1\n"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_scripts_of_the_document_do_what_it_says() {
    let found = blocks("docs/SCRIPTS.md");
    let [plain, served, short, reproducer] = &found[..] else {
        panic!("four scripts, and not {}", found.len());
    };
    let served: Script = served.parse().unwrap();
    let owed = permitted(&Profile::tutorial(), &served)[0].lines();
    assert!(
        owed[1].as_str().contains("shows \"hello, too\""),
        "{owed:?}"
    );
    let folder = folder();
    let play = |name: &str, script: &str, server: &Served| {
        let file = write(&folder, name, script);
        run(&["replay", str(&file), &server.addr.to_string()]).0
    };
    let honest = Served::start(&[]);
    assert_eq!(play("plain", plain, &honest), 0);
    assert_eq!(play("reproducer", reproducer, &honest), 0);
    let faulty = Served::start(&["--fault", "header-parsed-again"]);
    assert_eq!(play("again", reproducer, &faulty), 1);
    assert_eq!(play("uncut", &reproducer.replace("| ", ""), &faulty), 0);
    let profile = write(
        &folder,
        "profile",
        "name = 'short'\nlength.width = 2\nlimits.max_body = 1024\n",
    );
    let short_server = Served::start(&["--profile", str(&profile)]);
    assert_eq!(play("short", short, &short_server), 0);
}
