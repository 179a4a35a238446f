//! Messages that pretend to be over: what stands behind a pad octet in a payload.

use super::maker::parted;
use super::{Case, Maker};
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Smuggling,
        "two-messages",
        "Two messages with a NUL between them in one body: a server that cuts at the first NUL answers what others in front of it never saw.",
        |s| {
            smuggled(s, |s| {
                vec![
                    s.payload_with(""),
                    vec![s.profile().pad()],
                    s.payload_with(""),
                ]
            })
        },
    ),
    Case::must(
        Clause::Smuggling,
        "garbage-behind",
        "A message, a NUL, and then octets that a careless reader never looks at.",
        |s| {
            smuggled(s, |s| {
                vec![
                    s.payload_with(""),
                    vec![s.profile().pad()],
                    b"garbage".to_vec(),
                ]
            })
        },
    ),
    Case::must(
        Clause::Smuggling,
        "second-chunk",
        "The first chunk holds a padded message, the second another: only the last padding is padding.",
        |s| {
            smuggled(s, |s| {
                let first = s.payload_with("");
                let first = s.craft().body(&first, 0);
                vec![first, s.payload_with("")]
            });
        },
    ),
    Case::must(
        Clause::Smuggling,
        "frame-inside",
        "A whole frame, header and all, inside the payload of another.",
        |s| {
            smuggled(s, |s| {
                let outer = s.payload_with("");
                vec![outer, vec![s.profile().pad(); 2], s.request()]
            });
        },
    ),
    Case::must(
        Clause::Smuggling,
        "inside-a-text",
        "NULs in the middle of a text, which would be whole without them: to take them out makes a message of what is none.",
        |s| {
            smuggled(s, |s| {
                let payload = s.payload_with(" in two halves");
                let middle = payload.len().saturating_sub(8);
                let (front, back) = parted(&payload, middle);
                vec![front.to_vec(), vec![s.profile().pad(); 2], back.to_vec()]
            });
        },
    ),
    Case::must(
        Clause::Smuggling,
        "far-behind",
        "A message, chunks of NULs, and one octet at the very end.",
        |s| {
            smuggled(s, |s| {
                let first = s.payload_with("");
                let first = s.craft().body(&first, 3);
                vec![first, b"!".to_vec()]
            });
        },
    ),
];

/// A payload of these parts, then a request.
fn smuggled(s: &mut Maker<'_>, parts: fn(&mut Maker<'_>) -> Vec<Vec<u8>>) {
    s.need_chunks();
    s.need_json();
    s.need_text();
    let a = s.open();
    let payload = parts(s).concat();
    let frame = s.frame(&payload);
    s.send(a, &frame);
    s.wait(a);
    s.quiet(a);
    s.ask(a);
}
