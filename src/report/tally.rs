//! What a case counts as, and the cases of a run put together by clause and by group of clauses.

use crate::event::{CaseResult, Known, Run, Summary, Verdict};
use crate::lang::{Hole, Text, say};
use crate::spec::{Clause, Group};
use std::fmt;

/// What a case is shown and counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It failed, is known to, and does not count.
    Known,
    /// Its verdict.
    Of(Verdict),
}

impl Mark {
    /// All of them, the gravest first.
    pub(super) const ALL: [Self; 7] = [
        Self::Of(Verdict::Error),
        Self::Of(Verdict::Fail),
        Self::Known,
        Self::Of(Verdict::Unstable),
        Self::Of(Verdict::Skip),
        Self::Of(Verdict::Warn),
        Self::Of(Verdict::Pass),
    ];

    pub(super) const fn of(result: &CaseResult) -> Self {
        match result.known {
            Some(_) => Self::Known,
            None => Self::Of(result.verdict),
        }
    }

    /// The word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Of(verdict) => verdict.as_str(),
        }
    }

    /// The word for it where people read it.
    pub(super) fn word(self) -> Text {
        match self {
            Self::Known => say!("known"),
            Self::Of(Verdict::Pass) => say!("pass"),
            Self::Of(Verdict::Warn) => say!("warn"),
            Self::Of(Verdict::Skip) => say!("skip"),
            Self::Of(Verdict::Unstable) => say!("unstable"),
            Self::Of(Verdict::Fail) => say!("fail"),
            Self::Of(Verdict::Error) => say!("error"),
        }
    }

    /// So many cases with it: `3 fail`.
    pub(super) fn counted(self, count: impl Hole) -> Text {
        match self {
            Self::Known => say!("{count} known", count),
            Self::Of(Verdict::Pass) => say!("{count} pass", count),
            Self::Of(Verdict::Warn) => say!("{count} warn", count),
            Self::Of(Verdict::Skip) => say!("{count} skip", count),
            Self::Of(Verdict::Unstable) => say!("{count} unstable", count),
            Self::Of(Verdict::Fail) => say!("{count} fail", count),
            Self::Of(Verdict::Error) => say!("{count} error", count),
        }
    }

    /// What stands behind a number that is set apart from it.
    pub(super) fn behind_number(self) -> String {
        self.counted("").shown().trim().to_owned()
    }

    /// Whether there is something to be read about it.
    pub(super) const fn is_shown_at_once(self) -> bool {
        !matches!(self, Self::Of(Verdict::Pass | Verdict::Skip))
    }

    /// Whether it makes a run fail; warnings and unstable cases do only in a strict one.
    pub(super) const fn is_bad(self, is_strict: bool) -> bool {
        match self {
            Self::Known => false,
            Self::Of(Verdict::Error) => true,
            Self::Of(verdict) => verdict.is_finding(is_strict),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Cases counted by what they are shown as.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Those that count, by verdict.
    counting: Summary,
    known: usize,
}

impl Counts {
    pub(super) fn of<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            counts.add(Mark::of(result));
        }
        counts
    }

    fn add(&mut self, mark: Mark) {
        match mark {
            Mark::Known => self.known = self.known.saturating_add(1),
            Mark::Of(verdict) => self.counting.count(verdict),
        }
    }

    const fn with(&self, mark: Mark) -> usize {
        match mark {
            Mark::Known => self.known,
            Mark::Of(verdict) => self.counting.of(verdict),
        }
    }

    /// How many cases were counted.
    pub(super) fn total(&self) -> usize {
        Mark::ALL
            .iter()
            .fold(0, |sum, mark| sum.saturating_add(self.with(*mark)))
    }

    /// The marks that occur, the gravest first, each with how often.
    pub(super) fn present(&self) -> impl Iterator<Item = (Mark, usize)> {
        Mark::ALL
            .into_iter()
            .map(|mark| (mark, self.with(mark)))
            .filter(|(_, count)| *count > 0)
    }
}

/// The cases of one clause.
pub(super) struct OfClause<'a> {
    pub(super) slug: &'a str,
    /// What the table says of it; a saved run may know clauses that this version does not.
    pub(super) clause: Option<Clause>,
    pub(super) results: Vec<&'a CaseResult>,
    pub(super) counts: Counts,
}

/// The clauses of one group of which there are cases.
pub(super) struct OfGroup<'a> {
    pub(super) title: Text,
    pub(super) clauses: Vec<OfClause<'a>>,
    pub(super) counts: Counts,
}

/// By clause, each where its first case stands.
pub(super) fn by_clause(run: &Run) -> Vec<OfClause<'_>> {
    let mut clauses: Vec<OfClause<'_>> = Vec::new();
    for result in &run.results {
        let place = clauses.iter().position(|of| of.slug == result.clause);
        let of = match place.and_then(|place| clauses.get_mut(place)) {
            Some(of) => of,
            None => {
                clauses.push(OfClause {
                    slug: &result.clause,
                    clause: Clause::from_slug(&result.clause),
                    results: Vec::new(),
                    counts: Counts::default(),
                });
                let Some(of) = clauses.last_mut() else {
                    continue;
                };
                of
            }
        };
        of.counts.add(Mark::of(result));
        of.results.push(result);
    }
    clauses
}

/// By group, in the order of the groups; clauses that the table does not know come last.
pub(super) fn by_group(run: &Run) -> Vec<OfGroup<'_>> {
    let mut clauses = by_clause(run);
    let mut groups = Vec::new();
    for group in Group::ALL.into_iter().map(Some).chain([None]) {
        let (of_group, rest) = clauses
            .into_iter()
            .partition(|of| of.clause.map(Clause::group) == group);
        clauses = rest;
        groups.push(OfGroup::new(
            group.map_or_else(|| say!("Other"), |group| Text::whole(group.title())),
            of_group,
        ));
    }
    groups.retain(|group| !group.clauses.is_empty());
    groups
}

impl<'a> OfGroup<'a> {
    fn new(title: Text, clauses: Vec<OfClause<'a>>) -> Self {
        let results = clauses.iter().flat_map(|of| of.results.iter().copied());
        Self {
            title,
            counts: Counts::of(results),
            clauses,
        }
    }
}

/// Cases that fail as they are known to, each with what is known.
pub(super) fn known(run: &Run) -> impl Iterator<Item = (&CaseResult, &Known)> {
    let results = run.results.iter();
    results.filter_map(|result| Some((result, result.known.as_ref()?)))
}

/// Skipped cases by reason: the reason, how many, and their clauses.
pub(super) fn skipped(run: &Run) -> Vec<(Text, usize, Vec<&str>)> {
    let mut reasons: Vec<(Text, usize, Vec<&str>)> = Vec::new();
    for result in run
        .results
        .iter()
        .filter(|result| result.verdict == Verdict::Skip)
    {
        let own = reason(&result.detail);
        let place = reasons.iter().position(|(why, ..)| *why == own);
        match place.and_then(|place| reasons.get_mut(place)) {
            Some((_, count, clauses)) => {
                *count = count.saturating_add(1);
                if !clauses.contains(&result.clause.as_str()) {
                    clauses.push(&result.clause);
                }
            }
            None => reasons.push((own, 1, vec![&result.clause])),
        }
    }
    reasons
}

/// Why a case was skipped, without what was seen of this one.
fn reason(detail: &Text) -> Text {
    if let Some(reason) = detail.hole("reason") {
        return reason.clone();
    }
    match detail.as_str().split_once("; seen once") {
        // As a saved run has it.
        Some((reason, _)) => Text::whole(reason),
        None => detail.clone(),
    }
}

/// Unchecked clauses by reason.
pub(super) fn unchecked(run: &Run) -> Vec<(&Text, Vec<&str>)> {
    let mut reasons: Vec<(&Text, Vec<&str>)> = Vec::new();
    for unchecked in &run.finished.clauses_unchecked {
        let place = reasons.iter().position(|(why, _)| **why == unchecked.why);
        match place.and_then(|place| reasons.get_mut(place)) {
            Some((_, clauses)) => clauses.push(&unchecked.clause),
            None => reasons.push((&unchecked.why, vec![&unchecked.clause])),
        }
    }
    reasons
}
