//! What is told of a campaign: to people, to programs, and on standard error where it stands.

use super::super::exit::Failure;
use super::super::out;
use super::super::reporting::unwritten;
use super::SavedFile;
use super::events::Events;
use super::written::{Form, Sheet, Written};
use crate::campaign::{Ended, Found, Plan, Status};
use crate::event::{Attempts, Calibration, FindingNote};
use crate::report::Outputs;
use crate::report::escape::Line;
use crate::report::json;
use crate::run::Options;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

/// Name and version of the serialised form.
const SCHEMA: &str = "framespec-fuzz/1";

/// How often is told where it stands, where standard error is no terminal.
const EACH: Duration = Duration::from_secs(1);

/// Tells of a campaign.
pub(super) struct Teller {
    sheets: Vec<Sheet>,
    /// Reports that have the form of those of a run.
    reports: Outputs,
    events: Events,
    target: String,
    seed: u64,
    bar: Option<ProgressBar>,
    last: Option<Instant>,
    found: Vec<FoundText>,
    /// What could not be written to first, and why.
    failed: Option<Failure>,
}

/// A finding in its serialised form.
#[derive(Debug, Serialize)]
struct FoundText {
    clause: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    number: u64,
    attempts: Attempts,
    findings: Vec<FindingNote>,
    script: String,
}

/// A line of the form `jsonl`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum LineText<'a> {
    Started {
        schema: &'static str,
        version: &'static str,
        target: &'a str,
        seed: u64,
        calibration: &'a Calibration,
    },
    Watched {
        how: Option<&'a str>,
        why_not: Option<&'a str>,
    },
    Found(&'a FoundText),
    Finished {
        status: Status,
        gone: Option<&'a str>,
    },
}

/// The form `json`.
#[derive(Serialize)]
struct Whole<'a> {
    schema: &'static str,
    version: &'static str,
    target: &'a str,
    seed: u64,
    found: &'a [FoundText],
    status: Option<Status>,
    gone: Option<&'a str>,
}

impl Teller {
    /// Tells of a campaign with these options in what was opened for it.
    pub(super) fn new(written: Written, options: &Options, plan: &Plan) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        Self {
            sheets: written.sheets,
            reports: written.reports,
            events: Events::new(options, plan),
            target: options.target.to_string(),
            seed: plan.seed,
            bar: is_watched.then(bar),
            last: None,
            found: Vec::new(),
            failed: None,
        }
    }

    /// The server was looked at.
    pub(super) fn met(&mut self, calibration: &Calibration) {
        let (target, seed) = (self.target.clone(), self.seed);
        self.people(&format!("fuzzing {}, seed {seed}", Line(&target)));
        self.programs(&LineText::Started {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            target: &target,
            seed,
            calibration,
        });
        let begun = self.events.begun(calibration);
        begun
            .into_iter()
            .for_each(|event| self.reports.event(event));
    }

    /// Whether the server's own code is watched.
    pub(super) fn watched(&mut self, how: &Result<String, String>) {
        match how {
            Ok(how) => self.people(&format!("coverage of the server steers: {}", Line(how))),
            Err(why) => self.people(&format!("coverage steers nothing: {}", Line(why))),
        }
        self.programs(&LineText::Watched {
            how: how.as_ref().ok().map(String::as_str),
            why_not: how.as_ref().err().map(String::as_str),
        });
    }

    /// Where it stands, on standard error: at once on a terminal, once a second elsewhere.
    pub(super) fn status(&mut self, status: &Status) {
        if let Some(bar) = &self.bar {
            return bar.set_message(standing(status));
        }
        if self.last.is_none_or(|last| last.elapsed() >= EACH) {
            self.last = Some(Instant::now());
            out::note(standing(status));
        }
    }

    /// Something was found, and saved unless that failed: then the script is told here.
    pub(super) fn found(&mut self, found: &Found, saved: Option<&SavedFile>) {
        let clause = found.findings.first().map(|first| first.clause.clone());
        let text = FoundText {
            clause: clause.unwrap_or_default(),
            file: saved.map(|saved| saved.path.display().to_string()),
            number: found.number,
            attempts: found.attempts,
            findings: found.findings.clone(),
            script: found.script.to_string(),
        };
        self.people(&told(&text));
        self.programs(&LineText::Found(&text));
        self.reports.event(self.events.found(found, saved));
        self.found.push(text);
    }

    /// Tells the sum of it.
    pub(super) fn finish(mut self, ended: Option<&Ended>) -> Result<(), Failure> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let status = ended.map(|ended| ended.status);
        let gone = ended.and_then(|ended| ended.gone.as_deref());
        if let Some(status) = status {
            self.people(&standing(&status));
            gone.inspect(|gone| self.people(gone));
            self.programs(&LineText::Finished { status, gone });
        }
        self.whole(status, gone);
        let ending = self.events.ended(ended);
        ending
            .into_iter()
            .for_each(|event| self.reports.event(event));
        let closing = self.reports.finish();
        let unwritten = closing.failed.first().map(unwritten);
        self.failed.or(unwritten).map_or(Ok(()), Err)
    }

    fn people(&mut self, text: &str) {
        self.line(Form::Human, text);
    }

    fn programs(&mut self, event: &LineText<'_>) {
        self.serialised(
            Form::Jsonl,
            serde_json::to_string(event).map_err(io::Error::from),
        );
    }

    fn whole(&mut self, status: Option<Status>, gone: Option<&str>) {
        let whole = Whole {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            target: &self.target,
            seed: self.seed,
            found: &self.found,
            status,
            gone,
        };
        let mut text = Vec::new();
        let written = json::write_value(&whole, &mut text);
        let text = String::from_utf8_lossy(&text).trim_end().to_owned();
        self.serialised(Form::Json, written.map(|()| text));
    }

    fn serialised(&mut self, form: Form, text: io::Result<String>) {
        match text {
            Ok(text) => self.line(form, &text),
            Err(error) => {
                let why = Failure::could_not(format!("cannot write the output: {error}"));
                self.failed.get_or_insert(why);
            }
        }
    }

    /// Writes a line wherever that form is wanted.
    fn line(&mut self, form: Form, text: &str) {
        for sheet in self.sheets.iter_mut().filter(|sheet| sheet.form == form) {
            let written = match &self.bar {
                Some(bar) => bar.suspend(|| sheet.line(text)),
                None => sheet.line(text),
            };
            if let Err(failure) = written {
                self.failed.get_or_insert(failure);
            }
        }
    }
}

/// A finding as people are told of it: with its script, if that could not be saved.
fn told(text: &FoundText) -> String {
    let first = text.findings.first();
    let what = first.map_or("", |first| first.what.as_str());
    let Attempts { failed, of } = text.attempts;
    let where_it_is = match &text.file {
        Some(file) => format!("         {}", Line(file)),
        None => text.script.clone(),
    };
    format!(
        "FOUND    {}  {} ({failed} of {of} times)\n{where_it_is}",
        text.clause,
        Line(what)
    )
}
/// Where a campaign stands, in one line.
fn standing(status: &Status) -> String {
    let Status {
        scripts,
        asking,
        pool,
        findings,
        refuted,
        seconds,
        last_new,
        why_nothing_new,
        edges,
        ..
    } = *status;
    let edges = edges.map_or_else(String::new, |edges| format!("{edges} edges, "));
    let rate = scripts as f64 / seconds.max(0.001);
    let share = asking
        .saturating_mul(100)
        .checked_div(scripts)
        .unwrap_or_default();
    let refuted = match refuted {
        0 => String::new(),
        refuted => format!(", {refuted} not confirmed"),
    };
    let why = why_nothing_new.map_or_else(String::new, |why| format!("; {why}"));
    format!(
        "{scripts} scripts in {seconds:.1} s ({rate:.0}/s), {share} % ask something, {edges}{pool} kept, \
         something new {last_new:.0} s ago; {findings} found{refuted}{why}"
    )
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(250));
    match ProgressStyle::with_template("{spinner} {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
