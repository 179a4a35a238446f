//! Failures that are alike: what has been confirmed a few times in cases of one clause need not be confirmed in
//! all the others that show the same.
//!
//! Playing a failure again, alone and with more time for everything, tells a broken peer from a busy machine.
//! Once it is known that the peer is broken in that way, it would only cost time.

use super::played::{Once, Played};
use crate::event::Verdict;
use crate::outcome::Judged as _;
use crate::spec::{CaseId, Clause};
use std::collections::BTreeMap;

/// In how many cases the same has to be confirmed.
const ENOUGH: u32 = 2;

/// What has been confirmed.
#[derive(Debug, Default)]
pub(super) struct Alike(BTreeMap<Looks, Confirmed>);

/// What failures have in common that are alike: the clause of the case, the clause that it broke, and what
/// was seen, whatever the numbers in it.
type Looks = (Clause, String, String);

#[derive(Debug)]
struct Confirmed {
    first: CaseId,
    times: u32,
}

impl Alike {
    /// Takes notice of a case that has been played as often as it takes.
    pub(super) fn note(&mut self, played: &Played) {
        let attempts = played.attempts();
        let is_confirmed = attempts.failed == attempts.of && attempts.of > 1;
        if played.verdict() != Verdict::Fail || !is_confirmed {
            return;
        }
        let Some(looks) = looks(played.shown()) else {
            return;
        };
        let confirmed = self.0.entry(looks).or_insert(Confirmed {
            first: played.shown().planned.case.id,
            times: 0,
        });
        confirmed.times = confirmed.times.saturating_add(1);
    }

    /// The first of the cases in which the same was confirmed, if that were enough.
    pub(super) fn known(&self, once: &Once) -> Option<CaseId> {
        // What came late may have been this machine's doing, whatever else was found.
        if once.verdict() != Verdict::Fail || once.is_late() {
            return None;
        }
        let confirmed = self.0.get(&looks(once)?)?;
        (confirmed.times >= ENOUGH).then_some(confirmed.first)
    }
}

fn looks(once: &Once) -> Option<Looks> {
    let finding = once.findings().into_iter().next()?;
    let what = without_numbers(&finding.what);
    Some((once.planned.case.clause(), finding.clause, what))
}

/// A text without its digits and without what stands in quotes, which differ from case to case. A quote
/// within quotes stands behind a backslash.
fn without_numbers(text: &str) -> String {
    let (mut kept, mut is_quoted) = (String::new(), false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if is_quoted => drop(chars.next()),
            '"' => is_quoted = !is_quoted,
            c if is_quoted || c.is_ascii_digit() => {}
            c => kept.push(c),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_numbers_and_quotes_is_alike() {
        let one = without_numbers(r#"no reply to "a 1", still open after 460 ms"#);
        assert_eq!(one, "no reply to , still open after  ms");
        let other = without_numbers(r#"no reply to "{\"b\": \"\\\\\"}", still open after 1 ms"#);
        assert_eq!(one, other);
        assert_ne!(one, without_numbers(r#"no reply to "a 1", closed"#));
    }
}
