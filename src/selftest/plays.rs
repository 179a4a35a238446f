//! The whole suite, played at peers of which it is known what is wrong with them: what knowledge of causes
//! is made from, and what a diagnosis is measured with.

use super::trial::{self, Subject};
use super::{Bench, Options, Planted};
use crate::altered::Need;
use crate::cases;
use crate::diagnosis::Play;
use crate::profile::ProfileError;
use crate::script::draws::Draws;
use crate::spec::Role;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Plays the suite at peers, each with all faults of one set planted in it; so many times each, in turns
/// with a limit on bodies that is declared and without. Tells of each play as it is over. Of `options`,
/// what it says of faults and variants is not looked at.
///
/// # Errors
/// If the profile has chunks larger than [`DECLARED_CLIENT_LIMIT`](super::DECLARED_CLIENT_LIMIT).
pub async fn plays(
    options: &Options,
    sets: &[Vec<Planted>],
    rounds: usize,
    tell: &mut (dyn FnMut(Play) + Send),
) -> Result<(), ProfileError> {
    let bench = Arc::new(Bench::new(options)?);
    let mut playing = JoinSet::new();
    for round in 0..rounds {
        for set in sets
            .iter()
            .filter(|set| round % 2 == 0 || turns_differ(set))
        {
            let (bench, set, is_declared) = (Arc::clone(&bench), set.clone(), round % 2 == 1);
            playing.spawn(async move { play(&bench, &set, is_declared).await });
        }
    }
    while let Some(played) = playing.join_next().await {
        if let Ok(Some(play)) = played {
            tell(play);
        }
    }
    Ok(())
}

/// Whether a limit that is declared makes a difference: where a process is looked at, and where there is
/// much waiting, none is; in another format one is always.
fn turns_differ(set: &[Planted]) -> bool {
    set.iter()
        .all(|fault| matches!(fault.needs, Need::Nothing | Need::DeclaredLimit))
}

/// The suite at a peer with all of these faults; none if there is none to be had.
async fn play(bench: &Bench, set: &[Planted], is_declared: bool) -> Option<Play> {
    let (first, besides) = set.split_first()?;
    let needs = |need| set.iter().any(|fault| fault.needs == need);
    let mut trial = bench.trial(Subject::Fault(*first), cases::all(first.role).collect());
    trial.besides = besides.to_vec();
    trial.starts = trial::ALL_STARTS;
    trial.slow = needs(Need::Time);
    let other = set.iter().find_map(|fault| bench.other(fault.needs));
    if first.role == Role::Server {
        if let Some(other) = other {
            trial.profile = other.clone();
        } else if !(is_declared || needs(Need::DeclaredLimit)) || needs(Need::Process) {
            trial.profile = bench.options.profile.clone();
        }
        if needs(Need::Process) {
            trial.program = Some(bench.options.program.clone()?);
        }
    }
    let _turn = bench.turns(&trial).acquire().await.ok()?;
    let results = trial::play(trial).await;
    let is_played = results.broken.is_none();
    is_played.then(|| Play {
        role: first.role,
        planted: set.iter().map(|fault| fault.name.to_owned()).collect(),
        seen: results.observed,
    })
}

/// So many sets of that many faults that can be planted together, chosen by chance. None of them takes
/// minutes to be found.
#[must_use]
pub fn combined(role: Role, of: usize, sets: usize, seed: u64) -> Vec<Vec<Planted>> {
    let is_quick = |fault: &Planted| fault.role == role && fault.needs != Need::Time;
    let all: Vec<Planted> = Planted::all().filter(is_quick).collect();
    let mut draws = Draws::new(seed);
    let mut chosen: Vec<Vec<Planted>> = Vec::new();
    // Most draws go together; the bound is for a table in which hardly any do.
    for _ in 0..sets.saturating_mul(100) {
        if chosen.len() == sets {
            break;
        }
        let drawn: Option<Vec<Planted>> = (0..of).map(|_| draws.pick(&all).copied()).collect();
        chosen.extend(drawn.filter(|set| go_together(set)));
    }
    chosen
}

fn go_together(set: &[Planted]) -> bool {
    let goes = |(at, one): (usize, &Planted)| {
        let mut others = set.iter().skip(at.saturating_add(1));
        others.all(|other| one.goes_with(other))
    };
    set.iter().enumerate().all(goes)
}
