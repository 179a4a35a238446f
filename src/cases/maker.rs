//! What a case builds its script with.

use super::draft::{Draft, Unfit};
use crate::judge::ReplyRule;
use crate::lang::{Text, say};
use crate::model::one_frame;
use crate::profile::{Carriage, Payload, Profile};
use crate::script::{Action, Conn, Script};
use crate::spec::CaseId;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// What a script depends on besides its case.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The wire format.
    pub profile: &'a Profile,
    /// How replies relate to requests.
    pub rule: &'a ReplyRule,
    /// What all that chance chooses is made from.
    pub seed: u64,
    /// Whether slow cases were asked for.
    pub slow: bool,
    /// Whether the server's process can be observed, or why not.
    pub process: Result<(), Text>,
    /// Whether that process does nothing while nobody asks for anything.
    pub rests: bool,
    /// Whether the server serves several clients at once.
    pub concurrent: bool,
    /// How many replies in turn there is time for.
    pub in_turn: usize,
    /// Why a client cannot reset a connection, if it cannot.
    pub no_reset: Option<Text>,
    /// Whether readings of the process have roused a suspicion that is now to be gone into.
    pub closer: bool,
}

impl<'a> Circumstances<'a> {
    /// Those in which every case that the profile has room for has a script.
    #[must_use]
    pub const fn best(profile: &'a Profile, rule: &'a ReplyRule) -> Self {
        Self {
            profile,
            rule,
            seed: 1,
            slow: true,
            process: Ok(()),
            rests: true,
            no_reset: None,
            closer: false,
            concurrent: true,
            in_turn: usize::MAX,
        }
    }
}

/// Builds a script, and gives it requests that can be told apart.
#[derive(Debug)]
pub struct Maker<'a> {
    draft: Draft<'a>,
    circumstances: &'a Circumstances<'a>,
    requests: u32,
    /// Whether the case is one for servers too that answer nothing.
    bears_silence: bool,
    /// Whether the case is about datagrams, so that it knows what it puts into them.
    is_about_datagrams: bool,
    /// Octets of the frames that were made.
    made: usize,
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

/// Why a process is not observed of which nothing was said.
pub fn unknown_process() -> Text {
    say!("the server's process is not known: give --pid or --exec")
}

/// The largest payload that is made, in octets.
const MOST: usize = 20 << 20;

/// The most octets of all frames that are made for a script: where a chunk is large, each is.
const MOST_IN_ALL: usize = 48 << 20;

/// How many octets at each end of a stretch are sent alone.
const ALONE: usize = 300;

/// Connections that share what takes one too long, at most.
const MOST_SHARING: usize = 8;

/// Octets of a payload whose length is a varint of two octets, and fits into one that is binary.
const LONGER_THAN_A_LENGTH_OF_ONE_OCTET: usize = 200;

/// An octet that stands in no text.
const NO_TEXT: u8 = 0xff;

/// The most octets of a body in front of the place that is called inside it.
const MOST_OF_A_BODY: usize = 11;

/// Octets of the shortest request text.
const TOKEN_LEN: usize = 10;

impl<'a> Maker<'a> {
    /// The script that `build` makes.
    pub(super) fn build(
        circumstances: &'a Circumstances<'a>,
        id: CaseId,
        build: fn(&mut Maker<'_>),
    ) -> Result<Script, Unfit> {
        let (profile, seed) = (circumstances.profile, circumstances.seed);
        let mut maker = Self {
            draft: Draft::new(profile, Script::new(), seed, id),
            circumstances,
            requests: 0,
            bears_silence: false,
            is_about_datagrams: false,
            made: 0,
        };
        build(&mut maker);
        maker.keep_to_datagrams();
        maker.draft.finish()
    }

    // What applies.

    /// The case tells replies apart by the text in them.
    pub fn need_text(&mut self) {
        let has_text = matches!(
            self.circumstances.rule,
            ReplyRule::Echo | ReplyRule::Token(_)
        );
        self.need(
            has_text,
            say!("replies do not hold the text of their request"),
        );
    }

    /// The case applies also where requests get no replies: then nothing may come at all.
    pub fn bear_silence(&mut self) {
        self.bears_silence = true;
    }

    /// The case is about datagrams.
    pub fn need_datagrams(&mut self) {
        self.is_about_datagrams = true;
        let met = self.profile().carriage().is_datagrams();
        self.need(met, say!("a stream has no datagrams"));
    }

    /// Of the other cases those have a place where frames are carried by datagrams that send whole frames, one by one, and
    /// end nothing: what they ask holds there too.
    fn keep_to_datagrams(&mut self) {
        if !self.profile().carriage().is_datagrams() {
            return;
        }
        let profile = self.profile();
        let fits = self.is_about_datagrams
            || self.script().steps().iter().all(|step| match &step.action {
                Action::Send(segments) => is_one_frame(profile, segments),
                Action::Fin | Action::Rst | Action::Stall | Action::Resume => false,
                _ => true,
            });
        self.need(fits, say!("a datagram has no stream"));
        let is_small = self.script().steps().iter().all(|step| match &step.action {
            Action::Send(segments) => segments
                .iter()
                .all(|one| one.len() <= Carriage::MOST_IN_DATAGRAM),
            _ => true,
        });
        self.need(
            is_small,
            say!("no datagram carries a frame as large as it needs"),
        );
    }

    /// The case sends JSON of its own making.
    pub fn need_free_json(&mut self) {
        let json = self.profile().payload() == Payload::Json;
        self.need(json, say!("payloads of this profile are not JSON"));
        let free = self.profile().request().is_none();
        self.need(
            free,
            say!("the server takes only requests made from the profile's template"),
        );
    }

    /// The case needs body lengths that are no whole number of chunks.
    pub fn need_odd_lengths(&mut self) {
        let profile = self.profile();
        let odd = profile.chunk() > 1
            && profile.unit() == crate::profile::Unit::Octets
            && profile.covers(crate::profile::Region::Padding);
        self.need(
            odd,
            say!("a header of this profile cannot claim a part of a chunk"),
        );
    }

    /// The case needs bodies of so many octets.
    pub fn need_body(&mut self, octets: u64) {
        let fits = self.craft().largest_body() >= octets;
        self.need(fits, say!("the length field cannot express such a body"));
        let limit = self.profile().declared_max_body();
        let taken = limit.is_none_or(|limit| limit >= octets);
        self.need(taken, say!("such a body is over the declared limit"));
    }

    /// The case makes frames of so many octets more.
    pub fn need_room(&mut self, octets: usize) {
        let fits = self.made.saturating_add(octets) <= MOST_IN_ALL;
        self.need(fits, say!("it would send more than a script may"));
    }

    /// The case needs several clients at once.
    pub fn need_concurrency(&mut self) {
        let met = self.circumstances.concurrent;
        self.need(met, say!("the server serves one client at a time"));
    }

    /// The case looks at the server's process.
    pub fn need_process(&mut self) {
        if let Err(why) = &self.circumstances.process {
            self.skip(why.clone());
        }
    }

    /// The case needs a process that does nothing while nobody asks for anything.
    pub fn need_rest(&mut self) {
        let met = self.circumstances.rests;
        self.need(
            met,
            say!("the server's process was busy before the first client came"),
        );
    }

    /// Whether a suspicion is to be gone into.
    #[must_use]
    pub fn looks_closer(&self) -> bool {
        self.circumstances.closer
    }

    /// How many of so many things that take a reply's time each, one after the other, there is time for: at a slow
    /// server fewer, and never less than still show what the case is there for.
    #[must_use]
    pub fn times(&self, most: usize, least: usize) -> usize {
        self.circumstances.in_turn.clamp(least.min(most), most)
    }

    /// Connections that share so many requests: one, where there is time for as many replies in turn.
    pub fn shared(&mut self, requests: usize) -> Vec<Conn> {
        let in_turn = self.circumstances.in_turn.max(1);
        let connections = requests.div_ceil(in_turn).clamp(1, MOST_SHARING);
        self.at_once(connections)
    }

    /// So many clients come, some of them at the same time, and `each` is what such a few do.
    pub fn come_and_go(
        &mut self,
        clients: usize,
        at_once: usize,
        mut each: impl FnMut(&mut Self, &[Conn]),
    ) {
        let mut left = clients;
        while left > 0 {
            let few = self.at_once(at_once.min(left));
            left = left.saturating_sub(few.len());
            each(self, &few);
        }
    }

    /// So many clients that are there at the same time; one where the server serves one at a time.
    fn at_once(&mut self, clients: usize) -> Vec<Conn> {
        let most = if self.circumstances.concurrent {
            clients
        } else {
            1
        };
        (0..most).map(|_| self.open()).collect()
    }

    /// Sends a request on each of them, and then waits for the replies.
    pub fn ask_all(&mut self, clients: &[Conn]) {
        for client in clients {
            let request = self.request();
            self.send(*client, &request);
        }
        self.wait_for_all(clients);
    }

    /// Waits for all that is owed to each of them.
    pub fn wait_for_all(&mut self, clients: &[Conn]) {
        for client in clients {
            self.wait(*client);
        }
    }

    /// The case takes long.
    pub fn need_slow(&mut self) {
        let met = self.circumstances.slow;
        self.need(met, say!("takes long: give --slow"));
    }

    // What is done.

    /// Opens one more connection.
    pub fn open(&mut self) -> Conn {
        let conn = self.script().connections();
        self.push(conn, Action::Open);
        conn
    }

    /// Sends octets as one segment.
    pub fn send(&mut self, conn: Conn, octets: &[u8]) {
        self.send_cut(conn, octets, &[]);
    }

    /// Sends each octet as a segment of its own; of long stretches, those at both ends.
    pub fn send_octets(&mut self, conn: Conn, octets: &[u8]) {
        let late = octets.len().saturating_sub(ALONE);
        let cuts: Vec<usize> = (1..octets.len())
            .filter(|cut| *cut <= ALONE || *cut >= late)
            .collect();
        self.send_cut(conn, octets, &cuts);
    }

    /// Sends a datagram without an octet.
    pub fn send_empty(&mut self, conn: Conn) {
        self.push(conn, Action::SendEmpty);
    }

    /// Sends a datagram, and then waits for a reply to it or for silence, and for the reply to a request behind it.
    pub fn send_between_requests(&mut self, conn: Conn, datagram: &[u8]) {
        match datagram {
            [] => self.send_empty(conn),
            octets => self.send(conn, octets),
        }
        self.wait(conn);
        self.ask(conn);
    }

    /// Waits for all that is owed.
    pub fn wait(&mut self, conn: Conn) {
        self.push(conn, Action::Await);
    }

    /// Makes sure that the server keeps silent.
    pub fn quiet(&mut self, conn: Conn) {
        self.push(conn, Action::Quiet);
    }

    /// Sends a request in one segment and waits for its reply.
    pub fn ask(&mut self, conn: Conn) {
        let request = self.request();
        self.send(conn, &request);
        self.wait(conn);
    }

    /// Ends the stream.
    pub fn fin(&mut self, conn: Conn) {
        self.push(conn, Action::Fin);
    }

    /// Ends the stream and waits for the server to do so too.
    pub fn leave(&mut self, conn: Conn) {
        self.fin(conn);
        self.wait(conn);
    }

    /// Is done with a connection, where the case is not about its end: leaves it open, unless the
    /// server serves one client at a time and could not serve the next one then.
    pub fn done_with(&mut self, conn: Conn) {
        if !self.circumstances.concurrent && !self.profile().carriage().is_datagrams() {
            self.leave(conn);
        }
    }

    /// Resets the connection.
    pub fn rst(&mut self, conn: Conn) {
        if let Some(why) = &self.circumstances.no_reset
            && !self.profile().carriage().is_datagrams()
        {
            self.skip(why.clone());
        }
        self.push(conn, Action::Rst);
    }

    /// Stops reading.
    pub fn stall(&mut self, conn: Conn) {
        self.push(conn, Action::Stall);
    }

    /// Reads again.
    pub fn resume(&mut self, conn: Conn) {
        self.push(conn, Action::Resume);
    }

    /// Does nothing for so many milliseconds.
    pub fn pause(&mut self, millis: u64) {
        self.pause_for(Duration::from_millis(millis));
    }

    // What is sent.

    /// The frame of a payload.
    pub fn frame(&mut self, payload: &[u8]) -> Vec<u8> {
        self.frame_with(payload, 0)
    }

    /// The frame of a payload, with that many chunks of padding more than it needs.
    pub fn frame_with(&mut self, payload: &[u8], more_chunks: usize) -> Vec<u8> {
        if self.is_unfit() {
            return Vec::new();
        }
        let frame = self.craft().frame_with(payload, more_chunks);
        self.made = self.made.saturating_add(frame.len());
        self.need_room(0);
        let chunks = payload.len().div_ceil(self.chunk());
        let body = chunks
            .saturating_add(more_chunks)
            .saturating_mul(self.chunk());
        let body = u64::try_from(body).unwrap_or(u64::MAX);
        let expressible = body <= self.craft().largest_body();
        self.need(
            expressible,
            say!("the length field cannot express the bodies it needs"),
        );
        let allowed = self
            .profile()
            .declared_max_body()
            .is_none_or(|limit| body <= limit);
        self.need(
            allowed,
            say!("it needs larger bodies than the declared limit allows"),
        );
        frame
    }

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

    pub(super) fn token(&mut self) -> String {
        let replies = *self.circumstances.rule != ReplyRule::None || self.bears_silence;
        self.need(replies, say!("the server sends no replies"));
        self.requests = self.requests.saturating_add(1);
        format!("m{:04x}{:05}", self.salt(), self.requests)
    }
}

/// Whether what is sent is one frame, in one piece.
fn is_one_frame(profile: &Profile, segments: &[Vec<u8>]) -> bool {
    match segments {
        [segment] => one_frame(profile, segment, u128::MAX).is_ok(),
        _ => false,
    }
}

/// So many octets of a frame, and the rest; neither part is empty if the frame has two octets.
pub(super) fn parted(frame: &[u8], octets: usize) -> (&[u8], &[u8]) {
    let most = frame.len().saturating_sub(1);
    frame
        .split_at_checked(octets.clamp(1, most.max(1)))
        .unwrap_or((frame, &[]))
}

/// On a connection of its own, octets that end in a frame which is malformed, and a request behind them.
pub(super) fn refused(s: &mut Maker<'_>, wrong: impl FnOnce(&mut Maker<'_>) -> Vec<u8>) {
    let a = s.open();
    let mut octets = wrong(s);
    octets.extend(s.request());
    s.send(a, &octets);
    s.wait(a);
    s.done_with(a);
}

/// More requests than all buffers between a server and a client that does not read take replies to. They
/// are cut into segments, so that the server is given time to read each of them.
pub(super) fn flood(s: &mut Maker<'_>, conn: Conn) {
    const SEGMENTS: usize = 75;
    let (mut octets, mut cuts) = (Vec::new(), Vec::new());
    for _ in 0..SEGMENTS {
        for _ in 0..2 {
            octets.extend(s.request_of(32_000));
        }
        cuts.push(octets.len());
    }
    s.send_cut(conn, &octets, &cuts);
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
