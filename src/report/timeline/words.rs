//! Moments, amounts and times in words.

use super::Stretch;
use crate::event::{Side, What};
use crate::lang::{Text, say};

/// What is said of a moment that is not octets; notes are to be escaped.
pub(in crate::report) fn words(what: &What) -> Text {
    match what {
        What::Connected => say!("connected"),
        What::Sent { .. } => say!("sent"),
        What::Received { .. } => say!("received"),
        What::ClientFin => say!("the client ends its stream (FIN)"),
        What::ClientRst => say!("the client resets the connection (RST)"),
        What::Fin => say!("the server ends its stream (FIN)"),
        What::Rst => say!("the server resets the connection (RST)"),
        What::Note { text } => text.clone(),
    }
}

/// Which way it went, if it went over the wire.
pub(in crate::report) const fn direction(what: &What) -> Option<Side> {
    match what {
        What::Sent { .. } | What::ClientFin | What::ClientRst => Some(Side::Client),
        What::Received { .. } | What::Fin | What::Rst => Some(Side::Server),
        What::Connected | What::Note { .. } => None,
    }
}

/// `64 octets`, and in how many pieces if in more than one.
pub(in crate::report) fn amount(stretch: &Stretch<'_>) -> Text {
    let octets = counted(stretch.len, Noun::Octet);
    if stretch.pieces == 1 {
        return octets;
    }
    say!(
        "{octets} in {pieces} pieces, the last at {last}",
        octets,
        pieces = stretch.pieces,
        last = millis(stretch.until_us)
    )
}

/// What reports count.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) enum Noun {
    Case,
    Cause,
    Clause,
    Failure,
    KnownFailure,
    Moment,
    Octet,
    Submission,
    Warning,
}

/// `1 octet`, `1,234 octets`.
pub(in crate::report) fn counted(count: usize, noun: Noun) -> Text {
    let is_one = count == 1;
    let count = Text::number(count);
    match (noun, is_one) {
        (Noun::Case, true) => say!("{count} case", count),
        (Noun::Case, false) => say!("{count} cases", count),
        (Noun::Cause, true) => say!("{count} cause", count),
        (Noun::Cause, false) => say!("{count} causes", count),
        (Noun::Clause, true) => say!("{count} clause", count),
        (Noun::Clause, false) => say!("{count} clauses", count),
        (Noun::Failure, true) => say!("{count} failure", count),
        (Noun::Failure, false) => say!("{count} failures", count),
        (Noun::KnownFailure, true) => say!("{count} known failure", count),
        (Noun::KnownFailure, false) => say!("{count} known failures", count),
        (Noun::Moment, true) => say!("{count} moment", count),
        (Noun::Moment, false) => say!("{count} moments", count),
        (Noun::Octet, true) => say!("{count} octet", count),
        (Noun::Octet, false) => say!("{count} octets", count),
        (Noun::Submission, true) => say!("{count} submission", count),
        (Noun::Submission, false) => say!("{count} submissions", count),
        (Noun::Warning, true) => say!("{count} warning", count),
        (Noun::Warning, false) => say!("{count} warnings", count),
    }
}

/// `0.112 ms`.
pub(in crate::report) fn millis(micros: u64) -> String {
    let (whole, part) = (micros / 1000, micros % 1000);
    format!("{whole}.{part:03} ms")
}

/// `0.82 s`.
pub(in crate::report) fn seconds(millis: u64) -> String {
    let (whole, part) = (millis / 1000, millis % 1000);
    format!("{whole}.{part:03} s")
}
