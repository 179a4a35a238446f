//! A case that has been played, once or several times.

use super::peer::Peer;
use super::plan::Planned;
use crate::event::{Evidence, FindingNote, Verdict};
use crate::lang::Text;
use crate::outcome::{Attempt, Judged, Series};
use crate::peer::Stderr;
use std::io;
use std::time::{Duration, Instant};

/// A case that has been played, be it several times.
pub(super) type Played = Series<Once>;

/// A case that has been played once.
#[derive(Debug)]
pub(super) struct Once {
    pub(super) planned: Planned,
    pub(super) attempt: Attempt,
    /// When octets were last sent in it before the peer showed signs of its end, if any were.
    pub(super) last_sent: Option<Instant>,
    /// Where a server's standard error stood when it was begun.
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

    fn without_findings(&self) -> Text {
        self.attempt.without_findings()
    }

    fn evidence(&self) -> Evidence {
        self.attempt.evidence()
    }
}

/// Plays a case so many times, unless the peer is gone before.
pub(super) async fn repeated(peer: &Peer, planned: Planned, times: u32) -> io::Result<Played> {
    let mut played = Series::of(once(peer, planned.clone()).await?);
    while played.attempts().of < times && !played.shown().peer_is_gone() {
        played.repeated(once(peer, planned.clone()).await?);
    }
    Ok(played)
}

/// Plays a case.
pub(super) async fn once(peer: &Peer, planned: Planned) -> io::Result<Once> {
    let mark = peer.stderr().map(Stderr::mark).unwrap_or_default();
    let (script, case) = (planned.script.clone(), Some(planned.case));
    let (attempt, last_sent) = peer.attempt(script, case).await?;
    let mut once = Once {
        planned,
        attempt,
        last_sent,
        mark,
    };
    if let Some(stderr) = peer.stderr() {
        once.take_up(stderr);
    }
    Ok(once)
}
