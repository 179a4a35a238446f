//! Why octets are no frames, and why a payload cannot become one.

use std::error::Error;
use std::fmt;
use std::io;

/// What is wrong with a stream, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where, in octets from the beginning of the stream: for a mark the first octet that differs,
    /// for a length the first octet of the length field, for a checksum or an index its first octet, for a truncation
    /// and for a frame that cannot be lent out the first octet of the frame.
    pub offset: u64,
}

/// The ways in which a stream is no sequence of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A fixed octet, in the header or behind the body, has another value.
    Mark,
    /// The octets of the length field are no number as the format writes it: too many, one that is no digit, or more
    /// than the number needs.
    Length,
    /// The length is negative.
    Negative,
    /// The length is smaller than the header octets that it covers.
    Underflow,
    /// The body is no whole number of chunks, or would end in an index.
    NotWholeChunks,
    /// The body is larger than the limit.
    OverLimit,
    /// The checksum of a whole frame is another than the one that belongs to its octets.
    Checksum,
    /// The index in front of a chunk is another than the one that belongs there.
    Index,
    /// A frame is whole and its payload lies in pieces between indexes, so that it cannot be lent out as it came.
    InPieces,
    /// The stream has ended inside a frame.
    Truncated {
        /// Where in the frame.
        place: Place,
    },
}

/// Where in a frame a stream has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Inside the header.
    Header,
    /// Exactly between header and body.
    Boundary,
    /// Inside the body.
    Body,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at octet {}: {}", self.offset, self.kind)
    }
}

impl Error for DecodeError {}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mark => "a fixed octet has another value",
            Self::Length => "the length is not written as the format has it",
            Self::Negative => "the length is negative",
            Self::Underflow => "the length is smaller than the header octets that it covers",
            Self::NotWholeChunks => "the body would be no whole number of chunks",
            Self::OverLimit => "the body would be larger than the limit",
            Self::Checksum => "the checksum is not the one of this frame",
            Self::Index => "the index in front of a chunk is not the one that belongs there",
            Self::InPieces => "the payload lies in pieces: such a frame cannot be borrowed",
            Self::Truncated { place } => match place {
                Place::Header => "the stream ends inside the header of this frame",
                Place::Boundary => "the stream ends between header and body of this frame",
                Place::Body => "the stream ends inside the body of this frame",
            },
        })
    }
}

/// Why a payload cannot be sent so that it would arrive as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body would be larger than the profile allows.
    OverLimit {
        /// The profile's limit on a body, in octets; or what a machine can address, if that is less.
        limit: u64,
    },
    /// The length field has no value for it.
    FieldTooNarrow {
        /// Octets of the length field.
        width: u8,
    },
    /// A count of chunks cannot express it.
    NotWholeChunks {
        /// Octets of a chunk.
        chunk: u32,
    },
    /// The receiver would take its last octets for padding.
    EndsInPad {
        /// The pad octet.
        pad: u8,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverLimit { limit } => {
                write!(
                    f,
                    "the body would be larger than the limit of {limit} octets"
                )
            }
            Self::FieldTooNarrow { width } => {
                write!(f, "the length does not fit into a field of {width} octets")
            }
            Self::NotWholeChunks { chunk } => {
                write!(
                    f,
                    "a count of {chunk}-octet chunks cannot express the length"
                )
            }
            Self::EndsInPad { pad } => {
                write!(
                    f,
                    "the payload ends in {pad:02x}, the octet that padding is made of"
                )
            }
        }
    }
}

impl Error for EncodeError {}

/// Why no frame could be read from a connection or a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// Reading failed. Nothing that had been read before is lost.
    Io(io::Error),
    /// What was read is no sequence of frames.
    Decode(DecodeError),
}

/// Why no frame could be written to a connection or a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// Writing failed.
    Io(io::Error),
    /// The payload fits in no frame.
    Encode(EncodeError),
}

/// An error that is one of two others, and shows nothing but that one.
macro_rules! either {
    ($either:ident: $($variant:ident($error:ty)),*) => {
        $(impl From<$error> for $either {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*

        impl fmt::Display for $either {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(error) => error.fmt(f),)*
                }
            }
        }

        impl Error for $either {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                match self {
                    $(Self::$variant(error) => error.source(),)*
                }
            }
        }
    };
}

either!(ReadError: Io(io::Error), Decode(DecodeError));
either!(WriteError: Io(io::Error), Encode(EncodeError));
