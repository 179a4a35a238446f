//! A program that was started, with all that it starts in turn.
//!
//! It gets a process group of its own, and the group ends with it: told to at first, made to after a
//! while, and on every way out, since that is done when it is dropped. The process that was started is
//! not reaped before, so that the group's number cannot become that of another.

use super::process::Process;
use crate::transcript::Exit;
use std::fmt::Debug;
use std::io::{self, Read};
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::process::{self, Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// How long a group that was told to end is given before it is made to, unless something else is said.
const GRACE: Duration = Duration::from_secs(2);

/// How long a process that was killed may take to be gone; the system may be holding it.
const KILLED: Duration = Duration::from_secs(2);

/// Between two looks at a process that is to end, at most.
const LOOK: Duration = Duration::from_millis(5);

/// And at first.
const FIRST_LOOK: Duration = Duration::from_micros(200);

/// Octets that are read at a time.
const READ: usize = 16 << 10;

/// What a program says on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

/// Whoever is told what a program says and how it ends, on threads that must not be kept waiting.
pub(crate) trait ProcessObserver: Clone + Debug + Send + 'static {
    /// It has written something.
    fn said(&self, output: Output, octets: &[u8]);
    /// It will write nothing more there.
    fn closed(&self, output: Output);
    /// The process that was started has ended.
    fn exited(&self, exit: Exit);
}

/// Which of a program's streams are led to here. Its standard error is in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Nothing can be typed, and what it prints is lost.
    StderrOnly,
    /// Something can be typed, and what it prints is told.
    All,
}

/// A running program. Dropping it ends it; within a runtime, on a thread that may wait, for which the
/// runtime waits when it ends itself.
#[derive(Debug)]
pub(crate) struct Group {
    stdin: Option<ChildStdin>,
    /// Nothing only when it is dropped.
    running: Option<Running>,
}

impl Group {
    /// Starts the command. Where something is to be typed, this must be within a runtime.
    pub(crate) fn start(
        command: Command,
        streams: Streams,
        observer: &impl ProcessObserver,
    ) -> io::Result<Self> {
        let (mut group, stdin, stdout) = Self::spawn(command, streams, observer)?;
        hear(stdout, Output::Stdout, observer);
        group.stdin = stdin.map(ChildStdin::from_std).transpose()?;
        Ok(group)
    }

    /// Starts the command, and gives its standard input and output to the caller.
    #[cfg(unix)]
    pub(crate) fn start_on_pipes(
        command: Command,
        observer: &impl ProcessObserver,
    ) -> io::Result<(Self, OwnedFd, OwnedFd)> {
        let (group, stdin, stdout) = Self::spawn(command, Streams::All, observer)?;
        match (stdin, stdout) {
            (Some(stdin), Some(stdout)) => Ok((group, stdin.into(), stdout.into())),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn spawn(
        mut command: Command,
        streams: Streams,
        observer: &impl ProcessObserver,
    ) -> io::Result<(Self, Option<process::ChildStdin>, Option<ChildStdout>)> {
        let piped = || match streams {
            Streams::StderrOnly => Stdio::null(),
            Streams::All => Stdio::piped(),
        };
        command
            .stdin(piped())
            .stdout(piped())
            .stderr(Stdio::piped());
        system::in_its_own_group(&mut command);
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        hear(child.stderr.take(), Output::Stderr, observer);
        let running = Some(Running {
            watcher: system::watch(&child, observer.clone()),
            child,
            grace: GRACE,
        });
        // From here on the group ends, whatever fails.
        let group = Self {
            stdin: None,
            running,
        };
        Ok((group, stdin, stdout))
    }

    /// Gives it that long to end when it is told to, before it is made to. Without any time it is not told.
    pub(crate) fn with_grace(mut self, grace: Duration) -> Self {
        if let Some(running) = &mut self.running {
            running.grace = grace;
        }
        self
    }

    /// All its processes together, for a look at what they hold.
    pub(crate) fn process(&self) -> Option<Process> {
        self.running.as_ref()?.process()
    }

    /// How the process that was started ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<Exit> {
        self.running.as_mut()?.ended()
    }

    /// How the process that was started ended, if it has by then.
    pub(crate) async fn ended_within(&mut self, limit: Duration) -> Option<Exit> {
        let begun = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || begun.elapsed() >= limit {
                return ended;
            }
            sleep(LOOK).await;
        }
    }

    /// Types a line. That it cannot be typed shows elsewhere: the program is gone.
    pub(crate) async fn types(&mut self, line: &str, limit: Duration) {
        if let Some(stdin) = &mut self.stdin {
            let line = format!("{line}\n");
            let typing = async {
                stdin.write_all(line.as_bytes()).await?;
                stdin.flush().await
            };
            let _ = timeout(limit, typing).await;
        }
    }

    /// Ends its standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Ends it and waits for that.
    pub(crate) async fn end(mut self) {
        let running = self.running.take();
        // The closure ends it, be it that it is run or that it cannot be.
        let _ = spawn_blocking(move || drop(running)).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(running));
        }
    }
}

/// Tells the observer what comes, on a thread of its own, so that a program that writes much never waits.
pub(super) fn hear(
    source: Option<impl Read + Send + 'static>,
    output: Output,
    observer: &impl ProcessObserver,
) {
    let Some(mut source) = source else { return };
    let reader = observer.clone();
    let reading = move || {
        let mut buffer = vec![0; READ];
        loop {
            match source.read(&mut buffer) {
                Ok(taken @ 1..) => reader.said(output, buffer.get(..taken).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return reader.closed(output),
            }
        }
    };
    if thread("peer-output", reading).is_none() {
        observer.closed(output);
    }
}

fn thread(name: &str, does: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(does)
        .ok()
}

/// The processes themselves. Dropping them ends them, and waits for that.
#[derive(Debug)]
struct Running {
    child: Child,
    grace: Duration,
    /// Waits for the end of the process that was started.
    watcher: Option<JoinHandle<()>>,
}

impl Running {
    fn process(&self) -> Option<Process> {
        Process::group(self.child.id())
    }

    fn ended(&mut self) -> Option<Exit> {
        system::ended(&mut self.child).map(Exit::through_shell)
    }

    /// Whether anything of it still runs.
    fn runs(&mut self) -> bool {
        self.ended().is_none() || self.process().is_some_and(|group| group.runs())
    }

    /// Waits until nothing of it runs any more, but no longer than that.
    fn wait(&mut self, limit: Duration) {
        let begun = Instant::now();
        let mut pause = FIRST_LOOK;
        while self.runs() && begun.elapsed() < limit {
            thread::sleep(pause);
            pause = pause.saturating_mul(2).min(LOOK);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.grace.is_zero() && self.runs() {
            system::tell_to_end(&mut self.child);
            self.wait(self.grace);
        }
        system::kill(&mut self.child);
        self.wait(KILLED);
        // If it has not even ended now, the system does not let go of it.
        if self.ended().is_some() {
            // Nobody may look for a process that has been reaped: its number may be another's.
            let watched = self.watcher.take().map(JoinHandle::join);
            let _ = (watched, self.child.try_wait());
        }
    }
}

#[cfg(unix)]
mod system {
    //! Process groups, as Unix has them.

    use super::{ProcessObserver, thread};
    use crate::transcript::Exit;
    use rustix::io::Errno;
    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group,
        test_kill_process_group, waitid,
    };
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};
    use std::thread::JoinHandle;

    /// Looks without reaping.
    const LOOKS: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOWAIT);

    pub(super) fn in_its_own_group(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn ended(child: &mut Child) -> Option<Exit> {
        let options = LOOKS.union(WaitIdOptions::NOHANG);
        exit(&waitid(WaitId::Pid(Pid::from_child(child)), options).ok()??)
    }

    fn exit(status: &WaitIdStatus) -> Option<Exit> {
        let signal = status.terminating_signal().map(Exit::Signal);
        signal.or(status.exit_status().map(Exit::Code))
    }

    /// Tells how the child ends, as soon as it has.
    pub(super) fn watch(child: &Child, observer: impl ProcessObserver) -> Option<JoinHandle<()>> {
        let pid = Pid::from_child(child);
        thread("peer-exit", move || {
            let ended = loop {
                match waitid(WaitId::Pid(pid), LOOKS) {
                    Err(Errno::INTR) => {}
                    ended => break ended,
                }
            };
            if let Some(exit) = ended.ok().flatten().as_ref().and_then(exit) {
                observer.exited(exit.through_shell());
            }
        })
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
}

#[cfg(not(unix))]
mod system {
    //! Where there are no process groups, the process alone is ended, and nobody is told of its end.

    use super::ProcessObserver;
    use crate::transcript::Exit;
    use std::process::{Child, Command};
    use std::thread::JoinHandle;

    pub(super) fn in_its_own_group(_: &mut Command) {}

    pub(super) fn ended(child: &mut Child) -> Option<Exit> {
        let status = child.try_wait().ok()??;
        Some(Exit::Code(status.code().unwrap_or_default()))
    }

    pub(super) fn watch(_: &Child, _: impl ProcessObserver) -> Option<JoinHandle<()>> {
        None
    }

    pub(super) fn tell_to_end(child: &mut Child) {
        let _ = child.kill();
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = child.kill();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::stderr::Stderr;
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    const LONG: Duration = Duration::from_secs(60);

    /// What an observer is told.
    #[derive(Debug, PartialEq)]
    enum Told {
        Said(Output, String),
        Closed,
        Exited(Exit),
    }

    impl ProcessObserver for Sender<Told> {
        fn said(&self, output: Output, octets: &[u8]) {
            let said = String::from_utf8_lossy(octets).into_owned();
            let _ = self.send(Told::Said(output, said));
        }

        fn closed(&self, _: Output) {
            let _ = self.send(Told::Closed);
        }

        fn exited(&self, exit: Exit) {
            let _ = self.send(Told::Exited(exit));
        }
    }

    fn shell(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(text);
        command
    }

    fn observed(text: &str) -> (Group, Receiver<Told>) {
        let (observer, told) = channel();
        let group = Group::start(shell(text), Streams::All, &observer).unwrap();
        (group, told)
    }

    /// Waits until all that is told, in whatever order: streams and end are told by one thread each.
    fn hears(told: &Receiver<Told>, mut wanted: Vec<Told>) {
        while !wanted.is_empty() {
            let next = told.recv_timeout(LONG).unwrap();
            wanted.retain(|one| *one != next);
        }
    }

    fn said(output: Output, text: &str) -> Told {
        Told::Said(output, text.to_owned())
    }

    #[tokio::test]
    async fn ends_are_told_apart() {
        let stderr = Stderr::default();
        let start = |text| Group::start(shell(text), Streams::StderrOnly, &stderr).unwrap();
        let mut group = start("echo why >&2; exit 7");
        let ended = group.ended_within(LONG).await.unwrap();
        assert_eq!(ended.to_string(), "exited with code 7");
        stderr.ended(LONG).await;
        assert_eq!(stderr.since(0), "why");
        let mut group = start("kill -SEGV $$");
        let ended = group.ended_within(LONG).await.unwrap();
        assert_eq!(ended.to_string(), "was ended by SIGSEGV (signal 11)");
    }

    #[tokio::test]
    async fn what_is_typed_and_said_and_how_it_ends_is_told() {
        let (mut group, told) =
            observed("read line; echo \"<$line>\"; sh -c 'kill -SEGV $$'; exit $?");
        group.types("hello", LONG).await;
        let exited = Told::Exited(Exit::Signal(11));
        hears(&told, vec![said(Output::Stdout, "<hello>\n"), exited]);
    }

    #[tokio::test]
    async fn a_program_sees_the_end_of_its_input() {
        let (mut group, told) = observed("cat >/dev/null; echo end >&2");
        group.end_input();
        hears(&told, vec![said(Output::Stderr, "end\n")]);
    }

    /// A group that two processes of have begun, and the number of the group.
    #[cfg(target_os = "linux")]
    fn stubborn() -> (Group, Process) {
        let text = "trap '' TERM; sleep 600 & echo; sleep 600 & wait; wait";
        let (group, told) = observed(text);
        hears(&told, vec![said(Output::Stdout, "\n")]);
        let process = group.process().unwrap();
        assert!(process.runs());
        (group, process)
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_it_started_ends_with_it() {
        let (group, process) = stubborn();
        group.with_grace(Duration::from_millis(1)).end().await;
        assert!(!process.runs());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn dropping_it_keeps_no_task_waiting_and_the_runtime_ends_after_it() {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let process = runtime.block_on(async {
            let (group, process) = stubborn();
            // It is not so quick to be told by hand.
            let group = group.with_grace(Duration::from_millis(100));
            drop(group);
            assert!(process.runs());
            process
        });
        drop(runtime);
        assert!(!process.runs());
    }
}
