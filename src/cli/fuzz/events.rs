//! A campaign as the events of a run: what was found are its cases, so that every report of a run can tell of it.

use super::SavedFile;
use crate::campaign::{Ended, Found, Plan};
use crate::event::{
    Attempts, Calibration, CaseResult, Event, Evidence, Finished, SCHEMA, Started, Summary, Verdict,
};
use crate::lang::{Text, say};
use crate::run::Options;
use crate::spec::Level;
use std::time::Instant;

/// What stands for the campaign where nothing was found: a report without any case says that nothing was tried.
const CAMPAIGN: &str = "campaign";

/// Makes the events.
pub(super) struct Events {
    started: Started,
    summary: Summary,
    begun: Instant,
}

impl Events {
    pub(super) fn new(options: &Options, plan: &Plan) -> Self {
        Self {
            started: Started {
                schema: SCHEMA.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                target: options.target.clone(),
                profile: options.profile.name().to_owned(),
                datagrams: options.profile.carriage().is_datagrams(),
                seed: plan.seed,
                // A warning is a finding only where that is asked for.
                strict: plan.strict,
                ..Started::default()
            },
            summary: Summary::default(),
            begun: Instant::now(),
        }
    }

    /// The server was looked at.
    pub(super) fn begun(&self, calibration: &Calibration) -> [Event; 2] {
        let calibrated = Event::Calibrated(calibration.clone());
        [Event::Started(self.started.clone()), calibrated]
    }

    /// Something was found.
    pub(super) fn found(&mut self, found: &Found, saved: Option<&SavedFile>) -> Event {
        let first = found.findings.first();
        let clause = first.map_or("", |first| first.clause.as_str());
        let level = first.map_or(Level::Must, |first| first.level);
        self.case(CaseResult {
            verdict: match level {
                Level::Must => Verdict::Fail,
                Level::Should | Level::May => Verdict::Warn,
            },
            level,
            detail: first.map_or(Text::default(), |first| first.what.clone()),
            attempts: found.attempts,
            findings: found.findings.clone(),
            rerun: saved.map_or(String::new(), |saved| saved.replay.clone()),
            file: saved.map(|saved| saved.path.display().to_string()),
            evidence: Some(Evidence {
                script: found.script.to_string(),
                ..Evidence::default()
            }),
            ..passed(clause, &format!("script-{}", found.number))
        })
    }

    /// It is over; without an end it was interrupted.
    pub(super) fn ended(&mut self, ended: Option<&Ended>) -> Vec<Event> {
        let mut events = Vec::new();
        let broken_off = match ended {
            None => Some(say!("interrupted")),
            Some(ended) => ended.gone.clone().map(Text::from),
        };
        if let Some(ended) = ended.filter(|_| self.summary == Summary::default()) {
            let detail = say!("{scripts} scripts", scripts = ended.status.scripts);
            events.push(self.case(CaseResult {
                detail,
                ..passed(CAMPAIGN, "scripts")
            }));
        }
        self.summary.elapsed_ms = elapsed(self.begun);
        events.push(Event::Finished(Finished {
            summary: self.summary,
            broken_off,
            ..Finished::default()
        }));
        events
    }

    fn case(&mut self, result: CaseResult) -> Event {
        self.summary.count(result.verdict);
        let elapsed_ms = elapsed(self.begun);
        Event::CaseFinished(Box::new(CaseResult {
            elapsed_ms,
            ..result
        }))
    }
}

fn elapsed(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn passed(clause: &str, name: &str) -> CaseResult {
    CaseResult {
        attempts: Attempts { failed: 0, of: 1 },
        ..CaseResult::bare(
            format!("{clause}/{name}"),
            clause,
            Level::Must,
            Verdict::Pass,
        )
    }
}
