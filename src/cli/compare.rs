//! `conformance compare`: saved runs side by side.

use super::exit::{Exit, Failure};
use super::saved_run;
use crate::event::Run;
use crate::report::compare;
use crate::report::compare::Rows;
use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

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
        let runs: Result<Vec<Run>, Failure> = self
            .reports
            .iter()
            .map(|path| saved_run::read(path))
            .collect();
        let runs: Vec<(String, Run)> = names(&self.reports).into_iter().zip(runs?).collect();
        let comparison = compare(&runs);
        let rows = if self.all { Rows::All } else { Rows::Different };
        let written = |out: &mut dyn Write| match self.format {
            Format::Markdown => comparison.write_markdown(rows, out),
            Format::Html => comparison.write_html(rows, out),
        };
        saved_run::write(self.output.as_deref(), written)?;
        Ok(Exit::Ok)
    }
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
