//! Clients that are different from one another and all right.
//!
//! What the protocol leaves open to a client, each of these decides in another way. Whoever finds fault with
//! one is wrong.

use super::half::{Half, Variant};
use super::honest;
use super::hooks::{End, Over};
use crate::altered::frame::{self, Body};
use crate::altered::text::in_ascii;
use crate::message::Message;
use std::io;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

#[rustfmt::skip]
pub(super) const VARIANTS: &[Variant] = &[
    Variant::new("waits-for-each-reply",
        "A request is sent when the reply to the one before has come, by one thread that does both.",
        |h| h.converse = one_by_one),
    Variant::new("connection-for-each-request",
        "Each request has a connection of its own, which is reset when its reply has come.",
        |h| h.converse = one_connection_each),
    Variant::new("half-closes-behind-its-request",
        "The stream ends behind the first request, and its reply is read nevertheless.",
        |h| h.converse = half_closing),
    Variant::new("connects-when-it-has-something-to-send",
        "The connection is made when the first line is typed.",
        |h| h.converse = connected_late),
    Variant::new("closes-upon-garbage",
        "A reply that is no message is enough to give the connection up.",
        |h| h.undecodable = |_, _| Err(End::Refused)),
    Variant::new("passes-over-garbage",
        "A reply that is no message is passed over without a word.",
        |h| h.undecodable = |_, _| Ok(())),
    Variant::new("stays-without-its-connection",
        "When the connection is over its socket is closed, and the client stays until it is wanted again.",
        |h| { h.leave = closed_and_staying; h.unsent = |c, error| honest::leave(c, error.into()); }),
    Variant::new("connects-again",
        "A moment after the connection is over another is made.",
        |h| h.leave = connecting_again),
    Variant::new("resets-what-it-gives-up",
        "A connection that is given up is reset.",
        |h| h.leave = resetting),
    Variant::new("shows-everything-at-its-end",
        "What the client shows is kept back until it ends.",
        |h| { h.show = kept_back; h.converse = showing_all; }),
    Variant::new("shows-values-as-python",
        "Replies are printed as Python prints a value, with escapes for what is not ASCII.",
        |h| h.show = as_python),
    Variant::new("shows-replies-with-a-heading",
        "Each reply is printed under a heading, indented.",
        |h| h.show = with_heading),
    Variant::new("prompts",
        "A prompt stands before each line, and what is typed is repeated.",
        |h| h.compose = prompted),
    Variant::new("reads-seven-octets-at-a-time",
        "The body of a reply is read seven octets at a time.",
        |h| h.body = |c, wanted| in_reads_of(c, wanted, 7, Duration::ZERO)),
    Variant::new("reads-slowly",
        "Behind each read of at most 16 KiB there is a pause of two milliseconds.",
        |h| h.body = |c, wanted| in_reads_of(c, wanted, 16 << 10, MOMENT)),
    Variant::new("sends-octet-by-octet",
        "The first 200 octets of a request are sent one by one.",
        |h| h.send = dribbled),
    Variant::new("sends-header-and-body-apart",
        "The header of a request is sent two milliseconds before its body.",
        |h| h.send = in_two),
    Variant::new("escapes-all-beyond-ascii",
        "What is not ASCII in a request is written in escapes.",
        |h| h.compose = escaped),
    Variant::new("sends-objects",
        "What is typed becomes a member of an object.",
        |h| h.compose = wrapped),
    Variant::new("takes-replies-up-to-32-kib",
        "Replies of more than 32 KiB are refused, unless another limit is declared.",
        |h| h.sizes = frame::sizes_up_to_32_kib),
    Variant::new("two-seconds-for-a-reply",
        "A reply in which nothing comes for two seconds is given up.",
        |h| h.body = |c, wanted| honest::body_without_pause(c, wanted, Duration::from_secs(2))),
    Variant::new("refuses-replies-with-more-padding",
        "A reply with more padding than it needs makes the client give the connection up.",
        |h| h.take = with_least_padding).warned(),
];

/// A moment that is nothing to wait for.
const MOMENT: Duration = Duration::from_millis(2);

/// The request of a line and its reply.
fn exchange(c: &mut Half, line: &str) -> Result<(), End> {
    honest::ask(c, line)?;
    honest::receive(c)
}

fn one_by_one(mut c: Half) -> Over {
    match c.connect() {
        Ok(()) => exchanges(c),
        Err(error) => honest::leave(&mut c, error.into()),
    }
}

fn exchanges(mut c: Half) -> Over {
    while let Some(line) = c.shared.line() {
        if let Err(end) = exchange(&mut c, &line) {
            return honest::leave(&mut c, end);
        }
    }
    honest::leave(&mut c, End::Done)
}

fn one_connection_each(mut c: Half) -> Over {
    while let Some(line) = c.shared.line() {
        let asked = c.connect().map_err(End::from);
        if let Err(end) = asked.and_then(|()| exchange(&mut c, &line)) {
            return honest::leave(&mut c, end);
        }
        c.reset_at_close();
        c.shared.set_stream(None);
    }
    honest::leave(&mut c, End::Done)
}

/// The first line is kept until there is a connection for it.
fn connected_late(mut c: Half) -> Over {
    let Some(line) = c.shared.line() else {
        return honest::leave(&mut c, End::Done);
    };
    let asked = c.connect().map_err(End::from);
    match asked.and_then(|()| exchange(&mut c, &line)) {
        Ok(()) => exchanges(c),
        Err(end) => honest::leave(&mut c, end),
    }
}

fn half_closing(mut c: Half) -> Over {
    let asked = c.connect().map_err(End::from).and_then(|()| {
        if let Some(line) = c.shared.line() {
            honest::ask(&mut c, &line)?;
        }
        c.end_stream();
        honest::receive(&mut c)
    });
    honest::leave(&mut c, asked.err().unwrap_or(End::Done))
}

fn closed_and_staying(c: &mut Half, end: End) -> Over {
    if matches!(end, End::Done) {
        return honest::leave(c, end);
    }
    c.shared.complain("the connection is over");
    c.shared.owes_nothing();
    c.shared.set_stream(None);
    honest::forever()
}

/// How long after the end of a connection the next one is made.
const BEFORE_AGAIN: Duration = Duration::from_millis(30);

/// How often a client connects again.
const MOST_CONNECTIONS: usize = 3;

fn connecting_again(c: &mut Half, end: End) -> Over {
    c.memory.count = c.memory.count.saturating_add(1);
    if matches!(end, End::Done) || c.memory.count > MOST_CONNECTIONS {
        return honest::leave(c, end);
    }
    sleep(BEFORE_AGAIN);
    if c.connect().is_err() {
        return honest::leave(c, end);
    }
    c.shared.owes_nothing();
    honest::receive_all(c)
}

fn resetting(c: &mut Half, end: End) -> Over {
    c.reset_at_close();
    honest::leave(c, end)
}

fn kept_back(c: &mut Half, message: Message) {
    c.shared.keep(&format!("{}\n", honest::shown(&message)));
}

fn showing_all(c: Half) -> Over {
    let shared = Arc::clone(&c.shared);
    let code = honest::converse(c);
    shared.print_kept();
    code
}

fn as_python(c: &mut Half, message: Message) {
    let shown = match message.value() {
        Ok(serde_json::Value::String(text)) => repr(&text),
        _ => honest::shown(&message),
    };
    c.shared.print(&format!("{shown}\n"));
}

/// A text in single quotes and in ASCII.
fn repr(text: &str) -> String {
    let escaped = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        '\0'..='\u{ff}' => format!("\\x{:02x}", u32::from(c)),
        '\u{100}'..='\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
        _ => format!("\\U{:08x}", u32::from(c)),
    };
    let inner: String = text.chars().map(escaped).collect();
    format!("'{inner}'")
}

fn with_heading(c: &mut Half, message: Message) {
    let shown = honest::shown(&message);
    c.shared.print(&format!("reply:\n    {shown}\n"));
}

fn prompted(c: &mut Half, line: &str) -> Vec<u8> {
    c.shared.print(&format!("> {line:?}\n"));
    honest::compose(c, line)
}

fn in_reads_of(c: &mut Half, wanted: usize, most: usize, pause: Duration) -> Result<Vec<u8>, End> {
    let mut octets = Vec::new();
    while octets.len() < wanted {
        let left = wanted.saturating_sub(octets.len());
        octets.extend(honest::body(c, left.min(most))?);
        sleep(pause);
    }
    Ok(octets)
}

fn dribbled(c: &mut Half, octets: Vec<u8>) -> io::Result<()> {
    let (first, rest) = octets.split_at(octets.len().min(200));
    for octet in first.chunks(1) {
        c.write(octet)?;
    }
    c.write(rest)
}

fn in_two(c: &mut Half, octets: Vec<u8>) -> io::Result<()> {
    let (header, body) = octets.split_at(frame::header_len(c.profile(), &octets));
    c.write(header)?;
    sleep(MOMENT);
    c.write(body)
}

fn escaped(c: &mut Half, line: &str) -> Vec<u8> {
    let payload = honest::compose(c, line);
    in_ascii(&String::from_utf8_lossy(&payload)).into_bytes()
}

fn wrapped(c: &mut Half, line: &str) -> Vec<u8> {
    let payload = honest::compose(c, line);
    [b"{\"say\": ", payload.as_slice(), b"}"].concat()
}

fn with_least_padding(c: &mut Half) -> Result<Body, End> {
    let body = honest::take(c)?;
    if frame::has_spare_padding(c.profile(), &body) {
        return Err(End::Refused);
    }
    Ok(body)
}
