//! All that descends from this process, found anew with each look.

use super::Limits;
use procfs::process::{Process, Stat};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;

/// How many times as many threads there may be as processes, and as many that have ended and not been waited for.
const THREADS: u64 = 16;

/// The most parents that are gone through for one process.
const LONGEST_LINE: usize = 1 << 16;

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

/// What they have together, as far as a look went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Held {
    /// Those that run.
    pub(super) processes: Vec<i32>,
    pub(super) threads: u64,
    /// How many have ended and are still there, as nobody has waited for them.
    pub(super) ended: u64,
    /// Octets in the machine's memory. What several of them have in common counts for each.
    resident: u64,
}

impl Held {
    fn add(&mut self, stat: &Stat) {
        if has_ended(stat) {
            self.ended = self.ended.saturating_add(1);
            return;
        }
        let threads = u64::try_from(stat.num_threads).unwrap_or_default();
        let resident = stat.rss.saturating_mul(procfs::page_size());
        self.processes.push(stat.pid);
        self.threads = self.threads.saturating_add(threads);
        self.resident = self.resident.saturating_add(resident);
    }

    /// Of what there are more than there may be, if that is so.
    pub(super) fn too_many(&self, limits: Limits) -> Option<String> {
        let most = u64::from(limits.processes);
        let most_threads = most.saturating_mul(THREADS);
        let running = u64::try_from(self.processes.len()).unwrap_or(u64::MAX);
        if running > most {
            Some(format!("it ran more than {most} processes at once"))
        } else if self.threads > most_threads {
            Some(format!("it ran more than {most_threads} threads at once"))
        } else if self.ended > most_threads {
            Some(format!(
                "it started more than {most_threads} processes that ended, and waited for none of them"
            ))
        } else {
            None
        }
    }

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

    /// Looks at them, and no further where there are too many: whoever makes more all the time is to be stopped, and not
    /// counted.
    pub(super) fn look(&mut self, limits: Limits) -> Held {
        let mut held = Held::default();
        self.each(|stat| {
            held.add(stat);
            match held.too_many(limits) {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        });
        held
    }

    /// Does something to each that runs, as soon as it is found; whether there was any.
    pub(super) fn visit_running(&mut self, mut does: impl FnMut(i32)) -> bool {
        let mut is_any = false;
        self.each(|stat| {
            if !has_ended(stat) {
                is_any = true;
                does(stat.pid);
            }
            ControlFlow::Continue(())
        });
        is_any
    }

    /// Goes through all that descend from here, the latest first, for as long as is wanted.
    fn each(&mut self, mut found: impl FnMut(&Stat) -> ControlFlow<()>) {
        let there = there();
        let still: HashSet<i32> = there.iter().copied().collect();
        self.others.retain(|id| still.contains(id));
        let mut own = HashSet::from([self.own]);
        for id in there.into_iter().rev() {
            if id == self.own || self.others.contains(&id) {
                continue;
            }
            // Any of them may end while it is looked at.
            let Some(stat) = stat(id) else { continue };
            if self.is_own(&stat, &mut own) && found(&stat).is_break() {
                return;
            }
        }
    }

    /// Whether its line of parents leads here. All of that line are known from then on: for this look those that are own,
    /// and for good those that are not.
    fn is_own(&mut self, stat: &Stat, own: &mut HashSet<i32>) -> bool {
        let (mut line, mut parent) = (vec![stat.pid], stat.ppid);
        // Parents are looked at one after the other: there could be a circle.
        for _ in 0..LONGEST_LINE {
            if own.contains(&parent) {
                own.extend(line);
                return true;
            }
            if parent == 0 || self.others.contains(&parent) {
                self.others.extend(line);
                return false;
            }
            parent = match self::stat(parent) {
                Some(above) => {
                    line.push(parent);
                    above.ppid
                }
                // It has just ended, and somebody else is the parent now.
                None => match line.last().copied().and_then(self::stat) {
                    Some(again) => again.ppid,
                    None => return false,
                },
            };
        }
        false
    }
}

/// The numbers of all processes, the latest last as long as they have not begun anew.
fn there() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn stat(id: i32) -> Option<Stat> {
    Process::new(id).ok()?.stat().ok()
}

fn has_ended(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X' | 'x')
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
        let all = Limits {
            processes: 10_000,
            ..Limits::default()
        };
        let found = loop {
            let held = kin.look(all);
            let of = |other: &&i32| {
                let stat = Process::new(**other).and_then(|process| process.stat());
                stat.is_ok_and(|stat| stat.ppid == id)
            };
            if let Some(child) = held.processes.iter().find(of) {
                break *child;
            }
        };
        let held = kin.look(all);
        assert!(
            held.too_many(all).is_none()
                && held.processes.contains(&id)
                && held.processes.contains(&found)
        );
        assert!(held.threads >= 2 && held.is_over(1) && !held.is_over(u64::MAX));
        assert!(!held.processes.contains(&1) && kin.others.contains(&1));
        // Of more than there may be, no more is looked at than that there are.
        let none = Limits {
            processes: 0,
            ..all
        };
        let held = kin.look(none);
        assert_eq!(
            (held.processes.len(), held.too_many(none).is_some()),
            (1, true)
        );
        for id in [id, found] {
            let pid = rustix::process::Pid::from_raw(id).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        shell.wait().unwrap();
        assert!(!kin.look(all).processes.contains(&id));
    }
}
