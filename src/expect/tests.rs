//! What is known, and what no longer holds.

use super::*;
use crate::report::{Collector, fixture};

const FILE: &str = r#"
    [[known-failure]]
    case = "reassembly/octet-by-octet"
    reason = "reads once"

    [[known-failure]]
    case = "length-prefix/one-octet"
    reason = "mended since"

    [[known-failure]]
    case = "memory/claimed"
    reason = "skipped here"

    [[known-failure]]
    case = "order/not-selected"
    reason = "elsewhere"

    [[known-flaky]]
    case = "length-prefix/two-chunks"
    reason = "passes at times"

    [[known-flaky]]
    case = "order/gone"
    reason = "renamed"
"#;

fn exists(case: &str) -> bool {
    case == "order/not-selected"
}

fn known(file: &str) -> Expectations {
    Expectations::parse(file).unwrap()
}

/// One entry of that kind.
fn entry(kind: &str, case: &str) -> Expectations {
    known(&format!(
        "[[known-{kind}]]\ncase = '{case}'\nreason = 'x'\n"
    ))
}

/// The fixture's run, told by events that were marked.
fn marked(expectations: Expectations) -> Run {
    let mut marker = expectations.marker(exists);
    let mut collector = Collector::default();
    for mut event in fixture::events() {
        marker(&mut event);
        collector.event(event);
    }
    collector.into_run()
}

fn set_aside(run: &Run) -> Vec<(&str, KnownKind, &str)> {
    run.results
        .iter()
        .filter_map(|result| result.known.as_ref().map(|known| (result, known)))
        .map(|(result, known)| (result.id.as_str(), known.kind, known.reason.as_str()))
        .collect()
}

fn stale(run: &Run) -> Vec<(&str, Problem)> {
    let stale = run.finished.stale.iter();
    stale
        .map(|stale| (stale.case.as_str(), stale.problem))
        .collect()
}

#[test]
fn known_failures_are_set_aside_and_nothing_else_is() {
    let run = marked(known(FILE));
    let reassembly = (
        "reassembly/octet-by-octet",
        KnownKind::Failure,
        "reads once",
    );
    assert_eq!(set_aside(&run), [reassembly]);
    assert_eq!(
        stale(&run),
        [
            ("length-prefix/one-octet", Problem::Passes),
            ("order/gone", Problem::NoSuchCase),
        ]
    );
    let summary = run.finished.summary;
    assert_eq!((summary.known, summary.stale), (1, 2));
    assert_eq!((summary.fail, summary.pass), (2, 4));
    let result = run.results.iter().find(|result| result.known.is_some());
    assert_eq!(result.unwrap().verdict, Verdict::Fail);
}

#[test]
fn a_run_without_expectations_is_left_as_it_is() {
    assert_eq!(marked(Expectations::default()), fixture::run());
}

#[test]
fn a_flaky_case_may_fail_and_be_unstable_and_pass() {
    for case in ["boundary/two-at-once", "one-reply/late-second"] {
        let run = marked(entry("flaky", case));
        assert_eq!(set_aside(&run), [(case, KnownKind::Flaky, "x")]);
        assert_eq!(stale(&run), []);
    }
    let run = marked(entry("flaky", "length-prefix/one-octet"));
    assert_eq!((set_aside(&run), stale(&run)), (vec![], vec![]));
}

/// A warning counts only in a strict run, so only there can it be known.
#[test]
fn a_warning_is_no_failure_unless_the_run_is_strict() {
    let case = "padding/one-chunk-more";
    let run = marked(entry("failure", case));
    assert_eq!(stale(&run), [(case, Problem::Passes)]);
    assert!(!run.started.strict);
    let run = marked(entry("failure", case).strict(true));
    assert_eq!(set_aside(&run), [(case, KnownKind::Failure, "x")]);
    assert_eq!(stale(&run), []);
    assert!(run.started.strict);
}

#[test]
fn an_error_of_the_harness_is_never_known() {
    let run = marked(entry("failure", "one-reply/harness"));
    assert_eq!((set_aside(&run), stale(&run)), (vec![], vec![]));
}

/// What is written for a run leaves nothing that counts in the same run but errors.
#[test]
fn what_is_written_for_a_run_sets_all_of_it_aside() {
    for strict in [false, true] {
        let text = Expectations::default()
            .strict(strict)
            .updated(&fixture::run(), exists);
        let harmless = |c: char| c == '\n' || crate::report::escape::is_harmless(c);
        assert!(text.chars().all(harmless));
        let run = marked(known(&text).strict(strict));
        assert_eq!(set_aside(&run).len(), if strict { 4 } else { 3 });
        assert_eq!(stale(&run), []);
        let flaky = ("one-reply/late-second", KnownKind::Flaky);
        assert!(
            set_aside(&run)
                .iter()
                .any(|known| (known.0, known.1) == flaky)
        );
    }
}

#[test]
fn a_new_writing_keeps_reasons_and_whatever_the_run_says_nothing_of() {
    let text = known(FILE).updated(&fixture::run(), exists);
    let again = known(&text);
    for (case, reason) in [
        ("reassembly/octet-by-octet", Some("reads once")),
        ("length-prefix/one-octet", None),
        ("memory/claimed", Some("skipped here")),
        ("order/not-selected", Some("elsewhere")),
        ("length-prefix/two-chunks", Some("passes at times")),
        ("order/gone", None),
    ] {
        let known = again.entry(case).map(|entry| entry.known.reason.as_str());
        assert_eq!(known, reason, "{case}");
    }
    let flaky = again.entry("length-prefix/two-chunks").unwrap();
    assert_eq!(flaky.known.kind, KnownKind::Flaky);
}

/// What was written as a failure and is seen to pass at times is flaky from then on.
#[test]
fn a_failure_that_was_unstable_becomes_flaky() {
    let text = entry("failure", "one-reply/late-second").updated(&fixture::run(), exists);
    let again = known(&text);
    let entry = again.entry("one-reply/late-second").unwrap();
    assert_eq!(
        (entry.known.kind, entry.known.reason.as_str()),
        (KnownKind::Flaky, "x")
    );
}

#[test]
fn a_run_without_failures_makes_a_file_without_entries() {
    let text = Expectations::from_run(&fixture::full_pass());
    assert_eq!(Expectations::parse(&text), Ok(Expectations::default()));
}

#[test]
fn lines_may_end_as_on_windows_and_begin_with_a_mark() {
    let text = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    assert_eq!(Expectations::parse(&text), Expectations::parse(FILE));
}

#[test]
fn a_bad_file_is_refused_with_the_place() {
    let error = |text: &str| Expectations::parse(text).unwrap_err().to_string();
    let entry =
        |case, reason| format!("[[known-failure]]\ncase = \"{case}\"\nreason = \"{reason}\"\n");
    assert!(error(&entry("order/a", " ")).contains("line 2: \"order/a\" has no reason"));
    let twice = entry("order/a", "x") + &entry("order/a", "y").replace("failure", "flaky");
    assert!(error(&twice).contains("line 5: \"order/a\" is listed already"));
    assert!(error("[[known-failure]]\ncase = 'order/a'\n").contains("reason"));
    assert!(error("[[known-fialure]]\n").contains("line 1"));
    assert!(
        error("[[known-flaky]]\ncase = 'a'\nreason = 'b'\nbecause = 'c'\n").contains("because")
    );
}

#[test]
fn a_file_of_a_run_that_was_broken_off_says_so() {
    let mut run = fixture::full_pass();
    assert!(!Expectations::from_run(&run).contains("broken off"));
    run.finished.broken_off = Some("no time\nwas left".into());
    let text = Expectations::from_run(&run);
    assert!(
        text.contains("# This is of a run that was broken off"),
        "{text}"
    );
    assert!(
        text.contains("no time") && known(&text).entries.is_empty(),
        "{text}"
    );
}
