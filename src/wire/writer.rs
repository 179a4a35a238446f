//! Frames into anything that can be written: a blocking connection, a file, a pipe.

use super::{Encoder, WriteError};
use crate::profile::Profile;
use bytes::{Buf as _, BytesMut};
use std::io::{self, Write};

/// Puts payloads into frames and writes them.
///
/// Each frame is written whole, from one buffer: no `BufWriter` is needed so that header and body go out
/// together. Around many small frames one saves calls; [`flush`](Self::flush) then empties it.
///
/// ```
/// use framespec::profile::Profile;
/// use framespec::wire::{EncodeError, FrameWriter, WriteError};
///
/// // Anything that is `Write` will do; a connection would be a `std::net::TcpStream`.
/// let profile = Profile::u32_be().with_max_body(5)?;
/// let mut writer = FrameWriter::new(Vec::new(), &profile);
/// writer.write_frame(b"hello")?;
/// assert_eq!(writer.get_ref(), b"\0\0\0\x05hello");
///
/// let refused = writer.write_frame(b"hello?");
/// assert!(matches!(refused, Err(WriteError::Encode(EncodeError::OverLimit { limit: 5 }))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FrameWriter<W> {
    output: W,
    encoder: Encoder,
    pending: BytesMut,
}

impl<W> FrameWriter<W> {
    /// A writer for the profile, with the profile's own limit on bodies.
    #[must_use]
    pub fn new(output: W, profile: &Profile) -> Self {
        Self {
            output,
            encoder: Encoder::new(profile),
            pending: BytesMut::new(),
        }
    }

    /// What is written to.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        &self.output
    }

    /// What is written to, to be changed. Whoever writes to it may write into the middle of a frame.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.output
    }

    /// Octets of frames that were taken and could not be written yet; none unless writing has failed.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// The octets that could not be written yet, and what is written to.
    #[must_use]
    pub fn into_parts(self) -> (BytesMut, W) {
        (self.pending, self.output)
    }
}

impl<W: Write> FrameWriter<W> {
    /// Writes the frame for a payload, after whatever is left of those before it.
    ///
    /// # Errors
    /// [`WriteError::Encode`] if the frame would not read back. Nothing of it has been taken.
    ///
    /// [`WriteError::Io`] if writing fails; only [`io::ErrorKind::Interrupted`] is tried again at once.
    /// The frame has then been taken. After a [`io::ErrorKind::WouldBlock`], [`flush`](Self::flush) goes
    /// on at the octet where this call stopped; whoever writes more frames before that has all of them
    /// kept in memory.
    pub fn write_frame(&mut self, payload: &[u8]) -> Result<(), WriteError> {
        self.encoder.encode(payload, &mut self.pending)?;
        Ok(self.write_pending()?)
    }

    /// Writes what is left, and has the writer below do the same.
    ///
    /// # Errors
    /// If that fails. It can be called again, and goes on where it stopped.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_pending()?;
        uninterrupted(|| self.output.flush())
    }

    fn write_pending(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            let count = uninterrupted(|| self.output.write(&self.pending))?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.pending.advance(count.min(self.pending.len()));
        }
        Ok(())
    }
}

fn uninterrupted<T>(mut done: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match done() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_nothing_is_an_error() {
        let mut room = [0; 5];
        let mut writer = FrameWriter::new(&mut room[..], &Profile::u32_be());
        let error = writer.write_frame(b"hi").unwrap_err();
        assert!(
            matches!(&error, WriteError::Io(error) if error.kind() == io::ErrorKind::WriteZero)
        );
        assert_eq!(writer.pending(), b"i");
        assert_eq!(room, *b"\0\0\0\x02h");
    }

    #[test]
    fn flushing_goes_all_the_way_down() {
        let below = io::BufWriter::new(Vec::new());
        let mut writer = FrameWriter::new(below, &Profile::u32_be());
        writer.write_frame(b"").unwrap();
        assert!(writer.get_ref().get_ref().is_empty());
        writer.flush().unwrap();
        assert_eq!(writer.get_ref().get_ref(), &[0; 4]);
    }
}
