//! From the attempts at a case to its result.

use super::sink::Head;
use super::{Judged, Keep, Series, millis};
use crate::event::{Attempts, CaseResult, FindingNote, Verdict};
use crate::lang::{Text, say};

/// What is said of an attempt that cannot be explained.
pub(crate) fn unexplained() -> Text {
    say!("waiting was given up and the judge found nothing wrong: please report this")
}

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
        Verdict::Pass => Text::default(),
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

fn detail(findings: &[FindingNote], otherwise: Text, attempts: Attempts) -> Text {
    let Some(first) = findings.first() else {
        return otherwise;
    };
    let Attempts { failed, of } = attempts;
    if failed < of {
        say!(
            "{what} ({failed} of {of} times)",
            what = first.what,
            failed,
            of
        )
    } else {
        first.what.clone()
    }
}
