//! One page of HTML that needs no other file and no script.
//!
//! What is shown is chosen by check boxes and the style sheet alone, so the page can forbid itself
//! every script and every request.

mod case;
#[cfg(feature = "cli")]
pub mod live;

use super::causes;
use super::escape::Html;
use super::tally::{self, Counts, Mark, OfClause, OfGroup};
use super::timeline::{counted, millis, seconds};
use crate::event::{Calibration, CaseResult, Cause, Conclusion, Run, Stale};
use std::collections::HashSet;
use std::io::{self, Write};

/// The style sheet of all pages.
const STYLE: &str = include_str!("style.css");

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let word = verdict(run);
    begin(&format!("{}: {word}", run.started.target), out)?;
    filters(&Counts::of(&run.results), out)?;
    head(run, out)?;
    writeln!(out, "<main>")?;
    of_causes(run, out)?;
    let explained = causes::explained(run);
    for group in tally::by_group(run) {
        of_group(&group, &explained, out)?;
    }
    unchecked(run, out)?;
    writeln!(out, "</main>")?;
    end(out)
}

fn verdict(run: &Run) -> &'static str {
    if run.conclusion() != Conclusion::Passed {
        "failed"
    } else {
        "passed"
    }
}

/// What a page that needs no script may do: show itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The beginning of a page.
pub(super) fn begin(title: &str, out: &mut dyn Write) -> io::Result<()> {
    document(title, POLICY, &format!("<style>\n{STYLE}</style>"), out)
}

/// The beginning of a page that may do this, with what else stands in its head.
fn document(title: &str, policy: &str, head: &str, out: &mut dyn Write) -> io::Result<()> {
    let title = Html(title);
    write!(
        out,
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <title>{title}</title>\n\
         {head}\n\
         </head>\n\
         <body>\n"
    )
}

/// The end of a page.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</body>\n</html>")
}

/// A check box for each mark that occurs. They stand in front of everything that they show or
/// hide; their labels, which people see, are in the head.
fn filters(counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
    for (mark, _) in counts.present() {
        filter(mark, out)?;
    }
    Ok(())
}

fn filter(mark: Mark, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<input type=\"checkbox\" class=\"filter\" id=\"show-{mark}\" checked aria-label=\"show {mark}\">"
    )
}

fn head(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let all = Counts::of(&run.results);
    let word = verdict(run);
    writeln!(
        out,
        "<header>\n<h1><span class=\"mark {word}\">{word}</span> <span class=\"target\">{}</span></h1>",
        Html(&run.started.target)
    )?;
    writeln!(
        out,
        "<p class=\"facts\">profile {}, {} in {}, seed {}, version {}</p>",
        Html(&run.started.profile),
        counted(all.total(), "case"),
        seconds(run.finished.summary.elapsed_ms),
        run.started.seed,
        Html(&run.started.version)
    )?;
    if let Some(why) = &run.finished.broken_off {
        writeln!(out, "<p class=\"notice bad\">Broken off: {}</p>", Html(why))?;
    }
    for Stale { case, problem, .. } in &run.finished.stale {
        writeln!(
            out,
            "<p class=\"notice bad\">Stale expectation: <code>{}</code> {problem}</p>",
            Html(case)
        )?;
    }
    if let Some(found) = &run.calibration {
        shown_calibration(found, out)?;
    }
    writeln!(
        out,
        "<p class=\"legend\" role=\"group\" aria-label=\"Verdicts shown\">"
    )?;
    for (mark, count) in all.present() {
        writeln!(
            out,
            "<label for=\"show-{mark}\" class=\"pill {mark}\"><b>{count}</b> {mark}</label>"
        )?;
    }
    writeln!(out, "</p>\n</header>")
}

fn shown_calibration(found: &Calibration, out: &mut dyn Write) -> io::Result<()> {
    let clients = if found.concurrent {
        "several clients at once"
    } else {
        "one client at a time"
    };
    if found.client.is_empty() {
        writeln!(
            out,
            "<p class=\"facts\">round trip {}, replies: {}, {clients}, answers awaited for {}</p>",
            millis(found.round_trip_us),
            Html(&found.reply),
            seconds(found.timeout_ms)
        )?;
    } else {
        writeln!(out, "<p class=\"facts\">{}</p>", Html(&found.client))?;
    }
    for note in &found.notes {
        writeln!(out, "<p class=\"notice\">{}</p>", Html(note))?;
    }
    Ok(())
}

/// What is behind the failures, in the order in which to mend it; what each explains folds out.
fn of_causes(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let causes = causes::news(run);
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<div class=\"causes\">\n<h2>{}, {}</h2>\n<ol>",
        counted(causes.len(), "cause"),
        causes::left(run)
    )?;
    for cause in causes {
        of_cause(cause, run, out)?;
    }
    writeln!(out, "</ol>\n</div>")
}

fn of_cause(cause: &Cause, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<li><b>{}</b> <code class=\"id\">{}</code>\n<p>{}</p>",
        Html(&cause.title),
        Html(&cause.id),
        Html(&cause.advice)
    )?;
    if let Some(alike) = causes::alternatives(cause) {
        writeln!(out, "<p class=\"facts\">{}</p>", Html(&alike))?;
    }
    let facts = causes::facts(cause);
    writeln!(
        out,
        "<details>\n<summary class=\"facts\">{}</summary>\n<ul>",
        Html(&facts)
    )?;
    let is_explained = |result: &&CaseResult| cause.explains.contains(&result.id);
    for result in run.results.iter().filter(is_explained) {
        writeln!(
            out,
            "<li><code>{}</code> <span class=\"detail\">{}</span></li>",
            Html(&result.id),
            Html(&result.detail)
        )?;
    }
    writeln!(out, "</ul>\n</details>\n</li>")
}

fn of_group(group: &OfGroup<'_>, explained: &HashSet<&str>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section class=\"{}\">\n<h2>{}</h2>",
        has(&group.counts),
        Html(group.title)
    )?;
    for of in &group.clauses {
        of_clause(of, explained, out)?;
    }
    writeln!(out, "</section>")
}

/// The classes by which a container is shown when something in it is.
fn has(counts: &Counts) -> String {
    let classes: Vec<String> = counts
        .present()
        .map(|(mark, _)| format!("has-{mark}"))
        .collect();
    classes.join(" ")
}

fn of_clause(of: &OfClause<'_>, explained: &HashSet<&str>, out: &mut dyn Write) -> io::Result<()> {
    let is_open = of.counts.present().any(|(mark, _)| mark.is_shown_at_once());
    let open = if is_open { " open" } else { "" };
    writeln!(
        out,
        "<details class=\"clause {}\"{open}>\n<summary><h3>{}</h3>",
        has(&of.counts),
        Html(of.slug)
    )?;
    write!(out, "<span class=\"counts\">")?;
    for (mark, count) in of.counts.present() {
        write!(out, " <span class=\"count {mark}\">{count} {mark}</span>")?;
    }
    writeln!(out, "</span></summary>")?;
    if let Some(clause) = of.clause {
        writeln!(
            out,
            "<p class=\"sentence\"><b>{}</b> {}</p>",
            clause.level(),
            Html(clause.sentence())
        )?;
    }
    for result in &of.results {
        case::write(result, explained.contains(result.id.as_str()), out)?;
    }
    writeln!(out, "</details>")
}

fn unchecked(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let checked = run.finished.clauses_checked.len();
    let all = checked.saturating_add(run.finished.clauses_unchecked.len());
    writeln!(out, "<section class=\"coverage\">\n<h2>Coverage</h2>")?;
    writeln!(
        out,
        "<p>{checked} of {} checked.</p>",
        counted(all, "clause")
    )?;
    let reasons = tally::unchecked(run);
    if !reasons.is_empty() {
        writeln!(out, "<dl>")?;
        for (why, clauses) in reasons {
            writeln!(
                out,
                "<dt>{}</dt><dd>not checked: {}</dd>",
                Html(&clauses.join(", ")),
                Html(why)
            )?;
        }
        writeln!(out, "</dl>")?;
    }
    writeln!(out, "</section>")
}
