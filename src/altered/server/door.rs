//! The door of an altered server: taking clients.

use super::client::{Client, Hooks};
use super::hooks::{Admission, End, Wait};
use super::shared::{Phase, Shared};
use crate::server::{Handler, Server};
use crate::session::Limits;
use crate::transport::{Listener, Stream};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Pause after the system refused to accept.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves in these steps, until `shutdown` is ready or one of them ends the server. All clients are then
/// dropped as they are.
pub(crate) async fn run<H: Handler>(
    server: Server,
    handler: H,
    hooks: impl FnOnce(Limits) -> Hooks,
    shutdown: impl Future<Output = ()>,
) {
    let (listener, profile, settings) = server.into_parts();
    let hooks = hooks(settings.limits);
    let most_connections = settings.max_connections;
    let shared = Arc::new(Shared::new(profile, hooks, handler, settings.linger));
    let mut phases = shared.phase.subscribe();
    let mut shutdown = pin!(shutdown);
    let mut clients = Clients::default();
    let mut listener = Some(listener);
    let mut number = 0_usize;
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = phases.changed() => match *phases.borrow_and_update() {
                Phase::Down => break,
                Phase::Shut => listener = None,
                Phase::Open => {}
            },
            () = clients.progress() => {}
            accepted = accept(listener.as_ref()) => match accepted {
                Ok(stream) => {
                    number = number.saturating_add(1);
                    let is_full = clients.len() >= most_connections;
                    clients.meet(&shared, stream, number, is_full);
                }
                Err(_) => sleep(PAUSE).await,
            },
        }
    }
}

async fn accept(listener: Option<&Listener>) -> std::io::Result<Stream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// The clients that are being served: each by a task of its own, or all by this one.
#[derive(Default)]
struct Clients {
    tasks: JoinSet<()>,
    here: Vec<Wait<'static, ()>>,
}

impl Clients {
    fn len(&self) -> usize {
        self.tasks.len().saturating_add(self.here.len())
    }

    /// Does with a client that has connected what is to be done with it.
    fn meet(&mut self, shared: &Arc<Shared<Client>>, stream: Stream, number: usize, is_full: bool) {
        let admission = if is_full {
            Admission::Refuse
        } else {
            (shared.hooks.admit)(number, self.len())
        };
        stream.prepare_to_serve();
        let client = Client::new(Arc::clone(shared), stream, number);
        match admission {
            Admission::Serve => self.add(client),
            Admission::Refuse => drop(client),
            Admission::Ignore => shared.streams().push(client.stream),
        }
    }

    fn add(&mut self, client: Client) {
        if client.shared.hooks.in_one_task {
            self.here.push(Box::pin(serve(client)));
        } else {
            self.tasks.spawn(serve(client));
        }
    }

    /// Is ready when a client has gone.
    async fn progress(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let before = self.here.len();
        self.here
            .retain_mut(|client| client.as_mut().poll(cx).is_pending());
        match self.tasks.poll_join_next(cx) {
            Poll::Ready(Some(_)) => Poll::Ready(()),
            _ if self.here.len() < before => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

/// Goes through what the connection begins with, in the time of a frame.
async fn begin(client: &mut Client) -> Result<(), End> {
    let hooks = client.hooks();
    let limit = hooks.limits.frame_deadline;
    let begun = timeout(limit.unwrap_or(Duration::MAX), (hooks.begin)(client)).await;
    begun.unwrap_or(Err(End::Late))
}

async fn serve(mut client: Client) {
    let hooks = client.hooks();
    let turns = Arc::clone(&client.shared.turns);
    let Ok(turn) = turns.acquire().await else {
        return std::future::pending().await;
    };
    if client.profile().carriage().is_datagrams() {
        let datagram = client.whole_datagram().await;
        let octets = (hooks.datagram)(&mut client, datagram);
        client.inbox = octets.as_slice().into();
    }
    let end = match begin(&mut client).await {
        Ok(()) => (hooks.serve)(&mut client).await,
        Err(end) => end,
    };
    (hooks.leave)(&mut client, end).await;
    drop(turn);
}
