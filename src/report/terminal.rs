//! The terminal: how a report looks there, and progress while a run goes on.

use super::tally::Mark;
use super::{Look, Reporter};
use crate::event::{CaseResult, Event, Run};
use crate::lang::say;
use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};
use std::io;
use std::time::Duration;
use terminal_size::{Height, Width};

/// Narrower or wider than this is taken for a mistake of the terminal's.
const WIDTHS: (usize, usize) = (40, 160);

/// How a report looks on standard output: with colours where it is a terminal that has them and
/// `NO_COLOR` is not set, and as wide as the terminal: standard output's, or if that is none, as where a pager reads it,
/// standard error's.
#[must_use]
pub fn look() -> Look {
    let behind = || terminal_size::terminal_size_of(io::stderr()).map(clamped);
    Look {
        colour: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        width: width().or_else(behind).unwrap_or(Look::default().width),
        ..Look::default()
    }
}

/// How wide the terminal is that standard output is, if it is one.
#[must_use]
pub fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(clamped)
}

fn clamped((width, _): (Width, Height)) -> usize {
    let (narrowest, widest) = WIDTHS;
    usize::from(width.0).clamp(narrowest, widest)
}

/// A bar on standard error while cases run. Shows nothing where standard error is no terminal, and
/// leaves nothing behind.
#[derive(Debug, Default)]
pub struct Progress {
    bar: Option<ProgressBar>,
    selected: usize,
    failed: usize,
}

impl Reporter for Progress {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => self.selected = started.selected,
            Event::CaseStarted { id } => self.begun(id),
            Event::CaseFinished(result) => self.ended(result),
            Event::Finished(_) => self.clear(),
            Event::Calibrated(_) | Event::Diagnosed(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, _: &Run) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

impl Progress {
    /// The bar appears with the first case, when the head of the report has been written.
    fn begun(&mut self, id: &str) {
        let length = u64::try_from(self.selected).unwrap_or(u64::MAX);
        let bar = self.bar.get_or_insert_with(|| bar(length));
        bar.set_message(id.to_owned());
    }

    fn ended(&mut self, result: &CaseResult) {
        if Mark::of(result).is_bad(false) {
            self.failed = self.failed.saturating_add(1);
        }
        if let Some(bar) = &self.bar {
            if self.failed > 0 {
                bar.set_prefix(format!("{} ", say!("{count} failed", count = self.failed)));
            }
            bar.inc(1);
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(length: u64) -> ProgressBar {
    // The name of the case is cut where the terminal ends, so that the bar stays on one line.
    let style =
        ProgressStyle::with_template("{bar:16} {pos}/{len} {elapsed} {prefix:.red}{wide_msg:.dim}");
    let bar = ProgressBar::new(length);
    // The time goes on while a case waits.
    bar.enable_steady_tick(Duration::from_millis(250));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_bar_counts_cases_and_failures_and_goes_at_the_end() {
        let mut progress = Progress::default();
        for event in fixture::events() {
            if matches!(event, Event::Finished(_)) {
                let bar = progress.bar.as_ref().unwrap();
                assert_eq!((bar.position(), bar.length()), (13, Some(13)));
                assert_eq!(bar.prefix(), "3 failed ");
            }
            progress.event(&event).unwrap();
        }
        assert!(progress.bar.is_none());
    }
}
