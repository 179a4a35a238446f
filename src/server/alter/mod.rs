//! A server that can be altered: the reference server's behaviour, put together from replaceable steps.
//!
//! The reference server has no switches, so that nothing in it exists for the sake of tests. This one
//! is written to be read and bent instead: it takes one frame after the other off the socket, in plain
//! steps, and each step is one of the [`Hooks`]. With none of them replaced it says on the wire what the
//! reference server says; a test plays the same exchanges at both.

mod client;
mod door;
pub(super) mod honest;
mod hooks;

pub(super) use client::{Client, End, write};
pub(super) use door::{Admission, run};
pub(super) use hooks::{Body, Hooks, Malformed, Sizes};

use super::{Fault, Variant};
use std::fmt;

/// What a server does differently from the reference server.
///
/// Made from a [`Fault`] or a [`Variant`], or [`Alteration::NONE`].
#[derive(Clone, Copy)]
pub struct Alteration {
    /// What it is called.
    pub name: &'static str,
    plug: fn(&mut Hooks),
}

impl Alteration {
    /// None: the altered server behaves like the reference server.
    pub const NONE: Self = Self::new("none", |_| {});

    pub(super) const fn new(name: &'static str, plug: fn(&mut Hooks)) -> Self {
        Self { name, plug }
    }

    pub(super) fn plug(self, hooks: &mut Hooks) {
        (self.plug)(hooks);
    }
}

impl fmt::Debug for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alteration").field(&self.name).finish()
    }
}

impl From<&Fault> for Alteration {
    fn from(fault: &Fault) -> Self {
        fault.alteration()
    }
}

impl From<&Variant> for Alteration {
    fn from(variant: &Variant) -> Self {
        variant.alteration()
    }
}
