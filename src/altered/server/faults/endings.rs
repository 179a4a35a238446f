//! How connections end: in the middle, in order, half, by a reset, or not at all.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::session::{Reply, Request};
use crate::spec::Clause;
use std::io;
use std::time::Duration;
use tokio::time::sleep;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("truncated-body-answered", Clause::Truncation, "",
        "When the stream ends inside a body, what has arrived of it is answered.",
        Mend::by("A body that the stream's end cut short is answered", "When the stream ends inside a frame, drop what has come of it and close.", sketch::END_OF_STREAM),
        |h| h.body = |c, wanted| Box::pin(whatever_came(c, wanted))).within(&[Room::NoTrailer]),
    Fault::new("end-behind-a-header-is-an-empty-body", Clause::Truncation, "",
        "A stream that ends exactly between header and body is taken for an empty message.",
        Mend::by("A stream that ends behind a header is taken for an empty message", "When the stream ends inside a frame, drop what has come of it and close.", sketch::END_OF_STREAM),
        |h| h.body = |c, wanted| Box::pin(all_or_nothing(c, wanted))).within(&[Room::NoTrailer]),
    Fault::new("half-a-header-is-a-number", Clause::Truncation, "",
        "When the stream ends inside a header, the octets that came are taken for the whole length.",
        Mend::by("A header that the stream's end cut short is read as a number", "Ask for all octets of the header, and close if the stream ends before.", sketch::END_OF_STREAM),
        |h| h.header = |c| Box::pin(whatever_header(c))).within(&[Room::FixedWidth, Room::NoTrailer]),
    Fault::new("truncation-never-closed", Clause::Truncation, "",
        "A stream that ends inside a frame ends the client's task and leaves its socket open.",
        Mend::by("A stream that ends inside a frame leaves the socket open", "Close the socket on every way out of the loop, an error's too.", sketch::ALWAYS_CLOSE),
        |h| h.ended = |_, end| Box::pin(async { Err(forgotten_inside(end)) })),
    Fault::new("truncation-ends-the-server", Clause::Truncation, "",
        "A stream that ends inside a frame takes the whole server along.",
        Mend::by("A stream that ends inside a frame ends the whole server", "Catch the error of a frame that is cut short where the client is served, and close this connection only.", sketch::ISOLATE),
        |h| h.ended = |_, end| Box::pin(async { Err(fatal_inside(end)) })),
    Fault::new("truncation-complained-of", Clause::Truncation, "",
        "A stream that ends inside a frame gets an error reply before the close.",
        Mend::by("A stream that ends inside a frame is answered with an error", "Close without a word, since nothing was asked.", sketch::END_OF_STREAM),
        |h| h.ended = |c, end| Box::pin(complaining(c, end))),

    Fault::new("end-read-as-length-zero", Clause::OrderlyClose, "speedtestcpp#3",
        "A read that returns nothing is taken for a header of zeros, so that the end of a stream is answered for ever.",
        Mend::by("The end of the stream is taken for a frame of length zero", "Stop as soon as a read returns no octets: that is the end of the stream, not a header.", sketch::END_OF_STREAM),
        |h| h.header = |c| Box::pin(zeros_at_the_end(c))).within(&[Room::FrameOfZeros]),
    Fault::new("end-ignored", Clause::OrderlyClose, "",
        "The end of a stream is noticed, and the connection kept open.",
        Mend::by("The connection stays open when the client has ended its stream", "Close the socket once the client has ended its stream and has its replies.", sketch::ALWAYS_CLOSE),
        |h| h.ended = |_, end| Box::pin(async { Err(forgotten_between(end)) })),
    Fault::new("never-closed", Clause::OrderlyClose, "",
        "No connection is ever closed, whatever ends the conversation.",
        Mend::by("Connections are never closed", "Close the socket on every way out of the conversation.", sketch::ALWAYS_CLOSE),
        |h| h.ended = |_, end| Box::pin(async { Err(forgotten(end)) })),
    Fault::new("farewell", Clause::OrderlyClose, "",
        "A client that ends its stream gets a last frame that it has not asked for.",
        Mend::by("A frame is sent when the client ends its stream", "Send replies to requests and nothing else.", sketch::ONE_REPLY),
        |h| h.ended = |c, end| Box::pin(with_farewell(c, end))),

    Fault::new("reply-lost-on-half-close", Clause::HalfClose, "envoy#17160",
        "A client that ends its stream while its request is handled gets no reply.",
        Mend::by("A request gets no reply if the client ends its stream behind it", "Send the replies that are owed before the end of the stream is acted upon.", sketch::HALF_CLOSE),
        |h| h.answer = |c, request| Box::pin(unless_ended(c, request))),
    Fault::new("queue-dropped-on-half-close", Clause::HalfClose, "",
        "When the end of the stream is seen, requests that wait to be handled are dropped.",
        Mend::by("Requests in a queue are dropped when the stream ends", "Answer everything that came before the end, and close then.", sketch::HALF_CLOSE),
        |h| h.take = |c| Box::pin(unless_ended_behind(c))),

    Fault::new("reset-ends-the-accept-loop", Clause::Reset, "",
        "The error of a connection that was reset ends the loop that takes new clients.",
        Mend::by("A reset connection ends the loop that takes clients", "Catch the errors of a connection where it is served, so that none reaches the loop that accepts.", sketch::ISOLATE),
        |h| h.ended = |c, end| Box::pin(async { shut_when_reset(c, &end); Err(end) })),
    Fault::new("reset-ends-the-server", Clause::Reset, "",
        "A connection that was reset takes the whole server along.",
        Mend::by("A reset connection ends the whole server", "Catch the errors of a connection where it is served.", sketch::ISOLATE),
        |h| h.ended = |_, end| Box::pin(async { Err(fatal_when_reset(end)) })),
    Fault::new("write-behind-the-end-ends-the-server", Clause::Reset, "",
        "A write to a client that has ended its stream and reset the connection then takes the whole server along, as a broken pipe does that nobody handles.",
        Mend::by("A write to a client that is gone ends the whole server", "Catch the error of a broken pipe where the client is served, and let no signal end the process.", sketch::ISOLATE),
        |h| h.ended = |_, end| Box::pin(async { Err(fatal_when_broken(end)) })),
    Fault::new("reset-keeps-the-lock", Clause::Reset, "",
        "A client that resets inside a frame leaves a lock behind that every new client needs.",
        Mend::by("A reset connection leaves a lock behind", "Release locks on every way out, by the language's own means for that, and hold none while waiting for a client.", sketch::ISOLATE),
        |h| h.ended = |c, end| Box::pin(keeping_the_lock(c, end))),

    Fault::new("no-deadline", Clause::Deadline, "",
        "An unfinished frame is waited for without an end.",
        Mend::by("An unfinished frame is waited for without end", "Give each frame a time from its first octet to its last, and close the connection when it is over.", sketch::FRAME_DEADLINE),
        |h| h.limits.frame_deadline = None).needing(Need::Time),
    Fault::new("deadline-renewed-by-each-octet", Clause::Deadline, "akka-http#813",
        "The time that a frame may take begins anew with each of its octets.",
        Mend::by("Each octet gives an unfinished frame more time", "Measure the time from the first octet of the frame, not from the latest.", sketch::FRAME_DEADLINE),
        |h| h.body = |c, wanted| Box::pin(taking_its_time(c, wanted))).needing(Need::Time),
];

async fn whatever_came(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    c.collect(wanted).await
}

async fn all_or_nothing(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = c.collect(wanted).await?;
    if octets.is_empty() || octets.len() == wanted {
        return Ok(octets);
    }
    Err(End::Eof { inside: true })
}

async fn whatever_header(c: &mut Client) -> Result<Vec<u8>, End> {
    let mut header = Vec::new();
    loop {
        let missing = frame::missing(c.profile(), &header);
        let came = c.collect(missing).await?;
        header.extend(&came);
        if header.is_empty() {
            return Err(End::Eof { inside: false });
        }
        if came.is_empty() {
            return Ok(header);
        }
    }
}

fn forgotten_inside(end: End) -> End {
    match end {
        End::Eof { inside: true } => End::Forgotten,
        end => end,
    }
}

fn fatal_inside(end: End) -> End {
    match end {
        End::Eof { inside: true } => End::Fatal,
        end => end,
    }
}

/// The end of the whole server is none of a conversation's.
fn forgotten(end: End) -> End {
    match end {
        End::Fatal => End::Fatal,
        _ => End::Forgotten,
    }
}

fn forgotten_between(end: End) -> End {
    match end {
        End::Eof { inside: false } => End::Forgotten,
        end => end,
    }
}

async fn complaining(c: &mut Client, end: End) -> Result<(), End> {
    if matches!(end, End::Eof { inside: true }) {
        let told = serde_json::json!({ "error": "unexpected end of stream" });
        honest::say(c, Reply::from(told)).await?;
    }
    Err(end)
}

async fn zeros_at_the_end(c: &mut Client) -> Result<Vec<u8>, End> {
    match honest::header(c).await {
        Err(End::Eof { inside: false }) => Ok(frame::of_nothing(c.profile())),
        header => header,
    }
}

async fn with_farewell(c: &mut Client, end: End) -> Result<(), End> {
    if matches!(end, End::Eof { inside: false }) {
        honest::say(c, "goodbye".into()).await?;
    }
    Err(end)
}

/// How long a request is handled, so that a client that ends its stream behind it has done so.
const HANDLING: Duration = Duration::from_millis(4);

async fn unless_ended(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    if c.inbox.is_empty() {
        sleep(HANDLING).await;
    }
    if c.look_ahead() {
        return Err(End::Eof { inside: false });
    }
    honest::answer(c, request).await
}

/// The first of a queue is taken; whether the stream has ended is looked up once, at the second.
async fn unless_ended_behind(c: &mut Client) -> Result<Body, End> {
    let body = honest::take(c).await?;
    if !c.has_another() {
        c.memory.flag = false;
    } else if !c.memory.flag {
        c.memory.flag = true;
        sleep(HANDLING).await;
        if c.look_ahead() {
            c.inbox.clear();
        }
    }
    Ok(body)
}

fn shut_when_reset(c: &Client, end: &End) {
    if is_reset(end) {
        c.shared.shut();
    }
}

fn fatal_when_reset(end: End) -> End {
    if is_reset(&end) { End::Fatal } else { end }
}

fn fatal_when_broken(end: End) -> End {
    match end {
        End::Broken(error) if error.kind() == io::ErrorKind::BrokenPipe => End::Fatal,
        end => end,
    }
}

fn is_reset(end: &End) -> bool {
    matches!(end, End::Broken(error) if matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    ))
}

async fn keeping_the_lock(c: &mut Client, end: End) -> Result<(), End> {
    if is_reset(&end) && c.is_inside() {
        c.shared.take_no_turns();
    }
    Err(end)
}

async fn taking_its_time(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let mut octets = Vec::new();
    while octets.len() < wanted {
        let left = wanted.saturating_sub(octets.len());
        let came = c.recv(left).await?;
        if came.is_empty() {
            return Err(End::Eof { inside: true });
        }
        c.begin_anew();
        octets.extend(came);
    }
    Ok(octets)
}
