//! `conformance compare`: saved runs side by side.

use super::exit::{Exit, Failure};
use crate::event::{Event, Run};
use crate::report::compare::Rows;
use crate::report::{Destination, SavedRunError, compare, read_run};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

/// The largest report that is read, in octets.
const MAX_REPORT: u64 = 1 << 30;

/// Set saved runs side by side: which server passes which case
#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// Reports that `check --format json` wrote, one for each server
    #[arg(value_name = "REPORT.json", required = true, num_args = 2..)]
    reports: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    format: Format,
    /// Where to write it, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// List the cases on which all agree, too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Markdown,
    Html,
}

impl CompareArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let runs: Result<Vec<Run>, Failure> = self.reports.iter().map(|path| read(path)).collect();
        let runs: Vec<(String, Run)> = names(&self.reports).into_iter().zip(runs?).collect();
        let comparison = compare(&runs);
        let rows = if self.all { Rows::All } else { Rows::Different };
        let written = |out: &mut dyn Write| match self.format {
            Format::Markdown => comparison.write_markdown(rows, out),
            Format::Html => comparison.write_html(rows, out),
        };
        match self.output {
            None => Destination::Stdout.write(written)?,
            Some(path) => Destination::File(path.clone())
                .write(written)
                .map_err(|error| {
                    Failure::could_not(format!("cannot write {}: {error}", path.display()))
                })?,
        }
        Ok(Exit::Ok)
    }
}

fn read(path: &Path) -> Result<Run, Failure> {
    let text = text(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    read_run(&text).map_err(|error| {
        let hint = match &error {
            SavedRunError::Malformed(error) if error.is_eof() && !text.trim().is_empty() => {
                "the file is cut short: have it written again, or leave it out"
            }
            SavedRunError::Malformed(_) if is_lines(&text) => {
                "--format json instead of jsonl, where the report is written"
            }
            _ => "conformance check TARGET --format json, to make such a report",
        };
        Failure::usage(format!("{} {error}", path.display())).hint(hint)
    })
}

/// Whether a text is a report in JSON Lines.
fn is_lines(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<Event>(first).is_ok()
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(MAX_REPORT)
        .read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read >= MAX_REPORT) {
        return Err(io::Error::other("it is larger than any report"));
    }
    Ok(text)
}

/// Each report under the name of its file, or under its whole path where names would be the same.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let stem = |path: &PathBuf| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let stems: HashSet<String> = paths.iter().map(stem).collect();
    if stems.len() == paths.len() {
        paths.iter().map(stem).collect()
    } else {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_told_apart_by_as_little_as_it_takes() {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(names(&paths(&["x/one.json", "two.json"])), ["one", "two"]);
        assert_eq!(
            names(&paths(&["x/one.json", "y/one.json"])),
            ["x/one.json", "y/one.json"]
        );
    }
}
