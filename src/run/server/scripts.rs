//! The scripts of cases at a server as it is, and the format in which each is judged.

use super::session::ServerPeer;
use crate::cases::{Case, Circumstances, Unfit, unknown_process};
use crate::lang::{Text, say};
use crate::profile::Profile;
use crate::run::Options;
use crate::script::Script;
use crate::spec::Clause;

impl ServerPeer {
    /// The script of a case, for a first look or for one of the closer ones behind it. Each has requests of
    /// its own: a server that keeps every request that it has not seen before keeps nothing of the same
    /// ones.
    pub(in crate::run) fn script(
        &self,
        case: &Case,
        options: &Options,
        look: u32,
    ) -> Result<Script, Unfit> {
        let made = self.script_in(self.profile_for(Some(case)), case, options, look);
        if matches!(made, Err(Unfit::Skipped(_))) && self.ends_early() {
            // Why it has no script in the format as it was named says more, if that is so.
            self.script_in(&self.promised, case, options, look)?;
            return Err(Unfit::Skipped(say!(
                "blocked: it needs a connection for more than one request, and the server ends each when it has answered once"
            )));
        }
        made
    }

    /// Whether it ends connections sooner than the format says.
    fn ends_early(&self) -> bool {
        self.profile.requests_per_connection() != self.promised.requests_per_connection()
    }

    /// The wire format that what is played for a case, or for none, is judged in.
    pub(in crate::run) fn profile_for(&self, case: Option<&Case>) -> &Profile {
        match case {
            Some(case) if case.clause() != Clause::Persistence => &self.profile,
            _ => &self.promised,
        }
    }

    fn script_in(
        &self,
        profile: &Profile,
        case: &Case,
        options: &Options,
        look: u32,
    ) -> Result<Script, Unfit> {
        case.script(&Circumstances {
            profile,
            rule: &self.rule,
            seed: options.seed.wrapping_add(look.into()),
            slow: options.slow,
            process: self.process.map(drop).ok_or(self.no_process()),
            rests: self.rests,
            concurrent: self.concurrent,
            in_turn: self.pace.in_turn(options.within),
            no_reset: self.door.no_reset(),
            closer: look > 0,
        })
    }

    /// Why its process is not looked at, where it is not.
    fn no_process(&self) -> Text {
        if self.door.is_started_anew() {
            say!("each connection has a process of its own")
        } else {
            unknown_process()
        }
    }
}
