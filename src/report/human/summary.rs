//! What it all comes to: a line for each group of clauses, what was left unchecked, the verdict.

use super::look::{Ink, Look, wrapped};
use crate::event::{Run, Summary, Verdict};
use crate::report::escape::Line;
use crate::report::tally::{self, OfGroup};
use crate::report::timeline::{counted, seconds};
use std::io::{self, Write};

pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // Where nothing could be played there is but one thing to say.
    if run.calibration.is_some() {
        played(run, look, out)?;
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
    for (why, count, clauses) in tally::skipped(run) {
        let text = format!(
            "{}, of {}: {why}",
            counted(count, "case"),
            clauses.join(", ")
        );
        listed("skipped", &text, look, out)?;
    }
    for (why, clauses) in tally::unchecked(run) {
        listed(
            "not checked",
            &format!("{}: {why}", clauses.join(", ")),
            look,
            out,
        )?;
    }
    Ok(())
}

fn of_group(group: &OfGroup<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let clauses = counted(group.clauses.len(), "clause");
    let cases = counted(tally::total(&group.counts), "case");
    write!(out, "  {:<13}{clauses:>10}{cases:>10}   ", group.title)?;
    counts(&group.counts, look, out)?;
    writeln!(out)
}

/// `61 pass, 1 fail`; just `all pass` where that is so.
fn counts(counts: &Summary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut comma = "";
    for (verdict, count) in tally::present(counts) {
        let ink = look.verdict(verdict);
        if verdict == Verdict::Pass && count == tally::total(counts) {
            write!(out, "{ink}all pass{ink:#}")?;
        } else {
            write!(out, "{comma}{ink}{count} {verdict}{ink:#}")?;
        }
        comma = ", ";
    }
    Ok(())
}

fn listed(label: &str, text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let faint = look.ink(Ink::Faint);
    let text = Line(text).to_string();
    let text = wrapped(&text, look.width, label.len().saturating_add(2));
    writeln!(out, "{faint}{label}:{faint:#} {text}")
}

fn verdict(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let summary = &run.finished.summary;
    let (word, ink) = if tally::is_failed(run) {
        ("failed", Ink::Bad)
    } else {
        ("passed", Ink::Good)
    };
    let ink = look.ink(ink);
    let checked = run.finished.clauses_checked.len();
    let clauses = checked.saturating_add(run.finished.clauses_unchecked.len());
    writeln!(
        out,
        "{} in {}, {checked} of {} checked",
        counted(tally::total(summary), "case"),
        seconds(summary.elapsed_ms),
        counted(clauses, "clause")
    )?;
    write!(out, "{ink}{word}{ink:#}: ")?;
    if tally::total(summary) == 0 {
        write!(out, "nothing was run")?;
    }
    counts(summary, look, out)?;
    writeln!(out)
}
