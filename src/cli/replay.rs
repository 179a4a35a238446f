//! `conformance replay`: script files, played at a server or to a client, and judged.

mod peer;
mod playing;
mod told;

pub(super) use peer::{PeerArgs, ReplayPeer};
pub(super) use playing::{Manner, PlayError, Playing};
pub(super) use told::FileResult;

use super::durations::waiting;
use super::exit::{Exit, Failure};
use super::script_file;
use super::signals::Signals;
use super::wire_format::{named, octets};
use super::{out, runtime};
use crate::lang::Text;
use crate::outcome::Policy;
use std::path::{Path, PathBuf};
use std::time::Duration;
use told::ReplaySink;

/// Replay script files and raw octets at a server, or to a client, and judge what it does
///
/// Files in text form may say which wire format they are meant for, and which case they stand for. Which
/// side they play tells whether they are meant for servers or for clients.
#[derive(Debug, clap::Args)]
#[command(override_usage = "conformance replay [OPTIONS] <FILE|DIR>... <TARGET>
       conformance replay [OPTIONS] <FILE|DIR>... --exec <COMMAND>
       conformance replay [OPTIONS] <FILE|DIR>... --listen <HOST:PORT>")]
pub(crate) struct ReplayArgs {
    /// Script files, files of raw octets, and folders of them; then the server
    ///
    /// The server is host:port, or [address]:port for IPv6. It is left out where --exec or --listen says who they are
    /// played at.
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
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = waiting)]
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
        let manner = Manner {
            given,
            max_frame: self.max_frame,
            timeout: self.timeout,
            policy,
            keeps_all: self.trace,
        };
        let replay = Replay {
            args: &self,
            playing: Playing::new(peer, manner),
            sink,
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
    playing: Playing,
    sink: ReplaySink,
}

impl Replay<'_> {
    async fn all(mut self, files: &[PathBuf]) -> Result<Exit, Failure> {
        for path in files {
            let result = self.file(path).await?;
            self.sink.tell(result)?;
        }
        let summary = self.sink.finish()?;
        if self.playing.is_other_format && summary.skip < files.len() {
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
            Err(self.playing.not_served())
        } else if summary.error > 0 {
            Ok(Exit::CouldNot)
        } else {
            Ok(Exit::Ok)
        }
    }

    async fn file(&mut self, path: &Path) -> Result<FileResult, Failure> {
        let name = path.display().to_string();
        match script_file::read(path) {
            Ok(file) => {
                let played = self.playing.file(name, &file).await;
                played.map_err(|error| self.args.peer.not_played(error))
            }
            Err(error) => {
                out::note(format_args!("error: {name}: {error}"));
                Ok(FileResult::unreadable(
                    name,
                    Text::from(error.to_string()).heard(),
                ))
            }
        }
    }
}
