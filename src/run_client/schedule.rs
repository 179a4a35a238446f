//! Which case is played when.
//!
//! Side by side, as far as each client can have a port of its own; then whatever failed, once more and
//! alone, with more time for everything: only what fails again is a failure. Clients that somebody else
//! starts get one case after the other, each once.

use super::calibrate::{Calibrated, calibrate};
use super::stage::{Patience, Theatre, play};
use super::verdict::Attempt;
use super::{Door, NoClient, Options, Source};
use crate::client_cases::judge::{Outcome, judge};
use crate::client_cases::{Case, Circumstances, Client, Play};
use crate::event::{Finished, Verdict};
use crate::outcome::{EventSink, Next, Policy, Series, result};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// How much longer everything is waited for when a failure is confirmed.
const STRETCH: u32 = 2;

/// Looks at the client and plays all cases to it.
pub(super) async fn run<'a>(
    door: Door,
    options: &'a Options,
    mut sink: EventSink<'a>,
) -> Result<Finished, NoClient> {
    let theatre = Arc::new(Theatre {
        source: options.source.clone(),
        door,
        profile: options.profile.clone(),
        types: options.input.is_some(),
    });
    let calibrated = match calibrate(&theatre, options).await {
        Ok(calibrated) => calibrated,
        Err(none) => {
            sink.finish(Some(none.to_string()));
            return Err(none);
        }
    };
    sink.calibrated(calibrated.told.clone());
    let mut run = Run {
        stage: Stage {
            theatre,
            client: Arc::new(calibrated.client.clone()),
            patience: calibrated.patience,
        },
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

/// What it takes to play.
#[derive(Debug, Clone)]
struct Stage {
    theatre: Arc<Theatre>,
    client: Arc<Client>,
    patience: Patience,
}

/// A case with its play.
struct Planned {
    case: &'static Case,
    play: Play,
}

impl Stage {
    /// The same, with more time for everything.
    fn stretched(&self) -> Self {
        let Patience {
            connection,
            first,
            reaction,
            stretch,
        } = self.patience;
        Self {
            patience: Patience {
                connection: connection.saturating_mul(STRETCH),
                first: first.saturating_mul(STRETCH),
                reaction: reaction.saturating_mul(STRETCH),
                stretch: stretch.saturating_mul(STRETCH),
            },
            ..self.clone()
        }
    }

    async fn once(&self, planned: Planned) -> (&'static Case, io::Result<Attempt>) {
        let begun = Instant::now();
        let Planned { case, play: acts } = planned;
        let transcript = match play(&self.theatre, &self.client, &acts, self.patience).await {
            Ok(transcript) => transcript,
            Err(error) => return (case, Err(error)),
        };
        let profile = &self.theatre.profile;
        let outcome: Outcome = judge(profile, &self.client, case.slug(), &acts, &transcript);
        let attempt = Attempt {
            case,
            profile: profile.clone(),
            play: acts,
            transcript,
            outcome,
            elapsed: begun.elapsed(),
        };
        (case, Ok(attempt))
    }
}

struct Run<'a> {
    stage: Stage,
    options: &'a Options,
    policy: Policy,
    sink: EventSink<'a>,
    /// Cases that failed and are to be played again.
    suspects: Vec<Series<Attempt>>,
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
                &calibrated.client
            };
            match (case.play(&about(client)), &calibrated.unheard) {
                (Ok(_), Some(why)) if !case.is_about_sending() => {
                    self.sink.without_play((*case).into(), Verdict::Skip, why);
                }
                (Ok(play), _) => planned.push_back(Planned { case, play }),
                (Err(why), _) => self.sink.without_play((*case).into(), Verdict::Skip, why),
            }
        }
        planned
    }

    fn is_users(&self) -> bool {
        self.stage.theatre.source == Source::User
    }

    fn jobs(&self) -> usize {
        if self.is_users() || self.stage.theatre.door.is_fixed {
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
                let stage = self.stage.clone();
                playing.spawn(async move { stage.once(next).await });
            }
            match playing.join_next().await {
                None => return,
                Some(Ok((_, Ok(attempt)))) => self.take(Series::of(attempt)),
                Some(Ok((case, Err(error)))) => {
                    let why = format!("the client could not be started: {error}");
                    self.sink.without_play(case.into(), Verdict::Error, why);
                }
                // A task that panicked is the harness's fault; its case is told at the end.
                Some(Err(_)) => {}
            }
        }
    }

    fn take(&mut self, played: Series<Attempt>) {
        if self.is_users() && played.shown().nobody_came() {
            let wait = self.options.wait;
            let why = format!("no client connected within {wait:?}");
            self.broken_off.get_or_insert(why);
        } else if played.next(self.policy) == Next::Confirm && !self.is_users() {
            self.suspects.push(played);
        } else {
            self.tell(&played);
        }
    }

    fn tell(&mut self, played: &Series<Attempt>) {
        let case = played.shown().case.into();
        let told = result(case, self.sink.command(), self.options.keep, played);
        self.sink.case_finished(told);
    }

    /// What failed beside others is played again alone. If it passes then, it is played some more,
    /// to tell how often it fails.
    async fn confirm(&mut self) {
        let stage = self.stage.stretched();
        for mut played in std::mem::take(&mut self.suspects) {
            while played.next(self.policy) == Next::Confirm {
                let again = Planned {
                    case: played.shown().case,
                    play: played.shown().play.clone(),
                };
                let (_, Ok(again)) = stage.once(again).await else {
                    break;
                };
                played.confirmed(again);
            }
            self.tell(&played);
        }
    }
}
