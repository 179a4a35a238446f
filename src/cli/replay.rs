//! `conformance replay`: script files, played at a server or to a client, and judged.

mod peer;
mod told;

use super::durations::duration;
use super::exit::{Exit, Failure};
use super::script_file::{self, ScriptFile};
use super::signals::Signals;
use super::wire_format::{limited, named, octets};
use super::{out, runtime};
use crate::event::Verdict;
use crate::outcome::{Attempt, Judged as _, Next, Policy, Series};
use crate::profile::Profile;
use crate::run::{MeetError, Options, Player};
use crate::script::Side;
use crate::spec::Role;
use peer::{PeerArgs, ReplayPeer};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use told::{FileResult, ReplaySink};

/// Replay script files and raw octets at a server, or to a client, and judge what it does
///
/// Files in text form may say which wire format they are meant for, and which case they stand for. Which
/// side they play tells whether they are meant for servers or for clients.
#[derive(Debug, clap::Args)]
#[command(override_usage = "conformance replay [OPTIONS] <FILE|DIR>... <TARGET>
       conformance replay [OPTIONS] <FILE|DIR>... --exec <COMMAND>
       conformance replay [OPTIONS] <FILE|DIR>... --listen <HOST:PORT>")]
pub(crate) struct ReplayArgs {
    /// Script files, files of raw octets, and folders of them; then, unless --exec or --listen says who they
    /// are played at, the server: host:port, or [address]:port for IPv6
    #[arg(value_name = "FILE|DIR|TARGET", required = true, num_args = 1..)]
    words: Vec<PathBuf>,
    #[command(flatten, next_help_heading = "The peer")]
    peer: PeerArgs,
    /// The wire format of every file, instead of the one that it names, else the tutorial's
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// Largest body in octets, padding included, instead of the profile's; k, M and G may follow
    #[arg(long, value_name = "OCTETS", value_parser = octets)]
    max_frame: Option<u64>,
    /// How long an owed answer is waited for at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    timeout: Duration,
    /// Play each file so often; otherwise once, and again what fails
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeat: u32,
    /// Take warnings and what fails only at times for failures
    #[arg(long)]
    strict: bool,
    /// Show what was exchanged, in files that pass too
    #[arg(long)]
    trace: bool,
    /// What to write
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// One line for each file
    Human,
    /// One JSON text at the end
    Json,
}

impl ReplayArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let given = self.profile.as_deref().map(named).transpose()?;
        let (paths, target) = self.peer.split(&self.words)?;
        let files = script_file::collect(paths)?;
        let runtime = runtime::multi()?;
        let peer = runtime.block_on(self.peer.open(target, &files))?;
        let policy = if self.repeat > 1 || !peer.is_had_again {
            Policy::exactly(self.repeat)
        } else {
            Policy::confirmed(1)
        };
        let sink = ReplaySink::new(self.format == Form::Json, self.trace, &peer.name);
        let replay = Replay {
            args: &self,
            peer,
            given,
            policy,
            players: Vec::new(),
            sink,
            gone: None,
            is_other_format: false,
        };
        runtime.block_on(async {
            let mut signals = Signals::new()?;
            tokio::select! {
                done = replay.all(&files) => done,
                () = signals.next() => Err(Failure::could_not("interrupted")),
            }
        })
    }
}

/// A replay in progress.
struct Replay<'a> {
    args: &'a ReplayArgs,
    peer: ReplayPeer,
    /// The profile that the user named.
    given: Option<Profile>,
    /// How often a file is played.
    policy: Policy,
    /// The peer as it was found in each wire format, or why it was not.
    players: Vec<(Profile, Result<Player, MeetError>)>,
    sink: ReplaySink,
    /// The peer is gone, and since which file.
    gone: Option<String>,
    /// A file was meant for a wire format that the server does not speak.
    is_other_format: bool,
}

impl Replay<'_> {
    async fn all(mut self, files: &[PathBuf]) -> Result<Exit, Failure> {
        for path in files {
            let name = path.display().to_string();
            let result = match script_file::read(path) {
                Ok(file) => self.file(name, &file).await?,
                Err(error) => {
                    out::note(format_args!("error: {name}: {error}"));
                    FileResult::unreadable(name, error.to_string())
                }
            };
            self.sink.tell(result)?;
        }
        let summary = self.sink.finish()?;
        if self.is_other_format && summary.skip < files.len() {
            out::note(
                "try: --profile NAME, to play every file at the server in its own wire format",
            );
        }
        let strictly = self.args.strict && summary.warn.saturating_add(summary.unstable) > 0;
        let none_played = [summary.pass, summary.fail, summary.warn, summary.unstable] == [0; 4];
        if self.sink.unreadable > 0 {
            Ok(Exit::Usage)
        } else if summary.fail > 0 || strictly {
            Ok(Exit::Findings)
        } else if none_played {
            Err(self.not_served())
        } else if summary.error > 0 {
            Ok(Exit::CouldNot)
        } else {
            Ok(Exit::Ok)
        }
    }

    /// Why no file was played.
    fn not_served(&self) -> Failure {
        let first = self.players.iter().find_map(|(_, met)| met.as_ref().err());
        match first {
            Some(MeetError::NotServed { what, advice }) => {
                let failure = Failure::could_not(format!("nothing could be played: {what}"));
                match advice {
                    Some(advice) => failure.hint(advice),
                    None => failure,
                }
            }
            _ => Failure::could_not(format!(
                "nothing could be played: no file is meant for a {}",
                self.peer.target.role()
            )),
        }
    }

    async fn file(&mut self, name: String, file: &ScriptFile) -> Result<FileResult, Failure> {
        let profile = self.profile(file)?;
        let role = self.peer.target.role();
        if let Some(since) = &self.gone {
            let why = format!("not played: the {role} was gone after {since}");
            return Ok(FileResult::skipped(name, &profile, why));
        }
        // What a client owes says nothing of a server.
        let why = match (role, file.script.side()) {
            (Role::Server, Side::Server) => Some("it plays the server: it is meant for a client"),
            (Role::Client, Side::Client) => Some("it plays the client: it is meant for a server"),
            _ => None,
        };
        if let Some(why) = why {
            return Ok(FileResult::skipped(name, &profile, why.to_owned()));
        }
        let mut player = match self.player(&profile).await {
            Ok(player) => player,
            Err(MeetError::NotThere(error)) => return Err(self.args.peer.failure(&error)),
            Err(MeetError::NotServed { what, .. }) => {
                self.is_other_format = true;
                let format = profile.name();
                let why = format!(
                    "meant for the profile {format}, in which the server does not answer: {what}"
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
        if result.verdict != Verdict::Pass || self.args.trace {
            result.evidence = Some(played.shown().evidence());
        }
        Ok(result)
    }

    fn profile(&self, file: &ScriptFile) -> Result<Profile, Failure> {
        let profile = self.given.clone().or_else(|| file.profile.clone());
        let mut profile = limited(profile.unwrap_or_default(), self.args.max_frame)?;
        if let Some(reply) = self.peer.reply {
            profile = profile.with_reply(reply);
        }
        Ok(profile)
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
            timeout: self.args.timeout.max(Duration::from_millis(1)),
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
            let next = played.next(self.policy);
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
