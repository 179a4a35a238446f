//! What payloads are: JSON texts, and what is no JSON text.

use super::{Case, Maker};
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(Clause::JsonText, "object", "An object is a message.", |s| {
        texts(
            s,
            &[
                "{}",
                "{\"a\": 1}",
                "{\"a\": {\"b\": [1, 2, {}]}, \"c\": null}",
            ],
        );
    }),
    Case::must(Clause::JsonText, "array", "An array is a message.", |s| {
        texts(s, &["[]", "[1, \"two\", null, [3]]", "[[[]]]"]);
    }),
    Case::must(
        Clause::JsonText,
        "string",
        "A string by itself is a message.",
        |s| {
            texts(s, &["\"hello\"", "\"a longer text with spaces in it\""]);
        },
    ),
    Case::must(
        Clause::JsonText,
        "number",
        "A number by itself is a message, zero included: code that tests a value for truth drops it.",
        |s| texts(s, &["0", "7", "-1", "3.25", "1e3", "-0.5E-2"]),
    ),
    Case::must(
        Clause::JsonText,
        "literal",
        "true, false and null are messages; null is not the absence of one.",
        |s| texts(s, &["true", "false", "null"]),
    ),
    Case::must(
        Clause::JsonText,
        "empty",
        "Empty values are values: an empty string, array or object is answered.",
        |s| texts(s, &["\"\"", "[]", "{}", "{\"\": \"\"}"]),
    ),
    Case::must(
        Clause::JsonText,
        "white-space",
        "White space around and inside a text is part of the grammar.",
        |s| texts(s, &[" 1 ", "\t{\r\n\"a\" :\t[ ] }\n", "\n\n\"x\"\n"]),
    ),
    Case::must(
        Clause::Undecodable,
        "bare-text",
        "Text without quotes is no JSON.",
        |s| {
            doubtful(
                s,
                &[
                    b"hello",
                    b"hello world",
                    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                ],
            );
        },
    ),
    Case::must(
        Clause::Undecodable,
        "half-a-text",
        "A JSON text that breaks off.",
        |s| {
            doubtful(s, &[b"{\"a\":", b"[1, 2", b"\"open", b"{", b"tru"]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "two-texts",
        "Two texts in one frame are not one text.",
        |s| {
            doubtful(
                s,
                &[b"1 2", b"{} {}", b"\"a\"\"b\"", b"{\"a\": 1}{\"b\": 2}"],
            );
        },
    ),
    Case::must(
        Clause::Undecodable,
        "nearly-json",
        "What other notations allow and JSON does not.",
        |s| {
            doubtful(
                s,
                &[
                    b"{a: 1}",
                    b"{'a': 1}",
                    b"[1,]",
                    b"{\"a\": 1,}",
                    b"01",
                    b"+1",
                    b".5",
                    b"// x\n1",
                ],
            );
        },
    ),
    Case::must(
        Clause::Undecodable,
        "only-padding",
        "A body of nothing but padding has an empty payload.",
        |s| {
            s.need_chunks();
            s.need_json();
            let a = s.open();
            let header = s.craft().header(u64::from(s.profile().chunk()));
            let body = vec![s.profile().pad(); s.chunk()];
            let body = s.craft().with_indexes(&body);
            s.send(a, &[header, body].concat());
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "white-space",
        "White space alone is no text.",
        |s| {
            doubtful(s, &[b" ", b"\n\n\n", b"\t \r\n"]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "bad-utf-8",
        "Octets that are not UTF-8, inside a string and outside of one.",
        |s| {
            doubtful(
                s,
                &[
                    b"\"\xff\"",
                    b"\"\xc3\"",
                    b"\xfe\xfe",
                    b"\"\xc0\xaf\"",
                    b"\"\xed\xa0\x80\"",
                    b"\"\xf5\x80\x80\x80\"",
                ],
            );
        },
    ),
    Case::must(
        Clause::Undecodable,
        "binary",
        "Octets of every value.",
        |s| {
            let octets: Vec<u8> = (1..=255).collect();
            doubtful(s, &[&octets]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "utf-16",
        "A text in UTF-16, with its NULs.",
        |s| {
            doubtful(s, &[b"{\x00}\x00", b"\x00{\x00}", b"\xff\xfe1\x00"]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "byte-order-mark",
        "A byte order mark in front of a text: taken or refused, but not fatal.",
        |s| {
            doubtful(s, &[b"\xef\xbb\xbf{\"a\": 1}", b"\xef\xbb\xbf"]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "nan",
        "NaN and the infinities, which some readers take.",
        |s| {
            doubtful(s, &[b"NaN", b"[Infinity, -Infinity]", b"{\"x\": NaN}"]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "huge-number",
        "Numbers out of all proportion: an exception in many a reader.",
        |s| {
            let integer = "9".repeat(5_000);
            doubtful(
                s,
                &[
                    b"1e999",
                    b"-1e999",
                    b"123456789012345678901234567890",
                    integer.as_bytes(),
                ],
            );
        },
    ),
    Case::must(
        Clause::Undecodable,
        "lone-surrogate",
        "Half a surrogate pair as an escape: some readers take it, and then cannot write it.",
        |s| {
            doubtful(
                s,
                &[b"\"\\ud800\"", b"\"\\udc00 \\ud800\"", b"{\"\\udfff\": 1}"],
            )
        },
    ),
    Case::must(
        Clause::Undecodable,
        "duplicate-keys",
        "The same key twice: taken or refused.",
        |s| {
            doubtful(s, &[b"{\"a\": 1, \"a\": 2}"]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "raw-control",
        "A control character in a string that is not escaped.",
        |s| {
            doubtful(s, &[b"\"a\nb\"", b"\"\x01\"", b"\"\x1b[2J\""]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "large",
        "A large body of garbage.",
        |s| {
            let garbage = b"\xf0garbage ".repeat(3_000);
            doubtful(s, &[&garbage]);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "repeated",
        "Ten of them in a row on one connection, each answered once, or the connection closed at any of them.",
        |s| {
            s.need_json();
            let a = s.open();
            let frame = s.frame(b"{nonsense");
            s.send(a, &frame.repeat(10));
            s.wait(a);
            s.ask(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "leading-pad",
        "Pad octets in front of a text are no padding. Taken or refused, there is one reply.",
        |s| {
            s.need_json();
            let a = s.open();
            let pad = s.profile().pad();
            let mut payload = vec![pad; 3];
            payload.extend(s.payload_with(""));
            let frame = s.frame(&payload);
            s.send(a, &frame);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Undecodable,
        "nobody-else-comes",
        "It is answered or closed upon by itself, and not only when the next client comes: until then the loop that accepts may be the last that holds a socket of which the thread has died.",
        |s| {
            s.need_json();
            for payload in [&b"nonsense"[..], b"\xff\xff", b"\"\\ud800\""] {
                let a = s.open();
                let frame = s.frame(payload);
                s.send(a, &frame);
                s.wait(a);
                s.done_with(a);
            }
        },
    )
    .undisturbed(),
    Case::must(
        Clause::Nesting,
        "thirty-two",
        "Thirty-two levels are what any reader manages.",
        |s| {
            texts(s, &[&nested(32, "[", "]"), &nested(31, "{\"a\":", "}")]);
        },
    ),
    Case::must(
        Clause::Nesting,
        "two-hundred",
        "Two hundred levels are beyond the default of some readers.",
        |s| {
            let (arrays, objects) = (nested(200, "[", "]"), nested(200, "{\"a\":", "}"));
            doubtful(s, &[arrays.as_bytes(), objects.as_bytes()]);
        },
    ),
    Case::must(
        Clause::Nesting,
        "two-thousand",
        "Two thousand levels exhaust an interpreter's recursion limit.",
        |s| {
            let (arrays, objects) = (nested(2_000, "[", "]"), nested(2_000, "{\"a\":", "}"));
            doubtful(s, &[arrays.as_bytes(), objects.as_bytes()]);
        },
    ),
    Case::must(
        Clause::Nesting,
        "fifteen-thousand",
        "Fifteen thousand levels exhaust a stack.",
        |s| {
            let arrays = nested(15_000, "[", "]");
            doubtful(s, &[arrays.as_bytes()]);
        },
    ),
    Case::must(
        Clause::Nesting,
        "never-closed",
        "As many brackets as fit, and none of them closed.",
        |s| {
            let open = "[".repeat(30_000);
            doubtful(s, &[open.as_bytes()]);
        },
    ),
];

fn nested(levels: usize, open: &str, close: &str) -> String {
    let inner = if open == "[" { "" } else { "1" };
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// Each of these JSON texts is a message; a request behind them shows that the server is in step.
pub(super) fn texts(s: &mut Maker<'_>, texts: &[&str]) {
    s.need_free_json();
    let a = s.open();
    for text in texts {
        let frame = s.frame(text.as_bytes());
        s.send(a, &frame);
        s.wait(a);
        s.ask(a);
    }
}

/// Each payload on a connection of its own, with a request behind it if the server stays.
fn doubtful(s: &mut Maker<'_>, payloads: &[&[u8]]) {
    s.need_json();
    for payload in payloads {
        let a = s.open();
        let frame = s.frame(payload);
        s.send(a, &frame);
        s.wait(a);
        s.ask(a);
        s.done_with(a);
    }
}
