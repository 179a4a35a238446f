//! What a case for clients builds its script with.

use crate::cases::draft::{Draft, Unfit, cut};
use crate::judge::{ClientTraits, Shows};
use crate::lang::{Text, say};
use crate::profile::Profile;
use crate::script::{Action, HOLE, ReplyTemplate, Script, Typed, filled};
use crate::spec::CaseId;
use std::ops::{Deref, DerefMut};

/// The largest payload that is sent to a client, in octets.
const MOST: usize = 1 << 20;

/// The one connection of such a script.
const CONN: usize = 0;

fn too_large() -> Text {
    say!("it needs a longer text than any that is sent")
}

fn ends_in_pad() -> Text {
    say!("a text that it needs ends in the octet that padding is made of")
}

/// What a script depends on besides its case.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The wire format.
    pub profile: &'a Profile,
    /// What is known of the client.
    pub client: &'a ClientTraits,
    /// What is typed, with [`HOLE`] where the text goes; `None` if nothing is.
    pub input: Option<&'a str>,
    /// The payload of a reply, with [`HOLE`] where the text goes; a JSON string, or the text itself, if
    /// there is none.
    pub reply: Option<&'a str>,
    /// What all that chance chooses is made from.
    pub seed: u64,
}

/// Builds a script of the server's side.
#[derive(Debug)]
pub struct Maker<'a> {
    draft: Draft<'a>,
    circumstances: &'a Circumstances<'a>,
    tokens: u32,
    /// Requests that have been waited for and not been answered.
    unanswered: usize,
    /// Whether the client has to show something.
    shows: bool,
}

impl<'a> Deref for Maker<'a> {
    type Target = Draft<'a>;

    fn deref(&self) -> &Draft<'a> {
        &self.draft
    }
}

impl DerefMut for Maker<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.draft
    }
}

impl<'a> Maker<'a> {
    /// The script that `build` makes, be it of a case in the table or not.
    ///
    /// # Errors
    /// If it does not apply here, and why.
    pub fn build(
        circumstances: &'a Circumstances<'a>,
        id: CaseId,
        build: impl FnOnce(&mut Self),
    ) -> Result<Script, Unfit> {
        let replies = ReplyTemplate::new(circumstances.reply.map(str::to_owned));
        let script = Script::serving(replies);
        let mut maker = Self {
            draft: Draft::new(circumstances.profile, script, circumstances.seed, id),
            circumstances,
            tokens: 0,
            unanswered: 0,
            shows: false,
        };
        build(&mut maker);
        let is_seen = !maker.shows || maker.client().shows != Shows::Nothing;
        maker.need(
            is_seen,
            say!("the client shows nothing of the replies that it reads"),
        );
        maker.draft.finish()
    }

    /// What is known of the client.
    #[must_use]
    pub const fn client(&self) -> &'a ClientTraits {
        self.circumstances.client
    }

    // What applies.

    /// Only for clients that send a second request on the same connection.
    pub fn need_again(&mut self) {
        let met = self.client().again;
        self.need(met, say!("the client sends one request on a connection"));
    }

    /// Only where the client's process can be observed.
    pub fn need_process(&mut self) {
        let met = self.client().process;
        self.need(
            met,
            say!("what it takes is seen only in a client started by --exec"),
        );
    }

    /// Only for clients whose output is seen.
    pub fn need_output(&mut self) {
        let met = matches!(self.client().shows, Shows::AtOnce | Shows::AtEnd);
        self.need(met, say!("it is seen only in what a client prints"));
    }

    /// Only for clients that send what is typed.
    fn need_lines(&mut self) {
        let met = self.circumstances.input.is_some() && self.client().carries.is_some();
        self.need(met, say!("the client's requests do not hold what is typed"));
    }

    /// Only where what is typed becomes a request that a frame can hold.
    fn need_room_for(&mut self, typed: &str) {
        let Some(beyond) = self.client().carries else {
            return;
        };
        let octets = typed.len().saturating_add_signed(beyond);
        self.need_body_for(octets);
        let cut = beyond == 0 && self.ends_in_padding(typed.as_bytes());
        self.need(!cut, ends_in_pad());
    }

    /// Only where a frame can hold a payload of so many octets.
    fn need_body_for(&mut self, payload: usize) {
        let chunk = self.chunk();
        let body = payload.div_ceil(chunk).saturating_mul(chunk);
        let body = u64::try_from(body).unwrap_or(u64::MAX);
        if let Some(why) = self.craft().refuses(body) {
            self.skip(Text::whole(why));
        }
    }

    fn ends_in_padding(&self, payload: &[u8]) -> bool {
        self.profile().trims() && payload.last() == Some(&self.profile().pad())
    }

    // What the user does, and the client upon it.

    /// A text that occurs nowhere else.
    pub fn token(&mut self, kind: &str) -> String {
        self.tokens = self.tokens.saturating_add(1);
        format!("{kind}{}x{:04x}", self.tokens, self.salt())
    }

    /// A text that occurs nowhere else, of so many octets; no two stretches of it are alike.
    pub fn long_token(&mut self, kind: &str, octets: usize) -> String {
        self.need(octets <= MOST, too_large());
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

    /// The user types a plain line. Nothing where the client sends by itself.
    pub fn types(&mut self) {
        let text = self.token("line");
        self.type_line(text, None);
    }

    /// The user types a line with that text.
    pub fn types_text(&mut self, text: String) {
        self.need_lines();
        self.type_line(text, None);
    }

    /// The user types a line that becomes a payload of so many octets, or so many modulo the chunk if
    /// that is too few. What it really became is known when it has come.
    pub fn types_payload(&mut self, octets: usize) {
        self.need_lines();
        let typed = self.input_overhead();
        let beyond = typed.saturating_add_signed(self.client().carries.unwrap_or(0));
        let octets = self.at_least(octets, beyond.saturating_add(12));
        let text = self.long_token("line", octets.saturating_sub(beyond));
        self.type_line(text, Some(octets));
    }

    fn type_line(&mut self, text: String, payload: Option<usize>) {
        let Some(template) = self.circumstances.input else {
            return;
        };
        let line = filled(template, &text);
        self.need_room_for(&line);
        let text = if template.contains(HOLE) {
            text
        } else {
            String::new()
        };
        let typed = Typed {
            line,
            text,
            payload,
        };
        self.push(CONN, Action::Type(typed));
    }

    /// Octets of what is typed beyond the text.
    fn input_overhead(&self) -> usize {
        let input = self.circumstances.input;
        input.map_or(0, |input| filled(input, "").len())
    }

    /// So many octets, or as many chunks more as make it no fewer than `least`.
    fn at_least(&self, octets: usize, least: usize) -> usize {
        let missing = least.saturating_sub(octets);
        let chunk = self.chunk();
        octets.saturating_add(missing.div_ceil(chunk).saturating_mul(chunk))
    }

    /// The connection is made, whether or not anything is sent on it.
    pub fn connect(&mut self) {
        if self.script().connections() == 0 {
            self.push(CONN, Action::Open);
        }
    }

    /// Does something on the connection, once it is made.
    fn act(&mut self, action: Action) {
        self.connect();
        self.push(CONN, action);
    }

    /// Waits for the next request.
    pub fn request(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
        self.act(Action::Await);
    }

    /// The user types a plain line, and its request comes; unless one has come already.
    pub fn ask(&mut self) {
        if self.unanswered == 0 {
            self.types();
            self.request();
        }
    }

    /// The user types so many lines at once, and their requests come before any reply. Only for clients
    /// that send requests without waiting for replies.
    pub fn ask_ahead(&mut self, requests: usize) {
        let met = self.client().ahead;
        self.need(
            met,
            say!("the client sends no second request before it has the reply to the first"),
        );
        for _ in 0..requests {
            self.types();
        }
        for _ in 0..requests {
            self.request();
        }
    }

    // What the server does.

    /// The payload of a reply with that text.
    #[must_use]
    pub fn payload(&self, text: &str) -> Vec<u8> {
        self.script().replies().payload(self.profile(), text)
    }

    /// A text whose reply has a payload of so many octets, or so many modulo the chunk if that is too
    /// few.
    pub fn text_for_payload(&mut self, octets: usize) -> String {
        let beyond = self.payload("").len();
        let octets = self.at_least(octets, beyond.saturating_add(16));
        self.long_token("reply", octets.saturating_sub(beyond))
    }

    /// The frame of a reply whose text must be shown.
    pub fn reply(&mut self) -> Vec<u8> {
        let text = self.token("reply");
        self.reply_with(&text)
    }

    /// The frame of a reply with that text, which must be shown.
    pub fn reply_with(&mut self, text: &str) -> Vec<u8> {
        self.reply_padded(text, 0)
    }

    /// The frame of a reply whose text must be shown, with so many chunks of padding more than it needs.
    pub fn reply_padded(&mut self, text: &str, more_chunks: usize) -> Vec<u8> {
        self.shows = true;
        let payload = self.payload(text);
        let cut = self.ends_in_padding(&payload);
        self.need(!cut, ends_in_pad());
        self.frame_with(&payload, more_chunks)
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
            say!("the length does not count the padding, so there is never more than needed"),
        );
        self.need(payload.len() <= MOST, too_large());
        let more = more_chunks.saturating_mul(self.chunk());
        self.need_body_for(payload.len().saturating_add(more));
        self.craft().frame_with(payload, more_chunks)
    }

    /// A header that claims a body of so many octets, be it over the limit.
    pub fn header(&mut self, body: u64) -> Vec<u8> {
        let met = body <= self.craft().largest_body();
        self.need(met, say!("no header of this wire format can claim so much"));
        self.craft().header(body)
    }

    /// Sends octets that answer a request, cut at these offsets.
    pub fn send(&mut self, octets: &[u8], cuts: &[usize]) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.send_more(octets, cuts);
    }

    /// Sends octets that answer several requests, cut at these offsets.
    pub fn send_all(&mut self, octets: &[u8], cuts: &[usize]) {
        self.unanswered = 0;
        self.send_more(octets, cuts);
    }

    /// Sends the rest of a reply.
    pub fn send_more(&mut self, octets: &[u8], cuts: &[usize]) {
        let segments = cut(octets, cuts);
        if !segments.is_empty() {
            self.act(Action::Send(segments));
        }
    }

    /// Waits until what was sent is shown, in the way that the client has.
    pub fn shown(&mut self) {
        match self.client().shows {
            Shows::AtOnce => self.act(Action::Shown),
            Shows::NextRequest => self.ask(),
            Shows::AtEnd | Shows::Nothing => {}
        }
    }

    /// Sends a plain reply and waits until it is shown.
    pub fn answer(&mut self) {
        let frame = self.reply();
        self.send(&frame, &[]);
        self.shown();
    }

    /// The client may end the connection, and has time to do so.
    pub fn settle(&mut self) {
        self.act(Action::Settle);
    }

    /// It is seen whether something stands behind the last request.
    pub fn quiet(&mut self) {
        self.act(Action::Quiet);
    }

    /// The server ends its stream.
    pub fn fin(&mut self) {
        self.act(Action::Fin);
    }

    /// The client must end the connection or itself, by itself.
    pub fn must_end(&mut self) {
        self.act(Action::Await);
    }

    /// The client must end the connection or itself, at the latest when it wants to send.
    pub fn must_end_once_used(&mut self) {
        self.settle();
        self.types();
        self.must_end();
    }

    /// The server resets the connection, and the client must notice.
    pub fn reset(&mut self) {
        let met = self.client().process;
        self.need(
            met,
            say!("what follows upon a reset is seen only in a client started by --exec"),
        );
        self.act(Action::Rst);
        self.must_end_once_used();
    }
}
