//! A server that goes on computing for clients that are gone: whatever is played after that is slow, and would be
//! charged with what earlier cases have left behind.

use crate::peer::Process;
use crate::transcript::Reading;
use std::time::Instant;

/// So many cases are played before the first look at what the process uses.
const BEFORE_THE_FIRST: usize = 6;

/// From so many hundredths of a processor on it may be spinning: most servers need less for what a case asks.
const BUSY: u128 = 85;

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
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return false;
        }
        self.left = self.between;
        self.is_busy(process).await
    }

    async fn is_busy(&mut self, process: Process) -> bool {
        let now = process
            .reading()
            .await
            .map(|reading| (reading, Instant::now()));
        let before = std::mem::replace(&mut self.before, now);
        match (before, now) {
            (Some((earlier, then)), Some((later, now))) => {
                let passed = now.saturating_duration_since(then);
                later.share_since(&earlier, passed) >= BUSY
            }
            _ => false,
        }
    }
}
