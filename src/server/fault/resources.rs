//! What the process spends: memory, processor time, descriptors.

use super::super::alter::{Body, Client, End, Malformed, Sizes, honest};
use super::{Fault, Need};
use crate::profile::Profile;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::yield_now;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("claim-allocated", "memory", "CVE-2021-42076, Polar#244, kivaloo#375",
        "A buffer of the claimed length is made and filled as soon as a header claims it.",
        |h| {
            h.sizes = up_to_two_gib;
            h.body = |c, wanted| Box::pin(into_a_filled_buffer(c, wanted));
        }).needing(Need::Process),
    Fault::new("claim-reserved", "memory", "hmq#177, Dekaf#1342",
        "Address space for the claimed length is reserved as soon as a header claims it.",
        |h| {
            h.sizes = up_to_two_gib;
            h.body = |c, wanted| Box::pin(into_a_reserved_buffer(c, wanted));
        }).needing(Need::Process),
    Fault::new("everything-received-is-kept", "memory", "kanidm#3651",
        "All bodies that ever came are kept.",
        |h| h.payload = keeping).needing(Need::Process),

    Fault::new("end-of-stream-spins", "cpu", "futures-codec#1, event-driven-servers#204",
        "A stream that has ended is read again and again.",
        |h| h.ended = |c, end| Box::pin(reading_on(c, end))).needing(Need::Process),
    Fault::new("idle-client-polled", "cpu", "",
        "A client that says nothing is asked without a pause whether there is something.",
        |h| h.take = |c| Box::pin(polled_take(c))).needing(Need::Process),
    Fault::new("unfinished-frame-polled", "cpu", "",
        "The rest of a frame is asked for without a pause.",
        |h| h.header = |c| Box::pin(polled_header(c))).needing(Need::Process),

    Fault::new("sockets-kept", "descriptors", "",
        "The socket of a client that has gone is shut down and never closed.",
        |h| h.leave = |c, end| Box::pin(keeping_every_socket(c, end))).needing(Need::Process),
    Fault::new("sockets-kept-after-errors", "descriptors", "CVE-2023-4785",
        "The socket of a client that broke off or sent what cannot be read is never closed.",
        |h| h.leave = |c, end| Box::pin(keeping_broken_sockets(c, end))).needing(Need::Process),
];

/// The limit is the declared one, else just under 2 GiB.
pub(in super::super) fn up_to_two_gib(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let limit = profile.declared_max_body().unwrap_or((2 << 30) - 1);
    honest::sizes_up_to(profile, count, limit.into())
}

/// No buffer is larger, whatever is claimed …
const LARGEST: usize = 256 << 20;

/// … and no more of them are there at a time.
const MOST: usize = 3;

/// How many there are in this process.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// Memory that nobody asked for but a header.
struct Claim(Vec<u8>);

impl Claim {
    fn of(octets: usize, filled: bool) -> Option<Self> {
        let may = |made: usize| (made < MOST).then(|| made.saturating_add(1));
        MADE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, may)
            .ok()?;
        let mut claim = Self(Vec::new());
        claim.0.reserve_exact(octets.min(LARGEST));
        if filled {
            claim.0.resize(octets.min(LARGEST), 1);
        }
        black_box(&claim.0);
        Some(claim)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        MADE.fetch_sub(1, Ordering::Relaxed);
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

fn keeping(c: &mut Client, body: Body) -> Vec<u8> {
    let mut memory = c.shared.memory();
    if memory.octets.len() < LARGEST {
        memory.octets.extend_from_slice(&body.octets);
    }
    drop(memory);
    honest::payload(c, body)
}

async fn reading_on(c: &mut Client, end: End) -> Result<(), End> {
    if let End::Eof { .. } = end {
        loop {
            c.look_ahead();
            yield_now().await;
        }
    }
    Err(end)
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
    c.say_goodbye();
    c.shared.streams().push(Arc::clone(&c.stream));
    honest::leave(c, end).await;
}

async fn keeping_broken_sockets(c: &mut Client, end: End) {
    if !matches!(end, End::Eof { inside: false }) {
        return keeping_every_socket(c, end).await;
    }
    honest::leave(c, end).await;
}
