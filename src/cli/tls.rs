//! What is said of servers over TLS: whom to trust, and what a server shows for itself.

use super::command::CommandLine;
use super::exit::Failure;
use super::runtime::unknown;
use crate::lang::{Text, say};
use crate::transport::{Address, Name, Trust};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Whom to trust, of servers over TLS.
#[derive(Debug, clap::Args)]
pub(crate) struct TrustArgs {
    /// Trust a server over TLS whatever certificate it shows
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// Trust servers over TLS that have their certificate from one in this file (PEM)
    ///
    /// Those that the system trusts are not trusted then.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The name that a server over TLS is asked for and has to have, instead of its host
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
}

impl TrustArgs {
    /// Where the target is.
    pub(crate) fn addresses(&self, target: &Name) -> Result<Vec<Address>, Failure> {
        match target {
            Name::Stdio => Err(Failure::usage(
                say!("stdio: is the standard input and output of a command that --exec starts"),
            )
            .hint(
                say!("check, fuzz and replay take it; here, give host:port, tls:host:port, udp:host:port or unix:PATH"),
            )),
            Name::SomeUdp => Err(Failure::usage(
                say!("udp: alone is a server that --exec starts"),
            )
            .hint(say!("check, fuzz and replay take it; here, give udp:host:port"))),
            Name::Tls(_) => {
                let found = target.resolve_for(&self.trust()?, self.servername.as_deref());
                found.map_err(|error| self.wrong(&error))
            }
            _ if self.is_given() => Err(Failure::usage(say!("--insecure, --ca and --servername are for TLS, and {target} is spoken to without", target = target.to_string()))
            .hint(say!("tls:host:port as the target, or leave them out"))),
            _ => target.resolve().map_err(|error| unknown(&error)),
        }
    }

    fn wrong(&self, error: &io::Error) -> Failure {
        match (&self.ca, error.kind()) {
            (Some(file), io::ErrorKind::InvalidInput) => {
                let what = say!(
                    "--ca {file} and --servername: {error}",
                    file = file.display().to_string(),
                    error = Text::from(error.to_string()).heard()
                );
                Failure::usage(what).hint(say!(
                    "name a file in PEM, and a host by its name or address"
                ))
            }
            _ => unknown(error),
        }
    }

    fn is_given(&self) -> bool {
        self.insecure || self.ca.is_some() || self.servername.is_some()
    }

    fn trust(&self) -> Result<Trust, Failure> {
        Ok(match &self.ca {
            _ if self.insecure => Trust::Anybody,
            Some(file) => Trust::Signers(read("--ca", file)?),
            None => Trust::System,
        })
    }

    /// Adds what was said to a command line.
    pub(crate) fn add_to(&self, line: &mut CommandLine) {
        if self.insecure {
            line.word("--insecure");
        }
        line.option("--ca", self.ca.as_ref().map(|file| file.display()));
        line.option("--servername", self.servername.as_ref());
    }
}

/// A file that an option names.
pub(crate) fn read(option: &str, file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| {
        Failure::usage(format!("{option} {}: {error}", file.display()))
            .hint(say!("name a file in PEM"))
    })
}
