//! Cuts between segments made real: the next one is sent when the client has read the one before. Where that
//! cannot be told, or takes too long, a short pause has to do.

use crate::run::unread;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long a client is given to take a segment before the next is sent all the same.
const LIMIT: Duration = Duration::from_millis(100);

/// The pause between segments where it cannot be told what was taken.
const PAUSE: Duration = Duration::from_millis(8);

/// The pause between two looks.
const BETWEEN: Duration = Duration::from_micros(300);

/// Waits until the client has taken all that has been sent to it, within bounds.
pub(super) async fn taken(stream: &TcpStream) {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        match unread(stream) {
            Some(0) => return,
            Some(_) => sleep(BETWEEN).await,
            None => return sleep(PAUSE).await,
        }
    }
}
