//! Scripts made by chance: frames right and wrong, of any wire format, cut, ordered and ended in any way.
//!
//! A script is made from nothing, or of others: seeds, and scripts that showed something new. Each follows
//! from the seed, its number, and the scripts that it may be made of, and from nothing else. What is made is
//! cheap to play: little is sent, and pauses are short. Nothing is said of what a server should answer; the
//! [model](crate::model) derives it, as of any script.

mod frames;
mod fresh;
mod moves;
mod mutate;
mod payloads;

use crate::profile::Profile;
use crate::script::draws::Draws;
use crate::script::{Action, Script, Side};
use std::time::Duration;

/// The most octets of a script that is taken for a seed.
const MOST_OCTETS: usize = 128 << 10;

/// The most steps of one.
const MOST_STEPS: usize = 400;

/// The most connections that a script has open at the same time: as many clients as a server must serve.
pub const MOST_OPEN: usize = 16;

/// Makes scripts of one wire format.
#[derive(Debug, Clone)]
pub struct Generator {
    profile: Profile,
    seed: u64,
    made: u64,
    seeds: Vec<Script>,
}

impl Generator {
    /// Scripts of that seed, from nothing and from those of these scripts that are cheap to play.
    #[must_use]
    pub fn new(profile: Profile, seed: u64, seeds: Vec<Script>) -> Self {
        let seeds = seeds.into_iter().filter(is_cheap).collect();
        Self {
            profile,
            seed,
            made: 0,
            seeds,
        }
    }

    /// How many scripts have been made.
    #[must_use]
    pub const fn made(&self) -> u64 {
        self.made
    }

    /// The next script: the seeds as they are at first, then new ones, some of them made of those in the pool.
    pub fn script(&mut self, pool: &[Script]) -> Script {
        let index = self.made;
        self.made = self.made.saturating_add(1);
        let seed = usize::try_from(index)
            .ok()
            .and_then(|at| self.seeds.get(at));
        if let Some(seed) = seed {
            return seed.clone();
        }
        let mut draws = Draws::of(self.seed, index);
        for _ in 0..8 {
            let script = moves::to_script(&self.steps(pool, &mut draws));
            if script.most_open() <= MOST_OPEN && script.octets() > 0 {
                return script;
            }
        }
        moves::to_script(&fresh::script(&self.profile, &mut draws))
    }

    fn steps(&self, pool: &[Script], draws: &mut Draws) -> Vec<moves::Step> {
        let kind = draws.below(10);
        let mut parent = || {
            let from = if draws.one_in(3) { &self.seeds } else { pool };
            let script = draws.pick(from)?;
            Some(moves::of_script(&self.profile, script))
        };
        let (one, other) = match kind {
            0..=4 => (None, None),
            5..=8 => (parent(), None),
            _ => (parent(), parent()),
        };
        let mut steps = match (one, other) {
            (Some(one), Some(other)) => mutate::splice(one, other, draws),
            (Some(one), None) => one,
            _ => return fresh::script(&self.profile, draws),
        };
        mutate::mutate(&self.profile, &mut steps, draws);
        steps
    }
}

/// Whether a script is a client's, and costs little to be played.
fn is_cheap(script: &Script) -> bool {
    let samples = |step: &crate::script::Step| matches!(step.action, Action::Sample(_));
    script.side() == Side::Client
        && script.octets() <= MOST_OCTETS
        && script.steps().len() <= MOST_STEPS
        && script.most_open() <= MOST_OPEN
        && script.pauses() <= Duration::from_millis(250)
        && !script.steps().iter().any(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Owes, permitted};
    use std::collections::HashSet;

    fn scripts(profile: &Profile, seed: u64, count: usize) -> Vec<Script> {
        let mut generator = Generator::new(profile.clone(), seed, Vec::new());
        let mut pool = Vec::new();
        for _ in 0..count {
            let script = generator.script(&pool);
            pool.push(script);
        }
        pool
    }

    #[test]
    fn the_same_seed_makes_the_same_scripts() {
        let profile = Profile::default();
        assert_eq!(scripts(&profile, 5, 300), scripts(&profile, 5, 300));
        assert_ne!(scripts(&profile, 5, 20), scripts(&profile, 6, 20));
    }

    #[test]
    fn scripts_of_any_profile_are_cheap_and_most_of_them_ask_something() {
        let own =
            "name = 'own'\nlength.width = 3\nlength.order = 'little'\nbody.payload = 'opaque'\n";
        let own = Profile::from_toml(own).unwrap();
        for profile in [Profile::default(), own].into_iter().chain(
            Profile::BUILT_IN
                .iter()
                .filter_map(|name| Profile::built_in(name)),
        ) {
            let scripts = scripts(&profile, 1, 400);
            let asks = |script: &&Script| {
                let permitted = permitted(&profile, script);
                let mut duties = permitted.iter().flat_map(|one| &one.duties);
                duties.any(|duty| matches!(duty.owes, Owes::Reply(_)))
            };
            let asking = scripts.iter().filter(asks).count();
            assert!(asking > 200, "{}: {asking}", profile.name());
            let different: HashSet<String> = scripts.iter().map(Script::to_string).collect();
            assert!(different.len() > 390, "{}", profile.name());
            assert!(scripts.iter().all(|script| script.most_open() <= MOST_OPEN));
            let again = |script: &Script| script.to_string().parse::<Script>();
            assert!(
                scripts
                    .iter()
                    .all(|script| again(script).as_ref() == Ok(script))
            );
        }
    }

    #[test]
    fn seeds_come_first_and_dear_ones_are_left_out() {
        let script = |text: &str| {
            format!("framespec script 1\n{text}")
                .parse::<Script>()
                .unwrap()
        };
        let cheap = script("open a\nsend a 00000000\nfin a\n");
        let dear = script("open a\nsend a 00000000\npause 5000\n");
        let server = script("side server\nopen a\nsend a 00000000\n");
        let mut generator =
            Generator::new(Profile::default(), 1, vec![dear, server, cheap.clone()]);
        assert_eq!(generator.script(&[]), cheap);
        assert_ne!(generator.script(&[]), cheap);
        assert_eq!(generator.made(), 2);
    }
}
