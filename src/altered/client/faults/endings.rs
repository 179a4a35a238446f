//! What clients make of a stream that ends: inside a reply, between two, or by a reset.

use super::super::half::{Fault, Half};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::frame::Body;
use crate::spec::Clause;
use std::io;
use std::thread::sleep;
use std::time::Duration;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("half-a-reply-is-a-reply", Clause::ClientTruncation, "",
        "When the stream ends inside a reply, what has arrived is taken for all of it.",
        |h| h.body = |c, wanted| c.collect(wanted)),
    Fault::new("half-a-reply-shown", Clause::ClientTruncation, "",
        "When the stream ends inside a reply, what has arrived is shown before the connection is given up.",
        |h| h.body = showing_what_came),
    Fault::new("half-a-reply-waited-for", Clause::ClientTruncation, "speedtestcpp#3",
        "A read that returns nothing inside a reply is tried again, for ever.",
        |h| h.ended = waiting_for_the_rest),
    Fault::new("half-a-reply-ends-the-reader", Clause::ClientTruncation, "",
        "A stream that ends inside a reply ends the thread that reads, and its socket stays.",
        |h| h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Eof { inside: true }))),

    Fault::new("end-is-an-empty-reply", Clause::ClientClose, "nut#225, wrk#167",
        "A read that returns nothing is taken for a header of zeros, for ever.",
        |h| { h.header = zeros_at_the_end; h.undecodable = |_, _| Ok(()); }),
    Fault::new("end-of-stream-ends-the-reader", Clause::ClientClose, "",
        "The end of the stream ends the thread that reads, and its socket stays.",
        |h| h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Eof { inside: false }))),
    Fault::new("owed-reply-waited-for-behind-the-end", Clause::ClientClose, "",
        "A stream that ends where a reply is owed is not given up: the reply is waited for.",
        |h| h.ended = waiting_for_what_is_owed),
    Fault::new("reply-lost-with-the-end", Clause::ClientClose, "",
        "A reply that comes with the end of the stream is dropped with it.",
        |h| h.take = unless_it_is_the_last),

    Fault::new("reset-ends-the-reader", Clause::ClientReset, "restler#59, hyper#1439",
        "The error of a reset connection ends the thread that reads, and nobody notices.",
        |h| h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Broken(_)))),
    Fault::new("reset-ends-the-client-badly", Clause::ClientReset, "",
        "The error of a reset connection is one that nobody handles, and the process dies of it.",
        |h| h.ended = dying_of_a_reset),
    Fault::new("reset-tried-again", Clause::ClientReset, "",
        "A read that fails is tried again, for ever.",
        |h| h.ended = trying_again),
    Fault::new("broken-pipe-ends-the-client", Clause::ClientReset, "libmpdclient#155, hiredis#840",
        "A reset goes unnoticed until something is sent, and the signal that is raised then ends the process.",
        |h| {
            h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Broken(_)));
            h.unsent = |_, _| std::process::abort();
        }),
];

/// Such an end leaves everything as it is, but for the thread that came to it.
fn forgotten_if(end: End, is_forgotten: fn(&End) -> bool) -> Result<(), End> {
    Err(if is_forgotten(&end) {
        End::Forgotten
    } else {
        end
    })
}

/// How long it takes until something is tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// What came to an end is tried again, or not.
fn again_if(is_again: bool, end: End) -> Result<(), End> {
    if !is_again {
        return Err(end);
    }
    sleep(PAUSE);
    Ok(())
}

fn showing_what_came(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = c.collect(wanted)?;
    if octets.len() < wanted {
        c.shared
            .print(&format!("{}\n", String::from_utf8_lossy(&octets)));
        return Err(End::Eof { inside: true });
    }
    Ok(octets)
}

fn zeros_at_the_end(c: &mut Half) -> Result<Vec<u8>, End> {
    let wanted = c.profile().header_len();
    let mut octets = c.collect(wanted)?;
    if octets.is_empty() {
        sleep(PAUSE);
    }
    octets.resize(wanted, 0);
    Ok(octets)
}

fn waiting_for_what_is_owed(c: &mut Half, end: End) -> Result<(), End> {
    if c.shared.is_owed() {
        return forgotten_if(end, |end| matches!(end, End::Eof { inside: false }));
    }
    Err(end)
}

/// The end of the stream has come once it has been seen in this time.
const WITH: Duration = Duration::from_millis(50);

fn unless_it_is_the_last(c: &mut Half) -> Result<Body, End> {
    let body = honest::take(c)?;
    if c.inbox.is_empty() && c.look_ahead(WITH)? {
        return Err(End::Eof { inside: false });
    }
    Ok(body)
}

fn dying_of_a_reset(_: &mut Half, end: End) -> Result<(), End> {
    Err(match end {
        End::Broken(error) if is_reset(&error) => End::Fatal,
        end => end,
    })
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

/// Once it has begun, nothing that is read is an end.
fn waiting_for_the_rest(c: &mut Half, end: End) -> Result<(), End> {
    c.memory.flag |= matches!(end, End::Eof { inside: true });
    again_if(c.memory.flag, end)
}

fn trying_again(c: &mut Half, end: End) -> Result<(), End> {
    c.memory.flag |= matches!(end, End::Broken(_));
    again_if(c.memory.flag, end)
}
