//! The last of what a program writes to its standard error.

use super::group::{Output, ProcessObserver};
use crate::transcript::Exit;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How many octets are kept, however many come.
const KEPT: usize = 16 << 10;

/// How many of them are shown at most.
const SHOWN: usize = 4 << 10;

/// What is kept. Shared by the thread that reads and whoever looks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stderr {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: VecDeque<u8>,
    /// Octets that have come in all.
    written: u64,
    /// Nothing more will come.
    ended: bool,
}

impl Stderr {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, octets: &[u8]) {
        let mut inner = self.inner();
        inner.kept.extend(octets);
        let over = inner.kept.len().saturating_sub(KEPT);
        inner.kept.drain(..over);
        let came = u64::try_from(octets.len()).unwrap_or_default();
        inner.written = inner.written.saturating_add(came);
    }

    /// Where it stands now, for [`since`](Self::since).
    pub(crate) fn mark(&self) -> u64 {
        self.inner().written
    }

    /// The last of what has come since that mark, from the beginning of a line if there is more.
    pub(crate) fn since(&self, mark: u64) -> String {
        let inner = self.inner();
        let came = usize::try_from(inner.written.saturating_sub(mark)).unwrap_or(usize::MAX);
        let shown = came.min(SHOWN).min(inner.kept.len());
        let skipped = inner.kept.len().saturating_sub(shown);
        let octets: Vec<u8> = inner.kept.iter().skip(skipped).copied().collect();
        drop(inner);
        let is_whole = shown == came;
        let from_line = |at: usize| octets.get(at.saturating_add(1)..);
        let first_end = octets.iter().position(|octet| *octet == b'\n');
        let octets = match first_end.and_then(from_line) {
            Some(lines) if !is_whole && !lines.is_empty() => lines,
            _ => &octets,
        };
        String::from_utf8_lossy(octets).trim_end().to_owned()
    }

    /// Waits until all has come, but no longer than that: whoever inherited the stream may keep it open.
    pub(crate) async fn ended(&self, limit: Duration) {
        let begun = Instant::now();
        while !self.inner().ended && begun.elapsed() < limit {
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl ProcessObserver for Stderr {
    fn said(&self, output: Output, octets: &[u8]) {
        if output == Output::Stderr {
            self.keep(octets);
        }
    }

    fn closed(&self, output: Output) {
        if output == Output::Stderr {
            self.inner().ended = true;
        }
    }

    fn exited(&self, _: Exit) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_kept_and_shown_by_lines() {
        let stderr = Stderr::default();
        stderr.keep(b"one\n");
        let mark = stderr.mark();
        assert_eq!(stderr.since(mark), "");
        stderr.keep(b"two\nthree \xff\n");
        assert_eq!(stderr.since(mark), "two\nthree \u{fffd}");
        assert_eq!(stderr.since(0), "one\ntwo\nthree \u{fffd}");
        for line in 0..10_000 {
            stderr.keep(format!("line {line}\n").as_bytes());
        }
        assert!(stderr.inner().kept.len() <= KEPT);
        let shown = stderr.since(mark);
        assert!(shown.len() <= SHOWN && shown.ends_with("line 9999"));
        assert!(shown.starts_with("line "), "{shown:.20}");
    }
}
