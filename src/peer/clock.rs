//! The clock that waiting goes by: it counts only time in which somebody had a turn.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Time that was waited, as far as this machine let anybody do anything: a turn that comes late counts
/// as if it had come in time, since the server had no better luck meanwhile.
#[derive(Debug)]
pub(crate) struct TurnClock {
    counted: Duration,
    last: Instant,
    /// The most that one turn counts.
    most: Duration,
}

impl TurnClock {
    /// From now on, by turns that take about so long.
    pub(crate) fn by(turn: Duration) -> Self {
        Self {
            counted: Duration::ZERO,
            last: Instant::now(),
            most: turn.saturating_mul(4),
        }
    }

    /// How long it has been, one turn later.
    pub(crate) fn turn(&mut self) -> Duration {
        let now = Instant::now();
        let turn = now.saturating_duration_since(self.last).min(self.most);
        self.last = now;
        self.counted = self.counted.saturating_add(turn);
        self.counted
    }
}

/// How long a wait is left to itself.
const SLICE: Duration = Duration::from_millis(20);

/// Waits for something, but no longer than that; see [`TurnClock`].
pub(crate) async fn patiently<T>(limit: Duration, wait: impl Future<Output = T>) -> Option<T> {
    let mut wait = pin!(wait);
    let mut clock = TurnClock::by(SLICE);
    let mut left = limit;
    loop {
        if let Ok(done) = timeout(left.min(SLICE), &mut wait).await {
            return Some(done);
        }
        left = limit.saturating_sub(clock.turn());
        if left.is_zero() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[test]
    fn a_turn_that_comes_late_counts_as_one() {
        let turn = Duration::from_millis(10);
        let mut clock = TurnClock::by(turn);
        clock.last = clock.last.checked_sub(Duration::from_secs(9)).unwrap();
        assert_eq!(clock.turn(), 4 * turn);
        assert!(clock.turn() < 8 * turn);
    }

    #[tokio::test]
    async fn a_wait_ends_when_it_is_over_or_has_been_long_enough() {
        let limit = Duration::from_millis(30);
        assert_eq!(patiently(limit, ready(1)).await, Some(1));
        let begun = Instant::now();
        assert_eq!(patiently(limit, pending::<()>()).await, None);
        assert!(begun.elapsed() >= limit);
    }
}
