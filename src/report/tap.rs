//! Test Anything Protocol, version 14.
//!
//! Failures and errors are `not ok`; skipped cases carry the directive `SKIP`; warnings and unstable
//! cases are `ok` with a diagnostic block, since neither is a failure except in a strict run. What is
//! known to fail is `not ok` with the directive `TODO`, and so does not count. Behind the cases comes a
//! point for each expectation that is stale. A run that was broken off ends with `Bail out!`.

use super::escape::Line;
use super::json;
use super::tally::Mark;
use crate::event::{CaseResult, Known, Run, Stale, Verdict};
use crate::lang::say;
use std::io::{self, Write};

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14")?;
    let stale = &run.finished.stale;
    writeln!(out, "1..{}", run.results.len().saturating_add(stale.len()))?;
    let started = &run.started;
    let head = say!(
        "{target}, profile {profile}",
        target = started.target,
        profile = started.profile
    );
    writeln!(out, "# {}", Line(&head.shown()))?;
    let mut numbers = 1_u64..;
    for (result, number) in run.results.iter().zip(&mut numbers) {
        point(number, result, started.strict, out)?;
    }
    for (entry, number) in stale.iter().zip(numbers) {
        stale_point(number, entry, out)?;
    }
    if let Some(why) = &run.finished.broken_off {
        writeln!(out, "Bail out! {}", Line(&why.shown()))?;
    }
    Ok(())
}

fn point(number: u64, result: &CaseResult, is_strict: bool, out: &mut dyn Write) -> io::Result<()> {
    let is_ok = result.known.is_none() && !Mark::of(result).is_bad(is_strict);
    let ok = if is_ok { "ok" } else { "not ok" };
    write!(out, "{ok} {number} - {}", escaped(&result.id))?;
    if let Some(Known { kind, reason }) = &result.known {
        write!(out, " # TODO {}: {}", kind.words(), escaped(reason))?;
    }
    match result.verdict {
        Verdict::Pass => writeln!(out),
        Verdict::Skip => writeln!(out, " # SKIP {}", escaped(&result.detail.shown())),
        _ => {
            writeln!(out)?;
            diagnostic(result, out)
        }
    }
}

/// An expectation that no longer holds.
fn stale_point(number: u64, entry: &Stale, out: &mut dyn Write) -> io::Result<()> {
    let Stale {
        case,
        problem,
        known,
    } = entry;
    writeln!(out, "not ok {number} - expectations/{}", escaped(case))?;
    let message = json::string(&format!("{case} {problem}"));
    let known = json::string(&format!("{}: {}", known.kind, known.reason));
    writeln!(
        out,
        "  ---\n  message: {message}\n  severity: \"fail\"\n  entry: {known}\n  ..."
    )
}

/// A block of YAML, whose strings are written as JSON strings, which YAML allows.
fn diagnostic(result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  ---")?;
    let level = result.level.to_string();
    for (key, value) in [
        ("message", result.detail.as_str()),
        ("severity", result.verdict.as_str()),
        ("clause", &result.clause),
        ("level", &level),
        ("why", &result.why.shown()),
        ("rerun", &result.rerun),
    ] {
        if !value.is_empty() {
            writeln!(out, "  {key}: {}", json::string(value))?;
        }
    }
    let attempts = result.attempts;
    if attempts.of > 0 {
        writeln!(
            out,
            "  failed: {}\n  runs: {}",
            attempts.failed, attempts.of
        )?;
    }
    writeln!(out, "  ...")
}

/// `#` would begin a directive.
fn escaped(text: &str) -> String {
    Line(text)
        .to_string()
        .replace('\\', "\\\\")
        .replace('#', "\\#")
}
