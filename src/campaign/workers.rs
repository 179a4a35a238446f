//! Scripts played side by side, each worker with a probe that it holds open.

use crate::coverage::Reached;
use crate::run::{MOST_CONNECTIONS, Played, Player, Probe};
use crate::script::{Action, Script};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What came of a script.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) number: u64,
    pub(super) script: Script,
    pub(super) played: Played,
    /// What it reached in the server's own code, if that is watched.
    pub(super) reached: Reached,
}

/// Scripts that wait to be played.
type Queue = Arc<Mutex<VecDeque<(u64, Script)>>>;

/// What steps take, about: a client that reads nothing for a while, silence, and all else.
const STALLED: Duration = Duration::from_millis(100);
const QUIET: Duration = Duration::from_millis(5);
const ROUND_TRIP: Duration = Duration::from_micros(100);

/// How many batches are played one script at a time, when what was seen side by side did not hold.
const CALM: u32 = 3;

/// Those who play.
#[derive(Debug)]
pub(super) struct Workers {
    probes: Vec<Probe>,
    jobs: usize,
    /// Batches that are still played one script at a time.
    calm: u32,
}

impl Workers {
    /// So many, but no more than leave a server room for as many connections as there are probes.
    pub(super) fn new(jobs: usize) -> Self {
        Self {
            probes: Vec::new(),
            jobs: jobs.clamp(1, MOST_CONNECTIONS / 2),
            calm: 0,
        }
    }

    /// If scripts seem to disturb one another, they are played one at a time for a while: what is then seen holds
    /// more often.
    pub(super) fn calm_down(&mut self, is_disturbed: bool) {
        if is_disturbed {
            self.calm = CALM;
            self.rest();
        }
    }

    /// Closes all probes, so that what is played next is alone.
    pub(super) fn rest(&mut self) {
        self.probes.clear();
    }

    /// Plays scripts side by side; what came of them, in their order.
    pub(super) async fn play(
        &mut self,
        player: &Player,
        mut scripts: Vec<(u64, Script)>,
    ) -> Vec<Outcome> {
        // Else the last of them would be waited for alone.
        scripts.sort_by_key(|(_, script)| Reverse(least_time(script)));
        let queue: Queue = Arc::new(Mutex::new(scripts.into()));
        let jobs = if self.calm > 0 { 1 } else { self.jobs };
        self.calm = self.calm.saturating_sub(1);
        let room = MOST_CONNECTIONS.saturating_sub(jobs);
        let permits = Arc::new(Semaphore::new(room));
        let mut working = JoinSet::new();
        for _ in 0..jobs {
            let probe = self.probes.pop().unwrap_or_default();
            let (player, queue, permits) =
                (player.clone(), Arc::clone(&queue), Arc::clone(&permits));
            working.spawn(async move { work(&player, &queue, &permits, room, probe).await });
        }
        let mut outcomes = Vec::new();
        while let Some(done) = working.join_next().await {
            // A worker that panicked is the harness's fault, and what it had played is lost.
            if let Ok((probe, played)) = done {
                self.probes.push(probe);
                outcomes.extend(played);
            }
        }
        outcomes.sort_by_key(|outcome| outcome.number);
        outcomes
    }
}

/// How long a script takes at least, or about: what it waits for by itself.
fn least_time(script: &Script) -> Duration {
    let waits = script.steps().iter().map(|step| match &step.action {
        Action::Stall => STALLED,
        Action::Quiet => QUIET,
        Action::Send(segments) => {
            ROUND_TRIP.saturating_mul(u32::try_from(segments.len()).unwrap_or(u32::MAX))
        }
        _ => ROUND_TRIP,
    });
    waits.fold(script.pauses(), Duration::saturating_add)
}

async fn work(
    player: &Player,
    queue: &Queue,
    permits: &Semaphore,
    room: usize,
    mut probe: Probe,
) -> (Probe, Vec<Outcome>) {
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    let mut outcomes = Vec::new();
    while let Some((number, script)) = next() {
        let open = player.connections(&script).clamp(1, room);
        let _permit = permits.acquire_many(u32::try_from(open).unwrap_or(1)).await;
        if let Ok(played) = player.explore(&script, &mut probe).await {
            outcomes.push(Outcome {
                number,
                script,
                played,
                reached: Reached::Nothing,
            });
        }
    }
    (probe, outcomes)
}
