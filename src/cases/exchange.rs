//! Requests and replies: how many, in which order, and when.

use super::length::need_claim;
use super::maker::parted;
use super::{Case, Maker};
use crate::judge::Finding;
use crate::judge::frame_log::FrameLog;
use crate::lang::say;
use crate::profile::Profile;
use crate::script::MAX_OCTETS;
use crate::script::index;
use crate::spec::Clause;
use crate::transcript::{Seen, Transcript};

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::OneReply,
        "single",
        "One request, one reply, and then silence.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::OneReply,
        "ten-in-turn",
        "Ten requests, each after the reply to the one before: ten replies.",
        |s| {
            let a = s.open();
            for _ in 0..10 {
                s.ask(a);
            }
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::OneReply,
        "same-twice",
        "The same request twice is two requests.",
        |s| {
            let a = s.open();
            let request = s.request();
            for _ in 0..2 {
                s.send(a, &request);
                s.wait(a);
            }
            s.send(a, &request.repeat(3));
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::OneReply,
        "large",
        "A request that takes many reads is one request.",
        |s| {
            let a = s.open();
            let request = s.request_of(25_000);
            s.send_cut(a, &request, &[3_000, 9_000, 17_000]);
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::OneReply,
        "behind-what-is-owed-none",
        "Requests among messages that are owed no reply, alone and in one segment: each gets its own.",
        |s| {
            need_unanswered(s);
            let a = s.open();
            for _ in 0..3 {
                let message = unanswered(s);
                s.send(a, &message);
                s.ask(a);
            }
            let octets = among_requests(s);
            s.send(a, &octets);
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::OneReply,
        "queued-before-a-close",
        "Replies that lie unread when the server has reason to close: a socket that is closed with octets unread is reset, and takes along what was still to be sent.",
        |s| queued_before(s, 1_000),
    )
    .and(queue_is_sent),
    Case::must(
        Clause::OneReply,
        "queued-before-much-more",
        "The same with more behind the refused header than an event loop has read by then: what it has not read resets the connection as well.",
        |s| queued_before(s, MUCH_MORE),
    )
    .and(queue_is_sent),
    Case::must(
        Clause::Order,
        "twenty-at-once",
        "Twenty requests in one segment are answered in their order.",
        |s| {
            s.need_text();
            let a = s.open();
            let mut octets = Vec::new();
            for _ in 0..20 {
                octets.extend(s.request());
            }
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Order,
        "large-before-small",
        "A request that takes long to handle is not overtaken by the short ones behind it.",
        |s| {
            s.need_text();
            let a = s.open();
            let mut octets = s.request_of(30_000);
            for _ in 0..5 {
                octets.extend(s.request());
            }
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Order,
        "very-large-before-small",
        "A request that keeps any reader busy for a while, and short ones behind it: where each request has a thread of its own, the short ones are done first.",
        |s| {
            s.need_text();
            s.need_free_json();
            s.need_body(BUSY);
            let a = s.open();
            let mut octets = long_array(s);
            for _ in 0..5 {
                octets.extend(s.request());
            }
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Order,
        "around-undecodable",
        "Also what cannot be decoded keeps its place in the order.",
        |s| {
            s.need_text();
            s.need_json();
            let a = s.open();
            let mut octets = s.request();
            octets.extend(s.frame(b"{not json}"));
            octets.extend(s.request());
            octets.extend(s.request());
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Order,
        "ids-in-flight",
        "Ten requests in one segment, each with an id of its own: in whatever order the replies come, each has the id of the request that it answers.",
        |s| {
            need_ids(s);
            let a = s.open();
            let octets: Vec<u8> = (0..10).flat_map(|_| s.request()).collect();
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Order,
        "id-of-undecodable",
        "What is said to a payload that cannot be decoded has the id of its frame: the header was right.",
        |s| {
            need_ids(s);
            s.need_json();
            let a = s.open();
            s.ask(a);
            let frame = s.frame(b"{not json}");
            s.send(a, &frame);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Pipelining,
        "without-waiting",
        "Requests sent one after the other, in segments of their own, without waiting for replies.",
        |s| {
            let a = s.open();
            for _ in 0..16 {
                let request = s.request();
                s.send(a, &request);
            }
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Pipelining,
        "five-hundred",
        "Five hundred requests at once: more than fits any one buffer on the way.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for _ in 0..s.times(500, 50) {
                octets.extend(s.request());
            }
            s.send(a, &octets);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Pipelining,
        "mixed-sizes",
        "Requests of very different sizes behind one another.",
        |s| {
            let a = s.open();
            let mut octets = Vec::new();
            for octets_each in [20, 9_000, 30, 61, 20_000, 120, 60, 2_000] {
                octets.extend(s.request_of(octets_each));
            }
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Pipelining,
        "next-before-the-reply",
        "The next request is half sent when the reply to the one before is due: the reply does not wait for it, nor disturb it.",
        |s| {
            let a = s.open();
            let (first, second) = (s.request(), s.request());
            let (half, rest) = parted(&second, second.len() / 2);
            s.send(a, &[&first, half].concat());
            s.wait(a);
            s.send(a, rest);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "on-connect",
        "The client speaks first; a server that greets is answered with confusion.",
        |s| {
            let a = s.open();
            s.quiet(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "after-a-reply",
        "When the reply has come there is nothing more to say; and nothing at all where there are no replies.",
        |s| {
            s.bear_silence();
            let a = s.open();
            s.ask(a);
            s.quiet(a);
            s.ask(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "owed-none",
        "A message that is owed no reply gets none, neither at once nor before the reply to what follows.",
        |s| {
            need_unanswered(s);
            let a = s.open();
            for _ in 0..3 {
                let message = unanswered(s);
                s.send(a, &message);
                s.quiet(a);
                s.ask(a);
            }
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "owed-none-among-requests",
        "Nor do messages that are owed no reply get one that stand among requests in one segment.",
        |s| {
            need_unanswered(s);
            let a = s.open();
            let octets = among_requests(s);
            s.send(a, &octets);
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "after-a-pause",
        "Nor is there later: no second reply, no sign of life.",
        |s| {
            s.bear_silence();
            let a = s.open();
            s.ask(a);
            s.pause(100);
            s.quiet(a);
            s.ask(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "inside-a-header",
        "Half a header asks for nothing.",
        |s| {
            let request = s.request_with_a_header_to_cut();
            let half = s.header_of(&request) / 2;
            held_back_of(s, &request, half.max(1));
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "behind-a-header",
        "A header alone asks for nothing.",
        |s| held_back(s, s.header_len()),
    ),
    Case::must(
        Clause::Unsolicited,
        "inside-a-body",
        "A part of a body asks for nothing, even if it holds the whole payload and only padding is missing.",
        |s| {
            let last = index::place(s.profile(), s.shortest().saturating_sub(1));
            let part = s.header_len().saturating_add(last).saturating_add(1);
            held_back(s, part);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "inside-a-large-body",
        "Nor does a large body ask for anything while it comes: no leave to go on, no word on how far it has got.",
        |s| {
            s.bear_silence();
            let a = s.open();
            let request = s.request_of(30_000);
            let header = s.header_of(&request);
            let (first, rest) = parted(&request, header);
            let (second, rest) = parted(rest, 20_000);
            for part in [first, second] {
                s.send(a, part);
                s.quiet(a);
            }
            s.send(a, rest);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Unsolicited,
        "before-the-last-chunk",
        "The first chunks of a body may hold a whole message; the frame is not complete all the same.",
        |s| {
            s.need_chunks();
            let a = s.open();
            let payload = s.payload_with("");
            let frame = s.frame_with(&payload, 1);
            let (most, rest) = parted(&frame, frame.len().saturating_sub(s.chunk_and_index()));
            s.send(a, most);
            s.quiet(a);
            s.send(a, rest);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::Persistence,
        "two-hundred",
        "Two hundred requests in turn on one connection: no server tires.",
        |s| {
            let a = s.open();
            for _ in 0..s.times(200, 30) {
                s.ask(a);
            }
        },
    ),
    Case::must(
        Clause::Persistence,
        "more-than-a-thousand",
        "More requests than a thousand on one connection, where some servers have had enough of any client, fifty of them at a time.",
        |s| {
            let in_all = s.request().len().saturating_mul(1_200);
            s.need(
                in_all <= MAX_OCTETS,
                say!("so many frames of this profile are more than a script sends"),
            );
            let a = s.open();
            for _ in 0..22 {
                let octets: Vec<u8> = (0..50).flat_map(|_| s.request()).collect();
                s.send(a, &octets);
                s.wait(a);
            }
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Persistence,
        "after-a-pause",
        "A client that has nothing to say for a moment is still there.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.pause(120);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Persistence,
        "after-a-long-pause",
        "A client that thinks for a second and a half is still there: who ends idle connections gives them longer.",
        |s| {
            s.need_slow();
            let a = s.open();
            s.ask(a);
            s.pause(1_500);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Persistence,
        "busy-for-4-seconds",
        "A client that asks five times a second is never idle: a time that was set once, and not anew for each request, runs out all the same.",
        |s| busy(s, 4),
    ),
    Case::must(
        Clause::Persistence,
        "busy-for-11-seconds",
        "A client that asks five times a second for longer than ten seconds is never idle either.",
        |s| busy(s, 11),
    ),
    Case::must(
        Clause::Persistence,
        "busy-for-31-seconds",
        "Nor is one that does so for longer than half a minute, where many servers let a connection go.",
        |s| busy(s, 31),
    ),
    Case::must(
        Clause::Persistence,
        "before-the-first",
        "A client that connects and takes its time before the first request is still served.",
        |s| {
            let a = s.open();
            s.pause(120);
            s.ask(a);
        },
    ),
];

fn need_ids(s: &mut Maker<'_>) {
    let has_ids = s.profile().has_ids();
    s.need(has_ids, say!("requests of this profile have no ids"));
}

fn need_unanswered(s: &mut Maker<'_>) {
    let has_some = s.profile().unanswered().is_some();
    s.need(
        has_some,
        say!("each message of this profile is owed a reply"),
    );
}

/// The frame of a message that is owed no reply.
fn unanswered(s: &mut Maker<'_>) -> Vec<u8> {
    let text = s.token();
    let payload = s.craft().unanswered(&text);
    s.frame(&payload.unwrap_or_default())
}

/// Requests, and in front of, between and behind them messages that are owed no reply, some of them several.
fn among_requests(s: &mut Maker<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    for messages in [1, 2, 0, 1, 3] {
        for _ in 0..messages {
            octets.extend(unanswered(s));
        }
        octets.extend(s.request());
    }
    octets.extend(unanswered(s));
    octets
}

/// Requests whose replies are more than a client that does not read has room for, and yet no more than what
/// any system takes off a server's hands at once: one that has to wait has not closed yet when it is read.
const QUEUED: usize = 3;

/// Octets of text in each of them.
const QUEUED_TEXT: usize = 24_000;

/// Octets behind a refused header, more than event loops read ahead of whoever takes frames from them.
const MUCH_MORE: usize = 400_000;

/// Requests whose replies nobody reads yet, and a header behind them that has to be refused, with so many octets.
fn queued_before(s: &mut Maker<'_>, more: usize) {
    let claim = s.craft().largest_body();
    need_claim(s, claim);
    let a = s.open();
    s.stall(a);
    for _ in 0..QUEUED {
        let request = s.request_of(QUEUED_TEXT);
        s.send(a, &request);
    }
    let mut octets = s.craft().header(claim);
    octets.resize(octets.len().saturating_add(more), b'x');
    s.send(a, &octets);
    // Time for the server to answer them all and to close, on a busy machine too.
    s.pause(100);
    s.resume(a);
    s.wait(a);
}

/// A reset behind a malformed header is in order where it costs no more than the last words: what had been
/// queued before is owed all the same.
fn queue_is_sent(profile: &Profile, transcript: &Transcript) -> Option<Finding> {
    let came = FrameLog::of(profile, transcript, 0).len();
    let is_reset = transcript.of(0).any(|(_, entry)| entry.seen == Seen::Rst);
    let what = say!(
        "{came} of {queued} replies came: the connection was reset while the others were still to be sent",
        came,
        queued = QUEUED
    );
    (is_reset && came < QUEUED).then(|| Finding::must(Clause::OneReply, 0, what))
}

/// Numbers in a message that takes long to read …
const NUMBERS: usize = 100_000;

/// … and octets of it, at most.
const BUSY: u64 = 500_000;

/// A message of very many numbers.
fn long_array(s: &mut Maker<'_>) -> Vec<u8> {
    let text = s.payload_with("");
    let mut payload = format!("[{}", "0.5,".repeat(NUMBERS)).into_bytes();
    payload.extend(text);
    payload.push(b']');
    s.frame(&payload)
}

/// A client that asks every 200 ms, for so many seconds.
fn busy(s: &mut Maker<'_>, seconds: usize) {
    s.need_slow();
    let a = s.open();
    for _ in 0..seconds.saturating_mul(5) {
        s.ask(a);
        s.pause(200);
    }
    s.ask(a);
}

/// So many octets of a request, silence, then the rest and the reply.
fn held_back(s: &mut Maker<'_>, octets: usize) {
    let request = s.request();
    held_back_of(s, &request, octets);
}

fn held_back_of(s: &mut Maker<'_>, request: &[u8], octets: usize) {
    let a = s.open();
    let (part, rest) = parted(request, octets);
    s.send(a, part);
    s.quiet(a);
    s.send(a, rest);
    s.wait(a);
}
