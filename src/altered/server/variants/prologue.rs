//! What a server may make of a client that does not begin as it should.

use super::super::client::{Client, Variant};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Need;
use crate::profile::{Said, Speaker};
use crate::wire::{Prologue, PrologueStep};
use serde_json::json;
use std::io;

pub(in super::super) const VARIANTS: &[Variant] = &[
    Variant::new(
        "explains-a-wrong-prologue",
        "A prologue that is another gets an error frame, and then the connection is closed.",
        |h| h.begin = |c| Box::pin(explaining(c)),
    )
    .only_in(Need::Prologue),
    Variant::new(
        "resets-at-a-wrong-prologue",
        "A prologue that is another, or breaks off, gets the connection reset.",
        |h| h.begin = |c| Box::pin(resetting(c)),
    )
    .only_in(Need::Prologue),
    Variant::new(
        "answers-a-wrong-prologue-by-its-own",
        "A prologue that is another is answered by all that the server says in the right one, and then the connection is closed.",
        |h| h.begin = |c| Box::pin(saying_its_own(c)),
    )
    .only_in(Need::Prologue),
    Variant::new(
        "reads-a-turn-of-the-prologue-whole",
        "What a client says in a turn of the prologue is compared once all of it is there.",
        |h| h.begin = |c| Box::pin(turn_by_turn(c)),
    )
    .only_in(Need::Prologue),
    Variant::new(
        "reads-on-behind-a-wrong-prologue",
        "A client that begins otherwise is read to the end of its stream, without a word, and then closed upon.",
        |h| h.begin = |c| Box::pin(reading_on(c)),
    )
    .warned()
    .only_in(Need::Prologue),
];

/// Whether a prologue came to that end because it is another.
fn is_wrong(end: &End) -> bool {
    matches!(end, End::Broken(error) if error.kind() == io::ErrorKind::InvalidData)
}

async fn explaining(c: &mut Client) -> Result<(), End> {
    let begun = honest::begin(c).await;
    if let Err(end) = &begun
        && is_wrong(end)
    {
        let excuse = json!({ "error": "that is not how a client begins" });
        honest::say(c, excuse.into()).await?;
        return Err(End::Asked);
    }
    begun
}

async fn resetting(c: &mut Client) -> Result<(), End> {
    let begun = honest::begin(c).await;
    if begun.is_err() {
        c.reset_at_close();
    }
    begun
}

async fn saying_its_own(c: &mut Client) -> Result<(), End> {
    let begun = honest::begin(c).await;
    if let Err(end) = &begun
        && is_wrong(end)
    {
        let turns = c.profile().prologue().iter();
        let own = turns.filter_map(|turn| match (&turn.speaker, &turn.said) {
            (Speaker::Server, Said::Octets(mark)) => Some(mark.sent().to_vec()),
            _ => None,
        });
        let own: Vec<Vec<u8>> = own.collect();
        c.send_all(&own.concat()).await?;
        return Err(End::Asked);
    }
    begun
}

async fn turn_by_turn(c: &mut Client) -> Result<(), End> {
    let mut prologue = Prologue::new(c.profile(), Speaker::Server);
    loop {
        match prologue.step() {
            PrologueStep::Done => break,
            PrologueStep::Send(octets) => c.send_all(&octets).await?,
            PrologueStep::Read(most) => {
                let octets = c.collect(most).await?;
                let heard = prologue.handle_read(&octets);
                if octets.len() < most {
                    return Err(End::Eof { inside: true });
                }
                heard.map_err(|_| End::Malformed)?;
            }
        }
    }
    c.between_frames();
    Ok(())
}

async fn reading_on(c: &mut Client) -> Result<(), End> {
    let begun = honest::begin(c).await;
    if let Err(end) = &begun
        && is_wrong(end)
    {
        while !c.recv(4096).await?.is_empty() {}
        return Err(End::Eof { inside: true });
    }
    begun
}
