//! Messages: payloads that have been found to mean something.
//!
//! A [`Message`] keeps the octets that it came in, so that whoever passes it on passes on exactly
//! those: no number is rounded, no member reordered, no escape rewritten. That it is one JSON text in
//! UTF-8 (in profiles that carry JSON) has been checked by the grammar of RFC 8259, without recursion
//! and without building a value, so depth and size cost no stack and no memory to speak of.
//!
//! ```
//! use bytes::Bytes;
//! use framespec::message::Message;
//! use framespec::profile::Payload;
//!
//! let message = Message::read(Payload::Json, Bytes::from_static(br#"{"n": 1.0}"#))?;
//! assert_eq!(message.text(), Some(r#"{"n": 1.0}"#));
//! assert_eq!(message.value()?["n"], 1.0);
//! assert!(Message::read(Payload::Json, Bytes::from_static(b"NaN")).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::profile::Payload;
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::Value;

/// A payload that is a message in its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    payload: Bytes,
    kind: Payload,
}

/// Why a payload is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undecodable {
    /// The payload is empty.
    #[error("empty payload")]
    Empty,
    /// The payload is not UTF-8.
    #[error("not UTF-8 at octet {at}")]
    NotUtf8 {
        /// Offset in the payload of the first octet that cannot be.
        at: usize,
    },
    /// The payload is not one JSON text.
    #[error("not one JSON text at line {line}, octet {column}")]
    NotJson {
        /// The line, counted from 1, where the grammar is broken.
        line: usize,
        /// The octet in that line, counted from 1.
        column: usize,
    },
}

/// Why a JSON text has no [`Value`] although its grammar is in order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The payloads of this profile are not JSON.
    #[error("the payload is not JSON")]
    OtherPayload,
    /// The text is nested too deep, a number is out of range, or an escape is half of a character.
    #[error("a JSON text that cannot be held as a value: {0}")]
    Unrepresentable(#[from] serde_json::Error),
}

impl Message {
    /// The message in a payload.
    ///
    /// # Errors
    /// If the payload is no message of that kind. An empty payload is one only where payloads are opaque or text.
    pub fn read(kind: Payload, payload: Bytes) -> Result<Self, Undecodable> {
        check(kind, &payload)?;
        Ok(Self { payload, kind })
    }

    /// The message that means a JSON value, in its shortest form.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        Self {
            payload: Bytes::from(value.to_string()),
            kind: Payload::Json,
        }
    }

    /// The message that is a text: a JSON string where payloads are JSON, else the text itself.
    #[must_use]
    pub fn from_text(kind: Payload, text: &str) -> Self {
        let payload = match kind {
            Payload::Json => Value::from(text).to_string(),
            Payload::Utf8 | Payload::Opaque => text.to_owned(),
        };
        Self {
            payload: Bytes::from(payload),
            kind,
        }
    }

    /// What the payload is made of.
    #[must_use]
    pub fn kind(&self) -> Payload {
        self.kind
    }

    /// The payload, exactly as it came.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The payload, exactly as it came, without the message around it.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    /// The payload as text; `None` only for opaque octets that are not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.payload).ok()
    }

    /// The JSON value. Of members with the same name the last is kept, and numbers that fit neither
    /// 64-bit integers nor doubles exactly are rounded to doubles.
    ///
    /// # Errors
    /// If payloads are not JSON here, or the text, though well-formed, cannot be held as a value:
    /// nested deeper than 127, a number beyond doubles, an escaped surrogate without its other half.
    pub fn value(&self) -> Result<Value, ValueError> {
        match self.kind {
            Payload::Json => Ok(serde_json::from_slice(&self.payload)?),
            Payload::Utf8 | Payload::Opaque => Err(ValueError::OtherPayload),
        }
    }
}

fn check(kind: Payload, payload: &[u8]) -> Result<(), Undecodable> {
    if kind == Payload::Opaque {
        return Ok(());
    }
    let text = std::str::from_utf8(payload).map_err(|error| Undecodable::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    match kind {
        Payload::Json if text.is_empty() => Err(Undecodable::Empty),
        Payload::Json => check_json(text),
        Payload::Utf8 | Payload::Opaque => Ok(()),
    }
}

/// Skipping a value walks its grammar with a stack of its own, an octet a level, so the size of a payload bounds
/// its depth.
///
/// Validators with wide instructions are no faster for payloads of the usual size, and none that was tried takes
/// exactly the texts of RFC 8259: see docs/BENCHMARKS.md.
fn check_json(text: &str) -> Result<(), Undecodable> {
    let IgnoredAny = serde_json::from_str(text).map_err(|error| Undecodable::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &[u8]) -> Result<Message, Undecodable> {
        Message::read(Payload::Json, Bytes::copy_from_slice(text))
    }

    #[test]
    fn every_kind_of_json_value_is_a_message_and_stays_as_it_was() {
        for text in [
            "{}",
            " [1.0 , 1e999, -0] \n",
            "null",
            "\"\\ud83d\\ude00 \\u0000\"",
            "{\"a\":1,\"a\":2}",
            "123456789012345678901234567890",
        ] {
            assert_eq!(json(text.as_bytes()).unwrap().text(), Some(text));
        }
    }

    #[test]
    fn what_is_no_json_text_is_named_with_its_place() {
        assert_eq!(json(b""), Err(Undecodable::Empty));
        assert_eq!(json(b"\"a\xff\""), Err(Undecodable::NotUtf8 { at: 2 }));
        assert_eq!(
            json(b"\"\xed\xa0\x80\""),
            Err(Undecodable::NotUtf8 { at: 1 })
        );
        let not_json = |line, column| Err(Undecodable::NotJson { line, column });
        assert_eq!(json(b"{} {}"), not_json(1, 4));
        assert_eq!(json(b"[1,\n 2"), not_json(2, 2));
        for bad in [
            "\u{feff}1",
            "NaN",
            "-Infinity",
            "'a'",
            "[1,]",
            "01",
            "1\0",
            "\0",
            "\"\t\"",
            "{\"a\":1}\0{\"b\":2}",
        ] {
            assert!(json(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let million = json(nested(1_000_000).as_bytes()).unwrap();
        assert!(matches!(
            million.value(),
            Err(ValueError::Unrepresentable(_))
        ));
        assert!(json(nested(127).as_bytes()).unwrap().value().is_ok());
        assert!(json("[{\"a\":".repeat(300_000).as_bytes()).is_err());
    }

    #[test]
    fn grammar_and_value_may_differ_and_say_so() {
        for text in ["1e999", "\"\\ud800\""] {
            assert!(json(text.as_bytes()).unwrap().value().is_err(), "{text}");
        }
    }

    #[test]
    fn other_payloads_have_their_own_rules() {
        let read = |kind, octets: &'static [u8]| Message::read(kind, Bytes::from_static(octets));
        assert_eq!(read(Payload::Utf8, b"").unwrap().text(), Some(""));
        assert!(read(Payload::Utf8, "é".as_bytes()).is_ok());
        assert_eq!(
            read(Payload::Utf8, b"\xff"),
            Err(Undecodable::NotUtf8 { at: 0 })
        );
        let opaque = read(Payload::Opaque, b"\xff\0").unwrap();
        assert_eq!(
            (opaque.text(), &opaque.payload()[..]),
            (None, &b"\xff\0"[..])
        );
        assert!(matches!(opaque.value(), Err(ValueError::OtherPayload)));
        assert_eq!(
            &Message::from_text(Payload::Utf8, "a\"").payload()[..],
            b"a\""
        );
    }

    proptest! {
        #[test]
        fn any_text_goes_into_a_message_and_comes_out_again(text in any::<String>()) {
            let message = Message::from_text(Payload::Json, &text);
            prop_assert_eq!(message.value().unwrap(), Value::from(text));
            let again = Message::read(Payload::Json, message.payload().clone());
            prop_assert_eq!(again, Ok(message));
        }

        #[test]
        fn whatever_has_a_value_is_a_message(
            octets in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..12),
                "[\\[\\]{}:,\"0-9a-z .e\\\\-]{0,10}".prop_map(String::into_bytes),
            ]
        ) {
            let value = serde_json::from_slice::<Value>(&octets).is_ok();
            let message = json(&octets).is_ok();
            // The grammar takes all that a value can hold, and a little more.
            prop_assert!(message || !value);
        }
    }
}
