//! The server's process, as far as the system tells of it.

use crate::transcript::Reading;

/// A process that may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    pid: i32,
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
        let process = i32::try_from(pid)
            .map(|pid| Self { pid })
            .map_err(|_| refuse("no process has such a number".into()))?;
        process.read().map(|_| process).map_err(refuse)
    }

    /// What it holds now.
    ///
    /// # Errors
    /// If it has ended, or may not be looked at.
    #[cfg(target_os = "linux")]
    pub fn read(&self) -> Result<Reading, String> {
        use std::time::Duration;
        let process = procfs::process::Process::new(self.pid).map_err(|error| error.to_string())?;
        let stat = process.stat().map_err(|error| error.to_string())?;
        let descriptors = process.fd_count().map_err(|error| error.to_string())?;
        let ticks = stat.utime.saturating_add(stat.stime);
        let per_second = procfs::ticks_per_second().max(1);
        let millis = ticks
            .saturating_mul(1_000)
            .checked_div(per_second)
            .unwrap_or_default();
        Ok(Reading {
            resident: stat.rss.saturating_mul(procfs::page_size()),
            virtual_size: stat.vsize,
            cpu: Duration::from_millis(millis),
            descriptors: u64::try_from(descriptors).unwrap_or(u64::MAX),
            threads: u64::try_from(stat.num_threads).unwrap_or_default(),
        })
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_looked_at() {
        let reading = Process::new(std::process::id()).unwrap().read().unwrap();
        assert!(reading.resident > 0 && reading.descriptors > 2 && reading.threads >= 1);
        assert!(reading.virtual_size >= reading.resident);
    }

    #[test]
    fn a_process_that_is_not_there_cannot() {
        assert!(Process::new(u32::MAX).is_err());
        assert!(Process::new(0x7fff_fff0).is_err());
    }
}
