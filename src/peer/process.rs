//! A process, or a group of them, as far as the system tells of it.

use crate::transcript::Reading;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long it is watched at a time …
const WATCH: Duration = Duration::from_millis(100);

/// … and how often, until it has come to rest. Virtual machines go on compiling after a server has begun
/// to listen.
const MOST_WATCHES: u32 = 20;

/// The most of a processor that a server at rest uses, in hundredths: more than one tick of a clock that
/// has a hundred in a second.
const AT_REST: u128 = 12;

/// How often what it holds is looked at, and how many times at most, until that does not change any more.
const LOOK: Duration = Duration::from_millis(10);
const MOST_LOOKS: u32 = 20;

/// After so many looks it is known of one that computes all the time.
const ENOUGH_LOOKS: u32 = 6;

/// A process that may be looked at, or a group of them, which is then looked at as if it were one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    id: i32,
    is_group: bool,
}

/// Why a process cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot look at process {pid}: {why}")]
pub struct ProcessError {
    /// Its number.
    pub pid: u32,
    /// Why not.
    pub why: String,
}

impl Process {
    /// The process of that number, if it is there and may be looked at.
    ///
    /// # Errors
    /// If it is not, or if this system does not tell what a process holds.
    pub fn new(pid: u32) -> Result<Self, ProcessError> {
        let refuse = |why: String| ProcessError { pid, why };
        let id = i32::try_from(pid).map_err(|_| refuse("no process has such a number".into()))?;
        let is_group = false;
        let process = Self { id, is_group };
        process.read().map(|_| process).map_err(refuse)
    }

    /// The process group of that number, be it there or not. A program may be behind a shell or some other
    /// program that starts it, or be several processes.
    pub(super) fn group(id: u32) -> Option<Self> {
        let id = i32::try_from(id).ok()?;
        let is_group = true;
        Some(Self { id, is_group })
    }

    /// Whether it is the one that listens at that TCP port of this machine; `None` where nobody does, or that is not
    /// told.
    #[must_use]
    pub fn listens_at(&self, port: u16) -> Option<bool> {
        #[cfg(target_os = "linux")]
        return linux::listens_at(self.id, port).ok().flatten();
        #[cfg(not(target_os = "linux"))]
        return Some(port).and(None);
    }

    /// The TCP ports at which any of it listens, as far as that is told.
    pub(crate) fn ports(&self) -> Vec<u16> {
        #[cfg(target_os = "linux")]
        return linux::ports_of_group(self.id);
        #[cfg(not(target_os = "linux"))]
        return Vec::new();
    }

    /// Whether any of it still runs, as far as that is known.
    pub(crate) fn runs(&self) -> bool {
        self.read().is_ok()
    }

    /// Waits until it rests, as it should while nobody asks for anything; `false` if it does not.
    pub(crate) async fn comes_to_rest(&self) -> bool {
        self.rests_within(MOST_WATCHES).await
    }

    /// Whether it rests now.
    pub(crate) async fn is_at_rest(&self) -> bool {
        self.rests_within(1).await
    }

    async fn rests_within(&self, watches: u32) -> bool {
        let mut before = (self.reading().await, Instant::now());
        for _ in 0..watches {
            sleep(WATCH).await;
            let now = (self.reading().await, Instant::now());
            if let (Some(earlier), Some(later)) = (&before.0, &now.0) {
                let passed = now.1.saturating_duration_since(before.1);
                if later.share_since(earlier, passed) <= AT_REST {
                    return true;
                }
            }
            before = now;
        }
        false
    }

    /// What it holds once two looks agree, or after a short while. One that computes all the time and holds what
    /// it held will not come to rest by waiting.
    pub(crate) async fn settled(&self) -> Option<Reading> {
        let (first, begun) = (self.reading().await?, Instant::now());
        let mut before = first;
        for look in 1..=MOST_LOOKS {
            sleep(LOOK).await;
            let now = self.reading().await?;
            let computes = look >= ENOUGH_LOOKS
                && now.holds_what(&first)
                && now.is_busy_since(&first, begun.elapsed());
            let rests = now.holds_what(&before) && now.cpu == before.cpu;
            before = now;
            if computes || rests {
                break;
            }
        }
        Some(before)
    }

    /// What it holds now, if it runs and that can be told. It is looked up on a thread that may wait, since
    /// all processes of the machine may have to be looked through.
    pub(crate) async fn reading(&self) -> Option<Reading> {
        let process = *self;
        let look = tokio::task::spawn_blocking(move || process.read());
        look.await.ok()?.ok()
    }

    /// What it holds now.
    ///
    /// # Errors
    /// If it has ended, or may not be looked at.
    #[cfg(target_os = "linux")]
    pub fn read(&self) -> Result<Reading, String> {
        if self.is_group {
            linux::read_group(self.id)
        } else {
            linux::read(self.id).map_err(|error| error.to_string())
        }
    }

    /// What it holds now: not known on this system.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn read(&self) -> Result<Reading, String> {
        Err("only on Linux is it known what a process holds".into())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    //! What /proc tells.

    use crate::transcript::Reading;
    use procfs::net::TcpState;
    use procfs::process::{FDInfo, FDTarget, Process, Stat, all_processes};
    use procfs::{ProcError, ProcResult};
    use std::collections::{BTreeSet, HashSet};
    use std::time::Duration;

    pub(super) fn read(pid: i32) -> ProcResult<Reading> {
        let process = Process::new(pid)?;
        let stat = process.stat()?;
        if has_ended(&stat) {
            // It is still there only because nobody has waited for it.
            return Err(ProcError::NotFound(None));
        }
        reading(&process, &stat)
    }

    /// The sum over all processes of the group that have not ended. One that has, and is still there because
    /// nobody has waited for it, counts as a thread.
    pub(super) fn read_group(id: i32) -> Result<Reading, String> {
        let (mut sum, mut ended) = (None::<Reading>, 0_u64);
        // Any of them may end while it is looked at.
        for process in all_processes()
            .map_err(|error| error.to_string())?
            .flatten()
        {
            let Ok(stat) = process.stat() else { continue };
            if stat.pgrp != id {
                continue;
            }
            if has_ended(&stat) {
                ended = ended.saturating_add(1);
                continue;
            }
            if let Ok(reading) = reading(&process, &stat) {
                sum = Some(added(sum.unwrap_or_default(), reading));
            }
        }
        let sum = sum.map(|sum| Reading {
            threads: sum.threads.saturating_add(ended),
            ..sum
        });
        sum.ok_or_else(|| "none of its processes runs".to_owned())
    }

    /// Where the processes of a group listen.
    pub(super) fn ports_of_group(id: i32) -> Vec<u16> {
        let all = all_processes().into_iter().flatten().flatten();
        let members = all.filter(|process| process.stat().is_ok_and(|stat| stat.pgrp == id));
        let ports = members.filter_map(|process| ports(&process).ok());
        let ports: BTreeSet<u16> = ports.flatten().collect();
        ports.into_iter().collect()
    }

    fn ports(process: &Process) -> ProcResult<Vec<u16>> {
        let own: HashSet<u64> = process.fd()?.flatten().filter_map(inode).collect();
        let sockets = process.tcp()?.into_iter().chain(process.tcp6()?);
        let listening = sockets
            .filter(|socket| socket.state == TcpState::Listen && own.contains(&socket.inode));
        Ok(listening
            .map(|socket| socket.local_address.port())
            .collect())
    }

    /// What tells a socket from all others.
    fn inode(descriptor: FDInfo) -> Option<u64> {
        match descriptor.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        }
    }

    /// Whether one of its own sockets is among those that listen at that port; `None` if there are none.
    pub(super) fn listens_at(pid: i32, port: u16) -> ProcResult<Option<bool>> {
        let process = Process::new(pid)?;
        let sockets = process.tcp()?.into_iter().chain(process.tcp6()?);
        let listening = sockets.filter(|socket| {
            socket.state == TcpState::Listen && socket.local_address.port() == port
        });
        let listening: Vec<u64> = listening.map(|socket| socket.inode).collect();
        let is_own = |target: &FDTarget| matches!(target, FDTarget::Socket(inode) if listening.contains(inode));
        let mut own = process.fd()?.flatten().map(|descriptor| descriptor.target);
        Ok((!listening.is_empty()).then(|| own.any(|target| is_own(&target))))
    }

    fn has_ended(stat: &Stat) -> bool {
        matches!(stat.state, 'Z' | 'X' | 'x')
    }

    fn reading(process: &Process, stat: &Stat) -> ProcResult<Reading> {
        let descriptors = process.fd_count()?;
        let sockets = sockets(process);
        let children = stat.cutime.saturating_add(stat.cstime);
        let ticks = stat.utime.saturating_add(stat.stime);
        let ticks = ticks.saturating_add(u64::try_from(children).unwrap_or_default());
        let millis = ticks
            .saturating_mul(1_000)
            .checked_div(procfs::ticks_per_second().max(1))
            .unwrap_or_default();
        Ok(Reading {
            resident: own_memory(process).unwrap_or(stat.rss.saturating_mul(procfs::page_size())),
            virtual_size: stat.vsize,
            cpu: Duration::from_millis(millis),
            waiting: waiting(process).unwrap_or_default(),
            descriptors: u64::try_from(descriptors).unwrap_or(u64::MAX),
            sockets: u64::try_from(sockets).unwrap_or(u64::MAX),
            threads: u64::try_from(stat.num_threads).unwrap_or_default(),
        })
    }

    fn sockets(process: &Process) -> usize {
        let descriptors = process.fd().into_iter().flatten().flatten();
        descriptors
            .filter(|descriptor| matches!(descriptor.target, FDTarget::Socket(_)))
            .count()
    }

    /// Memory that is no part of a file, in the system's memory or swapped out: what the program has
    /// made, and not code of which it happens to have come upon more.
    fn own_memory(process: &Process) -> Option<u64> {
        let rollup = process.smaps_rollup().ok()?;
        let map = &rollup.memory_map_rollup.0.first()?.extension.map;
        let of = |name: &str| map.get(name).copied().unwrap_or_default();
        let held = map.get("Anonymous")?.saturating_add(of("Swap"));
        Some(held.saturating_sub(of("LazyFree")))
    }

    /// How long its threads have been ready to run while others ran.
    fn waiting(process: &Process) -> Option<Duration> {
        let tasks = process.tasks().ok()?.flatten();
        let delays = tasks.filter_map(|task| task.schedstat().ok());
        let nanos: u64 = delays.map(|stat| stat.run_delay).sum();
        Some(Duration::from_nanos(nanos))
    }

    fn added(one: Reading, other: Reading) -> Reading {
        Reading {
            resident: one.resident.saturating_add(other.resident),
            virtual_size: one.virtual_size.saturating_add(other.virtual_size),
            cpu: one.cpu.saturating_add(other.cpu),
            waiting: one.waiting.saturating_add(other.waiting),
            descriptors: one.descriptors.saturating_add(other.descriptors),
            sockets: one.sockets.saturating_add(other.sockets),
            threads: one.threads.saturating_add(other.threads),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_looked_at() {
        let reading = Process::new(std::process::id()).unwrap().read().unwrap();
        assert!(reading.resident > 0 && reading.descriptors > 2 && reading.threads >= 1);
        assert!(reading.virtual_size >= reading.resident);
        let _socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let reading = Process::new(std::process::id()).unwrap().read().unwrap();
        assert!(reading.sockets >= 1 && reading.sockets < reading.descriptors);
    }

    #[test]
    fn a_process_that_is_not_there_cannot() {
        assert!(Process::new(u32::MAX).is_err());
        assert!(Process::new(0x7fff_fff0).is_err());
        assert!(!Process::group(0x7fff_fff0).unwrap().runs());
    }

    #[test]
    fn a_group_is_the_sum_of_its_processes() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        let whole = Process::group(group.unsigned_abs())
            .unwrap()
            .read()
            .unwrap();
        let own = Process::new(std::process::id()).unwrap().read().unwrap();
        assert!(whole.virtual_size >= own.virtual_size / 2);
        assert!(whole.threads >= 1 && whole.descriptors > 2);
    }
}
