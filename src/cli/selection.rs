//! Which cases: the options `--run` and `--skip`.

use super::exit::Failure;
use crate::cases::{self, Case};
use crate::client_cases;
use crate::spec::{self, Clause};
use globset::{Glob, GlobSet, GlobSetBuilder};

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Only these cases: a name, a clause, or a pattern such as 'truncation/*'; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) run: Vec<String>,
    /// Not these cases, whatever --run says; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
}

impl SelectionArgs {
    /// The selected cases in the order of the table, at least one. Every pattern must match
    /// something: one that does not is a mistake, and would otherwise pass for a check.
    pub(crate) fn cases(&self) -> Result<Vec<&'static Case>, Failure> {
        let table = Table {
            ids: cases::all().map(|case| case.id).collect(),
            clauses: spec::CLAUSES,
            list: LIST,
        };
        let selected = self.of(&table)?;
        Ok(selected.into_iter().filter_map(cases::case).collect())
    }

    /// The same of the cases for clients.
    pub(crate) fn client_cases(&self) -> Result<Vec<&'static client_cases::Case>, Failure> {
        let table = Table {
            ids: client_cases::all().map(|case| case.id).collect(),
            clauses: spec::CLIENT_CLAUSES,
            list: "conformance check-client --list",
        };
        let selected = self.of(&table)?;
        Ok(selected
            .into_iter()
            .filter_map(client_cases::case)
            .collect())
    }

    fn of(&self, table: &Table) -> Result<Vec<&'static str>, Failure> {
        let run = matcher(&self.run, table)?;
        let skip = matcher(&self.skip, table)?;
        let selected: Vec<&'static str> = table
            .ids
            .iter()
            .copied()
            .filter(|id| self.run.is_empty() || run.is_match(id))
            .filter(|id| !skip.is_match(id))
            .collect();
        if selected.is_empty() {
            let what = "--skip leaves no case to run";
            return Err(Failure::usage(what).hint(table.hint()));
        }
        Ok(selected)
    }
}

const LIST: &str = "conformance list";

/// What is selected from.
struct Table {
    ids: Vec<&'static str>,
    clauses: &'static [Clause],
    /// The command that shows it.
    list: &'static str,
}

impl Table {
    fn hint(&self) -> String {
        format!("{}, for the names of all cases", self.list)
    }
}

fn matcher(patterns: &[String], table: &Table) -> Result<GlobSet, Failure> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(glob(pattern, table)?);
    }
    set.build()
        .map_err(|error| Failure::usage(format!("cannot use the patterns: {error}")))
}

/// A pattern that matches at least one case. The name of a clause stands for all its cases.
fn glob(pattern: &str, table: &Table) -> Result<Glob, Failure> {
    let clause = table.clauses.iter().find(|clause| clause.slug == pattern);
    let whole = match clause {
        Some(clause) => format!("{}/*", clause.slug),
        None => pattern.to_owned(),
    };
    let glob = Glob::new(&whole)
        .map_err(|error| Failure::usage(format!("{pattern:?} is no pattern: {}", error.kind())))?;
    let matcher = glob.compile_matcher();
    if table.ids.iter().any(|id| matcher.is_match(id)) {
        return Ok(glob);
    }
    let what = format!("no case is called {pattern:?}, and none matches it");
    let slugs = table.clauses.iter().map(|clause| clause.slug);
    let near = likest(pattern, table.ids.iter().copied().chain(slugs));
    Err(Failure::usage(what).hint(match near {
        Some(near) => format!("{near}, or another of those that {} shows", table.list),
        None => table.hint(),
    }))
}

/// The case or clause whose name is most like that, if any is; a server's or a client's.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let clauses = spec::CLAUSES.iter().chain(spec::CLIENT_CLAUSES);
    let of_servers = cases::all().map(|case| case.id);
    let of_clients = client_cases::all().map(|case| case.id);
    let slugs = clauses.map(|clause| clause.slug);
    likest(name, of_servers.chain(of_clients).chain(slugs))
}

fn likest(name: &str, names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    names
        .into_iter()
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;

    fn selected(run: &[&str], skip: &[&str]) -> Result<Vec<&'static str>, Failure> {
        let owned = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect();
        let args = SelectionArgs {
            run: owned(run),
            skip: owned(skip),
        };
        Ok(args.cases()?.into_iter().map(|case| case.id).collect())
    }

    #[test]
    fn names_clauses_and_patterns_select() {
        let all = cases::all().count();
        assert_eq!(selected(&[], &[]).unwrap().len(), all);
        assert_eq!(
            selected(&["one-reply/single"], &[]).unwrap(),
            ["one-reply/single"]
        );
        let clause = selected(&["truncation"], &[]).unwrap();
        assert!(clause.len() > 5 && clause.iter().all(|id| id.starts_with("truncation/")));
        assert_eq!(selected(&["truncation/*"], &[]).unwrap(), clause);
        assert_eq!(
            selected(&["truncation"], &["truncation/in-*"])
                .unwrap()
                .len(),
            clause.len() - 3
        );
    }

    #[test]
    fn what_selects_nothing_is_a_usage_error() {
        for (run, skip) in [
            (&["nonsense"][..], &[][..]),
            (&[], &["nonsense"]),
            (&["order"], &["order"]),
        ] {
            assert_eq!(selected(run, skip).unwrap_err().exit, Exit::Usage);
        }
        assert!(
            selected(&["truncaton"], &[])
                .unwrap_err()
                .hint
                .starts_with("truncation")
        );
        assert!(
            selected(&["[a"], &[])
                .unwrap_err()
                .what
                .contains("no pattern")
        );
    }
}
