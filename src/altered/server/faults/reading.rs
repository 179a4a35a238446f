//! Taking frames off the stream: short reads, reads that bring too much, reads that are lost.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body};
use crate::altered::sketch;
use crate::spec::Clause;
use crate::wire::Decoder;
use bytes::Buf as _;
use std::time::Duration;
use tokio::time::timeout;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("header-in-one-read", Clause::Reassembly, "dnsproxy#523, WatsonTcp#299",
        "One read is taken for the whole header, however few octets it brings.",
        Mend::by("The header is taken from a single read", "Read until every octet of the header has come, and only then take the number out of it.", sketch::READ_EXACTLY),
        |h| h.header = |c| Box::pin(header_in_one_read(c))),
    Fault::new("header-in-one-read-or-forgotten", Clause::Reassembly, "",
        "One read is taken for the whole header, and if it brings fewer octets, the error ends the client's task and leaves its socket open.",
        Mend::by("A header read too short leaves the connection dead but open", "Read until every octet of the header has come, and close the socket on every way out.", sketch::READ_EXACTLY),
        |h| h.header = |c| Box::pin(whole_header_or_forgotten(c))),
    Fault::new("short-header-ends-the-server", Clause::Reassembly, "",
        "One read is taken for the whole header, and if it brings fewer octets, the error ends the whole server.",
        Mend::by("A header read too short ends the whole server", "Read until every octet of the header has come, and catch errors where the client is served.", sketch::READ_EXACTLY),
        |h| h.header = |c| Box::pin(whole_header_or_fatal(c))),
    Fault::new("short-body-ends-the-server", Clause::Reassembly, "",
        "One read is taken for the whole body, and if it brings fewer octets, the error ends the whole server.",
        Mend::by("A body read too short ends the whole server", "Read until as many octets have come as the header claims, and catch errors where the client is served.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(whole_body_or_fatal(c, wanted))),
    Fault::new("length-begun-anew-at-a-cut", Clause::Reassembly, "contiki-ng#3163",
        "Where a length comes in pieces, the octets in front of a cut are lost to the number.",
        Mend::by("A length that comes in pieces loses its first octets", "Keep the octets of a header that is incomplete until the rest has come.", sketch::READ_EXACTLY),
        |h| h.header = |c| Box::pin(with_last_piece_of_length(c))),
    Fault::new("framing-guessed", Clause::LengthPrefix, "rhinomcp#32",
        "Where the first octet is a bracket, a line of JSON is read instead of a frame.",
        Mend::by("What begins like JSON is read as a line", "Read every octet from the first on as frames, whatever it looks like.", sketch::LENGTH),
        |h| h.header = |c| Box::pin(or_a_line(c, b"{["))),
    Fault::new("white-space-before-a-header-skipped", Clause::LengthPrefix, "",
        "White space and line ends in front of a header are passed over.",
        Mend::by("White space in front of a header is skipped", "Read every octet from the first on as frames, whatever it looks like.", sketch::LENGTH),
        |h| h.header = |c| Box::pin(behind_white_space(c))),
    Fault::new("http-answered", Clause::LengthPrefix, "",
        "Whoever begins like HTTP is told in HTTP that this is none.",
        Mend::by("What begins like HTTP is answered in HTTP", "Read every octet from the first on as frames, whatever it looks like.", sketch::LENGTH),
        |h| h.header = |c| Box::pin(or_http(c))),
    Fault::new("body-in-one-read", Clause::Reassembly, "routeros#4",
        "One read is taken for the whole body, and what comes later for the next header.",
        Mend::by("The body is taken from a single read", "Go on reading until as many octets have come as the header claims, however many reads that takes.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(body_in_one_read(c, wanted))),
    Fault::new("short-body-is-a-disconnect", Clause::Reassembly, "",
        "A read that brings less than the whole body is taken for the client's end.",
        Mend::by("A short read is taken for a lost client", "Take only a read of no octets at all for the end of the stream, and go on reading after any other.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(whole_or_gone(c, wanted))),
    Fault::new("first-frame-of-a-read-only", Clause::Reassembly, "open-mt2#77, rust-libp2p#31",
        "What a read brings behind the first whole frame is dropped.",
        Mend::by("What a read brings behind the first frame is thrown away", "Keep what is left over behind a frame, and look there for the next one before reading again.", sketch::KEEP_THE_REST),
        |h| h.take = |c| Box::pin(first_of_a_read(c))),
    Fault::new("header-parsed-again", Clause::Reassembly, "futures-codec#34",
        "A header that arrives without its body is consumed and forgotten, and the body is read as a header.",
        Mend::by("A header that comes without its body is forgotten", "Keep the header, or the fact that it was parsed, until its body is whole.", sketch::KEEP_THE_REST),
        |h| h.take = |c| Box::pin(header_forgotten(c))),
    Fault::new("counts-what-was-asked", Clause::Reassembly, "",
        "Each read lowers the number of octets still to come by what was asked for, not by what it brought.",
        Mend::by("Octets are counted as asked for, not as received", "Lower what is still to come by the number that the read returned.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(counting_what_was_asked(c, wanted))),
    Fault::new("reads-of-a-fixed-size", Clause::Reassembly, "",
        "The body is read a chunk at a time until there is enough, and what the last read took of the next frame is dropped.",
        Mend::by("The body is read in pieces that reach into the next frame", "Ask each read for no more than is still missing of this frame.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(in_fixed_reads(c, wanted))),
    Fault::new("read-ahead-dropped", Clause::Boundary, "",
        "Bodies are read in blocks of 256 octets, and what a block holds beyond its body is dropped.",
        Mend::by("What was read ahead of the next frame is dropped", "Keep what is left over behind a frame, and begin the next one with it.", sketch::KEEP_THE_REST),
        |h| h.body = |c, wanted| Box::pin(in_blocks(c, wanted))),
    Fault::new("body-and-one-octet-more", Clause::Boundary, "",
        "The loop over the body runs once too often and takes the octet behind it, if that is here.",
        Mend::by("One octet too many is read behind a body", "Stop as soon as nothing is missing, and ask each read for no more than that.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(one_too_many(c, wanted))),
    Fault::new("body-counted-in-characters", Clause::Fidelity, "",
        "A body is decoded as it comes, and read until it has as many characters as its length says, which takes octets of the next frame or waits for them.",
        Mend::by("The length of a body is taken for a number of characters", "Read as many octets as the length says, and decode them once they are all there.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(as_many_characters(c, wanted))),
    Fault::new("old-octets-in-the-buffer", Clause::Boundary, "CVE-2014-0160",
        "The buffer for bodies is reused as it is, so that a short body ends in what a longer one left there.",
        Mend::by("A reused buffer shows octets of an earlier frame", "Use only so much of the buffer as this frame has filled, or take a fresh one.", sketch::READ_EXACTLY),
        |h| h.payload = over_old_octets),
    Fault::new("body-cut-to-the-buffer", Clause::Boundary, "libmodbus#848, kourier#65",
        "Of a body larger than the buffer of 4096 octets only so much is taken, and the rest is read as frames.",
        Mend::by("A body larger than the buffer is cut off", "Read the whole body in as many pieces as the buffer needs, and refuse only what is over the limit.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(honest::body(c, wanted.min(4096)))),
    Fault::new("read-timeout-of-100-ms", Clause::Patience, "",
        "A frame that is not whole after 100 ms is given up.",
        Mend::by("A frame that takes longer than 100 ms is given up", "Let a frame take many seconds from its first octet to its last.", sketch::FRAME_DEADLINE),
        |h| h.limits.frame_deadline = Some(SHORT)),
    Fault::new("read-timeout-of-500-ms", Clause::Patience, "",
        "A frame that is not whole after half a second is given up.",
        Mend::by("A frame that takes longer than half a second is given up", "Let a frame take many seconds from its first octet to its last.", sketch::FRAME_DEADLINE),
        |h| h.limits.frame_deadline = Some(Duration::from_millis(500))).needing(Need::Time),
    Fault::new("pause-completes-the-body", Clause::Patience, "",
        "When nothing comes for 100 ms inside a body, it is taken to be whole.",
        Mend::by("A pause is taken for the end of a body", "Decide by the length alone when a body is whole, never by time.", sketch::FRAME_DEADLINE),
        |h| h.body = |c, wanted| Box::pin(until_a_pause(c, wanted))),
    Fault::new("tick-loses-what-was-read", Clause::Patience, "nteract#2182, mirrord#4609",
        "Every 50 ms something else is looked at, and what had been read of a body until then is lost.",
        Mend::by("A timer interrupts a read and loses what it had brought", "Keep what has been read outside of the read that can be cancelled.", sketch::KEEP_THE_REST),
        |h| h.body = |c, wanted| Box::pin(between_ticks(c, wanted))),
];

const SHORT: Duration = Duration::from_millis(100);

const TICK: Duration = Duration::from_millis(50);

const AT_END: End = End::Eof { inside: false };

const INSIDE: End = End::Eof { inside: true };

async fn header_in_one_read(c: &mut Client) -> Result<Vec<u8>, End> {
    let wanted = c.profile().header_len();
    let mut header = c.recv(wanted).await?;
    if header.is_empty() {
        return Err(AT_END);
    }
    // What grows is read as far as it is there.
    while header.len() >= wanted && frame::missing(c.profile(), &header) > 0 {
        c.look_ahead();
        if c.inbox.is_empty() {
            break;
        }
        header.extend(c.recv(1).await?);
    }
    Ok(header)
}

async fn whole_header_or_forgotten(c: &mut Client) -> Result<Vec<u8>, End> {
    let header = header_in_one_read(c).await?;
    if frame::missing(c.profile(), &header) > 0 {
        return Err(End::Forgotten);
    }
    Ok(header)
}

async fn whole_header_or_fatal(c: &mut Client) -> Result<Vec<u8>, End> {
    let header = header_in_one_read(c).await?;
    if frame::missing(c.profile(), &header) > 0 {
        return Err(End::Fatal);
    }
    Ok(header)
}

/// A read that brings nothing is too short as well.
async fn whole_body_or_fatal(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = if wanted == 0 {
        Vec::new()
    } else {
        c.recv(wanted).await?
    };
    if octets.len() < wanted {
        return Err(End::Fatal);
    }
    Ok(octets)
}

async fn with_last_piece_of_length(c: &mut Client) -> Result<Vec<u8>, End> {
    let mut header = header_in_one_read(c).await?;
    loop {
        let missing = frame::missing(c.profile(), &header);
        if missing == 0 {
            return Ok(header);
        }
        let lost = frame::field(c.profile(), &header);
        let zero = frame::zero(c.profile());
        header.get_mut(lost).unwrap_or_default().fill(zero);
        let more = c.recv(missing).await?;
        if more.is_empty() {
            return Err(INSIDE);
        }
        header.extend(more);
    }
}

/// A header; that of the line's frame if one of these octets comes first.
async fn or_a_line(c: &mut Client, first: &[u8]) -> Result<Vec<u8>, End> {
    let header = honest::header(c).await?;
    if !header.first().is_some_and(|octet| first.contains(octet)) {
        return Ok(header);
    }
    let mut line = header;
    while line.last() != Some(&b'\n') {
        line.extend(honest::body(c, 1).await?);
    }
    let frame = honest::encode(c, line.trim_ascii()).map_err(|_| End::Malformed)?;
    c.inbox = [frame.as_slice(), &c.inbox].concat().as_slice().into();
    honest::header(c).await
}

async fn behind_white_space(c: &mut Client) -> Result<Vec<u8>, End> {
    loop {
        c.wait_for_more().await;
        let blank = c
            .inbox
            .iter()
            .take_while(|octet| octet.is_ascii_whitespace());
        let blank = blank.count();
        c.inbox.advance(blank);
        if blank == 0 || !c.inbox.is_empty() {
            return honest::header(c).await;
        }
    }
}

async fn or_http(c: &mut Client) -> Result<Vec<u8>, End> {
    c.wait_for_more().await;
    if c.inbox.starts_with(b"GET") || c.inbox.starts_with(b"PRI") {
        let told = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        (c.hooks().send)(c, told.to_vec()).await?;
        return Err(End::Asked);
    }
    honest::header(c).await
}

async fn body_in_one_read(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let octets = c.recv(wanted).await?;
    if octets.is_empty() {
        Err(INSIDE)
    } else {
        Ok(octets)
    }
}

async fn whole_or_gone(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = body_in_one_read(c, wanted).await?;
    if octets.len() < wanted {
        Err(INSIDE)
    } else {
        Ok(octets)
    }
}

/// The whole frame at the front of what has been read, if there is one.
pub(super) fn whole_frame(c: &mut Client) -> Result<Option<Body>, End> {
    let mut decoder = Decoder::new(c.profile());
    let frame = decoder.decode(&mut c.inbox).map_err(|_| End::Malformed)?;
    Ok(frame.map(|frame| Body {
        octets: frame.body().to_vec(),
        payload: Some(frame.payload().len()),
    }))
}

/// Reads once more; it is an error if nothing comes any more.
pub(super) async fn more(c: &mut Client) -> Result<(), End> {
    let inside = !c.inbox.is_empty();
    match c.fill(4096).await? {
        0 => Err(End::Eof { inside }),
        _ => Ok(()),
    }
}

async fn first_of_a_read(c: &mut Client) -> Result<Body, End> {
    c.inbox.clear();
    loop {
        more(c).await?;
        if let Some(body) = whole_frame(c)? {
            return Ok(body);
        }
    }
}

async fn header_forgotten(c: &mut Client) -> Result<Body, End> {
    loop {
        let header = frame::header_len(c.profile(), &c.inbox);
        let is_whole = frame::missing(c.profile(), c.inbox.get(..header).unwrap_or_default()) == 0;
        if is_whole {
            if let Some(body) = whole_frame(c)? {
                return Ok(body);
            }
            c.inbox.advance(header);
        }
        more(c).await?;
    }
}

async fn counting_what_was_asked(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let chunk = chunk(c);
    let (mut left, mut octets) = (wanted, Vec::new());
    while left > 0 {
        let asked = left.min(chunk);
        let came = c.recv(asked).await?;
        if came.is_empty() {
            return Err(INSIDE);
        }
        octets.extend(came);
        left = left.saturating_sub(asked);
    }
    Ok(octets)
}

async fn in_fixed_reads(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let chunk = chunk(c);
    let mut octets = Vec::new();
    while octets.len() < wanted {
        let came = c.recv(chunk).await?;
        if came.is_empty() {
            return Err(INSIDE);
        }
        octets.extend(came);
    }
    octets.truncate(wanted);
    Ok(octets)
}

async fn in_blocks(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = honest::body(c, wanted).await?;
    drop_here(c, wanted.next_multiple_of(256).saturating_sub(wanted));
    Ok(octets)
}

async fn one_too_many(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = honest::body(c, wanted).await?;
    drop_here(c, 1);
    Ok(octets)
}

async fn as_many_characters(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = Vec::new();
    loop {
        let missing = wanted.saturating_sub(characters(&octets));
        if missing == 0 {
            return Ok(octets);
        }
        octets.extend(honest::body(c, missing).await?);
    }
}

/// How many characters begin there.
fn characters(octets: &[u8]) -> usize {
    let begins = |octet: &&u8| !matches!(**octet, 0x80..=0xbf);
    octets.iter().filter(begins).count()
}

/// Drops so many octets of what is here already.
fn drop_here(c: &mut Client, octets: usize) {
    c.look_ahead();
    let here = octets.min(c.inbox.len());
    c.inbox.advance(here);
}

fn over_old_octets(c: &mut Client, body: Body) -> Vec<u8> {
    let mut octets = body.octets;
    if let Some(old) = c.memory.octets.get(octets.len()..) {
        octets.extend_from_slice(old);
    }
    c.memory.octets.clone_from(&octets);
    let payload = None;
    honest::payload(c, Body { octets, payload })
}

async fn until_a_pause(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = Vec::new();
    while octets.len() < wanted {
        let left = wanted.saturating_sub(octets.len());
        match timeout(SHORT, c.recv(left)).await {
            Ok(came) => match came? {
                came if came.is_empty() => return Err(INSIDE),
                came => octets.extend(came),
            },
            Err(_) => break,
        }
    }
    Ok(octets)
}

async fn between_ticks(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    loop {
        if let Ok(octets) = timeout(TICK, honest::body(c, wanted)).await {
            return octets;
        }
    }
}

/// Octets of a chunk, or of a small buffer where there are no chunks.
fn chunk(c: &Client) -> usize {
    match c.profile().chunk() {
        1 => 60,
        octets => usize::try_from(octets).unwrap_or(usize::MAX),
    }
}
