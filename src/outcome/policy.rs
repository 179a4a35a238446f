//! How often a case is tried, and what that comes to: the one policy, without a peer and without a clock.
//!
//! A case is tried once, or as often as the user says. What fails is tried again alone, with more time for
//! everything, until it fails again or has been tried often enough. A failure that comes every time is
//! one; a failure that comes and goes makes the case unstable, with the figures, unless all that was
//! owed came in every attempt, only late: then this machine was busy. Where the other side is gone and
//! nobody else can have done it, there is no doubt, however often it did not go.

use crate::event::{Attempts, Verdict};

/// How often at most a failure that does not come back is tried.
const MOST: u32 = 4;

/// How often a case is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How often in any case, at least 1.
    repeat: u32,
    /// Whether a failure is confirmed.
    confirms: bool,
}

/// What is to be done with a case next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is tried again as it was before.
    Repeat,
    /// It is tried again alone, with more time for everything.
    Confirm,
    /// Enough is known.
    Done,
}

impl Policy {
    /// So many times, and what fails is confirmed.
    pub(crate) fn confirmed(repeat: u32) -> Self {
        Self {
            repeat: repeat.max(1),
            confirms: true,
        }
    }

    /// Exactly so many times, at least once.
    pub(crate) fn exactly(repeat: u32) -> Self {
        Self {
            repeat: repeat.max(1),
            confirms: false,
        }
    }

    pub(crate) fn next(self, tally: &Tally) -> Next {
        let Attempts { failed, of } = tally.all;
        if tally.is_certain {
            Next::Done
        } else if of < self.repeat && tally.alone.of == 0 {
            Next::Repeat
        } else if self.confirms && failed > 0 && !tally.is_settled() {
            Next::Confirm
        } else {
            Next::Done
        }
    }
}

/// What the attempts at a case came to so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    all: Attempts,
    /// Those of them that were made to confirm a failure.
    alone: Attempts,
    /// Whether a failure is beyond doubt, however often it did not come.
    is_certain: bool,
    /// Whether in each attempt that failed all came that was owed, though late.
    is_late: bool,
}

/// What one attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) verdict: Verdict,
    /// All that was owed came, though later than it was waited for.
    pub(crate) late: bool,
    /// It is beyond doubt.
    pub(crate) certain: bool,
}

impl Came {
    pub(crate) const fn failed(self) -> bool {
        !matches!(self.verdict, Verdict::Pass | Verdict::Skip)
    }
}

impl Tally {
    /// After the first attempt.
    pub(crate) fn of(first: Came) -> Self {
        let mut tally = Self {
            all: Attempts::default(),
            alone: Attempts::default(),
            is_certain: false,
            is_late: true,
        };
        tally.repeated(first);
        tally
    }

    /// One more attempt was made as before.
    pub(crate) fn repeated(&mut self, came: Came) {
        count(&mut self.all, came);
        self.is_certain |= came.certain;
        self.is_late &= came.late || !came.failed();
    }

    /// One more was made to confirm a failure.
    pub(crate) fn confirmed(&mut self, came: Came) {
        self.repeated(came);
        count(&mut self.alone, came);
    }

    /// The attempt that is shown comes to this after all: an only attempt is then counted as such.
    pub(crate) fn amended(&mut self, came: Came) {
        self.all.failed = self.all.failed.max(u32::from(came.failed()));
        self.is_certain |= came.certain;
        self.is_late &= came.late || !came.failed();
    }

    /// Whether no further attempt alone would tell more: one has failed, or none did of as many as it is
    /// worth.
    const fn is_settled(&self) -> bool {
        self.alone.failed > 0 || (self.alone.of > 0 && self.all.of >= MOST)
    }

    pub(crate) const fn attempts(&self) -> Attempts {
        self.all
    }

    /// What all of it comes to, if the attempt that is shown came to that.
    pub(crate) fn verdict(&self, shown: Verdict) -> Verdict {
        let comes_and_goes = self.all.failed < self.all.of && !self.is_certain;
        match shown {
            Verdict::Fail if comes_and_goes && self.is_late => Verdict::Pass,
            // A warning that comes and goes is a warning; a failure that does is not certain.
            Verdict::Fail if comes_and_goes => Verdict::Unstable,
            verdict => verdict,
        }
    }
}

fn count(attempts: &mut Attempts, came: Came) {
    attempts.of = attempts.of.saturating_add(1);
    let failed = u32::from(came.failed());
    attempts.failed = attempts.failed.saturating_add(failed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: Came = Came {
        verdict: Verdict::Pass,
        late: false,
        certain: false,
    };

    const FAIL: Came = Came {
        verdict: Verdict::Fail,
        ..PASS
    };

    const LATE: Came = Came { late: true, ..FAIL };

    const GONE: Came = Came {
        certain: true,
        ..FAIL
    };

    /// Tries as the policy says; what came, how often that failed, and what it comes to.
    fn tried(policy: Policy, coming: &[Came]) -> (usize, Attempts, Verdict) {
        let mut left = coming.iter().copied();
        let mut tally = Tally::of(left.next().unwrap());
        loop {
            match policy.next(&tally) {
                Next::Done => break,
                Next::Repeat => tally.repeated(left.next().unwrap()),
                Next::Confirm => tally.confirmed(left.next().unwrap()),
            }
        }
        let worst = coming.iter().map(|came| came.verdict).max().unwrap();
        (left.len(), tally.attempts(), tally.verdict(worst))
    }

    fn comes_to(policy: Policy, coming: &[Came], failed: u32, verdict: Verdict) {
        let of = u32::try_from(coming.len()).unwrap();
        let expected = (0, Attempts { failed, of }, verdict);
        assert_eq!(tried(policy, coming), expected, "{coming:?}");
    }

    #[test]
    fn what_passes_is_tried_once() {
        comes_to(Policy::confirmed(1), &[PASS], 0, Verdict::Pass);
        let skip = Came {
            verdict: Verdict::Skip,
            ..PASS
        };
        comes_to(Policy::confirmed(1), &[skip], 0, Verdict::Skip);
    }

    #[test]
    fn a_failure_twice_in_a_row_is_certain() {
        comes_to(Policy::confirmed(1), &[FAIL, FAIL], 2, Verdict::Fail);
        comes_to(Policy::confirmed(1), &[LATE, LATE], 2, Verdict::Fail);
    }

    #[test]
    fn a_failure_that_comes_and_goes_is_unstable() {
        let policy = Policy::confirmed(1);
        comes_to(policy, &[FAIL, PASS, FAIL], 2, Verdict::Unstable);
        comes_to(policy, &[FAIL, PASS, PASS, FAIL], 2, Verdict::Unstable);
        comes_to(policy, &[FAIL, PASS, PASS, PASS], 1, Verdict::Unstable);
    }

    #[test]
    fn a_warning_that_comes_and_goes_is_a_warning() {
        let warn = Came {
            verdict: Verdict::Warn,
            ..PASS
        };
        comes_to(
            Policy::confirmed(1),
            &[warn, PASS, PASS, PASS],
            1,
            Verdict::Warn,
        );
    }

    #[test]
    fn what_was_late_and_whole_is_forgiven_if_nothing_else_was_amiss() {
        let policy = Policy::confirmed(1);
        comes_to(policy, &[LATE, PASS, PASS, PASS], 1, Verdict::Pass);
        comes_to(policy, &[LATE, PASS, LATE], 2, Verdict::Pass);
        comes_to(policy, &[LATE, PASS, FAIL], 2, Verdict::Unstable);
        comes_to(policy, &[FAIL, PASS, LATE], 2, Verdict::Unstable);
        comes_to(Policy::exactly(3), &[PASS, LATE, PASS], 1, Verdict::Pass);
    }

    #[test]
    fn where_the_peer_is_gone_there_is_no_doubt() {
        comes_to(Policy::confirmed(1), &[GONE], 1, Verdict::Fail);
        comes_to(Policy::confirmed(1), &[LATE, PASS, GONE], 2, Verdict::Fail);
        comes_to(Policy::confirmed(5), &[PASS, GONE], 1, Verdict::Fail);
    }

    #[test]
    fn what_is_repeated_is_confirmed_once_at_least() {
        let mut coming = vec![PASS; 9];
        coming.push(FAIL);
        coming.push(PASS);
        comes_to(Policy::confirmed(10), &coming, 1, Verdict::Unstable);
        comes_to(
            Policy::confirmed(2),
            &[FAIL, FAIL, PASS, PASS],
            2,
            Verdict::Unstable,
        );
        comes_to(Policy::confirmed(3), &[PASS; 3], 0, Verdict::Pass);
    }

    #[test]
    fn exactly_is_exactly() {
        comes_to(Policy::exactly(0), &[FAIL], 1, Verdict::Fail);
        comes_to(Policy::exactly(2), &[FAIL, PASS], 1, Verdict::Unstable);
        comes_to(Policy::exactly(5), &[FAIL; 5], 5, Verdict::Fail);
    }

    #[test]
    fn what_turns_out_to_have_failed_counts_once() {
        let mut tally = Tally::of(PASS);
        tally.amended(GONE);
        assert_eq!(tally.attempts(), Attempts { failed: 1, of: 1 });
        assert_eq!(tally.verdict(Verdict::Fail), Verdict::Fail);
        let mut tally = Tally::of(FAIL);
        tally.amended(FAIL);
        assert_eq!(tally.attempts(), Attempts { failed: 1, of: 1 });
    }
}
