//! Bodies: where they end, how they are padded, and what their lengths may be.

use super::{Case, Maker};
use crate::lang::say;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Boundary,
        "sizes-change",
        "Frames of different sizes follow each other: each takes up what its own header says.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for chunks in [1, 5, 2, 40, 1, 1, 3] {
                octets.extend(s.request_of_chunks(chunks));
            }
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Boundary,
        "one-by-one",
        "The same sizes, each sent when the one before has been answered.",
        |s| {
            let a = s.open();
            for chunks in [3, 1, 7, 1, 2] {
                let request = s.request_of_chunks(chunks);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Boundary,
        "small-behind-large",
        "A buffer that held a large frame must not lend its old octets to the small one behind it.",
        |s| {
            let a = s.open();
            let request = s.request_of(5_000);
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
            let request = s.request_of(s.shortest());
            s.send(a, &request);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Boundary,
        "behind-undecodable",
        "A payload that means nothing still ends where its header says: the request behind it in the same segment is in step.",
        |s| {
            s.need_json();
            let a = s.open();
            let mut octets = s.frame(b"no json at all");
            octets.extend(s.request());
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Boundary,
        "body-like-headers",
        "A body that consists of what could be headers is a body all the same.",
        |s| {
            s.need_json();
            let a = s.open();
            let header = s.craft().header(u64::from(s.profile().chunk()));
            let mut octets = s.frame(&header.repeat(10));
            octets.extend(s.request());
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Padding,
        "every-amount",
        "Every amount of padding that a chunk leaves room for, from none to as much as can be.",
        |s| {
            s.need_chunks();
            let (shortest, amounts) = (s.shortest(), s.chunk().min(128));
            let clients = s.shared(amounts);
            for some in (0..amounts).collect::<Vec<_>>().chunks(clients.len()) {
                for (a, more) in clients.iter().zip(some) {
                    let request = s.request_of(shortest.saturating_add(*more));
                    s.send(*a, &request);
                }
                s.wait_for_all(&clients);
            }
        },
    ),
    Case::must(
        Clause::Padding,
        "one-octet",
        "A single pad octet behind the payload.",
        |s| {
            s.need_chunks();
            let a = s.open();
            let octets = next_fill(s).saturating_sub(1);
            let request = s.request_of(octets);
            s.send(a, &request);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Padding,
        "nearly-all",
        "A payload of one octet leaves the most padding there can be.",
        |s| {
            s.need_chunks();
            s.need_free_json();
            let a = s.open();
            let frame = s.frame(b"7");
            s.send(a, &frame);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Padding,
        "zeros-in-text-stay",
        "Only pad octets are padding: digits, spaces and escapes that look like nothing stay.",
        |s| {
            s.need_text();
            let a = s.open();
            for text in [" 000", " \\0", " \u{0}", " 0", "   "] {
                let request = s.request_with(text);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Padding,
        "digits-behind",
        "A number may end in zeros: the digit is not the pad octet, though both are called zero.",
        |s| {
            s.need_chunks();
            s.need_free_json();
            s.need_text();
            let a = s.open();
            for number in ["10", "100000", "[1, 0]", "-0.50"] {
                let frame = s.frame(number.as_bytes());
                s.send(a, &frame);
                s.wait(a);
                s.ask(a);
            }
        },
    ),
    Case::should(
        Clause::Padding,
        "one-chunk-more",
        "Padding that goes on for a chunk more than needed is wasteful, not wrong.",
        |s| padded(s, 1),
    ),
    Case::should(
        Clause::Padding,
        "ten-chunks-more",
        "Much more padding than needed should be taken as well.",
        |s| padded(s, 10),
    ),
    Case::must(
        Clause::ExactFill,
        "one-chunk",
        "A payload that fills its chunk leaves no padding; looking for some finds data, or waits for more.",
        |s| filled(s, 1),
    ),
    Case::must(
        Clause::ExactFill,
        "two-chunks",
        "The same with two chunks.",
        |s| filled(s, 2),
    ),
    Case::must(
        Clause::ExactFill,
        "many-chunks",
        "The same with as many chunks as no server expects.",
        |s| filled(s, 100),
    ),
    Case::must(
        Clause::ExactFill,
        "coalesced",
        "Several full frames in one segment: a chunk more or less on any of them is an octet of its neighbour.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for chunks in [1, 2, 1, 3] {
                octets.extend(s.request_of_chunks(chunks));
            }
            octets.extend(s.request());
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::ExactFill,
        "around",
        "One octet less than full, full, and one octet more.",
        |s| {
            let a = s.open();
            let full = next_fill(s);
            for octets in [full.saturating_sub(1), full, full.saturating_add(1)] {
                let request = s.request_of(octets);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::EmptyFrame,
        "alone",
        "A length of zero is a whole frame: it is answered or ends the connection, but is not passed over in silence.",
        |s| {
            let a = s.open();
            let empty = s.frame(b"");
            s.send(a, &empty);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::EmptyFrame,
        "between-requests",
        "An empty frame between two requests in one segment takes up its header and nothing else.",
        |s| {
            let a = s.open();
            let mut octets = s.request();
            octets.extend(s.frame(b""));
            octets.extend(s.request());
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::EmptyFrame,
        "several",
        "Several empty frames in a row: as many replies, or a close; a server that skips them answers too few.",
        |s| {
            let a = s.open();
            let octets = s.frame(b"").repeat(4);
            s.send(a, &octets);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::EmptyFrame,
        "in-pieces",
        "The header of an empty frame, octet by octet: zeros so far are no empty frame yet.",
        |s| {
            let a = s.open();
            let empty = s.frame(b"");
            s.send_octets(a, &empty);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::EmptyFrame,
        "then-fin",
        "An empty frame and then the end of the stream are two different things.",
        |s| {
            let a = s.open();
            s.ask(a);
            let empty = s.frame(b"");
            s.send(a, &empty);
            s.wait(a);
            s.leave(a);
        },
    ),
    Case::must(
        Clause::ChunkMultiple,
        "one-octet-more",
        "A body one octet longer than a chunk: whoever reads whole chunks eats into the request behind it.",
        |s| odd(s, 1, 1),
    ),
    Case::must(
        Clause::ChunkMultiple,
        "one-octet-less",
        "A body one octet shorter than two chunks.",
        |s| odd(s, 2, -1),
    ),
    Case::must(
        Clause::ChunkMultiple,
        "single-octet",
        "A body of a single octet.",
        |s| odd(s, 0, 1),
    ),
    Case::must(
        Clause::ChunkMultiple,
        "answered-once",
        "If such a body is taken at all it is one frame with one reply, and the next request, sent later, is in step.",
        |s| {
            s.need_odd_lengths();
            let a = s.open();
            let frame = odd_frame(s, s.chunk().saturating_add(3));
            s.send(a, &frame);
            s.wait(a);
            s.ask(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::ChunkMultiple,
        "frames-inside",
        "The body is a row of requests with an octet too many. Whoever complains of its length and reads on behind the header answers what was never asked.",
        |s| {
            s.need_odd_lengths();
            let a = s.open();
            let body = [s.request(), s.request(), b"!".to_vec()].concat();
            let header = s
                .craft()
                .header(u64::try_from(body.len()).unwrap_or(u64::MAX));
            let body = s.craft().with_indexes(&body);
            let trailer = s.craft().trailer();
            s.send(a, &[header, body, trailer].concat());
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::should(
        Clause::ChunkMultiple,
        "closes",
        "A length that breaks the rules says that the other side speaks something else; going on is guessing.",
        |s| {
            s.need_odd_lengths();
            let a = s.open();
            let frame = odd_frame(s, s.chunk().saturating_mul(2).saturating_add(1));
            s.send(a, &frame);
            s.wait(a);
            s.quiet(a);
        },
    ),
];

/// The smallest payload length of a request that fills its chunks.
fn next_fill(s: &Maker<'_>) -> usize {
    s.shortest().div_ceil(s.chunk()).saturating_mul(s.chunk())
}

fn padded(s: &mut Maker<'_>, chunks: usize) {
    s.need_chunks();
    let covered = s.profile().covers(crate::profile::Region::Padding);
    s.need(
        covered,
        say!("the length says where the payload ends, so that padding cannot be longer"),
    );
    let a = s.open();
    let payload = s.payload_with("");
    let mut octets = s.frame_with(&payload, chunks);
    octets.extend(s.request());
    s.send(a, &octets);
    s.wait(a);
}

fn filled(s: &mut Maker<'_>, chunks: usize) {
    let a = s.open();
    let request = s.request_of_chunks(chunks);
    s.send(a, &request);
    s.wait(a);
    s.ask(a);
}

/// A frame of `chunks` chunks and `more` octets with a request behind it in the same segment.
fn odd(s: &mut Maker<'_>, chunks: usize, more: isize) {
    s.need_odd_lengths();
    let body = chunks.saturating_mul(s.chunk()).saturating_add_signed(more);
    let a = s.open();
    let mut octets = odd_frame(s, body);
    octets.extend(s.request());
    s.send(a, &octets);
    s.wait(a);
}

/// A frame whose body is so many octets, a message with padding as far as it fits.
fn odd_frame(s: &mut Maker<'_>, body: usize) -> Vec<u8> {
    let header = s.craft().header(u64::try_from(body).unwrap_or(u64::MAX));
    let mut content = match body >= s.shortest() {
        true => s.payload_with(""),
        false => b"7".to_vec(),
    };
    content.resize(body, s.profile().pad());
    let body = s.craft().with_indexes(&content);
    [header, body, s.craft().trailer()].concat()
}
