//! Which cases: the options `--run` and `--skip`.

use super::exit::Failure;
use super::suggestions::suggestions;
use crate::cases::{self, Case};
use crate::check::{Selection, SelectionError};
use crate::lang::say;
use crate::profile::Profile;
use crate::spec::{Clause, Role};

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

/// The command that lists the cases for that role.
const fn list_of(role: Role) -> &'static str {
    match role {
        Role::Server => LIST,
        Role::Client => "conformance check-client --list",
    }
}

/// The names of the cases for that role.
fn names_of(role: Role) -> Vec<String> {
    cases::all(role).map(|case| case.id.to_string()).collect()
}

impl SelectionArgs {
    /// The selected cases for that role in the order of the table, at least one: of those that nobody named, the ones
    /// that the format gives anything to ask.
    pub(crate) fn cases_in(
        &self,
        role: Role,
        profile: &Profile,
    ) -> Result<Vec<&'static Case>, Failure> {
        let cases = self.selection().cases_in(role, profile);
        cases.map_err(|error| refused(&error, role))
    }

    /// The selected cases for that role, whatever the format is.
    pub(crate) fn cases(&self, role: Role) -> Result<Vec<&'static Case>, Failure> {
        let cases = self.selection().cases(role);
        cases.map_err(|error| refused(&error, role))
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

/// What is wrong with a selection, and which name may have been meant.
fn refused(error: &SelectionError, role: Role) -> Failure {
    let (mut names, list) = (names_of(role), list_of(role));
    names.extend(role.clauses().map(|clause| clause.to_string()));
    let names = names.iter().map(String::as_str);
    let (what, like) = match error {
        SelectionError::NothingLeft => (say!("--skip leaves no case to run"), None),
        SelectionError::NoMatch { pattern } => (
            say!(
                "no case is called {pattern}, and none matches it",
                pattern = format!("{pattern:?}")
            ),
            likest(pattern.trim_matches(['*', '/', '?']), names),
        ),
        SelectionError::NoPattern { pattern, why } => (
            say!(
                "{pattern} is no pattern: {why}",
                pattern = format!("{pattern:?}"),
                why = *why
            ),
            None,
        ),
    };
    Failure::usage(what).hint(match like {
        Some(like) => say!("{like}, or another of those that {list} shows", like, list),
        None => say!("{list}, for the names of all cases", list),
    })
}

/// What is wrong with the name of a single case, a server's or a client's, and which it may have been.
pub(crate) fn unknown(name: &str) -> Failure {
    let slug = name.split('/').next().unwrap_or_default();
    let all = [Role::Server, Role::Client].map(names_of);
    let ids = || all.iter().flatten().map(String::as_str);
    if let Some(clause) = Clause::from_slug(slug)
        && let Some(first) = cases::of(clause).next()
    {
        let like = likest(name, ids()).filter(|_| name != slug);
        let what = if name == slug {
            say!("{name} is a clause and no case", name = format!("{name:?}"))
        } else {
            say!("no case is called {name}", name = format!("{name:?}"))
        };
        let like = like.map_or_else(|| first.id.to_string(), str::to_owned);
        let others = format!("{} --run {slug}", list_of(clause.role()));
        return Failure::usage(what).hint(say!("{like}, or another of {others}", like, others));
    }
    let hint = match likest(name, ids()) {
        Some(like) => say!(
            "{like}, or another of those that {list} shows",
            like,
            list = LIST
        ),
        None => say!("{list}, for the names of all cases", list = LIST),
    };
    Failure::usage(say!("no case is called {name}", name = format!("{name:?}"))).hint(hint)
}

/// The name that is most like it.
fn likest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    suggestions(name, names).first().copied()
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;

    fn selected(run: &[&str], skip: &[&str]) -> Result<Vec<String>, Failure> {
        let owned = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect();
        let args = SelectionArgs {
            run: owned(run),
            skip: owned(skip),
        };
        let cases = args.cases(Role::Server)?;
        Ok(cases.iter().map(|case| case.id.to_string()).collect())
    }

    #[test]
    fn the_name_of_no_case_leads_to_one() {
        let failure = unknown("one-reply");
        assert!(failure.what.as_str().contains("is a clause"), "{failure:?}");
        assert!(
            failure
                .hint
                .as_str()
                .starts_with("one-reply/single, or another of conformance list")
        );
        let hint = |name: &str| unknown(name).hint;
        assert!(
            hint("one-reply/singel")
                .as_str()
                .starts_with("one-reply/single, ")
        );
        assert!(
            hint("order/xyz").as_str().starts_with("order/"),
            "{}",
            hint("order/xyz")
        );
        assert!(
            hint("truncaton/in-header")
                .as_str()
                .starts_with("truncation/in-header, ")
        );
        assert_eq!(hint("zzz"), "conformance list, for the names of all cases");
        let slug = Clause::ClientReset.slug();
        assert!(
            hint(slug).as_str().contains("check-client --list --run"),
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
                .as_str()
                .starts_with("truncation")
        );
        assert!(
            selected(&["[a"], &[])
                .unwrap_err()
                .what
                .as_str()
                .contains("no pattern")
        );
    }
}
