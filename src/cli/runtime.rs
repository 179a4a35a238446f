//! What the commands that use sockets have in common.

use super::exit::Failure;
use super::host_port::HostPort;
use crate::client::Client;
use crate::profile::Profile;
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// A runtime for a command that has one thing to do.
pub(crate) fn single() -> Result<Runtime, Failure> {
    started(Builder::new_current_thread().enable_all().build())
}

/// A runtime that uses all processors.
pub(crate) fn multi() -> Result<Runtime, Failure> {
    started(Builder::new_multi_thread().enable_all().build())
}

fn started(runtime: io::Result<Runtime>) -> Result<Runtime, Failure> {
    runtime.map_err(|error| Failure::could_not(format!("cannot start: {error}")))
}

/// A client of the target, connected within that time.
pub(crate) async fn connect(
    target: &HostPort,
    profile: &Profile,
    limit: Duration,
) -> Result<Client, Failure> {
    let addresses = target.resolve()?;
    match timeout(limit, Client::connect(&addresses[..], profile)).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(unreachable_target(target, &error)),
        Err(_) => Err(
            Failure::could_not(format!("{target} did not answer within {limit:?}"))
                .hint("check host, port and firewall, or give it longer with --timeout"),
        ),
    }
}

/// The target cannot be reached: why, and what to try.
pub(crate) fn unreachable_target(target: &HostPort, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nothing listens there; conformance serve --listen {target} starts a server")
        }
        _ => "check host and port".to_owned(),
    };
    Failure::could_not(format!("cannot connect to {target}: {error}")).hint(hint)
}
