//! Expectations: cases that are known to fail, so that a run fails only on what is new.
//!
//! A file of them is kept beside the server's sources. Every entry has a reason, and one that no
//! longer holds fails the run too, so that the file stays true. What the file says is written into the
//! events of the run, before any report hears of them.
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

use crate::event::{CaseResult, Event, Finished, Known, KnownKind, Problem, Run, Stale, Verdict};
use crate::report::escape::Line;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use toml::Spanned;

/// What a written file begins with.
const HEAD: &str = "\
# Cases that are known to fail (known-failure) or to fail at times (known-flaky).
# An entry whose case passes, or that names no case, fails the run: take it out.
# Say in each reason why the failure is put up with, and where it is being seen to.
";

/// What is said in the file of a run that was broken off.
const PART: &str =
    "This is of a run that was broken off, and lists only what was played until then";

/// Cases that are known to fail, each with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expectations {
    entries: Vec<Entry>,
    is_strict: bool,
}

/// A case that is known to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    case: String,
    known: Known,
}

/// A file of expectations, with the places of cases or without.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File<Case> {
    /// They fail every time.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    known_failure: Vec<Written<Case>>,
    /// They fail at times.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    known_flaky: Vec<Written<Case>>,
}

/// An entry as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<Case> {
    case: Case,
    reason: String,
}

/// Why a text is no file of expectations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationsError {
    /// It is not TOML, or not of this form.
    #[error("{}", .0.to_string().trim_end())]
    Malformed(#[from] toml::de::Error),
    /// An entry without a reason.
    #[error("line {line}: {case:?} has no reason: say why its failure is put up with")]
    NoReason {
        /// The case.
        case: String,
        /// Where it is named, counted from 1.
        line: usize,
    },
    /// Two entries for one case.
    #[error("line {line}: {case:?} is listed already: take one of the entries out")]
    Twice {
        /// The case.
        case: String,
        /// Where it is named again, counted from 1.
        line: usize,
    },
}

impl Expectations {
    /// Reads a file of expectations.
    ///
    /// # Errors
    /// If it is not TOML of this form, an entry has no reason, or a case is listed twice.
    pub fn parse(text: &str) -> Result<Self, ExpectationsError> {
        let file: File<Spanned<String>> = toml::from_str(text)?;
        let failures = file.known_failure.into_iter();
        let failures = failures.map(|written| (KnownKind::Failure, written));
        let flaky = file.known_flaky.into_iter();
        let flaky = flaky.map(|written| (KnownKind::Flaky, written));
        let mut expectations = Self::default();
        for (kind, Written { case, reason }) in failures.chain(flaky) {
            let line = line(text, case.span().start);
            let case = case.into_inner();
            if reason.trim().is_empty() {
                return Err(ExpectationsError::NoReason { case, line });
            }
            if expectations.names(&case) {
                return Err(ExpectationsError::Twice { case, line });
            }
            let known = Known { kind, reason };
            expectations.entries.push(Entry { case, known });
        }
        Ok(expectations)
    }

    /// The same for a run in which warnings count as failures.
    #[must_use]
    pub const fn strict(mut self, is_strict: bool) -> Self {
        self.is_strict = is_strict;
        self
    }

    /// Whether no case is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether that case is listed.
    #[must_use]
    pub fn names(&self, case: &str) -> bool {
        self.entry(case).is_some()
    }

    fn entry(&self, case: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.case == case)
    }

    /// What marks the events of a run with what is known, to be given each of them before anybody else is.
    ///
    /// A case that fails as it is known to says so, and the end of the run tells which entries no
    /// longer hold. `exists` tells whether there is a case of that name at all: an entry whose case is
    /// there and was not selected is left alone. So is one whose case was skipped. An error of the
    /// harness is never known: it says nothing of the server.
    pub fn marker(self, exists: impl Fn(&str) -> bool + Send) -> impl FnMut(&mut Event) + Send {
        let mut told = HashMap::new();
        let mut known = 0_usize;
        move |event| match event {
            Event::CaseFinished(result) => {
                result.known = self.known(&result.id, result.verdict);
                known = known.saturating_add(usize::from(result.known.is_some()));
                told.insert(result.id.clone(), result.verdict);
            }
            Event::Finished(finished) => self.close(finished, &told, known, &exists),
            Event::Started(started) => started.strict = self.is_strict,
            Event::Calibrated(_) | Event::CaseStarted { .. } | Event::Diagnosed(_) => {}
        }
    }

    /// What is known of a case with that verdict, if the verdict does not count for it.
    fn known(&self, case: &str, verdict: Verdict) -> Option<Known> {
        let is_bad = match verdict {
            Verdict::Fail | Verdict::Unstable => true,
            Verdict::Warn => self.is_strict,
            Verdict::Pass | Verdict::Skip | Verdict::Error => false,
        };
        let entry = self.entry(case).filter(|_| is_bad)?;
        Some(entry.known.clone())
    }

    fn close(
        &self,
        finished: &mut Finished,
        told: &HashMap<String, Verdict>,
        known: usize,
        exists: impl Fn(&str) -> bool,
    ) {
        let stale = self.entries.iter().filter_map(|entry| {
            let problem = self.problem(entry, told.get(&entry.case).copied(), &exists)?;
            Some(Stale {
                case: entry.case.clone(),
                problem,
                known: entry.known.clone(),
            })
        });
        finished.stale = stale.collect();
        finished.summary.known = known;
        finished.summary.stale = finished.stale.len();
    }

    /// Why an entry no longer holds, if its case got that verdict.
    fn problem(
        &self,
        entry: &Entry,
        verdict: Option<Verdict>,
        exists: impl Fn(&str) -> bool,
    ) -> Option<Problem> {
        match (verdict, entry.known.kind) {
            (None, _) if !exists(&entry.case) => Some(Problem::NoSuchCase),
            (Some(Verdict::Pass), KnownKind::Failure) => Some(Problem::Passes),
            (Some(Verdict::Warn), KnownKind::Failure) if !self.is_strict => Some(Problem::Passes),
            _ => None,
        }
    }

    /// A file that lists what failed in a run, and as flaky what was unstable. The reasons say what
    /// was seen; they are for the user to replace.
    #[must_use]
    pub fn from_run(run: &Run) -> String {
        Self::default().updated(run, |_| true)
    }

    /// The text of such a file, with what is listed already: its reasons are kept, and so are entries of which the run
    /// says nothing, since their cases exist and were not played, or fail only at times.
    #[must_use]
    pub fn updated(&self, run: &Run, exists: impl Fn(&str) -> bool) -> String {
        let played: HashSet<&str> = run
            .results
            .iter()
            .map(|result| result.id.as_str())
            .collect();
        let of_run = run.results.iter().filter_map(|result| self.renewed(result));
        let others = self.entries.iter().filter(|entry| {
            let case = entry.case.as_str();
            !played.contains(case) && exists(case)
        });
        let entries: Vec<Entry> = of_run.chain(others.cloned()).collect();
        let of = |kind: KnownKind| -> Vec<Written<&str>> {
            let entries = entries.iter().filter(|entry| entry.known.kind == kind);
            entries.map(Entry::written).collect()
        };
        let file = File {
            known_failure: of(KnownKind::Failure),
            known_flaky: of(KnownKind::Flaky),
        };
        let entries = toml::to_string(&file).unwrap_or_default();
        let part = match &run.finished.broken_off {
            Some(why) => format!("# {PART}: {}\n", Line(why.as_str())),
            None => String::new(),
        };
        format!("{HEAD}{part}\n{entries}")
    }

    /// What is to be listed of a case, after this is what became of it.
    fn renewed(&self, result: &CaseResult) -> Option<Entry> {
        let listed = self.entry(&result.id);
        let kind = match (result.verdict, listed.map(|entry| entry.known.kind)) {
            (Verdict::Unstable, _) | (_, Some(KnownKind::Flaky)) => KnownKind::Flaky,
            (Verdict::Fail, _) => KnownKind::Failure,
            (Verdict::Warn, _) if self.is_strict => KnownKind::Failure,
            (Verdict::Skip | Verdict::Error, Some(kind)) => kind,
            (Verdict::Pass | Verdict::Warn | Verdict::Skip | Verdict::Error, _) => return None,
        };
        let reason = match listed {
            Some(entry) => entry.known.reason.clone(),
            None if result.detail.is_empty() => "not looked into yet".to_owned(),
            None => format!("not looked into yet: {}", Line(result.detail.as_str())),
        };
        Some(Entry {
            case: result.id.clone(),
            known: Known { kind, reason },
        })
    }
}

impl Entry {
    fn written(&self) -> Written<&str> {
        Written {
            case: &self.case,
            reason: self.known.reason.clone(),
        }
    }
}

/// The line that an offset lies on, counted from 1.
fn line(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before
        .filter(|octet| **octet == b'\n')
        .count()
        .saturating_add(1)
}

#[cfg(test)]
mod tests;
