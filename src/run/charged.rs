//! What failures are charged to while a run goes on.

use super::Options;
use super::apart::apart;
use crate::cases::Case;
use crate::diagnosis::{Knowledge, KnownCauses, Observation, Outcome, Symptom};
use crate::event::{CaseResult, Verdict};
use crate::lang::{Text, say};
use crate::spec::{Clause, Role};
use std::collections::{BTreeMap, BTreeSet};

/// So many failures that are not confirmed are reason to ask for their causes.
const ENOUGH: usize = 6;

/// What has been confirmed in so many cases need not be confirmed in others.
const ALIKE: usize = 3;

/// And of a case that takes readings of the process: it is confirmed by a longer one at a server started anew.
const ALIKE_IN_READINGS: usize = 1;

/// What shows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownBy {
    /// What came over the wire.
    Octets,
    /// What came over the wire, in a case that takes readings of the process too.
    OctetsBesideReadings,
    /// Readings of the process. They are no more than a suspicion, and what makes each of them one differs: no
    /// cause explains it. But if another case has confirmed the very same thing, it is one no longer.
    Readings,
}

impl ShownBy {
    /// In so many cases it must have been confirmed.
    const fn enough(self) -> usize {
        match self {
            Self::Octets => ALIKE,
            Self::OctetsBesideReadings | Self::Readings => ALIKE_IN_READINGS,
        }
    }
}

/// Causes that are known by now. Without knowledge there are none.
#[derive(Debug)]
pub(super) struct Charged {
    knowledge: Option<&'static Knowledge>,
    role: Role,
    known: Option<KnownCauses<'static>>,
    /// Cases whose failure has been confirmed, or their warning.
    confirmed: BTreeSet<String>,
    /// Those of them that have failed. Nothing else foretells: a run in which a case is not played as it would fail must
    /// fail itself.
    failed: BTreeSet<String>,
    /// Whether each case is played all the same.
    all_played: bool,
    /// How often each symptom has been confirmed.
    symptoms: BTreeMap<Symptom, usize>,
    /// The case that has confirmed that the process computes for nobody.
    spins: Option<String>,
    /// How many failures there were when it was last asked for causes.
    asked: usize,
}

impl Charged {
    pub(super) fn new(role: Role, options: &Options) -> Self {
        Self {
            // Who plays each case several times wants to know of each how often it fails.
            knowledge: options.knowledge.filter(|_| options.repeat == 1),
            role,
            known: None,
            confirmed: BTreeSet::new(),
            failed: BTreeSet::new(),
            all_played: options.all_played,
            symptoms: BTreeMap::new(),
            spins: None,
            asked: 0,
        }
    }

    /// Whether so many failures that are not confirmed are enough to ask for causes.
    pub(super) const fn are_enough(&self, suspects: usize) -> bool {
        self.knowledge.is_some() && suspects >= ENOUGH
    }

    /// Whether, with so many that are not confirmed, there are enough that were not there when it was last asked.
    pub(super) fn are_enough_anew(&self, suspects: usize) -> bool {
        self.are_enough(self.failures(suspects).saturating_sub(self.asked))
    }

    /// How many failures there are, with so many that are not confirmed.
    fn failures(&self, suspects: usize) -> usize {
        self.confirmed.len().saturating_add(suspects)
    }

    /// Notes a failure that is beyond doubt.
    pub(super) fn confirmed(&mut self, told: &CaseResult) {
        if let Some(Outcome::Failed(symptom)) = Outcome::of(told) {
            if symptom.clause() == Clause::Cpu.slug() {
                self.spins.get_or_insert_with(|| told.id.clone());
            }
            self.confirmed.insert(told.id.clone());
            if told.verdict == Verdict::Fail {
                self.failed.insert(told.id.clone());
            }
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
        self.asked = self.failures(failed.len());
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
    pub(super) fn explained(&self, mut failed: CaseResult, shown: ShownBy) -> Option<CaseResult> {
        self.knowledge?;
        let outcome = Outcome::of(&failed)?;
        let why = match (
            self.is_explained(&failed.id, &outcome),
            self.alike(&outcome),
        ) {
            // Which cause it is, is told at the end of the run: more is known then.
            (true, _) if shown != ShownBy::Readings => Text::default(),
            (_, alike) if alike >= shown.enough() => match alike {
                1 => say!(": confirmed in another"),
                alike => say!(": confirmed in {alike} others", alike),
            },
            _ => return None,
        };
        failed.detail = say!("{detail} (played once{why})", detail = failed.detail, why);
        Some(failed)
    }

    /// Whether enough others will have failed in the same way, if all of these are confirmed.
    pub(super) fn may_be_explained(
        &self,
        failed: &CaseResult,
        shown: ShownBy,
        others: &[CaseResult],
    ) -> bool {
        let Some(outcome) = self.knowledge.and(Outcome::of(failed)) else {
            return false;
        };
        let alike = others.iter().filter_map(Outcome::of);
        let alike = alike.filter(|other| *other == outcome).count();
        alike > 0 && self.alike(&outcome).saturating_add(alike) >= shown.enough()
    }

    fn is_explained(&self, case: &str, outcome: &Outcome) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.explaining(case, outcome, &self.confirmed).is_some())
    }

    /// How many other failures of that kind have been confirmed.
    fn alike(&self, outcome: &Outcome) -> usize {
        match outcome {
            Outcome::Failed(symptom) => self.symptoms.get(symptom).copied().unwrap_or_default(),
            Outcome::Passed => 0,
        }
    }

    /// Why the case is not played, if what it reads of the process would say little: one that computes for clients that
    /// are gone is slow to all others, and what it holds changes by itself.
    pub(super) fn not_measured(&self, measures: bool) -> Option<Text> {
        self.knowledge.filter(|_| measures)?;
        let spins = self.spins.as_ref()?;
        Some(say!(
            "blocked by {spins}: little can be read of a process that computes for nobody",
            spins
        ))
    }

    /// Why the case is not played, if it is sure to fail.
    pub(super) fn foretold(&self, case: &Case) -> Option<Text> {
        let known = self.known.as_ref().filter(|_| !self.all_played)?;
        let cause = known.foretelling(&case.id.to_string(), &self.failed)?;
        Some(say!(
            "blocked by {id}: it fails of that in any case",
            id = cause.id
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Head, Play};
    use crate::event::FindingNote;
    use crate::profile::Profile;
    use crate::spec::{CaseId, Level};

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
            detail: what.into(),
            findings: vec![FindingNote {
                clause: Clause::OneReply.to_string(),
                level: Level::Must,
                what: what.into(),
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
                charged.explained(failed("same-twice", "no reply after 3 ms"), ShownBy::Octets),
                None
            );
            charged.confirmed(&failed(variant, "no reply after 5 ms"));
        }
        let told = charged
            .explained(failed("same-twice", "no reply after 3 ms"), ShownBy::Octets)
            .unwrap();
        assert_eq!(
            told.detail,
            "no reply after 3 ms (played once: confirmed in 3 others)"
        );
        assert_eq!(
            charged.explained(failed("same-twice", "a reset"), ShownBy::Octets),
            None
        );
    }

    #[test]
    fn of_what_was_read_one_other_is_enough() {
        let mut charged = charged(1);
        let again = |charged: &Charged, shown| {
            charged.explained(failed("many", "20 ms of processor time"), shown)
        };
        assert_eq!(again(&charged, ShownBy::Readings), None);
        charged.confirmed(&failed("single", "35 ms of processor time"));
        let told = again(&charged, ShownBy::Readings).unwrap();
        assert!(
            told.detail
                .as_str()
                .ends_with(" (played once: confirmed in another)")
        );
        assert_eq!(again(&charged, ShownBy::Octets), None);
    }

    #[test]
    fn a_process_that_computes_for_nobody_is_not_read_any_more() {
        let mut charged = charged(1);
        charged.confirmed(&failed("single", "no reply"));
        assert_eq!(charged.not_measured(true), None);
        let mut spins = failed("many", "35 ms of processor time");
        spins.findings[0].clause = Clause::Cpu.to_string();
        charged.confirmed(&spins);
        assert!(
            charged
                .not_measured(true)
                .unwrap()
                .as_str()
                .starts_with("blocked by one-reply/many:")
        );
        assert_eq!(charged.not_measured(false), None);
    }

    const ALIKE_CASES: [&str; 5] = [
        "single",
        "large",
        "same-twice",
        "ten-in-turn",
        "queued-before-a-close",
    ];

    /// A mistake with which those cases have always failed.
    fn silent() -> &'static Knowledge {
        let mut seen = Observation::default();
        for variant in ALIKE_CASES {
            seen.note(&failed(variant, "no reply"));
        }
        let play = Play {
            role: Role::Server,
            planted: vec!["silent".to_owned()],
            seen,
        };
        let head = Head {
            id: "silent".to_owned(),
            role: Role::Server,
            copies: String::new(),
            clause: Clause::OneReply,
            title: String::new(),
            advice: String::new(),
            sketch: String::new(),
            needs: String::new(),
        };
        let plays = [play.clone(), play.clone(), play];
        let knowledge = Knowledge::default().updated(vec![head], Vec::new(), &plays);
        Box::leak(Box::new(knowledge))
    }

    /// Whether the last of those cases is played, when the others have had that verdict.
    async fn is_foretold(verdict: Verdict, all_played: bool) -> bool {
        let options = Options {
            knowledge: Some(silent()),
            all_played,
            ..Options::new(Role::Server, "here", Profile::default())
        };
        let mut charged = Charged::new(Role::Server, &options);
        let told = |variant| CaseResult {
            verdict,
            ..failed(variant, "no reply")
        };
        let (last, others) = ALIKE_CASES.split_last().unwrap();
        let others: Vec<_> = others.iter().map(|variant| told(variant)).collect();
        others.iter().for_each(|one| charged.confirmed(one));
        charged.ask(&Observation::default(), &others).await;
        let last = crate::cases::case(&format!("one-reply/{last}")).unwrap();
        charged.foretold(last).is_some()
    }

    /// Else a run would pass that has not played what the server fails.
    #[tokio::test]
    async fn warnings_foretell_nothing_and_where_failures_are_known_nothing_does() {
        assert!(is_foretold(Verdict::Fail, false).await);
        assert!(!is_foretold(Verdict::Warn, false).await);
        assert!(!is_foretold(Verdict::Fail, true).await);
    }

    #[tokio::test]
    async fn who_plays_each_case_several_times_has_each_confirmed() {
        let mut charged = charged(2);
        assert!(!charged.are_enough(ENOUGH));
        for variant in ["single", "large", "many"] {
            charged.confirmed(&failed(variant, "no reply"));
        }
        charged
            .ask(&Observation::default(), &[failed("same-twice", "no reply")])
            .await;
        assert_eq!(
            charged.explained(failed("same-twice", "no reply"), ShownBy::Octets),
            None
        );
    }
}
