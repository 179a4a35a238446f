//! Script files, played one after the other at one peer.

use super::peer::ReplayPeer;
use super::told::FileResult;
use crate::cli::exit::Failure;
use crate::cli::script_file::ScriptFile;
use crate::cli::wire_format::limited;
use crate::event::Verdict;
use crate::lang::{Text, say};
use crate::outcome::{Attempt, Judged as _, Next, Policy, Series};
use crate::profile::Profile;
use crate::run::{MeetError, Options, Player, RunError};
use crate::script::Side;
use crate::spec::Role;
use std::io;
use std::time::{Duration, Instant};

/// How files are played.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// The wire format of every file, instead of the one that it names.
    pub(crate) given: Option<Profile>,
    /// The largest body, instead of the profile's.
    pub(crate) max_frame: Option<u64>,
    /// How long an owed answer is waited for at least.
    pub(crate) timeout: Duration,
    /// How often each is played.
    pub(crate) policy: Policy,
    /// Whether what was exchanged is kept of files that pass, too.
    pub(crate) keeps_all: bool,
}

impl Manner {
    /// The wire format in which a file is played.
    pub(crate) fn profile(&self, file: &ScriptFile) -> Result<Profile, Failure> {
        let profile = self.given.clone().or_else(|| file.profile.clone());
        limited(profile.unwrap_or_default(), self.max_frame)
    }
}

/// Why no file can be played.
#[derive(Debug)]
pub(crate) enum PlayError {
    /// There is no peer.
    NotThere(RunError),
    /// What was asked for cannot be, or the peer cannot be started for a file.
    Failed(Failure),
}

impl From<Failure> for PlayError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Files that are played at one peer.
pub(crate) struct Playing {
    pub(crate) peer: ReplayPeer,
    manner: Manner,
    /// The peer as it was found in each wire format, or why it was not.
    players: Vec<(Profile, Result<Player, MeetError>)>,
    /// The peer is gone, and since which file.
    gone: Option<String>,
    /// A file was meant for a wire format that the server does not speak.
    pub(crate) is_other_format: bool,
}

impl Playing {
    pub(crate) const fn new(peer: ReplayPeer, manner: Manner) -> Self {
        Self {
            peer,
            manner,
            players: Vec::new(),
            gone: None,
            is_other_format: false,
        }
    }

    /// Why no file was played.
    pub(crate) fn not_served(&self) -> Failure {
        let first = self.players.iter().find_map(|(_, met)| met.as_ref().err());
        match first {
            Some(MeetError::NotServed { what, advice }) => {
                let failure = Failure::could_not(format!("nothing could be played: {what}"));
                match advice {
                    Some(advice) => failure.hint(advice.to_string()),
                    None => failure,
                }
            }
            _ => Failure::could_not(format!(
                "nothing could be played: no file is meant for a {}",
                self.peer.target.role()
            )),
        }
    }

    /// What becomes of a file.
    pub(crate) async fn file(
        &mut self,
        name: String,
        file: &ScriptFile,
    ) -> Result<FileResult, PlayError> {
        let profile = self.profile(file)?;
        if let Some(why) = self.why_not(file) {
            return Ok(FileResult::skipped(name, &profile, Text::from(why).heard()));
        }
        let role = self.peer.target.role();
        let mut player = match self.player(&profile).await {
            Ok(player) => player,
            Err(MeetError::NotThere(error)) => return Err(PlayError::NotThere(error)),
            Err(MeetError::NotServed { what, .. }) => {
                self.is_other_format = true;
                let format = profile.name();
                let why = say!(
                    "meant for the profile {format}, in which the server does not answer: {what}",
                    format,
                    what
                );
                return Ok(FileResult::skipped(name, &profile, why));
            }
        };
        let begun = Instant::now();
        let played = self.plays(&mut player, file).await;
        let played = played.map_err(|error| {
            Failure::could_not(format!("the {role} could not be started: {error}"))
        })?;
        if !self.is_there(&mut player, &played).await {
            self.gone = Some(name.clone());
        }
        self.keep(player);
        let mut result = FileResult::played(name, &profile, file.case, &played);
        result.elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if result.verdict != Verdict::Pass || self.manner.keeps_all {
            result.evidence = Some(played.shown().evidence());
        }
        Ok(result)
    }

    /// Why a file is not played, if it is not.
    fn why_not(&self, file: &ScriptFile) -> Option<String> {
        let role = self.peer.target.role();
        if let Some(since) = &self.gone {
            return Some(format!("not played: the {role} was gone after {since}"));
        }
        // What a client owes says nothing of a server.
        match (role, file.script.side()) {
            (Role::Server, Side::Server) => {
                Some("it plays the server: it is meant for a client".to_owned())
            }
            (Role::Client, Side::Client) => {
                Some("it plays the client: it is meant for a server".to_owned())
            }
            _ => None,
        }
    }

    fn profile(&self, file: &ScriptFile) -> Result<Profile, Failure> {
        let profile = self.manner.profile(file)?;
        let profile = profile.carried_by(self.peer.target.carriage());
        Ok(match self.peer.reply {
            Some(reply) => profile.with_reply(reply),
            None => profile,
        })
    }

    /// The peer in that wire format. Once a server has answered in one, it is not waited for long in
    /// another.
    async fn player(&mut self, profile: &Profile) -> Result<Player, MeetError> {
        if let Some((_, met)) = self.players.iter().find(|(known, _)| known == profile) {
            return met.clone();
        }
        // One that is started here is started anew, and then is where it was not before.
        if self.peer.target.can_be_revived() {
            self.players.clear();
        }
        let met = self.meet(profile).await;
        self.players.push((profile.clone(), met.clone()));
        met
    }

    async fn meet(&mut self, profile: &Profile) -> Result<Player, MeetError> {
        let known = self.players.iter().find_map(|(_, met)| met.as_ref().ok());
        if let Some(player) = known {
            player.answers_in(profile).await?;
        }
        let target = &mut self.peer.target;
        let options = Options {
            timeout: self.manner.timeout.max(Duration::from_millis(1)),
            ..Options::new(target.role(), &*self.peer.name, profile.clone())
        };
        Player::meet(target, &options).await
    }

    /// Where the peer is by now is known to the player that has played at last.
    fn keep(&mut self, player: Player) {
        let of = |known: &Profile| known == player.profile();
        if let Some((_, met)) = self.players.iter_mut().find(|(known, _)| of(known)) {
            *met = Ok(player);
        }
    }

    /// Plays a file as often as it takes.
    async fn plays(
        &mut self,
        player: &mut Player,
        file: &ScriptFile,
    ) -> io::Result<Series<Attempt>> {
        let mut played = Series::of(once(player, file).await?);
        loop {
            let next = played.next(self.manner.policy);
            if next == Next::Done || !self.is_there(player, &played).await {
                return Ok(played);
            }
            if next == Next::Repeat {
                played.repeated(once(player, file).await?);
            } else {
                played.confirmed(once(&player.patient(), file).await?);
            }
        }
    }

    /// Whether there is a peer, if need be after a while.
    async fn is_there(&mut self, player: &mut Player, played: &Series<Attempt>) -> bool {
        !played.shown().peer_is_gone() || player.recover(&mut self.peer.target).await
    }
}

async fn once(player: &Player, file: &ScriptFile) -> io::Result<Attempt> {
    let played = player.play(&file.script, file.case).await?;
    Ok(played.into_attempt())
}
