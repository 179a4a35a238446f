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

/// What is wrong with the name of a single case, a server's or a client's, and which it may have been.
pub(crate) fn unknown(name: &str) -> Failure {
    let slug = name.split('/').next().unwrap_or_default();
    let of_servers: Vec<&str> = cases::all().map(|case| case.id).collect();
    let of_clients: Vec<&str> = client_cases::all().map(|case| case.id).collect();
    let lists = [
        (of_servers, LIST),
        (of_clients, "conformance check-client --list"),
    ];
    for (ids, list) in &lists {
        let of_clause = ids.iter().find(|id| id.split('/').next() == Some(slug));
        let Some(first) = of_clause else { continue };
        let like = likest(name, ids.iter().copied()).filter(|_| name != slug);
        let what = if name == slug {
            format!("{name:?} is a clause and no case")
        } else {
            format!("no case is called {name:?}")
        };
        let (like, others) = (like.unwrap_or(first), format!("{list} --run {slug}"));
        return Failure::usage(what).hint(format!("{like}, or another of {others}"));
    }
    let ids = lists.iter().flat_map(|(ids, _)| ids.iter().copied());
    let hint = match likest(name, ids) {
        Some(like) => format!("{like}, or another of those that {LIST} shows"),
        None => format!("{LIST}, for the names of all cases"),
    };
    Failure::usage(format!("no case is called {name:?}")).hint(hint)
}

fn likest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
    fn the_name_of_no_case_leads_to_one() {
        let failure = unknown("one-reply");
        assert!(failure.what.contains("is a clause"), "{failure:?}");
        assert!(
            failure
                .hint
                .starts_with("one-reply/single, or another of conformance list")
        );
        let hint = |name: &str| unknown(name).hint;
        assert!(hint("one-reply/singel").starts_with("one-reply/single, "));
        assert!(
            hint("order/xyz").starts_with("order/"),
            "{}",
            hint("order/xyz")
        );
        assert!(hint("truncaton/in-header").starts_with("truncation/in-header, "));
        assert_eq!(hint("zzz"), "conformance list, for the names of all cases");
        let of_clients =
            client_cases::all().find(|case| spec::CLAUSES.iter().all(|c| c.slug != case.slug()));
        let slug = of_clients.unwrap().slug();
        assert!(
            hint(slug).contains("check-client --list --run"),
            "{}",
            hint(slug)
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
