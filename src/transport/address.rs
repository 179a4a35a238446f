//! Where a peer is reached, looked up.

use super::NameError;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where a peer is reached.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Address {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over UDP, where each frame is a datagram.
    Udp(SocketAddr),
    /// By a unix socket.
    Unix(SocketPath),
    /// Over TLS over TCP, as that client agrees with a server.
    #[cfg(feature = "tls")]
    Tls(SocketAddr, super::TlsClient),
}

impl Address {
    /// The address of a TCP or UDP socket, if it is one of these.
    #[must_use]
    pub const fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) | Self::Udp(address) => Some(*address),
            Self::Unix(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(..) => None,
        }
    }

    /// Whether each frame comes by itself there.
    #[must_use]
    pub const fn is_of_datagrams(&self) -> bool {
        matches!(self, Self::Udp(_))
    }

    /// Why a connection to it cannot be reset, if it cannot.
    #[must_use]
    pub const fn no_reset(&self) -> Option<&'static str> {
        match self {
            Self::Tcp(_) => None,
            Self::Udp(_) => Some("datagrams have no connection that could be reset"),
            Self::Unix(_) => Some("a unix socket cannot be reset"),
            #[cfg(feature = "tls")]
            Self::Tls(..) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Unix(path) => path.fmt(f),
            #[cfg(feature = "tls")]
            Self::Tls(address, _) => write!(f, "tls:{address}"),
        }
    }
}

/// What a unix socket is called: a file, or on Linux `@name`, of which there is no file.
///
/// There is none on systems without unix sockets, nor one that is too long for the system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SocketPath(PathBuf);

impl SocketPath {
    /// The one that the user has put behind `unix:`.
    pub(super) fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text == "@" {
            return Err(NameError::NoPath);
        }
        fits(text)?;
        Ok(Self(match text.strip_prefix('@') {
            // How the system knows it, and with it tokio.
            Some(name) => format!("\0{name}").into(),
            None => text.into(),
        }))
    }

    /// As the system is told of it.
    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }

    /// The file, where there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.name().is_none().then_some(&self.0)
    }

    fn name(&self) -> Option<&str> {
        self.0.to_str()?.strip_prefix('\0')
    }
}

impl fmt::Display for SocketPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "unix:@{name}"),
            None => write!(f, "unix:{}", self.0.display()),
        }
    }
}

#[cfg(unix)]
fn fits(text: &str) -> Result<(), NameError> {
    use std::os::unix::net::SocketAddr;
    let address = match text.strip_prefix('@') {
        Some(name) => without_file(name)?,
        None => SocketAddr::from_pathname(text),
    };
    let bad = |error: std::io::Error| NameError::BadPath(error.to_string());
    address.map(drop).map_err(bad)
}

#[cfg(not(unix))]
fn fits(_: &str) -> Result<(), NameError> {
    Err(NameError::NotHere("unix sockets"))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn without_file(name: &str) -> Result<std::io::Result<std::os::unix::net::SocketAddr>, NameError> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt as _;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt as _;
    Ok(std::os::unix::net::SocketAddr::from_abstract_name(name))
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn without_file(_: &str) -> Result<std::io::Result<std::os::unix::net::SocketAddr>, NameError> {
    Err(NameError::NotHere("unix sockets without a file"))
}
