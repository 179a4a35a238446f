//! What clients do with well-framed replies that are no messages, or that their parser cannot manage.

use super::super::half::{Fault, Half};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Mend;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::message::{Message, Undecodable};
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("garbage-ends-the-reader", Clause::ClientUndecodable, "Jest#404",
        "A reply that cannot be decoded ends the thread that reads, and nobody notices.",
        Mend::by("A reply that cannot be decoded ends the reader, and nobody notices", "Catch the decoder's error where the reply is read, and go on or close.", sketch::COMPLAIN),
        |h| h.undecodable = |_, _| Err(End::Forgotten)).within(&[Room::Undecodable]),
    Fault::new("bad-utf-8-ends-the-client", Clause::ClientUndecodable, "",
        "Octets that are not UTF-8 end the whole process.",
        Mend::by("A reply that is not UTF-8 brings the process down", "Catch the decoder's error where the reply is read, and go on or close.", sketch::COMPLAIN),
        |h| h.undecodable = dying_of_bad_utf_8).within(&[Room::Undecodable]),
    Fault::new("octet-behind-garbage-skipped", Clause::ClientUndecodable, "",
        "When a reply cannot be decoded, an octet is skipped in search of the next.",
        Mend::by("An octet is skipped behind a reply that cannot be decoded", "Go on with the very next frame, since only the payload was wrong.", sketch::COMPLAIN),
        |h| h.undecodable = skipping_an_octet).within(&[Room::Undecodable]),
    Fault::new("empty-reply-ends-the-reader", Clause::ClientUndecodable, "yyjsonr#44",
        "An empty reply ends the thread that reads, and nobody notices.",
        Mend::by("An empty reply ends the reader, and nobody notices", "Treat it as a reply that cannot be decoded, and go on or close.", sketch::EMPTY),
        |h| h.undecodable = stopping_at_nothing).within(&[Room::Undecodable]),
    Fault::new("garbage-kept-for-the-next", Clause::ClientUndecodable, "",
        "What cannot be decoded is kept, and the next reply put behind it.",
        Mend::by("The next reply is put behind one that could not be decoded", "Clear what is kept of a reply whether it could be decoded or not.", sketch::COMPLAIN),
        |h| h.read = behind_garbage).within(&[Room::Undecodable]),
    Fault::new("depth-exhausts-the-stack", Clause::ClientUndecodable, "minimal-json#61, kivaloo#380",
        "The parser calls itself for each level of a reply, until the stack is used up.",
        Mend::by("Deep nesting overflows the stack", "Bound the depth that the parser goes to.", sketch::NESTING),
        |h| h.read = on_a_small_stack).within(&[Room::Json]),
    Fault::new("long-numbers-end-the-reader", Clause::ClientUndecodable, "",
        "A number of thousands of digits raises an error that nobody expects, and ends the thread that reads.",
        Mend::by("A very long number ends the reader, and nobody notices", "Catch every error of the decoder, not just that for bad JSON.", sketch::COMPLAIN),
        |h| h.show = stopping_at_long_numbers).within(&[Room::Json]),
    Fault::new("half-a-pair-ends-the-reader", Clause::ClientUndecodable, "schemathesis#4229, reqman#12",
        "Half of a surrogate pair is decoded and cannot be printed, which ends the thread that reads.",
        Mend::by("Half a surrogate pair ends the reader, and nobody notices", "Catch the error of showing a reply too, or replace what cannot be shown.", sketch::COMPLAIN),
        |h| h.show = stopping_at_surrogates).within(&[Room::Json]),
];

fn dying_of_bad_utf_8(c: &mut Half, why: Undecodable) -> Result<(), End> {
    if matches!(why, Undecodable::NotUtf8 { .. }) {
        return Err(End::Fatal);
    }
    honest::undecodable(c, why)
}

fn skipping_an_octet(c: &mut Half, why: Undecodable) -> Result<(), End> {
    honest::body(c, 1)?;
    honest::undecodable(c, why)
}

fn stopping_at_nothing(c: &mut Half, why: Undecodable) -> Result<(), End> {
    if matches!(why, Undecodable::Empty) {
        return Err(End::Forgotten);
    }
    honest::undecodable(c, why)
}

fn behind_garbage(c: &mut Half, payload: Vec<u8>) -> Result<Message, Undecodable> {
    let mut octets = std::mem::take(&mut c.memory.octets);
    octets.extend(payload);
    let read = honest::read(c, octets.clone());
    if read.is_err() {
        c.memory.octets = octets;
    }
    read
}

/// Levels for which the stack is large enough.
const DEEPEST: usize = 5_000;

fn on_a_small_stack(c: &mut Half, payload: Vec<u8>) -> Result<Message, Undecodable> {
    let opening = |octet: &&u8| matches!(octet, b'[' | b'{');
    if payload.iter().take_while(opening).count() > DEEPEST {
        std::process::abort();
    }
    honest::read(c, payload)
}

fn stopping_at_long_numbers(c: &mut Half, message: Message) {
    let digits = |octet: &u8| octet.is_ascii_digit();
    if message.payload().len() > 4_300 && message.payload().iter().all(digits) {
        honest::forever();
    }
    honest::show(c, message);
}

fn stopping_at_surrogates(c: &mut Half, message: Message) {
    if message.text().is_some_and(|text| text == "\"\\ud800\"") {
        honest::forever();
    }
    honest::show(c, message);
}
