//! What is behind the failures: the causes in the order in which to mend them, the first with the smallest
//! exchange that shows each.

use super::look::{Ink, Look, wrapped};
use super::{case, last_words};
use crate::event::{CaseResult, Cause, Run, What};
use crate::lang::say;
use crate::report::causes::{self, is_found};
use crate::report::escape::Line;
use std::io::{self, Write};

/// The most lines of an exchange that are shown of a cause.
pub(super) const MOST_LINES: usize = 12;

/// Causes that are shown with an exchange unless all are asked for: who mends these will want to check again.
const WITH_EXCHANGE: usize = 2;

/// Writes the causes, if there are any.
pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let causes = causes::news(run);
    if causes.is_empty() {
        return Ok(());
    }
    let bold = look.ink(Ink::Strong);
    let in_all = causes::in_all(run);
    writeln!(out, "{bold}{in_all}{bold:#}")?;
    if let Some(caution) = causes::caution(run) {
        writeln!(out, "{caution}")?;
    }
    writeln!(out)?;
    let groups = match look.verbose {
        true => causes
            .into_iter()
            .map(|cause| (cause, Vec::new()))
            .collect(),
        false => causes::mended_together(&causes),
    };
    let is_last_in_short = !look.verbose && groups.len() > WITH_EXCHANGE;
    for (place, (cause, others)) in (1_usize..).zip(groups) {
        of_cause(place, cause, &others, run, look, out)?;
    }
    match is_last_in_short {
        true => writeln!(out),
        false => Ok(()),
    }
}

fn of_cause(
    place: usize,
    cause: &Cause,
    others: &[&Cause],
    run: &Run,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, faint) = (look.ink(Ink::Strong), look.ink(Ink::Faint));
    let title = Line(&cause.title.shown()).to_string();
    writeln!(
        out,
        "{place}. {bold}{}{bold:#}",
        wrapped(&title, look.width, 3)
    )?;
    let what = Line(&format!("{}, {}", cause.id, causes::facts(run, cause))).to_string();
    writeln!(out, "   {faint}{}{faint:#}", wrapped(&what, look.width, 3))?;
    if let Some(alike) = causes::alternatives(cause) {
        let alike = Line(&alike.shown()).to_string();
        writeln!(out, "   {faint}{}{faint:#}", wrapped(&alike, look.width, 3))?;
    }
    let advice = Line(&cause.advice.shown()).to_string();
    writeln!(out, "   {}", wrapped(&advice, look.width, 3))?;
    for other in others {
        beside(other, run, look, out)?;
    }
    if let Some(words) = last_words::of_cause(cause, run) {
        last_words::write(&words, look, out)?;
    }
    let result = smallest(cause, run);
    match result {
        Some(result) if look.verbose || place <= WITH_EXCHANGE => {
            case::glimpse(result, MOST_LINES, look, out)?;
            writeln!(out)
        }
        Some(result) => case::rerun(result, look, out),
        None => Ok(()),
    }
}

/// One that is mended in the same lines, in a line.
fn beside(other: &Cause, run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let text = say!(
        "and with it: {title} ({id}, {sure}, explains {failures})",
        title = other.title,
        id = other.id,
        sure = causes::sure(other),
        failures = causes::how_much(run, other)
    );
    writeln!(
        out,
        "   {}",
        wrapped(&Line(&text.shown()).to_string(), look.width, 3)
    )
}

/// The failure that it explains, and no cause before it, of which there is least to see: one that shows what its title
/// says and is not known, if there is one.
fn smallest<'a>(cause: &Cause, run: &'a Run) -> Option<&'a CaseResult> {
    let is_explained = |result: &&CaseResult| cause.explains.contains(&result.id);
    let failed = run.results.iter().filter(is_explained);
    failed.min_by_key(|result| {
        let is_of_another = causes::of_case(run, result).is_some_and(|first| first.id != cause.id);
        let is_own = result.clause == cause.clause;
        (
            !is_found(result),
            result.evidence.is_none(),
            !cause.shows.contains(&result.id),
            is_of_another,
            size(result),
            !is_own,
        )
    })
}

/// How much there is to see of a case.
pub(super) fn size(result: &CaseResult) -> usize {
    let moments = result
        .evidence
        .iter()
        .flat_map(|evidence| &evidence.timeline);
    let sizes = moments.map(|moment| match &moment.what {
        What::Sent { octets } | What::Received { octets } => octets.len().saturating_add(16),
        _ => 16,
    });
    sizes.fold(0, usize::saturating_add)
}
