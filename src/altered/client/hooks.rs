//! The steps that an altered client is put together from, and what they hand to one another.

use crate::altered::frame::{Body, Malformed, Sizes};
use crate::message::{Message, Undecodable};
use crate::profile::Profile;
use crate::wire::EncodeError;
use std::fmt;
use std::io;
use std::ptr::fn_addr_eq;

/// The steps that are taken with one half `H` of a client, in the order in which they are taken.
pub struct Steps<H> {
    /// The whole conversation, from the connection to its end.
    pub(crate) converse: fn(H) -> Over,
    /// The payload that a line becomes.
    pub(crate) compose: fn(&mut H, &str) -> Vec<u8>,
    /// The frame of a request's payload.
    pub(crate) encode: fn(&mut H, &[u8]) -> Result<Vec<u8>, EncodeError>,
    /// Puts a frame on the wire.
    pub(crate) send: fn(&mut H, Vec<u8>) -> io::Result<()>,
    /// What is left to do for the half that sends when it can send no more.
    pub(crate) unsent: fn(&mut H, io::Error) -> Over,
    /// The next reply's body.
    pub(crate) take: fn(&mut H) -> Result<Body, End>,
    /// The header's octets.
    pub(crate) header: fn(&mut H) -> Result<Vec<u8>, End>,
    /// The number in the length field.
    pub(crate) count: fn(&Profile, &[u8]) -> i128,
    /// The sizes that the number stands for, if the limits allow them.
    pub(crate) sizes: fn(&Profile, i128) -> Result<Sizes, Malformed>,
    /// That many octets of body.
    pub(crate) body: fn(&mut H, usize) -> Result<Vec<u8>, End>,
    /// The payload in a body.
    pub(crate) payload: fn(&mut H, Body) -> Vec<u8>,
    /// The message in a payload.
    pub(crate) read: fn(&mut H, Vec<u8>) -> Result<Message, Undecodable>,
    /// Shows a reply.
    pub(crate) show: fn(&mut H, Message),
    /// What becomes of a reply that is no message.
    pub(crate) undecodable: fn(&mut H, Undecodable) -> Result<(), End>,
    /// What becomes of an end that reading came to: it may be passed over.
    pub(crate) ended: fn(&mut H, End) -> Result<(), End>,
    /// Gives the connection up.
    pub(crate) leave: fn(&mut H, End) -> Over,
}

impl<H> Steps<H> {
    /// Whether each of its steps is that of another, in the order of the fields.
    pub(super) fn agreeing(&self, other: &Self) -> Vec<bool> {
        vec![
            fn_addr_eq(self.converse, other.converse),
            fn_addr_eq(self.compose, other.compose),
            fn_addr_eq(self.encode, other.encode),
            fn_addr_eq(self.send, other.send),
            fn_addr_eq(self.unsent, other.unsent),
            fn_addr_eq(self.take, other.take),
            fn_addr_eq(self.header, other.header),
            fn_addr_eq(self.count, other.count),
            fn_addr_eq(self.sizes, other.sizes),
            fn_addr_eq(self.body, other.body),
            fn_addr_eq(self.payload, other.payload),
            fn_addr_eq(self.read, other.read),
            fn_addr_eq(self.show, other.show),
            fn_addr_eq(self.undecodable, other.undecodable),
            fn_addr_eq(self.ended, other.ended),
            fn_addr_eq(self.leave, other.leave),
        ]
    }
}

impl<H> fmt::Debug for Steps<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").finish_non_exhaustive()
    }
}

/// How a client's work is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It got all that it asked for.
    Well,
    /// It did not.
    Badly,
}

/// How a conversation ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The server has ended its stream.
    Eof {
        /// Whether that was inside a reply.
        inside: bool,
    },
    /// A header was malformed.
    Malformed,
    /// A reply took too long.
    Late,
    /// A reply was no message, and that is enough.
    Refused,
    /// The connection broke.
    Broken(io::Error),
    /// Everything that was asked for has come.
    Done,
    /// Nobody reads any more, and nobody closes the connection.
    Forgotten,
    /// The process dies of it.
    Fatal,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}
