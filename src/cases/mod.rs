//! The cases: scripts that hold a server, or a client, to the clauses, one table a file.
//!
//! A case says what the other side does, and the [`model`](crate::model) knows what is owed upon that,
//! so a case states an expectation of its own only where it asks for more. To add one, add it to the
//! table of its clause's group: nothing else needs to change.

mod apart;
mod bodies;
mod checksum;
mod chunk_index;
pub mod client;
mod connections;
mod datagram;
mod draft;
mod exchange;
mod fidelity;
mod header;
mod length;
mod maker;
mod many_clients;
mod memory;
mod messages;
mod number;
mod prologue;
mod reassembly;
mod resources;
mod sending;
mod smuggling;
mod truncation;

pub use draft::{Draft, Unfit};
pub use maker::{Circumstances, Maker, unknown_process};

use crate::judge::Finding;
use crate::lang::say;
use crate::profile::Profile;
use crate::script::Script;
use crate::spec::{CaseId, Clause, Level, Role};
use crate::transcript::Transcript;
use std::panic::Location;

/// What a case builds its script with: one for servers, or one for clients.
#[derive(Debug, Clone, Copy)]
enum Build {
    Server(fn(&mut Maker<'_>)),
    Client(fn(&mut client::Maker<'_>)),
}

/// What a case asks for beyond the model.
type Check = fn(&Profile, &Transcript) -> Option<Finding>;

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `clause/variant`.
    pub id: CaseId,
    /// Whether a breach of its clause is a failure or a warning.
    pub level: Level,
    /// Why it matters, for people.
    pub why: &'static str,
    /// Whether it must have the server to itself: because it measures the process, or because it
    /// opens as many connections as a server need bear.
    pub alone: bool,
    /// Whether no other client may come while it is played: what it looks for would be gone.
    pub undisturbed: bool,
    /// Whether what it finds is still there when its clients have gone, so that it can be found again
    /// at the same server.
    pub lasts: bool,
    /// Where it stands in the sources.
    pub place: &'static Location<'static>,
    build: Build,
    check: Option<Check>,
}

impl Case {
    /// A case for servers whose breach is a failure.
    #[track_caller]
    #[must_use]
    pub const fn must(
        clause: Clause,
        variant: &'static str,
        why: &'static str,
        build: fn(&mut Maker<'_>),
    ) -> Self {
        Self::new(Level::Must, clause, variant, why, Build::Server(build))
    }

    /// A case for servers whose breach is a warning.
    #[track_caller]
    #[must_use]
    pub const fn should(
        clause: Clause,
        variant: &'static str,
        why: &'static str,
        build: fn(&mut Maker<'_>),
    ) -> Self {
        Self::new(Level::Should, clause, variant, why, Build::Server(build))
    }

    #[track_caller]
    const fn new(
        level: Level,
        clause: Clause,
        variant: &'static str,
        why: &'static str,
        build: Build,
    ) -> Self {
        Self {
            id: CaseId::new(clause, variant),
            level,
            why,
            alone: false,
            undisturbed: false,
            lasts: false,
            place: Location::caller(),
            build,
            check: None,
        }
    }

    /// The same case, run while nothing else is.
    #[must_use]
    pub const fn alone(self) -> Self {
        Self {
            alone: true,
            ..self
        }
    }

    /// The same case, run while no other client comes.
    #[must_use]
    pub const fn undisturbed(self) -> Self {
        Self {
            undisturbed: true,
            ..self
        }
    }

    /// The same case, of something that is still there when its clients have gone.
    #[must_use]
    pub const fn lasting(self) -> Self {
        Self {
            lasts: true,
            ..self
        }
    }

    /// The same case with an expectation beyond the model's.
    #[must_use]
    pub const fn and(self, check: Check) -> Self {
        Self {
            check: Some(check),
            ..self
        }
    }

    /// Its clause.
    #[must_use]
    pub const fn clause(&self) -> Clause {
        self.id.clause
    }

    /// Who is held to it.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self.build {
            Build::Server(_) => Role::Server,
            Build::Client(_) => Role::Client,
        }
    }

    /// Whether it looks only at what a client sends, so that it can be judged where not one request could
    /// be read.
    #[must_use]
    pub const fn is_about_sending(&self) -> bool {
        client::is_about_sending(self.clause())
    }

    /// Its script under these circumstances.
    ///
    /// # Errors
    /// If it does not apply here, and why.
    pub fn script(&self, circumstances: &Circumstances<'_>) -> Result<Script, Unfit> {
        match self.build {
            Build::Server(build) => {
                let script = Maker::build(circumstances, self.id, build)?;
                let is_looked_at = self.check.is_some();
                apart::within(circumstances.profile, script, self.clause(), is_looked_at)
            }
            Build::Client(_) => Err(Unfit::Skipped(say!("it is a case for clients"))),
        }
    }

    /// Its script for a client under these circumstances.
    ///
    /// # Errors
    /// If it does not apply here, and why.
    pub fn script_for_client(
        &self,
        circumstances: &client::Circumstances<'_>,
    ) -> Result<Script, Unfit> {
        let Build::Client(build) = self.build else {
            return Err(Unfit::Skipped(say!("it is a case for servers")));
        };
        client::Maker::build(circumstances, self.id, |maker| {
            build(maker);
            if self.is_about_sending() {
                maker.quiet();
            }
        })
    }

    /// What it finds beyond what the model knows.
    #[must_use]
    pub fn check(&self, profile: &Profile, transcript: &Transcript) -> Option<Finding> {
        self.check.and_then(|check| check(profile, transcript))
    }
}

/// The tables of cases for servers, in no order in particular.
const TABLES: &[&[Case]] = &[
    length::LENGTH_PREFIX,
    number::CASES,
    header::CASES,
    reassembly::CASES,
    bodies::CASES,
    checksum::CASES,
    chunk_index::CASES,
    length::LENGTH_LIMIT,
    truncation::CASES,
    sending::CASES,
    messages::CASES,
    fidelity::CASES,
    smuggling::CASES,
    exchange::CASES,
    prologue::CASES,
    connections::CASES,
    many_clients::CASES,
    memory::CASES,
    resources::CASES,
    datagram::CASES,
];

fn table() -> impl Iterator<Item = &'static Case> {
    TABLES.iter().chain(client::TABLES).copied().flatten()
}

/// Every case for that role, in the order of the clauses.
pub fn all(role: Role) -> impl Iterator<Item = &'static Case> {
    role.clauses().flat_map(of)
}

/// Those of them that have anything to ask in that format.
pub fn in_format(role: Role, profile: &Profile) -> impl Iterator<Item = &'static Case> {
    all(role).filter(|case| arises(case.clause(), profile))
}

/// Whether frames of that format can come under the clause at all.
#[must_use]
pub fn arises(clause: Clause, profile: &Profile) -> bool {
    match clause {
        Clause::Checksum => profile.checksum().is_some(),
        Clause::Datagram => profile.carriage().is_datagrams(),
        Clause::Prologue => !profile.prologue().is_empty() && !profile.carriage().is_datagrams(),
        Clause::Reassembly
        | Clause::ChunkMultiple
        | Clause::Truncation
        | Clause::Order
        | Clause::OrderlyClose
        | Clause::HalfClose
        | Clause::Reset
        | Clause::Patience
        | Clause::Deadline
        | Clause::Churn => !profile.carriage().is_datagrams(),
        Clause::ChunkIndex => profile.index().is_some(),
        _ => true,
    }
}

/// The cases of that clause.
pub fn of(clause: Clause) -> impl Iterator<Item = &'static Case> {
    table().filter(move |case| case.clause() == clause)
}

/// The case of that name, for whichever role.
#[must_use]
pub fn case(id: &str) -> Option<&'static Case> {
    table().find(|case| case.id.is_written(id))
}

#[cfg(test)]
mod tests;
