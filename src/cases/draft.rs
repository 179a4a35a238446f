//! A script while it is being written: what the makers of both sides have in common.

use crate::lang::{Text, say};
use crate::model::{numbered, reader, summed};
use crate::profile::{Index, Payload, Profile};
use crate::script::craft::Craft;
use crate::script::draws::Draws;
use crate::script::index;
use crate::script::{Action, Conn, Script, StepError};
use crate::spec::CaseId;
use std::time::Duration;

/// Why a case has no script here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It does not apply, and why.
    Skipped(Text),
    /// It is wrong: a fault of the harness.
    Broken(StepError),
}

/// A script while it is being written, or the reason why there will be none.
#[derive(Debug)]
pub struct Draft<'a> {
    profile: &'a Profile,
    script: Script,
    unfit: Option<Unfit>,
    draws: Draws,
    salt: u16,
    /// Whether checksums stay as they were made, however wrong.
    leaves_checksums: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(profile: &'a Profile, script: Script, seed: u64, id: CaseId) -> Self {
        let mut draws = draws(seed, id);
        let salt = u16::try_from(draws.below(1 << 16)).unwrap_or_default();
        Self {
            profile,
            script,
            unfit: None,
            draws,
            salt,
            leaves_checksums: false,
        }
    }

    pub(super) fn finish(self) -> Result<Script, Unfit> {
        match self.unfit {
            Some(unfit) => Err(unfit),
            None if self.leaves_checksums => Ok(numbered(self.profile, self.script)),
            None => Ok(numbered(self.profile, summed(self.profile, self.script))),
        }
    }

    /// The wire format.
    #[must_use]
    pub const fn profile(&self) -> &'a Profile {
        self.profile
    }

    /// For frames as octets.
    #[must_use]
    pub const fn craft(&self) -> Craft<'a> {
        Craft::new(self.profile)
    }

    /// Octets of the header that a frame begins with.
    #[must_use]
    pub fn header_of(&self, frame: &[u8]) -> usize {
        reader::header_len(self.profile, frame)
    }

    /// Octets that bodies are padded to a multiple of.
    #[must_use]
    pub fn chunk(&self) -> usize {
        self.craft().chunk()
    }

    /// Octets between the beginnings of two chunks in a frame.
    #[must_use]
    pub fn chunk_and_index(&self) -> usize {
        let with_index = |index: Index| index::chunk(index).saturating_add(index.width());
        self.profile.index().map_or(self.chunk(), with_index)
    }

    /// Where the octet at that offset of its payload stands in a frame.
    #[must_use]
    pub fn place_in(&self, frame: &[u8], at: usize) -> usize {
        let within = index::place(self.profile, at);
        self.header_of(frame).saturating_add(within)
    }

    /// What has been written so far.
    #[must_use]
    pub const fn script(&self) -> &Script {
        &self.script
    }

    /// Whether it is known that there will be no script.
    #[must_use]
    pub const fn is_unfit(&self) -> bool {
        self.unfit.is_some()
    }

    /// What texts of this case have in them and those of no other.
    pub(super) const fn salt(&self) -> u16 {
        self.salt
    }

    /// A number below `end`, by chance.
    pub fn below(&mut self, end: usize) -> usize {
        self.draws.below(end)
    }

    /// The case does not apply, for that reason. The first reason counts.
    pub fn skip(&mut self, why: Text) {
        self.unfit.get_or_insert(Unfit::Skipped(why));
    }

    /// The case applies only if `fits`; else it is skipped for that reason.
    pub fn need(&mut self, fits: bool, why: Text) {
        if !fits {
            self.skip(why);
        }
    }

    /// The case sends payloads that no JSON reader takes.
    pub fn need_json(&mut self) {
        let json = self.profile.payload() == Payload::Json;
        self.need(json, say!("payloads of this profile are not JSON"));
    }

    /// The case needs padding.
    pub fn need_chunks(&mut self) {
        self.need(
            self.profile.chunk() > 1,
            say!("this profile has no padding"),
        );
    }

    /// Wrong checksums are meant. Anywhere else frames get their own in the end, whatever was done to them.
    pub(super) const fn leave_checksums(&mut self) {
        self.leaves_checksums = true;
    }

    /// Sends octets cut at these offsets, in rising order; offsets outside do not cut.
    pub fn send_cut(&mut self, conn: Conn, octets: &[u8], cuts: &[usize]) {
        let segments = cut(octets, cuts);
        if !segments.is_empty() {
            self.push(conn, Action::Send(segments));
        }
    }

    /// Does nothing for that long.
    pub fn pause_for(&mut self, time: Duration) {
        self.push(0, Action::Pause(time));
    }

    /// Notes what the peer's process holds.
    pub fn sample(&mut self, name: &str) {
        self.push(0, Action::Sample(name.to_owned()));
    }

    /// Adds a step. Once it is known that there will be no script, nothing more is done for it.
    pub fn push(&mut self, conn: Conn, action: Action) {
        if self.unfit.is_some() {
            return;
        }
        if let Err(error) = self.script.push(conn, action) {
            self.unfit.get_or_insert(Unfit::Broken(error));
        }
    }
}

/// The octets cut at these offsets, in rising order; those that lie outside cut nothing.
pub(super) fn cut(octets: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([octets.len()]) {
        match octets.get(start..end) {
            Some(segment) if !segment.is_empty() => {
                segments.push(segment.to_vec());
                start = end;
            }
            _ => {}
        }
    }
    segments
}

/// Each case has numbers of its own, so that adding one case changes no other.
fn draws(seed: u64, id: CaseId) -> Draws {
    let id = id.to_string();
    let mixed = id
        .bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |mixed, octet| {
            (mixed ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    Draws::new(mixed)
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
        assert!(cut(b"", &[1]).is_empty());
    }
}
