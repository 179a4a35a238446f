//! Texts for people: English where they are made, and in the reader's language where they are shown.
//!
//! A [`Text`] is made from a template by `say!`, at the place where it has something to say, and keeps the template
//! with what fills its holes. So whoever shows it can fill the same template in another language, and whoever compares
//! it compares English. The templates of another language are a [file](Language) beside this one, from English to it.
//!
//! Which language is shown is a matter of the process: [`show_in`] sets it once, before anything is shown. What is shown
//! is put together in some hundred small functions of a dozen formats, and each of them would hand the same value along.
//! Nothing that judges or compares can see it.

mod heard;
mod language;

pub use language::{Language, UnknownLanguage, from_environment, show_in, shown};

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;

/// Makes a [`Text`] from a template: `say!("no reply within {after}", after = duration(time))`. A hole is filled by what
/// is behind its name, or by the variable of its name. Braces that are none of a hole stand twice, unless there is no
/// hole at all.
macro_rules! say {
    ($template:literal $(,)?) => {
        $crate::lang::Text::whole($template)
    };
    ($template:literal, $($hole:ident $(= $value:expr)?),+ $(,)?) => {{
        const { assert!($crate::lang::is_filled($template, &[$(stringify!($hole)),+])) };
        $crate::lang::Text::made(
            $template,
            vec![$((stringify!($hole), $crate::lang::say!(@value $hole $(, $value)?))),+],
        )
    }};
    (@value $hole:ident) => {
        $crate::lang::Hole::text(&$hole)
    };
    (@value $hole:ident, $value:expr) => {
        $crate::lang::Hole::text(&$value)
    };
}

pub(crate) use say;

/// A text for people. Compared and serialised it is English; displayed, it is in the [language of the
/// reader](show_in).
#[derive(Clone, Default)]
pub struct Text {
    english: String,
    source: Source,
}

/// Where another language is found for a text.
#[derive(Clone, Default)]
enum Source {
    /// Nowhere: it is data, such as a name or what a peer said.
    #[default]
    Data,
    /// Under a template that is not known: it was said by those who know of no languages.
    Heard,
    /// Under its English.
    Whole,
    /// Under a template.
    Made(Box<Made>),
    /// In how the language writes numbers.
    Number(usize),
}

#[derive(Clone)]
struct Made {
    template: &'static str,
    holes: Vec<(&'static str, Text)>,
}

impl Text {
    /// A text that stands as it is in the files of languages, if at all.
    #[must_use]
    pub fn whole(english: &str) -> Self {
        Self {
            english: english.to_owned(),
            source: Source::Whole,
        }
    }

    /// A template with its holes filled.
    #[must_use]
    pub fn made(template: &'static str, holes: Vec<(&'static str, Self)>) -> Self {
        Self {
            english: filled(template, |name, _| {
                hole(&holes, name).map(|text| Cow::Borrowed(&*text.english))
            }),
            source: Source::Made(Box::new(Made { template, holes })),
        }
    }

    /// A number with its thousands set apart: `73,016`.
    #[must_use]
    pub fn number(number: usize) -> Self {
        Self {
            english: grouped(number, ","),
            source: Source::Number(number),
        }
    }

    /// The same for a sentence of those who know of no languages: it is found again by the templates of such, instead
    /// of being data.
    #[must_use]
    pub fn heard(self) -> Self {
        match self.source {
            Source::Data => Self {
                source: Source::Heard,
                ..self
            },
            _ => self,
        }
    }

    /// Texts one behind the other, with that between them.
    #[must_use]
    pub fn joined(texts: impl IntoIterator<Item = Self>, between: &Self) -> Self {
        let mut texts = texts.into_iter();
        let first = texts.next().unwrap_or_default();
        texts.fold(first, |before, next| {
            Self::made(
                "{before}{between}{next}",
                vec![
                    ("before", before),
                    ("between", between.clone()),
                    ("next", next),
                ],
            )
        })
    }

    /// In English.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        self.english.as_str()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.english.is_empty()
    }

    /// In the [language of the reader](show_in).
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        match shown() {
            Some(language) => self.in_language(language),
            None => Cow::Borrowed(&self.english),
        }
    }

    /// In that language; in English as far as the language does not know it.
    #[must_use]
    pub fn in_language(&self, language: &Language) -> Cow<'_, str> {
        match &self.source {
            Source::Data => Cow::Borrowed(&self.english),
            Source::Whole => match language.text(&self.english) {
                Some(text) => Cow::Owned(text.to_owned()),
                None => Cow::Borrowed(&self.english),
            },
            Source::Made(made) => Cow::Owned(made.in_language(language)),
            Source::Heard => Cow::Owned(heard::heard(&self.english, language)),
            Source::Number(number) => Cow::Owned(language.number(*number)),
        }
    }

    /// What fills the hole of that name.
    #[must_use]
    pub fn hole(&self, name: &str) -> Option<&Self> {
        match &self.source {
            Source::Made(made) => hole(&made.holes, name),
            Source::Data | Source::Heard | Source::Whole | Source::Number(_) => None,
        }
    }
}

impl Made {
    fn in_language(&self, language: &Language) -> String {
        let template = language.text(self.template).unwrap_or(self.template);
        filled(template, |name, before| {
            let text = hole(&self.holes, name)?.in_language(language);
            language.elide(before, &text);
            Some(text)
        })
    }
}

/// `1 octet`, `64 octets`.
#[must_use]
pub fn octets(count: usize) -> Text {
    match count {
        1 => say!("1 octet"),
        more => say!("{more} octets", more),
    }
}

/// A number with that between its thousands.
fn grouped(number: usize, between: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            grouped.push_str(between);
        }
        grouped.push(digit);
    }
    grouped
}

fn hole<'a>(holes: &'a [(&'static str, Text)], name: &str) -> Option<&'a Text> {
    let found = holes.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| text)
}

/// A template with its holes filled, each by its name, and with a say in what stands before it; one that nothing fills
/// stays.
fn filled<'a>(template: &str, fill: impl Fn(&str, &mut String) -> Option<Cow<'a, str>>) -> String {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Plain(text) => out.push_str(text),
            Piece::Hole(name) => match fill(name, &mut out) {
                Some(text) => out.push_str(&text),
                None => {
                    out.push('{');
                    out.push_str(name);
                    out.push('}');
                }
            },
        }
    }
    out
}

/// What a template consists of.
enum Piece<'a> {
    Plain(&'a str),
    Hole(&'a str),
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some(at) = rest.find(['{', '}']) {
        let (plain, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        pieces.push(Piece::Plain(plain));
        rest = match next(behind) {
            Some((piece, behind)) => {
                pieces.push(piece);
                behind
            }
            None => behind.get(1..).unwrap_or_default(),
        };
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

/// What a brace begins, and what is behind that.
fn next(behind: &str) -> Option<(Piece<'_>, &str)> {
    if let Some(rest) = behind.strip_prefix("{{") {
        return Some((Piece::Plain("{"), rest));
    }
    if let Some(rest) = behind.strip_prefix("}}") {
        return Some((Piece::Plain("}"), rest));
    }
    let (name, rest) = behind.strip_prefix('{')?.split_once('}')?;
    Some((Piece::Hole(name), rest))
}

/// The names of the holes in a template, each as often as it stands there.
#[must_use]
pub fn holes(template: &str) -> Vec<&str> {
    let names = pieces(template)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Hole(name) => Some(name),
            Piece::Plain(_) => None,
        });
    names.collect()
}

/// Whether each hole in a template has one of these names, which is asked when the program is compiled.
pub(crate) const fn is_filled(template: &str, names: &[&str]) -> bool {
    let mut rest = template.as_bytes();
    while let Some((octet, behind)) = rest.split_first() {
        rest = behind;
        match (*octet, rest) {
            (b'{', [b'{', behind @ ..]) => rest = behind,
            (b'{', _) if !begins_with_any(rest, names) => return false,
            _ => {}
        }
    }
    true
}

const fn begins_with_any(text: &[u8], names: &[&str]) -> bool {
    let mut names = names;
    while let Some((name, others)) = names.split_first() {
        if begins_with(text, name.as_bytes()) {
            return true;
        }
        names = others;
    }
    false
}

/// Whether a text begins with a name and the end of a hole.
const fn begins_with(text: &[u8], name: &[u8]) -> bool {
    let (mut text, mut name) = (text, name);
    while let Some((octet, more)) = name.split_first() {
        match text.split_first() {
            Some((first, behind)) if *first == *octet => text = behind,
            _ => return false,
        }
        name = more;
    }
    matches!(text, [b'}', ..])
}

/// In the reader's language.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.english, f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.english == other.english
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.english == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.english == *other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.english.cmp(&other.english)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.english.hash(state);
    }
}

/// As English.
impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.english)
    }
}

/// From English. Of what was made from a template, the other languages are lost.
impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let english = String::deserialize(deserializer)?;
        let source = Source::Whole;
        Ok(Self { english, source })
    }
}

/// Data, the same in every language.
impl From<String> for Text {
    fn from(english: String) -> Self {
        let source = Source::Data;
        Self { english, source }
    }
}

/// Data, the same in every language.
impl From<&str> for Text {
    fn from(english: &str) -> Self {
        english.to_owned().into()
    }
}

/// What can fill a hole of a template.
pub trait Hole {
    /// As a text.
    fn text(&self) -> Text;
}

impl Hole for Text {
    fn text(&self) -> Text {
        self.clone()
    }
}

impl<T: Hole + ?Sized> Hole for &T {
    fn text(&self) -> Text {
        (*self).text()
    }
}

/// Data, the same in every language.
macro_rules! data {
    ($($kind:ty)+) => {
        $(impl Hole for $kind {
            fn text(&self) -> Text {
                self.to_string().into()
            }
        })+
    };
}

/// What a system says of what failed, where it is usual.
impl Hole for io::Error {
    fn text(&self) -> Text {
        let Some(code) = self.raw_os_error() else {
            return Text::from(self.to_string()).heard();
        };
        match self.kind() {
            io::ErrorKind::NotFound => say!("No such file or directory (os error {code})", code),
            io::ErrorKind::PermissionDenied => say!("Permission denied (os error {code})", code),
            io::ErrorKind::ConnectionRefused => say!("Connection refused (os error {code})", code),
            io::ErrorKind::ConnectionReset => {
                say!("Connection reset by peer (os error {code})", code)
            }
            io::ErrorKind::BrokenPipe => say!("Broken pipe (os error {code})", code),
            io::ErrorKind::TimedOut => say!("Connection timed out (os error {code})", code),
            io::ErrorKind::HostUnreachable => say!("No route to host (os error {code})", code),
            io::ErrorKind::NetworkUnreachable => {
                say!("Network is unreachable (os error {code})", code)
            }
            io::ErrorKind::AddrInUse => say!("Address already in use (os error {code})", code),
            _ => Text::from(self.to_string()).heard(),
        }
    }
}

data!(str String Cow<'_, str> char u8 u16 u32 u64 u128 usize i32 i64 i128);

#[cfg(test)]
mod tests;
