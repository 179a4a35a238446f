//! What messages mean: that they arrive as they were sent, and whole.

use super::messages::texts;
use super::{Case, Maker};
use crate::judge::frame_log::FrameLog;
use crate::judge::{Finding, excerpt};
use crate::lang::say;
use crate::profile::{Payload, Profile, Reply};
use crate::script::index;
use crate::spec::Clause;
use crate::transcript::Transcript;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Fidelity,
        "ascii",
        "Every printable ASCII character, and the escapes that JSON needs.",
        |s| {
            let ascii: String = (' '..='~').collect();
            said(s, &[&ascii]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "two-octets",
        "Letters of two octets: Latin, Greek, Cyrillic.",
        |s| {
            said(
                s,
                &[
                    "ñandú, \u{e1}rbol, \u{fc}ber",
                    "\u{3b1}\u{3b2}\u{3b3}",
                    "\u{436}\u{443}\u{43a}",
                ],
            );
        },
    ),
    Case::must(
        Clause::Fidelity,
        "three-octets",
        "Characters of three octets, as most of the world's scripts have.",
        |s| {
            said(
                s,
                &[
                    "\u{65e5}\u{672c}\u{8a9e}",
                    "\u{20ac} \u{2014} \u{201c}x\u{201d}",
                    "\u{0939}\u{093f}\u{0928}",
                ],
            );
        },
    ),
    Case::must(
        Clause::Fidelity,
        "four-octets",
        "Characters beyond the first plane take four octets, and two units in UTF-16.",
        |s| {
            said(
                s,
                &["\u{1f600}\u{1f631}\u{1f389}", "\u{10348}", "\u{2070e}"],
            );
        },
    ),
    Case::must(
        Clause::Fidelity,
        "combining",
        "Composed and decomposed forms are different texts; nobody asked to normalise.",
        |s| {
            said(s, &["\u{e9} e\u{301}", "\u{1100}\u{1161} \u{ac00}"]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "escapes",
        "Quotes, backslashes and control characters travel as escapes.",
        |s| {
            said(
                s,
                &[
                    "\"\\\"",
                    "\\n is not \n",
                    "\u{1}\u{1f}\u{7f}",
                    "\r\n\t\u{8}\u{c}",
                ],
            );
        },
    ),
    Case::must(
        Clause::Fidelity,
        "escaped-nul",
        "The escape \\u0000 is a character of the text and no octet of the body: neither padding nor an end.",
        |s| said(s, &["a\u{0}b", "\u{0}\u{0}end", "x\u{0}"]),
    ),
    Case::must(
        Clause::Fidelity,
        "unicode-escapes",
        "The same text may be sent as \\u escapes, pairs for what is beyond the first plane.",
        |s| {
            s.need_free_json();
            let a = s.open();
            for escaped in ["\\u00e9\\u20ac", "\\ud83d\\ude00", "\\u0041\\/\\b"] {
                let mut payload = s.payload_with("");
                payload.pop();
                payload.extend_from_slice(format!(" {escaped}\"").as_bytes());
                let frame = s.frame(&payload);
                s.send(a, &frame);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Fidelity,
        "spaces",
        "White space at both ends of a text belongs to it.",
        |s| {
            said(s, &["  two before the end  ", "tab\t", "   "]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "long",
        "A long text of characters of every length arrives whole.",
        |s| {
            let long = "a\u{e9}\u{20ac}\u{1f600}".repeat(2_000);
            said(s, &[&long]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "whole-at-each-size",
        "A text of any size arrives whole: of one that is too long nobody keeps as much as there is room for.",
        |s| whole(s, &[300, 1_100, 4_200, 9_000, 17_000, 32_000]),
    ),
    Case::must(
        Clause::Fidelity,
        "whole-when-very-large",
        "So does one that is larger than every server must take, or it is refused; it is not halved.",
        |s| {
            s.need_body(140_000);
            whole(s, &[66_000, 140_000]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "alike-but-for-a-part",
        "Requests as long as one another that begin alike, or begin and end alike: whoever keeps replies and knows a request again by its length and a part of its text hands out an old one.",
        |s| {
            s.need_text();
            let a = s.open();
            for octets in [400, 1_500, 9_000, 30_000] {
                for payload in s.payloads_alike(octets) {
                    let request = s.frame(&payload);
                    s.send(a, &request);
                    s.wait(a);
                }
            }
        },
    ),
    Case::must(
        Clause::Fidelity,
        "across-chunks",
        "Characters of four octets at every place around the end of a chunk: chunks are octets, not text.",
        |s| {
            s.need_text();
            let a = s.open();
            let chunk = s.profile().index().map_or(s.chunk(), index::chunk).max(8);
            let free = chunk
                .saturating_mul(2)
                .saturating_sub(s.shortest().checked_rem(chunk).unwrap_or_default());
            for before in free.saturating_sub(6)..=free.saturating_add(2) {
                let request = s.request_with(&format!("{}\u{1f600}\u{20ac}", "-".repeat(before)));
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Fidelity,
        "across-segments",
        "Segments that cut a character in two.",
        |s| {
            s.need_text();
            let a = s.open();
            for cut in 1..4 {
                let request = s.request_with(" \u{1f600}\u{1f600}\u{1f600}");
                let text = s.shortest().saturating_add(cut);
                let cuts = [text, text.saturating_add(4)].map(|at| s.place_in(&request, at));
                s.send_cut(a, &request, &cuts);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Fidelity,
        "values",
        "What is not text arrives unchanged too, where the server echoes: numbers, literals, nesting, order of items.",
        |s| {
            texts(
                s,
                &[
                    "[0, -0.5, 1e2, 123456789012, true, false, null]",
                    "{\"b\": [1, 2, 3], \"a\": {\"c\": \"d\"}}",
                    "[\"\", [], {}, [[]], [{}]]",
                    "{\"key with \\\"quotes\\\"\": \"\\u00e9\", \"\\u20ac\": 1}",
                ],
            );
        },
    ),
    Case::must(
        Clause::Fidelity,
        "numbers",
        "Whole numbers beyond 16, 24, 31 and 32 bits, as far as doubles hold each of them, and fractions: by themselves and inside of others they are what they were, where the server echoes.",
        |s| {
            texts(s, &["65536", "-32769", "16777217", "2147483647", "2147483648", "-2147483649"]);
            texts(s, &["4294967295", "4294967303", "1099511627777", "9007199254740991", "-9007199254740991"]);
            texts(s, &["0.1", "123456.789", "-2.5e-7", "1.7976931348623157e308"]);
            texts(s, &["[16777217, 4294967303, 9007199254740991]", "{\"a\": 4294967303, \"b\": [-9007199254740991]}"]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "inherited-names",
        "A member may be called like what objects have anyway in some language: it is a member all the same, at the top and further down.",
        |s| {
            members(s, &["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__class__", "__init__", "length", "$ref"]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "numeric-names",
        "Names that are numbers are names: they make no list of an object.",
        |s| {
            members(s, &["0", "1", "-1", "007", "1e3", "4294967295"]);
            texts(s, &["{\"0\": \"a\", \"1\": \"b\"}", "{\"2\": 1, \"10\": 2, \"1\": 3}", "[{\"0\": {}}, {}]"]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "names-that-look-alike",
        "Two names that look the same, or mean the same elsewhere, are two names.",
        |s| {
            texts(s, &[
                "{\"a\": 1, \"A\": 2, \" a\": 3, \"a \": 4}",
                "{\"\u{e9}\": 1, \"e\u{301}\": 2}",
                "{\"1\": 1, \"01\": 2, \"1.0\": 3, \"1e0\": 4}",
                "{\"a.b\": 1, \"a\": {\"b\": 2}, \"a[b]\": 3, \"a/b\": 4}",
                "{\"null\": 1, \"None\": 2, \"\": 3, \"undefined\": 4}",
                "{\"zz\": 1, \"z\": 2, \"b\": 3, \"a\": {\"z\": 4, \"b\": 5, \"a\": 6}}",
            ]);
        },
    ),
    Case::must(
        Clause::Fidelity,
        "any-octets",
        "A payload that may be any octets may be no text in any encoding: octets are handed on as they are.",
        |s| {
            s.need_text();
            let any = s.profile().payload() == Payload::Opaque;
            s.need(any, say!("payloads of this profile are not just any octets"));
            let all: Vec<u8> = (0..=u8::MAX).collect();
            let halves = all.chunks(all.len() / 2);
            let no_texts: [&[u8]; 4] = [b"\xff\xfe\x80\xc0", b"\xc3\x28\xed\xa0\x80", b"\0\0\r\n\n", b"\x1a\x04\x1b\x7f"];
            let a = s.open();
            for octets in no_texts.into_iter().chain(halves) {
                // What is behind them is no padding.
                let payload = [&s.payload_with(""), octets, b"."].concat();
                let frame = s.frame(&payload);
                s.send(a, &frame);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Fidelity,
        "not-one-reply-for-all",
        "Whatever is asked, the reply is the same: then no request has been read, as when the padding is left on. Whoever means that has to say so.",
        |s| {
            let meant = s.profile().reply() == Reply::Any;
            s.need(!meant, say!("replies are declared not to depend on requests"));
            let a = s.open();
            for more in [0, 7, 40, 150] {
                let payload = padded_payload(s, more);
                let request = s.frame(&payload);
                s.send(a, &request);
                s.wait(a);
            }
            s.done_with(a);
            if s.profile().payload() == Payload::Json {
                let b = s.open();
                let mut payload = padded_payload(s, 0);
                if let Some(first) = payload.first_mut() {
                    *first = b'~';
                }
                let broken = s.frame(&payload);
                s.send(b, &broken);
                s.wait(b);
            }
        },
    )
    .and(replies_depend_on_requests),
];

/// Objects with a member of each of these names, which holds the request's text: at the top and further down.
fn members(s: &mut Maker<'_>, names: &[&str]) {
    s.need_free_json();
    let a = s.open();
    for name in names {
        for (head, tail) in [("{", ", \"a\": 2}"), ("{\"b\": [{\"c\": null, ", "}]}")] {
            let text = s.payload_with("");
            let member = format!("{head}\"{name}\": {}{tail}", String::from_utf8_lossy(&text));
            let frame = s.frame(member.as_bytes());
            s.send(a, &frame);
            s.wait(a);
        }
    }
    s.done_with(a);
}

/// Requests with each of these in their text.
fn said(s: &mut Maker<'_>, texts: &[&str]) {
    s.need_text();
    let a = s.open();
    for text in texts {
        let request = s.request_with(&format!(" {text}"));
        s.send(a, &request);
        s.wait(a);
    }
}

/// Requests whose payloads are so many octets.
fn whole(s: &mut Maker<'_>, sizes: &[usize]) {
    s.need_text();
    let a = s.open();
    for octets in sizes {
        let request = s.request_of(*octets);
        s.send(a, &request);
        s.wait(a);
    }
}

/// The payload of a request with that much more text than the shortest, which leaves room for padding.
fn padded_payload(s: &mut Maker<'_>, more: usize) -> Vec<u8> {
    let octets = s.shortest().saturating_add(more);
    let fills = s.chunk() > 1 && octets.is_multiple_of(s.chunk());
    s.payload_of(octets.saturating_add(fills.into()))
}

fn replies_depend_on_requests(profile: &Profile, transcript: &Transcript) -> Option<Finding> {
    let [asked, broken] = [0, 1].map(|conn| FrameLog::of(profile, transcript, conn));
    let (first, others) = asked.split_first()?;
    let reply = first.payload();
    let is_same = !others.is_empty() && others.iter().all(|other| other.payload() == reply);
    let to_broken = broken.first().is_some_and(|other| other.payload() == reply);
    let what = match (is_same, to_broken) {
        (true, true) => say!("every request got the same reply, and so did what is no message"),
        (true, false) => say!("every request got the same reply"),
        (false, true) => say!("a message got the same reply as what is none"),
        (false, false) => return None,
    };
    let what = say!(
        "{what}: {excerpt}; if that is meant, say so with --reply any",
        what,
        excerpt = excerpt(reply)
    );
    Some(Finding::must(Clause::Fidelity, 0, what))
}
