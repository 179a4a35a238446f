//! What people read, as snapshots, and what holds of every format.

use super::*;
use crate::event::{Diagnosis, Verdict};
use crate::report::escape::is_harmless;

fn written(format: Format, run: &Run, look: Look) -> String {
    let mut out = Vec::new();
    format.write(run, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(format: Format, run: &Run) -> String {
    written(format, run, Look::default())
}

fn look(colour: bool, width: usize) -> Look {
    Look {
        colour,
        width,
        ..Look::default()
    }
}

#[test]
fn human() {
    insta::assert_snapshot!(plain(Format::Human, &fixture::run()));
}

#[test]
fn human_verbose() {
    let verbose = Look {
        verbose: true,
        ..Look::default()
    };
    insta::assert_snapshot!(written(Format::Human, &fixture::run(), verbose));
}

#[test]
fn human_known() {
    insta::assert_snapshot!(plain(Format::Human, &fixture::known()));
}

#[test]
fn what_is_known_is_told_in_a_line_and_whole_if_asked_for() {
    let run = fixture::only_known();
    let text = plain(Format::Human, &run);
    assert!(text.contains("\npassed: 3 known, "), "{text}");
    assert!(text.contains("known: reassembly/octet-by-octet: reads once: issue 12\n"));
    assert!(!text.contains("64 octets in 64 pieces"), "{text}");
    let whole = Look {
        whole: true,
        ..Look::default()
    };
    let text = written(Format::Human, &run, whole);
    assert!(
        text.contains("  known reassembly/octet-by-octet (MUST"),
        "{text}"
    );
    assert!(
        text.contains("known failure: reads once: issue 12"),
        "{text}"
    );
    assert!(text.contains("64 octets in 64 pieces"), "{text}");
    assert!(!text.contains("FAIL"), "{text}");
}

#[test]
fn human_in_60_columns() {
    let text = written(Format::Human, &fixture::run(), look(false, 60));
    for line in text.lines().filter(|line| !line.contains("rerun:")) {
        // Hostile text has words that are longer than a line, and headings are not wrapped.
        let is_long = ["\\u", "(MUST", "pieces"]
            .iter()
            .any(|part| line.contains(part));
        assert!(line.chars().count() <= 60 || is_long, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn human_in_colours() {
    let text = written(Format::Human, &fixture::run(), look(true, 100));
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
}

#[test]
fn human_full_pass() {
    let text = plain(Format::Human, &fixture::full_pass());
    assert!(text.lines().count() < 20, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn human_broken_off_with_nothing_run() {
    let run = Collector::default().into_run();
    insta::assert_snapshot!(plain(Format::Human, &run));
}

#[test]
fn of_many_failures_the_first_of_each_clause_is_shown_in_full() {
    let mut run = fixture::run();
    let first = run.results[2].clone();
    for index in 0..20 {
        let mut more = first.clone();
        more.id = format!("reassembly/more-{index}");
        run.diagnosis.causes[0].explains.push(more.id.clone());
        run.results.push(more);
    }
    let brief = plain(Format::Human, &run);
    assert_eq!(brief.matches("FAIL reassembly/").count(), 0);
    let told = "failures explained above: reassembly 21, padding 1\n";
    assert!(brief.contains(told), "{brief}");
    run.diagnosis = Diagnosis::default();
    let text = plain(Format::Human, &run);
    assert_eq!(text.matches("FAIL reassembly/").count(), 21);
    assert_eq!(text.matches("54 octets").count(), 0);
    assert_eq!(text.matches("64 octets in 64 pieces").count(), 1);
}

#[test]
fn what_is_mended_in_the_same_lines_is_told_in_a_line() {
    let mut run = fixture::run();
    let [sure, guess] = run.diagnosis.causes.as_mut_slice() else {
        panic!("two causes");
    };
    guess.sketch.clone_from(&sure.sketch);
    let text = plain(Format::Human, &run);
    let told = "   and with it: Padding is removed two octets at a time (padding-removed-in-pairs, a guess, explains";
    assert!(text.contains(told), "{text}");
    assert!(
        text.contains("2 causes of ") && !text.contains("\n2. "),
        "{text}"
    );
    let verbose = Look {
        verbose: true,
        ..look(false, 100)
    };
    let text = written(Format::Human, &run, verbose);
    assert!(
        text.contains("\n2. ") && !text.contains("and with it"),
        "{text}"
    );
}

#[test]
fn beside_causes_many_failures_that_none_explains_are_told_in_short() {
    let mut run = fixture::run();
    let first = run.results[2].clone();
    for index in 0..9 {
        let mut more = first.clone();
        more.id = format!("reassembly/more-{index}");
        run.diagnosis.unexplained.push(more.id.clone());
        run.results.push(more);
    }
    let brief = plain(Format::Human, &run);
    assert_eq!(brief.matches("FAIL ").count(), 0, "{brief}");
    let words: Vec<&str> = brief.split_whitespace().collect();
    let told = "not explained: reassembly/more-0, reassembly/more-1, reassembly/more-2, \
                reassembly/more-3 and 5 more: connection a: no reply";
    assert!(words.join(" ").contains(told), "{brief}");
}

#[test]
fn what_a_cause_explains_is_shown_one_by_one_if_asked_for() {
    let run = fixture::run();
    let verbose = Look {
        verbose: true,
        ..Look::default()
    };
    let brief = plain(Format::Human, &run);
    let whole = written(Format::Human, &run, verbose);
    let of_case = "FAIL reassembly/octet-by-octet (MUST";
    assert!(!brief.contains(of_case), "{brief}");
    assert!(whole.contains(of_case), "{whole}");
    for text in [&brief, &whole] {
        assert!(
            text.contains("1. The header is taken from a single read\n"),
            "{text}"
        );
    }
}

#[test]
fn a_timeline_kept_of_a_pass_is_shown() {
    let mut run = fixture::full_pass();
    run.results[1].evidence = fixture::run().results[2].evidence.clone();
    let text = plain(Format::Human, &run);
    assert!(text.contains("pass reassembly/plain (MUST"), "{text}");
    assert!(text.contains("64 octets in 64 pieces"), "{text}");
    assert!(!text.contains("pass boundary/plain"), "{text}");
}

#[test]
fn human_tells_the_same_as_it_hears_and_afterwards() {
    let mut out = Vec::new();
    let mut reporter = reporter(Format::Human, Look::default(), &mut out);
    for event in fixture::events() {
        reporter.event(&event).unwrap();
    }
    reporter.finish(&fixture::run()).unwrap();
    drop(reporter);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        plain(Format::Human, &fixture::run())
    );
}

#[test]
fn markdown() {
    insta::assert_snapshot!(plain(Format::Markdown, &fixture::run()));
}

#[test]
fn junit() {
    insta::assert_snapshot!(plain(Format::Junit, &fixture::run()));
}

#[test]
fn junit_known() {
    insta::assert_snapshot!(plain(Format::Junit, &fixture::known()));
}

#[test]
fn tap_known() {
    insta::assert_snapshot!(plain(Format::Tap, &fixture::known()));
}

#[test]
fn markdown_known() {
    insta::assert_snapshot!(plain(Format::Markdown, &fixture::known()));
}

#[test]
fn html_known() {
    let page = plain(Format::Html, &fixture::known());
    insta::assert_snapshot!(page.replace(include_str!("html/style.css"), ""));
}

#[test]
fn tap() {
    insta::assert_snapshot!(plain(Format::Tap, &fixture::run()));
}

#[test]
fn html() {
    let page = plain(Format::Html, &fixture::run());
    insta::assert_snapshot!(page.replace(include_str!("html/style.css"), ""));
}

#[test]
fn json() {
    let mut run = fixture::run();
    run.results.truncate(2);
    insta::assert_snapshot!(plain(Format::Json, &run));
}

#[test]
fn nothing_that_a_peer_sent_reaches_anyone_unescaped() {
    for run in [fixture::run(), fixture::known()] {
        for format in Format::ALL {
            if format == Format::Pcapng {
                continue;
            }
            let text = plain(format, &run);
            let harmful = text.chars().find(|c| *c != '\n' && !is_harmless(*c));
            assert_eq!(harmful, None, "{format}");
        }
        for format in [Format::Html, Format::Junit, Format::Markdown] {
            assert!(!plain(format, &run).contains("<script"), "{format}");
        }
    }
}

/// A run that ends with 0 is green wherever it is shown, whatever is known of it.
#[test]
fn what_is_known_fails_no_format() {
    let run = fixture::only_known();
    let report = quick_junit::Report::deserialize_from_str(&plain(Format::Junit, &run)).unwrap();
    assert_eq!([report.failures, report.errors], [0, 0]);
    for line in plain(Format::Tap, &run).lines() {
        assert!(
            !line.starts_with("not ok") || line.contains(" # TODO known "),
            "{line}"
        );
    }
    let page = plain(Format::Html, &run).replace(include_str!("html/style.css"), "");
    assert!(!page.contains("fail\""), "{page}");
    assert!(page.contains("class=\"mark passed\""));
    let markdown = plain(Format::Markdown, &run);
    assert!(
        markdown.contains("7000: passed") && !markdown.contains("**"),
        "{markdown}"
    );
}

/// An entry that no longer holds fails the run wherever that is shown, though no case fails.
#[test]
fn what_is_stale_fails_every_format() {
    let mut run = fixture::only_known();
    run.finished.stale = fixture::known().finished.stale;
    run.finished.summary.stale = 2;
    let report = quick_junit::Report::deserialize_from_str(&plain(Format::Junit, &run)).unwrap();
    assert_eq!([report.failures, report.errors], [2, 0]);
    let tap = plain(Format::Tap, &run);
    assert!(
        tap.contains("\nnot ok 13 - expectations/length-prefix/one-octet\n"),
        "{tap}"
    );
    assert!(tap.contains("\n1..14\n"), "{tap}");
    for format in [Format::Human, Format::Markdown, Format::Html] {
        let text = plain(format, &run);
        assert!(text.contains("failed"), "{format}");
        assert!(text.contains("length-prefix/one-octet"), "{format}");
        assert!(text.contains("take its entry out"), "{format}");
    }
}

/// Warnings and unstable cases count in a strict run, so they fail it in every format too.
#[test]
fn a_strict_run_is_shown_as_strictly_as_it_ends() {
    let mut run = fixture::run();
    run.results.retain(|result| {
        matches!(
            result.verdict,
            Verdict::Pass | Verdict::Warn | Verdict::Unstable
        )
    });
    let junit = |run: &Run| {
        let xml = plain(Format::Junit, run);
        quick_junit::Report::deserialize_from_str(&xml)
            .unwrap()
            .failures
    };
    let not_ok = |run: &Run| plain(Format::Tap, run).matches("not ok").count();
    let passes = |run: &Run| plain(Format::Human, run).contains("\npassed: ");
    assert_eq!((junit(&run), not_ok(&run), passes(&run)), (0, 0, true));
    run.started.strict = true;
    assert_eq!((junit(&run), not_ok(&run), passes(&run)), (2, 2, false));
}

#[test]
fn with_colours_the_only_control_characters_are_those_of_colours() {
    let text = written(Format::Human, &fixture::run(), look(true, 100));
    for part in text.split('\u{1b}').skip(1) {
        let end = part.find(|c: char| c != '[' && c != ';' && !c.is_ascii_digit());
        assert_eq!(end.map(|end| &part[end..=end]), Some("m"), "{part:?}");
    }
    let harmful = text
        .chars()
        .find(|c| !matches!(c, '\n' | '\u{1b}') && !is_harmless(*c));
    assert_eq!(harmful, None);
}

#[test]
fn a_page_asks_for_nothing() {
    let page = plain(Format::Html, &fixture::run());
    for asking in [
        "http:", "https:", "src=", "href=", "url(", "@import", "<link", "<script",
    ] {
        assert!(!page.contains(asking), "{asking}");
    }
}

#[test]
fn junit_counts_what_the_run_counts() {
    let xml = plain(Format::Junit, &fixture::run());
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!([report.tests, report.failures, report.errors], [13, 2, 1]);
    let skipped: usize = report.test_suites.iter().map(|suite| suite.skipped).sum();
    assert_eq!(skipped, 4);
    let root = xml.lines().nth(1).unwrap();
    assert!(
        root.starts_with("<testsuites ") && !root.contains("skipped"),
        "{root}"
    );
    let mut names = report
        .test_suites
        .iter()
        .flat_map(|suite| suite.test_cases.iter().map(move |case| (suite, case)));
    assert!(names.all(|(suite, case)| case.name.starts_with(&format!("{}/", suite.name.as_str()))));
}

#[test]
fn a_run_broken_off_is_a_failure_in_every_format_that_has_one() {
    let mut run = fixture::full_pass();
    run.finished.broken_off = Some("interrupted".into());
    let xml = plain(Format::Junit, &run);
    assert_eq!(
        quick_junit::Report::deserialize_from_str(&xml)
            .unwrap()
            .errors,
        1
    );
    assert!(plain(Format::Tap, &run).ends_with("Bail out! interrupted\n"));
    for format in [Format::Human, Format::Markdown, Format::Html] {
        let text = plain(format, &run);
        assert!(
            text.contains("undecided") && text.contains("interrupted"),
            "{format}"
        );
    }
}

#[test]
fn a_real_report_is_what_the_schema_describes() {
    let schema = include_str!("../../docs/report.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for run in [
        fixture::run(),
        fixture::known(),
        fixture::full_pass(),
        Collector::default().into_run(),
    ] {
        let report = serde_json::from_str(&plain(Format::Json, &run)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
    }
}

/// A schema that takes everything would prove nothing.
#[test]
fn the_schema_refuses_what_is_no_report() {
    let schema = include_str!("../../docs/report.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&plain(Format::Json, &fixture::known())).unwrap();
    assert!(validator.is_valid(&report));
    for (place, wrong) in [
        ("/schema", "framespec/2"),
        ("/summary/pass", "many"),
        ("/cases/0/verdict", "perhaps"),
        ("/cases/0/level", "must"),
        ("/cases/0/id", ""),
        ("/cases/2/evidence/timeline/1/octets", "0"),
        ("/cases/2/evidence/timeline/1/what", "thrown"),
        ("/cases/2/evidence/frames/0/from", "nobody"),
        ("/cases/2/known/kind", "perhaps"),
        ("/stale/0/problem", "old"),
        ("/stale/0/kind", "perhaps"),
        ("/summary/known", "few"),
    ] {
        let mut report = report.clone();
        *report.pointer_mut(place).unwrap() = wrong.into();
        assert!(!validator.is_valid(&report), "{place}");
    }
    for member in [
        "schema",
        "target",
        "profile",
        "calibration",
        "summary",
        "cases",
    ] {
        let mut report = report.clone();
        report.as_object_mut().unwrap().remove(member);
        assert!(!validator.is_valid(&report), "{member}");
    }
}

#[test]
fn every_format_is_found_by_its_name() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
        let complaint = UnknownFormat(String::new()).to_string();
        assert!(complaint.contains(format.as_str()), "{format}");
    }
    assert_eq!("xml".parse::<Format>(), Err(UnknownFormat("xml".into())));
}

#[test]
fn the_largest_numbers_do_no_harm() {
    let mut run = fixture::run();
    run.started.unix_ms = Some(u64::MAX);
    run.started.seed = u64::MAX;
    run.finished.summary.elapsed_ms = u64::MAX;
    if let Some(calibration) = &mut run.calibration {
        calibration.round_trip_us = u64::MAX;
        calibration.timeout_ms = u64::MAX;
    }
    for result in &mut run.results {
        result.elapsed_ms = u64::MAX;
        result.attempts = crate::event::Attempts {
            failed: u32::MAX,
            of: u32::MAX,
        };
        for moment in result.evidence.iter_mut().flat_map(|e| &mut e.timeline) {
            moment.at_us = u64::MAX;
        }
        for mark in result.evidence.iter_mut().flat_map(|e| &mut e.frames) {
            (mark.header, mark.payload, mark.padding) = (usize::MAX, usize::MAX, usize::MAX);
        }
        for finding in &mut result.findings {
            finding.frame = Some(usize::MAX);
        }
    }
    for format in Format::ALL {
        let mut out = Vec::new();
        format.write(&run, Look::default(), &mut out).unwrap();
        assert!(!out.is_empty(), "{format}");
    }
}
