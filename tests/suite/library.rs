//! Checks from a program: what an engineer writes into a test.

use framespec::altered::server::{self as altered, Fault};
use framespec::check::{CheckError, Checked, Selector};
use framespec::event::{Conclusion, Verdict};
use framespec::profile::{Profile, Reply};
use framespec::report::{Format, read_run};
use framespec::server::{Background, Echo, Server, Settings};
use framespec::spec;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance");

fn served() -> Background {
    Background::start(
        "127.0.0.1:0",
        Profile::tutorial(),
        Settings::default(),
        Echo,
    )
    .unwrap()
}

/// A server that takes a header to come in one piece.
fn faulty() -> Background {
    altered::start(
        "127.0.0.1:0",
        Profile::tutorial(),
        Settings::default(),
        Echo,
        Fault::named("header-in-one-read").unwrap(),
    )
    .unwrap()
}

/// What a test would be told.
fn told(checked: &Checked) -> String {
    let panicked = panic::catch_unwind(AssertUnwindSafe(|| checked.assert_pass()));
    *panicked.unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn a_server_that_is_right_passes() {
    let server = served();
    let checked = framespec::check(server.addr()).only("truncation").run();
    let checked = checked.unwrap();
    checked.assert_pass();
    assert!(checked.passed() && checked.failures().next().is_none());
    assert_eq!(checked.summary().pass, checked.results().len());
    assert_eq!(checked.calibration().unwrap().reply, "echo");
}

#[test]
fn a_server_that_is_wrong_fails_with_what_was_seen() {
    let server = faulty();
    let check = framespec::check(server.addr().to_string()).only("reassembly");
    let checked = check.run().unwrap();
    assert_eq!(checked.conclusion(), Conclusion::Failed);
    assert!(checked.findings().count() > 0);
    let told = told(&checked);
    let first = checked.failures().next().unwrap();
    let address = server.addr().to_string();
    for part in [
        &*address,
        &first.id,
        first.findings[0].what.as_str(),
        "failed: ",
    ] {
        let words = part.split_whitespace();
        assert!(words.into_iter().all(|word| told.contains(word)), "{told}");
    }
    assert!(told.contains(&format!(".only({:?})", first.id)), "{told}");
    assert!(!told.contains('\x1b'), "{told}");
}

#[test]
fn what_is_known_is_put_up_with() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("known.toml");
    let server = faulty();
    let check = || framespec::check(server.addr()).only("reassembly");
    let text = |checked: &Checked| framespec::expect::Expectations::from_run(checked.run());
    fs::write(&file, text(&check().run().unwrap())).unwrap();
    check().known_failures(&file).run().unwrap().assert_pass();

    let fixed = served();
    let check = framespec::check(fixed.addr()).only("reassembly");
    let checked = check.known_failures(&file).run().unwrap();
    assert!(told(&checked).contains("stale: "), "{checked}");

    fs::write(&file, "[[known-failure]]\ncase = \"a/b\"\n").unwrap();
    let check = framespec::check(fixed.addr()).known_failures(&file);
    assert!(matches!(check.run(), Err(CheckError::Malformed { .. })));
    let check = framespec::check(fixed.addr()).known_failures(folder.path().join("none"));
    assert!(matches!(check.run(), Err(CheckError::Unreadable { .. })));
}

/// The server and its check share one thread.
#[tokio::test]
async fn a_server_in_the_same_runtime_is_checked() {
    let server = Server::bind("127.0.0.1:0", Profile::tutorial(), Settings::default());
    let server = server.await.unwrap();
    let address = server.address().unwrap().socket().unwrap();
    let serving = tokio::spawn(server.serve(Echo, std::future::pending()));
    let check = framespec::check(address).only(spec::Clause::Order);
    check.run_async().await.unwrap().assert_pass();
    serving.abort();
}

/// A runtime is no obstacle, and a check can be given to another task.
#[tokio::test]
async fn within_a_runtime_it_may_block() {
    let server = served();
    let check = framespec::check(server.addr()).only("one-reply/single");
    check.clone().run().unwrap().assert_pass();
    let task = tokio::spawn(check.run_async());
    task.await.unwrap().unwrap().assert_pass();
}

#[test]
fn a_command_is_started_and_ended() {
    let command = format!("'{PROGRAM}' serve --profile chunk-count --listen {{host}}:{{port}}");
    let check = framespec::check_command(command)
        .profile(Profile::chunk_count())
        .reply(Reply::Echo)
        .only("one-reply")
        .except("one-reply/single*")
        .repeat(2)
        .jobs(2)
        .seed(7);
    let checked = check.run().unwrap();
    checked.assert_pass();
    assert!(
        checked
            .results()
            .iter()
            .all(|case| case.verdict == Verdict::Skip || case.attempts.of == 2)
    );
    assert_eq!(checked.run().started.seed, 7);
}

#[test]
fn a_client_is_checked() {
    let chat = format!("'{PROGRAM}' chat {{host}}:{{port}}");
    let check = || framespec::check_client(&*chat).only("client-boundary");
    check().run().unwrap().assert_pass();
    let mute = framespec::check_client("true {port}").run();
    assert!(matches!(mute, Err(CheckError::NoClient(_))));
    assert!(matches!(
        check().reply("{}").run(),
        Err(CheckError::NoHole(_))
    ));
    assert!(
        check()
            .reply("{\"said\": \"{text}\"}")
            .run()
            .unwrap()
            .passed()
    );
}

#[test]
fn reports_are_written() {
    let folder = TempDir::new().unwrap();
    let server = served();
    let check = framespec::check(server.addr()).only("order").trace();
    let checked = check.run().unwrap();
    for format in Format::ALL {
        checked
            .save(format, folder.path().join(format.as_str()))
            .unwrap();
    }
    let json = fs::read_to_string(folder.path().join("json")).unwrap();
    assert_eq!(&read_run(&json).unwrap(), checked.run());
    let played = checked
        .results()
        .iter()
        .filter(|case| case.verdict != Verdict::Skip);
    let (traced, lost): (Vec<_>, Vec<_>) = played.partition(|case| case.evidence.is_some());
    assert!(!traced.is_empty() && lost.is_empty(), "{lost:?}");
}

#[test]
fn what_cannot_be_checked_is_an_error_with_a_type() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let error = |check: Result<Checked, CheckError>| check.unwrap_err();
    let refused = error(framespec::check(address).run());
    assert!(
        matches!(&refused, CheckError::Unreachable(why) if why.kind == std::io::ErrorKind::ConnectionRefused),
        "{refused}"
    );
    let unknown = error(framespec::check("no-such-host.invalid:1").run());
    assert!(matches!(unknown, CheckError::NoAddress { .. }), "{unknown}");
    let only = |cases: &str| error(framespec::check(address).only(Selector::from(cases)).run());
    assert!(matches!(only("nonsense"), CheckError::Selection(_)));
    let pid = error(framespec::check(address).pid(u32::MAX).run());
    assert!(matches!(pid, CheckError::Process(_)), "{pid}");
    let command = error(framespec::check_command("./server").run());
    assert!(matches!(command, CheckError::Command { .. }), "{command}");
    let broken = error(framespec::check_command("echo gone >&2 # {port}").run());
    assert!(matches!(broken, CheckError::NotStarted(_)), "{broken}");
    assert!(broken.to_string().ends_with("\ngone"), "{broken}");
}
