//! Clients as they are tried: the program, started anew for each case.

use super::trial::{Program, Results, Round, Subject, Trial};
use crate::cases::Case;
use crate::event::Event;
use crate::outcome::Keep;
use crate::peer::Launch;
use crate::run::{self, ClientTarget, Input, Listener, Options, Source};
use crate::script::HOLE;
use crate::spec::Role;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How many clients of one trial run side by side.
const CLIENTS: usize = 6;

/// How long a reaction of a client with a fault is waited for: most faults show in that none comes.
const FAULTY: Duration = Duration::from_millis(300);

/// The same for a client that is to pass. It is waited for so long only if something is wrong.
const PASSING: Duration = Duration::from_secs(2);

/// Plays cases at a client.
pub(super) async fn round(trial: &Trial, cases: &[&'static Case]) -> io::Result<Round> {
    let program = trial.program.as_ref();
    let program = program.ok_or_else(|| io::Error::other("a client is a program of its own"))?;
    let listener = Listener::open(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).await?;
    let source = Source::Command(launch(program, trial)?);
    let target = ClientTarget::new(source, listener).input(Input::Typed(HOLE.to_owned()));
    let options = options(trial, cases);
    let mut results = Results::default();
    let mut tell = |event| {
        results.served |= matches!(event, Event::Calibrated(_));
        results.note(cases, event);
    };
    let finished = run::run(&mut target.into(), &options, &mut tell).await;
    finished.map_err(io::Error::other)?;
    let is_over = false;
    Ok(Round { results, is_over })
}

fn options(trial: &Trial, cases: &[&'static Case]) -> Options {
    let is_faulty = matches!(trial.subject, Subject::Fault(_));
    Options {
        cases: cases.to_vec(),
        timeout: if is_faulty { FAULTY } else { PASSING },
        jobs: CLIENTS,
        keep: Keep::Nothing,
        ..Options::new(Role::Client, trial.subject.name(), trial.profile.clone())
    }
}

/// The command that starts the client.
fn launch(program: &Program, trial: &Trial) -> io::Result<Launch> {
    let path = program.path.display().to_string();
    let limit = trial
        .profile
        .declared_max_body()
        .map(|limit| limit.to_string());
    let mut words = vec![
        path.as_str(),
        "chat",
        "{host}:{port}",
        "--profile",
        &program.profile,
    ];
    if let Some(limit) = &limit {
        words.extend(["--max-frame", limit]);
    }
    words.extend(trial.arguments());
    shell_words::join(words).parse().map_err(io::Error::other)
}
