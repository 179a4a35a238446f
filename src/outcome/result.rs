//! From the attempts at a case to its result.

use super::sink::Head;
use super::{Judged, Keep, Series, millis};
use crate::event::{Attempts, CaseResult, FindingNote, Verdict};

/// What is said of an attempt that cannot be explained.
pub(crate) const UNEXPLAINED: &str =
    "waiting was given up and the judge found nothing wrong: please report this";

/// What became of a case that was played; `command` repeats the run, up to where a case is selected.
pub(crate) fn result(
    case: Head,
    command: &str,
    keep: Keep,
    series: &Series<impl Judged>,
) -> CaseResult {
    let (shown, verdict) = (series.shown(), series.verdict());
    let findings = shown.findings();
    let detail = match verdict {
        Verdict::Pass => String::new(),
        _ => detail(&findings, shown.without_findings(), series.attempts()),
    };
    CaseResult {
        verdict,
        detail,
        elapsed_ms: millis(series.elapsed()),
        attempts: series.attempts(),
        findings,
        evidence: keep.covers(verdict).then(|| shown.evidence()),
        ..case.unjudged(command)
    }
}

fn detail(findings: &[FindingNote], otherwise: &str, attempts: Attempts) -> String {
    let Some(first) = findings.first() else {
        return otherwise.to_owned();
    };
    let Attempts { failed, of } = attempts;
    if failed < of {
        format!("{} ({failed} of {of} times)", first.what)
    } else {
        first.what.clone()
    }
}
