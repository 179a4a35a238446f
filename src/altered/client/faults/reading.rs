//! Taking replies off the stream: short reads, and reads that bring too much.

use super::super::half::{Fault, Half};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Mend;
use crate::altered::frame::{self, Body};
use crate::altered::sketch;
use crate::spec::Clause;
use crate::wire::Decoder;
use bytes::BytesMut;
use std::time::Duration;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("reply-header-in-one-read", Clause::ClientReassembly, "ssh-pageant#12",
        "One read is taken for the whole header of a reply, however few octets it brings.",
        Mend::by("The header of a reply is taken from a single read", "Read until every octet of the header has come, and only then take the number out of it.", sketch::READ_EXACTLY),
        |h| h.header = header_in_one_read),
    Fault::new("reply-body-in-one-read", Clause::ClientReassembly, "libssh2#510, ddb#2",
        "One read is taken for the whole body of a reply, and what comes later for the next header.",
        Mend::by("The body of a reply is taken from a single read", "Go on reading until as many octets have come as the header claims, however many reads that takes.", sketch::READ_EXACTLY),
        |h| h.body = in_one_read),
    Fault::new("reply-in-one-read", Clause::ClientReassembly, "rea#8",
        "One read is taken for a whole reply, header and body.",
        Mend::by("A reply is taken from a single read, header and all", "Read the header whole, and then as many octets as it claims.", sketch::READ_EXACTLY),
        |h| h.take = all_in_one_read),
    Fault::new("short-read-is-a-disconnect", Clause::ClientReassembly, "",
        "A read that brings less than the whole body is taken for the end of the stream.",
        Mend::by("A short read is taken for the end of the stream", "Take only a read of no octets at all for the end of the stream, and go on reading after any other.", sketch::READ_EXACTLY),
        |h| h.body = whole_or_gone),
    Fault::new("part-of-a-reply-dropped", Clause::ClientReassembly, "mqtt5_client#36",
        "When what has been read is no whole reply yet, it is dropped.",
        Mend::by("What has come of an unfinished reply is dropped", "Keep what has come until the rest is there.", sketch::KEEP_THE_REST),
        |h| h.take = whole_or_dropped),
    Fault::new("reply-octets-counted-as-asked", Clause::ClientReassembly, "",
        "Each read lowers the number of octets still to come by what was asked for, not by what it brought.",
        Mend::by("Octets are counted as asked for, not as received", "Lower what is still to come by the number that the read returned.", sketch::READ_EXACTLY),
        |h| h.body = counting_what_was_asked),
    Fault::new("reply-decoded-piece-by-piece", Clause::ClientReassembly, "sseclient#8, nx#34151",
        "Each piece of a reply is decoded by itself, so that a character on a cut is lost.",
        Mend::by("Each piece of a reply is decoded by itself", "Put the whole payload together as octets, and decode it once.", sketch::DECODE),
        |h| h.body = piece_by_piece),
    Fault::new("reply-cut-to-the-buffer", Clause::ClientReassembly, "",
        "Of a reply larger than the buffer of 4096 octets the rest is read and dropped.",
        Mend::by("A reply larger than the buffer is cut off", "Read the whole reply in as many pieces as the buffer needs.", sketch::READ_EXACTLY),
        |h| h.body = cut_to_the_buffer),

    Fault::new("first-reply-of-a-read-only", Clause::ClientBoundary, "songxinjianqwe/Chat#4",
        "What a read brings behind the first whole reply is dropped.",
        Mend::by("What a read brings behind the first reply is thrown away", "Keep what is left over behind a reply, and look there for the next one before reading again.", sketch::KEEP_THE_REST),
        |h| h.take = first_of_a_read),
    Fault::new("replies-in-reads-of-a-fixed-size", Clause::ClientBoundary, "",
        "A body is read 60 octets at a time until there is enough, and what the last read took of the next reply is dropped.",
        Mend::by("A reply is read in pieces that reach into the next one", "Ask each read for no more than is still missing of this reply.", sketch::READ_EXACTLY),
        |h| h.body = in_fixed_reads),
    Fault::new("octet-behind-a-reply-taken", Clause::ClientBoundary, "",
        "The loop over a body runs once too often and takes the octet behind it, if that is here.",
        Mend::by("One octet too many is read behind a reply", "Stop as soon as nothing is missing, and ask each read for no more than that.", sketch::READ_EXACTLY),
        |h| h.body = one_too_many),
    Fault::new("reply-taken-for-a-repetition", Clause::ClientBoundary, "",
        "A reply that is as long as the one before is taken for its repetition and dropped.",
        Mend::by("A reply as long as the one before is dropped", "Take every reply for one of its own, whatever it says.", sketch::ONE_REPLY),
        |h| h.take = unless_repeated),
];

const INSIDE: End = End::Eof { inside: true };

fn header_in_one_read(c: &mut Half) -> Result<Vec<u8>, End> {
    let wanted = c.profile().header_len();
    let mut header = c.recv(wanted)?;
    if header.is_empty() {
        return Err(End::Eof { inside: false });
    }
    // What grows is read as far as it is there.
    while header.len() >= wanted && frame::missing(c.profile(), &header) > 0 {
        let came = c.recv_at_once()?;
        if came.is_empty() {
            break;
        }
        header.extend(came);
    }
    Ok(header)
}

fn in_one_read(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = c.recv(wanted)?;
    if octets.is_empty() && wanted > 0 {
        return Err(INSIDE);
    }
    Ok(octets)
}

fn all_in_one_read(c: &mut Half) -> Result<Body, End> {
    c.fill()?;
    let header: Vec<u8> = c.recv(frame::header_len(c.profile(), &c.inbox))?;
    let rest = std::mem::take(&mut c.inbox);
    let body = honest::sizes(c, &header)?.body;
    Ok(Body {
        octets: rest.get(..body).unwrap_or(&rest).to_vec(),
        payload: None,
    })
}

fn whole_or_gone(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = in_one_read(c, wanted)?;
    if octets.len() < wanted {
        return Err(INSIDE);
    }
    Ok(octets)
}

/// The whole reply at the front of what has been read, if there is one.
fn whole_reply(c: &mut Half) -> Result<Option<Body>, End> {
    let mut octets = BytesMut::from(c.inbox.as_slice());
    let mut decoder = Decoder::new(&c.profile().of_replies());
    let frame = decoder.decode(&mut octets).map_err(|_| End::Malformed)?;
    let Some(frame) = frame else { return Ok(None) };
    c.inbox = octets.to_vec();
    Ok(Some(Body {
        octets: frame.body().to_vec(),
        payload: Some(frame.payload().len()),
    }))
}

fn whole_or_dropped(c: &mut Half) -> Result<Body, End> {
    loop {
        if let Some(body) = whole_reply(c)? {
            return Ok(body);
        }
        c.inbox.clear();
        c.fill()?;
    }
}

fn first_of_a_read(c: &mut Half) -> Result<Body, End> {
    c.inbox.clear();
    loop {
        c.fill()?;
        if let Some(body) = whole_reply(c)? {
            return Ok(body);
        }
    }
}

/// As many octets as wanted or more, in reads of at most so many, with `count` told what was asked for
/// and what came.
fn in_reads(
    c: &mut Half,
    wanted: usize,
    most: usize,
    count: fn(usize, usize) -> usize,
) -> Result<Vec<u8>, End> {
    let (mut counted, mut octets) = (0_usize, Vec::new());
    while counted < wanted {
        let came = c.recv(most)?;
        if came.is_empty() {
            return Err(INSIDE);
        }
        counted = counted.saturating_add(count(most, came.len()));
        octets.extend(came);
    }
    octets.truncate(wanted);
    Ok(octets)
}

fn counting_what_was_asked(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let chunk = match c.profile().chunk() {
        1 => 60,
        octets => usize::try_from(octets).unwrap_or(usize::MAX),
    };
    in_reads(c, wanted, chunk, |asked, _| asked)
}

fn in_fixed_reads(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    in_reads(c, wanted, 60, |_, came| came)
}

fn piece_by_piece(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let (mut left, mut text) = (wanted, String::new());
    while left > 0 {
        let piece = c.recv(left)?;
        if piece.is_empty() {
            return Err(INSIDE);
        }
        left = left.saturating_sub(piece.len());
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    Ok(text.into_bytes())
}

fn cut_to_the_buffer(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = honest::body(c, wanted)?;
    octets.truncate(4096);
    Ok(octets)
}

fn one_too_many(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = honest::body(c, wanted)?;
    if c.inbox.is_empty() {
        c.look_ahead(Duration::from_millis(5))?;
    }
    c.inbox.drain(..c.inbox.len().min(1));
    Ok(octets)
}

fn unless_repeated(c: &mut Half) -> Result<Body, End> {
    loop {
        let body = honest::take(c)?;
        let before = std::mem::replace(&mut c.memory.count, body.octets.len());
        if before != body.octets.len() {
            return Ok(body);
        }
    }
}
