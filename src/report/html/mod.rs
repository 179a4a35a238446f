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
use super::timeline::{Noun, counted, millis, seconds};
use crate::event::{Calibration, CaseResult, Cause, Conclusion, Run, Stale};
use crate::lang::{self, Hole, Language, Text, say};
use std::collections::HashSet;
use std::io::{self, Write};

/// The style sheet of all pages.
const STYLE: &str = include_str!("style.css");

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    begin(
        &format!("{}: {}", run.started.target, verdict_word(run)),
        out,
    )?;
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

fn verdict_word(run: &Run) -> Text {
    run.conclusion().word()
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
    let language = lang::shown().map_or("en", Language::code);
    write!(
        out,
        "<!DOCTYPE html>\n\
         <html lang=\"{language}\">\n\
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
        "<input type=\"checkbox\" class=\"filter\" id=\"show-{mark}\" checked aria-label=\"{}\">",
        say!("show {mark}", mark = mark.word())
    )
}

fn head(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let all = Counts::of(&run.results);
    let word = verdict(run);
    writeln!(
        out,
        "<header>\n<h1><span class=\"mark {word}\">{}</span> <span class=\"target\">{}</span></h1>",
        verdict_word(run),
        Html(&run.started.target.shown())
    )?;
    writeln!(
        out,
        "<p class=\"facts\">{}</p>",
        say!(
            "profile {profile}, {cases} in {time}, seed {seed}, version {version}",
            profile = Html(&run.started.profile).to_string(),
            cases = counted(all.total(), Noun::Case),
            time = seconds(run.finished.summary.elapsed_ms),
            seed = run.started.seed,
            version = Html(&run.started.version).to_string()
        )
    )?;
    if let Some(why) = &run.finished.broken_off {
        writeln!(
            out,
            "<p class=\"notice bad\">{}: {}</p>",
            say!("Broken off"),
            Html(&why.shown())
        )?;
    }
    for Stale { case, problem, .. } in &run.finished.stale {
        writeln!(
            out,
            "<p class=\"notice bad\">{}: <code>{}</code> {problem}</p>",
            say!("Stale expectation"),
            Html(case)
        )?;
    }
    if let Some(found) = &run.calibration {
        shown_calibration(found, out)?;
    }
    writeln!(
        out,
        "<p class=\"legend\" role=\"group\" aria-label=\"{}\">",
        say!("Verdicts shown")
    )?;
    for (mark, count) in all.present() {
        writeln!(
            out,
            "<label for=\"show-{mark}\" class=\"pill {mark}\"><b>{count}</b> {}</label>",
            mark.behind_number()
        )?;
    }
    writeln!(out, "</p>\n</header>")
}

fn shown_calibration(found: &Calibration, out: &mut dyn Write) -> io::Result<()> {
    let clients = if found.concurrent {
        say!("several clients at once")
    } else {
        say!("one client at a time")
    };
    if found.client.is_empty() {
        writeln!(
            out,
            "<p class=\"facts\">{}</p>",
            say!(
                "round trip {round_trip}, replies: {replies}, {clients}, answers awaited for {timeout}",
                round_trip = millis(found.round_trip_us),
                replies = Html(&found.reply).to_string(),
                clients,
                timeout = seconds(found.timeout_ms)
            )
        )?;
    } else {
        writeln!(
            out,
            "<p class=\"facts\">{}</p>",
            Html(&found.client.shown())
        )?;
    }
    for note in &found.notes {
        writeln!(out, "<p class=\"notice\">{}</p>", Html(&note.shown()))?;
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
        "<div class=\"causes\">\n<h2>{}</h2>",
        causes::in_all(run)
    )?;
    if let Some(caution) = causes::caution(run) {
        writeln!(out, "<p>{}</p>", Html(&caution.shown()))?;
    }
    writeln!(out, "<ol>")?;
    for cause in causes {
        of_cause(cause, run, out)?;
    }
    writeln!(out, "</ol>\n</div>")
}

fn of_cause(cause: &Cause, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<li><b>{}</b> <code class=\"id\">{}</code>\n<p>{}</p>",
        Html(&cause.title.shown()),
        Html(&cause.id),
        Html(&cause.advice.shown())
    )?;
    if let Some(alike) = causes::alternatives(cause) {
        writeln!(out, "<p class=\"facts\">{}</p>", Html(&alike.shown()))?;
    }
    let facts = causes::facts(run, cause);
    writeln!(
        out,
        "<details>\n<summary class=\"facts\">{}</summary>\n<ul>",
        Html(&facts.shown())
    )?;
    let is_explained = |result: &&CaseResult| cause.explains.contains(&result.id);
    for result in run.results.iter().filter(is_explained) {
        writeln!(
            out,
            "<li><code>{}</code> <span class=\"detail\">{}</span></li>",
            Html(&result.id),
            Html(&result.detail.shown())
        )?;
    }
    writeln!(out, "</ul>\n</details>\n</li>")
}

fn of_group(group: &OfGroup<'_>, explained: &HashSet<&str>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section class=\"{}\">\n<h2>{}</h2>",
        has(&group.counts),
        Html(&group.title.shown())
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
        write!(
            out,
            " <span class=\"count {mark}\">{}</span>",
            mark.counted(count)
        )?;
    }
    writeln!(out, "</span></summary>")?;
    if let Some(clause) = of.clause {
        writeln!(
            out,
            "<p class=\"sentence\"><b>{}</b> {}</p>",
            clause.level().text(),
            Html(&Text::whole(clause.sentence()).shown())
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
    writeln!(
        out,
        "<section class=\"coverage\">\n<h2>{}</h2>",
        say!("Coverage")
    )?;
    writeln!(
        out,
        "<p>{}</p>",
        say!(
            "{checked} of {clauses} checked.",
            checked,
            clauses = counted(all, Noun::Clause)
        )
    )?;
    let reasons = tally::unchecked(run);
    if !reasons.is_empty() {
        writeln!(out, "<dl>")?;
        for (why, clauses) in reasons {
            writeln!(
                out,
                "<dt>{}</dt><dd>{}: {}</dd>",
                Html(&clauses.join(", ")),
                say!("not checked"),
                Html(&why.shown())
            )?;
        }
        writeln!(out, "</dl>")?;
    }
    writeln!(out, "</section>")
}
