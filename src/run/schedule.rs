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
use super::played::{Played, tries};
use super::teller::Teller;
use super::verdict::result;
use super::{MOST_CONNECTIONS, Options};
use crate::cases::{Circumstances, Unfit};
use crate::event::{Event, Finished, Verdict};
use crate::judge::Finding;
use crate::transcript::Canary;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often at most a failure that does not come back is tried.
const MOST_TRIES: u32 = 4;

/// Plays all cases.
pub(super) async fn run(
    calibrated: &Calibrated,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let peer = &calibrated.peer;
    let mut run = Run {
        peer,
        teller: Teller::new(options, tell),
        options,
        waiting: BTreeMap::new(),
        alone: Vec::new(),
        suspects: Vec::new(),
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

struct Run<'a> {
    peer: &'a Peer,
    options: &'a Options,
    teller: Teller<'a>,
    /// Cases that share the server, the gentlest first.
    waiting: BTreeMap<Roughness, VecDeque<Planned>>,
    /// Cases that need it to themselves.
    alone: Vec<Planned>,
    /// Cases that failed and are to be played again.
    suspects: Vec<Played>,
    /// Why the run is broken off, if it is.
    gone: Option<String>,
}

impl Run<'_> {
    fn plan(&mut self) {
        let circumstances = Circumstances {
            profile: &self.peer.profile,
            rule: &self.peer.rule,
            seed: self.options.seed,
            slow: self.options.slow,
            process: self.peer.process.is_some(),
            concurrent: self.peer.concurrent,
        };
        for case in &self.options.cases {
            match case.script(&circumstances) {
                Ok(script) => {
                    let planned = Planned { case, script };
                    if case.alone {
                        self.alone.push(planned);
                    } else {
                        let roughness = planned.roughness(&self.peer.profile);
                        self.waiting
                            .entry(roughness)
                            .or_default()
                            .push_back(planned);
                    }
                }
                Err(Unfit::Skipped(why)) => self.teller.without(case, Verdict::Skip, why),
                Err(Unfit::Broken(error)) => {
                    let what = format!("the case has no valid script: {error}");
                    self.teller.without(case, Verdict::Error, what);
                }
            }
        }
        // Whoever pauses longest begins first, so that the others fill the time.
        for group in self.waiting.values_mut() {
            let pauses = |planned: &Planned| std::cmp::Reverse(planned.script.pauses());
            group.make_contiguous().sort_by_key(pauses);
        }
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
            let played = tries(self.peer, planned, self.options.repeat.max(1)).await;
            if played.server_is_gone() {
                self.server_lost(vec![played]).await;
            } else {
                self.take(played);
            }
            self.confirm().await;
        }
    }

    fn take(&mut self, played: Played) {
        if played.attempt.verdict() == Verdict::Pass {
            self.tell(played);
        } else {
            self.suspects.push(played);
        }
    }

    fn tell(&mut self, played: Played) {
        let case = played.planned.case;
        let told = result(self.peer, self.options, &played);
        self.teller.finished(case, told);
    }

    /// What failed beside others is played again alone. If it passes then, it is played some more,
    /// to tell how often it fails.
    async fn confirm(&mut self) {
        let peer = self.peer.stretched();
        for mut first in std::mem::take(&mut self.suspects) {
            while self.gone.is_none() {
                let again = tries(&peer, first.planned.clone(), 1).await;
                let lost = again.server_is_gone();
                first.elapsed = first.elapsed.saturating_add(again.elapsed);
                first.attempts.of = first.attempts.of.saturating_add(again.attempts.of);
                first.attempts.failed = first.attempts.failed.saturating_add(again.attempts.failed);
                let failed_again = again.attempts.failed > 0;
                if failed_again {
                    first.attempt = again.attempt;
                    first.last_sent = again.last_sent;
                }
                if lost && !self.peer.comes_back().await {
                    self.gone = Some(gone(&first.planned));
                    first.is_certain = true;
                }
                if failed_again || first.attempts.of >= MOST_TRIES {
                    break;
                }
            }
            if first.attempts.of == 1 {
                first.doubt_that_it_is_confirmed();
            }
            self.tell(first);
        }
    }

    /// The server is gone, or hangs. Who did it? If it comes back, playing the suspects alone tells;
    /// if not, the one that was the last to send something before the first sign of it.
    async fn server_lost(&mut self, mut lost: Vec<Played>) {
        if self.peer.comes_back().await {
            self.suspects.append(&mut lost);
            return;
        }
        lost.sort_by_key(|played| played.last_sent);
        let Some(mut culprit) = lost.pop() else {
            return;
        };
        let why = gone(&culprit.planned);
        for other in lost {
            let why = format!("not finished: {why}");
            self.teller.without(other.planned.case, Verdict::Skip, why);
        }
        let clause = culprit.planned.case.slug();
        let what = match &culprit.attempt.transcript.canary {
            Canary::Mute(how) => format!("the server no longer serves anybody: a new client {how}"),
            Canary::Dead(how) => format!("the server is gone: a new client {how}"),
            _ => "the server is gone".to_owned(),
        };
        culprit
            .attempt
            .findings
            .insert(0, Finding::must(clause, 0, what));
        culprit.is_certain = true;
        self.gone = Some(why);
        self.tell(culprit);
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

fn gone(planned: &Planned) -> String {
    format!("the server was gone after {}", planned.case.id)
}
