//! What most failures have in common where no cause is known for them: then it is one thing that is wrong all the same.

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

/// Says what most failures say, if they do, with the smallest of them; whether they do.
pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<bool> {
    let found = run.results.iter().filter(|result| is_found(result)).count();
    let alike = alike(run);
    let smallest = alike
        .iter()
        .min_by_key(|result| (result.evidence.is_none(), size(result)));
    let Some(smallest) = smallest.filter(|_| found >= MANY && alike.len() > found / 2) else {
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

/// Of the failures that no cause explains those that say what most of them do.
fn alike(run: &Run) -> Vec<&CaseResult> {
    let explained = explained(run);
    let mut alike: BTreeMap<String, Vec<&CaseResult>> = BTreeMap::new();
    for result in run.results.iter().filter(|result| is_found(result)) {
        if !explained.contains(result.id.as_str()) {
            let text = without_numbers(what(result).as_str());
            alike.entry(text).or_default().push(result);
        }
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

    /// So many failures, every n-th of which says something of its own.
    fn told(failures: usize, every: usize) -> String {
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
        let mut out = Vec::new();
        write(&run, Look::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_most_failures_say_is_told_where_there_are_many() {
        assert!(told(24, 3).starts_with("16 of 24 failures say: 1 octets came"));
        assert_eq!(told(9, 3), "");
        assert_eq!(told(24, 1), "");
    }
}
