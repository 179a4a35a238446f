//! What clients send.

use super::{Case, must};
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    must(
        Clause::ClientFraming,
        "first-request",
        "The header of the plainest request there is: order, width and unit of its length.",
        |m| m.ask(),
    ),
    must(
        Clause::ClientFraming,
        "next-request",
        "A request behind a reply begins where the one before it ended.",
        |m| {
            m.need_again();
            m.ask();
            m.answer();
            m.ask();
        },
    ),
    must(
        Clause::ClientFraming,
        "in-a-row",
        "Requests that are sent one behind the other, with nothing between them.",
        |m| m.ask_ahead(3),
    ),
    must(
        Clause::ClientFraming,
        "several-chunks",
        "A body of several chunks has a length of more than one octet.",
        |m| {
            let octets = m.chunk().saturating_mul(7).saturating_add(5);
            m.types_payload(octets.max(300));
            m.request();
        },
    ),
    must(
        Clause::ClientFraming,
        "long",
        "A request that fits into no single segment, and whose length needs two octets.",
        |m| {
            m.types_payload(5_000);
            m.request();
        },
    ),
    must(
        Clause::ClientFraming,
        "characters-of-two-octets",
        "The length counts octets, not characters: this text has twice as many of those.",
        |m| {
            let token = m.token("line");
            let many = m.chunk().saturating_mul(2).clamp(60, 1_000);
            m.types_text(format!("{token} {}", "é".repeat(many)));
            m.request();
        },
    ),
    must(
        Clause::ClientPadding,
        "part-of-a-chunk",
        "A payload that leaves most of its chunk empty is padded with NULs, and up to its end.",
        |m| {
            m.need_chunks();
            m.ask();
        },
    ),
    must(
        Clause::ClientPadding,
        "exact-fill",
        "A payload that fills its chunks to the last octet needs no padding, and gets none.",
        |m| {
            m.need_chunks();
            let chunk = m.chunk();
            m.types_payload(chunk);
            m.request();
        },
    ),
    must(
        Clause::ClientPadding,
        "one-octet-short",
        "A payload one octet short of its chunks is padded with one.",
        |m| {
            m.need_chunks();
            let chunk = m.chunk();
            m.types_payload(chunk.saturating_sub(1));
            m.request();
        },
    ),
    must(
        Clause::ClientPadding,
        "one-octet-over",
        "A payload one octet longer than its chunks begins another.",
        |m| {
            m.need_chunks();
            let chunk = m.chunk();
            m.types_payload(chunk.saturating_add(1));
            m.request();
        },
    ),
    must(
        Clause::ClientText,
        "plain",
        "The payload of a plain request is a message as it is.",
        |m| m.ask(),
    ),
    must(
        Clause::ClientText,
        "beyond-ascii",
        "Text is UTF-8 on the wire, whatever the client's machine is set to.",
        |m| {
            let token = m.token("line");
            m.types_text(format!("{token} año, naïve, 漢字, 😀"));
            m.request();
        },
    ),
    must(
        Clause::ClientText,
        "quotes-and-backslashes",
        "What means something in JSON is escaped, or the message ends where the user did not end it.",
        |m| {
            m.need_json();
            let token = m.token("line");
            m.types_text(format!("{token} \"quoted\" and \\ slashed"));
            m.request();
        },
    ),
];
