//! What a run comes to: the one rule by which a program ends, a test fails and a report is red.

use super::{CaseResult, Run, Verdict};
use crate::lang::{Text, say};

/// What a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conclusion {
    /// Nothing was found that counts.
    Passed,
    /// Something was found: a failure that is not known, or an expectation that no longer holds; in a
    /// [strict](super::Started::strict) run, a warning or an unstable case too.
    Failed,
    /// Nothing was found, and that says little: the harness failed in a case, the run was broken off, a case was not run for
    /// want of time, or none has shown anything.
    Undecided,
}

impl Run {
    /// What it comes to. What is [known](super::CaseResult::known) does not count; an error of the
    /// harness is never known.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let is_strict = self.started.strict;
        let mut counting = self.counting();
        if counting.any(|result| result.verdict.is_finding(is_strict))
            || !self.finished.stale.is_empty()
        {
            Conclusion::Failed
        } else if self.failures().next().is_some()
            || self.finished.broken_off.is_some()
            || self.results.iter().any(CaseResult::was_not_run)
            || !self.results.iter().any(CaseResult::shows_something)
        {
            Conclusion::Undecided
        } else {
            Conclusion::Passed
        }
    }

    /// The cases that keep it from passing.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        let is_strict = self.started.strict;
        self.counting().filter(move |result| {
            result.verdict.is_finding(is_strict) || result.verdict == Verdict::Error
        })
    }

    fn counting(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| result.known.is_none())
    }
}

impl Conclusion {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
        }
    }

    /// The word for it where people read it.
    #[must_use]
    pub fn word(self) -> Text {
        match self {
            Self::Passed => say!("passed"),
            Self::Failed => say!("failed"),
            Self::Undecided => say!("undecided"),
        }
    }
}

impl CaseResult {
    /// Whether something was seen of the peer in it.
    fn shows_something(&self) -> bool {
        !matches!(self.verdict, Verdict::Skip | Verdict::Error)
    }
}

impl Verdict {
    /// Whether it makes a run fail; a warning and an unstable case do only in a strict one.
    #[must_use]
    pub const fn is_finding(self, is_strict: bool) -> bool {
        match self {
            Self::Fail => true,
            Self::Warn | Self::Unstable => is_strict,
            Self::Pass | Self::Skip | Self::Error => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CaseResult, Known, KnownKind, Problem, Stale};
    use crate::spec::{CaseId, Clause, Level};

    fn result(verdict: Verdict) -> CaseResult {
        CaseResult {
            verdict,
            ..CaseResult::unjudged(CaseId::new(Clause::Order, "x"), Level::Must, "", "")
        }
    }

    fn known() -> Known {
        Known {
            kind: KnownKind::Failure,
            reason: "issue 12".to_owned(),
        }
    }

    fn of(results: Vec<CaseResult>, strict: bool) -> Conclusion {
        let mut run = Run {
            results,
            ..Run::default()
        };
        run.started.strict = strict;
        run.conclusion()
    }

    #[test]
    fn the_gravest_case_decides() {
        use Conclusion::{Failed, Passed, Undecided};
        let expected = [
            (Verdict::Pass, Passed, Passed),
            (Verdict::Warn, Passed, Failed),
            (Verdict::Skip, Passed, Passed),
            (Verdict::Unstable, Passed, Failed),
            (Verdict::Fail, Failed, Failed),
            (Verdict::Error, Undecided, Undecided),
        ];
        for (verdict, loose, strict) in expected {
            let results = || vec![result(Verdict::Pass), result(verdict)];
            assert_eq!(of(results(), false), loose, "{verdict}");
            assert_eq!(of(results(), true), strict, "{verdict}, strict");
        }
        let both = vec![result(Verdict::Error), result(Verdict::Fail)];
        assert_eq!(of(both, false), Failed);
    }

    /// Nothing passes that was not looked at.
    #[test]
    fn what_was_not_run_leaves_it_open() {
        let skip = |detail| CaseResult {
            detail: Text::whole(detail),
            ..result(Verdict::Skip)
        };
        let late = || skip("not run: too long for 6s");
        let with = |other| of(vec![result(other), late()], false);
        assert_eq!(with(Verdict::Pass), Conclusion::Undecided);
        assert_eq!(with(Verdict::Fail), Conclusion::Failed);
        let other = || skip("it is about datagrams");
        assert_eq!(of(vec![other(), other()], false), Conclusion::Undecided);
        assert_eq!(
            of(vec![result(Verdict::Pass), other()], false),
            Conclusion::Passed
        );
    }

    #[test]
    fn what_is_known_does_not_count() {
        let mut failed = result(Verdict::Fail);
        failed.known = Some(known());
        assert_eq!(of(vec![failed], true), Conclusion::Passed);
    }

    #[test]
    fn what_no_longer_holds_fails_and_a_run_broken_off_says_nothing() {
        let mut run = Run::default();
        run.finished.broken_off = Some(Text::whole("the server is gone"));
        assert_eq!(run.conclusion(), Conclusion::Undecided);
        run.finished.stale.push(Stale {
            case: "order/x".to_owned(),
            problem: Problem::Passes,
            known: known(),
        });
        assert_eq!(run.conclusion(), Conclusion::Failed);
    }
}
