//! A program that was started, with all that it starts in turn.
//!
//! It gets a process group of its own, and the group ends with it: told to at first, made to after a
//! while, and on every way out, since that is done when it is dropped. The process that was started is
//! not reaped before, so that the group's number cannot become that of another.

use super::process::Process;
use super::stderr::Stderr;
use std::fmt;
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a group that was told to end is given before it is made to.
const GRACE: Duration = Duration::from_secs(2);

/// How long a process that was killed may take to be gone; the system may be holding it.
const KILLED: Duration = Duration::from_secs(2);

/// Between two looks at a process that is to end.
const LOOK: Duration = Duration::from_millis(5);

/// How a process came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => match system::signal_name(*signal) {
                Some(name) => write!(f, "was ended by {name} (signal {signal})"),
                None => write!(f, "was ended by signal {signal}"),
            },
        }
    }
}

/// A running program.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    stderr: Stderr,
    grace: Duration,
}

impl Group {
    /// Starts the command.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        command.stderr(Stdio::piped());
        system::in_its_own_group(&mut command);
        let mut child = command.spawn()?;
        let stderr = child.stderr.take().map(Stderr::of).unwrap_or_default();
        let grace = GRACE;
        Ok(Self {
            child,
            stderr,
            grace,
        })
    }

    /// What it writes to its standard error.
    pub(super) fn stderr(&self) -> &Stderr {
        &self.stderr
    }

    /// All its processes together, for a look at what they spend.
    pub(super) fn process(&self) -> Option<Process> {
        Process::group(self.child.id())
    }

    /// How the process that was started ended, if it has.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        system::ended(&mut self.child)
    }

    /// The same, if it has by then.
    pub(super) async fn ended_within(&mut self, limit: Duration) -> Option<Ended> {
        let begun = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || begun.elapsed() >= limit {
                return ended;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends it, with less patience than usual, and waits for that.
    pub(super) async fn end(mut self, grace: Duration) {
        self.grace = grace;
        // The task is on a thread that may wait. If there is none, it ends here.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Whether anything of it still runs.
    fn runs(&mut self) -> bool {
        self.ended().is_none() || self.process().is_some_and(|group| group.runs())
    }

    /// Waits until nothing of it runs any more, but no longer than that.
    fn wait(&mut self, limit: Duration) {
        let begun = Instant::now();
        while self.runs() && begun.elapsed() < limit {
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.runs() {
            system::tell_to_end(&mut self.child);
            self.wait(self.grace);
        }
        system::kill(&mut self.child);
        self.wait(KILLED);
        // Reaps it. If it has not even ended now, the system does not let go of it.
        let _ = self.child.try_wait();
    }
}

#[cfg(unix)]
mod system {
    //! Process groups, as Unix has them.

    use super::Ended;
    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
    };
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    pub(super) fn in_its_own_group(command: &mut Command) {
        command.process_group(0);
    }

    /// Looks without reaping.
    pub(super) fn ended(child: &mut Child) -> Option<Ended> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(Pid::from_child(child)), options).ok()??;
        let signal = status.terminating_signal().map(Ended::Signal);
        signal.or(status.exit_status().map(Ended::Code))
    }

    pub(super) fn tell_to_end(child: &mut Child) {
        // One that has ended meanwhile need not be told.
        let _ = kill_process_group(Pid::from_child(child), Signal::TERM);
    }

    pub(super) fn kill(child: &mut Child) {
        let group = Pid::from_child(child);
        if test_kill_process_group(group).is_ok() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    pub(super) fn signal_name(signal: i32) -> Option<&'static str> {
        [
            (Signal::HUP, "SIGHUP"),
            (Signal::INT, "SIGINT"),
            (Signal::QUIT, "SIGQUIT"),
            (Signal::ILL, "SIGILL"),
            (Signal::TRAP, "SIGTRAP"),
            (Signal::ABORT, "SIGABRT"),
            (Signal::BUS, "SIGBUS"),
            (Signal::FPE, "SIGFPE"),
            (Signal::KILL, "SIGKILL"),
            (Signal::SEGV, "SIGSEGV"),
            (Signal::PIPE, "SIGPIPE"),
            (Signal::ALARM, "SIGALRM"),
            (Signal::TERM, "SIGTERM"),
            (Signal::XCPU, "SIGXCPU"),
            (Signal::XFSZ, "SIGXFSZ"),
            (Signal::SYS, "SIGSYS"),
        ]
        .into_iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map(|(_, name)| name)
    }
}

#[cfg(not(unix))]
mod system {
    //! Where there are no process groups, the process alone is ended.

    use super::Ended;
    use std::process::{Child, Command};

    pub(super) fn in_its_own_group(_: &mut Command) {}

    pub(super) fn ended(child: &mut Child) -> Option<Ended> {
        let status = child.try_wait().ok()??;
        Some(Ended::Code(status.code().unwrap_or_default()))
    }

    pub(super) fn tell_to_end(child: &mut Child) {
        let _ = child.kill();
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = child.kill();
    }

    pub(super) fn signal_name(_: i32) -> Option<&'static str> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(text: &str) -> io::Result<Group> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(text).stdin(Stdio::null());
        Group::start(command)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn ends_are_told_apart() {
        let mut group = shell("echo why >&2; exit 7").unwrap();
        let ended = group.ended_within(LONG).await.unwrap();
        assert_eq!(ended.to_string(), "exited with code 7");
        group.stderr().ended(LONG).await;
        assert_eq!(group.stderr().since(0), "why");
        let mut group = shell("kill -SEGV $$").unwrap();
        let ended = group.ended_within(LONG).await.unwrap();
        assert_eq!(ended.to_string(), "was ended by SIGSEGV (signal 11)");
        assert_eq!(Ended::Signal(60).to_string(), "was ended by signal 60");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_it_started_ends_with_it() {
        let group = shell("trap '' TERM; sleep 600 & sleep 600 & wait; wait").unwrap();
        let id = group.child.id();
        // The shell and what it runs.
        let process = Process::group(id).unwrap();
        let begun = Instant::now();
        while process.read().unwrap().threads < 3 && begun.elapsed() < LONG {
            std::thread::sleep(LOOK);
        }
        drop(group);
        assert!(begun.elapsed() < LONG);
        assert_eq!(Process::group(id), None);
    }
}
