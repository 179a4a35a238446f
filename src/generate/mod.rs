//! Scripts made by chance: frames right and wrong, of any wire format, cut, ordered and ended in any way.
//!
//! A script is made from nothing, or of others: seeds, and scripts that showed something new. Each follows
//! from the seed, its number, and the scripts that it may be made of, and from nothing else. What is made is
//! cheap to play: little is sent, and pauses are short. Nothing is said of what a server should answer; the
//! [model](crate::model) derives it, as of any script.

mod datagrams;
mod frames;
mod fresh;
mod moves;
mod mutate;
mod payloads;
mod words;

use crate::model::{numbered, summed_but};
use crate::profile::{Carriage, Profile};
use crate::script::draws::Draws;
use crate::script::{Action, Script, Side};
use datagrams::in_datagrams;
use serde_json::Value;
use std::time::Duration;
use words::Words;

/// The most octets of a script that is taken for a seed.
const MOST_OCTETS: usize = 128 << 10;

/// The most steps of one.
const MOST_STEPS: usize = 400;

/// The most connections that a script has open at the same time: as many clients as a server must serve.
pub const MOST_OPEN: usize = 16;

/// The octets of something that stands where a frame is due: mostly of a frame as it should be.
#[must_use]
pub fn frame(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    frames::any(profile, draws)
}

/// A payload: mostly a message.
#[must_use]
pub fn payload(profile: &Profile, draws: &mut Draws) -> Vec<u8> {
    payloads::any(profile, draws)
}

/// A script made from nothing.
#[must_use]
pub fn script(profile: &Profile, draws: &mut Draws) -> Script {
    let steps = fresh::script(profile, draws);
    to_script(profile, &steps, draws)
}

/// A script like that one of the client's side: frames, lengths, cuts, order or ends are changed.
#[must_use]
pub fn mutated(profile: &Profile, script: &Script, draws: &mut Draws) -> Script {
    let mut steps = moves::of_script(profile, script);
    mutate::mutate(profile, &mut steps, draws);
    to_script(profile, &steps, draws)
}

/// A stream like that one, in a format without checksums and ids: frames and lengths are changed. It has so many octets
/// at most.
#[must_use]
pub fn mutated_stream(profile: &Profile, stream: &[u8], most: usize, draws: &mut Draws) -> Vec<u8> {
    let mut steps = moves::of_stream(profile, stream);
    mutate::mutate_frames(profile, &mut steps, draws);
    moves::to_stream(&steps, most)
}

/// A stream that begins as the one and ends as the other, put together at ends of frames. It has so many octets at most.
#[must_use]
pub fn spliced_stream(
    profile: &Profile,
    [one, other]: [&[u8]; 2],
    most: usize,
    draws: &mut Draws,
) -> Vec<u8> {
    let [mut steps, mut behind] = [one, other].map(|stream| moves::of_stream(profile, stream));
    steps.truncate(draws.below(steps.len()).saturating_add(1));
    let from = draws.below(behind.len());
    steps.extend(behind.drain(from..));
    moves::to_stream(&steps, most)
}

/// Whatever frames were put together, each has an id of its own and its checksum, but for a few.
fn to_script(profile: &Profile, steps: &[moves::Step], draws: &mut Draws) -> Script {
    let script = match profile.carriage() {
        Carriage::Stream => moves::to_script(steps),
        Carriage::Datagrams => in_datagrams(&moves::to_script(steps), draws),
    };
    let script = numbered(profile, script);
    summed_but(profile, script, |sum| frames::spoil(sum, draws))
}

/// A script of two of the client's side: one behind the other, or side by side.
#[must_use]
pub fn spliced(profile: &Profile, one: &Script, other: &Script, draws: &mut Draws) -> Script {
    let [one, other] = [one, other].map(|script| moves::of_script(profile, script));
    let steps = mutate::splice(one, other, draws);
    to_script(profile, &steps, draws)
}

/// Makes scripts of one wire format.
#[derive(Debug, Clone)]
pub struct Generator {
    profile: Profile,
    seed: u64,
    made: u64,
    seeds: Vec<Script>,
    words: Words,
}

/// Scripts that others are made of, beside the seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parents<'a> {
    /// Those that showed something new.
    pub pool: &'a [Script],
    /// Those of them that others are to be made of most, the best last.
    pub favoured: &'a [Script],
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
            words: Words::default(),
        }
    }

    /// How many scripts have been made.
    #[must_use]
    pub const fn made(&self) -> u64 {
        self.made
    }

    /// Texts and numbers that the server may be waiting for, to be put into payloads from now on.
    pub fn learn(&mut self, words: &[Value]) {
        self.words.learn(words);
    }

    /// The next script: the seeds as they are at first, then new ones, some of them made of others.
    pub fn script(&mut self, parents: Parents<'_>) -> Script {
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
            let steps = self.steps(parents, &mut draws);
            let script = to_script(&self.profile, &steps, &mut draws);
            if script.most_open() <= MOST_OPEN && script.octets() > 0 {
                return script;
            }
        }
        script(&self.profile, &mut draws)
    }

    fn steps(&self, parents: Parents<'_>, draws: &mut Draws) -> Vec<moves::Step> {
        if let Some(favoured) = favoured(parents.favoured, draws) {
            let mut steps = moves::of_script(&self.profile, favoured);
            self.change(&mut steps, draws);
            return steps;
        }
        let kind = draws.below(10);
        let mut parent = || {
            let from = match draws.one_in(3) {
                true => &self.seeds,
                false => parents.pool,
            };
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
            _ => return self.fresh(draws),
        };
        self.change(&mut steps, draws);
        steps
    }

    fn fresh(&self, draws: &mut Draws) -> Vec<moves::Step> {
        let mut steps = fresh::script(&self.profile, draws);
        if !self.words.is_empty() && draws.one_in(3) {
            mutate::reword(&self.profile, &mut steps, &self.words, draws);
        }
        steps
    }

    /// Where there are words, most changes are made with them.
    fn change(&self, steps: &mut Vec<moves::Step>, draws: &mut Draws) {
        if self.words.is_empty() || draws.one_in(3) {
            return mutate::mutate(&self.profile, steps, draws);
        }
        match draws.one_in(3) {
            true => mutate::repeat(steps, &self.words, draws),
            false => mutate::reword(&self.profile, steps, &self.words, draws),
        }
    }
}

/// One of those that are favoured, every other time if there are any: rather one of the best.
fn favoured<'a>(favoured: &'a [Script], draws: &mut Draws) -> Option<&'a Script> {
    if favoured.is_empty() || draws.one_in(2) {
        return None;
    }
    let drawn = [(); 3].map(|()| draws.below(favoured.len()));
    favoured.get(drawn.into_iter().max().unwrap_or_default())
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
            let parents = Parents {
                pool: &pool,
                ..Parents::default()
            };
            let script = generator.script(parents);
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

    /// How far a server would be led that ends a connection at the third object with a field `op` of the value `sync`.
    fn conditions_met(profile: &Profile, script: &Script) -> usize {
        let met = script.streams().into_iter().map(|stream| {
            let frames = crate::model::reader::read(profile, &stream).frames;
            let payloads = frames.iter().map(|frame| frame.payload(&stream));
            let objects =
                payloads.filter_map(|payload| serde_json::from_slice::<Value>(&payload).ok());
            let operations: Vec<_> = objects
                .filter_map(|object| object.get("op").cloned())
                .collect();
            let syncs = operations.iter().filter(|one| **one == "sync").count();
            syncs.min(3) + usize::from(!operations.is_empty())
        });
        met.max().unwrap_or_default()
    }

    /// The most conditions that are met within so many scripts, where those are favoured that met one more.
    fn led_to(words: &[Value], is_steered: bool) -> usize {
        let profile = Profile::default();
        let mut generator = Generator::new(profile.clone(), 1, Vec::new());
        generator.learn(words);
        let (mut most, mut favoured) = (0, Vec::new());
        for _ in 0..1_500 {
            let parents = Parents {
                favoured: &favoured,
                ..Parents::default()
            };
            let script = generator.script(parents);
            let met = conditions_met(&profile, &script);
            if met > most {
                most = met;
                favoured.extend(is_steered.then_some(script));
            }
        }
        most
    }

    #[test]
    fn scripts_are_led_through_conditions_that_none_meets_by_chance() {
        let other = (0..30).map(|number| format!("word {number}").into());
        let words: Vec<Value> = other.chain(["op".into(), "sync".into()]).collect();
        assert_eq!(led_to(&words, true), 4);
        assert!(led_to(&words, false) < 4);
        assert_eq!(led_to(&[], true), 0);
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
        assert_eq!(generator.script(Parents::default()), cheap);
        assert_ne!(generator.script(Parents::default()), cheap);
        assert_eq!(generator.made(), 2);
    }
}
