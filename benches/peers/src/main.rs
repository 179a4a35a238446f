//! Whether octets are one JSON text in UTF-8: this crate beside other validators, and which of them are right.
//!
//! A server that passes messages on asks nothing else of them. `scripts/benchmarks` runs this; what it prints is
//! a part of docs/BENCHMARKS.md.

#[path = "../../codec/race.rs"]
mod race;

use bytes::Bytes;
use framespec::message::Message;
use framespec::profile::Payload;
use race::{Contender, Effort, race, timed};
use serde::de::IgnoredAny;
use std::hint::black_box;
use std::process::Command;

/// Says whether octets are one JSON text in UTF-8.
type Validator = fn(&Bytes) -> bool;

/// The first is what the others are compared with.
const VALIDATORS: [(&str, Validator); 4] = [
    ("`Message::read`, by serde_json", |octets| {
        Message::read(Payload::Json, octets.clone()).is_ok()
    }),
    ("UTF-8, then serde_json's `IgnoredAny`", |octets| {
        std::str::from_utf8(octets)
            .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
    }),
    ("sonic-rs, `LazyValue`", |octets| {
        sonic_rs::from_slice::<sonic_rs::LazyValue<'_>>(octets).is_ok()
    }),
    ("simd-json, tape", |octets| {
        // It writes into what it reads.
        simd_json::to_tape(&mut octets.to_vec()).is_ok()
    }),
];

/// JSON texts by RFC 8259, though what they mean may be beyond a reader.
const TEXTS: [&[u8]; 10] = [
    b"1e999",
    b"-0",
    b"123456789012345678901234567890",
    b"\"\\ud800\"",
    b"\"\\udc00x\"",
    b"\"\\ud800\\u0041\"",
    b"{\"a\":1,\"a\":2}",
    b" [1 , 2]\n",
    b"\"\x7f\"",
    b"2E+05",
];

/// None of these is one.
const OTHERS: [&[u8]; 14] = [
    b"",
    b"NaN",
    b"01",
    b"1.",
    b"[1,]",
    b"[1 2]",
    b"\"\t\"",
    b"\"\\x\"",
    b"\"\\u12g4\"",
    b"1\0",
    b"{} {}",
    b"\xef\xbb\xbf1",
    b"\"\xff\"",
    b"\"\xed\xa0\x80\"",
];

/// Arrays in each other: a reader that calls itself for each runs out of stack.
const DEEP: usize = 1_000_000;

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--deep") {
        let at: usize = args
            .next()
            .and_then(|at| at.parse().ok())
            .expect("an index");
        let text = Bytes::from(format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)));
        assert!(VALIDATORS[at].1(&text));
        return;
    }
    speed();
    exactness();
}

fn speed() {
    println!("### Is it JSON?\n");
    println!("| payload | | ns | speed beside ours | middle half | allocations |");
    println!("|---|---|---|---|---|---|");
    for (of, text) in payloads() {
        for row in race(contenders(&text), Effort::asked_for()) {
            let (name, nanos, ratio) = (row.name, row.nanos.median, row.ratio);
            println!(
                "| {of} | {name} | {nanos:.1} | {:.2} × | {:.2}–{:.2} | {:.2} |",
                ratio.median, ratio.low, ratio.high, row.allocations
            );
        }
    }
    println!();
}

fn payloads() -> [(&'static str, Bytes); 4] {
    let record = r#"{"id": 12345, "name": "Margot", "tags": ["a", "bc", null, true], "x": -1.5e3}"#;
    let list = |count| Bytes::from(format!("[{}]", vec![record; count].join(", ")));
    let prose = "Ein längerer Text, wie er in Nachrichten steht. ".repeat(20);
    [
        (
            "53 B",
            Bytes::from_static(br#"{"nombre": "Margot", "edad": 15, "raza": "Schnauzer"}"#),
        ),
        ("1 KiB, records", list(13)),
        ("1 KiB, prose", Bytes::from(format!("{prose:?}"))),
        ("64 KiB, records", list(820)),
    ]
}

fn contenders(text: &Bytes) -> Vec<Contender> {
    let times = (1 << 18) / text.len();
    let contender = |(name, validator): (&'static str, Validator)| {
        let text = text.clone();
        Contender::new(name, times, move || {
            timed(|| {
                let found = (0..times).filter(|_| black_box(validator(black_box(&text))));
                found.count()
            })
        })
    };
    VALIDATORS.map(contender).into()
}

fn exactness() {
    println!("### Who is right about it?\n");
    let (texts, others) = (TEXTS.len(), OTHERS.len());
    println!(
        "| | of {texts} texts by RFC 8259 refused | of {others} others taken | {DEEP} arrays in each other |"
    );
    println!("|---|---|---|---|");
    for (at, (name, validator)) in VALIDATORS.into_iter().enumerate() {
        let is_text = |octets: &'static [u8]| validator(&Bytes::from_static(octets));
        let refused = TEXTS.into_iter().filter(|text| !is_text(text)).map(shown);
        let taken = OTHERS.into_iter().filter(|text| is_text(text)).map(shown);
        let (refused, taken) = (listed(refused), listed(taken));
        println!("| {name} | {refused} | {taken} | {} |", deep(at));
    }
    println!();
}

fn shown(octets: &[u8]) -> String {
    format!("`{}`", octets.escape_ascii())
}

fn listed(found: impl Iterator<Item = String>) -> String {
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return "none".into();
    }
    found.join(", ")
}

/// In a process of its own, since it may not survive.
fn deep(validator: usize) -> &'static str {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--deep", &validator.to_string()])
        .output()
        .expect("it can be started");
    match output.status.code() {
        Some(0) => "taken",
        Some(_) => "refused",
        None => "the process dies",
    }
}
