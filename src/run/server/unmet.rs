//! Why there is no server to be played at, and what it did instead.

use crate::lang::{Hole, Text, say};
use crate::transcript::Exit;
use std::fmt;
use std::io;

/// Why a server cannot be played at, as it cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// The server as the user calls it.
    pub target: Text,
    /// What the system said.
    pub why: Text,
    /// Of what kind that is.
    pub kind: io::ErrorKind,
}

impl Hole for Unreachable {
    fn text(&self) -> Text {
        let Self { target, why, .. } = self;
        say!("cannot connect to {target}: {why}", target, why)
    }
}

/// In the language of the reader.
impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for Unreachable {}

/// Why there is nothing to be played at.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nobody is there.
    Unreachable(Unreachable),
    /// Somebody is, but does not answer a plain request as the profile says.
    NotServed(NotServed),
}

/// A server that does not answer a plain request.
#[derive(Debug)]
pub(in crate::run) struct NotServed {
    /// What it did instead.
    pub(in crate::run) what: Text,
    /// What may be the matter.
    pub(in crate::run) advice: Option<Text>,
}

impl NotServed {
    /// Its process has ended since, and had said that.
    pub(super) fn then_ended(&mut self, ended: Exit, said: &str) {
        let what = &self.what;
        self.what = match said.lines().next_back() {
            None => say!("{what}; then the server {ended}", what, ended),
            Some(last) => say!(
                "{what}; then the server {ended}, with the last words: {last}",
                what,
                ended,
                last
            ),
        };
    }
}
