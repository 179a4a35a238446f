//! Replies as octets: their framing, their padding, their text.

use super::maker::flood;
use super::{Case, Maker};
use crate::judge::Finding;
use crate::judge::frame_log::FrameLog;
use crate::lang::say;
use crate::profile::Profile;
use crate::spec::Clause;
use crate::transcript::Transcript;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::ReplyFraming,
        "sizes",
        "Replies to requests of many sizes are whole frames with nothing between them.",
        |s| {
            let a = s.open();
            for octets in [20, 59, 60, 61, 119, 120, 121, 1_000, 4_096] {
                let request = s.request_of(octets);
                s.send(a, &request);
                s.wait(a);
            }
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "pipelined",
        "Fifty replies in a row, with no octet between them that belongs to none.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for _ in 0..s.times(50, 20) {
                octets.extend(s.request());
            }
            s.send(a, &octets);
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "large",
        "A large reply may take several calls of send; all of it must come.",
        |s| {
            let a = s.open();
            for _ in 0..4 {
                let request = s.request_of(32_000);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "not-ascii",
        "The length of a reply counts octets; where characters take several, the two differ.",
        |s| {
            s.need_text();
            let a = s.open();
            for text in [
                " \u{e9}",
                " \u{20ac}\u{20ac}\u{20ac}",
                " \u{1f600}\u{1f600}",
            ] {
                let request = s.request_with(text);
                s.send(a, &request);
                s.wait(a);
            }
            s.ask(a);
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "beyond-sixteen-bits",
        "A reply of more than 65,535 octets needs more than two octets of its length.",
        |s| {
            s.need_body(66_000);
            let a = s.open();
            let request = s.request_of(66_000);
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "slow-reader",
        "A client that stops reading for a while makes the server's writes fall short; what could not be written at once must follow.",
        |s| resting_reader(s, 30),
    ),
    Case::must(
        Clause::ReplyFraming,
        "reader-that-rests",
        "A client that reads nothing for 400 ms and then all: whoever gives a write up after 300 ms has sent a part of a frame, and must not go on with the next.",
        |s| resting_reader(s, 400),
    ),
    Case::must(
        Clause::ReplyFraming,
        "very-slow-reader",
        "A client that reads nothing until even the largest buffers are full, and then all of it: a server that does not wait there loses what it could not send.",
        |s| {
            let a = s.open();
            s.stall(a);
            flood(s, a);
            s.pause(100);
            s.resume(a);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "large-unread",
        "A client that asks for large replies and reads nothing until no buffer holds them: of one of them a single write takes a part, wherever it ends, and the rest must follow.",
        |s| {
            s.need_body(400_000);
            let a = s.open();
            s.stall(a);
            for _ in 0..12 {
                let request = s.request_of(400_000);
                s.send(a, &request);
            }
            s.pause(100);
            s.resume(a);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::MinimalPadding,
        "every-length",
        "Replies of every length have less than a chunk of padding.",
        |s| {
            s.need_chunks();
            let (shortest, lengths) = (s.shortest(), s.chunk().min(128));
            let clients = s.shared(lengths);
            for (first, a) in clients.iter().enumerate() {
                let mut octets = Vec::new();
                for more in (first..lengths).step_by(clients.len()) {
                    octets.extend(s.request_of(shortest.saturating_add(more)));
                }
                s.send(*a, &octets);
            }
            s.wait_for_all(&clients);
        },
    )
    .and(padded_with_pad_octets),
    Case::must(
        Clause::MinimalPadding,
        "small-behind-large",
        "The padding of a small reply is pad octets, and not what a larger one left in the buffer.",
        |s| {
            s.need_chunks();
            let a = s.open();
            for octets in [1_000, 20, 5_000, 40] {
                let request = s.request_of(octets);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::MinimalPadding,
        "large",
        "The same for large replies around a whole number of chunks.",
        |s| {
            s.need_chunks();
            let a = s.open();
            let full = s.chunk().saturating_mul(50);
            for octets in full.saturating_sub(3)..=full.saturating_add(3) {
                let request = s.request_of(octets);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::ReplyText,
        "plain",
        "A reply is one JSON text in UTF-8, and nothing stands in front of it.",
        |s| {
            s.need_json();
            let a = s.open();
            s.ask(a);
            let request = s.request_with(" \u{e9}\u{20ac}\u{1f600} \"quoted\" \\ /");
            s.send(a, &request);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::ReplyText,
        "to-each-kind",
        "Whatever kind of value was asked, the reply is a JSON text.",
        |s| {
            s.need_free_json();
            let a = s.open();
            for text in [
                "{}", "[]", "\"\"", "0", "-1.5e3", "true", "false", "null", "[[], {}]",
            ] {
                let frame = s.frame(text.as_bytes());
                s.send(a, &frame);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::ReplyText,
        "to-huge-numbers",
        "A number that is read as infinity must not be written as Infinity: JSON has no such word.",
        |s| {
            s.need_free_json();
            for text in ["1e999", "[-1e999]", "{\"a\": 1e400}"] {
                let a = s.open();
                let frame = s.frame(text.as_bytes());
                s.send(a, &frame);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::ReplyText,
        "to-undecodable",
        "Also what a server says of a payload that it could not decode is a JSON text.",
        |s| {
            s.need_json();
            for payload in [&b"no json"[..], b"{\"a\":", b"\"\xff\"", b""] {
                let a = s.open();
                let frame = s.frame(payload);
                s.send(a, &frame);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
];

/// A client that asks for more than there is room for, and reads nothing of it for so many milliseconds.
fn resting_reader(s: &mut Maker<'_>, millis: u64) {
    let a = s.open();
    s.stall(a);
    for _ in 0..12 {
        let request = s.request_of(32_000);
        s.send(a, &request);
    }
    s.pause(millis);
    s.resume(a);
    s.wait(a);
    s.ask(a);
}

/// Replies of many lengths that all fill their last chunk, and end in white space, are padded with it.
fn padded_with_pad_octets(profile: &Profile, transcript: &Transcript) -> Option<Finding> {
    let all = FrameLog::of(profile, transcript, 0);
    let blank = |octet: &u8| octet.is_ascii_whitespace();
    let is_filled = all.iter().all(|reply| reply.padding_len() == 0);
    let blank_ends = all
        .iter()
        .filter(|reply| reply.payload().last().is_some_and(blank));
    let what =
        say!("replies of every length fill their last chunk with white space: that is no padding");
    (is_filled && blank_ends.count().saturating_mul(2) > all.len())
        .then(|| Finding::must(Clause::MinimalPadding, 0, what))
}
