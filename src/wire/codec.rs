//! The codec for programs that are built on `tokio_util::codec`.

use super::{DecodeError, Decoder, EncodeError, Encoder, Frame};
use crate::profile::Profile;
use bytes::BytesMut;
use std::io;

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

/// What can go wrong on a framed connection.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The connection itself.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What came is no frame.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// What was to be sent fits in no frame.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl tokio_util::codec::Decoder for Decoder {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        Ok(Self::decode(self, octets)?)
    }

    /// The stream has ended: an error unless that is between two frames.
    fn decode_eof(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        let frame = Self::decode(self, octets)?;
        if frame.is_none() {
            self.finish(octets)?;
        }
        Ok(frame)
    }
}

impl<T: AsRef<[u8]>> tokio_util::codec::Encoder<T> for Encoder {
    type Error = CodecError;

    fn encode(&mut self, payload: T, out: &mut BytesMut) -> Result<(), CodecError> {
        Ok(Self::encode(self, payload.as_ref(), out)?)
    }
}

impl tokio_util::codec::Decoder for Codec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        tokio_util::codec::Decoder::decode(&mut self.decoder, octets)
    }

    fn decode_eof(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        self.decoder.decode_eof(octets)
    }
}

impl<T: AsRef<[u8]>> tokio_util::codec::Encoder<T> for Codec {
    type Error = CodecError;

    fn encode(&mut self, payload: T, out: &mut BytesMut) -> Result<(), CodecError> {
        tokio_util::codec::Encoder::encode(&mut self.encoder, payload, out)
    }
}
