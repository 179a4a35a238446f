//! The steps of the reference server.

use super::client::{Client, Hooks};
use super::hooks::{Admission, End, Steps};
use crate::altered::frame::{self, Body, Malformed, Whole, sizes_in};
use crate::message::Message;
use crate::profile::{Profile, Speaker};
use crate::session::{Limits, Reply, Request};
use crate::wire::{Decoder, EncodeError, Encoder, Prologue};
use bytes::{Bytes, BytesMut};
use serde_json::json;
use tokio::time::timeout;

pub(crate) use crate::altered::frame::{count, lengths, sizes, sizes_unchecked, sizes_up_to};

/// Octets that are discarded at the end, at most, from a client that goes on sending.
const MOST_DISCARDED: usize = 1 << 20;

/// All of them.
pub(crate) fn hooks(limits: Limits) -> Hooks {
    Steps {
        limits,
        workers: usize::MAX,
        in_one_task: false,
        admit: |_, _| Admission::Serve,
        datagram: |c, octets| {
            if is_one_frame(c.profile(), &octets) {
                octets
            } else {
                Vec::new()
            }
        },
        begin: |c| Box::pin(begin(c)),
        serve: |c| Box::pin(serve(c)),
        take: |c| Box::pin(take(c)),
        header: |c| Box::pin(header(c)),
        count,
        sizes,
        body: |c, octets| Box::pin(body(c, octets)),
        chunks,
        checksum,
        payload,
        read,
        answer: |c, request| Box::pin(answer(c, request)),
        heed: |_, _| Box::pin(async { Ok(Vec::new()) }),
        encode,
        send: |c, octets| Box::pin(send(c, octets)),
        ended: |_, end| Box::pin(async { Err(end) }),
        leave: |c, end| Box::pin(leave(c, end)),
    }
}

/// Whether a datagram is one whole frame and no more.
pub(crate) fn is_one_frame(profile: &Profile, datagram: &[u8]) -> bool {
    let mut rest = datagram;
    let first = Decoder::new(profile).decode_ref(&mut rest);
    matches!(first, Ok(Some(_))) && rest.is_empty()
}

/// Goes through what the connection begins with.
pub(crate) async fn begin(c: &mut Client) -> Result<(), End> {
    let prologue = Prologue::new(c.profile(), Speaker::Server);
    c.stream.begin(prologue).await.map_err(End::Broken)
}

/// One exchange after the other, to the end.
pub(crate) async fn serve(c: &mut Client) -> End {
    loop {
        if let Err(end) = exchange(c).await
            && let Err(end) = (c.hooks().ended)(c, end).await
        {
            return end;
        }
    }
}

async fn exchange(c: &mut Client) -> Result<(), End> {
    let hooks = c.hooks();
    let body = (hooks.take)(c).await?;
    c.frame_taken();
    let payload = (hooks.payload)(c, body);
    let request = (hooks.read)(c, payload);
    let replies = match is_unanswered(c, &request) {
        true => (hooks.heed)(c, request).await?,
        false => (hooks.answer)(c, request).await?,
    };
    say_all(c, replies).await?;
    let most = c.profile().requests_per_connection();
    match most.and_then(|most| usize::try_from(most).ok()) {
        Some(most) if c.frames >= most => Err(End::Asked),
        _ => Ok(()),
    }
}

/// Sends a reply, if it is one.
pub(crate) async fn say(c: &mut Client, reply: Reply) -> Result<(), End> {
    say_all(c, vec![reply]).await
}

/// Sends replies up to the first that ends the conversation, in one write, so that whoever sees the first
/// sees them all.
async fn say_all(c: &mut Client, replies: Vec<Reply>) -> Result<(), End> {
    let (mut octets, mut said) = (Vec::new(), Ok(()));
    for reply in replies {
        match frame(c, reply) {
            Ok(frame) => octets.extend(frame),
            Err(end) => {
                said = Err(end);
                break;
            }
        }
    }
    if !octets.is_empty() {
        (c.hooks().send)(c, octets).await?;
    }
    said
}

/// The frame of a reply; nothing, if it is none. One that fits in no frame becomes an excuse.
fn frame(c: &mut Client, reply: Reply) -> Result<Vec<u8>, End> {
    let payload = match reply {
        Reply::Message(message) => message.into_payload(),
        Reply::Text(text) => Message::from_text(c.profile().payload(), &text).into_payload(),
        Reply::Nothing => return Ok(Vec::new()),
        Reply::Close => return Err(End::Asked),
    };
    let encode = c.hooks().encode;
    let octets = encode(c, &payload).or_else(|error| {
        let excuse = json!({ "error": format!("the reply cannot be sent: {error}") });
        encode(c, excuse.to_string().as_bytes())
    });
    octets.map_err(|_| End::Asked)
}

pub(crate) async fn take(c: &mut Client) -> Result<Body, End> {
    let header = (c.hooks().header)(c).await?;
    rest_of_frame(c, &header).await
}

/// The body that belongs to a header.
pub(crate) async fn rest_of_frame(c: &mut Client, header: &[u8]) -> Result<Body, End> {
    let hooks = c.hooks();
    let sizes = sizes_in(c.profile(), header, hooks.count, hooks.sizes);
    let sizes = sizes.map_err(|Malformed| End::Malformed)?;
    c.id = frame::id(c.profile(), header);
    let wanted = frame::with_indexes(c.profile(), sizes.body);
    let octets = (hooks.body)(c, wanted).await?;
    let trailer = trailer(c).await?;
    let octets = (hooks.chunks)(c, octets).map_err(|Malformed| End::Malformed)?;
    let payload = sizes.payload;
    let body = Body { octets, payload };
    let whole = Whole::of(c.profile(), header, &body, &trailer);
    match (hooks.checksum)(c, &whole) {
        true => Ok(body),
        false => Err(End::Malformed),
    }
}

/// What stands behind a body.
async fn trailer(c: &mut Client) -> Result<Vec<u8>, End> {
    let wanted = c.profile().trailer().len();
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let octets = body(c, wanted).await?;
    let checked = frame::check_trailer(c.profile(), &octets);
    checked.map_err(|Malformed| End::Malformed)?;
    Ok(octets)
}

pub(crate) fn chunks(c: &mut Client, body: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    frame::without_indexes(c.profile(), body)
}

pub(crate) fn checksum(c: &Client, whole: &Whole<'_>) -> bool {
    whole.is_right(c.profile())
}

pub(crate) async fn header(c: &mut Client) -> Result<Vec<u8>, End> {
    let mut header = Vec::new();
    loop {
        let wanted = frame::missing(c.profile(), &header);
        if wanted == 0 {
            return Ok(header);
        }
        let came = c.collect(wanted).await?;
        let is_over = came.len() < wanted;
        header.extend(came);
        if is_over {
            let inside = !header.is_empty();
            return Err(End::Eof { inside });
        }
    }
}

pub(crate) async fn body(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = c.collect(wanted).await?;
    if octets.len() < wanted {
        return Err(End::Eof { inside: true });
    }
    Ok(octets)
}

pub(crate) fn payload(c: &mut Client, body: Body) -> Vec<u8> {
    frame::payload(c.profile(), body)
}

pub(crate) fn read(c: &mut Client, payload: Vec<u8>) -> Request {
    Message::read(c.profile().payload(), Bytes::from(payload))
}

pub(crate) async fn answer(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    Ok(vec![(c.shared.answer)(request).await])
}

/// Whether it is a message that is owed no reply.
fn is_unanswered(c: &Client, request: &Request) -> bool {
    let message = request.as_ref().ok();
    message.is_some_and(|message| c.profile().is_unanswered(message.payload()))
}

pub(crate) fn encode(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let octets = encode_with_id(c, payload, c.id)?;
    Ok([octets, last_frame(c, b"")?].concat())
}

/// The frame of a payload that ends a reply; nothing where each reply is one frame.
pub(crate) fn last_frame(c: &Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = BytesMut::new();
    if let Some(last) = c.profile().of_last_frames() {
        Encoder::new(&last).encode(payload, &mut octets)?;
    }
    Ok(octets.to_vec())
}

/// The frame of a reply with that id, where frames have one.
pub(crate) fn encode_with_id(c: &Client, payload: &[u8], id: u64) -> Result<Vec<u8>, EncodeError> {
    let mut octets = BytesMut::new();
    let encoder = Encoder::new(&c.profile().of_replies());
    encoder.encode_with_id(payload, id, &mut octets)?;
    Ok(octets.to_vec())
}

pub(crate) async fn send(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    c.send_all(&octets).await
}

pub(crate) async fn leave(c: &mut Client, end: End) {
    match end {
        End::Eof { .. } | End::Broken(_) => {}
        End::Stuck => c.reset_at_close(),
        End::Malformed | End::Late | End::Asked => take_leave(c).await,
        End::Forgotten => std::future::pending().await,
        End::Fatal => {
            c.shared.stop();
            // Whoever is still connected is dropped behind the listener, not before.
            std::future::pending().await
        }
    }
}

/// Says that nothing more will come, and takes what the client still sends, for a while: a socket that is
/// closed with octets unread is reset, and the reset can destroy the last replies.
async fn take_leave(c: &mut Client) {
    c.say_goodbye().await;
    let stream = &c.stream;
    let discard = async {
        let mut left = MOST_DISCARDED;
        let mut scratch = vec![0; 4096];
        while left > 0
            && let Ok(taken @ 1..) = stream.read(&mut scratch).await
        {
            left = left.saturating_sub(taken);
        }
    };
    // Whoever has not gone by then is closed upon.
    let _ = timeout(c.shared.linger, discard).await;
}
