//! Frames out of payloads.

use super::error::EncodeError;
use super::format::Format;
use crate::profile::Profile;
use bytes::{BufMut, BytesMut};
use std::sync::Arc;

/// Puts payloads into frames.
///
/// An encoder only makes frames that read back: a payload that would arrive changed, or that the receiver
/// would have to refuse, is refused here. A clone shares what is known of the profile.
#[derive(Debug, Clone)]
pub struct Encoder {
    format: Arc<Format>,
}

impl Encoder {
    /// An encoder for the profile, with the profile's own limit on bodies.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            format: Arc::new(Format::new(profile)),
        }
    }

    /// Appends the frame for a payload.
    ///
    /// # Errors
    /// If the frame would not read back; `out` is then as it was.
    #[inline]
    pub fn encode(&self, payload: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
        let pad = self.format.pad();
        if self.format.trims() && payload.last() == Some(&pad) {
            return Err(EncodeError::EndsInPad { pad });
        }
        match self.format.put_quickly(payload.len(), out) {
            Some(body) => self.put_body(payload, body, out),
            None => return self.put_any(payload, out),
        }
        Ok(())
    }

    /// Appends the frame for a payload with that id, of which the lowest octets are taken, if frames have one: else
    /// the frame as it is. Most significant octet first.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use framespec::{profile::{Draft, Profile}, wire::{Decoder, Encoder}};
    ///
    /// let profile = Profile::try_from(Draft {
    ///     name: "with-ids".into(),
    ///     before: "id id".into(),
    ///     chunk: 1,
    ///     ..Draft::default()
    /// })?;
    /// let mut out = BytesMut::new();
    /// Encoder::new(&profile).encode_with_id(b"hi", 0x1234, &mut out)?;
    /// assert_eq!(&out[..], b"\x12\x34\0\0\0\x02hi");
    ///
    /// let mut decoder = Decoder::new(&profile);
    /// let frame = decoder.decode(&mut out)?.ok_or("it is whole")?;
    /// assert_eq!(decoder.id_of(&frame), Some(0x1234));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the frame would not read back; `out` is then as it was.
    #[inline]
    pub fn encode_with_id(
        &self,
        payload: &[u8],
        id: u64,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        self.encode(payload, out)?;
        if self.format.has_ids() {
            let (body, _) = self.format.plan(payload.len())?;
            let behind = self.format.behind_header(body);
            let header = start..out.len().saturating_sub(behind);
            let header = out.get_mut(header).unwrap_or_default();
            self.format.put_id(id, header);
            self.put_checksum(start, payload.len(), body, out);
        }
        Ok(())
    }

    /// Puts the checksum into the frame that begins at `start` and ends where these octets do, if frames have one.
    #[inline]
    fn put_checksum(&self, start: usize, payload: usize, body: usize, out: &mut BytesMut) {
        if self.format.has_checksum() {
            let frame = out.get_mut(start..).unwrap_or_default();
            self.format.put_checksum(payload, body, frame);
        }
    }

    /// Appends a payload and what makes it so many octets of body.
    #[inline]
    fn put_body(&self, payload: &[u8], body: usize, out: &mut BytesMut) {
        out.put_slice(payload);
        let padding = body.saturating_sub(payload.len());
        if padding > 0 {
            out.put_bytes(self.format.pad(), padding);
        }
    }

    #[inline(never)]
    fn put_any(&self, payload: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
        let (body, count) = self.format.plan(payload.len())?;
        out.reserve(self.frame_len(count, body)?);
        let start = out.len();
        self.header_with(count, out);
        match self.format.index() {
            None => self.put_body(payload, body, out),
            Some(index) => index.put(payload, body, self.format.pad(), out),
        }
        self.format.put_trailer(out);
        self.put_checksum(start, payload.len(), body, out);
        Ok(())
    }

    /// Octets of the frame for a payload of that many octets.
    ///
    /// # Errors
    /// If the body would be over the limit or the length field cannot say its length.
    pub fn encoded_len(&self, payload_len: usize) -> Result<usize, EncodeError> {
        let (body, count) = self.format.plan(payload_len)?;
        self.frame_len(count, body)
    }

    fn frame_len(&self, count: u64, body: usize) -> Result<usize, EncodeError> {
        self.format
            .frame_len(count, body)
            .ok_or(EncodeError::OverLimit {
                limit: usize::MAX as u64,
            })
    }

    /// Appends a header that claims `counted` octets of payload, and of padding where the length
    /// covers that: for those who craft frames. Neither the limit nor whole chunks are asked for.
    ///
    /// # Errors
    /// If the length field has no value that says it; `out` is then as it was.
    pub fn claim(&self, counted: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.header_with(self.format.count(counted)?, out);
        Ok(())
    }

    /// Appends a header with that value in the length field, whatever it means: of the 64 bits the
    /// lowest that the field has room for. For those who craft frames.
    pub fn header_with(&self, count: u64, out: &mut BytesMut) {
        self.format.put_header(count, out);
    }
}
