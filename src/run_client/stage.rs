//! Plays one play to one client.
//!
//! The acts are done in order. Nothing is concluded here: what was seen goes into the transcript, and
//! the judge makes of it what it makes. A play is broken off only where something was waited for in
//! vain, or the client is gone.

mod waiting;

use super::log::{Log, State};
use super::process::start;
use super::{Door, Source};
use crate::client_cases::{Act, Client, Line, Play, Seen, Shows, Transcript, Wanted};
use crate::peer::connection::{Connection, Sending};
use crate::peer::group::Group;
use crate::profile::Profile;
use crate::transcript::Reading;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How many connections of one client are taken during a play. The first one is played on; others show
/// that the client connects again.
const MOST_CONNECTIONS: usize = 4;

/// How long it is waited for what may stand behind the last request.
const LINGER: Duration = Duration::from_millis(100);

/// How long a client that nobody started here may take to close when its case is over.
const PARTING: Duration = Duration::from_millis(200);

/// How long things are waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the connection.
    pub(super) connection: Duration,
    /// For the first request.
    pub(super) first: Duration,
    /// For any other reaction.
    pub(super) reaction: Duration,
    /// By how much all that is not named here is stretched.
    pub(super) stretch: u32,
}

/// What all plays of a run have in common.
#[derive(Debug)]
pub(super) struct Theatre {
    pub(super) source: Source,
    pub(super) door: Door,
    pub(super) profile: Profile,
    /// Whether something is typed.
    pub(super) types: bool,
}

/// Plays the play and tells what was seen.
///
/// # Errors
/// If the client cannot be started, or there is nowhere for it to connect to.
pub(super) async fn play(
    theatre: &Theatre,
    client: &Client,
    play: &Play,
    patience: Patience,
) -> io::Result<Transcript> {
    let log = Arc::new(Log::new(&theatre.profile));
    let own = own_listener(theatre).await?;
    let listener = own.as_ref().map_or(&theatre.door.listener, |own| own);
    let child = match &theatre.source {
        Source::Command(command) => {
            drain(listener).await;
            let child = start(command, listener.local_addr()?, &log)?;
            log.note(Seen::Started);
            Some(child)
        }
        Source::User => None,
    };
    let mut stage = Stage {
        theatre,
        client,
        play,
        patience,
        log: Arc::clone(&log),
        child,
        conn: None,
        asked: 0,
        sent: 0,
        had_fin: false,
        weight: None,
        others: None,
        done: 0,
    };
    stage.acts(listener, own.is_some()).await;
    log.note(Seen::Farewell);
    let acts = stage.done;
    stage.farewell().await;
    Ok(Transcript { acts, ..log.take() })
}

/// Each client that is started here has a port of its own, unless the user chose one: what is left of
/// the client before it cannot come in between.
async fn own_listener(theatre: &Theatre) -> io::Result<Option<TcpListener>> {
    if theatre.source == Source::User || theatre.door.is_fixed {
        return Ok(None);
    }
    let address = SocketAddr::new(theatre.door.address().ip(), 0);
    TcpListener::bind(address).await.map(Some)
}

/// Drops the connections of clients that have been ended.
async fn drain(listener: &TcpListener) {
    while let Ok(Ok(_)) = timeout(Duration::ZERO, listener.accept()).await {}
}

struct Stage<'a> {
    theatre: &'a Theatre,
    client: &'a Client,
    play: &'a Play,
    patience: Patience,
    log: Arc<Log>,
    child: Option<Group>,
    conn: Option<Connection>,
    /// Requests that were waited for.
    asked: usize,
    /// Octets sent to the client.
    sent: usize,
    /// The client had ended its stream when the server last did something.
    had_fin: bool,
    /// What the process held before anything was sent to it, if that matters.
    weight: Option<Reading>,
    /// Takes further connections.
    others: Option<JoinHandle<()>>,
    /// Acts that were done.
    done: usize,
}

impl Stage<'_> {
    async fn acts(&mut self, listener: &TcpListener, is_own: bool) {
        for act in &self.play.acts {
            let needs_connection = !matches!(act, Act::Type(_));
            if needs_connection && self.conn.is_none() && self.others.is_none() {
                if self.connect(listener).await.is_break() {
                    return;
                }
                if is_own {
                    self.others = Some(self.take_others(listener));
                }
            }
            if self.act(act).await.is_break() {
                return;
            }
            self.done = self.done.saturating_add(1);
        }
    }

    async fn connect(&mut self, listener: &TcpListener) -> ControlFlow<()> {
        let begun = Instant::now();
        let limit = self.patience.connection;
        let gone = self.log.until(limit, |state| state.exited);
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted.ok(),
            _ = gone => None,
        };
        let Some((stream, _)) = accepted else {
            return self.give_up(Wanted::Connection, begun);
        };
        self.log.note(Seen::Connected { before: 0 });
        self.conn = Some(Connection::new(stream, Arc::clone(&self.log)));
        Continue(())
    }

    /// Takes further connections and leaves them unanswered: a client that reconnects shall not be busy
    /// doing so.
    fn take_others(&self, listener: &TcpListener) -> JoinHandle<()> {
        let log = Arc::clone(&self.log);
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
                log.note(Seen::Connected { before });
                held.push(stream);
            }
            std::future::pending::<()>().await;
        })
    }

    async fn act(&mut self, act: &Act) -> ControlFlow<()> {
        match act {
            Act::Type(line) => self.types(line).await,
            Act::Connect => {}
            Act::Request => return self.request().await,
            Act::Send(segments) => return self.send(segments).await,
            Act::Shown => return self.shown().await,
            Act::Pause(time) => self.pause(*time).await,
            Act::Fin => self.fin(),
            Act::Rst => self.rst().await,
            Act::Settle => {
                let ended = |state: &State| state.is_over() || state.fin;
                self.log.until(self.left_alone(), ended).await;
            }
            Act::Linger => {
                let limit = LINGER.saturating_mul(self.patience.stretch);
                self.log.until(limit, |state| state.has_rest).await;
            }
            Act::Ended => return self.ended(None).await,
            Act::EndedOnceUsed(line) => return self.ended(Some(line)).await,
            Act::Noticed(line) => return self.noticed(line).await,
        }
        Continue(())
    }

    fn give_up(&self, wanted: Wanted, begun: Instant) -> ControlFlow<()> {
        self.log.note(Seen::GaveUp(wanted, begun.elapsed()));
        Break(())
    }

    async fn types(&mut self, line: &Line) {
        if !self.theatre.types {
            return;
        }
        if let Some(child) = &mut self.child {
            self.log.note(Seen::Typed(line.typed.clone()));
            child.types(&line.typed, self.patience.reaction).await;
        }
    }

    async fn send(&mut self, segments: &[Vec<u8>]) -> ControlFlow<()> {
        if self.play.weighs && self.weight.is_none() {
            self.weight = self.reading().await;
        }
        self.had_fin = self.log.now(|state| state.fin);
        for (index, segment) in segments.iter().enumerate() {
            let Some(conn) = &self.conn else {
                return Break(());
            };
            if index > 0 {
                conn.drained().await;
            }
            self.log.note(Seen::Replied(segment.clone()));
            if conn.send(segment, self.patience.reaction).await != Sending::Done {
                self.log.note(Seen::NotTaken);
                if self.play.must_end.is_some() {
                    return Continue(());
                }
                self.hear_the_last().await;
                return Break(());
            }
            self.sent = self.sent.saturating_add(segment.len());
        }
        Continue(())
    }

    async fn pause(&mut self, time: Duration) {
        let begun = Instant::now();
        let before = self.reading().await;
        let time = time.saturating_sub(begun.elapsed());
        tokio::time::sleep(time).await;
        self.used(before, begun).await;
    }

    async fn reading(&self) -> Option<Reading> {
        self.child.as_ref()?.process()?.reading().await
    }

    /// Notes the processor time used since then.
    async fn used(&self, before: Option<Reading>, begun: Instant) {
        let over = begun.elapsed();
        if let (Some(before), Some(now)) = (before, self.reading().await) {
            let busy = now.busy_since(&before);
            self.log.note(Seen::Used { busy, over });
        }
    }

    fn fin(&mut self) {
        self.had_fin = self.log.now(|state| state.fin);
        self.log.note(Seen::ServerFin);
        if let Some(conn) = &self.conn {
            conn.fin();
        }
    }

    async fn rst(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        self.weight = self.reading().await;
        self.log.note(Seen::ServerRst);
        conn.rst().await;
        // It counts as had: there is no second one.
        self.others.get_or_insert_with(|| tokio::spawn(async {}));
    }

    /// Ends the client. One that buffers its output is first given the chance to write it.
    async fn farewell(mut self) {
        if let Some(others) = self.others.take() {
            others.abort();
        }
        let buffers = matches!(self.client.shows, Shows::AtEnd);
        if let Some(child) = &mut self.child
            && buffers
        {
            child.end_input();
            if let Some(conn) = &self.conn {
                conn.fin();
            }
            let limit = self.patience.reaction;
            self.log.until(limit, State::is_gone).await;
        }
        let is_users = self.child.is_none();
        if let Some(child) = self.child.take() {
            child.end().await;
        }
        if let Some(conn) = self.conn.take() {
            if is_users {
                conn.fin();
                let ended = |state: &State| state.fin || state.rst;
                self.log.until(PARTING, ended).await;
            }
            conn.rst().await;
        }
    }
}
