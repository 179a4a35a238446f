//! Octets to frames and back: an encoder and an incremental zero-copy decoder for any profile.
//!
//! This room does no I/O, reads no clock, and knows nothing of what payloads mean. The [`Decoder`] is
//! given a buffer that grows as octets arrive and splits whole frames off its front; [`frames`] walks
//! over octets that are all there already, and only borrows them.
//!
//! - Waiting for more is a state, `Ok(None)`, and not an error.
//! - An error has a kind and the offset in the stream of the octet that is at fault, and it stays:
//!   a stream that has lost its framing is not read on.
//! - The limit on bodies is applied to the header alone. Nothing is ever reserved because a header
//!   claims it: memory follows the octets that arrived.
//! - A stream that ends anywhere but between two frames is truncated, and that includes its end
//!   exactly between a header and its body.
//!
//! ```
//! use bytes::BytesMut;
//! use framespec::{profile::Profile, wire::{Decoder, Encoder}};
//!
//! let profile = Profile::tutorial();
//! let mut stream = BytesMut::new();
//! Encoder::new(&profile).encode(b"\"hello\"", &mut stream)?;
//! assert_eq!(stream.len(), 64);
//!
//! let mut decoder = Decoder::new(&profile);
//! let mut arrived = stream.split_to(10);
//! assert_eq!(decoder.decode(&mut arrived)?, None);
//! arrived.unsplit(stream);
//! let frame = decoder.decode(&mut arrived)?.ok_or("a whole frame has arrived")?;
//! assert_eq!(frame.payload(), b"\"hello\"");
//! decoder.finish(&arrived)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "tokio-util")]
mod codec;
mod decoder;
mod encoder;
mod error;
mod format;
mod frame;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

#[cfg(feature = "tokio-util")]
pub use codec::Codec;
pub use decoder::{Decoder, Frames, frames};
pub use encoder::Encoder;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, Place, ReadError, WriteError};
pub use frame::{Frame, FrameRef};
