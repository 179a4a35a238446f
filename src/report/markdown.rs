//! Markdown, for the summary page of a CI job.
//!
//! Evidence is shown for the first failures only, since such pages have a limit.

use super::escape::{Html, Markdown};
use super::human::plain_case;
use super::tally::{self, OfClause};
use super::timeline::{counted, millis, seconds};
use crate::event::{Calibration, CaseResult, Run, Summary, Verdict};
use std::io::{self, Write};

/// Failures whose evidence is shown.
const SHOWN_IN_FULL: usize = 20;

/// Cases listed with their detail.
const LISTED: usize = 200;

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    head(run, out)?;
    if let Some(found) = &run.calibration {
        calibration(found, out)?;
    }
    failures(run, out)?;
    clauses(run, out)?;
    unchecked(run, out)
}

fn head(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let word = if tally::is_failed(run) {
        "failed"
    } else {
        "passed"
    };
    let summary = &run.finished.summary;
    writeln!(
        out,
        "## Conformance of {}: {word}\n",
        Markdown(&run.started.target)
    )?;
    writeln!(
        out,
        "Profile {}, {} in {}, seed {}: {}.\n",
        Markdown(&run.started.profile),
        counted(tally::total(summary), "case"),
        seconds(summary.elapsed_ms),
        run.started.seed,
        counts(summary)
    )?;
    if let Some(why) = &run.finished.broken_off {
        writeln!(out, "**The run was broken off:** {}\n", Markdown(why))?;
    }
    Ok(())
}

fn counts(counts: &Summary) -> String {
    let counts: Vec<String> = tally::present(counts)
        .map(|(verdict, count)| match verdict {
            Verdict::Fail | Verdict::Error => format!("**{count} {verdict}**"),
            _ => format!("{count} {verdict}"),
        })
        .collect();
    if counts.is_empty() {
        return "none run".to_owned();
    }
    counts.join(", ")
}

fn calibration(found: &Calibration, out: &mut dyn Write) -> io::Result<()> {
    let clients = if found.concurrent {
        "serves several clients at once"
    } else {
        "serves one client at a time"
    };
    if found.client.is_empty() {
        writeln!(
            out,
            "The server {clients}; replies: {}; round trip {}.\n",
            Markdown(&found.reply),
            millis(found.round_trip_us)
        )?;
    } else {
        writeln!(out, "{}.\n", Markdown(&found.client))?;
    }
    for note in &found.notes {
        writeln!(out, "> Note: {}\n", Markdown(note))?;
    }
    Ok(())
}

fn failures(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<&CaseResult> = Verdict::ALL
        .into_iter()
        .rev()
        .filter(|verdict| !matches!(verdict, Verdict::Pass | Verdict::Skip))
        .flat_map(|verdict| {
            run.results
                .iter()
                .filter(move |result| result.verdict == verdict)
        })
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    writeln!(out, "### Findings\n")?;
    for (index, result) in shown.iter().take(LISTED).enumerate() {
        if index < SHOWN_IN_FULL {
            in_full(result, out)?;
        } else {
            writeln!(
                out,
                "- **{}** {} ({}): {}",
                result.verdict,
                Markdown(&result.id),
                result.level,
                Markdown(&result.detail)
            )?;
        }
    }
    let untold = shown.len().saturating_sub(LISTED);
    if untold > 0 {
        writeln!(out, "- {untold} more")?;
    }
    writeln!(out)
}

/// A case that unfolds. In `pre` nothing is read as Markdown, and blank lines do not end it.
fn in_full(result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<details><summary><b>{}</b> <code>{}</code> ({}): {}</summary>\n",
        result.verdict,
        Html(&result.id),
        result.level,
        Html(&result.detail)
    )?;
    writeln!(out, "<pre>")?;
    for line in plain_case(result).lines().filter(|line| !line.is_empty()) {
        writeln!(out, "{}", Html(line))?;
    }
    writeln!(out, "</pre>\n\n</details>\n")
}

fn clauses(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### Clauses\n")?;
    writeln!(out, "| clause | level | cases | verdicts |")?;
    writeln!(out, "|---|---|---:|---|")?;
    for group in tally::by_group(run) {
        for of in &group.clauses {
            clause(of, out)?;
        }
    }
    writeln!(out)
}

fn clause(of: &OfClause<'_>, out: &mut dyn Write) -> io::Result<()> {
    let level = of
        .clause
        .map_or_else(String::new, |clause| clause.level.to_string());
    writeln!(
        out,
        "| {} | {level} | {} | {} |",
        Markdown(of.slug),
        of.results.len(),
        counts(&of.counts)
    )
}

fn unchecked(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let checked = run.finished.clauses_checked.len();
    let all = checked.saturating_add(run.finished.clauses_unchecked.len());
    writeln!(out, "{checked} of {} checked.", counted(all, "clause"))?;
    for (why, clauses) in tally::unchecked(run) {
        writeln!(
            out,
            "- not checked: {}: {}",
            Markdown(&clauses.join(", ")),
            Markdown(why)
        )?;
    }
    Ok(())
}
