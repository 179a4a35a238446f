//! Who reads the page: how many do, whether anybody ever did, and how long they are waited for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// At most so many read at once.
const MOST: usize = 8;

/// How long is waited for a browser that was started and has not come yet.
const COMES_WITHIN: Duration = Duration::from_secs(10);

/// How long is waited until those who read have it all.
const READS_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Default)]
pub(super) struct Audience(Arc<watch::Sender<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    reading: usize,
    /// Whether anybody ever was.
    has_come: bool,
}

/// A place among those who read.
#[derive(Debug)]
pub(super) struct Seat(Audience);

impl Audience {
    /// A place, as long as there is one.
    pub(super) fn seat(&self) -> Option<Seat> {
        let taken = self.0.send_if_modified(|counted| {
            let is_free = counted.reading < MOST;
            if is_free {
                counted.reading = counted.reading.saturating_add(1);
                counted.has_come = true;
            }
            is_free
        });
        taken.then(|| Seat(self.clone()))
    }

    pub(super) fn has_come(&self) -> bool {
        self.0.borrow().has_come
    }

    /// Waits until everybody has all there is to read, and before, if nobody has come yet, until somebody does or `absent`
    /// says that nobody will.
    pub(super) async fn gone(&self, absent: impl Future<Output = ()>) {
        let mut counted = self.0.subscribe();
        let comes = async {
            tokio::select! {
                _ = counted.wait_for(|counted| counted.has_come) => {}
                () = absent => {}
            }
        };
        // That time is up is no failure: who has not come does not come.
        let _ = timeout(COMES_WITHIN, comes).await;
        let has_all = counted.wait_for(|counted| counted.reading == 0);
        let _ = timeout(READS_WITHIN, has_all).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Self(Audience(counted)) = self;
        counted.send_modify(|counted| counted.reading = counted.reading.saturating_sub(1));
    }
}
