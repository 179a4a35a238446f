//! `conformance fuzz`: scripts made by chance, played at a live server; what is found, as files.

mod events;
mod resuming;
mod told;
mod written;

use super::check::{ReplyArg, declared, jobs, seed};
use super::durations::{duration, waiting};
use super::exit::{Exit, Failure};
use super::saving::{probe, replay, say_findings, say_how_often, say_when, write};
use super::script_file;
use super::signals::Signals;
use super::target::{NamedTarget, TargetArgs};
use super::wire_format::WireFormatArgs;
use super::{out, runtime};
use crate::campaign::{Ended, Found, Plan, Told, campaign};
use crate::coverage::{Coverage, RUNTIME};
use crate::profile::Profile;
use crate::report::Output;
use crate::reproducer::Reproducer;
use crate::run::{Bounds, MeetError, Options, Target, default_jobs};
use crate::script::{Script, Side};
use crate::spec::Role;
use resuming::{Keeper, Resumed};
use std::path::{Path, PathBuf};
use std::time::Duration;
use told::Teller;
use written::{Written, output};

/// How long a campaign goes on if neither a time nor a number of scripts is given.
const USUAL: Duration = Duration::from_secs(60);

/// Fuzz a server: play scripts made by chance at it, judge each by the protocol, and save what is found
///
/// Without a target, that is the reference server of this program. What breaks a clause is confirmed alone, made
/// smaller, and saved as a script that `replay` and `show` read. Slow is no finding.
#[derive(Debug, clap::Args)]
pub(crate) struct FuzzArgs {
    #[command(flatten, next_help_heading = "The server")]
    target: TargetArgs,
    #[command(flatten, next_help_heading = "Wire format")]
    wire: WireFormatArgs,
    /// Folder that what is found is saved in, each as a script
    #[arg(long, value_name = "DIR", required_unless_present = "runtime")]
    out: Option<PathBuf>,
    /// How long scripts are played [default: 60s, unless --runs is given]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// How many scripts are played
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// What all scripts are made from: the same ones for the same seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed)]
    seed: u64,
    /// Scripts played side by side; where the server's own code is watched, one at a time
    #[arg(long, value_name = "N", default_value_t = default_jobs(Role::Server), value_parser = jobs)]
    jobs: usize,
    /// No more scripts in a second than that
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Scripts to begin with, beside those of the cases: files, and folders of them; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    seeds: Vec<PathBuf>,
    /// Do not watch the server's own code
    ///
    /// That is done if --exec starts it in Python or Node.js, or if it was linked with --runtime, and one script is
    /// played at a time then.
    #[arg(long)]
    no_coverage: bool,
    /// Print the file in C that lets a server in C, C++ or Rust be watched, and do nothing else
    ///
    /// The server is compiled with -fsanitize-coverage and linked with it; docs/FUZZING.md says how.
    #[arg(long, exclusive = true)]
    runtime: bool,
    /// Go on from what --out holds
    ///
    /// What was found is not told again, and the scripts that showed something new are played first. The others are new
    /// ones, made from --seed and from how many those are.
    #[arg(long)]
    resume: bool,
    /// How replies relate to requests, instead of finding out
    #[arg(long, value_enum)]
    reply: Option<ReplyArg>,
    /// How long an owed answer is waited for at least before it is a finding that none came
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = waiting)]
    timeout: Duration,
    /// How long one finding may be made smaller; 0 to leave it as it is
    #[arg(long, alias = "minimize-for", value_name = "TIME", default_value = "5s", value_parser = duration)]
    minimise_for: Duration,
    /// Take warnings for findings
    #[arg(long)]
    strict: bool,
    /// What to write: human, json, jsonl, junit, sarif; as FORMAT=FILE into a file; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = output)]
    format: Vec<Output>,
}

impl FuzzArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match &self.out {
            Some(folder) => self.play(folder),
            // --runtime stands alone.
            None => out::line(RUNTIME.trim_end()).map(|()| Exit::Ok),
        }
    }

    fn play(&self, folder: &Path) -> Result<Exit, Failure> {
        let mut profile = self.target.carried(self.wire.profile()?)?;
        if let Some(reply) = self.reply {
            profile = profile.with_reply(reply.into());
        }
        self.target.doubt_process()?;
        if self.target.is_embedded() {
            profile = declared(profile)?;
        }
        let plan = self.plan(folder)?;
        probe(folder).map_err(|error| {
            let what = format!("--out {}: cannot write there: {error}", folder.display());
            Failure::usage(what).hint("name a folder that can be written, or that can be made")
        })?;
        let named = self.target.named(&profile)?;
        let written = Written::open(&self.format)?;
        let options = Options {
            timeout: self.timeout.max(Duration::from_millis(1)),
            seed: plan.seed,
            ..Options::new(Role::Server, named.name.clone(), profile)
        };
        let teller = Teller::new(written, &options, &plan);
        self.fuzz(named, &options, &plan, folder, teller)
    }

    fn plan(&self, folder: &Path) -> Result<Plan, Failure> {
        let time = self.time.or(self.runs.is_none().then_some(USUAL));
        let resumed = match self.resume {
            true => Resumed::from(folder)?,
            false => Resumed::default(),
        };
        let mut seeds = seeds(&self.seeds)?;
        seeds.splice(0..0, resumed.kept);
        Ok(Plan {
            seed: self.seed.wrapping_add(resumed.count),
            runs: self.runs,
            time,
            jobs: self.jobs,
            rate: self.rate,
            strict: self.strict,
            bounds: Bounds {
                time: self.minimise_for,
                ..Plan::default().bounds
            },
            seeds,
            known: resumed.known,
        })
    }

    fn fuzz(
        &self,
        named: NamedTarget,
        options: &Options,
        plan: &Plan,
        folder: &Path,
        mut teller: Teller,
    ) -> Result<Exit, Failure> {
        let mut saver = Saver {
            folder,
            peer: self.target.words(),
            profile: &options.profile,
            target: options.target.as_str(),
            saved: 0,
            failed: None,
        };
        let mut keeper = Keeper::new(folder, &options.profile);
        let coverage = self.coverage();
        let environment = coverage.iter().flat_map(Coverage::environment).collect();
        let mut target = Target::from(named.server.environment(environment));
        let runtime = runtime::multi()?;
        let done = runtime.block_on(async {
            let mut signals = Signals::new()?;
            let mut tell = |told| match told {
                Told::Met(met) => teller.met(&met),
                Told::Watched(how) => teller.watched(&how),
                Told::Status(status) => teller.status(&status),
                Told::Kept(script) => keeper.keep(&script),
                Told::Found(found) => {
                    let saved = saver.save(&found);
                    teller.found(&found, saved.as_ref());
                }
            };
            tokio::select! {
                done = campaign(&mut target, options, plan, coverage, &mut tell) => Ok::<_, Failure>(Some(done)),
                () = signals.next() => Ok(None),
            }
        })?;
        let ended = done.transpose().map_err(|error| self.not_met(&error))?;
        teller.finish(ended.as_ref())?;
        concluded(ended, saver)
    }

    /// What watches the server's own code, or why nothing does.
    fn coverage(&self) -> Result<Coverage, String> {
        if self.no_coverage {
            return Err("--no-coverage".to_owned());
        }
        if !self.target.is_started() {
            return Err("only a server that --exec starts can be watched".to_owned());
        }
        Coverage::open().map_err(|error| format!("no folder could be made for it: {error}"))
    }

    fn not_met(&self, error: &MeetError) -> Failure {
        match error {
            MeetError::NotThere(error) => self.target.failure(error),
            MeetError::NotServed { what, advice } => {
                let failure = Failure::could_not(format!("nothing could be played: {what}"));
                match advice {
                    Some(advice) => failure.hint(advice.to_string()),
                    None => failure,
                }
            }
        }
    }
}

/// What a campaign comes to: what was found counts, however it ended.
fn concluded(ended: Option<Ended>, saver: Saver<'_>) -> Result<Exit, Failure> {
    if let Some(why) = saver.failed {
        return Err(Failure::could_not(why));
    }
    if saver.saved > 0 {
        return Ok(Exit::Findings);
    }
    match ended {
        Some(Ended { gone: None, .. }) => Ok(Exit::Ok),
        Some(Ended {
            gone: Some(why), ..
        }) => Err(Failure::could_not(why)),
        None => Err(Failure::could_not("interrupted")),
    }
}

/// The scripts in these files and folders.
fn seeds(paths: &[PathBuf]) -> Result<Vec<Script>, Failure> {
    let mut seeds = Vec::new();
    for path in script_file::collect(paths)? {
        let file = script_file::read(&path)
            .map_err(|error| Failure::usage(format!("--seeds {}: {error}", path.display())))?;
        if file.script.side() == Side::Client {
            seeds.push(file.script);
        } else {
            out::note(format_args!(
                "{}: left out: it plays the server",
                path.display()
            ));
        }
    }
    Ok(seeds)
}

/// Where a finding was written to, and the command that plays it again.
struct SavedFile {
    path: PathBuf,
    replay: String,
}

/// Writes each finding to a file of its own.
struct Saver<'a> {
    folder: &'a Path,
    /// The server as replay is to be told.
    peer: Vec<String>,
    profile: &'a Profile,
    target: &'a str,
    saved: usize,
    /// Why the first file that could not be written could not.
    failed: Option<String>,
}

impl Saver<'_> {
    /// The file; `None` if it could not be written, which is told at the end.
    fn save(&mut self, found: &Found) -> Option<SavedFile> {
        let path = self.free_path(found);
        let replay = replay(&path, &self.peer);
        let mut file = Reproducer::new(self.profile, &found.script);
        say_findings(&mut file, &found.findings);
        say_when(&mut file, self.target);
        if !found.smaller.is_empty() {
            file.say("made smaller", &*found.smaller);
        }
        say_how_often(&mut file, found.attempts);
        file.say("script", format!("number {} of the campaign", found.number));
        file.say("replay", &*replay);
        match write(&path, &file) {
            Ok(()) => {
                self.saved = self.saved.saturating_add(1);
                Some(SavedFile { path, replay })
            }
            Err(why) => {
                self.failed.get_or_insert(why);
                None
            }
        }
    }

    /// A name that no file has: that of the clause, and a number.
    fn free_path(&self, found: &Found) -> PathBuf {
        let clause = found
            .findings
            .first()
            .map_or("finding", |first| &first.clause);
        let path = |number: u64| self.folder.join(format!("{clause}.{number}.script"));
        let is_free = |path: &PathBuf| !path.exists();
        let mut paths = (1..=u64::MAX).map(path).filter(is_free);
        paths.next().unwrap_or_else(|| path(0))
    }
}
