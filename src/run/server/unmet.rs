//! Why there is no server to be played at, and what it did instead.

use super::canary::{Canary, Trouble, Unasked, question, shown};
use crate::lang::{Hole, Text, say};
use crate::peer::door::Door;
use crate::profile::Profile;
use crate::transcript::Exit;
use std::fmt;
use std::io;
use std::time::Duration;

/// How long a server may take to say what it says before anything is asked.
const GREETS: Duration = Duration::from_millis(300);

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

/// Finds out what a server does that does not answer, and why that may be.
pub(super) async fn not_served(
    door: &Door,
    profile: &Profile,
    limit: Duration,
    trouble: &Trouble,
) -> NotServed {
    let greeting = unasked(door, profile, limit).await;
    let speaks_first = matches!(greeting, Some(Unasked::Said(_)));
    let (what, mut advice) = match (trouble, greeting) {
        (_, Some(Unasked::Ended)) => (
            say!("the server ends connections before anything is asked on them"),
            Some(say!(
                "does what serves a client wait for its first request, or return at once?"
            )),
        ),
        (_, Some(Unasked::Said(octets))) => (
            say!(
                "the server sends octets before anything is asked: {shown}",
                shown = shown(&octets)
            ),
            Some(say!(
                "is this the right port? A client of this protocol speaks first; a greeting that is meant is a prologue of the profile"
            )),
        ),
        (Trouble::Mute(after), None) if door.is_of_datagrams() => (
            say!(
                "nothing comes back within {after} of a plain request",
                after = format!("{after:?}")
            ),
            Some(say!(
                "does anybody listen there? Over UDP that is not always told"
            )),
        ),
        (Trouble::Mute(after), None) => (
            say!(
                "the server takes connections, but sends nothing within {after} of a plain request",
                after = format!("{after:?}")
            ),
            None,
        ),
        (Trouble::Fin | Trouble::Rst, None) => (
            say!(
                "a connection that asked something plain {trouble} without a reply",
                trouble
            ),
            None,
        ),
        (Trouble::Garbage(what), None) => (
            say!("what the server sends is no reply frame ({what})", what),
            None,
        ),
        (trouble, None) => (
            say!("a connection that asked something plain {trouble}", trouble),
            None,
        ),
    };
    if let Some(other) = spoken_instead(door, profile, speaks_first).await {
        advice = Some(say!(
            "it does answer requests of the profile `{other}`: try --profile {other}",
            other
        ));
    }
    NotServed { what, advice }
}

/// What the server does on a new connection before anything is asked, if it does something soon.
pub(super) async fn unasked(door: &Door, profile: &Profile, limit: Duration) -> Option<Unasked> {
    let mut canary = Canary::connect(door, profile, limit).await.ok()?;
    canary.unasked(GREETS).await
}

/// Another built-in profile that the server answers in. What it says first must not be taken for an answer, so a server
/// that speaks first is asked only in those that have a prologue.
async fn spoken_instead(
    door: &Door,
    profile: &Profile,
    speaks_first: bool,
) -> Option<&'static str> {
    let limit = Duration::from_secs(1);
    let may_be = |other: &Profile| {
        other.name() != profile.name() && !(speaks_first && other.prologue().is_empty())
    };
    for name in Profile::BUILT_IN {
        let Some(other) = Profile::built_in(name).filter(may_be) else {
            continue;
        };
        let Ok(mut canary) = Canary::connect(door, &other, limit).await else {
            continue;
        };
        let (_, frame) = question(&other);
        if let Ok(reply) = canary.ask(&frame, limit).await
            && std::str::from_utf8(&reply).is_ok()
        {
            return Some(name);
        }
    }
    None
}
