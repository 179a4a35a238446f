//! JSON Lines: every event on a line of its own, as soon as it happens.

use super::{Reporter, json};
use crate::event::{Event, Run};
use std::io::{self, Write};

/// Writes and flushes each event as it comes.
#[derive(Debug)]
pub struct Lines<W> {
    out: W,
}

impl<W: Write> Lines<W> {
    /// Writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Reporter for Lines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        json::write_line(event, &mut self.out)?;
        self.out.flush()
    }

    fn finish(&mut self, _: &Run) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the events of a run that is over, with the cases in the order of the table.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    json::write_line(&Event::Started(run.started.clone()), out)?;
    if let Some(found) = &run.calibration {
        json::write_line(&Event::Calibrated(found.clone()), out)?;
    }
    for result in &run.results {
        let id = result.id.clone();
        json::write_line(&Event::CaseStarted { id }, out)?;
        json::write_line(&Event::CaseFinished(Box::new(result.clone())), out)?;
    }
    json::write_line(&Event::Diagnosed(run.diagnosis.clone()), out)?;
    json::write_line(&Event::Finished(run.finished.clone()), out)
}
