//! Reproducers made smaller at a live peer.
//!
//! First the script is played some times more, to see what it shows: the clause that was found broken,
//! or, if that was by chance, the one that is. What the [shrinker](crate::shrink) proposes is played,
//! and counts only if the peer breaks the same clause as badly as it did in the beginning. How often
//! a script has to fail for that depends on how often the first one did: every time, or, if it does
//! not always fail, a few times of several. What is left in the end is played some more, with more
//! time for everything, and if it does not hold, the one before it.

use super::Target;
use super::player::{Played, Player};
use crate::cases::Case;
use crate::event::{Attempts, FindingNote, Verdict};
use crate::script::Script;
use crate::shrink::{Shrinker, Size};
use crate::spec::Clause;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How much work a reproducer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Nothing new is tried after that time.
    pub time: Duration,
    /// Smaller scripts that are tried at most.
    pub candidates: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            candidates: 1_000,
        }
    }
}

/// A smaller script that fails in the same way.
#[derive(Debug, Clone)]
pub struct Minimised {
    /// The smaller script.
    pub script: Script,
    /// The clause that it breaks.
    pub clause: Clause,
    /// The size of the script that it was made from.
    pub before: Size,
    /// Its own size.
    pub after: Size,
    /// How often it failed when it was played at last.
    pub attempts: Attempts,
    /// What was found then, the gravest first.
    pub findings: Vec<FindingNote>,
    /// Smaller scripts that were tried.
    pub candidates: usize,
    /// Why it is not smaller still.
    pub ended: Ended,
}

/// Why making it smaller has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing can be left out of it.
    Smallest,
    /// The time was up.
    Time,
    /// As many scripts were tried as may be.
    Candidates,
    /// A server serves nobody any more, or a client cannot be started.
    PeerGone,
}

impl Ended {
    /// What is to be said of it, in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smallest => "nothing more can be left out",
            Self::Time => "the time for it was up",
            Self::Candidates => "enough was tried",
            Self::PeerGone => "the peer was gone",
        }
    }
}

/// Why a script was not made smaller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMinimised {
    /// It did not break the clause when it was played again.
    #[error("it did not break {clause} again, though it was played {plays} times")]
    DoesNotFail {
        /// The clause.
        clause: Clause,
        /// How often it was played.
        plays: u32,
    },
    /// A server serves nobody any more, or a client cannot be started.
    #[error("the peer was gone when it had been played again")]
    PeerGone,
}

/// How often the script to begin with is played if it does not fail at first or not again.
const MOST_FIRST_PLAYS: u32 = 6;

/// How often what was found at last has to fail once more, if the first one fails every time.
const LAST_PLAYS: u32 = 4;

/// From how many of the steps on the way a way back is open, if what was found at last fails only at
/// times.
const MOST_BACK: usize = 12;

/// How often a script has to fail, of so many plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    failures: u32,
    plays: u32,
}

const EVERY_TIME: Rule = Rule {
    failures: 2,
    plays: 2,
};

const AT_TIMES: Rule = Rule {
    failures: 2,
    plays: 6,
};

/// Makes a script smaller that breaks a clause at that peer, for a case or for none.
///
/// # Errors
/// If it does not break the clause again, or the peer is gone.
pub async fn minimise(
    player: &mut Player,
    target: &mut Target,
    script: &Script,
    case: Option<&'static Case>,
    clause: Clause,
    bounds: Bounds,
) -> Result<Minimised, NotMinimised> {
    let begun = Instant::now();
    let profile = player.profile().clone();
    let mut bench = Bench {
        patient: player.patient(),
        player,
        target,
        case,
        gone: false,
        found: Vec::new(),
    };
    let (goal, rule) = bench.goal(script, clause).await?;
    let mut shrinker = Shrinker::new(&profile, script.clone());
    let before = shrinker.size();
    let mut way = VecDeque::new();
    let mut candidates = 0_usize;
    let ended = loop {
        if begun.elapsed() >= bounds.time {
            break Ended::Time;
        }
        if candidates >= bounds.candidates {
            break Ended::Candidates;
        }
        let Some(candidate) = shrinker.candidate() else {
            break Ended::Smallest;
        };
        candidates = candidates.saturating_add(1);
        let shown = bench.plays(candidate, &goal, rule, false).await.failed >= rule.failures;
        if shown {
            way.push_back(shrinker.best().clone());
            if way.len() > MOST_BACK {
                way.pop_front();
            }
        }
        shrinker.answer(shown);
        if bench.gone {
            break Ended::PeerGone;
        }
    };
    way.push_back(shrinker.into_best());
    let (script, attempts) = bench.last_that_holds(way, &goal, rule).await?;
    Ok(Minimised {
        after: Size::of_script(&profile, &script),
        script,
        clause: goal.clause,
        before,
        attempts,
        findings: bench.found,
        candidates,
        ended,
    })
}

/// What a script has to show.
#[derive(Debug, Clone)]
struct Goal {
    clause: Clause,
    verdict: Verdict,
    /// That the server is gone afterwards, whatever else is to be seen.
    gone: bool,
}

impl Goal {
    /// What a play shows. A server that is gone counts as what was found at first.
    fn shown_by(played: &Played, clause: Clause) -> Option<Self> {
        let gone = played.peer_is_gone();
        let clause = if gone { clause } else { played.breaks()? };
        Some(Self {
            clause,
            verdict: played.verdict(),
            gone,
        })
    }

    fn is_met(&self, played: &Played) -> bool {
        if self.gone {
            return played.peer_is_gone();
        }
        played.breaks() == Some(self.clause) && played.verdict() >= self.verdict
    }

    fn not_met(&self, plays: u32) -> NotMinimised {
        NotMinimised::DoesNotFail {
            clause: self.clause,
            plays,
        }
    }
}

/// What is shown most often; of what is shown as often, rather the clause that was found at first. Of
/// the same clause, the mildest.
fn prevailing(shown: &[Goal], clause: Clause) -> Option<Goal> {
    let often = |goal: &Goal| shown.iter().filter(|one| one.clause == goal.clause).count();
    let most = shown
        .iter()
        .max_by_key(|goal| (often(goal), goal.clause == clause))?;
    let alike = shown.iter().filter(|goal| goal.clause == most.clause);
    Some(Goal {
        clause: most.clause,
        verdict: alike.clone().map(|goal| goal.verdict).min()?,
        gone: alike.clone().all(|goal| goal.gone),
    })
}

/// Where scripts are tried.
struct Bench<'a> {
    player: &'a mut Player,
    target: &'a mut Target,
    /// The player with more time for everything, for the first plays and the last.
    patient: Player,
    case: Option<&'static Case>,
    /// A server serves nobody any more, or a client cannot be started.
    gone: bool,
    /// What the last script showed that met the goal.
    found: Vec<FindingNote>,
}

impl Bench<'_> {
    /// What the script shows that is to be made smaller, and how reliably.
    async fn goal(
        &mut self,
        script: &Script,
        clause: Clause,
    ) -> Result<(Goal, Rule), NotMinimised> {
        let mut shown: Vec<Goal> = Vec::new();
        let mut plays = 0_u32;
        while plays < MOST_FIRST_PLAYS {
            let Ok(played) = self.patient.play(script, self.case).await else {
                return Err(NotMinimised::PeerGone);
            };
            plays = plays.saturating_add(1);
            shown.extend(Goal::shown_by(&played, clause));
            self.look_after(&played).await;
            if self.gone {
                return Err(NotMinimised::PeerGone);
            }
            let certain = shown.iter().filter(|goal| goal.clause == clause).count();
            if certain == EVERY_TIME.failures as usize && plays == EVERY_TIME.plays {
                break;
            }
        }
        let goal = prevailing(&shown, clause).ok_or(NotMinimised::DoesNotFail { clause, plays })?;
        let met = shown.iter().filter(|one| one.clause == goal.clause).count();
        let rule = if met == plays as usize {
            EVERY_TIME
        } else {
            AT_TIMES
        };
        Ok((goal, rule))
    }

    /// Plays until it is known whether the rule is met.
    async fn plays(
        &mut self,
        script: &Script,
        goal: &Goal,
        rule: Rule,
        patiently: bool,
    ) -> Attempts {
        let mut attempts = Attempts::default();
        while !self.gone && attempts.failed < rule.failures && attempts.of < rule.plays {
            let player = if patiently {
                &self.patient
            } else {
                &*self.player
            };
            let Ok(played) = player.play(script, self.case).await else {
                self.gone = true;
                break;
            };
            attempts.of = attempts.of.saturating_add(1);
            if goal.is_met(&played) {
                attempts.failed = attempts.failed.saturating_add(1);
                self.found = played.findings();
            }
            self.look_after(&played).await;
            let left = rule.plays.saturating_sub(attempts.of);
            if attempts.failed.saturating_add(left) < rule.failures {
                break;
            }
        }
        attempts
    }

    /// Of the scripts on the way the last that fails as reliably as the first did, and how often it
    /// did. Where the server is gone, nothing can be tried any more, and the last one is taken.
    async fn last_that_holds(
        &mut self,
        mut way: VecDeque<Script>,
        goal: &Goal,
        rule: Rule,
    ) -> Result<(Script, Attempts), NotMinimised> {
        let rule = match rule {
            EVERY_TIME => Rule {
                failures: LAST_PLAYS,
                plays: LAST_PLAYS,
            },
            rule => rule,
        };
        let mut plays = 0_u32;
        while let Some(script) = way.pop_back() {
            let attempts = self.plays(&script, goal, rule, true).await;
            if self.gone || attempts.failed >= rule.failures {
                return Ok((script, attempts));
            }
            plays = plays.saturating_add(attempts.of);
        }
        Err(goal.not_met(plays))
    }

    /// A server that is gone is started again, or given time to come back.
    async fn look_after(&mut self, played: &Played) {
        if played.peer_is_gone() {
            self.gone = !self.player.recover(self.target).await;
            self.patient = self.player.patient();
        }
    }
}
