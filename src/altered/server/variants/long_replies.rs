//! In which frames a server may send a reply that may be several.

use super::super::client::{Client, Variant};
use super::super::honest;
use crate::altered::alteration::Need;
use crate::wire::EncodeError;

pub(in super::super) const VARIANTS: &[Variant] = &[
    Variant::new(
        "replies-in-many-frames",
        "A reply is sent in four frames that have a part of it each, or nothing, and one that ends it.",
        |h| h.encode = in_parts,
    )
    .only_in(Need::LongReplies),
    Variant::new(
        "replies-in-the-last-frame",
        "All of a reply is in the frame that ends it.",
        |h| h.encode = |c, payload| honest::last_frame(c, payload),
    )
    .only_in(Need::LongReplies),
];

fn in_parts(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let each = payload.len().div_ceil(3).max(1);
    let mut frames = Vec::new();
    for part in payload.chunks(each).chain([&[][..]]) {
        frames.extend(honest::encode_with_id(c, part, c.id)?);
    }
    frames.extend(honest::last_frame(c, b"")?);
    Ok(frames)
}
