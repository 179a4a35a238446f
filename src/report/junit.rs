//! JUnit's XML: a test suite for each clause, a test case for each case.
//!
//! | verdict | in JUnit |
//! |---|---|
//! | pass | a test case |
//! | warn | a test case with the warning as its output |
//! | skip | skipped, with the reason |
//! | unstable | a success with a `flakyFailure`: it failed, was run again alone, and passed |
//! | fail | `failure`, of the type `MUST`, `SHOULD` or `MAY` |
//! | error | `error` |
//! | whichever, known | skipped, with the reason as the message and what was seen as its output |
//!
//! Where a cause explains a failure, its description begins with it.
//!
//! In a strict run, where warnings and unstable cases count, they are failures here too.
//!
//! What else makes a run fail has a suite of its own, since CI systems look at nothing else: `run` has
//! an error if the run was broken off, `expectations` a failure for each that is stale.

use super::causes;
use super::escape::Line;
use super::human::plain_case;
use super::tally::{self, OfClause};
use crate::event::{CaseResult, Known, Run, Stale, Verdict};
use crate::lang::say;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};
use std::io::{self, Write};
use std::time::Duration;

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let report = report(run);
    let xml = report.to_string().map_err(io::Error::other)?;
    // The schema by which Jenkins refuses files has no such attribute at the root.
    let surplus = format!(" skipped=\"{}\"", report.skipped);
    out.write_all(xml.replacen(&surplus, "", 1).as_bytes())
}

fn report(run: &Run) -> Report {
    let mut report = Report::new("framespec");
    report.set_time(Duration::from_millis(run.finished.summary.elapsed_ms));
    for of in tally::by_clause(run) {
        report.add_test_suite(suite(run, &of));
    }
    if !run.finished.stale.is_empty() {
        report.add_test_suite(stale(&run.finished.stale));
    }
    if let Some(why) = &run.finished.broken_off {
        report.add_test_suite(broken_off(&why.shown()));
    }
    report
}

fn suite(run: &Run, of: &OfClause<'_>) -> TestSuite {
    let mut suite = TestSuite::new(shown(of.slug));
    let started = &run.started;
    suite.add_property(("target", shown(&started.target.shown()).as_str()));
    suite.add_property(("profile", shown(&started.profile).as_str()));
    if let Some(clause) = of.clause {
        suite.add_property(("clause", clause.sentence()));
    }
    let elapsed = of
        .results
        .iter()
        .fold(0_u64, |sum, result| sum.saturating_add(result.elapsed_ms));
    suite.set_time(Duration::from_millis(elapsed));
    let cases = of.results.iter();
    suite.add_test_cases(cases.map(|result| test_case(run, result)));
    suite
}

fn test_case(run: &Run, result: &CaseResult) -> TestCase {
    let status = status(run, result);
    let is_told =
        result.verdict == Verdict::Warn && matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(shown(&result.id), status);
    case.set_classname(shown(&result.clause));
    case.set_time(Duration::from_millis(result.elapsed_ms));
    if is_told || result.known.is_some() {
        case.set_system_out(plain_case(result).trim_start_matches('\n'));
    }
    case
}

fn status(run: &Run, result: &CaseResult) -> TestCaseStatus {
    let is_strict = run.started.strict;
    if let Some(Known { kind, reason }) = &result.known {
        return skipped(&format!("{}: {reason}", kind.words()));
    }
    let kind = match result.verdict {
        Verdict::Warn | Verdict::Unstable if is_strict => NonSuccessKind::Failure,
        Verdict::Pass | Verdict::Warn => return TestCaseStatus::success(),
        Verdict::Skip => return skipped(&result.detail.shown()),
        Verdict::Unstable => {
            let mut status = TestCaseStatus::success();
            status.add_rerun(failed_run(result));
            return status;
        }
        Verdict::Fail => NonSuccessKind::Failure,
        Verdict::Error => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_message(shown(&result.detail.shown()))
        .set_type(result.level.to_string())
        .set_description(described(run, result));
    status
}

/// The cause that explains a failure, if one does, and everything that is known of the case.
fn described(run: &Run, result: &CaseResult) -> String {
    let told = plain_case(result);
    match causes::of_case(run, result) {
        None => told,
        Some(cause) => format!(
            "\n  {}: {} ({}, {})\n  {}\n{told}",
            say!("cause"),
            shown(&cause.title.shown()),
            shown(&cause.id),
            causes::sure(cause),
            shown(&cause.advice.shown())
        ),
    }
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(shown(why));
    status
}

/// The run of an unstable case that failed.
fn failed_run(result: &CaseResult) -> TestRerun {
    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
    rerun
        .set_message(shown(&result.detail.shown()))
        .set_type(result.level.to_string())
        .set_stack_trace(plain_case(result));
    rerun
}

fn broken_off(why: &str) -> TestSuite {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(shown(why)).set_type("broken-off");
    let mut case = TestCase::new("run/whole", status);
    case.set_classname("run").set_time(Duration::ZERO);
    let mut suite = TestSuite::new("run");
    suite.set_time(Duration::ZERO);
    suite.add_test_case(case);
    suite
}

fn stale(entries: &[Stale]) -> TestSuite {
    let mut suite = TestSuite::new("expectations");
    suite.set_time(Duration::ZERO);
    suite.add_test_cases(entries.iter().map(|entry| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let message = format!("{} {}", entry.case, entry.problem);
        let known = format!("{}: {}", entry.known.kind.words(), entry.known.reason);
        status
            .set_message(shown(&message))
            .set_type("stale")
            .set_description(shown(&known));
        let mut case = TestCase::new(format!("expectations/{}", shown(&entry.case)), status);
        case.set_classname("expectations").set_time(Duration::ZERO);
        case
    }));
    suite
}

/// Control characters as numbers; the crate would drop them, and what follows an ESC with them.
fn shown(text: &str) -> String {
    Line(text).to_string()
}
