//! Which cases: the options `--run` and `--skip`.

use super::exit::Failure;
use crate::cases::{self, Case};
use crate::spec;
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
        let run = matcher(&self.run)?;
        let skip = matcher(&self.skip)?;
        let selected: Vec<&'static Case> = cases::all()
            .filter(|case| self.run.is_empty() || run.is_match(case.id))
            .filter(|case| !skip.is_match(case.id))
            .collect();
        if selected.is_empty() {
            let what = "--skip leaves no case to run";
            return Err(Failure::usage(what).hint("conformance list, for the names of all cases"));
        }
        Ok(selected)
    }
}

fn matcher(patterns: &[String]) -> Result<GlobSet, Failure> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(glob(pattern)?);
    }
    set.build()
        .map_err(|error| Failure::usage(format!("cannot use the patterns: {error}")))
}

/// A pattern that matches at least one case. The name of a clause stands for all its cases.
fn glob(pattern: &str) -> Result<Glob, Failure> {
    let whole = match spec::clause(pattern) {
        Some(clause) => format!("{}/*", clause.slug),
        None => pattern.to_owned(),
    };
    let glob = Glob::new(&whole)
        .map_err(|error| Failure::usage(format!("{pattern:?} is no pattern: {}", error.kind())))?;
    let matcher = glob.compile_matcher();
    if cases::all().any(|case| matcher.is_match(case.id)) {
        return Ok(glob);
    }
    let what = format!("no case is called {pattern:?}, and none matches it");
    Err(Failure::usage(what).hint(match nearest(pattern) {
        Some(near) => format!("{near}, or another of those that conformance list shows"),
        None => "conformance list, for the names of all cases".to_owned(),
    }))
}

/// The case or clause whose name is most like that, if any is.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let names = cases::all().map(|case| case.id);
    names
        .chain(spec::CLAUSES.iter().map(|clause| clause.slug))
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
