//! What becomes of a case: how often it is tried, what that comes to, and who is told.
//!
//! This is the same whoever is checked, and for scripts that are replayed. An attempt is one playing
//! of a script and what was found in it. A series holds the attempts at one case, of which a
//! policy says how many it takes; of it a result is made, which goes to the event sink.

mod attempt;
mod evidence;
mod lacking;
mod measured;
mod policy;
mod result;
mod series;
mod sink;

pub(crate) use attempt::Attempt;
pub use evidence::rehearsal;
pub(crate) use policy::{Next, Policy};
pub(crate) use result::result;
pub(crate) use series::{Judged, Series};
pub(crate) use sink::{EventSink, Head, Start};

use crate::event::Verdict;
use std::time::Duration;

/// Which cases keep what was sent and seen in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None: only verdicts are asked for.
    Nothing,
    /// Those that were played and did not pass.
    OfFindings,
    /// All of them.
    Everything,
}

impl Keep {
    /// Whether a case of this verdict is among them.
    #[must_use]
    pub fn covers(self, verdict: Verdict) -> bool {
        match self {
            Self::Nothing => false,
            Self::OfFindings => !matches!(verdict, Verdict::Pass | Verdict::Skip),
            Self::Everything => true,
        }
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
