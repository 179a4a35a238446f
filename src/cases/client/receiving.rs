//! How clients read replies: in whatever pieces, one behind the other, with whatever payload.

use super::{Case, Maker, must, should};
use crate::lang::say;
use crate::spec::Clause;

/// How many octets at each end of a reply are sent alone where all are: what lies between is padding.
const ALONE: usize = 200;

/// Sends one reply, cut at these places, which are counted from its first octet.
fn cut_at(m: &mut Maker<'_>, places: impl FnOnce(usize, usize) -> Vec<usize>) {
    m.ask();
    let frame = frame_to_cut(m);
    let places = places(m.header_of(&frame), frame.len());
    m.send(&frame, &places);
    m.shown();
}

/// A reply, larger than others where its header were a single octet otherwise.
fn frame_to_cut(m: &mut Maker<'_>) -> Vec<u8> {
    let is_cut = m.header_of(&m.craft().frame(&[b'm'; 47])) > 1;
    let text = m.text_for_payload(if is_cut { 47 } else { 200 });
    m.reply_with(&text)
}

/// Two requests, and both replies in one stream cut at places that are counted from the second.
fn two_cut_at(m: &mut Maker<'_>, places: impl FnOnce(usize, usize) -> Vec<usize>) {
    m.ask_ahead(2);
    let mut both = m.reply();
    let second = both.len();
    both.extend(m.reply());
    let places = places(second, m.header_of(&both));
    m.send_all(&both, &places);
    m.shown();
}

/// A reply with that payload, no message, and then a good one to the next request.
fn undecodable(m: &mut Maker<'_>, payload: &[u8]) {
    let frame = m.frame(payload);
    undecodable_frame(m, &frame);
}

fn undecodable_frame(m: &mut Maker<'_>, frame: &[u8]) {
    m.ask();
    m.send(frame, &[]);
    after_undecodable(m);
}

fn after_undecodable(m: &mut Maker<'_>) {
    if m.client().again {
        m.settle();
        m.ask();
        m.answer();
    } else {
        m.must_end();
    }
}

pub(super) const SPLITS: &[Case] = &[
    must(
        Clause::ClientReassembly,
        "header-octet-by-octet",
        "A read returns what has arrived, which may be one octet of the header.",
        |m| cut_at(m, |header, _| (1..=header).collect()),
    ),
    must(
        Clause::ClientReassembly,
        "header-in-halves",
        "Half a header is not a header, and least of all a small number.",
        |m| cut_at(m, |header, _| vec![header / 2]),
    ),
    must(
        Clause::ClientReassembly,
        "header-then-body",
        "The body may come later than its header.",
        |m| cut_at(m, |header, _| vec![header]),
    ),
    must(
        Clause::ClientReassembly,
        "header-with-one-octet",
        "The first octet of the body may come with the header.",
        |m| cut_at(m, |header, _| vec![header.saturating_add(1)]),
    ),
    must(
        Clause::ClientReassembly,
        "body-in-halves",
        "A body that arrives in part is waited for.",
        |m| cut_at(m, |header, len| vec![len.saturating_add(header) / 2]),
    ),
    must(
        Clause::ClientReassembly,
        "last-octet-alone",
        "The last octet of the padding belongs to the reply like any other.",
        |m| cut_at(m, |_, len| vec![len.saturating_sub(1)]),
    ),
    must(
        Clause::ClientReassembly,
        "octet-by-octet",
        "The worst that a network can do, and still the same reply.",
        |m| {
            cut_at(m, |_, len| {
                let late = len.saturating_sub(ALONE);
                let is_alone = |place: &usize| *place <= ALONE || *place >= late;
                (1..len).filter(is_alone).collect()
            });
        },
    ),
    must(
        Clause::ClientReassembly,
        "inside-a-character",
        "A cut inside a character of several octets is no reason to decode half of it.",
        |m| {
            let text = |token| format!("{token} ñandú, 漢字, 😀 and {token}");
            let whole = text(m.token("reply"));
            if m.client().again {
                m.ask();
                let frame = m.reply_with(&whole);
                m.send(&frame, &[]);
                m.shown();
            }
            m.ask();
            let token = m.token("reply");
            let frame = m.reply_with(&text(token));
            let is_inside = |octet: &u8| *octet & 0xc0 == 0x80;
            let places = frame.iter().enumerate();
            let inside: Vec<usize> = places
                .filter(|(_, octet)| is_inside(octet))
                .map(|(place, _)| place)
                .collect();
            m.send(&frame, &inside);
            m.shown();
        },
    ),
    must(
        Clause::ClientReassembly,
        "longer-than-a-read",
        "A reply may be longer than the buffer of any one read.",
        |m| {
            m.ask();
            let text = m.text_for_payload(20_011);
            let frame = m.reply_with(&text);
            m.send(&frame, &[]);
            m.shown();
        },
    ),
    must(
        Clause::ClientReassembly,
        "long-in-pieces",
        "A long reply whose pieces fit neither chunks nor buffers.",
        |m| {
            m.ask();
            let text = m.text_for_payload(9_007);
            let frame = m.reply_with(&text);
            let places: Vec<usize> = (1..frame.len()).step_by(997).collect();
            m.send(&frame, &places);
            m.shown();
        },
    ),
    must(
        Clause::ClientBoundary,
        "one-behind-the-other",
        "Each request gets its reply, and each reply is read on its own.",
        |m| {
            m.need_again();
            for _ in 0..3 {
                m.ask();
                m.answer();
            }
        },
    ),
    must(
        Clause::ClientBoundary,
        "two-in-one-segment",
        "Two replies may arrive at once; the second is not to be lost with the buffer.",
        |m| two_cut_at(m, |_, _| vec![]),
    ),
    must(
        Clause::ClientBoundary,
        "three-in-one-segment",
        "What holds for two replies holds for any number.",
        |m| {
            m.ask_ahead(3);
            let all = [m.reply(), m.reply(), m.reply()].concat();
            m.send_all(&all, &[]);
            m.shown();
        },
    ),
    must(
        Clause::ClientBoundary,
        "tail-with-next",
        "The end of a body and the whole next reply in one segment: a read of fixed size takes too much.",
        |m| two_cut_at(m, |second, header| vec![second.saturating_add(header) / 2]),
    ),
    must(
        Clause::ClientBoundary,
        "tail-with-next-header",
        "The end of a body comes with the next header, whose body comes later.",
        |m| {
            two_cut_at(m, |second, header| {
                vec![second.saturating_sub(9), second.saturating_add(header)]
            });
        },
    ),
    must(
        Clause::ClientBoundary,
        "whole-with-half-a-header",
        "A reply comes with the first half of the next header.",
        |m| two_cut_at(m, |second, header| vec![second.saturating_add(header / 2)]),
    ),
];

pub(super) const PAYLOADS: &[Case] = &[
    must(
        Clause::ClientPayload,
        "exact-fill",
        "A reply that fills its chunk has no padding, and nothing more is to be waited for.",
        |m| {
            m.need_chunks();
            filling(m, 1, 0);
        },
    ),
    must(
        Clause::ClientPayload,
        "exact-fill-of-two-chunks",
        "The last chunk may be full as well as the first.",
        |m| {
            m.need_chunks();
            filling(m, 2, 0);
        },
    ),
    must(
        Clause::ClientPayload,
        "one-pad-octet",
        "A single NUL is padding too.",
        |m| {
            m.need_chunks();
            filling(m, 1, 1);
        },
    ),
    should(
        Clause::ClientPayload,
        "one-chunk-more",
        "More padding than is needed carries no meaning; it is dropped all the same.",
        |m| more_padding(m, 1),
    ),
    should(
        Clause::ClientPayload,
        "many-chunks-more",
        "And so is a lot of it.",
        |m| more_padding(m, 9),
    ),
    must(
        Clause::ClientPayload,
        "pad-octet-inside",
        "A payload that goes on behind a NUL is no message, and its first part is none either.",
        |m| {
            m.need_chunks();
            m.need_json();
            m.ask();
            let (one, other) = (m.token("reply"), m.token("reply"));
            let payload = [m.payload(&one), vec![0], m.payload(&other)].concat();
            undecodable(m, &payload);
        },
    ),
    should(
        Clause::ClientPayload,
        "pad-octet-in-front",
        "Padding stands at the end. A NUL in front belongs to the payload, which is then no message.",
        |m| {
            m.need_chunks();
            m.need_json();
            m.ask();
            let text = m.token("reply");
            let payload = [vec![0], m.payload(&text)].concat();
            undecodable(m, &payload);
        },
    ),
    must(
        Clause::ClientUndecodable,
        "empty-frame",
        "A length of 0 is a whole reply with nothing in it: neither the end of the stream nor no reply.",
        |m| {
            m.need_json();
            let frame = m.frame(b"");
            undecodable_frame(m, &frame);
        },
    ),
    must(
        Clause::ClientUndecodable,
        "nothing-but-padding",
        "A chunk of NULs is an empty payload, too.",
        |m| {
            m.need_json();
            m.need_chunks();
            let frame = m.frame_with(b"", 1);
            undecodable_frame(m, &frame);
        },
    ),
    must(
        Clause::ClientUndecodable,
        "no-json",
        "A reply in plain words is no message.",
        |m| {
            m.need_json();
            undecodable(m, b"500 internal error");
        },
    ),
    must(
        Clause::ClientUndecodable,
        "unfinished-json",
        "A JSON text that stops in the middle is no message.",
        |m| {
            m.need_json();
            undecodable(m, b"{\"text\": \"never fini");
        },
    ),
    must(
        Clause::ClientUndecodable,
        "no-utf",
        "Octets that are not UTF-8 raise another error than text that is not JSON.",
        |m| {
            let payload = [b"\"\xff\xfe\xc3(".as_slice(), b"\""].concat();
            if m.profile().payload() == crate::profile::Payload::Opaque {
                m.skip(say!("payloads are any octets in this wire format"));
            }
            undecodable(m, &payload);
        },
    ),
    must(
        Clause::ClientUndecodable,
        "half-a-surrogate-pair",
        "An escape that is half of a character: some parsers take it, and then it cannot be printed.",
        |m| {
            m.need_json();
            undecodable(m, b"\"\\ud800\"");
        },
    ),
    must(
        Clause::ClientUndecodable,
        "five-thousand-digits",
        "A number that is JSON and larger than what some languages convert.",
        |m| {
            m.need_json();
            undecodable(m, "7".repeat(5_000).as_bytes());
        },
    ),
    must(
        Clause::ClientUndecodable,
        "deep-nesting",
        "Arrays in arrays, deeper than a parser that calls itself can follow.",
        |m| {
            m.need_json();
            let nested = ["[".repeat(9_000), "]".repeat(9_000)].concat();
            undecodable(m, nested.as_bytes());
        },
    ),
];

/// A reply of so many chunks that leaves so many octets of the last to padding, and another one
/// behind it if the client asks again.
fn filling(m: &mut Maker<'_>, chunks: usize, pad: usize) {
    let octets = m.chunk().saturating_mul(chunks);
    m.ask();
    let text = m.text_for_payload(octets.saturating_sub(pad));
    let frame = m.reply_with(&text);
    m.send(&frame, &[]);
    m.shown();
    if m.client().again {
        m.ask();
        m.answer();
    }
}

fn more_padding(m: &mut Maker<'_>, chunks: usize) {
    m.need_chunks();
    m.ask();
    let text = m.token("reply");
    let frame = m.reply_padded(&text, chunks);
    m.send(&frame, &[]);
    m.shown();
    if m.client().again {
        m.ask();
        m.answer();
    }
}
