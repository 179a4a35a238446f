//! What is new in what a script made a server do.

use crate::diagnosis::Symptom;
use crate::model::{Doubt, Duty, Owes, Permitted, Tail, Unsure, reader};
use crate::profile::Profile;
use crate::run::Played;
use crate::script::{Action, OwnEnd, Script};
use crate::transcript::{Entry, Seen, Transcript};
use std::collections::HashSet;

/// So many kinds of duty in a row are told apart on one connection.
const MOST_DUTIES: usize = 3;

/// Where nothing is owed.
const NOTHING: &str = "nothing";

/// So many replies of a connection are looked at.
const MOST_REPLIES: usize = 16;

/// So many lines of a server's standard error are told apart: one that writes what it is sent writes a new one each time.
const MOST_LINES: usize = 64;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Novelty {
    seen: HashSet<Feature>,
    lines: usize,
}

/// One thing that can be seen. Each is told apart by itself and not together with all others: almost every script
/// is the first to show some things together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Feature {
    /// What the model asks for on a connection: of one kind, and then of another.
    Duties(&'static str, &'static str),
    /// Where a stream stops, whether it was ended there, and how the connection ended.
    Tail(&'static str, bool, Option<End>),
    /// What came where something was owed.
    Reply(&'static str, &'static str),
    /// The size of a reply.
    Size(Option<u32>),
    /// How many replies came.
    Replies(Option<u32>),
    /// How a connection ended that was owed this last.
    End(&'static str, End),
    /// A line on standard error.
    Said(Symptom),
}

/// How a connection ended. Whether by FIN or RST is often a matter of what the server had still to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum End {
    #[default]
    Open,
    Ended,
    GivenUp,
}

impl Novelty {
    /// Whether a script has shown what none before it has. What hangs on time alone, such as how long a
    /// reply took or which of two ends came first, is left out, so that the same scripts follow when a campaign
    /// is begun again.
    pub(super) fn is_new(&mut self, profile: &Profile, played: &Played) -> bool {
        let (permitted, transcript) = (played.permitted(), played.transcript());
        let before = self.seen.len();
        for (conn, permitted) in permitted.iter().enumerate() {
            self.seen.extend(asked(permitted));
            self.seen.extend(came(profile, permitted, transcript, conn));
        }
        self.hear(played.stderr());
        self.seen.len() > before
    }

    /// How many different things have been seen.
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    fn hear(&mut self, stderr: &str) {
        for line in stderr.lines() {
            let line = Feature::Said(Symptom::told("stderr", line));
            if self.lines < MOST_LINES && self.seen.insert(line) {
                self.lines = self.lines.saturating_add(1);
            }
        }
    }
}

/// What is owed on a connection, neighbours of two kinds.
fn asked(permitted: &Permitted) -> impl Iterator<Item = Feature> {
    let kinds = || permitted.duties.iter().map(kind);
    let first = std::iter::once(NOTHING).chain(kinds());
    let pairs = first.zip(kinds()).filter(|(one, next)| one != next);
    pairs.map(|(one, next)| Feature::Duties(one, next))
}

/// What came on a connection, in classes. Of one that was reset it is chance how much did.
fn came(
    profile: &Profile,
    permitted: &Permitted,
    transcript: &Transcript,
    conn: usize,
) -> Vec<Feature> {
    let (tail, own_end) = (tail(permitted.tail), permitted.own_end);
    if own_end == OwnEnd::Rst {
        return vec![Feature::Tail(tail, false, None)];
    }
    let end = end(transcript, conn);
    let octets = received(transcript, conn);
    let frames = reader::read_with_limit(profile, &octets, u128::MAX).frames;
    let last = permitted.duties.last().map_or(NOTHING, kind);
    let mut features = vec![
        Feature::Tail(tail, own_end == OwnEnd::Fin, Some(end)),
        Feature::Replies(frames.len().checked_ilog2()),
        Feature::End(last, end),
    ];
    let owed = permitted.duties.iter().map(kind);
    let owed = owed.chain(std::iter::repeat(NOTHING));
    for (frame, owed) in frames.into_iter().zip(owed).take(MOST_REPLIES) {
        let payload = frame.payload(&octets);
        features.push(Feature::Reply(owed, looks(&payload)));
        features.push(Feature::Size(size(&payload)));
    }
    features
}

fn received(transcript: &Transcript, conn: usize) -> Vec<u8> {
    let octets = transcript
        .of(conn)
        .filter_map(|(_, entry)| match &entry.seen {
            Seen::Received(octets) => Some(octets.as_ref()),
            _ => None,
        });
    octets.collect::<Vec<_>>().concat()
}

fn end(transcript: &Transcript, conn: usize) -> End {
    let entries = transcript.of(conn).map(|(_, entry)| entry);
    entries.fold(End::default(), |end, Entry { seen, .. }| match seen {
        Seen::Fin | Seen::Rst => End::Ended,
        Seen::GaveUp(..) if end == End::Open => End::GivenUp,
        _ => end,
    })
}

/// What a payload looks like, by its first octet.
fn looks(payload: &[u8]) -> &'static str {
    match payload.first() {
        None => "empty",
        Some(b'"') => "text",
        Some(b'{') => "object",
        Some(b'[') => "list",
        Some(b'-' | b'0'..=b'9') => "number",
        Some(octet) if octet.is_ascii_graphic() => "word",
        Some(_) => "octets",
    }
}

/// Classes that are four times as large as the one before.
fn size(payload: &[u8]) -> Option<u32> {
    payload.len().checked_ilog2().map(|log| log / 2)
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
        Owes::Reply(carried) if carried.text().is_some() => "text",
        Owes::Reply(_) => "message",
        Owes::Nothing(_) => "owed no reply",
        Owes::ReplyOrClose(Doubt::Unanswered) => "perhaps owed no reply",
        Owes::ReplyOrClose(Doubt::Payload) => "no message",
        Owes::ReplyOrClose(Doubt::Smuggled(_)) => "smuggled",
        Owes::ReplyOrClose(Doubt::Size(_)) => "large",
        Owes::ReplyOrClose(Doubt::OverLimit) => "over the limit",
        Owes::ReplyOrClose(Doubt::Beyond) => "beyond",
        Owes::ReplyOrClose(Doubt::OddLength) => "odd length",
        Owes::ReplyOrClose(Doubt::MorePadding(_)) => "more padding",
        Owes::Close(_) => "close",
        Owes::ReplyOrSilence(Unsure::Doubt(_)) => "doubtful",
        Owes::ReplyOrSilence(Unsure::NoFrame { .. }) => "no frame",
        // No server's duties.
        Owes::Showing(_) | Owes::ReadOnOrEnd(_) => "",
    }
}

/// Where a stream stops.
const fn tail(tail: Tail) -> &'static str {
    match tail {
        Tail::Inside { place, .. } => match place {
            reader::Place::Header => "in a header",
            reader::Place::Boundary => "behind a header",
            reader::Place::Body => "in a body",
        },
        Tail::Boundary => "between",
        Tail::Void => "void",
        Tail::Apart => "apart",
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
        Action::Begin(_) => "begin",
        Action::Fin => "fin",
        Action::Rst => "rst",
        _ => "other",
    });
    let mut steps: Vec<_> = steps.collect();
    steps.dedup();
    let streams = permitted.iter().map(|one| (duties(one), tail(one.tail)));
    format!("{steps:?} {:?}", streams.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;
    use std::time::Duration;

    /// What is seen on the one connection of a script, if that comes.
    fn features(script: &str, came_on: &[u8]) -> HashSet<Feature> {
        let script = format!("framespec script 1\nopen a\n{script}");
        let script: Script = script.parse().unwrap();
        let profile = Profile::default();
        let permitted = model::permitted(&profile, &script).remove(0);
        let seen = [Seen::Received(came_on.to_vec().into()), Seen::Fin];
        let entries = seen.map(|seen| Entry {
            at: Duration::ZERO,
            conn: 0,
            seen,
        });
        let transcript = Transcript {
            entries: entries.into(),
            ..Transcript::default()
        };
        let came = came(&profile, &permitted, &transcript, 0);
        asked(&permitted).chain(came).collect()
    }

    fn frame(payload: &str) -> Vec<u8> {
        let mut frame = b"\0\0\0\x3c".to_vec();
        frame.extend_from_slice(payload.as_bytes());
        frame.resize(64, 0);
        frame
    }

    #[test]
    fn octets_alone_make_nothing_new() {
        let one = features("send a 0000003c '\"hi\"' 00*56\nfin a", &frame("\"hi\""));
        let like = features("send a 0000003c | '\"ho\"' 00*56\nfin a", &frame("\"ho\""));
        assert_eq!(one, like);
        let number = features("send a 0000003c '\"hi\"' 00*56\nfin a", &frame("17"));
        assert_ne!(one, number);
        let open = features("send a 0000003c '\"hi\"' 00*56", &frame("\"hi\""));
        assert_ne!(one, open);
        let broken = features("send a 0000003c '\"hi\"'\nfin a", b"");
        assert!(broken.difference(&one).count() > 2, "{broken:?}");
    }

    #[test]
    fn lines_that_differ_in_figures_are_one_and_only_so_many_are_told_apart() {
        let mut novelty = Novelty::default();
        novelty.hear("served 1 client\nserved 22 clients\nserved 3 client");
        assert_eq!(novelty.len(), 2);
        let word = |number: usize| "x".repeat(number.saturating_add(1));
        let lines: Vec<_> = (0..200).map(word).collect();
        novelty.hear(&lines.join("\n"));
        assert_eq!(novelty.len(), MOST_LINES);
    }
}
