//! Tells what is played, and what becomes of cases that are not.

use super::Options;
use super::calibrate::NotServed;
use super::verdict::without;
use crate::cases::Case;
use crate::event::{CaseResult, Event, Finished, Summary, Unchecked, Verdict};
use crate::spec;
use std::collections::BTreeMap;

/// Tells what is played, and counts.
pub(super) struct Teller<'a> {
    options: &'a Options,
    tell: &'a mut (dyn FnMut(Event) + Send),
    results: BTreeMap<&'static str, (Verdict, String)>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(options: &'a Options, tell: &'a mut (dyn FnMut(Event) + Send)) -> Self {
        Self {
            options,
            tell,
            results: BTreeMap::new(),
        }
    }

    /// Whether the case has its verdict.
    pub(super) fn has_told(&self, case: &Case) -> bool {
        self.results.contains_key(case.id)
    }

    pub(super) fn started(&mut self, case: &Case) {
        (self.tell)(Event::CaseStarted {
            id: case.id.to_owned(),
        });
    }

    pub(super) fn finished(&mut self, case: &'static Case, result: CaseResult) {
        self.results
            .insert(case.id, (result.verdict, result.detail.clone()));
        (self.tell)(Event::CaseFinished(Box::new(result)));
    }

    pub(super) fn without(
        &mut self,
        case: &'static Case,
        verdict: Verdict,
        why: impl Into<String>,
    ) {
        let result = without(self.options, case, verdict, why);
        self.finished(case, result);
    }

    pub(super) fn finish(self, broken_off: Option<String>) -> Finished {
        let mut summary = Summary::default();
        let (mut clauses_checked, mut clauses_unchecked) = (Vec::new(), Vec::new());
        for (verdict, _) in self.results.values() {
            summary.count(*verdict);
        }
        for clause in spec::CLAUSES {
            let own: Vec<&(Verdict, String)> = self
                .results
                .iter()
                .filter(|(id, _)| id.split('/').next() == Some(clause.slug))
                .map(|(_, result)| result)
                .collect();
            let is_checked = |(verdict, _): &&(Verdict, String)| {
                !matches!(verdict, Verdict::Skip | Verdict::Error)
            };
            let clause_slug = clause.slug.to_owned();
            if own.iter().copied().any(|result| is_checked(&result)) {
                clauses_checked.push(clause_slug);
            } else {
                let why = own
                    .first()
                    .map_or("no case of it was selected", |(_, why)| why.as_str());
                clauses_unchecked.push(Unchecked {
                    clause: clause_slug,
                    why: why.to_owned(),
                });
            }
        }
        Finished {
            summary,
            broken_off,
            stale: Vec::new(),
            clauses_checked,
            clauses_unchecked,
        }
    }
}

/// Nobody is there: every case is told as not run.
pub(super) fn not_run(
    options: &Options,
    why: &str,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let mut teller = Teller::new(options, tell);
    for case in &options.cases {
        teller.without(case, Verdict::Skip, format!("not run: {why}"));
    }
    teller.finish(Some(why.to_owned()))
}

/// The server does not answer a plain request. That fails the plainest case of those selected;
/// nothing can be said of the others.
pub(super) fn not_served(
    options: &Options,
    failed: &NotServed,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Finished {
    let mut teller = Teller::new(options, tell);
    let advice = failed
        .advice
        .as_ref()
        .map(|advice| format!("; {advice}"))
        .unwrap_or_default();
    let told = format!("{}{advice}", failed.what);
    let plainest = ["one-reply/single", "length-prefix/one-chunk"];
    let selected = |id: &str| options.cases.iter().copied().find(|case| case.id == id);
    let plain = plainest
        .into_iter()
        .find_map(selected)
        .or(options.cases.first().copied());
    for case in &options.cases {
        if plain.is_some_and(|plain| plain.id == case.id) {
            teller.without(case, Verdict::Fail, told.clone());
        } else {
            teller.without(
                case,
                Verdict::Skip,
                "not run: the server does not answer a plain request",
            );
        }
    }
    teller.finish(Some(told))
}
