//! Segments: how a stream is cut must not matter.

use super::{Case, Maker};
use crate::lang::say;
use crate::profile::Unit;
use crate::script::Conn;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Reassembly,
        "header-in-two",
        "A header may arrive in two pieces, cut anywhere. One short read is not one header.",
        |s| {
            let a = s.open();
            for cut in 1..s.header_len() {
                let request = s.request();
                s.send_cut(a, &request, &[cut]);
                s.wait(a);
            }
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "header-octet-by-octet",
        "Each octet of the header in a segment of its own, then the body whole.",
        |s| {
            let a = s.open();
            let request = s.request();
            let cuts: Vec<usize> = (1..=s.header_len()).collect();
            s.send_cut(a, &request, &cuts);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "length-cut-anywhere",
        "Lengths of which more than the last octet says something, cut at each place: what came in front of the cut counts as much as what comes behind it.",
        |s| lengths_cut(s, &[0x12c, 0x201, 0x7f80]),
    ),
    Case::must(
        Clause::Reassembly,
        "long-length-cut-anywhere",
        "The same with a length of three octets.",
        |s| lengths_cut(s, &[0x1_012c]),
    ),
    Case::must(
        Clause::Reassembly,
        "header-then-body",
        "Header and body in two segments, as two calls of send produce them.",
        |s| {
            let a = s.open();
            for _ in 0..3 {
                let request = s.request();
                let header = s.header_len();
                s.send_cut(a, &request, &[header]);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Reassembly,
        "body-in-two",
        "A body may arrive in two pieces; a short read is not the end of anything.",
        |s| {
            let a = s.open();
            let request = s.request_of_chunks(4);
            let middle = request.len() / 2;
            s.send_cut(a, &request, &[middle]);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "last-octet-late",
        "All of a frame but its last octet, then that.",
        |s| {
            let a = s.open();
            let request = s.request();
            let last = request.len().saturating_sub(1);
            s.send_cut(a, &request, &[last]);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "cut-anywhere",
        "One request for each place at which a frame can be cut in two, all on one connection: any place that is not handled throws the rest out of step.",
        |s| {
            let whole = s.request().len().min(400);
            let clients = s.shared(whole);
            for cuts in (1..whole).collect::<Vec<_>>().chunks(clients.len()) {
                for (a, cut) in clients.iter().zip(cuts) {
                    let request = s.request();
                    s.send_cut(*a, &request, &[*cut]);
                }
                s.wait_for_all(&clients);
            }
        },
    ),
    Case::must(
        Clause::Reassembly,
        "octet-by-octet",
        "A whole frame in segments of one octet.",
        |s| {
            let a = s.open();
            let request = s.request();
            s.send_octets(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "two-frames-octet-by-octet",
        "Two frames of different size, every octet in a segment of its own.",
        |s| {
            let a = s.open();
            let mut octets = s.request();
            octets.extend(s.request_of_chunks(2));
            s.send_octets(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "two-in-one",
        "Two frames in one segment are two requests.",
        |s| coalesced(s, 2),
    ),
    Case::must(
        Clause::Reassembly,
        "ten-in-one",
        "Ten frames in one segment are ten requests.",
        |s| coalesced(s, 10),
    ),
    Case::must(
        Clause::Reassembly,
        "hundred-in-one",
        "A hundred frames at once are more than one read brings, so that a read ends inside a frame.",
        |s| {
            // More than 4,096 octets: as much as many read at a time.
            let frames = s.times(100, 70);
            coalesced(s, frames);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "frame-and-part-of-header",
        "A segment that ends inside the next frame's header: what was read beyond the first frame must be kept.",
        |s| {
            let header = s.header_len();
            frame_and_part(s, header / 2);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "frame-and-header",
        "A segment that ends exactly behind the next frame's header.",
        |s| {
            let header = s.header_len();
            frame_and_part(s, header);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "frame-and-part-of-body",
        "A segment that ends inside the next frame's body.",
        |s| {
            let part = s.header_len().saturating_add(7);
            frame_and_part(s, part);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "tail-glued-to-next",
        "The rest of a body comes in one segment with the whole next frame: a read of a fixed size takes in octets of both.",
        |s| {
            let a = s.open();
            for cut in [10, 30, 50] {
                let mut octets = s.request();
                octets.extend(s.request());
                s.send_cut(a, &octets, &[cut]);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Reassembly,
        "chunk-by-chunk",
        "A body of many chunks, each in a segment of its own.",
        |s| {
            let a = s.open();
            let request = s.request_of_chunks(12);
            let (header, chunk) = (s.header_of(&request), s.chunk_and_index());
            let cuts: Vec<usize> = (0..12).map(|n| header + n * chunk).collect();
            s.send_cut(a, &request, &cuts);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "off-the-chunks",
        "A body of many chunks, cut one octet behind each chunk: segments and chunks never agree.",
        |s| {
            let a = s.open();
            let mut octets = s.request_of_chunks(12);
            let (header, chunk) = (s.header_of(&octets), s.chunk_and_index());
            octets.extend(s.request());
            let cuts: Vec<usize> = (0..13).map(|n| header + n * chunk + 1).collect();
            s.send_cut(a, &octets, &cuts);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "sliding-cuts",
        "Thirty frames cut every 61 octets, so that the cut wanders through every place of a frame.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for _ in 0..30 {
                octets.extend(s.request());
            }
            let cuts: Vec<usize> = (1..octets.len() / 61 + 1).map(|n| n * 61).collect();
            s.send_cut(a, &octets, &cuts);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "random-cuts",
        "Frames of several sizes cut at random; the seed of the run repeats it.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for chunks in [1, 3, 1, 2, 5, 1, 1, 4] {
                octets.extend(s.request_of_chunks(chunks));
            }
            let mut cuts = Vec::new();
            let mut at = 0;
            while at < octets.len() {
                at = at.saturating_add(s.below(90)).saturating_add(1);
                cuts.push(at);
            }
            s.send_cut(a, &octets, &cuts);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "large-in-pieces",
        "A body of 30,000 octets in pieces of a thousand: larger than most read buffers, and never in step with them.",
        |s| {
            let a = s.open();
            let request = s.request_of(30_000);
            let cuts: Vec<usize> = (1..=30).map(|n| n * 1_000).collect();
            s.send_cut(a, &request, &cuts);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Reassembly,
        "large-behind-small",
        "A small frame and the beginning of a large one in one segment.",
        |s| {
            let a = s.open();
            let mut octets = s.request();
            let small = octets.len();
            octets.extend(s.request_of(20_000));
            octets.extend(s.request());
            s.send_cut(a, &octets, &[small + 100, small + 12_345]);
            s.wait(a);
        },
    ),
];

/// Requests whose counts are about that, each cut in two at every place in its header, and octet by octet.
fn lengths_cut(s: &mut Maker<'_>, counts: &[u64]) {
    let a = s.open();
    let chunk = u64::from(s.profile().chunk());
    for count in counts {
        let octets = match s.profile().unit() {
            Unit::Octets => *count,
            Unit::Chunks => count.saturating_mul(chunk),
        };
        s.need_body(octets.next_multiple_of(chunk));
        s.need(
            octets <= MOST_BEHIND_A_CUT,
            say!("bodies of such lengths are larger than 1 MiB in this profile"),
        );
        let octets = usize::try_from(octets).unwrap_or_default();
        cut_in_its_header(s, a, octets);
    }
    s.ask(a);
}

/// Requests of that many octets: of each the header is cut at another place, and of the last at all of them.
fn cut_in_its_header(s: &mut Maker<'_>, a: Conn, octets: usize) {
    let header = s.header_of(&s.craft().header(octets.try_into().unwrap_or(u64::MAX)));
    let cuts: Vec<usize> = (1..=header).collect();
    s.need_room(octets.saturating_mul(header));
    let alone = cuts.iter().map(std::slice::from_ref);
    for cuts in alone.chain([cuts.as_slice()]) {
        let request = s.request_of(octets);
        s.send_cut(a, &request, cuts);
        s.wait(a);
    }
}

/// The most that such a body may take.
const MOST_BEHIND_A_CUT: u64 = 1 << 20;

fn coalesced(s: &mut Maker<'_>, frames: usize) {
    let a = s.open();
    let mut octets = Vec::new();
    for _ in 0..frames {
        octets.extend(s.request());
    }
    s.send(a, &octets);
    s.wait(a);
    s.ask(a);
}

/// A frame together with that much of the next in one segment, the rest in another.
fn frame_and_part(s: &mut Maker<'_>, part: usize) {
    let a = s.open();
    let mut octets = s.request();
    let first = octets.len();
    octets.extend(s.request());
    s.send_cut(a, &octets, &[first.saturating_add(part)]);
    s.wait(a);
    s.ask(a);
}
