//! Which case is played when.
//!
//! The gentle before the rough, so that a server that does not survive the rough is judged by the
//! gentle all the same. Within a group, side by side; then whatever failed, once more and alone, with
//! more time for everything: only what fails again is a failure. Cases that need the server to
//! themselves come before those that are known to leave threads spinning. When the server is gone,
//! the case that did it is named, and the rest is told as not run.

use super::calibrate::Calibrated;
use super::plan::{Planned, Roughness};
use super::play::Peer;
use super::played::{Once, Played, once, repeated};
use super::target::Target;
use super::{MOST_CONNECTIONS, Options};
use crate::cases::{Case, Circumstances, Unfit};
use crate::event::{Finished, Verdict};
use crate::outcome::{EventSink, Judged as _, Next, Policy, Series, result};
use crate::script::Script;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The first of the looks at a case; those behind it go into what it made suspicious.
const FIRST_LOOK: u32 = 0;

/// How often readings of the process are gone into at the same server, where what they show lasts: a heap
/// that is seldom collected takes that long to fill.
const CLOSER_LOOKS: u32 = 3;

/// What is added to a failure that was not confirmed.
const SEEN_ONCE: &str = " (seen once: the server was gone before it could be confirmed)";

/// A pause that is longer than that need not be made again to confirm what it has shown.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// Plays all cases.
pub(super) async fn run<'a>(
    calibrated: Calibrated,
    target: &'a mut Target,
    options: &'a Options,
    sink: EventSink<'a>,
) -> Finished {
    let mut run = Run {
        peer: calibrated.peer,
        target,
        sink,
        options,
        policy: Policy::confirmed(options.repeat),
        waiting: BTreeMap::new(),
        alone: Vec::new(),
        suspects: Vec::new(),
        not_revived: None,
        gone: None,
    };
    run.plan();
    for (roughness, group) in std::mem::take(&mut run.waiting) {
        if roughness == Roughness::BreakingOff {
            run.by_themselves().await;
        }
        run.side_by_side(group).await;
        run.confirm().await;
    }
    run.by_themselves().await;
    run.sink.finish(run.gone)
}

pub(super) struct Run<'a> {
    pub(super) peer: Peer,
    pub(super) target: &'a mut Target,
    pub(super) options: &'a Options,
    pub(super) sink: EventSink<'a>,
    policy: Policy,
    /// Cases that share the server, the gentlest first.
    waiting: BTreeMap<Roughness, VecDeque<Planned>>,
    /// Cases that need it to themselves.
    alone: Vec<Planned>,
    /// Cases that failed and are to be played again.
    pub(super) suspects: Vec<Played>,
    /// Why the server could not be started again, if that was tried in vain.
    pub(super) not_revived: Option<String>,
    /// Why the run is broken off, if it is.
    pub(super) gone: Option<String>,
}

impl Run<'_> {
    fn plan(&mut self) {
        for case in &self.options.cases {
            match self.script(case, FIRST_LOOK) {
                Ok(script) => self.queue(Planned { case, script }),
                Err(Unfit::Skipped(why)) => {
                    self.sink.without_play((*case).into(), Verdict::Skip, why)
                }
                Err(Unfit::Broken(error)) => {
                    let what = format!("the case has no valid script: {error}");
                    self.sink.without_play((*case).into(), Verdict::Error, what);
                }
            }
        }
    }

    fn queue(&mut self, planned: Planned) {
        if planned.case.alone {
            return self.alone.push(planned);
        }
        let roughness = planned.roughness(&self.peer.profile);
        let group = self.waiting.entry(roughness).or_default();
        // Whatever waits long does so while the others are played.
        if planned.pauses() > LONG_PAUSE {
            group.push_front(planned);
        } else {
            group.push_back(planned);
        }
    }

    /// The script of a case, for a first look or for one of the closer ones behind it. Each has requests of
    /// its own: a server that keeps every request that it has not seen before keeps nothing of the same
    /// ones.
    fn script(&self, case: &Case, look: u32) -> Result<Script, Unfit> {
        case.script(&Circumstances {
            profile: &self.peer.profile,
            rule: &self.peer.rule,
            seed: self.options.seed.wrapping_add(look.into()),
            slow: self.options.slow,
            process: self.peer.process.is_some(),
            rests: self.peer.rests,
            concurrent: self.peer.concurrent,
            closer: look > FIRST_LOOK,
        })
    }

    async fn side_by_side(&mut self, mut group: VecDeque<Planned>) {
        let jobs = if self.peer.concurrent {
            self.options.jobs.max(1)
        } else {
            1
        };
        let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut playing = JoinSet::new();
        let mut suspects: Vec<Played> = Vec::new();
        loop {
            while playing.len() < jobs
                && suspects.is_empty()
                && self.gone.is_none()
                && let Some(planned) = group.pop_front()
            {
                self.sink.case_started(planned.case.into());
                let (peer, permits) = (self.peer.clone(), Arc::clone(&permits));
                let repeat = self.options.repeat.max(1);
                playing.spawn(async move {
                    // One connection more than the script's for the canary.
                    let open = planned.script.most_open().saturating_add(1);
                    let open = u32::try_from(open.min(MOST_CONNECTIONS)).unwrap_or(1);
                    let permit = permits.acquire_many_owned(open).await;
                    let played = repeated(&peer, planned, repeat).await;
                    drop(permit);
                    played
                });
            }
            match playing.join_next().await {
                None if suspects.is_empty() => break,
                None => self.attribute_crash(std::mem::take(&mut suspects)).await,
                Some(Ok(played)) if played.shown().peer_is_gone() => suspects.push(played),
                Some(Ok(played)) => self.take(played),
                // A task that panicked is the harness's fault; its case is told at the end.
                Some(Err(_)) => {}
            }
        }
    }

    async fn by_themselves(&mut self) {
        for planned in std::mem::take(&mut self.alone) {
            if self.gone.is_some() {
                return;
            }
            self.sink.case_started(planned.case.into());
            let played = repeated(&self.peer, planned, self.options.repeat.max(1)).await;
            if played.shown().peer_is_gone() {
                self.attribute_crash(vec![played]).await;
            } else {
                self.take(played);
            }
            self.confirm().await;
        }
    }

    pub(super) fn take(&mut self, played: Played) {
        let Once {
            planned, attempt, ..
        } = played.shown();
        let is_shown = attempt.is_beyond_model_only() && planned.pauses() > LONG_PAUSE;
        if played.is_well() || is_shown {
            self.tell(&played);
        } else {
            self.suspects.push(played);
        }
    }

    pub(super) fn tell(&mut self, played: &Played) {
        let case = played.shown().planned.case.into();
        let told = result(case, self.sink.command(), self.options.keep, played);
        self.sink.case_finished(told);
    }

    /// What failed beside others is played again alone.
    async fn confirm(&mut self) {
        for first in std::mem::take(&mut self.suspects) {
            let played = if first.shown().planned.measures() {
                self.measured(first).await
            } else {
                self.confirmed(first).await
            };
            self.tell(&played);
        }
    }

    /// Plays it again alone, as often as it takes.
    async fn confirmed(&mut self, mut played: Played) -> Played {
        while self.gone.is_none() && played.next(self.policy) == Next::Confirm {
            let planned = played.shown().planned.clone();
            let mut again = once(&self.peer.stretched(), planned).await;
            if again.peer_is_gone() {
                self.crashed_alone(&mut again).await;
            }
            played.confirmed(again);
        }
        if played.attempts().of == 1 {
            played.amend(|once| once.attempt.remark(SEEN_ONCE));
        }
        played
    }

    /// Readings of a process are no more than a suspicion at first. It is gone into with a longer script,
    /// at a server that has not been through anything yet, where one can be had; and that decides.
    async fn measured(&mut self, mut first: Played) -> Played {
        let mut planned = first.shown().planned.clone();
        let Ok(script) = self.script(planned.case, FIRST_LOOK + 1) else {
            return first;
        };
        if self.target.can_be_revived() && !self.start_anew().await {
            self.gone = Some(self.gone_after(&planned));
            return first;
        }
        if let Some(process) = self.peer.process {
            process.comes_to_rest().await;
        }
        planned.script = script;
        let mut again = self.looked_at_closely(planned.clone()).await;
        if again.verdict() == Verdict::Pass && first.shown().attempt.is_beyond_model_only() {
            let elapsed = &mut again.attempt.elapsed;
            *elapsed = elapsed.saturating_add(first.elapsed());
            return Series::of(again);
        }
        first.amend(|once| once.planned = planned);
        first.confirmed(again);
        self.confirmed(first).await
    }

    /// Plays a longer script until what it should show does not show, or has shown often enough.
    async fn looked_at_closely(&mut self, mut planned: Planned) -> Once {
        let mut elapsed = Duration::ZERO;
        let most = if planned.case.lasts { CLOSER_LOOKS } else { 1 };
        let mut looks = (FIRST_LOOK + 1..=most).skip(1);
        loop {
            let mut again = once(&self.peer.stretched(), planned.clone()).await;
            elapsed = elapsed.saturating_add(again.elapsed());
            again.attempt.elapsed = elapsed;
            let is_gone = again.peer_is_gone();
            if is_gone {
                self.crashed_alone(&mut again).await;
            }
            let failed = again.verdict() != Verdict::Pass;
            let shows = failed && again.attempt.is_beyond_model_only();
            if is_gone || !shows {
                return again;
            }
            let next = looks.next().map(|look| self.script(planned.case, look));
            let Some(Ok(script)) = next else { return again };
            planned.script = script;
        }
    }
}
