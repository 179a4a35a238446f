//! What clients take for padding, and what for payload.

use super::super::half::{Fault, Half};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Mend;
use crate::altered::frame::{self, Body};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("padding-expected", Clause::ClientPayload, "",
        "Every reply is taken to end in padding, if need be in a chunk of nothing else.",
        Mend::by("Padding is waited for where a reply has none", "Read exactly as many octets as the length says, padding included.", sketch::READ_EXACTLY),
        |h| h.body = up_to_padding).within(&[Room::Padding]),
    Fault::new("reply-stripped-at-both-ends", Clause::ClientPayload, "",
        "Pad octets are dropped at the front of a reply as well.",
        Mend::by("Pad octets are stripped from the front of a reply", "Strip pad octets at the end only.", sketch::STRIP),
        |h| h.payload = stripped).within(&[Room::Padding]),
    Fault::new("reply-cut-at-the-first-pad-octet", Clause::ClientPayload, "",
        "A reply is read up to the first pad octet in it.",
        Mend::by("A reply ends at its first pad octet", "Strip pad octets at the end only.", sketch::STRIP),
        |h| h.payload = up_to_the_first_pad).within(&[Room::Padding]),
    Fault::new("padding-of-one-chunk-only", Clause::ClientPayload, "",
        "Padding is dropped only in the last chunk of a reply.",
        Mend::by("Only the padding of the last chunk is removed", "Remove pad octets from the end until there is another octet, over any number of chunks.", sketch::STRIP),
        |h| h.payload = in_the_last_chunk).within(&[Room::Padding]),
    Fault::new("last-octet-taken-for-the-end", Clause::ClientPayload, "",
        "The last octet of a reply is dropped, whatever it is.",
        Mend::by("The last octet of a reply is dropped", "Take the payload by its length, and keep no room in it for a terminator.", sketch::STRIP),
        |h| h.payload = |c, body| without_the_last(c, body)).within(&[Room::Padding]),
    Fault::new("single-pad-octet-kept", Clause::ClientPayload, "",
        "A single pad octet at the end of a reply is read as part of the message.",
        Mend::by("A single pad octet is left in the message", "Remove every pad octet at the end, even if there is one only.", sketch::STRIP),
        |h| h.payload = with_a_single_pad).within(&[Room::Padding]),
    Fault::new("old-octets-in-a-reply", Clause::ClientPayload, "",
        "The buffer for replies is reused as it is, so that a short one ends in what a longer one left there.",
        Mend::by("A reused buffer shows octets of an earlier reply", "Use only so much of the buffer as this reply has filled, or take a fresh one.", sketch::READ_EXACTLY),
        |h| h.payload = over_old_octets).within(&[Room::Padding]),
];

fn up_to_padding(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = honest::body(c, wanted)?;
    let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
    while octets.last() != Some(&c.profile().pad()) {
        octets.extend(honest::body(c, chunk)?);
    }
    Ok(octets)
}

fn stripped(c: &mut Half, body: Body) -> Vec<u8> {
    let pad = c.profile().pad();
    let payload = frame::payload(c.profile(), body);
    let from = payload.iter().position(|octet| *octet != pad);
    payload
        .get(from.unwrap_or(payload.len())..)
        .unwrap_or_default()
        .to_vec()
}

fn up_to_the_first_pad(c: &mut Half, body: Body) -> Vec<u8> {
    let pad = c.profile().pad();
    let payload = body.octets.split(|octet| *octet == pad).next();
    payload.unwrap_or_default().to_vec()
}

fn in_the_last_chunk(c: &mut Half, body: Body) -> Vec<u8> {
    let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
    let last = body.octets.len().saturating_sub(chunk);
    let payload = frame::payload(c.profile(), body.clone());
    let kept = payload.len().max(last);
    body.octets.get(..kept).unwrap_or_default().to_vec()
}

fn with_a_single_pad(c: &mut Half, body: Body) -> Vec<u8> {
    let payload = frame::payload(c.profile(), body.clone());
    match body.octets.len().saturating_sub(payload.len()) {
        1 => body.octets,
        _ => payload,
    }
}

fn without_the_last(c: &mut Half, mut body: Body) -> Vec<u8> {
    body.octets.pop();
    body.payload = None;
    frame::payload(c.profile(), body)
}

fn over_old_octets(c: &mut Half, body: Body) -> Vec<u8> {
    let mut octets = body.octets;
    if let Some(old) = c.memory.octets.get(octets.len()..) {
        octets.extend_from_slice(old);
    }
    let text = frame::payload(
        c.profile(),
        Body {
            octets: octets.clone(),
            payload: None,
        },
    );
    c.memory.octets = octets;
    text
}
