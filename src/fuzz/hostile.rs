//! A server that says anything at all, as a transcript: what reading it and judging it must make of that.

use super::decoding::decoded;
use crate::generate;
use crate::judge::frame_log::{FrameLog, MOST_UNASKED};
use crate::judge::{Finding, Frame, ReplyRule, judge};
use crate::lang::Text;
use crate::model::{permitted, reader};
use crate::profile::Profile;
use crate::script::draws::Draws;
use crate::script::{Action, Awaited, Conn, Script};
use crate::transcript::{Canary, Entry, Seen, Transcript};
use bytes::Bytes;
use std::time::Duration;

/// Plays a script made by chance at a server made by chance, and has it read and judged.
///
/// # Errors
/// If what is found depends on how replies were cut, or says something of what is not there, or if frames are not
/// what the naive reader and the decoder say they are.
pub(super) fn judged(profile: &Profile, draws: &mut Draws) -> Result<(), String> {
    let script = generate::script(profile, draws);
    let rule = rule(draws);
    let transcript = Server::new(profile, &script, draws).played();
    for conn in 0..script.connections() {
        is_read(profile, &transcript, conn)?;
    }
    let permitted = permitted(profile, &script);
    let findings = judge(profile, &rule, &permitted, &transcript);
    findings
        .iter()
        .try_for_each(|finding| is_sound(&script, finding))?;
    let again = judge(profile, &rule, &permitted, &cut(&transcript));
    match again == findings {
        true => Ok(()),
        false => Err(format!("{script}{findings:?}, and cut otherwise {again:?}")),
    }
}

fn rule(draws: &mut Draws) -> ReplyRule {
    let frame = || Frame {
        head: "got ".to_owned(),
        tail: "!".to_owned(),
    };
    match draws.below(5) {
        0 | 1 => ReplyRule::Echo,
        2 => ReplyRule::Token(draws.one_in(2).then(frame)),
        3 => ReplyRule::Any,
        _ => ReplyRule::None,
    }
}

/// A server that does what chance says, seen from the client.
struct Server<'a> {
    script: &'a Script,
    draws: &'a mut Draws,
    replies: Profile,
    /// What each connection is sent next if it is answered with an echo.
    streams: Vec<Vec<u8>>,
    /// Connections that are over.
    over: Vec<bool>,
    at: Duration,
    transcript: Transcript,
}

impl<'a> Server<'a> {
    fn new(profile: &Profile, script: &'a Script, draws: &'a mut Draws) -> Self {
        Self {
            script,
            draws,
            replies: profile.of_replies(),
            streams: script.streams(),
            over: vec![false; script.connections()],
            at: Duration::ZERO,
            transcript: Transcript::default(),
        }
    }

    fn played(mut self) -> Transcript {
        for step in self.script.steps() {
            self.step(step.conn, &step.action);
        }
        for conn in 0..self.over.len() {
            if !self.is_over(conn) {
                self.note(conn, Seen::GaveUp(Awaited::Owed, Duration::from_secs(5)));
            }
        }
        self.transcript.canary = match self.draws.below(12) {
            0 => Canary::Dead(Text::whole("it did not connect")),
            1 => Canary::Mute(Text::whole("it was not answered")),
            2 => Canary::Disturbed(Text::whole("was disconnected")),
            _ => Canary::Well,
        };
        self.transcript
    }

    fn step(&mut self, conn: Conn, action: &Action) {
        match action {
            Action::Open | Action::Begin(_) if self.draws.one_in(24) => {
                self.note(conn, Seen::Refused(Text::whole("refused")));
                self.end(conn);
            }
            Action::Open | Action::Begin(_) => self.note(conn, Seen::Connected),
            Action::Send(segments) => segments.iter().for_each(|octets| self.send(conn, octets)),
            Action::Fin => self.note(conn, Seen::FinSent),
            Action::Rst => {
                self.note(conn, Seen::RstSent);
                self.end(conn);
            }
            Action::Stall => self.note(conn, Seen::Stalled),
            Action::Resume => self.note(conn, Seen::Resumed),
            Action::Pause(time) => self.at = self.at.saturating_add(*time),
            Action::Quiet => self.note(conn, Seen::Silent { round_trips: 3 }),
            // The others are none of a client's.
            _ => self.answer(conn),
        }
        if self.draws.one_in(3) {
            self.answer(conn);
        }
    }

    fn send(&mut self, conn: Conn, octets: &[u8]) {
        if self.is_over(conn) {
            return self.note(conn, Seen::SendFailed);
        }
        self.note(conn, Seen::Sent(octets.len()));
    }

    /// Says something, or ends the connection.
    fn answer(&mut self, conn: Conn) {
        if self.is_over(conn) {
            return;
        }
        match self.draws.below(16) {
            0 => self.ends(conn, Seen::Fin),
            1 => self.ends(conn, Seen::Rst),
            2 => self.ends(conn, Seen::Flooded),
            3..=9 => {
                let echoed = self.streams.get_mut(conn).map(std::mem::take);
                self.say(conn, &echoed.unwrap_or_default());
            }
            _ => {
                let frame = generate::frame(&self.replies, self.draws);
                self.say(conn, &frame);
            }
        }
    }

    /// Sends octets, at times cut in two.
    fn say(&mut self, conn: Conn, octets: &[u8]) {
        let cut = match self.draws.one_in(2) {
            true => self.draws.below(octets.len()),
            false => 0,
        };
        let (one, other) = octets.split_at(cut);
        for part in [one, other].into_iter().filter(|part| !part.is_empty()) {
            self.note(conn, Seen::Received(Bytes::copy_from_slice(part)));
        }
    }

    fn ends(&mut self, conn: Conn, seen: Seen) {
        self.note(conn, seen);
        self.end(conn);
    }

    fn end(&mut self, conn: Conn) {
        if let Some(over) = self.over.get_mut(conn) {
            *over = true;
        }
    }

    fn is_over(&self, conn: Conn) -> bool {
        self.over.get(conn).copied().unwrap_or(true)
    }

    fn note(&mut self, conn: Conn, seen: Seen) {
        let at = self.at;
        self.transcript.entries.push(Entry { at, conn, seen });
    }
}

/// The same, with all that came cut once more.
fn cut(transcript: &Transcript) -> Transcript {
    let mut again = transcript.clone();
    again.entries = transcript.entries.iter().flat_map(in_two).collect();
    again
}

fn in_two(entry: &Entry) -> Vec<Entry> {
    let Seen::Received(octets) = &entry.seen else {
        return vec![entry.clone()];
    };
    let (one, other) = octets.split_at(octets.len() / 2);
    let parts = [one, other].into_iter().filter(|part| !part.is_empty());
    let received = |part: &[u8]| Entry {
        seen: Seen::Received(Bytes::copy_from_slice(part)),
        ..entry.clone()
    };
    parts.map(received).collect()
}

/// Read piece by piece, the replies are those that are there when all of it is read at once, and those that the decoder
/// finds as far as it reads.
fn is_read(profile: &Profile, transcript: &Transcript, conn: Conn) -> Result<(), String> {
    let log = FrameLog::of(profile, transcript, conn);
    let replies = profile.of_replies();
    let stream = super::received(transcript, conn);
    let naive = reader::read_with_limit(&replies, &stream, u128::MAX).frames;
    let kept = naive.iter().take(MOST_UNASKED);
    let payloads = kept.map(|frame| frame.payload(&stream));
    if !payloads.eq(log.iter().map(|frame| frame.payload())) {
        let (log, naive) = (log.len(), naive.len());
        return Err(format!(
            "connection {conn}: {log} replies, and {naive} for the naive reader, are not the same"
        ));
    }
    let decoded = decoded(&replies, &stream).into_iter().map_while(Result::ok);
    let decoded = decoded.take(MOST_UNASKED);
    let mut pairs = decoded.zip(log.iter().map(Some).chain(std::iter::repeat(None)));
    match pairs
        .find(|(frame, logged)| logged.map(|logged| logged.payload()) != Some(frame.payload()))
    {
        None => Ok(()),
        Some((frame, logged)) => Err(format!(
            "connection {conn}: {logged:?} in place of {frame:?}"
        )),
    }
}

/// A finding is about something that there is, and says what.
fn is_sound(script: &Script, finding: &Finding) -> Result<(), String> {
    let conns = script.connections().max(1);
    let sent = script.streams().get(finding.conn).map_or(0, Vec::len);
    let is_there = finding.conn < conns && finding.frame.is_none_or(|at| at <= sent);
    match is_there && !finding.what.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{finding:?}, of {conns} connections and {sent} octets"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn servers_made_by_chance_break_most_clauses_and_now_and_then_none() {
        let profile = Profile::tutorial();
        let (mut clauses, mut clean) = (BTreeSet::new(), 0);
        for seed in 0..600 {
            let mut draws = Draws::new(seed);
            let script = generate::script(&profile, &mut draws);
            let transcript = Server::new(&profile, &script, &mut draws).played();
            let permitted = permitted(&profile, &script);
            let findings = judge(&profile, &ReplyRule::Echo, &permitted, &transcript);
            clean += usize::from(findings.is_empty());
            clauses.extend(findings.iter().map(|finding| finding.clause.to_string()));
            assert_eq!(judged(&profile, &mut Draws::new(seed)), Ok(()));
        }
        assert!(
            clauses.len() >= 8 && clean > 5,
            "{clean} clean, {clauses:?}"
        );
    }

    #[test]
    fn what_is_wrong_is_found_out() {
        let script: Script = "framespec script 1\nopen a\nsend a 00\n".parse().unwrap();
        let finding = Finding::must(crate::spec::Clause::Order, 0, "x".into());
        assert_eq!(is_sound(&script, &finding), Ok(()));
        assert!(
            is_sound(
                &script,
                &Finding {
                    conn: 1,
                    ..finding.clone()
                }
            )
            .is_err()
        );
        assert!(
            is_sound(
                &script,
                &Finding {
                    frame: Some(2),
                    ..finding
                }
            )
            .is_err()
        );
    }
}
