//! Sentences of others: what says them knows of no languages, be it a room that only reads profiles or a crate that
//! reads arguments. They are found again by their templates, and shown in the reader's language.

use super::{Language, Piece, pieces};

/// The tables of a file with templates of such sentences: those that stand in this crate, and those of other crates.
pub(super) const TABLES: [&str; 2] = ["heard", "foreign"];

/// A template of a sentence, and what that is in the language.
#[derive(Debug)]
pub(super) struct Heard {
    english: String,
    text: String,
}

/// What stands between two halves of which each may be a sentence.
const BETWEEN: &str = ": ";

impl Heard {
    pub(super) fn new(english: &str, text: &str) -> Self {
        Self {
            english: english.to_owned(),
            text: text.to_owned(),
        }
    }

    /// How much of it is no hole: of two that a sentence may be made from, it is the one that says more.
    pub(super) fn said(&self) -> usize {
        let pieces = pieces(&self.english).into_iter();
        let plain = pieces.map(|piece| match piece {
            Piece::Plain(text) => text.len(),
            Piece::Hole(_) => 0,
        });
        plain.sum()
    }

    /// A sentence that is made from it, in the language.
    fn of(&self, sentence: &str, language: &Language) -> Option<String> {
        let found = matched(&self.english, sentence)?;
        let text = super::filled(&self.text, |name, before| {
            let (_, said) = found.iter().find(|(known, _)| *known == name)?;
            let said = heard(said, language);
            language.elide(before, &said);
            Some(said.into())
        });
        Some(text)
    }
}

/// Sentences in the language, one a line, as far as the language knows them.
pub(super) fn heard(text: &str, language: &Language) -> String {
    let lines = text.split('\n').map(|line| sentence(line, language));
    lines.collect::<Vec<String>>().join("\n")
}

/// Each part of it is shorter, so that there is an end.
fn sentence(sentence: &str, language: &Language) -> String {
    let mut known = language.heard.iter();
    if let Some(text) = known.find_map(|one| one.of(sentence, language)) {
        return text;
    }
    match sentence.split_once(BETWEEN) {
        Some((front, behind)) => {
            format!(
                "{}{BETWEEN}{}",
                heard(front, language),
                heard(behind, language)
            )
        }
        None => sentence.to_owned(),
    }
}

/// What fills the holes of a template in a sentence, each as short as can be.
fn matched<'a>(template: &'a str, sentence: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (mut found, mut rest, mut open) = (Vec::new(), sentence, None);
    for piece in pieces(template) {
        match (piece, open.take()) {
            (Piece::Hole(name), None) => open = Some(name),
            (Piece::Hole(_), Some(_)) => return None,
            (Piece::Plain(""), hole) => open = hole,
            (Piece::Plain(text), None) => rest = rest.strip_prefix(text)?,
            (Piece::Plain(text), Some(name)) => {
                let (said, behind) = rest.split_once(text)?;
                // What a sentence begins with ends in front of the sentence: `FILE: KEY is missing`.
                if found.is_empty() && rest.len() == sentence.len() && said.contains(BETWEEN) {
                    return None;
                }
                found.push((name, said));
                rest = behind;
            }
        }
    }
    match open {
        Some(name) => found.push((name, rest)),
        None if !rest.is_empty() => return None,
        None => {}
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_found_in_a_sentence_again() {
        let template = "line {line}: {key} is no key";
        let found = matched(template, "line 7: length.sign is no key");
        assert_eq!(found.unwrap(), [("line", "7"), ("key", "length.sign")]);
        let missing = "{key} is missing";
        assert_eq!(matched(missing, "a is missing").unwrap(), [("key", "a")]);
        assert_eq!(matched(missing, "file: a is missing"), None);
        for other in [
            "line 7",
            "line 7: it is no key of it",
            "a line 7: x is no key",
        ] {
            assert_eq!(matched(template, other), None, "{other}");
        }
        assert_eq!(matched("cannot {why}", "cannot ").unwrap(), [("why", "")]);
    }

    #[test]
    fn a_sentence_of_others_is_shown_in_the_language_with_all_that_it_holds() {
        let language = Language::named("es").unwrap().unwrap();
        let error = crate::profile::Profile::from_toml("name = \"x\"\n[length]\nwidth = 9\n");
        let said = heard(&format!("x.toml: {}", error.unwrap_err()), &language);
        assert_eq!(said, "x.toml: línea 3: length.width = 9: de 1 a 8 octetos");
        assert_eq!(
            heard("of this: nothing is known", &language),
            "of this: nothing is known"
        );
    }
}
