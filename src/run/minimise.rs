//! Reproducers made smaller at a live server.
//!
//! What the [shrinker](crate::shrink) proposes is played, and counts only if the server breaks the same
//! clause as badly as it did in the beginning, and does so again when it is played once more with more
//! time. How often a script has to fail for that depends on how often the first one did: every time,
//! or, if it does not always fail, a few times of several.

use super::player::{Played, Player};
use crate::cases::Case;
use crate::event::{Attempts, Verdict};
use crate::script::Script;
use crate::shrink::{Shrinker, Size};
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
    /// It.
    pub script: Script,
    /// The clause that it breaks.
    pub clause: &'static str,
    /// The size of the script that it was made from.
    pub before: Size,
    /// Its own size.
    pub after: Size,
    /// How often it failed when it was played at last.
    pub attempts: Attempts,
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
    /// The server serves nobody any more.
    ServerGone,
}

impl Ended {
    /// What is to be said of it, in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smallest => "nothing more can be left out",
            Self::Time => "the time for it was up",
            Self::Candidates => "enough was tried",
            Self::ServerGone => "the server was gone",
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
        clause: String,
        /// How often it was played.
        plays: u32,
    },
    /// The server serves nobody any more.
    #[error("the server was gone when it had been played again")]
    ServerGone,
}

/// How often the script to begin with is played if it does not fail at first or not again.
const MOST_FIRST_PLAYS: u32 = 6;

/// How often what was found at last is played.
const LAST_PLAYS: u32 = 2;

/// How often a script has to fail, of so many plays.
#[derive(Debug, Clone, Copy)]
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

/// Makes a script smaller that breaks a clause at that server, for a case or for none.
///
/// # Errors
/// If it does not break the clause again, or the server is gone.
pub async fn minimise(
    player: &Player,
    script: &Script,
    case: Option<&Case>,
    clause: &str,
    bounds: Bounds,
) -> Result<Minimised, NotMinimised> {
    let begun = Instant::now();
    let mut bench = Bench {
        player,
        patient: player.patient(),
        case,
        gone: false,
    };
    let (goal, rule) = bench.goal(script, clause).await?;
    let mut shrinker = Shrinker::new(player.profile(), script.clone());
    let before = shrinker.size();
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
        let attempts = bench.plays(candidate, &goal, rule).await;
        shrinker.answer(attempts.failed >= rule.failures);
        if bench.gone {
            break Ended::ServerGone;
        }
    };
    let after = shrinker.size();
    let script = shrinker.into_best();
    let again = Rule {
        failures: LAST_PLAYS,
        plays: rule.plays.max(LAST_PLAYS),
    };
    let attempts = if bench.gone {
        Attempts::default()
    } else {
        bench.plays(&script, &goal, again).await
    };
    if attempts.of > 0 && attempts.failed == 0 {
        return Err(goal.not_met(attempts.of));
    }
    Ok(Minimised {
        script,
        clause: goal.clause,
        before,
        after,
        attempts,
        candidates,
        ended,
    })
}

/// What a script has to show.
#[derive(Debug, Clone, Copy)]
struct Goal {
    clause: &'static str,
    verdict: Verdict,
}

impl Goal {
    fn is_met(&self, played: &Played) -> bool {
        played.breaks() == Some(self.clause) && played.verdict() >= self.verdict
    }

    fn not_met(&self, plays: u32) -> NotMinimised {
        NotMinimised::DoesNotFail {
            clause: self.clause.to_owned(),
            plays,
        }
    }
}

/// Where scripts are tried.
struct Bench<'a> {
    player: &'a Player,
    /// The same, for the plays that confirm.
    patient: Player,
    case: Option<&'a Case>,
    /// The server serves nobody any more.
    gone: bool,
}

impl Bench<'_> {
    /// What the script shows that is to be made smaller, and how reliably.
    async fn goal(&mut self, script: &Script, clause: &str) -> Result<(Goal, Rule), NotMinimised> {
        let mut plays = 0_u32;
        let mut goal: Option<Goal> = None;
        let mut failed = 0_u32;
        while plays < MOST_FIRST_PLAYS {
            let played = self.patient.play(script, self.case).await;
            plays = plays.saturating_add(1);
            self.look_after(&played).await;
            if let Some(broken) = played.breaks().filter(|broken| *broken == clause) {
                failed = failed.saturating_add(1);
                let verdict = played.verdict();
                let known = goal.get_or_insert(Goal {
                    clause: broken,
                    verdict,
                });
                known.verdict = known.verdict.min(verdict);
            }
            if self.gone {
                return Err(NotMinimised::ServerGone);
            }
            if failed == EVERY_TIME.failures && plays == EVERY_TIME.plays {
                break;
            }
        }
        let rule = if failed == plays {
            EVERY_TIME
        } else {
            AT_TIMES
        };
        let goal = goal.ok_or_else(|| NotMinimised::DoesNotFail {
            clause: clause.to_owned(),
            plays,
        })?;
        Ok((goal, rule))
    }

    /// Plays until it is known whether the rule is met.
    async fn plays(&mut self, script: &Script, goal: &Goal, rule: Rule) -> Attempts {
        let mut attempts = Attempts::default();
        while !self.gone && attempts.failed < rule.failures && attempts.of < rule.plays {
            let player = if attempts.failed == 0 {
                self.player
            } else {
                &self.patient
            };
            let played = player.play(script, self.case).await;
            attempts.of = attempts.of.saturating_add(1);
            let met = u32::from(goal.is_met(&played));
            attempts.failed = attempts.failed.saturating_add(met);
            self.look_after(&played).await;
            let left = rule.plays.saturating_sub(attempts.of);
            if attempts.failed.saturating_add(left) < rule.failures {
                break;
            }
        }
        attempts
    }

    /// A server that is gone is given time to come back.
    async fn look_after(&mut self, played: &Played) {
        if played.server_is_gone() && !self.player.comes_back().await {
            self.gone = true;
        }
    }
}
