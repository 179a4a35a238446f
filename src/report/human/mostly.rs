//! What most failures have in common, where there are many: then it is one thing that is wrong, whether a cause is known
//! for it or not.

use super::look::{Ink, Look, wrapped};
use crate::event::{CaseResult, Run};
use crate::lang::{Text, say};
use crate::report::causes::is_found;
use crate::report::escape::Line;
use crate::report::timeline::{Noun, counted};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Fewer failures are told one by one.
const MANY: usize = 20;

/// Says what most failures say, if they do.
pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let found: Vec<&Text> = run
        .results
        .iter()
        .filter(|result| is_found(result))
        .map(what)
        .collect();
    let Some((times, what)) = most_common(&found).filter(|_| found.len() >= MANY) else {
        return Ok(());
    };
    if times.saturating_mul(2) <= found.len() {
        return Ok(());
    }
    let text = say!(
        "{times} of {failures} say: {what}",
        times,
        failures = counted(found.len(), Noun::Failure),
        what
    );
    let bad = look.ink(Ink::Bad);
    let text = wrapped(&Line(&text.shown()).to_string(), look.width, 2);
    writeln!(out, "{bad}{text}{bad:#}\n")
}

/// What is told first of a case.
fn what(result: &CaseResult) -> &Text {
    let first = result.findings.first();
    first.map_or(&result.detail, |finding| &finding.what)
}

/// The text that comes most often, whatever its numbers, and how often.
fn most_common<'a>(texts: &[&'a Text]) -> Option<(usize, &'a Text)> {
    let mut alike: BTreeMap<String, (usize, &Text)> = BTreeMap::new();
    for text in texts {
        let alike = alike.entry(without_numbers(text.as_str()));
        let (times, _) = alike.or_insert((0, text));
        *times = times.saturating_add(1);
    }
    alike.into_values().max_by_key(|(times, _)| *times)
}

fn without_numbers(text: &str) -> String {
    text.chars()
        .filter(|one| !one.is_ascii_digit() && *one != '.')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_make_no_other_text() {
        let texts = ["12 octets came", "no reply", "1.5 octets came"].map(Text::from);
        let texts: Vec<&Text> = texts.iter().collect();
        let most = most_common(&texts).map(|(times, text)| (times, text.as_str()));
        assert_eq!(most, Some((2, "12 octets came")));
    }
}
