//! A payload framed and read back, by the codec and by what shares no code with it.

use super::decoding::decoded;
use crate::message::Message;
use crate::model::reader;
use crate::profile::Profile;
use crate::script::craft::Craft;
use crate::wire::{EncodeError, Encoder};
use bytes::{Bytes, BytesMut};

/// Frames each payload and reads it back.
///
/// # Errors
/// What is not as it was, or not as those say who share no code with the encoder. A payload that is refused must be
/// one that would not have read back.
pub(super) fn there_and_back(profile: &Profile, payloads: &[Vec<u8>]) -> Result<(), String> {
    let encoder = Encoder::new(profile);
    let mut sent = Vec::new();
    let mut stream = BytesMut::new();
    for payload in payloads {
        let before = stream.len();
        match encoder.encode(payload, &mut stream) {
            Ok(()) => {
                let frame = stream.get(before..).unwrap_or_default();
                is_the_frame(profile, &encoder, payload, frame)?;
                sent.push(payload.as_slice());
            }
            Err(error) if stream.len() == before => is_refused_rightly(profile, payload, &error)?,
            Err(error) => return Err(format!("{error}, and octets were written")),
        }
        is_a_message_still(profile, payload)?;
    }
    is_read_as(profile, &stream, &sent)
}

/// The frame has the length that was foretold, and is the one that the cases send.
fn is_the_frame(
    profile: &Profile,
    encoder: &Encoder,
    payload: &[u8],
    frame: &[u8],
) -> Result<(), String> {
    if encoder.encoded_len(payload.len()) != Ok(frame.len()) {
        let foretold = encoder.encoded_len(payload.len());
        return Err(format!("{} octets, foretold {foretold:?}", frame.len()));
    }
    let crafted = Craft::new(profile).frame(payload);
    match crafted == frame {
        true => Ok(()),
        false => Err(format!("{frame:02x?} is crafted as {crafted:02x?}")),
    }
}

fn is_refused_rightly(
    profile: &Profile,
    payload: &[u8],
    error: &EncodeError,
) -> Result<(), String> {
    let crafted = Craft::new(profile).frame(payload);
    match is_read_as(profile, &crafted, &[payload]) {
        Ok(()) => Err(format!("refused: {error}, and reads back as it was")),
        Err(_) => Ok(()),
    }
}

/// The stream is these payloads, as the decoder and as the naive reader read it.
fn is_read_as(profile: &Profile, stream: &[u8], sent: &[&[u8]]) -> Result<(), String> {
    let mut read = Vec::new();
    for frame in decoded(profile, stream) {
        read.push(frame.map_err(|error| error.to_string())?.into_payload());
    }
    if read != sent {
        return Err(format!("{sent:02x?} is read as {read:02x?}"));
    }
    let naive = reader::read(profile, stream);
    let payloads = naive.frames.iter().map(|frame| frame.payload(stream));
    match payloads.eq(sent.iter().copied()) {
        true if naive.ending == reader::Ending::Boundary => Ok(()),
        _ => Err(format!("{sent:02x?} is read naively as {naive:?}")),
    }
}

/// A payload that is a message is one whenever it is looked at, with the same octets.
fn is_a_message_still(profile: &Profile, payload: &[u8]) -> Result<(), String> {
    let read = |payload| Message::read(profile.payload(), payload);
    let Ok(message) = read(Bytes::copy_from_slice(payload)) else {
        return Ok(());
    };
    let again = read(message.payload().clone());
    if message.payload() != payload || again.as_ref() != Ok(&message) {
        return Err(format!("{message:?} is another one when it is read again"));
    }
    // What means the same in its shortest form means it still in that.
    let Ok(value) = message.value() else {
        return Ok(());
    };
    let shortest = Message::from_value(&value);
    match shortest.value() {
        Ok(same) if Message::from_value(&same) == shortest => Ok(()),
        other => Err(format!("{shortest:?} is read as {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Draft;

    #[test]
    fn what_is_framed_reads_back() {
        let payloads = [
            b"\"hi\"".to_vec(),
            Vec::new(),
            vec![b'x'; 61],
            b"a\0".to_vec(),
        ];
        for profile in [
            Profile::tutorial(),
            Profile::chunk_count(),
            Profile::u32_be(),
        ] {
            assert_eq!(there_and_back(&profile, &payloads), Ok(()));
        }
    }

    #[test]
    fn what_is_wrong_is_found_out() {
        let profile = Profile::tutorial();
        let encoder = Encoder::new(&profile);
        let frame = Craft::new(&profile).frame(b"1");
        let odd = [&frame[..], b"x"].concat();
        assert!(is_the_frame(&profile, &encoder, b"1", &odd).is_err());
        assert!(is_the_frame(&profile, &encoder, b"2", &frame).is_err());
        assert!(is_read_as(&profile, &frame, &[b"2"]).is_err());
        assert!(is_read_as(&profile, &odd, &[b"1"]).is_err());
        let refused = EncodeError::EndsInPad { pad: 0 };
        assert!(is_refused_rightly(&profile, b"1", &refused).is_err());
        assert!(is_refused_rightly(&profile, b"1\0", &refused).is_ok());
    }

    #[test]
    fn a_limit_refuses_what_would_not_read_back() {
        let mut draft = Draft::from(Profile::tutorial());
        draft.max_body = Some(60);
        let profile = Profile::try_from(draft).unwrap();
        assert_eq!(
            there_and_back(&profile, &[vec![b'x'; 61], vec![b'x'; 60]]),
            Ok(())
        );
    }
}
