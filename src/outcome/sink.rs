//! Who is told what happens in a run: each case as it is begun and as it ends, and in the end the sum of it.

use super::evidence::{MOST_IN_ALL, shorten};
use super::lacking::lacking;
use super::{measured, millis};
use crate::cases::{self, Case};
use crate::diagnosis::{self, Knowledge, Observation};
use crate::event::{
    Calibration, CaseResult, Event, Finished, Role, SCHEMA, Started, Summary, Unchecked, Verdict,
};
use crate::lang::{Text, say};
use crate::profile::Profile;
use crate::spec::{CaseId, Clause, Level};
use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A case as results name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) id: CaseId,
    pub(crate) level: Level,
    /// Why it matters.
    pub(crate) why: &'static str,
}

impl Head {
    /// The case before anything is known of it.
    pub(crate) fn unjudged(self, command: &str) -> CaseResult {
        CaseResult::unjudged(self.id, self.level, self.why, command)
    }
}

impl From<&'static Case> for Head {
    fn from(case: &'static Case) -> Self {
        Self {
            id: case.id,
            level: case.level,
            why: case.why,
        }
    }
}

/// How a run begins.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) role: Role,
    /// The peer as the user calls it.
    pub(crate) target: &'a Text,
    pub(crate) profile: &'a Profile,
    pub(crate) seed: u64,
    /// The command line that repeats the run, up to where a case is selected.
    pub(crate) command: &'a str,
    /// The cases, in the order of the table.
    pub(crate) cases: Vec<Head>,
}

/// Tells what happens, and counts.
pub(crate) struct EventSink<'a> {
    start: Start<'a>,
    begun: Instant,
    tell: &'a mut (dyn FnMut(Event) + Send),
    results: BTreeMap<String, (Verdict, Text)>,
    seen: Observation,
    /// Octets that may still be told of what was sent and seen.
    room: usize,
}

impl<'a> EventSink<'a> {
    /// Tells that a run begins.
    pub(crate) fn begin(start: Start<'a>, tell: &'a mut (dyn FnMut(Event) + Send)) -> Self {
        tell(Event::Started(started(&start)));
        let seen = Observation::within(lacking(start.profile));
        Self {
            start,
            begun: Instant::now(),
            tell,
            results: BTreeMap::new(),
            seen,
            room: MOST_IN_ALL,
        }
    }

    /// The command line that repeats the run, up to where a case is selected.
    pub(crate) fn command(&self) -> &'a str {
        self.start.command
    }

    /// What has been seen of the peer so far.
    pub(crate) fn seen(&self) -> &Observation {
        &self.seen
    }

    /// Tells what the first look at the peer found out.
    pub(crate) fn calibrated(&mut self, told: Calibration) {
        self.seen.looked(&told);
        (self.tell)(Event::Calibrated(told));
    }

    /// Tells that a case is begun.
    pub(crate) fn case_started(&mut self, case: Head) {
        let id = case.id.to_string();
        (self.tell)(Event::CaseStarted { id });
    }

    /// Tells what became of a case.
    pub(crate) fn case_finished(&mut self, result: CaseResult) {
        let mut result = measured::told(result);
        if let Some(evidence) = &mut result.evidence {
            self.room = self.room.saturating_sub(shorten(evidence, self.room));
        }
        let told = (result.verdict, result.detail.clone());
        self.results.insert(result.id.clone(), told);
        self.seen.note(&result);
        (self.tell)(Event::CaseFinished(Box::new(result)));
    }

    /// Tells what became of a case that was not played, or in which the harness failed.
    pub(crate) fn without_play(&mut self, case: Head, verdict: Verdict, why: Text) {
        self.case_finished(CaseResult {
            verdict,
            detail: why,
            ..case.unjudged(self.start.command)
        });
    }

    /// How many cases have no verdict yet.
    pub(crate) fn untold(&self) -> usize {
        self.without_verdict().count()
    }

    fn without_verdict(&self) -> impl Iterator<Item = Head> {
        let is_told = |case: &Head| self.results.contains_key(&case.id.to_string());
        let cases = self.start.cases.iter().copied();
        cases.filter(move |case| !is_told(case))
    }

    /// Tells why none of the cases that have no verdict yet was run.
    pub(crate) fn not_run(&mut self, why: &Text) {
        for case in self.without_verdict().collect::<Vec<_>>() {
            self.without_play(case, Verdict::Skip, why.clone());
        }
    }

    /// Tells the end of the run. Whatever has no verdict yet was not run, since the run was broken off, or
    /// the harness failed in it.
    pub(crate) fn finish(mut self, broken_off: Option<Text>) -> Finished {
        if let Some(why) = &broken_off {
            self.not_run(&say!("not run: {why}", why));
        }
        for case in self.without_verdict().collect::<Vec<_>>() {
            self.without_play(
                case,
                Verdict::Error,
                say!("the harness failed in this case"),
            );
        }
        let causes = diagnosis::diagnose(Knowledge::embedded(), self.start.role, &self.seen);
        (self.tell)(Event::Diagnosed(causes));
        let (clauses_checked, clauses_unchecked) = self.clauses();
        let finished = Finished {
            summary: self.summary(),
            broken_off,
            stale: Vec::new(),
            clauses_checked,
            clauses_unchecked,
        };
        (self.tell)(Event::Finished(finished.clone()));
        finished
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (verdict, _) in self.results.values() {
            summary.count(*verdict);
        }
        summary.elapsed_ms = millis(self.begun.elapsed());
        summary
    }

    /// The clauses of which a case was run to its end, and the others, each with the reason. What no frame of the format
    /// can come under is none of them, unless a case of it was asked for.
    fn clauses(&self) -> (Vec<String>, Vec<Unchecked>) {
        let (mut checked, mut unchecked) = (Vec::new(), Vec::new());
        let arises = |clause: &Clause| {
            let asked = self
                .start
                .cases
                .iter()
                .any(|head| head.id.clause == *clause);
            asked || cases::arises(*clause, self.start.profile)
        };
        for clause in self.start.role.clauses().filter(arises) {
            match self.unchecked(clause) {
                None => checked.push(clause.to_string()),
                Some(why) => unchecked.push(Unchecked {
                    clause: clause.to_string(),
                    why,
                }),
            }
        }
        (checked, unchecked)
    }

    /// Why nothing is known of a clause, if that is so.
    fn unchecked(&self, clause: Clause) -> Option<Text> {
        let is_own = |id: &str| id.split('/').next() == Some(clause.slug());
        let mut first = None;
        for (_, (verdict, why)) in self.results.iter().filter(|(id, _)| is_own(id)) {
            if !matches!(verdict, Verdict::Skip | Verdict::Error) {
                return None;
            }
            first.get_or_insert_with(|| why.clone());
        }
        first.or_else(|| Some(say!("no case of it was selected")))
    }
}

/// The beginning of a run, now.
fn started(start: &Start<'_>) -> Started {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let selection: Vec<String> = start.cases.iter().map(|case| case.id.to_string()).collect();
    Started {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        role: start.role,
        target: start.target.clone(),
        profile: start.profile.name().to_owned(),
        datagrams: start.profile.carriage().is_datagrams(),
        selected: selection.len(),
        seed: start.seed,
        unix_ms: since.map(millis),
        selection,
        strict: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn head(clause: Clause, variant: &'static str) -> Head {
        Head {
            id: CaseId::new(clause, variant),
            level: Level::Must,
            why: "",
        }
    }

    fn start<'a>(target: &'a Text, profile: &'a Profile) -> Start<'a> {
        let cases = [
            head(Clause::OneReply, "single"),
            head(Clause::OneReply, "many"),
            head(Clause::LengthPrefix, "one-chunk"),
        ];
        Start {
            role: Role::Server,
            target,
            profile,
            seed: 1,
            command: "check here",
            cases: cases.to_vec(),
        }
    }

    #[test]
    fn whatever_was_not_told_of_is_told_at_the_end() {
        let (here, profile) = ("here".into(), Profile::default());
        let mut events = Vec::new();
        let mut tell = |event| events.push(event);
        let mut sink = EventSink::begin(start(&here, &profile), &mut tell);
        sink.case_started(head(Clause::OneReply, "many"));
        sink.without_play(head(Clause::OneReply, "many"), Verdict::Pass, "".into());
        let finished = sink.finish(Some("it is gone".into()));
        assert_eq!((finished.summary.pass, finished.summary.skip), (1, 2));
        assert_eq!(finished.clauses_checked, ["one-reply"]);
        assert_eq!(
            finished.clauses_unchecked.len(),
            Role::Server
                .clauses()
                .filter(|clause| cases::arises(*clause, &profile))
                .count()
                - 1
        );
        let unchecked = finished.clauses_unchecked.iter();
        let (not_run, not_selected): (Vec<_>, Vec<_>) =
            unchecked.partition(|unchecked| unchecked.clause == "length-prefix");
        assert_eq!(not_run[0].why, "not run: it is gone");
        let why = "no case of it was selected";
        assert!(not_selected.iter().all(|unchecked| unchecked.why == why));
        assert_eq!(events.last(), Some(&Event::Finished(finished.clone())));
        assert_eq!(events.len(), 7);
    }

    #[test]
    fn without_a_reason_it_is_the_fault_of_the_harness() {
        let (here, profile) = ("here".into(), Profile::default());
        let mut tell = |_| {};
        let finished = EventSink::begin(start(&here, &profile), &mut tell).finish(None);
        assert_eq!(finished.summary.error, 3);
    }
}
