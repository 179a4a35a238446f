//! Writing to the standard streams, also when they are pipes whose other end has gone.

use super::exit::Failure;
use crate::lang::Text;
use std::fmt;
use std::io::Write as _;

/// Writes one line, styled only where the output is a terminal, and sends it on its way at once.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// Tells the user something beside the results, on stderr, in the reader's language.
pub(crate) fn note(text: impl fmt::Display) {
    // Nobody can be told if even this fails.
    let text = Text::from(text.to_string()).heard();
    let _ = writeln!(anstream::stderr(), "{text}");
}
