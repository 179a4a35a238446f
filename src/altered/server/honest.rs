//! The steps of the reference server.

use super::client::{Client, Hooks, read as read_some};
use super::hooks::{Admission, Body, End, Malformed, Sizes, Steps};
use crate::message::Message;
use crate::profile::{Mark, Order, Profile, Region, Unit};
use crate::session::{Limits, Reply, Request};
use crate::wire::{EncodeError, Encoder};
use bytes::{Bytes, BytesMut};
use serde_json::json;
use tokio::time::timeout;

/// Octets that are discarded at the end, at most, from a client that goes on sending.
const MOST_DISCARDED: usize = 1 << 20;

/// All of them.
pub(crate) fn hooks(limits: Limits) -> Hooks {
    Steps {
        limits,
        workers: usize::MAX,
        in_one_task: false,
        admit: |_, _| Admission::Serve,
        serve: |c| Box::pin(serve(c)),
        take: |c| Box::pin(take(c)),
        header: |c| Box::pin(header(c)),
        count,
        sizes,
        body: |c, octets| Box::pin(body(c, octets)),
        payload,
        read,
        answer: |c, request| Box::pin(answer(c, request)),
        encode,
        send: |c, octets| Box::pin(send(c, octets)),
        ended: |_, end| Box::pin(async { Err(end) }),
        leave: |c, end| Box::pin(leave(c, end)),
    }
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
    let replies = (hooks.answer)(c, request).await?;
    say_all(c, replies).await
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
    let sizes = sizes_in(c, header).map_err(|Malformed| End::Malformed)?;
    let octets = (c.hooks().body)(c, sizes.body).await?;
    let payload = sizes.payload;
    Ok(Body { octets, payload })
}

/// The sizes that a header tells.
fn sizes_in(c: &Client, header: &[u8]) -> Result<Sizes, Malformed> {
    let hooks = c.hooks();
    let profile = c.profile();
    let length_at = profile.before().len();
    let after_at = length_at.saturating_add(profile.width().into());
    let field = header.get(length_at..after_at.min(header.len()));
    check_mark(profile.before(), header)?;
    check_mark(profile.after(), header.get(after_at..).unwrap_or_default())?;
    (hooks.sizes)(profile, (hooks.count)(profile, field.unwrap_or_default()))
}

fn check_mark(mark: &Mark, octets: &[u8]) -> Result<(), Malformed> {
    let mut pairs = mark.octets().iter().zip(octets);
    let fits = pairs.all(|(expected, octet)| expected.is_none_or(|expected| expected == *octet));
    fits.then_some(()).ok_or(Malformed)
}

pub(crate) async fn header(c: &mut Client) -> Result<Vec<u8>, End> {
    let wanted = c.profile().header_len();
    whole(c.collect(wanted).await?, wanted)
}

pub(crate) async fn body(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = c.collect(wanted).await?;
    if octets.len() < wanted {
        return Err(End::Eof { inside: true });
    }
    Ok(octets)
}

fn whole(octets: Vec<u8>, wanted: usize) -> Result<Vec<u8>, End> {
    if octets.len() < wanted {
        let inside = !octets.is_empty();
        return Err(End::Eof { inside });
    }
    Ok(octets)
}

/// The number in a length field, in the order and with the sign of the profile.
pub(crate) fn count(profile: &Profile, field: &[u8]) -> i128 {
    let mut octets = field.to_vec();
    if profile.order() == Order::Little {
        octets.reverse();
    }
    let number = in_big_endian(&octets);
    let bits = u32::try_from(octets.len()).map_or(0, |octets| octets.saturating_mul(8));
    let negative = profile.signed() && octets.first().is_some_and(|octet| *octet >= 0x80);
    if negative {
        number.saturating_sub(1_i128.checked_shl(bits).unwrap_or_default())
    } else {
        number
    }
}

/// A number of so many octets, the first of them the most significant.
pub(crate) fn in_big_endian(octets: &[u8]) -> i128 {
    octets.iter().fold(0, |number: i128, octet| {
        number.saturating_mul(256).saturating_add((*octet).into())
    })
}

pub(crate) fn sizes(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    sizes_up_to(profile, count, profile.max_body().into())
}

/// The sizes that a number stands for, if the body is not over the limit and has whole chunks.
pub(crate) fn sizes_up_to(profile: &Profile, count: i128, limit: i128) -> Result<Sizes, Malformed> {
    let (body, payload) = lengths(profile, count);
    let chunk = i128::from(profile.chunk());
    let in_order = (0..=limit).contains(&body)
        && payload.is_none_or(|payload| payload >= 0)
        && body.checked_rem(chunk) == Some(0);
    let sizes = Sizes {
        body: usize::try_from(body).map_err(|_| Malformed)?,
        payload: payload.and_then(|payload| usize::try_from(payload).ok()),
    };
    in_order.then_some(sizes).ok_or(Malformed)
}

/// Octets of body that a number stands for, and of payload where that is another matter. Negative
/// where the number is too small for what it covers.
pub(crate) fn lengths(profile: &Profile, count: i128) -> (i128, Option<i128>) {
    let chunk = i128::from(profile.chunk());
    let length = match profile.unit() {
        Unit::Octets => count,
        Unit::Chunks => count.saturating_mul(chunk),
    };
    let covered = i128::try_from(profile.covered_header_len()).unwrap_or(i128::MAX);
    let counted = length.saturating_sub(covered);
    if profile.covers(Region::Padding) {
        return (counted, (chunk == 1).then_some(counted));
    }
    let over = counted.checked_rem_euclid(chunk).unwrap_or_default();
    let missing = if over == 0 {
        0
    } else {
        chunk.saturating_sub(over)
    };
    (counted.saturating_add(missing), Some(counted))
}

pub(crate) fn payload(c: &mut Client, body: Body) -> Vec<u8> {
    let mut octets = body.octets;
    let pad = c.profile().pad();
    let end = body.payload.unwrap_or_else(|| {
        octets
            .iter()
            .rposition(|octet| *octet != pad)
            .map_or(0, |last| last.saturating_add(1))
    });
    octets.truncate(end);
    octets
}

pub(crate) fn read(c: &mut Client, payload: Vec<u8>) -> Request {
    Message::read(c.profile().payload(), Bytes::from(payload))
}

pub(crate) async fn answer(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    Ok(vec![(c.shared.answer)(request).await])
}

pub(crate) fn encode(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut octets = BytesMut::new();
    Encoder::new(c.profile()).encode(payload, &mut octets)?;
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
    c.say_goodbye();
    let stream = &c.stream;
    let discard = async {
        let mut left = MOST_DISCARDED;
        let mut scratch = vec![0; 4096];
        while left > 0
            && let Ok(taken @ 1..) = read_some(stream, &mut scratch).await
        {
            left = left.saturating_sub(taken);
        }
    };
    // Whoever has not gone by then is closed upon.
    let _ = timeout(c.shared.linger, discard).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Decoder;
    use arbitrary::{Arbitrary as _, Unstructured};
    use proptest::prelude::*;

    proptest! {
        /// Whatever stands in the length field of whatever format: the sizes are those that the
        /// reference server goes by.
        #[test]
        fn sizes_are_those_of_the_decoder(
            seed in prop::collection::vec(any::<u8>(), 0..60),
            number in prop_oneof![0..400_u64, any::<u64>(), (0..400_u64).prop_map(|n| !n)],
        ) {
            let profile = Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap();
            let mut octets = BytesMut::new();
            Encoder::new(&profile).header_with(number, &mut octets);
            let start = profile.before().len();
            let field = octets[start..start + usize::from(profile.width())].to_vec();
            let decoded = Decoder::new(&profile).decode(&mut octets);
            match sizes(&profile, count(&profile, &field)) {
                Err(Malformed) => prop_assert!(decoded.is_err(), "{:?}", decoded),
                Ok(Sizes { body, payload }) if body < 1 << 18 => {
                    let before = octets.len();
                    let mut decoder = Decoder::new(&profile);
                    if body > 0 {
                        octets.resize(before + body - 1, 1);
                        prop_assert_eq!(decoder.decode(&mut octets), Ok(None));
                        octets.resize(before + body, 1);
                    } else {
                        Encoder::new(&profile).header_with(number, &mut octets);
                        octets.truncate(profile.header_len());
                    }
                    let frame = decoder.decode(&mut octets).unwrap().unwrap();
                    prop_assert_eq!(frame.body().len(), body);
                    prop_assert_eq!(frame.payload().len(), payload.unwrap_or(body));
                }
                Ok(_) => prop_assert_eq!(decoded, Ok(None)),
            }
        }
    }
}
