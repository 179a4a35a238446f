//! A case that has been played, once or several times.

use super::plan::Planned;
use super::play::{Peer, play};
use super::verdict::Attempt;
use crate::event::{Attempts, Verdict};
use crate::model;
use crate::peer::Stderr;
use crate::transcript::{Seen, Transcript};
use std::time::{Duration, Instant};

/// A case that has been played.
pub(super) struct Played {
    pub(super) planned: Planned,
    pub(super) attempt: Attempt,
    pub(super) attempts: Attempts,
    pub(super) elapsed: Duration,
    /// When octets were last sent in it before the server showed signs of its end, if any were.
    pub(super) last_sent: Option<Instant>,
    /// Whether the failure is beyond doubt, however often it did not come: the server was gone.
    pub(super) is_certain: bool,
    /// Where the server's standard error stood when it was begun.
    mark: u64,
}

impl Played {
    /// Says that the case was played but once, since the server was gone before it could be again.
    pub(super) fn doubt_that_it_is_confirmed(&mut self) {
        if let Some(finding) = self.attempt.findings.first_mut() {
            finding
                .what
                .push_str(" (seen once: the server was gone before it could be confirmed)");
        }
    }

    pub(super) fn server_is_gone(&self) -> bool {
        self.attempt.server_is_gone()
    }

    /// Both together: what was seen in the later one, if it failed, and how often it failed in all.
    pub(super) fn followed_by(self, later: Self) -> Self {
        let attempts = Attempts {
            failed: self.attempts.failed.saturating_add(later.attempts.failed),
            of: self.attempts.of.saturating_add(later.attempts.of),
        };
        let elapsed = self.elapsed.saturating_add(later.elapsed);
        let is_certain = self.is_certain || later.is_certain;
        let shown = if later.attempts.failed > 0 {
            later
        } else {
            self
        };
        Self {
            attempts,
            elapsed,
            is_certain,
            ..shown
        }
    }

    /// What the server has written to its standard error since this was begun.
    pub(super) fn hear(&mut self, stderr: &Stderr) {
        self.attempt.stderr = stderr.since(self.mark);
    }
}

/// Plays a case so many times; of the attempts the worst is kept.
pub(super) async fn tries(peer: &Peer, planned: Planned, times: u32) -> Played {
    let mut worst = once(peer, planned).await;
    for _ in 1..times {
        if worst.server_is_gone() {
            break;
        }
        let mut next = once(peer, worst.planned.clone()).await;
        let (of, failed) = (worst.attempts.of, worst.attempts.failed);
        let elapsed = worst.elapsed.saturating_add(next.elapsed);
        next.attempts.of = next.attempts.of.saturating_add(of);
        next.attempts.failed = next.attempts.failed.saturating_add(failed);
        if worst.attempt.verdict() < next.attempt.verdict() || next.server_is_gone() {
            worst = Played { elapsed, ..next };
        } else {
            worst = Played {
                elapsed,
                attempts: next.attempts,
                ..worst
            };
        }
    }
    worst
}

async fn once(peer: &Peer, planned: Planned) -> Played {
    let begun = Instant::now();
    let mark = peer.stderr.as_ref().map(Stderr::mark).unwrap_or_default();
    let permitted = model::permitted(&peer.profile, &planned.script);
    let (transcript, began) = play(peer, &planned.script, &permitted).await;
    let last_sent = last_sent(&transcript).and_then(|at| began.checked_add(at));
    let script = planned.script.clone();
    let attempt = Attempt::judged(peer, Some(planned.case), script, permitted, transcript);
    let failed = u32::from(attempt.verdict() != Verdict::Pass);
    let attempts = Attempts { failed, of: 1 };
    let mut played = Played {
        planned,
        attempt,
        attempts,
        elapsed: begun.elapsed(),
        last_sent,
        is_certain: false,
        mark,
    };
    if let Some(stderr) = &peer.stderr {
        played.hear(stderr);
    }
    played
}

/// When octets were last sent before the server first ended a connection, refused one or fell
/// silent.
fn last_sent(transcript: &Transcript) -> Option<Duration> {
    let sign = transcript.entries.iter().position(|entry| {
        matches!(
            entry.seen,
            Seen::Fin | Seen::Rst | Seen::Refused(_) | Seen::SendFailed | Seen::GaveUp(_)
        )
    });
    let before = transcript.entries.iter().take(sign.unwrap_or(usize::MAX));
    let sent = before.filter(|entry| matches!(entry.seen, Seen::Sent(_)));
    sent.map(|entry| entry.at).next_back()
}
