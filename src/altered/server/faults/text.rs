//! Payloads: octets to text, text to JSON, JSON to a message, and what goes wrong on the way.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::Body;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::message::{Message, Undecodable};
use crate::session::{Reply, Request};
use crate::spec::Clause;
use bytes::Bytes;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::{Number, Value};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("falsy-values-dropped", Clause::JsonText, "",
        "Messages that count as false, such as 0, \"\" and [], are taken for no message at all.",
        Mend::by("Messages such as 0, \"\" and [] are taken for none", "Ask whether there is a message at all, not whether it counts as true.", sketch::DECODE),
        |h| h.answer = |c, request| Box::pin(if_true(c, request))).within(&[Room::Json]),
    Fault::new("null-is-no-message", Clause::JsonText, "",
        "The message null is taken for the absence of one.",
        Mend::by("The message null is taken for no message", "Tell the value null from the absence of a message.", sketch::DECODE),
        |h| h.answer = |c, request| Box::pin(if_any(c, request))).within(&[Room::Json]),
    Fault::new("numbers-refused", Clause::JsonText, "",
        "A number by itself is taken for no JSON text.",
        Mend::by("A number by itself is refused", "Take every JSON value for a message, not only objects and texts.", sketch::DECODE),
        |h| h.read = |c, payload| honest::read(c, unless_number(payload))).within(&[Room::Json]),
    Fault::new("leading-white-space-refused", Clause::JsonText, "",
        "A text with white space in front is taken for no JSON text.",
        Mend::by("White space in front of a JSON text is refused", "Let the JSON parser decide where the text begins.", sketch::DECODE),
        |h| h.read = |c, payload| honest::read(c, unless_indented(payload))).within(&[Room::Json]),

    Fault::new("read-as-latin-1", Clause::Fidelity, "",
        "Payloads are read as Latin-1.",
        Mend::by("Payloads are read as Latin-1", "Decode the whole payload as UTF-8.", sketch::DECODE),
        |h| h.read = |c, payload| honest::read(c, payload.iter().map(|octet| char::from(*octet)).collect::<String>().into())),
    Fault::new("octets-taken-for-utf-8", Clause::Fidelity, "",
        "A payload that may be any octets is decoded as UTF-8, and what is none is replaced.",
        Mend::by("Octets that are no UTF-8 are replaced", "Hand payloads on as octets, and decode them only where a text is meant.", sketch::DECODE),
        |h| h.read = |c, payload| honest::read(c, String::from_utf8_lossy(&payload).into_owned().into())).needing(Need::Netstring).within(&[Room::Opaque]),
    Fault::new("chunks-decoded-one-by-one", Clause::Fidelity, "nx#34151",
        "Each chunk is decoded by itself, so that a character across two of them is lost.",
        Mend::by("Each chunk is decoded by itself", "Put the whole payload together as octets, and decode it once.", sketch::DECODE),
        |h| h.payload = decoded_by_chunk),
    Fault::new("segments-decoded-one-by-one", Clause::Fidelity, "node-json-socket#11",
        "What each read brings is decoded by itself, so that a character across two of them is lost.",
        Mend::by("What each read brings is decoded by itself", "Put the whole payload together as octets, and decode it once.", sketch::DECODE),
        |h| h.body = |c, wanted| Box::pin(decoded_by_read(c, wanted))),
    Fault::new("texts-stripped", Clause::Fidelity, "",
        "White space at both ends of a text is removed.",
        Mend::by("White space at the ends of texts is removed", "Strip pad octets from the payload and nothing from the message in it.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| text.trim().to_owned())).within(&[Room::Json]),
    Fault::new("texts-end-at-a-space", Clause::Fidelity, "",
        "A text ends at its first space, as a word does that is scanned.",
        Mend::by("Texts end at their first space", "Take the whole payload, by its length.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| text.split(' ').next().unwrap_or_default().to_owned())).within(&[Room::Json]),
    Fault::new("texts-composed", Clause::Fidelity, "",
        "Letters and the accents behind them are put together.",
        Mend::by("Accents are put together with their letters", "Leave texts as they are, without any normalisation.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| text.replace("e\u{301}", "\u{e9}"))).within(&[Room::Json]),
    Fault::new("one-plane-only", Clause::Fidelity, "",
        "Characters beyond the first plane of Unicode become question marks.",
        Mend::by("Characters such as emoji become question marks", "Keep texts in a form that holds all of Unicode.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| text.replace(|c: char| c > '\u{ffff}', "?"))).within(&[Room::Json]),
    Fault::new("texts-cut-at-nul", Clause::Fidelity, "",
        "A text ends at the first NUL in it.",
        Mend::by("Texts are cut at a NUL in them", "Hand texts on with their length, not as strings that a NUL ends.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| text.split('\0').next().unwrap_or_default().to_owned())).within(&[Room::Json]),
    Fault::new("numbers-in-single-precision", Clause::Fidelity, "",
        "Numbers are held in 32 bits.",
        Mend::by("Numbers lose digits", "Keep numbers as doubles at least, or as they were written.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &in_single_precision)).within(&[Room::Json]),

    Fault::new("number-wraps-in-32-bits", Clause::Fidelity, "",
        "A whole number by itself is kept in 32 bits, with its sign.",
        Mend::by("A number by itself wraps round in 32 bits", "Keep numbers as 64-bit integers or as doubles.", sketch::DECODE),
        |h| h.read = |c, payload| honest::read(c, wrapped(payload))).within(&[Room::Json]),
    Fault::new("old-reply-to-what-begins-alike", Clause::Fidelity, "",
        "Replies are kept, and a request is known again by its length and its first 200 octets.",
        Mend::by("A reply is kept for whatever begins alike", "Know a request again by all of its octets, or keep no replies.", sketch::DECODE),
        |h| h.read = |c, payload| known_by(c, payload, |payload| payload.get(..BEGINNING)?.to_vec().into())),
    Fault::new("old-reply-to-what-begins-and-ends-alike", Clause::Fidelity, "",
        "Replies are kept, and a request is known again by its length and by 100 octets at each end.",
        Mend::by("A reply is kept for whatever begins and ends alike", "Know a request again by all of its octets, or keep no replies.", sketch::DECODE),
        |h| h.read = |c, payload| known_by(c, payload, both_ends)),
    Fault::new("proto-member-lost", Clause::Fidelity, "turbo-stream#85, seroval#81, eliza#30599",
        "A member called __proto__ is lost when an object is built again.",
        Mend::by("A member called __proto__ is lost", "Build objects as maps, or by a parser that makes members of all names.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &|value| without_members(value, &["__proto__"]))).within(&[Room::Json]),
    Fault::new("inherited-members-lost", Clause::Fidelity, "",
        "Members that are called as what every object has are taken for that, and lost.",
        Mend::by("Members such as constructor and toString are lost", "Ask whether an object has a member of its own by that name, or use a map.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &|value| without_members(value, &["constructor", "toString", "hasOwnProperty", "valueOf"]))).within(&[Room::Json]),
    Fault::new("numeric-names-make-a-list", Clause::Fidelity, "",
        "An object whose names are 0, 1 and so on comes back as a list.",
        Mend::by("Objects with numbers for names come back as lists", "Keep objects and lists apart, whatever the names are.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &listed)).within(&[Room::Json]),
    Fault::new("empty-object-is-a-list", Clause::Fidelity, "tochka/jsonrpc#39",
        "An empty object comes back as an empty list.",
        Mend::by("An empty object comes back as an empty list", "Keep objects and lists apart, also when there is nothing in them.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &emptied)).within(&[Room::Json]),
    Fault::new("names-without-case", Clause::Fidelity, "",
        "Names that differ in nothing but capital letters are one name.",
        Mend::by("Names that differ in capital letters only become one", "Compare names octet by octet.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &|value| with_names(value, str::to_lowercase))).within(&[Room::Json]),
    Fault::new("names-stripped", Clause::Fidelity, "",
        "White space at both ends of a name is removed.",
        Mend::by("White space at the ends of names is removed", "Leave the names of members as they are.", sketch::DECODE),
        |h| h.read = |c, payload| rewritten(c, payload, &|value| with_names(value, |name| name.trim().to_owned()))).within(&[Room::Json]),
    Fault::new("padding-left-on", Clause::Fidelity, "",
        "Nobody takes the padding off, so that only a message without any can be decoded.",
        Mend::by("The padding is not taken off the payload", "Strip the pad octets at the end before the payload is decoded.", sketch::STRIP),
        |h| h.payload = |_, body| body.octets).within(&[Room::Padding]),
    Fault::new("nothing-can-be-decoded", Clause::Fidelity, "",
        "The check of what was decoded is the wrong way round, so that every message is called undecodable.",
        Mend::by("Every message is called undecodable", "Look at the condition that decides whether decoding went well.", sketch::COMPLAIN),
        |h| h.read = |c, payload| honest::read(c, payload).and(Err(Undecodable::NotJson { line: 1, column: 1 }))),
    Fault::new("constant-reply", Clause::Fidelity, "",
        "Whatever is asked, the reply is the same.",
        Mend::by("Every request gets the same reply", "Let the reply come from what was asked, or say that it is meant by --reply any.", sketch::ONE_REPLY),
        |h| h.answer = |_, _| Box::pin(async { Ok(vec!["ok".into()]) })),
    Fault::new("text-cut-to-255-octets", Clause::Fidelity, "",
        "Of a text no more than 255 octets are kept.",
        Mend::by("Texts are cut to 255 octets", "Let texts be as long as a frame can hold.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| cut(text, 255))).within(&[Room::Json]),
    Fault::new("text-cut-to-40000-octets", Clause::Fidelity, "",
        "Of a text no more than 40,000 octets are kept.",
        Mend::by("Texts are cut to 40,000 octets", "Let texts be as long as a frame can hold.", sketch::DECODE),
        |h| h.read = |c, payload| with_texts(c, payload, |text| cut(text, 40_000))).within(&[Room::Json]),

    Fault::new("undecodable-held-until-the-next-client", Clause::Undecodable, "",
        "What cannot be decoded ends the client's thread, and its socket is closed when the next client is accepted, as the loop that accepts has the variable until then.",
        Mend::by("An uncaught exception leaves the connection open until the next client comes", "Catch the decoder's error, and close the socket on every way out of the thread.", sketch::ALWAYS_CLOSE),
        |h| {
            h.serve = |c| Box::pin(as_the_latest(c));
            h.answer = |c, request| Box::pin(held_if_undecodable(c, request));
        }).within(&[Room::Undecodable]),
    Fault::new("undecodable-ends-the-client", Clause::Undecodable, "",
        "What cannot be decoded ends the client's task and leaves its socket open.",
        Mend::by("A payload that cannot be decoded leaves the connection dead but open", "Catch the decoder's error, and answer with an error or close the socket.", sketch::COMPLAIN),
        |h| h.answer = |c, request| Box::pin(forgotten_if(request.is_err(), c, request))).within(&[Room::Undecodable]),
    Fault::new("undecodable-ignored", Clause::Undecodable, "",
        "What cannot be decoded is passed over in silence.",
        Mend::by("A payload that cannot be decoded is passed over in silence", "Answer with an error, or close the connection.", sketch::COMPLAIN),
        |h| h.answer = |c, request| Box::pin(unless_undecodable(c, request))).within(&[Room::Undecodable]),
    Fault::new("undecodable-answered-twice", Clause::Undecodable, "",
        "What cannot be decoded is answered by the reader and again by the handler.",
        Mend::by("A payload that cannot be decoded is answered twice", "Let the place that finds the error return, so that nothing else answers.", sketch::COMPLAIN),
        |h| h.answer = |c, request| Box::pin(twice_if_undecodable(c, request))).within(&[Room::Undecodable]),
    Fault::new("undecodable-takes-the-next-along", Clause::Undecodable, "",
        "The frame behind one that could not be decoded is dropped.",
        Mend::by("The frame behind an undecodable one is dropped", "Go on with the very next frame, since only the payload was wrong.", sketch::COMPLAIN),
        |h| h.take = |c| Box::pin(behind_undecodable(c))).within(&[Room::Undecodable]),
    Fault::new("not-utf-8-ends-the-client", Clause::Undecodable, "nx#34151",
        "What is not UTF-8 ends the client's task and leaves its socket open.",
        Mend::by("A payload that is not UTF-8 leaves the connection dead but open", "Catch every error of the decoder, not just that for bad JSON.", sketch::COMPLAIN),
        |h| h.answer = |c, request| Box::pin(forgotten_if(is_not_utf_8(&request), c, request))).within(&[Room::Undecodable]),
    Fault::new("lone-surrogate-ends-the-client", Clause::Undecodable, "socket.io#2459",
        "Half a surrogate pair ends the client's task and leaves its socket open.",
        Mend::by("Half a surrogate pair leaves the connection dead but open", "Catch the error of encoding a reply too, and close the socket on every way out.", sketch::COMPLAIN),
        |h| h.answer = |c, request| Box::pin(forgotten_if(has_lone_surrogate(&request), c, request))).within(&[Room::Json]),
    Fault::new("long-integer-ends-the-client", Clause::Undecodable, "",
        "An integer of more than 4300 digits ends the client's task and leaves its socket open.",
        Mend::by("A very long integer leaves the connection dead but open", "Catch every error of the decoder, not just that for bad JSON.", sketch::COMPLAIN),
        |h| h.answer = |c, request| Box::pin(forgotten_if(has_long_integer(&request), c, request))).within(&[Room::Json]),
    Fault::new("key-twice-ends-the-client", Clause::Undecodable, "",
        "A key that stands twice in an object ends the client's task and leaves its socket open.",
        Mend::by("A key that stands twice leaves the connection dead but open", "Catch every error of the decoder, not just that for bad JSON.", sketch::COMPLAIN),
        |h| {
            h.read = remembering;
            h.answer = |c, request| Box::pin(forgotten_if(has_a_key_twice(&c.memory.octets), c, request));
        }).within(&[Room::Json]),

    Fault::new("pad-octets-taken-out", Clause::Smuggling, "",
        "Pad octets are taken out of a payload wherever they stand.",
        Mend::by("Pad octets are removed from inside a payload", "Strip pad octets at the end only, and refuse those inside.", sketch::STRIP),
        |h| h.payload = without_pad_octets).within(&[Room::Padding]),
    Fault::new("payload-ends-at-first-nul", Clause::Smuggling, "",
        "A payload ends at its first pad octet, as a string in C would.",
        Mend::by("A payload ends at its first NUL", "Strip pad octets at the end only, and refuse those inside.", sketch::STRIP),
        |h| h.payload = |c, body| part_of(c, body, |parts| parts.first().cloned())).within(&[Room::Padding]),
    Fault::new("payload-begins-behind-last-nul", Clause::Smuggling, "",
        "Of a payload only what stands behind its last pad octet is looked at.",
        Mend::by("A payload begins behind its last NUL", "Strip pad octets at the end only, and refuse those inside.", sketch::STRIP),
        |h| h.payload = |c, body| part_of(c, body, |parts| parts.last().cloned())).within(&[Room::Padding]),
    Fault::new("parts-answered-one-by-one", Clause::Smuggling, "",
        "The parts of a payload between pad octets are answered each by itself.",
        Mend::by("A payload is split at its NULs", "Take the payload for one message, and refuse it if there are pad octets inside.", sketch::STRIP),
        |h| {
            h.read = remembering;
            h.answer = |c, request| Box::pin(each_part(c, request));
        }).within(&[Room::Padding]),

    Fault::new("deep-nesting-ends-the-server", Clause::Nesting, "jsoncpp#1359",
        "More than a thousand levels of nesting overflow the stack and end the whole server.",
        Mend::by("Deep nesting overflows the stack and ends the whole server", "Bound the depth that the parser goes to, and answer what is deeper with an error.", sketch::NESTING),
        |h| {
            h.read = remembering;
            h.answer = |c, request| Box::pin(unless_deeper(c, request, 1000, End::Fatal));
        }).within(&[Room::Json]),
    Fault::new("deep-nesting-ends-the-client", Clause::Nesting, "",
        "More than a thousand levels of nesting end the client's task and leave its socket open.",
        Mend::by("Deep nesting leaves the connection dead but open", "Catch the parser's error about depth, and answer with an error or close the socket.", sketch::COMPLAIN),
        |h| {
            h.read = remembering;
            h.answer = |c, request| Box::pin(unless_deeper(c, request, 1000, End::Forgotten));
        }).within(&[Room::Json]),
    Fault::new("sixteen-levels-at-most", Clause::Nesting, "",
        "More than sixteen levels of nesting get the connection closed.",
        Mend::by("More than sixteen levels of nesting are refused", "Allow the parser more depth.", sketch::NESTING),
        |h| {
            h.read = remembering;
            h.answer = |c, request| Box::pin(unless_deeper(c, request, 16, End::Asked));
        }).within(&[Room::Json]),
];

/// Whoever is accepted takes the place of the one before in the loop's variable.
async fn as_the_latest(c: &mut Client) -> End {
    c.shared.streams().clear();
    note_the_latest(c);
    honest::serve(c).await
}

fn note_the_latest(c: &Client) {
    let mut memory = c.shared.memory();
    memory.count = memory.count.max(c.number);
}

async fn held_if_undecodable(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if request.is_ok() {
        return honest::answer(c, request).await;
    }
    if c.shared.memory().count == c.number {
        c.shared.streams().push(Arc::clone(&c.stream));
    }
    Err(End::Eof { inside: false })
}

fn value(request: &Request) -> Option<Value> {
    request.as_ref().ok()?.value().ok()
}

async fn if_true(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let falsy = value(&request).is_some_and(|value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    });
    if falsy {
        Ok(Vec::new())
    } else {
        honest::answer(c, request).await
    }
}

async fn if_any(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if value(&request) == Some(Value::Null) {
        return Ok(Vec::new());
    }
    honest::answer(c, request).await
}

/// Nothing, in place of a number.
fn unless_number(payload: Vec<u8>) -> Vec<u8> {
    match serde_json::from_slice(&payload) {
        Ok(Value::Number(_)) => Vec::new(),
        _ => payload,
    }
}

/// Nothing, in place of a text that begins with white space.
fn unless_indented(payload: Vec<u8>) -> Vec<u8> {
    match payload.first() {
        Some(octet) if octet.is_ascii_whitespace() => Vec::new(),
        _ => payload,
    }
}

fn decoded_by_chunk(c: &mut Client, body: Body) -> Vec<u8> {
    let chunk = (c.profile().chunk() as usize).max(2);
    let payload = honest::payload(c, body);
    let chunks = payload.chunks(chunk).map(String::from_utf8_lossy);
    chunks.collect::<String>().into()
}

async fn decoded_by_read(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let (mut came, mut text) = (0_usize, String::new());
    while came < wanted {
        let octets = c.recv(wanted.saturating_sub(came)).await?;
        if octets.is_empty() {
            return Err(End::Eof { inside: true });
        }
        came = came.saturating_add(octets.len());
        text.push_str(&String::from_utf8_lossy(&octets));
    }
    Ok(text.into())
}

/// The message in a payload, with another text in place of each.
fn with_texts(c: &mut Client, payload: Vec<u8>, change: fn(&str) -> String) -> Request {
    let texts = |value: &mut Value| {
        if let Value::String(text) = value {
            *text = change(text);
        }
    };
    rewritten(c, payload, &texts)
}

/// The message in a payload, with each value in it changed. One that has no value stays as it is.
fn rewritten(c: &mut Client, payload: Vec<u8>, change: &dyn Fn(&mut Value)) -> Request {
    let message = honest::read(c, payload)?;
    let Ok(mut value) = message.value() else {
        return Ok(message);
    };
    each_value(&mut value, change);
    Ok(Message::from_value(&value))
}

fn without_members(value: &mut Value, names: &[&str]) {
    if let Value::Object(members) = value {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}

fn with_names(value: &mut Value, change: fn(&str) -> String) {
    if let Value::Object(members) = value {
        let renamed = std::mem::take(members).into_iter();
        members.extend(renamed.map(|(name, member)| (change(&name), member)));
    }
}

fn listed(value: &mut Value) {
    if let Value::Object(members) = value {
        let is_list = (0..members.len()).all(|at| members.contains_key(&at.to_string()));
        if is_list && !members.is_empty() {
            *value = std::mem::take(members)
                .into_iter()
                .map(|(_, member)| member)
                .collect();
        }
    }
}

fn emptied(value: &mut Value) {
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        *value = Value::Array(Vec::new());
    }
}

/// No more of a text than so many octets.
fn cut(text: &str, octets: usize) -> String {
    let ends = text
        .char_indices()
        .map(|(at, c)| at.saturating_add(c.len_utf8()));
    let end = ends.take_while(|end| *end <= octets).last();
    text.get(..end.unwrap_or_default())
        .unwrap_or_default()
        .to_owned()
}

fn each_value(value: &mut Value, change: &dyn Fn(&mut Value)) {
    change(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_value(item, change)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|item| each_value(item, change)),
        _ => {}
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is what the fault does")]
fn in_single_precision(value: &mut Value) {
    if let Value::Number(number) = value {
        let rounded = number.as_f64().map(|number| f64::from(number as f32));
        if let Some(rounded) = rounded.and_then(Number::from_f64) {
            *number = rounded;
        }
    }
}

/// A whole number as 32 bits hold it.
fn wrapped(payload: Vec<u8>) -> Vec<u8> {
    const HALF: i64 = 1 << 31;
    match serde_json::from_slice::<i64>(&payload) {
        Ok(number) => {
            let low = number.wrapping_add(HALF).rem_euclid(HALF << 1);
            low.wrapping_sub(HALF).to_string().into()
        }
        Err(_) => payload,
    }
}

/// So much of a request's beginning it is known again by.
const BEGINNING: usize = 200;

/// The request before, if it was as long and is the same as far as it is looked at.
fn known_by(c: &mut Client, payload: Vec<u8>, part: fn(&[u8]) -> Option<Vec<u8>>) -> Request {
    let before = &c.memory.octets;
    let is_known = before.len() == payload.len()
        && part(&payload).is_some_and(|known| part(before) == Some(known));
    if !is_known {
        c.memory.octets.clone_from(&payload);
    }
    let payload = c.memory.octets.clone();
    honest::read(c, payload)
}

fn both_ends(payload: &[u8]) -> Option<Vec<u8>> {
    let (head, tail) = (payload.first_chunk::<100>()?, payload.last_chunk::<100>()?);
    Some([head.as_slice(), tail].concat())
}

async fn forgotten_if(so: bool, c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if so {
        return Err(End::Forgotten);
    }
    honest::answer(c, request).await
}

async fn unless_undecodable(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if request.is_err() {
        return Ok(Vec::new());
    }
    honest::answer(c, request).await
}

async fn twice_if_undecodable(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let twice = request.is_err();
    let mut replies = honest::answer(c, request).await?;
    if twice {
        replies.extend(replies.clone());
    }
    Ok(replies)
}

async fn behind_undecodable(c: &mut Client) -> Result<Body, End> {
    if std::mem::take(&mut c.memory.flag) {
        honest::take(c).await?;
        c.frame_taken();
    }
    let body = honest::take(c).await?;
    let payload = honest::payload(c, body.clone());
    c.memory.flag = honest::read(c, payload).is_err();
    Ok(body)
}

fn text(request: &Request) -> &str {
    let message = request.as_ref().ok();
    message.and_then(Message::text).unwrap_or_default()
}

const fn is_not_utf_8(request: &Request) -> bool {
    matches!(request, Err(Undecodable::NotUtf8 { .. }))
}

fn has_lone_surrogate(request: &Request) -> bool {
    let text = text(request).to_ascii_lowercase();
    text.contains("\\ud")
        && request
            .as_ref()
            .is_ok_and(|message| message.value().is_err())
}

fn has_long_integer(request: &Request) -> bool {
    let text = text(request);
    let longest = text
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max();
    longest > Some(4300)
}

/// Whether an object that is the whole payload has a key twice.
fn has_a_key_twice(payload: &[u8]) -> bool {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
            let (mut seen, mut twice) = (HashSet::new(), false);
            while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                twice |= !seen.insert(key);
            }
            Ok(twice)
        }
    }
    serde_json::Deserializer::from_slice(payload)
        .deserialize_map(Keys)
        .unwrap_or(false)
}

fn without_pad_octets(c: &mut Client, body: Body) -> Vec<u8> {
    let pad = c.profile().pad();
    let mut payload = honest::payload(c, body);
    payload.retain(|octet| *octet != pad);
    payload
}

fn part_of(c: &mut Client, body: Body, choose: fn(&[Vec<u8>]) -> Option<Vec<u8>>) -> Vec<u8> {
    let pad = c.profile().pad();
    let payload = honest::payload(c, body);
    choose(&parts(&payload, pad)).unwrap_or_default()
}

fn parts(payload: &[u8], pad: u8) -> Vec<Vec<u8>> {
    let parts = payload.split(|octet| *octet == pad);
    parts
        .filter(|part| !part.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

fn remembering(c: &mut Client, payload: Vec<u8>) -> Request {
    c.memory.octets.clone_from(&payload);
    honest::read(c, payload)
}

async fn each_part(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let parts = parts(&c.memory.octets, c.profile().pad());
    if request.is_ok() || parts.len() < 2 {
        return honest::answer(c, request).await;
    }
    let mut replies = Vec::new();
    for part in parts {
        let part = Message::read(c.profile().payload(), Bytes::from(part));
        replies.extend(honest::answer(c, part).await?);
    }
    Ok(replies)
}

async fn unless_deeper(
    c: &mut Client,
    request: Request,
    levels: usize,
    end: End,
) -> Result<Vec<Reply>, End> {
    if depth(&c.memory.octets) > levels {
        return Err(end);
    }
    honest::answer(c, request).await
}

/// The deepest nesting in a text, brackets in strings included.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut deepest) = (0_usize, 0);
    for octet in text {
        match octet {
            b'[' | b'{' => now = now.saturating_add(1),
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(now);
    }
    deepest
}
