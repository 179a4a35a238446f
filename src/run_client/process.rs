//! The client's process, and whatever it starts: one group, ended as a whole.

use super::log::Log;
use crate::client_cases::Exit;
use crate::run::Launch;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a group of processes holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// Processor time used, or waited for while others had it, so far.
    pub(super) busy: Duration,
    /// Resident memory in octets.
    pub(super) resident: u64,
    /// Address space in octets.
    pub(super) address_space: u64,
    /// Open sockets.
    pub(super) sockets: usize,
}

/// An address to connect to where somebody listens on this one.
fn to_connect(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(unix)]
pub(super) use unix::Child;

#[cfg(unix)]
mod unix {
    use super::*;
    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
    };
    use std::os::unix::process::CommandExt as _;
    use std::process::Stdio;
    use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

    /// A client that was started. Dropping it ends its group.
    #[derive(Debug)]
    pub(crate) struct Child {
        leader: std::process::Child,
        group: Pid,
        stdin: Option<ChildStdin>,
    }

    impl Child {
        /// Starts the command; what it says and how it ends goes to the log.
        pub(crate) fn start(
            launch: &Launch,
            address: SocketAddr,
            log: &Arc<Log>,
        ) -> io::Result<Self> {
            let mut leader = launch
                .command(to_connect(address))
                // Python buffers what goes into a pipe, unless it is told not to.
                .env("PYTHONUNBUFFERED", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .process_group(0)
                .spawn()?;
            let group = Pid::from_child(&leader);
            let stdin = leader.stdin.take();
            let (stdout, stderr) = (leader.stdout.take(), leader.stderr.take());
            let mut child = Self {
                leader,
                group,
                stdin: None,
            };
            child.stdin = stdin.map(ChildStdin::from_std).transpose()?;
            if let Some(stdout) = stdout.map(ChildStdout::from_std).transpose()? {
                let log = Arc::clone(log);
                tokio::spawn(async move {
                    read(stdout, |octets| log.printed(octets)).await;
                    log.closed();
                });
            }
            if let Some(stderr) = stderr.map(ChildStderr::from_std).transpose()? {
                let log = Arc::clone(log);
                tokio::spawn(async move {
                    read(stderr, |octets| log.complained(octets)).await;
                    log.closed();
                });
            }
            let log = Arc::clone(log);
            tokio::task::spawn_blocking(move || {
                if let Some(exit) = wait(group) {
                    log.exited(exit.through_shell());
                }
            });
            Ok(child)
        }

        /// Types a line. That it cannot be typed shows elsewhere: the client is gone.
        pub(crate) async fn types(&mut self, line: &str, limit: Duration) {
            if let Some(stdin) = &mut self.stdin {
                let line = format!("{line}\n");
                let typing = async {
                    stdin.write_all(line.as_bytes()).await?;
                    stdin.flush().await
                };
                let _ = tokio::time::timeout(limit, typing).await;
            }
        }

        /// Ends its standard input.
        pub(crate) fn end_input(&mut self) {
            self.stdin = None;
        }

        /// What its group holds; `None` where the system does not tell.
        pub(crate) async fn reading(&self) -> Option<Reading> {
            let group = self.group.as_raw_nonzero().get();
            // On a thread that may wait: all processes of the machine are looked through.
            let look = tokio::task::spawn_blocking(move || reading(group));
            look.await.ok().flatten()
        }
    }

    impl Drop for Child {
        fn drop(&mut self) {
            // The leader has not been waited for yet, so the number is still that of its group.
            let _ = kill_process_group(self.group, Signal::KILL);
            let _ = self.leader.wait();
        }
    }

    async fn read(mut from: impl AsyncRead + Unpin, mut take: impl FnMut(&[u8])) {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(taken @ 1..) = from.read(&mut buffer).await {
            take(buffer.get(..taken).unwrap_or_default());
        }
    }

    /// Waits until a process has ended, and leaves it to be waited for again.
    fn wait(pid: Pid) -> Option<Exit> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = loop {
            match waitid(WaitId::Pid(pid), options) {
                Ok(status) => break status?,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        };
        exit(&status)
    }

    fn exit(status: &WaitIdStatus) -> Option<Exit> {
        let code = status.exit_status().map(Exit::Code);
        code.or_else(|| status.terminating_signal().map(Exit::Signal))
    }

    #[cfg(target_os = "linux")]
    fn reading(group: i32) -> Option<Reading> {
        let mut sum = Reading::default();
        let processes = procfs::process::all_processes().ok()?;
        for process in processes.flatten() {
            let Ok(stat) = process.stat() else { continue };
            if stat.pgrp != group || stat.state == 'Z' {
                continue;
            }
            let busy = busy(&process).unwrap_or_else(|| used(&stat));
            sum.busy = sum.busy.saturating_add(busy);
            let resident = stat.rss.saturating_mul(procfs::page_size());
            sum.resident = sum.resident.saturating_add(resident);
            sum.address_space = sum.address_space.saturating_add(stat.vsize);
            sum.sockets = sum.sockets.saturating_add(sockets(&process));
        }
        Some(sum)
    }

    /// What all its threads have used of a processor, or waited for in a queue. Whoever spins does the
    /// one or the other all the time, however busy the machine is.
    #[cfg(target_os = "linux")]
    fn busy(process: &procfs::process::Process) -> Option<Duration> {
        let mut nanos = 0_u64;
        for thread in process.tasks().ok()? {
            // A thread may have ended meanwhile.
            let Ok(thread) = thread else { continue };
            let stat = thread.schedstat().ok()?;
            nanos = nanos
                .saturating_add(stat.sum_exec_runtime)
                .saturating_add(stat.run_delay);
        }
        Some(Duration::from_nanos(nanos))
    }

    /// The same without the waiting, on systems that do not tell of it.
    #[cfg(target_os = "linux")]
    fn used(stat: &procfs::process::Stat) -> Duration {
        let ticks = stat.utime.saturating_add(stat.stime);
        let millis = ticks
            .saturating_mul(1_000)
            .checked_div(procfs::ticks_per_second().max(1));
        Duration::from_millis(millis.unwrap_or_default())
    }

    #[cfg(target_os = "linux")]
    fn sockets(process: &procfs::process::Process) -> usize {
        use procfs::process::FDTarget;
        let Ok(descriptors) = process.fd() else {
            return 0;
        };
        descriptors
            .flatten()
            .filter(|descriptor| matches!(descriptor.target, FDTarget::Socket(_)))
            .count()
    }

    #[cfg(not(target_os = "linux"))]
    fn reading(_: i32) -> Option<Reading> {
        None
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::client_cases::Seen;
        use crate::profile::Profile;

        const GUARD: Duration = Duration::from_secs(30);

        fn start(command: &str) -> (Child, Arc<Log>) {
            let log = Arc::new(Log::new(&Profile::tutorial()));
            let address = "127.0.0.1:7".parse().unwrap();
            let launch = command.parse().unwrap();
            (Child::start(&launch, address, &log).unwrap(), log)
        }

        #[tokio::test]
        async fn a_client_is_typed_to_and_heard() {
            let (mut child, log) =
                start("read line; echo \"{host} {port} $line\"; echo no >&2; exit 3");
            child.types("hello", GUARD).await;
            assert!(log.until(GUARD, |state| state.is_gone()).await);
            let transcript = log.take();
            assert_eq!(transcript.output(), "127.0.0.1 7 hello\n");
            assert_eq!(transcript.complaints(9), "no\n");
            assert_eq!(transcript.exit(), Some(Exit::Code(3)));
        }

        #[tokio::test]
        async fn a_signal_is_told_even_through_the_shell() {
            let (_child, log) = start("sh -c 'kill -SEGV $$'; exit $? # {port}");
            assert!(log.until(GUARD, |state| state.exited).await);
            let exited = |seen: &Seen| *seen == Seen::Exited(Exit::Signal(11));
            assert!(log.take().entries.iter().any(|entry| exited(&entry.seen)));
        }

        #[cfg(target_os = "linux")]
        #[tokio::test]
        async fn the_whole_group_is_measured_and_ended() {
            let (child, log) = start("sleep 60 & echo $!; sleep 60; true {port}");
            assert!(
                log.until(GUARD, |state| state.output.contains(&b'\n'))
                    .await
            );
            let reading = child.reading().await.unwrap();
            assert!(reading.resident > 0 && reading.address_space > reading.resident);
            let grandchild: i32 = log.take().output().trim().parse().unwrap();
            drop(child);
            let is_gone = || match procfs::process::Process::new(grandchild) {
                Ok(process) => process.stat().map_or(true, |stat| stat.state == 'Z'),
                Err(_) => true,
            };
            let begun = std::time::Instant::now();
            while !is_gone() {
                assert!(begun.elapsed() < GUARD);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// Where there are no process groups no client is started.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) enum Child {}

#[cfg(not(unix))]
impl Child {
    pub(super) fn start(launch: &Launch, address: SocketAddr, _: &Arc<Log>) -> io::Result<Self> {
        let _ = (launch.command(to_connect(address)), Exit::Code(0));
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) async fn types(&mut self, _: &str, _: Duration) {
        match *self {}
    }

    pub(super) fn end_input(&mut self) {
        match *self {}
    }

    pub(super) async fn reading(&self) -> Option<Reading> {
        match *self {}
    }
}
