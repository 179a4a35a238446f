//! Scripts from nothing.

use super::MOST_OPEN;
use super::frames;
use super::moves::{Piece, SHORT, Step};
use super::payloads;
use crate::model::reader;
use crate::profile::Profile;
use crate::script::craft::Craft;
use crate::script::draws::Draws;
use crate::script::{Action, Conn};
use std::time::Duration;

/// Connections that come and go one after the other: more than servers have places that are never free again.
const ONE_BY_ONE: usize = 70;

/// The largest frame that is cut octet by octet.
const SMALL: usize = 200;

/// How the frames of a connection are cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Each is a segment.
    Frames,
    /// All are one segment.
    Glued,
    /// Header and body are segments.
    Header,
    /// At a few places.
    Anywhere,
    /// The last octet comes by itself.
    LastOctet,
    /// Octet by octet, where there are few.
    Octets,
    /// Each time otherwise.
    Mixed,
}

const CUTS: [Cut; 10] = [
    Cut::Frames,
    Cut::Frames,
    Cut::Glued,
    Cut::Glued,
    Cut::Header,
    Cut::Anywhere,
    Cut::Anywhere,
    Cut::LastOctet,
    Cut::Octets,
    Cut::Mixed,
];

/// What one connection is like.
#[derive(Debug, Clone, Copy)]
struct Style {
    frames: usize,
    cut: Cut,
    /// Each reply is waited for before the next request is sent.
    waits: bool,
    /// Only frames that a server should take.
    right: bool,
}

/// The steps of a new script.
pub(super) fn script(profile: &Profile, draws: &mut Draws) -> Vec<Step> {
    match draws.below(200) {
        0 => many_frames(profile, draws),
        1..=2 => many_connections(profile, draws),
        3 => unread(profile, draws),
        4..=160 => connection(profile, 0, draws),
        _ => {
            let conns = draws.below(3).saturating_add(2);
            let all = (0..conns)
                .map(|conn| connection(profile, conn, draws))
                .collect();
            together(all, draws)
        }
    }
}

fn style(draws: &mut Draws) -> Style {
    let frames = match draws.below(20) {
        0..=5 => 1,
        6..=11 => 2,
        12..=18 => draws.below(5).saturating_add(3),
        _ => draws.below(14).saturating_add(8),
    };
    Style {
        frames,
        cut: draws.pick(&CUTS).copied().unwrap_or(Cut::Frames),
        waits: draws.one_in(2),
        right: draws.one_in(2),
    }
}

/// One connection from its beginning to its end.
fn connection(profile: &Profile, conn: Conn, draws: &mut Draws) -> Vec<Step> {
    let style = style(draws);
    let mut steps = vec![Step::other(conn, Action::Open)];
    let mut last: Option<Vec<u8>> = None;
    for index in 0..style.frames {
        let octets = match last.take().filter(|_| draws.one_in(12)) {
            Some(same) => same,
            None if style.right => frames::right(profile, draws),
            None => frames::any(profile, draws),
        };
        last = Some(octets.clone());
        let mut piece = Piece::new(octets);
        cut(profile, &mut piece, style.cut, index == 0, draws);
        steps.push(Step::piece(conn, piece));
        steps.extend(between(conn, style.waits, draws));
    }
    steps.extend(end(profile, conn, draws));
    steps
}

/// What is done between two frames.
fn between(conn: Conn, waits: bool, draws: &mut Draws) -> Option<Step> {
    let action = match draws.below(60) {
        0 => Action::Quiet,
        1 => Action::Pause(short(draws)),
        2 => Action::Await,
        _ if waits => Action::Await,
        _ => return None,
    };
    Some(Step::other(conn, action))
}

/// A pause that does not cost much.
pub(super) fn short(draws: &mut Draws) -> Duration {
    let most = usize::try_from(SHORT.as_millis()).unwrap_or_default();
    let millis = draws.below(most).saturating_add(1);
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// Cuts a piece.
fn cut(profile: &Profile, piece: &mut Piece, how: Cut, is_first: bool, draws: &mut Draws) {
    let octets = piece.octets.len();
    let header = reader::header_len(profile, &piece.octets);
    match how {
        Cut::Frames => {}
        Cut::Glued => piece.glued = !is_first,
        Cut::Header => {
            piece.cuts.insert(header);
        }
        Cut::Anywhere => {
            piece.glued = !is_first && draws.one_in(2);
            anywhere(profile, piece, draws);
        }
        Cut::LastOctet => {
            piece.glued = !is_first;
            piece.cuts.insert(octets.saturating_sub(1));
        }
        Cut::Octets if octets <= SMALL && draws.one_in(3) => piece.cuts.extend(1..octets),
        Cut::Octets => piece.cuts.extend(1..=header),
        Cut::Mixed => {
            let how = draws.pick(&CUTS).copied().unwrap_or(Cut::Frames);
            let how = if matches!(how, Cut::Mixed) {
                Cut::Glued
            } else {
                how
            };
            cut(profile, piece, how, is_first, draws);
        }
    }
    piece.cuts.remove(&0);
}

/// Cuts a piece at one place to three, the header's octets as likely as all others, and where chunks have an index,
/// often within one.
pub(super) fn anywhere(profile: &Profile, piece: &mut Piece, draws: &mut Draws) {
    for _ in 0..=draws.below(3) {
        let within = match draws.below(3) {
            0 => profile.header_len().saturating_add(1),
            _ => piece.octets.len(),
        };
        piece.cuts.insert(draws.below(within));
    }
    if profile.index().is_some() && draws.one_in(2) {
        let index = frames::an_index(profile, &piece.octets, draws);
        let within = draws.below(index.len().saturating_add(1));
        piece.cuts.insert(index.start.saturating_add(within));
    }
    piece.cuts.remove(&0);
}

/// How a connection ends.
pub(super) fn end(profile: &Profile, conn: Conn, draws: &mut Draws) -> Vec<Step> {
    let actions = match draws.below(24) {
        0..=6 => vec![Action::Await, Action::Fin, Action::Await],
        7..=10 => vec![Action::Fin, Action::Await],
        11..=16 => vec![Action::Await],
        17 => vec![Action::Await, Action::Quiet],
        18 => vec![Action::Await, Action::Rst],
        19 => vec![Action::Rst],
        _ => return broken_off(profile, conn, draws),
    };
    actions
        .into_iter()
        .map(|action| Step::other(conn, action))
        .collect()
}

/// A part of a frame, and then the end.
fn broken_off(profile: &Profile, conn: Conn, draws: &mut Draws) -> Vec<Step> {
    let mut octets = frames::right(profile, draws);
    let header = reader::header_len(profile, &octets);
    let cut = match draws.below(4) {
        0 => header,
        1 => draws.below(header),
        _ => draws.below(octets.len()),
    };
    octets.truncate(cut.max(1));
    let end = match draws.below(5) {
        0 => Action::Rst,
        1 => Action::Quiet,
        _ => Action::Fin,
    };
    let mut steps = vec![
        Step::piece(conn, Piece::new(octets)),
        Step::other(conn, end),
    ];
    if draws.one_in(4) {
        steps.insert(1, Step::other(conn, Action::Quiet));
    }
    if draws.one_in(2) {
        steps.insert(0, Step::other(conn, Action::Await));
    }
    steps
}

/// The steps of several connections, in any order that keeps each of them. They are opened in the order
/// of their numbers.
pub(super) fn together(mut all: Vec<Vec<Step>>, draws: &mut Draws) -> Vec<Step> {
    if draws.one_in(5) {
        return all.into_iter().flatten().collect();
    }
    let mut steps = Vec::new();
    let is_open = |step: &Step| step.what == super::moves::Move::Other(Action::Open);
    for one in &mut all {
        let opens = one.iter().take_while(|step| is_open(step)).count();
        steps.extend(one.drain(..opens));
        one.reverse();
    }
    while !all.is_empty() {
        let at = draws.below(all.len());
        match all.get_mut(at).and_then(Vec::pop) {
            Some(step) => steps.push(step),
            None => drop(all.swap_remove(at)),
        }
    }
    steps
}

/// More requests on one connection than most have.
fn many_frames(profile: &Profile, draws: &mut Draws) -> Vec<Step> {
    let frames = draws.pick(&[17, 40, 105, 105, 260]).copied().unwrap_or(17);
    let waits = draws.one_in(8);
    let glues = draws.one_in(2);
    let mut steps = vec![Step::other(0, Action::Open)];
    for index in 0..frames {
        let mut piece = Piece::new(Craft::new(profile).frame(&payloads::plain(profile, draws)));
        piece.glued = glues && index > 0;
        steps.push(Step::piece(0, piece));
        if waits {
            steps.push(Step::other(0, Action::Await));
        }
    }
    steps.extend(end(profile, 0, draws));
    steps
}

/// As many connections as a server must bear, or many one after the other.
fn many_connections(profile: &Profile, draws: &mut Draws) -> Vec<Step> {
    let at_once = draws.one_in(2);
    let conns = if at_once { MOST_OPEN } else { ONE_BY_ONE };
    let mut opened = Vec::new();
    let mut asked = Vec::new();
    for conn in 0..conns {
        let open = Step::other(conn, Action::Open);
        let frame = Craft::new(profile).frame(&payloads::plain(profile, draws));
        let actions = [Action::Await, Action::Fin, Action::Await];
        let rest = actions.map(|action| Step::other(conn, action));
        if at_once {
            opened.push(open);
        } else {
            asked.push(open);
        }
        asked.push(Step::piece(conn, Piece::new(frame)));
        asked.extend(rest);
    }
    [opened, asked].concat()
}

/// A client that asks for a lot and reads nothing for a while.
fn unread(profile: &Profile, draws: &mut Draws) -> Vec<Step> {
    let mut steps = vec![Step::other(0, Action::Open), Step::other(0, Action::Stall)];
    let frame = Craft::new(profile).frame(&payloads::full(profile, draws));
    for _ in 0..draws.below(60) {
        steps.push(Step::piece(
            0,
            Piece {
                glued: true,
                ..Piece::new(frame.clone())
            },
        ));
    }
    let rest = [
        Action::Pause(short(draws)),
        Action::Resume,
        Action::Await,
        Action::Fin,
    ];
    steps.extend(rest.map(|action| Step::other(0, action)));
    steps
}
