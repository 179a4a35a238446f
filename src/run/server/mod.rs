//! Servers as peers: how one is come by, the first look at it, and how a script is played at it.
//!
//! Silence is shown by the round trips of another client, the canary, and not by waiting. How long
//! something is waited for follows from the server's own round trip.

mod calibrate;
mod canary;
mod company;
mod datagrams;
mod forecast;
mod health;
mod opening;
mod pace;
mod pausing;
mod port;
mod scripts;
mod sending;
mod session;
mod target;
mod teardown;
mod unmet;

pub(super) use session::{HeldCanary, ServerPeer};
pub use target::{DEFAULT_STARTUP, NotStarted, ServerTarget};
pub(super) use unmet::NotServed;
pub use unmet::Unreachable;

/// The most connections that are open at the same time: as many clients as a server must serve.
pub const MOST_CONNECTIONS: usize = 16;

/// The most where it lets its clients wait, and is seen to bear so many.
const MOST_WAITING: usize = 48;
