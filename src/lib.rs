//! Conformance and fuzzing for servers that speak length-prefixed frames, with the reference codec,
//! session, server and client that the checks are measured against.
//!
//! # The way of an octet
//!
//! ```text
//! profile ─► wire (octets ⇄ frames) ─► message ─► session ─► server, client
//!               script ─► run (script + live peer → transcript) ─► judge (model) ─► event ─► report
//! ```
//!
//! # Rooms
//!
//! | room | what is in it | feature |
//! |---|---|---|
//! | [`profile`] | what a wire format looks like: header, length, chunk, padding, limits | – |
//! | [`wire`] | encoder and incremental zero-copy decoder | – |
//! | [`message`] | payloads that have been found to mean something | `message` |
//! | [`session`] | the server's side of one connection as a state machine without I/O | `server` |
//! | [`server`] | sockets, tasks, limits and shutdown; the handler is a closure | `server` |
//! | [`client`] | connect, request, receive | `server` |

#![forbid(unsafe_code)]

#[cfg(feature = "suite")]
pub mod cases;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "server")]
pub mod client;
#[cfg(feature = "suite")]
pub mod event;
#[cfg(feature = "suite")]
pub mod expect;
#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "suite")]
pub mod judge;
#[cfg(feature = "suite")]
pub mod marks;
#[cfg(feature = "message")]
pub mod message;
#[cfg(feature = "suite")]
pub mod model;
pub mod profile;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod reproducer;
#[cfg(feature = "check")]
pub mod run;
#[cfg(feature = "suite")]
pub mod script;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "suite")]
pub mod shrink;
#[cfg(feature = "suite")]
pub mod spec;
#[cfg(feature = "suite")]
pub mod transcript;
pub mod wire;
