//! What the server's process spends, where it can be seen: processor time, descriptors, threads. Memory
//! has a file of its own.
//!
//! Readings of one process are compared that were taken around a load, and an effect is asked for that
//! goes with the load: a share of all the time there was, or something of every part of it. At first that
//! is a suspicion; it is gone into with more of the load, and has to last.

use super::length::need_claim;
use super::maker::parted;
use super::{Case, Maker};
use crate::judge::Finding;
use crate::lang::say;
use crate::profile::Profile;
use crate::spec::Clause;
use crate::transcript::{Reading, Sample, Seen, Transcript};

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Cpu,
        "idle",
        "Clients that are connected and say nothing cost no processor time.",
        |s| {
            watched(s, |s| {
                s.come_and_go(4, 4, |s, few| s.ask_all(few));
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        Clause::Cpu,
        "ended",
        "Clients that have ended their stream cost no processor time: a read that returns nothing is the end.",
        |s| {
            watched(s, |s| {
                s.come_and_go(4, 4, |s, few| {
                    s.ask_all(few);
                    for client in few {
                        s.fin(*client);
                    }
                });
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        Clause::Cpu,
        "unfinished",
        "Clients that have stopped inside a frame, or have ended their stream there, cost no processor time.",
        |s| {
            watched(s, |s| {
                let header = s.header_len();
                for octets in [1, 2, header, s.inside_a_body()] {
                    let a = s.open();
                    let request = s.request();
                    s.send(a, parted(&request, octets).0);
                    if octets != header {
                        s.fin(a);
                    }
                }
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        Clause::Cpu,
        "refused",
        "Clients that were refused for their header and have ended their stream cost no processor time: who reads off what still comes has to notice that nothing does.",
        |s| {
            let claim = s.craft().largest_body();
            need_claim(s, claim);
            watched(s, |s| {
                s.come_and_go(4, 4, |s, few| {
                    for client in few {
                        let header = s.craft().header(s.craft().largest_body());
                        s.send(*client, &header);
                        s.fin(*client);
                    }
                });
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        Clause::Descriptors,
        "given-back",
        "Clients that were served and left take their descriptors with them.",
        |s| rounds(s, served_and_gone),
    )
    .alone()
    .lasting()
    .and(|_, transcript| nothing_is_kept(transcript, "open descriptors", |r| r.descriptors)),
    Case::must(
        Clause::Descriptors,
        "after-errors",
        "So do clients that reset, broke off, or sent what cannot be read.",
        |s| rounds(s, broken_off),
    )
    .alone()
    .lasting()
    .and(|_, transcript| nothing_is_kept(transcript, "open descriptors", |r| r.descriptors)),
    Case::must(
        Clause::Descriptors,
        "threads",
        "A thread that serves a client ends with it, however the client went; threads that are left behind are the last thing anybody looks at.",
        |s| {
            rounds(s, |s| {
                served_and_gone(s);
                broken_off(s);
            });
        },
    )
    .alone()
    .lasting()
    .and(|_, transcript| nothing_is_kept(transcript, "threads or ended processes", |r| r.threads)),
];

/// Rounds of a load, for a first look …
const ROUNDS: usize = 4;

/// … and for a closer one.
const MORE_ROUNDS: usize = 8;

/// Parts of the load, in each of which an effect has to show.
const PARTS: usize = 4;

/// Connections in a round, at least.
const CLIENTS: usize = 9;

/// How long the processor is watched at a time, in milliseconds.
const WATCH: u64 = 125;

/// What of a processor is too much for clients that ask for nothing, in hundredths.
const TOO_MUCH: u128 = 25;

/// Something is kept of this many in a hundred connections.
const KEPT: usize = 20;

/// Plays a load in rounds and takes a reading behind each, the first of which is to warm up.
pub(super) fn rounds(s: &mut Maker<'_>, load: fn(&mut Maker<'_>)) {
    s.need_process();
    let rounds = if s.looks_closer() {
        MORE_ROUNDS
    } else {
        ROUNDS
    };
    for round in 0..=rounds {
        load(s);
        s.sample(&format!("round {round}"));
    }
}

/// The readings behind parts of the load, from the one before the first.
pub(super) fn parts(transcript: &Transcript) -> Vec<&Sample> {
    let rounds = transcript.samples.len().saturating_sub(1);
    let step = rounds.checked_div(PARTS).unwrap_or_default();
    let samples = transcript.samples.iter().step_by(step.max(1));
    samples.take(PARTS.saturating_add(1)).collect()
}

/// How much a figure grew in each of the parts, each with the reading before it; nothing if there were
/// fewer.
pub(super) fn growth<'a>(
    samples: &'a [&Sample],
    of: fn(&Reading) -> u64,
) -> impl Iterator<Item = (&'a Sample, &'a Sample, u64)> {
    let pairs = samples.windows(2).filter(|_| samples.len() > PARTS);
    pairs.filter_map(move |pair| match pair {
        [one, next] => {
            let grown = of(&next.reading).saturating_sub(of(&one.reading));
            Some((*one, *next, grown))
        }
        _ => None,
    })
}

/// How many entries of a kind there were between two readings, each counted as it counts.
pub(super) fn between(
    transcript: &Transcript,
    (one, next): (&Sample, &Sample),
    count: fn(&Seen) -> usize,
) -> usize {
    let entries = transcript.entries.iter();
    entries
        .filter(|entry| entry.at > one.at && entry.at <= next.at)
        .map(|entry| count(&entry.seen))
        .sum()
}

fn served_and_gone(s: &mut Maker<'_>) {
    s.come_and_go(10, 10, |s, few| {
        s.ask_all(few);
        for client in few {
            s.leave(*client);
        }
    });
}

fn broken_off(s: &mut Maker<'_>) {
    for octets in [2, 4, 20] {
        let a = s.open();
        let request = s.request();
        s.send(a, parted(&request, octets).0);
        s.rst(a);
        let b = s.open();
        s.send(b, parted(&request, octets).0);
        s.leave(b);
        let c = s.open();
        let header = s.craft().header_with(s.craft().largest_count());
        s.send(c, &header);
        s.rst(c);
    }
}

/// Takes readings while those clients are there and nobody does anything.
fn watched(s: &mut Maker<'_>, clients: fn(&mut Maker<'_>)) {
    s.need_process();
    s.need_rest();
    s.need_concurrency();
    // A pause ends with the last connection; this one stays.
    let bystander = s.open();
    s.ask(bystander);
    clients(s);
    s.pause(30);
    let watch = if s.looks_closer() { 4 * WATCH } else { WATCH };
    s.sample("before");
    s.pause(watch);
    s.sample("between");
    s.pause(watch);
    s.sample("after");
}

fn nothing_is_kept(
    transcript: &Transcript,
    what: &str,
    of: fn(&Reading) -> u64,
) -> Option<Finding> {
    let samples = parts(transcript);
    let connected = |seen: &Seen| usize::from(*seen == Seen::Connected);
    let (mut kept, mut connections) = (0, 0);
    for (one, next, grown) in growth(&samples, of) {
        let opened = between(transcript, (one, next), connected);
        let grown = usize::try_from(grown).unwrap_or(usize::MAX);
        if opened < CLIENTS || grown.saturating_mul(100) < opened.saturating_mul(KEPT) {
            return None;
        }
        kept = grown.saturating_add(kept);
        connections = opened.saturating_add(connections);
    }
    let what = say!(
        "after {connections} connections, all of which had ended, the process held {kept} {what} more, and it went on like that from beginning to end",
        connections,
        kept,
        what
    );
    (connections > 0).then(|| Finding::must(Clause::Descriptors, 0, what))
}

fn no_time_is_spent(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let samples: Vec<&Sample> = ["before", "between", "after"]
        .into_iter()
        .filter_map(|name| transcript.sample(name))
        .collect();
    let passed = |one: &Sample, next: &Sample| next.at.saturating_sub(one.at);
    let shares = samples.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(next.reading.share_since(&one.reading, passed(one, next))),
        _ => None,
    });
    let share = shares.min().filter(|_| samples.len() == 3)?;
    let (first, last) = (samples.first()?, samples.last()?);
    let spent = last.reading.cpu.saturating_sub(first.reading.cpu);
    let what = say!(
        "{spent} ms of processor time in {passed} ms in which nobody asked for anything, {share} % of what there was to be had",
        spent = spent.as_millis(),
        passed = passed(first, last).as_millis(),
        share = share.min(100)
    );
    (share >= TOO_MUCH).then(|| Finding::must(Clause::Cpu, 0, what))
}
