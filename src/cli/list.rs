//! `conformance list`: every case and what it is for.

use super::exit::{Exit, Failure};
use super::out;
use super::selection::SelectionArgs;
use super::wire_format;
use crate::cases::Case;
use crate::lang::{Hole as _, Text, say};
use crate::report::{human, terminal};
use crate::spec::Role;

/// List the cases, by clause
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Only the cases that this wire format gives anything to ask: a built-in profile, or a profile file
    ///
    /// Those that are named are listed all the same.
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// How to write them
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For a person
    Human,
    /// Names alone, one a line
    Names,
    /// One JSON array
    Json,
}

/// How many cases there are, and of how many clauses.
fn counted(cases: usize, clauses: usize) -> Text {
    match (cases, clauses) {
        (1, _) => say!("1 case of 1 clause"),
        (_, 1) => say!("{cases} cases of 1 clause", cases),
        _ => say!("{cases} cases of {clauses} clauses", cases, clauses),
    }
}

/// A case and what it is for: in one line, or where a terminal is narrower, in several.
fn row(case: &Case, width: Option<usize>) -> String {
    const NAMES: usize = 45;
    const LEAST: usize = 40;
    let (id, why) = (case.id.to_string(), Text::whole(case.why).to_string());
    match width {
        None => format!("  {id:<42} {why}"),
        Some(width) if width >= NAMES.saturating_add(LEAST) => {
            format!("  {id:<42} {}", human::wrapped(&why, width, NAMES))
        }
        Some(width) => format!("  {id}\n      {}", human::wrapped(&why, width, 6)),
    }
}

impl ListArgs {
    fn cases(&self) -> Result<Vec<&'static Case>, Failure> {
        match &self.profile {
            Some(name) => {
                let profile = wire_format::named(name)?;
                self.selection.cases_in(Role::Server, &profile)
            }
            None => self.selection.cases(Role::Server),
        }
    }

    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let cases = self.cases()?;
        match self.format {
            Format::Names => cases.iter().try_for_each(|case| out::line(case.id))?,
            Format::Json => out::line(serde_json::Value::from_iter(cases.iter().map(|case| {
                serde_json::json!({
                    "id": case.id,
                    "clause": case.clause(),
                    "level": case.level,
                    "why": case.why,
                })
            })))?,
            Format::Human => {
                let mut clauses = 0_usize;
                for clause in Role::Server.clauses() {
                    let of_it: Vec<_> = cases.iter().filter(|c| c.clause() == clause).collect();
                    if of_it.is_empty() {
                        continue;
                    }
                    clauses = clauses.saturating_add(1);
                    out::line(format_args!("{clause} ({})", clause.level().text()))?;
                    for case in of_it {
                        out::line(row(case, terminal::width()))?;
                    }
                }
                out::line(counted(cases.len(), clauses))?;
            }
        }
        Ok(Exit::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    #[test]
    fn a_row_is_as_wide_as_the_terminal() {
        for case in cases::all(Role::Server) {
            assert_eq!(row(case, None).lines().count(), 1);
            for width in [60, 100] {
                let row = row(case, Some(width));
                assert!(
                    row.lines().all(|line| line.chars().count() <= width),
                    "{row}"
                );
            }
        }
    }

    #[test]
    fn a_wire_format_leaves_out_what_it_gives_nothing_to_ask() {
        let listed = |profile: Option<&str>| {
            let args = ListArgs {
                selection: SelectionArgs::default(),
                profile: profile.map(str::to_owned),
                format: Format::Names,
            };
            args.cases().map(|cases| cases.len())
        };
        let all = listed(None).unwrap();
        assert_eq!(all, cases::all(Role::Server).count());
        assert!((1..all).contains(&listed(Some("tutorial")).unwrap()));
        assert_eq!(listed(Some("tutorail")).unwrap_err().exit, Exit::Usage);
    }
}
