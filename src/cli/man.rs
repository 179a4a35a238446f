//! `conformance man`: manual pages, from the same table of arguments that reads them.

use super::exit::{Exit, Failure};
use super::help::{self, EXIT_CODES};
use super::suggestions::suggestions;
use super::{out, table};
use crate::lang::{Text, say};
use crate::report::Destination;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Write the manual: a page for the program and one for each command
///
/// Without --output one page is printed, for man -l - to show.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Only the page of this command
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    command: Option<String>,
    /// Folder that all pages are written into, each a file such as conformance-check.1
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl ManArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match &self.output {
            Some(folder) => write_all(folder)?,
            None => print(self.command.as_deref())?,
        }
        Ok(Exit::Ok)
    }
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    let refused = |path: &Path, error: &io::Error| {
        Failure::could_not(format!("cannot write {}: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    for command in pages() {
        let path = folder.join(format!("{}.1", title(&command)));
        let destination = Destination::File(path.clone());
        destination
            .write(|out| page(&command, out))
            .map_err(|error| refused(&path, &error))?;
        out::line(path.display())?;
    }
    Ok(())
}

fn print(name: Option<&str>) -> Result<(), Failure> {
    let mut pages = pages();
    let command = match name {
        None => pages.next(),
        Some(name) => pages.find(|command| words(command) == name),
    };
    let command = command.ok_or_else(|| unknown(name.unwrap_or_default()))?;
    Ok(Destination::Stdout.write(|out| page(&command, out))?)
}

fn unknown(name: &str) -> Failure {
    let all: Vec<String> = pages().map(|it| words(&it).to_owned()).collect();
    let like = suggestions(name, all.iter().map(String::as_str));
    let failure = Failure::usage(format!("no command is called {name:?}"));
    match like.is_empty() {
        true => failure.hint("conformance --help, for all of them"),
        false => failure.hint(format!("conformance man {}", like.join(", or "))),
    }
}

/// The program, and each of its commands.
fn pages() -> impl Iterator<Item = Command> {
    let mut program = table().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    collect(program, &mut pages);
    pages.into_iter()
}

/// A command, and those below it.
fn collect(command: Command, pages: &mut Vec<Command>) {
    let shown = command.get_subcommands().filter(|it| !it.is_hide_set());
    let below: Vec<Command> = shown.cloned().collect();
    pages.push(command);
    below.into_iter().for_each(|it| collect(it, pages));
}

/// What a page is called.
fn title(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// The words of a command behind the program, with - between them.
fn words(command: &Command) -> &str {
    let title = title(command);
    title.split_once('-').map_or("", |(_, words)| words)
}

fn page(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Vec::new();
    in_english(command, &mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    page.lines().try_for_each(|line| {
        let heading = line.strip_prefix(".SH ").and_then(heading);
        match heading {
            Some(heading) => writeln!(out, ".SH \"{heading}\""),
            None => writeln!(out, "{line}"),
        }
    })
}

/// The headings that the crate gives to the parts of a page, or this file does.
fn heading(english: &str) -> Option<Text> {
    Some(match english {
        "NAME" => say!("NAME"),
        "SYNOPSIS" => say!("SYNOPSIS"),
        "DESCRIPTION" => say!("DESCRIPTION"),
        "SUBCOMMANDS" => say!("SUBCOMMANDS"),
        "EXAMPLES" => say!("EXAMPLES"),
        _ if english == EXIT_STATUS => say!("EXIT STATUS"),
        _ => return None,
    })
}

/// As a heading it stands in quotes.
const EXIT_STATUS: &str = "\"EXIT STATUS\"";

/// The page with its headings in English.
fn in_english(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(command.clone())
        .source(concat!("framespec ", env!("CARGO_PKG_VERSION")))
        .manual(say!("Manual of framespec").to_string());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(out)?;
    }
    man.render_options_section(out)?;
    rest(words(command), out)
}

/// What is told at the end of each page: examples, and exit codes.
fn rest(name: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Roff::new();
    page.control("SH", ["EXAMPLES"]);
    page.control("EX", []);
    for example in help::examples(name) {
        page.text([roman(example)]);
    }
    page.control("EE", []);
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        page.control("TP", []);
        page.text([bold(code.to_string())]);
        page.text([roman(Text::whole(meaning).to_string())]);
    }
    page.to_writer(out)
}
