//! What reports tell of causes, however they are written.

use super::tally::Mark;
use super::timeline::counted;
use crate::event::{CaseResult, Cause, Confidence, Run, Verdict};
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
pub(super) fn how_sure<'a>(own: impl IntoIterator<Item = &'a Cause>, id: &str) -> Option<String> {
    let own = own.into_iter().find(|own| own.id == id)?;
    Some(format!("{}, {}", sure(own), own.explains.len()))
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

/// How much the causes leave unexplained of what is not known.
pub(super) fn left(run: &Run) -> String {
    let is_left =
        |result: &&CaseResult| is_found(result) && run.diagnosis.unexplained.contains(&result.id);
    match run.results.iter().filter(is_left).count() {
        0 => "all that failed is explained".to_owned(),
        left => format!("{} not explained", counted(left, "failure")),
    }
}

/// How sure a cause is.
pub(super) const fn sure(cause: &Cause) -> &'static str {
    match cause.confidence {
        Confidence::Guess => "a guess",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    }
}

/// Which clause it breaks, how sure it is and how much it explains.
pub(super) fn facts(cause: &Cause) -> String {
    format!(
        "{} {}, {}, explains {}",
        cause.clause,
        cause.level,
        sure(cause),
        counted(cause.explains.len(), "failure")
    )
}

/// Other causes that explain the same, if there are any.
pub(super) fn alternatives(cause: &Cause) -> Option<String> {
    let is_alone = cause.alike.is_empty();
    (!is_alone).then(|| format!("or {}", cause.alike.join(", or ")))
}

/// The names of cases, so many at most.
pub(super) fn named(cases: &[&str], most: usize) -> String {
    let shown: Vec<&str> = cases.iter().take(most).copied().collect();
    let more = match cases.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
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
