//! What it all comes to: a line for each group of clauses, what was left unchecked, the verdict.

use super::look::{Ink, Look, wrapped};
use crate::event::{Attempts, Conclusion, Known, KnownKind, Run, Stale, Verdict};
use crate::lang::{Text, say};
use crate::report::escape::Line;
use crate::report::tally::{self, Counts, Mark, OfGroup};
use crate::report::timeline::{Noun, counted, seconds};
use std::cmp::Reverse;
use std::io::{self, Write};

/// So many reasons for skipping cases are told at most.
const REASONS: usize = 4;

/// So many clauses are named of which the same is said; of more it is said how many they are.
const NAMED: usize = 8;

pub(super) fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // Where nothing could be played there is but one thing to say.
    if run.calibration.is_some() {
        played(run, look, out)?;
    }
    for Stale { case, problem, .. } in &run.finished.stale {
        let text = format!("{case} {problem}");
        listed(&say!("stale"), &text, Ink::Bad, look, out)?;
    }
    if let Some(why) = &run.finished.broken_off {
        let ink = look.ink(Ink::Bad);
        writeln!(
            out,
            "{ink}{}:{ink:#} {}",
            say!("broken off"),
            Line(&why.shown())
        )?;
    }
    verdict(run, look, out)
}

fn played(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    groups(run, look, out)?;
    writeln!(out)?;
    for (result, Known { kind, reason }) in tally::known(run) {
        let often = match kind {
            KnownKind::Failure => Text::default(),
            KnownKind::Flaky => {
                let Attempts { failed, of } = result.attempts;
                say!(" (flaky, failed {failed} of {of} runs)", failed, of)
            }
        };
        let text = format!("{}{often}: {reason}", result.id);
        listed(&say!("known"), &text, Ink::Known, look, out)?;
    }
    let told = skipped(run, look, out)?;
    unchecked(run, &told, look, out)
}

/// The clauses of which no case was run, with the reasons that have not been told yet.
fn unchecked(run: &Run, told: &[Text], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (above, here): (Vec<_>, Vec<_>) = tally::unchecked(run)
        .into_iter()
        .partition(|(why, _)| told.contains(*why));
    let above: Vec<&str> = above.into_iter().flat_map(|(_, clauses)| clauses).collect();
    let above = (!above.is_empty())
        .then(|| say!("{clauses}: see above", clauses = named(&above, look)).to_string());
    let here = here
        .into_iter()
        .map(|(why, clauses)| format!("{}: {why}", named(&clauses, look)));
    for text in here.chain(above) {
        listed(&say!("not checked"), &text, Ink::Faint, look, out)?;
    }
    Ok(())
}

/// Clauses by name, or how many there are if they are many, unless all is asked for.
fn named(clauses: &[&str], look: Look) -> String {
    match look.verbose || clauses.len() <= NAMED {
        true => clauses.join(", "),
        false => counted(clauses.len(), Noun::Clause).to_string(),
    }
}

/// Why cases were skipped: the reasons of most of them, unless all are asked for. Those that were told are
/// returned.
fn skipped(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<Vec<Text>> {
    let mut reasons = tally::skipped(run);
    let others = match !look.verbose && reasons.len() > REASONS {
        true => {
            reasons.sort_by_key(|(_, count, _)| Reverse(*count));
            reasons.split_off(REASONS.saturating_sub(1))
        }
        false => Vec::new(),
    };
    for (why, count, clauses) in &reasons {
        let number = counted(*count, Noun::Case);
        let text = say!(
            "{cases}, of {clauses}: {why}",
            cases = number,
            clauses = named(clauses, look),
            why
        );
        listed(&say!("skipped"), &text.shown(), Ink::Faint, look, out)?;
    }
    if !others.is_empty() {
        let number = counted(others.iter().map(|(_, count, _)| count).sum(), Noun::Case);
        let text = say!(
            "{cases} more for {reasons} other reasons: --verbose tells them",
            cases = number,
            reasons = others.len()
        );
        listed(&say!("skipped"), &text.shown(), Ink::Faint, look, out)?;
    }
    Ok(reasons.into_iter().map(|(why, ..)| why).collect())
}

/// A line for each group, in columns.
fn groups(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let groups = tally::by_group(run);
    let titles = groups.iter().map(|group| width(&group.title)).max();
    let clauses = groups.iter().map(|group| width(&clauses(group))).max();
    let widths = (
        titles.unwrap_or_default().saturating_add(1).max(13),
        clauses.unwrap_or_default().max(10),
    );
    for group in &groups {
        of_group(group, widths, look, out)?;
    }
    Ok(())
}

fn width(text: &Text) -> usize {
    text.shown().chars().count()
}

fn clauses(group: &OfGroup<'_>) -> Text {
    counted(group.clauses.len(), Noun::Clause)
}

fn of_group(
    group: &OfGroup<'_>,
    (titles, widest): (usize, usize),
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (title, clauses) = (&group.title, clauses(group));
    let cases = counted(group.counts.total(), Noun::Case);
    write!(out, "  {title:<titles$}{clauses:>widest$}{cases:>10}   ")?;
    counts(&group.counts, look, out)?;
    writeln!(out)
}

/// `61 pass, 1 fail`; just `all pass` where that is so.
fn counts(counts: &Counts, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut comma = "";
    for (mark, count) in counts.present() {
        let ink = look.mark(mark);
        if mark == Mark::Of(Verdict::Pass) && count == counts.total() {
            write!(out, "{ink}{}{ink:#}", say!("all pass"))?;
        } else {
            write!(out, "{comma}{ink}{}{ink:#}", mark.counted(count))?;
        }
        comma = ", ";
    }
    Ok(())
}

fn listed(label: &Text, text: &str, ink: Ink, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let ink = look.ink(ink);
    let text = Line(text).to_string();
    let text = wrapped(&text, look.width, width(label).saturating_add(2));
    writeln!(out, "{ink}{label}:{ink:#} {text}")
}

fn verdict(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let conclusion = run.conclusion();
    let word = conclusion.word();
    let ink = look.ink(match conclusion {
        Conclusion::Passed => Ink::Good,
        Conclusion::Failed | Conclusion::Undecided => Ink::Bad,
    });
    let all = Counts::of(&run.results);
    let checked = run.finished.clauses_checked.len();
    let clauses = checked.saturating_add(run.finished.clauses_unchecked.len());
    writeln!(
        out,
        "{}",
        say!(
            "{cases} in {time}, {checked} of {clauses} checked",
            cases = counted(all.total(), Noun::Case),
            time = seconds(run.finished.summary.elapsed_ms),
            checked,
            clauses = counted(clauses, Noun::Clause)
        )
    )?;
    write!(out, "{ink}{word}{ink:#}: ")?;
    if all.total() == 0 {
        write!(out, "{}", say!("nothing was run"))?;
    }
    let stale = run.finished.stale.len();
    if stale > 0 {
        let bad = look.ink(Ink::Bad);
        write!(out, "{bad}{}{bad:#}, ", say!("{stale} stale", stale))?;
    }
    counts(&all, look, out)?;
    writeln!(out)
}
