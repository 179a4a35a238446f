//! What findings are worded with: places, excerpts, times.

use crate::lang::{Text, say};
use crate::model::Tail;
use crate::model::reader::Place;
use std::time::Duration;

pub(super) fn place(tail: Tail) -> Text {
    match tail {
        Tail::Boundary | Tail::Void | Tail::Apart => say!("between frames"),
        Tail::Inside {
            place: Place::Header,
            ..
        } => say!("inside a header"),
        Tail::Inside {
            place: Place::Boundary,
            ..
        } => say!("between header and body"),
        Tail::Inside {
            place: Place::Body, ..
        } => say!("inside a body"),
    }
}

/// The beginning of some octets, as text where they are text.
#[must_use]
pub fn excerpt(octets: &[u8]) -> String {
    const MOST: usize = 60;
    let head = octets.get(..MOST).unwrap_or(octets);
    let more = if octets.len() > MOST { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}

/// A time as people say it.
pub(super) fn duration(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
