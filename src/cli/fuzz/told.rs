//! What is told of a campaign: to people, to programs, and on standard error where it stands.

use super::super::exit::Failure;
use super::super::out;
use crate::campaign::{Ended, Found, Plan, Status};
use crate::event::{Attempts, Calibration, FindingNote};
use crate::report::escape::Line;
use crate::report::json;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Name and version of the serialised form.
const SCHEMA: &str = "framespec-fuzz/1";

/// How often is told where it stands, where standard error is no terminal.
const EACH: Duration = Duration::from_secs(1);

/// The form of what is written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// A line for each finding, and the sum of it
    Human,
    /// One JSON text at the end
    Json,
    /// A JSON text on a line for the beginning, each finding, and the end
    Jsonl,
}

/// Tells of a campaign.
pub(super) struct Teller {
    form: Form,
    target: String,
    seed: u64,
    bar: Option<ProgressBar>,
    last: Option<Instant>,
    found: Vec<FoundText>,
    /// Why standard output could not be written to.
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
    pub(super) fn new(form: Form, target: &str, plan: &Plan) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        Self {
            form,
            target: target.to_owned(),
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
        match self.form {
            Form::Human => self.line(format_args!("fuzzing {}, seed {seed}", Line(&target))),
            Form::Jsonl => self.event(&LineText::Started {
                schema: SCHEMA,
                version: env!("CARGO_PKG_VERSION"),
                target: &target,
                seed,
                calibration,
            }),
            Form::Json => {}
        }
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
    pub(super) fn found(&mut self, found: &Found, path: Option<&Path>) {
        let clause = found.findings.first().map(|first| first.clause.clone());
        let text = FoundText {
            clause: clause.unwrap_or_default(),
            file: path.map(|path| path.display().to_string()),
            number: found.number,
            attempts: found.attempts,
            findings: found.findings.clone(),
            script: found.script.to_string(),
        };
        match self.form {
            Form::Human => self.tell_people(&text),
            Form::Jsonl => self.event(&LineText::Found(&text)),
            Form::Json => {}
        }
        self.found.push(text);
    }

    fn tell_people(&mut self, text: &FoundText) {
        let what = text
            .findings
            .first()
            .map_or("", |first| first.what.as_str());
        let Attempts { failed, of } = text.attempts;
        let told = format!(
            "FOUND    {}  {} ({failed} of {of} times)",
            text.clause,
            Line(what)
        );
        self.line(told);
        match &text.file {
            Some(file) => self.line(format_args!("         {}", Line(file))),
            None => self.line(&text.script),
        }
    }

    /// Tells the sum of it.
    pub(super) fn finish(mut self, ended: Option<&Ended>) -> Result<(), Failure> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let status = ended.map(|ended| ended.status);
        let gone = ended.and_then(|ended| ended.gone.as_deref());
        match (self.form, status) {
            (Form::Human, Some(status)) => {
                self.line(standing(&status));
                if let Some(gone) = gone {
                    self.line(gone);
                }
            }
            (Form::Jsonl, Some(status)) => self.event(&LineText::Finished { status, gone }),
            (Form::Json, _) => self.whole(status, gone)?,
            (_, None) => {}
        }
        self.failed.map_or(Ok(()), Err)
    }

    fn whole(&self, status: Option<Status>, gone: Option<&str>) -> Result<(), Failure> {
        let whole = Whole {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            target: &self.target,
            seed: self.seed,
            found: &self.found,
            status,
            gone,
        };
        let mut out = anstream::stdout().lock();
        json::write_value(&whole, &mut out)?;
        Ok(out.flush()?)
    }

    fn event(&mut self, event: &LineText<'_>) {
        match serde_json::to_string(event) {
            Ok(text) => self.line(text),
            Err(error) => {
                let why = Failure::could_not(format!("cannot write the output: {error}"));
                self.failed.get_or_insert(why);
            }
        }
    }

    fn line(&mut self, text: impl std::fmt::Display) {
        let written = match &self.bar {
            Some(bar) => bar.suspend(|| out::line(text)),
            None => out::line(text),
        };
        if let Err(failure) = written {
            self.failed.get_or_insert(failure);
        }
    }
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
        ..
    } = *status;
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
        "{scripts} scripts in {seconds:.1} s ({rate:.0}/s), {share} % ask something, {pool} kept, \
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
