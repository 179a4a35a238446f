//! Whether a reply is the answer to a request, as far as the server's way of answering tells.

use super::printed::unescaped;
use crate::model::Carried;
use crate::model::payload::{Meaning, same};
use crate::transcript::{CANARY_DIGITS, CANARY_TEXT};
use serde_json::Value;

/// How replies relate to requests, as calibration found out or the user said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyRule {
    /// The reply means what the request means.
    Echo,
    /// The reply contains the request's text.
    Token(Option<Frame>),
    /// There is a reply.
    Any,
    /// There is none.
    None,
}

/// What always stands around the request's text in the reply's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Before it.
    pub head: String,
    /// Behind it.
    pub tail: String,
}

impl ReplyRule {
    /// The word for it in options and reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Token(_) => "token",
            Self::Any => "any",
            Self::None => "none",
        }
    }

    /// Whether `reply` can be the answer to a request that carried `carried`.
    #[must_use]
    pub fn answers(&self, carried: &Carried, reply: &[u8]) -> bool {
        match self {
            Self::Echo => echoes(&carried.meaning, reply),
            Self::Token(_) => carried.token().is_none_or(|token| mentions(reply, token)),
            Self::Any | Self::None => true,
        }
    }

    /// Whether all of the request's text can be found in the reply, in any usual notation.
    #[must_use]
    pub fn keeps_text(&self, carried: &Carried, reply: &[u8]) -> bool {
        match self {
            Self::Token(_) => carried.text().is_none_or(|text| mentions(reply, text)),
            _ => true,
        }
    }

    /// How many octets of the request's text stand in a reply that holds its beginning and not all of it.
    ///
    /// Only of text that every notation leaves as it is: what becomes of odd characters is another matter.
    #[must_use]
    pub fn cut_short(&self, carried: &Carried, reply: &[u8]) -> Option<usize> {
        let (text, token) = (carried.text()?, carried.token()?);
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b" -".contains(&octet);
        let holds_text = matches!(self, Self::Echo | Self::Token(_));
        let applies = holds_text && text.bytes().all(is_plain);
        applies.then(|| longest_part(&texts(reply), token, text.trim_end()))?
    }

    /// Whether replies tell which request they answer.
    #[must_use]
    pub const fn tells_apart(&self) -> bool {
        matches!(self, Self::Echo | Self::Token(_))
    }

    /// Whether `reply` answers what the [canary](crate::transcript::Canary) has asked, which no script does.
    #[must_use]
    pub fn is_of_the_canary(&self, reply: &[u8]) -> bool {
        let is_numbered = |behind: &str| {
            let number = behind.get(..CANARY_DIGITS);
            number.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        };
        let names_it = |text: &String| text.split(CANARY_TEXT).skip(1).any(is_numbered);
        self.tells_apart() && texts(reply).iter().any(names_it)
    }

    /// Whether `reply` is surely the answer to that message and no complaint that quotes it.
    #[must_use]
    pub fn is_surely_answer(&self, carried: &Carried, reply: &[u8]) -> bool {
        match self {
            Self::Echo => echoes(&carried.meaning, reply),
            // An answer to no text at all may as well be a complaint.
            Self::Token(Some(frame)) => carried.text().is_some_and(|text| {
                let answer = format!("{}{text}{}", frame.head, frame.tail);
                !text.is_empty() && texts(reply).contains(&answer)
            }),
            _ => false,
        }
    }
}

impl Frame {
    /// What stands around both tokens, if the same does.
    #[must_use]
    pub fn learn(one: (&str, &[u8]), other: (&str, &[u8])) -> Option<Self> {
        let split = |(token, reply): (&str, &[u8])| {
            texts(reply).iter().find_map(|text| {
                let (head, tail) = text.split_once(token)?;
                Some(Self {
                    head: head.to_owned(),
                    tail: tail.to_owned(),
                })
            })
        };
        let frame = split(one)?;
        (split(other)? == frame).then_some(frame)
    }
}

fn echoes(meaning: &Meaning, reply: &[u8]) -> bool {
    match meaning {
        Meaning::Octets(octets) => octets == reply,
        Meaning::Json(value) => {
            serde_json::from_slice::<Value>(reply).is_ok_and(|reply| same(value, &reply))
        }
    }
}

/// Whether the text stands in the reply: as it is, or printed as languages print their strings, with
/// escapes for what they find odd.
#[must_use]
pub fn mentions(reply: &[u8], text: &str) -> bool {
    let stands_in = |found: &String| found.contains(text) || unescaped(found).contains(text);
    texts(reply).iter().any(stands_in)
}

/// Octets of the longest beginning of a text that stands in one of those found, if its token does; `None`
/// if all of it does. Where the token stands more often than that it is none, and the rest is not looked at.
fn longest_part(found: &[String], token: &str, text: &str) -> Option<usize> {
    const PLACES: usize = 8;
    if found.iter().any(|found| found.contains(text)) {
        return None;
    }
    let common = |found: &String| {
        let common = |(at, _): (usize, &str)| {
            let rest = found.as_bytes().get(at..).unwrap_or_default();
            let pairs = rest.iter().zip(text.as_bytes());
            pairs.take_while(|(one, other)| one == other).count()
        };
        found.match_indices(token).take(PLACES).map(common).max()
    };
    let longest = found.iter().filter_map(common).max()?;
    (longest < text.len()).then_some(longest)
}

/// Every text in a reply: the strings of a JSON value, else all of it.
fn texts(reply: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    match serde_json::from_slice(reply) {
        Ok(value) => collect(value, &mut found),
        Err(_) => found.push(String::from_utf8_lossy(reply).into_owned()),
    }
    found
}

fn collect(value: Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.into_iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                found.push(key);
                collect(member, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(text: &str) -> Carried {
        Carried::from(Meaning::Json(text.into()))
    }

    #[test]
    fn an_echo_is_compared_by_meaning() {
        let carried = carried("é");
        assert!(ReplyRule::Echo.answers(&carried, b"\"\\u00e9\" "));
        assert!(!ReplyRule::Echo.answers(&carried, "\"e\"".as_bytes()));
    }

    #[test]
    fn a_text_is_found_in_any_notation() {
        for reply in [
            "\"got é\"",
            "\"got \\u00e9\"",
            "\"got \\\\u00e9\"",
            "{\"a\":[\"é!\"]}",
            "é",
        ] {
            assert!(mentions(reply.as_bytes(), "é"), "{reply}");
        }
        assert!(!mentions("\"Ã©\"".as_bytes(), "é"));
    }

    #[test]
    fn a_text_is_found_as_languages_print_it() {
        let text = "\0\u{1}\u{7f} \\n is not \n, 'q' \"q\" \u{e9}\u{1f600}";
        for printed in [
            // Python, of a member of an object
            r#"{'a': '\x00\x01\x7f \\n is not \n, \'q\' "q" \u{e9}\u{1f600}'}"#,
            // Python's ascii(), Go
            r#""\x00\x01\x7f \\n is not \n, 'q' \"q\" \xe9\U0001f600""#,
            // Rust
            r#""\0\u{1}\u{7f} \\n is not \n, 'q' \"q\" \u{e9}\u{1f600}""#,
            // JSON
            r#""\u0000\u0001\u007F \\n is not \n, 'q' \"q\" \u00E9\ud83d\ude00""#,
        ] {
            let reply = serde_json::to_vec(&format!("got {printed}")).unwrap();
            assert!(mentions(&reply, text), "{printed}");
            let lost = printed.replace("is not", "is");
            let reply = serde_json::to_vec(&format!("got {lost}")).unwrap();
            assert!(!mentions(&reply, text), "{lost}");
        }
        for odd in [
            "\\",
            "a\\",
            "\\x",
            "\\u12",
            "\\u{",
            "\\ud800",
            "\\ud800\\n",
            "\\q",
        ] {
            assert!(mentions(odd.as_bytes(), odd), "{odd}");
        }
    }

    #[test]
    fn what_surrounds_the_token_is_learned_from_two() {
        let learn = |a, b| Frame::learn(("t1", a), ("t2", b));
        let frame = learn(b"\"re: t1!\"", b"\"re: t2!\"").unwrap();
        assert_eq!((frame.head.as_str(), frame.tail.as_str()), ("re: ", "!"));
        assert_eq!(learn(b"\"1: t1\"", b"\"2: t2\""), None);
        let rule = ReplyRule::Token(Some(frame));
        assert!(rule.is_surely_answer(&carried("x"), b"\"re: x!\""));
        assert!(!rule.is_surely_answer(&carried("x"), b"\"bad: x\""));
        assert!(!rule.is_surely_answer(&carried(""), b"\"re: !\""));
    }
}
