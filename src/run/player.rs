//! Scripts played one at a time at a peer that has been looked at: what replays and reproducers
//! are made with.

use super::peer::Peer;
use super::server::{HeldCanary, NotServed};
use super::target::NotMet;
use super::{Options, RunError, Target};
use crate::cases::Case;
use crate::event::{Calibration, Evidence, FindingNote, Verdict};
use crate::lang::Text;
use crate::model::Permitted;
use crate::outcome::{Attempt, Judged};
use crate::peer::Stderr;
use crate::profile::Profile;
use crate::script::Script;
use crate::spec::Clause;
use crate::transcript::{Exit, Transcript};
use std::io;
use std::time::{Duration, Instant};

/// A peer that has been looked at.
#[derive(Debug, Clone)]
pub struct Player {
    peer: Peer,
    told: Calibration,
}

/// Why no script can be played at a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeetError {
    /// Nobody is there.
    #[error(transparent)]
    NotThere(#[from] RunError),
    /// It is a server that does not answer a plain request as the profile says.
    #[error("{what}")]
    NotServed {
        /// What it did instead.
        what: Text,
        /// What may be the matter.
        advice: Option<Text>,
    },
}

impl From<NotServed> for MeetError {
    fn from(found: NotServed) -> Self {
        Self::NotServed {
            what: found.what,
            advice: found.advice,
        }
    }
}

/// What playing a script once gave.
#[derive(Debug, Clone)]
pub struct Played {
    attempt: Attempt,
    last_sent: Option<Instant>,
}

/// A healthy client that is held open from one script to the next; the first script opens it.
#[derive(Debug, Default)]
pub struct Probe(HeldCanary);

impl Player {
    /// Looks at a peer, as at the beginning of a run: a server that is started here is started anew. Of the
    /// options, those that concern cases do not matter.
    ///
    /// # Errors
    /// If there is no peer, or it is a server that does not answer a plain request of the profile.
    pub async fn meet(target: &mut Target, options: &Options) -> Result<Self, MeetError> {
        match target.meet(&options.carried_by(target.carriage())).await {
            Ok(met) => Ok(Self {
                peer: met.peer,
                told: met.told,
            }),
            Err(NotMet::NotThere(error)) => Err(error.into()),
            Err(NotMet::NotServed(not_served)) => Err(not_served.into()),
        }
    }

    /// Whether a server answers a plain request of another wire format, without waiting for it longer
    /// than for anything that is owed. Of a client nothing is known before it is looked at.
    ///
    /// # Errors
    /// If it does not.
    pub async fn answers_in(&self, profile: &Profile) -> Result<(), MeetError> {
        let Peer::Server(server) = &self.peer else {
            return Ok(());
        };
        Ok(server.answers_in(profile).await?)
    }

    /// What the first look found out.
    #[must_use]
    pub fn calibration(&self) -> &Calibration {
        &self.told
    }

    /// The wire format in which it is spoken to.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.peer.profile_for(None)
    }

    /// The same peer, to be waited for longer, as when a failure is to be confirmed.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self {
            peer: self.peer.stretched(),
            told: self.told.clone(),
        }
    }

    /// The same peer, to be given up sooner: what a script then seems to show is no more than a suspicion.
    /// [`patient`](Self::patient) takes that back.
    #[must_use]
    pub fn hasty(&self, haste: Duration) -> Self {
        Self {
            peer: self.peer.hasty(haste),
            told: self.told.clone(),
        }
    }

    /// The same peer, given as much time as at first.
    #[must_use]
    pub fn unhurried(&self) -> Self {
        Self {
            peer: self.peer.unhurried(),
            told: self.told.clone(),
        }
    }

    /// The script of a case as a run would play it, if it has one here.
    #[must_use]
    pub fn script(&self, case: &Case, options: &Options) -> Option<Script> {
        self.peer.script(case, options, 0).ok()
    }

    /// How many scripts can be played side by side, where so many are asked for.
    #[must_use]
    pub fn jobs(&self, asked: usize) -> usize {
        self.peer.jobs(asked)
    }

    /// How many connections a script takes, beside the probe's, of the [`MOST_CONNECTIONS`](super::MOST_CONNECTIONS)
    /// that may be open at the same time.
    #[must_use]
    pub fn connections(&self, script: &Script) -> usize {
        self.peer.connections(script).saturating_sub(1)
    }

    /// Plays a script beside the probe, which is held open from one script to the next.
    ///
    /// # Errors
    /// If a client cannot be started.
    pub async fn explore(&self, script: &Script, probe: &mut Probe) -> io::Result<Played> {
        let held = Some(&mut probe.0);
        let mark = self.peer.stderr().map(Stderr::mark);
        let (mut attempt, last_sent) = self.peer.attempt_beside(script.clone(), None, held).await?;
        if let (Some(stderr), Some(mark)) = (self.peer.stderr(), mark) {
            attempt.stderr = stderr.since(mark);
        }
        Ok(Played { attempt, last_sent })
    }

    /// Plays a script. If it stands for a case, only what concerns the case is found, and what the case
    /// asks for beyond the model is asked for too.
    ///
    /// # Errors
    /// If a client cannot be started.
    pub async fn play(&self, script: &Script, case: Option<&'static Case>) -> io::Result<Played> {
        let (attempt, last_sent) = self.peer.attempt(script.clone(), case).await?;
        Ok(Played { attempt, last_sent })
    }

    /// How the process of the target came to its end, if it was started here and has ended or is about to.
    pub async fn ended(target: &mut Target) -> Option<Exit> {
        target.ended().await
    }

    /// Whether the process of a server could be looked at, and has ended.
    #[must_use]
    pub fn process_has_ended(&self) -> bool {
        self.peer.process().is_some_and(|process| !process.runs())
    }

    /// Whether a server serves a new client just now.
    pub async fn serves(&self) -> bool {
        self.peer.serves().await
    }

    /// Whether a server serves a new client, if need be after a few seconds.
    pub async fn comes_back(&self) -> bool {
        self.peer.comes_back().await
    }

    /// Whether there is a peer again once it was gone: one that can be started is, another is given
    /// time to come back.
    pub async fn recover(&mut self, target: &mut Target) -> bool {
        match target.revive(&mut self.peer).await {
            None => self.comes_back().await,
            Some(revived) => revived.is_ok(),
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

    /// Whether a server served no new client afterwards.
    #[must_use]
    pub fn peer_is_gone(&self) -> bool {
        self.attempt.peer_is_gone()
    }

    /// What was sent and seen.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.attempt.evidence()
    }

    /// When octets were last sent in it before the peer showed signs of its end, if any were.
    #[must_use]
    pub const fn last_sent(&self) -> Option<Instant> {
        self.last_sent
    }

    /// What was permitted, connection by connection.
    #[must_use]
    pub fn permitted(&self) -> &[Permitted] {
        self.attempt.permitted()
    }

    /// What was seen.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        self.attempt.transcript()
    }

    /// What the peer wrote to its standard error meanwhile, if that is known; beside other scripts, on account of
    /// any of them.
    #[must_use]
    pub fn stderr(&self) -> &str {
        &self.attempt.stderr
    }

    /// Whether nothing is wrong but that what was owed came late.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.attempt.is_late()
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
