//! What was seen of a peer in a run, as far as it says what is wrong with it.

use super::knowledge::Head;
use super::symptom::Symptom;
use crate::event::{Calibration, CaseResult, Role, Run, Verdict};
use crate::lang::Text;
use crate::spec::Clause;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the first look at a peer is called among the cases.
pub const FIRST_LOOK: &str = "first-look";

/// What became of a case that says something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It failed, or warned, with this symptom.
    Failed(Symptom),
    /// It passed.
    Passed,
}

impl Outcome {
    /// What became of a case; `None` if that says nothing of the peer.
    #[must_use]
    pub fn of(result: &CaseResult) -> Option<Self> {
        match result.verdict {
            Verdict::Pass => Some(Self::Passed),
            Verdict::Fail | Verdict::Warn => Some(Self::Failed(symptom(result))),
            Verdict::Skip | Verdict::Unstable | Verdict::Error => None,
        }
    }
}

/// What became of the cases of a run, each by its name. Cases that say nothing of the peer are not there:
/// those that were skipped, in which the harness failed, and that failed only at times.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Observation {
    cases: BTreeMap<String, Outcome>,
    /// Those of them that were no more than a warning.
    #[serde(skip)]
    warned: BTreeSet<String>,
    /// What the format has nothing of in which it was seen.
    #[serde(skip)]
    lacking: Lacking,
}

/// What nobody can get wrong in a wire format, as there is nothing of it there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lacking {
    /// What causes can [need](Head::needs) of a format.
    pub needs: Vec<&'static str>,
    /// Whole clauses.
    pub clauses: Vec<Clause>,
}

impl Lacking {
    /// Whether that cannot be the cause of anything.
    pub(super) fn rules_out(&self, cause: &Head) -> bool {
        self.needs.contains(&cause.needs.as_str()) || self.clauses.contains(&cause.clause)
    }
}

/// A run at a peer of which it is known what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    /// Whose faults they are.
    #[serde(default)]
    pub role: Role,
    /// The faults that were planted.
    pub planted: Vec<String>,
    /// What was seen.
    pub seen: Observation,
}

impl Observation {
    /// What a whole run came to.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let mut seen = Self::default();
        if let Some(calibration) = &run.calibration {
            seen.looked(calibration);
        }
        for result in &run.results {
            seen.note(result);
        }
        seen
    }

    /// Nothing yet, in a format that has nothing of this.
    #[must_use]
    pub fn within(lacking: Lacking) -> Self {
        Self {
            lacking,
            ..Self::default()
        }
    }

    /// Whether that cannot be the cause of anything that was seen.
    pub(super) fn rules_out(&self, cause: &Head) -> bool {
        self.lacking.rules_out(cause)
    }

    /// Notes what the first look found out.
    pub fn looked(&mut self, calibration: &Calibration) {
        let mut oddities: Vec<&str> = Vec::new();
        if calibration.client.is_empty() && !calibration.concurrent {
            oddities.push("one client at a time;");
        }
        if calibration.reply == "unknown" {
            oddities.push("no reply understood;");
        }
        oddities.extend(calibration.notes.iter().map(Text::as_str));
        let outcome = match oddities.is_empty() {
            true => Outcome::Passed,
            false => Outcome::Failed(Symptom::told(FIRST_LOOK, &oddities.join(" "))),
        };
        self.cases.insert(FIRST_LOOK.to_owned(), outcome);
    }

    /// Notes what became of a case.
    pub fn note(&mut self, result: &CaseResult) {
        if let Some(outcome) = Outcome::of(result) {
            if result.verdict == Verdict::Warn {
                self.warned.insert(result.id.clone());
            }
            self.cases.insert(result.id.clone(), outcome);
        }
    }

    /// Adds what was seen in another run of the same peer, where nothing was seen yet.
    pub fn add(&mut self, other: Self) {
        self.warned.extend(other.warned);
        for (case, outcome) in other.cases {
            self.cases.entry(case).or_insert(outcome);
        }
    }

    /// The cases and what became of each, by name.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.cases
            .iter()
            .map(|(case, outcome)| (case.as_str(), outcome))
    }

    /// What became of a case, if that says anything.
    #[must_use]
    pub fn outcome(&self, case: &str) -> Option<&Outcome> {
        self.cases.get(case)
    }

    /// The cases that failed, by name, without the first look.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.failed_or_odd().filter(|case| *case != FIRST_LOOK)
    }

    /// How many cases say something.
    pub(super) fn played(&self) -> usize {
        self.cases().filter(|(case, _)| *case != FIRST_LOOK).count()
    }

    /// Whether a case gave no more than a warning.
    pub(super) fn is_warning(&self, case: &str) -> bool {
        self.warned.contains(case)
    }

    /// The cases that failed, by name, and the first look if it found something odd.
    pub(super) fn failed_or_odd(&self) -> impl Iterator<Item = &str> {
        let failed = self
            .cases()
            .filter(|(_, outcome)| **outcome != Outcome::Passed);
        failed.map(|(case, _)| case)
    }
}

fn symptom(result: &CaseResult) -> Symptom {
    match result.findings.first() {
        Some(finding) => Symptom::of(finding),
        None => Symptom::told(&result.clause, result.detail.as_str()),
    }
}
