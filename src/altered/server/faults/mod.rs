//! Faults: small deviations of the reference server, each a bug that real software had or may have.
//!
//! They are what the suite is measured with: a case earns its place by failing a server that deserves
//! it. Each fault is one row of a table and changes a step or two of the [altered](super) server;
//! to add one, add a row to the table of its theme.

mod bodies;
mod checksums;
mod datagrams;
mod digits;
mod endings;
mod exchange;
mod ids;
mod indexes;
mod length;
mod long_replies;
mod many_clients;
mod prologue;
mod reading;
mod resources;
mod text;
mod unanswered;
mod writing;

use super::client::Hooks;
use crate::altered::alteration::Theme;

pub(super) use resources::up_to_two_gib;

pub(super) const THEMES: &[Theme<Hooks>] = &[
    ("prologues", prologue::FAULTS),
    ("reading", reading::FAULTS),
    ("lengths", length::FAULTS),
    ("digits and trailers", digits::FAULTS),
    ("checksums", checksums::FAULTS),
    ("indexes", indexes::FAULTS),
    ("bodies", bodies::FAULTS),
    ("endings", endings::FAULTS),
    ("writing", writing::FAULTS),
    ("text", text::FAULTS),
    ("exchange", exchange::FAULTS),
    ("ids", ids::FAULTS),
    ("replies of several frames", long_replies::FAULTS),
    ("messages owed no reply", unanswered::FAULTS),
    ("datagrams", datagrams::FAULTS),
    ("many clients", many_clients::FAULTS),
    ("resources", resources::FAULTS),
];
