//! What came of a check.

use crate::event::{Calibration, CaseResult, Conclusion, FindingNote, Run, Summary};
use crate::report::{Destination, Format, Look};
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

/// What came of a check. As text it is the report for people, without colours.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it may have failed: see `assert_pass`"]
pub struct Checked {
    run: Run,
}

impl Checked {
    pub(super) const fn new(run: Run) -> Self {
        Self { run }
    }

    /// Panics unless it [passed](Self::passed); what it says then is the report for people: each failure
    /// with what was sent, what came, and what should have come.
    ///
    /// # Panics
    /// Unless it passed.
    #[track_caller]
    pub fn assert_pass(&self) {
        assert!(self.passed(), "{self}");
    }

    /// Whether it passed: by the same rule the program ends with code 0.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.conclusion() == Conclusion::Passed
    }

    /// What it comes to: whether it passed, failed, or says too little for either.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        self.run.conclusion()
    }

    /// The cases that keep it from passing.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.run.failures()
    }

    /// What was found in those cases.
    pub fn findings(&self) -> impl Iterator<Item = &FindingNote> {
        self.failures().flat_map(|result| &result.findings)
    }

    /// All cases that were selected, in the order of the table.
    #[must_use]
    pub fn results(&self) -> &[CaseResult] {
        &self.run.results
    }

    /// Verdicts counted.
    #[must_use]
    pub const fn summary(&self) -> Summary {
        self.run.finished.summary
    }

    /// What the first look found out; `None` if there was none to be had.
    #[must_use]
    pub const fn calibration(&self) -> Option<&Calibration> {
        self.run.calibration.as_ref()
    }

    /// All of it, as plain data.
    #[must_use]
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_run(self) -> Run {
        self.run
    }

    /// Writes a report of it.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        // Who reads what a test says cannot ask for more of it.
        let look = Look {
            verbose: true,
            ..Look::default()
        };
        format.write(&self.run, look, out)
    }

    /// Writes a report of it to a file, which is replaced when all of it has been written.
    ///
    /// # Errors
    /// If the file cannot be written; it is then as it was.
    pub fn save(&self, format: Format, file: impl Into<PathBuf>) -> io::Result<()> {
        Destination::File(file.into()).write(|out| self.write(format, out))
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(Format::Human, &mut text)
            .map_err(|_| fmt::Error)?;
        f.write_str(&String::from_utf8_lossy(&text))
    }
}
