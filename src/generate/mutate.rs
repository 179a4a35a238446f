//! Scripts made of others: frames, cuts, order and ends changed, one or a few at a time.

use super::moves::{Move, Piece, Step};
use super::words::Words;
use super::{frames, fresh, payloads};
use crate::model::reader;
use crate::profile::Profile;
use crate::script::craft::Craft;
use crate::script::draws::Draws;
use crate::script::{Action, Conn};

/// The most steps that a script grows to.
const MOST_STEPS: usize = 400;

/// One way to change a script.
#[derive(Debug, Clone, Copy)]
enum Operator {
    /// Its steps stay as many.
    Within(fn(&Profile, &mut [Step], &mut Draws)),
    /// Steps are added or taken out.
    Steps(fn(&Profile, &mut Vec<Step>, &mut Draws)),
}

/// Those that change frames and their order. With [`OTHERS`] those of scripts.
const OF_FRAMES: [Operator; 11] = [
    Operator::Within(replace_piece),
    Operator::Steps(insert_piece),
    Operator::Steps(remove),
    Operator::Steps(duplicate),
    Operator::Within(swap),
    Operator::Within(change_header),
    Operator::Within(change_header),
    Operator::Within(change_octet),
    Operator::Within(refill),
    Operator::Steps(multiply),
    Operator::Steps(end_in_a_claim),
];

/// Those that change how they are cut, and what is done beside sending.
const OTHERS: [Operator; 6] = [
    Operator::Steps(break_off),
    Operator::Within(recut),
    Operator::Within(glue),
    Operator::Steps(change_end),
    Operator::Steps(insert_action),
    Operator::Steps(remove_waiting),
];

/// Changes a script in one to four ways, of those that are in use: a few of them, other ones each time.
pub(super) fn mutate(profile: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let all = OF_FRAMES.into_iter().chain(OTHERS);
    mutate_by(all, profile, steps, draws);
}

/// Changes the frames of a stream in the same way.
pub(super) fn mutate_frames(profile: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    mutate_by(OF_FRAMES.into_iter(), profile, steps, draws);
}

fn mutate_by(
    all: impl Iterator<Item = Operator> + Clone,
    profile: &Profile,
    steps: &mut Vec<Step>,
    draws: &mut Draws,
) {
    let mut in_use: Vec<Operator> = all.clone().filter(|_| draws.one_in(2)).collect();
    if in_use.is_empty() {
        in_use = all.collect();
    }
    for _ in 0..=draws.below(4) {
        match draws.pick(&in_use) {
            Some(Operator::Within(change)) => change(profile, steps, draws),
            Some(Operator::Steps(change)) => change(profile, steps, draws),
            None => {}
        }
    }
    steps.truncate(MOST_STEPS);
}

/// The steps of both, side by side on connections of their own, or one behind the other on the same.
pub(super) fn splice(mut one: Vec<Step>, mut other: Vec<Step>, draws: &mut Draws) -> Vec<Step> {
    if draws.one_in(2) {
        let ends = |step: &Step| {
            matches!(
                step.what,
                Move::Other(Action::Fin | Action::Rst | Action::Open)
            )
        };
        let cut = one
            .iter()
            .rposition(ends)
            .filter(|at| *at > 0)
            .unwrap_or(one.len());
        one.truncate(cut);
        one.extend(other.into_iter().skip_while(ends));
        one.truncate(MOST_STEPS);
        return one;
    }
    let conns = one
        .iter()
        .map(|step| step.conn.saturating_add(1))
        .max()
        .unwrap_or(0);
    for step in &mut other {
        step.conn = step.conn.saturating_add(conns);
    }
    fresh::together(vec![one, other], draws)
}

/// The places of the pieces.
fn pieces(steps: &[Step]) -> Vec<usize> {
    let places = steps.iter().enumerate();
    places
        .filter(|(_, step)| matches!(step.what, Move::Piece(_)))
        .map(|(at, _)| at)
        .collect()
}

fn any_piece<'a>(steps: &'a mut [Step], draws: &mut Draws) -> Option<&'a mut Piece> {
    let at = *draws.pick(&pieces(steps))?;
    steps.get_mut(at)?.as_piece()
}

/// Somewhere behind the opening of a connection, and which.
fn any_place(steps: &[Step], draws: &mut Draws) -> (usize, Conn) {
    let at = draws.below(steps.len());
    let conn = steps.get(at).map_or(0, |step| step.conn);
    (at.saturating_add(1).min(steps.len()), conn)
}

fn replace_piece(profile: &Profile, steps: &mut [Step], draws: &mut Draws) {
    let octets = frames::any(profile, draws);
    if let Some(piece) = any_piece(steps, draws) {
        piece.octets = octets;
    }
}

fn insert_piece(profile: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let (at, conn) = any_place(steps, draws);
    let piece = Piece {
        glued: draws.one_in(2),
        ..Piece::new(frames::any(profile, draws))
    };
    steps.insert(at, Step::piece(conn, piece));
}

fn remove(_: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let at = draws.below(steps.len().saturating_sub(1)).saturating_add(1);
    if at < steps.len() {
        steps.remove(at);
    }
}

fn duplicate(_: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    if let Some(at) = draws.pick(&pieces(steps)).copied()
        && let Some(step) = steps.get(at).cloned()
    {
        steps.insert(at, step);
    }
}

/// The most octets of what is put in by [`multiply`].
const MOST_AGAIN: usize = 8 << 10;

/// A piece as often as one likes, few times as often as many: decoders and servers count.
fn multiply(_: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    if let Some(at) = draws.pick(&pieces(steps)).copied()
        && let Some(step) = steps.get(at).cloned()
    {
        let octets = match &step.what {
            Move::Piece(piece) => piece.octets.len().max(1),
            Move::Other(_) => MOST_AGAIN,
        };
        let most = MOST_AGAIN.checked_div(octets).unwrap_or_default();
        let more = draws.of_any_size(most.min(MOST_STEPS));
        steps.splice(at..at, std::iter::repeat_n(step, more));
    }
}

/// A header of which the body never comes: behind all else, so that it takes nothing away.
fn end_in_a_claim(profile: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let octets = frames::claim(profile, draws);
    let last = pieces(steps).pop();
    let conn = last.and_then(|at| steps.get(at)).map(|step| step.conn);
    let behind = last.map_or(steps.len(), |at| at.saturating_add(1));
    let piece = Piece {
        glued: draws.one_in(2),
        ..Piece::new(octets)
    };
    steps.insert(behind, Step::piece(conn.unwrap_or_default(), piece));
}

fn swap(_: &Profile, steps: &mut [Step], draws: &mut Draws) {
    let places = pieces(steps);
    if let (Some(one), Some(other)) = (draws.pick(&places), draws.pick(&places)) {
        let conns = [*one, *other].map(|at| steps.get(at).map_or(0, |step| step.conn));
        steps.swap(*one, *other);
        for (at, conn) in [*one, *other].into_iter().zip(conns) {
            if let Some(step) = steps.get_mut(at) {
                step.conn = conn;
            }
        }
    }
}

fn change_header(profile: &Profile, steps: &mut [Step], draws: &mut Draws) {
    let Some(piece) = any_piece(steps, draws) else {
        return;
    };
    let len = reader::header_len(profile, &piece.octets);
    let body = piece.octets.len().saturating_sub(len);
    let header = frames::wrong_header(profile, body, draws);
    piece.octets.splice(..len, header);
}

fn change_octet(_: &Profile, steps: &mut [Step], draws: &mut Draws) {
    if let Some(piece) = any_piece(steps, draws) {
        let at = draws.below(piece.octets.len());
        let new = draws
            .pick(&[0, 1, 0x7f, 0x80, 0xff, b'"', b' ', b'{'])
            .copied();
        if let (Some(octet), Some(new)) = (piece.octets.get_mut(at), new) {
            *octet = new;
        }
    }
}

fn break_off(_: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let Some(at) = draws.pick(&pieces(steps)).copied() else {
        return;
    };
    let Some(step) = steps.get_mut(at) else {
        return;
    };
    let conn = step.conn;
    if let Some(piece) = step.as_piece() {
        let cut = draws.below(piece.octets.len());
        piece.octets.truncate(cut.max(1));
    }
    if draws.one_in(2) {
        let end = if draws.one_in(4) {
            Action::Rst
        } else {
            Action::Fin
        };
        steps.insert(at.saturating_add(1), Step::other(conn, end));
    }
}

fn recut(profile: &Profile, steps: &mut [Step], draws: &mut Draws) {
    if let Some(piece) = any_piece(steps, draws) {
        piece.cuts.clear();
        fresh::anywhere(profile, piece, draws);
    }
}

fn glue(_: &Profile, steps: &mut [Step], draws: &mut Draws) {
    let all = draws.one_in(2);
    if all {
        let pieces = steps.iter_mut().filter_map(Step::as_piece);
        pieces.for_each(|piece| piece.glued = true);
    } else if let Some(piece) = any_piece(steps, draws) {
        piece.glued = !piece.glued;
    }
}

fn change_end(profile: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let conn = steps.last().map_or(0, |step| step.conn);
    let ends = |step: &Step| matches!(step.what, Move::Other(Action::Fin | Action::Rst));
    steps.retain(|step| step.conn != conn || !ends(step));
    steps.extend(fresh::end(profile, conn, draws));
}

fn insert_action(_: &Profile, steps: &mut Vec<Step>, draws: &mut Draws) {
    let (at, conn) = any_place(steps, draws);
    let action = match draws.below(8) {
        0 => Action::Quiet,
        1 => Action::Pause(fresh::short(draws)),
        _ => Action::Await,
    };
    steps.insert(at, Step::other(conn, action));
}

fn remove_waiting(_: &Profile, steps: &mut Vec<Step>, _: &mut Draws) {
    let waits = |step: &Step| matches!(step.what, Move::Other(Action::Await | Action::Quiet));
    steps.retain(|step| !waits(step));
}

/// Words in the place of what a payload held, or beside it, in a frame whose length fits.
pub(super) fn reword(profile: &Profile, steps: &mut [Step], words: &Words, draws: &mut Draws) {
    let at = telling_piece(steps, words, draws);
    let Some(piece) = at.and_then(|at| steps.get_mut(at)?.as_piece()) else {
        return;
    };
    let frames = reader::read_with_limit(profile, &piece.octets, u128::MAX).frames;
    let payload = frames.first().map(|frame| frame.payload(&piece.octets));
    let payload = words.payload(profile, &payload.unwrap_or_default(), draws);
    piece.octets = Craft::new(profile).frame(&payload);
    piece.cuts.clear();
}

/// A piece once more, and again, as servers are that count what they are sent.
pub(super) fn repeat(steps: &mut Vec<Step>, words: &Words, draws: &mut Draws) {
    if let Some(at) = telling_piece(steps, words, draws)
        && let Some(step) = steps.get(at).cloned()
    {
        let more = 1 << draws.below(5);
        steps.splice(at..at, std::iter::repeat_n(step, more));
        steps.truncate(MOST_STEPS);
    }
}

/// The place of a piece: mostly of one that holds a word, if there is any.
fn telling_piece(steps: &[Step], words: &Words, draws: &mut Draws) -> Option<usize> {
    let tells = |at: &usize| {
        let what = steps.get(*at).map(|step| &step.what);
        matches!(what, Some(Move::Piece(piece)) if words.stand_in(&piece.octets))
    };
    let all = pieces(steps);
    let telling: Vec<usize> = all.iter().copied().filter(tells).collect();
    let from = match telling.is_empty() || draws.one_in(4) {
        true => &all,
        false => &telling,
    };
    draws.pick(from).copied()
}

/// Another payload in a frame whose length fits.
fn refill(profile: &Profile, steps: &mut [Step], draws: &mut Draws) {
    let payload = payloads::any(profile, draws);
    if let Some(piece) = any_piece(steps, draws) {
        piece.octets = Craft::new(profile).frame(&payload);
    }
}
