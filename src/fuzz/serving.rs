//! A script played at a session in memory, as a server that echoes would play it over sockets.
//!
//! What the session says is a transcript like any other, so the judge can say what is wrong with it.

use crate::message::{Message, Undecodable};
use crate::profile::Profile;
use crate::script::{Action, Conn, Script};
use crate::session::{Limits, Reply, Session};
use crate::transcript::{Entry, Seen, Transcript};
use bytes::BytesMut;
use std::time::{Duration, Instant};

/// Octets that the session is given at once at most.
const READ: usize = 4096;

/// A way of answering a request.
pub(super) type Handler = fn(Result<Message, Undecodable>) -> Reply;

/// What an honest server says: the message itself, or why there is none.
pub(super) fn echo(request: Result<Message, Undecodable>) -> Reply {
    request.map_or_else(|why| Reply::undecodable(&why), Reply::from)
}

/// Plays the script, each connection at a session of its own. Time is what the script's pauses say.
pub(super) fn play(profile: &Profile, script: &Script, handler: Handler) -> Transcript {
    let mut exchange = Exchange {
        profile,
        handler,
        start: Instant::now(),
        time: Duration::ZERO,
        conns: Vec::new(),
        transcript: Transcript::default(),
    };
    for step in script.steps() {
        exchange.step(step.conn, &step.action);
    }
    exchange.give_up();
    exchange.transcript
}

struct Exchange<'a> {
    profile: &'a Profile,
    handler: Handler,
    start: Instant,
    time: Duration,
    conns: Vec<Connection>,
    transcript: Transcript,
}

/// The two ends of a connection and what is on its way to the session.
struct Connection {
    session: Session,
    on_its_way: BytesMut,
    fin: bool,
    stalled: bool,
    over: bool,
}

impl Exchange<'_> {
    fn step(&mut self, conn: Conn, action: &Action) {
        match action {
            Action::Open | Action::Begin(_) => {
                let now = self.now();
                self.conns.push(Connection::new(self.profile, now));
                self.note(conn, Seen::Connected);
            }
            Action::Send(segments) => segments.iter().for_each(|octets| self.send(conn, octets)),
            Action::Pause(pause) => self.time = self.time.saturating_add(*pause),
            Action::Fin => {
                self.note(conn, Seen::FinSent);
                self.set(conn, |connection| connection.fin = true);
                self.run(conn);
            }
            Action::Rst => {
                self.note(conn, Seen::RstSent);
                self.set(conn, |connection| connection.over = true);
            }
            Action::Stall => {
                self.note(conn, Seen::Stalled);
                self.set(conn, |connection| connection.stalled = true);
            }
            Action::Resume => {
                self.note(conn, Seen::Resumed);
                self.set(conn, |connection| connection.stalled = false);
                self.run(conn);
            }
            // What is typed and shown is a client's business, and no session sees it, nor that nothing is sent.
            Action::SendEmpty
            | Action::Await
            | Action::Quiet
            | Action::Sample(_)
            | Action::Type(_)
            | Action::Shown
            | Action::Settle => {}
        }
    }

    fn send(&mut self, conn: Conn, octets: &[u8]) {
        if self
            .conns
            .get(conn)
            .is_none_or(|connection| connection.over)
        {
            return self.note(conn, Seen::SendFailed);
        }
        self.note(conn, Seen::Sent(octets.len()));
        self.set(conn, |connection| {
            connection.on_its_way.extend_from_slice(octets);
        });
        self.run(conn);
    }

    /// Lets the session do all that it can.
    fn run(&mut self, conn: Conn) {
        let (now, handler) = (self.now(), self.handler);
        let Some(connection) = self.conns.get_mut(conn) else {
            return;
        };
        let said = connection.run(handler, now);
        if !said.is_empty() {
            self.note(conn, Seen::Received(said.into()));
        }
        if self.conns.get_mut(conn).is_some_and(Connection::ends) {
            self.note(conn, Seen::Fin);
        }
    }

    /// What has not come by now does not come any more: all has been done that could be.
    fn give_up(&mut self) {
        for conn in 0..self.conns.len() {
            if self
                .conns
                .get(conn)
                .is_some_and(|connection| !connection.over)
            {
                self.note(conn, Seen::GaveUp(crate::script::Awaited::Owed, self.time));
            }
        }
    }

    fn set(&mut self, conn: Conn, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.conns.get_mut(conn) {
            change(connection);
        }
    }

    fn note(&mut self, conn: Conn, seen: Seen) {
        let at = self.time;
        self.transcript.entries.push(Entry { at, conn, seen });
    }

    fn now(&self) -> Instant {
        self.start.checked_add(self.time).unwrap_or(self.start)
    }
}

impl Connection {
    fn new(profile: &Profile, now: Instant) -> Self {
        let limits = Limits {
            frame_deadline: None,
            write_deadline: None,
            ..Limits::default()
        };
        Self {
            session: Session::new(profile, limits, now),
            on_its_way: BytesMut::new(),
            fin: false,
            stalled: false,
            over: false,
        }
    }

    /// Gives the session what is on its way and takes what it has to say, until neither is possible.
    fn run(&mut self, handler: Handler, now: Instant) -> Vec<u8> {
        let mut said = Vec::new();
        let mut moving = !self.over;
        while moving {
            moving = self.bring(now);
            while let Some(request) = self.session.poll_request() {
                self.session.handle_reply(handler(request));
            }
            let output = self.session.poll_output();
            if !self.stalled && !output.is_empty() {
                said.extend_from_slice(output);
                let taken = output.len();
                self.session.handle_sent(taken, now);
                moving = true;
            }
        }
        said
    }

    /// Whether there was something to bring, and the session wanted it.
    fn bring(&mut self, now: Instant) -> bool {
        if !self.session.wants_input() {
            return false;
        }
        if self.on_its_way.is_empty() {
            if self.fin {
                self.session.handle_eof(now);
            }
            return self.fin;
        }
        let most = self.on_its_way.len().min(READ);
        let read = self.on_its_way.split_to(most);
        self.session.handle_input(&read, now);
        true
    }

    /// Whether the session has come to its end and the client can notice: true only once.
    fn ends(&mut self) -> bool {
        let ends = !self.over && !self.stalled && self.session.poll_end().is_some();
        self.over |= ends;
        ends
    }
}
