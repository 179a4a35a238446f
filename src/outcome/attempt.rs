//! One playing of a script, and what was found in it.

use super::evidence::evidence;
use super::result::unexplained;
use super::series::Judged;
use crate::cases::Case;
use crate::event::{Evidence, FindingNote, Verdict};
use crate::judge::{self, Finding, Traits};
use crate::lang::{Text, say};
use crate::model::Permitted;
use crate::profile::Profile;
use crate::script::{Awaited, ConnName, Script};
use crate::spec::{Clause, Level, Role};
use crate::transcript::{Canary, Seen, Transcript};
use std::time::Duration;

/// One playing of a script.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    profile: Profile,
    script: Script,
    permitted: Vec<Permitted>,
    transcript: Transcript,
    /// Octets that came, be they dropped by now or not.
    received: usize,
    /// What reports show of it, once the rest has been dropped.
    condensed: Option<Evidence>,
    /// What concerns the case, the gravest first.
    findings: Vec<Finding>,
    /// What the peer wrote to its standard error meanwhile, if that is known.
    pub(crate) stderr: String,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// It failed beyond doubt.
    pub(crate) is_certain: bool,
    /// All that was found is what the case asks for beyond the model, such as what readings of the
    /// process show.
    is_beyond_model_only: bool,
    /// Something owed did not come, and the judge says nothing of it: then the judge is at fault.
    is_unexplained: bool,
    /// All that was owed came, though later than it was waited for.
    is_late: bool,
    /// Why nothing can be concluded, if that is so.
    inconclusive: Option<Text>,
}

/// The most of a client's standard error that is kept, in octets.
const MOST_STDERR: usize = 8 << 10;

impl Attempt {
    /// What a script gave that was played for a case, or for none: then everything concerns it.
    pub(crate) fn judged(
        profile: &Profile,
        traits: Traits<'_>,
        case: Option<&Case>,
        script: Script,
        permitted: Vec<Permitted>,
        transcript: Transcript,
    ) -> Self {
        let judged = |seen: &Transcript| judge::judge(profile, traits, &permitted, seen);
        let inconclusive = inconclusive(profile, traits, &permitted, &transcript);
        let mut findings = judged(&transcript.until_given_up());
        let is_late = !findings.is_empty() && judged(&transcript.without_lateness()).is_empty();
        let is_explained = !findings.is_empty() || inconclusive.is_some();
        let is_unexplained = !is_explained && was_given_up(&transcript);
        let is_beyond_model_only = findings.is_empty() && !is_unexplained;
        if let Some(case) = case {
            // What a case asks for itself says most about it.
            findings.splice(..0, case.check(profile, &transcript));
            concern(&mut findings, case);
        }
        // What breaks the case's own clause says most about it.
        findings.sort_by_key(|finding| {
            let own = case.is_some_and(|case| finding.clause == case.clause());
            (std::cmp::Reverse(finding.level), !own)
        });
        Self {
            profile: profile.clone(),
            inconclusive,
            stderr: transcript.stderr(MOST_STDERR),
            script,
            permitted,
            received: transcript.octets(),
            transcript,
            condensed: None,
            findings,
            elapsed: Duration::ZERO,
            is_certain: false,
            is_beyond_model_only,
            is_unexplained,
            is_late,
        }
    }

    /// Drops what no report shows, where something was found: many attempts may wait to be made again, and what a
    /// peer has sent in each is much.
    pub(crate) fn condense(&mut self) {
        if self.verdict() > Verdict::Pass && self.condensed.is_none() {
            self.condensed = Some(self.evidence());
            self.permitted = Vec::new();
            let entries = &mut self.transcript.entries;
            entries.retain(|entry| !matches!(entry.seen, Seen::Received(_) | Seen::Printed(_)));
        }
    }

    /// Finds something that is told before all else.
    pub(crate) fn charge(&mut self, case: &Case, what: Text) {
        self.findings
            .insert(0, Finding::must(case.clause(), 0, what));
        // That is no matter of time.
        self.is_late = false;
    }

    /// Adds something to what is told first.
    pub(crate) fn remark(&mut self, remark: &Text) {
        if let Some(finding) = self.findings.first_mut() {
            finding.what = say!("{what}{remark}", what = finding.what, remark);
        }
    }

    /// Whether that was waited for in vain.
    pub(crate) fn has_given_up(&self, awaited: Awaited) -> bool {
        let mut entries = self.transcript.entries.iter();
        entries.any(|entry| matches!(entry.seen, Seen::GaveUp(what, _) if what == awaited))
    }

    /// When octets were last sent before the peer showed signs of its end.
    pub(crate) fn last_sent(&self) -> Option<Duration> {
        self.transcript.last_sent()
    }

    /// What was permitted, connection by connection.
    pub(crate) fn permitted(&self) -> &[Permitted] {
        &self.permitted
    }

    /// How many octets came.
    pub(crate) const fn received(&self) -> usize {
        self.received
    }

    /// What was seen.
    pub(crate) const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// How the peer fared beside the script and afterwards.
    pub(crate) const fn canary(&self) -> &Canary {
        &self.transcript.canary
    }

    /// Whether all that was found is what the case asks for beyond the model.
    pub(crate) const fn is_beyond_model_only(&self) -> bool {
        self.is_beyond_model_only
    }

    /// The clause that the gravest finding is about.
    pub(crate) fn breaks(&self) -> Option<Clause> {
        self.findings.first().map(|finding| finding.clause)
    }
}

/// Why nothing can be concluded from what a client did, if that is so.
fn inconclusive(
    profile: &Profile,
    traits: Traits<'_>,
    permitted: &[Permitted],
    transcript: &Transcript,
) -> Option<Text> {
    let Traits::Client(traits) = traits else {
        return None;
    };
    judge::missed_aim(profile, traits, permitted.first()?, transcript)
}

/// Leaves what concerns a case, and is no graver than the case is.
fn concern(findings: &mut Vec<Finding>, case: &Case) {
    findings.retain(|finding| finding.concerns(case.clause()));
    for finding in findings {
        if case.role() == Role::Client || finding.clause == case.clause() {
            finding.level = finding.level.min(case.level);
        }
    }
}

fn was_given_up(transcript: &Transcript) -> bool {
    transcript.entries.iter().any(|entry| {
        matches!(
            entry.seen,
            Seen::GaveUp(..) | Seen::Flooded | Seen::Refused(_) | Seen::NotBegun(_)
        )
    })
}

impl Judged for Attempt {
    fn verdict(&self) -> Verdict {
        match self.findings.first().map(|finding| finding.level) {
            Some(Level::Must) => Verdict::Fail,
            Some(Level::Should) => Verdict::Warn,
            Some(Level::May) | None if self.inconclusive.is_some() => Verdict::Skip,
            Some(Level::May) | None if self.is_unexplained => Verdict::Error,
            Some(Level::May) | None => Verdict::Pass,
        }
    }

    fn is_late(&self) -> bool {
        self.is_late
    }

    fn peer_is_gone(&self) -> bool {
        matches!(self.transcript.canary, Canary::Dead(_) | Canary::Mute(_))
    }

    fn is_certain(&self) -> bool {
        self.is_certain
    }

    fn elapsed(&self) -> Duration {
        self.elapsed
    }

    fn findings(&self) -> Vec<FindingNote> {
        self.findings.iter().map(noted).collect()
    }

    fn without_findings(&self) -> Text {
        match &self.inconclusive {
            Some(why) => why.clone(),
            None if self.is_unexplained => unexplained(),
            None => Text::default(),
        }
    }

    fn evidence(&self) -> Evidence {
        let stderr = self.stderr.clone();
        let condensed = self.condensed.clone().unwrap_or_else(|| {
            let (script, permitted) = (&self.script, &self.permitted);
            evidence(&self.profile, script, permitted, &self.transcript)
        });
        Evidence {
            stderr,
            ..condensed
        }
    }
}

fn noted(finding: &Finding) -> FindingNote {
    FindingNote {
        clause: finding.clause.to_string(),
        level: finding.level,
        what: finding.what.clone(),
        conn: ConnName(finding.conn).to_string(),
        frame: finding.frame,
    }
}
