//! Causes that are known in the middle of a run, and what they say of cases that are still open.

use super::knowledge::{Entry, Knowledge, Lesson};
use super::observation::{Observation, Outcome};
use super::search::diagnose;
use super::symptom::Symptom;
use crate::event::{Cause, Confidence};
use crate::spec::Role;
use std::collections::BTreeSet;

/// How many of the failures that a cause explains must have been confirmed before others are charged to it.
const CONFIRMED: usize = 2;

/// How often a case must have been played at peers with a fault before it is said to fail there always.
const OFTEN: u32 = 3;

/// What explains the failures that have been seen so far.
#[derive(Debug, Clone)]
pub struct KnownCauses<'k> {
    knowledge: &'k Knowledge,
    causes: Vec<Cause>,
}

impl<'k> KnownCauses<'k> {
    /// The causes of what has been seen of a peer of that role.
    #[must_use]
    pub fn of(knowledge: &'k Knowledge, role: Role, seen: &Observation) -> Self {
        let causes = diagnose(knowledge, role, seen).causes;
        Self { knowledge, causes }
    }

    /// The cause that explains how a case failed, if other cases have confirmed it: at most peers with
    /// that fault the case breaks just that clause.
    #[must_use]
    pub fn explaining<'a>(
        &'a self,
        case: &str,
        outcome: &Outcome,
        confirmed: &'a BTreeSet<String>,
    ) -> Option<&'a Cause> {
        let Outcome::Failed(symptom) = outcome else {
            return None;
        };
        let mut causes = self.confirmed(confirmed);
        causes.find(|cause| {
            let lesson = self.lesson(cause, case);
            lesson.is_some_and(|lesson| self.is_usual(lesson, symptom))
        })
    }

    /// The cause, certain and confirmed, with which the case has always failed: playing it would show
    /// nothing else.
    #[must_use]
    pub fn foretelling<'a>(
        &'a self,
        case: &str,
        confirmed: &'a BTreeSet<String>,
    ) -> Option<&'a Cause> {
        let mut causes = self.confirmed(confirmed);
        causes.find(|cause| {
            cause.confidence == Confidence::Certain
                && self.lesson(cause, case).is_some_and(always_fails)
        })
    }

    /// The causes of which enough failures have been confirmed.
    fn confirmed<'a>(&'a self, cases: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Cause> {
        self.causes.iter().filter(|cause| {
            let confirmed = cause.explains.iter().filter(|case| cases.contains(*case));
            confirmed.count() >= CONFIRMED
        })
    }

    fn lesson(&self, cause: &Cause, case: &str) -> Option<&'k Lesson> {
        let entry: Option<&Entry> = self.knowledge.entry(&cause.id);
        entry?.lesson(case)
    }

    /// Whether the case broke the clause of that symptom in at least half of its plays.
    fn is_usual(&self, lesson: &Lesson, symptom: &Symptom) -> bool {
        let clause = |place| self.knowledge.symptom(place).map(Symptom::clause);
        let failed = lesson.failed.iter();
        let alike = failed.filter(|(place, _)| clause(**place) == Some(symptom.clause()));
        let times = alike.map(|(_, times)| *times);
        times.fold(0, u32::saturating_add).saturating_mul(2) >= lesson.of
    }
}

fn always_fails(lesson: &Lesson) -> bool {
    lesson.always_failed(OFTEN)
}
