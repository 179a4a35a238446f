//! Which case is played when.
//!
//! The gentle before the rough, so that a server that does not survive the rough is judged by the
//! gentle all the same. Within a group, side by side; then whatever failed, once more and alone, with
//! more time for everything: only what fails again is a failure. Cases that need the server to
//! themselves come before those that are known to leave threads spinning. When the server is gone,
//! the case that did it is named, and the rest is told as not run.

use super::calibrate::{Calibrated, NotServed};
use super::play::{Peer, play};
use super::verdict::{Attempt, result, without};
use super::{MOST_CONNECTIONS, Options};
use crate::cases::{Case, Circumstances, Unfit};
use crate::event::{Attempts, CaseResult, Event, Finished, Summary, Unchecked, Verdict};
use crate::judge::Finding;
use crate::model::{self, Owes, Permitted, Tail};
use crate::profile::Profile;
use crate::script::{ClientEnd, Script};
use crate::spec;
use crate::transcript::{Canary, Seen};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often at most a failure that does not come back is tried.
const MOST_TRIES: u32 = 4;

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
        self.results
            .insert(case.id, (result.verdict, result.detail.clone()));
        (self.tell)(Event::CaseFinished(Box::new(result)));
    }

    fn without(&mut self, case: &'static Case, verdict: Verdict, why: impl Into<String>) {
        let result = without(self.options, case, verdict, why);
        self.finished(case, result);
    }

    fn finish(self, broken_off: Option<String>) -> Finished {
        let mut summary = Summary::default();
        let (mut clauses_checked, mut clauses_unchecked) = (Vec::new(), Vec::new());
        for (verdict, _) in self.results.values() {
            summary.count(*verdict);
        }
        for clause in spec::CLAUSES {
            let own: Vec<&(Verdict, String)> = self
                .results
                .iter()
                .filter(|(id, _)| id.split('/').next() == Some(clause.slug))
                .map(|(_, result)| result)
                .collect();
            let is_checked = |(verdict, _): &&(Verdict, String)| {
                !matches!(verdict, Verdict::Skip | Verdict::Error)
            };
            let clause_slug = clause.slug.to_owned();
            if own.iter().copied().any(|result| is_checked(&result)) {
                clauses_checked.push(clause_slug);
            } else {
                let why = own
                    .first()
                    .map_or("no case of it was selected", |(_, why)| why.as_str());
                clauses_unchecked.push(Unchecked {
                    clause: clause_slug,
                    why: why.to_owned(),
                });
            }
        }
        Finished {
            summary,
            broken_off,
            clauses_checked,
            clauses_unchecked,
        }
    }
}

/// Nobody is there: every case is told as not run.
pub(super) fn not_run(
    options: &Options,
    why: &str,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let mut teller = Teller {
        options,
        tell,
        results: BTreeMap::new(),
    };
    for case in &options.cases {
        teller.without(case, Verdict::Skip, format!("not run: {why}"));
    }
    teller.finish(Some(why.to_owned()))
}

/// The server does not answer a plain request. That fails the plainest case of those selected;
/// nothing can be said of the others.
pub(super) fn not_served(
    options: &Options,
    failed: &NotServed,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let mut teller = Teller {
        options,
        tell,
        results: BTreeMap::new(),
    };
    let advice = failed
        .advice
        .as_ref()
        .map(|advice| format!("; {advice}"))
        .unwrap_or_default();
    let told = format!("{}{advice}", failed.what);
    let plainest = ["one-reply/single", "length-prefix/one-chunk"];
    let selected = |id: &str| options.cases.iter().copied().find(|case| case.id == id);
    let plain = plainest
        .into_iter()
        .find_map(selected)
        .or(options.cases.first().copied());
    for case in &options.cases {
        if plain.is_some_and(|plain| plain.id == case.id) {
            teller.without(case, Verdict::Fail, told.clone());
        } else {
            teller.without(
                case,
                Verdict::Skip,
                "not run: the server does not answer a plain request",
            );
        }
    }
    teller.finish(Some(told))
}

/// A case with its script.
#[derive(Debug, Clone)]
struct Planned {
    case: &'static Case,
    script: Script,
}

/// How a server is treated, the gentlest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Roughness {
    /// Messages, and nothing but messages.
    Plain,
    /// Streams that end between frames.
    Ending,
    /// Payloads and lengths that are doubtful.
    Doubtful,
    /// Lengths that are refused, and connections that are reset.
    Rough,
    /// Streams that end inside a frame.
    BreakingOff,
}

impl Planned {
    fn roughness(&self, profile: &Profile) -> Roughness {
        let permitted = model::permitted(profile, &self.script);
        permitted
            .iter()
            .map(roughness)
            .max()
            .unwrap_or(Roughness::Plain)
    }
}

fn roughness(permitted: &Permitted) -> Roughness {
    let owed = permitted.duties.iter().map(|duty| match duty.owes {
        Owes::Reply(_) => Roughness::Plain,
        Owes::ReplyOrClose(_) => Roughness::Doubtful,
        Owes::Close(_) => Roughness::Rough,
    });
    let end = match (permitted.client_end, permitted.tail) {
        (ClientEnd::Open, _) => Roughness::Plain,
        (ClientEnd::Fin, Tail::Boundary) => Roughness::Ending,
        (ClientEnd::Rst, _) | (ClientEnd::Fin, Tail::Void) => Roughness::Rough,
        (ClientEnd::Fin, Tail::Inside { .. }) => Roughness::BreakingOff,
    };
    owed.chain([end]).max().unwrap_or(end)
}

/// A case that has been played.
struct Played {
    planned: Planned,
    attempt: Attempt,
    attempts: Attempts,
    elapsed: Duration,
    /// When octets were last sent in it before the server showed signs of its end, if any were.
    last_sent: Option<Instant>,
}

impl Played {
    fn server_is_gone(&self) -> bool {
        matches!(
            self.attempt.transcript.canary,
            Canary::Dead(_) | Canary::Mute(_)
        )
    }
}

/// Plays all cases.
pub(super) async fn run(
    calibrated: &Calibrated,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let peer = &calibrated.peer;
    let mut run = Run {
        peer,
        teller: Teller {
            options,
            tell,
            results: BTreeMap::new(),
        },
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
        let Played {
            planned,
            attempt,
            attempts,
            elapsed,
            ..
        } = played;
        let told = result(
            self.peer,
            self.options,
            planned.case,
            &attempt,
            attempts,
            elapsed,
        );
        self.teller.finished(planned.case, told);
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
                }
                if failed_again || first.attempts.of >= MOST_TRIES {
                    break;
                }
            }
            // What failed at first and again has failed, however often it was played before that.
            if first.attempts.failed >= 2 && self.options.repeat <= 1 {
                first.attempts.of = first.attempts.failed;
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
        self.gone = Some(why);
        self.tell(culprit);
        for played in std::mem::take(&mut self.suspects) {
            self.tell(played);
        }
    }

    fn leave_the_rest(&mut self) {
        let why = self.gone.clone();
        for case in &self.options.cases {
            if self.teller.results.contains_key(case.id) {
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

/// Plays a case so many times; of the attempts the worst is kept.
async fn tries(peer: &Peer, planned: Planned, times: u32) -> Played {
    let mut worst = once(peer, planned).await;
    for _ in 1..times {
        if worst.server_is_gone() {
            break;
        }
        let mut next = once(peer, worst.planned.clone()).await;
        let (of, failed) = (worst.attempts.of, worst.attempts.failed);
        let elapsed = worst.elapsed.saturating_add(next.elapsed);
        next.attempts.of = next.attempts.of.saturating_add(of);
        next.attempts.failed = next.attempts.failed.saturating_add(failed);
        if worst.attempt.verdict() < next.attempt.verdict() || next.server_is_gone() {
            worst = Played { elapsed, ..next };
        } else {
            worst = Played {
                elapsed,
                attempts: next.attempts,
                ..worst
            };
        }
    }
    worst
}

async fn once(peer: &Peer, planned: Planned) -> Played {
    let begun = Instant::now();
    let permitted = model::permitted(&peer.profile, &planned.script);
    let (transcript, began) = play(peer, &planned.script, &permitted).await;
    let last_sent = last_sent(&transcript).and_then(|at| began.checked_add(at));
    let script = planned.script.clone();
    let attempt = Attempt::judged(peer, Some(planned.case), script, permitted, transcript);
    let failed = u32::from(attempt.verdict() != Verdict::Pass);
    let attempts = Attempts { failed, of: 1 };
    Played {
        planned,
        attempt,
        attempts,
        elapsed: begun.elapsed(),
        last_sent,
    }
}

/// When octets were last sent before the server first ended a connection, refused one or fell
/// silent.
fn last_sent(transcript: &crate::transcript::Transcript) -> Option<Duration> {
    let sign = transcript.entries.iter().position(|entry| {
        matches!(
            entry.seen,
            Seen::Fin | Seen::Rst | Seen::Refused(_) | Seen::SendFailed | Seen::GaveUp(_)
        )
    });
    let before = transcript.entries.iter().take(sign.unwrap_or(usize::MAX));
    let sent = before.filter(|entry| matches!(entry.seen, Seen::Sent(_)));
    sent.map(|entry| entry.at).last()
}
