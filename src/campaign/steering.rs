//! What steers a campaign beside what comes over the wire: the server's own code, where it can be watched.

use super::workers::{Outcome, Workers};
use crate::coverage::{Coverage, PlaceId, Reached};
use crate::run::Player;
use crate::script::Script;
use serde_json::Value;
use std::cmp::Reverse;

/// So many scripts are favoured, of those that reached what is seldom reached.
const MOST_FAVOURED: usize = 24;

/// Scripts that are played until others are made of what they reached.
const BATCH: usize = 16;

/// The server's own code, if it is watched.
#[derive(Debug)]
pub(super) struct Steering {
    coverage: Option<Coverage>,
    favoured: Vec<Favoured>,
}

/// A script that reached a place which is seldom reached.
#[derive(Debug)]
struct Favoured {
    place: PlaceId,
    script: Script,
}

impl Steering {
    /// By what is counted, once the server runs; and how it is, or why not.
    pub(super) fn of(coverage: Result<Coverage, String>) -> (Self, Result<String, String>) {
        let attached = coverage.and_then(|mut coverage| {
            let how = coverage.attached()?;
            coverage.look();
            Ok((coverage, how))
        });
        let (coverage, how) = match attached {
            Ok((coverage, how)) => (Some(coverage), Ok(how)),
            Err(why) => (None, Err(why)),
        };
        let favoured = Vec::new();
        (Self { coverage, favoured }, how)
    }

    /// How many scripts may be played side by side: what each of two reached could not be told apart.
    pub(super) fn jobs(&self, jobs: usize) -> usize {
        self.coverage.as_ref().map_or(jobs, |_| 1)
    }

    /// How many scripts are played at a time.
    pub(super) fn batch(&self, batch: usize) -> usize {
        self.coverage.as_ref().map_or(batch, |_| BATCH)
    }

    /// Plays scripts, and looks what each reached.
    pub(super) async fn play(
        &mut self,
        workers: &mut Workers,
        player: &Player,
        scripts: Vec<(u64, Script)>,
    ) -> Vec<Outcome> {
        let Some(coverage) = &mut self.coverage else {
            return workers.play(player, scripts).await;
        };
        // What was done meanwhile, such as confirming a finding, is no script's.
        coverage.skip();
        let mut outcomes = Vec::new();
        for script in scripts {
            let mut played = workers.play(player, vec![script]).await;
            let reached = coverage.look();
            played.iter_mut().for_each(|one| one.reached = reached);
            outcomes.extend(played);
        }
        outcomes
    }

    /// Whether a script reached something new. One that reached what is seldom reached is favoured.
    pub(super) fn is_new(&mut self, outcome: &Outcome) -> bool {
        if let Reached::Seldom(place) = outcome.reached {
            self.favour(place, outcome.script.clone());
        }
        outcome.reached > Reached::Nothing
    }

    /// Favours a script in the place of what led there before, or of what leads to where by now others do too.
    fn favour(&mut self, place: PlaceId, script: Script) {
        self.favoured.retain(|one| one.place != place);
        self.favoured.push(Favoured { place, script });
        if let Some(coverage) = &self.coverage {
            let by_looks = |one: &Favoured| Reverse(coverage.looks_at(one.place));
            self.favoured.sort_by_key(by_looks);
        }
        if self.favoured.len() > MOST_FAVOURED {
            self.favoured.remove(0);
        }
    }

    /// Scripts that others are to be made of most, the one that leads where fewest do last.
    pub(super) fn favoured(&self) -> Vec<Script> {
        let scripts = self.favoured.iter().map(|one| one.script.clone());
        scripts.collect()
    }

    /// Words that the server's code knows.
    pub(super) fn words(&mut self) -> &[Value] {
        self.coverage.as_mut().map_or(&[], Coverage::words)
    }

    /// How many steps the server's code was seen to take.
    pub(super) fn edges(&self) -> Option<usize> {
        self.coverage.as_ref().map(Coverage::edges)
    }
}
