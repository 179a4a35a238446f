//! What clients make of the text that their user types.

use super::super::half::{Fault, Half};
use super::super::honest;
use crate::altered::alteration::Mend;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("byte-order-mark-in-requests", Clause::ClientText, "Jayrock#49, Yardarm#130",
        "Requests begin with a byte order mark.",
        Mend::by("Requests begin with a byte order mark", "Encode as UTF-8 without a byte order mark.", sketch::REPLY_TEXT),
        |h| h.compose = |c, line| [b"\xef\xbb\xbf", honest::compose(c, line).as_slice()].concat()).within(&[Room::Json]),
    Fault::new("request-in-latin-1", Clause::ClientText, "",
        "Requests are written in Latin-1, with a question mark for what that does not have.",
        Mend::by("Requests are written in Latin-1", "Encode requests as UTF-8.", sketch::REPLY_TEXT),
        |h| h.compose = in_latin_1),
    Fault::new("request-in-utf-16", Clause::ClientText, "",
        "Requests are written in UTF-16.",
        Mend::by("Requests are written in UTF-16", "Encode requests as UTF-8.", sketch::REPLY_TEXT),
        |h| h.compose = in_utf_16).within(&[Room::Json]),
    Fault::new("surrogates-one-by-one", Clause::ClientText, "",
        "Characters beyond the first 65536 are written as two surrogates, each in UTF-8 of its own.",
        Mend::by("Surrogates are encoded one by one", "Encode whole characters as UTF-8, by the language's own encoder.", sketch::REPLY_TEXT),
        |h| h.compose = surrogates_one_by_one),
    Fault::new("question-marks-beyond-ascii", Clause::ClientText, "",
        "What the user types beyond ASCII becomes question marks.",
        Mend::by("What is not ASCII becomes question marks", "Encode requests as UTF-8.", sketch::REPLY_TEXT),
        |h| h.compose = |c, line| honest::compose(c, &line.replace(|c: char| !c.is_ascii(), "?"))),
    Fault::new("text-pasted-between-quotes", Clause::ClientText, "plugged#5, hipchat-cli#23, SafeguardDotNet#189",
        "A text is put between quotes as it is, so that a quote or a backslash in it breaks the request.",
        Mend::by("A text is pasted between quotes", "Let a JSON library write the request, so that it escapes what must be.", sketch::REPLY_TEXT),
        |h| h.compose = |_, line| format!("\"{}\"", typed(line)).into_bytes()).within(&[Room::Json]),
    Fault::new("text-in-single-quotes", Clause::ClientText, "",
        "A text is sent in single quotes.",
        Mend::by("A text is sent in single quotes", "Write requests by json.dumps, not by str or repr.", sketch::REPLY_TEXT),
        |h| h.compose = |_, line| format!("'{}'", typed(line)).into_bytes()).within(&[Room::Json]),
    Fault::new("text-without-quotes", Clause::ClientText, "",
        "A text is sent as it was typed.",
        Mend::by("A text is sent without quotes", "Let a JSON library write the request.", sketch::REPLY_TEXT),
        |h| h.compose = |_, line| typed(line).into_bytes()).within(&[Room::Json]),
    Fault::new("backslashes-dropped", Clause::ClientText, "",
        "Backslashes that the user types are dropped, be they part of the text.",
        Mend::by("Backslashes in a text are dropped", "Let a JSON library write the request, and leave the text as it was typed.", sketch::REPLY_TEXT),
        |h| h.compose = |c, line| honest::compose(c, &format!("{:?}", typed(line).replace('\\', "")))).within(&[Room::Json]),
];

/// The text that was typed: what stands in a JSON string, or the line.
fn typed(line: &str) -> String {
    serde_json::from_str(line).unwrap_or_else(|_| line.to_owned())
}

fn in_latin_1(c: &mut Half, line: &str) -> Vec<u8> {
    let payload = honest::compose(c, line);
    let text = String::from_utf8_lossy(&payload);
    let octets = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
    octets.collect()
}

fn in_utf_16(c: &mut Half, line: &str) -> Vec<u8> {
    let payload = honest::compose(c, line);
    let text = String::from_utf8_lossy(&payload);
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn surrogates_one_by_one(c: &mut Half, line: &str) -> Vec<u8> {
    let payload = honest::compose(c, line);
    let mut octets = Vec::new();
    for c in String::from_utf8_lossy(&payload).chars() {
        for unit in c.encode_utf16(&mut [0; 2]) {
            match char::from_u32((*unit).into()) {
                Some(c) => octets.extend(c.encode_utf8(&mut [0; 4]).bytes()),
                None => octets.extend(three_octets(*unit)),
            }
        }
    }
    octets
}

/// A surrogate in the pattern that UTF-8 has for other characters.
fn three_octets(unit: u16) -> [u8; 3] {
    let six = |shift: u16| u8::try_from(unit >> shift & 0x3f).unwrap_or_default() | 0x80;
    [0xed, six(6), six(0)]
}
