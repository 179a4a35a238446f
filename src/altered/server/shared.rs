//! What all clients of an altered server have in common.

use super::hooks::{Steps, Wait};
use crate::profile::Profile;
use crate::server::Handler;
use crate::session::{Reply, Request};
use crate::transport::Stream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, watch};

/// What an altered step remembers until the next. An honest one leaves it alone.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) octets: Vec<u8>,
    pub(crate) count: usize,
    pub(crate) flag: bool,
    /// The id of a request, by whom it is kept is the step's affair.
    pub(crate) id: Option<u64>,
    /// Replies that are still to be sent, by whom is the step's affair.
    pub(crate) queue: Option<UnboundedSender<Vec<u8>>>,
}

/// How far a server is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
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
pub(crate) struct Shared<C> {
    pub(crate) profile: Profile,
    pub(crate) hooks: Arc<Steps<C>>,
    pub(crate) answer: Answer,
    pub(crate) linger: Duration,
    /// Turns that are to be waited for: as many as there are [workers](Steps::workers).
    pub(super) turns: Arc<Semaphore>,
    /// One thing that only one client at a time can have.
    pub(crate) lock: tokio::sync::Mutex<()>,
    /// What altered steps remember from one client to another.
    memory: Mutex<Memory>,
    /// Sockets that altered steps keep.
    streams: Mutex<Vec<Arc<Stream>>>,
    pub(super) phase: watch::Sender<Phase>,
}

impl<C> Shared<C> {
    pub(super) fn new<H: Handler>(
        profile: Profile,
        hooks: Steps<C>,
        handler: H,
        linger: Duration,
    ) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(hooks.workers.min(Semaphore::MAX_PERMITS))),
            profile,
            hooks: Arc::new(hooks),
            answer: boxed(handler),
            linger,
            lock: tokio::sync::Mutex::new(()),
            memory: Mutex::default(),
            streams: Mutex::default(),
            phase: watch::Sender::new(Phase::Open),
        }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn streams(&self) -> MutexGuard<'_, Vec<Arc<Stream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No client is served any more but those that are already.
    pub(crate) fn take_no_turns(&self) {
        self.turns.close();
    }

    /// No more clients are taken.
    pub(crate) fn shut(&self) {
        self.reach(Phase::Shut);
    }

    /// The whole server ends.
    pub(crate) fn stop(&self) {
        self.reach(Phase::Down);
    }

    fn reach(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let further = *now < phase;
            *now = phase.max(*now);
            further
        });
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
