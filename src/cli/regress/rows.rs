//! A row for each file: what came, what was expected, and what was wrong.

use crate::event::{CaseResult, Event, Problem, Run, Stale, Summary, Verdict};
use crate::expect::Expectations;
use crate::lang::{Text, say};
use crate::report::escape::Line;
use crate::report::{Look, Reporter, human};
use std::io::{self, Write};

/// Tells people what became of each file, at once.
pub(super) struct Rows<W> {
    out: W,
    look: Look,
    known: Expectations,
}

impl<W: Write> Rows<W> {
    pub(super) const fn new(out: W, look: Look, known: Expectations) -> Self {
        Self { out, look, known }
    }

    fn row(&mut self, result: &CaseResult) -> io::Result<()> {
        let ink = self.look.verdict(result.verdict);
        let came = word(result);
        let expected = match self.known.names(&result.id) {
            true => "fail",
            false => "pass",
        };
        write!(
            self.out,
            "{ink}{came:<8}{ink:#} {expected:<8} {}",
            Line(&result.id)
        )?;
        if !result.detail.is_empty() {
            write!(self.out, "  {}", Line(&result.detail.shown()))?;
        }
        if let Some(known) = &result.known {
            write!(self.out, "  ({}: {})", known.kind, Line(&known.reason))?;
        }
        writeln!(self.out)?;
        match result.evidence.as_ref().filter(|_| self.look.whole) {
            Some(evidence) => human::exchange(evidence, self.look, &mut self.out),
            None => Ok(()),
        }
    }

    fn sum(&mut self, run: &Run) -> io::Result<()> {
        let Summary {
            known, elapsed_ms, ..
        } = run.finished.summary;
        let files = run.results.len();
        let seconds = std::time::Duration::from_millis(elapsed_ms).as_secs_f64();
        write!(self.out, "{}: {files} files", run.conclusion().as_str())?;
        for verdict in Verdict::ALL {
            let count = run.finished.summary.of(verdict);
            if count > 0 {
                write!(self.out, ", {count} {verdict}")?;
            }
        }
        if known > 0 {
            write!(self.out, ", {known} known")?;
        }
        writeln!(self.out, ", in {seconds:.1} s")
    }
}

/// What is not as it should be catches the eye.
fn word(result: &CaseResult) -> &'static str {
    match result.verdict {
        known if result.known.is_some() => known.as_str(),
        Verdict::Fail => "FAIL",
        Verdict::Error => "ERROR",
        other => other.as_str(),
    }
}

/// What is the matter with an entry, where cases are files.
fn matter(problem: Problem) -> Text {
    match problem {
        Problem::Passes => problem.words(),
        Problem::NoSuchCase => {
            say!("is listed and is no file of this corpus: correct its entry or take it out")
        }
    }
}

impl<W: Write> Reporter for Rows<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => {
                let target = Line(&started.target.shown());
                writeln!(self.out, "{} files, at {target}", started.selected)?;
                writeln!(self.out, "{:<8} {:<8} file", "came", "expected")?;
            }
            Event::CaseFinished(result) => self.row(result)?,
            _ => return Ok(()),
        }
        self.out.flush()
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        for Stale { case, problem, .. } in &run.finished.stale {
            writeln!(self.out, "stale: {} {}", Line(case), matter(*problem))?;
        }
        if let Some(why) = &run.finished.broken_off {
            writeln!(self.out, "broken off: {}", Line(&why.shown()))?;
        }
        self.sum(run)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Finished, Started};
    use crate::report::Collector;
    use crate::spec::{CaseId, Clause, Level};

    fn result(id: &str, verdict: Verdict, detail: &str) -> Event {
        let case = CaseId::new(Clause::Order, "x");
        Event::CaseFinished(Box::new(CaseResult {
            id: id.to_owned(),
            verdict,
            detail: detail.into(),
            ..CaseResult::unjudged(case, Level::Must, "", "")
        }))
    }

    #[test]
    fn a_row_says_what_came_and_what_was_expected() {
        let known = "[[known-failure]]\ncase = \"b\"\nreason = \"issue 1\"\n\
                     [[known-failure]]\ncase = \"c\"\nreason = \"issue 2\"\n";
        let known = Expectations::parse(known).unwrap();
        let mut marker = known.clone().marker(|_| true);
        let mut out = Vec::new();
        let mut rows = Rows::new(&mut out, Look::default(), known);
        let mut collector = Collector::default();
        let started = Started {
            target: "this process".into(),
            selected: 3,
            ..Started::default()
        };
        for mut event in [
            Event::Started(started),
            result("a", Verdict::Fail, "order: late\nline"),
            result("b", Verdict::Fail, "order: late"),
            result("c", Verdict::Pass, ""),
            Event::Finished(Finished::default()),
        ] {
            marker(&mut event);
            rows.event(&event).unwrap();
            collector.event(event);
        }
        rows.finish(&collector.into_run()).unwrap();
        let expected = "\
3 files, at this process
came     expected file
FAIL     pass     a  order: late\\nline
fail     fail     b  order: late  (known failure: issue 1)
pass     fail     c
stale: c is listed as a known failure and passes: take its entry out
failed: 3 files, 1 pass, 2 fail, 1 known, in 0.0 s
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
