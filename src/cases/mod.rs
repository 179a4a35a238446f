//! The cases: scripts that hold a server to the clauses, one table a file.
//!
//! A case says what a client does, and the [`model`](crate::model) knows what may be answered to
//! that, so a case states an expectation of its own only where it asks for more. To add one, add it
//! to the table of its clause's group: nothing else needs to change.

mod bodies;
mod connections;
mod exchange;
mod length;
mod maker;
mod many_clients;
mod memory;
mod messages;
mod reassembly;
mod resources;
mod sending;
mod truncation;

pub use maker::{Circumstances, Maker, Unfit};

use crate::judge::Finding;
use crate::profile::Profile;
use crate::script::Script;
use crate::spec::{self, Clause, Level};
use crate::transcript::Transcript;
use std::panic::Location;

/// What a case builds its script with.
type Build = fn(&mut Maker<'_>);

/// What a case asks for beyond the model.
type Check = fn(&Profile, &Transcript) -> Option<Finding>;

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `clause/variant`.
    pub id: &'static str,
    /// Whether a breach of its clause is a failure or a warning.
    pub level: Level,
    /// Why it matters, for people.
    pub why: &'static str,
    /// Whether it must have the server to itself: because it measures the process, or because it
    /// opens as many connections as a server need bear.
    pub alone: bool,
    /// Whether what it finds is still there when its clients have gone, so that it can be found again
    /// at the same server.
    pub lasts: bool,
    /// Where it stands in the sources.
    pub place: &'static Location<'static>,
    build: Build,
    check: Option<Check>,
}

impl Case {
    /// A case whose breach is a failure.
    #[track_caller]
    #[must_use]
    pub const fn must(id: &'static str, why: &'static str, build: Build) -> Self {
        let place = Location::caller();
        Self {
            id,
            level: Level::Must,
            why,
            alone: false,
            lasts: false,
            place,
            build,
            check: None,
        }
    }

    /// A case whose breach is a warning.
    #[track_caller]
    #[must_use]
    pub const fn should(id: &'static str, why: &'static str, build: Build) -> Self {
        let place = Location::caller();
        Self {
            id,
            level: Level::Should,
            why,
            alone: false,
            lasts: false,
            place,
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

    /// Its script under these circumstances.
    ///
    /// # Errors
    /// If it does not apply here, and why.
    pub fn script(&self, circumstances: &Circumstances<'_>) -> Result<Script, Unfit> {
        let mut maker = Maker::new(circumstances, self.id);
        (self.build)(&mut maker);
        maker.finish()
    }

    /// What it finds beyond what the model knows.
    #[must_use]
    pub fn check(&self, profile: &Profile, transcript: &Transcript) -> Option<Finding> {
        self.check.and_then(|check| check(profile, transcript))
    }
}

const TABLES: &[&[Case]] = &[
    length::LENGTH_PREFIX,
    reassembly::CASES,
    bodies::CASES,
    length::LENGTH_LIMIT,
    truncation::CASES,
    sending::CASES,
    messages::CASES,
    exchange::CASES,
    connections::CASES,
    many_clients::CASES,
    memory::CASES,
    resources::CASES,
];

/// Every case, in the order of the clauses.
pub fn all() -> impl Iterator<Item = &'static Case> {
    spec::CLAUSES.iter().flat_map(|clause| {
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
        "length-prefix",
        &[
            "the length is read in the other octet order",
            "it is read as a signed number, or only some of its octets are",
            "it is taken for octets where it counts chunks, or the other way round",
        ],
    ),
    (
        "reassembly",
        &[
            "one recv() is taken for one header or one frame; it returns whatever has arrived",
            "octets read beyond the end of a frame are dropped instead of kept for the next",
            "only the first frame of a read is handled",
        ],
    ),
    (
        "boundary",
        &[
            "the body is read in fixed pieces, and the last piece reaches into the next frame",
            "the length is rounded, clamped or adjusted on one side only",
        ],
    ),
    (
        "padding",
        &[
            "padding is removed in the wrong place, or together with data",
            "the receiver expects padding of a certain size",
        ],
    ),
    (
        "exact-fill",
        &[
            "padding is expected even where the payload fills its last chunk",
            "the loop that reads chunks runs once too often or too rarely",
        ],
    ),
    (
        "empty-frame",
        &[
            "length 0 is taken for the end of the stream, as recv() returning nothing is",
            "empty frames are skipped without a reply",
        ],
    ),
    (
        "chunk-multiple",
        &[
            "the body is read in whole chunks, beyond its end",
            "the length is not checked against the chunk size",
        ],
    ),
    (
        "length-limit",
        &[
            "there is no limit, or it is checked only after the body has been read",
            "the length is cut to the limit, and what is left is taken for frames",
            "the limit is off by one, or compared before the length is adjusted",
        ],
    ),
    (
        "truncation",
        &[
            "recv() returning nothing is not taken for the end of the stream",
            "what has arrived of a frame is handled as if it were whole",
        ],
    ),
    (
        "reply-framing",
        &[
            "send() is taken to have sent everything; it may have sent a part",
            "something is written between frames, such as a newline or a log line",
        ],
    ),
    (
        "minimal-padding",
        &["a whole chunk of padding is added where none is needed"],
    ),
    (
        "reply-text",
        &["the reply is not encoded as JSON, or not in UTF-8"],
    ),
    (
        "json-text",
        &["the handler expects an object, or treats falsy values as no message"],
    ),
    (
        "fidelity",
        &[
            "octets are decoded chunk by chunk, so that characters on a cut are lost",
            "characters are counted where octets are meant",
            "another encoding than UTF-8 is used",
        ],
    ),
    (
        "undecodable",
        &[
            "an exception of the decoder ends the thread and leaves the socket open",
            "nothing is sent when a payload cannot be decoded",
        ],
    ),
    (
        "smuggling",
        &["the payload is cut at its first NUL, as a C string would be"],
    ),
    (
        "nesting",
        &["the parser recurses, and its stack overflows or its limit raises an exception"],
    ),
    (
        "one-reply",
        &["an exception in the handler ends the thread and leaves the socket open"],
    ),
    (
        "order",
        &["requests of one connection are handled by several workers"],
    ),
    (
        "pipelining",
        &["whatever is in the buffer is dropped when a reply is sent"],
    ),
    (
        "unsolicited",
        &["a greeting is sent, or a reply before its request is complete"],
    ),
    (
        "persistence",
        &["the connection is closed after a reply, or after so many"],
    ),
    (
        "orderly-close",
        &[
            "recv() returning nothing is read as a length of 0 and answered, for ever",
            "the loop does not end when the client does, and spins or waits",
        ],
    ),
    (
        "half-close",
        &["the end of the stream is noticed before the request in front of it is handled"],
    ),
    ("reset", &["the error of a reset connection is not caught"]),
    (
        "patience",
        &["a read timeout is shorter than a slow network's pauses"],
    ),
    (
        "deadline",
        &["nothing ends a connection whose frame never becomes complete"],
    ),
    (
        "concurrency",
        &["clients are served one after the other, or too few at once"],
    ),
    (
        "isolation",
        &[
            "one lock, one loop or one thread is held while a client is waited for",
            "an error on one connection ends the process or the accept loop",
        ],
    ),
    (
        "crosstalk",
        &["state of a connection is kept in a variable that all share"],
    ),
    (
        "churn",
        &["something is kept of each connection that ended, or the listener is closed"],
    ),
    (
        "memory",
        &["a buffer of the claimed length is made when the header arrives"],
    ),
    (
        "cpu",
        &["a loop calls recv() on a connection that has ended"],
    ),
    (
        "descriptors",
        &["sockets are not closed on the path where an error ends a connection"],
    ),
];

#[cfg(test)]
mod tests;
