//! Which case is played when.
//!
//! Side by side, as far as each client can have a port of its own; then whatever failed, once more and
//! alone, with more time for everything: only what fails again is a failure. Clients that somebody else
//! starts get one case after the other, each once.

use super::calibrate::{Calibrated, calibrate};
use super::session::{ClientPeer, Source};
use super::{Listener, NoClient, Options};
use crate::cases::client::Circumstances;
use crate::cases::{Case, Unfit};
use crate::event::{Finished, Verdict};
use crate::judge::Traits;
use crate::model;
use crate::outcome::{Attempt, EventSink, Next, Policy, Series, result};
use crate::script::{Awaited, Script};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// How much longer everything is waited for when a failure is confirmed.
const STRETCH: u32 = 2;

/// Looks at the client and plays all cases to it.
pub(super) async fn run<'a>(
    listener: Listener,
    options: &'a Options,
    mut sink: EventSink<'a>,
) -> Result<Finished, NoClient> {
    let calibrated = match calibrate(&Arc::new(listener), options).await {
        Ok(calibrated) => calibrated,
        Err(none) => {
            sink.finish(Some(none.to_string()));
            return Err(none);
        }
    };
    sink.calibrated(calibrated.told.clone());
    let mut run = Run {
        peer: calibrated.peer.clone(),
        options,
        policy: Policy::confirmed(1),
        sink,
        suspects: Vec::new(),
        broken_off: None,
    };
    let planned = run.plan(&calibrated);
    run.side_by_side(planned).await;
    run.confirm().await;
    Ok(run.sink.finish(run.broken_off))
}

/// A case with its script.
struct Planned {
    case: &'static Case,
    script: Script,
}

/// A case that has been played.
struct Played {
    case: &'static Case,
    series: Series<Attempt>,
}

async fn once(peer: &ClientPeer, planned: Planned) -> (&'static Case, io::Result<Attempt>) {
    let Planned { case, script } = planned;
    (case, attempt(peer, script, Some(case)).await)
}

/// Plays a script once, for a case or for none.
pub(super) async fn attempt(
    peer: &ClientPeer,
    script: Script,
    case: Option<&Case>,
) -> io::Result<Attempt> {
    let begun = Instant::now();
    let permitted = model::permitted(&peer.profile, &script);
    let transcript = match permitted.first() {
        Some(first) => peer.play(&script, first).await?,
        None => return Err(io::Error::other("the script opens no connection")),
    };
    let traits = Traits::Client(&peer.traits);
    let mut attempt = Attempt::judged(&peer.profile, traits, case, script, permitted, transcript);
    attempt.elapsed = begun.elapsed();
    Ok(attempt)
}

struct Run<'a> {
    peer: ClientPeer,
    options: &'a Options,
    policy: Policy,
    sink: EventSink<'a>,
    /// Cases that failed and are to be played again.
    suspects: Vec<Played>,
    /// Why the run is broken off, if it is.
    broken_off: Option<String>,
}

impl Run<'_> {
    fn plan(&mut self, calibrated: &Calibrated) -> VecDeque<Planned> {
        let about = |client| Circumstances {
            profile: &self.options.profile,
            client,
            input: self.options.input.as_deref(),
            reply: self.options.reply.as_deref(),
            seed: self.options.seed,
        };
        let mut planned = VecDeque::new();
        for case in &self.options.cases {
            let client = if case.is_about_sending() {
                &calibrated.sender
            } else {
                &calibrated.peer.traits
            };
            let head = (*case).into();
            match (case.script_for_client(&about(client)), &calibrated.unread) {
                (Ok(_), Some(why)) if !case.is_about_sending() => {
                    self.sink.without_play(head, Verdict::Skip, why);
                }
                (Ok(script), _) => planned.push_back(Planned { case, script }),
                (Err(Unfit::Skipped(why)), _) => self.sink.without_play(head, Verdict::Skip, why),
                (Err(Unfit::Broken(error)), _) => {
                    let what = format!("the case has no valid script: {error}");
                    self.sink.without_play(head, Verdict::Error, what);
                }
            }
        }
        planned
    }

    fn is_users(&self) -> bool {
        self.peer.source == Source::User
    }

    fn jobs(&self) -> usize {
        if self.is_users() || self.peer.listener.is_fixed {
            1
        } else {
            self.options.jobs.max(1)
        }
    }

    async fn side_by_side(&mut self, mut planned: VecDeque<Planned>) {
        let jobs = self.jobs();
        let mut playing = JoinSet::new();
        loop {
            while playing.len() < jobs
                && self.broken_off.is_none()
                && let Some(next) = planned.pop_front()
            {
                self.sink.case_started(next.case.into());
                let peer = self.peer.clone();
                playing.spawn(async move { once(&peer, next).await });
            }
            match playing.join_next().await {
                None => return,
                Some(Ok((case, Ok(attempt)))) => self.take(Played {
                    case,
                    series: Series::of(attempt),
                }),
                Some(Ok((case, Err(error)))) => {
                    let why = format!("the client could not be started: {error}");
                    self.sink.without_play(case.into(), Verdict::Error, why);
                }
                // A task that panicked is the harness's fault; its case is told at the end.
                Some(Err(_)) => {}
            }
        }
    }

    fn take(&mut self, played: Played) {
        let attempt = played.series.shown();
        if self.is_users() && attempt.has_given_up(Awaited::Connection) {
            let wait = self.options.wait;
            let why = format!("no client connected within {wait:?}");
            self.broken_off.get_or_insert(why);
        } else if played.series.next(self.policy) == Next::Confirm && !self.is_users() {
            self.suspects.push(played);
        } else {
            self.tell(&played);
        }
    }

    fn tell(&mut self, played: &Played) {
        let case = played.case.into();
        let told = result(case, self.sink.command(), self.options.keep, &played.series);
        self.sink.case_finished(told);
    }

    /// What failed beside others is played again alone. If it passes then, it is played some more,
    /// to tell how often it fails.
    async fn confirm(&mut self) {
        let peer = self.peer.stretched(STRETCH);
        for mut played in std::mem::take(&mut self.suspects) {
            while played.series.next(self.policy) == Next::Confirm {
                let script = played.series.shown().script().clone();
                let Ok(again) = attempt(&peer, script, Some(played.case)).await else {
                    break;
                };
                played.series.confirmed(again);
            }
            self.tell(&played);
        }
    }
}
