//! The text around a request's own text, for servers that take only some messages.

use super::{Payload, ProfileError};
use std::fmt;

const FIELD: &str = "exchange.request";

const ONCE: &str = "a request with {text} in it exactly once";

const INNER: &str =
    "{len:1} to {len:8} directly in front of {text}, once, in a request that is not JSON";

/// The text around a request's own text, for servers that take only some messages.
///
/// Its source holds `{text}` exactly once. In a JSON profile the text goes in JSON-escaped, without
/// quotes, so the source of the plainest template is `"{text}"`, quotes included. In others `{len:N}` may stand directly
/// in front of it: how many octets the text has, in N octets, the most significant first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The key that it is written at.
    field: &'static str,
    head: String,
    /// Octets of the text's length in front of it; 0 if there is none.
    width: usize,
    tail: String,
}

impl Template {
    const HOLE: &'static str = "{text}";
    const LENGTH: &'static str = "{len:";

    /// What is written so as a request.
    pub(super) fn read(source: &str, payload: Payload) -> Result<Self, ProfileError> {
        Self::read_as(FIELD, source, payload)
    }

    /// What is written so at that key.
    pub(super) fn read_as(
        field: &'static str,
        source: &str,
        payload: Payload,
    ) -> Result<Self, ProfileError> {
        let refuse = |allowed| refused(field, source, allowed);
        let (head, tail) = source.split_once(Self::HOLE).ok_or_else(|| refuse(ONCE))?;
        if tail.contains(Self::HOLE) {
            return Err(refuse(ONCE));
        }
        if payload == Payload::Json && !is_json(&format!("{head}text{tail}")) {
            return Err(refuse(
                "a JSON text once {text} is filled in; note that {text} stands inside quotes",
            ));
        }
        // In JSON it is text like any other.
        let (head, width) = match payload {
            Payload::Json => (head, 0),
            _ if tail.contains(Self::LENGTH) => return Err(refuse(INNER)),
            _ => with_length(head).ok_or_else(|| refuse(INNER))?,
        };
        Ok(Self {
            field,
            head: head.to_owned(),
            width,
            tail: tail.to_owned(),
        })
    }

    /// The request with that text in it, as its notation has it. Of a length that is too large for its octets the lower
    /// part is written: a profile's limit keeps such requests from being made.
    #[must_use]
    pub fn filled(&self, text: &str) -> Vec<u8> {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
        let length = length.get(length.len().saturating_sub(self.width)..);
        let parts = [
            self.head.as_bytes(),
            length.unwrap_or_default(),
            text.as_bytes(),
            self.tail.as_bytes(),
        ];
        parts.concat()
    }

    /// The octets in the place of the text, if that payload is such a request.
    #[must_use]
    pub fn text_in<'a>(&self, payload: &'a [u8]) -> Option<&'a [u8]> {
        let rest = payload.strip_prefix(self.head.as_bytes())?;
        let (length, rest) = rest.split_at_checked(self.width)?;
        let text = rest.strip_suffix(self.tail.as_bytes())?;
        let number = |number: u64, octet: &u8| number.wrapping_shl(8) | u64::from(*octet);
        let said = length.iter().fold(0, number);
        let is_right = self.width == 0 || u64::try_from(text.len()).is_ok_and(|len| len == said);
        is_right.then_some(text)
    }

    /// Whether a payload begins as this does in front of its text, whatever follows.
    #[must_use]
    pub fn begins(&self, payload: &[u8]) -> bool {
        payload.starts_with(self.head.as_bytes())
    }

    /// Whether an octet tells this from the other in front of the text of either.
    pub(super) fn begins_otherwise(&self, other: &Self) -> bool {
        let (own, others) = (self.head.as_bytes(), other.head.as_bytes());
        own.iter().zip(others).any(|(one, other)| one != other)
    }

    /// Whether its last octet is that one.
    pub(super) fn ends_in(&self, octet: u8) -> bool {
        self.tail.as_bytes().last() == Some(&octet)
    }

    /// No body that the limit allows has a text whose length its octets do not hold.
    pub(super) fn fits(&self, limit: Option<u64>) -> Result<(), ProfileError> {
        let around = [self.head.len(), self.width, self.tail.len()];
        let around = around.into_iter().fold(0_usize, usize::saturating_add);
        let around = u64::try_from(around).unwrap_or(u64::MAX);
        let holds = match u32::try_from(self.width).unwrap_or(u32::MAX) {
            0 | 8.. => return Ok(()),
            width => (1_u64 << width.saturating_mul(8)).saturating_sub(1),
        };
        let most = around.saturating_add(holds);
        // Without a limit no case sends more than four octets hold.
        if limit.map_or(self.width >= 4, |limit| limit <= most) {
            return Ok(());
        }
        let allowed = format!(
            "a limits.max_body of at most {most}, as {{len:{}}} holds no more",
            self.width
        );
        Err(self.refused(&allowed))
    }

    pub(super) fn refused(&self, allowed: &str) -> ProfileError {
        refused(self.field, &self.to_string(), allowed)
    }
}

#[cfg(feature = "toml")]
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The codec alone does not come with a JSON parser, and does not make requests either.
#[cfg(not(feature = "toml"))]
fn is_json(_: &str) -> bool {
    true
}

/// What is in front of a length at the end of a head, and its octets; none, if it is written otherwise.
fn with_length(head: &str) -> Option<(&str, usize)> {
    let Some((before, written)) = head.split_once(Template::LENGTH) else {
        return Some((head, 0));
    };
    let width = match written.strip_suffix('}')?.as_bytes() {
        [digit @ b'1'..=b'8'] => usize::from(digit.saturating_sub(b'0')),
        _ => return None,
    };
    Some((before, width))
}

fn refused(field: &'static str, source: &str, allowed: &str) -> ProfileError {
    ProfileError::new(field, format!("{source:?}"), allowed)
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        if self.width > 0 {
            write!(f, "{}{}}}", Self::LENGTH, self.width)?;
        }
        write!(f, "{}{}", Self::HOLE, self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Template {
        Template::read(source, Payload::Opaque).unwrap()
    }

    #[test]
    fn a_length_says_how_many_octets_the_text_has() {
        let name = read("\u{1}{len:2}{text}\0");
        assert_eq!(name.filled("h\u{e9}"), b"\x01\0\x03h\xc3\xa9\0");
        assert_eq!(name.to_string(), "\u{1}{len:2}{text}\0");
        assert_eq!(name.text_in(b"\x01\0\x02hi\0"), Some(&b"hi"[..]));
        for other in [
            &b"\x01\0\x03hi\0"[..],
            b"\x01\0\x02hi",
            b"\x02\0\x02hi\0",
            b"\x01\0",
        ] {
            assert_eq!(name.text_in(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_length_anywhere_else_or_of_no_octets_is_refused() {
        for source in [
            "{len:2} {text}",
            "{text}{len:2}",
            "{len:0}{text}",
            "{len:9}{text}",
            "{len:2}{len:2}{text}",
            "{len:}{text}",
        ] {
            let error = Template::read(source, Payload::Utf8).unwrap_err();
            assert_eq!(error.allowed, INNER, "{source}");
        }
        let json = Template::read("{\"{len:1}\": \"{text}\"}", Payload::Json).unwrap();
        assert_eq!(json.filled("a"), b"{\"{len:1}\": \"a\"}");
    }

    #[test]
    fn a_limit_keeps_the_length_within_its_octets() {
        let name = read("a{len:1}{text}b");
        assert!(name.fits(Some(258)).is_ok());
        let error = name.fits(Some(259)).unwrap_err();
        assert_eq!(
            error.allowed,
            "a limits.max_body of at most 258, as {len:1} holds no more"
        );
        assert!(name.fits(None).is_err());
        assert!(read("{len:4}{text}").fits(None).is_ok());
    }
}
