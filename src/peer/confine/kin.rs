//! All that descends from this process, found anew with each look.

use procfs::process::{Process, Stat};
use std::collections::{HashMap, HashSet};
use std::fs;

/// What descends from this process.
///
/// Of a process that has been found to be another's that is remembered, so that a look costs little more than the list of
/// all processes: whose child a process is changes only when its parent ends, and then it becomes that of the nearest
/// ancestor that takes orphans in. It cannot come here from elsewhere.
#[derive(Debug)]
pub(super) struct Kin {
    own: i32,
    others: HashSet<i32>,
}

/// What they have together. Those that have ended count no more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Held {
    pub(super) processes: Vec<i32>,
    pub(super) threads: u64,
    /// Octets in the machine's memory. What several of them have in common counts for each.
    resident: u64,
}

impl Held {
    /// Whether they have more of the machine's memory than that. What they have in common is told apart only where it
    /// matters, since that takes a while: a process that has just been forked has all of its parent's.
    pub(super) fn is_over(&self, octets: u64) -> bool {
        self.resident > octets
            && self
                .processes
                .iter()
                .copied()
                .filter_map(share)
                .sum::<u64>()
                > octets
    }
}

/// A process's share of the memory in octets, if it still runs; of what it has in common with others, its part.
fn share(id: i32) -> Option<u64> {
    let process = Process::new(id).ok()?;
    let parts = process.smaps_rollup().ok()?;
    let map = &parts.memory_map_rollup.0.first()?.extension.map;
    map.get("Pss").copied()
}

impl Kin {
    pub(super) fn of(own: i32) -> Self {
        Self {
            own,
            others: HashSet::new(),
        }
    }

    /// Looks at them.
    pub(super) fn look(&mut self) -> Held {
        let there = there();
        self.others.retain(|id| there.contains(id));
        let unknown = there.iter().filter(|id| !self.others.contains(id));
        // Any of them may end while it is looked at.
        let stats: HashMap<i32, Stat> = unknown
            .filter(|id| **id != self.own)
            .filter_map(|id| Some((*id, Process::new(*id).ok()?.stat().ok()?)))
            .collect();
        let mut own = Vec::new();
        for stat in stats.values() {
            match self.whose(stat, &stats) {
                Whose::Own => own.push(stat),
                Whose::Others => drop(self.others.insert(stat.pid)),
                Whose::Unknown => {}
            }
        }
        sum(own.into_iter().filter(|stat| !has_ended(stat)))
    }

    /// Where its line of parents leads.
    fn whose(&self, stat: &Stat, stats: &HashMap<i32, Stat>) -> Whose {
        let mut parent = stat.ppid;
        // Parents were looked at one after the other: there could be a circle.
        for _ in 0..=stats.len() {
            if parent == self.own {
                return Whose::Own;
            }
            if parent == 0 || self.others.contains(&parent) {
                return Whose::Others;
            }
            match stats.get(&parent) {
                Some(stat) => parent = stat.ppid,
                None => break,
            }
        }
        Whose::Unknown
    }
}

/// Whose a process is.
enum Whose {
    Own,
    Others,
    /// Its parent has ended meanwhile: the next look tells.
    Unknown,
}

/// The numbers of all processes.
fn there() -> HashSet<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn has_ended(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X' | 'x')
}

fn sum<'a>(stats: impl Iterator<Item = &'a Stat>) -> Held {
    let mut held = Held::default();
    for stat in stats {
        let threads = u64::try_from(stat.num_threads).unwrap_or_default();
        let resident = stat.rss.saturating_mul(procfs::page_size());
        held.processes.push(stat.pid);
        held.threads = held.threads.saturating_add(threads);
        held.resident = held.resident.saturating_add(resident);
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn children_and_theirs_are_found_and_nobody_else() {
        let mut kin = Kin::of(std::process::id().try_into().unwrap());
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & wait"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let id: i32 = shell.id().try_into().unwrap();
        // Other tests of this process have children too.
        let found = loop {
            let held = kin.look();
            let of = |other: &&i32| {
                let stat = Process::new(**other).and_then(|process| process.stat());
                stat.is_ok_and(|stat| stat.ppid == id)
            };
            if let Some(child) = held.processes.iter().find(of) {
                break *child;
            }
        };
        let held = kin.look();
        assert!(held.processes.contains(&id) && held.processes.contains(&found));
        assert!(held.threads >= 2 && held.is_over(1) && !held.is_over(u64::MAX));
        assert!(!held.processes.contains(&1) && kin.others.contains(&1));
        for id in [id, found] {
            let pid = rustix::process::Pid::from_raw(id).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        shell.wait().unwrap();
        assert!(!kin.look().processes.contains(&id));
    }
}
