//! Scripts played one at a time at a server that has been looked at: what replays and reproducers
//! are made with.

use super::play::{Peer, play};
use super::{NotMet, Options, RunError, Target, meet};
use crate::cases::Case;
use crate::event::{Calibration, Evidence, FindingNote, Verdict};
use crate::model;
use crate::outcome::{Attempt, Judged};
use crate::profile::Profile;
use crate::script::Script;
use crate::spec::Clause;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A server that has been looked at.
#[derive(Debug, Clone)]
pub struct Player {
    peer: Peer,
    told: Calibration,
}

/// Why no script can be played at a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeetError {
    /// Nobody is there.
    #[error(transparent)]
    NotThere(#[from] RunError),
    /// It does not answer a plain request as the profile says.
    #[error("{what}")]
    NotServed {
        /// What it did instead.
        what: String,
        /// What may be the matter.
        advice: Option<String>,
    },
}

/// What playing a script once gave.
#[derive(Debug, Clone)]
pub struct Played {
    attempt: Attempt,
}

impl Player {
    /// Looks at the server behind these addresses, as at the beginning of a run. Of the options, those
    /// that concern cases do not matter.
    ///
    /// # Errors
    /// If the server cannot be reached, or does not answer a plain request of the profile.
    pub async fn meet(addresses: &[SocketAddr], options: &Options) -> Result<Self, MeetError> {
        Self::meet_at(&mut Target::at(addresses), options).await
    }

    /// The same with a server that may have to be started: if it runs already, it is started anew.
    ///
    /// # Errors
    /// As [`meet`](Self::meet), and if the server does not come up.
    pub async fn meet_at(target: &mut Target, options: &Options) -> Result<Self, MeetError> {
        match meet(target, options).await {
            Ok(found) => Ok(Self {
                peer: found.peer,
                told: found.told,
            }),
            Err(NotMet::NotThere(error)) => Err(error.into()),
            Err(NotMet::NotServed(found)) => Err(MeetError::NotServed {
                what: found.what,
                advice: found.advice,
            }),
        }
    }

    /// Whether the server answers a plain request of another wire format, without waiting for it longer
    /// than for anything that is owed.
    ///
    /// # Errors
    /// If it does not.
    pub async fn answers_in(&self, profile: &Profile) -> Result<(), MeetError> {
        self.peer
            .answers_in(profile)
            .await
            .map_err(|trouble| MeetError::NotServed {
                what: format!("a connection that asked something plain {trouble}"),
                advice: None,
            })
    }

    /// What the first look found out.
    #[must_use]
    pub fn calibration(&self) -> &Calibration {
        &self.told
    }

    /// The wire format in which it is spoken to.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.peer.profile
    }

    /// The same server, to be waited for longer, as when a failure is to be confirmed.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self {
            peer: self.peer.stretched(),
            told: self.told.clone(),
        }
    }

    /// Plays a script. If it stands for a case, only what concerns the case is found, and what the case
    /// asks for beyond the model is asked for too.
    pub async fn play(&self, script: &Script, case: Option<&Case>) -> Played {
        let begun = Instant::now();
        let permitted = model::permitted(&self.peer.profile, script);
        let (transcript, _) = play(&self.peer, script, &permitted).await;
        let (profile, rule, script) = (&self.peer.profile, &self.peer.rule, script.clone());
        let mut attempt =
            Attempt::judged(profile, rule.into(), case, script, permitted, transcript);
        attempt.elapsed = begun.elapsed();
        Played { attempt }
    }

    /// Whether the server serves a new client, if need be after a few seconds.
    pub async fn comes_back(&self) -> bool {
        self.peer.comes_back().await
    }

    /// Whether there is a server again once it was gone: one that can be started is, another is given
    /// time to come back.
    pub async fn recover(&mut self, target: &mut Target) -> bool {
        match target.revive().await {
            None => self.comes_back().await,
            Some(Ok(endpoint)) => {
                self.peer.move_to(endpoint);
                true
            }
            Some(Err(_)) => false,
        }
    }
}

impl Played {
    /// What it comes to: [`Verdict::Error`] if waiting was given up for no reason that the judge knows.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.attempt.verdict()
    }

    /// What was found, the gravest first.
    #[must_use]
    pub fn findings(&self) -> Vec<FindingNote> {
        self.attempt.findings()
    }

    /// The clause that the gravest finding is about.
    #[must_use]
    pub fn breaks(&self) -> Option<Clause> {
        self.attempt.breaks()
    }

    /// Whether the server served no new client afterwards.
    #[must_use]
    pub fn server_is_gone(&self) -> bool {
        self.attempt.peer_is_gone()
    }

    /// What was sent and seen.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.attempt.evidence()
    }

    /// How long it took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.attempt.elapsed
    }

    /// The attempt that it was: what the program makes a result of when it replays a file.
    #[cfg(feature = "cli")]
    pub(crate) fn into_attempt(self) -> Attempt {
        self.attempt
    }
}
