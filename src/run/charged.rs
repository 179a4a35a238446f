//! What failures are charged to while a run goes on.

use super::Options;
use super::apart::apart;
use crate::cases::Case;
use crate::diagnosis::{Knowledge, KnownCauses, Observation, Outcome};
use crate::event::{CaseResult, Verdict};
use crate::spec::Role;
use std::collections::BTreeSet;

/// So many failures that are not confirmed are reason to ask for their causes.
const ENOUGH: usize = 6;

/// Causes that are known by now. Without knowledge there are none.
#[derive(Debug)]
pub(super) struct Charged {
    knowledge: Option<&'static Knowledge>,
    role: Role,
    known: Option<KnownCauses<'static>>,
    /// Cases whose failure has been confirmed.
    confirmed: BTreeSet<String>,
}

impl Charged {
    pub(super) fn new(role: Role, options: &Options) -> Self {
        Self {
            // Who plays each case several times wants to know of each how often it fails.
            knowledge: options.knowledge.filter(|_| options.repeat == 1),
            role,
            known: None,
            confirmed: BTreeSet::new(),
        }
    }

    /// Whether these are enough to ask for causes.
    pub(super) fn are_enough<T>(&self, suspects: &[T]) -> bool {
        self.knowledge.is_some() && suspects.len() >= ENOUGH
    }

    /// Notes a failure that is beyond doubt.
    pub(super) fn confirmed(&mut self, told: &CaseResult) {
        if matches!(told.verdict, Verdict::Fail | Verdict::Warn) {
            self.confirmed.insert(told.id.clone());
        }
    }

    /// Asks what causes explain all that was seen, and these failures.
    pub(super) async fn ask(&mut self, seen: &Observation, failed: &[CaseResult]) {
        let Some(knowledge) = self.knowledge else {
            return;
        };
        if failed.is_empty() {
            return;
        }
        let mut seen = seen.clone();
        for result in failed {
            seen.note(result);
        }
        let role = self.role;
        let known = apart(usize::MAX, move || KnownCauses::of(knowledge, role, &seen)).await;
        self.known = Some(known);
    }

    /// The failure as it is told, if it need not be confirmed.
    pub(super) fn explained(
        &self,
        mut failed: CaseResult,
        is_suspicion: bool,
    ) -> Option<CaseResult> {
        if is_suspicion {
            return None;
        }
        let outcome = Outcome::of(&failed)?;
        let cause = self
            .known
            .as_ref()?
            .explaining(&failed.id, &outcome, &self.confirmed)?;
        let remark = format!(" (played once: {} explains it)", cause.id);
        failed.detail.push_str(&remark);
        Some(failed)
    }

    /// Why the case is not played, if it is sure to fail.
    pub(super) fn foretold(&self, case: &Case) -> Option<String> {
        let known = self.known.as_ref()?;
        let cause = known.foretelling(&case.id.to_string(), &self.confirmed)?;
        Some(format!(
            "blocked by {}: it fails of that in any case",
            cause.id
        ))
    }
}
