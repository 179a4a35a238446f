//! Plays one script at a live server.
//!
//! The steps are done in order. Nothing is concluded here: what was seen goes into the transcript, and
//! the judge makes of it what it makes. A script is broken off only where going on would mean waiting
//! for something that has been given up already.

use super::canary::{Canary, Trouble};
use super::company::{Beside, Company};
use super::datagrams::InFlight;
use super::forecast::forecast;
use super::pace::{GraceBudget, Load, Pace};
use crate::judge::{ReplyRule, is_contradicted, replies_to, settled};
use crate::model::{self, Owes, Permitted};
use crate::peer::clock::TurnClock;
use crate::peer::connection::Connection;
use crate::peer::door::Door;
use crate::peer::{Process, Stderr};
use crate::profile::Profile;
use crate::run::log::{Log, Now, room_for_replies};
use crate::run::peer::Recording;
use crate::script::{Action, Awaited, Conn, Script};
use crate::transcript::{self, Sample, Seen, Transcript};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Where there are more cuts than this, round trips alone have to do.
const FEW_CUTS: usize = 100;

/// The most octets that are judged before all has come.
const MOST_JUDGED: usize = 1 << 20;

/// So many replies that nobody asked for are no accident.
const SURPLUS: usize = 16;

/// The server as calibration found it.
#[derive(Debug, Clone)]
pub(in crate::run) struct ServerPeer {
    pub(super) door: Door,
    /// The wire format, as far as the server keeps to it: one that ends each connection when it has answered once is
    /// taken as one of a format in which a connection is there for no more.
    pub(in crate::run) profile: Profile,
    /// The wire format as it was named: what says how long a connection lasts is held against that.
    pub(super) promised: Box<Profile>,
    pub(in crate::run) rule: ReplyRule,
    /// How replies relate to requests like a canary's, if otherwise.
    pub(in crate::run) canary_rule: ReplyRule,
    pub(super) pace: Pace,
    pub(super) load: Load,
    pub(super) grace: GraceBudget,
    pub(in crate::run) concurrent: bool,
    /// How many connections may be open at the same time.
    pub(in crate::run) bears: usize,
    pub(in crate::run) process: Option<Process>,
    /// Whether that process does nothing while nobody asks for anything.
    pub(super) rests: bool,
    /// Whether it goes on computing for clients that have ended their stream. Each would slow down all that come later,
    /// so that connections are reset which a script has left open.
    pub(super) spins: bool,
    /// What the server writes to its standard error.
    pub(in crate::run) stderr: Option<Stderr>,
    /// What scripts have in common that are played side by side, if they do.
    pub(super) company: Option<Company>,
}

impl ServerPeer {
    /// This server, for scripts that are played side by side: where it lets its clients wait, they have a canary in
    /// common.
    pub(in crate::run) fn in_company(&self) -> Self {
        let shares = self.pace.is_slow() && self.bears_canary(0);
        Self {
            company: shares.then(Company::default),
            ..self.clone()
        }
    }

    /// How many connections a script takes, beside what it has in common with others.
    pub(in crate::run) fn connections(&self, script: &Script) -> usize {
        let canary = usize::from(self.company.is_none());
        script.most_open().saturating_add(canary)
    }

    /// This server, to be waited for longer.
    pub(in crate::run) fn stretched(&self) -> Self {
        Self {
            pace: self.pace.stretched(),
            ..self.clone()
        }
    }

    /// This server, at which what does not come within that time is given up: no more than a suspicion. The
    /// whole waits that it is granted are not spent on that.
    pub(in crate::run) fn hasty(&self, haste: Duration) -> Self {
        Self {
            pace: self.pace.hasty(haste),
            ..self.clone()
        }
    }

    /// This server, given as much time as at first.
    pub(in crate::run) fn unhurried(&self) -> Self {
        Self {
            pace: self.pace.unhurried(),
            ..self.clone()
        }
    }

    /// How many scripts can be played side by side, where so many are asked for: at a slow server as many as
    /// it has to bear. At one of datagrams one: what several sent at once could be more than its system keeps for it.
    pub(in crate::run) fn most_jobs(&self, asked: usize) -> usize {
        match (self.concurrent, asked) {
            (false, _) => 1,
            (true, 2..) if self.pace.is_slow() => asked.max(self.bears),
            (true, _) if self.profile.carriage().is_datagrams() => 1,
            (true, asked) => asked,
        }
    }

    /// How long a script takes where each reply is waited for; nothing where replies come at once.
    pub(in crate::run) fn takes(&self, script: &Script) -> Duration {
        if !self.is_slow() {
            return Duration::ZERO;
        }
        let permitted = model::permitted(&self.profile, script);
        forecast(&self.pace, script, &permitted)
    }

    /// Whether it lets its clients wait.
    pub(in crate::run) fn is_slow(&self) -> bool {
        self.pace.is_slow()
    }

    /// How long one round trip takes.
    pub(in crate::run) const fn round_trip(&self) -> Duration {
        self.pace.round_trip
    }

    /// The longest wait for so many replies to so many octets.
    pub(super) fn hard_timeout(&self, replies: usize, octets: usize) -> Duration {
        let octets = octets.saturating_add(self.load.octets());
        self.pace
            .hard_timeout(replies, octets, self.load.replies(), &self.grace)
    }

    /// Whether a canary can be kept beside so many connections.
    fn bears_canary(&self, connections: usize) -> bool {
        self.concurrent && self.rule != ReplyRule::None && connections < super::MOST_CONNECTIONS
    }

    /// Plays the script and tells what was seen, and when it began.
    pub(in crate::run) async fn play(&self, script: &Script, permitted: &[Permitted]) -> Recording {
        if let Some(company) = &self.company {
            let recording = self.play_in(company, script, permitted).await;
            // Which of them disturbed the canary that they have in common, each finds out with one of its own.
            if !matches!(
                recording.transcript.canary,
                transcript::Canary::Disturbed(_)
            ) {
                return recording;
            }
        }
        let mut session = Session::new(self, script, permitted);
        session.takes_canary(None).await;
        session.steps().await;
        let canary = session.teardown().await;
        session.recorded(canary)
    }

    async fn play_in(
        &self,
        company: &Company,
        script: &Script,
        permitted: &[Permitted],
    ) -> Recording {
        let mut session = Session::new(self, script, permitted);
        if self.bears_canary(script.most_open()) {
            session.canary = Some(Beside::Common(company));
        }
        session.steps().await;
        let canary = session.teardown_in(company).await;
        session.recorded(canary)
    }

    /// Plays the script beside a client that goes on from one script to the next. If that is served to the end,
    /// the server is taken to be well.
    pub(in crate::run) async fn explore(
        &self,
        script: &Script,
        permitted: &[Permitted],
        held: &mut HeldCanary,
    ) -> Recording {
        let mut session = Session::new(self, script, permitted);
        session.takes_canary(held.0.take()).await;
        session.steps().await;
        let canary = session.teardown_beside(held).await;
        session.recorded(canary)
    }
}

/// A client that is served beside one script after the other.
#[derive(Debug, Default)]
pub(in crate::run) struct HeldCanary(pub(super) Option<Canary>);

/// A script being played.
pub(super) struct Session<'a> {
    pub(super) peer: &'a ServerPeer,
    pub(super) script: &'a Script,
    pub(super) permitted: &'a [Permitted],
    pub(super) log: Arc<Log>,
    pub(super) conns: Vec<Option<Connection>>,
    pub(super) canary: Option<Beside<'a>>,
    /// The first thing that went wrong for the canary held open across the script.
    pub(super) trouble: Option<Trouble>,
    /// What clients that do not read could not send; they go on with it when they read again.
    pub(super) unsent: Vec<(Conn, Vec<u8>)>,
    /// What connections began with that waits for what is sent next, and goes out with it.
    pub(super) held: Vec<(Conn, Vec<u8>)>,
    pub(super) samples: Vec<Sample>,
    pub(super) has_few_cuts: bool,
    /// Whether the server reads what it is sent, as far as is known.
    pub(super) reads: bool,
    /// Datagrams that the server may not have read yet, and their octets.
    pub(super) in_flight: InFlight,
    /// Octets on all connections the replies to which have been waited for.
    waited_for: usize,
}

/// What has come while something owed is waited for.
#[derive(Debug, Default)]
struct Progress {
    octets: usize,
    octets_at: Duration,
    /// No more than are owed, or little more, so that waiting for the next one each time has an end.
    replies: usize,
    reply_at: Duration,
    /// Round trips of the canary since the last octet.
    sung: u32,
    /// How many octets there were when it was last judged what had come.
    judged: usize,
}

impl Progress {
    fn note(&mut self, now: Now, elapsed: Duration) {
        if now.received > self.octets {
            (self.octets, self.octets_at, self.sung) = (now.received, elapsed, 0);
        }
        if now.replies > self.replies {
            (self.replies, self.reply_at) = (now.replies, elapsed);
        }
    }
}

fn cuts(script: &Script) -> usize {
    let cuts = script.steps().iter().map(|step| match &step.action {
        Action::Send(segments) => segments.len().saturating_sub(1),
        _ => 0,
    });
    cuts.sum()
}

impl<'a> Session<'a> {
    fn new(peer: &'a ServerPeer, script: &'a Script, permitted: &'a [Permitted]) -> Self {
        let room = room_for_replies(script.octets());
        Self {
            peer,
            script,
            permitted,
            log: Arc::new(Log::new(&peer.profile.of_replies(), room)),
            conns: Vec::new(),
            canary: None,
            trouble: None,
            unsent: Vec::new(),
            held: Vec::new(),
            samples: Vec::new(),
            has_few_cuts: cuts(script) <= FEW_CUTS,
            reads: true,
            in_flight: InFlight::default(),
            waited_for: 0,
        }
    }

    /// Lets a client be served beside the script: the one that is there already, or a new one.
    async fn takes_canary(&mut self, held: Option<Canary>) {
        if !self.peer.bears_canary(self.script.most_open()) {
            return;
        }
        match held {
            Some(canary) => self.canary = Some(Beside::Own(Box::new(canary))),
            None => match self.peer.canary().await {
                Ok(canary) => self.canary = Some(Beside::Own(Box::new(canary))),
                Err(trouble) => self.trouble = Some(trouble),
            },
        }
    }

    fn recorded(self, canary: transcript::Canary) -> Recording {
        let transcript = Transcript {
            entries: self.log.take(),
            canary,
            samples: self.samples,
        };
        Recording {
            transcript,
            began: self.log.began(),
        }
    }
}

impl Session<'_> {
    async fn steps(&mut self) {
        for step in self.script.steps() {
            if self.step(step.conn, &step.action).await.is_break() {
                return;
            }
        }
        // Whatever is still owed is waited for, so that nothing is passed because nobody looked.
        for conn in 0..self.conns.len() {
            if self.settle(conn).await.is_break() {
                return;
            }
        }
    }

    async fn step(&mut self, conn: Conn, action: &Action) -> ControlFlow<()> {
        match action {
            Action::Open => return self.open(conn).await,
            Action::Begin(opening) => return self.begin(conn, opening).await,
            Action::Send(segments) => self.send(conn, segments).await,
            Action::SendEmpty => self.send_empty(conn).await,
            Action::Await => return self.settle(conn).await,
            Action::Quiet => self.quiet(conn).await,
            Action::Pause(time) => self.pause(*time).await,
            Action::Fin => self.fin(conn).await,
            Action::Rst => {
                if let Some(live) = self.conns.get_mut(conn).and_then(Option::take) {
                    self.log.note(conn, Seen::RstSent);
                    live.rst().await;
                }
            }
            Action::Stall => {
                if let Some(live) = self.live(conn) {
                    self.log.note(conn, Seen::Stalled);
                    live.set_reading(false);
                }
            }
            Action::Resume => self.resume(conn).await,
            Action::Sample(name) => self.sample(name).await,
            // None of a script of this side.
            Action::Type(_) | Action::Shown | Action::Settle => {}
        }
        Continue(())
    }

    async fn fin(&mut self, conn: Conn) {
        let held = self.with_held(conn, &[]).into_owned();
        let limit = self.peer.hard_timeout(1, held.len());
        if let Some(live) = self.live(conn) {
            live.send(&held, limit).await;
            self.log.note(conn, Seen::FinSent);
            live.fin().await;
        }
    }

    pub(super) fn live(&self, conn: Conn) -> Option<&Connection> {
        self.conns.get(conn)?.as_ref()
    }

    /// One round trip of the canary. The first one that fails is the last.
    pub(super) async fn sing(&mut self) -> bool {
        let Some(canary) = &mut self.canary else {
            return false;
        };
        match canary.round_trip(self.peer).await {
            Ok(()) => true,
            Err(trouble) => {
                self.trouble.get_or_insert(trouble);
                self.canary = None;
                false
            }
        }
    }

    /// Waits until nothing more is owed, the connection is over, or it is taken not to come.
    async fn settle(&mut self, conn: Conn) -> ControlFlow<()> {
        let (Some(live), Some(permitted)) = (self.live(conn), self.permitted.get(conn)) else {
            return Continue(());
        };
        if !live.is_reading() {
            return Continue(());
        }
        let begun = Instant::now();
        let came = self.wait_for(conn, permitted).await;
        let octets = self.newly_sent();
        // Where each reply takes its time, what longer ones take was measured.
        if came && !self.peer.is_slow() {
            self.peer.grace.answered(octets, begun.elapsed());
        }
        if came && self.is_of_datagrams() {
            self.let_more_come(conn, permitted).await;
        }
        if came {
            Continue(())
        } else {
            self.log
                .note(conn, Seen::GaveUp(Awaited::Owed, begun.elapsed()));
            Break(())
        }
    }

    /// Octets that were sent on all connections since this was last asked.
    fn newly_sent(&mut self) -> usize {
        let conns = 0..self.conns.len();
        let sent = conns.fold(0_usize, |sum, conn| {
            sum.saturating_add(self.log.now(conn).sent)
        });
        sent.saturating_sub(std::mem::replace(&mut self.waited_for, sent))
    }

    pub(super) fn is_settled(&self, conn: Conn, permitted: &Permitted) -> bool {
        let now = self.log.now(conn);
        let silent = self.peer.rule == ReplyRule::None;
        if let Some(none) = &permitted.no_session {
            let may_stay = !none.why.is_seen() || now.received > 0;
            return now.is_over || !now.fin_sent && may_stay;
        }
        if self.is_of_datagrams() {
            let owed = *replies_to(permitted, now.sends, silent).start();
            return now.is_over || now.replies >= owed;
        }
        now.is_over || settled(permitted, now.sent, now.fin_sent, now.replies, silent)
    }

    async fn wait_for(&mut self, conn: Conn, permitted: &Permitted) -> bool {
        let (owed, sent) = self.owed(conn, permitted);
        let _share = self.peer.load.add(owed, sent);
        let idle_timeout = self.peer.pace.idle_timeout(sent, &self.peer.grace);
        let at_rest_timeout = self.peer.pace.at_rest_timeout(sent, &self.peer.grace);
        let round_trips = self.peer.pace.idle_round_trips();
        let beat = at_rest_timeout
            .checked_div(round_trips)
            .unwrap_or(at_rest_timeout);
        let mut clock = TurnClock::by(beat.saturating_add(self.peer.pace.round_trip));
        let mut progress = Progress::default();
        loop {
            if self.until_settled(conn, permitted, beat).await {
                return true;
            }
            let elapsed = clock.turn();
            let now = self.log.now(conn);
            let came = now.received > progress.octets;
            progress.note(now, elapsed);
            if self.is_lost(conn, permitted) || !came && self.is_contradicted(conn, &mut progress) {
                return false;
            }
            if elapsed.saturating_sub(progress.reply_at) > self.peer.hard_timeout(owed, sent) {
                break;
            }
            if self.sing().await {
                progress.sung = progress.sung.saturating_add(1);
            }
            let still = elapsed.saturating_sub(progress.octets_at);
            if progress.sung < round_trips || still < at_rest_timeout {
                continue;
            }
            if still >= idle_timeout || self.is_at_rest().await {
                break;
            }
        }
        let came = self.is_settled(conn, permitted);
        if !came && self.peer.pace.haste.is_none() {
            self.peer.grace.spend();
        }
        came
    }

    /// Whether the server is known to be working on nothing that it has been sent.
    async fn is_at_rest(&self) -> bool {
        match self.peer.process {
            Some(process) => process.is_at_rest().await,
            None => false,
        }
    }

    /// Whether waiting can no longer bring what is owed: what comes is no reply, or there are more
    /// replies than were ever asked for.
    fn is_lost(&self, conn: Conn, permitted: &Permitted) -> bool {
        let now = self.log.now(conn);
        let is_session = permitted.no_session.is_none();
        let is_too_much = now.replies > permitted.duties.len().saturating_add(SURPLUS);
        is_session && (now.is_garbled || is_too_much)
    }

    /// Whether what has come is wrong whatever else may come. It is looked at when nothing more has come for a while, and
    /// once for as much as has come; not where that is so much that looking takes its time.
    fn is_contradicted(&self, conn: Conn, progress: &mut Progress) -> bool {
        let is_new = progress.octets > std::mem::replace(&mut progress.judged, progress.octets);
        let transcript = || Transcript {
            entries: self.log.so_far(),
            ..Transcript::default()
        };
        is_new
            && progress.octets <= MOST_JUDGED
            && is_contradicted(
                &self.peer.profile,
                &self.peer.rule,
                self.permitted,
                conn,
                &transcript(),
            )
    }

    /// What is owed for what has been sent, in replies, and how many octets that was.
    fn owed(&self, conn: Conn, permitted: &Permitted) -> (usize, usize) {
        let now = self.log.now(conn);
        if self.is_of_datagrams() {
            let owed = *replies_to(permitted, now.sends, false).end();
            return (owed.saturating_sub(now.replies), now.sent);
        }
        let due = permitted.duties.iter().filter(|duty| duty.due <= now.sent);
        let owed = due
            .filter(|duty| !matches!(duty.owes, Owes::Close(_) | Owes::Nothing(_)))
            .count();
        (owed.saturating_sub(now.replies), now.sent)
    }

    async fn until_settled(&self, conn: Conn, permitted: &Permitted, limit: Duration) -> bool {
        let waiting = async {
            loop {
                let changed = self.log.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.is_settled(conn, permitted) {
                    return;
                }
                changed.await;
            }
        };
        timeout(limit, waiting).await.is_ok()
    }
}
