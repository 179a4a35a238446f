//! The cases for clients: what a server does to one.
//!
//! What a client does with a reply is seen in what it shows. So every reply carries a text that occurs
//! nowhere else, and the main question is whether that text turned up on the client's standard output.

mod endings;
mod maker;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;

pub use maker::{Circumstances, Maker};

use super::{Build, Case};
use crate::spec::{Clause, Level};

/// The tables, in no order in particular.
pub(super) const TABLES: &[&[Case]] = &[
    sending::CASES,
    receiving::SPLITS,
    receiving::PAYLOADS,
    endings::LIMITS,
    endings::ENDS,
    endings::WAITS,
];

/// A case whose breach is a failure.
#[track_caller]
const fn must(
    clause: Clause,
    variant: &'static str,
    why: &'static str,
    build: fn(&mut Maker<'_>),
) -> Case {
    Case::new(Level::Must, clause, variant, why, Build::Client(build))
}

/// A case whose breach is a warning.
#[track_caller]
const fn should(
    clause: Clause,
    variant: &'static str,
    why: &'static str,
    build: fn(&mut Maker<'_>),
) -> Case {
    Case::new(Level::Should, clause, variant, why, Build::Client(build))
}

/// Whether cases of that clause look only at what the client sends, so that they can be judged where not
/// one request could be read.
pub(super) const fn is_about_sending(clause: Clause) -> bool {
    matches!(
        clause,
        Clause::ClientFraming | Clause::ClientPadding | Clause::ClientText
    )
}
