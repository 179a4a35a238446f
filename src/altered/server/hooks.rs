//! The steps that an altered server is put together from, and what they hand to one another.

use crate::altered::frame::{Body, Malformed, Sizes, Whole};
use crate::profile::Profile;
use crate::session::{Limits, Reply, Request};
use crate::wire::EncodeError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::ptr::fn_addr_eq;

/// What a step comes to in the end.
pub(crate) type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A step that waits.
type Step<C, T> = for<'a> fn(&'a mut C) -> Wait<'a, T>;

/// A step that is handed something and waits.
type StepWith<C, G, T> = for<'a> fn(&'a mut C, G) -> Wait<'a, T>;

/// The steps that are taken with a client `C`, in the order in which they are taken.
pub struct Steps<C> {
    /// Limits of each connection.
    pub(crate) limits: Limits,
    /// Clients that are served at the same time; others wait, connected.
    pub(crate) workers: usize,
    /// Whether one task serves all clients, in turns.
    pub(crate) in_one_task: bool,
    /// What becomes of a client at the door: its number, counted from 1 and never given twice, and how
    /// many there are already.
    pub(crate) admit: fn(usize, usize) -> Admission,
    /// What is read of a datagram, where each is a client: all of it if it is one frame, else nothing.
    pub(crate) datagram: fn(&mut C, Vec<u8>) -> Vec<u8>,
    /// Goes through what the connection begins with.
    pub(crate) begin: Step<C, Result<(), End>>,
    /// The whole conversation with a client.
    pub(crate) serve: Step<C, End>,
    /// The next frame's body.
    pub(crate) take: Step<C, Result<Body, End>>,
    /// The header's octets.
    pub(crate) header: Step<C, Result<Vec<u8>, End>>,
    /// The number in the length field.
    pub(crate) count: fn(&Profile, &[u8]) -> i128,
    /// The sizes that the number stands for, if the limits allow them.
    pub(crate) sizes: fn(&Profile, i128) -> Result<Sizes, Malformed>,
    /// That many octets of body, with the indexes of its chunks.
    pub(crate) body: StepWith<C, usize, Result<Vec<u8>, End>>,
    /// The chunks in a body as it came, without their indexes if those are right.
    pub(crate) chunks: fn(&mut C, Vec<u8>) -> Result<Vec<u8>, Malformed>,
    /// Whether the checksum of a frame is right.
    pub(crate) checksum: fn(&C, &Whole<'_>) -> bool,
    /// The payload in a body.
    pub(crate) payload: fn(&mut C, Body) -> Vec<u8>,
    /// The message in a payload.
    pub(crate) read: fn(&mut C, Vec<u8>) -> Request,
    /// What is said to it.
    pub(crate) answer: StepWith<C, Request, Result<Vec<Reply>, End>>,
    /// What is said to it if it is owed no reply.
    pub(crate) heed: StepWith<C, Request, Result<Vec<Reply>, End>>,
    /// The frame of a reply's payload.
    pub(crate) encode: fn(&mut C, &[u8]) -> Result<Vec<u8>, EncodeError>,
    /// Puts a frame on the wire.
    pub(crate) send: StepWith<C, Vec<u8>, Result<(), End>>,
    /// What becomes of an end that an exchange came to: it may be passed over.
    pub(crate) ended: StepWith<C, End, Result<(), End>>,
    /// Leaves a client.
    pub(crate) leave: StepWith<C, End, ()>,
}

impl<C> Steps<C> {
    /// Whether each of its steps is that of another, in the order of the fields.
    pub(super) fn agreeing(&self, other: &Self) -> Vec<bool> {
        vec![
            self.limits == other.limits,
            self.workers == other.workers,
            self.in_one_task == other.in_one_task,
            fn_addr_eq(self.admit, other.admit),
            fn_addr_eq(self.datagram, other.datagram),
            fn_addr_eq(self.begin, other.begin),
            fn_addr_eq(self.serve, other.serve),
            fn_addr_eq(self.take, other.take),
            fn_addr_eq(self.header, other.header),
            fn_addr_eq(self.count, other.count),
            fn_addr_eq(self.sizes, other.sizes),
            fn_addr_eq(self.body, other.body),
            fn_addr_eq(self.chunks, other.chunks),
            fn_addr_eq(self.checksum, other.checksum),
            fn_addr_eq(self.payload, other.payload),
            fn_addr_eq(self.read, other.read),
            fn_addr_eq(self.answer, other.answer),
            fn_addr_eq(self.heed, other.heed),
            fn_addr_eq(self.encode, other.encode),
            fn_addr_eq(self.send, other.send),
            fn_addr_eq(self.ended, other.ended),
            fn_addr_eq(self.leave, other.leave),
        ]
    }
}

impl<C> fmt::Debug for Steps<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").finish_non_exhaustive()
    }
}

/// What becomes of a client that has connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is served.
    Serve,
    /// It is closed upon.
    Refuse,
    /// Nobody ever looks at it.
    Ignore,
}

/// How a conversation ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The client has ended its stream.
    Eof {
        /// Whether that was inside a frame.
        inside: bool,
    },
    /// A header was malformed.
    Malformed,
    /// A frame was not finished in time.
    Late,
    /// The client did not take its replies in time.
    Stuck,
    /// The handler asked for it.
    Asked,
    /// The connection broke.
    Broken(io::Error),
    /// Nobody serves the client any more, and nobody closes its connection.
    Forgotten,
    /// The whole server has come to its end.
    Fatal,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}
