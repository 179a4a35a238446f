//! The life of one connection: its end, its resets, its pauses.

use super::maker::parted;
use super::{Case, Maker};
use crate::judge::Finding;
use crate::lang::say;
use crate::profile::Profile;
use crate::spec::Clause;
use crate::transcript::{Seen, Transcript};

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::OrderlyClose,
        "after-a-reply",
        "The client is done and says so; the server closes too, and says nothing.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.leave(a);
        },
    ),
    Case::must(
        Clause::OrderlyClose,
        "at-once",
        "A client that connects and leaves, like a port scan or a health check.",
        |s| {
            let a = s.open();
            s.leave(a);
        },
    ),
    Case::must(
        Clause::OrderlyClose,
        "after-many",
        "The end comes after many requests, so that buffers have been used.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for _ in 0..s.times(40, 20) {
                octets.extend(s.request());
            }
            s.send(a, &octets);
            s.wait(a);
            s.leave(a);
        },
    ),
    Case::must(
        Clause::OrderlyClose,
        "after-a-pause",
        "The server is waiting for the next header when the end comes.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.pause(60);
            s.leave(a);
        },
    ),
    Case::should(
        Clause::HalfClose,
        "behind-a-request",
        "A client that sends its last request and ends its stream in one go still wants the reply, as netcat users do.",
        |s| last_words(s, 1),
    ),
    Case::should(
        Clause::HalfClose,
        "behind-several",
        "The same with five requests outstanding.",
        |s| last_words(s, 5),
    ),
    Case::should(
        Clause::HalfClose,
        "behind-a-large-one",
        "The same with a request that takes several reads.",
        |s| {
            let a = s.open();
            let request = s.request_of(30_000);
            s.send(a, &request);
            s.leave(a);
        },
    ),
    Case::must(
        Clause::Reset,
        "at-once",
        "A connection that is reset as soon as it stands.",
        |s| {
            for _ in 0..3 {
                let a = s.open();
                s.rst(a);
            }
            still_served(s);
        },
    ),
    Case::must(
        Clause::Reset,
        "idle",
        "A connection that is reset when the server waits for the next request.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.rst(a);
            still_served(s);
        },
    ),
    Case::must(
        Clause::Reset,
        "in-header",
        "A reset inside a header.",
        |s| reset_after(s, 2),
    ),
    Case::must(
        Clause::Reset,
        "before-body",
        "A reset exactly between header and body.",
        |s| reset_after(s, s.header_len()),
    ),
    Case::must(
        Clause::Reset,
        "in-body",
        "A reset inside a body.",
        |s| reset_after(s, s.header_len().saturating_add(9)),
    ),
    Case::must(
        Clause::Reset,
        "at-every-offset",
        "A reset at each offset of a frame, each on a connection of its own.",
        |s| {
            let whole = s.request().len().min(100);
            for octets in 1..whole {
                let a = s.open();
                let request = s.request();
                s.send(a, parted(&request, octets).0);
                s.rst(a);
            }
            still_served(s);
        },
    ),
    Case::must(
        Clause::Reset,
        "before-the-reply",
        "The client is gone when the reply is to be sent: the server writes to a dead connection.",
        |s| {
            for _ in 0..5 {
                let a = s.open();
                let mut octets = Vec::new();
                for _ in 0..s.times(50, 20) {
                    octets.extend(s.request());
                }
                s.send(a, &octets);
                s.rst(a);
            }
            still_served(s);
        },
    ),
    Case::must(
        Clause::Reset,
        "with-replies-unread",
        "The client resets while replies to it lie unread.",
        |s| {
            let a = s.open();
            s.stall(a);
            for _ in 0..8 {
                let request = s.request_of(20_000);
                s.send(a, &request);
            }
            s.rst(a);
            still_served(s);
        },
    ),
    Case::must(
        Clause::Reset,
        "behind-the-end",
        "The client ends its stream and resets the connection then, while replies are still to be sent: what a system says of such a write is another error than that of a reset alone, or a signal.",
        |s| {
            for _ in 0..5 {
                let a = s.open();
                let octets: Vec<u8> = (0..50).flat_map(|_| s.request()).collect();
                s.send(a, &octets);
                s.fin(a);
                s.rst(a);
            }
            let b = s.open();
            s.stall(b);
            for _ in 0..8 {
                let request = s.request_of(20_000);
                s.send(b, &request);
            }
            s.fin(b);
            s.rst(b);
            still_served(s);
        },
    ),
    Case::must(
        Clause::Patience,
        "in-header",
        "A pause of 200 ms inside a header is an ordinary delay of a network.",
        |s| halting(s, 2, 200),
    ),
    Case::must(
        Clause::Patience,
        "before-body",
        "A pause of 200 ms between header and body.",
        |s| halting(s, s.header_len(), 200),
    ),
    Case::must(
        Clause::Patience,
        "in-body",
        "A pause of 200 ms inside a body.",
        |s| halting(s, s.inside_a_body(), 200),
    ),
    Case::should(
        Clause::Patience,
        "one-second-in-header",
        "A pause of a second inside a header should be borne.",
        |s| {
            s.need_slow();
            halting(s, 2, 1_000);
        },
    ),
    Case::should(
        Clause::Patience,
        "one-second-in-body",
        "A pause of a second inside a body should be borne.",
        |s| {
            s.need_slow();
            halting(s, s.inside_a_body(), 1_000);
        },
    ),
    Case::should(
        Clause::Deadline,
        "in-header",
        "A header that is never completed holds a connection for ever unless something gives it up.",
        |s| never_finished(s, 1),
    )
    .and(given_up),
    Case::should(
        Clause::Deadline,
        "in-body",
        "The same for a body that is never completed.",
        |s| never_finished(s, s.header_len().saturating_add(10)),
    )
    .and(given_up),
    Case::should(
        Clause::Deadline,
        "dripping",
        "An octet now and then keeps no frame alive: the time that counts is that of the whole frame.",
        |s| {
            s.need_slow();
            let a = s.open();
            let request = s.request();
            let (mut part, mut rest) = parted(&request, s.header_len());
            s.send(a, part);
            for _ in 0..LONG / DRIP {
                s.pause(DRIP);
                (part, rest) = parted(rest, 1);
                s.send(a, part);
            }
        },
    )
    .and(given_up),
];

fn last_words(s: &mut Maker<'_>, requests: usize) {
    let a = s.open();
    let mut octets = Vec::new();
    for _ in 0..requests {
        octets.extend(s.request());
    }
    s.send(a, &octets);
    s.leave(a);
}

fn still_served(s: &mut Maker<'_>) {
    let a = s.open();
    s.ask(a);
}

fn reset_after(s: &mut Maker<'_>, octets: usize) {
    for _ in 0..3 {
        let a = s.open();
        let request = s.request();
        s.send(a, parted(&request, octets).0);
        s.rst(a);
    }
    still_served(s);
}

fn halting(s: &mut Maker<'_>, octets: usize, millis: u64) {
    let a = s.open();
    let request = s.request();
    let (part, rest) = parted(&request, octets);
    s.send(a, part);
    s.pause(millis);
    s.send(a, rest);
    s.wait(a);
    s.ask(a);
}

/// How long a server gets to give up a frame, in milliseconds.
const LONG: u64 = 60_000;

/// How long a client that drips leaves between two octets, in milliseconds.
const DRIP: u64 = 5_000;

fn never_finished(s: &mut Maker<'_>, octets: usize) {
    s.need_slow();
    let a = s.open();
    let request = s.request();
    s.send(a, parted(&request, octets).0);
    s.pause(LONG);
}

fn given_up(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let closed = transcript
        .of(0)
        .any(|(_, entry)| matches!(entry.seen, Seen::Fin | Seen::Rst));
    let what = say!("a frame left unfinished for a minute had not been given up");
    (!closed).then(|| Finding::must(Clause::Deadline, 0, what))
}
