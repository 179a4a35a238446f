//! The passes: one kind of thing each that a script can do with less of, the weightiest first.
//!
//! Each pass counts its things and takes a window of them out: all at once, then halves, quarters and
//! so on, as delta debugging does.

use super::edit::{self, Edit};
use super::piece::View;
use crate::profile::Profile;
use crate::script::Script;
use std::ops::Range;

/// Where more windows than that fit into the octets of a frame, only the one in the middle is tried:
/// each octet by itself says little.
const MOST_WINDOWS: usize = 16;

/// What is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Connections with all that is done on them.
    Connections,
    /// Frames, and octets that are none.
    Frames,
    /// Steps that can be left out by themselves.
    Steps,
    /// Cuts between segments.
    Cuts,
    /// Payloads, for the smallest message.
    Payloads,
    /// Padding beyond what is needed.
    Padding,
    /// Halves of pauses.
    Pauses,
    /// Octets of one piece.
    Octets(usize),
}

const FIXED: [Pass; 7] = [
    Pass::Connections,
    Pass::Frames,
    Pass::Steps,
    Pass::Cuts,
    Pass::Payloads,
    Pass::Padding,
    Pass::Pauses,
];

impl Pass {
    /// The pass of that number; the last ones are as many as there are pieces.
    pub(super) fn nth(number: usize, view: &View) -> Option<Self> {
        if let Some(pass) = FIXED.get(number) {
            return Some(*pass);
        }
        let piece = number.saturating_sub(FIXED.len());
        (piece < view.pieces.len()).then_some(Self::Octets(piece))
    }

    /// How many of its things there are.
    pub(super) fn count(self, profile: &Profile, view: &View, script: &Script) -> usize {
        match self {
            Self::Connections => script.connections(),
            Self::Frames | Self::Payloads | Self::Padding => view.pieces.len(),
            Self::Steps => edit::loose_steps(script),
            Self::Cuts => edit::cuts(script),
            Self::Pauses => edit::pauses(script),
            Self::Octets(piece) => view
                .pieces
                .get(piece)
                .map_or(0, |piece| piece.loose(profile, view).len()),
        }
    }

    /// How many are taken out at first.
    pub(super) fn first_window(self, count: usize) -> usize {
        match self {
            Self::Payloads | Self::Padding => count.min(1),
            _ => count,
        }
    }

    /// How many are taken out when so many at once have been tried; 0 ends the pass.
    pub(super) const fn next_window(self, window: usize) -> usize {
        window / 2
    }

    /// The place of a window, counted; `None` behind the last.
    pub(super) fn place(self, count: usize, window: usize, turn: usize) -> Option<Range<usize>> {
        let window = window.min(count);
        let at = match (self, turn) {
            // Where the brackets of a nested text meet, and far from the quotes of a plain one.
            (Self::Octets(_), 0) => count.saturating_sub(window) / 2,
            (Self::Octets(_), turn) => {
                let few = count.div_ceil(window.max(1)) <= MOST_WINDOWS;
                few.then(|| turn.saturating_sub(1).saturating_mul(window))?
            }
            (_, turn) => turn.saturating_mul(window),
        };
        (at < count).then(|| at..at.saturating_add(window).min(count))
    }

    /// The script with those taken out, if that is a script.
    pub(super) fn without(
        self,
        profile: &Profile,
        view: &View,
        script: &Script,
        out: Range<usize>,
    ) -> Option<Script> {
        match self {
            Self::Connections => edit::without_conns(script, &out),
            Self::Steps => edit::without_steps(script, &out),
            Self::Cuts => edit::without_cuts(script, &out),
            Self::Pauses => edit::with_shorter_pauses(script, &out),
            Self::Frames => {
                let removed = view.pieces.get(out)?.iter().map(|piece| piece.removed());
                spliced(view, script, removed.collect())
            }
            Self::Payloads => {
                let piece = view.pieces.get(out.start)?;
                let edit = piece.smallest(profile, view, out.start)?;
                spliced(view, script, vec![edit])
            }
            Self::Padding => {
                let edit = view.pieces.get(out.start)?.unpadded(profile, view)?;
                spliced(view, script, vec![edit])
            }
            Self::Octets(piece) => {
                let edit = view.pieces.get(piece)?.without(profile, view, out)?;
                spliced(view, script, vec![edit])
            }
        }
    }
}

fn spliced(view: &View, script: &Script, edits: Vec<Edit>) -> Option<Script> {
    edit::spliced(script, &view.streams, &edits)
}
