//! Campaigns: scripts made by chance, played at a live server for as long as is wanted, each judged by the
//! model, and what is found, confirmed and made small.
//!
//! Scripts are played side by side and in haste: what does not come soon is a suspicion, and no more. A
//! suspicion is gone into alone and with all patience, so that a server that is slow is found no fault with. What
//! fails then is made smaller, and told once for each clause and shape. When the server is gone, what was played
//! last is played back until the script is found that it does not survive.
//!
//! Scripts that showed something new are kept, and others are made of them. The same seed makes the same scripts
//! at a server that behaves the same.
//!
//! Where the server's own code can be watched, scripts are played one at a time, and what each of them reached in it
//! is looked at. How often threads come to their turn is chance, and so then are some of the scripts that are kept.

mod crash;
mod novelty;
mod steering;
mod suspicion;
mod workers;

use crate::cases;
use crate::coverage::Coverage;
use crate::event::{Attempts, Calibration, FindingNote};
use crate::generate::{Generator, Parents};
use crate::model::{Owes, permitted};
use crate::run::{Bounds, MeetError, Options, Played, Player, Target, minimise};
use crate::script::Script;
use crate::shrink::Size;
use crate::spec::{Clause, Role};
use novelty::{Novelty, shape};
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};
use steering::Steering;
use suspicion::{Suspicion, Suspicions, is_finding};
use workers::{Outcome, Workers};

/// Scripts that are played between two looks at what came of them.
const BATCH: usize = 64;

/// Scripts that are kept to make others of.
const MOST_POOL: usize = 512;

/// Scripts that are kept to be played back when the server is gone.
const MOST_RECENT: usize = 192;

/// How long nothing may happen at first until something owed is suspected not to come.
const HASTE: Duration = Duration::from_millis(40);

/// How often a suspicion has to be confirmed, of how many times at most.
const CONFIRMED: Attempts = Attempts { failed: 2, of: 3 };

/// What a campaign is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What all scripts are made from.
    pub seed: u64,
    /// How many scripts are played, if that is bounded.
    pub runs: Option<u64>,
    /// How long it goes on, if that is bounded. What has been found by then is still made smaller.
    pub time: Option<Duration>,
    /// How many scripts are played side by side, at least 1.
    pub jobs: usize,
    /// How many scripts are played in a second at most, if that is bounded.
    pub rate: Option<u32>,
    /// Whether warnings are findings.
    pub strict: bool,
    /// How much work is made of each finding, to have it small.
    pub bounds: Bounds,
    /// Scripts to begin with, beside those of the cases.
    pub seeds: Vec<Script>,
    /// Findings of before, each as the clause and a script that shows it: the like of them is not told.
    pub known: Vec<(String, Script)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            runs: None,
            time: None,
            jobs: crate::run::default_jobs(Role::Server),
            rate: None,
            strict: false,
            bounds: Bounds {
                time: Duration::from_secs(5),
                candidates: 400,
            },
            seeds: Vec::new(),
            known: Vec::new(),
        }
    }
}

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Status {
    /// Scripts that were played.
    pub scripts: u64,
    /// Those of them that hold a message which has to be answered.
    pub asking: u64,
    /// Scripts that are kept to make others of.
    pub pool: usize,
    /// Different things that were seen.
    pub seen: usize,
    /// Steps from place to place that the server's own code was seen to take, if it is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges: Option<usize>,
    /// Findings that were told.
    pub findings: u64,
    /// Suspicions that did not hold.
    pub refuted: u64,
    /// How long it has been going on, in seconds.
    pub seconds: f64,
    /// How long before that something new was seen last, in seconds.
    pub last_new: f64,
    /// Why nothing new is seen any more, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_nothing_new: Option<&'static str>,
}

/// For so long, in seconds, it is no wonder if nothing new is seen.
const SOON: f64 = 10.0;

/// Fewer different things than that are hardly what a server shows that understands what it is sent.
const FEW: usize = 24;

impl Status {
    /// The same with the reason why nothing new is seen.
    fn explained(self) -> Self {
        let asks_little = self.asking.saturating_mul(4) < self.scripts;
        let why = if self.last_new < SOON {
            None
        } else if asks_little {
            Some("few of the scripts hold a message as this profile has them: is it the server's?")
        } else if self.refuted > self.findings.saturating_add(8) {
            Some("much that was seen side by side was not confirmed: fewer --jobs may show more")
        } else if self.seen < FEW {
            Some("the server does the same whatever it is sent")
        } else {
            Some(
                "what such scripts can show has been shown: another --seed, or --seeds, may show more",
            )
        };
        Self {
            why_nothing_new: why,
            ..self
        }
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The script that shows it, as small as it was made.
    pub script: Script,
    /// What it shows, the gravest first; at least one.
    pub findings: Vec<FindingNote>,
    /// How often it did of how many times at last.
    pub attempts: Attempts,
    /// What was made smaller, and why it is not smaller still; nothing if it is as it was played at first.
    pub smaller: String,
    /// The number of the script that showed it first, counted from 1.
    pub number: u64,
}

/// What is told while a campaign goes on.
#[derive(Debug)]
pub enum Told {
    /// The server was looked at.
    Met(Calibration),
    /// How its own code is watched, or why it cannot be.
    Watched(Result<String, String>),
    /// Some more scripts were played.
    Status(Status),
    /// A script showed something new, and others are made of it.
    Kept(Script),
    /// Something was found.
    Found(Box<Found>),
}

/// How a campaign ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Where it stood.
    pub status: Status,
    /// Why it ended early, if it did.
    pub gone: Option<String>,
}

/// Plays scripts at a server until as many were played, or as much time has passed, as the plan says. The server has to be
/// started with the [environment](Coverage::environment) of `coverage`; if there is none, it says why.
///
/// # Errors
/// If there is no server, or it does not answer a plain request.
pub async fn campaign(
    target: &mut Target,
    options: &Options,
    plan: &Plan,
    coverage: Result<Coverage, String>,
    tell: &mut (dyn FnMut(Told) + Send),
) -> Result<Ended, MeetError> {
    let player = Player::meet(target, options).await?;
    tell(Told::Met(player.calibration().clone()));
    let (steering, watched) = Steering::of(coverage);
    tell(Told::Watched(watched));
    let mut campaign = Campaign::new(player, target, options, plan, steering, tell);
    campaign.run().await;
    Ok(campaign.ended())
}

struct Campaign<'a> {
    player: Player,
    target: &'a mut Target,
    plan: &'a Plan,
    tell: &'a mut (dyn FnMut(Told) + Send),
    generator: Generator,
    workers: Workers,
    haste: Duration,
    /// Longer than which nobody hurries.
    patience: Duration,
    pool: Vec<Script>,
    novelty: Novelty,
    steering: Steering,
    suspicions: Suspicions,
    /// Clauses and shapes that were told.
    told: HashSet<(String, String)>,
    recent: VecDeque<(u64, Script)>,
    crashes: u32,
    gone: Option<String>,
    begun: Instant,
    last_new: Instant,
    status: Status,
}

impl<'a> Campaign<'a> {
    fn new(
        player: Player,
        target: &'a mut Target,
        options: &Options,
        plan: &'a Plan,
        steering: Steering,
        tell: &'a mut (dyn FnMut(Told) + Send),
    ) -> Self {
        let seeds = cases::all(Role::Server).filter(|case| !case.alone);
        let seeds = seeds.filter_map(|case| player.script(case, options));
        let seeds = plan.seeds.iter().cloned().chain(seeds).collect();
        let profile = player.profile();
        let known = plan.known.iter().map(|(clause, script)| {
            let shape = shape(script, &permitted(profile, script));
            (clause.clone(), shape)
        });
        let now = Instant::now();
        Self {
            told: known.collect(),
            generator: Generator::new(player.profile().clone(), plan.seed, seeds),
            workers: Workers::new(steering.jobs(player.jobs(plan.jobs))),
            player,
            target,
            plan,
            tell,
            haste: HASTE,
            patience: options.timeout,
            pool: Vec::new(),
            novelty: Novelty::default(),
            steering,
            suspicions: Suspicions::default(),
            recent: VecDeque::new(),
            crashes: 0,
            gone: None,
            begun: now,
            last_new: now,
            status: Status::default(),
        }
    }

    async fn run(&mut self) {
        while self.gone.is_none() && !self.is_over() {
            let batch = self.batch();
            let hasty = self.hasty();
            let outcomes = self.steering.play(&mut self.workers, &hasty, batch).await;
            self.take_up(outcomes).await;
            self.generator.learn(self.steering.words());
            let status = self.status();
            (self.tell)(Told::Status(status));
            self.keep_the_rate().await;
        }
    }

    fn ended(self) -> Ended {
        Ended {
            status: self.status(),
            gone: self.gone,
        }
    }

    fn hasty(&self) -> Player {
        self.player.hasty(self.haste)
    }

    fn is_over(&self) -> bool {
        let made = self.generator.made();
        self.plan.runs.is_some_and(|runs| made >= runs)
            || self
                .plan
                .time
                .is_some_and(|time| self.begun.elapsed() >= time)
    }

    /// The next scripts, each with its number.
    fn batch(&mut self) -> Vec<(u64, Script)> {
        let made = self.generator.made();
        let left = self.plan.runs.map(|runs| runs.saturating_sub(made));
        let left = left.and_then(|left| usize::try_from(left).ok());
        let by_rate = self
            .plan
            .rate
            .map(|rate| usize::try_from(rate.div_ceil(4)).unwrap_or(BATCH));
        let count = self
            .steering
            .batch(BATCH)
            .min(left.unwrap_or(BATCH))
            .min(by_rate.unwrap_or(BATCH));
        let parents = Parents {
            pool: &self.pool,
            favoured: &self.steering.favoured(),
        };
        let make = |_| {
            let script = self.generator.script(parents);
            (self.generator.made(), script)
        };
        (0..count).map(make).collect()
    }

    async fn keep_the_rate(&self) {
        if let Some(rate) = self.plan.rate {
            let due = self.status.scripts as f64 / f64::from(rate.max(1));
            let ahead = due - self.begun.elapsed().as_secs_f64();
            if ahead > 0.0 {
                tokio::time::sleep(Duration::from_secs_f64(ahead)).await;
            }
        }
    }

    /// Takes notice of what came of a batch, in the order in which it was made.
    async fn take_up(&mut self, outcomes: Vec<Outcome>) {
        for outcome in &outcomes {
            self.note(outcome);
        }
        let is_gone = outcomes.iter().any(|outcome| outcome.played.peer_is_gone());
        if is_gone && !self.serves().await {
            return self.crashed(outcomes).await;
        }
        let before = self.status;
        for outcome in outcomes {
            let Some(suspicion) = Suspicion::of(&outcome.played, self.plan.strict) else {
                continue;
            };
            if self.gone.is_none() && self.suspicions.is_open(&suspicion) {
                self.examine(suspicion, outcome).await;
            }
        }
        let refuted = self.status.refuted.saturating_sub(before.refuted);
        let found = self.status.findings.saturating_sub(before.findings);
        self.workers.calm_down(refuted > found.saturating_add(1));
    }

    /// Whether the server serves a new client, though it did not in haste.
    async fn serves(&mut self) -> bool {
        self.workers.rest();
        self.player.serves().await
    }

    fn note(&mut self, outcome: &Outcome) {
        self.status.scripts = self.status.scripts.saturating_add(1);
        let mut duties = outcome
            .played
            .permitted()
            .iter()
            .flat_map(|one| &one.duties);
        let asks = duties.any(|duty| matches!(duty.owes, Owes::Reply(_)));
        self.status.asking = self.status.asking.saturating_add(u64::from(asks));
        let is_new = self.novelty.is_new(self.player.profile(), &outcome.played);
        if is_new | self.steering.is_new(outcome) {
            self.last_new = Instant::now();
            self.keep(outcome.script.clone());
        }
        self.recent
            .push_back((outcome.number, outcome.script.clone()));
        if self.recent.len() > MOST_RECENT {
            self.recent.pop_front();
        }
    }

    /// Keeps a script to make others of, in the place of an old one if there are many.
    fn keep(&mut self, script: Script) {
        (self.tell)(Told::Kept(script.clone()));
        if self.pool.len() < MOST_POOL {
            return self.pool.push(script);
        }
        let at = self
            .novelty
            .len()
            .checked_rem(MOST_POOL)
            .unwrap_or_default();
        if let Some(place) = self.pool.get_mut(at) {
            *place = script;
        }
    }

    /// Goes into a suspicion, alone and with all patience.
    async fn examine(&mut self, suspicion: Suspicion, outcome: Outcome) {
        self.workers.rest();
        let (attempts, shown) = self.confirm(&outcome.script).await;
        match shown {
            Some(shown) if attempts.failed >= CONFIRMED.failed || self.gone.is_some() => {
                self.suspicions.confirmed(suspicion);
                self.found(outcome.number, outcome.script, &shown, attempts)
                    .await;
            }
            _ => {
                self.status.refuted = self.status.refuted.saturating_add(1);
                self.suspicions.refuted(suspicion);
                // It may have been too soon.
                self.haste = self.haste.saturating_mul(2).min(self.patience);
            }
        }
    }

    /// Plays a script alone until it is known whether it fails: how often it did, and what it showed last.
    async fn confirm(&mut self, script: &Script) -> (Attempts, Option<Played>) {
        let mut attempts = Attempts::default();
        let mut shown = None;
        while attempts.failed < CONFIRMED.failed && attempts.of < CONFIRMED.of {
            let Ok(played) = self.player.patient().play(script, None).await else {
                break;
            };
            attempts.of = attempts.of.saturating_add(1);
            let is_gone = played.peer_is_gone();
            if is_finding(played.verdict(), self.plan.strict) {
                attempts.failed = attempts.failed.saturating_add(1);
                shown = Some(played);
            }
            let passed = attempts.of.saturating_sub(attempts.failed);
            if is_gone && !self.recovers().await || passed >= CONFIRMED.failed {
                break;
            }
        }
        (attempts, shown)
    }

    /// Whether there is a server again; if not, that is the end.
    async fn recovers(&mut self) -> bool {
        let is_back = self.player.recover(self.target).await;
        if !is_back {
            self.gone = Some("the server is gone, and does not come back".to_owned());
        }
        is_back
    }

    /// Makes a script that fails smaller, and tells of it, unless the like of it was told before.
    async fn found(&mut self, number: u64, script: Script, shown: &Played, attempts: Attempts) {
        let mut found = Found {
            script,
            findings: shown.findings(),
            attempts,
            smaller: String::new(),
            number,
        };
        if self.gone.is_none() {
            self.make_smaller(&mut found).await;
        }
        let Some(first) = found.findings.first() else {
            return;
        };
        self.suspicions.confirmed(Suspicion::noted(first));
        let permitted = permitted(self.player.profile(), &found.script);
        let like = (first.clause.clone(), shape(&found.script, &permitted));
        if self.told.insert(like) {
            self.status.findings = self.status.findings.saturating_add(1);
            (self.tell)(Told::Found(Box::new(found)));
        }
    }

    async fn make_smaller(&mut self, found: &mut Found) {
        let clause = found.findings.first().map(|first| first.clause.as_str());
        let Some(clause) = clause.and_then(Clause::from_slug) else {
            return;
        };
        let mut hasty = self.hasty();
        let bounds = self.plan.bounds;
        let smaller = minimise(&mut hasty, self.target, &found.script, None, clause, bounds).await;
        // It may have been started anew, and listen elsewhere.
        self.player = hasty.unhurried();
        if let Ok(smaller) = smaller {
            let sizes = [smaller.after, smaller.before].map(size);
            found.smaller = format!(
                "{}, from {}; {}",
                sizes[0],
                sizes[1],
                smaller.ended.as_str()
            );
            found.script = smaller.script;
            found.attempts = smaller.attempts;
            if !smaller.findings.is_empty() {
                found.findings = smaller.findings;
            }
        }
    }

    fn status(&self) -> Status {
        Status {
            pool: self.pool.len(),
            seen: self.novelty.len(),
            edges: self.steering.edges(),
            seconds: self.begun.elapsed().as_secs_f64(),
            last_new: self.last_new.elapsed().as_secs_f64(),
            ..self.status
        }
        .explained()
    }
}

fn size(size: Size) -> String {
    format!(
        "{} octets in {} frames on {} connections",
        size.octets, size.frames, size.connections
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_why_nothing_new_is_seen() {
        let status = Status {
            scripts: 1000,
            asking: 800,
            seen: 60,
            last_new: 9.0,
            ..Status::default()
        };
        let why = |status: Status| status.explained().why_nothing_new.unwrap_or_default();
        assert_eq!(why(status), "");
        let late = Status {
            last_new: 11.0,
            ..status
        };
        assert!(why(late).contains("--seed"));
        assert!(why(Status { asking: 9, ..late }).contains("profile"));
        assert!(why(Status { refuted: 9, ..late }).contains("--jobs"));
        assert!(why(Status { seen: 3, ..late }).contains("the same"));
    }
}
