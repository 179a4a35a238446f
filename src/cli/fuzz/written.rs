//! What is written of a campaign, and where.

use super::super::exit::Failure;
use super::super::out;
use super::super::reporting::{created, unopened};
use crate::report::{Destination, Format, Look, Output, Outputs};
use std::fs::File;
use std::io::{BufWriter, Write as _};

/// The forms that a campaign has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line for each finding, and the sum of it.
    Human,
    /// One JSON text at the end.
    Json,
    /// A JSON text on a line for the beginning, each finding, and the end.
    Jsonl,
}

/// Everything that is written of a campaign, opened.
pub(super) struct Written {
    pub(super) sheets: Vec<Sheet>,
    /// Reports that have the form of those of a run.
    pub(super) reports: Outputs,
}

/// Where one of the forms is written to.
pub(super) struct Sheet {
    pub(super) form: Form,
    /// Nothing is standard output.
    file: Option<BufWriter<File>>,
}

/// One of what `--format` takes.
pub(super) fn output(text: &str) -> Result<Output, String> {
    let output: Output = text.parse().map_err(|_| unknown(text))?;
    match place(output.format) {
        Some(_) => Ok(output),
        None => Err(unknown(text)),
    }
}

fn unknown(text: &str) -> String {
    let format = text.split('=').next().unwrap_or_default();
    format!("no such format of a campaign: {format:?}; there are human, json, jsonl, junit, sarif")
}

/// Who writes it.
enum By {
    Campaign(Form),
    Run,
}

const fn place(format: Format) -> Option<By> {
    match format {
        Format::Human => Some(By::Campaign(Form::Human)),
        Format::Json => Some(By::Campaign(Form::Json)),
        Format::Jsonl => Some(By::Campaign(Form::Jsonl)),
        Format::Junit | Format::Sarif => Some(By::Run),
        // They tell of octets, which a finding has not kept, or of clauses that were checked.
        Format::Tap | Format::Markdown | Format::Html | Format::Pcapng => None,
    }
}

impl Written {
    /// Opens everything, before anything is played. What people read is written if nothing else is asked for.
    pub(super) fn open(outputs: &[Output]) -> Result<Self, Failure> {
        Outputs::distinct(outputs).map_err(unopened)?;
        let (mut sheets, mut reports) = (Vec::new(), Vec::new());
        for output in outputs {
            match place(output.format) {
                Some(By::Campaign(form)) => sheets.push(Sheet::open(form, &output.destination)?),
                _ => reports.push(output.clone()),
            }
        }
        if outputs.is_empty() {
            sheets.push(Sheet::open(Form::Human, &Destination::Stdout)?);
        }
        let reports = Outputs::open(&reports, Look::default()).map_err(unopened)?;
        Ok(Self { sheets, reports })
    }
}

impl Sheet {
    fn open(form: Form, destination: &Destination) -> Result<Self, Failure> {
        let file = match destination {
            Destination::Stdout => None,
            Destination::File(path) => Some(created(path)?),
        };
        Ok(Self { form, file })
    }

    /// Writes a line, and sends it on its way at once.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.file {
            None => out::line(text),
            Some(file) => {
                writeln!(file, "{text}")?;
                Ok(file.flush()?)
            }
        }
    }
}
