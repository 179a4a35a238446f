//! What a connection begins with before its first frame, said and expected in turns.
//!
//! As incremental as the decoder, and as ignorant of sockets: it says what is to be sent or how much is to be
//! read next, and is told what came.

use super::{Decoder, Encoder};
use crate::profile::{Mark, Profile, Said, Speaker, Turn};
use bytes::{Bytes, BytesMut};
use std::fmt;

/// One side's way through the prologue of a connection.
///
/// ```
/// use framespec::profile::{Draft, Profile, Speaker};
/// use framespec::wire::{Prologue, PrologueStep};
///
/// let profile = Profile::try_from(Draft {
///     name: "asks-first".into(),
///     prologue: vec!["client 68 69".into(), "server 6f ??".into()],
///     ..Draft::default()
/// })?;
/// let mut client = Prologue::new(&profile, Speaker::Client);
/// assert_eq!(client.step(), PrologueStep::Send("hi".into()));
/// assert_eq!(client.step(), PrologueStep::Read(2));
/// assert!(client.clone().handle_read(b"no").is_err());
/// client.handle_read(b"ok")?;
/// assert_eq!(client.step(), PrologueStep::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Prologue {
    own: Speaker,
    turns: Vec<Turn>,
    /// How many turns are over.
    over: usize,
    /// What came of the turn that is the other side's.
    came: BytesMut,
    encoder: Encoder,
    /// That of the frame which is a whole reply.
    of_reply: Encoder,
    decoder: Decoder,
    /// The format, for what ends a reply.
    profile: Profile,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrologueStep {
    /// Send these octets.
    Send(Bytes),
    /// Read at most so many octets, and no more: what follows them may be a frame.
    Read(usize),
    /// Begin with frames.
    Done,
}

/// What came is not what the prologue has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrologueError {
    /// The turn, as a profile writes it.
    pub turn: String,
    /// What came.
    pub came: Vec<u8>,
}

impl fmt::Display for PrologueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the prologue has `{}`, and what came is", self.turn)?;
        self.came
            .iter()
            .try_for_each(|octet| write!(f, " {octet:02x}"))
    }
}

impl std::error::Error for PrologueError {}

impl Prologue {
    /// The way of one side, from the beginning.
    #[must_use]
    pub fn new(profile: &Profile, own: Speaker) -> Self {
        let frames = profile.unmarked();
        Self {
            own,
            turns: profile.prologue().to_vec(),
            over: 0,
            came: BytesMut::new(),
            encoder: Encoder::new(&frames),
            of_reply: Encoder::new(profile.of_last_frames().as_ref().unwrap_or(&frames)),
            decoder: Decoder::new(&frames),
            profile: profile.clone(),
        }
    }

    /// What is to be done next. Octets that are to be sent are told once.
    pub fn step(&mut self) -> PrologueStep {
        let Some(turn) = self.turns.get(self.over) else {
            return PrologueStep::Done;
        };
        let is_own = turn.speaker == self.own;
        match &turn.said {
            Said::Octets(octets) if is_own => {
                let octets = Bytes::copy_from_slice(octets.sent());
                self.next_turn();
                PrologueStep::Send(octets)
            }
            said @ (Said::Frame | Said::Reply) if is_own => {
                let mut octets = BytesMut::new();
                let encoder = match said {
                    Said::Reply => &self.of_reply,
                    _ => &self.encoder,
                };
                // Every format has a frame of nothing.
                let _ = encoder.encode(b"", &mut octets);
                self.next_turn();
                PrologueStep::Send(octets.freeze())
            }
            Said::Octets(octets) => {
                let missing = octets.len().saturating_sub(self.came.len());
                PrologueStep::Read(missing)
            }
            // Where a frame ends is known when it has come.
            Said::Frame | Said::Reply => PrologueStep::Read(1),
        }
    }

    /// Takes octets that came.
    ///
    /// # Errors
    /// If they are not what is to come.
    pub fn handle_read(&mut self, octets: &[u8]) -> Result<(), PrologueError> {
        self.came.extend_from_slice(octets);
        let Some(turn) = self.turns.get(self.over) else {
            return Err(self.wrong());
        };
        let is_whole = match &turn.said {
            Said::Octets(expected) if !begins(expected, &self.came) => return Err(self.wrong()),
            Said::Octets(expected) => self.came.len() >= expected.len(),
            said @ (Said::Frame | Said::Reply) => {
                let is_any = *said == Said::Frame;
                let frame = self.decoder.decode(&mut self.came);
                let frame = frame.map_err(|_| self.wrong())?;
                frame.is_some_and(|frame| is_any || self.profile.ends_reply(frame.header()))
            }
        };
        if is_whole {
            self.next_turn();
        }
        Ok(())
    }

    /// What is wrong if nothing more comes.
    #[must_use]
    pub fn wrong(&self) -> PrologueError {
        let turn = self.turns.get(self.over).map(Turn::to_string);
        PrologueError {
            turn: turn.unwrap_or_default(),
            came: self.came.to_vec(),
        }
    }

    fn next_turn(&mut self) {
        self.over = self.over.saturating_add(1);
        self.came.clear();
    }
}

/// Whether what is expected may begin so.
fn begins(expected: &Mark, came: &[u8]) -> bool {
    let mut pairs = expected.octets().iter().zip(came);
    came.len() <= expected.len()
        && pairs.all(|(expected, octet)| expected.is_none_or(|expected| expected == *octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Draft;

    fn profile(turns: &[&str]) -> Profile {
        Profile::try_from(Draft {
            name: "x".into(),
            before: "f5".into(),
            chunk: 1,
            prologue: turns.iter().map(|turn| (*turn).to_owned()).collect(),
            ..Draft::default()
        })
        .unwrap()
    }

    /// Both sides, each octet told by itself; what each has sent.
    fn both(profile: &Profile) -> [Vec<u8>; 2] {
        let mut sides = [Speaker::Server, Speaker::Client].map(|own| Prologue::new(profile, own));
        let mut sent = [Vec::new(), Vec::new()];
        loop {
            let mut is_done = true;
            for side in [0, 1] {
                match sides[side].step() {
                    PrologueStep::Send(octets) => {
                        sent[side].extend_from_slice(&octets);
                        for octet in octets {
                            assert!(matches!(sides[1 - side].step(), PrologueStep::Read(1..)));
                            sides[1 - side].handle_read(&[octet]).unwrap();
                        }
                        is_done = false;
                    }
                    PrologueStep::Read(_) => is_done = false,
                    PrologueStep::Done => {}
                }
            }
            if is_done {
                return sent;
            }
        }
    }

    #[test]
    fn both_sides_go_through_it_in_turns() {
        let profile = profile(&["server frame", "client 01 ??", "client 03", "server ff"]);
        let [server, client] = both(&profile);
        assert_eq!(server, [0, 0, 0, 0, 0, 0xff]);
        assert_eq!(client, [1, 0, 3]);
        assert_eq!(both(&Profile::tutorial()).concat(), b"");
    }

    #[test]
    fn a_frame_may_hold_and_be_marked_as_anything() {
        let mut client = Prologue::new(&profile(&["server frame"]), Speaker::Client);
        for octet in b"\x07\0\0\0\x02hi" {
            assert_eq!(client.step(), PrologueStep::Read(1));
            client.handle_read(&[*octet]).unwrap();
        }
        assert_eq!(client.step(), PrologueStep::Done);
    }

    #[test]
    fn a_frame_over_the_limit_is_wrong_at_its_header() {
        let mut client = Prologue::new(&profile(&["server frame"]), Speaker::Client);
        client.handle_read(b"\0\xff\xff\xff").unwrap();
        let error = client.handle_read(b"\xff").unwrap_err();
        let told = "the prologue has `server frame`, and what came is 00 ff ff ff ff";
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn the_first_wrong_octet_is_told_with_what_came() {
        let mut client = Prologue::new(&profile(&["server 20 02 ??"]), Speaker::Client);
        client.handle_read(b"\x20").unwrap();
        assert_eq!(client.step(), PrologueStep::Read(2));
        let error = client.handle_read(b"\x05").unwrap_err();
        let told = "the prologue has `server 20 02 ??`, and what came is 20 05";
        assert_eq!(error.to_string(), told);
    }
}
