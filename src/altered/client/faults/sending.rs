//! What clients put on the wire: headers that say something else than their bodies, and padding.

use super::super::half::{Fault, Half};
use super::super::honest;
use crate::altered::alteration::Mend;
use crate::altered::frame;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::spec::Clause;
use crate::wire::{EncodeError, Encoder};
use bytes::BytesMut;
use std::io;
use std::time::Duration;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("request-length-in-other-order", Clause::ClientFraming, "",
        "The length of a request is written in the other octet order.",
        Mend::by("The length of a request is written in the wrong octet order", "Write the length in the order that the protocol says.", sketch::FRAME),
        |h| h.encode = in_other_order),
    Fault::new("request-length-of-half-its-width", Clause::ClientFraming, "",
        "The length of a request is written in half as many octets as it has.",
        Mend::by("The length of a request is written in too few octets", "Write the length in all octets of its field.", sketch::FRAME),
        |h| h.encode = in_half_its_width),
    Fault::new("request-length-holds-the-header", Clause::ClientFraming, "",
        "The length of a request counts the header as well.",
        Mend::by("The length of a request counts its header", "Take the length of the body alone.", sketch::FRAME),
        |h| h.encode = counting_the_header),
    Fault::new("request-length-counts-characters", Clause::ClientFraming, "rabbitmq-stream-java-client#1004, it.sauronsoftware.junique#1",
        "The length of a request counts characters where it should count octets.",
        Mend::by("The length of a request counts characters", "Encode the text first, and count the octets that this gives.", sketch::FRAME),
        |h| h.encode = counting_characters),
    Fault::new("request-length-of-one-octet", Clause::ClientFraming, "rsocket-broker-client#13",
        "Only the least significant octet of a request's length is written.",
        Mend::by("Only one octet of a request's length is written", "Write the length in all octets of its field.", sketch::FRAME),
        |h| h.encode = of_one_octet),
    Fault::new("request-cut-by-a-short-write", Clause::ClientFraming, "smpclient#130, objeck-lang#670",
        "A write takes 4096 octets of a request, and nobody looks how much it has taken.",
        Mend::by("Of a large request only what one write takes is sent", "Write until all octets are gone, by a call that sends all.", sketch::SEND_ALL),
        |h| h.send = |c, octets| c.write(octets.get(..ONE_WRITE).unwrap_or(&octets))),
    Fault::new("requests-interleaved", Clause::ClientFraming, "GraphCode#158, samoyed#694",
        "Requests that are made at the same time are written header by header and then body by body.",
        Mend::by("Requests that are sent at the same time mix", "Hold a lock of the connection for a whole frame, or let one task write.", sketch::SEND_ALL),
        |h| h.send = interleaved),
    Fault::new("line-end-behind-a-request", Clause::ClientFraming, "",
        "A line end is sent behind each request.",
        Mend::by("A line end is sent behind each request", "Write the header, the payload and its padding, and nothing else.", sketch::FRAME),
        |h| h.send = |c, octets| c.write(&[&octets, b"\n".as_slice()].concat())),
    Fault::new("greeting-before-the-first-request", Clause::ClientFraming, "",
        "A line that tells of the client goes before its first request.",
        Mend::by("A greeting goes before the first request", "Write frames and nothing else, from the first octet on.", sketch::FRAME),
        |h| h.send = with_greeting),

    Fault::new("request-not-padded", Clause::ClientPadding, "",
        "The last chunk of a request ends where its text does, and the length says so.",
        Mend::by("The last chunk of a request is not filled up", "Pad to the next multiple of the chunk, and take the length of all of it.", sketch::FRAME),
        |h| h.encode = not_padded).within(&[Room::Padding]),
    Fault::new("request-padded-with-spaces", Clause::ClientPadding, "",
        "Requests are padded with spaces.",
        Mend::by("Requests are padded with spaces", "Pad with the pad octet of the protocol, which for the tutorial's is 0.", sketch::FRAME),
        |h| h.encode = |c, payload| padded_with(c, payload, b' ')).within(&[Room::Padding]),
    Fault::new("request-padded-with-digits", Clause::ClientPadding, "",
        "Requests are padded with the digit 0.",
        Mend::by("Requests are padded with the digit 0", "Pad with the octet of value 0, not the character 0.", sketch::FRAME),
        |h| h.encode = |c, payload| padded_with(c, payload, b'0')).within(&[Room::Padding]),
    Fault::new("request-padded-with-fill-octets", Clause::ClientPadding, "CVE-2003-0001",
        "Requests are padded with what a fresh buffer is filled with, which is not NUL.",
        Mend::by("Requests are padded with what a fresh buffer holds", "Write the pad octets, instead of leaving in the buffer what was there.", sketch::FRAME),
        |h| h.encode = |c, payload| padded_with(c, payload, 0xcc)).within(&[Room::Padding]),
    Fault::new("chunk-of-nothing-but-padding", Clause::ClientPadding, "",
        "A request that fills its chunks gets another one of nothing but padding.",
        Mend::by("A request that fills its chunks gets one more of padding", "Pad by what is missing to the next multiple, which can be nothing.", sketch::FRAME),
        |h| h.encode = a_chunk_more).within(&[Room::Padding]),
];

/// What one write takes.
const ONE_WRITE: usize = 4 << 10;

/// Requests that come within this time are made at the same time.
const AT_THE_SAME_TIME: Duration = Duration::from_millis(30);

/// The octets of the length in a frame.
fn length_field(c: &Half, octets: &[u8]) -> std::ops::Range<usize> {
    frame::field(c.profile(), octets)
}

fn in_other_order(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let length = length_field(c, &octets);
    if let Some(length) = octets.get_mut(length) {
        length.reverse();
    }
    Ok(octets)
}

fn in_half_its_width(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let length = length_field(c, &octets);
    octets.drain(length.start..length.start.saturating_add(length.len() / 2));
    Ok(octets)
}

/// The frame of a payload with a header for another body, if there can be such a header.
fn claiming(c: &mut Half, payload: &[u8], body: usize) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let mut header = BytesMut::new();
    if Encoder::new(c.profile())
        .claim(body as u64, &mut header)
        .is_ok()
    {
        let old = frame::header_len(c.profile(), &octets);
        octets.splice(..old, header);
    }
    Ok(octets)
}

/// Octets of the body of a payload of so many.
fn body_of(c: &Half, payload: usize) -> Result<usize, EncodeError> {
    Encoder::new(c.profile()).encoded_len(payload)?;
    Ok(payload.next_multiple_of(c.profile().chunk() as usize))
}

fn counting_the_header(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let header = c.profile().header_len();
    let body = body_of(c, payload.len())?;
    claiming(c, payload, body.saturating_add(header))
}

fn counting_characters(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let characters = String::from_utf8_lossy(payload).chars().count();
    let body = body_of(c, characters)?;
    claiming(c, payload, body)
}

fn of_one_octet(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let field = octets.get(length_field(c, &octets)).unwrap_or_default();
    let low = frame::count(c.profile(), field).rem_euclid(256);
    let mut header = BytesMut::new();
    Encoder::new(c.profile()).header_with(u64::try_from(low).unwrap_or_default(), &mut header);
    let old = frame::header_len(c.profile(), &octets);
    octets.splice(..old, header);
    Ok(octets)
}

fn interleaved(c: &mut Half, octets: Vec<u8>) -> io::Result<()> {
    let Some(line) = c.shared.line_within(AT_THE_SAME_TIME) else {
        return c.write(&octets);
    };
    let payload = honest::compose(c, &line);
    let Ok(other) = honest::encode(c, &payload) else {
        return c.write(&octets);
    };
    c.shared.asked();
    let header = |octets: &[u8]| frame::header_len(c.profile(), octets);
    let ((one_header, one_body), (other_header, other_body)) = (
        octets.split_at(header(&octets)),
        other.split_at(header(&other)),
    );
    c.write(&[one_header, other_header, one_body, other_body].concat())
}

fn with_greeting(c: &mut Half, octets: Vec<u8>) -> io::Result<()> {
    if !std::mem::replace(&mut c.memory.flag, true) {
        c.write(b"client 1.0\r\n")?;
    }
    c.write(&octets)
}

fn not_padded(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = claiming(c, payload, payload.len())?;
    let header = frame::header_len(c.profile(), &octets);
    octets.truncate(header.saturating_add(payload.len()));
    octets.extend(frame::trailer(c.profile()));
    Ok(octets)
}

/// The frame of a payload with another octet for padding.
fn padded_with(c: &mut Half, payload: &[u8], pad: u8) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let padding = frame::header_len(c.profile(), &octets).saturating_add(payload.len());
    if let Some(padding) = octets.get_mut(padding..) {
        padding.fill(pad);
    }
    Ok(octets)
}

fn a_chunk_more(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let body = body_of(c, payload.len())?;
    if body > payload.len() {
        return honest::encode(c, payload);
    }
    let more = usize::try_from(c.profile().chunk()).unwrap_or_default();
    let mut octets = claiming(c, payload, body.saturating_add(more))?;
    octets.resize(octets.len().saturating_add(more), c.profile().pad());
    Ok(octets)
}
