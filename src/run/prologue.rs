//! What a connection begins with before its first frame, as the suite goes through it.
//!
//! Literal, and without the codec's code: octet after octet is compared with what the profile has there.

use crate::lang::{Hole, Text, say};
use crate::model::prologue::{heard, said};
use crate::peer::clock::patiently;
use crate::peer::drained::drained;
use crate::peer::unread::unread;
use crate::profile::{Profile, Said, Speaker, Turn};
use crate::transport::Stream;
use std::io;
use std::time::Duration;

/// The most octets of a turn of a prologue.
const MOST: usize = 64 << 10;

/// Why a connection did not get through the prologue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotBegun {
    turn: String,
    came: Vec<u8>,
    /// What came behind it.
    then: Text,
}

impl Hole for NotBegun {
    fn text(&self) -> Text {
        let pairs: Vec<String> = self
            .came
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let came = match pairs.as_slice() {
            [] => say!("nothing"),
            pairs => pairs.join(" ").into(),
        };
        let Self { turn, then, .. } = self;
        say!(
            "the prologue has `{turn}`, and what came is {came}{then}",
            turn,
            came,
            then
        )
    }
}

/// Goes through the prologue of a connection as one of its sides; each of the other's octets is waited for so long.
pub(super) async fn begin(
    stream: &Stream,
    profile: &Profile,
    own: Speaker,
    limit: Duration,
) -> Result<(), NotBegun> {
    for turn in profile.prologue() {
        if turn.speaker == own {
            say(stream, profile, turn).await?;
        } else {
            expect(stream, profile, turn, limit).await?;
        }
    }
    if profile
        .prologue()
        .last()
        .is_some_and(|turn| turn.speaker == own)
    {
        // What follows would come with the prologue, which only the cases about that ask for.
        drained(|| unread(stream)).await;
    }
    Ok(())
}

async fn say(stream: &Stream, profile: &Profile, turn: &Turn) -> Result<(), NotBegun> {
    let octets = said(profile, turn);
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        let taken = stream.write(rest).await;
        let taken = taken.map_err(|error| not_begun(turn, &[], ended(&error)))?;
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// Reads a turn of the other side's, and nothing of what follows it.
pub(super) async fn expect(
    stream: &Stream,
    profile: &Profile,
    turn: &Turn,
    limit: Duration,
) -> Result<(), NotBegun> {
    let (mut came, mut before) = (Vec::new(), 0_usize);
    while !is_whole(profile, turn, &came, before)? {
        if turn.said == Said::Reply && is_frame(profile, &came) {
            // One of the reply's that does not end it.
            before = before.saturating_add(came.len());
            came.clear();
        }
        let mut octet = [0];
        stream.acknowledge_at_once();
        match patiently(limit, stream.read(&mut octet)).await {
            None => return Err(not_begun(turn, &came, say!(", and no more in time"))),
            Some(Ok(0)) => {
                return Err(not_begun(turn, &came, say!(", then the end of the stream")));
            }
            Some(Ok(_)) => came.extend(octet),
            Some(Err(error)) => return Err(not_begun(turn, &came, ended(&error))),
        }
    }
    Ok(())
}

/// Whether these octets are all of a turn, as far as they are right.
fn is_whole(profile: &Profile, turn: &Turn, came: &[u8], before: usize) -> Result<bool, NotBegun> {
    let is_endless = before.saturating_add(came.len()) > MOST;
    match heard(profile, turn, came) {
        Ok(whole) if !is_endless => Ok(whole.is_some()),
        _ => Err(not_begun(turn, came, Text::default())),
    }
}

fn is_frame(profile: &Profile, came: &[u8]) -> bool {
    let frame = Turn {
        speaker: Speaker::Server,
        said: Said::Frame,
    };
    matches!(heard(profile, &frame, came), Ok(Some(_)))
}

fn not_begun(turn: &Turn, came: &[u8], then: Text) -> NotBegun {
    NotBegun {
        turn: turn.to_string(),
        came: came.get(..80).unwrap_or(came).to_vec(),
        then,
    }
}

fn ended(error: &io::Error) -> Text {
    match error.kind() {
        io::ErrorKind::BrokenPipe => say!(", then the end of the stream"),
        _ => say!(", then a reset"),
    }
}
