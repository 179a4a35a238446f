//! A JSON text as Python's `str` prints the value that it stands for.
//!
//! The tutorial's server answers so. The text has been found well-formed before, so one pass over its
//! tokens is enough: no value is built and nothing recurses. Members that stand twice are both printed,
//! which a Python dictionary would not do.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// What `str(json.loads(text))` would print, escaped as it stands inside a JSON string in ASCII.
pub(super) fn str_in_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(16));
    let mut chars = text
        .trim_matches([' ', '\t', '\n', '\r'])
        .chars()
        .peekable();
    if chars.next_if_eq(&'"').is_some() {
        string(&mut chars)
            .iter()
            .for_each(|code| put(*code, &mut out));
        return out;
    }
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            ':' | ',' => out.extend([c, ' ']),
            '"' => repr(&string(&mut chars), &mut out),
            '-' | '0'..='9' => out.push_str(&number(c, &mut chars)),
            't' => literal("True", &mut chars, &mut out),
            'f' => literal("False", &mut chars, &mut out),
            'n' => literal("None", &mut chars, &mut out),
            _ => out.push(c),
        }
    }
    out
}

fn literal(name: &str, chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    while chars.next_if(char::is_ascii_lowercase).is_some() {}
    out.push_str(name);
}

/// Integers keep all their digits; all other numbers are doubles.
fn number(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::from(first);
    while let Some(c) = chars.next_if(|c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-')) {
        text.push(c);
    }
    if text == "-0" {
        return "0".to_owned();
    }
    if text.contains(['.', 'e', 'E']) {
        float(text.parse().unwrap_or(f64::NAN))
    } else {
        text
    }
}

/// The shortest digits that read back, in plain notation for exponents from -4 to 15.
fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        format!("{value:?}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
    }
}

/// The code points of a string whose opening quote is behind us; lone surrogates stay what they are.
fn string(chars: &mut Peekable<Chars<'_>>) -> Vec<u32> {
    let mut codes: Vec<u32> = Vec::new();
    while let Some(c) = chars.next() {
        let code = match c {
            '"' => break,
            '\\' => escaped(chars),
            c => u32::from(c),
        };
        let high = codes
            .last()
            .copied()
            .filter(|high| (0xd800..0xdc00).contains(high));
        match (high, code) {
            // Only escapes bring surrogates, so two halves that meet are one character.
            (Some(high), 0xdc00..0xe000) => {
                codes.pop();
                let high = high.wrapping_sub(0xd800) << 10;
                codes.push(
                    0x1_0000_u32
                        .wrapping_add(high)
                        .wrapping_add(code.wrapping_sub(0xdc00)),
                );
            }
            _ => codes.push(code),
        }
    }
    codes
}

fn escaped(chars: &mut Peekable<Chars<'_>>) -> u32 {
    match chars.next() {
        Some('b') => 8,
        Some('t') => 9,
        Some('n') => 10,
        Some('f') => 12,
        Some('r') => 13,
        Some('u') => chars
            .take(4)
            .filter_map(|digit| digit.to_digit(16))
            .fold(0, |code, digit| code << 4 | digit),
        Some(c) => u32::from(c),
        None => 0xfffd,
    }
}

/// A string within a container: in quotes, with what cannot be printed escaped.
fn repr(codes: &[u32], out: &mut String) {
    let has = |c: char| codes.contains(&u32::from(c));
    let quote = if has('\'') && !has('"') { '"' } else { '\'' };
    put(u32::from(quote), out);
    for code in codes {
        match char::from_u32(*code) {
            Some('\\') => put_all("\\\\", out),
            Some('\n') => put_all("\\n", out),
            Some('\r') => put_all("\\r", out),
            Some('\t') => put_all("\\t", out),
            Some(c) if c == quote => put_all(&format!("\\{c}"), out),
            Some(c) if is_printable(c) => put(*code, out),
            _ if *code < 0x100 => put_all(&format!("\\x{code:02x}"), out),
            _ if *code < 0x1_0000 => put_all(&format!("\\u{code:04x}"), out),
            _ => put_all(&format!("\\U{code:08x}"), out),
        }
    }
    put(u32::from(quote), out);
}

/// Rust escapes for debugging what Python holds unprintable, and marks only where nothing precedes them.
fn is_printable(c: char) -> bool {
    (' '..='~').contains(&c)
        || (!c.is_ascii() && format!("a{c}").escape_debug().any(|shown| shown == c))
}

fn put_all(text: &str, out: &mut String) {
    text.chars().for_each(|c| put(u32::from(c), out));
}

/// A code point inside a JSON string, in ASCII.
fn put(code: u32, out: &mut String) {
    match char::from_u32(code) {
        Some('"') => out.push_str("\\\""),
        Some('\\') => out.push_str("\\\\"),
        Some('\n') => out.push_str("\\n"),
        Some('\r') => out.push_str("\\r"),
        Some('\t') => out.push_str("\\t"),
        Some('\u{8}') => out.push_str("\\b"),
        Some('\u{c}') => out.push_str("\\f"),
        Some(c @ ' '..='~') => out.push(c),
        Some(c) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escape(u32::from(*unit), out);
            }
        }
        None => escape(code, out),
    }
}

fn escape(unit: u32, out: &mut String) {
    // Writing to a string does not fail.
    let _ = write!(out, "\\u{unit:04x}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The printed text itself.
    fn printed(text: &str) -> String {
        serde_json::from_str(&format!("\"{}\"", str_in_json(text))).unwrap()
    }

    #[test]
    fn strings_alone_print_themselves() {
        for text in ["", "a'b\"c", "é\u{1f600}", "\u{7f}\u{0}\\n"] {
            assert_eq!(printed(&serde_json::to_string(text).unwrap()), text);
        }
        assert_eq!(
            printed(" \"\\u00e9\\ud83d\\ude00\\/\\b\\f\" "),
            "é\u{1f600}/\u{8}\u{c}"
        );
        assert_eq!(str_in_json("\"é\\ud800\""), "\\u00e9\\ud800");
        assert_eq!(str_in_json("\"\\u0008\\u000c\""), "\\b\\f");
    }

    /// Each right side is what CPython 3.11 prints.
    #[test]
    fn values_print_as_in_python() {
        for (text, python) in [
            (
                r#"{"a":[1,2.50,null],"b":{}}"#,
                "{'a': [1, 2.5, None], 'b': {}}",
            ),
            ("[true, false]", "[True, False]"),
            ("true", "True"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("1E2", "100.0"),
            ("1e15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("123456789012345678.0", "1.2345678901234568e+17"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5e-7", "1.5e-07"),
            ("1e999", "inf"),
            ("[-1e999]", "[-inf]"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            (r#"["it's", "\"", "'\""]"#, r#"["it's", '"', '\'"']"#),
            (
                r#"["\\ \n\r\t\u0000\u007f\u00a0\u00ad"]"#,
                r"['\\ \n\r\t\x00\x7f\xa0\xad']",
            ),
            (
                r#"["\u2028\ud800\ue000", "é\u0301"]"#,
                "['\\u2028\\ud800\\ue000', 'é\u{301}']",
            ),
            ("[\"\u{1f600}\u{10ffff}\"]", "['\u{1f600}\\U0010ffff']"),
        ] {
            assert_eq!(printed(text), python, "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(str_in_json(&deep), deep);
    }

    proptest! {
        #[test]
        fn whatever_the_text_a_json_string_comes_of_it(text in any::<String>(), depth in 0..2) {
            let text = serde_json::to_string(&text).unwrap();
            let text = if depth > 0 { format!("[{text}]") } else { text };
            prop_assert!(str_in_json(&text).is_ascii());
            printed(&text);
        }
    }
}
