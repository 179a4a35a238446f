//! What the process spends: memory, processor time, descriptors, threads.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{Body, Malformed, Sizes};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::profile::Profile;
use crate::session::Request;
use crate::spec::Clause;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::yield_now;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("claim-allocated", Clause::Memory, "CVE-2021-42076, Polar#244, kivaloo#375",
        "A buffer of the claimed length is made and filled as soon as a header claims it.",
        Mend::by("A buffer of the claimed length is filled at once", "Let the buffer grow with what arrives, not with what a header claims.", sketch::GROW),
        |h| {
            h.sizes = up_to_two_gib;
            h.body = |c, wanted| Box::pin(into_a_filled_buffer(c, wanted));
        }).needing(Need::Process),
    Fault::new("claim-reserved", Clause::Memory, "hmq#177, Dekaf#1342",
        "Address space for the claimed length is reserved as soon as a header claims it.",
        Mend::by("Memory of the claimed length is reserved at once", "Let the buffer grow with what arrives, not with what a header claims.", sketch::GROW),
        |h| {
            h.sizes = up_to_two_gib;
            h.body = |c, wanted| Box::pin(into_a_reserved_buffer(c, wanted));
        }).needing(Need::Process),
    Fault::new("claim-planned", Clause::Memory, "",
        "A list of as many chunks as a header claims is made, to be filled when they come.",
        Mend::by("A list of all claimed chunks is made at once", "Let the list grow with the chunks that arrive.", sketch::GROW),
        |h| {
            h.sizes = up_to_two_gib;
            h.body = |c, wanted| Box::pin(by_a_plan(c, wanted));
        }).needing(Need::Process),
    Fault::new("everything-received-is-kept", Clause::Memory, "kanidm#3651",
        "All bodies that ever came are kept.",
        Mend::by("Everything that was ever received is kept", "Drop a frame when it has been answered.", sketch::GROW),
        |h| h.payload = keeping).needing(Need::Process),
    Fault::new("undecodable-kept", Clause::Memory, "",
        "Payloads that cannot be decoded are kept, to be looked at some day.",
        Mend::by("Payloads that cannot be decoded are kept", "Drop a frame when it has been answered.", sketch::GROW),
        |h| h.read = keeping_undecodable).needing(Need::Process).within(&[Room::Undecodable]),
    Fault::new("replies-pile-up", Clause::Memory, "CVE-2025-21605",
        "Replies are put into a queue that has no end, and a client that takes none is read from all the same.",
        Mend::by("Replies to a client that does not read pile up", "Read no further from a client that leaves its replies where they are.", sketch::BACKPRESSURE),
        |h| h.send = |c, octets| Box::pin(into_a_queue(c, octets))).needing(Need::Process),

    Fault::new("end-of-stream-spins", Clause::Cpu, "futures-codec#1, event-driven-servers#204",
        "A stream that has ended is read again and again.",
        Mend::by("A stream that has ended is read again and again", "Leave the loop as soon as a read returns no octets.", sketch::END_OF_STREAM),
        |h| h.ended = |c, end| Box::pin(reading_on(c, end))).needing(Need::Process),
    Fault::new("end-inside-a-body-spins", Clause::Cpu, "",
        "When the stream ends inside a body, the rest of it is read for again and again.",
        Mend::by("A stream that ends inside a body is read again and again", "Leave the loop over the body as soon as a read returns no octets, and close.", sketch::READ_EXACTLY),
        |h| h.body = |c, wanted| Box::pin(reading_for_the_rest(c, wanted))).needing(Need::Process),
    Fault::new("read-off-for-ever", Clause::Cpu, "",
        "What a client sends that has been refused is read off, and goes on being read when the client has ended its stream.",
        Mend::by("A client that was refused is read from without end", "Stop to read off when a read returns no octets, and after a while in any case.", sketch::LAST_WORDS),
        |h| h.leave = |c, end| Box::pin(reading_off(c, end))).needing(Need::Process),
    Fault::new("idle-client-polled", Clause::Cpu, "",
        "A client that says nothing is asked without a pause whether there is something.",
        Mend::by("A silent client is polled without a pause", "Wait in the read itself, or in the system's own means for waiting.", sketch::WAIT),
        |h| h.take = |c| Box::pin(polled_take(c))).needing(Need::Process),
    Fault::new("unfinished-frame-polled", Clause::Cpu, "",
        "The rest of a frame is asked for without a pause.",
        Mend::by("The rest of a frame is polled for without a pause", "Wait in the read itself, or in the system's own means for waiting.", sketch::WAIT),
        |h| h.header = |c| Box::pin(polled_header(c))).needing(Need::Process),

    Fault::new("sockets-kept", Clause::Descriptors, "",
        "The socket of a client that has gone is shut down and never closed.",
        Mend::by("Sockets are shut down and never closed", "Close the socket when a client has gone.", sketch::ALWAYS_CLOSE),
        |h| h.leave = |c, end| Box::pin(keeping_every_socket(c, end))).needing(Need::Process),
    Fault::new("sockets-kept-after-errors", Clause::Descriptors, "CVE-2023-4785",
        "The socket of a client that broke off or sent what cannot be read is never closed.",
        Mend::by("Sockets are not closed after an error", "Close the socket on every way out of the loop, an error's too.", sketch::ALWAYS_CLOSE),
        |h| h.leave = |c, end| Box::pin(keeping_broken_sockets(c, end))).needing(Need::Process),
    Fault::new("threads-kept", Clause::Descriptors, "",
        "A client has a thread, which goes on waiting when the client has gone.",
        Mend::by("Threads stay when their clients have gone", "Let the thread of a client end with its connection.", sketch::ALWAYS_CLOSE),
        |h| h.leave = |c, end| Box::pin(leaving_a_thread(c, end))).needing(Need::Process),
];

/// The limit is the declared one, else just under 2 GiB.
pub(in super::super) fn up_to_two_gib(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let limit = profile.declared_max_body().unwrap_or((2 << 30) - 1);
    honest::sizes_up_to(profile, count, limit.into())
}

/// No buffer is larger, whatever is claimed …
const LARGEST: usize = 256 << 20;

/// … and no more octets than this are held in them at a time.
const MOST: usize = 3 * LARGEST;

/// How many are held in this process.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Memory that nobody asked for but a header.
struct Claim(Vec<u8>);

impl Claim {
    fn of(octets: usize, filled: bool) -> Option<Self> {
        let octets = octets.min(LARGEST);
        let may = |held: usize| held.checked_add(octets).filter(|held| *held <= MOST);
        HELD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, may)
            .ok()?;
        let mut claim = Self(Vec::with_capacity(octets));
        if filled {
            claim.0.resize(octets, 1);
        }
        black_box(&claim.0);
        Some(claim)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0.capacity(), Ordering::Relaxed);
    }
}

async fn into_a_filled_buffer(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let _claim = Claim::of(wanted, true);
    honest::body(c, wanted).await
}

async fn into_a_reserved_buffer(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let _claim = Claim::of(wanted, false);
    honest::body(c, wanted).await
}

/// Eight octets for each chunk.
async fn by_a_plan(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
    let plan = wanted.checked_div(chunk).unwrap_or_default();
    let _claim = Claim::of(plan.saturating_mul(8), true);
    honest::body(c, wanted).await
}

fn keeping(c: &mut Client, body: Body) -> Vec<u8> {
    let mut memory = c.shared.memory();
    if memory.octets.len() < LARGEST {
        memory.octets.extend_from_slice(&body.octets);
    }
    drop(memory);
    honest::payload(c, body)
}

fn keeping_undecodable(c: &mut Client, payload: Vec<u8>) -> Request {
    let request = honest::read(c, payload.clone());
    let mut memory = c.shared.memory();
    if request.is_err() && memory.octets.len() < LARGEST {
        memory.octets.extend(payload);
    }
    drop(memory);
    request
}

/// The queue is emptied by a task of its own, which ends with the client.
async fn into_a_queue(c: &mut Client, octets: Vec<u8>) -> Result<(), End> {
    let stream = &c.stream;
    let queue = c.memory.queue.get_or_insert_with(|| {
        let (sender, mut replies) = unbounded_channel::<Vec<u8>>();
        let stream = Arc::clone(stream);
        tokio::spawn(async move {
            while let Some(octets) = replies.recv().await {
                let mut rest = octets.as_slice();
                while !rest.is_empty() {
                    let Ok(taken) = stream.write(rest).await else {
                        return;
                    };
                    rest = rest.get(taken..).unwrap_or_default();
                }
            }
        });
        sender
    });
    queue.send(octets).map_err(|_| End::Asked)
}

async fn reading_on(c: &mut Client, end: End) -> Result<(), End> {
    if let End::Eof { .. } = end {
        for_ever_read(c).await;
    }
    Err(end)
}

async fn reading_for_the_rest(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let octets = honest::body(c, wanted).await;
    if let Err(End::Eof { .. }) = octets {
        for_ever_read(c).await;
    }
    octets
}

async fn for_ever_read(c: &mut Client) {
    loop {
        c.look_ahead();
        yield_now().await;
    }
}

async fn reading_off(c: &mut Client, end: End) {
    let is_refused = matches!(end, End::Malformed);
    honest::leave(c, end).await;
    if is_refused {
        for_ever_read(c).await;
    }
}

/// Asks for octets until there are some, or none will come.
async fn poll(c: &mut Client) {
    while c.inbox.is_empty() && !c.look_ahead() {
        yield_now().await;
    }
}

async fn polled_take(c: &mut Client) -> Result<Body, End> {
    poll(c).await;
    honest::take(c).await
}

async fn polled_header(c: &mut Client) -> Result<Vec<u8>, End> {
    let header = honest::header(c).await?;
    poll(c).await;
    Ok(header)
}

async fn keeping_every_socket(c: &mut Client, end: End) {
    c.say_goodbye().await;
    c.shared.streams().push(Arc::clone(&c.stream));
    honest::leave(c, end).await;
}

async fn keeping_broken_sockets(c: &mut Client, end: End) {
    if !matches!(end, End::Eof { inside: false }) {
        return keeping_every_socket(c, end).await;
    }
    honest::leave(c, end).await;
}

/// More are left by no run of the suite.
const MOST_THREADS: usize = 3_000;

static THREADS: AtomicUsize = AtomicUsize::new(0);

async fn leaving_a_thread(c: &mut Client, end: End) {
    if THREADS.fetch_add(1, Ordering::Relaxed) < MOST_THREADS {
        // Where there are no more to be had, none is left.
        let _ = std::thread::Builder::new().spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    honest::leave(c, end).await;
}
