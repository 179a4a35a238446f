//! Markdown, for the summary page of a CI job.
//!
//! Evidence is shown for the first failures only, since such pages have a limit.

use super::causes;
use super::escape::{Html, Markdown};
use super::human::plain_case;
use super::tally::{self, Counts, Mark, OfClause};
use super::timeline::{Noun, counted, millis, seconds};
use crate::event::{Calibration, CaseResult, Known, Run, Stale, Verdict};
use crate::lang::{Hole, Text, say};
use std::borrow::Cow;
use std::io::{self, Write};

/// Failures whose evidence is shown.
const SHOWN_IN_FULL: usize = 20;

/// Cases listed with their detail.
const LISTED: usize = 200;

/// Cases named with a cause that explains them.
const NAMED: usize = 12;

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    head(run, out)?;
    if let Some(found) = &run.calibration {
        calibration(found, out)?;
    }
    causes(run, out)?;
    findings(run, out)?;
    clauses(run, out)?;
    unchecked(run, out)
}

fn head(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let word = run.conclusion().word();
    let summary = &run.finished.summary;
    let all = Counts::of(&run.results);
    let stale = match run.finished.stale.len() {
        0 => String::new(),
        stale => format!("**{}**, ", say!("{stale} stale", stale)),
    };
    writeln!(
        out,
        "## {}: {word}\n",
        say!(
            "Conformance of {target}",
            target = Markdown(&run.started.target.shown()).to_string()
        )
    )?;
    writeln!(
        out,
        "{}: {stale}{}.\n",
        say!(
            "Profile {profile}, {cases} in {time}, seed {seed}",
            profile = Markdown(&run.started.profile).to_string(),
            cases = counted(all.total(), Noun::Case),
            time = seconds(summary.elapsed_ms),
            seed = run.started.seed
        ),
        counts(&all, run.started.strict)
    )?;
    if let Some(why) = &run.finished.broken_off {
        writeln!(
            out,
            "**{}:** {}\n",
            say!("The run was broken off"),
            Markdown(&why.shown())
        )?;
    }
    for Stale { case, problem, .. } in &run.finished.stale {
        writeln!(
            out,
            "**{}:** {} {problem}\n",
            say!("Stale expectation"),
            Markdown(case)
        )?;
    }
    Ok(())
}

fn counts(counts: &Counts, is_strict: bool) -> String {
    let counts: Vec<String> = counts
        .present()
        .map(|(mark, count)| {
            if mark.is_bad(is_strict) {
                format!("**{}**", mark.counted(count))
            } else {
                mark.counted(count).to_string()
            }
        })
        .collect();
    if counts.is_empty() {
        return say!("none run").to_string();
    }
    counts.join(", ")
}

fn calibration(found: &Calibration, out: &mut dyn Write) -> io::Result<()> {
    let clients = if found.concurrent {
        say!("several clients at once")
    } else {
        say!("one client at a time")
    };
    if found.client.is_empty() {
        writeln!(
            out,
            "{}\n",
            say!(
                "The server serves {clients}; replies: {replies}; round trip {round_trip}.",
                clients,
                replies = Markdown(&found.reply).to_string(),
                round_trip = millis(found.round_trip_us)
            )
        )?;
    } else {
        writeln!(out, "{}.\n", Markdown(&found.client.shown()))?;
    }
    for note in &found.notes {
        writeln!(out, "> {}: {}\n", say!("Note"), Markdown(&note.shown()))?;
    }
    Ok(())
}

/// What is behind what was found, in the order in which to mend it.
fn causes(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let causes = causes::news(run);
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {}\n\n{}.\n", say!("Causes"), causes::in_all(run))?;
    if let Some(caution) = causes::caution(run) {
        writeln!(out, "{}.\n", Markdown(&caution.shown()))?;
    }
    for (place, cause) in (1_usize..).zip(causes) {
        let names: Vec<&str> = cause.explains.iter().map(String::as_str).collect();
        let facts = format!("{}, {}", cause.id, causes::facts(run, cause));
        let alike = causes::alternatives(cause).map_or(String::new(), |alike| format!("; {alike}"));
        writeln!(
            out,
            "{place}. {} ({}{}). {} {}: {}",
            Markdown(&cause.title.shown()),
            Markdown(&facts),
            Markdown(&alike),
            Markdown(&cause.advice.shown()),
            say!("Failures"),
            Markdown(&causes::named(&names, NAMED).shown())
        )?;
    }
    writeln!(out)
}

/// What was found, the gravest first, and by itself what was known.
fn findings(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let found = Verdict::ALL
        .into_iter()
        .rev()
        .filter(|verdict| !matches!(verdict, Verdict::Pass | Verdict::Skip))
        .flat_map(|verdict| {
            let results = run.results.iter();
            results.filter(move |result| Mark::of(result) == Mark::Of(verdict))
        });
    let found: Vec<&CaseResult> = found.collect();
    let known: Vec<&CaseResult> = tally::known(run).map(|(result, _)| result).collect();
    let room = SHOWN_IN_FULL.saturating_sub(found.len());
    listed(&say!("Findings"), &found, SHOWN_IN_FULL, out)?;
    listed(&say!("Known failures"), &known, room, out)
}

/// Cases under a heading, so many of them with their evidence.
fn listed(
    title: &Text,
    results: &[&CaseResult],
    whole: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    if results.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {title}\n")?;
    for (index, result) in results.iter().take(LISTED).enumerate() {
        if index < whole {
            in_full(result, out)?;
        } else {
            let (word, text) = told(result);
            writeln!(
                out,
                "- **{word}** {} ({}): {}",
                Markdown(&result.id),
                result.level.text(),
                Markdown(&text)
            )?;
        }
    }
    let untold = results.len().saturating_sub(LISTED);
    if untold > 0 {
        writeln!(out, "- {}", say!("{untold} more", untold))?;
    }
    writeln!(out)
}

/// What a case is called, and what is to be said of it in a line.
fn told(result: &CaseResult) -> (Text, Cow<'_, str>) {
    match &result.known {
        Some(Known { kind, reason }) => (kind.words(), reason.into()),
        None => (Mark::Of(result.verdict).word(), result.detail.shown()),
    }
}

/// A case that unfolds. In `pre` nothing is read as Markdown, and blank lines do not end it.
fn in_full(result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    let (word, text) = told(result);
    writeln!(
        out,
        "<details><summary><b>{word}</b> <code>{}</code> ({}): {}</summary>\n",
        Html(&result.id),
        result.level.text(),
        Html(&text)
    )?;
    writeln!(out, "<pre>")?;
    for line in plain_case(result).lines().filter(|line| !line.is_empty()) {
        writeln!(out, "{}", Html(line))?;
    }
    writeln!(out, "</pre>\n\n</details>\n")
}

fn clauses(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}\n", say!("Clauses"))?;
    writeln!(out, "{}", say!("| clause | level | cases | verdicts |"))?;
    writeln!(out, "|---|---|---:|---|")?;
    for group in tally::by_group(run) {
        for of in &group.clauses {
            clause(of, run.started.strict, out)?;
        }
    }
    writeln!(out)
}

fn clause(of: &OfClause<'_>, is_strict: bool, out: &mut dyn Write) -> io::Result<()> {
    let level = of
        .clause
        .map_or_else(String::new, |clause| clause.level().text().to_string());
    writeln!(
        out,
        "| {} | {level} | {} | {} |",
        Markdown(of.slug),
        of.results.len(),
        counts(&of.counts, is_strict)
    )
}

fn unchecked(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let checked = run.finished.clauses_checked.len();
    let all = checked.saturating_add(run.finished.clauses_unchecked.len());
    let clauses = counted(all, Noun::Clause);
    writeln!(
        out,
        "{}",
        say!("{checked} of {clauses} checked.", checked, clauses)
    )?;
    for (why, clauses) in tally::unchecked(run) {
        writeln!(
            out,
            "- {}: {}: {}",
            say!("not checked"),
            Markdown(&clauses.join(", ")),
            Markdown(&why.shown())
        )?;
    }
    Ok(())
}
