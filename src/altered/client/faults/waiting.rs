//! How clients wait: not long enough, or with the processor.

use super::super::half::{Fault, Half, is_timeout};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Mend;
use crate::altered::frame;
use crate::altered::sketch;
use crate::spec::Clause;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("reply-timeout-of-200-ms", Clause::ClientPatience, "",
        "A reply that has not begun 200 ms after its request is not waited for any more.",
        Mend::by("A reply that takes longer than 200 ms is given up", "Wait for a reply for many seconds.", sketch::FRAME_DEADLINE),
        |h| h.header = soon_or_never),
    Fault::new("timeout-of-100-ms-inside-a-reply", Clause::ClientPatience, "beast#2015",
        "A reply in which nothing comes for 100 ms is given up.",
        Mend::by("A pause of 100 ms inside a reply ends the connection", "Let a reply take many seconds from its first octet to its last.", sketch::FRAME_DEADLINE),
        |h| { h.header = header_without_pause; h.body = |c, wanted| honest::body_without_pause(c, wanted, SHORT); }),
    Fault::new("timeout-of-half-a-second-inside-a-reply", Clause::ClientPatience, "",
        "A reply in which nothing comes for half a second is given up.",
        Mend::by("A pause of half a second inside a reply ends the connection", "Let a reply take many seconds from its first octet to its last.", sketch::FRAME_DEADLINE),
        |h| h.body = |c, wanted| honest::body_without_pause(c, wanted, Duration::from_millis(500))),
    Fault::new("pause-completes-a-reply", Clause::ClientPatience, "",
        "When nothing comes for 100 ms inside a reply, it is taken to be whole.",
        Mend::by("A pause is taken for the end of a reply", "Decide by the length alone when a reply is whole, never by time.", sketch::FRAME_DEADLINE),
        |h| h.body = until_a_pause),
    Fault::new("tick-loses-part-of-a-reply", Clause::ClientPatience, "aws-iot-device-sdk-embedded-C#35, ThetaDataDx#357",
        "Reading is interrupted every 50 ms to look at something else, and what was read of a reply until then is lost.",
        Mend::by("A timer interrupts a read and loses what it had brought", "Keep what has been read outside of the read that can be cancelled.", sketch::KEEP_THE_REST),
        |h| {
            h.body = |c, wanted| honest::body_without_pause(c, wanted, TICK);
            h.ended = |_, end| if matches!(end, End::Late) { Ok(()) } else { Err(end) };
        }),
    Fault::new("socket-asked-over-and-over", Clause::ClientPatience, "FreeRDP#6730, php-mqtt/client#29",
        "Where a reply is to be waited for, the socket is asked over and over whether there is one.",
        Mend::by("The socket is polled without a pause", "Wait in the read itself, or in the system's own means for waiting.", sketch::WAIT),
        |h| h.header = polled),
];

const SHORT: Duration = Duration::from_millis(100);

const TICK: Duration = Duration::from_millis(50);

/// How often it is looked at the clock.
const LOOK: Duration = Duration::from_millis(10);

fn soon_or_never(c: &mut Half) -> Result<Vec<u8>, End> {
    let mut since = None;
    while c.inbox.is_empty() {
        if c.look_ahead(LOOK)? {
            return honest::header(c);
        }
        if c.shared.is_owed() {
            let since = since.get_or_insert_with(Instant::now);
            if c.inbox.is_empty() && since.elapsed() > Duration::from_millis(200) {
                return Err(End::Late);
            }
        }
    }
    honest::header(c)
}

/// The first octet may take its time.
fn header_without_pause(c: &mut Half) -> Result<Vec<u8>, End> {
    let mut header = c.collect(1)?;
    if header.is_empty() {
        return Err(End::Eof { inside: false });
    }
    loop {
        let missing = frame::missing(c.profile(), &header);
        if missing == 0 {
            return Ok(header);
        }
        header.extend(honest::body_without_pause(c, missing, SHORT)?);
    }
}

fn until_a_pause(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    c.limit_reads(Some(SHORT))?;
    let mut octets = Vec::new();
    let read = loop {
        let left = wanted.saturating_sub(octets.len());
        if left == 0 {
            break Ok(());
        }
        match c.recv(left) {
            Ok(came) if came.is_empty() => break Err(End::Eof { inside: true }),
            Ok(came) => octets.extend(came),
            Err(End::Broken(error)) if is_timeout(&error) => break Ok(()),
            Err(end) => break Err(end),
        }
    };
    c.limit_reads(None)?;
    read.map(|()| octets)
}

fn polled(c: &mut Half) -> Result<Vec<u8>, End> {
    let stream = c.shared.stream()?;
    stream.set_nonblocking(true)?;
    let first = loop {
        match c.recv(1) {
            Err(End::Broken(error)) if error.kind() == ErrorKind::WouldBlock => {}
            first => break first,
        }
    };
    stream.set_nonblocking(false)?;
    let header = first?;
    if header.is_empty() {
        return Err(End::Eof { inside: false });
    }
    honest::rest_of_header(c, header)
}
