//! Requests and replies: how many, in which order, and when.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use super::reading::{more, whole_frame};
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::session::{Reply, Request};
use crate::spec::Clause;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Octets that an event loop reads at once.
const ONE_READ: usize = 64 << 10;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("first-request-answered-twice", Clause::OneReply, "",
        "The first request of a connection is answered twice.",
        Mend::by("The first request of a connection is answered twice", "Send each reply in one place only.", sketch::ONE_REPLY),
        |h| h.answer = |c, request| Box::pin(first_twice(c, request))),
    Fault::new("every-tenth-reply-twice", Clause::OneReply, "",
        "The tenth request of a connection, and each tenth behind it, is answered twice.",
        Mend::by("Every tenth reply is sent twice", "Send each reply in one place only, and repeat none unasked.", sketch::ONE_REPLY),
        |h| h.answer = |c, request| Box::pin(tenth_twice(c, request))),
    Fault::new("answered-twice-if-another-waits", Clause::OneReply, "",
        "A request behind which another has come already is answered twice.",
        Mend::by("Requests that arrive together are answered twice", "Send each reply in one place only, whatever else has arrived.", sketch::ONE_REPLY),
        |h| h.answer = |c, request| Box::pin(twice_before_another(c, request))),
    Fault::new("same-request-answered-once", Clause::OneReply, "",
        "A request like the one before it is taken for a repetition and not answered.",
        Mend::by("A request equal to the one before gets no reply", "Answer each frame, whatever it says: equal requests are two requests.", sketch::ONE_REPLY),
        |h| {
            h.read = noting_repetition;
            h.answer = |c, request| Box::pin(unless_repeated(c, request));
        }),
    Fault::new("closed-with-input-unread", Clause::OneReply, "sledge#389, true-async/server#284",
        "Behind a malformed header the socket is closed with what has arrived unread, so that the system resets it and drops the replies that are queued.",
        Mend::by("Closing with input unread destroys replies that are queued", "Shut down the sending side, read what still comes for a while, and close then.", sketch::LAST_WORDS),
        |h| h.leave = |c, end| Box::pin(without_reading_on(c, end))),
    Fault::new("closed-behind-one-read-more", Clause::OneReply, "",
        "Behind a malformed header the socket is closed with no more read than one read brings, as an event loop leaves it: what has not been read resets it, and drops the replies that are queued.",
        Mend::by("Closing with much input unread destroys replies that are queued", "Shut down the sending side, read what still comes for a while, and close then.", sketch::LAST_WORDS),
        |h| h.leave = |c, end| Box::pin(with_one_read_more(c, end))),
    Fault::new("large-request-unanswered", Clause::OneReply, "",
        "Requests of more than 24 KiB are read and not answered.",
        Mend::by("Requests above 24 KiB get no reply", "Answer every request within the limit, and close upon what is above.", sketch::ONE_REPLY),
        |h| h.answer = |c, request| Box::pin(unless_large(c, request))),

    Fault::new("pairs-swapped", Clause::Order, "",
        "Of two requests that arrive together the second is answered first.",
        Mend::by("Of two requests the second is answered first", "Send replies in the order in which their requests came.", sketch::ONE_REPLY),
        |h| h.send = |c, octets| Box::pin(behind_the_next(c, octets))).within(&[Room::RepliesInOrder]),
    Fault::new("small-overtakes-large", Clause::Order, "",
        "A reply of more than 10 KiB is sent when no other request is left.",
        Mend::by("Small replies overtake large ones", "Put replies into one queue for each connection, and send them in that order.", sketch::ONE_REPLY),
        |h| h.send = |c, octets| Box::pin(small_ones_first(c, octets))).within(&[Room::RepliesInOrder]),
    Fault::new("small-overtakes-very-large", Clause::Order, "",
        "A reply of more than 256 KiB is sent when no other request is left.",
        Mend::by("Small replies overtake very large ones", "Put replies into one queue for each connection, and send them in that order.", sketch::ONE_REPLY),
        |h| h.send = |c, octets| Box::pin(small_ones_before_very_large(c, octets))).within(&[Room::RepliesInOrder]),
    Fault::new("errors-answered-late", Clause::Order, "",
        "What is said to a payload that cannot be decoded is sent behind the next reply.",
        Mend::by("The reply to an undecodable payload comes behind the next one", "Send complaints by the same queue as all other replies.", sketch::ONE_REPLY),
        |h| {
            h.read = noting_errors;
            h.send = |c, octets| Box::pin(errors_behind_the_next(c, octets));
        }).within(&[Room::RepliesInOrder, Room::Undecodable]),

    Fault::new("rest-of-a-read-waits", Clause::Pipelining, "sipnab#95",
        "One frame is handled for each read; what else it brought waits until the next brings something.",
        Mend::by("Only one frame is handled for each read", "Handle every whole frame that is there before reading again.", sketch::KEEP_THE_REST),
        |h| h.take = |c| Box::pin(one_for_each_read(c))),
    Fault::new("input-flushed-before-each-reply", Clause::Pipelining, "",
        "Whatever has arrived by the time of a reply is dropped.",
        Mend::by("Input that has arrived is dropped before a reply", "Never clear the input: what is in it are the client's next requests.", sketch::KEEP_THE_REST),
        |h| h.send = |c, octets| Box::pin(with_flush(c, octets))),
    Fault::new("eight-requests-in-a-queue", Clause::Pipelining, "",
        "Of requests that arrive together the ninth and all behind it are dropped.",
        Mend::by("Requests beyond the eighth are dropped", "Stop reading while the queue is full, instead of dropping what does not fit.", sketch::BACKPRESSURE),
        |h| h.take = |c| Box::pin(eight_at_most(c))),

    Fault::new("greeting", Clause::Unsolicited, "",
        "A client is greeted by a frame as soon as it has connected, unless it is quick to ask.",
        Mend::by("A client is sent a frame before it has asked anything", "Send replies to requests and nothing else.", sketch::ONE_REPLY),
        |h| h.serve = |c| Box::pin(with_greeting(c))),
    Fault::new("header-acknowledged", Clause::Unsolicited, "",
        "A header that comes without its body is acknowledged by a frame.",
        Mend::by("A header is acknowledged before its body has come", "Send nothing until the whole request has come.", sketch::ONE_REPLY),
        |h| h.header = |c| Box::pin(acknowledged(c))),
    Fault::new("leave-for-a-large-body", Clause::Unsolicited, "",
        "A header that claims more than 10 KiB is answered by leave to go on.",
        Mend::by("A large header is answered before its body has come", "Send nothing until the whole request has come.", sketch::ONE_REPLY),
        |h| h.body = |c, wanted| Box::pin(with_leave(c, wanted))),
    Fault::new("half-a-header-complained-of", Clause::Unsolicited, "",
        "A client of which only a part of a header is here is told to go on.",
        Mend::by("A frame is sent while a header is incomplete", "Wait for the rest, and send nothing until the whole request has come.", sketch::ONE_REPLY),
        |h| h.header = |c| Box::pin(urged(c))),
    Fault::new("question-behind-the-second-reply", Clause::Unsolicited, "",
        "The second reply of a connection is followed by a question of the server's own.",
        Mend::by("The server asks something of its own", "Send replies to requests and nothing else.", sketch::ONE_REPLY),
        |h| h.answer = |c, request| Box::pin(with_question(c, request))),
    Fault::new("reply-before-the-padding", Clause::Unsolicited, "",
        "A message is answered as soon as its text is complete, before the rest of its body has come.",
        Mend::by("The reply is sent before the whole body has come", "Read to the end of the body before anything is answered.", sketch::ONE_REPLY),
        |h| {
            h.body = |c, wanted| Box::pin(as_soon_as_it_reads(c, wanted));
            h.answer = |c, request| Box::pin(unless_answered(c, request));
        }).within(&[Room::Padding]),
    Fault::new("late-second-reply", Clause::Unsolicited, "CVE-2023-28858",
        "The first reply on a connection comes once more, 30 ms later.",
        Mend::by("A reply is sent once more a little later", "Send each reply once, and forget it then.", sketch::ONE_REPLY),
        |h| h.send = |c, octets| Box::pin(once_more(c, octets))),
    Fault::new("heartbeat", Clause::Unsolicited, "",
        "A client that has been served and is silent for 60 ms is sent a frame.",
        Mend::by("A silent client is sent frames", "Send replies to requests and nothing else.", sketch::ONE_REPLY),
        |h| h.take = |c| Box::pin(with_heartbeat(c))),

    Fault::new("hundredth-request-unanswered", Clause::Persistence, "",
        "The hundredth request of a connection gets no reply.",
        Mend::by("The hundredth request gets no reply", "Answer every request of a connection, however many there were.", sketch::PERSIST),
        |h| h.answer = |c, request| Box::pin(unless_the_hundredth(c, request))),
    Fault::new("closes-after-one-reply", Clause::Persistence, "",
        "A connection is closed when it has had one reply.",
        Mend::by("The connection is closed after one reply", "Read the next request where the first was answered, and close when the client has ended its stream.", sketch::PERSIST),
        |h| h.take = |c| Box::pin(so_many_times(c, 1))),
    Fault::new("closes-after-a-hundred", Clause::Persistence, "",
        "A connection is closed when it has had a hundred replies.",
        Mend::by("The connection is closed after a hundred replies", "Keep the connection until the client ends it.", sketch::PERSIST),
        |h| h.take = |c| Box::pin(so_many_times(c, 100))),
    Fault::new("closes-after-a-thousand", Clause::Persistence, "",
        "A connection is closed when it has had a thousand replies.",
        Mend::by("The connection is closed after a thousand replies", "Keep the connection until the client ends it.", sketch::PERSIST),
        |h| h.take = |c| Box::pin(so_many_times(c, 1000))),
    Fault::new("idle-for-60-ms-is-gone", Clause::Persistence, "",
        "A client that is silent for 60 ms between frames is closed upon.",
        Mend::by("A client that is silent for 60 ms is closed upon", "Let a client be silent between frames for as long as it likes.", sketch::PERSIST),
        |h| h.take = |c| Box::pin(while_not_idle(c, SILENCE))),
    Fault::new("deadline-of-3-s-set-once", Clause::Persistence, "go-proxyproto#75",
        "The time that a request may take is set when the client connects and never again, so that a busy connection ends after three seconds.",
        Mend::by("A deadline that is set once ends a busy connection after 3 s", "Set the deadline anew for each frame, when its first octet comes.", sketch::FRAME_DEADLINE),
        |h| h.serve = |c| Box::pin(no_longer_than(c, Duration::from_secs(3)))).needing(Need::Time),
    Fault::new("deadline-of-30-s-set-once", Clause::Persistence, "",
        "A connection has half a minute from its beginning on, however busy it is.",
        Mend::by("A deadline that is set once ends a busy connection after 30 s", "Set the deadline anew for each frame, when its first octet comes.", sketch::FRAME_DEADLINE),
        |h| h.serve = |c| Box::pin(no_longer_than(c, Duration::from_secs(30)))).needing(Need::Time),
    Fault::new("idle-for-a-second-is-gone", Clause::Persistence, "",
        "A client that is silent for a second between frames is closed upon.",
        Mend::by("A client that is silent for a second is closed upon", "Let a client be silent between frames for as long as it likes.", sketch::PERSIST),
        |h| h.take = |c| Box::pin(while_not_idle(c, SECOND))).needing(Need::Time),
];

async fn without_reading_on(c: &mut Client, end: End) {
    if !matches!(end, End::Malformed) {
        honest::leave(c, end).await;
    }
}

async fn with_one_read_more(c: &mut Client, end: End) {
    if !matches!(end, End::Malformed) {
        return honest::leave(c, end).await;
    }
    let mut scratch = vec![0; ONE_READ];
    // Nothing may be there.
    let read = c.stream.read(&mut scratch);
    let _ = timeout(Duration::from_millis(10), read).await;
}

async fn no_longer_than(c: &mut Client, time: Duration) -> End {
    let served = timeout(time, honest::serve(c)).await;
    served.unwrap_or(End::Asked)
}

async fn first_twice(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let mut replies = honest::answer(c, request).await?;
    if c.frames == 1 {
        replies.extend(replies.clone());
    }
    Ok(replies)
}

async fn tenth_twice(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let mut replies = honest::answer(c, request).await?;
    if c.frames.is_multiple_of(10) {
        replies.extend(replies.clone());
    }
    Ok(replies)
}

async fn twice_before_another(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let mut replies = honest::answer(c, request).await?;
    if c.has_another() {
        replies.extend(replies.clone());
    }
    Ok(replies)
}

fn noting_repetition(c: &mut Client, payload: Vec<u8>) -> Request {
    c.memory.flag = c.memory.octets == payload;
    c.memory.octets.clone_from(&payload);
    honest::read(c, payload)
}

async fn unless_repeated(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if c.memory.flag {
        return Ok(Vec::new());
    }
    honest::answer(c, request).await
}

async fn unless_large(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let large = |octets: usize| octets > 24 << 10;
    if request
        .as_ref()
        .is_ok_and(|message| large(message.payload().len()))
    {
        return Ok(Vec::new());
    }
    honest::answer(c, request).await
}

async fn behind_the_next(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let held = std::mem::take(&mut c.memory.octets);
    if held.is_empty() && c.has_another() {
        c.memory.octets = octets;
        return Ok(());
    }
    c.send_all(&[octets, held].concat()).await
}

async fn small_ones_first(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    not_above_first(c, octets, 10 << 10).await
}

async fn small_ones_before_very_large(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    not_above_first(c, octets, 256 << 10).await
}

async fn not_above_first(c: &mut Client, octets: Vec<u8>, most: usize) -> Result<(), End> {
    let another = c.has_another();
    if another && octets.len() > most {
        c.memory.octets.extend(octets);
        return Ok(());
    }
    c.send_all(&octets).await?;
    if !another {
        let held = std::mem::take(&mut c.memory.octets);
        c.send_all(&held).await?;
    }
    Ok(())
}

pub(super) fn noting_errors(c: &mut Client, payload: Vec<u8>) -> Request {
    let request = honest::read(c, payload);
    c.memory.flag = request.is_err();
    request
}

async fn errors_behind_the_next(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    if c.memory.flag && c.has_another() {
        c.memory.octets.extend(octets);
        return Ok(());
    }
    let held = std::mem::take(&mut c.memory.octets);
    c.send_all(&[octets, held].concat()).await
}

async fn one_for_each_read(c: &mut Client) -> Result<Body, End> {
    loop {
        more(c).await?;
        if let Some(body) = whole_frame(c)? {
            return Ok(body);
        }
    }
}

async fn with_flush(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    c.look_ahead();
    c.inbox.clear();
    c.send_all(&octets).await
}

async fn eight_at_most(c: &mut Client) -> Result<Body, End> {
    loop {
        let body = honest::take(c).await?;
        let before = c.memory.count;
        c.memory.count = if c.has_another() {
            before.saturating_add(1)
        } else {
            0
        };
        if before < 8 {
            return Ok(body);
        }
        c.frame_taken();
    }
}

/// How long a client is given to speak first.
const SHY: Duration = Duration::from_millis(1);

async fn with_greeting(c: &mut Client) -> End {
    if c.is_silent_for(SHY).await
        && let Err(end) = honest::say(c, "welcome".into()).await
    {
        return end;
    }
    honest::serve(c).await
}

async fn acknowledged(c: &mut Client) -> Result<Vec<u8>, End> {
    let header = honest::header(c).await?;
    c.look_ahead();
    if c.inbox.is_empty() {
        honest::say(c, "go on".into()).await?;
    }
    Ok(header)
}

async fn urged(c: &mut Client) -> Result<Vec<u8>, End> {
    let mut header = Vec::new();
    loop {
        let missing = frame::missing(c.profile(), &header);
        if missing == 0 {
            return Ok(header);
        }
        let came = c.recv(missing).await?;
        if came.is_empty() {
            let inside = !header.is_empty();
            return Err(End::Eof { inside });
        }
        header.extend(came);
        c.look_ahead();
        if frame::missing(c.profile(), &header) > 0 && c.inbox.is_empty() {
            honest::say(c, "go on".into()).await?;
        }
    }
}

async fn with_question(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let mut replies = honest::answer(c, request).await?;
    if c.frames == 2 {
        replies.push("is all well?".into());
    }
    Ok(replies)
}

async fn with_leave(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    if wanted > 10 << 10 {
        honest::say(c, "go on".into()).await?;
    }
    honest::body(c, wanted).await
}

async fn as_soon_as_it_reads(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = Vec::new();
    while octets.len() < wanted {
        let came = c.recv(wanted.saturating_sub(octets.len())).await?;
        if came.is_empty() {
            return Err(End::Eof { inside: true });
        }
        octets.extend(came);
        let chunks = frame::chunks(c.profile(), &octets).into_iter();
        let so_far = Body {
            octets: chunks.flat_map(|(_, chunk)| chunk).copied().collect(),
            payload: None,
        };
        let so_far = honest::payload(c, so_far);
        let request = honest::read(c, so_far);
        if octets.len() < wanted && request.is_ok() && !c.memory.flag {
            c.memory.flag = true;
            for reply in honest::answer(c, request).await? {
                honest::say(c, reply).await?;
            }
        }
    }
    Ok(octets)
}

async fn unless_answered(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if std::mem::take(&mut c.memory.flag) {
        return Ok(Vec::new());
    }
    honest::answer(c, request).await
}

async fn once_more(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    c.send_all(&octets).await?;
    if c.frames == 1 {
        let stream = Arc::clone(&c.stream);
        tokio::spawn(async move {
            sleep(Duration::from_millis(30)).await;
            // A client that has gone by then is spared it.
            let _ = stream.write(&octets).await;
        });
    }
    Ok(())
}

const SILENCE: Duration = Duration::from_millis(60);

async fn with_heartbeat(c: &mut Client) -> Result<Body, End> {
    if c.frames > 0 && c.is_silent_for(SILENCE).await {
        honest::say(c, "are you there?".into()).await?;
    }
    honest::take(c).await
}

const SECOND: Duration = Duration::from_secs(1);

async fn while_not_idle(c: &mut Client, silence: Duration) -> Result<Body, End> {
    if c.is_silent_for(silence).await {
        return Err(End::Asked);
    }
    honest::take(c).await
}

async fn unless_the_hundredth(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if c.frames == 100 {
        return Ok(Vec::new());
    }
    honest::answer(c, request).await
}

async fn so_many_times(c: &mut Client, times: usize) -> Result<Body, End> {
    if c.frames == times {
        return Err(End::Asked);
    }
    honest::take(c).await
}
