//! Detection: from what was said on connections to the wire format in which it is frames.
//!
//! Every layout that could be meant is tried, and the formats that this program knows. What speaks for one is
//! counted in bits, as how unlikely it were that the octets look so by chance: that a chain of lengths ends where the
//! connection does, that frames end where segments do, that what is fixed is there, that payloads are JSON. Layouts in
//! which the frames are the same cannot be told apart; the plainest stands for all of them.
//!
//! ```
//! use framespec::{capture, detect};
//!
//! let dump = b"> 00 0f 7b 22 6e 61 6d 65 22 3a 22 41 6e 61 22 7d 20\n< 00 02 7b 7d\n> 00 05 5b 31 2c 32 5d\n";
//! let found = detect::detect(&capture::read(dump)?);
//! assert!(found[0].profile.to_toml().contains("width = 2"));
//! # Ok::<(), framespec::capture::CaptureError>(())
//! ```

mod evidence;
mod handshake;
mod layouts;
pub mod probe;
mod refine;

use crate::capture::{Exchange, Said};
use crate::profile::{Draft, Profile};
use evidence::{Starts, Weight};
use layouts::Layout;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How much of each side is looked at, in octets.
const SAMPLE: usize = 64 << 10;

/// How many connections are looked at.
const CONNECTIONS: usize = 64;

/// From how many bits on it is no chance.
const ENOUGH: f64 = 20.0;

/// By how many bits the next best has to be behind.
const AHEAD: f64 = 8.0;

/// By how many bits a known format has to be better than a plain one with the same frames.
const BETTER: f64 = 4.0;

/// Which share of the frames is the same in layouts that hardly differ: nine in ten.
const SAME: (usize, usize) = (9, 10);

/// How many are proposed at most.
const MOST: usize = 4;

/// A wire format in which what was said is frames.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// It.
    pub profile: Profile,
    /// Whether it is one that this program knows by name.
    pub is_known: bool,
    /// Frames that were read in it.
    pub frames: usize,
    /// Octets of the smallest and the largest of them.
    pub sizes: (usize, usize),
    /// What speaks for it, in bits.
    pub bits: f64,
    /// Why it may be another: nothing if it is sure.
    pub doubt: Option<Doubt>,
    /// Known formats in which the frames are the same.
    pub alike: Vec<String>,
}

/// Why a proposal is a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// There is too little of it.
    TooLittle,
    /// Other layouts, with other frames, fit nearly as well.
    Rivals,
    /// All frames are of one size, so that any field which does not change could be the length.
    OneSize,
    /// A server answers what is no frame as it answers frames.
    SaidToAll,
    /// A server said first what it fits, and answered no request.
    Unanswered,
}

/// A layout that reads everything, and how well.
struct Fit {
    profile: Profile,
    is_known: bool,
    weight: Weight,
}

/// The formats in which that is frames, the likeliest first; none if there is none.
#[must_use]
pub fn detect(exchanges: &[Exchange]) -> Vec<Proposal> {
    let sample: Vec<Exchange> = exchanges.iter().take(CONNECTIONS).map(sampled).collect();
    let found = frames_of(&sample);
    let is_sure = |found: &[Proposal]| found.first().is_some_and(|best| best.doubt.is_none());
    if is_sure(&found) {
        return found;
    }
    let best = found.first().map_or(0.0, |best| best.bits);
    let behind = handshake::behind(&sample).filter_map(|behind| {
        let mut found = frames_of(&behind.sample);
        let is_better = is_sure(&found) && found.first()?.bits >= best + AHEAD;
        begin_with(&mut found, &behind.turns);
        is_better.then_some(found)
    });
    // Of those that fit as well, the one that leaves out least.
    behind
        .reduce(|one, other| match bits_of(&other) > bits_of(&one) + AHEAD {
            true => other,
            false => one,
        })
        .unwrap_or(found)
}

fn bits_of(found: &[Proposal]) -> f64 {
    found.first().map_or(0.0, |best| best.bits)
}

/// Has each begin with what was said in front of its frames.
fn begin_with(found: &mut Vec<Proposal>, turns: &[String]) {
    found.retain_mut(|proposal| {
        let mut draft = Draft::from(proposal.profile.clone());
        draft.prologue = turns.to_vec();
        let profile = Profile::try_from(draft);
        profile.map(|profile| proposal.profile = profile).is_ok()
    });
}

/// The formats in which all of it is frames, from the first octet on.
fn frames_of(sample: &[Exchange]) -> Vec<Proposal> {
    let mut groups: BTreeMap<Starts, Vec<Fit>> = BTreeMap::new();
    for fit in fits(sample) {
        groups
            .entry(fit.weight.starts.clone())
            .or_default()
            .push(fit);
    }
    let groups = groups.into_iter();
    let proposals = groups.filter_map(|(starts, group)| Some((starts, proposal(group, sample)?)));
    // What has more against it than for it is no proposal.
    let proposals = proposals.filter(|(_, proposal)| proposal.bits > 0.0);
    let mut proposals: Vec<(Starts, Proposal)> = proposals.collect();
    proposals.sort_by(|(_, one), (_, other)| other.bits.total_cmp(&one.bits));
    without_rivals_that_are_none(&mut proposals);
    let mut proposals: Vec<Proposal> = proposals.into_iter().map(|(_, one)| one).collect();
    proposals.truncate(MOST);
    doubt_rivals(&mut proposals);
    proposals
}

/// Leaves out what reads nearly the same frames as the best does: they differ where a capture breaks off, or in a frame
/// that is wrong on purpose.
fn without_rivals_that_are_none(proposals: &mut Vec<(Starts, Proposal)>) {
    let Some((best, _)) = proposals.first().cloned() else {
        return;
    };
    let mut is_first = true;
    proposals.retain(|(starts, _)| {
        let common = starts.intersection(&best).count().saturating_mul(SAME.1);
        let all = starts.union(&best).count().saturating_mul(SAME.0);
        std::mem::take(&mut is_first) || common < all
    });
}

fn sampled(exchange: &Exchange) -> Exchange {
    let sampled = |said: &Said| {
        let octets = said.octets.get(..SAMPLE).unwrap_or(&said.octets);
        Said {
            octets: octets.to_vec(),
            ends: said
                .ends
                .iter()
                .copied()
                .filter(|end| *end <= octets.len())
                .collect(),
            is_cut: said.is_cut || octets.len() < said.octets.len(),
        }
    };
    Exchange {
        asked: sampled(&exchange.asked),
        answered: sampled(&exchange.answered),
        ..exchange.clone()
    }
}

/// All layouts there are.
static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| known().chain(layouts::plain()).collect());

fn known() -> impl Iterator<Item = Layout> {
    let names = Profile::BUILT_IN
        .into_iter()
        .chain(Profile::shipped_names());
    names.filter_map(|name| {
        Some(Layout {
            profile: Profile::built_in(name).or_else(|| Profile::shipped(name))?,
            cost: layouts::KNOWN,
            is_known: true,
        })
    })
}

fn fits(sample: &[Exchange]) -> impl Iterator<Item = Fit> {
    LAYOUTS.iter().filter_map(|layout| {
        let mut weight = evidence::weigh(&layout.profile, sample)?;
        weight.bits -= layout.cost;
        Some(Fit {
            profile: layout.profile.clone(),
            is_known: layout.is_known,
            weight,
        })
    })
}

/// What is proposed for layouts that read the same frames.
fn proposal(mut group: Vec<Fit>, sample: &[Exchange]) -> Option<Proposal> {
    group.sort_by(|one, other| other.weight.bits.total_cmp(&one.weight.bits));
    let known: Vec<String> = names(&group);
    let plain = group.iter().find(|fit| !fit.is_known);
    let refined = plain.and_then(|fit| {
        let profile = refine::refine(&fit.profile, sample)?;
        Some((profile, fit.weight.clone()))
    });
    let best_known = group.iter().find(|fit| fit.is_known);
    let (profile, is_known, weight) = match (best_known, refined) {
        (Some(known), Some((_, plain))) if known.weight.bits >= plain.bits + BETTER => {
            (known.profile.clone(), true, known.weight.clone())
        }
        (_, Some((profile, weight))) => (profile, false, weight),
        (Some(known), None) => (known.profile.clone(), true, known.weight.clone()),
        (None, None) => return None,
    };
    let alike = known.into_iter().filter(|name| *name != profile.name());
    Some(Proposal {
        doubt: doubt(&weight, is_known),
        frames: weight.frames,
        sizes: weight.sizes(),
        bits: weight.bits,
        alike: alike.collect(),
        profile,
        is_known,
    })
}

fn names(group: &[Fit]) -> Vec<String> {
    let known = group.iter().filter(|fit| fit.is_known);
    known.map(|fit| fit.profile.name().to_owned()).collect()
}

fn doubt(weight: &Weight, is_known: bool) -> Option<Doubt> {
    let (least, most) = weight.sizes();
    if least == most && !is_known {
        Some(Doubt::OneSize)
    } else if weight.bits < ENOUGH {
        Some(Doubt::TooLittle)
    } else {
        None
    }
}

/// The first is doubted where the second is nearly as good, and those behind it are there for that alone.
fn doubt_rivals(proposals: &mut Vec<Proposal>) {
    let bits: Vec<f64> = proposals.iter().map(|one| one.bits).collect();
    let near = |other: &f64| bits.first().is_some_and(|best| best - other < AHEAD);
    let rivals = bits.iter().take_while(|other| near(other)).count();
    proposals.truncate(rivals);
    if let (Some(first), true) = (proposals.first_mut(), rivals > 1) {
        first.doubt.get_or_insert(Doubt::Rivals);
    }
}

#[cfg(test)]
mod tests;
