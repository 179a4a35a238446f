//! How a case failed, apart from the figures and octets of the one time that it did.

use crate::event::FindingNote;
use serde::{Deserialize, Serialize};

/// How a case failed: the clause that was broken, and the words of the finding without its figures and
/// quotations. Two peers with the same mistake show the same symptom, whatever they are written in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Symptom(String);

impl Symptom {
    /// The symptom that a finding is.
    #[must_use]
    pub fn of(finding: &FindingNote) -> Self {
        Self(format!(
            "{}: {}",
            finding.clause,
            shape(finding.what.as_str())
        ))
    }

    /// The symptom that a sentence is, where there is no finding.
    #[must_use]
    pub fn told(clause: &str, sentence: &str) -> Self {
        Self(format!("{clause}: {}", shape(sentence)))
    }

    /// Slug of the clause that was broken.
    #[must_use]
    pub fn clause(&self) -> &str {
        self.0.split(": ").next().unwrap_or_default()
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// From so many on, replies that nobody asked for come without end.
const MANY: usize = 20;

/// Units behind a figure: whether a pause is told in ms or s is a matter of its length.
const UNITS: [&str; 5] = ["µs", "ms", "s", "KiB", "MiB"];

/// What is said of a server that has ended: how it ended where that was seen, or that nobody is there any more.
const ENDED: [&str; 3] = [
    "the server exited with code ",
    "the server was ended by ",
    "the server is gone",
];

/// A sentence without what is particular to one time: figures become `#` and quotations `"…"`. Where
/// replies come without end it does not matter how many there were, but that they were many does; and of a server that
/// has ended, not how.
fn shape(sentence: &str) -> String {
    if ENDED.iter().any(|ended| sentence.starts_with(ended)) {
        return "the server is gone".to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for (at, part) in quotations(sentence).into_iter().enumerate() {
        if at % 2 == 1 {
            words.push(quoted(&part).to_owned());
            continue;
        }
        for word in part.split_whitespace() {
            let word = without_figures(word);
            let is_unit = words.last().is_some_and(|last| last == "#")
                && UNITS.contains(&word.trim_end_matches(|c: char| c.is_ascii_punctuation()));
            if !is_unit {
                words.push(word);
            }
        }
    }
    let shaped = words.join(" ");
    // One octet is as good as many.
    let shaped = shaped.replace("# octet ", "# octets ");
    let shaped = shaped.replace("# octet, ", "# octets, ");
    let count = sentence.split_whitespace().next().map(str::parse::<usize>);
    match shaped.strip_prefix("# more replies") {
        Some(rest) if matches!(count, Some(Ok(MANY..))) => format!("many more replies{rest}"),
        _ => shaped,
    }
}

/// What a quotation comes to: what a peer says is its own affair, unless it says nothing.
const fn quoted(inside: &str) -> &'static str {
    match inside.is_empty() {
        true => "\"\"",
        false => "\"…\"",
    }
}

/// A sentence at its quotation marks: every second part is a quotation.
fn quotations(sentence: &str) -> Vec<String> {
    let (mut parts, mut is_escaped) = (vec![String::new()], false);
    for c in sentence.chars() {
        let is_mark = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        match parts.last_mut() {
            Some(part) if !is_mark => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// From so many digits on, a word in hexadecimal is no other word.
const HEX_DIGITS: usize = 4;

/// A word with `#` for each number in it, or for all of it if it is octets in hexadecimal.
fn without_figures(word: &str) -> String {
    let is_hex = word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let has_figure = word.bytes().any(|digit| digit.is_ascii_digit());
    if is_hex && has_figure && word.len() >= HEX_DIGITS {
        return "#".to_owned();
    }
    let mut shaped = String::new();
    for c in word.chars() {
        let is_figure =
            c.is_ascii_digit() || (matches!(c, '.' | ',' | '-') && shaped.ends_with('#'));
        match is_figure {
            true if shaped.ends_with('#') => {}
            true => shaped.push('#'),
            false => shaped.push(c),
        }
    }
    shaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_quotations_are_left_out() {
        for (sentence, shaped) in [
            (
                "a reply began when 1 of the request's 64 octets had been sent",
                "a reply began when # of the request's # octets had been sent",
            ),
            (
                "no reply, the connection was still open after 435 ms",
                "no reply, the connection was still open after #",
            ),
            (
                "no reply, the connection was still open after 1.2 s",
                "no reply, the connection was still open after #",
            ),
            (
                r#"the reply "{\"error\":\"12\"}"… is not the answer"#,
                r#"the reply "…" … is not the answer"#,
            ),
            (r#"the reply "a \"b\" 5" is "#, r#"the reply "…" is"#),
            (r#"the reply "" is"#, r#"the reply "" is"#),
            ("the server exited with code 1", "the server is gone"),
            (
                "the server was ended by SIGSEGV (signal 11)",
                "the server is gone",
            ),
            (
                "the server is gone: a new client could not connect: Connection refused",
                "the server is gone",
            ),
            (
                "checksum 3c10 where ab0c15d2 belongs: added",
                "checksum # where # belongs: added",
            ),
            ("1 octet that nobody wants", "# octets that nobody wants"),
            ("3 more replies behind it", "# more replies behind it"),
            ("556 more replies behind it", "many more replies behind it"),
        ] {
            assert_eq!(shape(sentence), shaped);
        }
    }

    #[test]
    fn a_symptom_knows_its_clause() {
        let symptom = Symptom::told("order", "two: of them");
        assert_eq!(symptom.clause(), "order");
        assert_eq!(symptom.as_str(), "order: two: of them");
    }
}
