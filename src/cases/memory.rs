//! What the server holds of what clients claim, send, and do not take.

use super::resources::{between, growth, parts, rounds};
use super::{Case, Maker};
use crate::judge::Finding;
use crate::lang::say;
use crate::profile::Profile;
use crate::script::craft::Craft;
use crate::spec::Clause;
use crate::transcript::{Reading, Seen, Transcript};

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Memory,
        "claimed",
        "Headers claim as much as they may and no body follows: they cost nothing until it does.",
        |s| {
            s.need_process();
            s.need_concurrency();
            let claims = Claims::of(s.profile());
            s.need(
                claims.octets() >= WORTH,
                say!("no headers of this profile can claim enough to be seen in the process"),
            );
            // As many that are served, so that whatever any client costs is there already.
            let served: Vec<_> = (0..claims.count).map(|_| s.open()).collect();
            s.ask_all(&served);
            s.sample("before");
            for client in served {
                s.leave(client);
            }
            let header = s.craft().header(claims.each);
            let clients: Vec<_> = (0..claims.count).map(|_| s.open()).collect();
            for client in &clients {
                s.send(*client, &header);
            }
            let bystander = s.open();
            s.ask(bystander);
            s.ask(bystander);
            s.sample("during");
            for client in clients {
                s.rst(client);
            }
            s.ask(bystander);
            s.sample("after");
        },
    )
    .alone()
    .and(claims_cost_nothing),
    Case::must(
        Clause::Memory,
        "given-back",
        "Rounds of clients with large requests come and go: what the process holds does not grow with every round.",
        |s| {
            rounds(s, |s| {
                s.come_and_go(4 * clients(s), 16, |s, few| {
                    for _ in 0..2 {
                        for client in few {
                            let request = s.request_of(LARGE);
                            s.send(*client, &request);
                        }
                        s.wait_for_all(few);
                    }
                    for client in few {
                        s.leave(*client);
                    }
                });
            });
        },
    )
    .alone()
    .lasting()
    .and(memory_does_not_climb),
    Case::must(
        Clause::Memory,
        "undecodable",
        "Nor does it with payloads that cannot be decoded, which take a way of their own through most servers.",
        |s| {
            s.need_json();
            rounds(s, |s| {
                s.come_and_go(8 * clients(s), 16, |s, few| {
                    for client in few {
                        let payload = undecodable(*client);
                        let frame = s.frame(&payload);
                        s.send(*client, &frame);
                    }
                    s.wait_for_all(few);
                    for client in few {
                        s.leave(*client);
                    }
                });
            });
        },
    )
    .alone()
    .lasting()
    .and(memory_does_not_climb),
    Case::must(
        Clause::Memory,
        "never-reads",
        "A client asks and asks and reads nothing. Sooner or later a server must take no more from it, or one client has all its memory.",
        |s| {
            s.need_text();
            s.need_concurrency();
            s.need_process();
            let bystander = s.open();
            s.ask(bystander);
            let deaf = s.open();
            s.stall(deaf);
            // What the system holds of both directions comes first.
            unread(s, deaf, 12);
            s.ask(bystander);
            s.sample("round 0");
            let each = if s.looks_closer() { 8 } else { 3 };
            for round in 1..=4 {
                unread(s, deaf, each);
                s.ask(bystander);
                s.sample(&format!("round {round}"));
            }
            s.rst(deaf);
            s.ask(bystander);
        },
    )
    .alone()
    .and(replies_do_not_pile_up),
];

/// Octets of a large payload: as many as any server must take.
const LARGE: usize = 32_000;

/// The most that one header claims.
const CLAIM: u64 = 256 << 20;

/// So many of the largest claims are enough …
const CLAIMS: usize = 3;

/// … and of smaller ones no more than this, within what clients may be there at once …
const MOST_CLAIMS: usize = 12;

/// … if together they come to as much as can be told from what a process holds anyway.
const WORTH: u64 = 8 << 20;

/// What may be held for claims all the same: a process grows for other reasons too.
const MUCH: u64 = 64 << 20;

/// From here on, address space tells something as well.
const WORTH_OF_ADDRESSES: u64 = 512 << 20;

/// What a thread reserves of it at most: a stack, and what an allocator sets apart.
const OF_A_THREAD: u64 = 136 << 20;

/// Of what was sent, so many hundredths that are kept are a leak.
const KEPT: u64 = 25;

/// What headers claim.
struct Claims {
    /// Octets of body that each of them claims: whole chunks.
    each: u64,
    count: usize,
}

impl Claims {
    fn of(profile: &Profile) -> Self {
        let limit = profile.declared_max_body().unwrap_or(u64::MAX);
        let claim = CLAIM.min(limit).min(Craft::new(profile).largest_body());
        let over = claim.checked_rem(profile.chunk().into());
        Self {
            each: claim.saturating_sub(over.unwrap_or_default()),
            count: if claim == CLAIM { CLAIMS } else { MOST_CLAIMS },
        }
    }

    fn octets(&self) -> u64 {
        self.each.saturating_mul(self.count as u64)
    }
}

/// How many clients that each send a quarter of a MiB make a round: of about a MiB, or of two.
fn clients(s: &Maker<'_>) -> usize {
    if s.looks_closer() { 8 } else { 4 }
}

fn undecodable(number: usize) -> Vec<u8> {
    let octet = match number % 3 {
        0 => b'n',
        1 => 0xff,
        _ => b'[',
    };
    let mut payload = vec![octet; LARGE];
    // No tower of brackets, which is another matter.
    if octet == b'[' {
        payload.iter_mut().skip(1).for_each(|octet| *octet = b'1');
    }
    payload
}

/// So many MiB of requests whose replies nobody reads.
fn unread(s: &mut Maker<'_>, deaf: usize, mib: usize) {
    for _ in 0..(mib << 20) / LARGE {
        let request = s.request_of(LARGE);
        s.send(deaf, &request);
    }
}

fn claims_cost_nothing(profile: &Profile, transcript: &Transcript) -> Option<Finding> {
    let before = transcript.sample("before")?.reading;
    let during = transcript.sample("during")?.reading;
    let claimed = Claims::of(profile).octets();
    let grown = |of: fn(Reading) -> u64| of(during).saturating_sub(of(before));
    let of_threads = grown(|r| r.threads).saturating_mul(OF_A_THREAD);
    let held = grown(|r| r.resident);
    let reserved = grown(|r| r.virtual_size).saturating_sub(of_threads);
    let half = claimed / 2;
    let much = (claimed / 12).max(MUCH).min(half);
    let what = if held > much {
        say!("the process holds {held} MiB more", held = held >> 20)
    } else if reserved > half && claimed >= WORTH_OF_ADDRESSES {
        say!(
            "{reserved} MiB of address space were reserved",
            reserved = reserved >> 20
        )
    } else {
        return None;
    };
    let claimed = claimed.next_multiple_of(1 << 20) >> 20;
    Some(Finding::must(
        Clause::Memory,
        0,
        say!(
            "{what} for {claimed} MiB that headers claimed and nobody sent",
            what,
            claimed
        ),
    ))
}

fn sent(seen: &Seen) -> usize {
    match seen {
        Seen::Sent(octets) => *octets,
        _ => 0,
    }
}

/// How much memory was kept of how much that was sent, in MiB, if a good part was in each part of the load.
fn kept(transcript: &Transcript) -> Option<(u64, u64)> {
    let samples = parts(transcript);
    let (mut kept, mut in_all) = (0_u64, 0_u64);
    for (one, next, grown) in growth(&samples, |reading| reading.resident) {
        let sent = u64::try_from(between(transcript, (one, next), sent)).unwrap_or(u64::MAX);
        if sent < 1 << 19 || grown.saturating_mul(100) < sent.saturating_mul(KEPT) {
            return None;
        }
        kept = kept.saturating_add(grown);
        in_all = in_all.saturating_add(sent);
    }
    (in_all > 0).then_some((kept >> 20, in_all >> 20))
}

fn memory_does_not_climb(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let (kept, sent) = kept(transcript)?;
    let what = say!(
        "after {sent} MiB from clients that have all gone the process holds {kept} MiB more, and it went on like that from beginning to end",
        sent,
        kept
    );
    Some(Finding::must(Clause::Memory, 0, what))
}

fn replies_do_not_pile_up(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let (kept, sent) = kept(transcript)?;
    let what = say!(
        "a client that reads nothing was read from for {sent} MiB more, and the process holds {kept} MiB for it without an end",
        sent,
        kept
    );
    Some(Finding::must(Clause::Memory, 0, what))
}
