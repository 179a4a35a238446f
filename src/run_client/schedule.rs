//! Which case is played when.
//!
//! Side by side, as far as each client can have a port of its own; then whatever failed, once more and
//! alone, with more time for everything: only what fails again is a failure. Clients that somebody else
//! starts get one case after the other, each once.

use super::calibrate::{Calibrated, calibrate};
use super::stage::{Patience, Theatre, play};
use super::verdict::{Attempt, result, without};
use super::{Door, NoClient, Options, Source};
use crate::client_cases::judge::{Outcome, judge};
use crate::client_cases::{Case, Circumstances, Client, Play};
use crate::event::{Attempts, CaseResult, Event, Finished, Summary, Unchecked, Verdict};
use crate::spec;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often at most a failure that does not come back is tried.
const MOST_TRIES: u32 = 4;

/// How much longer everything is waited for when a failure is confirmed.
const STRETCH: u32 = 2;

/// Tells what is played, and counts.
struct Teller<'a> {
    options: &'a Options,
    tell: &'a mut (dyn FnMut(Event) + Send),
    results: BTreeMap<&'static str, (Verdict, String)>,
}

impl Teller<'_> {
    fn started(&mut self, case: &Case) {
        (self.tell)(Event::CaseStarted {
            id: case.id.to_owned(),
        });
    }

    fn finished(&mut self, case: &'static Case, result: CaseResult) {
        let told = (result.verdict, result.detail.clone());
        self.results.insert(case.id, told);
        (self.tell)(Event::CaseFinished(Box::new(result)));
    }

    fn without(&mut self, case: &'static Case, verdict: Verdict, why: impl Into<String>) {
        let result = without(self.options, case, verdict, why);
        self.finished(case, result);
    }

    /// Whatever has no verdict yet was not run, or the harness failed in it.
    fn finish(mut self, broken_off: Option<String>) -> Finished {
        for case in &self.options.cases {
            if self.results.contains_key(case.id) {
                continue;
            }
            match &broken_off {
                Some(why) => self.without(case, Verdict::Skip, format!("not run: {why}")),
                None => self.without(case, Verdict::Error, "the harness failed in this case"),
            }
        }
        let mut summary = Summary::default();
        for (verdict, _) in self.results.values() {
            summary.count(*verdict);
        }
        let (mut clauses_checked, mut clauses_unchecked) = (Vec::new(), Vec::new());
        for clause in spec::CLIENT_CLAUSES {
            let own: Vec<&(Verdict, String)> = self
                .results
                .iter()
                .filter(|(id, _)| id.split('/').next() == Some(clause.slug))
                .map(|(_, result)| result)
                .collect();
            let is_checked = |(verdict, _): &(Verdict, String)| {
                !matches!(verdict, Verdict::Skip | Verdict::Error)
            };
            if own.iter().any(|result| is_checked(result)) {
                clauses_checked.push(clause.slug.to_owned());
            } else {
                let why = own.first().map(|(_, why)| why.as_str());
                clauses_unchecked.push(Unchecked {
                    clause: clause.slug.to_owned(),
                    why: why.unwrap_or("no case of it was selected").to_owned(),
                });
            }
        }
        Finished {
            summary,
            broken_off,
            stale: Vec::new(),
            clauses_checked,
            clauses_unchecked,
        }
    }
}

/// Looks at the client and plays all cases to it.
pub(super) async fn run(
    door: Door,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> (Finished, Result<(), NoClient>) {
    let teller = Teller {
        options,
        tell,
        results: BTreeMap::new(),
    };
    let theatre = Arc::new(Theatre {
        source: options.source.clone(),
        door,
        profile: options.profile.clone(),
        types: options.input.is_some(),
    });
    let calibrated = match calibrate(&theatre, options).await {
        Ok(calibrated) => calibrated,
        Err(none) => return (teller.finish(Some(none.to_string())), Err(none)),
    };
    (teller.tell)(Event::Calibrated(calibrated.told.clone()));
    let mut run = Run {
        stage: Stage {
            theatre,
            client: Arc::new(calibrated.client.clone()),
            patience: calibrated.patience,
        },
        options,
        teller,
        suspects: Vec::new(),
        broken_off: None,
    };
    let planned = run.plan(&calibrated);
    run.side_by_side(planned).await;
    run.confirm().await;
    (run.teller.finish(run.broken_off), Ok(()))
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

/// A case that has been played.
struct Played {
    case: &'static Case,
    attempt: Attempt,
    attempts: Attempts,
    elapsed: Duration,
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

    async fn once(&self, planned: Planned) -> (&'static Case, io::Result<Played>) {
        let begun = Instant::now();
        let Planned { case, play: acts } = planned;
        let transcript = match play(&self.theatre, &self.client, &acts, self.patience).await {
            Ok(transcript) => transcript,
            Err(error) => return (case, Err(error)),
        };
        let profile = &self.theatre.profile;
        let outcome: Outcome = judge(profile, &self.client, case.slug(), &acts, &transcript);
        let attempt = Attempt {
            play: acts,
            transcript,
            outcome,
        };
        let is_bad = !matches!(attempt.verdict(case), Verdict::Pass | Verdict::Skip);
        let played = Played {
            case,
            attempts: Attempts {
                failed: u32::from(is_bad),
                of: 1,
            },
            attempt,
            elapsed: begun.elapsed(),
        };
        (case, Ok(played))
    }
}

struct Run<'a> {
    stage: Stage,
    options: &'a Options,
    teller: Teller<'a>,
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
                &calibrated.client
            };
            match (case.play(&about(client)), &calibrated.unheard) {
                (Ok(_), Some(why)) if !case.is_about_sending() => {
                    self.teller.without(case, Verdict::Skip, why);
                }
                (Ok(play), _) => planned.push_back(Planned { case, play }),
                (Err(why), _) => self.teller.without(case, Verdict::Skip, why),
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
                self.teller.started(next.case);
                let stage = self.stage.clone();
                playing.spawn(async move { stage.once(next).await });
            }
            match playing.join_next().await {
                None => return,
                Some(Ok((_, Ok(played)))) => self.take(played),
                Some(Ok((case, Err(error)))) => {
                    let why = format!("the client could not be started: {error}");
                    self.teller.without(case, Verdict::Error, why);
                }
                // A task that panicked is the harness's fault; its case is told at the end.
                Some(Err(_)) => {}
            }
        }
    }

    fn take(&mut self, played: Played) {
        if self.is_users() && played.attempt.nobody_came() {
            let wait = self.options.wait;
            let why = format!("no client connected within {wait:?}");
            self.broken_off.get_or_insert(why);
        } else if played.attempts.failed > 0 && !self.is_users() {
            self.suspects.push(played);
        } else {
            self.tell(&played);
        }
    }

    fn tell(&mut self, played: &Played) {
        let Played {
            case,
            attempt,
            attempts,
            elapsed,
        } = played;
        let told = result(self.options, case, attempt, *attempts, *elapsed);
        self.teller.finished(case, told);
    }

    /// What failed beside others is played again alone. If it passes then, it is played some more,
    /// to tell how often it fails.
    async fn confirm(&mut self) {
        let stage = self.stage.stretched();
        for mut first in std::mem::take(&mut self.suspects) {
            while first.attempts.of < MOST_TRIES {
                let again = Planned {
                    case: first.case,
                    play: first.attempt.play.clone(),
                };
                let (_, Ok(again)) = stage.once(again).await else {
                    break;
                };
                let Attempts { failed, of } = first.attempts;
                first.elapsed = first.elapsed.saturating_add(again.elapsed);
                first.attempts.of = of.saturating_add(1);
                first.attempts.failed = failed.saturating_add(again.attempts.failed);
                if again.attempts.failed > 0 {
                    first.attempt = again.attempt;
                    // It failed at first and again, however often it was played in between.
                    first.attempts.of = first.attempts.failed;
                    break;
                }
            }
            self.tell(&first);
        }
    }
}
