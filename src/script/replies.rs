//! How a text lies in the payload of a reply, where a script plays the server.

use crate::profile::{Payload, Profile};

/// Where a text goes in what is typed, or in a reply.
pub const HOLE: &str = "{text}";

/// How the payload of a reply is made of the text that it carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyTemplate(Option<String>);

impl ReplyTemplate {
    /// A payload with [`HOLE`] where the text goes. Without one the payload is the text itself, as a JSON
    /// string where payloads are JSON.
    #[must_use]
    pub const fn new(template: Option<String>) -> Self {
        Self(template)
    }

    /// What was given, if anything was.
    #[must_use]
    pub fn given(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The payload that carries the text.
    #[must_use]
    pub fn payload(&self, profile: &Profile, text: &str) -> Vec<u8> {
        filled(self.source(profile), text).into_bytes()
    }

    /// The text that a payload carries, if it was made from this template.
    #[must_use]
    pub fn text_in(&self, profile: &Profile, payload: &[u8]) -> Option<String> {
        let source = self.source(profile);
        let (head, tail) = source.split_once(HOLE)?;
        let inner = payload
            .strip_prefix(head.as_bytes())?
            .strip_suffix(tail.as_bytes())?;
        let inner = std::str::from_utf8(inner).ok()?;
        if is_json(source) {
            serde_json::from_str(&format!("\"{inner}\"")).ok()
        } else {
            Some(inner.to_owned())
        }
    }

    /// As much of the text as there is in the first octets of a payload.
    #[must_use]
    pub fn text_in_part(&self, profile: &Profile, part: &[u8]) -> Option<String> {
        if let Some(text) = self.text_in(profile, part) {
            return Some(text);
        }
        let (head, _) = self.source(profile).split_once(HOLE)?;
        let inner = part.strip_prefix(head.as_bytes())?;
        let text = String::from_utf8_lossy(inner);
        // What an escape would stand for is not known before it is whole.
        text.split(['\\', '\u{fffd}']).next().map(str::to_owned)
    }

    fn source(&self, profile: &Profile) -> &str {
        match &self.0 {
            Some(template) => template,
            None if profile.payload() == Payload::Json => "\"{text}\"",
            None => HOLE,
        }
    }
}

/// The template with the text in it, escaped where the template is JSON.
#[must_use]
pub fn filled(template: &str, text: &str) -> String {
    if !is_json(template) {
        return template.replace(HOLE, text);
    }
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    template.replace(HOLE, inner.unwrap_or_default())
}

fn is_json(template: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(&template.replace(HOLE, "x")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_as_what_they_are() {
        assert_eq!(filled("say {text}", "a\"b"), "say a\"b");
        assert_eq!(filled("\"{text}\"", "a\"b"), "\"a\\\"b\"");
        assert_eq!(filled("{\"t\": \"{text}\"}", "é"), "{\"t\": \"é\"}");
        assert_eq!(filled("list", "x"), "list");
    }

    #[test]
    fn a_text_is_found_in_what_was_made_of_it() {
        let profile = Profile::tutorial();
        let templates = [None, Some("{\"t\": \"{text}\", \"n\": 1}".to_owned())];
        for template in templates.map(ReplyTemplate::new) {
            let payload = template.payload(&profile, "a \"b\" é");
            let text = template.text_in(&profile, &payload);
            assert_eq!(text.as_deref(), Some("a \"b\" é"));
            let part = payload.get(..payload.len() / 2).unwrap();
            let text = template.text_in_part(&profile, part).unwrap();
            assert!("a \"b\" é".starts_with(&text), "{text}");
            assert_eq!(template.text_in(&profile, b"7"), None);
        }
    }
}
