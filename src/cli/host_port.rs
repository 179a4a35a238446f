//! The peer that the user names on the command line.

use super::exit::Failure;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// A host, by name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPort {
    host: String,
    port: u16,
}

/// Why a text names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostPortError {
    #[error("there is no port in it: give host:port, such as {0}:7060")]
    NoPort(String),
    #[error("there is no host in it: give host:port, such as localhost:{0}")]
    NoHost(String),
    #[error("that is a path, and a target is host:port, such as localhost:7060")]
    Path,
    #[error("{0:?} is no port: a port is a number from {1} to 65535")]
    BadPort(String, u16),
    #[error("an IPv6 address stands in brackets when a port follows: [::1]:7060")]
    BareIpv6,
    #[error("what stands in brackets must be an IPv6 address: [::1]:7060")]
    BadIpv6,
    #[error("a target is host:port, not a URL: leave out {0:?} and whatever follows the port")]
    Url(String),
    #[error("a host name holds no spaces or control characters")]
    BadHost,
}

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        Self::parse(text, 1)
    }
}

/// Where to listen: port 0 leaves it to the system to choose one.
pub(crate) fn listen(text: &str) -> Result<HostPort, HostPortError> {
    HostPort::parse(text, 0)
}

impl HostPort {
    fn parse(text: &str, least_port: u16) -> Result<Self, HostPortError> {
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(HostPortError::Url(format!("{scheme}://")));
        }
        if let Some(rest) = text.strip_prefix('[') {
            return bracketed(rest, least_port);
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(HostPortError::BareIpv6);
        }
        if text.contains('/') {
            return Err(HostPortError::Path);
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| without_colon(text))?;
        if host.is_empty() {
            return Err(HostPortError::NoHost(port.to_owned()));
        }
        if host.contains(':') {
            return Err(HostPortError::BareIpv6);
        }
        if host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(HostPortError::BadHost);
        }
        Ok(Self {
            host: host.to_owned(),
            port: parse_port(port, least_port)?,
        })
    }
}

/// A single word is a host without a port, but a number is a port without a host.
fn without_colon(text: &str) -> HostPortError {
    match parse_port(text, 1) {
        Ok(port) => HostPortError::NoHost(port.to_string()),
        Err(_) => HostPortError::NoPort(text.to_owned()),
    }
}

fn bracketed(rest: &str, least_port: u16) -> Result<HostPort, HostPortError> {
    let (host, after) = rest.split_once(']').ok_or(HostPortError::BadIpv6)?;
    // A zone, as in fe80::1%eth0, is the resolver's to judge.
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(HostPortError::BadIpv6);
    }
    let port = after
        .strip_prefix(':')
        .ok_or_else(|| HostPortError::NoPort(format!("[{host}]")))?;
    Ok(HostPort {
        host: host.to_owned(),
        port: parse_port(port, least_port)?,
    })
}

fn parse_port(text: &str, least: u16) -> Result<u16, HostPortError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port >= least)
        .ok_or_else(|| HostPortError::BadPort(text.to_owned(), least))
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

impl HostPort {
    /// Its addresses, at least one, in the order in which they should be tried.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        let found = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map(Vec::from_iter);
        match found {
            Ok(addresses) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(self.unknown("the name has no address")),
            Err(error) => Err(self.unknown(&error.to_string())),
        }
    }

    fn unknown(&self, why: &str) -> Failure {
        Failure::could_not(format!("cannot find {:?}: {why}", self.host))
            .hint("check the spelling, or give the address itself, such as 127.0.0.1:7060")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, HostPortError> {
        text.parse::<HostPort>().map(|target| target.to_string())
    }

    #[test]
    fn hosts_and_ports_are_taken_apart() {
        for text in [
            "localhost:7060",
            "127.0.0.1:1",
            "[::1]:65535",
            "a-b.example:80",
        ] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        assert_eq!(parse("[fe80::1%lo]:9").as_deref(), Ok("[fe80::1%lo]:9"));
    }

    #[test]
    fn each_mistake_has_its_own_words() {
        use HostPortError::*;
        let bad = |port: &str| Err(BadPort(port.into(), 1));
        assert_eq!(parse("localhost"), Err(NoPort("localhost".into())));
        assert_eq!(parse(""), Err(NoPort("".into())));
        assert_eq!(parse("[::1]"), Err(NoPort("[::1]".into())));
        assert_eq!(parse(":80"), Err(NoHost("80".into())));
        assert_eq!(parse("80"), Err(NoHost("80".into())));
        assert_eq!(parse("failures/a.script"), Err(Path));
        assert_eq!(parse("a:"), bad(""));
        assert_eq!(parse("a:0"), bad("0"));
        assert!(listen("a:0").is_ok());
        assert_eq!(parse("a:+1"), bad("+1"));
        assert_eq!(parse("a:65536"), bad("65536"));
        assert_eq!(parse("a:http"), bad("http"));
        assert_eq!(parse("::1"), Err(BareIpv6));
        assert_eq!(parse("fe80::g:80"), Err(BareIpv6));
        assert_eq!(parse("[localhost]:80"), Err(BadIpv6));
        assert_eq!(parse("[::1"), Err(BadIpv6));
        assert_eq!(parse("http://a:80/"), Err(Url("http://".into())));
        assert_eq!(parse("a b:80"), Err(BadHost));
    }

    #[test]
    fn addresses_resolve_to_themselves() {
        let target: HostPort = "[::1]:7060".parse().unwrap();
        assert_eq!(target.resolve(), Ok(vec!["[::1]:7060".parse().unwrap()]));
    }

    #[test]
    fn a_name_that_is_not_there_is_could_not() {
        let target: HostPort = "no-such-host.invalid:1".parse().unwrap();
        let failure = target.resolve().unwrap_err();
        assert_eq!(failure.exit, super::super::exit::Exit::CouldNot);
        assert!(failure.what.contains("no-such-host.invalid"));
    }
}
