//! Lengths that clients believe, and those that they do not.

use super::super::half::{Fault, Half};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body, Malformed, Sizes};
use crate::altered::sketch;
use crate::profile::Profile;
use crate::spec::Clause;
use std::hint::black_box;
use std::thread::sleep;
use std::time::Duration;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("any-reply-length-believed", Clause::ClientLimit, "vnc-rs#16, CyrusDesk#20",
        "Any length of a reply is believed, and its body waited for.",
        Mend::by("No length of a reply is too large", "Compare the length with a limit before anything of the body is read, and close the connection if it is above.", sketch::LIMIT),
        |h| h.sizes = |profile, count| frame::sizes_up_to(profile, count, i128::MAX)),
    Fault::new("room-made-before-the-limit-is-looked-at", Clause::ClientLimit, "russh-sftp#100",
        "Room for a reply is reserved as its header claims it, and the limit looked at then.",
        Mend::by("Room for a reply is reserved before its length is checked", "Compare the length with the limit first, and let the buffer grow with what arrives.", sketch::GROW),
        |h| h.header = with_room),
    Fault::new("reply-limit-of-16-kib", Clause::ClientLimit, "",
        "Replies of more than 16 KiB are refused, although they are within any limit that there may be.",
        Mend::by("Replies above 16 KiB are refused", "Set the limit no lower than what the protocol lets every server send.", sketch::LIMIT),
        |h| h.sizes = |profile, count| frame::sizes_up_to(profile, count, 16 << 10)),
    Fault::new("reply-limit-a-chunk-too-high", Clause::ClientLimit, "",
        "A reply of one chunk above the limit is taken.",
        Mend::by("The limit lets one chunk too many pass", "Refuse every length that is greater than the limit.", sketch::LIMIT),
        |h| h.sizes = |profile, count| frame::sizes_up_to(profile, count, limit(profile, 1))).needing(Need::DeclaredLimit),
    Fault::new("reply-limit-a-chunk-too-low", Clause::ClientLimit, "",
        "A reply of exactly the limit is refused.",
        Mend::by("A reply of exactly the limit is refused", "Refuse only what is greater than the limit, not what is equal to it.", sketch::LIMIT),
        |h| h.sizes = |profile, count| frame::sizes_up_to(profile, count, limit(profile, -1))).needing(Need::DeclaredLimit),
    Fault::new("negative-reply-length-passes", Clause::ClientLimit, "aircrack-ng-archive#16, vertx-eventbus-bridge-clients#58",
        "The length is a signed number when it is compared with the limit, and a negative one is an empty reply.",
        Mend::by("A length above 2 GiB counts as negative and passes the check", "Read the length as an unsigned number.", sketch::LENGTH),
        |h| h.sizes = negative_is_nothing),
    Fault::new("oversize-reply-drained", Clause::ClientLimit, "",
        "A reply above the limit is read to its end and dropped.",
        Mend::by("A reply above the limit is read and dropped", "Close the connection as soon as the header has been read.", sketch::LIMIT),
        |h| h.take = draining),
];

/// The limit and so many chunks more.
fn limit(profile: &Profile, chunks: i128) -> i128 {
    let chunk = i128::from(profile.chunk());
    i128::from(profile.max_body()).saturating_add(chunks.saturating_mul(chunk))
}

/// The body that a header claims, whatever the limit.
fn claimed(c: &Half, header: &[u8]) -> Option<Sizes> {
    let any = |profile: &Profile, count| frame::sizes_up_to(profile, count, i128::MAX);
    frame::sizes_in(&c.profile().of_replies(), header, frame::count, any).ok()
}

/// How long room is kept that is not needed: long enough to be seen.
const KEPT: Duration = Duration::from_millis(500);

fn with_room(c: &mut Half) -> Result<Vec<u8>, End> {
    let header = honest::header(c)?;
    let Some(Sizes { body, .. }) = claimed(c, &header) else {
        return Ok(header);
    };
    let mut room: Vec<u8> = Vec::new();
    let is_had = room.try_reserve_exact(body).is_ok();
    if black_box(is_had) && limit(c.profile(), 0) < i128::try_from(room.capacity()).unwrap_or(0) {
        sleep(KEPT);
    }
    drop(black_box(room));
    Ok(header)
}

fn negative_is_nothing(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    if count >= frame::modulus(profile) / 2 {
        return Ok(Sizes {
            body: 0,
            payload: None,
        });
    }
    frame::sizes(profile, count)
}

fn draining(c: &mut Half) -> Result<Body, End> {
    loop {
        let header = honest::header(c)?;
        let Some(Sizes { body, .. }) = claimed(c, &header) else {
            return Err(End::Malformed);
        };
        if i128::try_from(body).unwrap_or(i128::MAX) <= limit(c.profile(), 0) {
            return honest::rest_of_frame(c, &header);
        }
        let mut left = body;
        while left > 0 {
            match c.recv(left)?.len() {
                0 => return Err(End::Eof { inside: true }),
                taken => left = left.saturating_sub(taken),
            }
        }
    }
}
