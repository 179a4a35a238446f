//! How the octets of a stream are sent: in which segments, and with which pauses.

use crate::script::{Action, Script};
use std::ops::Range;
use std::time::Duration;

/// How the octets of the stream are sent.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// Where each segment begins and ends.
    segments: Vec<Range<usize>>,
    /// Pauses, each with the octets that were sent before it.
    pauses: Vec<(usize, Duration)>,
}

impl Sending {
    pub(super) fn of(script: &Script) -> Self {
        let (mut sending, mut sent) = (Self::default(), 0_usize);
        for step in script.steps() {
            match &step.action {
                Action::Send(segments) => {
                    for segment in segments {
                        let end = sent.saturating_add(segment.len());
                        sending.segments.push(sent..end);
                        sent = end;
                    }
                }
                Action::Pause(time) => sending.pauses.push((sent, *time)),
                _ => {}
            }
        }
        sending
    }

    fn longest(&self, is_meant: impl Fn(usize) -> bool) -> Duration {
        let meant = self.pauses.iter().filter(|(sent, _)| is_meant(*sent));
        meant.map(|(_, time)| *time).max().unwrap_or_default()
    }

    pub(super) fn pause_in(&self, frame: &Range<usize>) -> Duration {
        self.longest(|sent| frame.start < sent && sent < frame.end)
    }

    pub(super) fn pause_before(&self, frame: &Range<usize>) -> Duration {
        self.longest(|sent| sent == frame.start)
    }

    pub(super) fn is_cut(&self, frame: &Range<usize>) -> bool {
        let inside = |end: usize| frame.start < end && end < frame.end;
        self.segments.iter().any(|segment| inside(segment.end))
    }

    /// Whether octets of another frame come in the same segment.
    pub(super) fn shares_a_segment(&self, frame: &Range<usize>) -> bool {
        self.segments.iter().any(|segment| {
            let touches = segment.start < frame.end && frame.start < segment.end;
            touches && (segment.start < frame.start || frame.end < segment.end)
        })
    }
}
