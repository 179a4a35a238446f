//! Expectations: cases that are known to fail, so that a run fails only on what is new.
//!
//! A file of them is kept beside the server's sources. Every entry has a reason, and one that no
//! longer holds fails the run too, so that the file stays true.
//!
//! ```
//! use framespec::expect::Expectations;
//!
//! let expectations = Expectations::parse(
//!     r#"
//!     [[known-failure]]
//!     case = "length-limit/one-chunk-over"
//!     reason = "the limit is checked after reading: issue 12"
//!
//!     [[known-flaky]]
//!     case = "isolation/stalled-neighbour"
//!     reason = "one thread serves two clients: issue 15"
//!     "#,
//! )?;
//! assert!(expectations.names("length-limit/one-chunk-over"));
//! # Ok::<(), framespec::expect::ExpectationsError>(())
//! ```

use crate::event::{CaseResult, Run, Verdict};
use crate::report::escape::Line;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What a written file begins with.
const HEAD: &str = "\
# Cases that are known to fail (known-failure) or to fail at times (known-flaky).
# An entry whose case passes, or that names no case, fails the run: take it out.
# Say in each reason why the failure is put up with, and where it is being seen to.
";

/// Cases that are known to fail, each with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectations {
    /// They fail every time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known_failure: Vec<Entry>,
    /// They fail at times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known_flaky: Vec<Entry>,
}

/// A case that is known to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    case: String,
    reason: String,
}

/// Why a text is no file of expectations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationsError {
    /// It is not TOML, or not of this form.
    #[error("{0}")]
    Malformed(#[from] toml::de::Error),
    /// An entry without a reason.
    #[error("{case:?} has no reason: say why its failure is put up with")]
    NoReason {
        /// The case.
        case: String,
    },
    /// Two entries for one case.
    #[error("{case:?} is listed twice")]
    Twice {
        /// The case.
        case: String,
    },
}

/// What a run comes to when known failures are set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Cases that failed, or in which the harness failed, and are not known to.
    pub unexpected: Vec<String>,
    /// Cases that failed as they are known to.
    pub expected: Vec<String>,
    /// Entries that no longer hold.
    pub stale: Vec<Stale>,
}

/// An entry that no longer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The case that it names.
    pub case: String,
    /// What is the matter with it.
    pub problem: Problem,
}

/// Why an entry no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The case does not fail.
    Passes,
    /// There is no such case.
    NoSuchCase,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = Line(&self.case);
        match self.problem {
            Problem::Passes => write!(f, "{case} is listed as a known failure and passes"),
            Problem::NoSuchCase => write!(f, "{case} is listed and is not the name of a case"),
        }
    }
}

impl Outcome {
    /// Whether the run fails all the same.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !self.unexpected.is_empty() || !self.stale.is_empty()
    }
}

impl Expectations {
    /// Reads a file of expectations.
    ///
    /// # Errors
    /// If it is not TOML of this form, an entry has no reason, or a case is listed twice.
    pub fn parse(text: &str) -> Result<Self, ExpectationsError> {
        let expectations: Self = toml::from_str(text)?;
        let mut seen = HashSet::new();
        for Entry { case, reason } in expectations.entries() {
            let case = || case.clone();
            if reason.trim().is_empty() {
                return Err(ExpectationsError::NoReason { case: case() });
            }
            if !seen.insert(case()) {
                return Err(ExpectationsError::Twice { case: case() });
            }
        }
        Ok(expectations)
    }

    /// Whether that case is listed.
    #[must_use]
    pub fn names(&self, case: &str) -> bool {
        self.entries().any(|entry| entry.case == case)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.known_failure.iter().chain(&self.known_flaky)
    }

    /// Sets the known failures of a run aside.
    ///
    /// `exists` tells whether there is a case of that name at all: an entry whose case is there and
    /// was not selected is left alone. So is one whose case was skipped. An error of the harness is
    /// never known: it says nothing of the server.
    #[must_use]
    pub fn apply(&self, run: &Run, exists: impl Fn(&str) -> bool) -> Outcome {
        let mut outcome = Outcome::default();
        for CaseResult { id, verdict, .. } in &run.results {
            match verdict {
                Verdict::Fail if self.names(id) => outcome.expected.push(id.clone()),
                Verdict::Fail | Verdict::Error => outcome.unexpected.push(id.clone()),
                Verdict::Pass | Verdict::Warn | Verdict::Skip | Verdict::Unstable => {}
            }
        }
        let verdicts: HashMap<&str, Verdict> = run
            .results
            .iter()
            .map(|result| (result.id.as_str(), result.verdict))
            .collect();
        let verdict = |entry: &Entry| verdicts.get(entry.case.as_str()).copied();
        let passing = self
            .known_failure
            .iter()
            .filter(|entry| matches!(verdict(entry), Some(Verdict::Pass | Verdict::Warn)))
            .map(|entry| (entry, Problem::Passes));
        let unknown = self
            .entries()
            .filter(|entry| verdict(entry).is_none() && !exists(&entry.case))
            .map(|entry| (entry, Problem::NoSuchCase));
        outcome.stale = passing
            .chain(unknown)
            .map(|(entry, problem)| Stale {
                case: entry.case.clone(),
                problem,
            })
            .collect();
        outcome
    }

    /// A file that lists what failed in a run, and as flaky what was unstable. The reasons say what
    /// was seen; they are for the user to replace.
    #[must_use]
    pub fn from_run(run: &Run) -> String {
        Self::default().updated(run)
    }

    /// The same, with the reasons kept of what is listed already.
    #[must_use]
    pub fn updated(&self, run: &Run) -> String {
        let of = |wanted: Verdict| -> Vec<Entry> {
            run.results
                .iter()
                .filter(|result| result.verdict == wanted)
                .map(|result| self.entry(result))
                .collect()
        };
        let updated = Self {
            known_failure: of(Verdict::Fail),
            known_flaky: of(Verdict::Unstable),
        };
        let entries = toml::to_string(&updated).unwrap_or_default();
        format!("{HEAD}\n{entries}")
    }

    fn entry(&self, result: &CaseResult) -> Entry {
        let known = self.entries().find(|entry| entry.case == result.id);
        let reason = match known {
            Some(entry) => entry.reason.clone(),
            None if result.detail.is_empty() => "not looked into yet".to_owned(),
            None => format!("not looked into yet: {}", Line(&result.detail)),
        };
        Entry {
            case: result.id.clone(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    const FILE: &str = r#"
        [[known-failure]]
        case = "reassembly/octet-by-octet"
        reason = "reads once"

        [[known-failure]]
        case = "length-prefix/one-octet"
        reason = "mended since"

        [[known-failure]]
        case = "memory/claimed"
        reason = "skipped here"

        [[known-failure]]
        case = "order/not-selected"
        reason = "elsewhere"

        [[known-flaky]]
        case = "length-prefix/two-chunks"
        reason = "passes at times"

        [[known-flaky]]
        case = "order/gone"
        reason = "renamed"
    "#;

    fn exists(case: &str) -> bool {
        case == "order/not-selected"
    }

    fn stale(case: &str, problem: Problem) -> Stale {
        Stale {
            case: case.into(),
            problem,
        }
    }

    #[test]
    fn known_failures_are_set_aside_and_nothing_else_is() {
        let outcome = Expectations::parse(FILE)
            .unwrap()
            .apply(&fixture::run(), exists);
        assert_eq!(outcome.expected, ["reassembly/octet-by-octet"]);
        assert_eq!(
            outcome.unexpected,
            ["boundary/two-at-once", "one-reply/harness"]
        );
        assert_eq!(
            outcome.stale,
            [
                stale("length-prefix/one-octet", Problem::Passes),
                stale("order/gone", Problem::NoSuchCase),
            ]
        );
        assert!(outcome.is_failure());
    }

    #[test]
    fn a_flaky_case_may_fail() {
        let text = "[[known-flaky]]\ncase = 'boundary/two-at-once'\nreason = 'x'\n";
        let outcome = Expectations::parse(text)
            .unwrap()
            .apply(&fixture::run(), exists);
        assert_eq!(outcome.expected, ["boundary/two-at-once"]);
        assert_eq!(outcome.stale, []);
    }

    #[test]
    fn an_error_of_the_harness_is_never_known() {
        let text = "[[known-failure]]\ncase = 'one-reply/harness'\nreason = 'x'\n";
        let outcome = Expectations::parse(text)
            .unwrap()
            .apply(&fixture::run(), exists);
        assert!(outcome.unexpected.contains(&"one-reply/harness".to_owned()));
        assert_eq!(outcome.stale, []);
    }

    #[test]
    fn what_is_written_for_a_run_makes_it_succeed_but_for_errors() {
        let mut run = fixture::run();
        let text = Expectations::from_run(&run);
        assert!(
            text.chars()
                .all(|c| c == '\n' || crate::report::escape::is_harmless(c))
        );
        let written = Expectations::parse(&text).unwrap();
        assert!(written.names("one-reply/late-second"));
        run.results
            .retain(|result| result.verdict != Verdict::Error);
        let outcome = written.apply(&run, exists);
        assert!(!outcome.is_failure(), "{outcome:?}");
        assert_eq!(outcome.expected.len(), 2);
    }

    #[test]
    fn reasons_outlive_a_new_writing() {
        let text = Expectations::parse(FILE).unwrap().updated(&fixture::run());
        assert!(text.contains("reason = \"reads once\""), "{text}");
        assert!(!text.contains("mended since"), "{text}");
    }

    #[test]
    fn a_run_without_failures_makes_a_file_without_entries() {
        let text = Expectations::from_run(&fixture::full_pass());
        assert_eq!(Expectations::parse(&text), Ok(Expectations::default()));
    }

    #[test]
    fn a_bad_file_is_refused_with_the_place() {
        let error = |text: &str| Expectations::parse(text).unwrap_err().to_string();
        let entry =
            |case, reason| format!("[[known-failure]]\ncase = \"{case}\"\nreason = \"{reason}\"\n");
        assert!(error(&entry("order/a", " ")).contains("\"order/a\" has no reason"));
        let twice = entry("order/a", "x") + &entry("order/a", "y").replace("failure", "flaky");
        assert!(error(&twice).contains("\"order/a\" is listed twice"));
        assert!(error("[[known-failure]]\ncase = 'order/a'\n").contains("reason"));
        assert!(error("[[known-fialure]]\n").contains("line 1"));
        assert!(
            error("[[known-flaky]]\ncase = 'a'\nreason = 'b'\nbecause = 'c'\n").contains("because")
        );
    }
}
