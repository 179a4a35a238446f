//! The altered server: without a fault it is the reference server, and with one it is not.

use crate::program::{
    GUARD, Served, conformance, connect, frame, payloads, read_to_fin, receive, reset, round_trip,
};
use framespec::altered::server::{self as altered, Alteration, Fault, Variant};
use framespec::altered::{Alterable, Fault as FaultOf, Variant as VariantOf, client};
use framespec::cases::{self, Circumstances};
use framespec::judge::ReplyRule;
use framespec::profile::Profile;
use framespec::script::{OwnEnd, Script};
use framespec::server::{Background, Echo, Settings};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

fn start(alteration: impl Into<Alteration>) -> Background {
    in_format(Profile::tutorial(), alteration)
}

fn in_format(profile: Profile, alteration: impl Into<Alteration>) -> Background {
    altered::start(
        "127.0.0.1:0",
        profile,
        Settings::default(),
        Echo,
        alteration,
    )
    .unwrap()
}

fn faulty(name: &str) -> Background {
    start(Fault::named(name).unwrap())
}

fn variant(name: &str) -> Background {
    start(Variant::named(name).unwrap())
}

/// All that comes in answer to a stream and its end, and whether that ends in a FIN.
fn answers(addr: SocketAddr, octets: &[u8], end: OwnEnd) -> (Vec<u8>, bool) {
    let mut stream = connect(addr);
    let mut writer = stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A server may close before it has read everything.
            let _ = writer.write_all(octets);
            let _ = writer.shutdown(Shutdown::Write);
        });
        let mut received = Vec::new();
        let ended = stream.read_to_end(&mut received);
        assert!(
            !matches!(&ended, Err(error) if error.kind() == ErrorKind::WouldBlock),
            "hangs: {end:?}"
        );
        (received, ended.is_ok())
    })
}

/// The streams of every case, each once.
fn streams(profile: &Profile) -> BTreeSet<Vec<u8>> {
    let rule = ReplyRule::Echo;
    let circumstances = Circumstances::best(profile, &rule);
    let scripts = cases::all(framespec::spec::Role::Server)
        .filter_map(|case| case.script(&circumstances).ok());
    let of = |script: Script| {
        (0..script.connections())
            .map(|conn| script.stream(conn))
            .collect::<Vec<_>>()
    };
    scripts.flat_map(of).collect()
}

/// What comes next is a whole frame with that payload.
fn expect(stream: &mut TcpStream, payload: &str) {
    assert_eq!(receive(stream), payload);
}

/// Nothing comes although another client is served meanwhile.
fn expect_silence(server: &Background, stream: &mut TcpStream) {
    let mut other = connect(server.addr());
    for n in 0..20 {
        round_trip(&mut other, &n.to_string());
    }
    stream.set_nonblocking(true).unwrap();
    let error = stream.read(&mut [0; 64]).unwrap_err();
    stream.set_nonblocking(false).unwrap();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

fn send(stream: &mut TcpStream, octets: &[u8]) {
    stream.write_all(octets).unwrap();
}

/// Sends octets after the server has taken what was sent before.
fn later(server: &Background, stream: &mut TcpStream, octets: &[u8]) {
    expect_silence(server, stream);
    send(stream, octets);
}

/// The server closes, or resets, without another octet.
fn expect_end(stream: &mut TcpStream) {
    assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn reading_goes_wrong() {
    let request = frame("\"1\"");

    let server = faulty("header-in-one-read");
    let mut client = connect(server.addr());
    send(&mut client, &request[..2]);
    let reply = receive(&mut client);
    assert!(reply.contains("error"), "two zeros are a length");

    let server = faulty("first-frame-of-a-read-only");
    let mut client = connect(server.addr());
    send(&mut client, &request.repeat(2));
    expect(&mut client, "\"1\"");
    expect_silence(&server, &mut client);

    let server = faulty("reads-of-a-fixed-size");
    let mut client = connect(server.addr());
    send(&mut client, &request[..30]);
    later(&server, &mut client, &[&request[30..], &request].concat());
    expect(&mut client, "\"1\"");
    // Of the second frame only padding is left, and that reads as empty frames.
    assert!(receive(&mut client).contains("empty"));

    let server = faulty("read-timeout-of-100-ms");
    let mut client = connect(server.addr());
    send(&mut client, &request[..30]);
    assert_eq!(read_to_fin(&mut client), b"");
}

#[test]
fn lengths_go_wrong() {
    let server = faulty("signed-octets");
    let mut client = connect(server.addr());
    round_trip(&mut client, "1");
    send(&mut client, &frame(format!("\"{}\"", "x".repeat(150))));
    expect_end(&mut client);

    let server = faulty("no-limit");
    let mut client = connect(server.addr());
    send(&mut client, b"\xff\xff\xff\xf0");
    expect_silence(&server, &mut client);

    let server = faulty("length-plus-header-wraps");
    let mut client = connect(server.addr());
    send(&mut client, b"\xff\xff\xff\xff");
    assert!(receive(&mut client).contains("empty"));

    let server = faulty("odd-length-rounded-up");
    let mut client = connect(server.addr());
    send(&mut client, b"\0\0\0\x01");
    later(&server, &mut client, &[b' '; 59]);
    later(&server, &mut client, b"7");
    expect(&mut client, &format!("{}7", " ".repeat(59)));
}

#[test]
fn bodies_go_wrong() {
    let server = faulty("zero-digits-stripped");
    let mut client = connect(server.addr());
    send(&mut client, &frame("100"));
    expect(&mut client, "1");

    let server = faulty("waits-for-padding");
    let mut client = connect(server.addr());
    let full = format!("\"{}\"", "x".repeat(58));
    send(&mut client, &frame(&full));
    later(&server, &mut client, &[0; 60]);
    expect(&mut client, &full);

    let server = faulty("empty-frame-ignored");
    let mut client = connect(server.addr());
    send(&mut client, &[0; 4]);
    expect_silence(&server, &mut client);
    round_trip(&mut client, "1");
}

#[test]
fn endings_go_wrong() {
    let server = faulty("truncated-body-answered");
    let mut client = connect(server.addr());
    send(&mut client, &frame("\"1\"")[..8]);
    client.shutdown(Shutdown::Write).unwrap();
    expect(&mut client, "\"1\"");

    let server = faulty("end-read-as-length-zero");
    let mut client = connect(server.addr());
    client.shutdown(Shutdown::Write).unwrap();
    for _ in 0..1000 {
        assert!(receive(&mut client).contains("empty"));
    }

    let server = faulty("end-ignored");
    let mut client = connect(server.addr());
    client.shutdown(Shutdown::Write).unwrap();
    expect_silence(&server, &mut client);

    let server = faulty("reset-ends-the-server");
    let mut client = connect(server.addr());
    let mut other = connect(server.addr());
    round_trip(&mut client, "1");
    round_trip(&mut other, "1");
    reset(client);
    expect_end(&mut other);
    assert!(TcpStream::connect_timeout(&server.addr(), GUARD).is_err());
}

#[test]
fn writing_goes_wrong() {
    let server = faulty("newline-behind-each-frame");
    let mut client = connect(server.addr());
    round_trip(&mut client, "1");
    let mut octet = [0];
    client.read_exact(&mut octet).unwrap();
    assert_eq!(octet, *b"\n");

    let server = faulty("chunk-of-padding-behind-a-full-one");
    let mut client = connect(server.addr());
    round_trip(&mut client, "1");
    send(&mut client, &frame(format!("\"{}\"", "x".repeat(58))));
    let mut header = [0; 4];
    client.read_exact(&mut header).unwrap();
    assert_eq!(u32::from_be_bytes(header), 120);

    let server = faulty("length-counts-characters");
    let mut client = connect(server.addr());
    send(&mut client, &frame("\"é€\""));
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_fin(&mut client).len(), 64 + 3);

    let server = faulty("two-writers");
    let mut client = connect(server.addr());
    send(&mut client, &[frame("1"), frame("2")].concat());
    client.shutdown(Shutdown::Write).unwrap();
    let mixed = [&frame("1")[..32], &frame("2"), &frame("1")[32..]].concat();
    assert_eq!(read_to_fin(&mut client), mixed);
}

#[test]
fn texts_go_wrong() {
    for (name, asked, said) in [
        ("read-as-latin-1", "\"é\"", "\"Ã©\""),
        ("one-plane-only", "[\"😀\"]", "[\"?\"]"),
        ("texts-stripped", "{\"a\": \" b \"}", "{\"a\":\"b\"}"),
        ("texts-cut-at-nul", r#""a\u0000b""#, "\"a\""),
        ("numbers-in-single-precision", "123456789", "123456792.0"),
        ("payload-ends-at-first-nul", "1\0\x002", "1"),
        ("payload-begins-behind-last-nul", "1\0\x002", "2"),
        ("literals-as-python-prints-them", "true", "True"),
        ("infinity-in-replies", "-1e999", "-Infinity"),
    ] {
        let server = faulty(name);
        let mut client = connect(server.addr());
        send(&mut client, &frame(asked));
        assert_eq!(receive(&mut client), said, "{name}");
    }

    let server = faulty("undecodable-ends-the-client");
    let mut client = connect(server.addr());
    send(&mut client, &frame("nonsense"));
    expect_silence(&server, &mut client);
    send(&mut client, &frame("1"));
    expect_silence(&server, &mut client);

    let server = faulty("deep-nesting-ends-the-server");
    let mut client = connect(server.addr());
    send(&mut client, &frame("[".repeat(1001)));
    expect_end(&mut client);
    assert!(TcpStream::connect_timeout(&server.addr(), GUARD).is_err());
}

#[test]
fn exchanges_go_wrong() {
    let (one, two) = (frame("1"), frame("2"));
    for (name, asked, said) in [
        ("pairs-swapped", [&one[..], &two].concat(), vec!["2", "1"]),
        (
            "same-request-answered-once",
            [&one[..], &one, &two].concat(),
            vec!["1", "2"],
        ),
        (
            "input-flushed-before-each-reply",
            [&one[..], &two].concat(),
            vec!["1"],
        ),
    ] {
        let server = faulty(name);
        let mut client = connect(server.addr());
        send(&mut client, &asked);
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(payloads(&read_to_fin(&mut client)), said, "{name}");
    }

    let server = faulty("greeting");
    expect(&mut connect(server.addr()), "\"welcome\"");

    let server = faulty("header-acknowledged");
    let mut client = connect(server.addr());
    send(&mut client, &one[..4]);
    expect(&mut client, "\"go on\"");

    let server = faulty("reply-before-the-padding");
    let mut client = connect(server.addr());
    send(&mut client, &one[..10]);
    expect(&mut client, "1");
    send(&mut client, &one[10..]);
    round_trip(&mut client, "3");

    let server = faulty("closes-after-a-hundred");
    let mut client = connect(server.addr());
    for n in 0..100 {
        round_trip(&mut client, &n.to_string());
    }
    assert_eq!(read_to_fin(&mut client), b"");
}

#[test]
fn many_clients_go_wrong() {
    let server = faulty("one-client-at-a-time");
    let mut first = connect(server.addr());
    let mut second = connect(server.addr());
    round_trip(&mut first, "1");
    send(&mut second, &frame("2"));
    second.set_nonblocking(true).unwrap();
    round_trip(&mut first, "3");
    assert!(second.read(&mut [0; 1]).is_err());
    second.set_nonblocking(false).unwrap();
    drop(first);
    expect(&mut second, "2");

    let server = faulty("replies-to-whoever-spoke-last");
    let mut one = connect(server.addr());
    let mut other = connect(server.addr());
    send(&mut one, &frame("1")[..10]);
    later(&server, &mut one, b"");
    send(&mut other, &frame("2")[..10]);
    later(&server, &mut one, &frame("1")[10..]);
    expect_silence(&server, &mut one);

    let server = faulty("left-over-for-the-next-client");
    let mut one = connect(server.addr());
    send(&mut one, &frame("[1, 2]")[..8]);
    one.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_fin(&mut one), b"");
    let mut next = connect(server.addr());
    send(&mut next, &frame("[1, 2]")[8..]);
    expect(&mut next, "[1, 2]");

    let server = faulty("sixty-fifth-client-never-served");
    for _ in 0..64 {
        round_trip(&mut connect(server.addr()), "1");
    }
    let mut client = connect(server.addr());
    send(&mut client, &frame("1"));
    client
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(client.read(&mut [0; 1]).is_err());
}

#[test]
fn permitted_differences_are_different() {
    let said = |name: &str, octets: &[u8]| {
        let server = variant(name);
        let (said, _) = answers(server.addr(), octets, OwnEnd::Fin);
        payloads(&said).join(" ")
    };
    assert_eq!(said("closes-on-undecodable", &frame("x")), "");
    let counted = said("counts-characters", &frame("[1]"));
    assert_eq!(counted, "{\"characters\":3}");
    assert_eq!(said("dribbles", &frame("1").repeat(9)).len(), 17);
    assert_eq!(said("strips-both-ends", &frame("\0 1 ")), "1");
    assert_eq!(said("lenient-json", &frame("[NaN,]")), "[null]");
    assert!(said("strict-json", &frame("1e300")).contains("not one JSON"));
    assert_eq!(said("takes-odd-lengths", b"\0\0\0\x011"), "1");
    let large = frame(" ".repeat(32 << 10) + "1");
    assert_eq!(said("limit-of-32-kib", &large), "");
    let malformed = said("explains-before-closing", b"\xff\xff\xff\xff");
    assert!(malformed.contains("malformed"));
    assert_eq!(
        said("wraps-replies", &frame("[1]")),
        r#"{"status": "ok", "reply": [1]}"#
    );
    assert_eq!(
        said("writes-its-own-json", &frame(r#"{"b":1,"a":"é"}"#)),
        "{\n  \"a\": \"\\u00E9\",\n  \"b\": 1\n}"
    );
}

#[test]
fn without_a_fault_it_says_what_the_reference_server_says() {
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let settings = Settings::default();
        let reference = Background::start("127.0.0.1:0", profile.clone(), settings, Echo).unwrap();
        let altered = in_format(profile.clone(), Alteration::NONE);
        let streams = streams(&profile);
        assert!(streams.len() > 500, "{}", streams.len());
        for stream in streams {
            let said = |server: &Background| answers(server.addr(), &stream, OwnEnd::Fin);
            assert_eq!(
                said(&altered),
                said(&reference),
                "{}",
                stream.escape_ascii()
            );
        }
    }
}

/// Exit code, standard output and standard error of the program.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = conformance().args(args).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn lists_all_of_them<H: Alterable>(command: &str) {
    let (code, listed, _) = run(&[command, "--list-faults"]);
    assert_eq!(code, 0);
    let (_, json, _) = run(&[command, "--list-faults", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let faults: Vec<_> = FaultOf::<H>::all().collect();
    assert_eq!(json.as_array().unwrap().len(), faults.len());
    for (fault, told) in faults.iter().zip(json.as_array().unwrap()) {
        assert_eq!(told["name"], fault.name);
        assert!(listed.contains(fault.about), "{}", fault.name);
    }
    let (_, listed, _) = run(&[command, "--list-variants"]);
    assert!(VariantOf::<H>::all().all(|variant| listed.contains(variant.about)));
}

#[test]
fn the_program_lists_them_for_both_roles() {
    lists_all_of_them::<altered::Hooks>("serve");
    lists_all_of_them::<client::Hooks>("chat");
}

#[test]
fn the_program_suggests_names_for_those_that_it_does_not_know() {
    for (args, said) in [
        (["serve", "--fault", "no-limt"], "no-limit"),
        (["serve", "--fault", "zzzz"], "--list-faults"),
        (["serve", "--variant", "counts"], "counts-characters"),
        (
            ["chat", "--fault", "reply-in-one-raed"],
            "reply-in-one-read",
        ),
        (["chat", "--variant", "promts"], "prompts"),
    ] {
        let (code, stdout, stderr) = run(&args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    let both = ["serve", "--fault", "no-limit", "--variant", "dribbles"];
    assert_eq!(run(&both).0, 2);
    assert_eq!(run(&["chat"]).0, 2, "without a server");
}

#[test]
fn the_program_chats_with_a_fault() {
    let server = start(Alteration::NONE);
    let chat = |args: &[&str], typed: &str| {
        let address = server.addr().to_string();
        let mut command = conformance();
        command.arg("chat").arg(&address).args(args);
        let output = command.write_stdin(typed.to_owned()).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), shown)
    };
    let variant = ["--variant", "shows-values-as-python"];
    assert_eq!(
        chat(&variant, "\"é\"\n[1]\n"),
        (Some(0), "'\\xe9'\n[1]\n".into())
    );
    let fault = ["--fault", "text-in-single-quotes"];
    let (code, shown) = chat(&fault, "hello\n");
    assert!(code == Some(0) && shown.contains("error"), "{shown}");
}

#[test]
fn the_program_serves_with_a_fault() {
    let server = Served::start(&["--fault", "greeting"]);
    expect(&mut server.connect(), "\"welcome\"");
    let server = Served::start(&["--fault", "constant-reply", "--profile", "tutorial"]);
    let mut client = server.connect();
    send(&mut client, &frame("1"));
    expect(&mut client, "\"ok\"");

    // One that ends the server ends the program, and without a complaint.
    let server = Served::start(&["--fault", "undecodable-ends-the-server"]);
    send(&mut server.connect(), &frame("x"));
    assert!(server.wait().0.success());
}
