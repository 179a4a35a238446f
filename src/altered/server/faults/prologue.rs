//! What a connection begins with: read in pieces or not, compared or not, and what its end comes to.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::Body;
use crate::altered::sketch;
use crate::profile::{Draft, Profile, Said, Speaker, Turn};
use crate::spec::Clause;
use crate::wire::{Prologue, PrologueStep};
use std::io;
use std::sync::Arc;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("prologue-in-one-read", Clause::Prologue, "",
        "One read is taken for all that a client has to say in a turn of the prologue, and fewer octets for wrong ones.",
        Mend::by("One read is taken for the whole prologue", "Read until all octets of it are there; a read returns whatever has arrived.", sketch::PROLOGUE),
        |h| h.begin = |c| Box::pin(in_one_read(c))).needing(Need::Prologue),
    Fault::new("octets-behind-the-prologue-dropped", Clause::Prologue, "",
        "The prologue is read with whatever has come behind it, and that is dropped.",
        Mend::by("What comes with the prologue in one read is dropped", "Read no more than the prologue has, or keep the rest for the first frame.", sketch::PROLOGUE),
        |h| h.begin = |c| Box::pin(without_the_rest(c))).needing(Need::Prologue),
    Fault::new("prologue-not-compared", Clause::Prologue, "",
        "As many octets as the prologue has are read, and whatever they are, frames follow.",
        Mend::by("The prologue is read and not compared", "Compare all of its octets, and close where they are others.", sketch::PROLOGUE),
        |h| h.begin = |c| Box::pin(compared(c, |_| false))).needing(Need::Prologue),
    Fault::new("first-octet-of-the-prologue-compared", Clause::Prologue, "",
        "Of each turn of the prologue only the first octet is compared.",
        Mend::by("Only the first octet of the prologue is compared", "Compare all of its octets that are fixed.", sketch::PROLOGUE),
        |h| h.begin = |c| Box::pin(compared(c, |at| at == 0))).needing(Need::Prologue),
    Fault::new("prologue-passed-over", Clause::Prologue, "",
        "A client whose first octet is not that of the prologue is served as if it had said it.",
        Mend::by("A client that leaves out the prologue is served", "Read frames only behind the prologue.", sketch::PROLOGUE),
        |h| h.begin = |c| Box::pin(if_it_comes(c))).needing(Need::Prologue),
    Fault::new("prologue-taken-again", Clause::Prologue, "",
        "What the client begins with is passed over wherever a frame could begin.",
        Mend::by("The prologue is passed over behind frames too", "Look for the prologue once, when a client has connected.", sketch::PROLOGUE),
        |h| h.take = |c| Box::pin(behind_another(c))).needing(Need::Prologue),
    Fault::new("truncated-prologue-never-closed", Clause::Prologue, "",
        "A stream that ends inside the prologue ends the client's task and leaves its socket open.",
        Mend::by("A stream that ends inside the prologue leaves the socket open", "Close the socket on every way out, also before the first frame.", sketch::ALWAYS_CLOSE),
        |h| h.begin = |c| Box::pin(ended_by(c, |error| match is_end(&error) { true => End::Forgotten, false => End::Broken(error) }))).needing(Need::Prologue),
    Fault::new("wrong-prologue-never-closed", Clause::Prologue, "",
        "A prologue that is another ends the client's task and leaves its socket open.",
        Mend::by("A wrong prologue leaves the socket open", "Close the socket on every way out, also before the first frame.", sketch::ALWAYS_CLOSE),
        |h| h.begin = |c| Box::pin(ended_by(c, |error| match is_wrong(&error) { true => End::Forgotten, false => End::Broken(error) }))).needing(Need::Prologue),
    Fault::new("prologue-before-the-next-client", Clause::Prologue, "",
        "The prologue of a client is read before the next one is looked at.",
        Mend::by("The prologue is read in the loop that takes clients", "Read the prologue where the client is served, and not where it is accepted.", sketch::ISOLATE),
        |h| h.begin = |c| Box::pin(one_by_one(c))).needing(Need::Prologue),
    Fault::new("wrong-prologue-ends-the-server", Clause::Prologue, "",
        "A prologue that is another takes the whole server along.",
        Mend::by("A wrong prologue ends the whole server", "Catch the error where the client is served.", sketch::ISOLATE),
        |h| h.begin = |c| Box::pin(ended_by(c, |error| match is_wrong(&error) { true => End::Fatal, false => End::Broken(error) }))).needing(Need::Prologue),
    Fault::new("reset-in-the-prologue-ends-the-server", Clause::Prologue, "",
        "A connection that is reset inside the prologue takes the whole server along.",
        Mend::by("A reset inside the prologue ends the whole server", "Catch the errors of a connection where it is served, from its first octet on.", sketch::ISOLATE),
        |h| h.begin = |c| Box::pin(fatal_when_reset(c))).needing(Need::Prologue),
];

async fn in_one_read(c: &mut Client) -> Result<(), End> {
    let mut prologue = Prologue::new(c.profile(), Speaker::Server);
    loop {
        match prologue.step() {
            PrologueStep::Done => return Ok(()),
            PrologueStep::Send(octets) => c.send_all(&octets).await?,
            PrologueStep::Read(most) => {
                let mut octets = vec![0; most];
                let taken = c.stream.read(&mut octets).await?;
                let heard = prologue.handle_read(octets.get(..taken).unwrap_or_default());
                if taken < most || heard.is_err() {
                    return Err(End::Malformed);
                }
            }
        }
    }
}

/// Goes through a prologue with what is read in whole buffers; what is left of the last is dropped.
async fn without_the_rest(c: &mut Client) -> Result<(), End> {
    let mut prologue = Prologue::new(c.profile(), Speaker::Server);
    loop {
        match prologue.step() {
            PrologueStep::Done => break,
            PrologueStep::Send(octets) => c.send_all(&octets).await?,
            PrologueStep::Read(most) => {
                if c.inbox.is_empty() && c.fill(4096).await? == 0 {
                    return Err(End::Eof { inside: true });
                }
                let octets = c.inbox.split_to(most.min(c.inbox.len()));
                let heard = prologue.handle_read(&octets);
                heard.map_err(|_| End::Malformed)?;
            }
        }
    }
    c.inbox.clear();
    c.between_frames();
    Ok(())
}

/// Goes through the prologue, comparing of each turn of the client's the octets at these places.
async fn compared(c: &mut Client, keeps: fn(usize) -> bool) -> Result<(), End> {
    let loose = loosened(c.profile(), keeps).unwrap_or_else(|| c.profile().clone());
    c.stream
        .begin(Prologue::new(&loose, Speaker::Server))
        .await
        .map_err(End::Broken)
}

/// The format in which other octets of the client's turns may be anything.
fn loosened(profile: &Profile, keeps: fn(usize) -> bool) -> Option<Profile> {
    let turn = |turn: &Turn| match (&turn.speaker, &turn.said) {
        (Speaker::Client, Said::Octets(mark)) => {
            let octets = mark.octets().iter().enumerate();
            let octet = |(at, octet): (usize, &Option<u8>)| match octet {
                Some(octet) if keeps(at) => format!("{octet:02x}"),
                _ => "??".to_owned(),
            };
            let octets: Vec<String> = octets.map(octet).collect();
            format!("client {}", octets.join(" "))
        }
        _ => turn.to_string(),
    };
    let prologue = profile.prologue().iter().map(turn).collect();
    let draft = Draft::from(profile.clone());
    Profile::try_from(Draft { prologue, ..draft }).ok()
}

async fn if_it_comes(c: &mut Client) -> Result<(), End> {
    let mut prologue = Prologue::new(c.profile(), Speaker::Server);
    loop {
        match prologue.step() {
            PrologueStep::Done => break,
            PrologueStep::Send(octets) => c.send_all(&octets).await?,
            PrologueStep::Read(most) => {
                c.wait_for_more().await;
                let first = c.inbox.get(..1).unwrap_or_default();
                if prologue.clone().handle_read(first).is_err() {
                    break;
                }
                let octets = c.recv(most).await?;
                let heard = prologue.handle_read(&octets);
                if octets.is_empty() || heard.is_err() {
                    return Err(End::Malformed);
                }
            }
        }
    }
    c.between_frames();
    Ok(())
}

async fn behind_another(c: &mut Client) -> Result<Body, End> {
    c.wait_for_more().await;
    let turns = c.profile().prologue().iter();
    let own = turns.filter_map(|turn| match (&turn.speaker, &turn.said) {
        (Speaker::Client, Said::Octets(mark)) => Some(mark.sent().to_vec()),
        _ => None,
    });
    let own = own.collect::<Vec<_>>().concat();
    if !own.is_empty() && c.inbox.starts_with(&own) {
        drop(c.inbox.split_to(own.len()));
    }
    honest::take(c).await
}

async fn ended_by(c: &mut Client, end: fn(io::Error) -> End) -> Result<(), End> {
    match honest::begin(c).await {
        Err(End::Broken(error)) => Err(end(error)),
        begun => begun,
    }
}

/// Goes through the prologue; a reset behind the first octets that the client says of it is the end of all.
async fn fatal_when_reset(c: &mut Client) -> Result<(), End> {
    let mut prologue = Prologue::new(c.profile(), Speaker::Server);
    let mut has_said = false;
    loop {
        match prologue.step() {
            PrologueStep::Done => break,
            PrologueStep::Send(octets) => c.send_all(&octets).await?,
            PrologueStep::Read(most) => {
                let octets = match c.recv(most).await {
                    Err(End::Broken(_)) if has_said => return Err(End::Fatal),
                    octets => octets?,
                };
                let heard = prologue.handle_read(&octets);
                if octets.is_empty() || heard.is_err() {
                    return Err(End::Malformed);
                }
                has_said = true;
            }
        }
    }
    c.between_frames();
    Ok(())
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

fn is_wrong(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

async fn one_by_one(c: &mut Client) -> Result<(), End> {
    let shared = Arc::clone(&c.shared);
    let _turn = shared.lock.lock().await;
    honest::begin(c).await
}
