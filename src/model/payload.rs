//! Whether a payload must be taken for a message.
//!
//! Only what every reader of RFC 8259 agrees on is surely a message. All else, from plain garbage to
//! the corners where readers differ (NaN, a byte order mark, duplicate keys, lone surrogates, huge
//! numbers, deep nesting, UTF-16), may be called undecodable, and is then doubtful here: one reply or
//! a close.

use crate::profile::{Payload, Profile};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;

/// Nesting that every reader is expected to manage.
pub const SURE_DEPTH: usize = 32;

/// Integers beyond this lose digits in readers that know only doubles.
const SURE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// What a message means, as far as a reply can be compared with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// A JSON value.
    Json(Value),
    /// Octets that mean themselves.
    Octets(Vec<u8>),
}

/// The meaning of a payload that must be taken for a message; `None` if it is doubtful.
#[must_use]
pub fn meaning(profile: &Profile, payload: &[u8]) -> Option<Meaning> {
    let itself = || Meaning::Octets(payload.to_vec());
    match profile.payload() {
        Payload::Json => json(payload).map(Meaning::Json),
        Payload::Utf8 => std::str::from_utf8(payload).is_ok().then(itself),
        Payload::Opaque => Some(itself()),
    }
}

/// The JSON value of a payload on which every reader agrees.
fn json(payload: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(payload).ok()?;
    let Sure(_) = serde_json::from_str(text).ok()?;
    let value: Value = serde_json::from_str(text).ok()?;
    (depth(&value) <= SURE_DEPTH).then_some(value)
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    inner.unwrap_or(0).saturating_add(1)
}

/// A JSON text without duplicate keys and without integers that some readers round.
struct Sure(());

impl<'de> serde::Deserialize<'de> for Sure {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SureVisitor)
    }
}

struct SureVisitor;

impl<'de> Visitor<'de> for SureVisitor {
    type Value = Sure;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON text that all readers read alike")
    }

    fn visit_unit<E>(self) -> Result<Sure, E> {
        Ok(Sure(()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sure, E> {
        Ok(Sure(()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Sure, E> {
        Ok(Sure(()))
    }

    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Sure, E> {
        self.visit_f64(n as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Sure, E> {
        self.visit_f64(n as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<Sure, E> {
        if n.abs() <= SURE_INTEGER {
            Ok(Sure(()))
        } else {
            Err(E::custom("a huge number"))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sure, A::Error> {
        while items.next_element::<Sure>()?.is_some() {}
        Ok(Sure(()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Sure, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, Sure(()))) = members.next_entry::<String, Sure>()? {
            if !keys.insert(key) {
                return Err(serde::de::Error::custom("a key stands twice"));
            }
        }
        Ok(Sure(()))
    }
}

/// Whether octets are one JSON text by the grammar of RFC 8259, however deep or large.
#[must_use]
pub fn is_json_text(octets: &[u8]) -> bool {
    std::str::from_utf8(octets).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Whether two JSON values mean the same: numbers by value, objects whatever the order of members.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_readers_agree_on_is_a_message() {
        for text in [
            "{}",
            "[]",
            "null",
            " true ",
            "\"\"",
            "-0.5e3",
            "[[[1]]]",
            "\"\\u00e9\"",
        ] {
            assert!(json(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_readers_differ_on_is_doubtful() {
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        let very_deep = "[".repeat(100_000);
        for text in [
            "",
            "NaN",
            "[Infinity]",
            "\u{feff}1",
            "{\"a\":1,\"a\":1}",
            "\"\\ud800\"",
            "1e999",
            "9007199254740994",
            "1 2",
            "{\"a\":1}\0{\"b\":2}",
            "'a'",
            "[1,]",
            "01",
            &deep,
            &very_deep,
        ] {
            assert!(json(text.as_bytes()).is_none(), "{text}");
        }
        assert!(json(b"\"\xff\"").is_none());
    }

    #[test]
    fn the_grammar_alone_knows_no_limits() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(is_json_text(deep.as_bytes()));
        assert!(is_json_text(b"1e999"));
        assert!(!is_json_text(b"\xef\xbb\xbf1"));
    }

    #[test]
    fn values_are_compared_by_meaning() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(same(
            &value("[1.0,{\"a\":1,\"b\":2}]"),
            &value("[1,{\"b\":2,\"a\":1e0}]")
        ));
        assert!(!same(&value("\"1\""), &value("1")));
        assert!(!same(&value("[1]"), &value("[1,1]")));
    }
}
