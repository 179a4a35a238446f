//! The attempts at one case: the one that is shown, and what all of them came to.

use super::policy::{Came, Next, Policy, Tally};
use crate::event::{Attempts, Evidence, FindingNote, Verdict};
use crate::lang::Text;
use std::time::Duration;

/// One attempt at a case, whoever is checked.
pub(crate) trait Judged {
    fn verdict(&self) -> Verdict;

    /// All that was owed came, though later than it was waited for.
    fn is_late(&self) -> bool;

    /// The other side was gone afterwards, so that it makes no sense to go on.
    fn peer_is_gone(&self) -> bool;

    /// It failed beyond doubt: the other side is gone, and nobody else can have done it.
    fn is_certain(&self) -> bool {
        false
    }

    /// How long it took.
    fn elapsed(&self) -> Duration;

    /// What was found, the gravest first.
    fn findings(&self) -> Vec<FindingNote>;

    /// What is to be said where nothing was found.
    fn without_findings(&self) -> Text;

    /// What was sent and seen.
    fn evidence(&self) -> Evidence;
}

fn came(attempt: &impl Judged) -> Came {
    Came {
        verdict: attempt.verdict(),
        late: attempt.is_late(),
        certain: attempt.is_certain(),
    }
}

/// The attempts at one case.
#[derive(Debug)]
pub(crate) struct Series<T> {
    shown: T,
    tally: Tally,
    elapsed: Duration,
}

impl<T: Judged> Series<T> {
    /// One attempt so far.
    pub(crate) fn of(first: T) -> Self {
        Self {
            tally: Tally::of(came(&first)),
            elapsed: first.elapsed(),
            shown: first,
        }
    }

    /// What is to be done next.
    pub(crate) fn next(&self, policy: Policy) -> Next {
        policy.next(&self.tally)
    }

    /// One more attempt was made as before. The worst is shown.
    pub(crate) fn repeated(&mut self, next: T) {
        self.tally.repeated(came(&next));
        self.elapsed = self.elapsed.saturating_add(next.elapsed());
        if self.shown.verdict() < next.verdict() || next.peer_is_gone() {
            self.shown = next;
        }
    }

    /// One more was made alone. If it failed it is what is shown, however the ones before it did: they
    /// had less time and may have been disturbed.
    pub(crate) fn confirmed(&mut self, next: T) {
        let came = came(&next);
        self.tally.confirmed(came);
        self.elapsed = self.elapsed.saturating_add(next.elapsed());
        if came.failed() {
            self.shown = next;
        }
    }

    /// Changes the attempt that is shown, after something more was found out about it.
    pub(crate) fn amend(&mut self, change: impl FnOnce(&mut T)) {
        change(&mut self.shown);
        self.tally.amended(came(&self.shown));
    }

    /// The attempt that is shown.
    pub(crate) const fn shown(&self) -> &T {
        &self.shown
    }

    /// How often it was tried, and how often it failed.
    pub(crate) const fn attempts(&self) -> Attempts {
        self.tally.attempts()
    }

    /// How long all attempts took.
    pub(crate) const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What all of it comes to.
    pub(crate) fn verdict(&self) -> Verdict {
        self.tally.verdict(self.shown.verdict())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Plain(Verdict, u64);

    impl Judged for Plain {
        fn verdict(&self) -> Verdict {
            self.0
        }

        fn is_late(&self) -> bool {
            false
        }

        fn peer_is_gone(&self) -> bool {
            false
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.1)
        }

        fn findings(&self) -> Vec<FindingNote> {
            Vec::new()
        }

        fn without_findings(&self) -> Text {
            Text::default()
        }

        fn evidence(&self) -> Evidence {
            Evidence::default()
        }
    }

    #[test]
    fn the_worst_of_those_that_are_alike_is_shown() {
        let mut series = Series::of(Plain(Verdict::Warn, 1));
        series.repeated(Plain(Verdict::Fail, 2));
        series.repeated(Plain(Verdict::Fail, 3));
        series.repeated(Plain(Verdict::Pass, 4));
        assert_eq!(*series.shown(), Plain(Verdict::Fail, 2));
        assert_eq!(series.elapsed(), Duration::from_secs(10));
        assert_eq!(series.verdict(), Verdict::Unstable);
    }

    #[test]
    fn what_was_confirmed_is_shown_and_what_was_not_is_not() {
        let mut series = Series::of(Plain(Verdict::Fail, 1));
        series.confirmed(Plain(Verdict::Pass, 2));
        assert_eq!(*series.shown(), Plain(Verdict::Fail, 1));
        series.confirmed(Plain(Verdict::Warn, 3));
        assert_eq!(*series.shown(), Plain(Verdict::Warn, 3));
        assert_eq!(series.attempts(), Attempts { failed: 2, of: 3 });
        assert_eq!(series.verdict(), Verdict::Warn);
    }

    #[test]
    fn what_is_found_out_later_counts() {
        let mut series = Series::of(Plain(Verdict::Pass, 1));
        series.amend(|shown| shown.0 = Verdict::Fail);
        assert_eq!(series.attempts().failed, 1);
        assert_eq!(series.verdict(), Verdict::Fail);
    }
}
