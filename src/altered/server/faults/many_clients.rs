//! Several clients at once: who waits for whom, and what gets from one to another.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::{Admission, End};
use super::reading::whole_frame;
use crate::altered::alteration::Mend;
use crate::altered::frame::Body;
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::session::{Reply, Request};
use crate::spec::Clause;
use crate::transport::Stream;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long one client may keep a reply from all others.
const GIVEN_UP: Duration = Duration::from_secs(1);

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("one-client-at-a-time", Clause::Concurrency, "",
        "A client is served when the one before it has gone.",
        Mend::by("Clients are served one after the other", "Serve each client in a thread or task of its own.", sketch::PER_CLIENT),
        |h| h.workers = 1),
    Fault::new("eight-workers", Clause::Concurrency, "",
        "Eight clients are served at the same time, and the ninth waits until one has gone.",
        Mend::by("No more than eight clients are served at a time", "Serve each client in a thread or task of its own, or have many more workers.", sketch::PER_CLIENT),
        |h| h.workers = 8),
    Fault::new("sixteenth-client-refused", Clause::Concurrency, "",
        "There is room for fifteen clients, and the next is closed upon.",
        Mend::by("The sixteenth client is turned away", "Make room for many more clients, and let the backlog of the listener be larger.", sketch::PER_CLIENT),
        |h| h.admit = |_, open| if open < 15 { Admission::Serve } else { Admission::Refuse }),

    Fault::new("door-held-until-the-first-frame", Clause::Isolation, "",
        "A client is let in when the one before it has sent its first frame.",
        Mend::by("A new client is accepted only when the last has sent a frame", "Accept in a loop that reads nothing, and read in a thread or task for each client.", sketch::PER_CLIENT),
        |h| h.take = |c| Box::pin(first_locked_take(c))),
    Fault::new("lock-held-while-reading", Clause::Isolation, "ws-rs#65",
        "A lock that all clients need is held from the first octet of a frame to its last.",
        Mend::by("A lock that all need is held while a frame is read", "Take locks only when the frame is whole, and release them before waiting for a client.", sketch::ISOLATE),
        |h| h.take = |c| Box::pin(locked_take(c))),
    Fault::new("lock-held-while-writing", Clause::Isolation, "",
        "A lock that all clients need is held until a reply has been taken by its client.",
        Mend::by("A lock that all need is held while a reply is written", "Release locks before writing to a client, which may read slowly.", sketch::ISOLATE),
        |h| h.send = |c, octets| Box::pin(locked_send(c, octets))),
    Fault::new("undecodable-ends-the-server", Clause::Isolation, "EternalTerminal#848",
        "What cannot be decoded ends the whole server.",
        Mend::by("A payload that cannot be decoded ends the whole server", "Catch the decoder's error where the frame is handled, and answer or close.", sketch::ISOLATE),
        |h| h.answer = |c, request| Box::pin(fatal_if_undecodable(c, request))).within(&[Room::Undecodable]),
    Fault::new("malformed-header-ends-the-server", Clause::Isolation, "actor-ts#587",
        "A header that no frame can have ends the whole server.",
        Mend::by("A header that is malformed ends the whole server", "Catch the error where the client is served, and close this connection only.", sketch::ISOLATE),
        |h| h.ended = |_, end| Box::pin(async { Err(fatal_if_malformed(end)) })),
    Fault::new("malformed-header-closes-everybody", Clause::Isolation, "",
        "A header that no frame can have gets all connections closed.",
        Mend::by("A header that is malformed closes all connections", "Close only the connection on which it came.", sketch::ISOLATE),
        |h| {
            h.serve = |c| Box::pin(listed(c));
            h.ended = |c, end| Box::pin(async { closing_all(c, &end); Err(end) });
        }),

    Fault::new("replies-to-whoever-spoke-last", Clause::Crosstalk, "",
        "A reply goes to the client whose frame began last.",
        Mend::by("Replies go to whoever spoke last", "Let each reply carry its connection along from the request, in no variable that all share.", sketch::OWN_STATE),
        |h| {
            h.take = |c| Box::pin(as_the_speaker(c));
            h.send = |c, octets| Box::pin(to_the_speaker(c, octets));
        }),
    Fault::new("replies-to-everybody", Clause::Crosstalk, "",
        "Each reply goes to all clients that are there, as in a chat.",
        Mend::by("Each reply goes to all clients", "Send a reply only on the connection that its request came on.", sketch::OWN_STATE),
        |h| {
            h.serve = |c| Box::pin(listed(c));
            h.send = |c, octets| Box::pin(to_everybody(c, octets));
        }),
    Fault::new("place-in-a-list", Clause::Crosstalk, "",
        "A client is known by its place in a list, from which those that go are taken, so that the others move up.",
        Mend::by("Clients that leave make others change places", "Know each client by its connection or by a number that is never used again.", sketch::OWN_STATE),
        |h| {
            h.serve = |c| Box::pin(in_a_list(c));
            h.send = |c, octets| Box::pin(to_its_place(c, octets));
        }),
    Fault::new("one-buffer-for-all", Clause::Crosstalk, "",
        "What comes from any client is put into one buffer, and whoever makes a frame whole is answered.",
        Mend::by("All clients share one buffer", "Give each connection a buffer of its own.", sketch::OWN_STATE),
        |h| h.take = |c| Box::pin(from_the_common_buffer(c))),
    Fault::new("request-in-a-global", Clause::Crosstalk, "",
        "The request that is being handled is kept where the next client's takes its place.",
        Mend::by("The request is kept in a global variable", "Hand the request on as an argument, or keep it with its connection.", sketch::OWN_STATE),
        |h| {
            h.read = into_the_global;
            h.answer = |c, request| Box::pin(from_the_global(c, request));
        }),

    Fault::new("left-over-for-the-next-client", Clause::Churn, "",
        "What a client left of an unfinished frame is put in front of what the next client sends.",
        Mend::by("The next client inherits an unfinished frame", "Give each connection a fresh buffer of its own.", sketch::OWN_STATE),
        |h| {
            h.serve = |c| Box::pin(with_left_over(c));
            h.take = |c| Box::pin(leaving_over(c));
        }),
    Fault::new("door-closed-behind-the-first", Clause::Churn, "",
        "When the first client goes, no more are taken.",
        Mend::by("No client is taken after the first has gone", "Accept in a loop that no connection's end can leave.", sketch::PER_CLIENT),
        |h| h.leave = |c, end| Box::pin(closing_the_door(c, end))),
    Fault::new("sixty-fifth-client-never-served", Clause::Churn, "",
        "The first sixty-four clients are served, one after the other or not, and no others.",
        Mend::by("No client is served after the sixty-fourth", "Give back the place of a client that has gone.", sketch::ALWAYS_CLOSE),
        |h| h.admit = |number, _| if number <= 64 { Admission::Serve } else { Admission::Ignore }),
    Fault::new("unfinished-clients-keep-their-place", Clause::Churn, "",
        "There are twenty places, and a client that breaks off inside a frame keeps its own for ever.",
        Mend::by("A client that breaks off inside a frame keeps its place", "Give back the place on every way out of the loop, an error's too.", sketch::ALWAYS_CLOSE),
        |h| {
            h.serve = |c| Box::pin(if_there_is_a_place(c));
            h.ended = |c, end| Box::pin(async { keeping_its_place(c, &end); Err(end) });
        }),
];

async fn first_locked_take(c: &mut Client) -> Result<Body, End> {
    let shared = Arc::clone(&c.shared);
    let _held = match c.frames {
        0 => Some(shared.lock.lock().await),
        _ => None,
    };
    honest::take(c).await
}

async fn locked_take(c: &mut Client) -> Result<Body, End> {
    c.wait_for_more().await;
    let shared = Arc::clone(&c.shared);
    let _held = shared.lock.lock().await;
    honest::take(c).await
}

async fn locked_send(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let shared = Arc::clone(&c.shared);
    let _held = shared.lock.lock().await;
    c.send_all(&octets).await
}

async fn fatal_if_undecodable(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if request.is_err() {
        return Err(End::Fatal);
    }
    honest::answer(c, request).await
}

fn fatal_if_malformed(end: End) -> End {
    match end {
        End::Malformed => End::Fatal,
        end => end,
    }
}

async fn listed(c: &mut Client) -> End {
    c.shared.streams().push(Arc::clone(&c.stream));
    let end = honest::serve(c).await;
    c.shared
        .streams()
        .retain(|stream| !Arc::ptr_eq(stream, &c.stream));
    end
}

fn closing_all(c: &Client, end: &End) {
    if matches!(end, End::Malformed) {
        for stream in c.shared.streams().iter() {
            stream.shut();
        }
    }
}

async fn as_the_speaker(c: &mut Client) -> Result<Body, End> {
    c.wait_for_more().await;
    *c.shared.streams() = vec![Arc::clone(&c.stream)];
    honest::take(c).await
}

async fn to_the_speaker(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let speaker = c.shared.streams().first().map(Arc::clone);
    to_another(c, speaker, octets).await
}

/// Sends on somebody's connection, or on the client's own if there is nobody.
async fn to_another(
    c: &mut Client,
    other: Option<Arc<Stream>>,
    octets: Vec<u8>,
) -> Result<(), End> {
    let own = Arc::clone(&c.stream);
    c.stream = other.unwrap_or_else(|| Arc::clone(&own));
    let sent = c.send_all(&octets).await;
    c.stream = own;
    sent
}

/// Sends to all, one after the other, and no two replies at once. Whoever takes nothing is given up on.
async fn to_everybody(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let shared = Arc::clone(&c.shared);
    let _held = shared.lock.lock().await;
    let own = Arc::clone(&c.stream);
    let all = shared.streams().clone();
    for other in all.into_iter().filter(|other| !Arc::ptr_eq(other, &own)) {
        c.stream = other;
        // It is gone, or reads nothing: that is no affair of the one who asked.
        let _ = timeout(GIVEN_UP, c.send_all(&octets)).await;
    }
    c.stream = own;
    c.send_all(&octets).await
}

async fn in_a_list(c: &mut Client) -> End {
    c.memory.count = c.shared.streams().len();
    listed(c).await
}

async fn to_its_place(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let place = c.shared.streams().get(c.memory.count).map(Arc::clone);
    to_another(c, place, octets).await
}

async fn from_the_common_buffer(c: &mut Client) -> Result<Body, End> {
    loop {
        {
            let shared = Arc::clone(&c.shared);
            let mut common = shared.memory();
            common.octets.extend(c.inbox.split());
            c.inbox.extend_from_slice(&common.octets);
            let taken = whole_frame(c);
            common.octets = c.inbox.split().to_vec();
            if taken.is_err() {
                common.octets.clear();
            }
            if let Some(body) = taken? {
                return Ok(body);
            }
        }
        if c.fill(4096).await? == 0 {
            return Err(End::Eof { inside: false });
        }
    }
}

fn into_the_global(c: &mut Client, payload: Vec<u8>) -> Request {
    c.shared.memory().octets.clone_from(&payload);
    honest::read(c, payload)
}

/// How long a request is handled.
const HANDLING: Duration = Duration::from_millis(3);

async fn from_the_global(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    sleep(HANDLING).await;
    let now = c.shared.memory().octets.clone();
    let request = request.and_then(|_| honest::read(c, now));
    honest::answer(c, request).await
}

async fn with_left_over(c: &mut Client) -> End {
    let left = std::mem::take(&mut c.shared.memory().octets);
    c.inbox.extend_from_slice(&left);
    honest::serve(c).await
}

async fn leaving_over(c: &mut Client) -> Result<Body, End> {
    loop {
        if let Some(body) = whole_frame(c)? {
            return Ok(body);
        }
        let end = match c.fill(4096).await {
            Ok(1..) => continue,
            Ok(_) => End::Eof {
                inside: !c.inbox.is_empty(),
            },
            Err(end) => end,
        };
        let left = c.inbox.split();
        if !left.is_empty() {
            c.shared.memory().octets = left.to_vec();
        }
        return Err(end);
    }
}

async fn closing_the_door(c: &mut Client, end: End) {
    if c.number == 1 {
        c.shared.shut();
    }
    honest::leave(c, end).await;
}

const PLACES: usize = 20;

async fn if_there_is_a_place(c: &mut Client) -> End {
    if c.shared.memory().count >= PLACES {
        return End::Asked;
    }
    honest::serve(c).await
}

fn keeping_its_place(c: &Client, end: &End) {
    let broken_off = matches!(end, End::Eof { inside: true } | End::Broken(_)) && c.is_inside();
    if broken_off {
        let mut memory = c.shared.memory();
        memory.count = memory.count.saturating_add(1);
    }
}
