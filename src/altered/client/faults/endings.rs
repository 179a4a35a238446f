//! What clients make of a stream that ends: inside a reply, between two, or by a reset.

use super::super::half::{Fault, Half};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Mend;
use crate::altered::frame::{self, Body};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::spec::Clause;
use std::io;
use std::thread::sleep;
use std::time::Duration;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("half-a-reply-is-a-reply", Clause::ClientTruncation, "",
        "When the stream ends inside a reply, what has arrived is taken for all of it.",
        Mend::by("A reply that the stream's end cut short is taken for all of it", "When the stream ends inside a reply, drop what has come of it and close.", sketch::END_OF_STREAM),
        |h| h.body = |c, wanted| c.collect(wanted)).within(&[Room::Padding, Room::NoTrailer]),
    Fault::new("half-a-reply-shown", Clause::ClientTruncation, "",
        "When the stream ends inside a reply, what has arrived is shown before the connection is given up.",
        Mend::by("A reply that the stream's end cut short is shown", "When the stream ends inside a reply, drop what has come of it and close.", sketch::END_OF_STREAM),
        |h| h.body = showing_what_came),
    Fault::new("half-a-reply-waited-for", Clause::ClientTruncation, "speedtestcpp#3",
        "A read that returns nothing inside a reply is tried again, for ever.",
        Mend::by("The rest of a reply is waited for when the stream has ended", "Stop as soon as a read returns no octets: that is the end of the stream.", sketch::END_OF_STREAM),
        |h| h.ended = waiting_for_the_rest),
    Fault::new("half-a-reply-ends-the-reader", Clause::ClientTruncation, "",
        "A stream that ends inside a reply ends the thread that reads, and its socket stays.",
        Mend::by("A stream that ends inside a reply ends the reader and leaves the socket open", "Close the socket on every way out of the loop, an error's too.", sketch::ALWAYS_CLOSE),
        |h| h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Eof { inside: true }))),

    Fault::new("end-is-an-empty-reply", Clause::ClientClose, "nut#225, wrk#167",
        "A read that returns nothing is taken for a header of zeros, for ever.",
        Mend::by("The end of the stream is taken for an empty reply", "Stop as soon as a read returns no octets: that is the end of the stream, not a header.", sketch::END_OF_STREAM),
        |h| { h.header = zeros_at_the_end; h.undecodable = |_, _| Ok(()); }).within(&[Room::FrameOfZeros]),
    Fault::new("end-of-stream-ends-the-reader", Clause::ClientClose, "",
        "The end of the stream ends the thread that reads, and its socket stays.",
        Mend::by("The end of the stream ends the reader and leaves the socket open", "Close the socket when the server has ended its stream.", sketch::ALWAYS_CLOSE),
        |h| h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Eof { inside: false }))),
    Fault::new("owed-reply-waited-for-behind-the-end", Clause::ClientClose, "",
        "A stream that ends where a reply is owed is not given up: the reply is waited for.",
        Mend::by("A reply is waited for when the stream has ended", "Give up what is owed once the server has ended its stream.", sketch::END_OF_STREAM),
        |h| h.ended = waiting_for_what_is_owed),
    Fault::new("reply-lost-with-the-end", Clause::ClientClose, "",
        "A reply that comes with the end of the stream is dropped with it.",
        Mend::by("A reply that comes with the end of the stream is dropped", "Handle every whole reply that has come before the end is acted upon.", sketch::HALF_CLOSE),
        |h| h.take = unless_it_is_the_last),

    Fault::new("reset-ends-the-reader", Clause::ClientReset, "restler#59, hyper#1439",
        "The error of a reset connection ends the thread that reads, and nobody notices.",
        Mend::by("A reset connection ends the reader, and nobody notices", "Tell the rest of the client when the reader ends, and close the socket.", sketch::ALWAYS_CLOSE),
        |h| h.ended = |_, end| forgotten_if(end, |end| matches!(end, End::Broken(_)))),
    Fault::new("reset-ends-the-client-badly", Clause::ClientReset, "",
        "The error of a reset connection is one that nobody handles, and the process dies of it.",
        Mend::by("A reset connection brings the process down", "Catch the error of a read or write, and end the connection.", sketch::ISOLATE),
        |h| h.ended = dying_of_a_reset),
    Fault::new("reset-tried-again", Clause::ClientReset, "",
        "A read that fails is tried again, for ever.",
        Mend::by("A read that failed is tried again for ever", "Give the connection up when a read fails.", sketch::END_OF_STREAM),
        |h| h.ended = trying_again),
    Fault::new("broken-pipe-ends-the-client", Clause::ClientReset, "libmpdclient#155, hiredis#840",
        "A reset goes unnoticed until something is sent, and the signal that is raised then ends the process.",
        Mend::by("Writing to a reset connection ends the process by a signal", "Ignore SIGPIPE, and handle the error of the write.", sketch::ISOLATE),
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
    match honest::header(c) {
        Err(End::Eof { .. }) => {
            sleep(PAUSE);
            Ok(frame::of_nothing(c.profile()))
        }
        header => header,
    }
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
