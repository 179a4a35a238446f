//! Collects the events of a run into a [`Run`].

use crate::event::{CaseResult, Event, Finished, Role, Run, SCHEMA, Summary, Unchecked, Verdict};
use crate::lang::{Text, say};
use crate::spec::{Clause, Level};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
/// Takes the events of a run as they come and gives the run in good order: its cases as in the
/// table, none missing, the verdicts counted.
#[derive(Debug, Default)]
pub struct Collector {
    run: Run,
    begun: Vec<String>,
    is_finished: bool,
}

impl Collector {
    /// Takes an event.
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Started(started) => self.run.started = started,
            Event::Calibrated(calibration) => self.run.calibration = Some(calibration),
            Event::CaseStarted { id } => self.begun.push(id),
            Event::CaseFinished(result) => self.run.results.push(*result),
            Event::Diagnosed(diagnosis) => self.run.diagnosis = diagnosis,
            Event::Finished(finished) => {
                self.run.finished = finished;
                self.is_finished = true;
            }
        }
    }

    /// Whether the end of the run has been told.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The end of a run that has told none.
    #[must_use]
    pub fn abrupt_end(&self) -> Finished {
        let mut summary = Summary::default();
        for result in &self.run.results {
            summary.count(result.verdict);
            summary.elapsed_ms = summary.elapsed_ms.max(result.elapsed_ms);
        }
        let (clauses_checked, clauses_unchecked) =
            coverage(self.run.started.role, &self.run.results);
        Finished {
            summary,
            broken_off: Some(say!("the run ended before it was over")),
            stale: Vec::new(),
            clauses_checked,
            clauses_unchecked,
        }
    }

    /// The run. Cases that were selected or begun and have no verdict get one that says so.
    #[must_use]
    pub fn into_run(mut self) -> Run {
        if !self.is_finished {
            self.run.finished = self.abrupt_end();
        }
        let order = self.order();
        let mut run = self.run;
        if run.started.schema.is_empty() {
            SCHEMA.clone_into(&mut run.started.schema);
        }
        add_missing(&mut run, &order);
        sort(&mut run.results, &order);
        recount(&mut run);
        run
    }

    /// The cases in the order in which they are to be listed.
    fn order(&mut self) -> Vec<String> {
        let mut order = std::mem::take(&mut self.run.started.selection);
        let mut known: HashSet<String> = order.iter().cloned().collect();
        let rest = self.begun.drain(..);
        order.extend(rest.filter(|id| known.insert(id.clone())));
        order
    }
}

fn add_missing(run: &mut Run, order: &[String]) {
    let told: HashSet<&str> = run
        .results
        .iter()
        .map(|result| result.id.as_str())
        .collect();
    let missing: Vec<CaseResult> = order
        .iter()
        .filter(|id| !told.contains(id.as_str()))
        .map(|id| without_verdict(id, run.finished.broken_off.as_ref()))
        .collect();
    run.results.extend(missing);
}

/// A case that never got a verdict: not run if the run was broken off, else a fault of ours.
fn without_verdict(id: &str, broken_off: Option<&Text>) -> CaseResult {
    let clause = id.split('/').next().unwrap_or_default();
    let (verdict, detail) = match broken_off {
        Some(why) => (Verdict::Skip, say!("not run: {why}", why)),
        None => (
            Verdict::Error,
            say!("the run ended without a verdict for this case"),
        ),
    };
    let level = Clause::from_slug(clause).map_or(Level::Must, Clause::level);
    CaseResult {
        detail,
        ..CaseResult::bare(id, clause, level, verdict)
    }
}

fn sort(results: &mut [CaseResult], order: &[String]) {
    let places: HashMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(place, id)| (id.as_str(), place))
        .collect();
    results.sort_by_key(|result| {
        places
            .get(result.id.as_str())
            .copied()
            .unwrap_or(usize::MAX)
    });
}

fn recount(run: &mut Run) {
    let elapsed_ms = run.finished.summary.elapsed_ms;
    run.finished.summary = Summary {
        known: run.results.iter().filter(|r| r.known.is_some()).count(),
        stale: run.finished.stale.len(),
        elapsed_ms,
        ..Summary::default()
    };
    for result in &run.results {
        run.finished.summary.count(result.verdict);
    }
}

/// The clauses that these cases checked, and those that they did not, with a reason.
fn coverage(role: Role, results: &[CaseResult]) -> (Vec<String>, Vec<Unchecked>) {
    let checked: BTreeSet<&str> = results
        .iter()
        .filter(|result| !matches!(result.verdict, Verdict::Skip | Verdict::Error))
        .map(|result| result.clause.as_str())
        .collect();
    let mut reasons: BTreeMap<&str, &Text> = BTreeMap::new();
    for result in results {
        reasons.entry(&result.clause).or_insert(&result.detail);
    }
    let is_checked = |clause: &Clause| checked.contains(clause.slug());
    let (checked, others): (Vec<Clause>, Vec<Clause>) = role.clauses().partition(is_checked);
    let unchecked = |clause: Clause| {
        let why = reasons.get(clause.slug()).copied();
        Unchecked {
            clause: clause.to_string(),
            why: why.cloned().unwrap_or_else(|| say!("no case was run")),
        }
    };
    (
        checked.iter().map(Clause::to_string).collect(),
        others.into_iter().map(unchecked).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Started;

    fn begun(selection: &[&str]) -> Collector {
        let mut collector = Collector::default();
        collector.event(Event::Started(Started {
            selection: selection.iter().map(|id| (*id).to_owned()).collect(),
            ..Started::default()
        }));
        collector
    }

    fn finish_case(collector: &mut Collector, id: &str) {
        collector.event(Event::CaseStarted { id: id.into() });
        let result = CaseResult {
            verdict: Verdict::Pass,
            ..without_verdict(id, None)
        };
        collector.event(Event::CaseFinished(Box::new(result)));
    }

    fn ids(run: &Run) -> Vec<&str> {
        run.results
            .iter()
            .map(|result| result.id.as_str())
            .collect()
    }

    #[test]
    fn cases_are_listed_as_selected_however_they_end() {
        let mut collector = begun(&["order/a", "order/b", "order/c"]);
        for id in ["order/c", "order/a", "order/b"] {
            finish_case(&mut collector, id);
        }
        collector.event(Event::Finished(Finished::default()));
        let run = collector.into_run();
        assert_eq!(ids(&run), ["order/a", "order/b", "order/c"]);
        assert_eq!(run.finished.summary.pass, 3);
        assert_eq!(run.started.selection, Vec::<String>::new());
    }

    #[test]
    fn without_a_selection_they_are_listed_as_begun() {
        let mut collector = begun(&[]);
        collector.event(Event::CaseStarted {
            id: "order/b".into(),
        });
        finish_case(&mut collector, "order/a");
        finish_case(&mut collector, "order/b");
        assert_eq!(ids(&collector.into_run()), ["order/b", "order/a"]);
    }

    #[test]
    fn a_run_broken_off_lists_what_was_not_run() {
        let mut collector = begun(&["order/a", "reset/b"]);
        finish_case(&mut collector, "order/a");
        assert!(!collector.is_finished());
        let run = collector.into_run();
        assert_eq!(
            run.finished.broken_off.as_ref(),
            Some(&Text::whole("the run ended before it was over"))
        );
        assert_eq!(run.finished.clauses_checked, ["order"]);
        assert_eq!(
            run.finished.clauses_unchecked.len(),
            Role::Server.clauses().count() - 1
        );
        let missing = &run.results[1];
        assert_eq!(
            (missing.verdict, missing.level),
            (Verdict::Skip, Level::Must)
        );
        assert!(
            missing
                .detail
                .as_str()
                .contains("the run ended before it was over"),
            "{}",
            missing.detail
        );
        assert_eq!(run.finished.summary.skip, 1);
    }

    #[test]
    fn a_case_that_a_whole_run_forgot_is_an_error() {
        let mut collector = begun(&["order/a"]);
        collector.event(Event::Finished(Finished::default()));
        let run = collector.into_run();
        assert_eq!(run.results[0].verdict, Verdict::Error);
        assert_eq!(run.finished.summary.error, 1);
    }
}
