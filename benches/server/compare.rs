//! What is measured, and the tables of it.

use crate::load::{Connections, Load, Turn};
use crate::process::{Process, most_descriptors, pin};
use crate::servers::{ALL, Contender, ON_TWO_THREADS, WITHOUT_THREADS};
use std::thread;
use std::time::{Duration, Instant};

const SMALL: usize = 53;
const LARGE: usize = 4000;

const LOADS: [Load; 6] = [
    load(1, 1, SMALL),
    load(64, 1, SMALL),
    load(64, 16, SMALL),
    load(1000, 1, SMALL),
    load(64, 1, LARGE),
    load(64, 16, LARGE),
];

const IDLE: usize = 10_000;

const fn load(connections: usize, in_flight: usize, payload: usize) -> Load {
    Load {
        connections,
        in_flight,
        payload,
    }
}

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    turns: usize,
    time: Duration,
}

/// Measures all servers under all loads; once and shortly, and no others than ours, unless it is to be `measured`.
pub(crate) fn all(measured: bool) {
    let (effort, idle) = if measured {
        (
            Effort {
                turns: 11,
                time: Duration::from_millis(200),
            },
            IDLE,
        )
    } else {
        (
            Effort {
                turns: 1,
                time: Duration::from_millis(10),
            },
            100,
        )
    };
    let most = most_descriptors();
    let contenders: Vec<Contender> = ALL
        .into_iter()
        .filter(|contender| measured || contender.is_here())
        .collect();
    println!("### Frames there and back\n");
    let mut missing = Vec::new();
    under_load(&contenders, effort, &mut missing);
    println!("\n### Memory of a connection that rests\n");
    at_rest(&contenders, idle, most, &mut missing);
    println!("\n### One processor and two\n");
    on_two(effort);
    missing.sort();
    missing.dedup();
    for why in missing {
        println!("\n**Not measured:** {why}");
    }
}

/// Starts a server on the first processor. The load stays on the second.
fn started(contender: Contender, missing: &mut Vec<String>) -> Option<Process> {
    pin(&[0]);
    let started = contender.start();
    pin(&[1]);
    let why = |why| missing.push(format!("{}: {why}.", contender.name));
    started.map_err(why).ok()
}

fn under_load(contenders: &[Contender], effort: Effort, missing: &mut Vec<String>) {
    println!("| load | server | frames/s | to the floor | middle half | CPU a frame | p50 | p99 |");
    println!("|---|---|---|---|---|---|---|---|");
    let servers: Vec<(Contender, Process)> = contenders
        .iter()
        .filter_map(|contender| Some((*contender, started(*contender, missing)?)))
        .collect();
    let few = contenders.len() < ALL.len();
    for load in LOADS
        .into_iter()
        .filter(|load| !few || load.connections <= 64)
    {
        let measured = taking_turns(&servers, load, effort);
        let floor: Vec<f64> = measured[0].iter().map(|turn| turn.rate).collect();
        for ((contender, _), turns) in servers.iter().zip(&measured) {
            println!(
                "| {} | {} | {} |",
                named(load),
                contender.name,
                row(&floor, turns)
            );
        }
    }
}

/// All turns of each server. In every round each has one.
fn taking_turns(servers: &[(Contender, Process)], load: Load, effort: Effort) -> Vec<Vec<Turn>> {
    let open = |(_, server): &(_, Process)| Connections::open(server.addr, load);
    let mut connections: Vec<Connections> = servers.iter().map(open).collect();
    // The first time is for buffers to grow.
    connections.iter_mut().for_each(Connections::once);
    let mut turns: Vec<Vec<Turn>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..effort.turns {
        for (at, (_, server)) in servers.iter().enumerate() {
            turns[at].push(connections[at].turn(server, effort.time));
        }
    }
    turns
}

fn named(load: Load) -> String {
    let size = if load.payload == SMALL { "" } else { ", 4 KiB" };
    format!("{} × {}{size}", load.connections, load.in_flight)
}

fn row(floor: &[f64], turns: &[Turn]) -> String {
    let (_, rate, _) = spread(turns.iter().map(|turn| turn.rate));
    let (low, ratio, high) = spread(
        turns
            .iter()
            .zip(floor)
            .map(|(turn, floor)| turn.rate / floor),
    );
    let (_, busy, _) = spread(turns.iter().map(|turn| turn.busy));
    let mut latencies: Vec<u32> = turns
        .iter()
        .flat_map(|turn| &turn.latencies)
        .copied()
        .collect();
    latencies.sort_unstable();
    let at =
        |hundredths: usize| f64::from(latencies[(latencies.len() - 1) * hundredths / 100]) / 1e3;
    format!(
        "{:.1}k | {ratio:.2} | {low:.2}–{high:.2} | {:.2} µs | {:.0} µs | {:.0} µs",
        rate / 1e3,
        busy / 1e3,
        at(50),
        at(99),
    )
}

/// The middle half of the values, with the median between.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
    (at(1), at(2), at(3))
}

/// What servers hold for connections on which one frame has gone there and back, and nothing since.
fn at_rest(contenders: &[Contender], wanted: usize, most: usize, missing: &mut Vec<String>) {
    println!("| server | connections | memory before | with them | for each |");
    println!("|---|---|---|---|---|");
    // Those of the load, and some for what this process has anyhow.
    let connections = wanted.min(most.saturating_sub(100));
    if connections < wanted {
        missing.push(format!(
            "{wanted} connections: the limit on open files is {most}."
        ));
    }
    let (first, rest) = contenders.split_at(contenders.len().min(WITHOUT_THREADS));
    for contender in first {
        let Some(server) = started(*contender, missing) else {
            continue;
        };
        // What it allocates only once belongs to no connection.
        Connections::open(server.addr, load(1, 1, SMALL)).once();
        let before = server.resident();
        let mut load = Connections::open(server.addr, load(connections, 1, SMALL));
        load.once();
        let with = server.resident();
        println!(
            "| {} | {connections} | {:.1} MB | {:.1} MB | {:.2} kB |",
            contender.name,
            before as f64 / 1e6,
            with as f64 / 1e6,
            with.saturating_sub(before) as f64 / 1e3 / connections as f64,
        );
    }
    for contender in rest {
        println!("| {} | none: each has a thread | | | |", contender.name);
    }
}

/// Server and load together on one processor, and then on two: this machine has no third for the load.
fn on_two(effort: Effort) {
    println!("| load | frames/s on one | on two | ratio | middle half |");
    println!("|---|---|---|---|---|");
    pin(&[0]);
    let one = ALL[3].start().unwrap();
    pin(&[0, 1]);
    let two = ON_TWO_THREADS.start().unwrap();
    for load in &LOADS[1..4] {
        let rates = (0..effort.turns).map(|_| {
            let alone = together(&one, *load, effort.time, &[0]);
            (alone, together(&two, *load, effort.time, &[0, 1]))
        });
        let rates: Vec<(f64, f64)> = rates.collect();
        let (_, alone, _) = spread(rates.iter().map(|(one, _)| *one));
        let (_, both, _) = spread(rates.iter().map(|(_, two)| *two));
        let (low, ratio, high) = spread(rates.iter().map(|(one, two)| two / one));
        println!(
            "| {} | {:.1}k | {:.1}k | {ratio:.2} | {low:.2}–{high:.2} |",
            named(*load),
            alone / 1e3,
            both / 1e3,
        );
    }
}

/// Frames a second with a thread of the load on each of the processors.
fn together(server: &Process, load: Load, time: Duration, processors: &[usize]) -> f64 {
    let share = Load {
        connections: load.connections / processors.len(),
        ..load
    };
    let addr = server.addr;
    let threads: Vec<_> = processors
        .iter()
        .map(|processor| {
            let processor = *processor;
            thread::spawn(move || {
                pin(&[processor]);
                let mut connections = Connections::open(addr, share);
                connections.once();
                let start = Instant::now();
                let frames = connections.run(start + time).len();
                frames as f64 / start.elapsed().as_secs_f64()
            })
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum()
}
