//! From what was found to the verdict of a case.

use super::Options;
use super::evidence::evidence;
use super::play::Peer;
use super::played::Played;
use crate::cases::Case;
use crate::event::{Attempts, CaseResult, Evidence, FindingNote, Verdict};
use crate::judge::{self, Finding};
use crate::model::Permitted;
use crate::script::{ConnName, Script};
use crate::spec::Level;
use crate::transcript::{Canary, Seen, Transcript};

/// One playing of a case.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) script: Script,
    pub(super) permitted: Vec<Permitted>,
    pub(super) transcript: Transcript,
    /// What concerns the case, the gravest first.
    pub(super) findings: Vec<Finding>,
    /// What the server wrote to its standard error meanwhile, if that is known.
    pub(super) stderr: String,
    /// All that was found is what the case asks for beyond the model, such as what readings of the
    /// process show.
    pub(super) beyond_model_only: bool,
    /// Something owed did not come, and the judge says nothing of it: then the judge is at fault.
    unexplained: bool,
    /// All that was owed came, though later than it was waited for.
    is_late: bool,
}

impl Attempt {
    /// What a script gave that was played for a case, or for none: then everything concerns it.
    pub(super) fn judged(
        peer: &Peer,
        case: Option<&Case>,
        script: Script,
        permitted: Vec<Permitted>,
        transcript: Transcript,
    ) -> Self {
        let judged = |transcript: &Transcript| {
            judge::judge(&peer.profile, &peer.rule, &permitted, transcript)
        };
        let mut findings = judged(&transcript.until_given_up());
        let is_late = !findings.is_empty() && judged(&transcript).is_empty();
        let unexplained = findings.is_empty() && was_given_up(&transcript);
        let beyond_model_only = findings.is_empty() && !unexplained;
        if let Some(case) = case {
            findings.extend(case.check(&peer.profile, &transcript));
            findings.retain(|finding| finding.concerns(case.slug()));
            for finding in &mut findings {
                if finding.clause == case.slug() {
                    finding.level = finding.level.min(case.level);
                }
            }
        }
        // What breaks the case's own clause says most about it.
        findings.sort_by_key(|finding| {
            let own = case.is_some_and(|case| finding.clause == case.slug());
            (std::cmp::Reverse(finding.level), !own)
        });
        Self {
            script,
            permitted,
            transcript,
            findings,
            stderr: String::new(),
            beyond_model_only,
            unexplained,
            is_late,
        }
    }

    /// Finds something that is told before all else.
    pub(super) fn charge(&mut self, case: &Case, what: String) {
        self.findings.insert(0, Finding::must(case.slug(), 0, what));
    }

    /// Whether the server served no new client afterwards.
    pub(super) fn server_is_gone(&self) -> bool {
        matches!(self.transcript.canary, Canary::Dead(_) | Canary::Mute(_))
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.findings.first().map(|finding| finding.level) {
            Some(Level::Must) => Verdict::Fail,
            Some(Level::Should) => Verdict::Warn,
            Some(Level::May) | None if self.unexplained => Verdict::Error,
            Some(Level::May) | None => Verdict::Pass,
        }
    }
}

fn was_given_up(transcript: &Transcript) -> bool {
    transcript.entries.iter().any(|entry| {
        matches!(
            entry.seen,
            Seen::GaveUp(_) | Seen::Flooded | Seen::Refused(_)
        )
    })
}

/// What became of a case that was played.
pub(super) fn result(peer: &Peer, options: &Options, played: &Played) -> CaseResult {
    let Played {
        attempt, attempts, ..
    } = played;
    let case = played.planned.case;
    let comes_and_goes = attempts.failed < attempts.of && !played.is_certain;
    let verdict = match attempt.verdict() {
        // What was owed came, but late, and was in time whenever the case was played again: this
        // machine was busy.
        Verdict::Fail if comes_and_goes && attempt.is_late => Verdict::Pass,
        // A warning that comes and goes is a warning; a failure that does is not certain.
        Verdict::Fail if comes_and_goes => Verdict::Unstable,
        verdict => verdict,
    };
    let keep = options.keep.covers(verdict);
    CaseResult {
        verdict,
        detail: match verdict {
            Verdict::Pass => String::new(),
            _ => detail(attempt, *attempts),
        },
        elapsed_ms: super::millis(played.elapsed),
        attempts: *attempts,
        findings: attempt.findings.iter().map(noted).collect(),
        evidence: keep.then(|| Evidence {
            stderr: attempt.stderr.clone(),
            ..evidence(
                &peer.profile,
                &attempt.script,
                &attempt.permitted,
                &attempt.transcript,
            )
        }),
        ..blank(options, case)
    }
}

/// What became of a case that was not played, or in which the harness failed.
pub(super) fn without(
    options: &Options,
    case: &Case,
    verdict: Verdict,
    why: impl Into<String>,
) -> CaseResult {
    CaseResult {
        verdict,
        detail: why.into(),
        ..blank(options, case)
    }
}

fn blank(options: &Options, case: &Case) -> CaseResult {
    CaseResult::unjudged(case.id, case.slug(), case.level, case.why, &options.command)
}

const UNEXPLAINED: &str =
    "waiting was given up and the judge found nothing wrong: please report this";

fn detail(attempt: &Attempt, attempts: Attempts) -> String {
    let Some(first) = attempt.findings.first() else {
        let unexplained = attempt.unexplained.then_some(UNEXPLAINED);
        return unexplained.unwrap_or_default().to_owned();
    };
    let often = if attempts.of > 1 && attempts.failed < attempts.of {
        format!(" ({} of {} times)", attempts.failed, attempts.of)
    } else {
        String::new()
    };
    format!("{}{often}", first.what)
}

pub(super) fn noted(finding: &Finding) -> FindingNote {
    FindingNote {
        clause: finding.clause.to_owned(),
        level: finding.level,
        what: finding.what.clone(),
        conn: ConnName(finding.conn).to_string(),
        frame: finding.frame,
    }
}
