//! The cases of a run put together by clause and by group of clauses.

use crate::event::{CaseResult, Run, Summary, Verdict};
use crate::spec::{self, Clause, Group};

/// The cases of one clause.
pub(super) struct OfClause<'a> {
    pub(super) slug: &'a str,
    /// What the table says of it; a saved run may know clauses that this version does not.
    pub(super) clause: Option<&'static Clause>,
    pub(super) results: Vec<&'a CaseResult>,
    pub(super) counts: Summary,
}

/// The clauses of one group of which there are cases.
pub(super) struct OfGroup<'a> {
    pub(super) title: &'static str,
    pub(super) clauses: Vec<OfClause<'a>>,
    pub(super) counts: Summary,
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
                    clause: spec::clause(&result.clause),
                    results: Vec::new(),
                    counts: Summary::default(),
                });
                let Some(of) = clauses.last_mut() else {
                    continue;
                };
                of
            }
        };
        of.counts.count(result.verdict);
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
            .partition(|of| of.clause.map(|clause| clause.group) == group);
        clauses = rest;
        groups.push(OfGroup::new(group.map_or("Other", Group::title), of_group));
    }
    groups.retain(|group| !group.clauses.is_empty());
    groups
}

impl<'a> OfGroup<'a> {
    fn new(title: &'static str, clauses: Vec<OfClause<'a>>) -> Self {
        let mut counts = Summary::default();
        for result in clauses.iter().flat_map(|of| &of.results) {
            counts.count(result.verdict);
        }
        Self {
            title,
            clauses,
            counts,
        }
    }
}

/// How many cases were counted.
pub(super) fn total(counts: &Summary) -> usize {
    Verdict::ALL
        .iter()
        .fold(0, |sum, verdict| sum.saturating_add(counts.of(*verdict)))
}

/// The verdicts that occur, the gravest first, each with how often.
pub(super) fn present(counts: &Summary) -> impl Iterator<Item = (Verdict, usize)> {
    Verdict::ALL
        .into_iter()
        .rev()
        .map(|verdict| (verdict, counts.of(verdict)))
        .filter(|(_, count)| *count > 0)
}

/// Whether the run says that the server does not conform, or cannot say.
pub(super) const fn is_failed(run: &Run) -> bool {
    let counts = &run.finished.summary;
    counts.fail > 0 || counts.error > 0 || run.finished.broken_off.is_some()
}

/// Skipped cases by reason: the reason, how many, and their clauses.
pub(super) fn skipped(run: &Run) -> Vec<(&str, usize, Vec<&str>)> {
    let mut reasons: Vec<(&str, usize, Vec<&str>)> = Vec::new();
    for result in run
        .results
        .iter()
        .filter(|result| result.verdict == Verdict::Skip)
    {
        let place = reasons.iter().position(|(why, ..)| *why == result.detail);
        match place.and_then(|place| reasons.get_mut(place)) {
            Some((_, count, clauses)) => {
                *count = count.saturating_add(1);
                if !clauses.contains(&result.clause.as_str()) {
                    clauses.push(&result.clause);
                }
            }
            None => reasons.push((&result.detail, 1, vec![&result.clause])),
        }
    }
    reasons
}

/// Unchecked clauses by reason.
pub(super) fn unchecked(run: &Run) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for unchecked in &run.finished.clauses_unchecked {
        let place = reasons.iter().position(|(why, _)| *why == unchecked.why);
        match place.and_then(|place| reasons.get_mut(place)) {
            Some((_, clauses)) => clauses.push(&unchecked.clause),
            None => reasons.push((&unchecked.why, vec![&unchecked.clause])),
        }
    }
    reasons
}
