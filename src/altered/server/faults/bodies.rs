//! Bodies: their padding, those that need none, and those that are empty.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Mend;
use crate::altered::frame::Body;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::message::Undecodable;
use crate::session::{Reply, Request};
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("zero-digits-stripped", Clause::Padding, "RedditStorage#4",
        "The digit 0 is stripped from the end of a body together with the padding.",
        Mend::by("The digit 0 is stripped as if it were padding", "Strip the octet of value 0, not the character 0.", sketch::STRIP),
        |h| h.payload = without_zeros).within(&[Room::Padding]),
    Fault::new("padding-removed-in-pairs", Clause::Padding, "",
        "Padding is removed two octets at a time, and a single one is left.",
        Mend::by("Padding is removed two octets at a time", "Remove every pad octet at the end, be their number odd or even.", sketch::STRIP),
        |h| h.payload = without_pairs).within(&[Room::Padding]),
    Fault::new("less-than-a-chunk-of-padding", Clause::Padding, "",
        "Only padding within the last chunk is removed, and what there is in front of it stays.",
        Mend::by("Only the padding of the last chunk is removed", "Remove pad octets from the end until there is another octet, over any number of chunks.", sketch::STRIP),
        |h| h.payload = without_the_last_chunks_padding).within(&[Room::Padding]),

    Fault::new("waits-for-padding", Clause::ExactFill, "",
        "Behind a body that ends without padding, a chunk of padding is waited for.",
        Mend::by("Padding is waited for where a body has none", "Read exactly as many octets as the length says, padding included.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(with_padding(c, wanted))),
    Fault::new("last-octet-is-a-terminator", Clause::ExactFill, "",
        "The last octet of a body is overwritten by a terminator, whether it is padding or not.",
        Mend::by("The last octet of a body is lost to a terminator", "Take the payload by its length, and keep no room in it for a terminator.", sketch::STRIP),
        |h| h.payload = terminated),

    Fault::new("empty-frame-ignored", Clause::EmptyFrame, "",
        "A frame of length zero is passed over in silence.",
        Mend::by("A frame of length zero is not answered", "Treat it as a frame whose payload is empty, and answer it like any that cannot be decoded.", sketch::EMPTY),
        |h| h.take = |c| Box::pin(next_with_a_body(c))),
    Fault::new("empty-frame-ends-the-client", Clause::EmptyFrame, "Nethermind#12202",
        "A length of zero ends the client's task as the end of the stream does, but its socket stays open.",
        Mend::by("A frame of length zero is taken for the end of the stream", "Tell a body of no octets from a read that returns none.", sketch::EMPTY),
        |h| h.take = |c| Box::pin(forgotten_when_empty(c))),
    Fault::new("empty-frame-reads-on", Clause::EmptyFrame, "",
        "The loop over chunks runs at least once, also for a body of none.",
        Mend::by("A frame of length zero swallows what comes behind it", "Ask whether anything is missing before reading, not afterwards.", sketch::EMPTY),
        |h| h.body = |c, wanted| Box::pin(at_least_a_chunk(c, wanted))),
    Fault::new("empty-frame-answered-twice", Clause::EmptyFrame, "",
        "A frame of length zero is answered both as a frame and as an error.",
        Mend::by("A frame of length zero is answered twice", "Let the place that finds the error return, so that nothing else answers.", sketch::EMPTY),
        |h| h.answer = |c, request| Box::pin(twice_when_empty(c, request))).within(&[Room::Json]),
];

fn without_zeros(c: &mut Client, body: Body) -> Vec<u8> {
    let mut payload = honest::payload(c, body);
    while payload.last() == Some(&b'0') {
        payload.pop();
    }
    payload
}

fn without_pairs(c: &mut Client, body: Body) -> Vec<u8> {
    let octets = body.octets.clone();
    let payload = honest::payload(c, body);
    let odd = octets.len().saturating_sub(payload.len()) % 2;
    let end = payload.len().saturating_add(odd);
    octets.get(..end).unwrap_or_default().to_vec()
}

fn without_the_last_chunks_padding(c: &mut Client, body: Body) -> Vec<u8> {
    let octets = body.octets.clone();
    let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
    let least = octets.len().saturating_sub(chunk);
    let end = honest::payload(c, body).len().max(least);
    octets.get(..end).unwrap_or_default().to_vec()
}

async fn with_padding(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = honest::body(c, wanted).await?;
    let pad = c.profile().pad();
    if octets.last().is_some_and(|last| *last != pad) {
        let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
        honest::body(c, chunk).await?;
        octets.push(pad);
    }
    Ok(octets)
}

fn terminated(c: &mut Client, body: Body) -> Vec<u8> {
    let mut octets = body.octets;
    octets.pop();
    let payload = body.payload.map(|payload| payload.min(octets.len()));
    honest::payload(c, Body { octets, payload })
}

async fn next_with_a_body(c: &mut Client) -> Result<Body, End> {
    loop {
        let body = honest::take(c).await?;
        if !body.octets.is_empty() {
            return Ok(body);
        }
        c.frame_taken();
    }
}

async fn forgotten_when_empty(c: &mut Client) -> Result<Body, End> {
    let body = honest::take(c).await?;
    if body.octets.is_empty() {
        Err(End::Forgotten)
    } else {
        Ok(body)
    }
}

async fn at_least_a_chunk(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
    honest::body(c, wanted.max(chunk)).await
}

async fn twice_when_empty(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let empty = matches!(request, Err(Undecodable::Empty));
    let mut replies = honest::answer(c, request).await?;
    if empty {
        replies.extend(replies.clone());
    }
    Ok(replies)
}
