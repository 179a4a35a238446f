//! Checks as a value: a server or client checked from a program, most likely a test, as the command line
//! checks it.
//!
//! ```
//! # use framespec::server::{Background, Echo, Settings};
//! use framespec::profile::Profile;
//!
//! # let server = Background::start("127.0.0.1:0", Profile::tutorial(), Settings::default(), Echo)?;
//! # let address = server.addr();
//! let check = framespec::check(address).profile(Profile::tutorial());
//! check.only("truncation").run()?.assert_pass();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There are three ways in: [`check()`] for a server that runs, [`check_command`] for one that is
//! started, and [`check_client`] for clients. What they give is a [`Check`], which is told the rest and
//! then [run](Check::run); what comes of it is [`Checked`].
//!
//! Nothing is printed and no signal is handled. A server or client that was started here ends when the
//! check does, or is dropped; it is left behind only where the whole process is killed.

mod checked;
mod client;
mod error;
mod selection;
mod server;

pub use checked::Checked;
pub use client::Client;
pub use error::CheckError;
pub use selection::{Selection, SelectionError, Selector};
pub use server::{Address, Command, Server};

use crate::cases::{self, Case};
use crate::diagnosis::Knowledge;
use crate::event::Event;
use crate::expect::Expectations;
use crate::outcome::Keep;
use crate::peer::runtime;
use crate::profile::{Profile, Reply};
use crate::report::Outputs;
use crate::run::{self, DEFAULT_TIMEOUT, Options, Target, default_jobs};
use crate::spec::Role;
use std::fmt;
use std::fs;
use std::net::ToSocketAddrs;
use std::panic;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;

/// Checks the server that listens there: `"localhost:5000"`, a [`SocketAddr`](std::net::SocketAddr),
/// `"udp:localhost:5000"`, or `"unix:/run/server.sock"`.
///
/// A name is resolved at once; what is wrong with it is told by [`Check::run`].
pub fn check(target: impl ToSocketAddrs + fmt::Display) -> Check<Server<Address>> {
    Check::new(Server::new(Address::of(target)))
}

/// Checks a server that this command starts on a port that is free: `{port}` in it becomes that port,
/// `{host}` the address.
///
/// It is read as [`Launch`](crate::peer::Launch) says. It is started again when it dies or hangs, and what
/// clients cost its process is checked too, on Linux. In a test of the package that makes the server, cargo
/// says where that is:
///
/// ```text
/// framespec::check_command(concat!(env!("CARGO_BIN_EXE_server"), " --port {port}"))
/// ```
pub fn check_command(command: impl Into<String>) -> Check<Server<Command>> {
    Check::new(Server::new(Command::of(command.into())))
}

/// Checks a client that this command starts, anew for each case: `{host}` and `{port}` in it become the
/// address to connect to.
///
/// ```no_run
/// framespec::check_client("python3 client.py {host} {port}").run()?.assert_pass();
/// # Ok::<(), framespec::check::CheckError>(())
/// ```
pub fn check_client(command: impl Into<String>) -> Check<Client> {
    Check::new(Client::of(command.into()))
}

/// A check to be made of a server or client. What is not said is as it is on the command line: the format
/// of the tutorial, and all cases but slow ones.
#[derive(Debug, Clone)]
#[must_use = "nothing is checked before it is run"]
pub struct Check<T> {
    target: T,
    manner: Manner,
}

/// What can be said of every check.
#[derive(Debug, Clone)]
struct Manner {
    profile: Profile,
    /// How a server's replies relate to requests, where that was said.
    reply: Option<Reply>,
    selection: Selection,
    known: Option<PathBuf>,
    is_strict: bool,
    is_slow: bool,
    is_thorough: bool,
    timeout: Duration,
    jobs: Option<usize>,
    repeat: u32,
    within: Option<Duration>,
    seed: u64,
    keep: Keep,
    /// What reports call what is checked, if not as it was named here.
    name: Option<String>,
    /// The command line that checks the same again, if there is one.
    command: Option<String>,
}

impl<T> Check<T> {
    fn new(target: T) -> Self {
        let manner = Manner {
            profile: Profile::tutorial(),
            reply: None,
            selection: Selection::default(),
            known: None,
            is_strict: false,
            is_slow: false,
            is_thorough: false,
            timeout: DEFAULT_TIMEOUT,
            jobs: None,
            repeat: 1,
            within: None,
            seed: 1,
            keep: Keep::OfFindings,
            name: None,
            command: None,
        };
        Self { target, manner }
    }

    /// The wire format.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.manner.profile = profile;
        self
    }

    /// Only these cases, by name, clause or pattern; may be said several times.
    pub fn only(mut self, cases: impl Into<Selector>) -> Self {
        self.manner.selection.only(cases);
        self
    }

    /// Not these cases; may be said several times.
    pub fn except(mut self, cases: impl Into<Selector>) -> Self {
        self.manner.selection.except(cases);
        self
    }

    /// A file of [expectations](crate::expect): what it lists does not count if it fails, and does if it
    /// does not.
    pub fn known_failures(mut self, file: impl Into<PathBuf>) -> Self {
        self.manner.known = Some(file.into());
        self
    }

    /// Takes warnings and unstable cases for failures.
    pub fn strict(mut self) -> Self {
        self.manner.is_strict = true;
        self
    }

    /// Confirms each failure by itself, and plays each case, also where a cause that is known by then explains
    /// it.
    pub fn thorough(mut self) -> Self {
        self.manner.is_thorough = true;
        self
    }

    /// How long something that is owed is waited for at least, instead of 1 s; 1 ms or more.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.manner.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// How many cases are played side by side; none is taken for one.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.manner.jobs = Some(jobs.max(1));
        self
    }

    /// Plays each case so often; never is taken for once.
    pub fn repeat(mut self, times: u32) -> Self {
        self.manner.repeat = times.max(1);
        self
    }

    /// How long all of it may take, instead of 30 s, or 5 minutes with the slow cases; no time at all is as
    /// long as it takes. What does not fit is not run, and then the check has not passed.
    pub fn within(mut self, time: Duration) -> Self {
        self.manner.within = Some(time);
        self
    }

    /// What all that chance chooses is made from, instead of 1: the same seed sends the same octets.
    pub fn seed(mut self, seed: u64) -> Self {
        self.manner.seed = seed;
        self
    }

    /// What reports call what is checked, instead of its address or command.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.manner.name = Some(name.into());
        self
    }

    /// The command line that checks the same again, as reports are to tell it, up to where a case is selected.
    pub fn repeated_by(mut self, command: impl Into<String>) -> Self {
        self.manner.command = Some(command.into());
        self
    }

    /// Keeps what was exchanged in passing cases too, and shows it in reports.
    pub fn trace(mut self) -> Self {
        self.manner.keep = Keep::Everything;
        self
    }
}

#[allow(
    private_bounds,
    reason = "there are no other targets than those of this room"
)]
impl<T: IntoTarget> Check<T> {
    /// Plays the cases, and returns when all have their verdicts. It has a thread and a runtime of its
    /// own, so it may be called from anywhere; but where the server is a task of the caller's runtime, and
    /// that has no other thread, it is [`Self::run_async`] that leaves it its turn.
    ///
    /// # Errors
    /// If nothing was played: nobody is there, or what was said of the check cannot be.
    pub fn run(self) -> Result<Checked, CheckError> {
        let work = || {
            let runtime = runtime::of(Builder::new_multi_thread());
            runtime
                .map_err(CheckError::NoRuntime)?
                .block_on(self.run_async())
        };
        let thread = thread::Builder::new().name("framespec-check".to_owned());
        let thread = thread.spawn(work).map_err(CheckError::NoRuntime)?;
        thread
            .join()
            .unwrap_or_else(|died| panic::resume_unwind(died))
    }

    /// The same on the caller's runtime, which needs its drivers of I/O and time. Dropped before it is
    /// ready, it ends what it has started.
    ///
    /// # Errors
    /// If nothing was played: nobody is there, or what was said of the check cannot be.
    pub async fn run_async(self) -> Result<Checked, CheckError> {
        let Self { target, manner } = self;
        let mut outputs = Outputs::default();
        let expectations = manner.expectations()?;
        let all_played = !expectations.is_empty();
        outputs.mark(expectations.marker(is_case_for::<T>));
        let mut named = target.into_target().await?;
        let profile = manner.profile.clone();
        let profile = profile.carried_by(named.target.carriage());
        let cases = manner.selection.cases_in(T::ROLE, &profile)?;
        let options = Options {
            all_played,
            ..manner.options(T::ROLE, named.name, cases)
        };
        let is_told = !options.command.is_empty();
        let mut tell = |event| outputs.event(if is_told { event } else { repeatable(event) });
        run::run(&mut named.target, &options, &mut tell).await?;
        Ok(Checked::new(outputs.finish().run))
    }
}

fn is_case_for<T: IntoTarget>(id: &str) -> bool {
    cases::case(id).is_some_and(|case| case.role() == T::ROLE)
}

impl Manner {
    fn options(self, role: Role, name: String, cases: Vec<&'static Case>) -> Options {
        let profile = match self.reply {
            Some(reply) => self.profile.with_reply(reply),
            None => self.profile,
        };
        Options {
            cases,
            timeout: self.timeout,
            jobs: self.jobs.unwrap_or(default_jobs(role)),
            repeat: self.repeat,
            seed: self.seed,
            slow: self.is_slow,
            within: run::bound(self.within, self.is_slow),
            knowledge: (!self.is_thorough).then(Knowledge::embedded),
            keep: self.keep,
            command: self.command.unwrap_or_default(),
            ..Options::new(role, self.name.unwrap_or(name), profile)
        }
    }

    /// What is known to fail: nothing, unless a file says so.
    fn expectations(&self) -> Result<Expectations, CheckError> {
        let Some(path) = &self.known else {
            return Ok(Expectations::default().strict(self.is_strict));
        };
        let unreadable = |error| CheckError::Unreadable {
            path: path.clone(),
            error,
        };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let malformed = |error| CheckError::Malformed {
            path: path.clone(),
            error,
        };
        let expectations = Expectations::parse(&text).map_err(malformed)?;
        Ok(expectations.strict(self.is_strict))
    }
}

/// There is no command line that would play a case again: what selects it here is told instead.
fn repeatable(mut event: Event) -> Event {
    if let Event::CaseFinished(result) = &mut event {
        result.rerun = format!(".only({:?})", result.id);
    }
    event
}

/// What is checked, with its name.
struct Named {
    name: String,
    target: Target,
}

/// What a check is made of.
trait IntoTarget: Send + 'static {
    /// Which side of the protocol it plays.
    const ROLE: Role;

    /// The target as what was said makes it.
    fn into_target(self) -> impl Future<Output = Result<Named, CheckError>> + Send;
}
