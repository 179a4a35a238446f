//! The search for the fewest causes that make what was seen likely.

use super::knowledge::{Entry, Knowledge, Lesson};
use super::observation::{FIRST_LOOK, Observation, Outcome};
use super::symptom::Symptom;
use crate::event::{Cause, Confidence, Diagnosis};
use crate::lang::Text;
use crate::spec::Role;
use std::collections::BTreeMap;

/// How likely a case fails for a reason that nobody knows.
const BACKGROUND: f64 = 0.003;

/// What a cause costs, in nats: so much more likely must it make what was seen.
const COST: f64 = 4.0;

/// What less a cause costs that has been met in practice.
const MET: f64 = 1.5;

/// How much of its likelihood a failure keeps that a cause makes likely, but with another symptom of the
/// same clause.
const OTHER_SYMPTOM: f64 = 0.35;

/// The same for a symptom of another clause.
const OTHER_CLAUSE: f64 = 0.15;

/// Sets of causes that are pursued side by side.
const BEAM: usize = 24;

/// The most causes that are named.
const MOST_CAUSES: usize = 12;

/// From here on a failure is one that a cause explains.
const EXPLAINS: f64 = 0.05;

/// Of the failures that a cause explains, so many parts at least are just as it is known to show: what only looks
/// alike blames nobody …
const FEWEST_KNOWN: f64 = 0.2;

/// … and where it is not more than so many, the cause is a guess.
const MOST_UNSURE: f64 = 0.5;

/// Where so many failures are seen …
const MANY: usize = 20;

/// … and causes explain less than one in so many of them, something else is the matter, and a guess blames nobody.
const ONE_IN: usize = 3;

/// What was played so often and always failed is taken to fail always.
const OFTEN: u32 = 2;

/// Causes that come so close are no worse, in nats.
const ALIKE: f64 = 1.5;

/// So are those that come so close in parts of all that speaks for one: cases of a clause are much alike,
/// so that many of them say less than their number.
const CLOSE: f64 = 0.1;

/// A cause that is certain is ahead of any other by so much, in nats …
const AHEAD: f64 = 5.0;

/// … and in such parts.
const CLEAR: f64 = 0.25;

/// So many cases may be too few to tell a cause from others.
const FEW: usize = 12;

/// The most causes that are told to be as good as another.
const MOST_ALIKE: usize = 4;

/// The fewest causes that explain what was seen of a peer of that role.
#[must_use]
pub fn diagnose(knowledge: &Knowledge, role: Role, seen: &Observation) -> Diagnosis {
    let view = View::of(knowledge, role, seen);
    let best = view.best();
    let mut told: Vec<Told> = (0..best.chosen.len())
        .filter_map(|at| view.cause(&best, at))
        .collect();
    told.sort_by(|one, other| {
        let places = one.place(seen).cmp(&other.place(seen));
        places.then(other.gain.total_cmp(&one.gain))
    });
    let failed = seen.failed().count();
    let left = unexplained(seen, told.iter().map(|told| &told.cause)).len();
    let explained = failed.saturating_sub(left);
    if failed >= MANY && explained.saturating_mul(ONE_IN) < failed {
        told.retain(|told| told.cause.confidence > Confidence::Guess);
    }
    let few = told.iter().any(|told| told.is_of_few);
    let causes: Vec<Cause> = told.into_iter().map(|told| told.cause).collect();
    Diagnosis {
        unexplained: unexplained(seen, causes.iter()),
        few: few.then(|| seen.played()),
        causes,
    }
}

/// The failures that none of the causes explains.
fn unexplained<'a>(
    seen: &Observation,
    causes: impl Iterator<Item = &'a Cause> + Clone,
) -> Vec<String> {
    let is_explained = |case: &str| {
        causes
            .clone()
            .any(|cause| cause.explains.iter().any(|id| id == case))
    };
    let left = seen.failed().filter(|case| !is_explained(case));
    left.map(str::to_owned).collect()
}

/// One of the causes as it is told.
struct Told {
    /// How much speaks for it.
    gain: f64,
    /// Whether the first look has shown it: then it gets in the way of all else.
    is_met_first: bool,
    /// Whether cases that would tell it from another were not played.
    is_of_few: bool,
    cause: Cause,
}

impl Told {
    /// Which of the causes are mended first: the lesser of two.
    fn place(&self, seen: &Observation) -> (bool, bool) {
        let mut explained = self.cause.explains.iter();
        (
            !self.is_met_first,
            explained.all(|case| seen.is_warning(case)),
        )
    }
}

/// What one cause makes of one case that was seen.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// The case, by its place among those that were seen.
    case: usize,
    /// How likely it makes what was seen to fail, if it failed with the symptom that was seen.
    chance: f64,
    /// Whether it failed with a symptom that the cause has shown in that case.
    is_known: bool,
    /// Whether that is the symptom by which it is known in most cases of the clause that it breaks.
    is_typical: bool,
}

/// A cause that may be behind what was seen.
#[derive(Debug)]
struct Candidate<'a> {
    entry: &'a Entry,
    shares: Vec<Share>,
}

impl Candidate<'_> {
    /// Whether it has been met in practice.
    const fn is_met(&self) -> bool {
        !self.entry.head.copies.is_empty()
    }

    /// How much more likely it must make what was seen.
    fn cost(&self) -> f64 {
        match self.is_met() {
            true => COST - MET,
            false => COST,
        }
    }
}

/// What was seen, as the candidates see it.
#[derive(Debug)]
struct View<'a> {
    /// The cases, and whether each failed.
    cases: Vec<(&'a str, bool)>,
    candidates: Vec<Candidate<'a>>,
}

/// Some causes, and how likely they make everything.
#[derive(Debug, Clone)]
struct Guess {
    chosen: Vec<usize>,
    /// For each case, where it failed: how likely the cause makes that which makes it most likely; where it
    /// passed: the chance that none of them fails it.
    chances: Vec<f64>,
    score: f64,
}

impl<'a> View<'a> {
    fn of(knowledge: &'a Knowledge, role: Role, seen: &'a Observation) -> Self {
        let cases: Vec<(&str, &Outcome)> = seen.cases().collect();
        let entries = knowledge.entries().iter().filter(|entry| {
            let may_be = entry.head.role == role && !seen.rules_out(&entry.head);
            may_be && !is_refuted(knowledge, entry, &cases)
        });
        let candidate = |entry| Candidate {
            entry,
            shares: shares(knowledge, entry, &cases),
        };
        let is_failed =
            |share: &Share| matches!(cases.get(share.case), Some((_, Outcome::Failed(_))));
        let explains = |candidate: &Candidate<'_>| {
            let shares = candidate.shares.iter();
            let explained = shares.filter(|share| is_failed(share) && share.chance >= EXPLAINS);
            known(explained).is_some_and(|known| known >= FEWEST_KNOWN)
        };
        Self {
            candidates: entries.map(candidate).filter(explains).collect(),
            cases: cases
                .iter()
                .map(|(case, outcome)| (*case, **outcome != Outcome::Passed))
                .collect(),
        }
    }

    /// No cause at all.
    fn nothing(&self) -> Guess {
        let mut nothing = Guess {
            chosen: Vec::new(),
            chances: self
                .cases
                .iter()
                .map(|(_, failed)| if *failed { BACKGROUND } else { 1.0 })
                .collect(),
            score: 0.0,
        };
        nothing.score = self.score(&nothing);
        nothing
    }

    /// The logarithm of how likely everything is.
    fn score(&self, guess: &Guess) -> f64 {
        let likely: f64 = guess.chances.iter().map(|chance| chance.ln()).sum();
        let chosen = guess
            .chosen
            .iter()
            .filter_map(|at| self.candidates.get(*at));
        likely - chosen.map(Candidate::cost).sum::<f64>()
    }

    /// How much more likely everything is with another cause; what it costs is taken off.
    fn gain(&self, guess: &Guess, candidate: &Candidate<'_>) -> f64 {
        let gain = |share: &Share| {
            let before = guess.chances.get(share.case).copied().unwrap_or(1.0);
            (self.chance(share, before) / before).ln()
        };
        let gains: f64 = candidate.shares.iter().map(gain).sum();
        gains - candidate.cost()
    }

    /// The chance of what was seen of a case once one more cause has its share in it. A failure is as likely
    /// as the cause makes it that fits best: two that half fit make no whole.
    fn chance(&self, share: &Share, before: f64) -> f64 {
        match self.cases.get(share.case) {
            Some((_, true)) => before.max(share.chance),
            _ => before * (1.0 - share.chance),
        }
    }

    /// The same causes and this one.
    fn with(&self, guess: &Guess, at: usize) -> Guess {
        let mut more = guess.clone();
        let Some(candidate) = self.candidates.get(at) else {
            return more;
        };
        more.score += self.gain(guess, candidate);
        for share in &candidate.shares {
            if let Some(chance) = more.chances.get_mut(share.case) {
                *chance = self.chance(share, *chance);
            }
        }
        more.chosen.push(at);
        more
    }

    fn guess(&self, chosen: impl IntoIterator<Item = usize>) -> Guess {
        let begin = self.nothing();
        chosen
            .into_iter()
            .fold(begin, |guess, at| self.with(&guess, at))
    }

    /// The causes that make everything most likely.
    fn best(&self) -> Guess {
        let mut best = self.nothing();
        let mut beam = vec![best.clone()];
        for _ in 0..MOST_CAUSES {
            beam = self.further(&beam);
            match beam.first() {
                Some(first) if first.score > best.score => best = first.clone(),
                _ => break,
            }
        }
        self.without_the_idle(best)
    }

    /// The best sets with one cause more.
    fn further(&self, beam: &[Guess]) -> Vec<Guess> {
        let mut next: Vec<(f64, &Guess, usize)> = Vec::new();
        for guess in beam {
            for (at, candidate) in self.candidates.iter().enumerate() {
                if !guess.chosen.contains(&at) {
                    next.push((guess.score + self.gain(guess, candidate), guess, at));
                }
            }
        }
        next.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        let mut sets: Vec<Vec<usize>> = Vec::new();
        let mut kept: Vec<Guess> = Vec::new();
        for (_, guess, at) in next {
            let mut set = guess.chosen.clone();
            set.push(at);
            set.sort_unstable();
            if !sets.contains(&set) {
                sets.push(set);
                kept.push(self.with(guess, at));
            }
            if kept.len() >= BEAM {
                break;
            }
        }
        kept
    }

    /// Leaves out causes without which everything is as likely.
    fn without_the_idle(&self, best: Guess) -> Guess {
        let less = (0..best.chosen.len()).map(|at| self.without(&best, at));
        match less.max_by(|one, other| one.score.total_cmp(&other.score)) {
            Some(less) if less.score >= best.score => self.without_the_idle(less),
            _ => best,
        }
    }

    fn without(&self, guess: &Guess, left_out: usize) -> Guess {
        let others = guess.chosen.iter().enumerate();
        self.guess(
            others
                .filter(|(at, _)| *at != left_out)
                .map(|(_, chosen)| *chosen),
        )
    }

    /// One of the causes as it is told.
    fn cause(&self, best: &Guess, at: usize) -> Option<Told> {
        let own = *best.chosen.get(at)?;
        let candidate = self.candidates.get(own)?;
        let without = self.without(best, at);
        let gain = best.score - without.score;
        let mut rivals: Vec<(f64, &Candidate<'_>)> = self
            .candidates
            .iter()
            .enumerate()
            .filter(|(other, _)| !best.chosen.contains(other))
            .map(|(_, rival)| (gain - self.gain(&without, rival), rival))
            .collect();
        rivals.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let margin = ALIKE.max(CLOSE * gain);
        let alike = rivals.iter().take_while(|(behind, _)| *behind < margin);
        let alike: Vec<&Candidate<'_>> = alike.map(|(_, rival)| *rival).take(MOST_ALIKE).collect();
        let ahead = rivals.first().map_or(f64::INFINITY, |(behind, _)| *behind);
        let (candidate, alike) = the_met_first(candidate, alike);
        let head = &candidate.entry.head;
        let nearest = rivals.first().filter(|(behind, _)| *behind < AHEAD);
        let is_of_few = nearest.is_some_and(|(_, rival)| self.is_open(candidate, rival));
        let confidence = match is_of_few {
            true => Confidence::Guess,
            false => self.confidence(best, candidate, gain, ahead),
        };
        let cause = Cause {
            id: head.id.clone(),
            title: Text::whole(&head.title),
            clause: head.clause.to_string(),
            level: head.clause.level(),
            confidence,
            advice: Text::whole(&head.advice),
            sketch: head.sketch.clone(),
            explains: self.explained(candidate, |_| true),
            shows: self.explained(candidate, |share| share.is_typical),
            alike: alike.iter().map(|one| one.entry.head.id.clone()).collect(),
        };
        Some(Told {
            gain,
            is_met_first: self.is_met_first(candidate),
            is_of_few,
            cause,
        })
    }

    /// Whether the first look has found what it finds where that is wrong.
    fn is_met_first(&self, candidate: &Candidate<'_>) -> bool {
        let is_first_look =
            |share: &&Share| matches!(self.cases.get(share.case), Some((FIRST_LOOK, true)));
        let first = candidate.shares.iter().find(is_first_look);
        first.is_some_and(|share| share.is_known && share.chance >= EXPLAINS)
    }

    /// Whether there are cases that would tell one from the other, and none of them was played, as few were.
    fn is_open(&self, one: &Candidate<'_>, other: &Candidate<'_>) -> bool {
        let is_played = |case: &&str| self.cases.iter().any(|(seen, _)| seen == case);
        let telling: Vec<&str> = [(one, other), (other, one)]
            .into_iter()
            .flat_map(|(own, other)| {
                let fails = own.entry.lessons();
                let fails = fails.filter(|(_, lesson)| lesson.always_failed(OFTEN));
                fails.filter(|(case, _)| other.entry.lesson(case).is_none())
            })
            .map(|(case, _)| case)
            .collect();
        self.cases.len() <= FEW && !telling.is_empty() && !telling.iter().any(is_played)
    }

    /// The cases whose failure it explains, those of them of which that is so.
    fn explained(&self, candidate: &Candidate<'_>, which: fn(&Share) -> bool) -> Vec<String> {
        let shares = candidate
            .shares
            .iter()
            .filter(|share| share.chance >= EXPLAINS && which(share));
        let cases = shares.filter_map(|share| self.cases.get(share.case));
        let failed = cases.filter(|(case, failed)| *failed && *case != FIRST_LOOK);
        failed.map(|(case, _)| (*case).to_owned()).collect()
    }

    /// How sure a cause is, of which so much speaks for it, and so much more than for any other.
    fn confidence(
        &self,
        best: &Guess,
        candidate: &Candidate<'_>,
        gain: f64,
        ahead: f64,
    ) -> Confidence {
        let contradicted = self.contradicted(candidate);
        let fits = contradicted < 0.1 && self.fit(candidate) >= 0.7;
        match () {
            () if gain >= 12.0
                && ahead >= f64::max(AHEAD, CLEAR * gain)
                && fits
                && self.is_like(candidate)
                && !self.leaves(best, candidate) =>
            {
                Confidence::Certain
            }
            () if gain >= 5.0 && contradicted < 0.4 && self.is_like(candidate) => {
                Confidence::Likely
            }
            () => Confidence::Guess,
        }
    }

    /// Whether most of what it explains is just as it is known to show.
    fn is_like(&self, candidate: &Candidate<'_>) -> bool {
        let is_explained = |share: &&Share| {
            let case = self.cases.get(share.case);
            share.chance >= EXPLAINS && matches!(case, Some((_, true)))
        };
        let explained = candidate.shares.iter().filter(is_explained);
        known(explained).is_some_and(|known| known > MOST_UNSURE)
    }

    /// How likely it makes what it explains, on the average.
    fn fit(&self, candidate: &Candidate<'_>) -> f64 {
        let failed = |share: &&Share| matches!(self.cases.get(share.case), Some((_, true)));
        let shares: Vec<&Share> = candidate.shares.iter().filter(failed).collect();
        let all: f64 = shares.iter().map(|share| share.chance).sum();
        all / count(shares.len().max(1))
    }

    /// Whether failures of its own clause are left that no cause explains.
    fn leaves(&self, best: &Guess, candidate: &Candidate<'_>) -> bool {
        let clause = candidate.entry.head.clause.slug();
        let mut cases = self.cases.iter().zip(&best.chances);
        cases.any(|((case, failed), chance)| {
            let is_own = case.split('/').next() == Some(clause);
            *failed && is_own && *chance < EXPLAINS
        })
    }

    /// How much of what it makes likely did not happen, from 0 to 1.
    fn contradicted(&self, candidate: &Candidate<'_>) -> f64 {
        let (mut all, mut passed) = (0.0, 0.0);
        for share in &candidate.shares {
            all += share.chance;
            if matches!(self.cases.get(share.case), Some((_, false))) {
                passed += share.chance;
            }
        }
        passed / f64::max(all, 1e-9)
    }
}

/// Of causes that are as good as one another, the one that is told, and the others: what nobody is known to have met stands
/// behind what people do.
fn the_met_first<'a, 'b>(
    best: &'b Candidate<'a>,
    mut alike: Vec<&'b Candidate<'a>>,
) -> (&'b Candidate<'a>, Vec<&'b Candidate<'a>>) {
    let met = alike.iter_mut().find(|one| one.is_met());
    match met.filter(|_| !best.is_met()) {
        Some(met) => (std::mem::replace(met, best), alike),
        None => (best, alike),
    }
}

/// Whether cases pass that the cause has failed whenever it was played with them, for what it is itself a breach of, and
/// none shows that. What else it brings about may have other causes.
fn is_refuted(knowledge: &Knowledge, entry: &Entry, cases: &[(&str, &Outcome)]) -> bool {
    let own = entry.head.clause.slug();
    let is_own = |place: &usize| knowledge.symptom(*place).map(Symptom::clause) == Some(own);
    let (mut passed, mut shown) = (0_usize, 0_usize);
    for (name, outcome) in cases {
        let shows_itself =
            |lesson: &Lesson| lesson.always_failed(OFTEN) && lesson.failed.keys().all(is_own);
        match outcome {
            _ if !entry.lesson(name).is_some_and(shows_itself) => {}
            Outcome::Passed => passed = passed.saturating_add(1),
            Outcome::Failed(symptom) if symptom.clause() == own => shown = shown.saturating_add(1),
            Outcome::Failed(_) => {}
        }
    }
    passed > 0 && shown == 0
}

/// The part of some failures that are just as a cause is known to show; `None` where there are none.
fn known<'a>(explained: impl Iterator<Item = &'a Share>) -> Option<f64> {
    let (mut known, mut all) = (0_usize, 0_usize);
    for share in explained {
        all = all.saturating_add(1);
        known = known.saturating_add(usize::from(share.is_known));
    }
    (all > 0).then(|| count(known) / count(all))
}

/// What a cause makes of the cases that were seen.
fn shares(knowledge: &Knowledge, entry: &Entry, cases: &[(&str, &Outcome)]) -> Vec<Share> {
    let mut shares = Vec::new();
    let typical = typical(knowledge, entry);
    for (case, (name, outcome)) in cases.iter().enumerate() {
        let Some(lesson) = entry.lesson(name) else {
            continue;
        };
        let (failed, of) = (f64::from(lesson.failures()), f64::from(lesson.of));
        let fails = failed / of;
        let chance = match outcome {
            // It may pass all the same: nothing is that sure of a peer that nobody has seen before.
            Outcome::Passed => failed / (of + 0.3),
            Outcome::Failed(symptom) => {
                let alike = |(place, times): (&usize, &u32)| {
                    let kept = likeness(knowledge, *place, symptom);
                    kept * (f64::from(*times) / failed).sqrt()
                };
                fails * lesson.failed.iter().map(alike).fold(0.0, f64::max)
            }
        };
        let is_known = match outcome {
            Outcome::Passed => false,
            Outcome::Failed(seen) => {
                let mut failed = lesson.failed.keys();
                failed.any(|place| knowledge.symptom(*place) == Some(seen))
            }
        };
        shares.push(Share {
            case,
            chance,
            is_known,
            is_typical: matches!(outcome, Outcome::Failed(seen) if typical == Some(seen)),
        });
    }
    shares
}

/// The symptom of the clause that it breaks by which a cause has shown itself most often.
fn typical<'a>(knowledge: &'a Knowledge, entry: &Entry) -> Option<&'a Symptom> {
    let mut often: BTreeMap<usize, u32> = BTreeMap::new();
    for (place, times) in entry.lessons().flat_map(|(_, lesson)| &lesson.failed) {
        let often = often.entry(*place).or_default();
        *often = often.saturating_add(*times);
    }
    let own = entry.head.clause.slug();
    let symptoms = often
        .iter()
        .filter_map(|(place, times)| Some((knowledge.symptom(*place)?, times)));
    let of_its_own = symptoms.filter(|(symptom, _)| symptom.clause() == own);
    let most = of_its_own.max_by_key(|(_, times)| **times);
    most.map(|(symptom, _)| symptom)
}

/// How much a known symptom is like one that was seen.
fn likeness(knowledge: &Knowledge, known: usize, seen: &Symptom) -> f64 {
    match knowledge.symptom(known) {
        Some(known) if known == seen => 1.0,
        Some(known) if known.clause() == seen.clause() => OTHER_SYMPTOM,
        _ => OTHER_CLAUSE,
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
