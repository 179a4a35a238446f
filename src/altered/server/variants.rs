//! Servers that are different from the reference server and as right as it is.
//!
//! What the protocol leaves open, each of these decides in another way. Whoever finds fault with one is
//! wrong.

pub(super) mod long_replies;
pub(super) mod prologue;
pub(super) mod unanswered;

use super::client::{Client, Variant};
use super::faults::up_to_two_gib;
use super::honest;
use super::hooks::End;
use crate::altered::frame::{self, Body, Malformed, Sizes};
use crate::altered::room::Room;
use crate::altered::text::in_ascii;
use crate::message::{Message, Undecodable};
use crate::profile::{Carriage, Payload, Profile, ReplyOrder};
use crate::server::{Handler as _, Tutorial};
use crate::session::{Reply, Request};
use crate::wire::Decoder;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::sleep;

pub(super) const VARIANTS: &[Variant] = &[
    Variant::new(
        "after-50-ms",
        "A client that asks is answered 50 ms later, whatever it asks meanwhile.",
        |h| h.answer = |c, request| Box::pin(slowly(c, request)),
    ),
    Variant::new(
        "errors-after-300-ms",
        "What cannot be decoded is thought over for 300 ms before it is answered.",
        |h| h.answer = |c, request| Box::pin(after_thought(c, request)),
    ),
    Variant::new(
        "closes-at-a-wrong-index",
        "A body is given up at the first index that is wrong, before all of it is there.",
        |h| h.body = |c, wanted| Box::pin(with_right_indexes(c, wanted)),
    ),
    Variant::new(
        "closes-on-undecodable",
        "What cannot be decoded gets the connection closed.",
        |h| h.answer = |c, request| Box::pin(closing(c, request)),
    ),
    Variant::new(
        "answers-errors-in-words",
        "What cannot be decoded is answered by a sentence, as a JSON string.",
        |h| h.answer = |c, request| Box::pin(in_words(c, request)),
    ),
    Variant::new(
        "strips-both-ends",
        "Pad octets and white space are stripped from both ends of a payload.",
        |h| h.payload = stripped,
    )
    .only_with(Room::Json),
    Variant::new(
        "wraps-replies",
        "The message comes back as a member of an object.",
        |h| h.answer = |c, request| Box::pin(wrapped(c, request)),
    ),
    Variant::new(
        "counts-characters",
        "The reply says how many characters the message has, and nothing of what it says.",
        |h| h.answer = |c, request| Box::pin(counted(c, request)),
    ),
    Variant::new(
        "tutorial-reply",
        "The reply is the sentence of the tutorial's server.",
        |h| h.answer = |_, request| Box::pin(in_tutorials_words(request)),
    ),
    Variant::new(
        "writes-its-own-json",
        "The reply means what the request meant, in other words: members sorted, escapes for all that is not ASCII, white space.",
        |h| h.answer = |c, request| Box::pin(in_own_words(c, request)),
    ),
    Variant::new(
        "dribbles",
        "Replies are sent octet by octet, long ones for as long as the first 200.",
        |h| h.send = |c, octets| Box::pin(dribbled(c, octets)),
    )
    .only_over(Carriage::Stream),
    Variant::new(
        "header-and-body-apart",
        "The header of a reply is sent a millisecond before its body.",
        |h| h.send = |c, octets| Box::pin(in_two(c, octets)),
    )
    .only_over(Carriage::Stream),
    Variant::new(
        "one-loop",
        "One loop in one task serves all clients, looking at each in turn.",
        |h| h.in_one_task = true,
    ),
    Variant::new(
        "room-for-sixteen",
        "Sixteen clients are served at the same time, and one more waits until one has gone.",
        |h| h.workers = 16,
    ),
    Variant::new(
        "limit-of-32-kib",
        "Bodies of more than 32 KiB are refused, unless another limit is declared.",
        |h| h.sizes = frame::sizes_up_to_32_kib,
    ),
    Variant::new(
        "limit-of-2-gib",
        "Bodies of just under 2 GiB are waited for, unless another limit is declared.",
        |h| h.sizes = up_to_two_gib,
    ),
    Variant::new(
        "resets-when-malformed",
        "A malformed header gets the connection reset, if no reply can be on its way that the reset would overtake.",
        |h| h.leave = |c, end| Box::pin(resetting(c, end)),
    ),
    Variant::new(
        "explains-before-closing",
        "A malformed header gets an error frame, and then the connection is closed.",
        |h| h.ended = |c, end| Box::pin(explaining(c, end)),
    ),
    Variant::new(
        "answers-last-first",
        "Of requests that are here together the last is answered first, where replies may come in any order.",
        |h| h.send = |c, octets| Box::pin(last_first(c, octets)),
    ),
    Variant::new(
        "strict-json",
        "Keys that stand twice, numbers that doubles do not hold, half surrogate pairs and more than 64 levels are no JSON.",
        |h| h.read = strictly,
    ),
    Variant::new(
        "lenient-json",
        "A byte order mark, NaN, the infinities, comments at the end of a line and commas too many are JSON too.",
        |h| h.read = leniently,
    ),
    Variant::new(
        "lenient-utf-8",
        "Octets that are not UTF-8 are replaced before a payload is read, where it is to be text.",
        |h| {
            h.read = |c, payload| match c.profile().payload() {
                Payload::Opaque => honest::read(c, payload),
                Payload::Json | Payload::Utf8 => {
                    honest::read(c, String::from_utf8_lossy(&payload).into_owned().into())
                }
            }
        },
    ),
    Variant::new(
        "two-seconds-for-a-frame",
        "A frame that is not whole after two seconds is given up.",
        |h| h.limits.frame_deadline = Some(Duration::from_secs(2)),
    ),
    Variant::new(
        "takes-odd-lengths",
        "A body that is no whole number of chunks is taken as it is.",
        |h| h.sizes = with_odd_lengths,
    )
    .warned(),
    Variant::new(
        "refuses-more-padding",
        "A body with more padding than it needs gets the connection closed.",
        |h| h.take = |c| Box::pin(with_least_padding(c)),
    )
    .warned(),
    Variant::new(
        "half-close-is-a-close",
        "A client that has ended its stream is not answered any more.",
        |h| h.answer = |c, request| Box::pin(unless_gone(c, request)),
    )
    .warned()
    .only_over(Carriage::Stream),
    Variant::new(
        "answers-what-is-no-frame",
        "A datagram that is not one frame gets an error in return.",
        |h| {
            h.datagram = noting_misfits;
            h.ended = |c, end| Box::pin(explaining_misfits(c, end));
        },
    )
    .only_over(Carriage::Datagrams),
    Variant::new(
        "answers-the-frame-in-front",
        "Of a datagram of several frames the first is answered, and what stands behind it is nothing.",
        |h| h.datagram = in_front,
    )
    .only_over(Carriage::Datagrams),
    Variant::new(
        "ignores-undecodable-datagrams",
        "What cannot be decoded gets no reply.",
        |h| h.answer = |c, request| Box::pin(unless_undecodable(c, request)),
    )
    .only_over(Carriage::Datagrams),
];

fn noting_misfits(c: &mut Client, octets: Vec<u8>) -> Vec<u8> {
    c.memory.flag = !honest::is_one_frame(c.profile(), &octets);
    match c.memory.flag {
        true => Vec::new(),
        false => octets,
    }
}

async fn explaining_misfits(c: &mut Client, end: End) -> Result<(), End> {
    if std::mem::take(&mut c.memory.flag) {
        honest::say(c, json!({ "error": "that is not one frame" }).into()).await?;
    }
    Err(end)
}

fn in_front(c: &mut Client, octets: Vec<u8>) -> Vec<u8> {
    let mut rest = octets.as_slice();
    let first = Decoder::new(c.profile()).decode_ref(&mut rest);
    let taken = match first {
        Ok(Some(_)) => octets.len().saturating_sub(rest.len()),
        _ => 0,
    };
    octets.get(..taken).unwrap_or_default().to_vec()
}

async fn unless_undecodable(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    match request {
        Err(_) => Ok(Vec::new()),
        request => honest::answer(c, request).await,
    }
}

async fn after_thought(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if request.is_err() {
        sleep(Duration::from_millis(300)).await;
    }
    honest::answer(c, request).await
}

async fn closing(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if request.is_err() {
        return Err(End::Asked);
    }
    honest::answer(c, request).await
}

async fn in_words(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    match request {
        Err(why) => Ok(vec![format!("That was no message: {why}.").into()]),
        request => honest::answer(c, request).await,
    }
}

fn stripped(c: &mut Client, body: Body) -> Vec<u8> {
    let pad = c.profile().pad();
    let payload = honest::payload(c, body);
    let drops = |octet: &u8| *octet == pad || octet.is_ascii_whitespace();
    let from = payload
        .iter()
        .position(|octet| !drops(octet))
        .unwrap_or(payload.len());
    let to = payload
        .iter()
        .rposition(|octet| !drops(octet))
        .map_or(from, |last| last.saturating_add(1));
    payload.get(from..to).unwrap_or_default().to_vec()
}

async fn wrapped(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let Ok(message) = request else {
        return honest::answer(c, request).await;
    };
    let text = message.text().unwrap_or_default();
    let text = match message.kind() {
        Payload::Json => text.trim(),
        Payload::Utf8 | Payload::Opaque => text,
    };
    Ok(vec![raw(format!(
        "{{\"status\": \"ok\", \"reply\": {text}}}"
    ))])
}

/// A reply of these octets.
fn raw(text: String) -> Reply {
    Message::read(Payload::Opaque, Bytes::from(text)).map_or(Reply::Nothing, Reply::from)
}

async fn counted(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let Ok(message) = request else {
        return honest::answer(c, request).await;
    };
    let characters = message.text().unwrap_or_default().trim().chars().count();
    Ok(vec![json!({ "characters": characters }).into()])
}

async fn in_tutorials_words(request: Request) -> Result<Vec<Reply>, End> {
    let reply = match request {
        Ok(message) => Tutorial.reply(message).await,
        Err(why) => Tutorial.undecodable(why),
    };
    Ok(vec![reply])
}

async fn in_own_words(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let value = request
        .as_ref()
        .ok()
        .and_then(|message| message.value().ok());
    match value.and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        Some(text) => Ok(vec![raw(in_ascii(&text))]),
        None => honest::answer(c, request).await,
    }
}

/// A body whose indexes are looked at as they come.
async fn with_right_indexes(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let (chunk, index) = frame::chunk_sizes(c.profile());
    let step = chunk.saturating_add(index);
    let (mut octets, mut number) = (Vec::new(), 0_usize);
    while octets.len() < wanted {
        let came = c.recv(wanted.saturating_sub(octets.len())).await?;
        if came.is_empty() {
            return Err(End::Eof { inside: true });
        }
        octets.extend(came);
        let start = |number: usize| number.saturating_mul(step);
        while let Some(found) = octets.get(start(number)..start(number).saturating_add(index)) {
            if found != frame::index(c.profile(), number) {
                return Err(End::Malformed);
            }
            number = number.saturating_add(1);
        }
    }
    Ok(octets)
}

async fn slowly(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if !c.memory.flag {
        sleep(Duration::from_millis(50)).await;
    }
    c.memory.flag = c.has_another();
    honest::answer(c, request).await
}

async fn dribbled(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let (first, rest) = octets.split_at(octets.len().min(200));
    for octet in first.chunks(1) {
        c.send_all(octet).await?;
    }
    c.send_all(rest).await
}

async fn in_two(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let (header, body) = octets.split_at(frame::header_len(c.profile(), &octets));
    c.send_all(header).await?;
    sleep(Duration::from_millis(1)).await;
    c.send_all(body).await
}

async fn resetting(c: &mut Client, end: End) {
    if matches!(end, End::Malformed) && c.frames == 0 {
        c.reset_at_close();
    } else {
        honest::leave(c, end).await;
    }
}

async fn explaining(c: &mut Client, end: End) -> Result<(), End> {
    if matches!(end, End::Malformed) {
        honest::say(c, json!({ "error": "malformed header" }).into()).await?;
    }
    Err(end)
}

/// The most octets of replies that are kept back for one that is to come first.
const MOST_KEPT: usize = 64 << 10;

async fn last_first(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let held = std::mem::take(&mut c.memory.octets);
    let octets = [octets, held].concat();
    let is_free = c.profile().reply_order() == ReplyOrder::Any;
    if is_free && octets.len() < MOST_KEPT && c.has_another() {
        c.memory.octets = octets;
        return Ok(());
    }
    c.send_all(&octets).await
}

/// Anything else that is no JSON text here.
const NOT_JSON: Undecodable = Undecodable::NotJson { line: 1, column: 1 };

fn strictly(c: &mut Client, payload: Vec<u8>) -> Request {
    let message = honest::read(c, payload)?;
    if message.kind() != Payload::Json {
        return Ok(message);
    }
    let Strict(depth) = serde_json::from_slice(message.payload()).map_err(|_| NOT_JSON)?;
    if depth > 64 {
        Err(NOT_JSON)
    } else {
        Ok(message)
    }
}

/// How deep a strict JSON text is nested.
struct Strict(usize);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> serde::de::Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a strict JSON text")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(Strict(0))
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(Strict(0))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Strict, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Strict, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Strict, E> {
        const MOST: f64 = 9_007_199_254_740_992.0;
        if number.abs() <= MOST {
            Ok(Strict(0))
        } else {
            Err(E::custom("a number out of range"))
        }
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut deepest = 0;
        while let Some(Strict(depth)) = items.next_element()? {
            deepest = depth.max(deepest);
        }
        Ok(Strict(deepest.saturating_add(1)))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut keys = HashSet::new();
        let mut deepest = 0;
        while let Some((key, Strict(depth))) = members.next_entry::<String, _>()? {
            if !keys.insert(key) {
                return Err(serde::de::Error::custom("a key that stands twice"));
            }
            deepest = depth.max(deepest);
        }
        Ok(Strict(deepest.saturating_add(1)))
    }
}

fn leniently(c: &mut Client, payload: Vec<u8>) -> Request {
    let strict = honest::read(c, payload.clone());
    if strict.is_ok() || c.profile().payload() != Payload::Json {
        return strict;
    }
    let mended = mended(&String::from_utf8_lossy(&payload));
    serde_json::from_str::<Value>(&mended)
        .map(|value| Message::from_value(&value))
        .map_err(|_| NOT_JSON)
}

/// A text in which what is not quite JSON has become JSON.
fn mended(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' => string_len(rest),
            '/' if rest.starts_with("//") => {
                rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
                continue;
            }
            ']' | '}' => {
                let kept = out.trim_end().trim_end_matches(',').len();
                out.truncate(kept);
                1
            }
            'N' | 'I' | '-' => match ["NaN", "Infinity", "-Infinity"]
                .iter()
                .find(|word| rest.starts_with(**word))
            {
                Some(word) => {
                    out.push_str("null");
                    rest = rest.get(word.len()..).unwrap_or_default();
                    continue;
                }
                None => 1,
            },
            c => c.len_utf8(),
        };
        let (part, behind) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out.push_str(part);
        rest = behind;
    }
    out
}

/// Octets of the string at the front of a text, both quotes included.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, octet) in text.bytes().enumerate().skip(1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

fn with_odd_lengths(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, payload) = honest::lengths(profile, count);
    let odd = payload.is_none() && (0..=i128::from(profile.max_body())).contains(&body);
    if odd {
        let body = usize::try_from(body).map_err(|_| Malformed)?;
        return Ok(Sizes {
            body,
            payload: None,
        });
    }
    honest::sizes(profile, count)
}

async fn with_least_padding(c: &mut Client) -> Result<Body, End> {
    let body = honest::take(c).await?;
    if frame::has_spare_padding(c.profile(), &body) {
        return Err(End::Asked);
    }
    Ok(body)
}

async fn unless_gone(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if c.look_ahead() {
        return Err(End::Eof { inside: false });
    }
    honest::answer(c, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_json_is_mended() {
        for (text, meant) in [
            ("\u{feff}{\"a\": NaN,}", "{\"a\": null}"),
            ("[1, -Infinity, Infinity, ] // all", "[1, null, null]"),
            ("// one\n\"// and \\\" NaN\"", "\"// and \\\" NaN\""),
            ("[-1, \"é\"]", "[-1, \"é\"]"),
        ] {
            let mended: Value = serde_json::from_str(&mended(text)).unwrap();
            assert_eq!(
                mended,
                serde_json::from_str::<Value>(meant).unwrap(),
                "{text}"
            );
        }
        for garbage in ["\"", "]", "\\", "N", "/", "\"\\", ",}"] {
            assert!(serde_json::from_str::<Value>(&mended(garbage)).is_err());
        }
    }

    #[test]
    fn strict_json_is_told_from_the_rest() {
        let depth = |text: &str| {
            serde_json::from_str::<Strict>(text)
                .map(|Strict(depth)| depth)
                .ok()
        };
        assert_eq!(depth("[[1], {\"a\": [2]}]"), Some(3));
        for text in [
            "{\"a\": 1, \"a\": 1}",
            "1e300",
            "\"\\ud800\"",
            "9007199254740994",
        ] {
            assert_eq!(depth(text), None, "{text}");
        }
    }
}
