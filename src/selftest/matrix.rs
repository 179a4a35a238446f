//! What was found, and what was not.

use super::Tried;
use super::page::joined;
use super::tables::{Permitted, Planted, ROLES};
use super::trial::{Results, Subject};
use crate::cases;
use crate::event::Verdict;
use crate::spec::{CaseId, Clause, Role};

/// What came of trying everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Matrix {
    /// The faults, in the order of their table.
    pub faults: Vec<FaultRow>,
    /// The peers that were to pass; servers twice each, with a declared limit on bodies and without.
    pub honest: Vec<HonestRow>,
    /// Each case that failed, and the faults that it failed for. Once there is one, no other was looked
    /// for outside the case's own clause.
    pub failed_by: Vec<(CaseId, Vec<&'static str>)>,
    /// Cases that were played and that no fault could fail.
    pub never_failed: Vec<CaseId>,
}

/// What became of a fault.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FaultRow {
    /// Whose fault it is.
    pub role: Role,
    /// Its name.
    pub name: &'static str,
    /// Its clause.
    pub clause: Clause,
    /// Whether it was found.
    pub fate: Fate,
}

/// Whether a fault was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// By these cases of its own clause.
    Found(Vec<CaseId>),
    /// Only at times: when these cases were played again, they passed.
    Unsure(Vec<CaseId>),
    /// By these cases of other clauses, and by none of its own.
    FoundBeside(Vec<CaseId>),
    /// By none.
    Survived,
    /// By none, as the wire format has no room for it, and why.
    NoRoom(String),
    /// None of them was played, and why.
    NotLooked(String),
    /// There was nothing to play them at, and why.
    NotTried(String),
}

/// What became of a peer that is as it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HonestRow {
    /// What it is.
    pub role: Role,
    /// Its name.
    pub name: &'static str,
    /// Whether its limit on bodies was declared.
    pub declared: bool,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that found fault with it.
    pub alarms: Vec<Alarm>,
    /// Cases that warned, of a peer of which that is to be expected.
    pub warnings: Vec<CaseId>,
    /// Why it could not be tried, or not to the end.
    pub broken: Option<String>,
}

/// A case that found fault where there is none.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Alarm {
    /// The case.
    pub case: CaseId,
    /// Its verdict.
    pub verdict: Verdict,
    /// What it says that it saw.
    pub detail: String,
}

impl Fate {
    /// Whether any case took notice.
    pub(super) const fn is_found(&self) -> bool {
        matches!(self, Self::Found(_) | Self::FoundBeside(_))
    }

    /// The same, if the cases that were played last are of other clauses.
    pub(super) fn beside(self) -> Self {
        match self {
            Self::Found(cases) => Self::FoundBeside(cases),
            fate => fate,
        }
    }

    pub(super) fn of(results: &Results) -> Self {
        let with = |verdicts: &[Verdict]| -> Vec<CaseId> {
            let cases = results.cases.iter();
            let with = cases.filter(|(_, seen)| verdicts.contains(&seen.verdict));
            with.map(|(case, _)| *case).collect()
        };
        if let Some(why) = &results.broken {
            return Self::NotTried(why.clone());
        }
        let found = with(&[Verdict::Fail, Verdict::Warn]);
        let unsure = with(&[Verdict::Unstable]);
        if !found.is_empty() {
            Self::Found(found)
        } else if !unsure.is_empty() {
            Self::Unsure(unsure)
        } else if results.cases.values().any(super::trial::Seen::is_played) {
            Self::Survived
        } else {
            let why = results.cases.values().next();
            Self::NotLooked(why.map_or_else(
                || "it has no case".to_owned(),
                |seen| seen.detail.to_string(),
            ))
        }
    }
}

impl FaultRow {
    pub(super) fn new(fault: Planted, fate: Fate) -> Self {
        Self {
            role: fault.role,
            name: fault.name,
            clause: fault.clause,
            fate,
        }
    }

    fn complaint(&self) -> Option<String> {
        let Self { name, clause, .. } = self;
        match &self.fate {
            Fate::Survived => Some(format!("{name}: no case of {clause} finds it")),
            Fate::Unsure(cases) => {
                Some(format!("{name}: found only at times, by {}", joined(cases)))
            }
            Fate::NotTried(why) => Some(format!("{name}: could not be tried: {why}")),
            Fate::Found(_) | Fate::FoundBeside(_) | Fate::NoRoom(_) | Fate::NotLooked(_) => None,
        }
    }
}

impl HonestRow {
    pub(super) fn new(subject: Subject, declared: bool, results: &Results) -> Self {
        let warned = subject.is_warned();
        let mut row = Self {
            role: subject.role(),
            name: subject.name(),
            declared,
            passed: 0,
            alarms: Vec::new(),
            warnings: Vec::new(),
            broken: results.broken.clone(),
        };
        for (case, seen) in &results.cases {
            match seen.verdict {
                Verdict::Pass => row.passed = row.passed.saturating_add(1),
                Verdict::Skip => {}
                Verdict::Warn if warned => row.warnings.push(*case),
                verdict => row.alarms.push(Alarm {
                    case: *case,
                    verdict,
                    detail: seen.detail.to_string(),
                }),
            }
        }
        row
    }

    fn complaints(&self) -> Vec<String> {
        let Self { name, broken, .. } = self;
        let limit = if self.declared {
            "declared"
        } else {
            "not declared"
        };
        let alarms = self.alarms.iter().map(|alarm| {
            let Alarm {
                case,
                verdict,
                detail,
            } = alarm;
            format!("{name} (limit {limit}): {verdict} by {case}: {detail}")
        });
        let nothing = (self.passed == 0).then(|| format!("{name}: no case passed"));
        let broken = broken
            .iter()
            .map(|why| format!("{name}: could not be tried: {why}"));
        nothing.into_iter().chain(broken).chain(alarms).collect()
    }
}

impl Matrix {
    /// Takes up what became of a peer.
    pub(super) fn take(&mut self, tried: Tried) {
        match tried {
            Tried::Fault(row) => self.faults.push(row),
            Tried::Honest(row) => self.add_honest(row),
        }
    }

    /// Adds what came of a peer, to what came of it in another wire format.
    fn add_honest(&mut self, row: HonestRow) {
        let is_same = |other: &&mut HonestRow| {
            (other.role, other.name, other.declared) == (row.role, row.name, row.declared)
        };
        match self.honest.iter_mut().find(is_same) {
            Some(same) => {
                same.passed = same.passed.saturating_add(row.passed);
                same.alarms.extend(row.alarms);
                same.warnings.extend(row.warnings);
            }
            None => self.honest.push(row),
        }
    }

    /// Puts everything in the order of the tables.
    pub(super) fn sort(&mut self) {
        let role = |role| ROLES.iter().position(|other| *other == role);
        let fault = |name| Planted::all().position(|fault| fault.name == name);
        let variant = |name| Permitted::all().position(|variant| variant.name == name);
        self.faults.sort_by_key(|row| fault(row.name));
        let place = |row: &HonestRow| (role(row.role), variant(row.name), row.name, !row.declared);
        self.honest.sort_by_key(place);
    }

    /// Everything that is not as it should be, in sentences; none if the suite is worth its name.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let faults = self.faults.iter().filter_map(FaultRow::complaint);
        let honest = self.honest.iter().flat_map(HonestRow::complaints);
        let no_fault = |case: &CaseId| format!("{case}: no fault fails it");
        let cases = self.never_failed.iter().map(no_fault);
        faults
            .chain(honest)
            .chain(cases)
            .chain(bare_clauses())
            .collect()
    }

    /// How it went, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let alarms: usize = self.honest.iter().map(|row| row.alarms.len()).sum();
        let no_room = match self.without_room() {
            0 => String::new(),
            faults => format!(", {faults} that there is no room for"),
        };
        format!(
            "{} of {} faults found{no_room}, {} not looked for, {alarms} false alarms, {} cases that no fault fails",
            self.found(),
            self.faults.len(),
            self.not_looked(),
            self.never_failed.len(),
        )
    }

    /// Faults for which the wire format has no room.
    #[must_use]
    pub fn without_room(&self) -> usize {
        let without = |row: &&FaultRow| matches!(row.fate, Fate::NoRoom(_));
        self.faults.iter().filter(without).count()
    }

    /// Faults that were found.
    #[must_use]
    pub fn found(&self) -> usize {
        let found = |row: &&FaultRow| row.fate.is_found();
        self.faults.iter().filter(found).count()
    }

    /// Faults that were not looked for.
    #[must_use]
    pub fn not_looked(&self) -> usize {
        let not_looked = |row: &&FaultRow| matches!(row.fate, Fate::NotLooked(_));
        self.faults.iter().filter(not_looked).count()
    }
}

/// Clauses that have no fault or no case.
fn bare_clauses() -> Vec<String> {
    let mut bare = Vec::new();
    for clause in Clause::all() {
        if !Planted::all().any(|fault| fault.clause == clause) {
            bare.push(format!("{clause}: no fault breaks it"));
        }
        if cases::of(clause).next().is_none() {
            bare.push(format!("{clause}: no case looks at it"));
        }
    }
    bare
}
