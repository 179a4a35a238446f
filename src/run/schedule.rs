//! Which case is played when.
//!
//! The gentle before the rough, so that a server that does not survive the rough is judged by the
//! gentle all the same. Within a group, side by side; then whatever failed is confirmed: only what fails again
//! is a failure. Cases that need a server to
//! themselves come before those that are known to leave threads spinning. When a server is gone,
//! the case that did it is named, and the rest is told as not run.
//!
//! Where causes are known, failures that are charged to one are confirmed until it is beyond doubt. From then
//! on others that it explains are played once, and those that it is sure to fail are not played at all.
//!
//! A run may be bounded in time. Each group then has its share of what is left, so that one that is slow
//! does not take the time of those behind it; what a group had no time for is played at the end if there is
//! some left. What was played and could not be confirmed is not held against anybody.
//!
//! To each client of one that can be started a single case is played; one that somebody else starts gets
//! one case after the other, as often as the user says and no more.

use super::Options;
use super::apart::apart;
use super::charged::Charged;
use super::confirm::{Became, Pool, Suspect};
use super::instance::Instance;
use super::peer::Peer;
use super::plan::{Planned, Roughness, Waiting};
use super::played::{Once, Played, repeated};
use super::spinning::Spinning;
use super::target::Target;
use super::time::{Time, TooLong};
use crate::cases::{Case, Unfit};
use crate::event::{CaseResult, Finished, Verdict};
use crate::lang::{Text, say};
use crate::outcome::{EventSink, Judged as _, Keep, Next, Policy, result};
use crate::spec::Clause;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The first of the looks at a case; those behind it go into what it made suspicious.
pub(super) const FIRST_LOOK: u32 = 0;

/// A pause that is longer than that need not be made again to confirm what it has shown.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// Plays all cases.
pub(super) async fn run<'a>(
    peer: Peer,
    target: &'a mut Target,
    options: &'a Options,
    time: Time,
    sink: EventSink<'a>,
) -> Finished {
    let charged = Charged::new(target.role(), options);
    let mut run = Run {
        policy: peer.policy(options.repeat),
        at: Instance::met(peer, target),
        pool: Pool::of(options.jobs),
        sink,
        options,
        waiting: BTreeMap::new(),
        alone: VecDeque::new(),
        suspects: Vec::new(),
        open: Vec::new(),
        charged,
        time,
        too_long: TooLong::default(),
        played: 0,
        unconfirmed: 0,
        spinning: Spinning::default(),
    };
    run.is_spinning_now().await;
    run.plan().await;
    if run.is_spinning_now().await {
        run.relieve().await;
    }
    run.groups().await;
    run.sink.finish(run.at.gone)
}

pub(super) struct Run<'a> {
    /// What the cases are played at.
    pub(super) at: Instance<&'a mut Target>,
    /// Others of the same, at which failures are confirmed.
    pub(super) pool: Pool,
    pub(super) options: &'a Options,
    pub(super) sink: EventSink<'a>,
    pub(super) policy: Policy,
    /// Cases that share the server, the gentlest first.
    waiting: BTreeMap<Roughness, VecDeque<Waiting>>,
    /// Cases that need it to themselves.
    alone: VecDeque<Waiting>,
    /// Cases that failed and are to be played again.
    pub(super) suspects: Vec<Suspect>,
    /// Those of them that have to be played again where they failed.
    pub(super) open: Vec<Suspect>,
    /// What failures are charged to.
    pub(super) charged: Charged,
    /// How long it may take.
    pub(super) time: Time,
    /// The cases that are not begun, as they take too long.
    too_long: TooLong,
    /// How many cases have been played.
    played: usize,
    /// How many have failed that there was no time to confirm.
    pub(super) unconfirmed: usize,
    /// What the server's process uses.
    spinning: Spinning,
}

impl Run<'_> {
    async fn plan(&mut self) {
        let (peer, options, time) = (self.at.peer.clone(), self.options.clone(), self.time);
        let plan = move |case: &'static Case| {
            let script = peer.script(case, &options, FIRST_LOOK)?;
            let planned = Planned { case, script };
            let (takes, reply) = peer.takes(&planned.script);
            // What is played alone is in no group.
            let roughness = match case.alone || case.undisturbed {
                true => Roughness::Plain,
                false => peer.roughness(&planned),
            };
            let waiting = Waiting::for_its_turn(planned, takes, peer.most_connections());
            Ok((roughness, waiting, time.no_room_for(takes, reply)))
        };
        let cases = self.options.cases.clone();
        let plans =
            move || -> Vec<_> { cases.into_iter().map(|case| (case, plan(case))).collect() };
        // Of octets there are as many as the cases choose.
        for (case, planned) in apart(usize::MAX, plans).await {
            match planned {
                Ok((_, waiting, Some(why))) => {
                    self.too_long.add(waiting.takes);
                    self.sink
                        .without_play(waiting.case.into(), Verdict::Skip, why);
                }
                Ok((roughness, waiting, None)) => self.queue(roughness, waiting),
                Err(Unfit::Skipped(why)) => self.sink.without_play(case.into(), Verdict::Skip, why),
                Err(Unfit::Broken(error)) => {
                    let what = say!(
                        "the case has no valid script: {error}",
                        error = error.to_string()
                    );
                    self.sink.without_play(case.into(), Verdict::Error, what);
                }
            }
        }
        // Whatever takes long does so while the others are played.
        for group in self.waiting.values_mut() {
            let group = group.make_contiguous();
            group.sort_by_key(|waiting| Reverse(waiting.takes.as_secs()));
        }
        // Whether it spins comes first: it decides what other readings are worth.
        let alone = self.alone.make_contiguous();
        alone.sort_by_key(|waiting| waiting.measures && waiting.case.clause() != Clause::Cpu);
    }

    /// Plays one group after the other, the gentlest first, and then what there was no time for.
    async fn groups(&mut self) {
        let mut left = VecDeque::new();
        while let Some((roughness, mut group)) = self.waiting.pop_first() {
            if roughness == Roughness::BreakingOff {
                self.by_themselves().await;
            }
            let behind = self.waiting.values().map(VecDeque::len).sum::<usize>();
            let behind = behind.saturating_add(self.alone.len());
            let until = self.time.share(group.len(), behind);
            self.group(&mut group, until).await;
            left.append(&mut group);
        }
        self.group(&mut left, None).await;
        loop {
            self.by_themselves().await;
            self.confirm().await;
            if self.alone.is_empty() || self.at.gone.is_some() || self.time.is_up() {
                break;
            }
        }
        let mut left = self.sink.untold().saturating_add(self.unconfirmed);
        match self.time.is_up() {
            true if left > 0 => self.sink.not_run(&Time::not_run()),
            _ => left = 0,
        }
        if left > 0 || self.too_long.cases > 0 {
            let why = self.time.ended(self.played, left, self.too_long);
            self.at.gone.get_or_insert(why);
        }
    }

    /// Plays a group until that moment. Whenever much has failed it is asked what for.
    async fn group(&mut self, group: &mut VecDeque<Waiting>, until: Option<Instant>) {
        loop {
            self.without_the_foretold(group);
            self.side_by_side(group, until).await;
            let is_interrupted = self.is_held_back();
            self.confirm_before_the_next().await;
            let goes_on = !group.is_empty() && self.at.gone.is_none() && !self.time.is_up();
            if !is_interrupted || !goes_on {
                return;
            }
        }
    }

    /// Whether so much has failed and is not confirmed that it is to be asked what for before anything else is played.
    fn is_held_back(&self) -> bool {
        let open = self
            .suspects
            .len()
            .saturating_add(self.pool.at_work().count());
        self.charged.are_enough(open)
    }

    /// Tells of cases that are sure to fail that they are not played.
    fn without_the_foretold(&mut self, group: &mut VecDeque<Waiting>) {
        let charged = &self.charged;
        let sink = &mut self.sink;
        group.retain(|waiting| match charged.foretold(waiting.case) {
            Some(why) => {
                sink.without_play(waiting.case.into(), Verdict::Skip, why);
                false
            }
            None => true,
        });
    }

    fn queue(&mut self, roughness: Roughness, waiting: Waiting) {
        if waiting.alone {
            return self.alone.push_back(waiting);
        }
        self.waiting
            .entry(roughness)
            .or_default()
            .push_back(waiting);
    }

    /// Plays what is in the group until there is nothing left in it, or that moment has come. What fails is confirmed
    /// meanwhile, where other instances can be had.
    async fn side_by_side(&mut self, group: &mut VecDeque<Waiting>, until: Option<Instant>) {
        let mut playing = Playing::at(&self.at.peer, self.options.jobs);
        loop {
            if playing.cases.is_empty() {
                self.see_to(&mut playing).await;
            }
            if self.confirm_meanwhile().await {
                self.without_the_foretold(group);
            }
            while playing.has_room()
                && self.may_begin(until)
                && let Some(next) = group.pop_front()
            {
                if let Some(planned) = self.begun(next) {
                    playing.begin(planned, self.options.repeat);
                }
            }
            if playing.is_over() && (group.is_empty() || !self.is_held_back()) {
                return;
            }
            // What is still being played when the time is up is broken off.
            let next = self
                .time
                .within(next_of(&mut playing, &mut self.pool))
                .await;
            match next.flatten() {
                None => return,
                Some(Over::Confirmed(became)) => self.take_confirmed(became),
                Some(Over::Played(case, played)) => {
                    self.take_played(&mut playing, case, *played);
                    self.look_at_it(&mut playing).await;
                }
                // A task that panicked is the harness's fault; its case is told at the end.
                Some(Over::Lost) => {}
            }
        }
    }

    /// Looks at the server while others are played: whether it is to come to rest before anything else is begun, or
    /// has by now.
    async fn look_at_it(&mut self, playing: &mut Playing) {
        match self.at.peer.process() {
            Some(process) if playing.is_to_rest => {
                playing.is_to_rest = !process.is_at_rest().await;
                if !playing.is_to_rest {
                    self.spinning.rested();
                }
            }
            _ => playing.is_to_rest = self.is_spinning().await,
        }
    }

    fn may_begin(&self, until: Option<Instant>) -> bool {
        !self.is_held_back()
            && self.at.gone.is_none()
            && !self.time.is_up()
            && until.is_none_or(|until| Instant::now() < until)
    }

    fn take_played(
        &mut self,
        playing: &mut Playing,
        case: &'static Case,
        played: io::Result<Played>,
    ) {
        match played {
            Ok(played) if played.shown().peer_is_gone() => playing.crashed.push(played),
            Ok(played) => self.take(played),
            Err(error) => self.not_started(case, &error),
        }
    }

    /// Sees to the server when nothing is being played at it any more.
    async fn see_to(&mut self, playing: &mut Playing) {
        if !playing.crashed.is_empty() {
            self.attribute_crash(std::mem::take(&mut playing.crashed))
                .await;
        } else if std::mem::take(&mut playing.is_to_rest) {
            self.relieve().await;
        } else {
            return;
        }
        playing.peer = self.at.peer.in_company();
    }

    /// Whether the server may be computing for clients that are gone, and another can be had.
    async fn is_spinning(&mut self) -> bool {
        match self.at.peer.process() {
            Some(process) if self.at.can_be_revived() => self.spinning.is_suspected(process).await,
            _ => false,
        }
    }

    /// The same at once, since the last look.
    async fn is_spinning_now(&mut self) -> bool {
        match self.at.peer.process() {
            Some(process) if self.at.can_be_revived() => self.spinning.looks(process).await,
            _ => false,
        }
    }

    /// Starts a server anew that does not come to rest although nobody asks for anything.
    async fn relieve(&mut self) {
        let Some(process) = self.at.peer.process() else {
            return;
        };
        if process.is_at_rest().await || process.is_at_rest().await {
            return self.spinning.rested();
        }
        // If it cannot be started, the next case finds that it is gone.
        if self.at.start_anew().await && !self.at.peer.spare().await {
            self.at.start_anew().await;
        }
    }

    /// A case whose turn has come.
    fn begun(&mut self, waiting: Waiting) -> Option<Planned> {
        let case = waiting.case;
        let script = |case: &Case| self.at.peer.script(case, self.options, FIRST_LOOK);
        match waiting.planned(script) {
            Ok(planned) => {
                self.sink.case_started(case.into());
                Some(planned)
            }
            Err(unfit) => {
                let what = say!(
                    "the case has no script any more: {unfit}",
                    unfit = format!("{unfit:?}")
                );
                self.sink.without_play(case.into(), Verdict::Error, what);
                None
            }
        }
    }

    /// Whether readings of the process can say something of that case alone: what earlier ones have left
    /// running would be charged to it. Where no other process can be had, they have to do.
    async fn is_calm(&mut self, waiting: &Waiting) -> bool {
        match self.at.peer.process() {
            Some(process) if waiting.measures && self.at.can_be_revived() => {
                process.is_at_rest().await
            }
            _ => true,
        }
    }

    fn not_started(&mut self, case: &'static Case, error: &io::Error) {
        let why = say!(
            "the {role} could not be started: {error}",
            role = self.at.role(),
            error
        );
        self.sink.without_play(case.into(), Verdict::Error, why);
    }

    /// Plays what needs the server to itself, as far as something can be read of it.
    async fn by_themselves(&mut self) {
        while self.at.gone.is_none()
            && !self.time.is_up()
            && !self.may_be_spinning()
            && let Some(waiting) = self.alone.pop_front()
        {
            let case = waiting.case;
            let foretold = self.charged.foretold(case);
            if let Some(why) = foretold.or_else(|| self.charged.not_measured(waiting.measures)) {
                self.sink.without_play(case.into(), Verdict::Skip, why);
                continue;
            }
            let is_calm = self.is_calm(&waiting).await;
            let Some(planned) = self.begun(waiting) else {
                continue;
            };
            if !is_calm && !self.at.start_anew().await {
                self.at.gone = Some(self.at.gone_after(&planned));
                return;
            }
            let peer = self.at.peer.in_company();
            let playing = repeated(&peer, planned, self.options.repeat);
            let Some(played) = self.time.within(playing).await else {
                return;
            };
            match played {
                Ok(played) if played.shown().peer_is_gone() => {
                    self.attribute_crash(vec![played]).await;
                }
                Ok(played) => self.take(played),
                Err(error) => self.not_started(case, &error),
            }
            match self.pool.is_open() {
                true => drop(self.confirm_meanwhile().await),
                false => self.confirm().await,
            }
        }
    }

    /// Whether it is being found out if the process computes for nobody: then little can be read of it.
    fn may_be_spinning(&self) -> bool {
        let clause = Clause::Cpu.slug();
        let mut confirming = self.pool.at_work();
        confirming.any(|failed| failed.clause == clause)
    }

    pub(super) fn take(&mut self, played: Played) {
        self.played = self.played.saturating_add(1);
        let Once {
            planned, attempt, ..
        } = played.shown();
        if let Some(why) = self.at.peer.stays_away(attempt) {
            self.at.gone.get_or_insert(why);
            return;
        }
        let is_shown = attempt.is_beyond_model_only() && planned.pauses() > LONG_PAUSE;
        if played.next(self.policy) == Next::Done || is_shown {
            self.tell(&played);
        } else {
            self.wait_for_confirmation(played);
        }
    }

    /// Of what waits to be played again only that is held which a report shows.
    pub(super) fn wait_for_confirmation(&mut self, mut played: Played) {
        if self.options.keep != Keep::Nothing {
            played.amend(|once| once.attempt.condense());
        }
        let suspect = self.suspect(played);
        self.suspects.push(suspect);
    }

    pub(super) fn tell(&mut self, played: &Played) {
        self.tell_with(played, &Text::default());
    }

    /// Tells of a case, with something added to how it failed.
    pub(super) fn tell_with(&mut self, played: &Played, remark: &Text) {
        let mut told = self.result(played);
        if told.verdict != Verdict::Pass && !remark.is_empty() {
            told.detail = say!("{what}{remark}", what = told.detail, remark);
        }
        self.charged.confirmed(&told);
        self.sink.case_finished(told);
    }

    pub(super) fn result(&self, played: &Played) -> CaseResult {
        let case = played.shown().planned.case.into();
        result(case, self.sink.command(), self.options.keep, played)
    }
}

/// Cases that are being played side by side.
struct Playing {
    peer: Peer,
    jobs: usize,
    permits: Arc<Semaphore>,
    cases: JoinSet<(&'static Case, io::Result<Played>)>,
    /// Those that the server was gone after.
    crashed: Vec<Played>,
    /// Whether the server is to come to rest before anything else is begun.
    is_to_rest: bool,
}

impl Playing {
    fn at(peer: &Peer, jobs: usize) -> Self {
        Self {
            jobs: peer.jobs(jobs),
            permits: Arc::new(Semaphore::new(peer.most_connections())),
            peer: peer.in_company(),
            cases: JoinSet::new(),
            crashed: Vec::new(),
            is_to_rest: false,
        }
    }

    /// Whether nothing is being played, and there is nothing to be seen to.
    fn is_over(&self) -> bool {
        self.cases.is_empty() && self.crashed.is_empty() && !self.is_to_rest
    }

    fn has_room(&self) -> bool {
        self.cases.len() < self.jobs && self.crashed.is_empty() && !self.is_to_rest
    }

    fn begin(&mut self, planned: Planned, repeat: u32) {
        let (peer, permits) = (self.peer.clone(), Arc::clone(&self.permits));
        self.cases
            .spawn(beside_others(peer, permits, planned, repeat));
    }
}

/// What is over next.
enum Over {
    Played(&'static Case, Box<io::Result<Played>>),
    Confirmed(Became),
    Lost,
}

/// What is over next of what is being played and confirmed; `None` if that is nothing.
async fn next_of(playing: &mut Playing, pool: &mut Pool) -> Option<Over> {
    tokio::select! {
        Some(played) = playing.cases.join_next() => {
            Some(played.map_or(Over::Lost, |(case, played)| Over::Played(case, Box::new(played))))
        }
        Some(became) = pool.next() => Some(became.map_or(Over::Lost, Over::Confirmed)),
        else => None,
    }
}

/// Plays a case while others are played, with as many connections as are free.
async fn beside_others(
    peer: Peer,
    permits: Arc<Semaphore>,
    planned: Planned,
    repeat: u32,
) -> (&'static Case, io::Result<Played>) {
    let case = planned.case;
    let open = peer
        .connections(&planned.script)
        .min(peer.most_connections());
    let open = u32::try_from(open).unwrap_or(1);
    let _permit = permits.acquire_many_owned(open).await;
    (case, repeated(&peer, planned, repeat).await)
}
