//! Work that takes a processor for long, on a thread of its own: whoever reads octets and clocks goes on
//! meanwhile, so that no peer seems to be slow because something was being thought about.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// As many octets are looked at in less time than handing them to another thread takes.
const FEW_OCTETS: usize = 4 << 10;

/// As much is thought about at a time as there are processors: more would only hold more in memory at once.
static THINKING: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(2, usize::from)));

/// Does something with so many octets. What panics in it panics here.
pub(super) async fn apart<T: Send + 'static>(
    octets: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if octets <= FEW_OCTETS {
        return work();
    }
    // It is never closed.
    let _turn = THINKING.acquire().await.ok();
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // All of it is being shut down.
            Err(_) => pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn only_much_is_worked_on_elsewhere() {
        let here = thread::current().id();
        let on = || thread::current().id();
        assert_eq!(apart(FEW_OCTETS, on).await, here);
        assert_ne!(apart(FEW_OCTETS + 1, on).await, here);
    }

    #[tokio::test]
    #[should_panic(expected = "as it was")]
    async fn a_panic_arrives() {
        apart(usize::MAX, || panic!("as it was")).await
    }
}
