//! `conformance causes`: what is known of causes, made and measured.

use super::exit::{Exit, Failure};
use super::selftest::{OneRole, known_fault};
use super::{out, runtime};
use crate::diagnosis::{Knowledge, Play};
use crate::profile::Profile;
use crate::selftest::{self, DEFAULT_JOBS, Options, Planted, Program, ROLES};
use std::fs;
use std::path::{Path, PathBuf};

/// Make and measure what the diagnosis knows of causes
#[derive(Debug, clap::Args)]
pub(crate) struct CausesArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Play the suite at servers with known faults, and print what was seen, a server a line
    Play(PlayArgs),
    /// Print the knowledge that comes with the program, with what plays of single faults teach anew
    Learn(LearnArgs),
    /// Diagnose plays, and print how often the causes that were planted are named
    Measure(MeasureArgs),
}

#[derive(Debug, clap::Args)]
struct PlayArgs {
    /// Only this role
    #[arg(long, value_enum)]
    role: Option<OneRole>,
    /// Play each fault alone so often, in turns with a declared limit and without
    #[arg(long, value_name = "N", default_value_t = 0)]
    rounds: usize,
    /// Play so many pairs of faults, chosen by chance
    #[arg(long, value_name = "N", default_value_t = 0)]
    pairs: usize,
    /// Play so many sets of three
    #[arg(long, value_name = "N", default_value_t = 0)]
    triples: usize,
    /// Only this fault, alone; may be repeated
    #[arg(long, value_name = "NAME", value_parser = known_fault)]
    fault: Vec<Planted>,
    /// What chance chooses by
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = super::check::seed)]
    seed: u64,
    /// Servers that are played at the same time
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS)]
    jobs: usize,
}

#[derive(Debug, clap::Args)]
struct PlaysArgs {
    /// What `causes play` printed
    #[arg(value_name = "PLAYS")]
    plays: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct LearnArgs {
    #[command(flatten)]
    plays: PlaysArgs,
    /// Leave out what was known before
    #[arg(long)]
    anew: bool,
}

#[derive(Debug, clap::Args)]
struct MeasureArgs {
    #[command(flatten)]
    plays: PlaysArgs,
    /// Use this knowledge instead of what comes with the program
    #[arg(long, value_name = "FILE")]
    knowledge: Option<PathBuf>,
    /// Print what was not diagnosed as it should be
    #[arg(long)]
    misses: bool,
}

impl CausesArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            What::Play(args) => args.run()?,
            What::Learn(args) => {
                let known = match args.anew {
                    true => &Knowledge::default(),
                    false => Knowledge::embedded(),
                };
                let knowledge = selftest::learned(known, &args.plays.read()?);
                let text = knowledge.to_text().map_err(unreadable)?;
                out::line(text.trim_end())?;
            }
            What::Measure(args) => args.run()?,
        }
        Ok(Exit::Ok)
    }
}

impl PlayArgs {
    fn run(self) -> Result<(), Failure> {
        let roles = self.role.map_or(ROLES.to_vec(), |role| vec![role.into()]);
        let options = Options {
            jobs: self.jobs,
            program: std::env::current_exe().ok().map(|path| Program {
                path,
                profile: "tutorial".to_owned(),
            }),
            ..Options::new(Profile::tutorial(), &roles)
        };
        let is_asked = |fault: &Planted| {
            self.fault.is_empty() || self.fault.iter().any(|asked| asked.name == fault.name)
        };
        let singles: Vec<Vec<Planted>> = options
            .faults
            .iter()
            .copied()
            .filter(is_asked)
            .map(|fault| vec![fault])
            .collect();
        let combined = |of, sets| {
            roles
                .iter()
                .flat_map(move |role| selftest::combined(*role, of, sets, self.seed))
        };
        let sets: Vec<Vec<Planted>> = combined(2, self.pairs)
            .chain(combined(3, self.triples))
            .collect();
        let mut written = Ok(());
        let mut tell = |play: Play| {
            if written.is_ok() {
                written = serde_json::to_string(&play)
                    .map_err(|error| Failure::could_not(error.to_string()))
                    .and_then(out::line);
            }
        };
        runtime::multi()?
            .block_on(async {
                selftest::plays(&options, &singles, self.rounds, &mut tell).await?;
                selftest::plays(&options, &sets, 1, &mut tell).await
            })
            .map_err(|error| Failure::usage(error.to_string()))?;
        written
    }
}

impl PlaysArgs {
    fn read(&self) -> Result<Vec<Play>, Failure> {
        let mut plays = Vec::new();
        for path in &self.plays {
            for line in text(path)?.lines() {
                let play = serde_json::from_str(line);
                plays.push(
                    play.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?,
                );
            }
        }
        Ok(plays)
    }
}

impl MeasureArgs {
    fn run(self) -> Result<(), Failure> {
        let own = match &self.knowledge {
            Some(path) => Some(Knowledge::parse(&text(path)?).map_err(unreadable)?),
            None => None,
        };
        let knowledge = own.as_ref().unwrap_or_else(|| Knowledge::embedded());
        let plays = self.plays.read()?;
        let measured = selftest::measured(knowledge, &plays);
        for (of, figures) in &measured.figures {
            out::line(format_args!("{of} planted: {figures}"))?;
        }
        for miss in measured.misses.iter().filter(|_| self.misses) {
            out::line(miss)?;
        }
        Ok(())
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

fn unreadable(error: crate::diagnosis::KnowledgeError) -> Failure {
    Failure::could_not(error.to_string())
}
