//! `conformance replay`: script files, played at a server and judged.

mod told;

use super::check::ReplyArg;
use super::durations::duration;
use super::exit::{Exit, Failure};
use super::host_port::HostPort;
use super::script_file::{self, ScriptFile};
use super::signals::Signals;
use super::wire_format::{limited, named, octets};
use super::{out, runtime};
use crate::event::Verdict;
use crate::outcome::{Attempt, Judged as _, Next, Policy, Series};
use crate::profile::Profile;
use crate::run::{MeetError, Options, Player};
use crate::script::Side;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use told::{FileResult, ReplaySink};

/// Replay script files and raw octets at a server, and judge what it does
///
/// Files in text form may say which wire format they are meant for, and which case they stand for.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// Script files, files of raw octets, and folders of them
    #[arg(value_name = "FILE|DIR", required = true, num_args = 1..)]
    paths: Vec<PathBuf>,
    /// The server: host:port, or [address]:port for IPv6
    #[arg(value_name = "TARGET")]
    target: HostPort,
    /// The wire format of every file, instead of the one that it names, else the tutorial's
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// Largest body in octets, padding included, instead of the profile's; k, M and G may follow
    #[arg(long, value_name = "OCTETS", value_parser = octets)]
    max_frame: Option<u64>,
    /// How replies relate to requests, instead of finding out
    #[arg(long, value_enum)]
    reply: Option<ReplyArg>,
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
        let files = script_file::collect(&self.paths)?;
        let addresses = self.target.resolve()?;
        let policy = if self.repeat > 1 {
            Policy::exactly(self.repeat)
        } else {
            Policy::confirmed(1)
        };
        let sink = ReplaySink::new(self.format == Form::Json, self.trace, &self.target);
        let replay = Replay {
            args: &self,
            addresses,
            given,
            policy,
            players: Vec::new(),
            sink,
            gone: None,
            is_other_format: false,
        };
        runtime::multi()?.block_on(async {
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
    addresses: Vec<SocketAddr>,
    /// The profile that the user named.
    given: Option<Profile>,
    /// How often a file is played.
    policy: Policy,
    /// The server as it was found in each wire format, or why it was not.
    players: Vec<(Profile, Result<Player, MeetError>)>,
    sink: ReplaySink,
    /// The server is gone, and since which file.
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
            _ => Failure::could_not("nothing could be played: no file is meant for a server"),
        }
    }

    async fn file(&mut self, name: String, file: &ScriptFile) -> Result<FileResult, Failure> {
        let profile = self.profile(file)?;
        if let Some(since) = &self.gone {
            let why = format!("not played: the server was gone after {since}");
            return Ok(FileResult::skipped(name, &profile, why));
        }
        // What a client owes says nothing of a server.
        if file.script.side() == Side::Server {
            let why = "it plays the server: it is meant for a client".to_owned();
            return Ok(FileResult::skipped(name, &profile, why));
        }
        let player = match self.player(&profile).await {
            Ok(player) => player,
            Err(MeetError::NotThere(error)) => {
                let failure = Failure::could_not(error.to_string());
                return Err(failure.hint("start the server first, or check host and port"));
            }
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
        let played = self.plays(&player, file).await;
        if !is_there(&player, &played).await {
            self.gone = Some(name.clone());
        }
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
        if let Some(reply) = self.args.reply {
            profile = profile.with_reply(reply.into());
        }
        Ok(profile)
    }

    /// The server in that wire format. Once it has answered in one, it is not waited for long in
    /// another.
    async fn player(&mut self, profile: &Profile) -> Result<Player, MeetError> {
        if let Some((_, met)) = self.players.iter().find(|(known, _)| known == profile) {
            return met.clone();
        }
        let options = Options {
            timeout: self.args.timeout.max(Duration::from_millis(1)),
            ..Options::new(self.args.target.to_string(), profile.clone())
        };
        let known = self.players.iter().find_map(|(_, met)| met.as_ref().ok());
        let met = match known {
            Some(player) => match player.answers_in(profile).await {
                Ok(()) => Player::meet(&self.addresses, &options).await,
                Err(error) => Err(error),
            },
            None => Player::meet(&self.addresses, &options).await,
        };
        self.players.push((profile.clone(), met.clone()));
        met
    }

    /// Plays a file as often as it takes.
    async fn plays(&self, player: &Player, file: &ScriptFile) -> Series<Attempt> {
        let patient = player.patient();
        let play = async |by: &Player| by.play(&file.script, file.case).await.into_attempt();
        let mut played = Series::of(play(player).await);
        loop {
            let next = played.next(self.policy);
            if next == Next::Done || !is_there(player, &played).await {
                return played;
            }
            if next == Next::Repeat {
                played.repeated(play(player).await);
            } else {
                played.confirmed(play(&patient).await);
            }
        }
    }
}

/// Whether there is a server, if need be after a while.
async fn is_there(player: &Player, played: &Series<Attempt>) -> bool {
    !played.shown().peer_is_gone() || player.comes_back().await
}
