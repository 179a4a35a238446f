//! Faults: small deviations of the reference server, each a bug that real software had or may have.
//!
//! They are what the suite is measured with: a case earns its place by failing a server that deserves
//! it. Each fault is one row of a table and changes a step or two of the [altered](super::alter) server;
//! to add one, add a row to the table of its theme.

mod bodies;
mod endings;
mod exchange;
mod length;
mod many_clients;
mod reading;
mod resources;
#[cfg(test)]
mod tests;
mod text;
mod writing;

use super::alter::{Alteration, Hooks};

pub(super) use resources::up_to_two_gib;

/// One deviation of the reference server.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Its name: lower-case words joined by `-`.
    pub name: &'static str,
    /// Slug of the clause that it breaks.
    pub clause: &'static str,
    /// The real bug that it copies, as `repository#thread` or CVE; empty if none is known.
    pub copies: &'static str,
    /// What the server does, in a sentence.
    pub about: &'static str,
    /// What has to be so for anybody to notice.
    pub needs: Need,
    alteration: Alteration,
}

/// What has to be so for a fault to be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// Nothing in particular.
    Nothing,
    /// The server's limit on bodies is declared, and 1 MiB or so.
    DeclaredLimit,
    /// The server's process can be looked at, and its limit on bodies is not declared.
    Process,
    /// There is a minute of time.
    Time,
}

impl Need {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::DeclaredLimit => "declared-limit",
            Self::Process => "process",
            Self::Time => "time",
        }
    }
}

impl Fault {
    const fn new(
        name: &'static str,
        clause: &'static str,
        copies: &'static str,
        about: &'static str,
        plug: fn(&mut Hooks),
    ) -> Self {
        Self {
            name,
            clause,
            copies,
            about,
            needs: Need::Nothing,
            alteration: Alteration::new(name, plug),
        }
    }

    const fn needing(self, needs: Need) -> Self {
        Self { needs, ..self }
    }

    pub(super) const fn alteration(&self) -> Alteration {
        self.alteration
    }

    /// Every fault, theme by theme.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        THEMES.iter().flat_map(|(_, faults)| faults.iter())
    }

    /// The themes, each with its faults.
    pub fn themes() -> impl Iterator<Item = (&'static str, &'static [Self])> {
        THEMES.iter().copied()
    }

    /// The fault of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|fault| fault.name == name)
    }
}

const THEMES: &[(&str, &[Fault])] = &[
    ("reading", reading::FAULTS),
    ("lengths", length::FAULTS),
    ("bodies", bodies::FAULTS),
    ("endings", endings::FAULTS),
    ("writing", writing::FAULTS),
    ("text", text::FAULTS),
    ("exchange", exchange::FAULTS),
    ("many clients", many_clients::FAULTS),
    ("resources", resources::FAULTS),
];
