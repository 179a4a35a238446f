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
use crate::transport::{News, Readiness, Watch};
use slab::Slab;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
#[cfg(unix)]
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
#[cfg(unix)]
use std::time::{Duration, Instant};
use tokio::sync::Notify;
#[cfg(unix)]
use tokio::task::yield_now;
use tracing::{debug, error};

/// Turns of clients before the runtime has its own. New clients and timers wait so long at most.
#[cfg(unix)]
const MOST_TURNS: usize = 64;

/// Clients whose replies wait until others have been answered too, and how long the first of them waits at most.
#[cfg(unix)]
const MOST_PUT_OFF: usize = 32;
#[cfg(unix)]
const LONGEST_PUT_OFF: Duration = Duration::from_micros(100);

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

/// The clients that are there, each under its number.
struct Clients<T> {
    inbox: Arc<Inbox>,
    there: Slab<Client<T>>,
    #[cfg(unix)]
    put_off: PutOff,
}

/// Those who have replies to send, and since when the first has.
#[cfg(unix)]
#[derive(Default)]
struct PutOff {
    numbers: Vec<usize>,
    since: Option<Instant>,
}

#[cfg(unix)]
impl PutOff {
    fn add(&mut self, number: usize) {
        self.numbers.push(number);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether no more should be added.
    fn is_due(&self) -> bool {
        let waited = self.since.map(|since| since.elapsed());
        self.numbers.len() >= MOST_PUT_OFF || waited.is_some_and(|waited| waited >= LONGEST_PUT_OFF)
    }
}

/// See the [module](self). `client` makes the future of one that has connected.
pub(super) struct Group<C, T> {
    client: C,
    clients: Clients<T>,
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
            client,
            clients: Clients {
                inbox,
                there: Slab::new(),
                #[cfg(unix)]
                put_off: PutOff::default(),
            },
            #[cfg(unix)]
            watch: Watch::new().ok(),
        };
        poll_fn(|cx| group.poll(cx)).await
    }

    /// Whoever is called before this has a turn in it, and then those in whose sockets something happens.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let letters = self.clients.inbox.take(cx.waker());
        for (stream, caller) in letters.arrived {
            self.welcome(stream, caller);
        }
        let called = match letters.all {
            true => self.clients.numbers(),
            false => letters.woken,
        };
        for number in called {
            self.clients.turn_of_called(number);
        }
        #[cfg(unix)]
        self.turns_of_sockets(cx);
        Poll::Pending
    }

    fn welcome(&mut self, stream: Stream, caller: Caller) {
        let clients = &mut self.clients;
        let entry = clients.there.vacant_entry();
        let number = entry.key();
        #[cfg(unix)]
        let (stream, readiness) = match adopted(self.watch.as_ref(), stream, number) {
            Ok(adopted) => adopted,
            Err(error) => {
                debug!(%caller, %error, "cannot be watched");
                return clients.inbox.note_gone();
            }
        };
        let bell = Arc::new(Bell {
            number,
            inbox: Arc::clone(&clients.inbox),
            rung: AtomicBool::new(false),
        });
        entry.insert(Client {
            future: Box::pin((self.client)(stream, caller)),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            #[cfg(unix)]
            readiness,
        });
        clients.turn(number);
    }

    /// Rounds for as long as the system has something to tell, up to a bound: the runtime has others to look after.
    #[cfg(unix)]
    fn turns_of_sockets(&mut self, cx: &mut Context<'_>) {
        let Some(watch) = &mut self.watch else { return };
        let mut turns = 0_usize;
        while turns < MOST_TURNS {
            let news = match watch.poll_news(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(news)) => news,
                Poll::Ready(Err(error)) => {
                    return debug!(%error, "the system tells nothing of sockets");
                }
            };
            turns = turns.saturating_add(self.clients.round(news));
        }
        // Called again, but not before the runtime has looked for what has happened elsewhere.
        let _ = pin!(yield_now()).poll(cx);
    }
}

impl<T: Future<Output = ()>> Clients<T> {
    fn numbers(&self) -> Vec<usize> {
        self.there.iter().map(|(number, _)| number).collect()
    }

    fn turn_of_called(&mut self, number: usize) {
        if let Some(client) = self.there.get(number) {
            client.bell.rung.store(false, Ordering::Release);
        }
        self.turn(number);
    }

    /// A turn for each client of which there is news; how many there were.
    ///
    /// What they have to send is sent when several have something, one right behind the other. One by one, each reply would
    /// wake who waits for it, who then has nothing to do but wait for the next.
    #[cfg(unix)]
    fn round(&mut self, news: impl Iterator<Item = (usize, News)>) -> usize {
        let (mut turns, mut news) = (0_usize, news.peekable());
        while let Some((number, happened)) = news.next() {
            turns = turns.saturating_add(1);
            let is_last = news.peek().is_none();
            self.turn_for_news(number, happened, is_last);
            if is_last || self.put_off.is_due() {
                self.send_put_off();
            }
        }
        turns
    }

    #[cfg(unix)]
    fn turn_for_news(&mut self, number: usize, news: News, is_last: bool) {
        if let Some(client) = self.there.get(number) {
            client.readiness.note(news);
            if !is_last {
                client.readiness.put_off();
            }
        }
        self.turn(number);
        let client = self.there.get(number);
        if client.is_some_and(|client| client.readiness.go_on()) {
            self.put_off.add(number);
        }
    }

    #[cfg(unix)]
    fn send_put_off(&mut self) {
        let mut put_off = std::mem::take(&mut self.put_off);
        for number in put_off.numbers.drain(..) {
            self.turn(number);
        }
        put_off.since = None;
        self.put_off = put_off;
    }

    /// Lets a client go on, if it is there. One that fails takes no other along.
    fn turn(&mut self, number: usize) {
        let Some(client) = self.there.get_mut(number) else {
            return;
        };
        let mut cx = Context::from_waker(&client.waker);
        let polled = catch_unwind(AssertUnwindSafe(|| client.future.as_mut().poll(&mut cx)));
        if matches!(polled, Ok(Poll::Pending)) {
            return;
        }
        let client = self.there.try_remove(number);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(client)));
        if polled.is_err() || dropped.is_err() {
            error!("what serves a connection has failed");
        }
        self.inbox.note_gone();
    }
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
