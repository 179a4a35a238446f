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
    ("sending", sending::FAULTS),
    ("text", text::FAULTS),
    ("reading", reading::FAULTS),
    ("payloads", payloads::FAULTS),
    ("undecodable replies", messages::FAULTS),
    ("lengths", limits::FAULTS),
    ("endings", endings::FAULTS),
    ("waiting", waiting::FAULTS),
];
