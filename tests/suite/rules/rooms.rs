//! The rooms of the crate and what each may import: docs/ARCHITECTURE.md as a table.

use super::source::{Import, Source};

/// A room, which is a module at the root of the crate.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    /// The rooms that it may import.
    pub(crate) may: &'static [&'static str],
    /// Paths that stand nowhere in it.
    never: &'static [&'static [&'static str]],
}

/// Sockets and whatever brings them. Addresses are mere data.
const NETWORK: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::os",
    "tokio",
    "socket2",
];

/// Everything else of the world outside.
const SYSTEM: &[&str] = &[
    "std::fs",
    "std::process",
    "std::thread",
    "std::env",
    "io::stdin",
    "io::stdout",
    "io::stderr",
];

/// The time of day, and the time since anything else.
const CLOCK: &[&str] = &["Instant::now", "SystemTime", "std::thread::sleep"];

/// What only the program needs.
const TERMINAL: &[&str] = &["clap", "tracing_subscriber"];

/// What the program and its reports look like.
const LOOKS: &[&str] = &["anstream", "anstyle", "indicatif"];

/// Meaning of payloads, in the room that knows none.
const MEANING: &[&str] = &["serde", "serde_json", "toml"];

/// One format or another: rooms are given a profile, and work with any.
const FORMATS: &[&str] = &[
    "Profile::tutorial",
    "Profile::chunk_count",
    "Profile::u32_be",
];

const PURE: &[&[&str]] = &[NETWORK, SYSTEM, CLOCK, TERMINAL, LOOKS, FORMATS];

/// The same for rooms in which a format is called by its name.
const NAMING: &[&[&str]] = &[NETWORK, SYSTEM, CLOCK, TERMINAL, LOOKS];

const fn pure(name: &'static str, may: &'static [&'static str]) -> Room {
    Room {
        name,
        may,
        never: PURE,
    }
}

const fn room(name: &'static str, may: &'static [&'static str]) -> Room {
    Room {
        name,
        may,
        never: &[TERMINAL, LOOKS, FORMATS],
    }
}

#[rustfmt::skip]
pub(crate) const ROOMS: &[Room] = &[
    Room { never: NAMING, ..pure("profile", &[]) },
    Room { never: &[NETWORK, SYSTEM, CLOCK, TERMINAL, LOOKS, FORMATS, MEANING], ..pure("wire", &["profile"]) },
    pure("message", &["profile", "wire"]),
    pure("session", &["profile", "wire", "message"]),
    room("transport", &["wire"]),
    room("server", &["profile", "wire", "message", "session", "transport"]),
    room("client", &["profile", "wire", "message", "transport"]),
    pure("spec", &[]),
    room("altered", &["profile", "wire", "message", "session", "transport", "server", "client", "spec"]),
    pure("lang", &[]),
    pure("script", &["profile"]),
    pure("transcript", &["lang", "script"]),
    pure("model", &["lang", "profile", "script", "spec"]),
    pure("judge", &["lang", "profile", "spec", "script", "transcript", "model"]),
    pure("cases", &["lang", "profile", "spec", "script", "transcript", "model", "judge"]),

    pure("event", &["lang", "spec"]),
    pure("diagnosis", &["lang", "spec", "event"]),
    pure("marks", &["profile", "model", "event"]),
    Room { never: &[NETWORK, CLOCK, TERMINAL, FORMATS], ..room("report", &["lang", "spec", "event"]) },
    pure("expect", &["event", "report"]),
    room("recall", &["event", "report"]),
    pure("shrink", &["profile", "script", "model"]),
    pure("generate", &["profile", "script", "model"]),
    pure("capture", &[]),
    pure("detect", &["profile", "script", "model", "capture"]),
    Room { never: NAMING, ..pure("reproducer", &["lang", "profile", "script", "model", "report"]) },
    pure("dissector", &["profile", "report"]),
    room("peer", &["lang", "transcript", "transport"]),
    room("outcome", &["lang", "profile", "spec", "script", "transcript", "model", "judge", "cases", "event", "diagnosis", "marks"]),
    room("run", &["lang", "profile", "spec", "script", "transcript", "model", "judge", "cases", "event", "diagnosis", "shrink", "transport", "peer", "outcome"]),
    room("coverage", &[]),
    room("campaign", &["lang", "profile", "spec", "script", "transcript", "model", "cases", "event", "diagnosis", "shrink", "generate", "run", "coverage"]),
    // What is not said is as on the command line.
    Room { never: &[TERMINAL, LOOKS], ..room("check", &["profile", "spec", "script", "cases", "event", "diagnosis", "report", "expect", "transport", "peer", "outcome", "run"]) },
    room("grade", &["lang", "profile", "spec", "event", "diagnosis", "report", "peer", "run", "check"]),
    room("selftest", &["lang", "profile", "spec", "script", "model", "judge", "cases", "event", "diagnosis", "transport", "peer", "outcome", "run", "server", "altered"]),
    // It needs one moment to begin with, as there is no other way to an `Instant`.
    Room {
        never: &[NETWORK, SYSTEM, TERMINAL, LOOKS, FORMATS],
        ..pure("fuzz", &["lang", "profile", "wire", "message", "session", "spec", "script", "transcript", "model", "judge", "event", "report", "generate", "capture", "detect"])
    },
    room("live", &["event", "report"]),
    room("watch", &[]),
    Room { never: &[], ..room("cli", &[
        "lang", "profile", "wire", "message", "session", "transport", "server", "client", "altered", "spec", "script", "transcript",
        "model", "judge", "cases", "event", "diagnosis", "marks", "report", "expect", "recall", "peer", "outcome", "run", "coverage", "campaign", "check", "grade", "selftest", "fuzz", "live", "watch", "shrink", "generate", "reproducer", "dissector", "capture", "detect",
    ]) },
];

/// Every import that the table does not permit, one line each.
pub(super) fn breaches(sources: &[Source]) -> Vec<String> {
    let tests = |source: &&Source| !sources.iter().any(|other| other.declares_as_test(source));
    let mut found = Vec::new();
    for source in sources.iter().filter(tests) {
        for import in &source.imports {
            if let Some(why) = breach(source, import) {
                found.push(format!("{}:{}: {why}", source.path, import.line));
            }
        }
    }
    found
}

fn breach(source: &Source, import: &Import) -> Option<String> {
    let path = import.path.join("::");
    if source.room() == "bin" {
        let elsewhere = import.room().filter(|room| *room != "cli");
        return elsewhere.map(|_| format!("{path}: the program is nothing but `cli`"));
    }
    let room = ROOMS.iter().find(|room| room.name == source.room())?;
    if let Some(target) = import.room()
        && target != room.name
        && !room.may.contains(&target)
    {
        return Some(format!("{path}: `{}` may not import `{target}`", room.name));
    }
    let ban = room.never.iter().copied().flatten();
    ban.copied()
        .find(|ban| import.holds(ban))
        .map(|ban| format!("{path}: `{ban}` has no place in `{}`", room.name))
}

#[test]
fn the_table_names_rooms_that_it_has() {
    for room in ROOMS {
        for target in room.may {
            assert!(
                ROOMS.iter().any(|other| other.name == *target),
                "{target} in {}",
                room.name
            );
        }
    }
}

#[test]
fn the_table_has_no_circles() {
    // Each room may import only rooms that can be put before it.
    let mut placed: Vec<&str> = Vec::new();
    while placed.len() < ROOMS.len() {
        let next = ROOMS
            .iter()
            .filter(|room| !placed.contains(&room.name))
            .find(|room| room.may.iter().all(|target| placed.contains(target)));
        placed.push(next.expect("the rooms left import each other").name);
    }
}

#[cfg(test)]
mod planted {
    use super::super::tree::File;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        found_in(&[(path, text)])
    }

    fn found_in(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| {
                Source::of(&File {
                    path: (*path).into(),
                    text: (*text).into(),
                })
            })
            .collect();
        breaches(&sources)
    }

    #[test]
    fn forbidden_edges_are_found_however_they_are_written() {
        for (path, text) in [
            ("src/model/mod.rs", "use crate::wire::Decoder;"),
            ("src/model/mod.rs", "use crate::{profile::Profile, wire};"),
            (
                "src/model/reader.rs",
                "use crate::{script::{self, Script}, wire::{Decoder as D}};",
            ),
            ("src/model/reader.rs", "use super::super::wire::Decoder;"),
            ("src/model.rs", "use super::wire;"),
            (
                "src/model/reader.rs",
                "fn f() { let d = crate::wire::Decoder::new(); }",
            ),
            ("src/report/html.rs", "use crate::run::Options;"),
            ("src/report/html.rs", "use std::net::TcpStream;"),
            (
                "src/report/html.rs",
                "async fn f() { tokio::net::TcpStream::connect(a).await }",
            ),
            ("src/server/mod.rs", "pub use crate::cases::Case;"),
            ("src/wire/codec.rs", "fn f(v: serde_json::Value) {}"),
            (
                "src/wire/mod.rs",
                "use std::{fmt, net::{TcpListener as L}, io};",
            ),
            (
                "src/session/mod.rs",
                "fn f() { let now = std::time::Instant::now(); }",
            ),
            (
                "src/judge/walk.rs",
                "use std::time::{Duration, SystemTime};",
            ),
            (
                "src/judge/walk.rs",
                "fn f<T>(t: T) where T: Into<std::time::SystemTime> {}",
            ),
            ("src/script/text.rs", "use std::fs::File;"),
            ("src/client.rs", "use clap::Parser;"),
            ("src/report/human.rs", "use clap::Parser;"),
            ("src/run/drive.rs", "use anstyle::Style;"),
            (
                "src/judge/walk.rs",
                "fn f(p: &Profile) -> bool { *p == Profile::tutorial() }",
            ),
            ("src/bin/conformance.rs", "use framespec::wire::Decoder;"),
            (
                "src/model/mod.rs",
                "const A: &str = \"\\\"\"; const B: char = '\"'; use crate::wire;",
            ),
            (
                "src/model/mod.rs",
                "fn f<'a>(a: &'a str) { 'outer: loop { crate::wire::f(a) } }",
            ),
            (
                "src/model/mod.rs",
                "#[cfg(not(test))] use crate::wire::Decoder;",
            ),
            (
                "src/model/mod.rs",
                "#[cfg(test)] mod tests { fn f() {} } use crate::wire::Decoder;",
            ),
        ] {
            assert_eq!(found(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn what_is_permitted_is_not_found() {
        for (path, text) in [
            (
                "src/model/mod.rs",
                "use crate::{profile::Profile, script::Script}; use reader::wire;",
            ),
            (
                "src/model/mod.rs",
                "//! See [`crate::wire`].\n/* crate::wire /* */ crate::wire */",
            ),
            (
                "src/model/mod.rs",
                "const A: &str = r#\"use crate::wire;\"#;",
            ),
            (
                "src/model/mod.rs",
                "#[cfg(test)]\nmod tests { use crate::wire::Decoder; }",
            ),
            (
                "src/model/reader.rs",
                "use super::payload; use self::wire::x;",
            ),
            (
                "src/wire/codec.rs",
                "use std::io; use tokio_util::codec::Decoder;",
            ),
            (
                "src/session/mod.rs",
                "use std::time::Instant; fn f(now: Instant) {}",
            ),
            (
                "src/run/drive.rs",
                "use tokio::net::TcpStream; use crate::judge::judge;",
            ),
            (
                "src/bin/conformance.rs",
                "fn main() { framespec::cli::main() }",
            ),
        ] {
            assert_eq!(found(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn files_that_only_tests_read_are_free() {
        let uses = "use crate::wire::Decoder;";
        let declared = [
            ("src/model/mod.rs", "#[cfg(test)]\nmod tests;\n"),
            ("src/model/tests.rs", uses),
        ];
        assert_eq!(found_in(&declared), Vec::<String>::new());
        let undeclared = [("src/model/mod.rs", "mod tests;"), declared[1]];
        assert_eq!(found_in(&undeclared).len(), 1);
    }

    #[test]
    fn a_breach_is_told_with_its_place() {
        assert_eq!(
            found(
                "src/report/mod.rs",
                "\nuse crate::event;\nuse crate::run::Run;\n"
            ),
            ["src/report/mod.rs:3: crate::run::Run: `report` may not import `run`"]
        );
    }
}
