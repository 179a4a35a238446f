//! `conformance regress`: a corpus, file by file, in the process or at a live peer; what a user's CI calls.

mod corpus;
mod feeding;
mod rows;

use super::command::CommandLine;
use super::durations::waiting;
use super::exit::{Exit, Failure};
use super::out;
use super::replay::{FileResult, Manner, PeerArgs};
use super::reporting::{KnownArgs, Telling, WrittenArgs};
use super::runtime;
use super::signals::Signals;
use super::wire_format::{named, octets};
use crate::event::{CaseResult, Event, Finished, SCHEMA, Started, Summary};
use crate::outcome::{Policy, millis};
use crate::report::{Closing, Outputs};
use crate::transport::Name;
use corpus::{Corpus, Member};
use feeding::Feeding;
use rows::Rows;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Feed a corpus to whatever reads it, and fail on what is new
///
/// Without a peer, each file is fed to the fuzz targets in this process that read it, and scripts are played at the
/// reference server too: all must pass. With one, scripts are played there. A corpus holds scripts, as check --save
/// and fuzz --out write them, and whatever lies in folders with the names of fuzz targets.
#[derive(Debug, clap::Args)]
#[command(override_usage = "conformance regress [OPTIONS] <CORPUS>
       conformance regress [OPTIONS] <CORPUS> <TARGET>
       conformance regress [OPTIONS] <CORPUS> --exec <COMMAND>
       conformance regress [OPTIONS] <CORPUS> --listen <HOST:PORT>")]
pub(crate) struct RegressArgs {
    /// A folder of scripts and of files for the fuzz targets, or one such file
    #[arg(value_name = "CORPUS")]
    corpus: PathBuf,
    /// The server that scripts are played at: host:port, [address]:port for IPv6, or unix:PATH
    #[arg(value_name = "TARGET", conflicts_with_all = ["exec", "listen"])]
    target: Option<Name>,
    #[command(flatten, next_help_heading = "The peer")]
    peer: PeerArgs,
    #[command(flatten, next_help_heading = "How scripts are played")]
    manner: MannerArgs,
    #[command(flatten, next_help_heading = "Reports and known failures")]
    written: WrittenArgs,
    #[command(flatten)]
    known: KnownArgs,
}

/// How scripts are played.
#[derive(Debug, clap::Args)]
struct MannerArgs {
    /// The wire format of every script, instead of the one that it names, else the tutorial's
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// Largest body in octets, padding included, instead of the profile's; k, M and G may follow
    #[arg(long, value_name = "OCTETS", value_parser = octets)]
    max_frame: Option<u64>,
    /// How long an owed answer is waited for at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = waiting)]
    timeout: Duration,
    /// Take warnings and what fails only at times for failures
    #[arg(long)]
    strict: bool,
}

impl RegressArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let manner = self.manner()?;
        let expectations = self.known.expectations(self.manner.strict)?;
        let corpus = Corpus::open(&self.corpus, self.known.expect.as_deref())?;
        self.known.probe()?;
        let known = expectations.clone();
        let rows: Telling<'_> = &move |look, out| Box::new(Rows::new(out, look, known.clone()));
        let mut outputs = self.written.open(rows)?;
        let names = corpus.names();
        let is_file = move |name: &str| names.contains(name);
        outputs.mark(expectations.clone().marker(is_file.clone()));
        let done = runtime::multi()?.block_on(async {
            let mut signals = Signals::new()?;
            tokio::select! {
                done = self.all(&corpus, manner, &mut outputs) => done,
                () = signals.next() => Err(Failure::could_not("interrupted")),
            }
        });
        if let Err(failure) = &done {
            outputs.broken_off(failure.what.clone());
        }
        let closing = outputs.finish();
        let feeding = done?;
        self.written.end(&closing)?;
        let conclusion = self.known.end(&closing, &expectations, is_file)?;
        self.concluded(&feeding, conclusion.into(), &closing)
    }

    fn manner(&self) -> Result<Manner, Failure> {
        Ok(Manner {
            given: self.manner.profile.as_deref().map(named).transpose()?,
            max_frame: self.manner.max_frame,
            timeout: self.manner.timeout,
            policy: Policy::confirmed(1),
            keeps_all: self.written.keeps_all(),
        })
    }

    /// Feeds everything and tells what becomes of it.
    async fn all(
        &self,
        corpus: &Corpus,
        manner: Manner,
        outputs: &mut Outputs,
    ) -> Result<Feeding, Failure> {
        let begun = Instant::now();
        let mut feeding = self.feeding(corpus, manner).await?;
        outputs.event(Event::Started(self.started(corpus, &feeding)));
        let mut summary = Summary::default();
        for member in &corpus.members {
            let id = member.name.clone();
            outputs.event(Event::CaseStarted { id });
            let result = self.result(&mut feeding, member).await?;
            summary.count(result.verdict);
            outputs.event(Event::CaseFinished(Box::new(result)));
        }
        summary.elapsed_ms = millis(begun.elapsed());
        outputs.event(Event::Finished(Finished {
            summary,
            ..Finished::default()
        }));
        Ok(feeding)
    }

    async fn feeding(&self, corpus: &Corpus, manner: Manner) -> Result<Feeding, Failure> {
        if self.target.is_none() && !self.peer.is_named() {
            self.peer.must_say_nothing()?;
            return Ok(Feeding::in_process(manner));
        }
        let peer = self
            .peer
            .open(self.target.clone(), &corpus.scripts())
            .await?;
        Ok(Feeding::live(manner, peer))
    }

    fn started(&self, corpus: &Corpus, feeding: &Feeding) -> Started {
        let profile = self.manner.profile.as_deref();
        let names = corpus.members.iter().map(|member| member.name.clone());
        Started {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: feeding.role(),
            target: feeding.name().into(),
            profile: profile.unwrap_or("as each file says").to_owned(),
            selected: corpus.members.len(),
            selection: names.collect(),
            strict: self.manner.strict,
            ..Started::default()
        }
    }

    async fn result(&self, feeding: &mut Feeding, member: &Member) -> Result<CaseResult, Failure> {
        let begun = Instant::now();
        let name = member.name.clone();
        let result = match member.read() {
            Ok(input) => {
                let fed = feeding.file(name, &input).await;
                fed.map_err(|error| self.peer.not_played(error))?
            }
            Err(why) => {
                out::note(format_args!("error: {}: {why}", member.path.display()));
                feeding.unreadable = feeding.unreadable.saturating_add(1);
                FileResult::unreadable(name, why.into())
            }
        };
        Ok(CaseResult {
            elapsed_ms: millis(begun.elapsed()),
            rerun: self.rerun(member),
            file: Some(member.path.display().to_string()),
            ..result.into_case(&member.folder)
        })
    }

    /// The command that feeds that file alone.
    fn rerun(&self, member: &Member) -> String {
        let mut line = CommandLine::new("regress");
        line.word(member.path.display());
        if let Some(target) = &self.target {
            line.word(target);
        }
        self.peer.add_to(&mut line);
        line.option("--profile", self.manner.profile.as_ref());
        line.option("--max-frame", self.manner.max_frame);
        line.to_string()
    }

    /// What it comes to: what could not be read is a mistake in the corpus, and nothing fed shows nothing.
    fn concluded(&self, feeding: &Feeding, exit: Exit, closing: &Closing) -> Result<Exit, Failure> {
        if !feeding.is_idle() {
            out::note(feeding);
        }
        let has_failed = closing.run.failures().next().is_some();
        if feeding.unreadable > 0 {
            Ok(Exit::Usage)
        } else if feeding.is_idle() && !has_failed {
            Err(feeding.nothing_fed(&self.corpus))
        } else {
            Ok(exit)
        }
    }
}
