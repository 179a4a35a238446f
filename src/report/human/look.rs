//! Colours and width.

use crate::event::Verdict;
use crate::report::tally::Mark;
use anstyle::{AnsiColor, Style};

/// How a report for people looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether there are colours.
    pub colour: bool,
    /// Columns of a line; lines of prose are wrapped there.
    pub width: usize,
    /// Whether known failures are shown with all that was exchanged, too.
    pub whole: bool,
    /// Whether failures are shown one by one that a cause explains, too.
    pub verbose: bool,
}

/// No colours, 100 columns: for files and pipes.
impl Default for Look {
    fn default() -> Self {
        Self {
            colour: false,
            width: 100,
            whole: false,
            verbose: false,
        }
    }
}

/// What colours stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Warn,
    Bad,
    Known,
    Sent,
    Received,
    Header,
}

impl Look {
    /// The same in a file: as much is shown, and no terminal is there.
    pub(crate) fn of_file(self) -> Self {
        Self {
            whole: self.whole,
            verbose: self.verbose,
            ..Self::default()
        }
    }

    /// The style for that purpose; it prints as nothing where there are no colours.
    pub(super) fn ink(self, ink: Ink) -> Style {
        if !self.colour {
            return Style::new();
        }
        match ink {
            Ink::Plain => Style::new(),
            Ink::Strong => Style::new().bold(),
            Ink::Faint => Style::new().dimmed(),
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Warn => AnsiColor::Yellow.on_default(),
            Ink::Bad => AnsiColor::Red.on_default().bold(),
            Ink::Known => AnsiColor::Blue.on_default(),
            Ink::Sent => AnsiColor::Cyan.on_default(),
            Ink::Received => AnsiColor::Magenta.on_default(),
            Ink::Header => AnsiColor::Blue.on_default().bold(),
        }
    }

    /// The style of a verdict; it prints as nothing where there are no colours.
    #[must_use]
    pub fn verdict(self, verdict: Verdict) -> Style {
        self.ink(match verdict {
            Verdict::Pass => Ink::Good,
            Verdict::Skip => Ink::Faint,
            Verdict::Warn | Verdict::Unstable => Ink::Warn,
            Verdict::Fail | Verdict::Error => Ink::Bad,
        })
    }

    /// The style of what a case is shown as.
    pub(super) fn mark(self, mark: Mark) -> Style {
        match mark {
            Mark::Known => self.ink(Ink::Known),
            Mark::Of(verdict) => self.verdict(verdict),
        }
    }

    /// How many octets of a hex row fit.
    pub(super) const fn octets_per_row(self) -> usize {
        // Indent 6, offset 4, then four columns an octet, and what stands between.
        if self.width >= 6 + 4 + 16 * 4 + 4 {
            16
        } else {
            8
        }
    }
}

/// What commands to CI systems begin with.
const COMMANDS: [&str; 2] = ["::", "##["];

/// A text of one paragraph in lines of at most `width` columns, all but the first indented by
/// `indent`; the first is taken to begin there as well. No line begins with what CI systems read as a
/// command, since a peer may have a part in the text.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut lines = String::new();
    let mut column = 0_usize;
    for word in text.split(' ') {
        let len = word.chars().count();
        let needed = column.saturating_add(len).saturating_add(1);
        if column > 0 && needed > room && !is_command(word) {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column = column.saturating_add(1);
        }
        lines.push_str(word);
        column = column.saturating_add(len);
    }
    lines
}

fn is_command(word: &str) -> bool {
    COMMANDS.iter().any(|begin| word.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_between_words() {
        assert_eq!(
            wrapped("one two three four five six seven", 24, 2),
            "one two three four\n  five six seven"
        );
        assert_eq!(wrapped("", 24, 2), "");
        assert_eq!(
            wrapped("one two three four ::error::five", 24, 2),
            "one two three four ::error::five"
        );
        let long = "x".repeat(80);
        assert_eq!(
            wrapped(&format!("a {long} b"), 40, 0),
            format!("a\n{long}\nb")
        );
    }

    #[test]
    fn without_colour_no_style_prints_anything() {
        let look = Look::default();
        assert_eq!(look.ink(Ink::Bad).to_string(), "");
        let look = Look {
            colour: true,
            ..look
        };
        assert_ne!(look.ink(Ink::Bad).to_string(), "");
    }
}
