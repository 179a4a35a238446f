//! What a case builds its play with.

use super::play::{Act, Fate, Line, Play, Text};
use super::{Client, Shows};
use crate::profile::{Payload, Profile};
use crate::script::craft::Craft;
use crate::spec::Level;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

/// Where a text goes in what is typed, or in a reply.
pub const HOLE: &str = "{text}";

/// The largest payload that is sent to a client, in octets.
const MOST: usize = 1 << 20;

const TOO_LARGE: &str = "it needs a longer text than any that is sent";

const ENDS_IN_PAD: &str = "a text that it needs ends in the octet that padding is made of";

/// What a play depends on besides its case.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The wire format.
    pub profile: &'a Profile,
    /// What is known of the client.
    pub client: &'a Client,
    /// What is typed, with [`HOLE`] where the text goes; `None` if nothing is.
    pub input: Option<&'a str>,
    /// The payload of a reply, with [`HOLE`] where the text goes; a JSON string, or the text itself, if
    /// there is none.
    pub reply: Option<&'a str>,
    /// What all that chance chooses is made from.
    pub seed: u64,
}

/// Builds a play.
#[derive(Debug)]
pub struct Maker<'a> {
    circumstances: &'a Circumstances<'a>,
    play: Play,
    unfit: Option<String>,
    salt: u64,
    tokens: u32,
    /// Requests that have been waited for and not been answered.
    unanswered: usize,
    /// Octets sent to the client so far.
    sent: usize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(circumstances: &'a Circumstances<'a>, id: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (circumstances.seed, id).hash(&mut hasher);
        Self {
            circumstances,
            play: Play::default(),
            unfit: None,
            salt: hasher.finish() & 0xff_ffff,
            tokens: 0,
            unanswered: 0,
            sent: 0,
        }
    }

    /// The play that `build` makes, outside of the table.
    ///
    /// # Errors
    /// If it does not apply here: why.
    pub fn build(
        circumstances: &'a Circumstances<'a>,
        id: &str,
        build: impl FnOnce(&mut Self),
    ) -> Result<Play, String> {
        let mut maker = Self::new(circumstances, id);
        build(&mut maker);
        maker.finish()
    }

    pub(super) fn finish(mut self) -> Result<Play, String> {
        let is_seen = |text: &Text| !matches!(text.fate, Fate::Hidden(_));
        if self.play.texts.iter().any(is_seen) && self.client().shows == Shows::Nothing {
            self.skip("the client shows nothing of the replies that it reads");
        }
        match self.unfit {
            Some(why) => Err(why),
            None => Ok(self.play),
        }
    }

    /// What is known of the client.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.circumstances.client
    }

    /// The wire format.
    #[must_use]
    pub const fn profile(&self) -> &'a Profile {
        self.circumstances.profile
    }

    /// Frames of the wire format.
    #[must_use]
    pub const fn craft(&self) -> Craft<'a> {
        Craft::new(self.circumstances.profile)
    }

    /// The case does not apply; the first reason counts.
    pub fn skip(&mut self, why: &str) {
        self.unfit.get_or_insert_with(|| why.to_owned());
    }

    fn need(&mut self, met: bool, why: &str) {
        if !met {
            self.skip(why);
        }
    }

    /// Only for clients that send a second request on the same connection.
    pub fn needs_again(&mut self) {
        let met = self.client().again;
        self.need(met, "the client sends one request on a connection");
    }

    /// Only for clients that send requests without waiting for replies.
    pub fn needs_ahead(&mut self) {
        let met = self.client().ahead;
        self.need(
            met,
            "the client sends no second request before it has the reply to the first",
        );
    }

    /// Only where the client's process can be observed.
    pub fn needs_process(&mut self) {
        let met = self.client().process;
        self.need(
            met,
            "what it takes is seen only in a client started by --exec",
        );
    }

    /// Only for clients whose output is seen.
    pub fn needs_output(&mut self) {
        let met = matches!(self.client().shows, Shows::AtOnce | Shows::AtEnd);
        self.need(met, "it is seen only in what a client prints");
    }

    /// Only for clients that send what is typed.
    pub fn needs_lines(&mut self) {
        let met = self.circumstances.input.is_some() && self.client().carries.is_some();
        self.need(met, "the client's requests do not hold what is typed");
    }

    /// Only for wire formats with padding.
    pub fn needs_padding(&mut self) {
        let met = self.profile().chunk() > 1;
        self.need(met, "this wire format has no padding");
    }

    /// Only where payloads are JSON.
    pub fn needs_json(&mut self) {
        let met = self.profile().payload() == Payload::Json;
        self.need(met, "payloads are not JSON in this wire format");
    }

    /// A text that occurs nowhere else.
    pub fn token(&mut self, kind: &str) -> String {
        self.tokens = self.tokens.saturating_add(1);
        format!("{kind}{}x{:06x}", self.tokens, self.salt)
    }

    /// That text and as much behind it as makes it so many octets; no two stretches of it are alike.
    pub fn long_token(&mut self, kind: &str, octets: usize) -> String {
        self.need(octets <= MOST, TOO_LARGE);
        let octets = octets.min(MOST);
        let mut text = self.token(kind);
        let mut count = 0_u32;
        while text.len() < octets {
            text.push_str(&format!(".{count:05}"));
            count = count.saturating_add(1);
        }
        text.truncate(octets);
        text
    }

    fn line(&mut self, text: String) -> Line {
        let Some(template) = self.circumstances.input else {
            return Line {
                typed: String::new(),
                text,
            };
        };
        let typed = filled(template, &text);
        self.needs_room_for(&typed);
        Line {
            typed,
            text: if template.contains(HOLE) {
                text
            } else {
                String::new()
            },
        }
    }

    /// Only where what is typed becomes a request that a frame can hold.
    fn needs_room_for(&mut self, typed: &str) {
        let Some(beyond) = self.client().carries else {
            return;
        };
        let octets = typed.len().saturating_add_signed(beyond);
        self.needs_body_for(octets);
        let cut = beyond == 0 && self.ends_in_padding(typed.as_bytes());
        self.need(!cut, ENDS_IN_PAD);
    }

    /// Only where a frame can hold a payload of so many octets.
    fn needs_body_for(&mut self, payload: usize) {
        let chunk = self.craft().chunk();
        let body = payload.div_ceil(chunk).saturating_mul(chunk);
        let body = u64::try_from(body).unwrap_or(u64::MAX);
        if let Some(why) = self.craft().refuses(body) {
            self.skip(why);
        }
    }

    fn ends_in_padding(&self, payload: &[u8]) -> bool {
        self.profile().trims() && payload.last() == Some(&self.profile().pad())
    }

    fn plain_line(&mut self) -> Line {
        let text = self.token("line");
        self.line(text)
    }

    /// Octets of what is typed beyond the text.
    fn input_overhead(&self) -> usize {
        self.circumstances
            .input
            .map_or(0, |input| filled(input, "").len())
    }

    /// The user types a plain line.
    pub fn types(&mut self) {
        let line = self.plain_line();
        self.play.acts.push(Act::Type(line));
    }

    /// The user types a line with that text.
    pub fn types_text(&mut self, text: String) {
        self.needs_lines();
        let line = self.line(text);
        self.play.acts.push(Act::Type(line));
    }

    /// The user types a line that becomes a payload of so many octets, or so many modulo the chunk if
    /// that is too few. What it really became is known when it has come.
    pub fn types_payload(&mut self, octets: usize) {
        self.needs_lines();
        let typed = self.input_overhead();
        let beyond = typed.saturating_add_signed(self.client().carries.unwrap_or(0));
        let chunk = self.craft().chunk();
        let mut octets = octets;
        while octets < beyond.saturating_add(12) {
            octets = octets.saturating_add(chunk);
        }
        let text = self.long_token("line", octets.saturating_sub(beyond));
        self.play.aims_at = Some(octets);
        self.types_text(text);
    }

    /// Waits for the next request.
    pub fn request(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
        self.play.requests = self.play.requests.saturating_add(1);
        self.play.acts.push(Act::Request);
    }

    /// The user types a plain line, and its request comes; unless one has come already.
    pub fn ask(&mut self) {
        if self.unanswered == 0 {
            self.types();
            self.request();
        }
    }

    /// The payload of a reply with that text.
    #[must_use]
    pub fn payload(&self, text: &str) -> Vec<u8> {
        let quoted = || serde_json::Value::from(text).to_string();
        match self.circumstances.reply {
            Some(template) => filled(template, text),
            None if self.profile().payload() == Payload::Json => quoted(),
            None => text.to_owned(),
        }
        .into_bytes()
    }

    /// A text whose reply has a payload of so many octets, or so many modulo the chunk if that is too
    /// few.
    pub fn text_for_payload(&mut self, octets: usize) -> String {
        let beyond = self.payload("").len();
        let chunk = self.craft().chunk();
        let mut octets = octets;
        while octets < beyond.saturating_add(16) {
            octets = octets.saturating_add(chunk);
        }
        self.long_token("reply", octets.saturating_sub(beyond))
    }

    /// The frame of a reply whose text must be shown. It is to be sent whole, in whatever pieces,
    /// behind what was sent before.
    pub fn reply(&mut self) -> Vec<u8> {
        let text = self.token("reply");
        self.reply_with(text)
    }

    /// The same with that text.
    pub fn reply_with(&mut self, text: String) -> Vec<u8> {
        self.reply_to_be(text, Fate::Shown)
    }

    /// The same with that text and another fate.
    pub fn reply_to_be(&mut self, text: String, fate: Fate) -> Vec<u8> {
        self.reply_padded(text, fate, 0)
    }

    /// The same with so many chunks of padding more than it needs.
    pub fn reply_padded(&mut self, text: String, fate: Fate, more_chunks: usize) -> Vec<u8> {
        let payload = self.payload(&text);
        let cut = self.ends_in_padding(&payload);
        self.need(!cut, ENDS_IN_PAD);
        let frame = self.frame_with(&payload, more_chunks);
        self.expect(text, frame.len(), fate, "");
        frame
    }

    /// The frame of a payload.
    pub fn frame(&mut self, payload: &[u8]) -> Vec<u8> {
        self.frame_with(payload, 0)
    }

    /// The frame of a payload, with so many chunks of padding more than it needs.
    pub fn frame_with(&mut self, payload: &[u8], more_chunks: usize) -> Vec<u8> {
        let met = more_chunks == 0 || self.profile().trims();
        self.need(
            met,
            "the length does not count the padding, so there is never more than needed",
        );
        let more = more_chunks.saturating_mul(self.craft().chunk());
        self.needs_body_for(payload.len().saturating_add(more));
        self.craft().frame_with(payload, more_chunks)
    }

    /// A header that claims a body of so many octets, be it over the limit.
    pub fn header(&mut self, body: u64) -> Vec<u8> {
        let met = body <= self.craft().largest_body();
        self.need(met, "no header of this wire format can claim so much");
        self.craft().header(body)
    }

    /// What must become of the text of something that is `octets` long and about to be sent.
    pub fn expect(&mut self, text: String, octets: usize, fate: Fate, about: &'static str) {
        if octets > MOST.saturating_add(self.profile().header_len()) {
            self.skip(TOO_LARGE);
        }
        self.unanswered = self.unanswered.saturating_sub(1);
        let due = self.sent.saturating_add(octets);
        self.sent = due;
        self.play.texts.push(Text {
            text,
            due,
            fate,
            about,
        });
    }

    /// A text that must not be shown, of something `octets` long; it is expected to be no reply.
    pub fn hide(&mut self, text: String, octets: usize, level: Level, about: &'static str) {
        self.expect(text, octets, Fate::Hidden(level), about);
    }

    /// Sends what no text was expected of.
    pub fn send_other(&mut self, segments: Vec<Vec<u8>>) {
        let octets: usize = segments.iter().map(Vec::len).sum();
        self.unanswered = self.unanswered.saturating_sub(1);
        self.sent = self.sent.saturating_add(octets);
        self.send(segments);
    }

    /// Sends what texts were expected of.
    pub fn send(&mut self, segments: Vec<Vec<u8>>) {
        let mut segments = segments;
        segments.retain(|segment| !segment.is_empty());
        self.play.acts.push(Act::Send(segments));
    }

    /// Waits until what was sent is shown, in the way that the client has.
    pub fn shown(&mut self) {
        match self.client().shows {
            Shows::AtOnce => self.play.acts.push(Act::Shown),
            Shows::NextRequest => self.ask(),
            Shows::AtEnd | Shows::Nothing => {}
        }
    }

    /// Sends a plain reply and waits until it is shown.
    pub fn answer(&mut self) {
        let frame = self.reply();
        self.send(vec![frame]);
        self.shown();
    }

    /// The same, which does not matter once the client has ended.
    pub fn answer_unless_ended(&mut self) {
        let text = self.token("reply");
        let frame = self.reply_to_be(text, Fate::ShownUnlessEnded);
        self.send(vec![frame]);
        self.shown();
    }

    /// The connection is made, whether or not anything is sent on it.
    pub fn connect(&mut self) {
        self.play.acts.push(Act::Connect);
    }

    /// Nothing happens for that long.
    pub fn pause(&mut self, time: Duration) {
        self.play.acts.push(Act::Pause(time));
    }

    /// The client has reason to end the connection, and time to do so.
    pub fn settle(&mut self) {
        self.play.acts.push(Act::Settle);
    }

    /// The server ends its stream.
    pub fn fin(&mut self) {
        self.play.acts.push(Act::Fin);
    }

    /// The client must end the connection or itself by itself.
    pub fn must_end(&mut self, why: &'static str) {
        self.play.must_end = Some(why);
        self.play.acts.push(Act::Ended);
    }

    /// The client must end the connection or itself, at the latest when it wants to send.
    pub fn must_end_once_used(&mut self, why: &'static str) {
        self.play.must_end = Some(why);
        let line = self.plain_line();
        self.play.acts.push(Act::EndedOnceUsed(line));
    }

    /// The server resets the connection, and the client must notice.
    pub fn reset(&mut self) {
        let met = self.client().process;
        self.need(
            met,
            "what follows upon a reset is seen only in a client started by --exec",
        );
        let line = self.plain_line();
        self.play.acts.push(Act::Rst);
        self.play.acts.push(Act::Noticed(line));
    }

    /// It is measured what memory the client takes.
    pub fn weigh(&mut self) {
        self.play.weighs = true;
    }
}

/// The template with the text in it, escaped where the template is JSON.
fn filled(template: &str, text: &str) -> String {
    let is_json =
        serde_json::from_str::<serde::de::IgnoredAny>(&template.replace(HOLE, "x")).is_ok();
    if !is_json {
        return template.replace(HOLE, text);
    }
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    template.replace(HOLE, inner.unwrap_or_default())
}

/// The octets cut at these places; those that lie outside cut nothing.
#[must_use]
pub(super) fn cut(octets: &[u8], places: &[usize]) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    let mut rest = octets;
    let mut at = 0;
    for place in places {
        let Some((head, tail)) = place
            .checked_sub(at)
            .and_then(|length| rest.split_at_checked(length))
        else {
            continue;
        };
        if head.is_empty() || tail.is_empty() {
            continue;
        }
        segments.push(head.to_vec());
        (rest, at) = (tail, *place);
    }
    segments.push(rest.to_vec());
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lose_nothing_and_leave_nothing_empty() {
        let cuts = |places: &[usize]| cut(b"abcdef", places);
        assert_eq!(cuts(&[]), [b"abcdef"]);
        assert_eq!(cuts(&[0, 2, 2, 6, 9]), [&b"ab"[..], b"cdef"]);
        assert_eq!(cuts(&[1, 2, 3, 4, 5]).len(), 6);
    }

    #[test]
    fn templates_are_filled_as_what_they_are() {
        assert_eq!(filled("say {text}", "a\"b"), "say a\"b");
        assert_eq!(filled("\"{text}\"", "a\"b"), "\"a\\\"b\"");
        assert_eq!(filled("{\"t\": \"{text}\"}", "é"), "{\"t\": \"é\"}");
        assert_eq!(filled("list", "x"), "list");
    }
}
