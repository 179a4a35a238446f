//! Taking new clients, whatever the system says to it, and waiting for the last ones at the end.

use super::Settings;
use super::group::{Down, Group, Inbox};
use crate::transport::{Caller, Listener, Stream};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

/// First pause after the system refused to accept: no descriptors left, say.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// No pause is longer, so that a server that has been short of something is soon back.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A server that is short of something for long does not fill its log with it.
const SILENCE: Duration = Duration::from_secs(10);

/// Accepts until `shutdown` is ready, and hands each client to a group, where `client` makes the future of it;
/// then waits for the clients as long as the settings say, and ends those that are left.
///
/// `client` is given the socket, its peer and a flag that is set at shutdown.
pub(super) async fn run<C, T>(
    listener: Listener,
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
    client: C,
) where
    C: Fn(Stream, Caller, Down) -> T + Clone + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let mut shutdown = pin!(shutdown);
    let groups = Groups::new(client);
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
            // Something was given back; perhaps it is what was missing.
            () = groups.gone.notified() => refusals.waive_pause(),
            accepted = accepted => match accepted {
                Ok((_, peer)) if groups.clients() >= settings.max_connections => {
                    refusals.end();
                    info!(%peer, "closed at once: there are as many clients as there may be");
                }
                Ok((stream, peer)) => {
                    refusals.end();
                    groups.add(stream, peer);
                }
                Err(error) => refusals.note(&error),
            },
        }
    }
    drop(listener);
    groups.go_down(settings.drain).await;
}

/// The clients, in one group for each thread of the runtime.
struct Groups {
    inboxes: Vec<Arc<Inbox>>,
    down: Down,
    gone: Arc<Notify>,
    tasks: JoinSet<()>,
}

impl Groups {
    fn new<C, T>(client: C) -> Self
    where
        C: Fn(Stream, Caller, Down) -> T + Clone + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let (down, gone) = (Down::default(), Arc::new(Notify::new()));
        let mut tasks = JoinSet::new();
        let start = |_| {
            let inbox = Arc::new(Inbox::new(Arc::clone(&gone)));
            let (client, down) = (client.clone(), down.clone());
            let client = move |stream, caller| client(stream, caller, down.clone());
            tasks.spawn(Group::serve(Arc::clone(&inbox), client));
            inbox
        };
        Self {
            inboxes: (0..threads()).map(start).collect(),
            down,
            gone,
            tasks,
        }
    }

    fn clients(&self) -> usize {
        self.inboxes.iter().map(|inbox| inbox.clients()).sum()
    }

    /// One more, to the smallest group.
    fn add(&self, stream: Stream, caller: Caller) {
        if let Some(inbox) = self.inboxes.iter().min_by_key(|inbox| inbox.clients()) {
            inbox.add(stream, caller);
        }
    }

    async fn go_down(mut self, drain: Duration) {
        info!(clients = self.clients(), "going down");
        self.down.set();
        self.inboxes.iter().for_each(|inbox| inbox.call_all());
        let drained = async {
            while self.clients() > 0 {
                self.gone.notified().await;
            }
        };
        if timeout(drain, drained).await.is_err() {
            warn!(clients = self.clients(), "not done in time: cut off");
        }
        self.tasks.shutdown().await;
    }
}

/// How many threads the runtime has.
fn threads() -> usize {
    let runtime = Handle::current();
    match runtime.runtime_flavor() {
        RuntimeFlavor::CurrentThread => 1,
        _ => runtime.metrics().num_workers(),
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
