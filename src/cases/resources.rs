//! What the server's process spends, where it can be seen.
//!
//! Each of these compares readings of one process taken around a load, and asks for an effect in
//! proportion to that load: thresholds lie far from both the honest server and the fault.

use super::maker::parted;
use super::{Case, Maker};
use crate::judge::Finding;
use crate::profile::Profile;
use crate::transcript::{Reading, Transcript};

pub(super) const CASES: &[Case] = &[
    Case::must(
        "memory/claimed",
        "Three headers claim a quarter of a GiB each and no body follows: they cost nothing until it does.",
        |s| {
            s.need_process();
            let limit = s.profile().declared_max_body().unwrap_or(u64::MAX);
            let claim = CLAIM.min(limit).min(s.craft().largest_body());
            let worth = claim >= CLAIM;
            s.need(worth, "no header of this profile can claim enough to be seen in the process");
            let warm = s.open();
            s.ask(warm);
            s.sample("before");
            let header = s.craft().header(whole(claim, s));
            for _ in 0..CLAIMS {
                let a = s.open();
                s.send(a, &header);
            }
            s.ask(warm);
            s.ask(warm);
            s.sample("during");
        },
    )
    .alone()
    .and(claims_cost_nothing),
    Case::must(
        "memory/given-back",
        "Rounds of clients with large requests come and go: what the process holds does not grow with every round.",
        |s| {
            s.need_process();
            rounds(s, |s| {
                for _ in 0..4 {
                    let a = s.open();
                    for _ in 0..8 {
                        let request = s.request_of(32_000);
                        s.send(a, &request);
                        s.wait(a);
                    }
                    s.leave(a);
                }
            });
        },
    )
    .alone()
    .and(memory_does_not_climb),
    Case::must(
        "cpu/idle",
        "Clients that are connected and say nothing cost no processor time.",
        |s| {
            measured_pause(s, |s| {
                for _ in 0..4 {
                    let a = s.open();
                    s.ask(a);
                }
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        "cpu/ended",
        "Clients that have ended their stream cost no processor time: a read that returns nothing is the end.",
        |s| {
            measured_pause(s, |s| {
                for _ in 0..4 {
                    let a = s.open();
                    s.ask(a);
                    s.fin(a);
                }
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        "cpu/unfinished",
        "Clients that have stopped inside a frame, or have ended their stream there, cost no processor time.",
        |s| {
            measured_pause(s, |s| {
                for octets in [1, 2, 4, 30] {
                    let a = s.open();
                    let request = s.request();
                    s.send(a, parted(&request, octets).0);
                    if octets % 4 != 0 {
                        s.fin(a);
                    }
                }
            });
        },
    )
    .alone()
    .and(no_time_is_spent),
    Case::must(
        "descriptors/given-back",
        "Clients that were served and left take their descriptors with them.",
        |s| {
            s.need_process();
            rounds(s, |s| {
                for _ in 0..10 {
                    let a = s.open();
                    s.ask(a);
                    s.leave(a);
                }
            });
        },
    )
    .alone()
    .and(descriptors_do_not_climb),
    Case::must(
        "descriptors/after-errors",
        "So do clients that reset, broke off, or sent what cannot be read.",
        |s| {
            s.need_process();
            rounds(s, |s| {
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
            });
        },
    )
    .alone()
    .and(descriptors_do_not_climb),
];

/// What each header claims.
const CLAIM: u64 = 256 << 20;

/// How many headers claim it.
const CLAIMS: u64 = 3;

/// Rounds of a load, with a reading behind each.
const ROUNDS: [&str; 5] = ["warm", "one", "two", "three", "four"];

/// How long the processor is watched, in milliseconds.
const WATCH: u64 = 250;

fn whole(octets: u64, s: &Maker<'_>) -> u64 {
    let chunk = u64::from(s.profile().chunk());
    octets
        .checked_div(chunk)
        .unwrap_or_default()
        .saturating_mul(chunk)
}

fn rounds(s: &mut Maker<'_>, load: fn(&mut Maker<'_>)) {
    for round in ROUNDS {
        load(s);
        s.sample(round);
    }
}

fn measured_pause(s: &mut Maker<'_>, load: fn(&mut Maker<'_>)) {
    s.need_process();
    load(s);
    s.pause(30);
    s.sample("before");
    s.pause(WATCH);
    s.sample("after");
}

fn claims_cost_nothing(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let before = transcript.sample("before")?.reading;
    let during = transcript.sample("during")?.reading;
    let claimed = CLAIM.saturating_mul(CLAIMS);
    let grown = |of: fn(Reading) -> u64| of(during).saturating_sub(of(before));
    let half = claimed / 2;
    let what = if grown(|r| r.resident) > half {
        format!("resident memory grew by {}", mib(grown(|r| r.resident)))
    } else if grown(|r| r.virtual_size) > half {
        format!(
            "{} of address space were reserved",
            mib(grown(|r| r.virtual_size))
        )
    } else {
        return None;
    };
    let claimed = mib(claimed);
    Some(Finding::must(
        "memory",
        0,
        format!("{what} for {claimed} that headers claimed and nobody sent"),
    ))
}

fn mib(octets: u64) -> String {
    format!("{} MiB", octets >> 20)
}

/// Readings behind the rounds, the warm-up left out.
fn after_rounds(transcript: &Transcript) -> Vec<Reading> {
    let named = ROUNDS.iter().skip(1);
    named
        .filter_map(|name| Some(transcript.sample(name)?.reading))
        .collect()
}

/// How much a figure grew in each round, if it did in every one.
fn climb(readings: &[Reading], of: fn(&Reading) -> u64) -> Option<u64> {
    let steps = readings.windows(2).map(|pair| match pair {
        [one, next] => of(next).saturating_sub(of(one)),
        _ => 0,
    });
    steps.min().filter(|step| *step > 0)
}

fn memory_does_not_climb(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    // A round sends about 1 MiB; a quarter of it left behind each time is a leak.
    let step = climb(&after_rounds(transcript), |reading| reading.resident)?;
    let what = format!(
        "resident memory grew by {} KiB or more in every round of 1 MiB",
        step >> 10
    );
    (step > 256 << 10).then(|| Finding::must("memory", 0, what))
}

fn descriptors_do_not_climb(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let step = climb(&after_rounds(transcript), |reading| reading.descriptors)?;
    let what = format!(
        "the process kept {step} descriptors or more of every round of connections, all of which had ended"
    );
    (step >= 2).then(|| Finding::must("descriptors", 0, what))
}

fn no_time_is_spent(_: &Profile, transcript: &Transcript) -> Option<Finding> {
    let (before, after) = (transcript.sample("before")?, transcript.sample("after")?);
    let spent = after.reading.cpu.saturating_sub(before.reading.cpu);
    let passed = after.at.saturating_sub(before.at);
    let what = format!(
        "{} ms of processor time in {} ms in which nobody asked for anything",
        spent.as_millis(),
        passed.as_millis()
    );
    // A busy machine leaves a process that spins only a part of a processor.
    (spent.saturating_mul(10) > passed).then(|| Finding::must("cpu", 0, what))
}
