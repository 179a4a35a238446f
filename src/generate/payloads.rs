//! Payloads: messages, odd ones, and what is none.

use crate::profile::{Payload, Profile};
use crate::script::craft::Craft;
use crate::script::draws::Draws;
use serde_json::Value;

/// Texts as they stand between the quotes of a JSON string, each with something that is easily lost.
const ODD_TEXTS: &[&str] = &[
    "",
    " both ends ",
    "\\ttab\\n",
    "one two three",
    "e\\u0301",
    "\u{e9}t\u{e9}",
    "\u{1f600}",
    "\\ud83d\\ude00",
    "a\\u0000b",
    "quote \\\" and \\\\",
    "\\/",
    "\u{20ac}\u{20ac}\u{20ac}",
    "0",
    "100",
    "</script>&amp;",
    "\\u007f\\u0080",
    "\u{2028}",
];

/// Messages that are no plain text.
const ODD_MESSAGES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "\"\"",
    "[]",
    "{}",
    "10",
    "1200",
    "-1",
    "-0",
    "0.1",
    "1e5",
    "1.5",
    "12345.678",
    "16777217",
    "0.30000000000000004",
    "9007199254740991",
    "123456789012",
    "1e-7",
    " 7",
    "\n\t{}",
    "7 ",
    "[ 1 , 2 ]\n",
    "{\"__proto__\": 1, \"a\": 2}",
    "{\"constructor\": 1, \"toString\": 2, \"b\": 3}",
    "{\"hasOwnProperty\": true}",
    "{\"0\": \"a\", \"1\": \"b\"}",
    "{\"a\": 1, \"A\": 2}",
    "{\" a \": 1}",
    "{\"a\": {}}",
    "{\"a\": []}",
    "[[], {}]",
    "[null]",
    "[0, false, \"\"]",
    "{\"a\": 1, \"b\": [true, null, 2.5]}",
    "{\"\": 1}",
    "[\"a\", [\"b\", [\"c\"]]]",
];

/// What is no JSON, or not for everybody.
const NO_MESSAGES: &[&[u8]] = &[
    b"{",
    b"{\"a\":",
    b"nul",
    b"[1,]",
    b"{'a': 1}",
    b"NaN",
    b"Infinity",
    b"-",
    b"01",
    b"1 2",
    b"\"a\" \"b\"",
    b"\"open",
    b"tru e",
    b"\"\\ud800\"",
    b"\"\\udc00 x\"",
    b"\"\\x\"",
    b"{\"a\": 1, \"a\": 2}",
    b"{\"key\": 1, \"key\": 1}",
    b"\xef\xbb\xbf1",
    b"\xff\xfe1\0",
    b"\xff",
    b"\"\xc3\"",
    b"\"\xed\xa0\x80\"",
    b"\"caf\xe9\"",
    b"\"\xc0\xaf\"",
    b"1e400",
    b"-1e400",
    b"// x\n1",
    b"[1] x",
    b"\x01",
    b"GET / HTTP/1.1\r\n\r\n",
    b"{\"jsonrpc\": \"2.0\"}\n",
    b"\"tab\tin it\"",
    b"undefined",
    b"()",
    b"[1 2]",
];

/// Sizes of texts at which buffers and numbers tend to end.
const SIZES: &[usize] = &[
    1, 2, 55, 57, 58, 59, 60, 61, 117, 118, 119, 127, 128, 200, 253, 254, 255, 256, 257, 300, 500,
    511, 512, 600, 1000, 1023, 1024, 2048, 4000, 4095, 4096, 4097, 5000, 8192,
];

/// The same, of those that cost more.
const LARGE: &[usize] = &[
    10_300, 12_000, 15_400, 16_384, 17_000, 20_000, 25_000, 30_000, 32_000,
];

/// How deep payloads are nested.
const DEPTHS: &[usize] = &[3, 15, 17, 20, 33, 60, 65, 120, 600, 1_100, 5_000];

/// A payload of any kind.
pub(super) fn any(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    if profile.payload() != Payload::Json {
        return any_octets(profile, draws);
    }
    match draws.below(20) {
        0..=6 => plain(profile, draws),
        7..=9 => picked(ODD_MESSAGES, draws),
        10..=11 => odd_text(profile, draws),
        12..=13 => plain_of(profile, draws, SIZES),
        14 => split_by_pads(profile, draws),
        15 => nested(draws),
        16 if draws.one_in(3) => plain_of(profile, draws, LARGE),
        16 => wide(draws),
        _ => no_message(profile, draws),
    }
}

/// A value that is no plain text.
pub(super) fn odd(draws: &mut Draws) -> Value {
    let text = draws.pick(ODD_MESSAGES).copied().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// A message with a text that no other has.
pub(super) fn plain(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    Craft::new(profile).payload(&token(draws))
}

/// A message with such a text, where there are some that are owed no reply now and then one of those.
pub(super) fn message(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    if profile.unanswered().is_none() || !draws.one_in(3) {
        return plain(profile, draws);
    }
    let made = Craft::new(profile).unanswered(&token(draws));
    made.unwrap_or_default()
}

/// A message that leaves no room for padding.
pub(super) fn full(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let craft = Craft::new(profile);
    let mut text = token(draws);
    let octets = craft.payload(&text).len();
    let whole = octets.next_multiple_of(craft.chunk().max(1));
    let more = craft.chunk().saturating_mul(draws.below(3));
    let missing = whole.saturating_sub(octets);
    text.push_str(&"y".repeat(missing.saturating_add(more.min(2_000))));
    craft.payload(&text)
}

fn token(draws: &mut Draws) -> String {
    format!("t{:x}", draws.number() & 0xffff_ffff)
}

fn plain_of(profile: &Profile, draws: &mut Draws, sizes: &[usize]) -> Vec<u8> {
    let largest = sizes.last().copied().unwrap_or(1);
    let size = match draws.one_in(2) {
        true => draws.pick(sizes).copied().unwrap_or(1),
        false => draws.of_any_size(largest),
    };
    let mut text = token(draws);
    let letter = if draws.one_in(3) { "\u{e9}" } else { "z" };
    while text.len() < size {
        text.push_str(letter);
    }
    Craft::new(profile).payload(&text)
}

fn odd_text(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let odd = draws.pick(ODD_TEXTS).copied().unwrap_or_default();
    let read = serde_json::from_str::<String>(&format!("\"{odd}\""));
    match (profile.request(), read) {
        (Some(_), Ok(text)) => Craft::new(profile).payload(&text),
        _ if draws.one_in(4) => format!("{{\"k\": \"{odd}\"}}").into_bytes(),
        _ => format!("\"{odd}\"").into_bytes(),
    }
}

fn no_message(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    match draws.below(24) {
        0 => b"7".repeat(4_400),
        1 => {
            let whole = plain(profile, draws);
            let cut = draws.below(whole.len());
            whole.get(..cut).unwrap_or_default().to_vec()
        }
        2 => Craft::new(profile).frame(&plain(profile, draws)),
        3 => noise(draws, 40),
        _ => draws
            .pick(NO_MESSAGES)
            .copied()
            .unwrap_or_default()
            .to_vec(),
    }
}

/// Messages with a pad octet between them, or around them.
fn split_by_pads(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    let pads = vec![profile.pad(); draws.below(3).saturating_add(1)];
    let (one, other) = (plain(profile, draws), plain(profile, draws));
    match draws.below(4) {
        0 => [&pads[..], &one].concat(),
        1 => [b"1", &pads[..], b"2"].concat(),
        2 => [b"\"a", &pads[..], b"b\""].concat(),
        _ => [&one[..], &pads, &other].concat(),
    }
}

fn nested(draws: &mut Draws) -> Vec<u8> {
    let depth = draws.pick(DEPTHS).copied().unwrap_or(1);
    if draws.one_in(4) {
        let ends = ["{\"a\":".repeat(depth), "1".to_owned(), "}".repeat(depth)];
        return ends.concat().into_bytes();
    }
    ["[".repeat(depth), "]".repeat(depth)].concat().into_bytes()
}

/// A list of some messages.
fn wide(draws: &mut Draws) -> Vec<u8> {
    let items = (0..draws.below(30)).map(|_| draws.pick(ODD_MESSAGES).copied().unwrap_or("1"));
    let items = items.map(str::trim).collect::<Vec<_>>();
    format!("[{}]", items.join(",")).into_bytes()
}

fn picked(texts: &[&str], draws: &mut Draws) -> Vec<u8> {
    draws
        .pick(texts)
        .copied()
        .unwrap_or_default()
        .as_bytes()
        .to_vec()
}

/// Octets of no meaning, at least one.
pub(super) fn noise(draws: &mut Draws, most: usize) -> Vec<u8> {
    let octets = draws.below(most).saturating_add(1);
    (0..octets)
        .map(|_| draws.number().to_le_bytes()[0])
        .collect()
}

fn any_octets(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    match draws.below(8) {
        0..=3 => plain(profile, draws),
        4 => plain_of(profile, draws, SIZES),
        5 => split_by_pads(profile, draws),
        6 => draws
            .pick(NO_MESSAGES)
            .copied()
            .unwrap_or_default()
            .to_vec(),
        _ => noise(draws, 200),
    }
}
