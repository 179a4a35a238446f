//! A script while it is made: frame by frame, so that whole frames can be put in, left out and moved.

use crate::model::{self, reader};
use crate::profile::Profile;
use crate::script::{Action, Conn, OwnEnd, Script};
use std::collections::BTreeSet;
use std::time::Duration;

/// A frame, or what stands in the place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) octets: Vec<u8>,
    /// Offsets within it at which it is cut.
    pub(super) cuts: BTreeSet<usize>,
    /// It goes into the segment of the piece before it.
    pub(super) glued: bool,
}

impl Piece {
    /// Octets that go out as a segment of their own.
    pub(super) fn new(octets: Vec<u8>) -> Self {
        Self {
            octets,
            cuts: BTreeSet::new(),
            glued: false,
        }
    }
}

/// A step of a script that is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Move {
    Piece(Piece),
    /// Anything else.
    Other(Action),
}

/// A move and its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) conn: Conn,
    pub(super) what: Move,
}

impl Step {
    pub(super) const fn other(conn: Conn, action: Action) -> Self {
        Self {
            conn,
            what: Move::Other(action),
        }
    }

    pub(super) const fn piece(conn: Conn, piece: Piece) -> Self {
        Self {
            conn,
            what: Move::Piece(piece),
        }
    }

    pub(super) fn as_piece(&mut self) -> Option<&mut Piece> {
        match &mut self.what {
            Move::Piece(piece) => Some(piece),
            Move::Other(_) => None,
        }
    }
}

/// The moves that a script consists of.
pub(super) fn of_script(profile: &Profile, script: &Script) -> Vec<Step> {
    let borders: Vec<BTreeSet<usize>> = script
        .streams()
        .iter()
        .map(|stream| borders(profile, stream))
        .collect();
    let mut sent = vec![0_usize; script.connections()];
    let mut steps = Vec::new();
    for step in script.steps() {
        match (
            &step.action,
            sent.get_mut(step.conn),
            borders.get(step.conn),
        ) {
            (Action::Send(segments), Some(sent), Some(borders)) => {
                for piece in pieces(segments, sent, borders) {
                    steps.push(Step::piece(step.conn, piece));
                }
            }
            (action, _, _) => steps.push(Step::other(step.conn, action.clone())),
        }
    }
    steps
}

/// The moves that send a stream on the first connection, a frame each; what is behind the last whole one, whatever its length says,
/// is one too.
pub(super) fn of_stream(profile: &Profile, stream: &[u8]) -> Vec<Step> {
    let frames = reader::read_with_limit(profile, stream, u128::MAX).frames;
    let ends = frames.iter().map(|frame| frame.end).chain([stream.len()]);
    let mut from = 0;
    let mut steps = Vec::with_capacity(frames.len().saturating_add(2));
    for to in ends {
        let octets = stream.get(from..to).unwrap_or_default();
        if !octets.is_empty() {
            steps.push(Step::piece(0, Piece::new(octets.to_vec())));
        }
        from = to;
    }
    steps
}

/// What moves send, as far as it is no more than so many octets.
pub(super) fn to_stream(steps: &[Step], most: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for step in steps {
        if let Move::Piece(piece) = &step.what {
            let room = most.saturating_sub(stream.len());
            let fits = piece.octets.get(..room).unwrap_or(&piece.octets);
            stream.extend_from_slice(fits);
        }
    }
    stream
}

/// Where the frames of a stream end.
fn borders(profile: &Profile, stream: &[u8]) -> BTreeSet<usize> {
    let permitted = model::permitted_for(&profile.unsummed(), stream, OwnEnd::Open);
    permitted.duties.iter().map(|duty| duty.due).collect()
}

/// The pieces of some segments, of a stream of which so much has been sent.
fn pieces(segments: &[Vec<u8>], sent: &mut usize, borders: &BTreeSet<usize>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut is_open = false;
    for segment in segments {
        let mut is_new_segment = true;
        for octet in segment {
            match pieces.last_mut().filter(|_| is_open) {
                Some(piece) => {
                    if is_new_segment {
                        piece.cuts.insert(piece.octets.len());
                    }
                    piece.octets.push(*octet);
                }
                None => pieces.push(Piece {
                    glued: !is_new_segment,
                    ..Piece::new(vec![*octet])
                }),
            }
            is_new_segment = false;
            *sent = sent.saturating_add(1);
            is_open = !borders.contains(sent);
        }
    }
    pieces
}

/// The script of these moves. One that cannot follow those before it is left out.
pub(super) fn to_script(steps: &[Step]) -> Script {
    let mut script = Script::new();
    let mut rest = steps;
    while let Some((first, behind)) = rest.split_first() {
        match &first.what {
            Move::Other(action) => {
                // What is done on no connection in particular stands for the first in a file.
                let conn = if action.is_general() { 0 } else { first.conn };
                let _ = script.push(conn, action.clone());
                rest = behind;
            }
            Move::Piece(_) => {
                let (segments, taken) = segments(first.conn, rest);
                if !segments.is_empty() {
                    let _ = script.push(first.conn, Action::Send(segments));
                }
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
    }
    script
}

/// The segments of the pieces that stand side by side at the beginning, and how many pieces those are.
fn segments(conn: Conn, steps: &[Step]) -> (Vec<Vec<u8>>, usize) {
    let mut segments: Vec<Vec<u8>> = Vec::new();
    let mut taken = 0_usize;
    for step in steps.iter().take_while(|step| step.conn == conn) {
        let Move::Piece(piece) = &step.what else {
            break;
        };
        taken = taken.saturating_add(1);
        let mut is_glued = piece.glued;
        let mut from = 0;
        let cuts = piece
            .cuts
            .iter()
            .copied()
            .filter(|cut| *cut < piece.octets.len());
        for to in cuts.chain([piece.octets.len()]) {
            let part = piece.octets.get(from..to).unwrap_or_default();
            match segments.last_mut().filter(|_| is_glued) {
                Some(segment) => segment.extend_from_slice(part),
                None if part.is_empty() => {}
                None => segments.push(part.to_vec()),
            }
            is_glued = false;
            from = to;
        }
    }
    (segments, taken)
}

/// What a pause in a script may last at most, so that it stays cheap.
pub(super) const SHORT: Duration = Duration::from_millis(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_its_moves() {
        let profile = Profile::default();
        let frame = "0000003c '1' 00*59";
        for text in [
            format!("open a\nsend a {frame} {frame} | {frame}\nawait a\nfin a\n"),
            format!(
                "open a\nopen b\nsend b 0000 | 003c '1' | 00*59\npause 5\nsend a {frame} 0000\nrst a\n"
            ),
            "open a\nsend a ffffffff | 'x'\nstall a\nresume a\nquiet a\n".to_owned(),
        ] {
            let script: Script = format!("framespec script 1\n{text}").parse().unwrap();
            assert_eq!(to_script(&of_script(&profile, &script)), script, "{text}");
        }
    }

    #[test]
    fn what_cannot_follow_is_left_out() {
        let piece = || Step::piece(0, Piece::new(b"x".to_vec()));
        let steps = [
            piece(),
            Step::other(0, Action::Open),
            Step::other(0, Action::Fin),
            piece(),
            Step::other(1, Action::Await),
        ];
        let script = to_script(&steps).to_string();
        assert_eq!(script, "framespec script 1\nopen a\nfin a\n");
    }
}
