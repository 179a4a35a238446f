//! Octets to frames and back: an encoder and an incremental zero-copy decoder for any profile.
//!
//! There are three ways in, and one of them fits:
//!
//! - [`FrameReader`] and [`FrameWriter`] for anything that is [`Read`](std::io::Read) or
//!   [`Write`](std::io::Write);
//! - `Codec` (feature `tokio-util`) for `Framed` connections;
//! - [`Decoder`] and [`Encoder`] for whoever does the I/O. The decoder is given a buffer that grows as
//!   octets arrive, and splits whole frames off its front. For octets that are all there already,
//!   [`frames`] walks over them, and only borrows them.
//!
//! This room opens nothing, reads no clock, and knows nothing of what payloads mean. For all of them:
//!
//! - Waiting for more is a state, `Ok(None)`, and not an error.
//! - An error has a kind and the offset in the stream of the octet that is at fault, and it stays:
//!   a stream that has lost its framing is not read on.
//! - Where chunks have an index, each is compared as soon as it is whole. The payload of a frame is put together where its
//!   octets came, without them; what lends out frames as they came, [`frames`], [`Decoder::decode_ref`] and
//!   [`Decoder::decode_batch`], cannot do that and fails.
//! - The limit on bodies is applied to the header alone. Nothing is ever reserved because a header
//!   claims it: memory follows the octets that arrived.
//! - A stream that ends anywhere but between two frames is truncated, and that includes its end
//!   exactly between a header and its body.
//!
//! ```
//! use bytes::BytesMut;
//! use framespec::{profile::Profile, wire::{Decoder, Encoder}};
//!
//! let profile = Profile::u32_be();
//! let mut stream = BytesMut::new();
//! Encoder::new(&profile).encode(b"hello", &mut stream)?;
//! assert_eq!(&stream[..], b"\0\0\0\x05hello");
//!
//! let mut decoder = Decoder::new(&profile);
//! let mut arrived = stream.split_to(6);
//! assert_eq!(decoder.decode(&mut arrived)?, None);
//! arrived.unsplit(stream);
//! let frame = decoder.decode(&mut arrived)?.ok_or("a whole frame has arrived")?;
//! assert_eq!(frame.payload(), b"hello");
//! decoder.finish(&arrived)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod checksum;
mod chunk;
#[cfg(feature = "tokio-util")]
mod codec;
mod decoder;
mod encoder;
mod error;
mod format;
mod frame;
mod index;
mod layout;
mod length;
mod prologue;
#[cfg(test)]
mod properties;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use batch::{Batch, BatchFrames};
#[cfg(feature = "altered")]
pub(crate) use checksum::sum;
#[cfg(feature = "tokio-util")]
pub use codec::Codec;
pub use decoder::{Decoder, Frames, frames};
pub use encoder::Encoder;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, Place, ReadError, WriteError};
pub use frame::{Frame, FrameRef};
pub use prologue::{Prologue, PrologueError, PrologueStep};
pub use reader::FrameReader;
pub use writer::FrameWriter;
