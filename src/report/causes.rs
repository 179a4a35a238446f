//! What reports tell of causes, however they are written.

use super::tally::Mark;
use super::timeline::{Noun, counted};
use crate::event::{CaseResult, Cause, Confidence, Run, Verdict};
use crate::lang::{Text, say};
use std::collections::HashSet;

/// The causes that explain a failure that is not known, in the order in which to mend them.
pub(super) fn news(run: &Run) -> Vec<&Cause> {
    let is_news = |cause: &&Cause| {
        let mut results = run.results.iter();
        results.any(|result| is_found(result) && cause.explains.contains(&result.id))
    };
    run.diagnosis.causes.iter().filter(is_news).collect()
}

/// Every cause that is among these, once: those that are named first come first.
pub(super) fn once<'a>(causes: impl IntoIterator<Item = &'a Cause>) -> Vec<&'a Cause> {
    let mut all: Vec<&Cause> = Vec::new();
    for cause in causes {
        if all.iter().all(|other| other.id != cause.id) {
            all.push(cause);
        }
    }
    all
}

/// How sure a cause is among these, and how many failures it explains there; nothing, if it is not among them.
pub(super) fn how_sure<'a>(own: impl IntoIterator<Item = &'a Cause>, id: &str) -> Option<Text> {
    let own = own.into_iter().find(|own| own.id == id)?;
    Some(say!(
        "{sure}, {failures}",
        sure = sure(own),
        failures = own.explains.len()
    ))
}

/// The causes that are mended in the same lines of code together, each such group where its first stands.
pub(super) fn mended_together<'a>(causes: &[&'a Cause]) -> Vec<(&'a Cause, Vec<&'a Cause>)> {
    let mut groups: Vec<(&Cause, Vec<&Cause>)> = Vec::new();
    for cause in causes {
        let same = |(first, _): &&mut (&Cause, _)| {
            !first.sketch.is_empty() && first.sketch == cause.sketch
        };
        match groups.iter_mut().find(same) {
            Some((_, others)) => others.push(cause),
            None => groups.push((cause, Vec::new())),
        }
    }
    groups
}

/// Whether something was found that was not known.
pub(super) const fn is_found(result: &CaseResult) -> bool {
    !matches!(
        Mark::of(result),
        Mark::Known | Mark::Of(Verdict::Pass | Verdict::Skip)
    )
}

/// The cases whose failure some cause explains.
pub(super) fn explained(run: &Run) -> HashSet<&str> {
    let causes = run.diagnosis.causes.iter();
    causes
        .flat_map(|cause| cause.explains.iter().map(String::as_str))
        .collect()
}

/// The first cause that explains the failure of a case.
pub(super) fn of_case<'a>(run: &'a Run, result: &CaseResult) -> Option<&'a Cause> {
    let mut causes = run.diagnosis.causes.iter();
    causes.find(|cause| cause.explains.contains(&result.id))
}

/// How many causes there are, how much they explain of what is not known, and how much they leave.
pub(super) fn in_all(run: &Run) -> Text {
    let causes = counted(news(run).len(), Noun::Cause);
    let explained = explained(run);
    let found = || run.results.iter().filter(|result| is_found(result));
    let told = found().filter(|result| explained.contains(result.id.as_str()));
    let left = found().filter(|result| run.diagnosis.unexplained.contains(&result.id));
    let told = failures(told);
    match failures_if_any(left) {
        None => say!(
            "{causes} of {failures}: all that failed is explained",
            causes,
            failures = told
        ),
        Some(left) => say!(
            "{causes} of {failures}, {left} not explained",
            causes,
            failures = told,
            left
        ),
    }
}

/// What is to be said of causes of which too few cases tell.
pub(super) fn caution(run: &Run) -> Option<Text> {
    let cases = counted(run.diagnosis.few?, Noun::Case);
    Some(say!(
        "told from {cases} only: a run of all of them is surer",
        cases
    ))
}

/// `2 failures`, or `2 failures and 1 warning`, or `1 warning`.
fn failures<'a>(results: impl Iterator<Item = &'a CaseResult>) -> Text {
    failures_if_any(results).unwrap_or_else(|| counted(0, Noun::Failure))
}

fn failures_if_any<'a>(results: impl Iterator<Item = &'a CaseResult>) -> Option<Text> {
    let (warnings, failures): (Vec<_>, Vec<_>) =
        results.partition(|result| result.verdict == Verdict::Warn);
    let counted = |results: Vec<&CaseResult>, noun| counted(results.len(), noun);
    match (failures.is_empty(), warnings.is_empty()) {
        (true, true) => None,
        (false, true) => Some(counted(failures, Noun::Failure)),
        (true, false) => Some(counted(warnings, Noun::Warning)),
        (false, false) => Some(say!(
            "{failures} and {warnings}",
            failures = counted(failures, Noun::Failure),
            warnings = counted(warnings, Noun::Warning)
        )),
    }
}

/// What a cause explains, counted.
pub(super) fn how_much(run: &Run, cause: &Cause) -> Text {
    let results = run.results.iter();
    failures(results.filter(|result| cause.explains.contains(&result.id)))
}

/// How sure a cause is.
pub(super) fn sure(cause: &Cause) -> Text {
    match cause.confidence {
        Confidence::Guess => say!("a guess"),
        Confidence::Likely => say!("likely"),
        Confidence::Certain => say!("certain"),
    }
}

/// Which clause it breaks, how sure it is and how much it explains.
pub(super) fn facts(run: &Run, cause: &Cause) -> Text {
    say!(
        "{clause} {level}, {sure}, explains {failures}",
        clause = cause.clause,
        level = cause.level,
        sure = sure(cause),
        failures = how_much(run, cause)
    )
}

/// Other causes that explain the same, if there are any.
pub(super) fn alternatives(cause: &Cause) -> Option<Text> {
    let is_alone = cause.alike.is_empty();
    let others = || cause.alike.iter().map(|other| say!("or {other}", other));
    (!is_alone).then(|| Text::joined(others(), &say!(", ")))
}

/// The names of cases, so many at most.
pub(super) fn named(cases: &[&str], most: usize) -> Text {
    let shown: Vec<&str> = cases.iter().take(most).copied().collect();
    let shown = shown.join(", ");
    match cases.len().saturating_sub(most) {
        0 => shown.into(),
        more => say!("{shown} and {more} more", shown, more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn causes_of_one_sketch_stand_together_where_the_first_stands() {
        let causes = fixture::run().diagnosis.causes;
        let [sure, guess] = causes.as_slice() else {
            panic!("{causes:?}")
        };
        let same = Cause {
            sketch: sure.sketch.clone(),
            ..guess.clone()
        };
        let none = Cause {
            sketch: String::new(),
            ..guess.clone()
        };
        assert_eq!(
            mended_together(&[sure, guess, &same, &none, &none]),
            [
                (sure, vec![&same]),
                (guess, vec![]),
                (&none, vec![]),
                (&none, vec![]),
            ]
        );
    }
}
