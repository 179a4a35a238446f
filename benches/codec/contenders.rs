//! The ways of decoding and encoding that are compared.

use crate::race::{Contender, timed};
use bytes::{Bytes, BytesMut};
use framespec::profile::Profile;
use framespec::wire::{Decoder, Encoder};
use std::hint::black_box;
use std::rc::Rc;
use tokio_util::codec::{Decoder as _, Encoder as _, LengthDelimitedCodec};

/// The contender that the others are compared with.
pub(crate) const PEER: &str = "`LengthDelimitedCodec`";

pub(crate) const OURS: &str = "`Decoder::decode`";
const BATCHES: &str = "`Decoder::decode_batch`";
const BORROWING: &str = "`Decoder::decode_ref`";
const NAIVE: &str = "naive: read the length and borrow";
pub(crate) const COPYING: &str = "copying the pieces";

/// Octets that each contender handles in a turn, at least.
const STREAM: usize = 1 << 18;

/// Frames of one size, one behind the other.
#[derive(Clone)]
pub(crate) struct Stream {
    octets: Rc<[u8]>,
    frames: usize,
}

impl Stream {
    /// At least 16 frames, so that pieces end in other places than frames.
    pub(crate) fn new(profile: &Profile, payload: usize) -> Self {
        let payload = vec![b'x'; payload];
        let encoder = Encoder::new(profile);
        let mut octets = BytesMut::new();
        let mut frames = 0;
        while octets.len() < STREAM || frames < 16 {
            encoder.encode(&payload, &mut octets).expect("it fits");
            frames += 1;
        }
        Self {
            octets: octets[..].into(),
            frames,
        }
    }

    pub(crate) fn octets_of_a_frame(&self) -> usize {
        self.octets.len() / self.frames
    }
}

/// All octets are there before the time is taken.
pub(crate) fn whole(profile: &Profile, stream: &Stream) -> Vec<Contender> {
    let stream = stream.clone();
    let mut all = owning(profile, &stream, stream.octets.len(), false);
    let octets = Rc::clone(&stream.octets);
    let mut decoder = Decoder::new(profile);
    all.push(Contender::new(BORROWING, stream.frames, move || {
        timed(|| borrow(&mut decoder, &octets))
    }));
    let octets = Rc::clone(&stream.octets);
    all.push(Contender::new(NAIVE, stream.frames, move || {
        timed(|| borrow_naively(&octets))
    }));
    all
}

/// They are put into the buffer in pieces, and that counts.
pub(crate) fn arriving(profile: &Profile, stream: &Stream, piece: usize) -> Vec<Contender> {
    let mut all = owning(profile, stream, piece, true);
    let (stream, room) = (stream.clone(), stream.octets_of_a_frame() + piece);
    let mut buffer = Vec::with_capacity(room);
    all.push(Contender::new(COPYING, stream.frames, move || {
        timed(|| {
            for piece in stream.octets.chunks(piece) {
                if buffer.len() + piece.len() > room {
                    buffer.clear();
                }
                buffer.extend_from_slice(black_box(piece));
            }
            black_box(&buffer);
            stream.frames
        })
    }));
    all
}

/// Those that keep what arrives in a buffer and split frames off.
fn owning(profile: &Profile, stream: &Stream, piece: usize, arrives: bool) -> Vec<Contender> {
    let contender = |name, split: Box<dyn FnMut(&mut BytesMut) -> usize>| {
        buffered(name, stream.clone(), piece, arrives, split)
    };
    let mut codec = peer();
    let mut decoder = Decoder::new(profile);
    let mut batches = Decoder::new(profile);
    vec![
        contender(
            PEER,
            Box::new(move |octets| {
                let mut count = 0;
                while let Ok(Some(frame)) = codec.decode(octets) {
                    black_box(&frame[..]);
                    count += 1;
                }
                count
            }),
        ),
        contender(
            OURS,
            Box::new(move |octets| {
                let mut count = 0;
                while let Ok(Some(frame)) = decoder.decode(octets) {
                    black_box(frame.payload());
                    count += 1;
                }
                count
            }),
        ),
        contender(
            BATCHES,
            Box::new(move |octets| {
                let mut count = 0;
                while let Ok(Some(batch)) = batches.decode_batch(octets) {
                    for frame in &batch {
                        black_box(frame.payload());
                        count += 1;
                    }
                }
                count
            }),
        ),
    ]
}

fn buffered(
    name: &'static str,
    stream: Stream,
    piece: usize,
    arrives: bool,
    mut split: Box<dyn FnMut(&mut BytesMut) -> usize>,
) -> Contender {
    let mut buffer = BytesMut::new();
    Contender::new(name, stream.frames, move || {
        if !arrives {
            buffer.extend_from_slice(&stream.octets);
            return timed(|| split(&mut buffer));
        }
        timed(|| {
            let pieces = stream.octets.chunks(piece);
            let counts = pieces.map(|piece| {
                buffer.extend_from_slice(piece);
                split(&mut buffer)
            });
            counts.sum()
        })
    })
}

fn borrow(decoder: &mut Decoder, octets: &[u8]) -> usize {
    let mut rest = octets;
    let mut count = 0;
    while let Ok(Some(frame)) = decoder.decode_ref(&mut rest) {
        black_box(frame.payload());
        count += 1;
    }
    count
}

/// It knows no limit, no profile and no incomplete frame.
fn borrow_naively(octets: &[u8]) -> usize {
    let mut rest = octets;
    let mut count = 0;
    while let Some((header, behind)) = rest.split_first_chunk::<4>() {
        let len = u32::from_be_bytes(*header) as usize;
        let (body, behind) = behind.split_at(len);
        black_box(body);
        rest = behind;
        count += 1;
    }
    count
}

pub(crate) fn encoding(profile: &Profile, payload: usize) -> Vec<Contender> {
    let frames = (STREAM / payload).max(16);
    let payload = vec![b'x'; payload];
    let shared = Bytes::from(payload.clone());
    let encoder = Encoder::new(profile);
    let mut codec = peer();
    let copied = payload.clone();
    vec![
        sending(PEER, frames, move |out| {
            codec.encode(shared.clone(), out).expect("it fits");
        }),
        sending("`Encoder::encode`", frames, move |out| {
            encoder.encode(&payload, out).expect("it fits");
        }),
        sending("copying the payload", frames, move |out| {
            out.extend_from_slice(&copied);
        }),
    ]
}

fn sending(
    name: &'static str,
    frames: usize,
    mut encode: impl FnMut(&mut BytesMut) + 'static,
) -> Contender {
    let mut out = BytesMut::new();
    Contender::new(name, frames, move || {
        out.clear();
        timed(|| {
            for _ in 0..frames {
                encode(&mut out);
            }
            black_box(&out[..]);
            frames
        })
    })
}

/// The same limit as ours, and every check that it makes by itself.
fn peer() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(1 << 20)
        .new_codec()
}
