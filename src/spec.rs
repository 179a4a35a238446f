//! The clauses: what a server owes on the wire, each with a slug that never changes.
//!
//! What a client owes stands in a second table. These two are the only place where a clause is
//! defined. Cases, reports, `explain` and the tables in docs/PROTOCOL.md are made from them.

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

/// One requirement of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// Its name: lower-case words joined by `-`. A case is named `slug/variant`.
    pub slug: &'static str,
    /// How binding it is.
    pub level: Level,
    /// Where it belongs.
    pub group: Group,
    /// What it says.
    pub sentence: &'static str,
}

/// The clause of that slug, be it a server's or a client's.
#[must_use]
pub fn clause(slug: &str) -> Option<&'static Clause> {
    both().find(|clause| clause.slug == slug)
}

/// The clauses of a group, in the order of the table.
pub fn clauses_of(group: Group) -> impl Iterator<Item = &'static Clause> {
    both().filter(move |clause| clause.group == group)
}

fn both() -> impl Iterator<Item = &'static Clause> {
    CLAUSES.iter().chain(CLIENT_CLAUSES)
}

const fn must(group: Group, slug: &'static str, sentence: &'static str) -> Clause {
    Clause {
        slug,
        level: Level::Must,
        group,
        sentence,
    }
}

const fn should(group: Group, slug: &'static str, sentence: &'static str) -> Clause {
    Clause {
        slug,
        level: Level::Should,
        group,
        sentence,
    }
}

use Group::{Clients, Connections, Exchange, ManyClients, Messages, Receiving, Resources, Sending};

/// Every clause that a server is held to.
#[rustfmt::skip]
pub const CLAUSES: &[Clause] = &[
    must(Receiving, "length-prefix",
        "The length in a header is read with the width, octet order, sign and unit of the profile."),
    must(Receiving, "reassembly",
        "How a stream is cut into segments carries no meaning: a frame that arrives in pieces, or several that arrive at once, are read as if they had come one by one and whole."),
    must(Receiving, "boundary",
        "A frame takes up its header and its body and not an octet more; whatever follows begins the next frame."),
    must(Receiving, "padding",
        "Pad octets at the end of a body are dropped and the payload is otherwise left alone; a body with more padding than it needs SHOULD be taken as well."),
    must(Receiving, "exact-fill",
        "A payload that fills its chunks to the last octet has no padding behind it and is a message like any other."),
    must(Receiving, "empty-frame",
        "A length of zero is a complete frame whose payload is empty and so undecodable; it is neither skipped nor read as the end of the stream."),
    must(Receiving, "chunk-multiple",
        "A body length that is no whole number of chunks is malformed: nothing beyond that frame is consumed on its account, and the connection SHOULD be closed."),
    must(Receiving, "length-limit",
        "A header that claims more than the limit gets the connection closed at once, before any of the body has been waited for, read or reserved; a body of exactly the limit is taken."),
    must(Receiving, "truncation",
        "A stream that ends before its last frame is complete gets no reply for that frame, and the connection is closed."),

    must(Sending, "reply-framing",
        "Replies are frames of the same profile, one directly behind the other."),
    must(Sending, "minimal-padding",
        "The padding of a reply consists of pad octets only and is shorter than one chunk."),
    must(Sending, "reply-text",
        "The payload of a reply is one JSON text in UTF-8 without a byte order mark."),

    must(Messages, "json-text",
        "Each kind of JSON value is a message: object, array, string, number, true, false, null."),
    must(Messages, "fidelity",
        "A message means to the server what it meant to the client: all of Unicode, escapes, empty strings and containers, wherever chunks and segments happen to cut them."),
    must(Messages, "undecodable",
        "A well-framed payload that is not one JSON text in UTF-8 is answered with exactly one reply or with a close; a connection left open is still in step."),
    must(Messages, "smuggling",
        "A payload that goes on after a pad octet is undecodable as a whole; neither its first part nor its second is taken for a message."),
    must(Messages, "nesting",
        "A deeply nested message is answered or treated as undecodable; it brings nothing down."),

    must(Exchange, "one-reply",
        "Every frame that carries a message gets exactly one reply."),
    must(Exchange, "order",
        "Replies come in the order of their requests."),
    must(Exchange, "pipelining",
        "Requests that are sent without waiting for replies are all answered."),
    must(Exchange, "unsolicited",
        "A server sends nothing that no request has asked for, and no reply before its request is complete."),
    must(Exchange, "persistence",
        "A connection stays usable until the client ends it."),

    must(Connections, "orderly-close",
        "When the client ends its stream between frames, the server closes the connection and sends nothing more."),
    should(Connections, "half-close",
        "A client that ends its stream right behind a complete request still gets the reply."),
    must(Connections, "reset",
        "A connection that is reset, at whatever point, harms no other."),
    must(Connections, "patience",
        "A frame may arrive with a pause of 200 ms inside it, and SHOULD be allowed one of 1 s."),
    should(Connections, "deadline",
        "A frame that is never completed is given up in the end and its connection closed."),

    must(ManyClients, "concurrency",
        "At least 16 clients are served at the same time."),
    must(ManyClients, "isolation",
        "A client that stalls inside a frame, never reads, sends garbage or resets neither delays nor breaks another."),
    must(ManyClients, "crosstalk",
        "A reply goes to the connection that its request came from, however requests interleave."),
    must(ManyClients, "churn",
        "Clients that come and go leave the server as able as it was."),

    must(Resources, "memory",
        "A length costs no memory until its octets arrive, replies that nobody reads do not pile up without end, and what a connection took is given back."),
    must(Resources, "cpu",
        "A connection that is idle, ended or half dead costs no processor time."),
    must(Resources, "descriptors",
        "A connection that has ended gives its descriptors back, and the threads that served it."),
];

/// Every clause that a client is held to.
#[rustfmt::skip]
pub const CLIENT_CLAUSES: &[Clause] = &[
    must(Clients, "client-framing",
        "A client sends frames of the profile, one directly behind the other, with headers that say how long their bodies are."),
    must(Clients, "client-padding",
        "The body of a request is padded with pad octets to a whole number of chunks, and with fewer than one chunk of them."),
    must(Clients, "client-text",
        "The payload of a request is one JSON text in UTF-8 without a byte order mark, and says what the client's user said."),
    must(Clients, "client-reassembly",
        "How a reply is cut into segments carries no meaning: in whatever pieces it arrives, the client reads the same."),
    must(Clients, "client-boundary",
        "A reply takes up its header and its body and not an octet more; what follows, be it in the same segment, is the next reply."),
    must(Clients, "client-payload",
        "Pad octets at the end of a reply are dropped, be there none, few or whole chunks of them, and the payload is otherwise left alone."),
    must(Clients, "client-undecodable",
        "After a well-framed reply whose payload is no message, the client reads the next one or gives the connection up; nothing hangs and nothing is brought down."),
    must(Clients, "client-limit",
        "A header that claims more than the limit makes the client give the connection up at once, before it has waited for any of the body or reserved room for it."),
    must(Clients, "client-truncation",
        "When the stream ends inside a reply, the client takes nothing of it for a message and gives the connection up."),
    must(Clients, "client-close",
        "When the server ends its stream between two replies, the client ends the connection too, at the latest when it wants to use it again."),
    must(Clients, "client-reset",
        "A client notices that its connection was reset, at the latest when it wants to use it again, and is not brought down by it."),
    must(Clients, "client-patience",
        "A reply may come half a second late or with a pause of 200 ms inside it, and SHOULD be allowed a pause of 1 s; waiting for it costs no processor time."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for clause in both() {
            assert!(seen.insert(clause.slug), "{} stands twice", clause.slug);
            let well_formed = clause
                .slug
                .split('-')
                .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
            assert!(well_formed, "{}", clause.slug);
        }
    }

    #[test]
    fn every_sentence_is_one() {
        for clause in both() {
            assert!(clause.sentence.ends_with('.'), "{}", clause.slug);
            assert!(
                !clause.sentence.trim_end_matches('.').contains(". "),
                "{}",
                clause.slug
            );
        }
    }

    #[test]
    fn the_groups_hold_every_clause() {
        let grouped: usize = Group::ALL
            .map(|group| clauses_of(group).count())
            .iter()
            .sum();
        assert_eq!(grouped, both().count());
    }

    #[test]
    fn the_two_tables_are_told_apart_by_their_slugs() {
        let is_clients = |clause: &Clause| clause.slug.starts_with("client-");
        assert!(CLIENT_CLAUSES.iter().all(is_clients));
        assert!(!CLAUSES.iter().any(is_clients));
    }
}
