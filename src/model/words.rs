//! What is owed and what is doubtful, in words.

use super::{Doubt, Duty};
use crate::lang::{Hole, Text, say};

/// What is owed for some neighbouring duties of one kind.
pub(super) fn line(duties: &[Duty]) -> Option<Text> {
    let (first, last) = (duties.first()?, duties.last()?);
    let octets = say!(
        "octets {start} to {last}",
        start = first.start,
        last = last.due.saturating_sub(1)
    );
    let owed = first.owed();
    Some(match duties.len() {
        1 => say!("{octets}: {owed}", octets, owed),
        frames => say!(
            "{octets}, for each of {frames} frames: {owed}",
            octets,
            frames,
            owed
        ),
    })
}

impl Hole for Doubt {
    fn text(&self) -> Text {
        match self {
            Self::Payload => say!("a payload that need not be taken for a message"),
            Self::Smuggled(_) => say!("a payload with a pad octet inside"),
            Self::Size(_) => say!("a body larger than every server must take"),
            Self::Unanswered => say!("a payload that begins as messages do that are owed no reply"),
            Self::Beyond => say!("a request beyond those that a connection is there for"),
            Self::OverLimit => say!("a body over the limit"),
            Self::OddLength => say!("a body that is no whole number of chunks"),
            Self::MorePadding(_) => say!("a message with more padding than it needs"),
        }
    }
}
