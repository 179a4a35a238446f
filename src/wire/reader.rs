//! Frames out of anything that can be read: a blocking connection, a file, a pipe.

use super::{Decoder, Frame, ReadError};
use crate::profile::Profile;
use bytes::BytesMut;
use std::fmt;
use std::io::{self, Read};

/// Octets that are read at once.
const STEP: usize = 8 * 1024;

/// Reads frames, one after the other.
///
/// It reads in steps of 8 KiB and needs no `BufReader` around what it reads from. It holds what has
/// arrived of one frame, and what came behind it in the same step: at most the header,
/// [`Profile::max_body`] octets and one step. As the buffer grows with what arrives, it may have room
/// for twice that. A length that is only claimed costs nothing.
///
/// ```
/// use framespec::profile::Profile;
/// use framespec::wire::{DecodeErrorKind, FrameReader, Place, ReadError};
///
/// // Anything that is `Read` will do; a connection would be a `std::net::TcpStream`.
/// let arrived: &[u8] = b"\0\0\0\x02hi\0\0\0\x05cut";
/// let mut reader = FrameReader::new(arrived, &Profile::u32_be());
/// let frame = reader.read_frame()?.ok_or("there is a frame")?;
/// assert_eq!(frame.payload(), b"hi");
///
/// // `Ok(None)` would be an end between two frames. This one is inside a body.
/// let Err(ReadError::Decode(error)) = reader.read_frame() else {
///     return Err("the frame is not whole".into());
/// };
/// assert_eq!(error.kind, DecodeErrorKind::Truncated { place: Place::Body });
/// assert_eq!(error.offset, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FrameReader<R> {
    input: R,
    decoder: Decoder,
    arrived: BytesMut,
    step: Box<[u8]>,
    has_ended: bool,
}

impl<R> FrameReader<R> {
    /// A reader at the beginning of a stream, with the profile's own limit on bodies.
    #[must_use]
    pub fn new(input: R, profile: &Profile) -> Self {
        Self {
            input,
            decoder: Decoder::new(profile),
            arrived: BytesMut::new(),
            step: vec![0; STEP].into(),
            has_ended: false,
        }
    }

    /// What is read from.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.input
    }

    /// What is read from, to be changed. Whoever reads from it takes octets out of the stream.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// What was read and belongs to no frame that has been returned, then what is read from.
    #[must_use]
    pub fn into_parts(self) -> (BytesMut, R) {
        (self.arrived, self.input)
    }
}

impl<R: Read> FrameReader<R> {
    /// Reads up to the end of the next frame; `None` if the stream has ended between two frames. Once
    /// the stream has ended, it is not read from again.
    ///
    /// # Errors
    /// [`ReadError::Decode`] if what comes is no frame, or the stream ends inside one: the kind is then
    /// [`Truncated`](super::DecodeErrorKind::Truncated), with the place. Every later call fails in the
    /// same way.
    ///
    /// [`ReadError::Io`] if reading fails; only [`io::ErrorKind::Interrupted`] is tried again at once.
    /// Nothing that has arrived is lost, so after a [`io::ErrorKind::WouldBlock`] or a time-out the
    /// next call goes on where this one stopped.
    pub fn read_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.arrived)? {
                return Ok(Some(frame));
            }
            if self.has_ended {
                self.decoder.finish(&self.arrived)?;
                return Ok(None);
            }
            self.read_step()?;
        }
    }

    fn read_step(&mut self) -> io::Result<()> {
        match self.input.read(&mut self.step) {
            Ok(0) => self.has_ended = true,
            Ok(count) => {
                let octets = self.step.get(..count).ok_or_else(too_many)?;
                self.arrived.extend_from_slice(octets);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl<R: fmt::Debug> fmt::Debug for FrameReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReader")
            .field("input", &self.input)
            .field("arrived", &self.arrived.len())
            .field("has_ended", &self.has_ended)
            .finish_non_exhaustive()
    }
}

/// No reader may say so, but what says it is not ours.
fn too_many() -> io::Error {
    io::Error::other("more was read than there was room for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DecodeErrorKind, Place};

    fn kind(result: Result<Option<Frame>, ReadError>) -> DecodeErrorKind {
        match result {
            Err(ReadError::Decode(error)) => error.kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_end_is_told_by_its_place_and_stays() {
        for (octets, place) in [
            (&b"\0\0\0\x01x"[..], None),
            (b"\0\0\0\x01x\0\0", Some(Place::Header)),
            (b"\0\0\0\x01x\0\0\0\x02", Some(Place::Boundary)),
            (b"\0\0\0\x01x\0\0\0\x02y", Some(Place::Body)),
        ] {
            let mut reader = FrameReader::new(octets, &Profile::u32_be());
            assert_eq!(reader.read_frame().unwrap().unwrap().payload(), b"x");
            for _ in 0..2 {
                match place {
                    None => assert!(reader.read_frame().unwrap().is_none()),
                    Some(place) => assert_eq!(
                        kind(reader.read_frame()),
                        DecodeErrorKind::Truncated { place }
                    ),
                }
            }
        }
    }

    #[test]
    fn a_body_over_the_limit_is_refused_before_it_comes() {
        let profile = Profile::u32_be().with_max_body(3).unwrap();
        let mut reader = FrameReader::new(&b"\0\0\0\x04"[..], &profile);
        assert_eq!(kind(reader.read_frame()), DecodeErrorKind::OverLimit);
    }

    #[test]
    fn what_a_header_claims_is_not_reserved() {
        let profile = Profile::u32_be().with_max_body(1 << 30).unwrap();
        let claims = 1_u32 << 30;
        let octets = [&claims.to_be_bytes()[..], b"not that much"].concat();
        let memory = allocation_counter::measure(|| {
            let mut reader = FrameReader::new(&octets[..], &profile);
            assert!(reader.read_frame().is_err());
        });
        assert!(memory.bytes_max < 4 * STEP as u64, "{memory:?}");
    }

    #[test]
    fn what_came_behind_a_frame_is_given_back() {
        let mut reader = FrameReader::new(&b"\0\0\0\x01xGET /"[..], &Profile::u32_be());
        assert!(reader.read_frame().unwrap().is_some());
        assert_eq!(reader.into_parts().0, b"GET /"[..]);
    }
}
