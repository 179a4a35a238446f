//! Encoding and decoding in memory: this crate beside `tokio_util`'s `LengthDelimitedCodec` (a peer
//! that does as much) and beside a loop that only borrows (the floor), in one run.
//!
//! `cargo bench --bench decode` prints the tables of docs/BENCHMARKS.md. The contenders take turns,
//! round after round, so that whatever else the machine does hits all of them; what is worth quoting
//! is the ratio, not the nanoseconds.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that is run by hand and prints what it measures"
)]

use bytes::BytesMut;
use framespec::profile::{Draft, Payload, Profile};
use framespec::wire::{Decoder, Encoder, frames};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio_util::codec::{Decoder as _, Encoder as _, LengthDelimitedCodec};

/// Octets of frames that each contender handles in a round.
const STREAM: usize = 1 << 18;

/// Octets that arrive together where octets arrive in segments.
const SEGMENT: usize = 1460;

fn main() {
    // `cargo test --benches` passes no `--bench`: then one round shows that all of it works.
    let rounds = if std::env::args().any(|arg| arg == "--bench") {
        101
    } else {
        1
    };
    let print = |title: String, contenders: Vec<Contender>, stream: &Stream| {
        print_table(&title, &run(&contenders, stream, rounds));
    };
    let plain = plain();
    for payload in [60, 1_000, 16_384] {
        let stream = Stream::new(&plain, payload);
        let title = format!("Decoding frames of {payload} octets, all there at once");
        print(title, decoders(&plain), &stream);
        let title =
            format!("Decoding frames of {payload} octets, arriving in segments of {SEGMENT}");
        print(title, arriving(&plain), &stream);
    }
    let tutorial = Profile::tutorial();
    let title = "Decoding `tutorial`, 50 octets and 10 of padding, which the peer does not drop";
    print(
        title.into(),
        decoders(&tutorial),
        &Stream::new(&tutorial, 50),
    );
    let title = "Encoding 60 octets".to_owned();
    print(title, encoders(&plain), &Stream::new(&plain, 60));
}

/// What `LengthDelimitedCodec` speaks unless told otherwise: four octets, big-endian, no padding.
fn plain() -> Profile {
    Profile::try_from(Draft {
        name: "plain".into(),
        chunk: 1,
        payload: Payload::Opaque,
        ..Draft::default()
    })
    .expect("consistent")
}

/// Frames of one size, one behind the other.
struct Stream {
    octets: BytesMut,
    payload: Vec<u8>,
    frames: usize,
}

impl Stream {
    fn new(profile: &Profile, payload: usize) -> Self {
        let payload = vec![b'x'; payload];
        let encoder = Encoder::new(profile);
        let mut octets = BytesMut::new();
        let mut frames = 0;
        while octets.len() < STREAM {
            encoder.encode(&payload, &mut octets).expect("it fits");
            frames += 1;
        }
        Self {
            octets,
            payload,
            frames,
        }
    }
}

/// How long it took, without preparations, and how many frames there were.
type Timed = (Duration, usize);

/// A way of handling a stream.
struct Contender {
    name: &'static str,
    run: Box<dyn Fn(&Stream) -> Timed>,
}

/// The contender that the others are compared with.
const PEER: &str = "`LengthDelimitedCodec`";

fn contender(name: &'static str, run: impl Fn(&Stream) -> Timed + 'static) -> Contender {
    Contender {
        name,
        run: Box::new(run),
    }
}

fn decoders(profile: &Profile) -> Vec<Contender> {
    let (owning, borrowing) = (profile.clone(), profile.clone());
    vec![
        contender(PEER, |stream| {
            let mut octets = stream.octets.clone();
            let mut codec = peer();
            timed(|| {
                let mut count = 0;
                while let Ok(Some(frame)) = codec.decode(&mut octets) {
                    black_box(&frame[..]);
                    count += 1;
                }
                count
            })
        }),
        contender("`Decoder::decode`", move |stream| {
            let mut octets = stream.octets.clone();
            let mut decoder = Decoder::new(&owning);
            timed(|| {
                let mut count = 0;
                while let Ok(Some(frame)) = decoder.decode(&mut octets) {
                    black_box(frame.payload());
                    count += 1;
                }
                count
            })
        }),
        contender("`frames`, borrowing", move |stream| {
            timed(|| {
                frames(&borrowing, &stream.octets)
                    .filter(|frame| {
                        let frame = frame.as_ref().expect("whole");
                        black_box(frame.payload());
                        true
                    })
                    .count()
            })
        }),
        contender("floor: read the length and borrow", |stream| {
            timed(|| {
                let mut rest = &stream.octets[..];
                let mut count = 0;
                while let Some((header, behind)) = rest.split_first_chunk::<4>() {
                    let len = u32::from_be_bytes(*header) as usize;
                    let (body, behind) = behind.split_at(len);
                    black_box(body);
                    rest = behind;
                    count += 1;
                }
                count
            })
        }),
    ]
}

fn arriving(profile: &Profile) -> Vec<Contender> {
    let profile = profile.clone();
    vec![
        contender(PEER, |stream| {
            let mut octets = BytesMut::new();
            let mut codec = peer();
            timed(|| {
                let mut count = 0;
                for segment in stream.octets.chunks(SEGMENT) {
                    octets.extend_from_slice(segment);
                    while let Ok(Some(frame)) = codec.decode(&mut octets) {
                        black_box(&frame[..]);
                        count += 1;
                    }
                }
                count
            })
        }),
        contender("`Decoder::decode`", move |stream| {
            let mut octets = BytesMut::new();
            let mut decoder = Decoder::new(&profile);
            timed(|| {
                let mut count = 0;
                for segment in stream.octets.chunks(SEGMENT) {
                    octets.extend_from_slice(segment);
                    while let Ok(Some(frame)) = decoder.decode(&mut octets) {
                        black_box(frame.payload());
                        count += 1;
                    }
                }
                count
            })
        }),
    ]
}

fn encoders(profile: &Profile) -> Vec<Contender> {
    let encoder = Encoder::new(profile);
    vec![
        contender(PEER, |stream| {
            let payload = bytes::Bytes::from(stream.payload.clone());
            let mut out = BytesMut::with_capacity(stream.octets.len());
            let mut codec = peer();
            timed(|| {
                for _ in 0..stream.frames {
                    codec.encode(payload.clone(), &mut out).expect("it fits");
                }
                black_box(&out[..]);
                stream.frames
            })
        }),
        contender("`Encoder::encode`", move |stream| {
            let mut out = BytesMut::with_capacity(stream.octets.len());
            timed(|| {
                for _ in 0..stream.frames {
                    encoder.encode(&stream.payload, &mut out).expect("it fits");
                }
                black_box(&out[..]);
                stream.frames
            })
        }),
    ]
}

/// The same limit as ours, and every check that it makes by itself.
fn peer() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(1 << 20)
        .new_codec()
}

fn timed(work: impl FnOnce() -> usize) -> Timed {
    let start = Instant::now();
    let count = work();
    (start.elapsed(), count)
}

struct Row {
    name: &'static str,
    nanos: f64,
    ratio: f64,
    allocations: f64,
}

/// Lets the contenders take turns; medians over the rounds.
fn run(contenders: &[Contender], stream: &Stream, rounds: usize) -> Vec<Row> {
    let mut nanos = vec![Vec::new(); contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let (contender, nanos) = (&contenders[at], &mut nanos[at]);
            let (took, count) = (contender.run)(stream);
            assert_eq!(count, stream.frames, "{} lost frames", contender.name);
            nanos.push(took.as_nanos() as f64 / count as f64);
        }
    }
    let reference = nanos[0].clone();
    let rows = contenders.iter().zip(nanos).map(|(contender, nanos)| Row {
        name: contender.name,
        ratio: median(nanos.iter().zip(&reference).map(|(a, b)| a / b)),
        nanos: median(nanos.into_iter()),
        allocations: allocations(contender, stream),
    });
    rows.collect()
}

/// Allocations a frame, those for the buffer included.
fn allocations(contender: &Contender, stream: &Stream) -> f64 {
    let info = allocation_counter::measure(|| {
        black_box((contender.run)(stream));
    });
    info.count_total as f64 / stream.frames as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print_table(title: &str, rows: &[Row]) {
    println!("### {title}\n");
    println!("| | ns a frame | time beside the peer | allocations a frame |");
    println!("|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {:.1} | {:.2} | {:.3} |",
            row.name, row.nanos, row.ratio, row.allocations
        );
    }
    println!();
}
