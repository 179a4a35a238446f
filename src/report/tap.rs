//! Test Anything Protocol, version 14.
//!
//! Failures and errors are `not ok`; skipped cases carry the directive `SKIP`; warnings and unstable
//! cases are `ok` with a diagnostic block, since neither is a failure. A run that was broken off
//! ends with `Bail out!`.

use super::escape::Line;
use super::json;
use crate::event::{CaseResult, Run, Verdict};
use std::io::{self, Write};

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14")?;
    writeln!(out, "1..{}", run.results.len())?;
    let started = &run.started;
    writeln!(
        out,
        "# {}, profile {}",
        Line(&started.target),
        Line(&started.profile)
    )?;
    for (result, number) in run.results.iter().zip(1_u64..) {
        point(number, result, out)?;
    }
    if let Some(why) = &run.finished.broken_off {
        writeln!(out, "Bail out! {}", Line(why))?;
    }
    Ok(())
}

fn point(number: u64, result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    let ok = match result.verdict {
        Verdict::Fail | Verdict::Error => "not ok",
        Verdict::Pass | Verdict::Warn | Verdict::Skip | Verdict::Unstable => "ok",
    };
    write!(out, "{ok} {number} - {}", escaped(&result.id))?;
    match result.verdict {
        Verdict::Pass => writeln!(out),
        Verdict::Skip => writeln!(out, " # SKIP {}", escaped(&result.detail)),
        _ => {
            writeln!(out)?;
            diagnostic(result, out)
        }
    }
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
        ("why", &result.why),
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
