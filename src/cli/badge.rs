//! `conformance badge`: what a saved run came to, as a picture for a page.

use super::exit::{Exit, Failure};
use super::saved_run;
use crate::report::badge;
use std::path::PathBuf;

/// Draw a badge from a saved run: conforming, how many causes, or not carried out
#[derive(Debug, clap::Args)]
pub(crate) struct BadgeArgs {
    /// A report that `check --format json` wrote
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
    /// Where to write the SVG, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BadgeArgs {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let run = saved_run::read(&self.report)?;
        saved_run::write(self.output.as_deref(), |out| badge::write(&run, out))?;
        Ok(Exit::Ok)
    }
}
