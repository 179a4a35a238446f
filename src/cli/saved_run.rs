//! Saved JSON reports, which `compare` and `badge` read, and where to write what is made of them.

use super::exit::Failure;
use super::text_file;
use crate::event::{Event, Run};
use crate::lang::{Text, say};
use crate::report::{Destination, SavedRunError, read_run};
use std::io::{self, Write};
use std::path::Path;

/// The largest report that is read, in octets.
const MAX_REPORT: u64 = 1 << 30;

/// The run that a report tells of.
pub(crate) fn read(path: &Path) -> Result<Run, Failure> {
    let text = text_file::read(path, MAX_REPORT)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    read_run(&text).map_err(|error| {
        let hint = match &error {
            SavedRunError::Malformed(error) if error.is_eof() && !text.trim().is_empty() => {
                "the file is cut short: have it written again, or leave it out"
            }
            SavedRunError::Malformed(_) if is_lines(&text) => {
                "--format json instead of jsonl, where the report is written"
            }
            _ => "conformance check TARGET --format json, to make such a report",
        };
        let (path, why) = (path.display().to_string(), Text::from(error.to_string()));
        Failure::usage(say!("{path} {why}", path, why = why.heard())).hint(hint)
    })
}

/// Whether a text is a report in JSON Lines.
fn is_lines(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<Event>(first).is_ok()
}

/// Writes something to a file as a whole, or to the standard output.
pub(crate) fn write(
    path: Option<&Path>,
    written: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(Destination::Stdout.write(written)?);
    };
    Destination::File(path.to_owned())
        .write(written)
        .map_err(|error| Failure::could_not(format!("cannot write {}: {error}", path.display())))
}
