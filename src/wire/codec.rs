//! The codec for programs that are built on `tokio_util::codec`.

use super::{Decoder, Encoder, Frame, ReadError, WriteError};
use crate::profile::Profile;
use bytes::BytesMut;

/// Encoder and decoder in one, for `tokio_util::codec::Framed`.
///
/// [`Decoder`] and [`Encoder`] implement the traits as well, for `FramedRead` and `FramedWrite`.
/// Items are [`Frame`]s on the way in, and payloads as anything that is `AsRef<[u8]>` on the way out.
#[derive(Debug, Clone)]
pub struct Codec {
    encoder: Encoder,
    decoder: Decoder,
}

impl Codec {
    /// A codec for both directions of a connection.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            encoder: Encoder::new(profile),
            decoder: Decoder::new(profile),
        }
    }
}

impl tokio_util::codec::Decoder for Decoder {
    type Item = Frame;
    type Error = ReadError;

    fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
        Ok(Self::decode(self, octets)?)
    }

    /// The stream has ended: an error unless that is between two frames.
    fn decode_eof(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
        let frame = Self::decode(self, octets)?;
        if frame.is_none() {
            self.finish(octets)?;
        }
        Ok(frame)
    }
}

impl<T: AsRef<[u8]>> tokio_util::codec::Encoder<T> for Encoder {
    type Error = WriteError;

    fn encode(&mut self, payload: T, out: &mut BytesMut) -> Result<(), WriteError> {
        Ok(Self::encode(self, payload.as_ref(), out)?)
    }
}

impl tokio_util::codec::Decoder for Codec {
    type Item = Frame;
    type Error = ReadError;

    fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
        tokio_util::codec::Decoder::decode(&mut self.decoder, octets)
    }

    fn decode_eof(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
        self.decoder.decode_eof(octets)
    }
}

impl<T: AsRef<[u8]>> tokio_util::codec::Encoder<T> for Codec {
    type Error = WriteError;

    fn encode(&mut self, payload: T, out: &mut BytesMut) -> Result<(), WriteError> {
        tokio_util::codec::Encoder::encode(&mut self.encoder, payload, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DecodeError, DecodeErrorKind, Place};
    use futures_util::{SinkExt, StreamExt};
    use tokio_test::{block_on, io::Builder};
    use tokio_util::codec::{Framed, FramedRead};

    /// The payloads that come from a connection that brings these segments and ends, and what then.
    fn read(segments: &[&[u8]]) -> (Vec<Vec<u8>>, Option<DecodeError>) {
        let mut connection = Builder::new();
        for segment in segments {
            connection.read(segment);
        }
        let mut framed = FramedRead::new(connection.build(), Decoder::new(&Profile::tutorial()));
        let mut payloads = Vec::new();
        while let Some(item) = block_on(framed.next()) {
            match item {
                Ok(frame) => payloads.push(frame.payload().to_vec()),
                Err(ReadError::Decode(error)) => return (payloads, Some(error)),
                Err(other) => panic!("{other}"),
            }
        }
        (payloads, None)
    }

    #[test]
    fn frames_come_out_of_a_connection_however_it_is_cut() {
        let frame = [b"\0\0\0\x3c\"hi\"", &[0; 56][..]].concat();
        let (head, tail) = frame.split_at(2);
        let both = [tail, &frame].concat();
        let twice = vec![b"\"hi\"".to_vec(); 2];
        assert_eq!(read(&[head, &both]), (twice, None));
        assert_eq!(read(&[]), (vec![], None));
    }

    #[test]
    fn the_end_between_header_and_body_is_an_error() {
        let end = |segments: &[&[u8]]| read(segments).1.map(|error| error.kind);
        let truncated = |place| Some(DecodeErrorKind::Truncated { place });
        assert_eq!(end(&[b"\0\0\0\x3c"]), truncated(Place::Boundary));
        assert_eq!(end(&[b"\0\0", b"\0\x3c"]), truncated(Place::Boundary));
        assert_eq!(end(&[b"\0\0\0"]), truncated(Place::Header));
        assert_eq!(end(&[b"\0\0\0\x3cx"]), truncated(Place::Body));
        assert_eq!(end(&[b"\0\0\0\0"]), None);
    }

    #[test]
    fn one_codec_serves_both_directions() {
        let frame = [b"\0\0\0\x3c1", &[0; 59][..]].concat();
        let connection = Builder::new().read(&frame).write(&frame).build();
        let mut framed = Framed::new(connection, Codec::new(&Profile::tutorial()));
        let received = block_on(framed.next()).unwrap().unwrap();
        block_on(framed.send(received.into_payload())).unwrap();
        let refused = block_on(framed.send("ends in \0"));
        assert!(matches!(refused, Err(WriteError::Encode(_))));
    }
}
