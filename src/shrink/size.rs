//! How large a script is: what makes one script smaller than another.

use super::piece::View;
use crate::profile::Profile;
use crate::script::{Action, Script};

/// The size of a script. Compared from the first field to the last: a connection less outweighs any
/// number of octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Connections opened.
    pub connections: usize,
    /// Frames, whole or not, and stretches of octets that are none.
    pub frames: usize,
    /// Steps.
    pub steps: usize,
    /// Segments that octets are sent in.
    pub segments: usize,
    /// Octets sent.
    pub octets: usize,
    /// Octets sent that are not padding.
    pub content: usize,
    /// Time that it pauses, in milliseconds.
    pub pause_ms: u128,
}

impl Size {
    /// The size of a script that is read by that profile.
    #[must_use]
    pub fn of_script(profile: &Profile, script: &Script) -> Self {
        Self::of(&View::of(profile, script), script)
    }

    pub(super) fn of(view: &View, script: &Script) -> Self {
        let (mut segments, mut pause_ms) = (0_usize, 0_u128);
        for step in script.steps() {
            match &step.action {
                Action::Send(sent) => segments = segments.saturating_add(sent.len()),
                Action::Pause(time) => pause_ms = pause_ms.saturating_add(time.as_millis()),
                _ => {}
            }
        }
        let padding: usize = view.pieces.iter().map(|piece| piece.padding()).sum();
        let octets: usize = view.streams.iter().map(Vec::len).sum();
        Self {
            connections: script.connections(),
            frames: view.pieces.len(),
            steps: script.steps().len(),
            segments,
            octets,
            content: octets.saturating_sub(padding),
            pause_ms,
        }
    }
}
