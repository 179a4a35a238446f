//! `--last-failed`: only what failed last time at the same target, which is kept in the user's cache folder.

use super::out;
use crate::cases::Case;
use crate::event::Run;
use crate::lang::{Text, say};
use crate::recall::{Recall, Whose};
use etcetera::BaseStrategy as _;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LastFailedArgs {
    /// Only the cases that failed last time at this target in this profile
    ///
    /// If none of those that are selected is known to have failed, all of them are played, as pytest does. What --run and --skip leave out is not played either. What fails is kept in the user's cache folder, a file
    /// for each target and profile.
    #[arg(long, visible_alias = "lf")]
    pub(crate) last_failed: bool,
}

/// What is known of the last time, and where that is kept.
pub(crate) struct Memory {
    recall: Option<Recall>,
    before: BTreeSet<String>,
}

impl Memory {
    /// What failed last time. A file that is broken is told of and taken for none.
    pub(crate) fn of(whose: Whose) -> Self {
        let recall = folder().map(|folder| Recall::new(folder, whose));
        let failed = recall.as_ref().map(Recall::failed).transpose();
        let before = failed.unwrap_or_else(|error| {
            out::note(say!(
                "note: {error}: it is left out of account",
                error = Text::from(error.to_string()).heard()
            ));
            None
        });
        Self {
            recall,
            before: before.unwrap_or_default(),
        }
    }

    /// Those of the cases that failed last time; `None` if none did.
    pub(crate) fn failed(&self, cases: &[&'static Case]) -> Option<Vec<&'static Case>> {
        let is_known = |case: &&Case| self.before.contains(&case.id.to_string());
        let failed: Vec<_> = cases.iter().copied().filter(is_known).collect();
        let all = cases.len();
        match failed.len() {
            0 => out::note(say!(
                "nothing is known to have failed last time: all {all} cases are played",
                all
            )),
            few => out::note(say!(
                "what failed last time is played: {few} of {all} cases",
                few,
                all
            )),
        }
        (!failed.is_empty()).then_some(failed)
    }

    /// Keeps what failed in a run for the next time.
    pub(crate) fn keep(&self, run: &Run) {
        let kept = self.recall.as_ref().map(|it| it.keep(run, &self.before));
        if let Some(Err(error)) = kept {
            // Only who asks for it next time misses anything, and is told then.
            tracing::info!("what failed cannot be kept for --last-failed: {error}");
        }
    }
}

/// The folder of this program in the user's cache; `None` for a user who has no home.
fn folder() -> Option<PathBuf> {
    let user = etcetera::choose_base_strategy().ok()?;
    Some(user.cache_dir().join("framespec").join("failed"))
}
