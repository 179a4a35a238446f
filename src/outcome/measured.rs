//! What a case says that measures the process: what its clause is about, and nothing else.

use crate::event::{CaseResult, Verdict};
use crate::lang::say;
use crate::spec::{Clause, Group};

/// The result as it is told: of a case that measures the process, what broke other clauses is left to the cases of those.
/// Where nothing else was found, what was measured says nothing.
pub(super) fn told(mut result: CaseResult) -> CaseResult {
    if !measures(&result.clause) || !is_bad(result.verdict) || result.findings.is_empty() {
        return result;
    }
    let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut result.findings)
        .into_iter()
        .partition(|finding| finding.clause == result.clause);
    if own.is_empty()
        && let Some(other) = others.first()
    {
        let what = say!(
            "not measured, as {clause} was broken: {what}",
            clause = other.clause,
            what = other.what
        );
        (result.verdict, result.detail) = (Verdict::Skip, what);
        result.evidence = None;
    }
    result.findings = own;
    result
}

fn measures(clause: &str) -> bool {
    Clause::from_slug(clause).is_some_and(|clause| clause.group() == Group::Resources)
}

const fn is_bad(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Warn | Verdict::Unstable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FindingNote;
    use crate::spec::{CaseId, Level};

    fn found(clause: Clause, broken: &[Clause]) -> CaseResult {
        let note = |broken: &Clause| FindingNote {
            clause: broken.to_string(),
            level: Level::Must,
            what: format!("{broken} it is").into(),
            conn: "a".to_owned(),
            frame: None,
        };
        let findings: Vec<FindingNote> = broken.iter().map(note).collect();
        CaseResult {
            verdict: Verdict::Fail,
            detail: findings
                .first()
                .map(|first| first.what.clone())
                .unwrap_or_default(),
            findings,
            ..CaseResult::unjudged(CaseId::new(clause, "idle"), Level::Must, "", "check")
        }
    }

    #[test]
    fn what_broke_other_clauses_is_not_charged_to_a_measurement() {
        let told = told(found(Clause::Cpu, &[Clause::Cpu, Clause::OneReply]));
        assert_eq!((told.verdict, told.findings.len()), (Verdict::Fail, 1));
        assert_eq!(told.detail, "cpu it is");
    }

    #[test]
    fn a_measurement_of_nothing_but_other_breaches_is_none() {
        let told = told(found(Clause::Memory, &[Clause::OneReply]));
        assert_eq!((told.verdict, told.findings.len()), (Verdict::Skip, 0));
        assert_eq!(
            told.detail,
            "not measured, as one-reply was broken: one-reply it is"
        );
    }

    #[test]
    fn other_cases_are_told_as_they_are() {
        let result = found(Clause::Churn, &[Clause::OneReply]);
        assert_eq!(told(result.clone()), result);
    }
}
