//! Starts the peers of tests/peers, which are written in Python, and stops them again.

mod behaviour;
mod raw;

pub(crate) use raw::{Came, Raw, TUTORIAL};

use crate::python::{self, Python};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
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
    Some(start_with(python::or_skip()?, script, args))
}

/// The same where there is a Python.
pub(crate) fn start_with(python: Python, script: &str, args: &[&str]) -> Peer {
    start_in(python, script, args, Vec::new())
}

/// The same with these variables beside those of the test.
pub(crate) fn start_in(
    python: Python,
    script: &str,
    args: &[&str],
    environment: Vec<(OsString, OsString)>,
) -> Peer {
    let mut command = python.peer(script);
    command.args(["--port", "0", "--until-eof"]).args(args);
    start_command(command.envs(environment))
}

/// Starts whatever says where it listens, as a peer does, and ends with its standard input.
pub(crate) fn start_command(command: &mut Command) -> Peer {
    let stderr = tempfile::NamedTempFile::new().expect("a file for the peer's standard error");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr.reopen().expect("the file once more"))
        .spawn()
        .expect("its program was there a moment ago");
    let stdout = child.stdout.take().expect("it is piped");
    let Some(address) = address(stdout) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!(
            "{command:?} did not say where it listens; it said: {}",
            said(stderr.path())
        );
    };
    Peer { child, address }
}

/// The command that starts a client of tests/peers with Python and these options of it; `None`, said
/// aloud, without.
pub(crate) fn client(options: &str, script: &str) -> Option<String> {
    Some(python::or_skip()?.peer_in_words(options, script))
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
