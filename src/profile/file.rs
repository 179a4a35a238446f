//! Profiles as TOML files. docs/PROFILES.md describes the format for people.
//!
//! Every key is listed in [`KEYS`], and a file may hold no other. What a value must be is said in
//! one place for each key, whether it is the TOML type that is wrong or what it says.

#[cfg(test)]
mod tests;
mod words;
mod write;

use super::draft::{OCTETS, OCTETS_OF_HEADER, PLAIN_OCTETS};
use super::{Draft, Profile, ProfileError, Region};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use words::{
    CHECKSUMS, ENDS, FORMS, LASTS, ORDERS, OVER_LIMIT, PAYLOADS, REGIONS, REPLIES, REPLY_ORDERS,
    UNITS, Words, meant, quoted,
};

/// Every key of a profile file.
const KEYS: [&str; 35] = [
    "name",
    "about",
    "header.before",
    "header.after",
    "replies.before",
    "replies.after",
    "replies.refusal",
    "replies.last",
    "length.form",
    "length.width",
    "length.order",
    "length.signed",
    "length.end",
    "length.overlong",
    "length.unit",
    "length.covers",
    "body.chunk",
    "body.pad",
    "body.payload",
    "body.last",
    "body.index.width",
    "body.index.order",
    "body.index.from",
    "trailer.octets",
    "checksum.kind",
    "checksum.order",
    "checksum.covers",
    "limits.max_body",
    "limits.over",
    "exchange.reply",
    "exchange.order",
    "exchange.request",
    "exchange.unanswered",
    "exchange.prologue",
    "exchange.requests_per_connection",
];

/// What is said of a table within a section that is none.
const INDEX: (&str, &str) = (
    "body.index",
    "a table such as { width = 4, order = \"little\", from = 1 }",
);

/// Why a file is no profile, and on which of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file is not TOML.
    #[error("line {line}: {problem}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A key that no profile has.
    #[error("line {line}: {key} is no key of a profile; the keys are {}", KEYS.join(", "))]
    UnknownKey {
        /// The line, counted from 1.
        line: usize,
        /// The key with its section.
        key: String,
    },
    /// A key that has to be there.
    #[error("{key} is missing: {allowed}")]
    Missing {
        /// The key with its section.
        key: &'static str,
        /// What it would have to be.
        allowed: &'static str,
    },
    /// A value that the key cannot have.
    #[error("{}{error}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    Value {
        /// The line, counted from 1; `None` if the value is not from the file but a default.
        line: Option<usize>,
        /// The key, the value and what is allowed.
        error: ProfileError,
    },
}

impl Profile {
    /// Reads a profile file.
    ///
    /// ```
    /// use framespec::profile::Profile;
    ///
    /// let profile = Profile::from_toml("name = \"short\"\n[length]\nwidth = 2\n")?;
    /// assert_eq!((profile.header_len(), profile.chunk()), (2, 1));
    ///
    /// let error = Profile::from_toml("name = \"short\"\n[length]\nwidth = 9\n").unwrap_err();
    /// assert_eq!(error.to_string(), "line 3: length.width = 9: 1 to 8 octets");
    /// # Ok::<(), framespec::profile::FileError>(())
    /// ```
    ///
    /// # Errors
    /// If it is not TOML, has a key that is not known, lacks one that is needed, or a value is not
    /// allowed. The error names the key, the value, what is allowed, and the line.
    pub fn from_toml(text: &str) -> Result<Self, FileError> {
        let table = DeTable::parse(text).map_err(|error| FileError::Syntax {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        let file = File::new(text, table.get_ref())?;
        let draft = file.draft()?;
        Self::try_from(draft).map_err(|error| file.refuse(error))
    }

    /// The profile as a file that reads back as this profile, with every key spelled out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        write::file(&Draft::from(self.clone()))
    }
}

/// The values of a file, each under its key.
struct File<'a> {
    text: &'a str,
    values: Vec<(&'static str, &'a Spanned<DeValue<'a>>)>,
}

impl<'a> File<'a> {
    fn new(text: &'a str, table: &'a DeTable<'a>) -> Result<Self, FileError> {
        let mut file = Self {
            text,
            values: Vec::new(),
        };
        file.take_all("", table)?;
        Ok(file)
    }

    /// Takes what a table holds that stands under that path.
    fn take_all(&mut self, path: &str, table: &'a DeTable<'a>) -> Result<(), FileError> {
        for (key, value) in table {
            let inner = format!("{path}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(section) if is_section(&inner) => {
                    self.take_all(&format!("{inner}."), section)?;
                }
                _ => self.take(&inner, key.span().start, value)?,
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        key: &str,
        at: usize,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Result<(), FileError> {
        let line = line_of(self.text, at);
        if key == INDEX.0 {
            let written = shown(self.text.get(value.span()).unwrap_or_default());
            let error = ProfileError::new(INDEX.0, written, INDEX.1);
            let line = Some(line);
            return Err(FileError::Value { line, error });
        }
        let known = KEYS.into_iter().find(|known| *known == key);
        let known = known.ok_or_else(|| FileError::UnknownKey {
            line,
            key: shown(key),
        })?;
        self.values.push((known, value));
        Ok(())
    }

    fn draft(&self) -> Result<Draft, FileError> {
        let plain = plain();
        let octets = OCTETS_OF_HEADER;
        Ok(Draft {
            name: self
                .text("name", "1 to 64 of a-z, 0-9 and -, in quotes")?
                .ok_or(FileError::Missing {
                    key: "name",
                    allowed: "1 to 64 of a-z, 0-9 and -, in quotes",
                })?,
            about: self
                .text("about", "one line of at most 200 octets, in quotes")?
                .unwrap_or(plain.about),
            before: self.text("header.before", octets)?.unwrap_or(plain.before),
            after: self.text("header.after", octets)?.unwrap_or(plain.after),
            reply_before: self.text("replies.before", octets)?,
            reply_after: self.text("replies.after", octets)?,
            refusal: self
                .text("replies.refusal", PLAIN_OCTETS)?
                .unwrap_or(plain.refusal),
            reply_last: self
                .text("replies.last", PLAIN_OCTETS)?
                .unwrap_or(plain.reply_last),
            width: self
                .number("length.width", "1 to 8 octets")?
                .ok_or(FileError::Missing {
                    key: "length.width",
                    allowed: "1 to 8 octets",
                })?,
            order: self.word("length.order", &ORDERS)?.unwrap_or(plain.order),
            form: self.word("length.form", &FORMS)?.unwrap_or(plain.form),
            signed: self.flag("length.signed")?,
            end: self.word("length.end", &ENDS)?.unwrap_or(plain.end),
            overlong: self.flag("length.overlong")?,
            unit: self.word("length.unit", &UNITS)?.unwrap_or(plain.unit),
            covers: self.regions("length.covers")?.unwrap_or(plain.covers),
            chunk: self
                .number("body.chunk", "1 to 65536 octets; 1 means no padding")?
                .unwrap_or(plain.chunk),
            pad: self
                .number("body.pad", "an octet, 0 to 255")?
                .unwrap_or(plain.pad),
            index: self.index_width()?,
            index_order: self
                .word("body.index.order", &ORDERS)?
                .unwrap_or(plain.index_order),
            index_from: self
                .number("body.index.from", "0 or 1")?
                .unwrap_or(plain.index_from),
            last: self.word("body.last", &LASTS)?.unwrap_or(plain.last),
            trailer: self
                .text("trailer.octets", OCTETS)?
                .unwrap_or(plain.trailer),
            checksum: self.word("checksum.kind", &CHECKSUMS)?,
            checksum_order: self
                .word("checksum.order", &ORDERS)?
                .unwrap_or(plain.checksum_order),
            checksum_covers: self
                .regions("checksum.covers")?
                .unwrap_or(plain.checksum_covers),
            payload: self
                .word("body.payload", &PAYLOADS)?
                .unwrap_or(plain.payload),
            max_body: self.number(
                "limits.max_body",
                "a number of octets; leave it out if the server's limit is not known",
            )?,
            over_limit: self
                .word("limits.over", &OVER_LIMIT)?
                .unwrap_or(plain.over_limit),
            reply: self
                .word("exchange.reply", &REPLIES)?
                .unwrap_or(plain.reply),
            reply_order: self
                .word("exchange.order", &REPLY_ORDERS)?
                .unwrap_or(plain.reply_order),
            request: self.text(
                "exchange.request",
                "a request with {text} in it exactly once, in quotes",
            )?,
            unanswered: self.text(
                "exchange.unanswered",
                "a message with {text} in it exactly once, in quotes",
            )?,
            prologue: self.prologue()?,
            requests_per_connection: self.number(
                "exchange.requests_per_connection",
                super::exchange::REQUESTS,
            )?,
        })
    }

    /// Octets of an index. Where anything is said of indexes, that is.
    fn index_width(&self) -> Result<Option<u8>, FileError> {
        const KEY: &str = "body.index.width";
        const ALLOWED: &str = "1 to 8 octets";
        let width = self.number(KEY, ALLOWED)?;
        let mut said = self.values.iter().map(|(key, _)| key);
        match width {
            None if said.any(|key| key.starts_with("body.index.")) => Err(FileError::Missing {
                key: KEY,
                allowed: ALLOWED,
            }),
            width => Ok(width),
        }
    }

    fn get<T>(
        &self,
        key: &'static str,
        allowed: &str,
        read: impl Fn(&DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, FileError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        read(value.get_ref()).map(Some).ok_or_else(|| {
            let written = self.text.get(value.span()).unwrap_or_default();
            self.refuse(ProfileError::new(key, shown(written), allowed))
        })
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let mut values = self.values.iter();
        values.find(|(known, _)| *known == key).map(|(_, v)| *v)
    }

    fn text(&self, key: &'static str, allowed: &str) -> Result<Option<String>, FileError> {
        self.get(key, allowed, |value| value.as_str().map(str::to_owned))
    }

    fn flag(&self, key: &'static str) -> Result<bool, FileError> {
        let flag = self.get(key, "true or false", DeValue::as_bool)?;
        Ok(flag.unwrap_or(false))
    }

    fn number<T: TryFrom<u64>>(
        &self,
        key: &'static str,
        allowed: &str,
    ) -> Result<Option<T>, FileError> {
        self.get(key, allowed, |value| {
            let number = value.as_integer()?;
            let number = u64::from_str_radix(number.as_str(), number.radix()).ok()?;
            T::try_from(number).ok()
        })
    }

    fn word<T: Copy>(&self, key: &'static str, words: &Words<T>) -> Result<Option<T>, FileError> {
        let allowed = format!("one of {}", quoted(words));
        self.get(key, &allowed, |value| meant(words, value))
    }

    fn regions(&self, key: &'static str) -> Result<Option<Vec<Region>>, FileError> {
        let allowed = format!("a list of {}", quoted(&REGIONS));
        self.get(key, &allowed, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| meant(&REGIONS, item.get_ref())).collect()
        })
    }

    fn prologue(&self) -> Result<Vec<String>, FileError> {
        let allowed = "a list of turns in quotes, such as \"client 01 02\" and \"server frame\"";
        let turns = self.get("exchange.prologue", allowed, |value| {
            let turns = value.as_array()?.iter();
            let text = |turn: &Spanned<DeValue<'a>>| turn.get_ref().as_str().map(str::to_owned);
            turns.map(text).collect()
        })?;
        Ok(turns.unwrap_or_default())
    }

    fn refuse(&self, error: ProfileError) -> FileError {
        let line = self
            .value(error.field)
            .map(|value| line_of(self.text, value.span().start));
        FileError::Value { line, error }
    }
}

/// What holds for a key that is left out: the plainest format, without padding.
fn plain() -> Draft {
    Draft {
        chunk: 1,
        ..Draft::default()
    }
}

fn is_section(path: &str) -> bool {
    let mut behind = KEYS.iter().filter_map(|key| key.strip_prefix(path));
    behind.any(|key| key.starts_with('.'))
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let breaks = before.iter().filter(|octet| **octet == b'\n').count();
    breaks.saturating_add(1)
}

/// A part of the file, short and safe to print.
fn shown(part: &str) -> String {
    const MOST: usize = 60;
    let mut shown = String::new();
    for c in part.chars().take(MOST) {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if part.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
