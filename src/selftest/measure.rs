//! How good the diagnosis is, where it is known what is wrong.

use super::Planted;
use crate::altered::Need;
use crate::diagnosis::{Head, Knowledge, Play, Sketch, diagnose};
use crate::event::{Cause, Diagnosis};
use std::collections::BTreeMap;
use std::fmt;

/// What is known of all faults, once plays have taught more of some.
#[must_use]
pub fn learned(known: &Knowledge, plays: &[Play]) -> Knowledge {
    let heads = Planted::all().map(|fault| Head {
        id: fault.name.to_owned(),
        role: fault.role,
        clause: fault.clause,
        copies: fault.copies.to_owned(),
        title: fault.mend.title.to_owned(),
        advice: fault.mend.advice.to_owned(),
        sketch: fault.mend.sketch.name.to_owned(),
        needs: of_a_format(fault.needs).to_owned(),
    });
    known.updated(heads.collect(), sketches(), plays)
}

/// The name of what a format must have; nothing, where any will do.
const fn of_a_format(needs: Need) -> &'static str {
    match needs.is_a_format() || matches!(needs, Need::DeclaredLimit) {
        true => needs.as_str(),
        false => "",
    }
}

/// All sketches, each once and in each of its languages.
fn sketches() -> Vec<Sketch> {
    let by_name = |fault: Planted| (fault.mend.sketch.name, fault.mend.sketch);
    let all: BTreeMap<&str, _> = Planted::all().map(by_name).collect();
    let in_languages = all.values().flat_map(|sketch| {
        sketch.codes().map(|(language, code)| Sketch {
            name: sketch.name.to_owned(),
            language: language.to_owned(),
            code,
        })
    });
    in_languages.collect()
}

/// What came of diagnosing plays, by how many faults were planted.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// The figures for so many faults at once.
    pub figures: BTreeMap<usize, Figures>,
    /// What was not diagnosed as it should be, a line each.
    pub misses: Vec<String>,
}

/// How often the diagnosis was right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Plays in which something failed.
    pub plays: usize,
    /// Plays in which nothing failed, so that there was nothing to explain.
    pub silent: usize,
    /// The first cause is one that was planted.
    pub first: usize,
    /// The same without counting those that are named as explaining the same.
    pub first_by_name: usize,
    /// All that was planted is named.
    pub all: usize,
    /// Nothing is named that was not planted.
    pub nothing_else: usize,
    /// Causes that are named as explaining the same as one that is told.
    pub alike: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: usize| {
            let tenths = part
                .saturating_mul(1000)
                .checked_div(self.plays)
                .unwrap_or_default();
            format!("{part} ({}.{} %)", tenths / 10, tenths % 10)
        };
        write!(
            f,
            "{} plays and {} in which nothing failed; a right cause first {}, by its own name {}; all named {}; nothing else named {}; {} named as alike",
            self.plays,
            self.silent,
            share(self.first),
            share(self.first_by_name),
            share(self.all),
            share(self.nothing_else),
            self.alike,
        )
    }
}

/// Diagnoses plays and counts how often that is right.
#[must_use]
pub fn measured(knowledge: &Knowledge, plays: &[Play]) -> Measured {
    let mut measured = Measured::default();
    for play in plays {
        let figures = measured.figures.entry(play.planted.len()).or_default();
        if play.seen.failed().next().is_none() {
            figures.silent = figures.silent.saturating_add(1);
            measured
                .misses
                .push(format!("{}: nothing failed", play.planted.join(" + ")));
            continue;
        }
        let found = diagnose(knowledge, play.role, &play.seen);
        if !figures.count(play, &found) {
            measured.misses.push(missed(play, &found));
        }
    }
    measured
}

impl Figures {
    /// Counts a play; whether its diagnosis is as it should be.
    fn count(&mut self, play: &Play, found: &Diagnosis) -> bool {
        let is_planted = |cause: &Cause| play.planted.iter().any(|fault| names(cause, fault));
        let first = found.causes.first();
        let by_name = first.is_some_and(|cause| play.planted.contains(&cause.id));
        let is_first = first.is_some_and(is_planted);
        let all = play
            .planted
            .iter()
            .all(|fault| found.causes.iter().any(|cause| names(cause, fault)));
        let nothing_else = found.causes.iter().all(is_planted);
        let alike = found.causes.iter().map(|cause| cause.alike.len()).sum();
        for (figure, by) in [
            (&mut self.plays, 1),
            (&mut self.first, usize::from(is_first)),
            (&mut self.first_by_name, usize::from(by_name)),
            (&mut self.all, usize::from(all)),
            (&mut self.nothing_else, usize::from(nothing_else)),
            (&mut self.alike, alike),
        ] {
            *figure = figure.saturating_add(by);
        }
        is_first && all && nothing_else
    }
}

/// Whether a cause is that fault, or explains the same.
fn names(cause: &Cause, fault: &str) -> bool {
    cause.id == fault || cause.alike.iter().any(|alike| alike == fault)
}

fn missed(play: &Play, found: &Diagnosis) -> String {
    let told = found.causes.iter().map(|cause| {
        let alike = match cause.alike.as_slice() {
            [] => String::new(),
            alike => format!(" or {}", alike.join(" or ")),
        };
        format!(
            "{}{alike} ({}, {})",
            cause.id,
            cause.confidence,
            cause.explains.len()
        )
    });
    let told: Vec<String> = told.collect();
    format!(
        "{}: {}; {} of {} unexplained",
        play.planted.join(" + "),
        told.join(", "),
        found.unexplained.len(),
        play.seen.failed().count()
    )
}
