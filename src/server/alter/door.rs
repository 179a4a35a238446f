//! The door of an altered server: taking clients, and what they all share.

use super::super::{Handler, Server, prepare};
use super::Alteration;
use super::client::{Client, Memory};
use super::hooks::{Hooks, Wait};
use crate::profile::Profile;
use crate::session::{Reply, Request};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Pause after the system refused to accept.
const PAUSE: Duration = Duration::from_millis(20);

/// What becomes of a client that has connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is served.
    Serve,
    /// It is closed upon.
    Refuse,
    /// Nobody ever looks at it.
    Ignore,
}

/// How far a server is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It takes clients.
    Open,
    /// It only serves those it has.
    Shut,
    /// It is gone.
    Down,
}

/// What is said to a request.
type Answer = Box<dyn Fn(Request) -> Wait<'static, Reply> + Send + Sync>;

/// What all clients of a server have in common.
pub(crate) struct Shared {
    pub(crate) profile: Profile,
    pub(crate) hooks: Hooks,
    pub(crate) answer: Answer,
    pub(crate) linger: Duration,
    /// Turns that are to be waited for: as many as there are [workers](Hooks::workers).
    turns: Arc<Semaphore>,
    /// One thing that only one client at a time can have.
    pub(crate) lock: tokio::sync::Mutex<()>,
    /// What altered steps remember from one client to another.
    memory: Mutex<Memory>,
    /// Sockets that altered steps keep.
    streams: Mutex<Vec<Arc<TcpStream>>>,
    stage: watch::Sender<Stage>,
}

impl Shared {
    fn new<H: Handler>(profile: Profile, hooks: Hooks, handler: H, linger: Duration) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(hooks.workers.min(Semaphore::MAX_PERMITS))),
            profile,
            hooks,
            answer: boxed(handler),
            linger,
            lock: tokio::sync::Mutex::new(()),
            memory: Mutex::default(),
            streams: Mutex::default(),
            stage: watch::Sender::new(Stage::Open),
        }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn streams(&self) -> MutexGuard<'_, Vec<Arc<TcpStream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No client is served any more but those that are already.
    pub(crate) fn take_no_turns(&self) {
        self.turns.close();
    }

    /// No more clients are taken.
    pub(crate) fn shut(&self) {
        self.reach(Stage::Shut);
    }

    /// The whole server ends.
    pub(crate) fn stop(&self) {
        self.reach(Stage::Down);
    }

    fn reach(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let further = *now < stage;
            *now = stage.max(*now);
            further
        });
    }
}

/// Serves with an alteration, until `shutdown` is ready or the alteration ends the server. All clients
/// are then dropped as they are.
pub(crate) async fn run<H: Handler>(
    server: Server,
    handler: H,
    alteration: Alteration,
    shutdown: impl Future<Output = ()>,
) {
    let Server {
        listener,
        profile,
        settings,
    } = server;
    let mut hooks = Hooks::honest(settings.limits);
    alteration.plug(&mut hooks);
    let most_connections = settings.max_connections;
    let shared = Arc::new(Shared::new(profile, hooks, handler, settings.linger));
    let mut stages = shared.stage.subscribe();
    let mut shutdown = pin!(shutdown);
    let mut clients = Clients::default();
    let mut listener = Some(listener);
    let mut number = 0_usize;
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = stages.changed() => match *stages.borrow_and_update() {
                Stage::Down => break,
                Stage::Shut => listener = None,
                Stage::Open => {}
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

fn boxed<H: Handler>(handler: H) -> Answer {
    let handler = Arc::new(handler);
    Box::new(move |request| {
        let handler = Arc::clone(&handler);
        Box::pin(async move {
            match request {
                Ok(message) => handler.reply(message).await,
                Err(why) => handler.undecodable(why),
            }
        })
    })
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
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
    fn meet(&mut self, shared: &Arc<Shared>, stream: TcpStream, number: usize, is_full: bool) {
        let admission = if is_full {
            Admission::Refuse
        } else {
            (shared.hooks.admit)(number, self.len())
        };
        prepare(&stream);
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

async fn serve(mut client: Client) {
    let hooks = client.hooks();
    let turns = Arc::clone(&client.shared.turns);
    let Ok(turn) = turns.acquire().await else {
        return std::future::pending().await;
    };
    let end = (hooks.serve)(&mut client).await;
    (hooks.leave)(&mut client, end).await;
    drop(turn);
}
