//! A runtime that still works where the system gives no more threads.

use std::io;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long a thread is kept that may wait and has nothing to do: longer than any run lasts.
const KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A runtime with all drivers. It has a thread for work that waits from its beginning to its end: where it has one and gets
/// no more, such work waits for its turn, and where it had none it would panic.
///
/// # Errors
/// If the system does not give what it needs.
pub(crate) fn of(mut builder: Builder) -> io::Result<Runtime> {
    let runtime = builder.enable_all().thread_keep_alive(KEPT).build()?;
    // One that is no longer there leaves room for that which stays.
    let there = thread::Builder::new().spawn(|| {})?;
    let _ = there.join();
    runtime.spawn_blocking(|| {});
    Ok(runtime)
}
