//! A case that has been played, once or several times.

use super::plan::Planned;
use super::play::{Peer, play};
use crate::event::{Evidence, FindingNote, Verdict};
use crate::model;
use crate::outcome::{Attempt, Judged, Series};
use crate::peer::Stderr;
use crate::transcript::{Seen, Transcript};
use std::time::{Duration, Instant};

/// A case that has been played, be it several times.
pub(super) type Played = Series<Once>;

/// A case that has been played once.
#[derive(Debug)]
pub(super) struct Once {
    pub(super) planned: Planned,
    pub(super) attempt: Attempt,
    /// When octets were last sent in it before the server showed signs of its end, if any were.
    pub(super) last_sent: Option<Instant>,
    /// Where the server's standard error stood when it was begun.
    mark: u64,
}

impl Once {
    /// Takes up what the server has written to its standard error since this was begun.
    pub(super) fn take_up(&mut self, stderr: &Stderr) {
        self.attempt.stderr = stderr.since(self.mark);
    }
}

impl Judged for Once {
    fn verdict(&self) -> Verdict {
        self.attempt.verdict()
    }

    fn is_late(&self) -> bool {
        self.attempt.is_late()
    }

    fn peer_is_gone(&self) -> bool {
        self.attempt.peer_is_gone()
    }

    fn is_certain(&self) -> bool {
        self.attempt.is_certain()
    }

    fn elapsed(&self) -> Duration {
        self.attempt.elapsed()
    }

    fn findings(&self) -> Vec<FindingNote> {
        self.attempt.findings()
    }

    fn without_findings(&self) -> &str {
        self.attempt.without_findings()
    }

    fn evidence(&self) -> Evidence {
        self.attempt.evidence()
    }
}

/// Plays a case so many times, unless the server is gone before.
pub(super) async fn repeated(peer: &Peer, planned: Planned, times: u32) -> Played {
    let mut played = Series::of(once(peer, planned.clone()).await);
    while played.attempts().of < times && !played.shown().peer_is_gone() {
        played.repeated(once(peer, planned.clone()).await);
    }
    played
}

/// Plays a case.
pub(super) async fn once(peer: &Peer, planned: Planned) -> Once {
    let begun = Instant::now();
    let mark = peer.stderr.as_ref().map(Stderr::mark).unwrap_or_default();
    let permitted = model::permitted(&peer.profile, &planned.script);
    let (transcript, began) = play(peer, &planned.script, &permitted).await;
    let last_sent = last_sent(&transcript).and_then(|at| began.checked_add(at));
    let (profile, case, script) = (&peer.profile, Some(planned.case), planned.script.clone());
    let mut attempt = Attempt::judged(
        profile,
        (&peer.rule).into(),
        case,
        script,
        permitted,
        transcript,
    );
    attempt.elapsed = begun.elapsed();
    let mut once = Once {
        planned,
        attempt,
        last_sent,
        mark,
    };
    if let Some(stderr) = &peer.stderr {
        once.take_up(stderr);
    }
    once
}

/// When octets were last sent before the server first ended a connection, refused one or fell
/// silent.
fn last_sent(transcript: &Transcript) -> Option<Duration> {
    let sign = transcript.entries.iter().position(|entry| {
        matches!(
            entry.seen,
            Seen::Fin | Seen::Rst | Seen::Refused(_) | Seen::SendFailed | Seen::GaveUp(..)
        )
    });
    let before = transcript.entries.iter().take(sign.unwrap_or(usize::MAX));
    let sent = before.filter(|entry| matches!(entry.seen, Seen::Sent(_)));
    sent.map(|entry| entry.at).next_back()
}
