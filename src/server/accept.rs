//! Taking new clients, whatever the system says to it, and waiting for the last ones at the end.

use super::Settings;
use crate::transport::{Caller, Listener, Stream};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

/// First pause after the system refused to accept: no descriptors left, say.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// No pause is longer, so that a server that has been short of something is soon back.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A server that is short of something for long does not fill its log with it.
const SILENCE: Duration = Duration::from_secs(10);

/// Accepts until `shutdown` is ready, starting `client` as a task of its own for each; then waits for
/// the tasks as long as the settings say, and ends those that are left.
///
/// `client` is given the socket, its peer and a flag that becomes true at shutdown.
pub(super) async fn run<C, T>(
    listener: Listener,
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
    client: C,
) where
    C: Fn(Stream, Caller, watch::Receiver<bool>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let mut shutdown = pin!(shutdown);
    let (down, is_down) = watch::channel(false);
    let mut clients = JoinSet::new();
    let mut refusals = Refusals::default();
    loop {
        let accepted = async {
            if let Some(pause) = refusals.pause() {
                sleep(pause).await;
            }
            listener.accept().await
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = clients.join_next() => {
                log_panic(ended);
                // Something was given back; perhaps it is what was missing.
                refusals.waive_pause();
            }
            accepted = accepted => match accepted {
                Ok((_, peer)) if clients.len() >= settings.max_connections => {
                    refusals.end();
                    info!(%peer, "closed at once: there are as many clients as there may be");
                }
                Ok((stream, peer)) => {
                    refusals.end();
                    clients.spawn(client(stream, peer, is_down.clone()));
                }
                Err(error) => refusals.note(&error),
            },
        }
    }
    drop(listener);
    info!(clients = clients.len(), "going down");
    // Without clients nobody is listening, and that is fine.
    let _ = down.send(true);
    let drained = async { while clients.join_next().await.is_some() {} };
    if timeout(settings.drain, drained).await.is_err() {
        warn!(clients = clients.len(), "not done in time: cut off");
    }
    clients.shutdown().await;
}

fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended.map_err(|error| error.to_string()) {
        error!(error, "a connection's task has failed");
    }
}

/// How the system has refused to accept lately.
#[derive(Default)]
struct Refusals {
    pause: Option<Duration>,
    waived: bool,
    warned: Option<Instant>,
}

impl Refusals {
    fn pause(&self) -> Option<Duration> {
        self.pause.filter(|_| !self.waived)
    }

    fn waive_pause(&mut self) {
        self.waived = true;
    }

    fn end(&mut self) {
        self.pause = None;
    }

    /// A connection that broke before it was accepted is no reason to wait.
    fn note(&mut self, error: &io::Error) {
        use ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(
            error.kind(),
            ConnectionAborted | ConnectionReset | Interrupted
        ) {
            debug!(%error, "gone before it was accepted");
            return;
        }
        if self.warned.is_none_or(|at| at.elapsed() >= SILENCE) {
            self.warned = Some(Instant::now());
            warn!(%error, "cannot accept; trying again until it works");
        }
        self.waived = false;
        self.pause = Some(self.pause.map_or(FIRST_PAUSE, |pause| {
            pause.saturating_mul(2).min(LONGEST_PAUSE)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_waived_once() {
        let mut refusals = Refusals::default();
        refusals.note(&ErrorKind::ConnectionAborted.into());
        assert_eq!(refusals.pause(), None);
        refusals.note(&io::Error::other("no descriptors"));
        assert_eq!(refusals.pause(), Some(FIRST_PAUSE));
        refusals.waive_pause();
        assert_eq!(refusals.pause(), None);
        for _ in 0..20 {
            refusals.note(&io::Error::other("no descriptors"));
        }
        assert_eq!(refusals.pause(), Some(LONGEST_PAUSE));
        refusals.end();
        assert_eq!(refusals.pause(), None);
    }
}
