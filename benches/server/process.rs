//! A server that runs, and what the system tells of it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

/// It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Process {
    /// Starts a program that prints the port at which it listens.
    pub(crate) fn start(mut command: Command) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("there is no `{program}`: {error}"))?;
        let mut said = String::new();
        let output = child.stdout.take().map(BufReader::new);
        let read = output.map(|mut output| output.read_line(&mut said));
        let addr = (Ipv4Addr::LOCALHOST, said.trim().parse().unwrap_or(0)).into();
        let process = Self { child, addr };
        match read {
            Some(Ok(_)) if process.addr.port() > 0 => Ok(process),
            _ => Err(format!(
                "`{program}` does not say where it listens: {said:?}"
            )),
        }
    }

    /// Nanoseconds for which its threads have had a processor, those that have ended left out.
    pub(crate) fn busy(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let times =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
        times
            .filter_map(|times| times.split(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// Octets of memory that it has, at present.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.unwrap() << 10
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts this thread, and what it starts from now on, on some processors; where there are no such, it stays.
pub(crate) fn pin(processors: &[usize]) {
    let mut set = CpuSet::new();
    processors.iter().for_each(|processor| set.set(*processor));
    let _ = sched_setaffinity(None, &set);
}

/// As many descriptors as the system permits; how many.
pub(crate) fn most_descriptors() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    maximum.map_or(usize::MAX, |maximum| {
        maximum.try_into().unwrap_or(usize::MAX)
    })
}
