//! Which cases there are to pass, as the tables of the cases say.

use framespec::cases::{self, Case, Circumstances};
use framespec::judge::ReplyRule;
use framespec::profile::Profile;

/// The cases that a check without `--slow` plays at a server that echoes.
pub(crate) fn played(profile: Profile, with_process: bool) -> impl Iterator<Item = &'static Case> {
    cases::all(framespec::spec::Role::Server).filter(move |case| {
        let circumstances = Circumstances {
            slow: false,
            process: with_process
                .then_some(())
                .ok_or_else(framespec::cases::unknown_process),
            ..Circumstances::best(&profile, &ReplyRule::Echo)
        };
        case.script(&circumstances).is_ok()
    })
}
