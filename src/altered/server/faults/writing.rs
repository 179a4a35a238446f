//! Replies on the wire: their framing, their padding, their text.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::message::Message;
use crate::profile::{Payload, Region};
use crate::session::{Reply, Request};
use crate::spec::Clause;
use crate::wire::{EncodeError, Encoder};
use bytes::{Bytes, BytesMut};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("newline-behind-each-frame", Clause::ReplyFraming, "",
        "Each frame is followed by a newline.",
        Mend::by("A newline is sent behind each frame", "Write the header, the payload and its padding, and nothing else.", sketch::FRAME),
        |h| h.encode = |c, payload| Ok([honest::encode(c, payload)?, b"\n".to_vec()].concat())),
    Fault::new("partial-write-dropped", Clause::ReplyFraming, "emergent#69, gev#60",
        "Of a reply so much is sent as one write takes, here 16 KiB, and the rest is not.",
        Mend::by("Of a large reply only what one write takes is sent", "Write until all octets are gone, by a call that sends all.", sketch::SEND_ALL),
        |h| h.send = |c, octets| Box::pin(in_one_write(c, octets))),
    Fault::new("one-write-for-a-reply", Clause::ReplyFraming, "",
        "A reply is sent by one write, and what this did not take is not sent.",
        Mend::by("A reply is sent by a single write, whatever that takes", "Write until all octets are gone, by a call that sends all.", sketch::SEND_ALL),
        |h| h.send = |c, octets| Box::pin(in_one_attempt(c, octets))),
    Fault::new("write-given-up-after-300-ms", Clause::ReplyFraming, "Dekaf#1559, frama-c-mcp#10",
        "A write that takes longer than 300 ms is given up, wherever in a frame it is, and the next frame follows.",
        Mend::by("A write is given up inside a frame, and the next frame follows", "Close the connection when a frame cannot be written whole.", sketch::SEND_ALL),
        |h| h.send = |c, octets| Box::pin(given_up_in_time(c, octets))),
    Fault::new("end-of-a-large-reply-lost", Clause::ReplyFraming, "",
        "Of a reply of more than 8 KiB the last seven octets are not sent.",
        Mend::by("The last octets of a large reply are not sent", "Send as many octets as the length says, and count octets, not buffers.", sketch::SEND_ALL),
        |h| h.send = |c, octets| Box::pin(without_its_end(c, octets))),
    Fault::new("reply-abandoned-behind-its-header", Clause::ReplyFraming, "EternalTerminal#796",
        "The header of a reply of more than 16 KiB is sent, and its body turns out to be too large.",
        Mend::by("A large reply ends behind its header", "Know that a reply can be sent whole before its header is.", sketch::FRAME),
        |h| h.send = |c, octets| Box::pin(header_first(c, octets))),
    Fault::new("length-counts-characters", Clause::ReplyFraming, "pygls#604",
        "The length of a reply counts its characters instead of its octets.",
        Mend::by("The length of a reply counts characters", "Encode the text first, and count the octets that this gives.", sketch::FRAME),
        |h| h.encode = |c, payload| claiming(c, characters(payload), payload)),
    Fault::new("length-without-padding", Clause::ReplyFraming, "",
        "The length of a reply of several chunks does not count the padding.",
        Mend::by("The length of a reply does not count its padding", "Pad the payload first, and take the length of all of it.", sketch::FRAME),
        |h| h.encode = padding_not_counted).within(&[Room::CountedPadding]),
    Fault::new("reply-length-of-two-octets", Clause::ReplyFraming, "tokio#5080, CVE-2024-27304",
        "Of the length of a reply only the lower 16 bits are written.",
        Mend::by("The length of a reply is cut to 16 bits", "Write the length in all octets of its field.", sketch::FRAME),
        |h| h.encode = length_cut),
    Fault::new("two-writers", Clause::ReplyFraming, "nim-json-rpc#271, samoyed#694",
        "Two replies are written at the same time, and their octets mix.",
        Mend::by("Two replies are written at the same time", "Let one task write all replies of a connection, or hold its lock for a whole frame.", sketch::SEND_ALL),
        |h| h.send = |c, octets| Box::pin(mixed(c, octets))),
    Fault::new("reply-marked-as-a-request", Clause::ReplyFraming, "",
        "Replies have the fixed octets of requests in their headers.",
        Mend::by("A reply is marked as a request is", "Write the fixed octets that replies have, not those that came with the request.", sketch::FRAME),
        |h| h.encode = marked_as_a_request).needing(Need::OwnMarks),

    Fault::new("chunk-of-padding-behind-a-full-one", Clause::MinimalPadding, "",
        "A reply that fills its last chunk gets a whole chunk of padding.",
        Mend::by("A reply that fills its chunk gets a chunk of padding", "Pad by what is missing to the next multiple, which can be nothing.", sketch::FRAME),
        |h| h.encode = |c, payload| claiming(c, payload.len().saturating_add(1), payload)).within(&[Room::Padding]),
    Fault::new("padded-with-spaces", Clause::MinimalPadding, "",
        "Replies are padded with spaces.",
        Mend::by("Replies are padded with spaces", "Pad with the pad octet of the protocol, which for the tutorial's is 0.", sketch::FRAME),
        |h| h.encode = with_spaces).within(&[Room::Padding]),
    Fault::new("padded-with-old-octets", Clause::MinimalPadding, "CVE-2003-0001",
        "The padding of a reply is what an earlier one left in the buffer.",
        Mend::by("The padding of a reply shows octets of an earlier one", "Write the pad octets, instead of leaving in the buffer what was there.", sketch::FRAME),
        |h| h.encode = with_old_octets).within(&[Room::Padding]),
    Fault::new("padded-by-characters", Clause::ReplyFraming, "",
        "Replies are padded by the number of their characters, before they become octets.",
        Mend::by("Padding is reckoned in characters", "Encode the reply first, and pad its octets to a whole number of chunks.", sketch::FRAME),
        |h| h.encode = padded_by_characters).within(&[Room::Padding]),
    Fault::new("last-chunk-not-padded", Clause::MinimalPadding, "",
        "A reply of several chunks ends with its payload, although its length counts padding.",
        Mend::by("The last chunk of a reply is not filled up", "Send as many octets as the length says, padding included.", sketch::FRAME),
        |h| h.encode = unpadded).within(&[Room::Padding]),

    Fault::new("reply-with-byte-order-mark", Clause::ReplyText, "",
        "Replies begin with a byte order mark.",
        Mend::by("Replies begin with a byte order mark", "Encode as UTF-8 without a byte order mark.", sketch::REPLY_TEXT),
        |h| h.encode = |c, payload| honest::encode(c, &[b"\xef\xbb\xbf", payload].concat())).within(&[Room::Json]),
    Fault::new("reply-in-latin-1", Clause::ReplyText, "",
        "Replies are written in Latin-1.",
        Mend::by("Replies are written in Latin-1", "Encode replies as UTF-8.", sketch::REPLY_TEXT),
        |h| h.encode = in_latin_1).within(&[Room::Json]),
    Fault::new("texts-pasted-between-quotes", Clause::ReplyText, "",
        "A text is put between quotes as it is, so that a quote or a backslash in it breaks the reply.",
        Mend::by("Texts are pasted between quotes", "Let a JSON library write the reply, so that it escapes what must be.", sketch::REPLY_TEXT),
        |h| h.encode = |c, payload| honest::encode(c, &pasted(payload))).within(&[Room::Json]),
    Fault::new("errors-in-plain-text", Clause::ReplyText, "",
        "What cannot be decoded is answered with a sentence that is no JSON.",
        Mend::by("Errors are told in plain text", "Write what goes wrong as JSON too, by the same function as all replies.", sketch::REPLY_TEXT),
        |h| h.answer = |c, request| Box::pin(plainly(c, request))).within(&[Room::Json]),
    Fault::new("literals-as-python-prints-them", Clause::ReplyText, "",
        "The replies true, false and null are written as True, False and None.",
        Mend::by("Replies are printed as Python values", "Write replies by json.dumps, not by str or repr.", sketch::REPLY_TEXT),
        |h| h.encode = |c, payload| honest::encode(c, as_python(payload))).within(&[Room::Json]),
    Fault::new("infinity-in-replies", Clause::ReplyText, "iperf#370",
        "A number too large for a double is written back as Infinity.",
        Mend::by("Large numbers come back as Infinity", "Refuse numbers that the type cannot hold, and write none that JSON has no word for.", sketch::REPLY_TEXT),
        |h| h.encode = |c, payload| honest::encode(c, overflowed(payload))).within(&[Room::Json]),
];

/// What one write takes.
const ONE_WRITE: usize = 16 << 10;

async fn in_one_write(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let most = octets.get(..ONE_WRITE).unwrap_or(&octets);
    c.stream.write(most).await?;
    Ok(())
}

async fn without_its_end(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    const LARGE: usize = 8 << 10;
    const LOST: usize = 7;
    let kept = match octets.len() > LARGE {
        true => octets.len().saturating_sub(LOST),
        false => octets.len(),
    };
    c.send_all(octets.get(..kept).unwrap_or_default()).await
}

async fn in_one_attempt(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    c.stream.write(&octets).await?;
    Ok(())
}

async fn given_up_in_time(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    match timeout(Duration::from_millis(300), c.send_all(&octets)).await {
        Ok(sent) => sent,
        Err(_) => Ok(()),
    }
}

async fn header_first(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let header = frame::header_len(c.profile(), &octets);
    if octets.len() > ONE_WRITE {
        return c.send_all(octets.get(..header).unwrap_or_default()).await;
    }
    c.send_all(&octets).await
}

fn pasted(payload: &[u8]) -> Vec<u8> {
    match serde_json::from_slice(payload) {
        Ok(Value::String(text)) => format!("\"{text}\"").into(),
        _ => payload.to_vec(),
    }
}

fn characters(payload: &[u8]) -> usize {
    String::from_utf8_lossy(payload).chars().count()
}

/// The frame of a payload whose length is said to be that; where it is greater, with as much padding
/// as makes it true.
fn claiming(c: &mut Client, claimed: usize, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let body = claimed.next_multiple_of(c.profile().chunk() as usize);
    let padding = body.saturating_sub(claimed.min(payload.len()));
    framed(c, (claimed, body), payload, padding)
}

/// A frame of which the length says the one or the other, as it counts the padding or not.
fn framed(
    c: &Client,
    (unpadded, padded): (usize, usize),
    payload: &[u8],
    padding: usize,
) -> Result<Vec<u8>, EncodeError> {
    let counted = if c.profile().covers(Region::Padding) {
        padded
    } else {
        unpadded
    };
    let mut octets = BytesMut::new();
    Encoder::new(&c.profile().of_replies()).claim(counted as u64, &mut octets)?;
    let mut octets = octets.to_vec();
    let padding = vec![c.profile().pad(); padding];
    let content = [payload, &padding].concat();
    octets.extend(frame::put_indexes(c.profile(), &content));
    octets.extend(frame::trailer(c.profile()));
    Ok(octets)
}

fn marked_as_a_request(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = BytesMut::new();
    Encoder::new(c.profile()).encode(payload, &mut octets)?;
    Ok(octets.to_vec())
}

fn padding_not_counted(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let chunk = c.profile().chunk() as usize;
    let mut header = BytesMut::new();
    let counts_octets = Encoder::new(&c.profile().of_replies())
        .claim(payload.len() as u64, &mut header)
        .is_ok();
    if payload.len() > chunk && counts_octets {
        let old = frame::header_len(c.profile(), &octets);
        octets.splice(..old, header);
    }
    Ok(octets)
}

fn length_cut(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let old = frame::header_len(c.profile(), &octets);
    let field = octets.get(frame::field(c.profile(), &octets));
    let count = honest::count(c.profile(), field.unwrap_or_default());
    let mut cut = BytesMut::new();
    let low = u64::try_from(count & 0xffff).unwrap_or_default();
    Encoder::new(&c.profile().of_replies()).header_with(low, &mut cut);
    octets.splice(..old, cut);
    Ok(octets)
}

/// The writer that was there first is overtaken by the second in the middle of its frame.
async fn mixed(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let first = std::mem::take(&mut c.memory.octets);
    if first.is_empty() && c.has_another() {
        c.memory.octets = octets;
        return Ok(());
    }
    let (half, rest) = first.split_at(first.len() / 2);
    c.send_all(&[half, &octets, rest].concat()).await
}

fn with_spaces(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let chunk = c.profile().chunk() as usize;
    let mut payload = payload.to_vec();
    payload.resize(payload.len().next_multiple_of(chunk), b' ');
    honest::encode(c, &payload)
}

fn with_old_octets(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let from = frame::header_len(c.profile(), &octets).saturating_add(payload.len());
    let old = std::mem::replace(&mut c.memory.octets, octets.clone());
    let padding = octets.iter_mut().skip(from);
    for (octet, old) in padding.zip(old.iter().skip(from)) {
        *octet = *old;
    }
    Ok(octets)
}

/// The length counts what is there, which is no whole number of chunks where a character takes several octets.
fn padded_by_characters(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let characters = String::from_utf8_lossy(payload).chars().count();
    let padded = characters.next_multiple_of(c.profile().chunk() as usize);
    let padding = padded.saturating_sub(characters);
    let octets = payload.len();
    framed(
        c,
        (octets, octets.saturating_add(padding)),
        payload,
        padding,
    )
}

fn unpadded(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    if payload.len() > c.profile().chunk() as usize {
        let header = frame::header_len(c.profile(), &octets);
        octets.truncate(header.saturating_add(payload.len()));
        octets.extend(frame::trailer(c.profile()));
    }
    Ok(octets)
}

fn in_latin_1(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let text = String::from_utf8_lossy(payload);
    let octets = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
    let payload: Vec<u8> = octets.collect();
    honest::encode(c, &payload)
}

async fn plainly(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    match request {
        Ok(_) => honest::answer(c, request).await,
        Err(why) => {
            let told = Bytes::from(format!("Error: {why}"));
            let told = Message::read(Payload::Opaque, told);
            Ok(told.map(Reply::from).into_iter().collect())
        }
    }
}

fn as_python(payload: &[u8]) -> &[u8] {
    match payload.trim_ascii() {
        b"true" => b"True",
        b"false" => b"False",
        b"null" => b"None",
        _ => payload,
    }
}

fn overflowed(payload: &[u8]) -> &[u8] {
    let number = std::str::from_utf8(payload)
        .ok()
        .and_then(|text| text.trim().parse::<f64>().ok());
    match number {
        Some(f64::INFINITY) => b"Infinity",
        Some(f64::NEG_INFINITY) => b"-Infinity",
        _ => payload,
    }
}
