//! Requests and replies: how many, in which order, and when.

use super::super::client::{Client, Fault, write};
use super::super::honest;
use super::super::hooks::End;
use super::reading::{more, whole_frame};
use crate::altered::alteration::Need;
use crate::altered::frame::Body;
use crate::session::{Reply, Request};
use crate::spec::Clause;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("first-request-answered-twice", Clause::OneReply, "",
        "The first request of a connection is answered twice.",
        |h| h.answer = |c, request| Box::pin(first_twice(c, request))),
    Fault::new("every-tenth-reply-twice", Clause::OneReply, "",
        "The tenth request of a connection, and each tenth behind it, is answered twice.",
        |h| h.answer = |c, request| Box::pin(tenth_twice(c, request))),
    Fault::new("same-request-answered-once", Clause::OneReply, "",
        "A request like the one before it is taken for a repetition and not answered.",
        |h| {
            h.read = noting_repetition;
            h.answer = |c, request| Box::pin(unless_repeated(c, request));
        }),
    Fault::new("closed-with-input-unread", Clause::OneReply, "sledge#389, true-async/server#284",
        "Behind a malformed header the socket is closed with what has arrived unread, so that the system resets it and drops the replies that are queued.",
        |h| h.leave = |c, end| Box::pin(without_reading_on(c, end))),
    Fault::new("large-request-unanswered", Clause::OneReply, "",
        "Requests of more than 24 KiB are read and not answered.",
        |h| h.answer = |c, request| Box::pin(unless_large(c, request))),

    Fault::new("pairs-swapped", Clause::Order, "",
        "Of two requests that arrive together the second is answered first.",
        |h| h.send = |c, octets| Box::pin(behind_the_next(c, octets))),
    Fault::new("small-overtakes-large", Clause::Order, "",
        "A reply of more than 10 KiB is sent when no other request is left.",
        |h| h.send = |c, octets| Box::pin(small_ones_first(c, octets))),
    Fault::new("small-overtakes-very-large", Clause::Order, "",
        "A reply of more than 256 KiB is sent when no other request is left.",
        |h| h.send = |c, octets| Box::pin(small_ones_before_very_large(c, octets))),
    Fault::new("errors-answered-late", Clause::Order, "",
        "What is said to a payload that cannot be decoded is sent behind the next reply.",
        |h| {
            h.read = noting_errors;
            h.send = |c, octets| Box::pin(errors_behind_the_next(c, octets));
        }),

    Fault::new("rest-of-a-read-waits", Clause::Pipelining, "sipnab#95",
        "One frame is handled for each read; what else it brought waits until the next brings something.",
        |h| h.take = |c| Box::pin(one_for_each_read(c))),
    Fault::new("input-flushed-before-each-reply", Clause::Pipelining, "",
        "Whatever has arrived by the time of a reply is dropped.",
        |h| h.send = |c, octets| Box::pin(with_flush(c, octets))),
    Fault::new("eight-requests-in-a-queue", Clause::Pipelining, "",
        "Of requests that arrive together the ninth and all behind it are dropped.",
        |h| h.take = |c| Box::pin(eight_at_most(c))),

    Fault::new("greeting", Clause::Unsolicited, "",
        "A client is greeted by a frame as soon as it has connected, unless it is quick to ask.",
        |h| h.serve = |c| Box::pin(with_greeting(c))),
    Fault::new("header-acknowledged", Clause::Unsolicited, "",
        "A header that comes without its body is acknowledged by a frame.",
        |h| h.header = |c| Box::pin(acknowledged(c))),
    Fault::new("leave-for-a-large-body", Clause::Unsolicited, "",
        "A header that claims more than 10 KiB is answered by leave to go on.",
        |h| h.body = |c, wanted| Box::pin(with_leave(c, wanted))),
    Fault::new("half-a-header-complained-of", Clause::Unsolicited, "",
        "A client of which only a part of a header is here is told to go on.",
        |h| h.header = |c| Box::pin(urged(c))),
    Fault::new("question-behind-the-second-reply", Clause::Unsolicited, "",
        "The second reply of a connection is followed by a question of the server's own.",
        |h| h.answer = |c, request| Box::pin(with_question(c, request))),
    Fault::new("reply-before-the-padding", Clause::Unsolicited, "",
        "A message is answered as soon as its text is complete, before the rest of its body has come.",
        |h| {
            h.body = |c, wanted| Box::pin(as_soon_as_it_reads(c, wanted));
            h.answer = |c, request| Box::pin(unless_answered(c, request));
        }),
    Fault::new("late-second-reply", Clause::Unsolicited, "CVE-2023-28858",
        "The first reply on a connection comes once more, 30 ms later.",
        |h| h.send = |c, octets| Box::pin(once_more(c, octets))),
    Fault::new("heartbeat", Clause::Unsolicited, "",
        "A client that has been served and is silent for 60 ms is sent a frame.",
        |h| h.take = |c| Box::pin(with_heartbeat(c))),

    Fault::new("hundredth-request-unanswered", Clause::Persistence, "",
        "The hundredth request of a connection gets no reply.",
        |h| h.answer = |c, request| Box::pin(unless_the_hundredth(c, request))),
    Fault::new("closes-after-a-hundred", Clause::Persistence, "",
        "A connection is closed when it has had a hundred replies.",
        |h| h.take = |c| Box::pin(a_hundred_times(c))),
    Fault::new("idle-for-60-ms-is-gone", Clause::Persistence, "",
        "A client that is silent for 60 ms between frames is closed upon.",
        |h| h.take = |c| Box::pin(while_not_idle(c, SILENCE))),
    Fault::new("deadline-of-3-s-set-once", Clause::Persistence, "go-proxyproto#75",
        "The time that a request may take is set when the client connects and never again, so that a busy connection ends after three seconds.",
        |h| h.serve = |c| Box::pin(no_longer_than(c, Duration::from_secs(3)))).needing(Need::Time),
    Fault::new("deadline-of-30-s-set-once", Clause::Persistence, "",
        "A connection has half a minute from its beginning on, however busy it is.",
        |h| h.serve = |c| Box::pin(no_longer_than(c, Duration::from_secs(30)))).needing(Need::Time),
    Fault::new("idle-for-a-second-is-gone", Clause::Persistence, "",
        "A client that is silent for a second between frames is closed upon.",
        |h| h.take = |c| Box::pin(while_not_idle(c, SECOND))).needing(Need::Time),
];

async fn without_reading_on(c: &mut Client, end: End) {
    if !matches!(end, End::Malformed) {
        honest::leave(c, end).await;
    }
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

fn noting_errors(c: &mut Client, payload: Vec<u8>) -> Request {
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
    let wanted = c.profile().header_len();
    let mut header = Vec::new();
    while header.len() < wanted {
        let came = c.recv(wanted.saturating_sub(header.len())).await?;
        if came.is_empty() {
            let inside = !header.is_empty();
            return Err(End::Eof { inside });
        }
        header.extend(came);
        c.look_ahead();
        if header.len() < wanted && c.inbox.is_empty() {
            honest::say(c, "go on".into()).await?;
        }
    }
    Ok(header)
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
        let payload = None;
        let so_far = Body {
            octets: octets.clone(),
            payload,
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
            let _ = write(&stream, &octets).await;
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

async fn a_hundred_times(c: &mut Client) -> Result<Body, End> {
    if c.frames == 100 {
        return Err(End::Asked);
    }
    honest::take(c).await
}
