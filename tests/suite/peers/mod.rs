//! Starts the peers of tests/peers, which are written in Python, and stops them again.
//!
//! Where there is no Python the tests that need one are skipped. They say so past the capturing of
//! test output, each with the count so far.

mod behaviour;
mod raw;

pub(crate) use raw::Raw;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a peer may take to say where it listens. A guard against hangs, not a measure.
const START: Duration = Duration::from_secs(60);

/// How much of a peer's standard error is kept.
const KEPT: u64 = 16 << 10;

/// A running peer. It is killed when this is dropped, and ends by itself when this process does.
pub(crate) struct Peer {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// Starts `script` of tests/peers with these arguments; `None`, said aloud, without Python.
pub(crate) fn start(script: &str, args: &[&str]) -> Option<Peer> {
    if let Err(why) = python() {
        skip(why);
        return None;
    }
    let stderr = tempfile::NamedTempFile::new().expect("a file for the peer's standard error");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(script);
    let mut child = Command::new("python3")
        .arg("-B")
        .arg(path)
        .args(["--port", "0", "--until-eof"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr.reopen().expect("the file once more"))
        .spawn()
        .expect("python3 was there a moment ago");
    let stdout = child.stdout.take().expect("it is piped");
    let Some(address) = address(stdout) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!(
            "{script} {args:?} did not say where it listens; it said: {}",
            said(stderr.path())
        );
    };
    Some(Peer { child, address })
}

/// The command that starts a client of tests/peers with Python and these options of it; `None`, said
/// aloud, without.
pub(crate) fn client(options: &str, script: &str) -> Option<String> {
    if let Err(why) = python() {
        skip(why);
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(script);
    let path = shell_words::quote(path.to_str().expect("a path in UTF-8")).into_owned();
    Some(format!("python3 -B {options} {path}"))
}

impl Peer {
    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) {
        // Wait without letting go of its standard input: that would end it too.
        let stdin = self.child.stdin.take();
        let _ = self.child.wait();
        drop(stdin);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line of a peer's output, read with a bound on time. What follows it is read off.
fn address(stdout: ChildStdout) -> Option<SocketAddr> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        if stdout.read_line(&mut line).is_ok() {
            let _ = sender.send(line.trim().parse().ok());
        }
        let _ = io::copy(&mut stdout, &mut io::sink());
    });
    receiver.recv_timeout(START).ok().flatten()
}

fn said(path: &Path) -> String {
    let mut said = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(KEPT).read_to_end(&mut said);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Whether there is a Python that the peers run on, and if not, why not.
fn python() -> Result<(), &'static str> {
    static FOUND: OnceLock<Result<(), &'static str>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let new_enough = "import sys; sys.exit(sys.version_info < (3, 8))";
        match Command::new("python3").args(["-c", new_enough]).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err("python3 is older than 3.8"),
            Err(_) => Err("python3 absent"),
        }
    })
}

/// Whether there is a Python; if not, that is said aloud.
pub(crate) fn python_or_skip() -> bool {
    python().map_err(skip).is_ok()
}

/// Counts the test that is running, once however many peers it asks for.
fn skip(why: &str) {
    static SKIPPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if skipped.insert(test.clone()) {
        let count = skipped.len();
        // Not with eprintln: the harness captures that.
        let _ = writeln!(io::stderr(), "skipped: {why}: {test} ({count} so far)");
    }
}
