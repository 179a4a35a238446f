//! The page of a run that goes on: what it shows before anything is known, and what it is told to add.
//!
//! The page begins empty, with a script. What is told to the script are pieces of the page that a run
//! has in the end, made by the same functions, so that all escaping is done here; behind the end it is told that page
//! itself, which needs no script.

use super::{STYLE, case, document, of_group, shown_calibration, write};
use crate::event::{CaseResult, Event, Run, Started};
use crate::lang::say;
use crate::report::Collector;
use crate::report::escape::Html;
use crate::report::tally::{self, Counts, Mark};
use crate::report::timeline::{Noun, counted};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

/// The script of the page.
pub const SCRIPT: &str = include_str!("live.js");

/// What only this page needs of the style sheet.
const OWN_STYLE: &str = include_str!("live.css");

/// What the page may load and run: what its own address has.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'";

/// Something that the page is told, as its script reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
enum Told<'a> {
    /// A run begins: the body of the page.
    Start { html: String, cases: usize },
    /// What the first look found out.
    Look { html: String },
    /// A case is begun.
    Begun { id: &'a str },
    /// A case has ended.
    Case {
        /// Where it stands among all.
        place: usize,
        clause: &'a str,
        mark: &'static str,
        /// Whether its clause is shown at once.
        open: bool,
        html: String,
    },
    /// The run is over: the whole page.
    Page { html: String },
}

/// Makes what the page is told of the events of a run.
#[derive(Debug, Default)]
pub struct Telling {
    /// The place of each case among all.
    places: HashMap<String, usize>,
}

impl Telling {
    /// What the page is told of an event, as JSON on one line; nothing, of what it shows in the end only.
    ///
    /// # Errors
    /// None that can be seen: it is written into memory.
    pub fn event(&mut self, event: &Event) -> io::Result<Option<String>> {
        let told = match event {
            Event::Started(started) => self.begin(started)?,
            Event::Calibrated(found) => Told::Look {
                html: made(|out| shown_calibration(found, out))?,
            },
            Event::CaseStarted { id } => Told::Begun { id },
            Event::CaseFinished(result) => self.ended(result)?,
            Event::Diagnosed(_) | Event::Finished(_) => return Ok(None),
        };
        line(&told).map(Some)
    }

    /// What it is told behind the last event, likewise: the page as it is written into a file.
    ///
    /// # Errors
    /// None that can be seen: it is written into memory.
    pub fn end(&self, run: &Run) -> io::Result<String> {
        let html = made(|out| write(run, out))?;
        line(&Told::Page { html })
    }

    fn begin(&mut self, started: &Started) -> io::Result<Told<'static>> {
        let ids = started.selection.iter().cloned();
        self.places = ids.zip(0..).collect();
        Ok(Told::Start {
            html: made(|out| body(started, out))?,
            cases: started.selected,
        })
    }

    fn ended<'a>(&self, result: &'a CaseResult) -> io::Result<Told<'a>> {
        let place = self.places.get(&result.id).copied();
        let mark = Mark::of(result);
        Ok(Told::Case {
            place: place.unwrap_or(self.places.len()),
            clause: &result.clause,
            mark: mark.as_str(),
            open: mark.is_shown_at_once(),
            // Folded, so that the page does not jump under the eyes of its reader.
            html: made(|out| case::write(result, true, out))?,
        })
    }
}

fn line(told: &Told<'_>) -> io::Result<String> {
    serde_json::to_string(told).map_err(io::Error::other)
}

fn made(written: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    let mut made = Vec::new();
    written(&mut made)?;
    String::from_utf8(made).map_err(io::Error::other)
}

/// Writes the page before anything is known.
///
/// # Errors
/// When `out` fails.
pub fn blank(out: &mut dyn Write) -> io::Result<()> {
    let head =
        format!("<style>\n{STYLE}{OWN_STYLE}</style>\n<script src=\"live.js\" defer></script>");
    document("conformance", POLICY, &head, out)?;
    writeln!(
        out,
        "<p id=\"told\" class=\"notice\" role=\"status\" data-running=\"{}\" data-over=\"{}\" data-save=\"{}\" \
         data-lost=\"{}\"></p>\n\
         <noscript><p class=\"notice\">{}</p></noscript>",
        say!("running"),
        say!("The run is over."),
        say!("Save this page"),
        say!(
            "The program cannot be reached: it has ended, or was stopped. What is shown is what it told until then."
        ),
        say!(
            "A script fills this page while the run goes on. --format html=FILE writes one that needs none."
        )
    )?;
    super::end(out)
}

/// The body of the page of a run of which no case has ended yet.
fn body(started: &Started, out: &mut dyn Write) -> io::Result<()> {
    for mark in Mark::ALL {
        super::filter(mark, out)?;
    }
    head(started, out)?;
    writeln!(out, "<main>")?;
    for mut group in tally::by_group(&unplayed(started)) {
        group.counts = Counts::default();
        for of in &mut group.clauses {
            of.results.clear();
            of.counts = Counts::default();
        }
        of_group(&group, &HashSet::new(), out)?;
    }
    writeln!(out, "</main>")
}

/// A run with all of its cases and no verdict.
fn unplayed(started: &Started) -> Run {
    let mut collector = Collector::default();
    collector.event(Event::Started(started.clone()));
    collector.into_run()
}

fn head(started: &Started, out: &mut dyn Write) -> io::Result<()> {
    let cases = counted(started.selected, Noun::Case);
    let of = say!(" of {cases}", cases);
    writeln!(
        out,
        "<header>\n<h1><span class=\"mark running\">{}</span> <span class=\"target\">{}</span></h1>\n\
         <p class=\"facts\">{}</p>\n\
         <div id=\"look\"></div>\n\
         <p class=\"progress\"><progress max=\"{}\" value=\"0\" aria-label=\"{}\"></progress> \
         <span id=\"ended\" data-of=\"{of}\">0{of}</span> <code id=\"now\"></code></p>\n\
         <p class=\"legend\" role=\"group\" aria-label=\"{}\">",
        say!("running"),
        Html(&started.target.shown()),
        say!(
            "profile {profile}, {cases}, seed {seed}, version {version}",
            profile = Html(&started.profile).to_string(),
            cases,
            seed = started.seed,
            version = Html(&started.version).to_string()
        ),
        started.selected,
        say!("Cases that have ended"),
        say!("Verdicts shown"),
    )?;
    for mark in Mark::ALL {
        let word = mark.behind_number();
        writeln!(
            out,
            "<label for=\"show-{mark}\" class=\"pill {mark}\" data-mark=\"{mark}\" data-word=\"{word}\" hidden><b>0</b> {word}</label>"
        )?;
    }
    writeln!(out, "</p>\n</header>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use serde_json::Value;

    fn told() -> Vec<Value> {
        let mut telling = Telling::default();
        let events = fixture::events();
        let lines = events
            .iter()
            .filter_map(|event| telling.event(event).unwrap());
        let mut lines: Vec<String> = lines.collect();
        lines.push(telling.end(&fixture::run()).unwrap());
        assert!(lines.iter().all(|line| !line.contains('\n')));
        let values = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        values.collect()
    }

    /// Every case comes with its place and in the words of the page that is written in the end.
    #[test]
    fn the_page_is_told_each_case_as_the_page_in_the_end_shows_it() {
        let told = told();
        assert_eq!(told[0]["is"], "start");
        let run = fixture::run();
        for (place, result) in run.results.iter().enumerate() {
            let of_it = told
                .iter()
                .find(|it| it["is"] == "case" && it["place"] == place);
            let html = of_it.unwrap()["html"].as_str().unwrap();
            assert!(
                html.contains(&format!("id=\"{}\"", Html(&result.id))),
                "{html}"
            );
            assert!(!html.contains("<script"), "{html}");
            assert!(told[0]["html"].as_str().unwrap().contains(&result.clause));
        }
        let mut page = Vec::new();
        write(&run, &mut page).unwrap();
        let last = told.last().unwrap();
        assert_eq!(last["html"].as_str().unwrap().as_bytes(), page);
    }
}
