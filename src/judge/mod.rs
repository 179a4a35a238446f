//! The judge: compares what was seen with what the model permits.
//!
//! Pure: it sees a script's permissions, a transcript, and what calibration found out about the
//! replies, and gives findings. It walks the duties of a connection in order and lets each take the
//! reply that it is owed; whatever is missing, left over, too early or not what was asked for is a
//! finding. Nothing passes because it was not looked at: every duty, every octet received and the
//! end of every connection is accounted for.

mod client;
mod content;
pub mod frame_log;
mod observed;
mod printed;
#[cfg(test)]
mod tests;
mod walk;
mod words;

pub use client::{
    ClientTraits, FREE_ADDRESS_SPACE, FREE_MEMORY, Requests, Shape, Shows, found, missed_aim,
};
pub use content::{Frame, ReplyRule, mentions};
pub use observed::{replies_to, settled};
pub use words::excerpt;

use crate::lang::{Text, say};
use crate::model::Permitted;
use crate::profile::{Carriage, Profile};
use crate::script::Conn;
use crate::spec::{Clause, Level};
use crate::transcript::{Canary, Transcript};
use observed::Observed;

/// Something that the protocol does not permit, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The clause that it breaks.
    pub clause: Clause,
    /// How binding that is.
    pub level: Level,
    /// Whether it matters only to cases of its own clause. Such a breach does not get in the way of
    /// judging anything else, and would otherwise fail every case there is.
    pub own_clause_only: bool,
    /// What was seen, and what should have been.
    pub what: Text,
    /// The connection.
    pub conn: Conn,
    /// Offset in the client's stream of the frame that it is about, if it is about one.
    pub frame: Option<usize>,
}

impl Finding {
    /// A breach of a required clause.
    #[must_use]
    pub fn must(clause: Clause, conn: Conn, what: Text) -> Self {
        let level = Level::Must;
        Self {
            clause,
            level,
            own_clause_only: false,
            what,
            conn,
            frame: None,
        }
    }

    fn should(self) -> Self {
        Self {
            level: Level::Should,
            ..self
        }
    }

    fn own_clause_only(self) -> Self {
        Self {
            own_clause_only: true,
            ..self
        }
    }

    fn about(self, frame: usize) -> Self {
        Self {
            frame: Some(frame),
            ..self
        }
    }

    /// Whether it is the business of a case of that clause.
    #[must_use]
    pub fn concerns(&self, clause: Clause) -> bool {
        !self.own_clause_only || self.clause == clause
    }
}

/// What calibration found out about the peer.
#[derive(Debug, Clone, Copy)]
pub enum Traits<'a> {
    /// A server, and how its replies relate to requests.
    Server(&'a ReplyRule),
    /// A client, and what can be seen of what it does.
    Client(&'a ClientTraits),
}

impl<'a> From<&'a ReplyRule> for Traits<'a> {
    fn from(rule: &'a ReplyRule) -> Self {
        Self::Server(rule)
    }
}

impl<'a> From<&'a ClientTraits> for Traits<'a> {
    fn from(traits: &'a ClientTraits) -> Self {
        Self::Client(traits)
    }
}

/// Everything in a transcript that is not permitted, connection by connection.
#[must_use]
pub fn judge<'a>(
    profile: &Profile,
    traits: impl Into<Traits<'a>>,
    permitted: &[Permitted],
    transcript: &Transcript,
) -> Vec<Finding> {
    match traits.into() {
        Traits::Server(rule) => judge_server(profile, rule, permitted, transcript),
        Traits::Client(traits) => permitted
            .iter()
            .flat_map(|permitted| client::findings(profile, traits, permitted, transcript))
            .collect(),
    }
}

fn judge_server(
    profile: &Profile,
    rule: &ReplyRule,
    permitted: &[Permitted],
    transcript: &Transcript,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (conn, owed) in permitted.iter().enumerate() {
        let observed = Observed::of(profile, transcript, conn, owed.duties.len());
        findings.extend(walk::findings(profile, rule, permitted, conn, &observed));
    }
    findings.extend(canary(&transcript.canary));
    findings
}

/// Whether what a server has sent on a stream so far is wrong, whatever may come behind it, so that waiting for the
/// rest of what it owes can change nothing. `false` where that is not known.
#[must_use]
pub fn is_contradicted(
    profile: &Profile,
    rule: &ReplyRule,
    permitted: &[Permitted],
    conn: Conn,
    so_far: &Transcript,
) -> bool {
    let duties = permitted.get(conn).map_or(0, |owed| owed.duties.len());
    let observed = Observed::of(profile, so_far, conn, duties);
    let is_open = observed.close.is_none() && observed.own_end.is_none();
    let is_stream = profile.carriage() == Carriage::Stream;
    is_open && is_stream && walk::is_contradicted(profile, rule, permitted, conn, &observed)
}

fn canary(canary: &Canary) -> Option<Finding> {
    let (clause, what) = match canary {
        Canary::Well => return None,
        Canary::Disturbed(how) => (
            Clause::Isolation,
            say!("a healthy client beside it {how}", how),
        ),
        Canary::Dead(how) => (
            Clause::Isolation,
            say!("afterwards the server was gone: {how}", how),
        ),
        Canary::Mute(how) => (
            Clause::Isolation,
            say!("afterwards the server served no new client: {how}", how),
        ),
    };
    Some(Finding::must(clause, 0, what))
}
