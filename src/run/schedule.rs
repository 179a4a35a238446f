//! Which case is played when.
//!
//! The gentle before the rough, so that a server that does not survive the rough is judged by the
//! gentle all the same. Within a group, side by side; then whatever failed, once more and alone, with
//! more time for everything: only what fails again is a failure. Cases that need the server to
//! themselves come before those that are known to leave threads spinning. When the server is gone,
//! the case that did it is named, and the rest is told as not run.

use super::calibrate::Calibrated;
use super::host::Host;
use super::plan::{Planned, Roughness};
use super::play::Peer;
use super::played::{Played, tries};
use super::teller::Teller;
use super::verdict::result;
use super::{MOST_CONNECTIONS, Options};
use crate::cases::{Case, Circumstances, Unfit};
use crate::event::{Event, Finished, Verdict};
use crate::script::Script;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often at most a failure that does not come back is tried.
const MOST_TRIES: u32 = 4;

/// How often readings of the process are gone into at the same server, where what they show lasts: a heap
/// that is seldom collected takes that long to fill.
const CLOSER_LOOKS: u32 = 3;

/// A pause that is longer than that need not be made again to confirm what it has shown.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// Plays all cases.
pub(super) async fn run(
    calibrated: Calibrated,
    host: &mut Host,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let mut run = Run {
        peer: calibrated.peer,
        host,
        teller: Teller::new(options, tell),
        options,
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
    run.leave_the_rest();
    run.teller.finish(run.gone)
}

pub(super) struct Run<'a> {
    pub(super) peer: Peer,
    pub(super) host: &'a mut Host,
    pub(super) options: &'a Options,
    pub(super) teller: Teller<'a>,
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
            match self.script(case, false) {
                Ok(script) => self.queue(Planned { case, script }),
                Err(Unfit::Skipped(why)) => self.teller.without(case, Verdict::Skip, why),
                Err(Unfit::Broken(error)) => {
                    let what = format!("the case has no valid script: {error}");
                    self.teller.without(case, Verdict::Error, what);
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

    /// The script of a case, for a first look or for a closer one.
    fn script(&self, case: &Case, closer: bool) -> Result<Script, Unfit> {
        case.script(&Circumstances {
            profile: &self.peer.profile,
            rule: &self.peer.rule,
            seed: self.options.seed,
            slow: self.options.slow,
            process: self.peer.process.is_some(),
            rests: self.peer.rests,
            concurrent: self.peer.concurrent,
            closer,
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
        let mut lost: Vec<Played> = Vec::new();
        loop {
            while playing.len() < jobs
                && lost.is_empty()
                && self.gone.is_none()
                && let Some(planned) = group.pop_front()
            {
                self.teller.started(planned.case);
                let (peer, permits) = (self.peer.clone(), Arc::clone(&permits));
                let repeat = self.options.repeat.max(1);
                playing.spawn(async move {
                    // One connection more than the script's for the canary.
                    let open = planned.script.most_open().saturating_add(1);
                    let open = u32::try_from(open.min(MOST_CONNECTIONS)).unwrap_or(1);
                    let permit = permits.acquire_many_owned(open).await;
                    let played = tries(&peer, planned, repeat).await;
                    drop(permit);
                    played
                });
            }
            match playing.join_next().await {
                None if lost.is_empty() => break,
                None => self.server_lost(std::mem::take(&mut lost)).await,
                Some(Ok(played)) if played.server_is_gone() => lost.push(played),
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
            self.teller.started(planned.case);
            let played = tries(&self.peer, planned, self.options.repeat.max(1)).await;
            if played.server_is_gone() {
                self.server_lost(vec![played]).await;
            } else {
                self.take(played);
            }
            self.confirm().await;
        }
    }

    pub(super) fn take(&mut self, played: Played) {
        let is_shown = played.attempt.beyond_model_only && played.planned.pauses() > LONG_PAUSE;
        if played.attempt.verdict() == Verdict::Pass || is_shown {
            self.tell(played);
        } else {
            self.suspects.push(played);
        }
    }

    pub(super) fn tell(&mut self, played: Played) {
        let case = played.planned.case;
        let told = result(&self.peer, self.options, &played);
        self.teller.finished(case, told);
    }

    /// What failed beside others is played again alone.
    async fn confirm(&mut self) {
        for first in std::mem::take(&mut self.suspects) {
            let played = if first.planned.measures() {
                self.measured(first).await
            } else {
                self.confirmed(first).await
            };
            self.tell(played);
        }
    }

    /// If it passes then, it is played some more, to tell how often it fails.
    async fn confirmed(&mut self, mut first: Played) -> Played {
        while self.gone.is_none() {
            let mut again = tries(&self.peer.stretched(), first.planned.clone(), 1).await;
            if again.server_is_gone() {
                self.lost_again(&mut again).await;
            }
            let failed_again = again.attempts.failed > 0;
            first = first.followed_by(again);
            if failed_again || first.attempts.of >= MOST_TRIES {
                break;
            }
        }
        if first.attempts.of == 1 {
            first.doubt_that_it_is_confirmed();
        }
        first
    }

    /// Readings of a process are no more than a suspicion at first. It is gone into with a longer script,
    /// at a server that has not been through anything yet, where one can be had; and that decides.
    async fn measured(&mut self, mut first: Played) -> Played {
        let Ok(script) = self.script(first.planned.case, true) else {
            return first;
        };
        if self.host.can_be_revived() && !self.start_anew().await {
            self.gone = Some(self.gone_after(&first.planned));
            return first;
        }
        if let Some(process) = self.peer.process {
            process.comes_to_rest().await;
        }
        let is_suspicion = first.attempt.beyond_model_only;
        first.planned.script = script;
        let mut again = self.looked_at_closely(&first).await;
        if again.attempts.failed == 0 && is_suspicion {
            again.elapsed = again.elapsed.saturating_add(first.elapsed);
            return again;
        }
        let failed_again = again.attempts.failed > 0;
        first = first.followed_by(again);
        if failed_again {
            first
        } else {
            self.confirmed(first).await
        }
    }

    /// Plays a longer script until what it should show does not show, or has shown often enough.
    async fn looked_at_closely(&mut self, first: &Played) -> Played {
        let mut elapsed = Duration::ZERO;
        let most = if first.planned.case.lasts {
            CLOSER_LOOKS
        } else {
            1
        };
        let mut looks = 1..most;
        loop {
            let mut again = tries(&self.peer.stretched(), first.planned.clone(), 1).await;
            elapsed = elapsed.saturating_add(again.elapsed);
            again.elapsed = elapsed;
            let is_gone = again.server_is_gone();
            if is_gone {
                self.lost_again(&mut again).await;
            }
            let shows = again.attempts.failed > 0 && again.attempt.beyond_model_only;
            if is_gone || !shows || looks.next().is_none() {
                return again;
            }
        }
    }

    fn leave_the_rest(&mut self) {
        let why = self.gone.clone();
        for case in &self.options.cases {
            if self.teller.has_told(case) {
                continue;
            }
            match &why {
                Some(why) => self
                    .teller
                    .without(case, Verdict::Skip, format!("not run: {why}")),
                None => {
                    self.teller
                        .without(case, Verdict::Error, "the harness failed in this case")
                }
            }
        }
    }
}
