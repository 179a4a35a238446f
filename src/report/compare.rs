//! Runs side by side: a table with a row for each cause that explains a failure in one of them, and one
//! with a row for each case; a column for each run.

use super::causes;
use super::escape::{Html, Markdown};
use super::html;
use super::tally::{Counts, Mark};
use crate::event::{CaseResult, Cause, Known, Role, Run};
use crate::lang::{Text, say};
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

/// Runs set side by side.
#[derive(Debug)]
pub struct Comparison<'a> {
    names: Vec<&'a str>,
    runs: Vec<&'a Run>,
    rows: Vec<Line<'a>>,
}

/// Something that is to be told of a run.
type Fact = fn(&Run) -> Text;

/// A case in every run.
#[derive(Debug)]
struct Line<'a> {
    id: &'a str,
    /// One for each run; `None` where it was not selected.
    results: Vec<Option<&'a CaseResult>>,
}

/// Which cases are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rows {
    /// Those on which the runs do not agree.
    #[default]
    Different,
    /// All.
    All,
}

/// Sets runs side by side, each under its name. The cases stand in the order of the first run in
/// which they occur.
#[must_use]
pub fn compare<'a>(runs: &'a [(String, Run)]) -> Comparison<'a> {
    let by_id: Vec<HashMap<&str, &CaseResult>> = runs
        .iter()
        .map(|(_, run)| {
            run.results
                .iter()
                .map(|result| (result.id.as_str(), result))
                .collect()
        })
        .collect();
    let rows = ids(runs)
        .into_iter()
        .map(|id| Line {
            id,
            results: by_id
                .iter()
                .map(|results| results.get(id).copied())
                .collect(),
        })
        .collect();
    Comparison {
        names: runs.iter().map(|(name, _)| name.as_str()).collect(),
        runs: runs.iter().map(|(_, run)| run).collect(),
        rows,
    }
}

/// Every case once. One that a later run has more than the first comes behind the case that it
/// follows there.
fn ids(runs: &[(String, Run)]) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for (_, run) in runs {
        let mut places: HashMap<&str, usize> = ids
            .iter()
            .enumerate()
            .map(|(place, id)| (*id, place))
            .collect();
        let mut next = 0_usize;
        for result in &run.results {
            match places.get(result.id.as_str()) {
                Some(place) => next = next.max(place.saturating_add(1)),
                None => {
                    let place = next.min(ids.len());
                    ids.insert(place, &result.id);
                    next = place.saturating_add(1);
                    places = ids
                        .iter()
                        .enumerate()
                        .map(|(place, id)| (*id, place))
                        .collect();
                }
            }
        }
    }
    ids
}

impl Line<'_> {
    fn is_agreed(&self) -> bool {
        let verdicts = || {
            self.results
                .iter()
                .map(|result| result.map(|result| result.verdict))
        };
        verdicts()
            .zip(verdicts().skip(1))
            .all(|(one, next)| one == next)
    }
}

impl Comparison<'_> {
    /// The cases on which the runs do not agree.
    pub fn differences(&self) -> impl Iterator<Item = &str> {
        self.shown(Rows::Different).map(|line| line.id)
    }

    fn shown(&self, rows: Rows) -> impl Iterator<Item = &Line<'_>> {
        self.rows
            .iter()
            .filter(move |line| rows == Rows::All || !line.is_agreed())
    }

    /// What is said above the table.
    fn told(&self, rows: Rows) -> Text {
        let shown = self.shown(rows).count();
        let all = self.rows.len();
        match rows {
            Rows::All => say!("All {all} cases.", all),
            Rows::Different if shown == 0 => {
                say!("All {all} cases have the same verdict everywhere.", all)
            }
            Rows::Different if shown == all => say!("The runs differ on all {all} cases.", all),
            Rows::Different => say!(
                "{shown} of {all} cases differ; the other {others} have the same verdict everywhere.",
                shown,
                all,
                others = all.saturating_sub(shown)
            ),
        }
    }

    /// What else the runs have not in common, and which of them is not whole.
    fn notes(&self) -> Vec<String> {
        let runs = || self.names.iter().zip(&self.runs);
        let mut notes = Vec::new();
        let facts: [(Text, Fact); 3] = [
            (say!("what was checked"), |run| match run.started.role {
                Role::Server => say!("a server"),
                Role::Client => say!("a client"),
            }),
            (say!("the profile"), |run| {
                run.started.profile.as_str().into()
            }),
            (say!("the version of the program"), |run| {
                run.started.version.as_str().into()
            }),
        ];
        for (what, fact) in facts {
            let values: HashSet<Text> = self.runs.iter().map(|run| fact(run)).collect();
            if values.len() > 1 {
                let each: Vec<String> = runs()
                    .map(|(name, run)| format!("{} ({name})", fact(run)))
                    .collect();
                let each = each.join(", ");
                notes.push(say!("The runs differ in {what}: {each}.", what, each).to_string());
            }
        }
        let broken_off = runs().filter_map(|(name, run)| {
            let why = run.finished.broken_off.as_ref()?;
            Some(say!("{name} was broken off: {why}", name, why).to_string())
        });
        notes.extend(broken_off);
        notes
    }

    /// Writes a table in Markdown.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_markdown(&self, rows: Rows, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "## {}\n\n{}\n", say!("Comparison"), self.told(rows))?;
        for note in self.notes() {
            writeln!(out, "> {}: {}\n", say!("Note"), Markdown(&note))?;
        }
        self.markdown_of_causes(out)?;
        self.markdown_head(&say!("case"), out)?;
        for line in self.shown(rows) {
            write!(out, "| {} |", Markdown(line.id))?;
            for result in &line.results {
                match result {
                    Some(result) if Mark::of(result).is_bad(false) => {
                        write!(out, " **{}** |", Mark::of(result).word())?;
                    }
                    Some(result) => write!(out, " {} |", Mark::of(result).word())?,
                    None => write!(out, " – |")?,
                }
            }
            writeln!(out)?;
        }
        write!(out, "| {} |", say!("all"))?;
        for run in &self.runs {
            write!(out, " {} |", totals(run))?;
        }
        writeln!(out)
    }

    fn markdown_head(&self, what: &Text, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "| {what} |")?;
        for name in &self.names {
            write!(out, " {} |", Markdown(name))?;
        }
        writeln!(out, "\n|---|{}", "---|".repeat(self.names.len()))
    }

    fn markdown_of_causes(&self, out: &mut dyn Write) -> io::Result<()> {
        let causes = self.causes();
        if causes.is_empty() {
            return Ok(());
        }
        self.markdown_head(&say!("cause"), out)?;
        for cause in causes {
            let name = format!("{} ({})", cause.title, cause.id);
            write!(out, "| {} |", Markdown(&name))?;
            for run in &self.runs {
                write!(out, " {} |", how_sure(run, cause))?;
            }
            writeln!(out)?;
        }
        writeln!(out)
    }

    /// Every cause that some run names, once: those that are named first come first.
    fn causes(&self) -> Vec<&Cause> {
        causes::once(self.runs.iter().flat_map(|run| causes::news(run)))
    }

    /// Writes a page of HTML.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_html(&self, rows: Rows, out: &mut dyn Write) -> io::Result<()> {
        let comparison = say!("Comparison").to_string();
        html::begin(&comparison, out)?;
        writeln!(
            out,
            "<header>\n<h1>{comparison}</h1>\n<p>{}</p>",
            self.told(rows)
        )?;
        for note in self.notes() {
            writeln!(out, "<p class=\"notice\">{}</p>", Html(&note))?;
        }
        writeln!(out, "</header>")?;
        writeln!(out, "<main>")?;
        self.html_of_causes(out)?;
        self.html_head(&say!("case"), &say!("Verdicts"), out)?;
        for line in self.shown(rows) {
            html_row(line, out)?;
        }
        writeln!(
            out,
            "</tbody>\n<tfoot>\n<tr><th scope=\"row\">{}</th>",
            say!("all")
        )?;
        for run in &self.runs {
            writeln!(out, "<td>{}</td>", totals(run))?;
        }
        writeln!(out, "</tr>\n</tfoot>\n</table>\n</div>\n</main>")?;
        html::end(out)
    }

    /// A table up to its first row.
    fn html_head(&self, what: &Text, label: &Text, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">\n\
             <table>\n<thead>\n<tr><th scope=\"col\">{what}</th>"
        )?;
        for (name, run) in self.names.iter().zip(&self.runs) {
            writeln!(
                out,
                "<th scope=\"col\">{}<br><span class=\"facts\">{}</span></th>",
                Html(name),
                say!(
                    "{target}, profile {profile}",
                    target = Html(&run.started.target.shown()).to_string(),
                    profile = Html(&run.started.profile).to_string()
                )
            )?;
        }
        writeln!(out, "</tr>\n</thead>\n<tbody>")
    }

    fn html_of_causes(&self, out: &mut dyn Write) -> io::Result<()> {
        let causes = self.causes();
        if causes.is_empty() {
            return Ok(());
        }
        self.html_head(&say!("cause"), &say!("Causes"), out)?;
        for cause in causes {
            writeln!(
                out,
                "<tr><th scope=\"row\">{}<br><code>{}</code></th>",
                Html(&cause.title.shown()),
                Html(&cause.id)
            )?;
            for run in &self.runs {
                writeln!(out, "<td>{}</td>", how_sure(run, cause))?;
            }
            writeln!(out, "</tr>")?;
        }
        writeln!(out, "</tbody>\n</table>\n</div>")
    }
}

/// How sure a cause is in a run, and how many failures it explains there.
fn how_sure(run: &Run, cause: &Cause) -> String {
    causes::how_sure(causes::news(run), &cause.id).map_or("–".to_owned(), |how| how.to_string())
}

fn totals(run: &Run) -> String {
    let counts = Counts::of(&run.results);
    let counts: Vec<String> = counts
        .present()
        .map(|(mark, count)| mark.counted(count).to_string())
        .collect();
    counts.join(", ")
}

/// A verdict unfolds to what it says in detail.
fn html_row(line: &Line<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<tr><th scope=\"row\"><code>{}</code></th>",
        Html(line.id)
    )?;
    for result in &line.results {
        match result {
            None => writeln!(out, "<td class=\"none\">–</td>")?,
            Some(result) => {
                let mark = Mark::of(result);
                let mark = format!("<span class=\"mark {mark}\">{}</span>", mark.word());
                let told = told(result);
                if told.is_empty() {
                    writeln!(out, "<td>{mark}</td>")?;
                } else {
                    writeln!(
                        out,
                        "<td><details><summary>{mark}</summary>{told}</details></td>"
                    )?;
                }
            }
        }
    }
    writeln!(out, "</tr>")
}

/// What a verdict unfolds to.
fn told(result: &CaseResult) -> String {
    let mut told = String::new();
    if let Some(Known { kind, reason }) = &result.known {
        told.push_str(&format!("<p>{kind}: {}</p>", Html(reason)));
    }
    if !result.detail.is_empty() {
        told.push_str(&format!("<p>{}</p>", Html(&result.detail.shown())));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Verdict::{self, Fail, Pass, Skip};
    use crate::report::fixture;

    fn run(results: &[(&str, Verdict)]) -> Run {
        let mut run = Run::default();
        for (id, verdict) in results {
            run.results
                .push(fixture::case(id, *verdict, fixture::HOSTILE));
            run.finished.summary.count(*verdict);
        }
        run
    }

    fn runs() -> Vec<(String, Run)> {
        vec![
            (
                "one|<b>".into(),
                run(&[("order/a", Pass), ("order/b", Pass), ("order/d", Skip)]),
            ),
            (
                "two".into(),
                run(&[
                    ("order/a", Pass),
                    ("order/b", Fail),
                    ("order/c", Pass),
                    ("order/d", Skip),
                ]),
            ),
        ]
    }

    fn written(rows: Rows) -> (String, String) {
        let runs = runs();
        let comparison = compare(&runs);
        let (mut markdown, mut html) = (Vec::new(), Vec::new());
        comparison.write_markdown(rows, &mut markdown).unwrap();
        comparison.write_html(rows, &mut html).unwrap();
        (
            String::from_utf8(markdown).unwrap(),
            String::from_utf8(html).unwrap(),
        )
    }

    #[test]
    fn only_what_differs_is_told_unless_asked_for() {
        let runs = runs();
        let differences: Vec<String> = compare(&runs).differences().map(str::to_owned).collect();
        assert_eq!(differences, ["order/b", "order/c"]);
        let (markdown, html) = written(Rows::Different);
        assert!(!markdown.contains("order/a") && !html.contains("order/a"));
        let (markdown, html) = written(Rows::All);
        assert!(markdown.contains("order/a") && html.contains("order/a"));
    }

    #[test]
    fn the_table_in_markdown() {
        let (markdown, _) = written(Rows::All);
        insta::assert_snapshot!(markdown);
    }

    #[test]
    fn causes_stand_above_the_cases_each_once() {
        let mut without = fixture::run();
        without.diagnosis.causes.remove(0);
        let runs = vec![
            ("one".to_owned(), without),
            ("two".to_owned(), fixture::run()),
        ];
        let comparison = compare(&runs);
        let (mut markdown, mut html) = (Vec::new(), Vec::new());
        comparison.write_markdown(Rows::All, &mut markdown).unwrap();
        comparison.write_html(Rows::All, &mut html).unwrap();
        let markdown = String::from_utf8(markdown).unwrap();
        let row = "(header-in-one-read) | – | certain, 1 |";
        assert!(markdown.contains(row), "{markdown}");
        let row = "(padding-removed-in-pairs) | a guess, 1 | a guess, 1 |";
        assert_eq!(markdown.matches(row).count(), 1, "{markdown}");
        let html = String::from_utf8(html).unwrap();
        assert_eq!(html.matches("<code>header-in-one-read</code>").count(), 1);
    }

    /// What is known of a case is said of it, and is no difference between the servers.
    #[test]
    fn what_is_known_has_a_mark_of_its_own() {
        let known = vec![
            ("one".to_owned(), fixture::run()),
            ("two".to_owned(), fixture::known()),
        ];
        let comparison = compare(&known);
        assert_eq!(comparison.differences().count(), 0);
        let (mut markdown, mut html) = (Vec::new(), Vec::new());
        comparison.write_markdown(Rows::All, &mut markdown).unwrap();
        comparison.write_html(Rows::All, &mut html).unwrap();
        let markdown = String::from_utf8(markdown).unwrap();
        let row = "| reassembly/octet-by-octet | **fail** | known |";
        assert!(markdown.contains(row), "{markdown}");
        assert!(markdown.contains("1 error, 3 known, "), "{markdown}");
        let html = String::from_utf8(html).unwrap();
        assert!(html.contains("<span class=\"mark known\">known</span>"));
        assert!(html.contains("known failure: reads once: issue 12"));
    }

    #[test]
    fn what_runs_do_not_have_in_common_is_said() {
        let mut runs = runs();
        assert_eq!(compare(&runs).notes(), [""; 0]);
        runs[1].1.started.profile = "chunk-count".into();
        runs[1].1.finished.broken_off = Some("interrupted <b>".into());
        let (mut markdown, mut html) = (Vec::new(), Vec::new());
        let comparison = compare(&runs);
        comparison.write_markdown(Rows::All, &mut markdown).unwrap();
        comparison.write_html(Rows::All, &mut html).unwrap();
        let markdown = String::from_utf8(markdown).unwrap();
        assert!(markdown.contains("differ in the profile"), "{markdown}");
        assert!(markdown.contains("> Note: two was broken off: interrupted"));
        let html = String::from_utf8(html).unwrap();
        assert!(html.contains("two was broken off: interrupted &lt;b&gt;"));
    }

    #[test]
    fn nothing_hostile_is_markup() {
        let (_, html) = written(Rows::All);
        assert!(!html.contains("<script") && !html.contains("<b>"));
        assert!(html.contains("one|&lt;b&gt;"));
        assert!(
            html.chars()
                .all(|c| c == '\n' || crate::report::escape::is_harmless(c))
        );
    }

    #[test]
    fn of_the_same_run_twice_nothing_differs() {
        let same = vec![
            ("one".to_owned(), fixture::run()),
            ("two".to_owned(), fixture::run()),
        ];
        assert_eq!(compare(&same).differences().count(), 0);
        let mut markdown = Vec::new();
        compare(&same)
            .write_markdown(Rows::Different, &mut markdown)
            .unwrap();
        let markdown = String::from_utf8(markdown).unwrap();
        assert!(
            markdown.contains("All 13 cases have the same verdict"),
            "{markdown}"
        );
    }
}
