//! Where a peer is, as a user says it.

use super::{Address, HostPort, SocketPath};
use std::fmt;
use std::io;
use std::str::FromStr;

/// What stands before the path of a unix socket.
const UNIX: &str = "unix:";

/// What stands before a host and port that are spoken to over TLS.
const TLS: &str = "tls:";

/// What stands before a host and port that are spoken to in datagrams; alone, before none that is known yet.
const UDP: &str = "udp:";

/// A server's standard input and output.
const STDIO: &str = "stdio:";

/// Where a peer is, as a user says it: `host:port`, `[address]:port`, `tls:host:port`, `udp:host:port`, `unix:PATH` or
/// `stdio:`; and `udp:` where the port is chosen for a server that is started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Name {
    /// A host and a port, to be reached over TCP.
    Host(HostPort),
    /// A unix socket.
    Unix(SocketPath),
    /// The same over TLS.
    Tls(HostPort),
    /// The same over UDP.
    Udp(HostPort),
    /// UDP, at a port of this machine that is still to be chosen.
    SomeUdp,
    /// The standard input and output of a process.
    Stdio,
}

/// Why a text names no peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A host alone.
    #[error("there is no port in it: give host:port, such as {0}:7060")]
    NoPort(String),
    /// A port alone.
    #[error("there is no host in it: give host:port, such as localhost:{0}")]
    NoHost(String),
    /// Something with slashes.
    #[error(
        "that is a path, and a target is host:port, tls:host:port, udp:host:port, unix:PATH or stdio:, such as localhost:7060"
    )]
    Path,
    /// No number, or one that is out of bounds.
    #[error("{0:?} is no port: a port is a number from {1} to 65535")]
    BadPort(String, u16),
    /// Colons that could belong to either.
    #[error("an IPv6 address stands in brackets when a port follows: [::1]:7060")]
    BareIpv6,
    /// Brackets around something else.
    #[error("what stands in brackets must be an IPv6 address: [::1]:7060")]
    BadIpv6,
    /// A scheme in front.
    #[error(
        "a target is host:port, tls:host:port, udp:host:port, unix:PATH or stdio:, not a URL: leave out {0:?} and whatever follows the port"
    )]
    Url(String),
    /// Spaces, say.
    #[error("a host name holds no spaces or control characters")]
    BadHost,
    /// Nothing behind `unix:`.
    #[error("there is no path in it: give unix:PATH, such as unix:/run/server.sock")]
    NoPath,
    /// No path that a socket can have.
    #[error("no socket can have that path: {0}")]
    BadPath(String),
    /// Something that is not to be had on this system.
    #[error("this system has no {0}: give host:port, such as localhost:7060")]
    NotHere(&'static str),
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text, 1)
    }
}

impl Name {
    /// Where to listen: port 0 leaves it to the system to choose one.
    ///
    /// # Errors
    /// If the text names no such place.
    pub fn listening(text: &str) -> Result<Self, NameError> {
        Self::parse(text, 0)
    }

    fn parse(text: &str, least_port: u16) -> Result<Self, NameError> {
        if text == STDIO {
            return if cfg!(unix) {
                Ok(Self::Stdio)
            } else {
                Err(NameError::NotHere("pipes that are known of here"))
            };
        }
        if text == UDP {
            return Ok(Self::SomeUdp);
        }
        let after = |scheme: &str| {
            let rest = text.strip_prefix(scheme);
            // A host may be called so too.
            rest.filter(|rest| !is_port(rest))
        };
        if let Some(rest) = after(UNIX) {
            SocketPath::parse(rest).map(Self::Unix)
        } else if let Some(rest) = after(TLS) {
            tls(rest, least_port)
        } else if let Some(rest) = after(UDP) {
            HostPort::parse(rest, least_port).map(Self::Udp)
        } else {
            HostPort::parse(text, least_port).map(Self::Host)
        }
    }

    /// Its addresses, with whom to trust there and by what name to ask for it, if it is spoken to over TLS: by the
    /// name of its host, if by no other.
    ///
    /// # Errors
    /// If there is none, or the system cannot tell, or there is nobody to be trusted.
    #[cfg(feature = "tls")]
    pub fn resolve_for(
        &self,
        trust: &super::Trust,
        server: Option<&str>,
    ) -> io::Result<Vec<Address>> {
        let Self::Tls(host) = self else {
            return self.resolve();
        };
        let client = super::TlsClient::new(trust, server.unwrap_or_else(|| host.host()))?;
        let found = host.resolve()?.into_iter();
        let found = found.map(|address| Address::Tls(address, client.clone()));
        Ok(found.collect())
    }

    /// Its addresses, at least one, in the order in which they should be tried. A host is looked up, and the
    /// thread waits for that.
    ///
    /// # Errors
    /// If there is none, or the system cannot tell.
    pub fn resolve(&self) -> io::Result<Vec<Address>> {
        match self {
            Self::Host(host) => {
                let found = host.resolve()?;
                Ok(found.into_iter().map(Address::from).collect())
            }
            Self::Udp(host) => {
                let found = host.resolve()?;
                Ok(found.into_iter().map(Address::Udp).collect())
            }
            Self::Unix(path) => Ok(vec![Address::Unix(path.clone())]),
            Self::SomeUdp => Err(io::Error::other(
                "udp: alone has no host and no port: give udp:host:port",
            )),
            Self::Tls(_) => Err(io::Error::other(
                "of a server over TLS it has to be said whom to trust",
            )),
            Self::Stdio => Err(io::Error::other(
                "stdio: is no address that can be connected to",
            )),
        }
    }
}

#[cfg(feature = "tls")]
fn tls(text: &str, least_port: u16) -> Result<Name, NameError> {
    HostPort::parse(text, least_port).map(Name::Tls)
}

#[cfg(not(feature = "tls"))]
fn tls(_: &str, _: u16) -> Result<Name, NameError> {
    Err(NameError::NotHere(
        "TLS: the feature `tls` is not compiled in",
    ))
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Unix(path) => path.fmt(f),
            Self::Tls(host) => write!(f, "{TLS}{host}"),
            Self::Udp(host) => write!(f, "{UDP}{host}"),
            Self::SomeUdp => f.write_str(UDP),
            Self::Stdio => f.write_str(STDIO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, NameError> {
        text.parse::<Name>().map(|name| name.to_string())
    }

    #[test]
    fn a_host_named_unix_is_still_a_host() {
        assert!(matches!("unix:7060".parse(), Ok(Name::Host(_))));
        assert!(matches!("a:1".parse(), Ok(Name::Host(_))));
        assert!(matches!("udp:7060".parse(), Ok(Name::Host(_))));
    }

    #[test]
    fn udp_is_told_as_it_was_said() {
        assert_eq!(parse("udp:localhost:9").as_deref(), Ok("udp:localhost:9"));
        assert_eq!(parse("udp:[::1]:9").as_deref(), Ok("udp:[::1]:9"));
        assert_eq!(parse("udp:"), Ok("udp:".to_owned()));
        assert!(matches!(
            parse("udp:localhost:0"),
            Err(NameError::BadPort(..))
        ));
        assert!(matches!(Name::listening("udp:[::1]:0"), Ok(Name::Udp(_))));
    }

    #[cfg(unix)]
    #[test]
    fn paths_are_told_as_they_were_said() {
        for text in ["unix:/run/a.sock", "unix:a", "unix:./7060"] {
            assert!(matches!(text.parse(), Ok(Name::Unix(_))), "{text}");
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_without_a_file_are_told_as_they_were_said() {
        assert_eq!(parse("unix:@a b").as_deref(), Ok("unix:@a b"));
        assert_eq!(parse("unix:@"), Err(NameError::NoPath));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        assert_eq!(parse("unix:"), Err(NameError::NoPath));
        let long = format!("unix:/{}", "a".repeat(200));
        assert!(matches!(parse(&long), Err(NameError::BadPath(_))));
        assert!(matches!(parse("unix:/a\0b"), Err(NameError::BadPath(_))));
    }
}
