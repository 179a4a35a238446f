//! Contenders take turns, and what is told of them are medians.

use std::time::{Duration, Instant};

/// How long it took, without preparations, and how many frames there were.
pub(crate) type Timed = (Duration, usize);

/// How long the work takes this thread, whatever else the machine does meanwhile.
pub(crate) fn timed(work: impl FnOnce() -> usize) -> Timed {
    let start = busy();
    let count = work();
    (busy().saturating_sub(start), count)
}

/// The processor's time that this thread has had.
#[cfg(target_os = "linux")]
fn busy() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Elsewhere the time that has passed, which is the same on a quiet machine.
#[cfg(not(target_os = "linux"))]
fn busy() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// A way of doing the work. It keeps its buffers from turn to turn, as a long connection does.
pub(crate) struct Contender {
    name: &'static str,
    turn: Box<dyn FnMut() -> Timed>,
    frames: usize,
    /// What looking at the clock takes by itself.
    idle: Duration,
}

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    time: Duration,
}

/// A median with the middle half of the values around it.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

/// What became of a contender. The ratio says how much faster it is than the first one.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) nanos: Spread,
    pub(crate) ratio: Spread,
    pub(crate) allocations: f64,
}

impl Contender {
    /// Every turn handles so many frames, or it has lost some.
    pub(crate) fn new(
        name: &'static str,
        frames: usize,
        turn: impl FnMut() -> Timed + 'static,
    ) -> Self {
        let idle = (0..32).map(|_| timed(|| 0).0).min().unwrap_or_default();
        let turn = Box::new(turn);
        Self {
            name,
            turn,
            frames,
            idle,
        }
    }

    /// Nanoseconds a frame in one turn.
    fn nanos(&mut self) -> f64 {
        let (took, count) = (self.turn)();
        assert_eq!(count, self.frames, "{} lost frames", self.name);
        took.saturating_sub(self.idle).as_nanos() as f64 / count as f64
    }

    /// Allocations a frame, once the buffers are as large as they get.
    fn allocations(&mut self) -> f64 {
        let info = allocation_counter::measure(|| {
            self.nanos();
        });
        info.count_total as f64 / self.frames as f64
    }
}

impl Effort {
    /// `cargo test --benches` passes no `--bench`: then one round shows that all of it works.
    pub(crate) fn asked_for() -> Self {
        let is_bench = std::env::args().any(|arg| arg == "--bench");
        Self {
            rounds: if is_bench { 201 } else { 1 },
            time: Duration::from_millis(800),
        }
    }
}

/// Lets the contenders take turns, so that whatever else the machine does hits all of them, for so many
/// rounds or so long, but a few rounds at least.
pub(crate) fn race(mut contenders: Vec<Contender>, effort: Effort) -> Vec<Row> {
    let count = contenders.len();
    let mut nanos = vec![Vec::new(); count];
    // The first turn makes the buffers.
    contenders.iter_mut().for_each(|contender| {
        contender.nanos();
    });
    let start = Instant::now();
    for round in 0..effort.rounds {
        if round >= 5 && start.elapsed() > effort.time {
            break;
        }
        for turn in 0..count {
            let at = (round + turn) % count;
            nanos[at].push(contenders[at].nanos());
        }
    }
    let first = nanos[0].clone();
    let rows = contenders
        .iter_mut()
        .zip(&nanos)
        .map(|(contender, nanos)| Row {
            name: contender.name,
            nanos: spread(nanos.iter().copied()),
            ratio: spread(first.iter().zip(nanos).map(|(first, nanos)| first / nanos)),
            allocations: contender.allocations(),
        });
    rows.collect()
}

fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
    Spread {
        low: at(1),
        median: at(2),
        high: at(3),
    }
}
