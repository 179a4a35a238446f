//! The cases for clients: what a server does to one, what it must make of that, and whether it did.
//!
//! A case is a [`Play`]: the acts of the server's side of one connection, among them the lines that a
//! user types, and what the client must be seen to do. All of it is data, made from what calibration
//! found out about the client; [`judge`](judge::judge) compares it with a [`Transcript`]. Nothing here
//! does any I/O.
//!
//! What a client does with a reply is seen in what it shows. So every reply carries a text that occurs
//! nowhere else, and the main question is whether that text turned up on the client's standard output.

mod endings;
pub mod judge;
mod maker;
mod play;
mod receiving;
mod sending;
mod shape;
#[cfg(test)]
mod tests;
mod transcript;

pub use crate::transcript::Exit;
pub use maker::{Circumstances, HOLE, Maker};
pub use play::{Act, Fate, Line, Play, Text};
pub use shape::Shape;
pub use transcript::{Entry, Seen, Transcript, Wanted};

use crate::spec::{self, Clause, Level};
use std::panic::Location;

/// How it can be seen that a client has read a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Its text turns up on the standard output at once.
    AtOnce,
    /// Its text turns up there when the client ends: the output is buffered.
    AtEnd,
    /// The client sends its next request, and never before.
    NextRequest,
    /// Not at all.
    Nothing,
}

/// What calibration found out about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// How it can be seen that it has read a reply.
    pub shows: Shows,
    /// Whether it sends a second request on the same connection.
    pub again: bool,
    /// Whether it sends a second request before it has the reply to the first.
    pub ahead: bool,
    /// Octets of the payload that a line becomes beyond those of the line, fewer than none if it is
    /// shorter; `None` if requests do not hold what was typed.
    pub carries: Option<isize>,
    /// How a reply stands in the output; `None` if that differs from reply to reply.
    pub shape: Option<Shape>,
    /// Whether its process can be observed.
    pub process: bool,
}

/// What a case builds its play with.
type Build = fn(&mut Maker<'_>);

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `clause/variant`.
    pub id: &'static str,
    /// Whether a breach of its clause is a failure or a warning.
    pub level: Level,
    /// Why it matters, for people.
    pub why: &'static str,
    /// Where it stands in the sources.
    pub place: &'static Location<'static>,
    build: Build,
}

impl Case {
    /// A case whose breach is a failure.
    #[track_caller]
    #[must_use]
    pub const fn must(id: &'static str, why: &'static str, build: Build) -> Self {
        Self {
            id,
            level: Level::Must,
            why,
            place: Location::caller(),
            build,
        }
    }

    /// A case whose breach is a warning.
    #[track_caller]
    #[must_use]
    pub const fn should(id: &'static str, why: &'static str, build: Build) -> Self {
        Self {
            id,
            level: Level::Should,
            why,
            place: Location::caller(),
            build,
        }
    }

    /// Slug of its clause.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(slug, _)| slug)
    }

    /// Its clause.
    #[must_use]
    pub fn clause(&self) -> Option<&'static Clause> {
        spec::clause(self.slug())
    }

    /// Whether it looks only at what the client sends, so that it can be judged where not one request
    /// could be read.
    #[must_use]
    pub fn is_about_sending(&self) -> bool {
        ["client-framing", "client-padding", "client-text"].contains(&self.slug())
    }

    /// Its play under these circumstances.
    ///
    /// # Errors
    /// If it does not apply here: why.
    pub fn play(&self, circumstances: &Circumstances<'_>) -> Result<Play, String> {
        let mut play = Maker::build(circumstances, self.id, self.build)?;
        if self.is_about_sending() {
            play.acts.push(Act::Linger);
        }
        Ok(play)
    }
}

const TABLES: &[&[Case]] = &[
    sending::CASES,
    receiving::SPLITS,
    receiving::PAYLOADS,
    endings::LIMITS,
    endings::ENDS,
    endings::WAITS,
];

/// Every case, in the order of the clauses.
pub fn all() -> impl Iterator<Item = &'static Case> {
    spec::CLIENT_CLAUSES.iter().flat_map(|clause| {
        TABLES
            .iter()
            .copied()
            .flatten()
            .filter(|case| case.slug() == clause.slug)
    })
}

/// The case of that name.
#[must_use]
pub fn case(id: &str) -> Option<&'static Case> {
    TABLES.iter().copied().flatten().find(|case| case.id == id)
}

/// What usually is behind a failure of a clause, the most frequent first.
#[must_use]
pub fn likely_causes(slug: &str) -> &'static [&'static str] {
    CAUSES
        .iter()
        .find(|(clause, _)| *clause == slug)
        .map_or(&[], |(_, causes)| causes)
}

const CAUSES: &[(&str, &[&str])] = &[
    (
        "client-framing",
        &[
            "the length is written in the other octet order, or with another width",
            "characters are counted where octets are meant",
            "a line end or a log line is sent between two frames",
        ],
    ),
    (
        "client-padding",
        &[
            "a whole chunk of padding is added where none is needed",
            "spaces or the digit 0 are used where NUL is meant, or the last chunk is left as it is",
        ],
    ),
    (
        "client-text",
        &[
            "JSON is put together by hand, so that quotes and backslashes are not escaped",
            "another encoding than UTF-8 is used, or one that begins with a byte order mark",
        ],
    ),
    (
        "client-reassembly",
        &[
            "one recv() is taken for one header or one reply; it returns whatever has arrived",
            "octets are decoded piece by piece, so that characters on a cut are lost",
        ],
    ),
    (
        "client-boundary",
        &[
            "the body is read in fixed pieces, and the last piece reaches into the next reply",
            "what was read beyond the first reply is dropped",
        ],
    ),
    (
        "client-payload",
        &[
            "padding is expected even where the payload fills its last chunk",
            "padding is removed at both ends, or everything from the first NUL on is",
        ],
    ),
    (
        "client-undecodable",
        &[
            "an exception of the decoder ends the thread that reads, and nothing else",
            "an empty frame is taken for nothing at all, and its reply is waited for",
        ],
    ),
    (
        "client-limit",
        &["there is no limit, or it is checked only after the body has been read"],
    ),
    (
        "client-truncation",
        &[
            "recv() returning nothing is not taken for the end of the stream",
            "what has arrived of a reply is handled as if it were whole",
        ],
    ),
    (
        "client-close",
        &[
            "recv() returning nothing is read as a length of 0, for ever",
            "the thread that reads ends, and its socket stays",
        ],
    ),
    (
        "client-reset",
        &[
            "the error of a reset connection is caught and nothing follows from it",
            "SIGPIPE is not ignored, and ends the client when it sends",
        ],
    ),
    (
        "client-patience",
        &[
            "a read timeout is shorter than a slow network's pauses",
            "the socket is asked again and again instead of waited for",
        ],
    ),
];
