//! Writing to the standard output, also when it is a pipe whose other end has gone.

use super::exit::Failure;
use std::fmt;
use std::io::Write as _;

/// Writes one line, styled only where the output is a terminal, and sends it on its way at once.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
