//! Streams that end inside a frame.

use super::maker::parted;
use super::{Case, Maker};
use crate::lang::say;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Truncation,
        "in-header",
        "The stream ends inside a header: there is no frame, so no reply, and nothing left to wait for.",
        |s| {
            let fits = s.header_len() > 1;
            s.need(fits, say!("the header is a single octet"));
            let half = s.header_len() / 2;
            cut_off(s, half.max(1));
        },
    ),
    Case::must(
        Clause::Truncation,
        "before-body",
        "The stream ends exactly between header and body, which well-known codecs take for a clean end.",
        |s| cut_off(s, s.header_len()),
    ),
    Case::must(
        Clause::Truncation,
        "in-body",
        "The stream ends inside a body.",
        |s| cut_off(s, s.header_len().saturating_add(5)),
    ),
    Case::must(
        Clause::Truncation,
        "last-octet-missing",
        "One octet short of a whole frame is still no frame.",
        |s| cut_off(s, usize::MAX),
    ),
    Case::must(
        Clause::Truncation,
        "at-every-offset",
        "A stream that ends at each offset of a frame, each on a connection of its own.",
        |s| {
            let whole = s.request().len().min(100);
            for octets in 1..whole {
                cut_off(s, octets);
            }
        },
    ),
    Case::must(
        Clause::Truncation,
        "behind-a-request",
        "The request in front is answered, the one cut off is not.",
        |s| {
            for octets in [2, s.header_len(), s.header_len() + 9] {
                let a = s.open();
                s.ask(a);
                let request = s.request();
                s.send(a, parted(&request, octets).0);
                s.leave(a);
            }
        },
    ),
    Case::must(
        Clause::Truncation,
        "part-is-a-message",
        "What has arrived of the body would make a message by itself. It is not the message that was announced.",
        |s| {
            s.need_chunks();
            let a = s.open();
            let payload = s.payload_with("");
            let frame = s.frame_with(&payload, 2);
            let kept = frame.len().saturating_sub(s.chunk_and_index());
            s.send(a, parted(&frame, kept).0);
            s.leave(a);
        },
    ),
    Case::must(
        Clause::Truncation,
        "large-body",
        "A large body of which the greater part has arrived.",
        |s| {
            let a = s.open();
            let request = s.request_of(30_000);
            s.send_cut(a, parted(&request, 25_000).0, &[10_000]);
            s.leave(a);
        },
    ),
    Case::must(
        Clause::Truncation,
        "in-pieces",
        "The pieces of an unfinished frame arrive one by one, then the stream ends.",
        |s| {
            let a = s.open();
            let request = s.request();
            let part = parted(&request, 20).0;
            s.send_octets(a, part);
            s.leave(a);
        },
    ),
];

/// So many octets of a request, at least one short of all, then the end of the stream.
fn cut_off(s: &mut Maker<'_>, octets: usize) {
    let a = s.open();
    let request = s.request();
    let octets = octets.min(request.len().saturating_sub(1));
    s.send(a, request.get(..octets).unwrap_or_default());
    s.leave(a);
}
