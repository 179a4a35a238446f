//! What it all comes to: a line for each group of clauses, what was left unchecked, the verdict.

use super::look::{Ink, Look, wrapped};
use crate::event::{Attempts, Conclusion, Known, KnownKind, Run, Stale, Verdict};
use crate::report::escape::Line;
use crate::report::tally::{self, Counts, Mark, OfGroup};
use crate::report::timeline::{counted, seconds};
use std::cmp::Reverse;
use std::io::{self, Write};

/// So many reasons for skipping cases are told at most.
const REASONS: usize = 4;

pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // Where nothing could be played there is but one thing to say.
    if run.calibration.is_some() {
        played(run, look, out)?;
    }
    for Stale { case, problem, .. } in &run.finished.stale {
        let text = format!("{case} {problem}");
        listed("stale", &text, Ink::Bad, look, out)?;
    }
    if let Some(why) = &run.finished.broken_off {
        let ink = look.ink(Ink::Bad);
        writeln!(out, "{ink}broken off:{ink:#} {}", Line(why))?;
    }
    verdict(run, look, out)
}

fn played(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for group in tally::by_group(run) {
        of_group(&group, look, out)?;
    }
    writeln!(out)?;
    for (result, Known { kind, reason }) in tally::known(run) {
        let often = match kind {
            KnownKind::Failure => String::new(),
            KnownKind::Flaky => {
                let Attempts { failed, of } = result.attempts;
                format!(" (flaky, failed {failed} of {of} runs)")
            }
        };
        let text = format!("{}{often}: {reason}", result.id);
        listed("known", &text, Ink::Known, look, out)?;
    }
    let told = skipped(run, look, out)?;
    unchecked(run, &told, look, out)
}

/// The clauses of which no case was run, with the reasons that have not been told yet.
fn unchecked(run: &Run, told: &[&str], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (above, here): (Vec<_>, Vec<_>) = tally::unchecked(run)
        .into_iter()
        .partition(|(why, _)| told.contains(why));
    let above: Vec<&str> = above.into_iter().flat_map(|(_, clauses)| clauses).collect();
    let above = (!above.is_empty()).then(|| format!("{}: see above", above.join(", ")));
    let here = here
        .into_iter()
        .map(|(why, clauses)| format!("{}: {why}", clauses.join(", ")));
    for text in here.chain(above) {
        listed("not checked", &text, Ink::Faint, look, out)?;
    }
    Ok(())
}

/// Why cases were skipped: the reasons of most of them, unless all are asked for. Those that were told are
/// returned.
fn skipped<'a>(run: &'a Run, look: Look, out: &mut dyn Write) -> io::Result<Vec<&'a str>> {
    let mut reasons = tally::skipped(run);
    let others = match !look.verbose && reasons.len() > REASONS {
        true => {
            reasons.sort_by_key(|(_, count, _)| Reverse(*count));
            reasons.split_off(REASONS.saturating_sub(1))
        }
        false => Vec::new(),
    };
    for (why, count, clauses) in &reasons {
        let number = counted(*count, "case");
        let text = format!("{number}, of {}: {why}", clauses.join(", "));
        listed("skipped", &text, Ink::Faint, look, out)?;
    }
    if !others.is_empty() {
        let number = counted(others.iter().map(|(_, count, _)| count).sum(), "case");
        let text = format!(
            "{number} more for {} other reasons: --verbose tells them",
            others.len()
        );
        listed("skipped", &text, Ink::Faint, look, out)?;
    }
    Ok(reasons.into_iter().map(|(why, ..)| why).collect())
}

fn of_group(group: &OfGroup<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let clauses = counted(group.clauses.len(), "clause");
    let cases = counted(group.counts.total(), "case");
    write!(out, "  {:<13}{clauses:>10}{cases:>10}   ", group.title)?;
    counts(&group.counts, look, out)?;
    writeln!(out)
}

/// `61 pass, 1 fail`; just `all pass` where that is so.
fn counts(counts: &Counts, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut comma = "";
    for (mark, count) in counts.present() {
        let ink = look.mark(mark);
        if mark == Mark::Of(Verdict::Pass) && count == counts.total() {
            write!(out, "{ink}all pass{ink:#}")?;
        } else {
            write!(out, "{comma}{ink}{count} {mark}{ink:#}")?;
        }
        comma = ", ";
    }
    Ok(())
}

fn listed(label: &str, text: &str, ink: Ink, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let ink = look.ink(ink);
    let text = Line(text).to_string();
    let text = wrapped(&text, look.width, label.len().saturating_add(2));
    writeln!(out, "{ink}{label}:{ink:#} {text}")
}

fn verdict(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, ink) = if run.conclusion() != Conclusion::Passed {
        ("failed", Ink::Bad)
    } else {
        ("passed", Ink::Good)
    };
    let ink = look.ink(ink);
    let all = Counts::of(&run.results);
    let checked = run.finished.clauses_checked.len();
    let clauses = checked.saturating_add(run.finished.clauses_unchecked.len());
    writeln!(
        out,
        "{} in {}, {checked} of {} checked",
        counted(all.total(), "case"),
        seconds(run.finished.summary.elapsed_ms),
        counted(clauses, "clause")
    )?;
    write!(out, "{ink}{word}{ink:#}: ")?;
    if all.total() == 0 {
        write!(out, "nothing was run")?;
    }
    let stale = run.finished.stale.len();
    if stale > 0 {
        let bad = look.ink(Ink::Bad);
        write!(out, "{bad}{stale} stale{bad:#}, ")?;
    }
    counts(&all, look, out)?;
    writeln!(out)
}
