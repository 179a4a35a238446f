//! The steps that an altered server is put together from.

use super::client::{Client, End};
use super::door::Admission;
use super::honest;
use crate::profile::Profile;
use crate::session::{Limits, Reply, Request};
use crate::wire::EncodeError;
use std::future::Future;
use std::pin::Pin;

/// What a step comes to in the end.
pub(crate) type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A step that waits.
type Step<T> = for<'a> fn(&'a mut Client) -> Wait<'a, T>;

/// A step that is handed something and waits.
type StepWith<G, T> = for<'a> fn(&'a mut Client, G) -> Wait<'a, T>;

/// The steps, in the order in which they are taken.
#[derive(Clone)]
pub(crate) struct Hooks {
    /// Limits of each connection.
    pub(crate) limits: Limits,
    /// Clients that are served at the same time; others wait, connected.
    pub(crate) workers: usize,
    /// Whether one task serves all clients, in turns.
    pub(crate) in_one_task: bool,
    /// What becomes of a client at the door: its number, counted from 1 and never given twice, and how
    /// many there are already.
    pub(crate) admit: fn(usize, usize) -> Admission,
    /// The whole conversation with a client.
    pub(crate) serve: Step<End>,
    /// The next frame's body.
    pub(crate) take: Step<Result<Body, End>>,
    /// The header's octets.
    pub(crate) header: Step<Result<Vec<u8>, End>>,
    /// The number in the length field.
    pub(crate) count: fn(&Profile, &[u8]) -> i128,
    /// The sizes that the number stands for, if the limits allow them.
    pub(crate) sizes: fn(&Profile, i128) -> Result<Sizes, Malformed>,
    /// That many octets of body.
    pub(crate) body: StepWith<usize, Result<Vec<u8>, End>>,
    /// The payload in a body.
    pub(crate) payload: fn(&mut Client, Body) -> Vec<u8>,
    /// The message in a payload.
    pub(crate) read: fn(&mut Client, Vec<u8>) -> Request,
    /// What is said to it.
    pub(crate) answer: StepWith<Request, Result<Vec<Reply>, End>>,
    /// The frame of a reply's payload.
    pub(crate) encode: fn(&mut Client, &[u8]) -> Result<Vec<u8>, EncodeError>,
    /// Puts a frame on the wire.
    pub(crate) send: StepWith<Vec<u8>, Result<(), End>>,
    /// What becomes of an end that an exchange came to: it may be passed over.
    pub(crate) ended: StepWith<End, Result<(), End>>,
    /// Leaves a client.
    pub(crate) leave: StepWith<End, ()>,
}

impl Hooks {
    /// Those of the reference server.
    pub(crate) fn honest(limits: Limits) -> Self {
        Self {
            limits,
            workers: usize::MAX,
            in_one_task: false,
            admit: |_, _| Admission::Serve,
            serve: |c| Box::pin(honest::serve(c)),
            take: |c| Box::pin(honest::take(c)),
            header: |c| Box::pin(honest::header(c)),
            count: honest::count,
            sizes: honest::sizes,
            body: |c, octets| Box::pin(honest::body(c, octets)),
            payload: honest::payload,
            read: honest::read,
            answer: |c, request| Box::pin(honest::answer(c, request)),
            encode: honest::encode,
            send: |c, octets| Box::pin(honest::send(c, octets)),
            ended: |_, end| Box::pin(async { Err(end) }),
            leave: |c, end| Box::pin(honest::leave(c, end)),
        }
    }
}

/// A body and, where the header tells that, how much of it is payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) octets: Vec<u8>,
    pub(crate) payload: Option<usize>,
}

/// The size of a body and, where the header tells that, of the payload in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) body: usize,
    pub(crate) payload: Option<usize>,
}

/// A header that no frame can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;
