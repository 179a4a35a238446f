//! Indexes: how the number in front of each chunk is compared, and what is written there.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body, Malformed};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::profile::Profile;
use crate::session::Reply;
use crate::spec::Clause;
use crate::wire::{EncodeError, Encoder};
use bytes::BytesMut;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("indexes-not-checked", Clause::ChunkIndex, "",
        "The index of each chunk is read and not compared with anything.",
        Mend::by("The indexes of chunks are not checked", "Compare the index of each chunk with the number of chunks before it, and close the connection if it is another.", sketch::INDEX),
        |h| h.chunks = |c, body| Ok(kept(c, body, |_, _, _| true))).needing(Need::Index),
    Fault::new("first-index-checked", Clause::ChunkIndex, "",
        "The index of the first chunk of a frame is checked, and no other.",
        Mend::by("Only the index of the first chunk is checked", "Compare the index of each chunk, not of the first alone.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, |p, number, found| number > 0 || is_right(p, number, found))).needing(Need::Index),
    Fault::new("indexes-checked-once", Clause::ChunkIndex, "",
        "The indexes of the first frame on a connection are checked, and of no other.",
        Mend::by("Only the first frame of a connection has its indexes checked", "Compare the indexes of each frame.", sketch::INDEX),
        |h| h.chunks = |c, body| match c.frames { 0 => honest::chunks(c, body), _ => Ok(kept(c, body, |_, _, _| true)) }).needing(Need::Index),
    Fault::new("low-octet-of-an-index-checked", Clause::ChunkIndex, "",
        "Of an index only the lowest octet is compared.",
        Mend::by("Only the lowest octet of an index is compared", "Compare all octets of the index, in a number that has room for them.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, is_right_in_one_octet)).needing(Need::Index).within(&[Room::WideIndex]),
    Fault::new("index-in-either-order", Clause::ChunkIndex, "",
        "An index whose octets stand in the other order is taken as well.",
        Mend::by("An index in the other octet order is taken", "Read the index in the order that the format has, and in no other.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, |p, number, found| is_right(p, number, found) || is_right(p, number, &reversed(found)))).needing(Need::Index).within(&[Room::WideIndex]),
    Fault::new("zeros-for-an-index", Clause::ChunkIndex, "",
        "An index of zeros is taken for one that was left out.",
        Mend::by("Zeros are taken for an index", "Compare the index whatever it is: where counting begins at 1, zero is a wrong one.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, |p, number, found| is_right(p, number, found) || found.iter().all(|octet| *octet == 0))).needing(Need::Index),
    Fault::new("repeated-index-taken", Clause::ChunkIndex, "",
        "A chunk with the index of the one before it is taken once more.",
        Mend::by("A chunk with a repeated index is taken", "Each chunk has the index of the one before it and one more; any other ends the connection.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, |p, number, found| is_right(p, number, found) || number > 0 && is_right(p, number.saturating_sub(1), found))).needing(Need::Index),
    Fault::new("gap-in-indexes-taken", Clause::ChunkIndex, "",
        "Indexes have to rise, and may leave numbers out.",
        Mend::by("Chunks are taken although an index is left out", "Each chunk has the index of the one before it and one more: a greater one says that a chunk is missing.", sketch::INDEX),
        |h| h.chunks = |c, body| rising(c, body)).needing(Need::Index),
    Fault::new("chunks-sorted", Clause::ChunkIndex, "",
        "Chunks are put in the order of their indexes, in whatever order they came.",
        Mend::by("Chunks that come in another order are sorted", "The stream keeps its order: a chunk with another index than the next one is wrong, and nothing is to be sorted.", sketch::INDEX),
        |h| h.chunks = |c, body| sorted(c, body)).needing(Need::Index),
    Fault::new("indexes-from-the-other-number", Clause::ChunkIndex, "",
        "Chunks are counted from 0 where the format counts from 1.",
        Mend::by("Chunks are counted from the wrong number", "Count the chunks of a request from the number that the format says, which may be 1.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, |p, number, found| found == frame::numbered(p, number as u64))).needing(Need::Index),
    Fault::new("indexes-in-the-other-order", Clause::ChunkIndex, "",
        "An index is read in the other octet order than the format's.",
        Mend::by("The index is read in the wrong octet order", "Read the index in its own octet order, which need not be that of the length.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, |p, number, found| is_right(p, number, &reversed(found)))).needing(Need::Index).within(&[Room::WideIndex]),
    Fault::new("index-of-one-octet", Clause::ChunkIndex, "",
        "Chunks are counted in one octet, which begins anew behind 255.",
        Mend::by("Chunks are counted in a single octet", "Count chunks in a number that has room for as many as a body can have.", sketch::INDEX),
        |h| h.chunks = |c, body| all(c, body, is_right_in_small)).needing(Need::Index).within(&[Room::WideIndex]),
    Fault::new("indexes-go-on", Clause::ChunkIndex, "",
        "The chunks of a frame are counted on from those of the frame before it.",
        Mend::by("Chunks are counted on from frame to frame", "Count the chunks of each request anew: the counter belongs to the frame, not to the connection.", sketch::INDEX),
        |h| h.chunks = |c, body| going_on(c, body)).needing(Need::Index),
    Fault::new("indexes-left-in", Clause::ChunkIndex, "",
        "The indexes are taken for payload, as if there were none.",
        Mend::by("The indexes of chunks are left in the payload", "Take the index off each chunk, and put the rest together.", sketch::INDEX),
        |h| h.chunks = |_, body| Ok(body)).needing(Need::Index),
    Fault::new("wrong-index-answered", Clause::ChunkIndex, "",
        "A frame with a wrong index is answered with a complaint, and the connection goes on.",
        Mend::by("A frame with a wrong index is answered and passed over", "Close the connection: where chunks are missing or double, nothing that follows can be trusted.", sketch::INDEX),
        |h| h.take = |c| Box::pin(complaining(c))).needing(Need::Index),

    Fault::new("reply-indexes-from-the-other-number", Clause::ReplyFraming, "",
        "The chunks of a reply are counted from 0 where the format counts from 1.",
        Mend::by("The chunks of replies are counted from the wrong number", "Begin with the number that the format says, which may be 1, in each reply.", sketch::PUT_INDEX),
        |h| h.encode = |c, payload| indexed(c, payload, |p, number| frame::numbered(p, number as u64))).needing(Need::Index),
    Fault::new("reply-indexes-in-the-other-order", Clause::ReplyFraming, "",
        "The indexes of a reply stand in the other octet order than the format's.",
        Mend::by("The indexes of replies are in the other octet order", "Write the index in its own octet order, which need not be that of the length.", sketch::PUT_INDEX),
        |h| h.encode = |c, payload| indexed(c, payload, |p, number| reversed(&frame::index(p, number)))).needing(Need::Index).within(&[Room::WideIndex]),
    Fault::new("reply-indexes-go-on", Clause::ReplyFraming, "",
        "The chunks of a reply are counted on from those of the reply before it.",
        Mend::by("The chunks of replies are counted on from reply to reply", "Count the chunks of each reply anew.", sketch::PUT_INDEX),
        |h| h.encode = counted_on).needing(Need::Index),
    Fault::new("reply-index-of-one-octet", Clause::ReplyFraming, "",
        "The chunks of a reply are counted in one octet, which begins anew behind 255.",
        Mend::by("The chunks of replies are counted in a single octet", "Count chunks in a number that has room for as many as a reply can have.", sketch::PUT_INDEX),
        |h| h.encode = |c, payload| indexed(c, payload, in_small)).needing(Need::Index).within(&[Room::WideIndex]),
    Fault::new("reply-without-indexes", Clause::ReplyFraming, "",
        "The chunks of a reply have no index.",
        Mend::by("Replies have no indexes", "Write the index in front of each chunk of a reply, too.", sketch::PUT_INDEX),
        |h| h.encode = |c, payload| indexed(c, payload, |_, _| Vec::new())).needing(Need::Index),
    Fault::new("reply-with-one-index", Clause::ReplyFraming, "",
        "Only the first chunk of a reply has an index.",
        Mend::by("Only the first chunk of a reply has an index", "Write an index in front of each chunk, not in front of the body.", sketch::PUT_INDEX),
        |h| h.encode = |c, payload| indexed(c, payload, |p, number| if number == 0 { frame::index(p, 0) } else { Vec::new() })).needing(Need::Index),
    Fault::new("reply-with-a-short-chunk", Clause::ReplyFraming, "",
        "The last chunk of a reply is not padded, where the format pads it.",
        Mend::by("The last chunk of a reply is not padded", "Pad the last chunk to its full size, even where the length does not count the padding.", sketch::PUT_INDEX),
        |h| h.encode = short).needing(Need::Index).within(&[Room::PaddedChunks]),
    Fault::new("reply-length-counts-indexes", Clause::ReplyFraming, "",
        "The length of a reply counts its indexes, which the format does not.",
        Mend::by("The length of a reply counts its indexes", "Write the length that the format says: here it is that of the payload alone.", sketch::PUT_INDEX),
        |h| h.encode = counting_indexes).needing(Need::Index).within(&[Room::UncountedIndex]),
];

/// What an index is compared with: the number of its chunk, and what was found.
type IsRight = fn(&Profile, usize, &[u8]) -> bool;

fn is_right(profile: &Profile, number: usize, found: &[u8]) -> bool {
    found == frame::index(profile, number)
}

fn reversed(index: &[u8]) -> Vec<u8> {
    index.iter().rev().copied().collect()
}

fn low_octet(profile: &Profile, index: &[u8]) -> Option<u8> {
    let is_lowest = |octet: &u8| *octet == 1;
    let lowest = frame::numbered(profile, 1).iter().position(is_lowest)?;
    index.get(lowest).copied()
}

fn is_right_in_one_octet(profile: &Profile, number: usize, found: &[u8]) -> bool {
    low_octet(profile, found) == low_octet(profile, &frame::index(profile, number))
}

/// The index of a chunk that is counted in one octet.
fn in_small(profile: &Profile, number: usize) -> Vec<u8> {
    let low = low_octet(profile, &frame::index(profile, number));
    frame::numbered(profile, low.unwrap_or_default().into())
}

fn is_right_in_small(profile: &Profile, number: usize, found: &[u8]) -> bool {
    found == in_small(profile, number)
}

/// The chunks whose indexes are like that, without them.
fn kept(c: &Client, body: Vec<u8>, is_right: IsRight) -> Vec<u8> {
    let chunks = frame::chunks(c.profile(), &body).into_iter().enumerate();
    let right = chunks.filter(|(number, (found, _))| is_right(c.profile(), *number, found));
    right.flat_map(|(_, (_, chunk))| chunk).copied().collect()
}

/// All chunks, if each index is like that.
fn all(c: &Client, body: Vec<u8>, is_right: IsRight) -> Result<Vec<u8>, Malformed> {
    let mut chunks = frame::chunks(c.profile(), &body).into_iter().enumerate();
    let are = chunks.all(|(number, (found, _))| is_right(c.profile(), number, found));
    let body = kept(c, body, |_, _, _| true);
    are.then_some(body).ok_or(Malformed)
}

/// The number that an index is.
fn number_of(profile: &Profile, index: &[u8]) -> i128 {
    let is_big = frame::numbered(profile, 1).last() == Some(&1);
    match is_big {
        true => frame::in_big_endian(index),
        false => frame::in_big_endian(&reversed(index)),
    }
}

fn rising(c: &Client, body: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    let chunks = frame::chunks(c.profile(), &body).into_iter();
    let numbers: Vec<i128> = chunks
        .map(|(index, _)| number_of(c.profile(), index))
        .collect();
    let first = number_of(c.profile(), &frame::index(c.profile(), 0));
    let begins = numbers.first().is_none_or(|number| *number == first);
    let rises = numbers.is_sorted_by(|one, next| one < next);
    let body = kept(c, body, |_, _, _| true);
    (begins && rises).then_some(body).ok_or(Malformed)
}

fn sorted(c: &Client, body: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    let profile = c.profile();
    let mut chunks = frame::chunks(profile, &body);
    chunks.sort_by_key(|(index, _)| number_of(profile, index));
    let mut numbered = chunks.iter().enumerate();
    let are = numbered.all(|(number, (found, _))| is_right(profile, number, found));
    let octets = chunks.iter().flat_map(|(_, chunk)| *chunk);
    are.then(|| octets.copied().collect()).ok_or(Malformed)
}

fn going_on(c: &mut Client, body: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    let before = c.memory.count;
    let profile = c.profile();
    let chunks = frame::chunks(profile, &body);
    let mut numbered = (before..).zip(&chunks);
    let are = numbered.all(|(number, (found, _))| is_right(profile, number, found));
    let count = before.saturating_add(chunks.len());
    let body = kept(c, body, |_, _, _| true);
    c.memory.count = count;
    are.then_some(body).ok_or(Malformed)
}

async fn complaining(c: &mut Client) -> Result<Body, End> {
    loop {
        let header = honest::header(c).await?;
        match honest::rest_of_frame(c, &header).await {
            Err(End::Malformed) if is_whole(c, &header) => {
                c.frame_taken();
                let told = serde_json::json!({ "error": "a chunk has the wrong index" });
                honest::say(c, Reply::from(told)).await?;
            }
            body => return body,
        }
    }
}

/// Whether a header is in order, so that what was wrong stood behind it.
fn is_whole(c: &Client, header: &[u8]) -> bool {
    let hooks = c.hooks();
    frame::sizes_in(c.profile(), header, hooks.count, hooks.sizes).is_ok()
}

/// The frame of a reply with other indexes.
fn indexed(
    c: &mut Client,
    payload: &[u8],
    mut index: impl FnMut(&Profile, usize) -> Vec<u8>,
) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let profile = c.profile().of_replies();
    let trailer = octets.split_off(octets.len().saturating_sub(profile.trailer().len()));
    let body = octets.split_off(frame::header_len(&profile, &octets));
    for (number, (_, chunk)) in frame::chunks(&profile, &body).into_iter().enumerate() {
        octets.extend(index(&profile, number));
        octets.extend(chunk);
    }
    octets.extend(trailer);
    Ok(octets)
}

fn counted_on(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let (before, mut count) = (c.memory.count, 0_usize);
    let octets = indexed(c, payload, |profile, number| {
        count = number.saturating_add(1);
        frame::index(profile, before.saturating_add(number))
    });
    c.memory.count = before.saturating_add(count);
    octets
}

fn short(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let octets = honest::encode(c, payload)?;
    let profile = c.profile();
    let padding = payload
        .len()
        .next_multiple_of(profile.chunk() as usize)
        .saturating_sub(payload.len());
    let behind = padding.saturating_add(profile.trailer().len());
    let whole = octets.len().saturating_sub(behind);
    let octets = octets.get(..whole).unwrap_or_default();
    Ok([octets, &frame::trailer(profile)].concat())
}

fn counting_indexes(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = honest::encode(c, payload)?;
    let profile = c.profile().of_replies();
    let counted = frame::with_indexes(&profile, payload.len());
    let mut header = BytesMut::new();
    Encoder::new(&profile).claim(counted as u64, &mut header)?;
    let old = frame::header_len(&profile, &octets);
    octets.splice(..old, header);
    Ok(octets)
}
