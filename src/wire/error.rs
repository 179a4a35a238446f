//! Why octets are no frames, and why a payload cannot become one.

use std::fmt;

/// What is wrong with a stream, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at octet {offset}: {kind}")]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where, in octets from the beginning of the stream: for a mark the first octet that differs,
    /// for a length the first octet of the length field, for a truncation the first octet of the
    /// frame that is not whole.
    pub offset: u64,
}

/// The ways in which a stream is no sequence of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A fixed octet of the header has another value.
    Mark,
    /// The length is negative.
    Negative,
    /// The length is smaller than the header octets that it covers.
    Underflow,
    /// The body is no whole number of chunks.
    NotWholeChunks,
    /// The body is larger than the limit.
    OverLimit,
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

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mark => "a fixed octet of the header has another value",
            Self::Negative => "the length is negative",
            Self::Underflow => "the length is smaller than the header octets that it covers",
            Self::NotWholeChunks => "the body would be no whole number of chunks",
            Self::OverLimit => "the body would be larger than the limit",
            Self::Truncated { place } => match place {
                Place::Header => "the stream ends inside the header of this frame",
                Place::Boundary => "the stream ends between header and body of this frame",
                Place::Body => "the stream ends inside the body of this frame",
            },
        })
    }
}

/// Why a payload cannot be sent so that it would arrive as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The body would be larger than the profile allows.
    #[error("the body would be larger than the limit of {limit} octets")]
    OverLimit {
        /// The profile's limit on a body, in octets; or what a machine can address, if that is less.
        limit: u64,
    },
    /// The length field has no value for it.
    #[error("the length does not fit into a field of {width} octets")]
    FieldTooNarrow {
        /// Octets of the length field.
        width: u8,
    },
    /// A count of chunks cannot express it.
    #[error("a count of {chunk}-octet chunks cannot express the length")]
    NotWholeChunks {
        /// Octets of a chunk.
        chunk: u32,
    },
    /// The receiver would take its last octets for padding.
    #[error("the payload ends in {pad:02x}, the octet that padding is made of")]
    EndsInPad {
        /// The pad octet.
        pad: u8,
    },
}
