//! One peer and the cases that are played at it.

use super::tables::{Permitted, Planted};
use super::{clients, servers};
use crate::altered::{Need, Room};
use crate::cases::Case;
use crate::diagnosis::Observation;
use crate::event::{Event, Verdict};
use crate::lang::Text;
use crate::profile::Profile;
use crate::spec::{CaseId, Role};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// How often a server that its own fault ended is started, for the cases that are left …
pub(super) const MOST_STARTS: usize = 4;

/// … and where it is to be known of each case whether it ends it.
pub(super) const ALL_STARTS: usize = 40;

/// The program `conformance`, as a peer that can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What `--profile` is to be given.
    pub profile: String,
}

/// Whom cases are played at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// The reference of a role.
    Reference(Role),
    /// The altered server without an alteration.
    Unaltered,
    Fault(Planted),
    Variant(Permitted),
}

impl Subject {
    pub(super) fn role(self) -> Role {
        match self {
            Self::Reference(role) => role,
            Self::Unaltered => Role::Server,
            Self::Fault(fault) => fault.role,
            Self::Variant(variant) => variant.role,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reference(Role::Server) => "the reference server",
            Self::Reference(Role::Client) => "the reference client",
            Self::Unaltered => "without a fault",
            Self::Fault(fault) => fault.name,
            Self::Variant(variant) => variant.name,
        }
    }

    /// Whether its frames may be of that profile, which is there for the sake of `format`.
    pub(super) fn is_permitted_in(self, format: Option<Need>, profile: &Profile) -> bool {
        let Self::Variant(variant) = self else {
            return true;
        };
        let has = |room: Option<Room>| room.is_none_or(|room| room.is_in(profile));
        variant
            .only_over
            .is_none_or(|only| only == profile.carriage())
            && variant.only_in.is_none_or(|only| Some(only) == format)
            && has(variant.only_with)
    }

    /// The format that it is permitted in, if that is only one.
    pub(super) const fn only_in(self) -> Option<Need> {
        match self {
            Self::Variant(variant) => variant.only_in,
            _ => None,
        }
    }

    pub(super) fn is_warned(self) -> bool {
        matches!(self, Self::Variant(variant) if variant.warned)
    }

    /// The arguments that make the program this.
    fn arguments(self) -> Vec<&'static str> {
        match self {
            Self::Reference(_) | Self::Unaltered => Vec::new(),
            Self::Fault(fault) => vec!["--fault", fault.name],
            Self::Variant(variant) => vec!["--variant", variant.name],
        }
    }
}

/// What is to be played at whom.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) subject: Subject,
    /// Faults that are planted besides.
    pub(super) besides: Vec<Planted>,
    pub(super) profile: Profile,
    pub(super) cases: Vec<&'static Case>,
    /// The program that is the peer, if its process is to be looked at.
    pub(super) program: Option<Program>,
    pub(super) slow: bool,
    /// How often a server that its own fault ended is started.
    pub(super) starts: usize,
}

impl Trial {
    /// The arguments that make the program its peer.
    pub(super) fn arguments(&self) -> Vec<&'static str> {
        let besides = self.besides.iter().map(|fault| Subject::Fault(*fault));
        let subjects = [self.subject].into_iter().chain(besides);
        subjects.flat_map(Subject::arguments).collect()
    }
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    pub(super) detail: Text,
}

impl Seen {
    /// Whether the case took notice, and would again.
    pub(super) fn is_noticed(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn)
    }

    pub(super) fn is_played(&self) -> bool {
        !matches!(self.verdict, Verdict::Skip | Verdict::Error)
    }
}

/// What became of all of them.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) cases: BTreeMap<CaseId, Seen>,
    /// The same, with how each failed.
    pub(super) observed: Observation,
    /// Whether the peer did anything that could be judged.
    pub(super) served: bool,
    /// Why there was no peer, if there was none.
    pub(super) broken: Option<String>,
}

impl Results {
    /// There was nobody to play at.
    pub(super) fn broken(why: &impl ToString) -> Self {
        Self {
            broken: Some(why.to_string()),
            ..Self::default()
        }
    }

    /// Notes what an event tells of one of these cases.
    pub(super) fn note(&mut self, cases: &[&'static Case], event: Event) {
        let result = match event {
            Event::CaseFinished(result) => result,
            Event::Calibrated(calibration) => return self.observed.looked(&calibration),
            _ => return,
        };
        self.observed.note(&result);
        if let Some(case) = cases.iter().find(|case| case.id.is_written(&result.id)) {
            let (verdict, detail) = (result.verdict, result.detail);
            self.cases.insert(case.id, Seen { verdict, detail });
        }
    }
}

/// What became of the cases at one peer.
pub(super) struct Round {
    pub(super) results: Results,
    /// Whether the peer came to its end.
    pub(super) is_over: bool,
}

/// Plays the cases of a trial. If the peer comes to its end by its own fault, the rest is played
/// at another.
pub(super) async fn play(trial: Trial) -> Results {
    let mut all = Results::default();
    let mut left = trial.cases.clone();
    for _ in 0..trial.starts {
        let round = match one_round(&trial, &left).await {
            Ok(round) => round,
            Err(error) => {
                all.broken = Some(error.to_string());
                break;
            }
        };
        let before = left.len();
        let not_run = |case: &&Case| {
            let seen = round.results.cases.get(&case.id);
            round.is_over && seen.is_none_or(|seen| seen.verdict == Verdict::Skip)
        };
        left.retain(|case| not_run(case));
        all.served |= round.results.served;
        all.observed.add(round.results.observed);
        all.cases.extend(round.results.cases);
        if left.is_empty() || left.len() == before || !all.served {
            break;
        }
    }
    all
}

async fn one_round(trial: &Trial, cases: &[&'static Case]) -> io::Result<Round> {
    match trial.subject.role() {
        Role::Server => servers::round(trial, cases).await,
        Role::Client => clients::round(trial, cases).await,
    }
}
