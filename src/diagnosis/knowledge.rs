//! What is known of causes: how each case fails for each of them.

use super::observation::{Observation, Outcome, Play};
use super::symptom::Symptom;
use crate::spec::{Clause, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The knowledge that comes with the program.
const EMBEDDED: &str = include_str!("knowledge.json");

/// All that is known of causes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Knowledge {
    /// Symptoms, which the lessons name by their places in this list.
    symptoms: Vec<Symptom>,
    /// Code that shows how it is done: each in more than one language.
    sketches: Vec<Sketch>,
    /// The causes, in the order of the tables of faults.
    entries: Vec<Entry>,
}

/// A few lines of good code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// What causes call it by.
    pub name: String,
    /// The language.
    pub language: String,
    /// The lines.
    pub code: String,
}

/// A cause by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its name: that of the fault.
    pub id: String,
    /// Whose mistake it is.
    pub role: Role,
    /// The clause that it breaks.
    pub clause: Clause,
    /// The real bug that it copies; empty if none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub copies: String,
    /// What is wrong, in plain words.
    pub title: String,
    /// What to do about it, in a sentence.
    pub advice: String,
    /// The name of the code that shows how it is done.
    pub sketch: String,
    /// What the format must have for anybody to make it; empty if nothing in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub needs: String,
}

/// What is known of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The cause.
    #[serde(flatten)]
    pub head: Head,
    /// What became of each case that failed at least once.
    lessons: BTreeMap<String, Lesson>,
}

impl Sketch {
    /// Its lines, each with the comment behind it, if there is one.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mark = match self.language.as_str() {
            "Python" => "# ",
            _ => "// ",
        };
        self.code.lines().map(move |line| {
            let at = line.find(mark).map(|at| at.saturating_add(mark.len()));
            match at.and_then(|at| line.split_at_checked(at)) {
                Some((code, comment)) => (code, Some(comment)),
                None => (line, None),
            }
        })
    }
}

/// What became of a case at a peer with a fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lesson {
    /// How often it was played.
    pub of: u32,
    /// How often it failed with which symptom.
    pub failed: BTreeMap<usize, u32>,
}

/// Why a text is no knowledge.
#[derive(Debug, thiserror::Error)]
#[error("this is no knowledge of causes: {0}")]
pub struct KnowledgeError(#[from] serde_json::Error);

impl Knowledge {
    /// What comes with the program.
    pub fn embedded() -> &'static Self {
        static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
        // That it can be read is held by a test; without it nothing is explained.
        KNOWLEDGE.get_or_init(|| Self::parse(EMBEDDED).unwrap_or_default())
    }

    /// The same for these causes and sketches, with what plays teach anew. Of causes that are in no play by
    /// themselves stays what was known.
    #[must_use]
    pub fn updated(&self, heads: Vec<Head>, sketches: Vec<Sketch>, plays: &[Play]) -> Self {
        let told = |head: &Head| {
            let own = plays
                .iter()
                .filter(|play| play.planted == [head.id.as_str()]);
            let seen: Vec<&Observation> = own.map(|play| &play.seen).collect();
            match seen.is_empty() {
                true => self.told(&head.id),
                false => failures(&seen),
            }
        };
        let told: Vec<(Head, Failures)> = heads
            .into_iter()
            .map(|head| (head.clone(), told(&head)))
            .collect();
        let all = told.iter().flat_map(|(_, failures)| failures.values());
        let symptoms: BTreeSet<&Symptom> = all.flat_map(|(_, failed)| failed.keys()).collect();
        let symptoms: Vec<Symptom> = symptoms.into_iter().cloned().collect();
        let entry = |(head, failures): (Head, Failures)| {
            let lessons = failures.into_iter().map(|(case, (of, failed))| {
                let failed = failed.into_iter().filter_map(|(symptom, times)| {
                    Some((symptoms.binary_search(&symptom).ok()?, times))
                });
                let failed = failed.collect();
                (case, Lesson { of, failed })
            });
            let lessons = lessons.collect();
            Entry { head, lessons }
        };
        Self {
            entries: told.into_iter().map(entry).collect(),
            sketches,
            symptoms,
        }
    }

    /// What is known of a cause.
    fn told(&self, id: &str) -> Failures {
        let lessons = self.entry(id).into_iter().flat_map(Entry::lessons);
        let failures = lessons.map(|(case, lesson)| {
            let failed = lesson
                .failed
                .iter()
                .filter_map(|(place, times)| Some((self.symptom(*place)?.clone(), *times)));
            (case.to_owned(), (lesson.of, failed.collect()))
        });
        failures.collect()
    }

    /// Reads what [`Knowledge::to_text`] wrote.
    ///
    /// # Errors
    /// If it is not that.
    pub fn parse(text: &str) -> Result<Self, KnowledgeError> {
        Ok(serde_json::from_str(text)?)
    }

    /// As JSON, with a line for each cause, so that changes can be read.
    ///
    /// # Errors
    /// None that could happen: everything in it has a form in JSON.
    pub fn to_text(&self) -> Result<String, KnowledgeError> {
        Ok(format!(
            "{{\"symptoms\":[\n{}\n],\"sketches\":[\n{}\n],\"entries\":[\n{}\n]}}\n",
            lines(&self.symptoms)?,
            lines(&self.sketches)?,
            lines(&self.entries)?,
        ))
    }

    /// The causes, in the order of the tables.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The cause of that name.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.head.id == id)
    }

    /// The code that shows how it is done right, in each language that there is.
    pub fn sketches<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = &'a Sketch> {
        self.sketches
            .iter()
            .filter(|sketch| sketch.name == entry.head.sketch)
    }

    /// The symptom at a place.
    pub(super) fn symptom(&self, place: usize) -> Option<&Symptom> {
        self.symptoms.get(place)
    }
}

impl Entry {
    /// What became of a case that failed at least once at a peer with this fault.
    #[must_use]
    pub fn lesson(&self, case: &str) -> Option<&Lesson> {
        self.lessons.get(case)
    }

    /// Those cases.
    pub fn lessons(&self) -> impl Iterator<Item = (&str, &Lesson)> {
        self.lessons
            .iter()
            .map(|(case, lesson)| (case.as_str(), lesson))
    }
}

impl Lesson {
    /// How often it failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failed.values().copied().fold(0, u32::saturating_add)
    }

    /// Whether it was played so often at least, and failed each time.
    pub(super) fn always_failed(&self, plays: u32) -> bool {
        self.of >= plays && self.failures() == self.of
    }
}

/// How often each case was played, and how often it failed with which symptom.
type Failures = BTreeMap<String, (u32, BTreeMap<Symptom, u32>)>;

/// What became of the cases that failed in any of these plays.
fn failures(plays: &[&Observation]) -> Failures {
    let cases: BTreeSet<&str> = plays.iter().flat_map(|seen| seen.failed_or_odd()).collect();
    let mut failures = Failures::new();
    for case in cases {
        let (of, failed) = failures.entry(case.to_owned()).or_default();
        for outcome in plays.iter().filter_map(|seen| seen.outcome(case)) {
            *of = of.saturating_add(1);
            if let Outcome::Failed(symptom) = outcome {
                let times = failed.entry(symptom.clone()).or_default();
                *times = times.saturating_add(1);
            }
        }
    }
    failures
}

/// Each on a line of its own.
fn lines(all: &[impl Serialize]) -> Result<String, KnowledgeError> {
    let lines: Result<Vec<String>, _> = all.iter().map(serde_json::to_string).collect();
    Ok(lines?.join(",\n"))
}
