//! Words that a server may be waiting for, and payloads made with them.

use super::payloads;
use crate::profile::{Payload, Profile};
use crate::script::draws::Draws;
use serde_json::{Map, Value};

/// Texts and numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    texts: Vec<String>,
    all: Vec<Value>,
}

impl Words {
    /// Takes in those that are new.
    pub(super) fn learn(&mut self, words: &[Value]) {
        for word in words {
            if self.all.contains(word) {
                continue;
            }
            self.texts.extend(word.as_str().map(str::to_owned));
            self.all.push(word.clone());
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether there is a text among these octets.
    pub(super) fn stand_in(&self, octets: &[u8]) -> bool {
        let holds = |text: &String| {
            let mut parts = octets.windows(text.len().max(1));
            parts.any(|part| part == text.as_bytes())
        };
        self.texts.iter().any(holds)
    }

    /// A payload like that one, with a word somewhere in it.
    pub(super) fn payload(&self, profile: &Profile, old: &[u8], draws: &mut Draws) -> Vec<u8> {
        if profile.payload() != Payload::Json {
            return self.inserted(old, draws);
        }
        let old = serde_json::from_slice(old).unwrap_or_default();
        self.changed(old, draws).to_string().into_bytes()
    }

    /// A word in the place of some octets, or between them.
    fn inserted(&self, old: &[u8], draws: &mut Draws) -> Vec<u8> {
        let word = match self.value(draws) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let (before, behind) = old.split_at(draws.below(old.len()));
        let behind = match draws.below(3) {
            0 => &[],
            1 => behind,
            _ => behind.get(word.len()..).unwrap_or_default(),
        };
        [before, word.as_bytes(), behind].concat()
    }

    fn changed(&self, old: Value, draws: &mut Draws) -> Value {
        match old {
            Value::Object(fields) if !draws.one_in(6) => {
                Value::Object(self.with_field(fields, draws))
            }
            Value::Array(mut items) if !items.is_empty() && !draws.one_in(4) => {
                let at = draws.below(items.len());
                if let Some(item) = items.get_mut(at) {
                    *item = self.changed(item.take(), draws);
                }
                Value::Array(items)
            }
            _ => match draws.below(6) {
                0 => self.value(draws),
                1 => Value::Array(vec![self.value(draws)]),
                _ => Value::Object(self.with_field(Map::new(), draws)),
            },
        }
    }

    /// One field more, or another value in one that is there.
    fn with_field(&self, mut fields: Map<String, Value>, draws: &mut Draws) -> Map<String, Value> {
        let known = fields.keys().nth(draws.below(fields.len())).cloned();
        let key = match (known, draws.below(6)) {
            (Some(known), 0..=2) => known,
            (Some(known), 3) => {
                fields.remove(&known);
                return fields;
            }
            _ => draws.pick(&self.texts).cloned().unwrap_or_default(),
        };
        let value = match (fields.remove(&key), draws.below(8)) {
            (Some(old @ (Value::Object(_) | Value::Array(_))), 0..=3) => self.changed(old, draws),
            (_, 0) => payloads::odd(draws),
            _ => self.value(draws),
        };
        fields.insert(key, value);
        fields
    }

    fn value(&self, draws: &mut Draws) -> Value {
        draws.pick(&self.all).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words() -> Words {
        let mut words = Words::default();
        words.learn(&[json!("op"), json!("sync"), json!(17), json!("op")]);
        words
    }

    /// Whether these words alone lead so far within so many changes.
    fn leads_to(is_there: impl Fn(&Value) -> bool) -> bool {
        let (words, mut draws) = (words(), Draws::new(1));
        let profile = Profile::default();
        let mut payload = b"\"hi\"".to_vec();
        (0..2_000).any(|_| {
            payload = words.payload(&profile, &payload, &mut draws);
            is_there(&serde_json::from_slice(&payload).unwrap())
        })
    }

    #[test]
    fn words_become_fields_and_values() {
        assert_eq!(words().texts, ["op", "sync"]);
        assert!(leads_to(|value| *value == json!({"op": "sync"})));
        assert!(leads_to(|value| *value == json!({"op": "sync", "sync": 17})));
        assert!(leads_to(
            |value| value["op"]["sync"].is_number() || value.is_array()
        ));
        assert!(leads_to(|value| *value == json!("sync")));
    }

    #[test]
    fn in_octets_of_no_known_meaning_they_stand_anywhere() {
        let own = "name = 'own'\nlength.width = 3\nbody.payload = 'opaque'\n";
        let profile = Profile::from_toml(own).unwrap();
        let (words, mut draws) = (words(), Draws::new(1));
        for old in [&b""[..], b"abcdef"] {
            let new: Vec<_> = (0..50)
                .map(|_| words.payload(&profile, old, &mut draws))
                .collect();
            let holds = |text: &str| {
                let wanted = text.as_bytes();
                new.iter()
                    .any(|payload| payload.windows(wanted.len()).any(|part| part == wanted))
            };
            assert!(holds("sync") && holds("17"), "{new:?}");
        }
    }
}
