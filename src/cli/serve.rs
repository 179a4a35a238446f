//! `conformance serve`: the reference server.

use super::alterations::AlterationArgs;
use super::durations::{Deadline, duration};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use super::target::carried_to;
use super::wire_format::{WireFormatArgs, octets};
use super::{out, runtime, tls};
use crate::altered::server::{self as altered, Alterations, Hooks};
use crate::profile::Profile;
use crate::server::{Echo, Handler, Server, Settings, Tutorial};
use crate::session::Limits;
use crate::transport::{Identity, Listener, Name, Stream};
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::{info, warn};

/// Run the reference server until SIGINT or SIGTERM; its address is the first line it prints
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen: host:port, tls:host:port, udp:host:port, unix:PATH or stdio:
    ///
    /// Port 0 lets the system choose, [::]:PORT takes IPv4 clients as well. Over udp: each frame is a datagram; stdio:
    /// serves whoever holds the other ends of the standard input and output, to whom no address is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7060", value_parser = Name::listening)]
    listen: Name,
    /// The certificate that is shown over TLS, with those of its signers behind it (PEM)
    ///
    /// If none is given, one is made, and its fingerprint told.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key to that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    #[command(flatten)]
    wire: WireFormatArgs,
    /// What to answer
    #[arg(long, value_enum, default_value_t = Answer::Echo)]
    reply: Answer,
    /// Clients at once; one more is closed as soon as it is accepted
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
    /// How long a frame may take from its first octet to its last, or never
    #[arg(long, value_name = "TIME", default_value = "30s")]
    frame_deadline: Deadline,
    /// How long a client may leave replies where they are, or never
    #[arg(long, value_name = "TIME", default_value = "30s")]
    write_deadline: Deadline,
    /// Octets of replies that may be unsent before a client is read no further; k, M and G may follow
    #[arg(long, value_name = "OCTETS", default_value = "256k", value_parser = octets)]
    max_unsent: u64,
    /// How long clients may take to fetch their last replies when the server goes down
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    drain: Duration,
    #[command(flatten)]
    altered: AlterationArgs<Hooks>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Answer {
    /// The message itself
    Echo,
    /// The sentence of the tutorial's server, with the message as Python prints it
    Tutorial,
}

impl ServeArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.altered.list()? {
            return Ok(Exit::Ok);
        }
        let profile = carried_to(&self.listen, self.wire.profile()?)?;
        raise_descriptor_limit(self.max_connections);
        runtime::multi()?.block_on(async {
            match self.reply {
                Answer::Echo => self.serve(profile, Echo).await,
                Answer::Tutorial => self.serve(profile, Tutorial).await,
            }
        })
    }

    async fn serve(self, profile: Profile, handler: impl Handler) -> Result<Exit, Failure> {
        // Before the address is out, so that nobody who knows it can be too early with a signal.
        let mut signals = Signals::new()?;
        let (listener, over) = self.listener()?;
        let server = Server::at(listener, profile, self.settings());
        let alterations = self.altered.chosen()?;
        if let Ok(address) = server.address() {
            out::line(address)?;
        }
        let mut again = Signals::new()?;
        let shutdown = async {
            tokio::select! {
                () = signals.next() => info!("told to stop; once more to stop at once"),
                () = told(over) => {}
            }
        };
        tokio::select! {
            () = serve(server, handler, alterations, shutdown) => {}
            () = async { again.next().await; again.next().await } => warn!("stopped at once"),
        }
        Ok(Exit::Ok)
    }

    /// Where to listen, and what tells that nobody will come any more, where that can be.
    fn listener(&self) -> Result<(Listener, Option<oneshot::Receiver<()>>), Failure> {
        let unknown = |error| runtime::unknown(&error);
        if self.cert.is_some() && !matches!(self.listen, Name::Tls(_)) {
            let what = format!(
                "--cert and --key are for TLS, and {} is without",
                self.listen
            );
            return Err(Failure::usage(what).hint("--listen tls:host:port, or leave them out"));
        }
        let (listener, over) = match &self.listen {
            Name::Stdio => {
                let (held, over) = oneshot::channel();
                (own_stdio(held), Some(over))
            }
            Name::Tls(host) => {
                let (at, identity) = (host.resolve().map_err(unknown)?, self.identity()?);
                (Listener::bind_tls(&at, identity), None)
            }
            name => (Listener::bind(&name.resolve().map_err(unknown)?), None),
        };
        let listener = listener.map_err(|error| cannot_listen(&self.listen, &error))?;
        Ok((listener, over))
    }

    /// What is shown over TLS.
    fn identity(&self) -> Result<Identity, Failure> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else {
            let made = Identity::made();
            let made = made.map_err(|error| {
                Failure::could_not(format!("cannot make a certificate: {error}"))
                    .hint("--cert and --key name one that is there")
            })?;
            out::note(format_args!(
                "certificate made for localhost, SHA-256 {}: clients need --insecure",
                made.fingerprint()
            ));
            return Ok(made);
        };
        let pem = (tls::read("--cert", cert)?, tls::read("--key", key)?);
        Identity::from_pem(&pem.0, &pem.1).map_err(|error| {
            let (cert, key) = (cert.display(), key.display());
            Failure::usage(format!("--cert {cert} --key {key}: {error}"))
                .hint("name a certificate and the key to it, both in PEM")
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            limits: Limits {
                max_unsent: usize::try_from(self.max_unsent).unwrap_or(usize::MAX),
                frame_deadline: self.frame_deadline.0,
                write_deadline: self.write_deadline.0,
            },
            max_connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
            drain: self.drain,
            ..Settings::default()
        }
    }
}

async fn serve(
    server: Server,
    handler: impl Handler,
    alterations: Option<Alterations>,
    shutdown: impl Future<Output = ()>,
) {
    match alterations {
        Some(alterations) => altered::serve(server, handler, alterations, shutdown).await,
        None => server.serve(handler, shutdown).await,
    }
}

/// Is ready when that is told, be it by words or by being dropped; never, if nobody tells.
async fn told(over: Option<oneshot::Receiver<()>>) {
    match over {
        Some(over) => drop(over.await),
        None => std::future::pending().await,
    }
}

/// The one client that is at the other ends of the standard input and output.
#[cfg(unix)]
fn own_stdio(held: oneshot::Sender<()>) -> io::Result<Listener> {
    use std::os::fd::AsFd as _;
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    // Whoever holds the other ends sees them end only when nothing here keeps them open.
    let nothing = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    Stream::over_pipes(stdin, stdout, held).map(Listener::only)
}

#[cfg(not(unix))]
fn own_stdio(_: oneshot::Sender<()>) -> io::Result<Listener> {
    Err(io::ErrorKind::Unsupported.into())
}

fn cannot_listen(listen: &Name, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        _ if matches!(listen, Name::Unix(_)) => {
            "a path that is not taken, in a folder that is there and may be written to"
        }
        _ if *listen == Name::Stdio => {
            "both have to be pipes, as conformance check --exec 'conformance serve --listen stdio:' stdio: makes them"
        }
        io::ErrorKind::AddrInUse => "another port, or port 0 for any that is free",
        io::ErrorKind::PermissionDenied => "a port from 1024 on",
        _ => "127.0.0.1:0, or an address of this machine",
    };
    Failure::could_not(format!("cannot listen on {listen}: {error}")).hint(hint)
}

/// Asks for as many descriptors as there may be clients. Where the system gives fewer, clients that are
/// too many wait until others have gone.
#[cfg(unix)]
fn raise_descriptor_limit(clients: u32) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// For the listener, the standard streams and the runtime.
    const OURS: u64 = 64;
    let wanted = u64::from(clients).saturating_add(OURS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current, maximum }) {
        warn!(%error, "cannot raise the limit on open files");
    }
}

#[cfg(not(unix))]
fn raise_descriptor_limit(_: u32) {}
