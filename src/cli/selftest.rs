//! `conformance selftest`: the suite, played at servers and clients of which it is known what it should
//! find.

use super::alterations::{Unknown, unknown};
use super::exit::{Exit, Failure};
use super::{out, runtime};
use crate::selftest::{
    self, DEFAULT_JOBS, Fate, Matrix, Options, Permitted, Planted, Program, ROLES, Tried,
};
use crate::spec::{CaseId, Role};
use std::time::Instant;

/// Prove the suite: it must find each planted fault, and no fault where there is none
///
/// It is played at servers and clients of which it is known what it should find.
#[derive(Debug, clap::Args)]
pub(crate) struct SelftestArgs {
    /// Everything in this wire format alone: a built-in profile, or a profile file (TOML)
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// Only this role
    #[arg(long, value_enum, conflicts_with_all = ["fault", "variant"])]
    role: Option<OneRole>,
    /// Only this fault, and nothing without one; may be repeated
    #[arg(long, value_name = "NAME", value_parser = known_fault)]
    fault: Vec<Planted>,
    /// Only this variant, and nothing with a fault; may be repeated
    #[arg(long, value_name = "NAME", value_parser = known_variant, conflicts_with = "fault")]
    variant: Vec<Permitted>,
    /// Servers that are tried at the same time, and a client for every three of them
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = jobs)]
    jobs: usize,
    /// Look for the faults too that take minutes to be found
    #[arg(long)]
    slow: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
}

/// The wire format of what shows in any.
const ANY_FORMAT: &str = "tutorial";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A line for each server, then what is wrong
    Human,
    /// The whole matrix as tables
    Markdown,
    /// The whole matrix as one JSON object
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OneRole {
    /// Servers
    Server,
    /// Clients
    Client,
}

impl From<OneRole> for Role {
    fn from(role: OneRole) -> Self {
        match role {
            OneRole::Server => Self::Server,
            OneRole::Client => Self::Client,
        }
    }
}

pub(crate) fn known_fault(name: &str) -> Result<Planted, String> {
    let all = || Planted::all().map(|fault| fault.name);
    Planted::named(name).ok_or_else(|| elsewhere(&unknown("fault", name, all())))
}

fn known_variant(name: &str) -> Result<Permitted, String> {
    let all = || Permitted::all().map(|variant| variant.name);
    Permitted::named(name).ok_or_else(|| elsewhere(&unknown("variant", name, all())))
}

/// The same for a command that does not list them itself.
fn elsewhere(unknown: &Unknown) -> String {
    format!("{unknown}, with serve or chat")
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("give a number from 1 to 64".to_owned()),
    }
}

impl SelftestArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let begun = Instant::now();
        let options = self.options()?;
        let human = self.format == Form::Human;
        let mut written = Ok(());
        let mut tell = |tried: &Tried| {
            if human && written.is_ok() {
                written = line(tried).map_or(Ok(()), out::line);
            }
        };
        let matrix = runtime::multi()?
            .block_on(selftest::selftest(&options, &mut tell))
            .map_err(|error| Failure::usage(format!("no limit can be declared: {error}")))?;
        written?;
        match self.format {
            Form::Human => summary(&matrix, begun)?,
            Form::Markdown => out::line(selftest::page(&matrix).trim_end())?,
            Form::Json => out::line(in_json(&matrix)?)?,
        }
        let sound = matrix.complaints().is_empty();
        Ok(if sound { Exit::Ok } else { Exit::Findings })
    }

    fn options(&self) -> Result<Options, Failure> {
        let name = self.profile.as_deref().unwrap_or(ANY_FORMAT);
        let profile = super::wire_format::named(name)?;
        let path = std::env::current_exe().ok();
        let program = path.map(|path| Program {
            path,
            profile: name.to_owned(),
        });
        let roles = self.role.map_or(ROLES.to_vec(), |role| vec![role.into()]);
        let all = Options::new(profile, &roles);
        let options = if self.fault.is_empty() && self.variant.is_empty() {
            all
        } else {
            Options {
                faults: self.fault.clone(),
                variants: self.variant.clone(),
                references: Vec::new(),
                each_case: false,
                ..all
            }
        };
        Ok(Options {
            jobs: self.jobs,
            slow: self.slow,
            program,
            one_format: self.profile.is_some(),
            each_case: options.each_case && self.profile.is_none(),
            ..options
        })
    }
}

/// What is to be said of a server or client, if anything is.
fn line(tried: &Tried) -> Option<String> {
    match tried {
        Tried::Fault(row) => {
            let said = match &row.fate {
                Fate::Found(cases) => format!("found by {}", listed(cases)),
                Fate::FoundBeside(cases) => {
                    format!("found by {}, of other clauses", listed(cases))
                }
                Fate::NoRoom(why) => format!("no room: {why}"),
                Fate::Unsure(cases) => format!("FOUND ONLY AT TIMES by {}", listed(cases)),
                Fate::Survived => "SURVIVED".to_owned(),
                Fate::NotLooked(why) => format!("not looked for: {why}"),
                Fate::NotTried(why) => format!("COULD NOT BE TRIED: {why}"),
            };
            Some(format!("{:<36} {said}", row.name))
        }
        Tried::Honest(row) => {
            let limit = if row.declared {
                ""
            } else {
                ", limit not declared"
            };
            let alarms = match row.alarms.len() {
                0 => "no false alarm".to_owned(),
                alarms => format!("{alarms} FALSE ALARMS"),
            };
            Some(format!(
                "{}{limit}: {} cases passed, {alarms}",
                row.name, row.passed
            ))
        }
    }
}

fn listed(cases: &[CaseId]) -> String {
    match cases {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [one, others @ ..] => format!("{one} and {} more", others.len()),
    }
}

fn summary(matrix: &Matrix, begun: Instant) -> Result<(), Failure> {
    let complaints = matrix.complaints();
    out::line("")?;
    for complaint in &complaints {
        out::line(complaint)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    out::line(format_args!("{}, {seconds:.1} s", matrix.summary()))
}

fn in_json(matrix: &Matrix) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(matrix);
    text.map_err(|error| Failure::could_not(format!("the matrix has no JSON: {error}")))
}
