//! A group of clients: one task that serves them all, each by a future of its own.
//!
//! A runtime has one group for each of its threads. In a group the sockets are watched together, and one in which something
//! happened costs a look-up and a turn of its future. With a task for each client it costs the runtime a lock, two
//! queues and the states of a task besides: 6 % of what a small frame costs there and back in a bare epoll loop, where a
//! group costs 1 to 2 %. A loop that is no task would spare these, and handlers could not wait for a timer or a socket then.
//!
//! A client's future may wait for whatever it likes: what wakes it rings its [`Bell`].

use crate::transport::{Caller, Stream};
#[cfg(unix)]
use crate::transport::{Readiness, Watch};
use slab::Slab;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::Notify;
use tracing::{debug, error};

/// Whether the server is going down. Who waits for it is called when it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Down(Arc<AtomicBool>);

impl Down {
    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) async fn come(&self) {
        poll_fn(|_| {
            if self.is() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What reaches a group from elsewhere.
#[derive(Default)]
pub(super) struct Inbox {
    letters: Mutex<Letters>,
    clients: AtomicUsize,
    /// Told of each client that has gone.
    gone: Arc<Notify>,
}

#[derive(Default)]
struct Letters {
    arrived: Vec<(Stream, Caller)>,
    /// Clients that are to have a turn.
    woken: Vec<usize>,
    /// All of them are.
    all: bool,
    /// The group, while it waits.
    task: Option<Waker>,
}

impl Inbox {
    pub(super) fn new(gone: Arc<Notify>) -> Self {
        Self {
            gone,
            ..Self::default()
        }
    }

    /// How many clients it has.
    pub(super) fn clients(&self) -> usize {
        self.clients.load(Ordering::Acquire)
    }

    /// One more.
    pub(super) fn add(&self, stream: Stream, caller: Caller) {
        self.clients.fetch_add(1, Ordering::AcqRel);
        self.put(|letters| letters.arrived.push((stream, caller)));
    }

    /// Calls every client.
    pub(super) fn call_all(&self) {
        self.put(|letters| letters.all = true);
    }

    fn put(&self, put: impl FnOnce(&mut Letters)) {
        let mut letters = self.letters();
        put(&mut letters);
        let task = letters.task.take();
        drop(letters);
        if let Some(task) = task {
            task.wake();
        }
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is; of what comes later the task is told.
    fn take(&self, task: &Waker) -> Letters {
        let mut letters = self.letters();
        let task = match letters.task.take() {
            Some(same) if same.will_wake(task) => same,
            _ => task.clone(),
        };
        let taken = std::mem::take(&mut *letters);
        letters.task = Some(task);
        taken
    }

    fn note_gone(&self) {
        self.clients.fetch_sub(1, Ordering::AcqRel);
        self.gone.notify_one();
    }
}

/// What is rung to have a client called.
struct Bell {
    number: usize,
    inbox: Arc<Inbox>,
    /// Not heard yet.
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.inbox.put(|letters| letters.woken.push(self.number));
        }
    }
}

struct Client<T> {
    future: Pin<Box<T>>,
    bell: Arc<Bell>,
    waker: Waker,
    #[cfg(unix)]
    readiness: Readiness,
}

/// See the [module](self). `client` makes the future of one that has connected.
pub(super) struct Group<C, T> {
    inbox: Arc<Inbox>,
    client: C,
    clients: Slab<Client<T>>,
    /// Without it, for want of a descriptor say, the runtime watches the sockets.
    #[cfg(unix)]
    watch: Option<Watch>,
}

impl<C, T> Group<C, T>
where
    C: Fn(Stream, Caller) -> T,
    T: Future<Output = ()>,
{
    /// Serves who comes into the inbox, until it is dropped.
    pub(super) async fn serve(inbox: Arc<Inbox>, client: C) {
        let mut group = Self {
            inbox,
            client,
            clients: Slab::new(),
            #[cfg(unix)]
            watch: Watch::new().ok(),
        };
        poll_fn(|cx| group.poll(cx)).await
    }

    /// One round: whoever is called before it has a turn in it, and only one.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let letters = self.inbox.take(cx.waker());
        for (stream, caller) in letters.arrived {
            self.welcome(stream, caller);
        }
        let called = match letters.all {
            true => self.clients.iter().map(|(number, _)| number).collect(),
            false => letters.woken,
        };
        for number in called {
            if let Some(client) = self.clients.get(number) {
                client.bell.rung.store(false, Ordering::Release);
            }
            self.turn(number);
        }
        #[cfg(unix)]
        self.turn_of_sockets(cx);
        Poll::Pending
    }

    fn welcome(&mut self, stream: Stream, caller: Caller) {
        let entry = self.clients.vacant_entry();
        let number = entry.key();
        #[cfg(unix)]
        let (stream, readiness) = match adopted(self.watch.as_ref(), stream, number) {
            Ok(adopted) => adopted,
            Err(error) => {
                debug!(%caller, %error, "cannot be watched");
                return self.inbox.note_gone();
            }
        };
        let bell = Arc::new(Bell {
            number,
            inbox: Arc::clone(&self.inbox),
            rung: AtomicBool::new(false),
        });
        entry.insert(Client {
            future: Box::pin((self.client)(stream, caller)),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            #[cfg(unix)]
            readiness,
        });
        self.turn(number);
    }

    #[cfg(unix)]
    fn turn_of_sockets(&mut self, cx: &mut Context<'_>) {
        let Some(watch) = &mut self.watch else { return };
        let events = match watch.poll_events(cx) {
            Poll::Pending => return,
            Poll::Ready(Ok(events)) => events,
            Poll::Ready(Err(error)) => return debug!(%error, "the system tells nothing of sockets"),
        };
        for (number, news) in events {
            if let Some(client) = self.clients.get(number) {
                client.readiness.note(news);
                turn(&mut self.clients, number, &self.inbox);
            }
        }
    }

    fn turn(&mut self, number: usize) {
        turn(&mut self.clients, number, &self.inbox);
    }
}

/// Lets a client go on, if it is there. One that fails takes no other along.
fn turn<T: Future<Output = ()>>(clients: &mut Slab<Client<T>>, number: usize, inbox: &Inbox) {
    let Some(client) = clients.get_mut(number) else {
        return;
    };
    let mut cx = Context::from_waker(&client.waker);
    let polled = catch_unwind(AssertUnwindSafe(|| client.future.as_mut().poll(&mut cx)));
    if matches!(polled, Ok(Poll::Pending)) {
        return;
    }
    let client = clients.try_remove(number);
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(client)));
    if polled.is_err() || dropped.is_err() {
        error!("what serves a connection has failed");
    }
    inbox.note_gone();
}

#[cfg(unix)]
fn adopted(
    watch: Option<&Watch>,
    stream: Stream,
    number: usize,
) -> std::io::Result<(Stream, Readiness)> {
    match watch {
        Some(watch) => watch.adopt(stream, number),
        None => Ok((stream, Readiness::default())),
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::Profile;
    use crate::server::{Echo, Server, Settings};
    use std::io;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    const GUARD: Duration = Duration::from_secs(20);

    const REQUEST: &[u8] = b"\0\0\0\x01\x31";

    async fn answered(client: &mut TcpStream) {
        let mut reply = [0; REQUEST.len()];
        client.read_exact(&mut reply).await.unwrap();
        assert_eq!(reply, REQUEST);
    }

    /// More than the system tells of at once; on one thread, so that none is served before all have asked.
    #[tokio::test]
    async fn all_that_ask_at_once_are_answered() -> io::Result<()> {
        let bound = Server::bind("127.0.0.1:0", Profile::u32_be(), Settings::default());
        let server = bound.await?;
        let addr = server.address()?.socket().unwrap();
        tokio::spawn(server.serve(Echo, std::future::pending()));
        let mut clients = Vec::new();
        for _ in 0..300 {
            let mut client = TcpStream::connect(addr).await?;
            client.write_all(REQUEST).await?;
            answered(&mut client).await;
            clients.push(client);
        }
        for client in &clients {
            assert_eq!(client.try_write(REQUEST)?, REQUEST.len());
        }
        for client in &mut clients {
            timeout(GUARD, answered(client)).await?;
        }
        Ok(())
    }
}
