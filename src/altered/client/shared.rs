//! What both halves of an altered client have in common.

use super::hooks::Steps;
use crate::profile::Profile;
use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Where a client's lines come from, and where what it shows and what it complains of goes.
pub struct Console {
    /// The lines that the user types.
    pub input: Box<dyn BufRead + Send>,
    /// Replies.
    pub output: Box<dyn Write + Send>,
    /// Complaints.
    pub errors: Box<dyn Write + Send>,
}

impl Console {
    /// The standard streams.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            input: Box::new(io::BufReader::new(io::stdin())),
            output: Box::new(io::stdout()),
            errors: Box::new(io::stderr()),
        }
    }
}

/// The client apart from its two halves `H`.
pub(crate) struct Shared<H> {
    pub(crate) profile: Profile,
    pub(crate) hooks: Steps<H>,
    /// Its addresses.
    pub(super) servers: Vec<SocketAddr>,
    /// The connection, while there is one.
    stream: Mutex<Option<Arc<TcpStream>>>,
    lines: Mutex<Receiver<String>>,
    output: Mutex<Box<dyn Write + Send>>,
    errors: Mutex<Box<dyn Write + Send>>,
    /// What is to be shown at the end.
    kept: Mutex<String>,
    /// Requests that were sent and have no reply yet.
    owed: AtomicUsize,
    /// The user types no more.
    is_last: AtomicBool,
}

impl<H> Shared<H> {
    pub(super) fn new(
        servers: &[SocketAddr],
        profile: Profile,
        hooks: Steps<H>,
        console: Console,
    ) -> io::Result<Self> {
        Ok(Self {
            profile,
            hooks,
            servers: servers.to_vec(),
            stream: Mutex::default(),
            lines: Mutex::new(lines(console.input)?),
            output: Mutex::new(console.output),
            errors: Mutex::new(console.errors),
            kept: Mutex::default(),
            owed: AtomicUsize::new(0),
            is_last: AtomicBool::new(false),
        })
    }

    /// The connection as it is now.
    pub(crate) fn stream(&self) -> io::Result<Arc<TcpStream>> {
        let stream = lock(&self.stream).clone();
        stream.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Puts another connection in place of the one there was, or none.
    pub(crate) fn set_stream(&self, stream: Option<TcpStream>) {
        *lock(&self.stream) = stream.map(Arc::new);
    }

    /// The next line, once there is one; `None` when there will be none.
    pub(crate) fn line(&self) -> Option<String> {
        lock(&self.lines).recv().ok()
    }

    /// The next line, if it comes in that time.
    pub(crate) fn line_within(&self, time: Duration) -> Option<String> {
        lock(&self.lines).recv_timeout(time).ok()
    }

    /// Shows something. Nobody is left to be told if that fails.
    pub(crate) fn print(&self, text: &str) {
        let mut output = lock(&self.output);
        let _ = output.write_all(text.as_bytes());
        let _ = output.flush();
    }

    /// Keeps something back, to be shown at the end.
    pub(crate) fn keep(&self, text: &str) {
        lock(&self.kept).push_str(text);
    }

    /// Shows what was kept back.
    pub(crate) fn print_kept(&self) {
        self.print(&std::mem::take(&mut *lock(&self.kept)));
    }

    /// Says what went wrong.
    pub(crate) fn complain(&self, what: &str) {
        let _ = writeln!(lock(&self.errors), "{what}");
    }

    pub(crate) fn is_owed(&self) -> bool {
        self.owed.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn asked(&self) {
        self.owed.fetch_add(1, Ordering::SeqCst);
    }

    /// A reply came. Some come that nobody has asked for.
    pub(crate) fn answered(&self) {
        let one_less = |owed: usize| owed.checked_sub(1);
        let _ = self
            .owed
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
    }

    /// What is owed will not come any more.
    pub(crate) fn owes_nothing(&self) {
        self.owed.store(0, Ordering::SeqCst);
    }

    /// There will be no more requests.
    pub(crate) fn asks_no_more(&self) {
        self.is_last.store(true, Ordering::SeqCst);
    }

    /// Whether nothing is to be sent and nothing to be waited for.
    pub(crate) fn is_done(&self) -> bool {
        self.is_last.load(Ordering::SeqCst) && !self.is_owed()
    }
}

/// The lines of the input, read by a thread of their own, so that they can be waited for in more than one way.
fn lines(input: Box<dyn BufRead + Send>) -> io::Result<Receiver<String>> {
    let (sender, lines) = mpsc::channel();
    let read = move || {
        for line in input.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().spawn(read)?;
    Ok(lines)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
