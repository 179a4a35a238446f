//! Faults: small deviations of a client, each a bug that real software had or may have.
//!
//! Each is one row of a table and changes a step or two; to add one, add a row to the table of its theme.

mod endings;
mod limits;
mod messages;
mod payloads;
mod reading;
mod sending;
mod text;
mod waiting;

use super::half::Hooks;
use crate::altered::alteration::Theme;

pub(super) const THEMES: &[Theme<Hooks>] = &[
    ("what a client sends", sending::FAULTS),
    ("the text that it sends", text::FAULTS),
    ("how it reads", reading::FAULTS),
    ("what it takes for the payload", payloads::FAULTS),
    ("replies that are no messages", messages::FAULTS),
    ("lengths that it believes", limits::FAULTS),
    ("how its connection ends", endings::FAULTS),
    ("how it waits", waiting::FAULTS),
];
