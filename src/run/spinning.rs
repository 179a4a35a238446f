//! A server that goes on computing for clients that are gone: whatever is played after that is slow, and would be
//! charged with what earlier cases have left behind.

use crate::peer::Process;
use crate::transcript::Reading;
use std::time::Instant;

/// So many cases are played before the first look at what the process uses.
const BEFORE_THE_FIRST: usize = 6;

/// What a server's process has used since it was last looked at.
#[derive(Debug)]
pub(super) struct Spinning {
    /// Cases until the next look.
    left: usize,
    /// Cases between two looks.
    between: usize,
    before: Option<(Reading, Instant)>,
}

impl Default for Spinning {
    fn default() -> Self {
        Self {
            left: BEFORE_THE_FIRST,
            between: BEFORE_THE_FIRST,
            before: None,
        }
    }
}

impl Spinning {
    /// The server came to rest: it was busy with what it was asked, and is looked at half as often from now on.
    pub(super) fn rested(&mut self) {
        self.between = self.between.saturating_mul(2);
        self.left = self.between;
    }

    /// Notes that a case is over. Whether the server has used so much lately that it is to be let come to rest.
    pub(super) async fn is_suspected(&mut self, process: Process) -> bool {
        self.is_due() && self.looks(process).await
    }

    /// Looks at it. Whether it has used so much since the last look.
    pub(super) async fn looks(&mut self, process: Process) -> bool {
        let reading = process.reading().await;
        self.is_busy(reading.map(|reading| (reading, Instant::now())))
    }

    fn is_due(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        let is_due = self.left == 0;
        if is_due {
            self.left = self.between;
        }
        is_due
    }

    fn is_busy(&mut self, now: Option<(Reading, Instant)>) -> bool {
        let before = std::mem::replace(&mut self.before, now);
        match (before, now) {
            (Some((earlier, then)), Some((later, now))) => {
                let passed = now.saturating_duration_since(then);
                later.is_busy_since(&earlier, passed)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_server_that_rests_is_looked_at_half_as_often() {
        let mut spinning = Spinning::default();
        let looks = |spinning: &mut Spinning| (0..24).filter(|_| spinning.is_due()).count();
        assert_eq!(looks(&mut spinning), 4);
        spinning.rested();
        assert_eq!(looks(&mut spinning), 2);
    }

    #[test]
    fn what_was_used_since_the_last_look_counts() {
        let (mut spinning, begun) = (Spinning::default(), Instant::now());
        let mut used = |ms, at| {
            let cpu = Duration::from_millis(ms);
            let reading = Reading {
                cpu,
                ..Reading::default()
            };
            spinning.is_busy(Some((reading, begun + Duration::from_millis(at))))
        };
        assert!(!used(900, 1_000), "there is nothing to compare it with");
        assert!(used(1_850, 2_000));
        assert!(!used(2_000, 3_000));
    }
}
