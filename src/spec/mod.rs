//! The clauses: what a server owes on the wire, each with a slug that never changes.
//!
//! What a client owes stands in the same table, which is the only place where a clause is defined.
//! Cases, reports, `explain` and the tables in docs/PROTOCOL.md are made from it.

mod case_id;
mod table;

pub use case_id::CaseId;
pub use table::Clause;

use std::fmt;

/// How binding a clause is, in the sense of RFC 2119.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Optional: never a failure.
    May,
    /// Expected; a breach is a warning.
    Should,
    /// Required; a breach is a failure.
    Must,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        })
    }
}

/// The part of the protocol that a clause belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Taking frames from the octets of a connection.
    Receiving,
    /// Putting replies on the wire.
    Sending,
    /// What payloads mean.
    Messages,
    /// How replies relate to requests.
    Exchange,
    /// The life of one connection.
    Connections,
    /// What clients may notice of each other.
    ManyClients,
    /// What the server's process spends.
    Resources,
    /// What a client owes.
    Clients,
}

impl Group {
    /// All groups, in the order in which they are printed.
    pub const ALL: [Self; 8] = [
        Self::Receiving,
        Self::Sending,
        Self::Messages,
        Self::Exchange,
        Self::Connections,
        Self::ManyClients,
        Self::Resources,
        Self::Clients,
    ];

    /// Who owes what its clauses say.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Clients => Role::Client,
            Self::Receiving
            | Self::Sending
            | Self::Messages
            | Self::Exchange
            | Self::Connections
            | Self::ManyClients
            | Self::Resources => Role::Server,
        }
    }

    /// Its clauses, in the order of the table.
    pub fn clauses(self) -> impl Iterator<Item = Clause> {
        Clause::all().filter(move |clause| clause.group() == self)
    }

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Receiving => "Receiving",
            Self::Sending => "Sending",
            Self::Messages => "Messages",
            Self::Exchange => "Exchange",
            Self::Connections => "Connections",
            Self::ManyClients => "Many clients",
            Self::Resources => "Resources",
            Self::Clients => "Clients",
        }
    }
}

/// Which side of a connection is held to a clause, and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A server.
    #[default]
    Server,
    /// A client.
    Client,
}

impl Role {
    /// Whether it is a server, as it is if nothing is said.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        matches!(self, Self::Server)
    }

    /// The clauses that it is held to, in the order of the table.
    pub fn clauses(self) -> impl Iterator<Item = Clause> {
        Clause::all().filter(move |clause| clause.role() == self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

impl Clause {
    /// Every clause, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied()
    }

    /// Who owes what it says.
    #[must_use]
    pub const fn role(self) -> Role {
        self.group().role()
    }

    /// The clause of that slug, be it a server's or a client's.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::all().find(|clause| clause.slug() == slug)
    }
}

/// Its slug.
impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// As its slug.
impl serde::Serialize for Clause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

/// From its slug.
impl<'de> serde::Deserialize<'de> for Clause {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let slug = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format_args!("no clause is called {slug:?}"));
        Self::from_slug(&slug).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests;
