//! One client: a session and its socket.

use super::Handler;
use super::group::Down;
use crate::profile::{Profile, Speaker};
use crate::session::{End, Room, Session};
use crate::transport::Stream;
use crate::wire::Prologue;
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Sleep, sleep, sleep_until, timeout};

/// Octets that one read brings at most.
const ROOM: usize = 64 << 10;

/// A read that brought so much makes room for the other connections before it is followed by another.
const LARGE_READ: usize = 16 << 10;

/// What the connections of a thread share, as only one of them has its turn at a time.
struct Shared {
    /// What a read brings, until the session has taken it.
    brought: Vec<u8>,
    room: Room,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared { brought: vec![0; ROOM], room: Room::default() });
}

/// Octets that are still read, at most, once the server goes down: they have arrived before, most likely.
const MOST_AFTER_DOWN: usize = 256 << 10;

/// Octets that are discarded at the end, at most, from a client that goes on sending.
const MOST_DISCARDED: usize = 1 << 20;

/// Goes through the prologue with a client, in that time if there is a bound, and unless the server goes down.
///
/// # Errors
/// If the connection breaks or ends, something else comes than the prologue has, or it does not come in time.
pub(super) async fn begin(
    stream: &Stream,
    profile: &Profile,
    deadline: Option<Duration>,
    down: &Down,
) -> io::Result<()> {
    let late = async {
        match deadline {
            Some(deadline) => sleep(deadline).await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        begun = stream.begin(Prologue::new(profile, Speaker::Server)) => begun,
        () = down.come() => Err(io::ErrorKind::ConnectionAborted.into()),
        () = late => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Serves a client to the end of its connection, and returns how the end came.
///
/// Once it is down, what is here whole is answered, and the connection closed.
///
/// # Errors
/// If the connection broke: usually it was reset.
pub(super) async fn serve<H: Handler>(
    mut stream: Stream,
    mut session: Session,
    handler: &H,
    down: &Down,
    linger: Duration,
) -> io::Result<End> {
    let end = converse(&mut stream, &mut session, handler, down).await?;
    if end == End::Stuck {
        // What the kernel still holds for this client goes with it.
        stream.break_when_dropped();
    } else if end.may_be_sending() {
        drop(session);
        take_leave(&mut stream, linger).await?;
    }
    Ok(end)
}

/// Requests and replies, until the session sees its end.
async fn converse<H: Handler>(
    stream: &mut Stream,
    session: &mut Session,
    handler: &H,
    down: &Down,
) -> io::Result<End> {
    let mut down_seen = false;
    let mut after_down = 0_usize;
    let mut alarm = Alarm::default();
    loop {
        // All that a read brought is answered before anything is written: one write for all of it.
        answer(handler, session).await;
        if let Some(end) = session.poll_end() {
            return Ok(end);
        }
        let happened = poll_fn(|cx| match poll_socket(cx, stream, session) {
            Poll::Pending if stream.is_put_off() => Poll::Pending,
            Poll::Pending if !down_seen && down.is() => {
                down_seen = true;
                session.handle_shutdown(Instant::now());
                Poll::Ready(Ok(Happened::Woken))
            }
            Poll::Pending => alarm.poll(cx, session).map(Ok),
            ready => ready,
        });
        if let Happened::Read(octets) = happened.await? {
            // A client that never stops sending never lets the wait come to where this is noticed.
            if down.is() {
                after_down = after_down.saturating_add(octets);
                if after_down >= MOST_AFTER_DOWN {
                    session.handle_shutdown(Instant::now());
                }
            }
            if octets >= LARGE_READ {
                give_way().await;
            }
        }
    }
}

/// Lets others have their turn first.
async fn give_way() {
    let mut given = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Has the handler answer all requests for whose replies there is room.
pub(super) async fn answer<H: Handler>(handler: &H, session: &mut Session) {
    while let Some(request) = session.poll_request() {
        let reply = match request {
            Ok(message) => handler.reply(message).await,
            Err(why) => handler.undecodable(why),
        };
        session.handle_reply(reply);
    }
}

/// What ends a wait; the session has been told of it.
enum Happened {
    /// So many octets came; none if the client has ended its stream.
    Read(usize),
    /// Some of the replies went.
    Sent,
    /// Time has passed, or the server is going down.
    Woken,
}

fn poll_socket(
    cx: &mut Context<'_>,
    stream: &Stream,
    session: &mut Session,
) -> Poll<io::Result<Happened>> {
    let had_room = session.wants_input();
    if !session.poll_output().is_empty() {
        match stream.poll_write(cx, session.poll_output())? {
            Poll::Ready(sent) => {
                session.handle_sent(sent, Instant::now());
                // Where there was room for replies, no request waits for it that this has made.
                if !had_room || !session.poll_output().is_empty() {
                    return Poll::Ready(Ok(Happened::Sent));
                }
            }
            Poll::Pending if stream.is_put_off() => return Poll::Pending,
            Poll::Pending => {}
        }
    }
    SHARED.with_borrow_mut(|shared| {
        let read = poll_read(cx, stream, session, shared);
        if read.is_pending() {
            session.give_room_back(&mut shared.room);
        }
        read
    })
}

fn poll_read(
    cx: &mut Context<'_>,
    stream: &Stream,
    session: &mut Session,
    Shared { brought, room }: &mut Shared,
) -> Poll<io::Result<Happened>> {
    if !session.wants_input() {
        return Poll::Pending;
    }
    let octets = ready!(stream.poll_read(cx, brought))?;
    match brought.get(..octets) {
        None | Some([]) => session.handle_eof(Instant::now()),
        Some(brought) => {
            session.take_room(room);
            session.handle_input(brought, Instant::now());
        }
    }
    Poll::Ready(Ok(Happened::Read(octets)))
}

/// A timer that costs nothing until a session has a deadline to be woken at.
#[derive(Default)]
struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    fn poll(&mut self, cx: &mut Context<'_>, session: &mut Session) -> Poll<Happened> {
        let Some(deadline) = session.poll_timeout() else {
            return Poll::Pending;
        };
        let deadline = deadline.into();
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx).map(|()| {
            session.handle_timeout(Instant::now());
            Happened::Woken
        })
    }
}

/// Says that nothing more will come, and takes what the client still sends, for a while.
///
/// Closing a socket with octets unread resets the connection, and a reset can overtake the last
/// replies and destroy them.
async fn take_leave(stream: &mut Stream, linger: Duration) -> io::Result<()> {
    stream.shutdown().await?;
    let mut left = MOST_DISCARDED;
    let discard = async {
        let mut scratch = vec![0; 4 << 10];
        while left > 0 {
            match stream.read(&mut scratch).await? {
                0 => break,
                octets => left = left.saturating_sub(octets),
            }
        }
        Ok(())
    };
    timeout(linger, discard).await.unwrap_or(Ok(()))
}
