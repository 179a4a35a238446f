//! Scripts for servers to which each segment is a datagram.

use crate::profile::Carriage;
use crate::script::draws::Draws;
use crate::script::{Action, Script};

/// The same without what a datagram has not: an end, a reset, a client that reads nothing. Here and there a datagram
/// without an octet comes in between, and what is too large for one is cut.
pub(super) fn in_datagrams(script: &Script, draws: &mut Draws) -> Script {
    let mut made = script.emptied();
    for step in script.steps() {
        let mut action = step.action.clone();
        match &mut action {
            Action::Fin | Action::Rst | Action::Stall | Action::Resume => continue,
            Action::Send(segments) => {
                let most = Carriage::MOST_IN_DATAGRAM;
                segments.iter_mut().for_each(|one| one.truncate(most));
            }
            _ => {}
        }
        let is_sent = matches!(action, Action::Send(_));
        // Nothing is ended, so that each step can follow those before it.
        let _ = made.push(step.conn, action);
        if is_sent && draws.one_in(12) {
            let _ = made.push(step.conn, Action::SendEmpty);
        }
    }
    made
}
