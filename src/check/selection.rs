//! Which cases: by name, by clause, by pattern.

use crate::cases::{self, Case};
use crate::profile::Profile;
use crate::spec::{CaseId, Clause, Role};
use glob::Pattern;

/// What cases are called by: the name of one, a clause, which stands for all its cases, or a pattern
/// such as `truncation/*`.
///
/// In a pattern `*` stands for any characters, `/` among them, `?` for one, and `[ab]` for one of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(String);

impl From<&str> for Selector {
    fn from(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }
}

impl From<String> for Selector {
    fn from(pattern: String) -> Self {
        Self(pattern)
    }
}

impl From<Clause> for Selector {
    fn from(clause: Clause) -> Self {
        clause.slug().into()
    }
}

impl From<CaseId> for Selector {
    fn from(id: CaseId) -> Self {
        id.to_string().into()
    }
}

impl From<&Case> for Selector {
    fn from(case: &Case) -> Self {
        case.id.into()
    }
}

/// Some of the cases: all, unless something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<Selector>,
    except: Vec<Selector>,
}

/// Why nothing can be selected so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// It cannot be read.
    #[error("{pattern:?} is no pattern: {why}")]
    NoPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It matches nothing: that is a mistake, and would otherwise pass for a check.
    #[error("no case is called {pattern:?}, and none matches it")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// What is left out is all that was selected.
    #[error("what is left out leaves no case to play")]
    NothingLeft,
}

impl Selection {
    /// Only these cases, and what else is named so.
    pub fn only(&mut self, cases: impl Into<Selector>) {
        self.only.push(cases.into());
    }

    /// Not these cases, whatever is named by [`Self::only`].
    pub fn except(&mut self, cases: impl Into<Selector>) {
        self.except.push(cases.into());
    }

    /// The selected cases for that role in the order of the table, at least one. What is not asked for by name is left
    /// out where no frame of the format [can come under its clause](cases::arises).
    ///
    /// # Errors
    /// If a pattern matches no case, or no case is left.
    pub fn cases_in(
        &self,
        role: Role,
        profile: &Profile,
    ) -> Result<Vec<&'static Case>, SelectionError> {
        let mut cases = self.cases(role)?;
        if self.only.is_empty() {
            cases.retain(|case| cases::arises(case.clause(), profile));
        }
        match cases.is_empty() {
            true => Err(SelectionError::NothingLeft),
            false => Ok(cases),
        }
    }

    /// The selected cases for that role, whatever the format is.
    ///
    /// # Errors
    /// If a pattern matches no case, or no case is left.
    pub fn cases(&self, role: Role) -> Result<Vec<&'static Case>, SelectionError> {
        let mut cases: Vec<&Case> = cases::all(role).collect();
        let ids: Vec<String> = cases.iter().map(|case| case.id.to_string()).collect();
        let only = patterns(&self.only, &ids, role)?;
        let except = patterns(&self.except, &ids, role)?;
        let holds = |patterns: &[Pattern], id: &str| patterns.iter().any(|one| one.matches(id));
        cases.retain(|case| {
            let id = case.id.to_string();
            (only.is_empty() || holds(&only, &id)) && !holds(&except, &id)
        });
        match cases.is_empty() {
            true => Err(SelectionError::NothingLeft),
            false => Ok(cases),
        }
    }
}

/// Patterns each of which matches at least one case.
fn patterns(
    selectors: &[Selector],
    ids: &[String],
    role: Role,
) -> Result<Vec<Pattern>, SelectionError> {
    let patterns = selectors.iter().map(|Selector(text)| {
        let pattern = pattern(text, role)?;
        match ids.iter().any(|id| pattern.matches(id)) {
            true => Ok(pattern),
            false => Err(SelectionError::NoMatch {
                pattern: text.clone(),
            }),
        }
    });
    patterns.collect()
}

fn pattern(text: &str, role: Role) -> Result<Pattern, SelectionError> {
    let clause = Clause::from_slug(text).filter(|clause| clause.role() == role);
    let whole = match clause {
        Some(clause) => format!("{clause}/*"),
        None => text.to_owned(),
    };
    Pattern::new(&whole).map_err(|error| SelectionError::NoPattern {
        pattern: text.to_owned(),
        why: error.msg,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(only: &[&str], except: &[&str]) -> Result<Vec<String>, SelectionError> {
        let mut selection = Selection::default();
        only.iter().for_each(|pattern| selection.only(*pattern));
        except.iter().for_each(|pattern| selection.except(*pattern));
        let cases = selection.cases(Role::Server)?;
        Ok(cases.iter().map(|case| case.id.to_string()).collect())
    }

    #[test]
    fn names_clauses_and_patterns_select() {
        let all = cases::all(Role::Server).count();
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
        assert!(selected(&["*pieces"], &[]).unwrap().len() > 1);
    }

    #[test]
    fn values_select_as_their_names_do() {
        let case = cases::case("truncation/in-header").unwrap();
        let mut selection = Selection::default();
        selection.only(case);
        selection.only(case.id);
        selection.only(Clause::Order);
        let found = selection.cases(Role::Server).unwrap();
        let found: Vec<_> = found.iter().map(|case| case.id.to_string()).collect();
        assert_eq!(
            found,
            selected(&["order", "truncation/in-header"], &[]).unwrap()
        );
    }

    #[test]
    fn servers_and_clients_have_cases_of_their_own() {
        let mut selection = Selection::default();
        selection.only("client-close");
        assert!(!selection.cases(Role::Client).unwrap().is_empty());
        assert!(selection.cases(Role::Server).is_err());
    }

    #[test]
    fn what_selects_nothing_is_an_error() {
        let no_match = |pattern: &str| {
            Err(SelectionError::NoMatch {
                pattern: pattern.to_owned(),
            })
        };
        assert_eq!(selected(&["nonsense"], &[]), no_match("nonsense"));
        assert_eq!(selected(&[], &["nonsense"]), no_match("nonsense"));
        assert_eq!(
            selected(&["order"], &["order"]),
            Err(SelectionError::NothingLeft)
        );
        let no_pattern = selected(&["[a"], &[]).unwrap_err().to_string();
        assert!(no_pattern.contains("is no pattern"), "{no_pattern}");
    }
}
