//! How long a run may take, and what part of that a group of cases may have.

use crate::lang::{Text, say};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Cases that are not begun, as they take too long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TooLong {
    /// How many there are.
    pub(super) cases: usize,
    /// How long the longest of them takes.
    longest: Duration,
}

impl TooLong {
    /// One more.
    pub(super) fn add(&mut self, takes: Duration) {
        self.cases = self.cases.saturating_add(1);
        self.longest = self.longest.max(takes);
    }
}

/// The time of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    begun: Instant,
    /// How long it may take, if that is bounded.
    within: Option<Duration>,
}

impl Time {
    /// From now on, within that time; without a bound if there is none.
    pub(super) fn begins(within: Option<Duration>) -> Self {
        Self {
            begun: Instant::now(),
            within,
        }
    }

    /// How much of it is left, if it is bounded.
    fn left(&self) -> Option<Duration> {
        let within = self.within?;
        Some(within.saturating_sub(self.begun.elapsed()))
    }

    /// Whether none is left.
    pub(super) fn is_up(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Waits for something as long as there is time; `None` if it did not come in that.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.left() {
            None => Some(work.await),
            Some(left) => timeout(left, work).await.ok(),
        }
    }

    /// When a group of so many cases is to be done, so that as many as stand behind it have their part.
    pub(super) fn share(&self, cases: usize, behind: usize) -> Option<Instant> {
        let left = self.left()?;
        let all = cases.saturating_add(behind);
        let part = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let share = left.saturating_mul(part(cases)).checked_div(part(all));
        Instant::now().checked_add(share.unwrap_or(left))
    }

    /// Why nothing is played that takes so long at a peer that takes that long for a reply, if that is so.
    pub(super) fn no_room_for(&self, takes: Duration, reply: Duration) -> Option<Text> {
        let within = self.within?;
        (takes.saturating_mul(3) > within).then(|| {
            say!(
                "not run: too long for {within} at a server that takes {reply} for a reply: give --within 0",
                within = format!("{within:?}"),
                reply = format!("{reply:.0?}")
            )
        })
    }

    /// Why a case was not played for which no time was left.
    pub(super) fn not_run() -> Text {
        say!("not run: no time was left")
    }

    /// Why a run is not whole that has played so many cases and has so many left, beside those that take too long.
    pub(super) fn ended(&self, played: usize, left: usize, too_long: TooLong) -> Text {
        let within = self.within.unwrap_or_default();
        let begun = self.begun.elapsed().as_secs_f64();
        let those = begun * (played.saturating_add(left) as f64 / played.max(1) as f64);
        let whole = those + too_long.longest.as_secs_f64();
        let left = left.saturating_add(too_long.cases);
        say!(
            "no time was left: {left} cases were not played, or not confirmed, within {within}; all of them would take at least {whole} s (--within 0)",
            left,
            within = format!("{within:?}"),
            whole = format!("{whole:.0}")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    fn of(within: u64) -> Time {
        Time::begins(Some(Duration::from_secs(within)))
    }

    #[tokio::test]
    async fn what_is_bounded_ends() {
        assert!(of(0).is_up() && !of(60).is_up() && !Time::begins(None).is_up());
        assert_eq!(of(0).within(pending::<()>()).await, None);
        assert_eq!(of(60).within(ready(1)).await, Some(1));
        assert_eq!(Time::begins(None).within(ready(1)).await, Some(1));
    }

    #[test]
    fn each_group_has_its_share() {
        let time = of(60);
        let now = Instant::now();
        let share = |cases, behind| time.share(cases, behind).unwrap().duration_since(now);
        let about = |share: Duration, seconds| share.as_secs_f64().round() as u64 == seconds;
        assert!(about(share(10, 30), 15) && about(share(10, 0), 60) && about(share(0, 9), 0));
        assert_eq!(Time::begins(None).share(1, 1), None);
    }

    #[test]
    fn what_takes_much_of_the_time_is_not_begun() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert_eq!(of(60).no_room_for(20 * second, second), None);
        assert_eq!(Time::begins(None).no_room_for(minute, second), None);
        let told = of(60).no_room_for(21 * second, 300 * second / 1000);
        assert_eq!(
            told.as_ref().map(Text::as_str),
            Some(
                "not run: too long for 60s at a server that takes 300ms for a reply: give --within 0"
            )
        );
    }

    #[test]
    fn it_is_told_how_long_the_whole_would_take() {
        let mut time = of(30);
        time.begun -= Duration::from_secs(30);
        let mut too_long = TooLong::default();
        let told = time.ended(20, 40, too_long);
        assert!(
            told.as_str()
                .contains("40 cases were not played, or not confirmed, within 30s"),
            "{told}"
        );
        assert!(told.as_str().contains("at least 90 s"), "{told}");
        too_long.add(Duration::from_secs(150));
        let told = time.ended(20, 40, too_long);
        assert!(told.as_str().contains("41 cases"), "{told}");
        assert!(told.as_str().contains("at least 240 s"), "{told}");
    }
}
