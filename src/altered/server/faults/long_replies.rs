//! Replies of several frames: what ends them, and what comes between.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use super::exchange::noting_errors;
use crate::altered::alteration::{Mend, Need};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::spec::Clause;
use crate::wire::EncodeError;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("complaint-without-its-last-frame", Clause::Undecodable, "",
        "What is said to a payload that cannot be decoded has no frame that ends it.",
        Mend::by("The reply to an undecodable payload is not ended", "End each reply in one place, whatever it says.", sketch::LAST_FRAME),
        |h| {
            h.read = noting_errors;
            h.encode = |c, payload| if c.memory.flag { honest::encode_with_id(c, payload, c.id) } else { honest::encode(c, payload) };
        }).needing(Need::LongReplies).within(&[Room::Undecodable]),
    Fault::new("every-tenth-reply-without-its-last-frame", Clause::OneReply, "",
        "The tenth reply of a connection, and each tenth behind it, has no frame that ends it.",
        Mend::by("Some replies have no frame that ends them", "End each reply in one place, whatever path it takes.", sketch::LAST_FRAME),
        |h| h.encode = |c, payload| if c.frames % 10 == 0 { honest::encode_with_id(c, payload, c.id) } else { honest::encode(c, payload) }).needing(Need::LongReplies),
    Fault::new("replies-interleaved-by-frames", Clause::Order, "",
        "Of two requests that arrive together, the frames of the second reply come in front of the one that ends the first.",
        Mend::by("Frames of two replies come one among the other", "Send all frames of a reply before the first of the next.", sketch::LAST_FRAME),
        |h| h.send = |c, octets| Box::pin(among_the_next(c, octets))).needing(Need::LongReplies),
    Fault::new("last-frame-twice-if-another-waits", Clause::OneReply, "",
        "A reply behind whose request another has come already is ended twice.",
        Mend::by("A reply is ended by two frames", "End each reply in one place.", sketch::LAST_FRAME),
        |h| h.encode = with_two_ends).needing(Need::LongReplies),
    Fault::new("frame-behind-the-last", Clause::Unsolicited, "",
        "Behind the frame that ends the second reply of a connection comes one more that does not.",
        Mend::by("A frame comes behind the one that ends a reply", "Send nothing behind the frame that ends a reply until the next request has come.", sketch::LAST_FRAME),
        |h| h.encode = with_one_more).needing(Need::LongReplies),
];

/// Two replies as one write, the second's frames in front of the end of the first.
async fn among_the_next(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let held = std::mem::take(&mut c.memory.octets);
    if held.is_empty() && c.has_another() {
        c.memory.octets = octets;
        return Ok(());
    }
    let end = honest::last_frame(c, b"").unwrap_or_default().len();
    let split = |octets: &[u8]| {
        let at = octets.len().saturating_sub(end);
        let (frames, end) = octets.split_at(at);
        (frames.to_vec(), end.to_vec())
    };
    let ((first, its_end), (second, its)) = (split(&held), split(&octets));
    c.send_all(&[first, second, its_end, its].concat()).await
}

fn with_two_ends(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let octets = honest::encode(c, payload)?;
    let again = match c.has_another() {
        true => honest::last_frame(c, b"")?,
        false => Vec::new(),
    };
    Ok([octets, again].concat())
}

fn with_one_more(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let octets = honest::encode(c, payload)?;
    let more = match c.frames {
        2 => honest::encode_with_id(c, b"1", c.id)?,
        _ => Vec::new(),
    };
    Ok([octets, more].concat())
}
