//! The steps of a client that does everything right.

use super::half::{Half, Hooks, is_timeout};
use super::hooks::{End, Over, Steps};
use crate::altered::frame::{self, Body, Malformed, Sizes, Whole, sizes_in};
use crate::message::{Message, Undecodable};
use crate::profile::Payload;
use crate::wire::{EncodeError, Encoder};
use bytes::{Bytes, BytesMut};
use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

/// All of them.
pub(crate) fn hooks() -> Hooks {
    Steps {
        converse,
        compose,
        encode,
        send: |c, octets| c.write(&octets),
        unsent: |_, _| forever(),
        take,
        header,
        count: frame::count,
        sizes: frame::sizes,
        body,
        payload: |c, body| frame::payload(c.profile(), body),
        read,
        show,
        undecodable,
        ended: |_, end| Err(end),
        leave,
    }
}

/// Sends what is typed and shows what comes, each in a thread of its own; whichever is over first is the
/// end of both.
pub(crate) fn converse(mut c: Half) -> Over {
    if let Err(error) = c.connect() {
        return (c.hooks().leave)(&mut c, error.into());
    }
    let (over, ends) = mpsc::channel();
    beside(c.other(), receive_all, over.clone());
    beside(c, send_all, over);
    ends.recv().unwrap_or(Over::Badly)
}

/// A thread that cannot be had reports nothing, which is noticed when all that could are gone.
fn beside(mut c: Half, part: fn(&mut Half) -> Over, over: Sender<Over>) {
    let run = move || {
        // The other half may have come to its end meanwhile.
        let _ = over.send(part(&mut c));
    };
    let _ = thread::Builder::new().spawn(run);
}

/// Sends line after line, then ends the stream and leaves what is owed to the half that receives.
pub(crate) fn send_all(c: &mut Half) -> Over {
    while let Some(line) = c.shared.line() {
        if let Err(error) = ask(c, &line) {
            return (c.hooks().unsent)(c, error);
        }
    }
    c.shared.asks_no_more();
    c.end_stream();
    if c.shared.is_owed() {
        forever()
    } else {
        Over::Well
    }
}

/// Sends the request of a line. One that fits in no frame is remarked upon and costs nothing else.
pub(crate) fn ask(c: &mut Half, line: &str) -> io::Result<()> {
    let payload = (c.hooks().compose)(c, line);
    match (c.hooks().encode)(c, &payload) {
        Ok(octets) => {
            c.shared.asked();
            (c.hooks().send)(c, octets)
        }
        Err(error) => {
            c.shared.complain(&error.to_string());
            Ok(())
        }
    }
}

/// Takes reply after reply, to the end.
pub(crate) fn receive_all(c: &mut Half) -> Over {
    loop {
        if let Err(end) = receive(c)
            && let Err(end) = (c.hooks().ended)(c, end)
        {
            return (c.hooks().leave)(c, end);
        }
    }
}

/// Takes the next reply and shows it.
pub(crate) fn receive(c: &mut Half) -> Result<(), End> {
    let body = (c.hooks().take)(c)?;
    let payload = (c.hooks().payload)(c, body);
    match (c.hooks().read)(c, payload) {
        Ok(message) => (c.hooks().show)(c, message),
        Err(why) => (c.hooks().undecodable)(c, why)?,
    }
    c.shared.answered();
    if c.shared.is_done() {
        return Err(End::Done);
    }
    Ok(())
}

/// A JSON text is sent as it is, any other as a JSON string.
pub(crate) fn compose(c: &mut Half, line: &str) -> Vec<u8> {
    let kind = c.profile().payload();
    let message = Message::read(kind, Bytes::from(line.to_owned()))
        .unwrap_or_else(|_| Message::from_text(kind, line));
    message.into_payload().to_vec()
}

pub(crate) fn encode(c: &mut Half, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = BytesMut::new();
    Encoder::new(c.profile()).encode(payload, &mut octets)?;
    Ok(octets.to_vec())
}

pub(crate) fn take(c: &mut Half) -> Result<Body, End> {
    let header = (c.hooks().header)(c)?;
    rest_of_frame(c, &header)
}

/// The body that belongs to a header.
pub(crate) fn rest_of_frame(c: &mut Half, header: &[u8]) -> Result<Body, End> {
    let Sizes { body, payload } = sizes(c, header)?;
    let wanted = frame::with_indexes(c.profile(), body);
    let octets = (c.hooks().body)(c, wanted)?;
    let trailer = trailer(c)?;
    let octets = frame::without_indexes(c.profile(), octets);
    let octets = octets.map_err(|Malformed| End::Malformed)?;
    let body = Body { octets, payload };
    let whole = Whole::of(c.profile(), header, &body, &trailer);
    match whole.is_right(c.profile()) {
        true => Ok(body),
        false => Err(End::Malformed),
    }
}

/// What stands behind a body.
fn trailer(c: &mut Half) -> Result<Vec<u8>, End> {
    let wanted = c.profile().trailer().len();
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let octets = body(c, wanted)?;
    let checked = frame::check_trailer(c.profile(), &octets);
    checked.map_err(|Malformed| End::Malformed)?;
    Ok(octets)
}

/// The sizes that a header tells.
pub(crate) fn sizes(c: &Half, header: &[u8]) -> Result<Sizes, End> {
    let hooks = c.hooks();
    let sizes = sizes_in(&c.profile().of_replies(), header, hooks.count, hooks.sizes);
    sizes.map_err(|Malformed| End::Malformed)
}

pub(crate) fn header(c: &mut Half) -> Result<Vec<u8>, End> {
    rest_of_header(c, Vec::new())
}

/// The header that these octets are the beginning of.
pub(crate) fn rest_of_header(c: &mut Half, mut header: Vec<u8>) -> Result<Vec<u8>, End> {
    loop {
        let wanted = frame::missing(c.profile(), &header);
        if wanted == 0 {
            return Ok(header);
        }
        let came = c.collect(wanted)?;
        let is_over = came.len() < wanted;
        header.extend(came);
        if is_over {
            let inside = !header.is_empty();
            return Err(End::Eof { inside });
        }
    }
}

pub(crate) fn body(c: &mut Half, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = c.collect(wanted)?;
    if octets.len() < wanted {
        return Err(End::Eof { inside: true });
    }
    Ok(octets)
}

/// So many octets, as long as none of them lets itself be waited for longer than that.
pub(crate) fn body_without_pause(
    c: &mut Half,
    wanted: usize,
    pause: Duration,
) -> Result<Vec<u8>, End> {
    c.limit_reads(Some(pause))?;
    let octets = body(c, wanted);
    c.limit_reads(None)?;
    octets.map_err(|end| match end {
        End::Broken(error) if is_timeout(&error) => End::Late,
        end => end,
    })
}

pub(crate) fn read(c: &mut Half, payload: Vec<u8>) -> Result<Message, Undecodable> {
    Message::read(c.profile().payload(), Bytes::from(payload))
}

pub(crate) fn show(c: &mut Half, message: Message) {
    let shown = shown(&message);
    c.shared.print(&format!("{shown}\n"));
}

/// A message on one line, in which nothing moves a terminal's cursor.
pub(crate) fn shown(message: &Message) -> String {
    let text = match (message.kind(), message.text()) {
        (Payload::Json, Some(text)) => text.into(),
        _ => String::from_utf8_lossy(message.payload()),
    };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// It is remarked upon, and the next one read.
pub(crate) fn undecodable(c: &mut Half, why: Undecodable) -> Result<(), End> {
    c.shared.complain(&format!("a reply is no message: {why}"));
    Ok(())
}

pub(crate) fn leave(c: &mut Half, end: End) -> Over {
    match end {
        End::Done => return Over::Well,
        End::Eof { inside: false } if !c.shared.is_owed() => {
            c.shared.complain("the server has closed the connection");
            return Over::Well;
        }
        End::Forgotten => forever(),
        End::Fatal => std::process::abort(),
        _ => {}
    }
    c.shared.complain(&format!("error: {}", reason(&end)));
    Over::Badly
}

fn reason(end: &End) -> String {
    match end {
        End::Eof { inside: true } => "the stream ended inside a reply".into(),
        End::Malformed => "what came is no header".into(),
        End::Late => "the server takes too long".into(),
        End::Refused => "a reply is no message".into(),
        End::Broken(error) => error.to_string(),
        _ => "the server closed the connection without a reply".into(),
    }
}

/// Does nothing more: the other half ends the client.
pub(crate) fn forever() -> ! {
    loop {
        thread::park();
    }
}
