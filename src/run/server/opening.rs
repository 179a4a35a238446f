//! Opening connections in a script: with the prologue of the profile, or with what the script says in its place.

use super::session::Session;
use crate::lang::{Hole as _, Text};
use crate::model::prologue::by_turns;
use crate::peer::connection::{Connection, connect, was_reset};
use crate::peer::drained::drained;
use crate::peer::unread::unread;
use crate::profile::{Profile, Speaker};
use crate::run::log::Noting;
use crate::run::prologue::{NotBegun, begin, expect};
use crate::script::{Action, Conn, Opening, Step};
use crate::transcript::Seen;
use crate::transport::Stream;
use std::borrow::Cow;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

impl Session<'_> {
    pub(super) async fn open(&mut self, conn: Conn) -> ControlFlow<()> {
        let stream = self.connect(conn).await?;
        let limit = self.peer.hard_timeout(1, 0);
        let begun = begin(&stream, &self.peer.profile, Speaker::Client, limit).await;
        if let Err(why) = begun {
            return self.refused(conn, why.text());
        }
        self.log.note(conn, Seen::Connected);
        self.stands(conn, stream);
        Continue(())
    }

    /// Connects, and says what the script has in place of the prologue. Where that is all right, so must be what the
    /// server says; where it is not, the server's turns are waited for up to where it goes astray.
    pub(super) async fn begin(&mut self, conn: Conn, opening: &Opening) -> ControlFlow<()> {
        let stream = self.connect(conn).await?;
        self.log.note(conn, Seen::Connected);
        self.log.note(conn, Seen::BeganWith(opening.clone()));
        let limit = self.peer.hard_timeout(1, 0);
        match self.say_all(conn, &stream, opening, limit).await {
            Ok(()) => {
                self.stands(conn, stream);
                Continue(())
            }
            Err(why) => {
                self.log.note(conn, Seen::NotBegun(why.text()));
                self.conns.push(None);
                Break(())
            }
        }
    }

    fn stands(&mut self, conn: Conn, stream: Stream) {
        let noting = Noting::new(conn, &self.log);
        self.conns.push(Some(Connection::new(stream, noting)));
    }

    async fn connect(&mut self, conn: Conn) -> ControlFlow<(), Stream> {
        let stalls = |step: &Step| step.conn == conn && step.action == Action::Stall;
        let is_slow_reader = self.script.steps().iter().any(stalls);
        let limit = self.peer.hard_timeout(1, 0);
        match connect(&self.peer.door, limit, is_slow_reader).await {
            Ok(stream) => Continue(stream),
            Err(error) if was_reset(&error) => {
                self.log.note(conn, Seen::Connected);
                self.log.note(conn, Seen::Rst);
                self.conns.push(None);
                Break(())
            }
            Err(error) => {
                let _ = self.refused(conn, error.text());
                Break(())
            }
        }
    }

    fn refused(&mut self, conn: Conn, why: Text) -> ControlFlow<()> {
        self.log.note(conn, Seen::Refused(why));
        self.conns.push(None);
        Break(())
    }

    async fn say_all(
        &mut self,
        conn: Conn,
        stream: &Stream,
        opening: &Opening,
        limit: Duration,
    ) -> Result<(), NotBegun> {
        stream.send_at_once();
        let profile = self.peer.profile.clone();
        let (turns, is_whole) = by_turns(&profile, opening);
        let mut turns = turns.into_iter();
        for turn in profile.prologue() {
            if turn.speaker == Speaker::Server {
                expect(stream, &profile, turn, limit).await?;
                continue;
            }
            let Some(mut segments) = turns.next() else {
                return Ok(());
            };
            let is_last = turns.len() == 0;
            if is_last && opening.is_glued && has_last_word(&profile) {
                let held = segments.pop();
                self.held.extend(held.map(|octets| (conn, octets)));
            }
            self.say(stream, &segments, limit).await;
            if is_last && !is_whole {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends segments, and lets the server read each before the next. A server that has ended the connection meanwhile is
    /// noticed by whoever reads.
    async fn say(&mut self, stream: &Stream, segments: &[Vec<u8>], limit: Duration) {
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                self.let_it_be_taken(stream).await;
            }
            if !write_whole(stream, segment, limit).await {
                return;
            }
        }
        drained(|| unread(stream)).await;
    }

    /// These octets behind those that wait to go out with them.
    pub(super) fn with_held<'b>(&mut self, conn: Conn, octets: &'b [u8]) -> Cow<'b, [u8]> {
        let place = self.held.iter().position(|(of, _)| *of == conn);
        match place.map(|place| self.held.swap_remove(place)) {
            Some((_, held)) => Cow::Owned([held.as_slice(), octets].concat()),
            None => Cow::Borrowed(octets),
        }
    }
}

/// Whether nothing of the server's comes behind what the client says.
fn has_last_word(profile: &Profile) -> bool {
    let last = profile.prologue().last();
    last.is_some_and(|turn| turn.speaker == Speaker::Client)
}

/// Whether all of it could be sent.
async fn write_whole(stream: &Stream, mut octets: &[u8], limit: Duration) -> bool {
    while !octets.is_empty() {
        match tokio::time::timeout(limit, stream.write(octets)).await {
            Ok(Ok(taken)) => octets = octets.get(taken..).unwrap_or_default(),
            Ok(Err(_)) | Err(_) => return false,
        }
    }
    true
}
