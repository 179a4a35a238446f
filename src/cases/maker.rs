//! What a case builds its script with.

mod requests;

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

/// The most octets of all frames that are made for a script: where a chunk is large, each is.
const MOST_IN_ALL: usize = 48 << 20;

/// How many octets at each end of a stretch are sent alone.
const ALONE: usize = 300;

/// Connections that share what takes one too long, at most.
const MOST_SHARING: usize = 8;

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
