//! What a script seems to show, before it is confirmed.

use crate::diagnosis::Symptom;
use crate::event::{FindingNote, Verdict};
use crate::run::Played;
use std::collections::HashMap;

/// What was found, without what differs from script to script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Suspicion(Symptom);

impl Suspicion {
    /// What a script seems to show, if that would be a finding.
    pub(super) fn of(played: &Played, is_strict: bool) -> Option<Self> {
        if !is_finding(played.verdict(), is_strict) {
            return None;
        }
        played.findings().first().map(Self::noted)
    }

    /// The suspicion that a finding confirms.
    pub(super) fn noted(finding: &FindingNote) -> Self {
        Self(Symptom::of(finding))
    }

    fn clause(&self) -> &str {
        self.0.clause()
    }
}

/// Whether that is worth a file.
pub(super) fn is_finding(verdict: Verdict, is_strict: bool) -> bool {
    matches!(verdict, Verdict::Fail) || is_strict && matches!(verdict, Verdict::Warn)
}

/// Suspicions that were gone into, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Suspicions {
    looked_at: HashMap<Suspicion, Look>,
    /// Confirmed ones of each clause.
    of_clause: HashMap<String, u32>,
}

#[derive(Debug, Clone, Copy)]
enum Look {
    Confirmed,
    /// Refuted so often, and not gone into again for as many times more as that is powers of two.
    Refuted {
        times: u32,
        left: u32,
    },
}

/// So many findings of one clause are told apart.
const MOST_OF_CLAUSE: u32 = 6;

/// A suspicion that was refuted is gone into again after twice as many more each time, up to this power.
const MOST_REFUTED: u32 = 10;

impl Suspicions {
    /// Whether it is to be gone into.
    pub(super) fn is_open(&mut self, suspicion: &Suspicion) -> bool {
        let told = self.of_clause.get(suspicion.clause()).copied();
        if told.unwrap_or_default() >= MOST_OF_CLAUSE {
            return false;
        }
        match self.looked_at.get_mut(suspicion) {
            None => true,
            Some(Look::Confirmed) => false,
            Some(Look::Refuted { left, .. }) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
        }
    }

    pub(super) fn confirmed(&mut self, suspicion: Suspicion) {
        if let Some(Look::Confirmed) = self.looked_at.get(&suspicion) {
            return;
        }
        let told = self
            .of_clause
            .entry(suspicion.clause().to_owned())
            .or_default();
        *told = told.saturating_add(1);
        self.looked_at.insert(suspicion, Look::Confirmed);
    }

    pub(super) fn refuted(&mut self, suspicion: Suspicion) {
        let times = match self.looked_at.get(&suspicion) {
            Some(Look::Refuted { times, .. }) => times.saturating_add(1).min(MOST_REFUTED),
            _ => 0,
        };
        let left = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        self.looked_at
            .insert(suspicion, Look::Refuted { times, left });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspicion(what: &str) -> Suspicion {
        Suspicion(Symptom::told("one-reply", what))
    }

    #[test]
    fn figures_and_texts_do_not_make_two_of_one() {
        let one = suspicion("the reply \"t1f\" has 7 octets");
        assert_eq!(one, suspicion("the reply \"x y z\" has 60 octets"));
        assert_ne!(one, suspicion("no reply"));
    }

    #[test]
    fn what_was_refuted_is_gone_into_less_and_less_often() {
        let mut suspicions = Suspicions::default();
        let one = suspicion("late");
        let mut looks = 0;
        for _ in 0..100 {
            if suspicions.is_open(&one) {
                looks += 1;
                suspicions.refuted(one.clone());
            }
        }
        assert!((5..=8).contains(&looks), "{looks}");
        suspicions.confirmed(one.clone());
        assert!(!suspicions.is_open(&one));
    }

    #[test]
    fn one_clause_does_not_take_all_the_time() {
        let mut suspicions = Suspicions::default();
        let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let open = words.iter().filter(|word| {
            let one = suspicion(word);
            let open = suspicions.is_open(&one);
            suspicions.confirmed(one);
            open
        });
        assert_eq!(open.count(), MOST_OF_CLAUSE as usize);
    }
}
