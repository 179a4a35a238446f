//! Peers with planted faults, and peers that are different as they may be: what the suite is measured with.
//!
//! The reference server has no switches, so that nothing in it exists for the sake of tests. What is here
//! is written to be read and bent instead: plain steps, each of which can be replaced. With none of them
//! replaced a peer says on the wire what the reference says; a [`Fault`] replaces a step or two by
//! what real software got wrong, a [`Variant`] by what the protocol leaves open.

mod alteration;
pub mod client;
mod frame;
mod room;
pub mod server;
mod sketch;
#[cfg(test)]
mod tests;
mod text;

pub use alteration::{
    Alterable, Alteration, Alterations, Clash, Fault, Mend, Need, Theme, Variant,
};
pub use room::Room;
pub use sketch::Sketch;
