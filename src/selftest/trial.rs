//! One server and the cases that are played at it.

use crate::altered::server::{Alteration, Fault, Variant, start};
use crate::cases::Case;
use crate::event::{Event, Verdict};
use crate::outcome::Keep;
use crate::peer::Process;
use crate::profile::Profile;
use crate::run::{self, Options};
use crate::server::{Background, Echo, Settings};
use crate::spec::CaseId;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a program may take to say where it listens.
const START: Duration = Duration::from_secs(20);

/// How often a server that its own fault ended is started, for the cases that are left.
const MOST_STARTS: usize = 4;

/// How many scripts are played at one server side by side.
const SCRIPTS: usize = 10;

/// The program `conformance`, as a server that can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What `--profile` is to be given.
    pub profile: String,
}

/// Whom cases are played at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// The reference server.
    Reference,
    /// The altered server without an alteration.
    Unaltered,
    Fault(&'static Fault),
    Variant(&'static Variant),
}

impl Subject {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reference => "the reference server",
            Self::Unaltered => "without a fault",
            Self::Fault(fault) => fault.name,
            Self::Variant(variant) => variant.name,
        }
    }

    pub(super) fn is_warned(self) -> bool {
        matches!(self, Self::Variant(variant) if variant.warned)
    }

    fn alteration(self) -> Option<Alteration> {
        match self {
            Self::Reference => None,
            Self::Unaltered => Some(Alteration::NONE),
            Self::Fault(fault) => Some(fault.into()),
            Self::Variant(variant) => Some(variant.into()),
        }
    }

    fn option(self) -> &'static [&'static str] {
        match self {
            Self::Reference | Self::Unaltered => &[],
            Self::Fault(_) => &["--fault"],
            Self::Variant(_) => &["--variant"],
        }
    }
}

/// What is to be played at whom.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) subject: Subject,
    pub(super) profile: Profile,
    pub(super) cases: Vec<&'static Case>,
    /// The program that serves, if its process is to be looked at.
    pub(super) program: Option<Program>,
    pub(super) slow: bool,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    pub(super) detail: String,
}

impl Seen {
    /// Whether the case took notice, and would again.
    pub(super) fn is_noticed(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn)
    }

    pub(super) fn is_played(&self) -> bool {
        !matches!(self.verdict, Verdict::Skip | Verdict::Error)
    }
}

/// What became of all of them.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) cases: BTreeMap<CaseId, Seen>,
    /// Whether the server answered a plain request.
    pub(super) served: bool,
    /// Why there was no server, if there was none.
    pub(super) broken: Option<String>,
}

/// Plays the cases of a trial. If the server comes to its end by its own fault, the rest is played
/// at another.
pub(super) async fn play(trial: Trial) -> Results {
    let mut all = Results::default();
    let mut left = trial.cases.clone();
    for _ in 0..MOST_STARTS {
        let round = match one_server(&trial, left.clone()).await {
            Ok(round) => round,
            Err(error) => {
                all.broken = Some(error.to_string());
                break;
            }
        };
        let before = left.len();
        let not_run = |case: &&Case| {
            let seen = round.results.cases.get(&case.id);
            round.is_over && seen.is_none_or(|seen| seen.verdict == Verdict::Skip)
        };
        left.retain(|case| not_run(case));
        all.served |= round.results.served;
        all.cases.extend(round.results.cases);
        if left.is_empty() || left.len() == before || !all.served {
            break;
        }
    }
    all
}

/// What became of the cases at one server.
struct Round {
    results: Results,
    /// Whether the server came to its end.
    is_over: bool,
}

async fn one_server(trial: &Trial, cases: Vec<&'static Case>) -> io::Result<Round> {
    let server = Server::start(trial).await?;
    let options = Options {
        cases: cases.clone(),
        jobs: SCRIPTS,
        keep: Keep::Nothing,
        process: server.process(),
        slow: trial.slow,
        ..Options::new(trial.subject.name(), trial.profile.clone())
    };
    let mut results = Results::default();
    let mut tell = |event| match event {
        Event::Calibrated(calibration) => results.served = calibration.reply != "unknown",
        Event::CaseFinished(result) => {
            let case = cases.iter().find(|case| case.id.is_written(&result.id));
            if let Some(case) = case {
                let (verdict, detail) = (result.verdict, result.detail);
                results.cases.insert(case.id, Seen { verdict, detail });
            }
        }
        _ => {}
    };
    let finished = run::run(&[server.addr()], &options, &mut tell).await;
    let is_over = finished.is_ok_and(|finished| finished.broken_off.is_some());
    server.end().await;
    Ok(Round { results, is_over })
}

/// A server that can be ended.
enum Server {
    Here(Background),
    Program {
        addr: SocketAddr,
        child: Child,
        process: Option<Process>,
    },
}

impl Server {
    async fn start(trial: &Trial) -> io::Result<Self> {
        match &trial.program {
            Some(program) => Self::start_program(program, trial).await,
            None => {
                let (profile, alteration) = (trial.profile.clone(), trial.subject.alteration());
                let started = spawn_blocking(move || here(profile, alteration)).await;
                started.map_err(io::Error::other)?.map(Self::Here)
            }
        }
    }

    async fn start_program(program: &Program, trial: &Trial) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--profile"])
            .arg(&program.profile)
            .args(trial.subject.option())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if !trial.subject.option().is_empty() {
            command.arg(trial.subject.name());
        }
        if let Some(limit) = trial.profile.declared_max_body() {
            command.arg("--max-frame").arg(limit.to_string());
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().map(BufReader::new);
        let mut line = String::new();
        if let Some(mut stdout) = stdout {
            timeout(START, stdout.read_line(&mut line)).await??;
        }
        let addr = line.trim().parse();
        let addr =
            addr.map_err(|_| io::Error::other("the program did not say where it listens"))?;
        let process = child.id().and_then(|pid| Process::new(pid).ok());
        Ok(Self::Program {
            addr,
            child,
            process,
        })
    }

    fn addr(&self) -> SocketAddr {
        match self {
            Self::Here(server) => server.addr(),
            Self::Program { addr, .. } => *addr,
        }
    }

    fn process(&self) -> Option<Process> {
        match self {
            Self::Here(_) => None,
            Self::Program { process, .. } => *process,
        }
    }

    async fn end(self) {
        match self {
            // Waits for its thread.
            Self::Here(server) => drop(spawn_blocking(move || drop(server)).await),
            // One that has ended already cannot be ended, and need not be.
            Self::Program { mut child, .. } => drop(child.kill().await),
        }
    }
}

fn here(profile: Profile, alteration: Option<Alteration>) -> io::Result<Background> {
    let (addr, settings) = ("127.0.0.1:0", Settings::default());
    match alteration {
        Some(alteration) => start(addr, profile, settings, Echo, alteration),
        None => Background::start(addr, profile, settings, Echo),
    }
}
