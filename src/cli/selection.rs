//! Which cases: the options `--run` and `--skip`.

use super::exit::Failure;
use crate::cases::{self, Case};
use crate::check::{Selection, SelectionError};
use crate::client_cases;
use crate::spec;

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Only these cases: a name, a clause, or a pattern such as 'truncation/*'; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) run: Vec<String>,
    /// Not these cases, whatever --run says; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
}

const LIST: &str = "conformance list";

const CLIENT_LIST: &str = "conformance check-client --list";

impl SelectionArgs {
    /// The selected cases in the order of the table, at least one.
    pub(crate) fn cases(&self) -> Result<Vec<&'static Case>, Failure> {
        let slugs = spec::CLAUSES.iter().map(|clause| clause.slug);
        let names = cases::all().map(|case| case.id).chain(slugs);
        let cases = self.selection().cases();
        cases.map_err(|error| refused(&error, names, LIST))
    }

    /// The same of the cases for clients.
    pub(crate) fn client_cases(&self) -> Result<Vec<&'static client_cases::Case>, Failure> {
        let slugs = spec::CLIENT_CLAUSES.iter().map(|clause| clause.slug);
        let names = client_cases::all().map(|case| case.id).chain(slugs);
        let cases = self.selection().client_cases();
        cases.map_err(|error| refused(&error, names, CLIENT_LIST))
    }

    fn selection(&self) -> Selection {
        let mut selection = Selection::default();
        self.run.iter().for_each(|cases| selection.only(&**cases));
        self.skip
            .iter()
            .for_each(|cases| selection.except(&**cases));
        selection
    }
}

/// What is wrong with a selection, and which name may have been meant, of those that this command lists.
fn refused(
    error: &SelectionError,
    names: impl Iterator<Item = &'static str>,
    list: &str,
) -> Failure {
    let (what, like) = match error {
        SelectionError::NothingLeft => ("--skip leaves no case to run".to_owned(), None),
        SelectionError::NoMatch { pattern } => (error.to_string(), likest(pattern, names)),
        SelectionError::NoPattern { .. } => (error.to_string(), None),
    };
    Failure::usage(what).hint(match like {
        Some(like) => format!("{like}, or another of those that {list} shows"),
        None => format!("{list}, for the names of all cases"),
    })
}

/// What is wrong with the name of a single case, a server's or a client's, and which it may have been.
pub(crate) fn unknown(name: &str) -> Failure {
    let slug = name.split('/').next().unwrap_or_default();
    let of_servers: Vec<&str> = cases::all().map(|case| case.id).collect();
    let of_clients: Vec<&str> = client_cases::all().map(|case| case.id).collect();
    let lists = [(of_servers, LIST), (of_clients, CLIENT_LIST)];
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
