//! A client that is right, and one that shows nothing, at a server that does what a script says: what the model of
//! clients and their judge must make of both.

use crate::generate;
use crate::judge::{ClientTraits, Finding, Shows, judge};
use crate::message::Message;
use crate::model::{Owes, Permitted, permitted};
use crate::profile::Profile;
use crate::script::craft::Craft;
use crate::script::draws::Draws;
use crate::script::{Action, Awaited, Script, Side};
use crate::spec::Level;
use crate::transcript::{Entry, Exit, Seen, Transcript};
use crate::wire::Decoder;
use bytes::BytesMut;
use std::time::Duration;

/// Steps of a script at most.
const MOST_STEPS: usize = 16;

/// The text of each request.
const ASKED: &str = "what is asked";

/// What is known of the client.
const TRAITS: ClientTraits = ClientTraits {
    shows: Shows::AtOnce,
    again: true,
    ahead: false,
    carries: None,
    shape: None,
    process: false,
};

/// A script of the server's side.
pub(super) fn script(profile: &Profile, draws: &mut Draws) -> Script {
    let replies = profile.of_replies();
    let mut script = Script::of(Side::Server);
    // What cannot follow is left out.
    let _ = script.push(0, Action::Open);
    for _ in 0..draws.below(MOST_STEPS) {
        for action in some(&replies, draws) {
            let _ = script.push(0, action);
        }
    }
    script
}

fn some(replies: &Profile, draws: &mut Draws) -> Vec<Action> {
    let send = |draws: &mut Draws| Action::Send(segments(generate::frame(replies, draws), draws));
    match draws.below(16) {
        0..=7 => vec![Action::Await, send(draws)],
        8..=10 => vec![send(draws)],
        11 => vec![Action::Shown],
        12 => vec![Action::Settle],
        13 => vec![Action::Pause(Duration::from_millis(300))],
        14 => vec![Action::Fin, Action::Await],
        _ => vec![Action::Rst, Action::Await],
    }
}

fn segments(octets: Vec<u8>, draws: &mut Draws) -> Vec<Vec<u8>> {
    let size = match draws.one_in(2) {
        true => octets.len(),
        false => draws.below(octets.len()),
    };
    octets.chunks(size.max(1)).map(<[u8]>::to_vec).collect()
}

/// Plays a script to both clients and has them judged. Says whether it could be: a format may have no room for what the
/// client asks.
///
/// # Errors
/// If the one that is right is found wrong, or the other is not although it owes something.
pub(super) fn judged(profile: &Profile, script: &Script) -> Result<bool, String> {
    if !has_room(profile) {
        return Ok(false);
    }
    let permitted = permitted(profile, script);
    let Some(owed) = permitted.first() else {
        return Ok(false);
    };
    let found = |is_mute| {
        let transcript = Client::new(profile, script, owed, is_mute).played();
        judge(profile, &TRAITS, &permitted, &transcript)
    };
    let is_must = |finding: &Finding| finding.level == Level::Must;
    if let Some(finding) = found(false).into_iter().find(is_must) {
        return Err(format!("{script}{}: {}", finding.clause, finding.what));
    }
    match owes_a_text(owed) && found(true).is_empty() {
        false => Ok(true),
        true => Err(format!("{script}a client that shows nothing passes")),
    }
}

fn has_room(profile: &Profile) -> bool {
    let craft = Craft::new(profile);
    let body = craft.body(&craft.payload(ASKED), 0).len();
    u64::try_from(body).is_ok_and(|body| craft.refuses(body).is_none())
}

/// Whether a text is to be shown, whatever the client did before, that cannot be there by chance.
fn owes_a_text(permitted: &Permitted) -> bool {
    let telling = |text: &str| text.bytes().any(|octet| octet.is_ascii_graphic());
    permitted.duties.iter().any(|duty| match &duty.owes {
        Owes::Showing(showing) => !showing.unless_ended && telling(&showing.text),
        _ => false,
    })
}

/// A client in memory, and what is seen of it.
struct Client<'a> {
    script: &'a Script,
    permitted: &'a Permitted,
    replies: Profile,
    request: Vec<u8>,
    decoder: Decoder,
    buffer: BytesMut,
    /// It shows nothing that it reads.
    is_mute: bool,
    awaits: usize,
    is_over: bool,
    at: Duration,
    entries: Vec<Entry>,
}

impl<'a> Client<'a> {
    fn new(profile: &Profile, script: &'a Script, permitted: &'a Permitted, is_mute: bool) -> Self {
        let (craft, replies) = (Craft::new(profile), profile.of_replies());
        Self {
            script,
            permitted,
            request: craft.frame(&craft.payload(ASKED)),
            decoder: Decoder::new(&replies),
            replies,
            buffer: BytesMut::new(),
            is_mute,
            awaits: 0,
            is_over: false,
            at: Duration::ZERO,
            entries: Vec::new(),
        }
    }

    fn played(mut self) -> Transcript {
        self.note(Seen::Started);
        for step in self.script.steps() {
            if !self.step(&step.action) {
                break;
            }
        }
        self.note(Seen::Teardown);
        Transcript {
            entries: self.entries,
            ..Transcript::default()
        }
    }

    /// Does a step; whether another can follow.
    fn step(&mut self, action: &Action) -> bool {
        match action {
            Action::Open => self.note(Seen::Connected),
            Action::Send(segments) => return segments.iter().all(|octets| self.send(octets)),
            Action::Await => return self.awaited(),
            Action::Pause(time) => self.at = self.at.saturating_add(*time),
            Action::Fin => {
                self.note(Seen::FinSent);
                self.end();
            }
            Action::Rst => {
                self.note(Seen::RstSent);
                self.end();
            }
            Action::Type(typed) => self.note(Seen::Typed(typed.line.clone())),
            _ => {}
        }
        true
    }

    fn send(&mut self, octets: &[u8]) -> bool {
        if self.is_over {
            self.note(Seen::SendFailed);
            return self.permitted.must_end().is_some();
        }
        self.note(Seen::Sent(octets.len()));
        self.buffer.extend_from_slice(octets);
        self.read();
        true
    }

    /// Shows what has come; what is no message it passes over, and what is no frame it ends at.
    fn read(&mut self) {
        loop {
            match self.decoder.decode(&mut self.buffer) {
                Ok(Some(frame)) => self.show(frame.payload()),
                Ok(None) => return,
                Err(_) => return self.end(),
            }
        }
    }

    fn show(&mut self, payload: &[u8]) {
        let kind = self.replies.payload();
        let is_message = Message::read(kind, payload.to_vec().into()).is_ok();
        if self.is_mute || !is_message || payload.is_empty() {
            return;
        }
        let text = self.script.replies().text_in(&self.replies, payload);
        let mut shown = text.map_or_else(|| payload.to_vec(), String::into_bytes);
        shown.push(b'\n');
        self.note(Seen::Printed(shown));
    }

    fn awaited(&mut self) -> bool {
        let asking = self.permitted.asking.as_ref();
        let awaited = asking.and_then(|asking| asking.awaits.get(self.awaits).copied());
        self.awaits = self.awaits.saturating_add(1);
        match awaited {
            Some(Awaited::Request(_) | Awaited::RequestOrEnd(_)) if !self.is_over => {
                self.note(Seen::Received(self.request.clone().into()));
            }
            Some(Awaited::Request(_) | Awaited::RequestOrEnd(_)) => return false,
            // It is not busy, and so has reacted by now.
            _ => {}
        }
        true
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.note(Seen::Fin);
            self.note(Seen::Exited(Exit::Code(0)));
        }
    }

    fn note(&mut self, seen: Seen) {
        self.entries.push(Entry {
            at: self.at,
            conn: 0,
            seen,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts made by chance ask for something often enough.
    #[test]
    fn both_clients_are_told_apart() {
        let profile = Profile::tutorial();
        let mut told_apart = 0;
        for seed in 0..400 {
            let script = script(&profile, &mut Draws::new(seed));
            assert_eq!(judged(&profile, &script), Ok(true));
            let owed = permitted(&profile, &script);
            told_apart += usize::from(owes_a_text(&owed[0]));
        }
        assert!(told_apart > 80, "{told_apart}");
    }

    /// Behind a body that is no whole number of chunks it may end: then nobody sees what it makes of a reset.
    #[test]
    fn a_client_that_ends_where_it_may_owes_nothing_more() {
        let text = "framespec script 1\nside server\nopen a\nawait a\nsend a 0000003d 'x'*61\nawait a\nrst a\nawait a\n";
        let script: Script = text.parse().unwrap();
        assert_eq!(judged(&Profile::tutorial(), &script), Ok(true));
    }

    #[test]
    fn a_client_that_goes_on_at_what_is_no_frame_is_found_out() {
        let profile = Profile::tutorial();
        let text = "framespec script 1\nside server\nopen a\nawait a\nsend a ffffffff\nawait a\n";
        let script: Script = text.parse().unwrap();
        let permitted = permitted(&profile, &script);
        let mut transcript = Client::new(&profile, &script, &permitted[0], false).played();
        let ends = |seen: &Seen| matches!(seen, Seen::Fin | Seen::Exited(_) | Seen::Teardown);
        transcript.entries.retain(|entry| !ends(&entry.seen));
        transcript.entries.push(Entry {
            at: Duration::ZERO,
            conn: 0,
            seen: Seen::GaveUp(Awaited::End, Duration::from_secs(5)),
        });
        let found = judge(&profile, &TRAITS, &permitted, &transcript);
        assert!(
            found.iter().any(|finding| finding.level == Level::Must),
            "{found:?}"
        );
    }
}
