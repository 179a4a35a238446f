//! How long a script takes at a server that lets its clients wait: so that what takes longer than the run may is not
//! begun, and what takes long is begun first.

use super::pace::{Pace, SILENT_ROUND_TRIPS};
use super::sending::deafness;
use crate::model::Permitted;
use crate::script::{Action, Conn, Script};
use std::time::Duration;

/// Round trips of the canary behind a script: the one that all have in common may just have begun another.
const BESIDE: u32 = 2;

/// So many octets that are not read fill what there is of buffers.
const BUFFERED: usize = 1 << 20;

/// How long the script takes where each reply takes as long as was measured, and each connection gets one after
/// the other.
pub(super) fn forecast(pace: &Pace, script: &Script, permitted: &[Permitted]) -> Duration {
    let mut forecast = Forecast {
        pace,
        permitted,
        now: Duration::ZERO,
        conns: vec![Served::default(); script.connections()],
    };
    for step in script.steps() {
        forecast.step(step.conn, &step.action);
    }
    let read = forecast.conns.iter().filter(|served| !served.is_stalled);
    let last = read.map(|served| served.until).max();
    let end = forecast.now.max(last.unwrap_or_default());
    end.saturating_add(pace.round_trip.saturating_mul(BESIDE))
}

struct Forecast<'a> {
    pace: &'a Pace,
    permitted: &'a [Permitted],
    now: Duration,
    conns: Vec<Served>,
}

/// What a connection has been sent, and until when it is answered.
#[derive(Debug, Clone, Default)]
struct Served {
    sent: usize,
    until: Duration,
    /// Nothing is waited for that is not read.
    is_stalled: bool,
}

impl Forecast<'_> {
    fn step(&mut self, conn: Conn, action: &Action) {
        let pace = self.pace;
        match action {
            Action::Send(segments) => self.send(conn, segments.iter().map(Vec::len).sum()),
            Action::Await => {
                let until = self.conns.get(conn).map(|served| served.until);
                self.now = self.now.max(until.unwrap_or_default());
            }
            Action::Quiet => {
                self.takes(pace.round_trip.saturating_mul(SILENT_ROUND_TRIPS));
                self.takes(pace.slack());
            }
            Action::Stall => self.stall(conn, true),
            Action::Resume => self.stall(conn, false),
            Action::Sample(_) => self.takes(pace.round_trip),
            Action::Pause(time) => self.takes(*time),
            // The others take no time, or are none of a client's.
            _ => {}
        }
    }

    fn stall(&mut self, conn: Conn, is_stalled: bool) {
        if let Some(served) = self.conns.get_mut(conn) {
            served.is_stalled = is_stalled;
        }
    }

    fn takes(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    fn send(&mut self, conn: Conn, octets: usize) {
        let (Some(served), Some(permitted)) = (self.conns.get_mut(conn), self.permitted.get(conn))
        else {
            return;
        };
        let before = served.sent;
        served.sent = before.saturating_add(octets);
        if served.is_stalled && served.sent > BUFFERED && before <= BUFFERED {
            self.now = self.now.saturating_add(deafness(self.pace));
        }
        let due = permitted.duties.iter().map(|duty| duty.due);
        let replies = due.filter(|due| (before..=served.sent).contains(due) && *due > before);
        let replies = u32::try_from(replies.count()).unwrap_or(u32::MAX);
        let waits = self.pace.round_trip.saturating_mul(replies);
        let begun = served.until.max(self.now);
        served.until = begun
            .saturating_add(waits)
            .saturating_add(self.pace.sending(octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permitted;
    use crate::profile::Profile;

    fn takes(pace: &Pace, script: &str) -> f64 {
        let script: Script = format!("framespec script 1\n{script}").parse().unwrap();
        let permitted = permitted(&Profile::tutorial(), &script);
        forecast(pace, &script, &permitted).as_secs_f64()
    }

    const REQUEST: &str = "0000003c '1' 00*59";

    #[test]
    fn replies_on_one_connection_take_turns_and_those_on_two_do_not() {
        let pace = Pace::new(Duration::from_secs(1), None, Duration::from_secs(1));
        let of = |script: &str| takes(&pace, &script.replace("ONE", REQUEST));
        assert_eq!(of("open a\nsend a ONE"), 3.0);
        assert_eq!(
            of("open a\nsend a ONE | ONE\nawait a\nsend a ONE\nawait a"),
            5.0
        );
        assert_eq!(of("open a\nopen b\nsend a ONE\nsend b ONE\nawait a"), 3.0);
        assert_eq!(
            of("open a\nopen b\nsend a ONE\nawait a\nsend b ONE\nawait b"),
            4.0
        );
        assert_eq!(of("open a\npause 2000\nsend a ONE\nawait a"), 5.0);
        assert_eq!(of("open a\nquiet a"), 5.2);
        assert_eq!(of("open a\nstall a\nsend a ONE | ONE"), 2.0);
    }

    #[test]
    fn octets_take_time_where_they_do() {
        let second = Duration::from_secs(1);
        let pace = Pace::new(second, None, second).with_octets_of(Duration::from_millis(125));
        assert_eq!(
            takes(&pace, &format!("open a\nsend a {REQUEST}")),
            3.0 + 8.0
        );
    }
}
