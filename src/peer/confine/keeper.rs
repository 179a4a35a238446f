//! The keeper of a program: starts it within limits, watches all that descends from it, and leaves nothing of it behind.

use super::Limits;
use super::kin::{Held, Kin};
use super::told::Telling;
use crate::peer::group::{Output, ProcessObserver, hear};
use crate::transcript::Exit;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getpid, getppid, getrlimit, kill_process,
    kill_process_group, nice, set_child_subreaper, setpgid, setrlimit, wait,
};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Between two looks at what descends from it. Within that time a program can make some hundred processes, or fill some
/// ten MiB of memory.
const LOOK: Duration = Duration::from_millis(20);

/// Octets that a program may write to its output, both streams together: more than any server has to say in a check, and
/// a second of one that says the same without end.
const MOST_OUTPUT: u64 = 256 << 20;

/// How many times as much a single process may ask for as all may have. What it asks for and does not touch costs nobody
/// anything, and many programs ask for much: a stack for each thread, a heap to grow into.
const ASKED: u64 = 16;

/// How long what was killed may take to be gone. What makes others all the time may need to be killed often.
const KILLED: Duration = Duration::from_secs(20);

/// By how much a program gives way to its keeper, in steps of which each costs it about a tenth of its turns at a processor.
/// Whatever it starts does so too. With more than that, a server would not come up on a machine that is busy with other
/// things.
const GIVES_WAY: i32 = 5;

/// How long the last words of a program are waited for once nothing of it runs.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Ended by this keeper, as its own end tells.
const KILL: i32 = 9;

/// The keeper of a program.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// What the program may have.
    pub limits: Limits,
    /// The folder in which it is started.
    pub folder: PathBuf,
    /// The file to which it is written what it did that it may not.
    pub told: PathBuf,
    /// The process that started the keeper, which it does not outlive. It may be gone already, so that the keeper cannot find
    /// out by itself who that was.
    pub parent: u32,
    /// The program with its arguments.
    pub command: Vec<OsString>,
}

impl Keeper {
    /// Keeps the program until it has ended, is to end, or breaks a limit, and then ends all that it has started. This
    /// process must have been started for that, as the leader of a group of its own: it leaves that group to the program.
    /// It gives the code with which to end; where the program was ended by force, so is this process.
    ///
    /// # Errors
    /// If the program cannot be started, or a limit not be set.
    pub fn keep(self) -> io::Result<u8> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        match runtime.block_on(self.kept())? {
            Exit::Code(code) => Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            Exit::Signal(KILL) => {
                kill_process(getpid(), Signal::KILL)?;
                Ok(u8::MAX)
            }
            // As a shell tells of it.
            Exit::Signal(signal) => Ok(u8::try_from(signal.saturating_add(128)).unwrap_or(u8::MAX)),
        }
    }

    async fn kept(self) -> io::Result<Exit> {
        let mut turns = Turns::of(self.parent)?;
        let telling = Telling::into(&self.told)?;
        let mut program = Program::start(&self)?;
        let why = loop {
            if let Some(exit) = program.reap() {
                break Why::Ended(exit);
            }
            match turns.next().await {
                Turn::Reap => {}
                Turn::End => break Why::Told,
                Turn::Look => {
                    if let Some(over) = program.over(self.limits) {
                        break Why::Over(over);
                    }
                }
            }
        };
        Ok(program.end(why, self.limits, telling).exit())
    }
}

/// Why a program is kept no longer.
enum Why {
    /// It has ended.
    Ended(Exit),
    /// Whoever started the keeper has had enough, or is gone.
    Told,
    /// It has more than it may.
    Over(String),
}

impl Why {
    const fn exit(&self) -> Exit {
        match self {
            Self::Ended(exit) => *exit,
            Self::Told | Self::Over(_) => Exit::Signal(KILL),
        }
    }
}

/// What the keeper has to do next.
enum Turn {
    /// Some process that descends from here has ended.
    Reap,
    /// It is time to look what they have.
    Look,
    /// Whoever started the keeper has had enough, or is gone.
    End,
}

/// What tells it what to do next.
struct Turns {
    child: unix::Signal,
    ends: [unix::Signal; 3],
    looks: Interval,
    parent: Option<Pid>,
}

impl Turns {
    fn of(parent: u32) -> io::Result<Self> {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            child: signal(SignalKind::child())?,
            ends: [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ],
            looks,
            parent: i32::try_from(parent).ok().and_then(Pid::from_raw),
        })
    }

    async fn next(&mut self) -> Turn {
        let [interrupt, terminate, hangup] = &mut self.ends;
        tokio::select! {
            _ = interrupt.recv() => Turn::End,
            _ = terminate.recv() => Turn::End,
            _ = hangup.recv() => Turn::End,
            _ = self.child.recv() => Turn::Reap,
            _ = self.looks.tick() => match getppid() == self.parent {
                true => Turn::Look,
                false => Turn::End,
            },
        }
    }
}

/// A program that is kept.
struct Program {
    main: Pid,
    /// Its group, in which the keeper no longer is.
    group: Pid,
    kin: Kin,
    written: Written,
}

impl Program {
    fn start(keeper: &Keeper) -> io::Result<Self> {
        let own = getpid();
        set_child_subreaper(Some(own))?;
        limited(keeper.limits)?;
        let leader = leader_of_another()?;
        let mut child = spawned(keeper)?;
        if let Err(error) = leaves_for(leader) {
            let _ = child.kill();
            return Err(error);
        }
        let written = Written::default();
        hear(child.stdout.take(), Output::Stdout, &written);
        hear(child.stderr.take(), Output::Stderr, &written);
        Ok(Self {
            main: Pid::from_child(&child),
            group: own,
            kin: Kin::of(own.as_raw_nonzero().get()),
            written,
        })
    }

    /// Takes notice of all that have ended; how the program ended, if it is among them.
    fn reap(&self) -> Option<Exit> {
        let mut exit = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == self.main {
                let signal = status.terminating_signal().map(Exit::Signal);
                exit = signal.or(status.exit_status().map(Exit::Code));
            }
        }
        exit
    }

    /// What it has too much of, if that is so.
    fn over(&mut self, limits: Limits) -> Option<String> {
        let held = self.kin.look(limits);
        held.too_many(limits)
            .or_else(|| too_much(&held, limits))
            .or_else(|| self.too_loud())
    }

    fn too_loud(&self) -> Option<String> {
        (self.written.octets() > MOST_OUTPUT).then(|| {
            let most = MOST_OUTPUT >> 20;
            format!("it wrote more than {most} MiB to its output")
        })
    }

    /// Ends all that is left of it, and tells what is to be told; why it was ended, as it turns out.
    fn end(&mut self, why: Why, limits: Limits, mut telling: Telling) -> Why {
        let (why, is_left) = match why {
            Why::Ended(exit) => {
                let left = self.kin.look(limits);
                let over = left.too_many(limits).map(Why::Over);
                (
                    over.unwrap_or(why),
                    exit == Exit::Code(0) && !left.processes.is_empty(),
                )
            }
            Why::Over(_) | Why::Told => (why, false),
        };
        self.kill();
        // That it cannot be told keeps nobody from ending it.
        let _ = match &why {
            Why::Over(over) => telling.over(over),
            _ if is_left => telling.left(),
            Why::Ended(_) | Why::Told => Ok(()),
        };
        self.last_words();
        if let Why::Over(over) = &why {
            let _ = writeln!(io::stderr(), "ended by force: {over}");
        }
        why
    }

    /// Kills until nothing is left. A group is killed as a whole, so that none of it can make another meanwhile, and before
    /// anybody is looked for; others as soon as they are found.
    fn kill(&mut self) {
        let begun = Instant::now();
        loop {
            // What has ended meanwhile need not be killed.
            let _ = kill_process_group(self.group, Signal::KILL);
            let is_any = self.kin.visit_running(|id| {
                if let Some(pid) = Pid::from_raw(id) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            });
            self.reap();
            if !is_any || begun.elapsed() >= KILLED {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for what is still on its way from the program to whoever reads.
    fn last_words(&self) {
        let begun = Instant::now();
        while !self.written.has_ended() && begun.elapsed() < LAST_WORDS {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn too_much(held: &Held, limits: Limits) -> Option<String> {
    let most = limits.memory >> 20;
    held.is_over(limits.memory)
        .then(|| format!("it took more than {most} MiB of memory"))
}

/// A process that leads a group of its own and has nothing to do. Its number is that of a group until it has been waited for,
/// and then for as long as somebody is in that group.
fn leader_of_another() -> io::Result<Child> {
    let mut command = Command::new("sh");
    command
        .args(["-c", ":"])
        .stdin(Stdio::null())
        .process_group(0);
    command.spawn()
}

/// Leaves the group to the program: whoever looks at it, or ends it, means the program and not its keeper. In the group of
/// whoever started it, the keeper would be ended with that one, and end nobody any more.
fn leaves_for(mut leader: Child) -> io::Result<()> {
    let left = setpgid(None, Some(Pid::from_child(&leader)));
    leader.wait()?;
    Ok(left?)
}

/// Sets the limits that the system keeps by itself, for this process and whatever it starts.
fn limited(limits: Limits) -> io::Result<()> {
    limit(Resource::Data, limits.memory.saturating_mul(ASKED))?;
    limit(Resource::Fsize, limits.file)?;
    limit(Resource::Core, 0)?;
    // Where the machine itself runs out of memory, it is to take it from what is kept. Some systems do not have that.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = match getrlimit(resource).maximum {
        Some(already) => already.min(most),
        None => most,
    };
    let most = Some(most);
    Ok(setrlimit(
        resource,
        Rlimit {
            current: most,
            maximum: most,
        },
    )?)
}

fn spawned(keeper: &Keeper) -> io::Result<Child> {
    let mut words = keeper.command.iter();
    let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(words)
        .current_dir(&keeper.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // To give way is a matter of threads, and is handed down to what they start.
    let spawning = thread::Builder::new().spawn(move || {
        let _ = nice(GIVES_WAY);
        command.spawn()
    })?;
    let lost = |_| Err(io::Error::other("the thread that starts it was lost"));
    spawning.join().unwrap_or_else(lost)
}

/// What a program writes: counted, and what it says on its standard error passed on.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    octets: AtomicU64,
    closed: AtomicUsize,
}

impl Written {
    fn octets(&self) -> u64 {
        self.0.octets.load(Ordering::Relaxed)
    }

    /// Whether nothing more will come on either stream.
    fn has_ended(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed) >= 2
    }
}

impl ProcessObserver for Written {
    fn said(&self, output: Output, octets: &[u8]) {
        if output == Output::Stderr {
            // Whoever reads it may be gone.
            let _ = io::stderr().write_all(octets);
        }
        let came = u64::try_from(octets.len()).unwrap_or_default();
        self.0.octets.fetch_add(came, Ordering::Relaxed);
    }

    fn closed(&self, _: Output) {
        self.0.closed.fetch_add(1, Ordering::Relaxed);
    }

    fn exited(&self, _: Exit) {}
}
