//! The world outside, as far as either role needs it: the other side's processes, its connections,
//! and a clock that counts only time in which somebody had a turn.
//!
//! Nothing here knows what is played. What is seen is told to observers, which belong to whoever plays:
//! a connection tells what comes on it, a group of processes what they say and how they end.

pub(crate) mod clock;
mod confine;
pub(crate) mod connection;
pub(crate) mod door;
pub(crate) mod drained;
pub(crate) mod group;
mod launch;
mod process;
pub(crate) mod regular;
pub(crate) mod runtime;
mod stderr;
pub(crate) mod unread;

#[cfg(target_os = "linux")]
pub use confine::Keeper;
pub use confine::{Confinement, Limits, Told};
pub use launch::{Launch, LaunchError};
pub use process::{Process, ProcessError};
pub(crate) use stderr::Stderr;
