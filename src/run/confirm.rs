//! Failures confirmed: what failed beside others is played again, alone and with more time for everything.
//!
//! Where the peer can be had several times, each case is played again at an instance of its own, some of them
//! side by side: what others have left behind cannot be charged to it there, and no other waits meanwhile. A server
//! that nobody has been a client of and that does not fail is no proof that one does not which has served many: the
//! case is then played again where it has failed.

use super::Options;
use super::charged::ShownBy;
use super::instance::Instance;
use super::plan::Planned;
use super::played::{Once, Played};
use super::schedule::{FIRST_LOOK, Run};
use super::target::Target;
use super::time::Time;
use crate::event::{CaseResult, Role, Verdict};
use crate::lang::{Text, say};
use crate::outcome::{Judged as _, Next, Policy, Series};
use std::borrow::BorrowMut;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::{Id, JoinError, JoinSet};

/// How often readings of the process are gone into at the same server, where what they show lasts: a heap
/// that is seldom collected takes that long to fill.
const CLOSER_LOOKS: u32 = 3;

/// Failures in which so many octets came are confirmed one at a time: a closer look at one has several times as many.
const LARGE: usize = 8 << 20;

/// So many instances there are at most beside the one that the cases are played at.
const MOST_OTHERS: usize = 3;

/// What is added to a failure that a server does not show which has served nobody before.
fn not_at_first() -> Text {
    say!(" (not at a server that has just been started)")
}

/// What is added to a failure that could not be confirmed.
fn seen_once(role: Role) -> Text {
    say!(
        " (seen once: the {role} was gone before it could be confirmed)",
        role
    )
}

/// Other instances of the peer, as many as there may be at the same time.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Vec<Instance<Target>>,
    /// What is being confirmed, each at an instance of its own.
    confirming: JoinSet<(Instance<Target>, Became)>,
    /// How the cases failed that are being confirmed, each with the task that does it.
    failed: Vec<(Id, CaseResult)>,
    /// How many more may be had.
    left: usize,
    /// Whether one has been started, and the first was none the worse for it.
    is_tried: bool,
    /// The turn of a failure that takes much memory to be shown.
    large: Arc<Mutex<()>>,
}

impl Pool {
    /// For a run that plays so many scripts side by side.
    pub(super) fn of(jobs: usize) -> Self {
        Self {
            idle: Vec::new(),
            confirming: JoinSet::new(),
            failed: Vec::new(),
            left: jobs.saturating_sub(1).min(MOST_OTHERS),
            is_tried: false,
            large: Arc::default(),
        }
    }

    /// The failures that are being confirmed.
    pub(super) fn at_work(&self) -> impl Iterator<Item = &CaseResult> {
        self.failed.iter().map(|(_, failed)| failed)
    }

    /// Whether there can be more than one.
    pub(super) fn is_open(&self) -> bool {
        self.has_any() || !self.failed.is_empty()
    }

    /// Begins to confirm a failure.
    fn begin(&mut self, instance: Instance<Target>, suspect: Suspect, terms: Terms) {
        let failed = suspect.failed.clone();
        let confirmed = terms.at_another(instance, suspect);
        self.failed
            .push((self.confirming.spawn(confirmed).id(), failed));
    }

    /// What became of the next failure that is being confirmed; `None` if there is none.
    pub(super) async fn next(&mut self) -> Option<Result<Became, JoinError>> {
        let done = self.confirming.join_next_with_id().await?;
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        self.failed.retain(|(task, _)| *task != id);
        let (instance, became) = match done {
            Ok((_, done)) => done,
            Err(lost) => return Some(Err(lost)),
        };
        self.put_back(instance);
        Some(Ok(became))
    }

    /// Whether there is one that could be used now, if the peer can be had several times.
    fn has_any(&self) -> bool {
        self.left > 0 || !self.idle.is_empty()
    }

    /// One that is not in use.
    async fn take(&mut self, first: &mut Instance<&mut Target>) -> Option<Instance<Target>> {
        if let Some(idle) = self.idle.pop() {
            return Some(idle);
        }
        self.left = self.left.checked_sub(1)?;
        let other = first.another();
        match other {
            Some(other) if self.is_tried => Some(other),
            Some(other) => self.first_of_all(other, first).await,
            None => {
                self.left = 0;
                None
            }
        }
    }

    /// Starts the first of them. There are servers of which there can be only one, be it that the second does not
    /// start, or that the first ends when it does.
    async fn first_of_all(
        &mut self,
        mut other: Instance<Target>,
        first: &mut Instance<&mut Target>,
    ) -> Option<Instance<Target>> {
        let runs =
            |first: &Instance<&mut Target>| first.peer.process().map(|process| process.runs());
        let before = runs(first);
        let is_there = other.is_made_fresh().await;
        let bears_it = runs(first) == before;
        self.is_tried = is_there && bears_it;
        if !self.is_tried {
            self.left = 0;
            drop(other);
            if !bears_it {
                first.start_anew().await;
            }
            return None;
        }
        Some(other)
    }

    /// Takes one back that is not needed any more.
    fn put_back(&mut self, instance: Instance<Target>) {
        if instance.gone.is_none() {
            self.idle.push(instance);
        }
    }
}

/// A failure that is to be confirmed.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) first: Played,
    /// It as it would be told if it need not be, but for what was sent and seen: that is held once.
    failed: CaseResult,
    shown: ShownBy,
    /// Whether a server that nobody had been a client of did not fail.
    not_at_first: bool,
}

/// What became of a suspect at an instance of its own.
#[derive(Debug)]
pub(super) enum Became {
    /// It is known what there is to know.
    Known(Box<Played>),
    /// It has to be played where it has failed.
    Open(Box<Suspect>),
}

impl Run<'_> {
    /// What failed beside others is played again alone, unless that is explained by now.
    pub(super) async fn confirm(&mut self) {
        self.ask().await;
        self.confirm_at_others().await;
        while let Some(became) = self.pool.next().await {
            // A task that panicked is the harness's fault; its case is told at the end.
            if let Ok(became) = became {
                self.take_confirmed(became);
            }
            self.confirm_at_others().await;
        }
        while let Some(suspect) = self.next_unexplained() {
            self.where_it_failed(suspect).await;
        }
        self.confirm_what_is_open().await;
    }

    /// Confirms what failed before other cases are played. What is confirmed at other instances may go on meanwhile.
    pub(super) async fn confirm_before_the_next(&mut self) {
        if !self.pool.is_open() {
            return self.confirm().await;
        }
        self.ask().await;
        self.confirm_at_others().await;
        self.confirm_what_is_open().await;
    }

    /// Plays again where it failed what did not fail elsewhere.
    async fn confirm_what_is_open(&mut self) {
        for suspect in std::mem::take(&mut self.open) {
            self.where_it_failed(suspect).await;
        }
    }

    /// Confirms what can be at other instances, while cases are played at the first. Whether causes were asked for.
    pub(super) async fn confirm_meanwhile(&mut self) -> bool {
        let asks = self.pool.has_any() && self.charged.are_enough_anew(self.suspects.len());
        if asks {
            self.ask().await;
        }
        self.confirm_at_others().await;
        asks
    }

    /// Asks for causes of all that has failed by now.
    async fn ask(&mut self) {
        let waiting = self.suspects.iter().map(|suspect| &suspect.failed);
        let failed: Vec<CaseResult> = waiting.chain(self.pool.at_work()).cloned().collect();
        self.charged.ask(self.sink.seen(), &failed).await;
    }

    /// Something has been confirmed, or not, at an instance of its own.
    pub(super) fn take_confirmed(&mut self, became: Became) {
        match became {
            Became::Known(played) => self.tell_confirmed(&played, &Text::default()),
            Became::Open(suspect) => self.open.push(*suspect),
        }
    }

    pub(super) fn suspect(&self, first: Played) -> Suspect {
        Suspect {
            failed: CaseResult {
                evidence: None,
                ..self.result(&first)
            },
            shown: self.shown_by(first.shown()),
            first,
            not_at_first: false,
        }
    }

    fn shown_by(&self, first: &Once) -> ShownBy {
        match self.at.peer.is_suspicion(&first.planned) {
            false => ShownBy::Octets,
            true if first.attempt.is_beyond_model_only() => ShownBy::Readings,
            true => ShownBy::OctetsBesideReadings,
        }
    }

    /// The next that is to be confirmed, which is what took the least time; those before it that are explained by now
    /// are told. What may be explained by those that are being confirmed waits for them.
    fn next_unexplained(&mut self) -> Option<Suspect> {
        self.suspects.sort_by_key(|suspect| suspect.first.elapsed());
        let mut waiting = Vec::new();
        let mut suspects = std::mem::take(&mut self.suspects).into_iter();
        let next = loop {
            let Some(suspect) = suspects.next() else {
                break None;
            };
            let told = suspect.failed.clone();
            match self.charged.explained(told, suspect.shown) {
                Some(explained) => {
                    let evidence = self.result(&suspect.first).evidence;
                    self.sink.case_finished(CaseResult {
                        evidence,
                        ..explained
                    });
                }
                None if self.may_be_explained(&suspect) => waiting.push(suspect),
                None => break Some(suspect),
            }
        };
        self.suspects = waiting.into_iter().chain(suspects).collect();
        next
    }

    /// Whether it is explained once all is confirmed that is being confirmed.
    fn may_be_explained(&self, suspect: &Suspect) -> bool {
        let others = self.pool.at_work();
        self.charged
            .may_be_explained(&suspect.failed, suspect.shown, others)
    }

    /// Begins to confirm as much at other instances as can be.
    async fn confirm_at_others(&mut self) {
        while !self.suspects.is_empty()
            && let Some(instance) = self.pool.take(&mut self.at).await
        {
            let Some(suspect) = self.next_unexplained() else {
                return self.pool.put_back(instance);
            };
            let terms = self.terms();
            self.pool.begin(instance, suspect, terms);
        }
    }

    /// Confirms it at the server that all cases are played at.
    async fn where_it_failed(&mut self, suspect: Suspect) {
        let terms = self.terms();
        let played = match suspect.shown {
            ShownBy::Octets => terms.confirmed(&mut self.at, suspect.first).await,
            _ => terms.measured(&mut self.at, suspect.first).await,
        };
        let remark = if suspect.not_at_first {
            not_at_first()
        } else {
            Text::default()
        };
        self.tell_confirmed(&played, &remark);
    }

    /// Tells what became of it. A failure that there was no time to confirm may be this machine's.
    fn tell_confirmed(&mut self, played: &Played, remark: &Text) {
        let is_open = played.next(self.policy) == Next::Confirm;
        if !is_open || !self.time.is_up() {
            return self.tell_with(played, remark);
        }
        let findings = played.shown().findings();
        let what = findings
            .first()
            .map_or(Text::default(), |finding| finding.what.clone());
        let reason = say!("not confirmed, as no time was left");
        let why = say!("{reason}; seen once: {what}", reason, what);
        let case = played.shown().planned.case.into();
        self.sink.without_play(case, Verdict::Skip, why);
        self.unconfirmed = self.unconfirmed.saturating_add(1);
    }

    fn terms(&self) -> Terms {
        Terms {
            options: Arc::new(self.options.clone()),
            policy: self.policy,
            time: self.time,
            large: Arc::clone(&self.pool.large),
        }
    }
}

/// On what terms failures are confirmed in a run.
#[derive(Clone)]
struct Terms {
    options: Arc<Options>,
    policy: Policy,
    time: Time,
    large: Arc<Mutex<()>>,
}

impl Terms {
    /// Confirms a failure at an instance of its own.
    async fn at_another(
        self,
        mut at: Instance<Target>,
        suspect: Suspect,
    ) -> (Instance<Target>, Became) {
        let is_large = suspect.first.shown().attempt.received() >= LARGE;
        let large = Arc::clone(&self.large);
        let _turn = match is_large {
            true => Some(large.lock().await),
            false => None,
        };
        let became = match (suspect.shown, at.role()) {
            (ShownBy::Octets, Role::Server) => self.at_a_fresh_one(&mut at, suspect).await,
            (ShownBy::Octets, Role::Client) => {
                Became::Known(Box::new(self.confirmed(&mut at, suspect.first).await))
            }
            _ => Became::Known(Box::new(self.measured(&mut at, suspect.first).await)),
        };
        (at, became)
    }

    /// Plays it again at a server that is at work on nothing else.
    async fn at_a_fresh_one(&self, at: &mut Instance<Target>, mut suspect: Suspect) -> Became {
        let planned = suspect.first.shown().planned.clone();
        if !at.is_made_calm().await {
            at.gone = Some(at.gone_after(&planned));
            return Became::Open(Box::new(suspect));
        }
        let Some(mut again) = at.again(planned, self.time).await else {
            return Became::Open(Box::new(suspect));
        };
        if again.peer_is_gone() {
            at.crashed_alone(&mut again).await;
        }
        if again.verdict() == Verdict::Pass {
            suspect.not_at_first = true;
            return Became::Open(Box::new(suspect));
        }
        suspect.first.confirmed(again);
        Became::Known(Box::new(suspect.first))
    }

    /// Plays it again alone, as often as it takes.
    async fn confirmed<T: BorrowMut<Target>>(
        &self,
        at: &mut Instance<T>,
        mut played: Played,
    ) -> Played {
        while at.gone.is_none() && played.next(self.policy) == Next::Confirm {
            let planned = played.shown().planned.clone();
            let Some(mut again) = at.again(planned, self.time).await else {
                break;
            };
            if again.peer_is_gone() {
                at.crashed_alone(&mut again).await;
            }
            played.confirmed(again);
        }
        let is_open = played.next(self.policy) == Next::Confirm;
        if played.attempts().of == 1 && is_open && !self.time.is_up() {
            let remark = seen_once(at.role());
            played.amend(|once| once.attempt.remark(&remark));
        }
        played
    }

    /// Readings of a process are no more than a suspicion at first. It is gone into with a longer script,
    /// at a server that has not been through anything yet, where one can be had; and that decides.
    async fn measured<T: BorrowMut<Target>>(
        &self,
        at: &mut Instance<T>,
        mut first: Played,
    ) -> Played {
        let mut planned = first.shown().planned.clone();
        let closer = at.peer.script(planned.case, &self.options, FIRST_LOOK + 1);
        let Ok(script) = closer else {
            return first;
        };
        if !at.is_made_fresh().await {
            at.gone = Some(at.gone_after(&planned));
            return first;
        }
        if let Some(process) = at.peer.process() {
            process.comes_to_rest().await;
        }
        planned.script = script;
        let Some(mut again) = self.looked_at_closely(at, planned.clone()).await else {
            return first;
        };
        if again.verdict() == Verdict::Pass && first.shown().attempt.is_beyond_model_only() {
            let elapsed = &mut again.attempt.elapsed;
            *elapsed = elapsed.saturating_add(first.elapsed());
            return Series::of(again);
        }
        first.amend(|once| once.planned = planned);
        first.confirmed(again);
        self.confirmed(at, first).await
    }

    /// Plays a longer script until what it should show does not show, or has shown often enough.
    async fn looked_at_closely<T: BorrowMut<Target>>(
        &self,
        at: &mut Instance<T>,
        mut planned: Planned,
    ) -> Option<Once> {
        let mut elapsed = Duration::ZERO;
        let most = if planned.case.lasts { CLOSER_LOOKS } else { 1 };
        let mut looks = (FIRST_LOOK + 1..=most).skip(1);
        loop {
            let mut again = at.again(planned.clone(), self.time).await?;
            elapsed = elapsed.saturating_add(again.elapsed());
            again.attempt.elapsed = elapsed;
            let is_gone = again.peer_is_gone();
            if is_gone {
                at.crashed_alone(&mut again).await;
            }
            let failed = again.verdict() != Verdict::Pass;
            let shows = failed && again.attempt.is_beyond_model_only();
            if is_gone || !shows {
                return Some(again);
            }
            let script = |look| at.peer.script(planned.case, &self.options, look);
            let Some(Ok(script)) = looks.next().map(script) else {
                return Some(again);
            };
            planned.script = script;
        }
    }
}
