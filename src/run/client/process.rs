//! The client's process: how it is started, and what is noted of it.

use crate::peer::Launch;
use crate::peer::group::{Group, Streams};
use crate::run::log::Log;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Starts a client that connects to where somebody listens; what it says and how it ends goes to the log.
/// When it is to end it is made to, and not asked.
pub(super) fn start(launch: &Launch, listening: SocketAddr, log: &Arc<Log>) -> io::Result<Group> {
    let mut command = launch.command(to_connect(listening));
    // Python buffers what goes into a pipe, unless it is told not to.
    command.env("PYTHONUNBUFFERED", "1");
    let group = Group::start(command, Streams::All, log)?;
    Ok(group.with_grace(Duration::ZERO))
}

/// An address to connect to where somebody listens on this one.
fn to_connect(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::transcript::{Exit, Transcript};

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_client_is_typed_to_and_observed() {
        let log = Arc::new(Log::new(&Profile::tutorial(), 0));
        let command = "read line; echo \"{host} {port} $line\"; echo no >&2; exit 3";
        let listening = "0.0.0.0:7".parse().unwrap();
        let mut client = start(&command.parse().unwrap(), listening, &log).unwrap();
        client.types("hello", LONG).await;
        assert!(log.until(LONG, |_, program| program.is_gone()).await);
        let transcript = Transcript {
            entries: log.take(),
            ..Transcript::default()
        };
        assert_eq!(transcript.output(), "127.0.0.1 7 hello\n");
        assert_eq!(transcript.stderr(9), "no\n");
        assert_eq!(transcript.exit(), Some(Exit::Code(3)));
    }
}
