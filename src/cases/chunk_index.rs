//! The index in front of each chunk: frames of many chunks, cut within their indexes, and frames that are right in all
//! but an index.

use super::maker::refused;
use super::{Case, Maker};
use crate::lang::say;
use crate::profile::{Index, Payload};
use crate::script::index;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::ChunkIndex,
        "each-count",
        "Bodies of one to twenty chunks, each counted from the first number again: whoever leaves an index in the payload, reads it in the other order or goes on counting takes none of them, or the first alone.",
        |s| {
            need_index(s);
            let a = s.open();
            for chunks in 1..=20 {
                let request = request_of_chunks(s, chunks);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "last-chunk",
        "The last chunk with one octet of the payload, full but for one, and full: as the format has it, it is padded or short.",
        |s| {
            need_index(s);
            let full = least_chunks(s).saturating_mul(chunk(s));
            let a = s.open();
            for octets in [-1, 0, 1] {
                let request = s.request_of(full.saturating_add_signed(octets));
                s.send(a, &request);
                s.wait(a);
            }
            s.ask(a);
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "in-one-segment",
        "Frames of several chunks in one segment: each frame counts its own.",
        |s| {
            need_index(s);
            let a = s.open();
            let mut octets = Vec::new();
            for chunks in [3, 1, 2, 5] {
                octets.extend(request_of_chunks(s, chunks));
            }
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "more-than-255",
        "More chunks than one octet can count.",
        |s| {
            need_index(s);
            many_chunks(s, 1, 260);
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "more-than-65535",
        "More chunks than two octets can count.",
        |s| {
            need_index(s);
            many_chunks(s, 2, 65_540);
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "cut-inside-an-index",
        "A segment that ends inside the index of a chunk, at each place in the first three: what came of it counts.",
        |s| {
            need_index(s);
            let a = s.open();
            for at in places_in_indexes(s) {
                let request = request_of_chunks(s, 3);
                let place = s.header_of(&request).saturating_add(at);
                s.send_cut(a, &request, &[place]);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "one-bit",
        "A single bit of an index is another, in each of its octets once, of the first chunk and of the third: whoever compares only some of it takes some of these.",
        |s| {
            need_index(s);
            for number in [0, 2] {
                for at in 0..width(s) {
                    for bit in [0x01, 0x80] {
                        refused_with(s, number, |index| flip(index, at, bit));
                    }
                }
            }
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "from-another-number",
        "All chunks are counted from one more than the format says, and from one less.",
        |s| {
            need_index(s);
            for more in [1, u64::MAX] {
                refused(s, |s| {
                    renumbered(s, 3, |index, number| {
                        index.from().wrapping_add(number).wrapping_add(more)
                    })
                });
            }
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "repeated",
        "The second chunk has the index of the first: one of them is double, or its number is wrong.",
        |s| {
            need_index(s);
            let repeated = |number: u64| number.saturating_sub(u64::from(number > 0));
            refused(s, |s| {
                renumbered(s, 4, |index, number| {
                    index.from().wrapping_add(repeated(number))
                })
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "skipped",
        "A number is left out, and those behind it go on: a chunk is missing.",
        |s| {
            need_index(s);
            let skipping = |number: u64| number.saturating_add(u64::from(number > 1));
            refused(s, |s| {
                renumbered(s, 4, |index, number| {
                    index.from().wrapping_add(skipping(number))
                })
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "swapped",
        "Two chunks come in the other order, each with its own index. A stream keeps its order, so nothing is there to be sorted.",
        |s| {
            need_index(s);
            refused(s, |s| {
                let frame = request_of_chunks(s, 3);
                let (start, step) = (s.header_of(&frame), s.chunk_and_index());
                let (front, rest) = frame.split_at(start.min(frame.len()));
                let mut chunks: Vec<&[u8]> = rest.chunks(step.max(1)).collect();
                if let [one, next, ..] = chunks.as_mut_slice() {
                    std::mem::swap(one, next);
                }
                [front, &chunks.concat()].concat()
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "other-order",
        "The octets of each index stand in the other order, as a machine writes them that is built the other way.",
        |s| {
            need_index(s);
            let has_order = width(s) > 1;
            s.need(has_order, say!("an index of one octet has no order"));
            refused(s, |s| changed(s, 2, |_, index| index.reverse()));
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "missing",
        "Chunks without their indexes, behind a right header: the first octets of the payload stand where an index belongs.",
        |s| {
            need_index(s);
            refused(s, |s| {
                let mut octets = without_indexes(s);
                octets.extend(s.request());
                octets
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "none-at-all",
        "Zeros where each index should be, and all ones.",
        |s| {
            need_index(s);
            for octet in [0, 0xff] {
                refused(s, |s| changed(s, 2, |_, index| index.fill(octet)));
            }
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "going-on",
        "The chunks of a second frame are counted on from those of the first.",
        |s| {
            need_index(s);
            refused(s, |s| {
                let first = request_of_chunks(s, 2);
                let chunks = u64::try_from(least_chunks(s).max(2)).unwrap_or_default();
                let second = renumbered(s, 2, |index, number| {
                    index.from().wrapping_add(number).wrapping_add(chunks)
                });
                [first, second].concat()
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "in-too-few-octets",
        "Of more than 255 chunks each is counted in one octet, and in all others of its index stands zero: whoever counts so takes it.",
        |s| {
            need_index(s);
            need_chunks(s, 1, 260);
            refused(s, |s| {
                renumbered(s, 260, |index, number| {
                    index.from().wrapping_add(number) & 0xff
                })
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "far-behind",
        "All indexes of a large body are right but the last: each is checked, however many there are.",
        |s| {
            need_index(s);
            let chunks = 9_000_usize.div_ceil(chunk(s)).max(2);
            let last = chunks.saturating_sub(1);
            refused(s, |s| {
                changed(s, chunks, |number, index| {
                    if number == last {
                        flip(index, 0, 0x10);
                    }
                })
            });
        },
    ),
    Case::must(
        Clause::ChunkIndex,
        "behind-requests",
        "The first frames are right, and an index of the one behind them is not: each frame is checked, not the first alone.",
        |s| {
            need_index(s);
            refused(s, |s| {
                let right = [s.request(), s.request()].concat();
                let wrong = changed(s, 1, |_, index| flip(index, 0, 0x04));
                [right, wrong].concat()
            });
        },
    ),
];

/// Chunks have an index.
fn need_index(s: &mut Maker<'_>) {
    let has_one = s.profile().index().is_some();
    s.need(has_one, say!("chunks of this profile have no index"));
}

/// Octets of an index.
fn width(s: &Maker<'_>) -> usize {
    s.profile().index().map_or(0, Index::width)
}

/// Octets of a chunk behind its index.
fn chunk(s: &Maker<'_>) -> usize {
    s.profile().index().map_or(1, index::chunk)
}

/// As few chunks as a request has.
fn least_chunks(s: &Maker<'_>) -> usize {
    s.shortest().div_ceil(chunk(s))
}

/// A request that fills so many chunks, or as many as it needs, to the last octet.
fn request_of_chunks(s: &mut Maker<'_>, chunks: usize) -> Vec<u8> {
    let chunks = chunks.max(least_chunks(s));
    let octets = chunks.saturating_mul(chunk(s));
    s.request_of(octets)
}

/// The most octets of a body of many chunks.
const MOST: usize = 2 << 20;

/// An index of more octets than those, and room for so many chunks.
fn need_chunks(s: &mut Maker<'_>, octets: usize, chunks: usize) {
    let fits = width(s) > octets;
    s.need(
        fits,
        say!("an index of this profile has no room for that number"),
    );
    let body = chunks.saturating_mul(chunk(s));
    let moderate = body <= MOST;
    s.need(moderate, say!("so many chunks are more than a case sends"));
    s.need_body(u64::try_from(body).unwrap_or(u64::MAX));
}

/// A request of so many chunks, of which as little as can be is text, and one behind it.
fn many_chunks(s: &mut Maker<'_>, octets: usize, chunks: usize) {
    need_chunks(s, octets, chunks);
    let all = if s.is_unfit() {
        0
    } else {
        chunks.saturating_mul(chunk(s))
    };
    let a = s.open();
    let mut payload = s.payload_with("");
    let request = match s.profile().payload() {
        Payload::Json => {
            payload.resize(all.max(payload.len()), b' ');
            s.frame(&payload)
        }
        Payload::Utf8 | Payload::Opaque => s.request_of(all),
    };
    s.send(a, &request);
    s.wait(a);
    s.ask(a);
}

/// Offsets in a body at which the indexes of its first three chunks are cut, or have just ended.
fn places_in_indexes(s: &Maker<'_>) -> Vec<usize> {
    let (width, step) = (width(s), s.chunk_and_index());
    let in_one = |number: usize| {
        let start = number.saturating_mul(step);
        (1..=width).map(move |octets| start.saturating_add(octets))
    };
    (0..3).flat_map(in_one).collect()
}

/// The same with one index changed, of the chunk with that number.
fn refused_with(s: &mut Maker<'_>, chunk: usize, change: impl Fn(&mut [u8])) {
    refused(s, |s| {
        changed(s, chunk.saturating_add(1), |number, index| {
            if number == chunk {
                change(index);
            }
        })
    });
}

/// A request of so many chunks or more with its indexes changed, each handed over with its number.
fn changed(s: &mut Maker<'_>, chunks: usize, mut change: impl FnMut(usize, &mut [u8])) -> Vec<u8> {
    let mut frame = request_of_chunks(s, chunks);
    let (width, step) = (width(s), s.chunk_and_index());
    let behind = frame.len().saturating_sub(s.profile().trailer().len());
    let header = s.header_of(&frame);
    let body = frame.get_mut(header..behind).unwrap_or_default();
    for (number, chunk) in body.chunks_mut(step.max(1)).enumerate() {
        if let Some(index) = chunk.get_mut(..width) {
            change(number, index);
        }
    }
    frame
}

/// The same with other numbers in place of 0, 1, 2 and so on.
fn renumbered(s: &mut Maker<'_>, chunks: usize, numbers: impl Fn(Index, u64) -> u64) -> Vec<u8> {
    let Some(one) = s.profile().index() else {
        return Vec::new();
    };
    changed(s, chunks, |number, octets| {
        let number = numbers(one, u64::try_from(number).unwrap_or(u64::MAX));
        let written = index::written(one, number);
        let pairs = octets.iter_mut().zip(written);
        pairs.for_each(|(octet, written)| *octet = written);
    })
}

/// A request whose chunks have no indexes behind its header.
fn without_indexes(s: &mut Maker<'_>) -> Vec<u8> {
    let payload = s.payload_of(chunk(s).saturating_mul(2));
    let frame = s.frame(&payload);
    let header = s.header_of(&frame);
    let header = frame.get(..header).unwrap_or_default();
    let body = s.craft().body(&payload, 0);
    [header, &body, &s.craft().trailer()].concat()
}

fn flip(octets: &mut [u8], at: usize, bits: u8) {
    if let Some(octet) = octets.get_mut(at) {
        *octet ^= bits;
    }
}
