//! `detect`: from captures, and by asking servers whose format is known to the test alone.

use super::program::{Served, conformance};
use framespec::profile::Profile;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What it prints, and how it ends.
fn detect(args: &[&str]) -> (Option<i32>, String, String) {
    let output = conformance().arg("detect").args(args).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What is printed is a profile file.
fn proposed(args: &[&str]) -> (Profile, String) {
    let (code, told, wrong) = detect(args);
    assert_eq!(code, Some(0), "{wrong}");
    (Profile::from_toml(&told).unwrap(), told)
}

#[test]
fn a_server_is_asked_what_it_speaks() {
    for name in [
        "tutorial",
        "chunk-count",
        "u32-be",
        "netstring",
        "modbus-tcp",
        "resp-bulk",
    ] {
        let served = Served::start(&["--profile", name]);
        let (found, told) = proposed(&[&served.addr.to_string(), "--timeout", "100ms"]);
        // Who echoes whatever comes also answers as servers do that read a register: their frames are the same.
        let expected = match name {
            "modbus-tcp" => ("modbus-read", true),
            name => (name, false),
        };
        let is_named_too = told.contains(&format!("with the same frames: {name}"));
        assert_eq!((found.name(), is_named_too), expected, "{told}");
        assert!(told.contains("# sure: "), "{told}");
    }
}

#[test]
fn a_format_without_a_name_is_found_by_asking() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let text = "name = 'own'\nlength = { width = 2, order = 'little', covers = ['length', 'payload'] }\nbody.payload = 'utf-8'\n";
    fs::write(&file, text).unwrap();
    let served = Served::start(&["--profile", file.to_str().unwrap()]);
    let (found, told) = proposed(&[&served.addr.to_string(), "--timeout", "100ms"]);
    let meant = Profile::from_toml(text).unwrap();
    assert_eq!(
        (found.length(), found.covered_header_len()),
        (meant.length(), 2),
        "{told}"
    );
}

/// A server in a thread of its own that does that with each connection; where it is.
fn serving(each: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|one| {
            thread::spawn(move || each(one));
        })
    });
    address
}

#[test]
fn a_server_that_speaks_first_is_listened_to() {
    let served = Served::start(&["--profile", "mysql"]);
    let (found, told) = proposed(&[&served.addr.to_string(), "--timeout", "100ms"]);
    assert_eq!(found.name(), "mysql", "{told}");
    assert!(
        told.contains("# sure: ") && told.contains("it speaks first"),
        "{told}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let text = "name = 'own'\nlength.width = 2\nbody.payload = 'utf-8'\nexchange.prologue = ['server 68 69 0a']\n";
    fs::write(&file, text).unwrap();
    let served = Served::start(&["--profile", file.to_str().unwrap()]);
    let (found, told) = proposed(&[&served.addr.to_string(), "--timeout", "100ms"]);
    let meant = Profile::from_toml(text).unwrap();
    assert_eq!(
        (found.length(), found.prologue()),
        (meant.length(), meant.prologue()),
        "{told}"
    );
}

/// What could be anything is said to be a guess.
#[test]
fn who_only_greets_or_echoes_is_guessed_at() {
    let greeting = serving(|mut client| {
        client.write_all(b"\x0b\0\0\0\x0a5.5.5-test").unwrap();
        let _ = client.read(&mut [0; 64]);
    });
    let (found, told) = proposed(&[&greeting, "--timeout", "100ms"]);
    assert_eq!(found.name(), "mysql", "{told}");
    assert!(told.contains("# a guess: mysql begins so"), "{told}");
    let echo = serving(|mut client| {
        let mut other = client.try_clone().unwrap();
        let _ = std::io::copy(&mut client, &mut other);
    });
    let (_, told) = proposed(&[&echo, "--timeout", "100ms"]);
    assert!(
        told.contains("# a guess: what is a frame in no format"),
        "{told}"
    );
}

/// The program's own captures are what others write: both sides of several connections.
#[test]
fn what_a_check_has_captured_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("check.pcapng");
    let path = file.to_str().unwrap();
    let mut check = conformance();
    check.args(["check", "--run", "pipelining", "--pcapng", path]);
    check.assert().success();
    let (found, told) = proposed(&["--from", path]);
    assert_eq!(found.name(), "tutorial", "{told}");
    let (code, _, wrong) = detect(&["--from", path, "--port", "1"]);
    assert_eq!(code, Some(3), "{wrong}");
}

#[test]
fn a_dump_is_read() {
    let (found, told) = proposed(&["--from", "corpus/detect/hex-dump"]);
    assert_eq!(found.name(), "tutorial", "{told}");
    let (found, told) = proposed(&["--from", "corpus/detect/netstrings"]);
    assert!(told.contains("netstring"), "{told}");
    assert_eq!(found.trailer().len(), 1, "{told}");
}

#[test]
fn what_cannot_be_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, folded) = (file("empty", b""), file("folded", b"00 00\n*\n"));
    let (broken, text) = (
        file("broken", &[0x0a, 0x0d, 0x0d, 0x0a, 1]),
        file("text", &b"no frames here\n".repeat(20)),
    );
    for (args, code, said) in [
        (vec![], 2, "required"),
        (vec!["--from", "nowhere"], 2, "nowhere"),
        (vec!["--from", &*empty], 2, "it is empty"),
        (vec!["--from", &*folded], 2, "line 2"),
        (vec!["--from", &*broken], 2, "cannot be read as one"),
        (vec!["--from", &*text], 3, "no layout was found"),
        (vec!["127.0.0.1:1"], 3, "cannot connect"),
    ] {
        let (found, _, wrong) = detect(&args);
        assert_eq!(found, Some(code), "{args:?}: {wrong}");
        assert!(wrong.contains(said), "{args:?}: {wrong}");
    }
}
