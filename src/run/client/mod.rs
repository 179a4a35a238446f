//! Clients as peers: where they come from, the first look at one, and how a script is played to it.
//!
//! A client is either started anew for each script, in a process group of its own that is ended with the
//! script, or somebody else starts it and each connection that comes gets the next script. What it reads
//! is seen in what it prints or in what it sends next. Memory and time are bounded whatever it does, and
//! it is ended with everything that it has started.

mod calibrate;
mod process;
mod session;
mod target;

pub(super) use session::ClientPeer;
pub use target::{ClientTarget, Input, Listener, NoClient, Source, typed};
