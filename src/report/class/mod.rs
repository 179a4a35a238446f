//! A class: what became of the servers of many people, a row for each, and a column for each cause that one of them has.
//!
//! How many points somebody has is said by whoever makes the rows; here they are only written.

mod html;
mod tables;

pub use html::Absent;

use super::causes;
use super::timeline::{Noun, counted};
use crate::event::{CaseResult, Cause, Conclusion, Run, Unchecked, Verdict};
use crate::lang::{Text, say};
use std::collections::BTreeMap;
use std::fmt;

/// A class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The command that started each server.
    pub command: String,
    /// Name of the profile.
    pub profile: String,
    /// The points that nothing is missing from, in words.
    pub most: String,
    /// The people, in the order in which they are told.
    pub people: Vec<Person>,
    /// What else is to be said of all, each in a sentence.
    pub notes: Vec<Text>,
}

/// Somebody, and what became of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// As the submission is called.
    pub name: String,
    /// The points, in words.
    pub points: String,
    /// What became of the server.
    pub became: Became,
    /// What else is to be said, each in a sentence.
    pub notes: Vec<String>,
    /// The report about it, as a link from the page of the class leads there.
    pub page: Option<String>,
}

/// What became of a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Became {
    /// It was checked.
    Checked(Found),
    /// It was not there to be checked, and why not.
    NotServed(String),
    /// It could not be looked at, through no fault of its own, and why not.
    NotGraded(String),
}

/// What was found in a run, as far as a class is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What the run comes to.
    pub conclusion: Conclusion,
    /// What is behind that, in the order in which to mend it.
    pub causes: Vec<Cause>,
    /// What was found against the server, each but once: its causes, and the clauses that it breaks without a cause that is
    /// known.
    pub mistakes: Vec<Mistake>,
    /// Whether any case passed.
    pub passes: bool,
    /// What there is to say first.
    pub first: Text,
    /// Why not everything was played, if it was not.
    pub broken_off: Option<Text>,
    /// How much of it was.
    pub shown: Shown,
}

/// How much of a server was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Clauses of which a case has a verdict.
    pub clauses: u32,
    /// Clauses of which none has, because the run ended before: no time was left, or the server was gone.
    pub missing: u32,
}

impl Shown {
    fn of(run: &Run) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let was_due = |clause: &&Unchecked| {
            let mut of_it = run
                .results
                .iter()
                .filter(|result| result.clause == clause.clause);
            of_it.any(CaseResult::was_not_run)
        };
        let finished = &run.finished;
        Self {
            clauses: count(finished.clauses_checked.len()),
            missing: count(finished.clauses_unchecked.iter().filter(was_due).count()),
        }
    }
}

/// Something that was found against a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The cause, if one is known.
    pub cause: Option<String>,
    /// Slug of the clause that is broken.
    pub clause: String,
    /// Whether a case has failed for it, and not only a warning been given.
    pub fails: bool,
}

impl Found {
    /// What was found in a run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let causes: Vec<Cause> = causes::news(run).into_iter().cloned().collect();
        Self {
            conclusion: run.conclusion(),
            mistakes: mistakes(run, &causes),
            passes: run.finished.summary.pass > 0,
            first: first(run, &causes),
            broken_off: run.finished.broken_off.clone(),
            shown: Shown::of(run),
            causes,
        }
    }

    /// How many mistakes have no cause that is known.
    fn unexplained(&self) -> usize {
        let unexplained = self
            .mistakes
            .iter()
            .filter(|mistake| mistake.cause.is_none());
        unexplained.count()
    }
}

/// The causes behind which there is a failure or a warning, and the clauses that are broken without one. What failed only
/// at times is held against nobody.
fn mistakes(run: &Run, causes: &[Cause]) -> Vec<Mistake> {
    let found = run.results.iter().filter(|result| result.known.is_none());
    let gravity: BTreeMap<&str, bool> = found
        .filter(|result| matches!(result.verdict, Verdict::Fail | Verdict::Warn))
        .map(|result| (result.id.as_str(), result.verdict == Verdict::Fail))
        .collect();
    let explained = causes.iter().filter_map(|cause| {
        let shown = cause.explains.iter().filter_map(|id| gravity.get(&**id));
        Some(Mistake {
            fails: shown.copied().max()?,
            cause: Some(cause.id.clone()),
            clause: cause.clause.clone(),
        })
    });
    let mut mistakes: Vec<Mistake> = explained.collect();
    mistakes.extend(unexplained(run, &gravity));
    mistakes
}

fn unexplained(run: &Run, gravity: &BTreeMap<&str, bool>) -> Vec<Mistake> {
    let mut clauses: BTreeMap<&str, bool> = BTreeMap::new();
    for result in &run.results {
        let is_left = run.diagnosis.unexplained.contains(&result.id);
        if let Some(fails) = gravity.get(&*result.id).filter(|_| is_left) {
            *clauses.entry(&result.clause).or_default() |= fails;
        }
    }
    let mistake = |(clause, fails): (&str, bool)| Mistake {
        cause: None,
        clause: clause.to_owned(),
        fails,
    };
    clauses.into_iter().map(mistake).collect()
}

/// The cause that is to be mended first, else what failed first, else why not all was played.
fn first(run: &Run, causes: &[Cause]) -> Text {
    let failed = run.failures().next();
    let failed =
        failed.map(|result| say!("{case}: {detail}", case = result.id, detail = result.detail));
    let cause = causes.first().map(|cause| cause.title.clone());
    let broken_off = run.finished.broken_off.clone();
    cause.or(failed).or(broken_off).unwrap_or_default()
}

impl Person {
    /// The word for what became of the server.
    fn word(&self) -> Text {
        match &self.became {
            Became::Checked(found) => match found.conclusion {
                Conclusion::Passed => say!("passed"),
                Conclusion::Failed => say!("failed"),
                Conclusion::Undecided => say!("undecided"),
            },
            Became::NotServed(_) => say!("not served"),
            Became::NotGraded(_) => say!("not graded"),
        }
    }

    /// The same of so many people.
    fn of_so_many(&self, count: usize) -> Text {
        match &self.became {
            Became::Checked(found) => match found.conclusion {
                Conclusion::Passed => say!("{count} passed", count),
                Conclusion::Failed => say!("{count} failed", count),
                Conclusion::Undecided => say!("{count} undecided", count),
            },
            Became::NotServed(_) => say!("{count} not served", count),
            Became::NotGraded(_) => say!("{count} not graded", count),
        }
    }

    fn found(&self) -> Option<&Found> {
        match &self.became {
            Became::Checked(found) => Some(found),
            Became::NotServed(_) | Became::NotGraded(_) => None,
        }
    }

    fn causes(&self) -> &[Cause] {
        self.found().map_or(&[], |found| &found.causes)
    }

    /// What there is to say first: the first cause, or why there are none.
    fn first(&self) -> Text {
        match &self.became {
            Became::Checked(found) => found.first.clone(),
            Became::NotServed(why) | Became::NotGraded(why) => Text::from(why.as_str()).heard(),
        }
    }

    /// What else is to be said.
    fn notes(&self) -> impl Iterator<Item = String> {
        let left = self.found().map_or(0, Found::unexplained);
        let broken_off = self.found().and_then(|found| found.broken_off.as_ref());
        let said = broken_off.filter(|why| !self.first().as_str().contains(why.as_str()));
        let left = (left > 0 && !self.causes().is_empty()).then(|| {
            say!(
                "{clauses} broken for no cause that is known",
                clauses = counted(left, Noun::Clause)
            )
            .to_string()
        });
        let part = said.map(|why| say!("not all was played: {why}", why).to_string());
        let missing = self.found().map_or(0, |found| found.shown.missing);
        let missing = (missing > 0).then(|| {
            let clauses = counted(missing.try_into().unwrap_or(usize::MAX), Noun::Clause);
            say!("{clauses} not looked at, which earn nothing", clauses).to_string()
        });
        let notes = self.notes.iter().cloned();
        notes.chain(part).chain(missing).chain(left)
    }

    /// All that is said, on a line.
    fn line(&self) -> String {
        let first = Some(self.first().to_string()).filter(|first| !first.is_empty());
        let said: Vec<String> = first.into_iter().chain(self.notes()).collect();
        said.join("; ")
    }
}

/// A cause, and who has it.
struct Shared<'a> {
    cause: &'a Cause,
    people: Vec<&'a str>,
}

impl Class {
    /// Every cause that somebody has, those of most people first.
    fn shared(&self) -> Vec<Shared<'_>> {
        let all = causes::once(self.people.iter().flat_map(Person::causes));
        let who = |cause: &Cause| {
            let has = |person: &&Person| person.causes().iter().any(|own| own.id == cause.id);
            let people = self.people.iter().filter(has);
            people.map(|person| person.name.as_str()).collect()
        };
        let mut shared: Vec<Shared<'_>> = all
            .into_iter()
            .map(|cause| Shared {
                people: who(cause),
                cause,
            })
            .collect();
        shared.sort_by_key(|shared| std::cmp::Reverse(shared.people.len()));
        shared
    }

    /// How many there are of each, in a sentence.
    fn told(&self) -> String {
        let mut counts: Vec<(&Person, usize)> = Vec::new();
        for person in &self.people {
            let mut known = counts.iter_mut();
            match known.find(|(known, _)| known.word() == person.word()) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => counts.push((person, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let counts = counts.iter();
        let counts: Vec<String> = counts
            .map(|(person, count)| person.of_so_many(*count).to_string())
            .collect();
        let all = counted(self.people.len(), Noun::Submission);
        format!("{all}: {}", counts.join(", "))
    }
}

/// The class in a sentence.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.told())
    }
}

#[cfg(test)]
mod tests;
