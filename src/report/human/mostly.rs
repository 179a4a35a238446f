//! What failures have in common where there are many and no cause is known for most of them: something is wrong all the same,
//! and what says so most often is told before all else.

use super::case;
use super::causes::{MOST_LINES, size};
use super::look::{Ink, Look, wrapped};
use crate::event::{CaseResult, Run};
use crate::lang::{Text, say};
use crate::report::causes::{explained, is_found};
use crate::report::escape::Line;
use crate::report::timeline::{Noun, counted};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Fewer failures are told one by one.
const MANY: usize = 20;

/// Says what is said most often where causes explain little of much that has failed, with the smallest failure that
/// says it; whether that is so.
pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<bool> {
    let found: Vec<&CaseResult> = run.results.iter().filter(|one| is_found(one)).collect();
    let explained = explained(run);
    let mut left = found.clone();
    left.retain(|one| !explained.contains(one.id.as_str()));
    let found = found.len();
    let is_most = left.len().saturating_mul(3) > found.saturating_mul(2);
    let alike = most_alike(&left);
    let smallest = alike
        .iter()
        .min_by_key(|result| (result.evidence.is_none(), size(result)));
    let Some(smallest) = smallest.filter(|_| found >= MANY && is_most) else {
        return Ok(false);
    };
    let text = say!(
        "{times} of {failures} say: {what}",
        times = alike.len(),
        failures = counted(found, Noun::Failure),
        what = what(smallest)
    );
    let bad = look.ink(Ink::Bad);
    let text = wrapped(&Line(&text.shown()).to_string(), look.width, 2);
    writeln!(out, "{bad}{text}{bad:#}")?;
    case::glimpse(smallest, MOST_LINES, look, out)?;
    writeln!(out)?;
    Ok(true)
}

/// Those of these failures that say what is said most often, whatever its numbers.
fn most_alike<'a>(failures: &[&'a CaseResult]) -> Vec<&'a CaseResult> {
    let mut alike: BTreeMap<String, Vec<&CaseResult>> = BTreeMap::new();
    for result in failures {
        let text = without_numbers(what(result).as_str());
        alike.entry(text).or_default().push(result);
    }
    let most = alike.into_values().max_by_key(Vec::len);
    most.unwrap_or_default()
}

/// What is told first of a case.
fn what(result: &CaseResult) -> &Text {
    let first = result.findings.first();
    first.map_or(&result.detail, |finding| &finding.what)
}

fn without_numbers(text: &str) -> String {
    text.chars()
        .filter(|one| !one.is_ascii_digit() && *one != '.')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Verdict;
    use crate::report::fixture;

    /// So many failures, every n-th of which says something else, with as many of them explained.
    fn told(failures: usize, every: usize, explained: usize) -> String {
        let mut run = fixture::run();
        let failed = CaseResult {
            verdict: Verdict::Fail,
            known: None,
            evidence: None,
            findings: Vec::new(),
            ..run.results[0].clone()
        };
        run.results = (0..failures)
            .map(|number| CaseResult {
                id: format!("reassembly/{number}"),
                detail: match number % every {
                    0 => "abcdefgh"[..=number % 8].into(),
                    _ => format!("{number} octets came").as_str().into(),
                },
                ..failed.clone()
            })
            .collect();
        let explains = run.results.iter().take(explained);
        run.diagnosis.causes[0].explains = explains.map(|one| one.id.clone()).collect();
        let mut out = Vec::new();
        write(&run, Look::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_said_most_often_is_told_where_many_failures_are_not_explained() {
        assert!(told(24, 3, 0).starts_with("16 of 24 failures say: 1 octets came"));
        assert_eq!(told(9, 3, 0), "", "they are few");
        assert_eq!(told(24, 3, 12), "", "half of them are explained");
    }
}
