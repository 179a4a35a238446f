//! What a connection begins with before its first frame, as the suite goes through it.
//!
//! Literal, and without the codec's code: octet after octet is compared with what the profile has there.

use crate::lang::{Hole, Text, say};
use crate::model::reader;
use crate::peer::clock::patiently;
use crate::profile::{Mark, Profile, Said, Speaker, Turn};
use crate::script::craft::Craft;
use crate::transport::Stream;
use std::io;
use std::time::Duration;

/// The most octets of a frame in a prologue.
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
    Ok(())
}

/// The octets that a turn is said with.
fn octets(profile: &Profile, turn: &Turn) -> Vec<u8> {
    match &turn.said {
        Said::Octets(octets) => octets.sent().to_vec(),
        Said::Frame => Craft::new(&profile.unmarked()).frame(&[]),
    }
}

async fn say(stream: &Stream, profile: &Profile, turn: &Turn) -> Result<(), NotBegun> {
    let octets = octets(profile, turn);
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        let taken = stream.write(rest).await;
        let taken = taken.map_err(|error| not_begun(turn, &[], ended(&error)))?;
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(())
}

async fn expect(
    stream: &Stream,
    profile: &Profile,
    turn: &Turn,
    limit: Duration,
) -> Result<(), NotBegun> {
    let mut came = Vec::new();
    while !is_whole(profile, turn, &came)? {
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
fn is_whole(profile: &Profile, turn: &Turn, came: &[u8]) -> Result<bool, NotBegun> {
    match &turn.said {
        Said::Octets(expected) if agree(expected, came) => Ok(came.len() == expected.len()),
        Said::Frame if came.len() <= MOST => {
            let reading = reader::read_with_limit(&profile.unmarked(), came, u128::MAX);
            match reading.ending {
                reader::Ending::Malformed { .. } => Err(not_begun(turn, came, Text::default())),
                _ => Ok(!reading.frames.is_empty()),
            }
        }
        _ => Err(not_begun(turn, came, Text::default())),
    }
}

fn agree(expected: &Mark, came: &[u8]) -> bool {
    let mut pairs = expected.octets().iter().zip(came);
    pairs.all(|(expected, octet)| expected.is_none_or(|expected| expected == *octet))
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
