//! A case with its script, and how roughly that treats a server.

use crate::cases::{Case, Unfit};
use crate::model::{self, Owes, Permitted, Tail, Unsure};
use crate::profile::Profile;
use crate::script::{Action, OwnEnd, Script};
use std::time::Duration;

/// A case with its script.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) case: &'static Case,
    pub(super) script: Script,
}

/// Scripts of more octets than this are made again when their turn comes: all of them together are more than
/// anybody should hold.
const HEAVY: usize = 32 << 10;

/// A case that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) case: &'static Case,
    /// Whether it takes readings of the server's process.
    pub(super) measures: bool,
    /// Whether it needs the server to itself.
    pub(super) alone: bool,
    /// How long it takes, as far as that can be foretold: no less than it does nothing.
    pub(super) takes: Duration,
    script: Option<Script>,
}

impl Waiting {
    /// For its turn at a server that takes so many connections.
    pub(super) fn for_its_turn(planned: Planned, takes: Duration, connections: usize) -> Self {
        let measures = planned.measures();
        let fills = planned.script.most_open() > connections / 2;
        Self {
            case: planned.case,
            measures,
            alone: planned.case.undisturbed || (planned.case.alone && (measures || fills)),
            takes: takes.max(planned.pauses()),
            script: (planned.script.octets() <= HEAVY).then_some(planned.script),
        }
    }

    /// The case with its script, which is made again if it is not kept.
    pub(super) fn planned(
        self,
        again: impl FnOnce(&Case) -> Result<Script, Unfit>,
    ) -> Result<Planned, Unfit> {
        let case = self.case;
        let script = self.script.map_or_else(|| again(case), Ok)?;
        Ok(Planned { case, script })
    }
}

/// How a server is treated, the gentlest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Roughness {
    /// Messages, and nothing but messages.
    Plain,
    /// Streams that end between frames.
    Ending,
    /// Payloads and lengths that are doubtful.
    Doubtful,
    /// Lengths that are refused, and connections that are reset.
    Rough,
    /// Streams that end inside a frame.
    BreakingOff,
}

impl Roughness {
    /// With fewer steps, where each group has to wait long for the last of the one before.
    pub(super) const fn in_few_groups(self) -> Self {
        match self {
            Self::Plain | Self::Ending => Self::Plain,
            Self::Doubtful | Self::Rough => Self::Rough,
            Self::BreakingOff => Self::BreakingOff,
        }
    }
}

impl Planned {
    /// Whether it takes readings of the server's process.
    pub(super) fn measures(&self) -> bool {
        let steps = self.script.steps().iter();
        let mut actions = steps.map(|step| &step.action);
        actions.any(|action| matches!(action, Action::Sample(_)))
    }

    /// How long it does nothing, at most.
    pub(super) fn pauses(&self) -> Duration {
        let steps = self.script.steps().iter();
        steps
            .map(|step| match step.action {
                Action::Pause(time) => time,
                _ => Duration::ZERO,
            })
            .sum()
    }

    pub(super) fn roughness(&self, profile: &Profile) -> Roughness {
        let permitted = model::permitted(profile, &self.script);
        permitted
            .iter()
            .map(roughness)
            .max()
            .unwrap_or(Roughness::Plain)
    }
}

fn roughness(permitted: &Permitted) -> Roughness {
    let owed = permitted.duties.iter().map(|duty| match duty.owes {
        Owes::Reply(_) | Owes::Nothing(_) => Roughness::Plain,
        Owes::ReplyOrClose(_) | Owes::ReplyOrSilence(Unsure::Doubt(_)) => Roughness::Doubtful,
        Owes::ReplyOrSilence(Unsure::NoFrame { .. }) => Roughness::Rough,
        Owes::Close(_) => Roughness::Rough,
        // No server's duties.
        Owes::Showing(_) | Owes::ReadOnOrEnd(_) => Roughness::Plain,
    });
    let end = match (permitted.own_end, permitted.tail) {
        (OwnEnd::Open, _) => Roughness::Plain,
        (OwnEnd::Fin, Tail::Boundary | Tail::Apart) => Roughness::Ending,
        (OwnEnd::Rst, _) | (OwnEnd::Fin, Tail::Void) => Roughness::Rough,
        (OwnEnd::Fin, Tail::Inside { .. }) => Roughness::BreakingOff,
    };
    owed.chain([end]).max().unwrap_or(end)
}
