//! Servers over UDP, where each frame is a datagram: the reference server, one in Python, planted faults, and what is
//! said where nobody is.

use super::peers::{self, Peer};
use super::program::{GUARD_OF_A_RUN, Served, conformance};
use super::python;
use framespec::altered::Need;
use framespec::event::{Run, Verdict};
use framespec::profile::Profile;
use framespec::report::read_run;
use framespec::selftest::{Fate, Options, Permitted, Planted, selftest};
use framespec::spec::Role;
use std::net::UdpSocket;
use std::time::Duration;
use tempfile::TempDir;

/// Where the reference server may listen.
const ANYWHERE: &str = "udp:127.0.0.1:0";

fn run(args: &[&str], input: &str) -> (i32, String, String) {
    let output = conformance()
        .args(args)
        .write_stdin(input)
        .timeout(GUARD_OF_A_RUN)
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

fn with(run: &Run, verdict: Verdict) -> Vec<String> {
    let wanted = run.results.iter();
    let wanted = wanted.filter(|result| result.verdict == verdict);
    wanted
        .map(|result| format!("{}: {}", result.id, result.detail))
        .collect()
}

/// Nothing is found, and all is looked at that can be.
fn is_clean(args: &[&str]) -> Run {
    let (code, run) = checked(args);
    for verdict in [
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Unstable,
        Verdict::Error,
    ] {
        assert_eq!(with(&run, verdict), [""; 0], "{args:?}");
    }
    assert_eq!(code, 0, "{args:?}");
    let summary = &run.finished.summary;
    assert!(summary.pass > 60, "{summary:?}");
    run
}

#[test]
fn the_reference_server_is_served_and_checked() {
    let served = Served::at(ANYWHERE, &[]);
    assert!(served.addr.starts_with("udp:127.0.0.1:"), "{}", served.addr);
    let run = is_clean(&[&served.addr]);
    let told = run
        .results
        .iter()
        .filter(|result| result.detail == "a datagram has no stream");
    assert!(told.clone().all(|result| result.verdict == Verdict::Skip));
    assert!(told.count() > 25);
    let is_of_a_stream = |clause: &str| ["reassembly", "half-close"].contains(&clause);
    assert!(
        !run.results
            .iter()
            .any(|result| is_of_a_stream(&result.clause))
    );
    let passed = |id: &str| {
        let result = run.results.iter().find(|result| result.id == id);
        assert_eq!(result.unwrap().verdict, Verdict::Pass, "{id}");
    };
    for id in ["datagram/empty", "datagram/two-frames", "one-reply/single"] {
        passed(id);
    }
}

#[test]
fn other_formats_are_carried_as_well() {
    for profile in ["chunk-count", "u32-be"] {
        let served = Served::at(ANYWHERE, &["--profile", profile]);
        let (code, run) = checked(&[&served.addr, "--profile", profile]);
        assert_eq!((code, with(&run, Verdict::Fail)), (0, vec![]), "{profile}");
    }
}

#[test]
fn one_sends_chats_and_fuzzes() {
    let served = Served::at(ANYWHERE, &[]);
    let (code, stdout, _) = run(&["send", &served.addr, "[1]", "2"], "");
    assert_eq!((code, stdout.as_str()), (0, "[1]\n2\n"));
    let (code, stdout, _) = run(&["chat", &served.addr], "hello\n");
    assert_eq!((code, stdout.as_str()), (0, "\"hello\"\n"));
    let folder = TempDir::new().unwrap();
    let found = folder.path().join("found").display().to_string();
    let fuzz = ["fuzz", &served.addr, "--runs", "300", "--out", &found];
    let (code, stdout, stderr) = run(&fuzz, "");
    assert_eq!(code, 0, "{stdout} {stderr}");
}

#[test]
fn a_large_reply_is_read_whole() {
    let served = Served::at(ANYWHERE, &[]);
    let text = format!("\"{}\"", "x".repeat(40_000));
    let (code, stdout, stderr) = run(&["send", &served.addr, &text], "");
    assert_eq!((code, stdout.trim_end()), (0, text.as_str()), "{stderr}");
}

#[test]
fn nobody_is_told_of() {
    let free = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let target = format!("udp:{free}");
    for command in [&["check", &target][..], &["send", &target, "1"]] {
        let (code, _, stderr) = run(command, "");
        assert_eq!(code, 3, "{stderr}");
        assert!(stderr.contains(&target), "{stderr}");
    }
    let (code, _, stderr) = run(&["check", &target], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("nothing listens there"), "{stderr}");
    for (wrong, why) in [
        (&["check", "udp:"][..], "--exec COMMAND udp:"),
        (&["check", "udp:localhost"], "udp:"),
        (&["send", "udp:", "1"], "udp:host:port"),
        (
            &["chat", &target, "--fault", "request-length-in-other-order"],
            "does not speak over",
        ),
    ] {
        let (code, _, stderr) = run(wrong, "");
        assert_eq!(code, 2, "{wrong:?} {stderr}");
        assert!(stderr.contains(why), "{stderr}");
    }
}

#[test]
fn a_prologue_has_no_place_in_datagrams() {
    let folder = TempDir::new().unwrap();
    let profile = folder.path().join("greets.toml");
    let text = "name = \"greets\"\nlength.width = 4\nexchange.prologue = [\"server 68 69\"]\n";
    std::fs::write(&profile, text).unwrap();
    let profile = profile.display().to_string();
    for command in [
        &["check", "udp:127.0.0.1:9"][..],
        &["serve", "--listen", ANYWHERE],
        &["send", "udp:127.0.0.1:9", "1"],
    ] {
        let (code, _, stderr) = run(&[command, &["--profile", &profile]].concat(), "");
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("prologue"), "{stderr}");
    }
}

/// The peer in Python with these arguments, and where it is.
fn peer(args: &[&str]) -> Option<(Peer, String)> {
    let peer = peers::start("datagrams.py", args)?;
    let target = format!("udp:{}", peer.address);
    Some((peer, target))
}

#[test]
fn a_correct_server_in_python_is_clean() {
    let Some((_peer, target)) = peer(&[]) else {
        return;
    };
    is_clean(&[&target]);
    let Some((_peer, target)) = peer(&["--mode", "other-port"]) else {
        return;
    };
    is_clean(&[&target]);
}

#[test]
fn mistakes_in_python_are_found() {
    for (bug, case) in [
        ("small-buffer", "datagram/sizes"),
        ("one-buffer", "datagram/one-frame-in-two"),
        ("ignores-header", "datagram/claims-more"),
    ] {
        let Some((_peer, target)) = peer(&["--bug", bug]) else {
            return;
        };
        let (code, run) = checked(&[&target, "--run", case, "--timeout", "200ms"]);
        assert_eq!(code, 1, "{bug}");
        assert_eq!(with(&run, Verdict::Fail).len(), 1, "{bug}: {run:?}");
    }
}

/// The peer in Python as a command; `None`, said aloud, without Python.
fn command(options: &str) -> Option<String> {
    let peer = python::or_skip()?.peer_in_words("", "datagrams.py");
    Some(format!("{peer} --port {{port}} {options}"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_started_is_started_again_and_its_crash_replayed() {
    let Some(exec) = command("--bug unpacks-blindly") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let saved = folder.path().join("saved").display().to_string();
    let what = [
        "--run",
        "datagram/empty",
        "--run",
        "datagram/inside-*",
        "--timeout",
        "200ms",
        "--save",
        &saved,
    ];
    let (code, run) = checked(&[&["--exec", &exec, "udp:"], &what[..]].concat());
    assert_eq!(code, 1);
    let failed = with(&run, Verdict::Fail);
    assert!(
        failed.iter().any(|one| one.starts_with("datagram/empty")),
        "{failed:?}"
    );
    assert!(
        failed
            .iter()
            .any(|one| one.starts_with("datagram/inside-header")),
        "{failed:?}"
    );
    assert_eq!(with(&run, Verdict::Pass).len(), 1, "{run:?}");
    let replay = |exec: &str| self::run(&["replay", &saved, "--exec", exec, "udp:"], "");
    let (code, stdout, stderr) = replay(&exec);
    assert_eq!(code, 1, "{stdout} {stderr}");
    let (code, stdout, stderr) = replay(&command("").unwrap());
    assert_eq!(code, 0, "{stdout} {stderr}");
}

/// None of these takes long, or much, or is mistaken for anything else.
#[test]
fn hostile_servers_are_borne() {
    for mode in ["floods", "empty-floods", "huge"] {
        let Some((_peer, target)) = peer(&["--mode", mode]) else {
            return;
        };
        let cases = [
            "--run",
            "datagram",
            "--run",
            "one-reply",
            "--timeout",
            "100ms",
            "--within",
            "20s",
        ];
        let (code, run) = checked(&[&[target.as_str()], &cases[..]].concat());
        assert_eq!(code, 1, "{mode}");
        assert!(!with(&run, Verdict::Fail).is_empty(), "{mode}: {run:?}");
        assert_eq!(with(&run, Verdict::Error), [""; 0], "{mode}");
    }
}

/// Each fault of datagrams is found by its own clause, and what is permitted passes.
#[test]
fn planted_faults_are_found_and_variants_pass() {
    let is_of_datagrams = |fault: &Planted| fault.needs == Need::Datagrams;
    let is_variant = |variant: &Permitted| {
        variant
            .only_over
            .is_some_and(framespec::profile::Carriage::is_datagrams)
    };
    let options = Options {
        faults: Planted::all().filter(is_of_datagrams).collect(),
        variants: Permitted::all().filter(is_variant).collect(),
        references: Vec::new(),
        each_case: false,
        ..Options::new(Profile::tutorial(), &[Role::Server])
    };
    assert!(options.faults.len() > 10 && options.variants.len() == 3);
    let matrix = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(selftest(&options, &mut |_| {}))
        .unwrap();
    for row in &matrix.faults {
        assert!(matches!(row.fate, Fate::Found(_)), "{row:?}");
    }
    assert_eq!(matrix.complaints(), [""; 0]);
    assert_eq!(matrix.honest.len(), 3);
}

/// Two clients at once: what one asks is said to nobody else.
#[test]
fn a_reply_goes_to_its_sender_alone() {
    let served = Served::at(ANYWHERE, &[]);
    let there = served.addr.strip_prefix("udp:").unwrap();
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(there).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        socket
    };
    let (one, other) = (socket(), socket());
    let frame = |text: &str| super::program::frame(text);
    for n in 0..20 {
        one.send(&frame(&n.to_string())).unwrap();
        other.send(b"no frame").unwrap();
        let mut reply = [0; 100];
        let octets = one.recv(&mut reply).unwrap();
        assert_eq!(&reply[..octets], frame(&n.to_string()));
    }
    other.send(&frame("\"last\"")).unwrap();
    let mut reply = [0; 100];
    let octets = other.recv(&mut reply).unwrap();
    assert_eq!(&reply[..octets], frame("\"last\""));
}

/// A script is played over UDP without this program, where the address says so: each segment is a datagram.
#[test]
fn a_program_in_python_sends_datagrams() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let served = Served::at(ANYWHERE, &[]);
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("a.script");
    let text = "framespec script 1\nopen a\nsend a 0000003c '\"x\"' 00*57 | 0000003c '1'\nempty a\n\
        send a 0000003c '\"y\"' 00*57\nawait a\n";
    std::fs::write(&script, text).unwrap();
    let script = script.display().to_string();
    let (code, program, stderr) = run(&["show", &script, "--as", "python"], "");
    assert_eq!(code, 0, "{stderr}");
    let file = folder.path().join("a.py");
    std::fs::write(&file, program).unwrap();
    let output = python
        .command()
        .arg(&file)
        .arg(&served.addr)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("<- a frame: ").count(), 2, "{said}");
    assert!(
        said.contains("-> 0 octets: b''") && !said.contains("given up"),
        "{said}"
    );
}
