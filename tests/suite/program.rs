//! The program as a process, and plain sockets to talk to it: blocking, with a guard on every wait.

use framespec::profile::Profile;
use framespec::wire::{Encoder, frames};
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// No wait in these tests lasts as long unless something hangs.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

/// Nor does a whole run, of as many cases as there are, on a machine that is busy with other things.
pub(crate) const GUARD_OF_A_RUN: Duration = Duration::from_secs(240);

/// Says that the test that is running shows nothing here: one line, however often it is said.
pub(crate) fn say_skipped(why: &str) {
    static SKIPPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if skipped.insert(test.clone()) {
        say(&format!("skipped: {why}: {test}"));
    }
}

/// What a test needs and has found; `None`, said aloud, where it is not there.
///
/// # Panics
/// Where it is not there, and the variable says that it must be.
pub(crate) fn needed<T>(found: Result<T, &str>, variable: &str) -> Option<T> {
    let is_required = std::env::var_os(variable).is_some();
    match decided(found, variable, is_required) {
        Ok(Ok(found)) => Some(found),
        Ok(Err(why)) => {
            say_skipped(why);
            None
        }
        Err(failure) => panic!("{failure}"),
    }
}

/// The policy: a reason to skip the test, or to fail it.
pub(crate) fn decided<'a, T>(
    found: Result<T, &'a str>,
    variable: &str,
    is_required: bool,
) -> Result<Result<T, &'a str>, String> {
    match found {
        Err(why) if is_required => Err(format!("{why}, and {variable} is set")),
        found => Ok(found),
    }
}

/// A line for whoever runs the tests, whether they pass or not. The harness captures what `eprintln` prints.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The program, to be run with assertions.
pub(crate) fn conformance() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::from_std(command());
    command.timeout(GUARD);
    command
}

/// The program, to be run by hand.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.env_remove("RUST_LOG");
    // Whatever the user reads, tests read English unless they ask.
    command.env("LC_ALL", "C");
    // What fails in tests is no memory of the user's.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Where programs are looked for: this one's folder in front of the others.
#[cfg(unix)]
pub(crate) fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_conformance"));
    let others = std::env::var("PATH").unwrap_or_default();
    format!("{}:{others}", program.parent().unwrap().display())
}

/// What a run of the program exits with and says.
pub(crate) fn said(args: &[&str]) -> (i32, String) {
    let output = conformance()
        .args(args)
        .timeout(GUARD_OF_A_RUN)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (output.status.code().unwrap(), said)
}

/// A `conformance serve` that runs until it is dropped.
pub(crate) struct Served<A = SocketAddr> {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) addr: A,
}

impl Served {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.args(options);
        Self::spawn(command)
    }

    /// Runs a command whose first line of output is the address.
    pub(crate) fn spawn(command: Command) -> Self {
        Self::told_by(command)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.addr)
    }
}

impl Served<String> {
    /// One that listens there, whatever sort of address that is.
    pub(crate) fn at(listen: &str, options: &[&str]) -> Self {
        let mut command = command();
        command.args(["serve", "--listen", listen]).args(options);
        Self::told_by(command)
    }
}

impl<A: FromStr> Served<A> {
    fn told_by(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let addr = line.trim_end().parse().unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("no address but {line:?}")
        });
        Self {
            child,
            stdout,
            addr,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; returns its status and what it printed behind the address.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl<A> Drop for Served<A> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection on which no wait is longer than the guard.
pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&addr, GUARD).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream.set_write_timeout(Some(GUARD)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The frame of a payload in the tutorial's format.
pub(crate) fn frame(payload: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    Encoder::new(&Profile::tutorial())
        .encode(payload.as_ref(), &mut out)
        .unwrap();
    out.to_vec()
}

/// Reads one frame of the tutorial's format; its payload as text.
pub(crate) fn receive(stream: &mut TcpStream) -> String {
    let mut header = [0; 4];
    stream.read_exact(&mut header).unwrap();
    let mut octets = vec![0; u32::from_be_bytes(header) as usize];
    stream.read_exact(&mut octets).unwrap();
    octets.splice(0..0, header);
    payloads(&octets).remove(0)
}

/// The payloads of whole frames of the tutorial's format.
pub(crate) fn payloads(octets: &[u8]) -> Vec<String> {
    frames(&Profile::tutorial(), octets)
        .map(|frame| String::from_utf8(frame.unwrap().payload().to_vec()).unwrap())
        .collect()
}

/// All that comes until the peer's FIN. A reset is a panic.
pub(crate) fn read_to_fin(stream: &mut TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    octets
}

/// A request and its reply, which must be the same.
pub(crate) fn round_trip(stream: &mut TcpStream, payload: &str) {
    stream.write_all(&frame(payload)).unwrap();
    assert_eq!(receive(stream), payload);
}

/// Closes by a reset instead of a FIN.
pub(crate) fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
}
