//! How clients bear what ends a connection, or is not worth waiting for, or is.

use super::{Case, Maker, must, should};
use crate::lang::say;
use crate::model::{SURE_BODY, SURELY_TOO_LARGE};
use crate::spec::Clause;
use std::time::Duration;

/// A late reply that every client bears.
const LATE: Duration = Duration::from_millis(500);

/// A pause inside a reply that every client bears.
const PAUSE: Duration = Duration::from_millis(200);

/// A pause inside a reply that a client should bear.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// How long a client is watched that has nothing to do.
const WATCH: Duration = Duration::from_millis(400);

/// A header that claims that much, and so many octets of the body.
fn claims(m: &mut Maker<'_>, body: u64, arriving: usize) {
    m.ask();
    m.sample("before the claim");
    let mut octets = m.header(body);
    octets.resize(octets.len().saturating_add(arriving), b'7');
    m.send(&octets, &[]);
    m.must_end();
}

/// The number rounded up to whole chunks.
fn whole_chunks(m: &Maker<'_>, octets: u64) -> u64 {
    let chunk = u64::from(m.profile().chunk());
    octets.div_ceil(chunk).saturating_mul(chunk)
}

/// A reply whose body has at most so many octets, and as many as fit.
fn as_large_as(m: &mut Maker<'_>, body: u64) {
    m.ask();
    let chunk = m.chunk();
    let body = usize::try_from(body).unwrap_or(usize::MAX);
    let whole = body.saturating_sub(body.checked_rem(chunk).unwrap_or_default());
    let text = m.text_for_payload(whole);
    let frame = m.reply_with(&text);
    m.send(&frame, &[]);
    m.shown();
}

pub(super) const LIMITS: &[Case] = &[
    must(
        Clause::ClientLimit,
        "largest-there-is",
        "The largest length that a header can claim is refused when it is read, not when memory runs out.",
        |m| {
            let largest = m.craft().largest_body();
            if largest < SURELY_TOO_LARGE {
                m.skip(say!("no header of this wire format can claim so much"));
            }
            claims(m, largest, 0);
        },
    ),
    must(
        Clause::ClientLimit,
        "two-gibibytes",
        "A length with the highest bit set is not negative, and not one to wait for.",
        |m| {
            let body = whole_chunks(m, SURELY_TOO_LARGE);
            claims(m, body, 0);
        },
    ),
    must(
        Clause::ClientLimit,
        "with-some-of-it",
        "That some of the body has arrived does not make the rest worth waiting for.",
        |m| {
            let body = whole_chunks(m, SURELY_TOO_LARGE);
            claims(m, body, 600);
        },
    ),
    must(
        Clause::ClientLimit,
        "over-the-declared-limit",
        "One chunk above the limit is above the limit.",
        |m| match m.profile().declared_max_body() {
            Some(limit) => {
                let body = whole_chunks(m, limit.saturating_add(1));
                claims(m, body, 0);
            }
            None => m.skip(say!(
                "no limit is declared: --max-frame, or a profile that has one"
            )),
        },
    ),
    must(
        Clause::ClientLimit,
        "at-the-declared-limit",
        "What is exactly at the limit is not above it.",
        |m| match m.profile().declared_max_body() {
            Some(limit) => as_large_as(m, limit),
            None => m.skip(say!(
                "no limit is declared: --max-frame, or a profile that has one"
            )),
        },
    ),
    must(
        Clause::ClientLimit,
        "large-and-fine",
        "A limit that is too low loses replies that any client should take.",
        |m| match m.profile().declared_max_body() {
            Some(limit) if limit < SURE_BODY => m.skip(say!("a lower limit is declared")),
            _ => as_large_as(m, SURE_BODY),
        },
    ),
];

pub(super) const ENDS: &[Case] = &[
    must(
        Clause::ClientTruncation,
        "inside-the-header",
        "Two octets and the end of the stream are no reply, and nothing more will come.",
        |m| {
            m.ask();
            let header = m.header(m.profile().chunk().into());
            let half = header.len() / 2;
            if half == 0 {
                m.skip(say!("the header of this wire format is a single octet"));
            }
            m.send(header.get(..half).unwrap_or_default(), &[]);
            m.fin();
            m.must_end();
        },
    ),
    must(
        Clause::ClientTruncation,
        "behind-the-header",
        "The end of the stream exactly between header and body is not a clean one.",
        |m| {
            m.ask();
            let header = m.header(m.profile().chunk().into());
            m.send(&header, &[]);
            m.fin();
            m.must_end();
        },
    ),
    must(
        Clause::ClientTruncation,
        "inside-the-payload",
        "Half a payload is no message, and to wait for the other half is to wait for ever.",
        |m| {
            m.ask();
            let part = partial(m);
            m.send(&part, &[]);
            m.fin();
            m.must_end();
        },
    ),
    must(
        Clause::ClientTruncation,
        "inside-the-padding",
        "A reply is whole when its padding is; before that its sender may have died.",
        |m| {
            m.need_chunks();
            m.ask();
            let text = m.token("reply");
            let payload = m.payload(&text);
            let frame = m.frame_with(&payload, 1);
            let padding = m.place_in(&frame, payload.len());
            let part = frame.get(..=padding).unwrap_or_default();
            m.send(part, &[]);
            m.fin();
            m.must_end();
        },
    ),
    must(
        Clause::ClientTruncation,
        "in-the-second",
        "A whole reply is read; the piece behind it is not.",
        |m| {
            m.need_again();
            m.ask();
            m.answer();
            m.ask();
            let part = partial(m);
            m.send(&part, &[]);
            m.fin();
            m.must_end();
        },
    ),
    must(
        Clause::ClientClose,
        "before-the-reply",
        "A server that ends the connection owes nothing any more, and will not send the reply.",
        |m| {
            m.ask();
            m.fin();
            m.must_end();
        },
    ),
    must(
        Clause::ClientClose,
        "after-the-reply",
        "The end of the stream reads as nothing, again and again: not as a reply, and not as a pause.",
        |m| {
            m.ask();
            m.answer();
            m.fin();
            m.must_end_once_used();
        },
    ),
    must(
        Clause::ClientClose,
        "right-behind-the-reply",
        "A reply that comes with the end of the stream is a reply all the same.",
        |m| {
            m.need_output();
            m.ask();
            let frame = m.reply();
            m.send(&frame, &[]);
            m.fin();
            m.shown();
            m.must_end_once_used();
        },
    ),
    must(
        Clause::ClientClose,
        "at-once",
        "A server that is full closes what it has just accepted.",
        |m| {
            m.connect();
            m.fin();
            m.must_end_once_used();
        },
    ),
    must(
        Clause::ClientReset,
        "after-the-reply",
        "A connection that is not in use can break, too.",
        |m| {
            m.ask();
            m.answer();
            m.reset();
        },
    ),
    must(
        Clause::ClientReset,
        "before-the-reply",
        "A server that dies resets the connections that it leaves.",
        |m| {
            m.ask();
            m.reset();
        },
    ),
    must(
        Clause::ClientReset,
        "inside-a-reply",
        "A reset in the middle of a reply throws away what had come of it.",
        |m| {
            m.ask();
            let part = partial(m);
            m.send(&part, &[]);
            m.reset();
        },
    ),
    must(
        Clause::ClientReset,
        "at-once",
        "A connection may be reset before the client has sent anything.",
        |m| {
            m.connect();
            m.reset();
        },
    ),
];

/// The front part of a reply that is never completed: it stops in the middle of its text.
fn partial(m: &mut Maker<'_>) -> Vec<u8> {
    let text = m.text_for_payload(40);
    let payload = m.payload(&text);
    let frame = m.frame(&payload);
    let place = payload
        .windows(text.len())
        .position(|window| window == text.as_bytes())
        .unwrap_or_default();
    let half = place.saturating_add(text.len() / 2);
    let place = m.place_in(&frame, half);
    let mut part = frame;
    part.truncate(place);
    part
}

/// One reply with a pause at one place in it.
fn paused(m: &mut Maker<'_>, pause: Duration, place: impl FnOnce(usize, usize) -> usize) {
    m.ask();
    let frame = m.reply();
    let place = place(m.header_of(&frame), frame.len());
    let (first, rest) = frame.split_at_checked(place).unwrap_or((&frame, &[]));
    m.send(first, &[]);
    m.pause_for(pause);
    m.send_more(rest, &[]);
    m.shown();
}

pub(super) const WAITS: &[Case] = &[
    must(
        Clause::ClientPatience,
        "late-reply",
        "A server may have something to do before it answers.",
        |m| {
            m.ask();
            m.pause_for(LATE);
            m.answer();
        },
    ),
    must(
        Clause::ClientPatience,
        "pause-inside-the-header",
        "A short pause inside a header is no reason to begin anew.",
        |m| paused(m, PAUSE, |header, _| header / 2),
    ),
    must(
        Clause::ClientPatience,
        "pause-behind-the-header",
        "Between header and body there may be a pause.",
        |m| paused(m, PAUSE, |header, _| header),
    ),
    must(
        Clause::ClientPatience,
        "pause-inside-the-body",
        "A network that stalls for a moment costs no reply.",
        |m| paused(m, PAUSE, |header, len| header.saturating_add(len) / 2),
    ),
    should(
        Clause::ClientPatience,
        "second-inside-the-body",
        "A second is long, but shorter than what lost packets cost.",
        |m| paused(m, LONG_PAUSE, |header, len| header.saturating_add(len) / 2),
    ),
    must(
        Clause::ClientPatience,
        "waiting-costs-nothing",
        "To wait is to sleep. A client that asks its socket over and over heats the room.",
        |m| {
            m.need_process();
            m.ask();
            m.pause_for(WATCH);
            m.answer();
            m.pause_for(WATCH);
        },
    ),
];
