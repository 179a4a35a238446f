//! What the commands that use sockets have in common.

use super::exit::Failure;
use super::target::carried_to;
use super::tls::TrustArgs;
use crate::client::Client;
use crate::lang::{Text, say};
use crate::peer::runtime;
use crate::profile::Profile;
use crate::transport::{Name, Stream};
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// A runtime for a command that has one thing to do.
pub(crate) fn single() -> Result<Runtime, Failure> {
    started(runtime::of(Builder::new_current_thread()))
}

/// A runtime that uses all processors.
pub(crate) fn multi() -> Result<Runtime, Failure> {
    started(runtime::of(Builder::new_multi_thread()))
}

fn started(runtime: io::Result<Runtime>) -> Result<Runtime, Failure> {
    runtime.map_err(|error| Failure::could_not(say!("cannot start: {error}", error)))
}

/// A client of the target, connected within that time.
pub(crate) async fn connect(
    target: &Name,
    trust: &TrustArgs,
    profile: &Profile,
    limit: Duration,
) -> Result<Client, Failure> {
    let profile = &carried_to(target, profile.clone())?;
    let addresses = trust.addresses(target)?;
    let connecting = async {
        let stream = Stream::connect(&addresses).await?;
        Client::over(stream, profile).await
    };
    match timeout(limit, connecting).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(unreachable_target(target, &error)),
        Err(_) => Err(Failure::could_not(say!(
            "{target} did not answer within {limit}",
            target = target.to_string(),
            limit = format!("{limit:?}")
        ))
        .hint(say!(
            "check host, port and firewall, or give it longer with --timeout"
        ))),
    }
}

/// A name that is that of nobody.
pub(crate) fn unknown(error: &io::Error) -> Failure {
    Failure::could_not(error.to_string()).hint(say!(
        "check the spelling, or give the address itself, such as 127.0.0.1:7060"
    ))
}

/// The target cannot be reached: why, and what to try.
pub(crate) fn unreachable_target(target: &Name, error: &io::Error) -> Failure {
    let failure = Failure::could_not(say!(
        "cannot connect to {target}: {error}",
        target = target.to_string(),
        error
    ));
    failure.hint(unreachable_hint(target, error.kind()))
}

/// What to try where a target cannot be reached for such a reason.
pub(crate) fn unreachable_hint(target: &Name, why: io::ErrorKind) -> Text {
    match (target, why) {
        (_, io::ErrorKind::ConnectionRefused) => say!(
            "nothing listens there: start the server first, or conformance serve --listen {target}",
            target = target.to_string()
        ),
        (Name::Unix(_), io::ErrorKind::NotFound) => say!(
            "there is no such socket: check the path, or start the server first, or conformance serve --listen {target}",
            target = target.to_string()
        ),
        (Name::Tls(_), io::ErrorKind::InvalidData) => {
            say!(
                "--ca FILE names who has signed its certificate, --servername NAME what it is called there, and --insecure trusts anybody"
            )
        }
        (_, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            say!("compare what the server says first with exchange.prologue of the profile")
        }
        (Name::Unix(_), _) => say!("check the path, and who may use that socket"),
        (_, io::ErrorKind::Unsupported) => {
            say!("a profile without exchange.prologue, or another transport")
        }
        _ => say!("check host, port and firewall"),
    }
}
