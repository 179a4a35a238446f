//! The languages that there are beside English, and which of them is shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// The texts of a language, each under its English.
#[derive(Debug)]
pub struct Language {
    code: &'static str,
    name: String,
    texts: HashMap<String, String>,
    /// The same as they stand in the file.
    file: toml::Table,
}

/// The languages with their files. Another one is a file and its row.
const FILES: &[(&str, &str)] = &[("es", include_str!("es.toml"))];

/// What English is called where languages are chosen.
const ENGLISH: &str = "en";

/// The key under which a file says what its language calls itself.
const NAME: &str = "name";

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
        gather(&table, &mut texts);
        let name = texts.remove(NAME).unwrap_or_default();
        let file = table;
        Self {
            code,
            name,
            texts,
            file,
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

/// The texts of all tables, which only keep together what belongs together.
fn gather(table: &toml::Table, texts: &mut HashMap<String, String>) {
    for (english, value) in table {
        match value {
            toml::Value::String(text) => {
                texts.insert(english.clone(), text.clone());
            }
            toml::Value::Table(inner) => gather(inner, texts),
            _ => {}
        }
    }
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
            parsed(file).unwrap_or_else(|error| panic!("{code}: {error}"));
            let language = Language::named(code).unwrap().unwrap();
            assert!(
                !language.name().is_empty() && language.texts.len() > 1_000,
                "{code}"
            );
        }
    }
}
