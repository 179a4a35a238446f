//! A host and a port, as a user says them.

use super::NameError;
use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// A host, by name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl FromStr for HostPort {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text, 1)
    }
}

impl HostPort {
    /// The host, as it was said.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where to listen: port 0 leaves it to the system to choose one.
    ///
    /// # Errors
    /// If the text is no host and port.
    pub fn listening(text: &str) -> Result<Self, NameError> {
        Self::parse(text, 0)
    }

    pub(super) fn parse(text: &str, least_port: u16) -> Result<Self, NameError> {
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(NameError::Url(format!("{scheme}://")));
        }
        if let Some(rest) = text.strip_prefix('[') {
            return bracketed(rest, least_port);
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(NameError::BareIpv6);
        }
        if text.contains('/') {
            return Err(NameError::Path);
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| without_colon(text))?;
        if host.is_empty() {
            return Err(NameError::NoHost(port.to_owned()));
        }
        if host.contains(':') {
            return Err(NameError::BareIpv6);
        }
        if host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(NameError::BadHost);
        }
        Ok(Self {
            host: host.to_owned(),
            port: parse_port(port, least_port)?,
        })
    }
}

/// A single word is a host without a port, but a number is a port without a host.
fn without_colon(text: &str) -> NameError {
    match parse_port(text, 1) {
        Ok(port) => NameError::NoHost(port.to_string()),
        Err(_) => NameError::NoPort(text.to_owned()),
    }
}

fn bracketed(rest: &str, least_port: u16) -> Result<HostPort, NameError> {
    let (host, after) = rest.split_once(']').ok_or(NameError::BadIpv6)?;
    // A zone, as in fe80::1%eth0, is the resolver's to judge.
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(NameError::BadIpv6);
    }
    let port = after
        .strip_prefix(':')
        .ok_or_else(|| NameError::NoPort(format!("[{host}]")))?;
    Ok(HostPort {
        host: host.to_owned(),
        port: parse_port(port, least_port)?,
    })
}

fn parse_port(text: &str, least: u16) -> Result<u16, NameError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port >= least)
        .ok_or_else(|| NameError::BadPort(text.to_owned(), least))
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
    /// Its addresses, at least one, in the order in which they should be tried. A name is looked up, and the
    /// thread waits for that.
    ///
    /// # Errors
    /// If there is none, or the system cannot tell.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let unknown = |why: String| io::Error::other(format!("cannot find {:?}: {why}", self.host));
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found = Vec::from_iter(found.map_err(|error| unknown(error.to_string()))?);
        if found.is_empty() {
            return Err(unknown("the name has no address".to_owned()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, NameError> {
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
        use NameError::*;
        let bad = |port: &str| Err(BadPort(port.into(), 1));
        assert_eq!(parse("localhost"), Err(NoPort("localhost".into())));
        assert_eq!(parse(""), Err(NoPort("".into())));
        assert_eq!(parse("[::1]"), Err(NoPort("[::1]".into())));
        assert_eq!(parse(":80"), Err(NoHost("80".into())));
        assert_eq!(parse("80"), Err(NoHost("80".into())));
        assert_eq!(parse("failures/a.script"), Err(Path));
        assert_eq!(parse("a:"), bad(""));
        assert_eq!(parse("a:0"), bad("0"));
        assert!(HostPort::listening("a:0").is_ok());
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
        assert_eq!(target.resolve().unwrap(), ["[::1]:7060".parse().unwrap()]);
    }

    #[test]
    fn a_name_that_is_not_there_is_told() {
        let target: HostPort = "no-such-host.invalid:1".parse().unwrap();
        let error = target.resolve().unwrap_err();
        assert!(error.to_string().contains("no-such-host.invalid"));
    }
}
