//! How long things are waited for: measured against the server's own round trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The measures of one server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Median time of a round trip.
    pub(super) round_trip: Duration,
    /// How much longer one takes for each octet, where that was measured.
    pub(super) per_octet: Duration,
    /// What is added to shown silence.
    pub(super) slack: Duration,
    /// How long an owed answer is waited for at least.
    pub(super) timeout: Duration,
    /// By how much all waiting is stretched: more when a failure is to be confirmed.
    pub(super) stretch: u32,
    /// How long nothing may happen instead, where what does not come is no more than a suspicion.
    pub(super) haste: Option<Duration>,
}

/// A server whose round trips take that long is waited for, more than it works.
const SLOW: Duration = Duration::from_millis(10);

/// Round trips of the canary that show silence when nothing is owed.
pub(super) const SILENT_ROUND_TRIPS: u32 = 3;

/// Round trips of the canary after which something owed is taken not to come.
const IDLE_ROUND_TRIPS: u32 = 10;

/// The shortest time after which something owed is taken not to come, at a server for which it was
/// worth nothing to wait longer.
const SHORTEST_IDLE: Duration = Duration::from_millis(200);

/// Whoever works behind a server that rests is taken to be so many times as fast as a server may be slow.
const FASTER_BEHIND: usize = 8;

/// By so much slower than it was measured a server may send.
const SLOWER_OCTETS: usize = 4;

/// The part of a run that replies in turn may take.
const IN_TURN: u32 = 15;

/// How long a connection left open by a script may take to close when it is over …
const PARTING: Duration = Duration::from_millis(50);

/// … and how long where there is haste.
const HASTY_PARTING: Duration = Duration::from_millis(5);

/// How often the time in which nothing may happen goes into the longest wait, where there is haste.
const HASTY_WAITS: u32 = 5;

/// So often the whole time is waited in vain.
const WHOLE_WAITS: u32 = 3;

/// From so many KiB on it tells how fast a server works that it has answered them.
const TELLING: u128 = 16;

/// By so much slower than at its slowest a server may become.
const SLOWER: u32 = 3;

/// The least time that a server is given for a KiB …
const LEAST_A_KIB: Duration = Duration::from_millis(1);

/// … and what it is given beyond that at most, however slow it was and however much it was sent.
const MOST_MORE: Duration = Duration::from_secs(4);

impl Pace {
    /// From a round trip that was measured, and what the user said.
    pub(super) fn new(round_trip: Duration, slack: Option<Duration>, timeout: Duration) -> Self {
        let measured = round_trip
            .saturating_mul(4)
            .clamp(Duration::from_millis(3), Duration::from_millis(200));
        let timeout = timeout.max(round_trip.saturating_mul(20));
        Self {
            round_trip,
            per_octet: Duration::ZERO,
            slack: slack.unwrap_or(measured),
            timeout,
            stretch: 1,
            haste: None,
        }
    }

    /// The same at a server that takes so much longer for each octet.
    pub(super) const fn with_octets_of(self, per_octet: Duration) -> Self {
        Self { per_octet, ..self }
    }

    /// The same with all waiting made longer, and no haste.
    pub(super) fn stretched(self) -> Self {
        Self {
            stretch: self.stretch.saturating_mul(2),
            haste: None,
            ..self
        }
    }

    /// The same, where nothing may happen for no longer than that, or than some round trips take.
    pub(super) fn hasty(self, haste: Duration) -> Self {
        Self {
            haste: Some(haste.max(self.round_trip.saturating_mul(4))),
            ..self
        }
    }

    /// The same without haste.
    pub(super) const fn unhurried(self) -> Self {
        Self {
            haste: None,
            ..self
        }
    }

    /// What is added to shown silence.
    pub(super) fn slack(&self) -> Duration {
        self.slack.saturating_mul(self.stretch)
    }

    /// The longest wait for `replies` to `octets` that have been sent, whatever happens meanwhile, where
    /// all scripts together wait for so many. Each may have to wait for the turns of all other clients,
    /// or for all that they have asked already.
    pub(super) fn hard_timeout(
        &self,
        replies: usize,
        octets: usize,
        by_all: usize,
        grace: &GraceBudget,
    ) -> Duration {
        let turns = replies.saturating_mul(super::MOST_CONNECTIONS);
        let before = by_all.saturating_mul(4);
        let round_trips = u32::try_from(turns.saturating_add(before)).unwrap_or(u32::MAX);
        let hasty = self.haste.map(|haste| haste.saturating_mul(HASTY_WAITS));
        hasty
            .map_or(self.timeout, |hasty| hasty.min(self.timeout))
            .saturating_add(self.round_trip.saturating_mul(round_trips))
            .saturating_add(grace.allowance(octets))
            .saturating_add(self.sending(octets.saturating_mul(SLOWER_OCTETS)))
            .saturating_mul(self.stretch)
    }

    /// How much longer the replies to so many octets take than those to as many short requests.
    pub(super) fn sending(&self, octets: usize) -> Duration {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        self.per_octet.saturating_mul(octets)
    }

    /// How long nothing may happen, while the canary is served, until what is owed is taken not to come.
    pub(super) fn idle_timeout(&self, octets: usize, grace: &GraceBudget) -> Duration {
        self.idle(grace.allowance(octets), grace)
    }

    /// The same where the server is seen to be working on nothing. Somebody behind it may be. Once no whole waits are left,
    /// nothing is stretched: that is for busy machines, and who waits for a processor does not rest.
    pub(super) fn at_rest_timeout(&self, octets: usize, grace: &GraceBudget) -> Duration {
        let stretch = if grace.is_left() { self.stretch } else { 1 };
        let pace = Self { stretch, ..*self };
        pace.idle(grace.allowance(octets / FASTER_BEHIND), grace)
    }

    fn idle(&self, allowance: Duration, grace: &GraceBudget) -> Duration {
        if let Some(haste) = self.haste {
            return haste.min(self.timeout).saturating_add(allowance);
        }
        let least = if grace.is_left() {
            self.timeout
        } else {
            SHORTEST_IDLE
        };
        least
            .min(self.timeout)
            .saturating_add(allowance)
            .saturating_mul(self.stretch)
    }

    /// How long a connection left open by a script may take to close when it is over.
    pub(super) const fn parting(&self) -> Duration {
        match self.haste {
            Some(_) => HASTY_PARTING,
            None => PARTING,
        }
    }

    /// And how many round trips the canary has to make meanwhile.
    pub(super) fn idle_round_trips(&self) -> u32 {
        IDLE_ROUND_TRIPS.saturating_mul(self.stretch)
    }

    /// Whether most of the time is spent waiting for the server, so that more of it can be had side by side.
    pub(super) fn is_slow(&self) -> bool {
        self.round_trip >= SLOW
    }

    /// How many replies in turn there is time for in a run that may take that long.
    pub(super) fn in_turn(&self, within: Option<Duration>) -> usize {
        let Some(within) = within.filter(|_| self.is_slow()) else {
            return usize::MAX;
        };
        let every = self.round_trip.saturating_mul(IN_TURN);
        let replies = within.as_nanos().checked_div(every.as_nanos());
        replies.map_or(usize::MAX, |replies| {
            usize::try_from(replies).unwrap_or(usize::MAX)
        })
    }

    /// Whether a round trip is quick enough to be made between segments.
    pub(super) fn is_quick(&self) -> bool {
        self.round_trip < Duration::from_millis(5)
    }
}

/// The replies that all scripts together wait for just now. A server that answers one client after the
/// other may well begin with all that the others have asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Load(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    replies: AtomicUsize,
    octets: AtomicUsize,
}

impl Load {
    /// Counts so many replies more, to so many octets, for as long as the share is held.
    pub(super) fn add(&self, replies: usize, octets: usize) -> Share {
        self.0.replies.fetch_add(replies, Ordering::Relaxed);
        self.0.octets.fetch_add(octets, Ordering::Relaxed);
        Share {
            load: self.clone(),
            replies,
            octets,
        }
    }

    /// How many replies there are.
    pub(super) fn replies(&self) -> usize {
        self.0.replies.load(Ordering::Relaxed)
    }

    /// How many octets they are the replies to.
    pub(super) fn octets(&self) -> usize {
        self.0.octets.load(Ordering::Relaxed)
    }
}

/// What one script has added to the load.
#[derive(Debug)]
pub(super) struct Share {
    load: Load,
    replies: usize,
    octets: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        let counts = &self.load.0;
        counts.replies.fetch_sub(self.replies, Ordering::Relaxed);
        counts.octets.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

/// What a server is granted for what does not come at once: whole waits, and time to work through what it is sent. No server has
/// to be quick, but one that has let the whole time pass a few times, and answered others meanwhile, is not slow.
#[derive(Debug, Clone, Default)]
pub(super) struct GraceBudget(Arc<Spent>);

#[derive(Debug, Default)]
struct Spent {
    whole_waits: AtomicU32,
    /// The longest that it took for each KiB of what it has answered, in microseconds.
    per_kib: AtomicU64,
}

impl GraceBudget {
    /// The whole time, or less, was waited in vain.
    pub(super) fn spend(&self) {
        self.0.whole_waits.fetch_add(1, Ordering::Relaxed);
    }

    fn is_left(&self) -> bool {
        self.0.whole_waits.load(Ordering::Relaxed) < WHOLE_WAITS
    }

    /// So many octets were answered in that time.
    pub(super) fn answered(&self, octets: usize, within: Duration) {
        let kib = u128::try_from(octets >> 10).unwrap_or(u128::MAX);
        if kib >= TELLING {
            let each = within.as_micros().checked_div(kib).unwrap_or_default();
            let each = u64::try_from(each).unwrap_or(u64::MAX);
            self.0.per_kib.fetch_max(each, Ordering::Relaxed);
        }
    }

    /// Time to work through that many octets: a millisecond for each KiB, and some seconds more where those that were answered
    /// took longer.
    fn allowance(&self, octets: usize) -> Duration {
        let kib = u32::try_from(octets >> 10).unwrap_or(u32::MAX);
        let least = LEAST_A_KIB.saturating_mul(kib);
        let met = Duration::from_micros(self.0.per_kib.load(Ordering::Relaxed));
        let slower = met.saturating_mul(SLOWER).saturating_mul(kib);
        slower.clamp(least, least.saturating_add(MOST_MORE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_serves_one_after_the_other_is_given_time_for_all() {
        let millis = Duration::from_millis;
        let pace = Pace::new(millis(10), None, Duration::from_secs(1));
        let turns = 100 * super::super::MOST_CONNECTIONS;
        let grace = GraceBudget::default();
        assert!(pace.hard_timeout(100, 0, 100, &grace) > millis(10) * turns as u32);
        assert!(pace.hard_timeout(1, 0, 500, &grace) > millis(10) * 500);
        assert!(pace.hard_timeout(1, 0, 1, &grace) < millis(1_500));
        assert_eq!(
            pace.stretched().hard_timeout(1, 0, 0, &grace),
            pace.hard_timeout(1, 0, 0, &grace).saturating_mul(2)
        );
    }

    #[test]
    fn a_server_that_sends_octet_by_octet_is_given_time_for_all_of_them() {
        let millis = Duration::from_millis;
        let pace = Pace::new(millis(75), None, Duration::from_secs(1)).with_octets_of(millis(1));
        assert_eq!(pace.sending(6_000), Duration::from_secs(6));
        let grace = GraceBudget::default();
        assert!(pace.hard_timeout(1, 6_000, 1, &grace) > Duration::from_secs(2 * 6));
        assert!(pace.hard_timeout(1, 60, 1, &grace) < Duration::from_secs(4));
    }

    #[test]
    fn there_is_time_for_fewer_replies_in_turn_where_each_takes_long() {
        let of = |millis| Pace::new(Duration::from_millis(millis), None, Duration::from_secs(1));
        let within = Some(Duration::from_secs(30));
        assert_eq!(of(50).in_turn(within), 40);
        assert_eq!(of(300).in_turn(within), 6);
        assert_eq!(of(5).in_turn(within), usize::MAX);
        assert_eq!(of(300).in_turn(None), usize::MAX);
    }

    #[test]
    fn when_the_grace_is_spent_no_whole_wait_is_made_any_more() {
        let timeout = Duration::from_secs(1);
        let pace = Pace::new(Duration::from_millis(1), None, timeout);
        let grace = GraceBudget::default();
        for _ in 0..WHOLE_WAITS {
            assert_eq!(pace.idle_timeout(0, &grace), timeout);
            grace.clone().spend();
        }
        assert_eq!(pace.idle_timeout(0, &grace), SHORTEST_IDLE);
        assert!(pace.idle_timeout(4 << 20, &grace) > timeout);
        assert!(pace.at_rest_timeout(4 << 20, &grace) < timeout);
        assert_eq!(pace.at_rest_timeout(0, &grace), SHORTEST_IDLE);
        assert_eq!(pace.stretched().idle_timeout(0, &grace), 2 * SHORTEST_IDLE);
        assert_eq!(pace.stretched().at_rest_timeout(0, &grace), SHORTEST_IDLE);
    }

    #[test]
    fn a_server_is_given_as_long_for_large_requests_as_it_took_for_others() {
        let pace = Pace::new(Duration::from_millis(1), None, Duration::from_secs(1));
        let grace = GraceBudget::default();
        let idle = || pace.idle_timeout(1 << 20, &grace);
        let second = Duration::from_secs(1);
        grace.answered(32 << 10, Duration::from_millis(3));
        assert!(idle() > second && idle() < 3 * second, "{:?}", idle());
        grace.answered(1 << 10, second);
        assert!(idle() < 3 * second, "so little tells nothing");
        grace.answered(32 << 10, Duration::from_millis(80));
        assert!(idle() > 5 * second && idle() < 7 * second, "{:?}", idle());
        grace.answered(32 << 10, 100 * second);
        assert!(idle() < 7 * second, "{:?}", idle());
    }

    #[test]
    fn haste_ends_where_a_failure_is_confirmed() {
        let timeout = Duration::from_secs(1);
        let pace = Pace::new(Duration::from_millis(1), None, timeout);
        let grace = GraceBudget::default();
        let haste = Duration::from_millis(30);
        let idle = |pace: Pace| pace.idle_timeout(0, &grace);
        assert_eq!(idle(pace.hasty(haste)), haste);
        assert_eq!(idle(pace.hasty(haste).stretched()), 2 * timeout);
        assert_eq!(idle(pace.hasty(9 * timeout)), timeout);
        let hard = |pace: Pace| pace.hard_timeout(1, 0, 0, &grace);
        assert!(hard(pace.hasty(haste)) < timeout && hard(pace.hasty(9 * timeout)) >= timeout);
        let slow = Pace::new(Duration::from_millis(20), None, timeout);
        assert_eq!(idle(slow.hasty(haste)), Duration::from_millis(80));
    }

    #[test]
    fn a_share_of_the_load_ends_with_whoever_has_it() {
        let load = Load::default();
        let share = load.clone().add(500, 9_000);
        let _other = load.add(1, 60);
        assert_eq!((load.replies(), load.octets()), (501, 9_060));
        drop(share);
        assert_eq!((load.replies(), load.octets()), (1, 60));
    }
}
