//! Octets of others made fit for a terminal: nothing in them can move the cursor, change colours or
//! turn the direction of the text.

use std::fmt::Write as _;

/// A JSON text on one line that stands for the same value: control characters are written as JSON
/// escapes, those between tokens (which can only be white space) as spaces.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Inside strings, JSON allows none of these.
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_active(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    put(&mut out, format_args!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Any octets on one line: what is not plain text is written as `\xNN` or `\u{NNNN}`.
pub(crate) fn octets(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                c if c.is_ascii_control() => put(&mut out, format_args!("\\x{:02x}", u32::from(c))),
                c if is_active(c) => put(&mut out, format_args!("{}", c.escape_unicode())),
                c => out.push(c),
            }
        }
        for octet in chunk.invalid() {
            put(&mut out, format_args!("\\x{octet:02x}"));
        }
    }
    out
}

/// Writing to a string does not fail.
fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}

/// Whether a terminal might do anything but show it: controls, line and paragraph separators, marks
/// that turn or isolate text, and what is not shown at all.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn nothing_active_is_left() {
        assert_eq!(json("{\"a\":\n\t1}"), "{\"a\":  1}");
        assert_eq!(
            json("\"\u{9b}2J\u{202e}\u{7f}\""),
            "\"\\u009b2J\\u202e\\u007f\""
        );
        assert_eq!(octets(b"\x1b[2Jok\\\xff\n"), "\\x1b[2Jok\\\\\\xff\\x0a");
        assert_eq!(octets("é\u{202e}".as_bytes()), "é\\u{202e}");
    }

    proptest! {
        #[test]
        fn json_keeps_its_value_and_lies_still(value in any::<String>(), pretty in any::<bool>()) {
            let value = serde_json::json!({ "a": [value, 1.5] });
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let shown = json(&text);
            prop_assert!(!shown.chars().any(is_active));
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }

        #[test]
        fn octets_lie_still(any in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(!octets(&any).chars().any(is_active));
        }
    }
}
