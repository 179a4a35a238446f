//! Cuts between segments made real: the next one is sent when the other side has read the one before. Where
//! that cannot be told, or takes too long, a short pause has to do.

use super::clock::TurnClock;
use std::time::Duration;
use tokio::time::sleep;

/// How long the other side is given to read a segment before the next is sent all the same.
const LIMIT: Duration = Duration::from_millis(100);

/// The pause between segments where it cannot be told what was read.
const PAUSE: Duration = Duration::from_millis(8);

/// The pause between two looks.
const BETWEEN: Duration = Duration::from_micros(300);

/// Waits until nothing is left unread, within bounds.
pub(crate) async fn drained(unread: impl Fn() -> Option<u32>) {
    // A sleep of less than a millisecond takes one.
    let mut clock = TurnClock::by(Duration::from_millis(1));
    while clock.turn() < LIMIT {
        match unread() {
            Some(0) => return,
            Some(_) => sleep(BETWEEN).await,
            None => return sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn it_is_looked_until_nothing_is_left() {
        let left = Cell::new(3);
        drained(|| {
            left.set(left.get() - 1);
            Some(left.get())
        })
        .await;
        assert_eq!(left.get(), 0);
    }

    #[tokio::test]
    async fn one_that_reads_nothing_is_not_waited_for_any_longer() {
        let looks = Cell::new(0);
        drained(|| {
            looks.set(looks.get() + 1);
            Some(1)
        })
        .await;
        assert!(looks.get() > 1);
    }

    #[tokio::test]
    async fn what_cannot_be_told_is_asked_once() {
        let looks = Cell::new(0);
        drained(|| {
            looks.set(looks.get() + 1);
            None
        })
        .await;
        assert_eq!(looks.get(), 1);
    }
}
