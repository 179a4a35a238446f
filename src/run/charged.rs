//! What failures are charged to while a run goes on.

use super::Options;
use super::apart::apart;
use crate::cases::Case;
use crate::diagnosis::{Knowledge, KnownCauses, Observation, Outcome, Symptom};
use crate::event::CaseResult;
use crate::spec::Role;
use std::collections::{BTreeMap, BTreeSet};

/// So many failures that are not confirmed are reason to ask for their causes.
const ENOUGH: usize = 6;

/// What has been confirmed in so many cases need not be confirmed in others.
const ALIKE: usize = 3;

/// Causes that are known by now. Without knowledge there are none.
#[derive(Debug)]
pub(super) struct Charged {
    knowledge: Option<&'static Knowledge>,
    role: Role,
    known: Option<KnownCauses<'static>>,
    /// Cases whose failure has been confirmed.
    confirmed: BTreeSet<String>,
    /// How often each symptom has been confirmed.
    symptoms: BTreeMap<Symptom, usize>,
}

impl Charged {
    pub(super) fn new(role: Role, options: &Options) -> Self {
        Self {
            // Who plays each case several times wants to know of each how often it fails.
            knowledge: options.knowledge.filter(|_| options.repeat == 1),
            role,
            known: None,
            confirmed: BTreeSet::new(),
            symptoms: BTreeMap::new(),
        }
    }

    /// Whether these are enough to ask for causes.
    pub(super) fn are_enough<T>(&self, suspects: &[T]) -> bool {
        self.knowledge.is_some() && suspects.len() >= ENOUGH
    }

    /// Notes a failure that is beyond doubt.
    pub(super) fn confirmed(&mut self, told: &CaseResult) {
        if let Some(Outcome::Failed(symptom)) = Outcome::of(told) {
            self.confirmed.insert(told.id.clone());
            let alike = self.symptoms.entry(symptom).or_default();
            *alike = alike.saturating_add(1);
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

    /// The failure as it is told, if it need not be confirmed: a cause explains it that others have
    /// confirmed, or enough others have failed in the same way.
    pub(super) fn explained(&self, mut failed: CaseResult) -> Option<CaseResult> {
        self.knowledge?;
        let outcome = Outcome::of(&failed)?;
        let cause = self
            .known
            .as_ref()
            .and_then(|known| known.explaining(&failed.id, &outcome, &self.confirmed));
        let remark = match (cause, self.alike(&outcome)) {
            (Some(cause), _) => format!(" (played once: {} explains it)", cause.id),
            (None, alike @ ALIKE..) => format!(" (played once: so failed {alike} others)"),
            _ => return None,
        };
        failed.detail.push_str(&remark);
        Some(failed)
    }

    /// How many other failures of that kind have been confirmed.
    fn alike(&self, outcome: &Outcome) -> usize {
        match outcome {
            Outcome::Failed(symptom) => self.symptoms.get(symptom).copied().unwrap_or_default(),
            Outcome::Passed => 0,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{FindingNote, Verdict};
    use crate::profile::Profile;
    use crate::spec::{CaseId, Clause, Level};

    fn charged(repeat: u32) -> Charged {
        let options = Options {
            knowledge: Some(Knowledge::embedded()),
            repeat,
            ..Options::new(Role::Server, "here", Profile::default())
        };
        Charged::new(Role::Server, &options)
    }

    fn failed(variant: &'static str, what: &str) -> CaseResult {
        let id = CaseId::new(Clause::OneReply, variant);
        CaseResult {
            verdict: Verdict::Fail,
            detail: what.to_owned(),
            findings: vec![FindingNote {
                clause: Clause::OneReply.to_string(),
                level: Level::Must,
                what: what.to_owned(),
                conn: "a".to_owned(),
                frame: None,
            }],
            ..CaseResult::unjudged(id, Level::Must, "", "check here")
        }
    }

    #[test]
    fn what_three_others_have_confirmed_is_not_confirmed_again() {
        let mut charged = charged(1);
        for variant in ["single", "large", "many"] {
            assert_eq!(
                charged.explained(failed("same-twice", "no reply after 3 ms")),
                None
            );
            charged.confirmed(&failed(variant, "no reply after 5 ms"));
        }
        let told = charged
            .explained(failed("same-twice", "no reply after 3 ms"))
            .unwrap();
        assert_eq!(
            told.detail,
            "no reply after 3 ms (played once: so failed 3 others)"
        );
        assert_eq!(charged.explained(failed("same-twice", "a reset")), None);
    }

    #[tokio::test]
    async fn who_plays_each_case_several_times_has_each_confirmed() {
        let mut charged = charged(2);
        assert!(!charged.are_enough(&[(); ENOUGH]));
        for variant in ["single", "large", "many"] {
            charged.confirmed(&failed(variant, "no reply"));
        }
        charged
            .ask(&Observation::default(), &[failed("same-twice", "no reply")])
            .await;
        assert_eq!(charged.explained(failed("same-twice", "no reply")), None);
    }
}
