//! A case with its script, and how roughly that treats a server.

use crate::cases::Case;
use crate::model::{self, Owes, Permitted, Tail};
use crate::profile::Profile;
use crate::script::{ClientEnd, Script};

/// A case with its script.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) case: &'static Case,
    pub(super) script: Script,
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

impl Planned {
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
        Owes::Reply(_) => Roughness::Plain,
        Owes::ReplyOrClose(_) => Roughness::Doubtful,
        Owes::Close(_) => Roughness::Rough,
    });
    let end = match (permitted.client_end, permitted.tail) {
        (ClientEnd::Open, _) => Roughness::Plain,
        (ClientEnd::Fin, Tail::Boundary) => Roughness::Ending,
        (ClientEnd::Rst, _) | (ClientEnd::Fin, Tail::Void) => Roughness::Rough,
        (ClientEnd::Fin, Tail::Inside { .. }) => Roughness::BreakingOff,
    };
    owed.chain([end]).max().unwrap_or(end)
}
