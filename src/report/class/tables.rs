//! A class as plain tables: for the terminal, as Markdown, and for a spreadsheet.

use super::{Class, Person};
use crate::event::{Conclusion, Verdict};
use crate::lang::say;
use crate::report::Look;
use crate::report::escape::{Line, Markdown};
use std::io::{self, Write};

/// The widest that names are shown on a terminal.
const NAME: usize = 28;

/// The narrowest that there is room for what is said of somebody.
const SAID: usize = 20;

impl Class {
    /// Writes it for a terminal: a line for each.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_text(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let names = self.people.iter().map(|person| shown(&person.name, NAME));
        let names: Vec<String> = names.collect();
        let width = |words: &mut dyn Iterator<Item = usize>| words.max().unwrap_or_default();
        let name = width(&mut names.iter().map(|name| name.chars().count()))
            .max(say!("name").shown().chars().count());
        let points = width(
            &mut self
                .people
                .iter()
                .map(|person| person.points.chars().count()),
        );
        let points = points.max(6);
        let (causes, first) = (say!("causes"), say!("first"));
        writeln!(
            out,
            "{:name$}  {:>points$}  {causes:>6}  {first}",
            say!("name"),
            say!("points")
        )?;
        let before = name.saturating_add(points).saturating_add(12);
        let said = look.width.saturating_sub(before).max(SAID);
        for (person, shown_name) in self.people.iter().zip(&names) {
            let (style, word) = (look.verdict(verdict(person)), said_of(person));
            writeln!(
                out,
                "{shown_name:name$}  {:>points$}  {:>6}  {style}{}{style:#}",
                person.points,
                count(person),
                shown(&word, said)
            )?;
        }
        let told = say!(
            "{class}; {most} points is all",
            class = self.told(),
            most = self.most
        );
        writeln!(out, "\n{told}")?;
        for note in &self.notes {
            writeln!(out, "{}", Line(&note.shown()))?;
        }
        Ok(())
    }

    /// Writes it as Markdown.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "## {}\n\n{}. {}\n",
            say!("Grades"),
            self.told(),
            say!(
                "Profile {profile}, command {command}.",
                profile = Markdown(&self.profile).to_string(),
                command = Markdown(&self.command).to_string()
            )
        )?;
        for note in &self.notes {
            writeln!(out, "{}\n", Markdown(&note.shown()))?;
        }
        writeln!(
            out,
            "{}",
            say!(
                "| name | points of {most} | result | causes | first |",
                most = self.most
            )
        )?;
        writeln!(out, "|---|---:|---|---:|---|")?;
        for person in &self.people {
            let name = match &person.page {
                Some(page) => format!("[{}]({page})", Markdown(&person.name)),
                None => Markdown(&person.name).to_string(),
            };
            writeln!(
                out,
                "| {name} | {} | {} | {} | {} |",
                person.points,
                person.word(),
                count(person),
                Markdown(&person.line())
            )?;
        }
        self.markdown_of_causes(out)
    }

    fn markdown_of_causes(&self, out: &mut dyn Write) -> io::Result<()> {
        let shared = self.shared();
        if shared.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{}\n|---|---:|---|",
            say!("| cause | people | who |")
        )?;
        for shared in shared {
            let name = format!("{} ({})", shared.cause.title, shared.cause.id);
            writeln!(
                out,
                "| {} | {} | {} |",
                Markdown(&name),
                shared.people.len(),
                Markdown(&shared.people.join(", "))
            )?;
        }
        Ok(())
    }

    /// Writes it for a spreadsheet: comma-separated values, a row for each, below the names of the columns. No cell is
    /// taken for a formula.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record([
            "name",
            "points",
            "most",
            "result",
            "causes",
            "names of causes",
            "first",
            "notes",
            "report",
        ])?;
        for person in &self.people {
            let causes: Vec<&str> = person.causes().iter().map(|own| own.id.as_str()).collect();
            let notes: Vec<String> = person.notes().collect();
            table.write_record([
                cell(&person.name),
                cell(&person.points),
                cell(&self.most),
                cell(person.word().as_str()),
                cell(&count(person)),
                cell(&causes.join(" ")),
                cell(&person.first().shown()),
                cell(&notes.join("; ")),
                cell(person.page.as_deref().unwrap_or_default()),
            ])?;
        }
        table.flush()
    }
}

/// A cell that a spreadsheet takes for text: what would begin a formula stands behind an apostrophe, as such programs have
/// it. That goes for the wide forms of these signs too, and for blanks in front of them.
fn cell(text: &str) -> String {
    let text = Line(text).to_string();
    let is_formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    match text.trim_start().starts_with(is_formula) {
        true => format!("'{text}"),
        false => text,
    }
}

/// How many causes somebody has, if that can be said.
fn count(person: &Person) -> String {
    match person.found() {
        Some(found) => found.causes.len().to_string(),
        None => String::new(),
    }
}

/// What is said of somebody on a line of a terminal.
fn said_of(person: &Person) -> String {
    let (word, line) = (person.word(), person.line());
    match (person.found(), line.is_empty()) {
        (Some(_), false) => line,
        (None, false) => format!("{word}: {line}"),
        (_, true) => word.to_string(),
    }
}

/// What a row looks like.
fn verdict(person: &Person) -> Verdict {
    match person.found().map(|found| found.conclusion) {
        Some(Conclusion::Passed) => Verdict::Pass,
        Some(Conclusion::Undecided) => Verdict::Warn,
        Some(Conclusion::Failed) | None => Verdict::Fail,
    }
}

/// A text on a line of no more than so many characters.
fn shown(text: &str, most: usize) -> String {
    let text = Line(text).to_string();
    if text.chars().count() <= most {
        return text;
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}
