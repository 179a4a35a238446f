//! Servers as they are tried: here, or as a program whose process can be looked at.

use super::trial::{Program, Results, Round, Subject, Trial};
use crate::altered::server::{Alteration, Alterations, Fault, Variant, start};
use crate::cases::Case;
use crate::event::Event;
use crate::outcome::Keep;
use crate::peer::Process;
use crate::profile::{Carriage, Profile};
use crate::run::{self, Options, ServerTarget};
use crate::server::{Background, Echo, Settings};
use crate::spec::Role;
use crate::transport::Address;
use std::io;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a program may take to say where it listens.
const START: Duration = Duration::from_secs(20);

/// How many scripts are played at one server side by side.
const SCRIPTS: usize = 10;

/// Plays cases at a server that is started for them.
pub(super) async fn round(trial: &Trial, cases: &[&'static Case]) -> io::Result<Round> {
    let server = Server::start(trial).await?;
    let options = Options {
        cases: cases.to_vec(),
        jobs: SCRIPTS,
        keep: Keep::Nothing,
        slow: trial.slow,
        ..Options::new(Role::Server, trial.subject.name(), trial.profile.clone())
    };
    let mut results = Results::default();
    let mut tell = |event| {
        if let Event::Calibrated(calibration) = &event {
            results.served = calibration.reply != "unknown";
        }
        results.note(cases, event);
    };
    let address = match trial.profile.carriage() {
        Carriage::Stream => Address::Tcp(server.addr()),
        Carriage::Datagrams => Address::Udp(server.addr()),
    };
    let target = ServerTarget::at(&[address]).process(server.process());
    let finished = run::run(&mut target.into(), &options, &mut tell).await;
    let is_over = finished.is_ok_and(|finished| finished.broken_off.is_some());
    server.end().await;
    Ok(Round { results, is_over })
}

/// All that is planted in the server; `None` for the reference server.
fn alterations(trial: &Trial) -> io::Result<Option<Alterations>> {
    let besides = trial.besides.iter().map(|fault| Subject::Fault(*fault));
    let subjects = [trial.subject].into_iter().chain(besides);
    let all: Vec<Alteration> = subjects.filter_map(alteration).collect();
    if all.is_empty() {
        return Ok(None);
    }
    Alterations::of(all).map(Some).map_err(io::Error::other)
}

/// The alteration that makes a server this; `None` for the reference server.
fn alteration(subject: Subject) -> Option<Alteration> {
    match subject {
        Subject::Reference(_) => None,
        Subject::Unaltered => Some(Alteration::NONE),
        Subject::Fault(fault) => Fault::named(fault.name).map(Alteration::from),
        Subject::Variant(variant) => Variant::named(variant.name).map(Alteration::from),
    }
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
                let (profile, alterations) = (trial.profile.clone(), alterations(trial)?);
                let started = spawn_blocking(move || here(profile, alterations)).await;
                started.map_err(io::Error::other)?.map(Self::Here)
            }
        }
    }

    async fn start_program(program: &Program, trial: &Trial) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--profile"])
            .arg(&program.profile)
            .args(trial.arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
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

fn here(profile: Profile, alterations: Option<Alterations>) -> io::Result<Background> {
    let (addr, settings) = ("127.0.0.1:0", Settings::default());
    match alterations {
        Some(alterations) => start(addr, profile, settings, Echo, alterations),
        None => Background::start(addr, profile, settings, Echo),
    }
}
