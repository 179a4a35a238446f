//! Requests: as many as are needed, each unlike any other, and as large as they have to be.

use super::Maker;
use crate::judge::ReplyRule;
use crate::lang::say;
use crate::profile::Payload;

/// The largest payload that is made, in octets.
const MOST: usize = 20 << 20;

/// Octets of a payload whose length is a varint of two octets, and fits into one that is binary.
const LONGER_THAN_A_LENGTH_OF_ONE_OCTET: usize = 200;

/// An octet that stands in no text.
const NO_TEXT: u8 = 0xff;

/// The most octets of a body in front of the place that is called inside it.
const MOST_OF_A_BODY: usize = 11;

/// Octets of the shortest request text.
const TOKEN_LEN: usize = 10;

impl Maker<'_> {
    /// The frame of a request unlike any other.
    pub fn request(&mut self) -> Vec<u8> {
        self.request_with("")
    }

    /// Octets of the header of [`request`](Self::request)'s frame.
    #[must_use]
    pub fn header_len(&self) -> usize {
        let payload = self.craft().payload(&"m".repeat(TOKEN_LEN));
        self.header_of(&self.craft().frame(&payload))
    }

    /// A request, larger than it need be where its header were a single octet otherwise.
    pub fn request_with_a_header_to_cut(&mut self) -> Vec<u8> {
        match self.header_len() {
            1 => self.request_of(LONGER_THAN_A_LENGTH_OF_ONE_OCTET),
            _ => self.request(),
        }
    }

    /// Octets of [`request`](Self::request)'s frame up to a place inside its body, whatever that is padded to.
    #[must_use]
    pub fn inside_a_body(&self) -> usize {
        let part = self.shortest().saturating_sub(1).min(MOST_OF_A_BODY);
        self.header_len().saturating_add(part)
    }

    /// The frame of a request whose text ends so.
    pub fn request_with(&mut self, text: &str) -> Vec<u8> {
        let payload = self.payload_with(text);
        self.frame(&payload)
    }

    /// The payload of a request whose text ends so.
    pub fn payload_with(&mut self, text: &str) -> Vec<u8> {
        let text = [self.token().as_str(), text].concat();
        self.craft().payload(&text)
    }

    /// The frame of a request whose payload is so many octets; of the shortest if that is too few.
    pub fn request_of(&mut self, octets: usize) -> Vec<u8> {
        let payload = self.payload_of(octets);
        self.frame(&payload)
    }

    /// The frame of a request that fills so many chunks to the last octet.
    pub fn request_of_chunks(&mut self, chunks: usize) -> Vec<u8> {
        let octets = chunks.saturating_mul(self.chunk());
        let shortest = self
            .shortest()
            .div_ceil(self.chunk())
            .saturating_mul(self.chunk());
        self.request_of(octets.max(shortest))
    }

    /// The frame of a request that fills so many chunks with as little text as can be, so that a
    /// server can answer it within its own limit whatever it says: the rest is white space where that
    /// means nothing.
    pub fn spacious_request(&mut self, chunks: usize) -> Vec<u8> {
        if self.profile().payload() != Payload::Json || self.is_unfit() {
            return self.nothing_to_wrap(chunks);
        }
        let octets = chunks.saturating_mul(self.chunk());
        self.need(
            octets <= MOST,
            say!("it would send larger bodies than a script may"),
        );
        let mut payload = self.payload_with("");
        payload.resize(octets.min(MOST).max(payload.len()), b' ');
        self.frame(&payload)
    }

    /// A request of so many chunks. Where a reply has the request's text and more around it, that may be too large for a
    /// frame: there the payload has no text that could be asked for, so that any reply will do.
    fn nothing_to_wrap(&mut self, chunks: usize) -> Vec<u8> {
        let octets = chunks.saturating_mul(self.chunk());
        let wraps = matches!(self.circumstances.rule, ReplyRule::Token(_));
        let is_free =
            self.profile().payload() == Payload::Opaque && self.profile().request().is_none();
        if !wraps || !is_free || octets > MOST || self.is_unfit() {
            return self.request_of_chunks(chunks);
        }
        self.frame(&vec![NO_TEXT; octets])
    }

    /// The payload of a request, so many octets long.
    pub fn payload_of(&mut self, octets: usize) -> Vec<u8> {
        self.need(
            octets <= MOST,
            say!("it would send larger bodies than a script may"),
        );
        let octets = if self.is_unfit() { 0 } else { octets };
        let fill = octets.saturating_sub(self.shortest());
        self.payload_with(&filler(fill))
    }

    /// Payloads of requests, so many octets long each, the others of which differ from the first in nothing but a
    /// word: in the middle of the text, or at its end.
    pub fn payloads_alike(&mut self, octets: usize) -> Vec<Vec<u8>> {
        let fill = octets.saturating_sub(self.shortest());
        let text = self.token() + &filler(fill);
        let ends = [text.len() / 2, text.len()];
        let others = ends.map(|end| with_word_before(&text, end));
        let texts = [&[text.as_str()], &others.each_ref().map(String::as_str)[..]].concat();
        texts
            .into_iter()
            .map(|text| self.craft().payload(text))
            .collect()
    }

    /// Octets of the shortest payload that a request can have.
    #[must_use]
    pub fn shortest(&self) -> usize {
        self.craft().payload("").len().saturating_add(TOKEN_LEN)
    }

    pub(in crate::cases) fn token(&mut self) -> String {
        let replies = *self.circumstances.rule != ReplyRule::None || self.bears_silence;
        self.need(replies, say!("the server sends no replies"));
        self.requests = self.requests.saturating_add(1);
        format!("m{:04x}{:05}", self.salt(), self.requests)
    }
}

/// A text as long as this one with another word in it, which ends there.
fn with_word_before(text: &str, end: usize) -> String {
    const WORD: &str = "0123";
    let start = end.saturating_sub(WORD.len());
    let (head, tail) = (text.get(..start), text.get(end..));
    [head.unwrap_or_default(), WORD, tail.unwrap_or_default()].concat()
}

/// Text of so many octets that begins with a space: words, and behind them blocks of one letter each,
/// so that a long text is short as a script and shows all the same where a part of it is missing.
fn filler(octets: usize) -> String {
    const WORDS: &str = " lorem ipsum dolor sit amet";
    const WORDED: usize = 200;
    const BLOCK: usize = 500;
    let mut text = WORDS.repeat(WORDED.div_ceil(WORDS.len()));
    text.truncate(WORDED);
    let blocks = ('a'..='z')
        .cycle()
        .map(|letter| String::from(letter).repeat(BLOCK));
    text.extend(blocks.take(octets.saturating_sub(WORDED).div_ceil(BLOCK)));
    text.truncate(octets);
    text
}
