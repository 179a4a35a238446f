//! Transports: where a peer is reached, and streams of octets there and back.
//!
//! Whoever holds a [`Stream`] does not ask what carries it. It takes octets, brings octets, and ends in one
//! direction or in both. Over UDP what it takes and brings are datagrams, one at a time. What one kind of transport cannot do is a fact of its [`Address`], in one place.

mod address;
mod datagram;
mod host_port;
mod listener;
mod name;
#[cfg(unix)]
mod pipes;
mod prologue;
mod stream;
#[cfg(feature = "tls")]
mod tls;
#[cfg(all(unix, feature = "server"))]
mod watch;

pub use address::{Address, SocketPath};
pub use host_port::HostPort;
pub use listener::{Caller, Listener};
pub use name::{Name, NameError};
pub use prologue::take;
pub use stream::{ReadHalf, Stream, WriteHalf};
#[cfg(feature = "tls")]
pub use tls::{Identity, TlsClient, Trust};
#[cfg(all(unix, feature = "server"))]
pub(crate) use watch::{News, Readiness, Watch};
