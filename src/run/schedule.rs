//! Which case is played when.
//!
//! The gentle before the rough, so that a server that does not survive the rough is judged by the
//! gentle all the same. Within a group, side by side; then whatever failed, once more and alone, with
//! more time for everything: only what fails again is a failure. Cases that need a server to
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
use super::charged::{Charged, ShownBy};
use super::peer::Peer;
use super::plan::{Planned, Roughness, Waiting};
use super::played::{Once, Played, once, repeated};
use super::spinning::Spinning;
use super::target::Target;
use super::time::Time;
use crate::cases::{Case, Unfit};
use crate::event::{CaseResult, Finished, Role, Verdict};
use crate::lang::{Text, say};
use crate::outcome::{EventSink, Judged as _, Keep, Next, Policy, Series, result};
use crate::spec::Clause;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The first of the looks at a case; those behind it go into what it made suspicious.
const FIRST_LOOK: u32 = 0;

/// How often readings of the process are gone into at the same server, where what they show lasts: a heap
/// that is seldom collected takes that long to fill.
const CLOSER_LOOKS: u32 = 3;

/// What is added to a failure that could not be confirmed.
fn seen_once(role: Role) -> Text {
    say!(
        " (seen once: the {role} was gone before it could be confirmed)",
        role
    )
}

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
        peer,
        target,
        sink,
        options,
        waiting: BTreeMap::new(),
        alone: VecDeque::new(),
        suspects: Vec::new(),
        charged,
        not_revived: None,
        gone: None,
        time,
        too_long: Duration::ZERO,
        played: 0,
        spinning: Spinning::default(),
    };
    run.is_spinning_now().await;
    run.plan().await;
    if run.is_spinning_now().await {
        run.relieve().await;
    }
    run.groups().await;
    run.sink.finish(run.gone)
}

pub(super) struct Run<'a> {
    pub(super) peer: Peer,
    pub(super) target: &'a mut Target,
    pub(super) options: &'a Options,
    pub(super) sink: EventSink<'a>,
    policy: Policy,
    /// Cases that share the server, the gentlest first.
    waiting: BTreeMap<Roughness, VecDeque<Waiting>>,
    /// Cases that need it to themselves.
    alone: VecDeque<Waiting>,
    /// Cases that failed and are to be played again.
    pub(super) suspects: Vec<Played>,
    /// What failures are charged to.
    charged: Charged,
    /// Why the server could not be started again, if that was tried in vain.
    pub(super) not_revived: Option<Text>,
    /// Why the run is broken off, if it is.
    pub(super) gone: Option<Text>,
    /// How long it may take.
    time: Time,
    /// How long the longest of those cases takes that are not begun, as they take too long.
    too_long: Duration,
    /// How many cases have been played.
    played: usize,
    /// What the server's process uses.
    spinning: Spinning,
}

impl Run<'_> {
    async fn plan(&mut self) {
        let (peer, options, time) = (self.peer.clone(), self.options.clone(), self.time);
        let plan = move |case: &'static Case| {
            let script = peer.script(case, &options, FIRST_LOOK)?;
            let planned = Planned { case, script };
            let (takes, reply) = peer.takes(&planned.script);
            // What is played alone is in no group.
            let roughness = match case.alone {
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
                    self.too_long = self.too_long.max(waiting.takes);
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
        self.by_themselves().await;
        self.group(&mut left, None).await;
        let untold = self.sink.untold();
        if untold > 0 && self.time.is_up() {
            self.sink.not_run(&Time::not_run());
            let why = self.time.ended(self.played, untold, self.too_long);
            self.gone.get_or_insert(why);
        }
    }

    /// Plays a group until that moment. Whenever much has failed it is asked what for.
    async fn group(&mut self, group: &mut VecDeque<Waiting>, until: Option<Instant>) {
        loop {
            self.without_the_foretold(group);
            self.side_by_side(group, until).await;
            let is_interrupted = self.charged.are_enough(&self.suspects);
            self.confirm().await;
            if !is_interrupted {
                return;
            }
        }
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

    /// Plays what is in the group until there is nothing left in it, or that moment has come.
    async fn side_by_side(&mut self, group: &mut VecDeque<Waiting>, until: Option<Instant>) {
        let jobs = self.peer.jobs(self.options.jobs);
        let permits = Arc::new(Semaphore::new(self.peer.most_connections()));
        let mut playing = JoinSet::new();
        let mut peer = self.peer.in_company();
        let mut suspects: Vec<Played> = Vec::new();
        let mut is_to_rest = false;
        loop {
            while playing.len() < jobs
                && suspects.is_empty()
                && !is_to_rest
                && !self.charged.are_enough(&self.suspects)
                && self.gone.is_none()
                && !self.time.is_up()
                && until.is_none_or(|until| Instant::now() < until)
                && let Some(waiting) = group.pop_front()
            {
                let Some(planned) = self.begun(waiting) else {
                    continue;
                };
                let (peer, permits) = (peer.clone(), Arc::clone(&permits));
                let repeat = self.options.repeat;
                playing.spawn(beside_others(peer, permits, planned, repeat));
            }
            // Looked at while others are played.
            is_to_rest |= self.is_spinning().await;
            // What is still being played then is broken off.
            let Some(next) = self.time.within(playing.join_next()).await else {
                return;
            };
            match next {
                None if is_to_rest && suspects.is_empty() => {
                    self.relieve().await;
                    is_to_rest = false;
                    peer = self.peer.in_company();
                }
                None if suspects.is_empty() => break,
                None => {
                    self.attribute_crash(std::mem::take(&mut suspects)).await;
                    peer = self.peer.in_company();
                }
                Some(Ok((_, Ok(played)))) if played.shown().peer_is_gone() => suspects.push(played),
                Some(Ok((_, Ok(played)))) => self.take(played),
                Some(Ok((case, Err(error)))) => self.not_started(case, &error),
                // A task that panicked is the harness's fault; its case is told at the end.
                Some(Err(_)) => {}
            }
        }
    }

    /// Whether the server may be computing for clients that are gone, and another can be had.
    async fn is_spinning(&mut self) -> bool {
        match self.peer.process() {
            Some(process) if self.target.can_be_revived() => {
                self.spinning.is_suspected(process).await
            }
            _ => false,
        }
    }

    /// The same at once, since the last look.
    async fn is_spinning_now(&mut self) -> bool {
        match self.peer.process() {
            Some(process) if self.target.can_be_revived() => self.spinning.looks(process).await,
            _ => false,
        }
    }

    /// Starts a server anew that does not come to rest although nobody asks for anything.
    async fn relieve(&mut self) {
        let Some(process) = self.peer.process() else {
            return;
        };
        if process.is_at_rest().await || process.is_at_rest().await {
            return self.spinning.rested();
        }
        // If it cannot be started, the next case finds that it is gone.
        if self.start_anew().await && !self.peer.spare().await {
            self.start_anew().await;
        }
    }

    /// A case whose turn has come.
    fn begun(&mut self, waiting: Waiting) -> Option<Planned> {
        let case = waiting.case;
        let script = |case: &Case| self.peer.script(case, self.options, FIRST_LOOK);
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
        match self.peer.process() {
            Some(process) if waiting.measures && self.target.can_be_revived() => {
                process.is_at_rest().await
            }
            _ => true,
        }
    }

    fn not_started(&mut self, case: &'static Case, error: &io::Error) {
        let why = say!(
            "the {role} could not be started: {error}",
            role = self.target.role(),
            error
        );
        self.sink.without_play(case.into(), Verdict::Error, why);
    }

    async fn by_themselves(&mut self) {
        while self.gone.is_none()
            && !self.time.is_up()
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
            if !is_calm && !self.start_anew().await {
                self.gone = Some(self.gone_after(&planned));
                return;
            }
            let peer = self.peer.in_company();
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
            self.confirm().await;
        }
    }

    pub(super) fn take(&mut self, played: Played) {
        self.played = self.played.saturating_add(1);
        let Once {
            planned, attempt, ..
        } = played.shown();
        if let Some(why) = self.peer.stays_away(attempt) {
            self.gone.get_or_insert(why);
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
    fn wait_for_confirmation(&mut self, mut played: Played) {
        if self.options.keep != Keep::Nothing {
            played.amend(|once| once.attempt.condense());
        }
        self.suspects.push(played);
    }

    pub(super) fn tell(&mut self, played: &Played) {
        let told = self.result(played);
        self.charged.confirmed(&told);
        self.sink.case_finished(told);
    }

    fn result(&self, played: &Played) -> CaseResult {
        let case = played.shown().planned.case.into();
        result(case, self.sink.command(), self.options.keep, played)
    }

    /// What failed beside others is played again alone, unless that is explained by now; what took the least
    /// time comes first.
    async fn confirm(&mut self) {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.sort_by_key(Played::elapsed);
        let failed: Vec<CaseResult> = suspects.iter().map(|played| self.result(played)).collect();
        self.charged.ask(self.sink.seen(), &failed).await;
        for (first, failed) in suspects.into_iter().zip(failed) {
            let shown = self.shown_by(first.shown());
            let explained = self.charged.explained(failed, shown);
            if let Some(explained) = explained {
                self.sink.case_finished(explained);
                continue;
            }
            let played = match shown {
                ShownBy::Octets => self.confirmed(first).await,
                ShownBy::OctetsBesideReadings | ShownBy::Readings => self.measured(first).await,
            };
            self.tell_confirmed(&played);
        }
    }

    fn shown_by(&self, first: &Once) -> ShownBy {
        match self.peer.is_suspicion(&first.planned) {
            false => ShownBy::Octets,
            true if first.attempt.is_beyond_model_only() => ShownBy::Readings,
            true => ShownBy::OctetsBesideReadings,
        }
    }

    /// Tells what became of it. A failure that there was no time to confirm may be this machine's.
    fn tell_confirmed(&mut self, played: &Played) {
        let is_open = played.next(self.policy) == Next::Confirm;
        if !is_open || !self.time.is_up() {
            return self.tell(played);
        }
        let findings = played.shown().findings();
        let what = findings
            .first()
            .map_or(Text::default(), |finding| finding.what.clone());
        let reason = say!("not confirmed, as no time was left");
        let why = say!("{reason}; seen once: {what}", reason, what);
        let case = played.shown().planned.case.into();
        self.sink.without_play(case, Verdict::Skip, why);
    }

    /// Plays a case once more, alone and with more time for everything; `None` if there is no time left, or
    /// the peer cannot be started.
    pub(super) async fn again(&mut self, planned: Planned) -> Option<Once> {
        let peer = self.peer.stretched();
        let played = self.time.within(once(&peer, planned)).await;
        played?.ok()
    }

    /// Plays it again alone, as often as it takes.
    async fn confirmed(&mut self, mut played: Played) -> Played {
        while self.gone.is_none() && played.next(self.policy) == Next::Confirm {
            let planned = played.shown().planned.clone();
            let Some(mut again) = self.again(planned).await else {
                break;
            };
            if again.peer_is_gone() {
                self.crashed_alone(&mut again).await;
            }
            played.confirmed(again);
        }
        let is_open = played.next(self.policy) == Next::Confirm;
        if played.attempts().of == 1 && is_open && !self.time.is_up() {
            let remark = seen_once(self.target.role());
            played.amend(|once| once.attempt.remark(&remark));
        }
        played
    }

    /// Readings of a process are no more than a suspicion at first. It is gone into with a longer script,
    /// at a server that has not been through anything yet, where one can be had; and that decides.
    async fn measured(&mut self, mut first: Played) -> Played {
        let mut planned = first.shown().planned.clone();
        let closer = self.peer.script(planned.case, self.options, FIRST_LOOK + 1);
        let Ok(script) = closer else {
            return first;
        };
        if self.target.can_be_revived() && !self.start_anew().await {
            self.gone = Some(self.gone_after(&planned));
            return first;
        }
        if let Some(process) = self.peer.process() {
            process.comes_to_rest().await;
        }
        planned.script = script;
        let Some(mut again) = self.looked_at_closely(planned.clone()).await else {
            return first;
        };
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
    async fn looked_at_closely(&mut self, mut planned: Planned) -> Option<Once> {
        let mut elapsed = Duration::ZERO;
        let most = if planned.case.lasts { CLOSER_LOOKS } else { 1 };
        let mut looks = (FIRST_LOOK + 1..=most).skip(1);
        loop {
            let mut again = self.again(planned.clone()).await?;
            elapsed = elapsed.saturating_add(again.elapsed());
            again.attempt.elapsed = elapsed;
            let is_gone = again.peer_is_gone();
            if is_gone {
                self.crashed_alone(&mut again).await;
            }
            let failed = again.verdict() != Verdict::Pass;
            let shows = failed && again.attempt.is_beyond_model_only();
            if is_gone || !shows {
                return Some(again);
            }
            let script = |look| self.peer.script(planned.case, self.options, look);
            let Some(Ok(script)) = looks.next().map(script) else {
                return Some(again);
            };
            planned.script = script;
        }
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
