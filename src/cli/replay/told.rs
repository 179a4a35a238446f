//! What became of the files of a replay, for people and for programs.

use super::super::exit::Failure;
use super::super::out;
use crate::cases::Case;
use crate::event::{Attempts, CaseResult, Evidence, FindingNote, Summary, Verdict};
use crate::fuzz;
use crate::lang::{Text, say};
use crate::outcome::{Attempt, Judged as _, Series};
use crate::profile::Profile;
use crate::report::escape::Line;
use crate::report::{self, Look, human, json, terminal};
use crate::spec::{CaseId, Level};
use serde::Serialize;
use std::io::Write as _;
use std::time::Instant;

/// Name and version of the serialised form.
const SCHEMA: &str = "framespec-replay/1";

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FileResult {
    pub(crate) file: String,
    /// The wire format in which it was played.
    profile: String,
    /// The case that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<CaseId>,
    pub(crate) verdict: Verdict,
    /// What was found first, or why it was not played; else nothing.
    detail: Text,
    attempts: Attempts,
    pub(crate) elapsed_ms: u64,
    findings: Vec<FindingNote>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<Evidence>,
    #[serde(skip)]
    is_unreadable: bool,
}

impl FileResult {
    fn new(file: String, verdict: Verdict, detail: Text) -> Self {
        Self {
            file,
            profile: String::new(),
            case: None,
            verdict,
            detail,
            attempts: Attempts::default(),
            elapsed_ms: 0,
            findings: Vec::new(),
            evidence: None,
            is_unreadable: false,
        }
    }

    /// It is no script.
    pub(crate) fn unreadable(file: String, why: Text) -> Self {
        Self {
            is_unreadable: true,
            ..Self::new(file, Verdict::Error, why)
        }
    }

    /// It could not be played here.
    pub(crate) fn skipped(file: String, profile: &Profile, why: Text) -> Self {
        Self {
            profile: profile.name().to_owned(),
            ..Self::new(file, Verdict::Skip, why)
        }
    }

    /// It is nothing that could be played.
    pub(crate) fn not_played(file: String, why: Text) -> Self {
        Self::new(file, Verdict::Skip, why)
    }

    /// It was fed to the fuzz targets, of which one may have found something wrong.
    pub(crate) fn fed(file: String, fault: Option<&fuzz::Fault>) -> Self {
        let failed = u32::from(fault.is_some());
        let (verdict, detail) = match fault {
            None => (Verdict::Pass, Text::default()),
            Some(fault) => (Verdict::Fail, fault.to_string().into()),
        };
        Self {
            attempts: Attempts { failed, of: 1 },
            ..Self::new(file, verdict, detail)
        }
    }

    /// As a result that every report tells of; `folder` is what files are grouped by.
    pub(crate) fn into_case(self, folder: &str) -> CaseResult {
        let Attempts { failed, of } = self.attempts;
        let mut detail = self.detail;
        if failed > 0 && of > 1 {
            detail = say!("{what} ({failed} of {of} times)", what = detail, failed, of);
        }
        let first = self.findings.first();
        let level = first.map_or(Level::Must, |first| first.level);
        CaseResult {
            detail,
            elapsed_ms: self.elapsed_ms,
            attempts: self.attempts,
            findings: self.findings,
            evidence: self.evidence,
            ..CaseResult::bare(self.file, folder, level, self.verdict)
        }
    }

    /// It was played so often.
    pub(crate) fn played(
        file: String,
        profile: &Profile,
        case: Option<&'static Case>,
        played: &Series<Attempt>,
    ) -> Self {
        let (findings, verdict) = (played.shown().findings(), played.verdict());
        let detail = match (verdict, findings.first()) {
            (Verdict::Pass, _) => Text::default(),
            (_, Some(first)) => say!("{clause}: {what}", clause = first.clause, what = first.what),
            (_, None) => played.shown().without_findings(),
        };
        Self {
            profile: profile.name().to_owned(),
            case: case.map(|case| case.id),
            attempts: played.attempts(),
            findings,
            ..Self::new(file, verdict, detail)
        }
    }
}

/// The whole of a replay.
#[derive(Serialize)]
struct Whole<'a> {
    schema: &'static str,
    version: &'static str,
    target: &'a str,
    files: &'a [FileResult],
    summary: Summary,
}

/// Tells of each file, at once or at the end.
pub(crate) struct ReplaySink {
    /// Kept for the end; `None` if each is told at once.
    kept: Option<Vec<FileResult>>,
    trace: bool,
    target: String,
    look: Look,
    summary: Summary,
    /// Files that are no scripts.
    pub(crate) unreadable: usize,
    begun: Instant,
}

impl ReplaySink {
    pub(crate) fn new(as_json: bool, trace: bool, target: &str) -> Self {
        Self {
            kept: as_json.then(Vec::new),
            trace,
            target: target.to_owned(),
            look: terminal::look(),
            summary: Summary::default(),
            unreadable: 0,
            begun: Instant::now(),
        }
    }

    pub(crate) fn tell(&mut self, result: FileResult) -> Result<(), Failure> {
        self.summary.count(result.verdict);
        self.unreadable = self
            .unreadable
            .saturating_add(usize::from(result.is_unreadable));
        match &mut self.kept {
            Some(kept) => kept.push(result),
            None => self.line(&result)?,
        }
        Ok(())
    }

    fn line(&self, result: &FileResult) -> Result<(), Failure> {
        let word = match result.verdict {
            Verdict::Fail => say!("FAIL"),
            Verdict::Error => say!("ERROR"),
            other => report::word(other),
        };
        let ink = self.look.verdict(result.verdict);
        let mut text = format!("{ink}{word:<8}{ink:#} {}", Line(&result.file));
        if !result.detail.is_empty() {
            text.push_str(&format!("  {}", Line(&result.detail.shown())));
        }
        let Attempts { failed, of } = result.attempts;
        if of > 1 {
            let times = say!("({failed} of {of} times)", failed, of);
            text.push_str(&format!(" {times}"));
        }
        out::line(text)?;
        if let Some(evidence) = result.evidence.as_ref().filter(|_| self.trace) {
            let mut out = anstream::stdout().lock();
            human::exchange(evidence, self.look, &mut out)?;
            out.flush()?;
        }
        Ok(())
    }

    /// Tells the sum of it.
    pub(crate) fn finish(&mut self) -> Result<Summary, Failure> {
        let elapsed = self.begun.elapsed();
        self.summary.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        match &self.kept {
            Some(files) => {
                let whole = Whole {
                    schema: SCHEMA,
                    version: env!("CARGO_PKG_VERSION"),
                    target: &self.target,
                    files,
                    summary: self.summary,
                };
                let mut out = anstream::stdout().lock();
                json::write_value(&whole, &mut out)?;
                out.flush()?;
            }
            None => {
                let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
                    let count = self.summary.of(verdict);
                    (count > 0).then(|| report::so_many(count, verdict).to_string())
                });
                let counts = counts.collect::<Vec<_>>().join(", ");
                let seconds = format!("{:.1}", elapsed.as_secs_f64());
                out::line(say!("{counts}, in {seconds} s", counts, seconds))?;
            }
        }
        Ok(self.summary)
    }
}
