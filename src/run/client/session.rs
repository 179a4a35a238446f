//! Plays one script of the server's side to one client.
//!
//! The steps are done in order. Nothing is concluded here: what was seen goes into the transcript, and
//! the judge makes of it what it makes. A script is broken off only where something was waited for in
//! vain, or the client is gone.

mod waiting;

use super::process;
use super::target::{Listener, Source};
use crate::cases::client::Circumstances;
use crate::cases::{Case, Unfit};
use crate::judge::{ClientTraits, Shows};
use crate::lang::{Hole, Text, say};
use crate::model::Permitted;
use crate::outcome::Attempt;
use crate::peer::Process;
use crate::peer::connection::{Connection, Sending};
use crate::peer::group::Group;
use crate::profile::{Profile, Speaker};
use crate::run::Options;
use crate::run::log::{Log, Noting, Now, Program};
use crate::run::peer::Recording;
use crate::run::prologue::begin;
use crate::script::{Action, Awaited, Script, Typed};
use crate::transcript::{Reading, Seen, Transcript};
use crate::transport::Stream;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The one connection that is played on.
const CONN: usize = 0;

/// The most octets that are kept of what a client sends.
const MOST_RECEIVED: usize = 256 << 10;

/// How many connections of one client are taken during a script. The first one is played on; others show
/// that the client connects again.
const MOST_CONNECTIONS: usize = 4;

/// How long it is waited for what may stand behind the last request.
const QUIET: Duration = Duration::from_millis(100);

/// How long a client that nobody started here may take to close when its script is over.
const PARTING: Duration = Duration::from_millis(200);

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For its connection.
    pub(super) connection: Duration,
    /// For its first request.
    pub(super) first: Duration,
    /// For any other reaction.
    pub(super) reaction: Duration,
    /// By how much all that is not named here is stretched.
    pub(super) stretch: u32,
}

/// How much longer everything is waited for when a failure is confirmed.
const STRETCH: u32 = 2;

impl Patience {
    /// So many times as long, for everything.
    pub(super) fn stretched(self, times: u32) -> Self {
        Self {
            connection: self.connection.saturating_mul(times),
            first: self.first.saturating_mul(times),
            reaction: self.reaction.saturating_mul(times),
            stretch: self.stretch.saturating_mul(times),
        }
    }
}

/// A client under test: where it comes from, and what is known of it.
#[derive(Debug, Clone)]
pub(in crate::run) struct ClientPeer {
    pub(super) source: Source,
    pub(super) listener: Arc<Listener>,
    pub(in crate::run) profile: Profile,
    pub(in crate::run) traits: ClientTraits,
    /// Its traits, if it were to be held to all that it has sent, be it readable or not.
    pub(super) sender: ClientTraits,
    /// Why only what it sends can be looked at, if that is so.
    pub(super) unread: Option<Text>,
    /// What is typed for each request, if anything is.
    pub(super) input: Option<String>,
    /// The payload of replies, if one was named.
    pub(super) reply: Option<String>,
    pub(super) patience: Patience,
}

impl ClientPeer {
    /// The same client, to be waited for longer, as when a failure is to be confirmed.
    pub(in crate::run) fn stretched(&self) -> Self {
        Self {
            patience: self.patience.stretched(STRETCH),
            ..self.clone()
        }
    }

    /// Whether somebody else starts it, so that nothing can be played again.
    pub(in crate::run) fn is_users(&self) -> bool {
        self.source == Source::User
    }

    /// Whether as many as one likes can be had side by side.
    pub(in crate::run) fn is_had_at_will(&self) -> bool {
        !self.is_users() && !self.listener.is_fixed
    }

    /// Why nothing more can be played after this attempt, if nobody starts a client any more.
    pub(in crate::run) fn stays_away(&self, attempt: &Attempt) -> Option<Text> {
        let nobody_came = self.is_users() && attempt.has_given_up(Awaited::Connection);
        let wait = self.patience.connection;
        nobody_came.then(|| {
            say!(
                "no client connected within {after}",
                after = format!("{wait:?}")
            )
        })
    }

    /// The script of a case.
    pub(in crate::run) fn script(&self, case: &Case, options: &Options) -> Result<Script, Unfit> {
        let is_about_sending = case.is_about_sending();
        let replies = self.profile.of_replies();
        let script = case.script_for_client(&Circumstances {
            profile: &replies,
            client: if is_about_sending {
                &self.sender
            } else {
                &self.traits
            },
            input: self.input.as_deref(),
            reply: self.reply.as_deref(),
            seed: options.seed,
        })?;
        match &self.unread {
            Some(why) if !is_about_sending => Err(Unfit::Skipped(why.clone())),
            _ => Ok(script),
        }
    }

    /// Plays the script and tells what was seen, and when it began.
    ///
    /// # Errors
    /// If the client cannot be started, or there is nowhere for it to connect to.
    pub(in crate::run) async fn play(
        &self,
        script: &Script,
        permitted: &[Permitted],
    ) -> io::Result<Recording> {
        let nothing = || io::Error::other("the script opens no connection");
        let permitted = permitted.first().ok_or_else(nothing)?;
        let log = Arc::new(Log::new(&self.profile, MOST_RECEIVED));
        let own = self.own_listener().await?;
        let listener = own.as_ref().unwrap_or(&self.listener.listener);
        let program = match &self.source {
            Source::Command(command) => {
                drop_stale(listener).await;
                log.note(CONN, Seen::Started);
                Some(process::start(command, listener.local_addr()?, &log)?)
            }
            Source::User => None,
        };
        let mut session = Session::new(self, script, permitted, &log, program);
        session.steps(listener, own.is_some()).await;
        session.linger().await;
        log.note(CONN, Seen::Teardown);
        session.teardown().await;
        let transcript = Transcript {
            entries: log.take(),
            ..Transcript::default()
        };
        Ok(Recording {
            transcript,
            began: log.began(),
        })
    }

    /// Each client that is started here has a port of its own, unless the user chose one: what is left of
    /// the client before it cannot come in between.
    async fn own_listener(&self) -> io::Result<Option<TcpListener>> {
        if !self.is_had_at_will() {
            return Ok(None);
        }
        let address = SocketAddr::new(self.listener.address().ip(), 0);
        TcpListener::bind(address).await.map(Some)
    }
}

/// Drops the connections of clients that have been ended.
async fn drop_stale(listener: &TcpListener) {
    while let Ok(Ok(_)) = timeout(Duration::ZERO, listener.accept()).await {}
}

struct Session<'a> {
    peer: &'a ClientPeer,
    script: &'a Script,
    permitted: &'a Permitted,
    log: Arc<Log>,
    program: Option<Group>,
    connection: Option<Connection>,
    /// How many `await`s of the script have been come to.
    awaits: usize,
    /// What was waited for in vain, if anything was.
    missed: Option<Awaited>,
    /// Octets sent to the client.
    sent: usize,
    /// The client had ended its stream when the script last did something.
    had_fin: bool,
    /// What the process held when it was last looked at for comparison.
    before: Option<Reading>,
    /// How things stood when the connection was reset.
    at_reset: Option<AtReset>,
    /// Takes further connections.
    others: Option<JoinHandle<()>>,
}

/// How things stood when the connection was reset.
#[derive(Debug, Clone, Copy)]
struct AtReset {
    said: usize,
    more_connections: usize,
    sockets: Option<u64>,
}

impl<'a> Session<'a> {
    fn new(
        peer: &'a ClientPeer,
        script: &'a Script,
        permitted: &'a Permitted,
        log: &Arc<Log>,
        program: Option<Group>,
    ) -> Self {
        Self {
            peer,
            script,
            permitted,
            log: Arc::clone(log),
            program,
            connection: None,
            awaits: 0,
            missed: None,
            sent: 0,
            had_fin: false,
            before: None,
            at_reset: None,
            others: None,
        }
    }

    async fn steps(&mut self, listener: &TcpListener, is_own: bool) {
        for step in self.script.steps() {
            if self.step(&step.action, listener, is_own).await.is_break() {
                return;
            }
        }
        let _ = self.still_owed().await;
    }

    async fn step(
        &mut self,
        action: &Action,
        listener: &TcpListener,
        is_own: bool,
    ) -> ControlFlow<()> {
        match action {
            Action::Open => {
                self.accept(listener).await?;
                if is_own {
                    self.others = Some(self.take_others(listener));
                }
            }
            Action::Type(typed) => self.types(typed).await,
            Action::Send(segments) => return self.send(segments).await,
            Action::Await => return self.next_awaited().await,
            Action::Shown => return self.shown().await,
            Action::Settle => self.settle().await,
            Action::Quiet => {
                let limit = QUIET.saturating_mul(self.peer.patience.stretch);
                self.log.until(limit, |now, _| now.has_rest).await;
            }
            Action::Pause(time) => self.pause(*time).await,
            Action::Sample(_) => self.before = self.reading().await,
            Action::Fin => self.fin().await,
            Action::Rst => self.rst().await,
            // None of a script of this side.
            Action::Begin(_) | Action::Stall | Action::Resume | Action::SendEmpty => {}
        }
        Continue(())
    }

    async fn accept(&mut self, listener: &TcpListener) -> ControlFlow<()> {
        let begun = Instant::now();
        let limit = self.peer.patience.connection;
        let gone = self.log.until(limit, |_, program| program.exited);
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted.ok(),
            _ = gone => None,
        };
        let Some((stream, _)) = accepted else {
            if self.log.client(|_, program| program.exited) {
                self.hear_the_last().await;
            }
            return self.give_up(Awaited::Connection, begun);
        };
        let (stream, profile) = (Stream::from(stream), &self.peer.profile);
        let limit = self.peer.patience.first;
        if let Err(why) = begin(&stream, profile, Speaker::Server, limit).await {
            self.log.note(CONN, Seen::Refused(why.text()));
            return self.give_up(Awaited::Connection, begun);
        }
        self.log.note(CONN, Seen::Connected);
        let noting = Noting::new(CONN, &self.log);
        self.connection = Some(Connection::new(stream, noting));
        Continue(())
    }

    /// Takes further connections, says on each what there is to say before the first frame, and leaves them
    /// unanswered: a client that reconnects shall not be busy doing so.
    fn take_others(&self, listener: &TcpListener) -> JoinHandle<()> {
        let log = Arc::clone(&self.log);
        let (profile, limit) = (self.peer.profile.clone(), self.peer.patience.first);
        let again = SockRef::from(listener).try_clone();
        tokio::spawn(async move {
            let Some(listener) = again
                .ok()
                .and_then(|socket| TcpListener::from_std(socket.into()).ok())
            else {
                return;
            };
            let mut held = Vec::new();
            while held.len() < MOST_CONNECTIONS {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let before = held.len().saturating_add(1);
                log.note(CONN, Seen::ConnectedAgain(before));
                let stream = Stream::from(stream);
                // Whoever does not follow is left unanswered like all others.
                let _ = begin(&stream, &profile, Speaker::Server, limit).await;
                held.push(stream);
            }
            std::future::pending::<()>().await;
        })
    }

    fn give_up(&mut self, awaited: Awaited, begun: Instant) -> ControlFlow<()> {
        self.missed = Some(awaited);
        self.log.note(CONN, Seen::GaveUp(awaited, begun.elapsed()));
        Break(())
    }

    /// Types a line, unless the client has ended already.
    async fn types(&mut self, typed: &Typed) {
        if self.has_reacted() {
            return;
        }
        if let Some(program) = &mut self.program {
            self.log.note(CONN, Seen::Typed(typed.line.clone()));
            program
                .types(&typed.line, self.peer.patience.reaction)
                .await;
        }
    }

    async fn send(&mut self, segments: &[Vec<u8>]) -> ControlFlow<()> {
        self.had_fin = self.log.now(CONN).fin;
        for (index, segment) in segments.iter().enumerate() {
            let Some(connection) = &self.connection else {
                return Break(());
            };
            if index > 0 {
                connection.drained().await;
            }
            self.log.note(CONN, Seen::Sent(segment.len()));
            let limit = self.peer.patience.reaction;
            match connection.send(segment, limit).await {
                Sending::Done => self.sent = self.sent.saturating_add(segment.len()),
                failed => return self.not_taken(failed).await,
            }
        }
        Continue(())
    }

    /// A client that has to end the connection may do so before it has taken everything.
    async fn not_taken(&mut self, how: Sending) -> ControlFlow<()> {
        let seen = match how {
            Sending::Blocked { .. } => Seen::SendBlocked,
            Sending::Ended | Sending::Done => Seen::SendFailed,
        };
        self.log.note(CONN, seen);
        if self.permitted.must_end().is_some() {
            return Continue(());
        }
        self.hear_the_last().await;
        Break(())
    }

    async fn pause(&mut self, time: Duration) {
        let begun = Instant::now();
        let before = self.reading().await;
        let time = time.saturating_sub(begun.elapsed());
        tokio::time::sleep(time).await;
        self.note_used(before, begun).await;
    }

    async fn reading(&self) -> Option<Reading> {
        let process: Process = self.program.as_ref()?.process()?;
        process.reading().await
    }

    /// Notes the processor time used since then.
    async fn note_used(&self, before: Option<Reading>, begun: Instant) {
        let over = begun.elapsed();
        if let (Some(before), Some(now)) = (before, self.reading().await) {
            let busy = now.busy_since(&before);
            self.log.note(CONN, Seen::Used { busy, over });
        }
    }

    async fn fin(&mut self) {
        self.had_fin = self.log.now(CONN).fin;
        self.log.note(CONN, Seen::FinSent);
        if let Some(connection) = &self.connection {
            connection.fin().await;
        }
    }

    async fn rst(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let sockets = self.reading().await.map(|reading| reading.sockets);
        self.at_reset = Some(self.log.client(|_, program| AtReset {
            said: program.said,
            more_connections: program.more_connections,
            sockets,
        }));
        self.log.note(CONN, Seen::RstSent);
        connection.rst().await;
    }

    /// Ends the client. One that buffers its output is first given the chance to write it.
    async fn teardown(mut self) {
        if let Some(others) = self.others.take() {
            others.abort();
        }
        if self.peer.traits.shows == Shows::AtEnd {
            self.let_it_write().await;
        }
        let is_users = self.program.is_none();
        if let Some(program) = self.program.take() {
            program.end().await;
        }
        let Some(connection) = self.connection.take() else {
            return;
        };
        if is_users {
            connection.fin().await;
            let ended = |now: Now, _: &Program| now.fin || now.rst;
            self.log.until(PARTING, ended).await;
        }
        connection.rst().await;
    }

    async fn let_it_write(&mut self) {
        if let Some(program) = &mut self.program {
            program.end_input();
            if let Some(connection) = &self.connection {
                connection.fin().await;
            }
            let limit = self.peer.patience.reaction;
            self.log.until(limit, |_, program| program.is_gone()).await;
        }
    }
}
