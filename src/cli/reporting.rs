//! What is written of a run and where, and what is known beforehand to fail.

use super::exit::{Exit, Failure};
use super::opening::{OpenArgs, Shown};
use super::out;
use crate::event::{Conclusion, Stale};
use crate::expect::Expectations;
use crate::lang::{Hole, Text, say};
use crate::outcome::Keep;
use crate::report::escape::Line;
use crate::report::terminal::{self, Progress};
use crate::report::{Closing, Destination, Format, Look, Output, OutputError, Outputs, Reporter};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What is told of a run of cases.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) written: WrittenArgs,
    /// Show failures one by one that a cause explains, too
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    pub(crate) shown: OpenArgs,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
}

/// What is written, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct WrittenArgs {
    /// What to write, as FORMAT=FILE into a file; may be repeated
    ///
    /// There are human, json, jsonl, junit, sarif, tap, markdown, html and pcapng.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    format: Vec<Output>,
    /// Where the one report that has no file goes, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write what was exchanged as a capture that Wireshark opens; keeps it for passing cases too
    #[arg(long, value_name = "FILE")]
    pub(crate) pcapng: Option<PathBuf>,
    /// Show what was exchanged in passing cases and known failures too
    #[arg(long)]
    trace: bool,
}

/// What is known to fail.
#[derive(Debug, clap::Args)]
pub(crate) struct KnownArgs {
    /// Known failures, each with a reason: they do not count, and one that passes does
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// Write what failed as a file for --expect
    #[arg(long, value_name = "FILE")]
    pub(crate) write_expect: Option<PathBuf>,
}

/// What tells people of a run as it goes on, where it is written to.
pub(crate) type Telling<'a> = &'a dyn Fn(Look, Box<dyn Write + Send>) -> Box<dyn Reporter + Send>;

impl ReportArgs {
    /// The files that are written.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let reports = self.written.outputs().unwrap_or_default().into_iter();
        let files = reports.filter_map(|report| match report.destination {
            Destination::File(path) => Some(path),
            Destination::Stdout => None,
        });
        files.chain(self.known.write_expect.clone())
    }

    pub(crate) fn keep(&self) -> Keep {
        match self.written.keeps_all() {
            true => Keep::Everything,
            false => Keep::OfFindings,
        }
    }

    /// Opens every report, and tells the page of the run if there is to be one.
    pub(crate) fn open(&self, shown: &Shown) -> Result<Outputs, Failure> {
        let look = self.written.look();
        let look = Look {
            verbose: self.verbose || look.whole,
            ..look
        };
        self.known.probe()?;
        let mut outputs = Outputs::open(&self.written.outputs()?, look).map_err(unopened)?;
        outputs.add(Box::new(Progress::default()));
        if let Some(page) = shown.page()? {
            outputs.add(page.reporter());
        }
        Ok(outputs)
    }

    /// What is known to fail: nothing, unless a file says so.
    pub(crate) fn expectations(&self, is_strict: bool) -> Result<Expectations, Failure> {
        self.known.expectations(is_strict)
    }

    /// What a run that was not interrupted comes to, once every report has been written. `is_case` tells
    /// whether a case of that name exists.
    pub(crate) fn end(
        &self,
        closing: &Closing,
        expectations: &Expectations,
        is_case: impl Fn(&str) -> bool,
    ) -> Result<Exit, Failure> {
        self.written.end(closing)?;
        let conclusion = self.known.end(closing, expectations, is_case)?;
        Ok(conclusion.into())
    }
}

impl WrittenArgs {
    /// Whether what was exchanged is kept of what passes, too.
    pub(crate) const fn keeps_all(&self) -> bool {
        self.trace || self.pcapng.is_some()
    }

    fn look(&self) -> Look {
        Look {
            whole: self.trace,
            ..terminal::look()
        }
    }

    fn outputs(&self) -> Result<Vec<Output>, Failure> {
        let mut outputs = self.format.clone();
        if outputs.is_empty() {
            outputs.push(Output {
                format: Format::Human,
                destination: Destination::Stdout,
            });
        }
        if let Some(path) = &self.output {
            let mut free = outputs
                .iter_mut()
                .filter(|o| o.destination == Destination::Stdout);
            match (free.next(), free.next()) {
                (Some(output), None) => output.destination = Destination::File(path.clone()),
                (None, _) => {
                    return Err(
                        Failure::usage(say!("--output: every report has a file already"))
                            .hint(say!("leave it out, or one of the files")),
                    );
                }
                _ => {
                    return Err(Failure::usage(say!("--output is for one report"))
                        .hint(say!("--format json=FILE --format html=FILE, one for each")));
                }
            }
        }
        let capture = self.pcapng.clone().map(Destination::File);
        outputs.extend(capture.map(|destination| Output {
            format: Format::Pcapng,
            destination,
        }));
        Ok(outputs)
    }

    /// Opens every report; people are told in a way of its own.
    pub(crate) fn open(&self, people: Telling<'_>) -> Result<Outputs, Failure> {
        let outputs = self.outputs()?;
        Outputs::distinct(&outputs).map_err(unopened)?;
        let outputs = outputs.into_iter();
        let (human, others): (Vec<_>, Vec<_>) =
            outputs.partition(|output| output.format == Format::Human);
        let look = self.look();
        let mut opened = Outputs::open(&others, look).map_err(unopened)?;
        for Output { destination, .. } in human {
            opened.add(match destination {
                Destination::Stdout => people(look, Box::new(io::stdout())),
                Destination::File(path) => people(look.of_file(), Box::new(created(&path)?)),
            });
        }
        Ok(opened)
    }

    /// Fails if a report could not be written, and tells what no longer holds where nobody reads it in a report.
    pub(crate) fn end(&self, closing: &Closing) -> Result<(), Failure> {
        if let Some(error) = closing.failed.first() {
            return Err(unwritten(error));
        }
        if !self.is_read() {
            for Stale { case, problem, .. } in &closing.run.finished.stale {
                out::note(format_args!("{}: {} {problem}", say!("stale"), Line(case)));
            }
        }
        Ok(())
    }

    /// Whether somebody reads on standard output what became of the run.
    fn is_read(&self) -> bool {
        let outputs = self.outputs().unwrap_or_default();
        outputs.iter().any(|output| {
            output.format == Format::Human && output.destination == Destination::Stdout
        })
    }
}

impl KnownArgs {
    /// Makes sure that what failed can be written down, before anything is played.
    pub(crate) fn probe(&self) -> Result<(), Failure> {
        let Some(path) = &self.write_expect else {
            return Ok(());
        };
        probe(path).map_err(|error| {
            let what = say!(
                "--write-expect {path}: cannot write it: {error}",
                path = path.display().to_string(),
                error
            );
            Failure::usage(what).hint(writable())
        })
    }

    /// What is known to fail: nothing, unless a file says so.
    pub(crate) fn expectations(&self, is_strict: bool) -> Result<Expectations, Failure> {
        let expectations = match &self.expect {
            None => Expectations::default(),
            Some(path) => known(path)?,
        };
        Ok(expectations.strict(is_strict))
    }

    /// What a run comes to. One that is written down as what is known passes, if it was whole.
    pub(crate) fn end(
        &self,
        closing: &Closing,
        expectations: &Expectations,
        is_case: impl Fn(&str) -> bool,
    ) -> Result<Conclusion, Failure> {
        let run = &closing.run;
        let Some(path) = &self.write_expect else {
            return Ok(run.conclusion());
        };
        written(path, &expectations.updated(run, is_case))?;
        match &run.finished.broken_off {
            None => Ok(Conclusion::Passed),
            Some(_) => Err(Failure::could_not(say!(
                "{path} tells only of what was played before the run was broken off",
                path = path.display().to_string()
            ))),
        }
    }
}

/// A file that is written from its beginning, as things happen.
pub(super) fn created(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|error| {
        let what = say!(
            "cannot write the report to {path}: {error}",
            path = path.display().to_string(),
            error
        );
        Failure::usage(what).hint(writable())
    })
}

/// What a file says is known to fail.
fn known(path: &Path) -> Result<Expectations, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let what = say!(
            "--expect {path}: cannot read it: {error}",
            path = path.display().to_string(),
            error
        );
        Failure::usage(what).hint(match error.kind() {
            ErrorKind::NotFound => say!("--write-expect FILE, to have such a file written"),
            _ => say!("name a file such as --write-expect FILE writes"),
        })
    })?;
    Expectations::parse(&text).map_err(|error| {
        Failure::usage(say!(
            "--expect {path}: {error}",
            path = path.display().to_string(),
            error = Text::from(error.to_string()).heard()
        ))
    })
}

/// What to try if something cannot be written.
fn writable() -> Text {
    say!("name a file in a folder that is there and can be written")
}

/// Whether a file can be written; it is left as it is.
fn probe(path: &Path) -> io::Result<()> {
    let is_there = path.exists();
    OpenOptions::new().append(true).create(true).open(path)?;
    if is_there {
        return Ok(());
    }
    fs::remove_file(path)
}

/// Reports that cannot be written, before anything is played.
pub(super) fn unopened(error: OutputError) -> Failure {
    let hint = match error {
        OutputError::Twice(_) => say!("--format FORMAT=FILE, another file for each but one"),
        OutputError::Unwritable { .. } => writable(),
    };
    Failure::usage(error.text()).hint(hint)
}

/// A report that could not be written. If whoever read it has seen enough, there is nothing to say.
pub(crate) fn unwritten(error: &OutputError) -> Failure {
    match error {
        OutputError::Unwritable { error, .. } if error.kind() == ErrorKind::BrokenPipe => {
            Failure::could_not("")
        }
        error => Failure::could_not(error.text()),
    }
}

fn written(path: &Path, text: &str) -> Result<(), Failure> {
    let destination = Destination::File(path.to_owned());
    let written = destination.write(|out| out.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::could_not(say!(
            "cannot write {path}: {error}",
            path = path.display().to_string(),
            error
        ))
    })
}
