//! What is written of a class, with names and texts that try to be more than text.

use super::*;
use crate::report::{Look, fixture};

fn person(name: &str, became: Became) -> Person {
    Person {
        name: name.to_owned(),
        points: "7.5".to_owned(),
        became,
        notes: vec![format!("it was slow {}", fixture::HOSTILE)],
        page: Some("pages/x.html".to_owned()),
    }
}

fn class() -> Class {
    let mut without = fixture::run();
    without.diagnosis.causes.remove(0);
    Class {
        command: "python3 {dir}/server.py {port}".to_owned(),
        profile: "tutorial".to_owned(),
        most: "10".to_owned(),
        notes: vec![fixture::HOSTILE.into()],
        people: vec![
            person(
                "=HYPERLINK(\"http://x\")",
                Became::Checked(Found::of(&without)),
            ),
            person(
                fixture::HOSTILE,
                Became::Checked(Found::of(&fixture::run())),
            ),
            person("+1", Became::NotServed(" -2+3".to_owned())),
            person("@x", Became::NotGraded("no room".to_owned())),
        ],
    }
}

fn written(write: impl Fn(&Class, &mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&class(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn the_causes_of_most_people_come_first_and_each_once() {
    let class = class();
    let shared = class.shared();
    let counts: Vec<(&str, usize)> = shared
        .iter()
        .map(|shared| (shared.cause.id.as_str(), shared.people.len()))
        .collect();
    assert_eq!(
        counts,
        [("padding-removed-in-pairs", 2), ("header-in-one-read", 1)]
    );
    let html = written(Class::write_html);
    assert_eq!(html.matches("<li id=\"header-in-one-read\">").count(), 1);
    assert!(written(Class::write_markdown).contains("(header-in-one-read) | 1 |"));
}

/// A name, or what a server wrote, is never a formula in a spreadsheet, whichever way it begins.
#[test]
fn no_cell_is_a_formula() {
    let text = written(Class::write_csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(&rows[0][0], "'=HYPERLINK(\"http://x\")");
    assert_eq!((&rows[2][0], &rows[2][6]), ("'+1", "' -2+3"));
    assert_eq!((&rows[3][0], &rows[3][3]), ("'@x", "not graded"));
    assert_eq!(&rows[1][5], "header-in-one-read padding-removed-in-pairs");
    for cell in rows.iter().flatten() {
        assert!(
            !cell.trim_start().starts_with(['=', '+', '-', '@']),
            "{cell}"
        );
        assert!(cell.chars().all(crate::report::escape::is_harmless));
    }
}

#[test]
fn nothing_hostile_is_markup_or_acts_on_a_terminal() {
    let html = written(Class::write_html);
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    let text = written(|class, out| class.write_text(Look::default(), out));
    for shown in [html, text, written(Class::write_markdown)] {
        let is_harmless = |c| c == '\n' || crate::report::escape::is_harmless(c);
        assert!(shown.chars().all(is_harmless), "{shown}");
    }
}

/// Whoever had no server is told why, and what it said, as text.
#[test]
fn a_page_tells_why_there_was_no_server() {
    let mut page = Vec::new();
    let absent = Absent {
        name: fixture::HOSTILE,
        why: "it ended <script>",
        said: "Traceback\n  \u{1b}[31m<b>",
        again: "conformance check --exec './server {port}'",
    };
    absent.write_html(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("it ended &lt;script&gt;") && page.contains("Traceback\n"),
        "{page}"
    );
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains('\u{1b}'));
}

#[test]
fn a_clause_that_breaks_for_no_cause_that_is_known_is_a_mistake_once() {
    let mut run = fixture::run();
    run.diagnosis.causes.clear();
    run.diagnosis.unexplained = run.results.iter().map(|result| result.id.clone()).collect();
    let found = Found::of(&run);
    let clauses: Vec<&str> = found.mistakes.iter().map(|m| m.clause.as_str()).collect();
    let mut once = clauses.clone();
    once.dedup();
    assert_eq!(clauses, once);
    let failed = run.results.iter().filter(|r| r.verdict == Verdict::Fail);
    assert!(failed.count() > 0 && found.mistakes.iter().any(|mistake| mistake.fails));
    assert!(found.mistakes.iter().all(|mistake| mistake.cause.is_none()));
}
