//! What is new in what a script made a server do.

use crate::model::{Doubt, Duty, Owes, Permitted, Tail};
use crate::run::Played;
use crate::script::{Action, OwnEnd, Script};
use crate::transcript::{Entry, Seen, Transcript};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// So many kinds of duty in a row are told apart on one connection.
const MOST_DUTIES: usize = 3;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Novelty(HashSet<u64>);

impl Novelty {
    /// Whether a script has shown what none before it has. What hangs on time alone, such as how long a
    /// reply took or which of two ends came first, is left out, so that the same scripts follow when a campaign
    /// is begun again.
    pub(super) fn is_new(&mut self, played: &Played) -> bool {
        let (permitted, transcript) = (played.permitted(), played.transcript());
        let conns = permitted.iter().enumerate();
        let before = self.0.len();
        let features = conns.map(|(conn, permitted)| feature(permitted, transcript, conn));
        self.0.extend(features);
        self.0.len() > before
    }

    /// How many different things have been seen.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What the model says of a connection and what came on it, in classes.
fn feature(permitted: &Permitted, transcript: &Transcript, conn: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    duties(permitted).hash(&mut hasher);
    (tail(permitted.tail), permitted.own_end == OwnEnd::Fin).hash(&mut hasher);
    if permitted.own_end != OwnEnd::Rst {
        let came = transcript.of(conn).map(|(_, entry)| entry);
        came.fold(Came::default(), Came::and).hash(&mut hasher);
    }
    hasher.finish()
}

/// What came on a connection.
#[derive(Debug, Default)]
struct Came {
    octets: usize,
    ended: bool,
    gave_up: bool,
}

impl Came {
    fn and(self, entry: &Entry) -> Self {
        match &entry.seen {
            Seen::Received(octets) => Self {
                octets: self.octets.saturating_add(octets.len()),
                ..self
            },
            Seen::Fin | Seen::Rst => Self {
                ended: true,
                ..self
            },
            Seen::GaveUp(..) => Self {
                gave_up: true,
                ..self
            },
            _ => self,
        }
    }
}

impl Hash for Came {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.octets.checked_ilog2(), self.ended, self.gave_up).hash(state);
    }
}

/// The kinds of duty, neighbours of one kind once.
fn duties(permitted: &Permitted) -> Vec<&'static str> {
    let mut kinds: Vec<_> = permitted.duties.iter().map(kind).collect();
    kinds.dedup();
    kinds.truncate(MOST_DUTIES);
    kinds
}

fn kind(duty: &Duty) -> &'static str {
    match &duty.owes {
        Owes::Reply(carried) if carried.text.is_some() => "text",
        Owes::Reply(_) => "message",
        Owes::ReplyOrClose(Doubt::Payload) => "no message",
        Owes::ReplyOrClose(Doubt::Smuggled(_)) => "smuggled",
        Owes::ReplyOrClose(Doubt::Size(_)) => "large",
        Owes::ReplyOrClose(Doubt::OddLength) => "odd length",
        Owes::ReplyOrClose(Doubt::MorePadding(_)) => "more padding",
        Owes::Close(_) => "close",
        // No server's duties.
        Owes::Showing(_) | Owes::ReadOnOrEnd(_) => "",
    }
}

fn tail(tail: Tail) -> String {
    match tail {
        Tail::Inside { place, .. } => format!("{place:?}"),
        Tail::Boundary => "between".to_owned(),
        Tail::Void => "void".to_owned(),
    }
}

/// What a script is like, whatever its octets are: two findings of one clause whose scripts are alike are
/// taken for one.
pub(super) fn shape(script: &Script, permitted: &[Permitted]) -> String {
    let steps = script.steps().iter().map(|step| match &step.action {
        Action::Send(segments) if segments.len() > 1 => "cut",
        Action::Send(_) => "send",
        Action::Await | Action::Quiet | Action::Pause(_) => "wait",
        Action::Open => "open",
        Action::Fin => "fin",
        Action::Rst => "rst",
        _ => "other",
    });
    let mut steps: Vec<_> = steps.collect();
    steps.dedup();
    let streams = permitted.iter().map(|one| (duties(one), tail(one.tail)));
    format!("{steps:?} {:?}", streams.collect::<Vec<_>>())
}
