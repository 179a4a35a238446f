//! Reports: what happened, told to people and to programs.
//!
//! Everything here is made from [events](crate::event) and the table of clauses, and from nothing
//! else, so any report can be made again from a saved run. Text that a peer had a part in is escaped
//! before it reaches a terminal, XML or HTML: see [`escape`].
//!
//! | format | what for | written |
//! |---|---|---|
//! | [`human`] | the terminal, and logs | head at once, rest at the end |
//! | [`json`] | programs: the whole run, by docs/report.schema.json | at the end |
//! | [`jsonl`] | programs: one event a line | as events come |
//! | [`junit`] | CI systems | at the end |
//! | [`sarif`] | code scanning: a result for each finding, SARIF 2.1.0 | at the end |
//! | [`tap`] | CI systems, version 14 | at the end |
//! | [`markdown`] | the summary page of a CI job | at the end |
//! | [`html`] | a browser, without any other file | at the end |
//! | [`pcapng`] | Wireshark | at the end |
//!
//! [`Outputs`] writes several at once; [`compare()`] sets runs side by side, [`class`] those of many people, [`badge`] says
//! what one came to.

pub mod badge;
mod causes;
pub mod class;
mod collect;
pub mod compare;
pub mod escape;
#[cfg(test)]
pub(crate) mod fixture;
pub mod html;
pub mod human;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod markdown;
mod outputs;
pub mod pcapng;
mod place;
pub mod sarif;
mod saved;
mod tally;
pub mod tap;
#[cfg(feature = "cli")]
pub mod terminal;
mod timeline;

pub use collect::Collector;
pub use compare::compare;
pub use human::Look;
pub use outputs::{Closing, Destination, Output, OutputError, Outputs};
pub use saved::{SavedRunError, read_run};

use crate::event::{Event, Run, Verdict};
use crate::lang::Text;
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

/// The word for a verdict.
#[must_use]
pub fn word(verdict: Verdict) -> Text {
    tally::Mark::Of(verdict).word()
}

/// So many with a verdict: `3 fail`.
#[must_use]
pub fn so_many(count: usize, verdict: Verdict) -> Text {
    tally::Mark::Of(verdict).counted(count)
}

/// Something that tells of a run.
pub trait Reporter {
    /// Takes notice of an event.
    ///
    /// # Errors
    /// When what it writes to fails.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Tells what is left to tell, once, behind the last event.
    ///
    /// # Errors
    /// When what it writes to fails.
    fn finish(&mut self, run: &Run) -> io::Result<()>;
}

/// The kinds of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Human,
    /// The whole run as one JSON text.
    Json,
    /// One event a line, as they come.
    Jsonl,
    /// JUnit's XML.
    Junit,
    /// SARIF, version 2.1.0.
    Sarif,
    /// Test Anything Protocol, version 14.
    Tap,
    /// Markdown.
    Markdown,
    /// One page of HTML.
    Html,
    /// What was exchanged, as a capture.
    Pcapng,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Human,
        Self::Json,
        Self::Jsonl,
        Self::Junit,
        Self::Sarif,
        Self::Tap,
        Self::Markdown,
        Self::Html,
        Self::Pcapng,
    ];

    /// Its name in options.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Tap => "tap",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Pcapng => "pcapng",
        }
    }

    /// Writes a whole run.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(self, run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Human => human::write(run, look, out),
            Self::Json => json::write(run, out),
            Self::Jsonl => jsonl::write(run, out),
            Self::Junit => junit::write(run, out),
            Self::Sarif => sarif::write(run, out),
            Self::Tap => tap::write(run, out),
            Self::Markdown => markdown::write(run, out),
            Self::Html => html::write(run, out),
            Self::Pcapng => pcapng::write(run, out),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no format is called {0:?}; there are human, json, jsonl, junit, sarif, tap, markdown, html, pcapng"
)]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == word)
            .ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

/// A report that is written as a whole at the end.
struct Whole<W> {
    format: Format,
    look: Look,
    out: W,
}

impl<W: Write> Reporter for Whole<W> {
    fn event(&mut self, _: &Event) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        self.format.write(run, self.look, &mut self.out)?;
        self.out.flush()
    }
}

/// The reporter of a format: human and JSON Lines tell as they hear, the others at the end.
fn reporter<'a>(
    format: Format,
    look: Look,
    out: impl Write + Send + 'a,
) -> Box<dyn Reporter + Send + 'a> {
    match format {
        Format::Human => Box::new(human::Human::new(out, look)),
        Format::Jsonl => Box::new(jsonl::Lines::new(out)),
        _ => Box::new(Whole { format, look, out }),
    }
}

#[cfg(test)]
mod tests;
