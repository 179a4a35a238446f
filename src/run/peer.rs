//! The peer that scripts are played at, as the first look found it: what a run asks of it, whichever
//! role it plays.

use super::Options;
use super::apart::apart;
use super::client::ClientPeer;
use super::plan::{Planned, Roughness};
use super::server::{HeldCanary, MOST_CONNECTIONS, ServerPeer};
use crate::cases::{Case, Unfit};
use crate::judge::Traits;
use crate::lang::Text;
use crate::model::{self, Permitted};
use crate::outcome::{Attempt, Policy};
use crate::peer::{Process, Stderr};
use crate::profile::Profile;
use crate::script::Script;
use crate::transcript::{Canary, Transcript};
use std::io;
use std::time::{Duration, Instant};

/// A peer that has been looked at.
#[derive(Debug, Clone)]
pub(super) enum Peer {
    Server(ServerPeer),
    Client(ClientPeer),
}

/// What was seen while a script was played.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) transcript: Transcript,
    /// When the script began.
    pub(super) began: Instant,
}

impl Peer {
    /// The wire format that what is played for a case, or for none, is judged in.
    pub(super) fn profile_for(&self, case: Option<&Case>) -> &Profile {
        match self {
            Self::Server(server) => server.profile_for(case),
            Self::Client(client) => &client.profile,
        }
    }

    /// What the first look found out about it.
    pub(super) const fn traits(&self) -> Traits<'_> {
        match self {
            Self::Server(server) => Traits::Server(&server.rule),
            Self::Client(client) => Traits::Client(&client.traits),
        }
    }

    /// This peer, for scripts that are played side by side.
    pub(super) fn in_company(&self) -> Self {
        match self {
            Self::Server(server) => Self::Server(server.in_company()),
            Self::Client(client) => Self::Client(client.clone()),
        }
    }

    /// This peer, to be waited for longer, as when a failure is to be confirmed.
    pub(super) fn stretched(&self) -> Self {
        match self {
            Self::Server(server) => Self::Server(server.stretched()),
            Self::Client(client) => Self::Client(client.stretched()),
        }
    }

    /// This peer, as it is elsewhere: what others are being waited for at this one does not matter there.
    pub(super) fn elsewhere(&self) -> Self {
        match self {
            Self::Server(server) => Self::Server(server.elsewhere()),
            Self::Client(client) => Self::Client(client.clone()),
        }
    }

    /// The script of a case, for a first look or for one of the closer ones behind it.
    pub(super) fn script(
        &self,
        case: &Case,
        options: &Options,
        look: u32,
    ) -> Result<Script, Unfit> {
        match self {
            Self::Server(server) => server.script(case, options, look),
            Self::Client(client) => client.script(case, options),
        }
    }

    /// This peer, where what does not come within that time is given up. A client is waited for as before.
    pub(super) fn hasty(&self, haste: Duration) -> Self {
        match self {
            Self::Server(server) => Self::Server(server.hasty(haste)),
            Self::Client(client) => Self::Client(client.clone()),
        }
    }

    /// This peer, given as much time as at first.
    pub(super) fn unhurried(&self) -> Self {
        match self {
            Self::Server(server) => Self::Server(server.unhurried()),
            Self::Client(client) => Self::Client(client.clone()),
        }
    }

    /// Plays a script once and judges it, for a case or for none; and when octets were last sent in it before
    /// the peer showed signs of its end, if any were.
    ///
    /// # Errors
    /// If a client cannot be started.
    pub(super) async fn attempt(
        &self,
        script: Script,
        case: Option<&'static Case>,
    ) -> io::Result<(Attempt, Option<Instant>)> {
        self.attempt_beside(script, case, None).await
    }

    /// The same, beside a canary that is held from one script to the next, if there is to be one.
    pub(super) async fn attempt_beside(
        &self,
        script: Script,
        case: Option<&'static Case>,
        held: Option<&mut HeldCanary>,
    ) -> io::Result<(Attempt, Option<Instant>)> {
        let begun = Instant::now();
        let (octets, profile) = (script.octets(), self.profile_for(case).clone());
        let read = move || (model::permitted(&profile, &script), script);
        let (permitted, script) = apart(octets, read).await;
        let Recording { transcript, began } = self.play(&script, &permitted, held).await?;
        let (octets, peer) = (octets.saturating_add(transcript.octets()), self.clone());
        let judge = move || {
            let (profile, traits) = (peer.profile_for(case), peer.traits());
            Attempt::judged(profile, traits, case, script, permitted, transcript)
        };
        let mut attempt = apart(octets, judge).await;
        attempt.elapsed = begun.elapsed();
        let last_sent = attempt.last_sent().and_then(|at| began.checked_add(at));
        Ok((attempt, last_sent))
    }

    async fn play(
        &self,
        script: &Script,
        permitted: &[Permitted],
        held: Option<&mut HeldCanary>,
    ) -> io::Result<Recording> {
        match (self, held) {
            (Self::Server(server), Some(held)) => Ok(server.explore(script, permitted, held).await),
            (Self::Server(server), None) => Ok(server.play(script, permitted).await),
            (Self::Client(client), _) => client.play(script, permitted).await,
        }
    }

    /// How many scripts can be played side by side, where so many are asked for.
    pub(super) fn jobs(&self, asked: usize) -> usize {
        let most = match self {
            Self::Server(server) => server.most_jobs(asked),
            Self::Client(client) if client.is_had_at_will() => asked,
            Self::Client(_) => 1,
        };
        most.max(1)
    }

    /// How long a script takes at a peer that lets others wait, and how long that is for each reply.
    pub(super) fn takes(&self, script: &Script) -> (Duration, Duration) {
        match self {
            Self::Server(server) => (server.takes(script), server.round_trip()),
            Self::Client(_) => Default::default(),
        }
    }

    /// How many connections may be open at the same time.
    pub(super) const fn most_connections(&self) -> usize {
        match self {
            Self::Server(server) => server.bears,
            Self::Client(_) => MOST_CONNECTIONS,
        }
    }

    /// How many connections a script takes of those that may be open at the same time: a server bears only
    /// so many, a client has its own.
    pub(super) fn connections(&self, script: &Script) -> usize {
        match self {
            Self::Server(server) => server.connections(script),
            Self::Client(_) => 0,
        }
    }

    /// How often a case is tried.
    pub(super) fn policy(&self, repeat: u32) -> Policy {
        match self {
            Self::Client(client) if client.is_users() => Policy::exactly(repeat),
            Self::Server(_) | Self::Client(_) => Policy::confirmed(repeat),
        }
    }

    /// How roughly it is treated by a script. Each client is a new one, so nothing is rough to the next.
    pub(super) fn roughness(&self, planned: &Planned) -> Roughness {
        match self {
            Self::Server(server) if server.is_slow() => {
                planned.roughness(&server.profile).in_few_groups()
            }
            Self::Server(server) => planned.roughness(&server.profile),
            Self::Client(_) => Roughness::Plain,
        }
    }

    /// Whether what a case measures is only a suspicion, to be gone into with a longer script.
    pub(super) fn is_suspicion(&self, planned: &Planned) -> bool {
        matches!(self, Self::Server(_)) && planned.measures()
    }

    /// The process that lasts as long as the run, if it can be looked at.
    pub(super) const fn process(&self) -> Option<Process> {
        match self {
            Self::Server(server) => server.process,
            Self::Client(_) => None,
        }
    }

    /// What that process writes to its standard error.
    pub(super) const fn stderr(&self) -> Option<&Stderr> {
        match self {
            Self::Server(server) => server.stderr.as_ref(),
            Self::Client(_) => None,
        }
    }

    /// Why nothing more can be played after this attempt, if that is so and needs no attribution.
    pub(super) fn stays_away(&self, attempt: &Attempt) -> Option<Text> {
        match self {
            Self::Server(_) => None,
            Self::Client(client) => client.stays_away(attempt),
        }
    }

    /// Spares it clients that end their stream where nothing asks for that, if it bears that; whether it does.
    pub(super) async fn spare(&mut self) -> bool {
        match self {
            Self::Server(server) => server.spare().await,
            Self::Client(_) => true,
        }
    }

    /// Whether it serves a new client.
    pub(super) async fn serves(&self) -> bool {
        match self {
            Self::Server(server) => matches!(server.health().await, Canary::Well),
            Self::Client(_) => true,
        }
    }

    /// Whether it serves again, if need be after a while.
    pub(super) async fn comes_back(&self) -> bool {
        match self {
            Self::Server(server) => server.comes_back().await,
            Self::Client(_) => true,
        }
    }

    /// Whether it serves again, where a server that takes connections and does not answer is given that long.
    pub(super) async fn comes_back_within(&self, recover: Duration) -> bool {
        match self {
            Self::Server(server) => server.comes_back_within(recover).await,
            Self::Client(_) => true,
        }
    }
}
