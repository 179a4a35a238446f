//! Encoding and decoding in memory: this crate beside `tokio_util`'s `LengthDelimitedCodec` (a peer
//! that does as much), beside a loop that only borrows, and beside copying alone, in one run.
//!
//! `cargo bench --bench codec` prints a part of docs/BENCHMARKS.md; `scripts/benchmarks` writes the whole page.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that is run by hand and prints what it measures"
)]

mod contenders;
mod race;

use contenders::{PEER, Stream};
use framespec::profile::Profile;
use race::{Contender, Effort, Row, race};

/// Octets of a payload: a small message, a page, and what fills buffers and caches.
const SIZES: [(usize, &str); 4] = [
    (60, "60 B"),
    (1 << 10, "1 KiB"),
    (64 << 10, "64 KiB"),
    (1 << 20, "1 MiB"),
];

/// Octets that arrive together: one, what a segment carries, and what a large read brings.
const PIECES: [usize; 7] = [1, 8, 64, 512, 1_460, 8_192, 65_536];

fn main() {
    let effort = Effort::asked_for();
    let plain = Profile::u32_be();
    each_size("All octets are there at once", effort, |size| {
        contenders::whole(&plain, &Stream::new(&plain, size))
    });
    each_size("They arrive in pieces of 1,460 octets", effort, |size| {
        contenders::arriving(&plain, &Stream::new(&plain, size), 1_460)
    });
    each_size("They arrive one at a time", effort, |size| {
        contenders::arriving(&plain, &Stream::new(&plain, size), 1)
    });
    padded(effort);
    each_size("Encoding", effort, |size| {
        contenders::encoding(&plain, size)
    });
    pieces(&plain, effort);
}

/// A table with all sizes, each a race of its own.
fn each_size(title: &str, effort: Effort, contenders: impl Fn(usize) -> Vec<Contender>) {
    print_head(title, "frame");
    for (size, name) in SIZES {
        print_rows(name, &race(contenders(size), effort));
    }
    println!();
}

/// The tutorial's format: 50 octets of payload in a body of 60. The peer does not look for the padding.
fn padded(effort: Effort) {
    let tutorial = Profile::tutorial();
    let stream = Stream::new(&tutorial, 50);
    print_head(
        "`tutorial`, 50 octets and 10 of padding, which the peer does not drop",
        "arrival",
    );
    let rows = race(contenders::whole(&tutorial, &stream), effort);
    print_rows("at once", &rows);
    let rows = race(contenders::arriving(&tutorial, &stream, 1_460), effort);
    print_rows("1,460", &rows);
    println!();
}

fn print_head(title: &str, first: &str) {
    println!("### {title}\n");
    println!(
        "| {first} | | ns a frame | frames a second beside the peer | middle half | allocations a frame |"
    );
    println!("|---|---|---|---|---|---|");
}

fn print_rows(of: &str, rows: &[Row]) {
    for row in rows {
        let ratio = row.ratio;
        println!(
            "| {of} | {} | {} | {:.2} × | {:.2}–{:.2} | {:.3} |",
            row.name,
            figure(row.nanos.median),
            ratio.median,
            ratio.low,
            ratio.high,
            row.allocations,
        );
    }
}

/// With as many digits as mean something.
fn figure(nanos: f64) -> String {
    if nanos < 1_000.0 {
        format!("{nanos:.1}")
    } else {
        format!("{nanos:.0}")
    }
}

/// What an octet costs, however the octets are cut and however large frames are.
fn pieces(profile: &Profile, effort: Effort) {
    println!("### What an octet costs, in ns\n");
    println!(
        "Each as `Decoder::decode` / {PEER} / copying the pieces, which whoever reads them does anyhow.\n"
    );
    let names = SIZES.map(|(_, name)| name);
    println!("| octets in a piece | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(SIZES.len()));
    for piece in PIECES {
        let cells = SIZES.map(|(size, _)| octet(profile, size, piece, effort));
        println!("| {piece} | {} |", cells.join(" | "));
    }
    println!();
}

fn octet(profile: &Profile, size: usize, piece: usize, effort: Effort) -> String {
    let stream = Stream::new(profile, size);
    let octets = stream.octets_of_a_frame() as f64;
    let rows = race(contenders::arriving(profile, &stream, piece), effort);
    let of = |name| {
        let row = rows.iter().find(|row| row.name == name).expect("it raced");
        format!("{:.3}", row.nanos.median / octets)
    };
    [contenders::OURS, PEER, contenders::COPYING]
        .map(of)
        .join(" / ")
}
