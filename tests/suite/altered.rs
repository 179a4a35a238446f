//! The altered server: without a fault it is the reference server, and with one it is not.

use crate::program::{GUARD, connect, frame, payloads, read_to_fin, receive, reset, round_trip};
use framespec::cases::{self, Circumstances};
use framespec::judge::ReplyRule;
use framespec::profile::Profile;
use framespec::script::{ClientEnd, Script};
use framespec::server::{Alteration, Background, Echo, Fault, Settings, Variant};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

fn start(alteration: impl Into<Alteration>) -> Background {
    in_format(Profile::tutorial(), alteration)
}

fn in_format(profile: Profile, alteration: impl Into<Alteration>) -> Background {
    Background::start_altered(
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
fn answers(addr: SocketAddr, octets: &[u8], end: ClientEnd) -> (Vec<u8>, bool) {
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
    let circumstances = Circumstances {
        profile,
        rule: &rule,
        seed: 1,
        slow: true,
        process: true,
        concurrent: true,
    };
    let scripts = cases::all().filter_map(|case| case.script(&circumstances).ok());
    let of = |script: Script| {
        (0..script.connections())
            .map(|conn| script.stream(conn))
            .collect::<Vec<_>>()
    };
    scripts.flat_map(of).collect()
}

#[test]
fn without_a_fault_it_says_what_the_reference_server_says() {
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let settings = Settings::default();
        let reference =
            Background::start("127.0.0.1:0", profile.clone(), settings, Echo).unwrap();
        let altered = in_format(profile.clone(), Alteration::NONE);
        let streams = streams(&profile);
        assert!(streams.len() > 500, "{}", streams.len());
        for stream in streams {
            let said = |server: &Background| answers(server.addr(), &stream, ClientEnd::Fin);
            assert_eq!(said(&altered), said(&reference), "{}", stream.escape_ascii());
        }
    }
}
