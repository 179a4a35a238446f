//! What inputs come to: how many are read at all, how many frames those hold, and how they end. A fuzzer whose inputs break
//! at their first header finds nothing behind it, and nothing else shows that.

use super::Body;
use crate::model::Tail;
use crate::model::reader::Ending;
use std::cell::Cell;
use std::fmt;

/// What the inputs of a target have come to so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs.
    pub inputs: u64,
    /// Those that a target could read.
    pub read: u64,
    /// Streams in them that were read as frames.
    pub streams: u64,
    /// Streams in which there is a whole frame.
    pub framed: u64,
    /// Whole frames.
    pub frames: u64,
    /// Streams that end behind one, or with nothing.
    pub whole: u64,
    /// Streams in which something is malformed.
    pub malformed: u64,
}

thread_local! {
    static SO_FAR: Cell<Tally> = Cell::default();
}

/// Inputs before the first tally is told.
const FIRST: u64 = 1 << 14;

/// Feeds an input to a target. What all inputs have come to, whenever there are twice as many as when it was told last.
pub fn tallied(body: Body, data: &[u8]) -> Option<Tally> {
    let is_read = body(data);
    let tally = changed(|tally| {
        tally.inputs = tally.inputs.saturating_add(1);
        tally.read = tally.read.saturating_add(is_read.into());
    });
    (tally.inputs >= FIRST && tally.inputs.is_power_of_two()).then_some(tally)
}

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    Inside,
    Malformed,
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Boundary => Self::Whole,
            Ending::Inside { .. } => Self::Inside,
            Ending::Malformed { .. } => Self::Malformed,
        }
    }
}

impl From<&Tail> for End {
    fn from(tail: &Tail) -> Self {
        match tail {
            Tail::Boundary | Tail::Apart => Self::Whole,
            Tail::Inside { .. } => Self::Inside,
            Tail::Void => Self::Malformed,
        }
    }
}

/// A stream holds so many whole frames and ends like that.
pub(super) fn note(frames: usize, end: End) {
    changed(|tally| {
        let frames = u64::try_from(frames).unwrap_or(u64::MAX);
        let more = |count: &mut u64, by: u64| *count = count.saturating_add(by);
        more(&mut tally.streams, 1);
        more(&mut tally.framed, (frames > 0).into());
        more(&mut tally.frames, frames);
        more(&mut tally.whole, (end == End::Whole).into());
        more(&mut tally.malformed, (end == End::Malformed).into());
    });
}

fn changed(change: impl FnOnce(&mut Tally)) -> Tally {
    let mut tally = SO_FAR.get();
    change(&mut tally);
    SO_FAR.set(tally);
    tally
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: u64, of: u64| part.saturating_mul(100).checked_div(of).unwrap_or(0);
        write!(
            f,
            "{} inputs, {} % read",
            self.inputs,
            share(self.read, self.inputs)
        )?;
        if self.streams == 0 {
            return Ok(());
        }
        let tenths = self.frames.saturating_mul(10).checked_div(self.streams);
        let tenths = tenths.unwrap_or(0);
        write!(
            f,
            "; {} streams: {} % with whole frames, {}.{} frames each; {} % end whole, {} % are malformed",
            self.streams,
            share(self.framed, self.streams),
            tenths / 10,
            tenths % 10,
            share(self.whole, self.streams),
            share(self.malformed, self.streams),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder;
    use super::*;

    #[test]
    fn inputs_are_counted_and_told_of_when_there_are_twice_as_many() {
        let inputs: [&[u8]; 4] = [
            &[0; 8],
            &[0, 0, 0, 60, 1],
            &[0, 0, 0, 1],
            b"framespec script 1\nx",
        ];
        let mut told = Vec::new();
        for input in inputs.into_iter().cycle().take(1 << 15) {
            told.extend(tallied(decoder, input));
        }
        let last = told.pop().unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!((last.inputs, last.read), (1 << 15, 3 << 13));
        assert_eq!(
            (last.streams, last.frames, last.whole),
            (3 << 13, 2 << 13, 1 << 13)
        );
        let text = "32768 inputs, 75 % read; 24576 streams: 33 % with whole frames, 0.6 frames each; 33 % end whole, 33 % are malformed";
        assert_eq!(last.to_string(), text);
    }
}
