//! The report for a person: what failed, with everything needed to see why, then a summary.
//!
//! The head is written as soon as the run begins and the rest when it is over, in the order of the
//! table, so that the same results always read the same.

mod case;
mod causes;
mod last_words;
mod look;
mod mostly;
mod summary;

pub use case::exchange;
pub(super) use case::plain as plain_case;
pub use look::Look;
pub(crate) use look::wrapped;

use super::Reporter;
use super::causes::{explained, is_found, named};
use super::escape::Line;
use super::tally::{self, OfClause};
use super::timeline::{Noun, counted, millis, seconds};
use crate::event::{Calibration, CaseResult, Event, Run, Started, Verdict};
use crate::lang::{Hole, Text, say};
use last_words::Death;
use look::Ink;
use std::collections::HashSet;
use std::io::{self, Write};

/// Up to this many failures are all shown with their evidence; of more, the first of each clause.
const SHOWN_IN_FULL: usize = 8;

/// Where there are causes, up to this many failures that none explains are shown with a glimpse of what was seen.
const BESIDE_CAUSES: usize = 3;

/// That is, where there are no more causes than these: who mends more of them will see what is left.
const FEW_CAUSES: usize = 3;

/// Otherwise so many are named of each clause, with so many characters of what was found in the first.
const NAMED: usize = 4;
const DETAIL: usize = 160;

/// What is said before them.
fn not_explained() -> String {
    format!("{}:", say!("not explained"))
}

/// Writes the report as its events come.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    look: Look,
}

impl<W: Write> Human<W> {
    /// Writes to `out`.
    pub const fn new(out: W, look: Look) -> Self {
        Self { out, look }
    }
}

impl<W: Write> Reporter for Human<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => head(started, started.selected, self.look, &mut self.out)?,
            Event::Calibrated(found) => calibration(found, self.look, &mut self.out)?,
            _ => return Ok(()),
        }
        self.out.flush()
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        body(run, self.look, &mut self.out)?;
        self.out.flush()
    }
}

/// Writes the report of a run that is over.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    head(&run.started, run.results.len(), look, out)?;
    if let Some(found) = &run.calibration {
        calibration(found, look, out)?;
    }
    body(run, look, out)
}

fn head(started: &Started, cases: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if started.target.is_empty() {
        return Ok(());
    }
    let bold = look.ink(Ink::Strong);
    let target = Line(&started.target.shown()).to_string();
    let rest = say!(
        ", profile {profile}, {cases}, seed {seed}",
        profile = Line(&started.profile).to_string(),
        cases = counted(cases, Noun::Case),
        seed = started.seed
    );
    let wrapped = wrapped(&format!("{target}{rest}"), look.width, 0);
    match wrapped.strip_prefix(&target) {
        Some(rest) => writeln!(out, "{bold}{target}{bold:#}{rest}"),
        // It was cut itself.
        None => writeln!(out, "{wrapped}"),
    }
}

fn calibration(found: &Calibration, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // Who reads what failed need not know how long silence has to last.
    if look.verbose {
        measured(found, look, out)?;
    }
    notes(found, look, out)
}

/// What the first look has measured, which is what verdicts rest on.
fn measured(found: &Calibration, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let faint = look.ink(Ink::Faint);
    let clients = if found.concurrent {
        say!("several clients at once")
    } else {
        say!("one client at a time")
    };
    let of_server = say!(
        "round trip {round_trip}, replies: {replies}, {clients}, silence shown by a canary's round trips and {slack} more, answers awaited for {timeout}",
        round_trip = millis(found.round_trip_us),
        replies = Line(&found.reply).to_string(),
        clients,
        slack = millis(found.slack_us),
        timeout = seconds(found.timeout_ms)
    );
    let of_client = Line(&found.client.shown()).to_string();
    let text = if of_client.is_empty() {
        of_server.to_string()
    } else {
        of_client
    };
    writeln!(out, "{faint}{}{faint:#}", wrapped(&text, look.width, 0))
}

fn notes(found: &Calibration, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for note in &found.notes {
        let ink = look.ink(Ink::Warn);
        let text = Line(&note.shown()).to_string();
        let note = format!("{}:", say!("note"));
        let indent = note.chars().count().saturating_add(1);
        write!(out, "{ink}{note}{ink:#} ")?;
        out.write_all(wrapped(&text, look.width, indent).as_bytes())?;
        writeln!(out)?;
    }
    Ok(())
}

fn body(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let say_the_same = mostly::write(run, look, out)?;
    causes::write(run, look, out)?;
    let explained = match look.verbose {
        true => HashSet::new(),
        false => explained(run),
    };
    told_above(run, &explained, look, out)?;
    let is_left =
        |result: &CaseResult| !is_found(result) || !explained.contains(result.id.as_str());
    let found = run.results.iter().filter(|result| is_found(result));
    let failures = found.filter(|result| is_left(result)).count();
    let is_traced = run.results.iter().any(is_traced);
    let is_told_above = say_the_same || !explained.is_empty();
    let is_beside_causes = is_told_above && !is_traced && !look.whole;
    let are_many = super::causes::news(run).len() > FEW_CAUSES;
    let is_short = is_beside_causes && (failures > BESIDE_CAUSES || are_many);
    let in_full = failures <= SHOWN_IN_FULL || is_traced;
    let deaths = match is_short {
        true => last_words::deaths(
            run.results
                .iter()
                .filter(|result| is_found(result) && is_left(result)),
        ),
        false => Vec::new(),
    };
    for death in &deaths {
        of_deaths(death, look, out)?;
    }
    let is_death = |result: &CaseResult| {
        let mut all = deaths.iter().flat_map(|(_, results)| results);
        all.any(|other| other.id == result.id)
    };
    for mut of in tally::by_clause(run) {
        of.results
            .retain(|result| is_left(result) && !is_death(result));
        if is_short {
            unexplained(&of, look, out)?;
        } else if is_beside_causes {
            glimpses(&of, look, out)?;
        } else if of.results.iter().any(|result| is_shown(result, look)) {
            of_clause(&of, in_full, look, out)?;
        }
    }
    if is_beside_causes && failures > 0 {
        if !is_short {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}\n",
            say!("--verbose shows each failure with what was sent and seen")
        )?;
    }
    summary::write(run, look, out)
}

/// How many failures of each clause the causes explain.
fn told_above(
    run: &Run,
    explained: &HashSet<&str>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_explained =
        |result: &&&CaseResult| is_found(result) && explained.contains(result.id.as_str());
    let clauses: Vec<String> = tally::by_clause(run)
        .iter()
        .map(|of| (of.slug, of.results.iter().filter(is_explained).count()))
        .filter(|(_, failures)| *failures > 0)
        .map(|(slug, failures)| format!("{slug} {failures}"))
        .collect();
    if clauses.is_empty() {
        return Ok(());
    }
    let text = say!(
        "failures explained above: {clauses}",
        clauses = clauses.join(", ")
    );
    let text = Line(&text.shown()).to_string();
    writeln!(out, "{}\n", wrapped(&text, look.width, 2))
}

/// The few failures of a clause that no cause explains, each with the beginning of what was seen.
fn glimpses(of: &OfClause<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for result in of.results.iter().filter(|result| is_found(result)) {
        case::in_part(result, causes::MOST_LINES, look, out)?;
    }
    Ok(())
}

/// The failures of a clause that no cause explains, in a few lines.
fn unexplained(of: &OfClause<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let left: Vec<&CaseResult> = of
        .results
        .iter()
        .copied()
        .filter(|result| is_found(result))
        .collect();
    let Some(first) = left.first() else {
        return Ok(());
    };
    let detail: String = first.detail.shown().chars().take(DETAIL).collect();
    left_over(&left, &detail, look, out)
}

/// Failures that no cause explains, with the same words of a server that had died.
fn of_deaths((words, of): &Death<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = of.first() else {
        return Ok(());
    };
    let words = last_words::told(words);
    left_over(
        of,
        &format!("{}; {}", first.detail.shown(), words.shown()),
        look,
        out,
    )
}

fn left_over(of: &[&CaseResult], what: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = of.iter().map(|result| result.id.as_str()).collect();
    let label = not_explained();
    let text = format!("{label} {}: {what}", named(&names, NAMED));
    let text = wrapped(&Line(&text).to_string(), look.width, 2);
    let rest = text.strip_prefix(&label).unwrap_or(&text);
    let bad = look.ink(Ink::Bad);
    writeln!(out, "{bad}{label}{bad:#}{rest}")
}

/// Whether a case is shown by itself.
fn is_shown(result: &CaseResult, look: Look) -> bool {
    is_found(result) || is_traced(result) || (look.whole && result.known.is_some())
}

/// Whether the timeline was kept though nothing was found: the user wants to see them all.
const fn is_traced(result: &CaseResult) -> bool {
    matches!(result.verdict, Verdict::Pass | Verdict::Skip) && result.evidence.is_some()
}

/// What was found under a clause: the gravest case with its evidence, or all of them.
fn of_clause(of: &OfClause<'_>, in_full: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.ink(Ink::Strong);
    let faint = look.ink(Ink::Faint);
    write!(out, "{bold}{}{bold:#}", Line(of.slug))?;
    if let Some(clause) = of.clause {
        let sentence = Text::whole(clause.sentence());
        let sentence = wrapped(&sentence.shown(), look.width.saturating_sub(2), 2);
        writeln!(
            out,
            " {}\n  {faint}{sentence}{faint:#}",
            clause.level().text()
        )?;
    } else {
        writeln!(out)?;
    }
    let shown = || of.results.iter().filter(|result| is_shown(result, look));
    let unknown = shown().filter(|result| result.known.is_none());
    let gravest = unknown.map(|result| result.verdict).max();
    let mut has_full = false;
    for result in shown() {
        let is_gravest = result.known.is_none() && Some(result.verdict) == gravest;
        let full = in_full || look.whole || (!has_full && is_gravest);
        has_full |= full;
        if full {
            case::in_full(result, look, out)?;
        } else {
            case::in_short(result, look, out)?;
        }
    }
    writeln!(out)
}
