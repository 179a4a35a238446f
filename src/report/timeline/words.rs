//! Moments, amounts and times in words.

use super::Stretch;
use crate::event::{Side, What};

/// What is said of a moment that is not octets; notes are to be escaped.
pub(in crate::report) const fn words(what: &What) -> &str {
    match what {
        What::Connected => "connected",
        What::Sent { .. } => "sent",
        What::Received { .. } => "received",
        What::ClientFin => "the client ends its stream (FIN)",
        What::ClientRst => "the client resets the connection (RST)",
        What::Fin => "the server ends its stream (FIN)",
        What::Rst => "the server resets the connection (RST)",
        What::Note { text } => text.as_str(),
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
pub(in crate::report) fn amount(stretch: &Stretch<'_>) -> String {
    let octets = counted(stretch.len, "octet");
    if stretch.pieces == 1 {
        return octets;
    }
    format!(
        "{octets} in {} pieces, the last at {}",
        stretch.pieces,
        millis(stretch.until_us)
    )
}

/// `1 octet`, `1,234 octets`.
pub(in crate::report) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
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
