//! What clients send.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case::must(
        "client-framing/first-request",
        "The header of the plainest request there is: order, width and unit of its length.",
        |m| m.ask(),
    ),
    Case::must(
        "client-framing/next-request",
        "A request behind a reply begins where the one before it ended.",
        |m| {
            m.needs_again();
            m.ask();
            m.answer();
            m.ask();
        },
    ),
    Case::must(
        "client-framing/in-a-row",
        "Requests that are sent one behind the other, with nothing between them.",
        |m| {
            m.needs_ahead();
            for _ in 0..3 {
                m.types();
            }
            for _ in 0..3 {
                m.request();
            }
        },
    ),
    Case::must(
        "client-framing/several-chunks",
        "A body of several chunks has a length of more than one octet.",
        |m| {
            let octets = m.craft().chunk().saturating_mul(7).saturating_add(5);
            m.types_payload(octets.max(300));
            m.request();
        },
    ),
    Case::must(
        "client-framing/long",
        "A request that fits into no single segment, and whose length needs two octets.",
        |m| {
            m.types_payload(5_000);
            m.request();
        },
    ),
    Case::must(
        "client-framing/characters-of-two-octets",
        "The length counts octets, not characters: this text has twice as many of those.",
        |m| {
            let token = m.token("line");
            let many = m.craft().chunk().saturating_mul(2).clamp(60, 1_000);
            m.types_text(format!("{token} {}", "é".repeat(many)));
            m.request();
        },
    ),
    Case::must(
        "client-padding/part-of-a-chunk",
        "A payload that leaves most of its chunk empty is padded with NULs, and up to its end.",
        |m| {
            m.needs_padding();
            m.ask();
        },
    ),
    Case::must(
        "client-padding/exact-fill",
        "A payload that fills its chunks to the last octet needs no padding, and gets none.",
        |m| {
            m.needs_padding();
            let chunk = m.craft().chunk();
            m.types_payload(chunk);
            m.request();
        },
    ),
    Case::must(
        "client-padding/one-octet-short",
        "A payload one octet short of its chunks is padded with one.",
        |m| {
            m.needs_padding();
            let chunk = m.craft().chunk();
            m.types_payload(chunk.saturating_sub(1));
            m.request();
        },
    ),
    Case::must(
        "client-padding/one-octet-over",
        "A payload one octet longer than its chunks begins another.",
        |m| {
            m.needs_padding();
            let chunk = m.craft().chunk();
            m.types_payload(chunk.saturating_add(1));
            m.request();
        },
    ),
    Case::must(
        "client-text/plain",
        "The payload of a plain request is a message as it is.",
        |m| m.ask(),
    ),
    Case::must(
        "client-text/beyond-ascii",
        "Text is UTF-8 on the wire, whatever the client's machine is set to.",
        |m| {
            let token = m.token("line");
            m.types_text(format!("{token} año, naïve, 漢字, 😀"));
            m.request();
        },
    ),
    Case::must(
        "client-text/quotes-and-backslashes",
        "What means something in JSON is escaped, or the message ends where the user did not end it.",
        |m| {
            m.needs_json();
            let token = m.token("line");
            m.types_text(format!("{token} \"quoted\" and \\ slashed"));
            m.request();
        },
    ),
];
