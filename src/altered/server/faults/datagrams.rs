//! Datagrams: what is made of one that is not one frame, of its end, and of whom the reply goes to.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body};
use crate::altered::sketch;
use crate::spec::Clause;
use crate::wire::Decoder;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("datagrams-read-as-a-stream", Clause::Datagram, "",
        "What comes with datagrams is put into one buffer, and frames are taken out of that.",
        Mend::by("Datagrams are put together as if they were a stream", "Read each datagram by itself, and drop one that is not one whole frame.", sketch::DATAGRAM),
        |h| h.datagram = behind_the_others).needing(Need::Datagrams),
    Fault::new("datagram-header-ignored", Clause::Datagram, "",
        "The message is taken from the octets behind the header, whatever that says of them.",
        Mend::by("The header of a datagram is not compared with its octets", "Answer only what has exactly as many octets as its header says.", sketch::DATAGRAM),
        |h| {
            h.datagram = |_, octets| octets;
            h.take = |c| Box::pin(all_behind_the_header(c));
        }).needing(Need::Datagrams),
    Fault::new("each-frame-of-a-datagram-answered", Clause::Datagram, "",
        "Frame after frame of a datagram is answered, each by a datagram.",
        Mend::by("Several frames in one datagram get several replies", "Take a datagram for one frame, and drop it if it is more.", sketch::DATAGRAM),
        |h| h.datagram = |_, octets| octets).needing(Need::Datagrams),
    Fault::new("datagram-cut-short", Clause::Datagram, "",
        "Datagrams are read into a buffer of 1,024 octets, and what it has no room for is lost.",
        Mend::by("The buffer for datagrams is too small", "Read into a buffer of 65,535 octets: what it does not hold is lost.", sketch::DATAGRAM),
        |h| h.datagram = |c, mut octets| {
            octets.truncate(1024);
            whole(c, octets)
        }).needing(Need::Datagrams),
    Fault::new("pieces-of-a-datagram-answered", Clause::Datagram, "",
        "A datagram that is no frame is complained of once for each 16 octets.",
        Mend::by("One wrong datagram gets several replies", "Say at most one thing to a datagram that is no frame, or nothing.", sketch::DATAGRAM),
        |h| {
            h.datagram = |c, octets| {
                c.memory.count = if honest::is_one_frame(c.profile(), &octets) { 0 } else { octets.len() / 16 };
                whole(c, octets)
            };
            h.ended = |c, end| Box::pin(complaining(c, end));
        }).needing(Need::Datagrams),
    Fault::new("empty-datagram-ends-the-server", Clause::Datagram, "",
        "A datagram without an octet is taken for the end, and the server goes.",
        Mend::by("An empty datagram ends the server", "Go on reading behind an empty datagram: it is no end of anything.", sketch::DATAGRAM),
        |h| h.datagram = |c, octets| {
            if octets.is_empty() {
                c.shared.stop();
            }
            whole(c, octets)
        }).needing(Need::Datagrams),
    Fault::new("short-datagram-ends-the-server", Clause::Datagram, "",
        "The length is read from a datagram that has too few octets for one, and the server dies of it.",
        Mend::by("A datagram shorter than a header ends the server", "Look how many octets have come before the length is read from them.", sketch::DATAGRAM),
        |h| h.datagram = |c, octets| {
            if !octets.is_empty() && octets.len() < c.profile().header_len() {
                c.shared.stop();
            }
            whole(c, octets)
        }).needing(Need::Datagrams),
    Fault::new("wrong-datagram-sent-back", Clause::ReplyFraming, "",
        "A datagram that is no frame is sent back as it is.",
        Mend::by("A datagram that is no frame comes back as it was", "Send nothing but frames, also to say what is wrong.", sketch::DATAGRAM),
        |h| {
            h.datagram = |c, octets| {
                c.memory.octets = if honest::is_one_frame(c.profile(), &octets) { Vec::new() } else { octets.clone() };
                whole(c, octets)
            };
            h.ended = |c, end| Box::pin(sending_back(c, end));
        }).needing(Need::Datagrams),
    Fault::new("reply-in-two-datagrams", Clause::ReplyFraming, "",
        "The header of a reply is one datagram, and its body another.",
        Mend::by("Header and body of a reply are two datagrams", "Put the whole reply into one buffer, and send it by one call.", sketch::DATAGRAM),
        |h| h.send = |c, octets| Box::pin(in_two(c, octets))).needing(Need::Datagrams),
    Fault::new("replies-share-a-datagram", Clause::ReplyFraming, "",
        "A reply is followed by a frame that says so, in the same datagram.",
        Mend::by("A datagram holds two replies", "Send each reply as a datagram of its own.", sketch::DATAGRAM),
        |h| h.send = |c, octets| Box::pin(with_another(c, octets))).needing(Need::Datagrams),
    Fault::new("datagram-answered-twice", Clause::OneReply, "",
        "Each reply is sent twice, lest one get lost.",
        Mend::by("Each datagram gets two replies", "Send a reply once: a client that misses it asks again.", sketch::DATAGRAM),
        |h| h.send = |c, octets| Box::pin(twice(c, octets))).needing(Need::Datagrams),
    Fault::new("reply-to-the-last-sender", Clause::Crosstalk, "",
        "A reply goes to whoever sent the last datagram, and not to the one that it answers.",
        Mend::by("Replies go to the last sender", "Keep the sender's address with its datagram, and send the reply there.", sketch::DATAGRAM),
        |h| {
            h.serve = |c| Box::pin(noted_as_last(c));
            h.send = |c, octets| Box::pin(to_the_last(c, octets));
        }).needing(Need::Datagrams),
];

/// What the reference server reads of a datagram.
fn whole(c: &mut Client, octets: Vec<u8>) -> Vec<u8> {
    match honest::is_one_frame(c.profile(), &octets) {
        true => octets,
        false => Vec::new(),
    }
}

/// The most octets that wait for the rest of their frame.
const MOST_KEPT: usize = 256;

fn behind_the_others(c: &mut Client, octets: Vec<u8>) -> Vec<u8> {
    let shared = Arc::clone(&c.shared);
    let mut memory = shared.memory();
    memory.octets.extend(octets);
    let mut rest = memory.octets.as_slice();
    let mut decoder = Decoder::new(&shared.profile);
    let is_wrong = loop {
        match decoder.decode_ref(&mut rest) {
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    let frames = memory.octets.len().saturating_sub(rest.len());
    let left = memory.octets.split_off(frames);
    let taken = std::mem::take(&mut memory.octets);
    if !is_wrong && left.len() <= MOST_KEPT {
        memory.octets = left;
    }
    taken
}

async fn all_behind_the_header(c: &mut Client) -> Result<Body, End> {
    let octets = c.collect(usize::MAX).await?;
    let header = frame::header_len(c.profile(), &octets);
    if octets.len() <= header {
        let inside = !octets.is_empty();
        return Err(End::Eof { inside });
    }
    let behind = octets.len().saturating_sub(c.profile().trailer().len());
    let octets = octets.get(header..behind).unwrap_or_default().to_vec();
    Ok(Body {
        octets,
        payload: None,
    })
}

async fn complaining(c: &mut Client, end: End) -> Result<(), End> {
    for _ in 0..std::mem::take(&mut c.memory.count) {
        honest::say(c, json!({ "error": "not one frame" }).into()).await?;
    }
    Err(end)
}

async fn sending_back(c: &mut Client, end: End) -> Result<(), End> {
    let octets = std::mem::take(&mut c.memory.octets);
    if !octets.is_empty() {
        c.send_all(&octets).await?;
    }
    Err(end)
}

async fn in_two(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let (header, body) = octets.split_at(frame::header_len(c.profile(), &octets));
    c.send_all(header).await?;
    c.send_all(body).await
}

async fn with_another(c: &mut Client, mut octets: Vec<u8>) -> Result<(), End> {
    let encode = c.hooks().encode;
    octets.extend(encode(c, b"\"that was one\"").unwrap_or_default());
    c.send_all(&octets).await
}

async fn twice(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    c.send_all(&octets).await?;
    c.send_all(&octets).await
}

/// So much later a datagram is answered than it has come.
const LATER: Duration = Duration::from_millis(3);

async fn noted_as_last(c: &mut Client) -> End {
    *c.shared.streams() = vec![Arc::clone(&c.stream)];
    sleep(LATER).await;
    honest::serve(c).await
}

async fn to_the_last(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let last = c.shared.streams().last().cloned();
    match last {
        Some(last) => last.write(&octets).await.map(drop).map_err(End::from),
        None => c.send_all(&octets).await,
    }
}
