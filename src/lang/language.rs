//! The languages that there are beside English, and which of them is shown.

use super::heard::{Heard, TABLES};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// The texts of a language, each under its English.
#[derive(Debug)]
pub struct Language {
    code: &'static str,
    name: String,
    texts: HashMap<String, String>,
    numbers: Numbers,
    elisions: Vec<Elision>,
    /// Sentences of others, those that say most first.
    pub(super) heard: Vec<Heard>,
    /// The same as they stand in the file.
    file: toml::Table,
}

/// How large numbers are written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Numbers {
    /// What stands between thousands.
    thousands: String,
    /// The least number in which they are set apart.
    grouped_from: usize,
}

/// A word that becomes another in front of its own sound, as Spanish `o` does in front of `ocho`.
#[derive(Debug, serde::Deserialize)]
struct Elision {
    word: String,
    becomes: String,
    /// How what follows begins.
    before: Vec<String>,
}

/// The languages with their files. Another one is a file and its row.
const FILES: &[(&str, &str)] = &[("es", include_str!("es.toml"))];

/// What English is called where languages are chosen.
const ENGLISH: &str = "en";

/// The key under which a file says what its language calls itself.
const NAME: &str = "name";

/// The keys under which it says how it writes numbers, and which words change.
const NUMBERS: &str = "numbers";
const ELISIONS: &str = "elisions";

/// A language for which there are no texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLanguage(pub String);

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Language::codes().collect();
        let known = known.join(", ");
        write!(
            f,
            "there are no texts in the language {:?}, so they are in English; there are {known}",
            self.0
        )
    }
}

impl Language {
    /// What the languages are called, English first.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        std::iter::once(ENGLISH).chain(FILES.iter().map(|(code, _)| *code))
    }

    /// The language of a name such as `es`, `es_MX` or `es_MX.UTF-8`; `None` if that is English.
    ///
    /// # Errors
    /// If there are no texts in it.
    pub fn named(name: &str) -> Result<Option<Self>, UnknownLanguage> {
        let end = |c: char| !c.is_ascii_alphanumeric();
        let code = name.split(end).next().unwrap_or_default().to_lowercase();
        if matches!(code.as_str(), ENGLISH | "c" | "posix") {
            return Ok(None);
        }
        let mut files = FILES.iter();
        let file = files.find(|(known, _)| *known == code);
        let (code, file) = file.ok_or_else(|| UnknownLanguage(name.to_owned()))?;
        Ok(Some(Self::read(code, file)))
    }

    /// Reads a file of texts. That each can be read is held by a test; of one that cannot, nothing is known.
    fn read(code: &'static str, file: &str) -> Self {
        let table = parsed(file).unwrap_or_default();
        let mut texts = HashMap::new();
        let name = table.get(NAME).and_then(toml::Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        for (_, texts_of) in table.iter().filter(|(key, _)| *key != NUMBERS) {
            gather(texts_of, &mut texts);
        }
        Self {
            code,
            name,
            texts,
            numbers: rules(&table, NUMBERS),
            elisions: rules(&table, ELISIONS),
            heard: sentences(&table),
            file: table,
        }
    }

    /// A number as it is written in it.
    pub(super) fn number(&self, number: usize) -> String {
        match number < self.numbers.grouped_from {
            true => number.to_string(),
            false => super::grouped(number, &self.numbers.thousands),
        }
    }

    /// Changes the last word in front of a text that begins with its sound.
    pub(super) fn elide(&self, before: &mut String, text: &str) {
        let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
        let Some(front) = before.strip_suffix(' ') else {
            return;
        };
        for elision in &self.elisions {
            let is_before = elision.before.iter().any(|it| text.starts_with(it));
            let rest = front.strip_suffix(elision.word.as_str());
            if let Some(rest) =
                rest.filter(|rest| is_before && !rest.ends_with(char::is_alphanumeric))
            {
                *before = format!("{rest}{} ", elision.becomes);
                return;
            }
        }
    }

    /// What it is called where languages are chosen.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What it calls itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What that is in it, if it knows it.
    #[must_use]
    pub fn text(&self, english: &str) -> Option<&str> {
        self.texts.get(english).map(String::as_str)
    }

    /// The tables of its file.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        let tables = self.file.iter().filter(|(_, value)| value.is_table());
        let tables = tables.filter(|(name, _)| *name != NUMBERS);
        tables.map(|(name, _)| name.as_str())
    }

    /// What stands in a table of its file: English, and what that is in it.
    pub fn table(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let table = self.file.get(name).and_then(toml::Value::as_table);
        let texts = table.into_iter().flatten();
        texts.filter_map(|(english, text)| Some((english.as_str(), text.as_str()?)))
    }
}

fn parsed(file: &str) -> Result<toml::Table, toml::de::Error> {
    file.parse()
}

/// The sentences of others in a file, those that say most first.
fn sentences(table: &toml::Table) -> Vec<Heard> {
    let tables = TABLES
        .iter()
        .filter_map(|name| table.get(*name)?.as_table());
    let heard = tables
        .flatten()
        .filter_map(|(english, text)| Some(Heard::new(english, text.as_str()?)));
    let mut heard: Vec<Heard> = heard.collect();
    heard.sort_by_key(|one| Reverse(one.said()));
    heard
}

/// What a file says of its language under that key. That it can be read is held by a test.
fn rules<T: serde::de::DeserializeOwned + Default>(table: &toml::Table, key: &str) -> T {
    read_rules(table, key).unwrap_or_default()
}

fn read_rules<T: serde::de::DeserializeOwned + Default>(
    table: &toml::Table,
    key: &str,
) -> Result<T, toml::de::Error> {
    let value = table.get(key).cloned();
    value.map_or_else(|| Ok(T::default()), toml::Value::try_into)
}

/// The texts of all tables, which only keep together what belongs together.
fn gather(table: &toml::Value, texts: &mut HashMap<String, String>) {
    let table = table.as_table().into_iter().flatten();
    let known =
        table.filter_map(|(english, text)| Some((english.clone(), text.as_str()?.to_owned())));
    texts.extend(known);
}

/// The variables that name a language, the first that is set counts.
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language that the environment asks for; `None` if that is English or one for which there are no texts.
pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Language> {
    let mut set = VARIABLES.iter().filter_map(|name| variable(name));
    let name = set.find(|name| !name.is_empty())?;
    Language::named(&name).ok().flatten()
}

static SHOWN: OnceLock<Language> = OnceLock::new();

/// From now on texts are shown in that language. Only the first call has an effect.
pub fn show_in(language: Language) {
    let _ = SHOWN.set(language);
}

/// The language that texts are shown in; `None` if that is English.
pub fn shown() -> Option<&'static Language> {
    SHOWN.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_can_be_read_and_says_what_its_language_calls_itself() {
        for (code, file) in FILES {
            let table = parsed(file).unwrap_or_else(|error| panic!("{code}: {error}"));
            let numbers = read_rules::<Numbers>(&table, NUMBERS);
            let elisions = read_rules::<Vec<Elision>>(&table, ELISIONS);
            assert!(numbers.is_ok() && elisions.is_ok(), "{code}");
            let language = Language::named(code).unwrap().unwrap();
            assert!(
                !language.name().is_empty() && language.texts.len() > 1_000,
                "{code}"
            );
        }
    }
}
