//! Datagrams: each is read by itself, and says nothing of any other.
//!
//! There is no close that could be owed for one that is wrong, so that silence is permitted; and its sender may be
//! anybody, so that it is wise.

use super::reader::{self, Ending, Fault, FrameAt, Place};
use super::{
    Carried, Doubt, Duty, Owes, Permitted, Tail, carried, frame_owes, id_of, most_body, payload,
    taken_or_passed_over,
};
use crate::lang::{self, Hole, Text, say};
use crate::profile::Profile;
use crate::script::{Action, Script, StepError};

/// Why a datagram need not be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Unsure {
    /// It is one whole frame, which need not be taken for a message.
    Doubt(Doubt),
    /// It is not one whole frame, and so none at all.
    NoFrame {
        /// What it is instead.
        misfit: Misfit,
        /// What it would mean if nobody compared its header with what stands behind it, or took it for more of the
        /// datagrams in front of it. Whoever answers that has taken it for a message.
        undue: Vec<Carried>,
    },
}

/// What a datagram is that is not one whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It has no octet.
    Empty,
    /// It ends before its frame does.
    Short(Place),
    /// What it begins with begins no frame.
    Malformed(Fault),
    /// So many octets stand behind its frame, and are no frames.
    Long(usize),
    /// It is so many frames.
    Several(usize),
}

impl Hole for Misfit {
    fn text(&self) -> Text {
        match self {
            Self::Empty => say!("a datagram without an octet"),
            Self::Short(Place::Header) => say!("a datagram that ends inside its header"),
            Self::Short(Place::Boundary) => say!("a datagram that ends behind its header"),
            Self::Short(Place::Body) => say!("a datagram that ends inside its frame"),
            Self::Malformed(fault) => say!("a datagram that begins no frame: {fault}", fault),
            Self::Long(octets) => {
                let octets = lang::octets(*octets);
                say!("a datagram with {octets} behind its frame", octets)
            }
            Self::Several(frames) => say!("a datagram of {frames} frames", frames),
        }
    }
}

impl Hole for Unsure {
    fn text(&self) -> Text {
        match self {
            Self::Doubt(doubt) => doubt.text(),
            Self::NoFrame { misfit, .. } => misfit.text(),
        }
    }
}

/// What the datagrams of a script permit, connection by connection: a duty for each of them.
pub(super) fn permitted(profile: &Profile, script: &Script) -> Vec<Permitted> {
    let none = |conn| Permitted {
        duties: Vec::new(),
        tail: Tail::Apart,
        own_end: script.own_end(conn),
        asking: None,
        no_session: None,
    };
    let mut all: Vec<Permitted> = (0..script.connections()).map(none).collect();
    let mut pieces = vec![Vec::new(); script.connections()];
    for step in script.steps() {
        let conn = all.get_mut(step.conn).zip(pieces.get_mut(step.conn));
        let Some((permitted, pieces)) = conn else {
            continue;
        };
        for datagram in of(&step.action) {
            let start = permitted.duties.last().map_or(0, |duty| duty.due);
            let mut duty = duty(profile, datagram, start);
            let joined = joined(profile, pieces, datagram);
            if let Owes::ReplyOrSilence(Unsure::NoFrame { undue, .. }) = &mut duty.owes {
                undue.extend(joined);
            }
            permitted.duties.push(duty);
        }
    }
    all
}

/// The message of a frame that a datagram would complete if it went on with the pieces in front of it, as in a stream;
/// what is then left of them.
fn joined(profile: &Profile, pieces: &mut Vec<u8>, datagram: &[u8]) -> Option<Carried> {
    let before = pieces.len();
    pieces.extend_from_slice(datagram);
    let reading = reader::read(profile, pieces);
    let first = reading.frames.first().filter(|_| before > 0);
    let made = first.and_then(|frame| message(profile, &frame.payload(pieces)));
    let left = match reading.ending {
        Ending::Inside { start, .. } => pieces.get(start..).unwrap_or_default().to_vec(),
        _ => Vec::new(),
    };
    *pieces = left;
    made
}

/// The datagrams that a step sends.
fn of(action: &Action) -> Vec<&[u8]> {
    match action {
        Action::Send(segments) => segments.iter().map(Vec::as_slice).collect(),
        Action::SendEmpty => vec![&[]],
        _ => Vec::new(),
    }
}

fn duty(profile: &Profile, datagram: &[u8], start: usize) -> Duty {
    let due = start.saturating_add(datagram.len());
    let (id, owes) = match one_frame(profile, datagram, most_body(profile).into()) {
        Ok(frame) => (
            id_of(profile, datagram, frame.start..frame.body.start),
            owed_for(frame_owes(profile, datagram, &frame)),
        ),
        Err(misfit) => (
            None,
            Owes::ReplyOrSilence(unsure(profile, datagram, misfit)),
        ),
    };
    Duty {
        start,
        due,
        id,
        owes,
    }
}

/// The one frame that a datagram is.
///
/// # Errors
/// If it is anything else, and what.
pub fn one_frame(profile: &Profile, datagram: &[u8], limit: u128) -> Result<FrameAt, Misfit> {
    let reading = reader::read_with_limit(profile, datagram, limit);
    let count = reading.frames.len();
    Err(match (reading.frames.into_iter().next(), reading.ending) {
        (Some(frame), Ending::Boundary) if count == 1 => return Ok(frame),
        (Some(_), Ending::Boundary) => Misfit::Several(count),
        (Some(frame), _) => Misfit::Long(datagram.len().saturating_sub(frame.end)),
        (None, Ending::Boundary) => Misfit::Empty,
        (None, Ending::Inside { place, .. }) => Misfit::Short(place),
        (None, Ending::Malformed { fault, .. }) => Misfit::Malformed(fault),
    })
}

/// Why a datagram need not be answered that is not one frame.
fn unsure(profile: &Profile, datagram: &[u8], misfit: Misfit) -> Unsure {
    if is_odd(profile, datagram, misfit) {
        return Unsure::Doubt(Doubt::OddLength);
    }
    let first = reader::read(profile, datagram).frames.into_iter().next();
    let first = first.and_then(|frame| message(profile, &frame.payload(datagram)));
    let undue = behind_header(profile, datagram).and_then(|rest| message(profile, rest));
    // A frame at the front may be answered, whatever follows.
    let undue = undue.filter(|undue| Some(undue) != first.as_ref());
    let undue = Vec::from_iter(undue);
    Unsure::NoFrame { misfit, undue }
}

/// Whether all that is wrong is that its body, which is there, is no whole number of chunks: that may be taken.
fn is_odd(profile: &Profile, datagram: &[u8], misfit: Misfit) -> bool {
    let Misfit::Malformed(fault) = misfit else {
        return false;
    };
    let header = reader::header_len(profile, datagram);
    let behind = datagram.len().saturating_sub(header);
    matches!(taken_or_passed_over(profile, &fault), Some((body, Doubt::OddLength)) if body == behind)
}

/// What is owed for a whole frame where a stream would owe that for it.
fn owed_for(owed: Owes) -> Owes {
    match owed {
        Owes::ReplyOrClose(doubt) => Owes::ReplyOrSilence(Unsure::Doubt(doubt)),
        // Whose reply a datagram is cannot always be told.
        Owes::Nothing(_) => Owes::ReplyOrSilence(Unsure::Doubt(Doubt::Unanswered)),
        owed => owed,
    }
}

/// All that could be payload if the header said nothing.
fn behind_header<'a>(profile: &Profile, datagram: &'a [u8]) -> Option<&'a [u8]> {
    let body = datagram.get(reader::header_len(profile, datagram)..)?;
    let body = body.get(..body.len().checked_sub(profile.trailer().len())?)?;
    if profile.chunk() == 1 {
        return Some(body);
    }
    let last = body.iter().rposition(|octet| *octet != profile.pad())?;
    body.get(..=last)
}

fn message(profile: &Profile, octets: &[u8]) -> Option<Carried> {
    let meaning = payload::meaning(profile, octets).filter(|_| !octets.is_empty())?;
    Some(carried(profile, octets, meaning))
}

/// The script with each of its datagrams changed, be it in length or not.
pub(super) fn changed(
    script: &Script,
    mut change: impl FnMut(&mut Vec<u8>),
) -> Result<Script, StepError> {
    let mut made = script.emptied();
    for step in script.steps() {
        let mut action = step.action.clone();
        if let Action::Send(segments) = &mut action {
            segments.iter_mut().for_each(&mut change);
        }
        made.push(step.conn, action)?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Carriage;

    fn owed(steps: &str) -> Vec<Owes> {
        let profile = Profile::tutorial().carried_by(Carriage::Datagrams);
        let script = format!("framespec script 1\nopen a\n{steps}")
            .parse()
            .unwrap();
        let permitted = super::super::permitted(&profile, &script);
        let duties = permitted.into_iter().flat_map(|one| one.duties);
        duties.map(|duty| duty.owes).collect()
    }

    fn misfit(steps: &str) -> (Misfit, bool) {
        match owed(steps).as_slice() {
            [Owes::ReplyOrSilence(Unsure::NoFrame { misfit, undue })] => {
                (*misfit, !undue.is_empty())
            }
            other => panic!("{other:?}"),
        }
    }

    const FRAME: &str = "0000003c '\"hi\"' 00*56";

    #[test]
    fn one_whole_frame_is_owed_what_it_is_owed_anywhere() {
        let frames = owed(&format!("send a {FRAME} | {FRAME}\nsend a 00000000\n"));
        let doubt = Owes::ReplyOrSilence(Unsure::Doubt(Doubt::Payload));
        assert!(matches!(&frames[..2], [Owes::Reply(_), Owes::Reply(_)]));
        assert_eq!(frames[2..], [doubt]);
    }

    #[test]
    fn anything_else_is_no_frame_and_may_be_passed_over() {
        assert_eq!(misfit("empty a"), (Misfit::Empty, false));
        assert_eq!(misfit("send a 0000"), (Misfit::Short(Place::Header), false));
        let (long, several) = (
            format!("send a {FRAME} 00"),
            format!("send a {FRAME} {FRAME}"),
        );
        assert_eq!(misfit(&long), (Misfit::Long(1), false));
        assert_eq!(misfit(&several), (Misfit::Several(2), false));
        assert!(matches!(
            misfit("send a ffffffff '1'"),
            (Misfit::Malformed(_), true)
        ));
    }

    #[test]
    fn what_a_header_denies_is_no_message() {
        let short = "send a 00000078 '\"hi\"' 00*56";
        assert_eq!(misfit(short), (Misfit::Short(Place::Body), true));
        let behind_none = "send a 00000000 '\"hi\"' 00*56";
        assert!(matches!(misfit(behind_none), (Misfit::Long(60), true)));
    }

    #[test]
    fn a_frame_in_two_datagrams_is_none() {
        let halves = owed("send a 0000003c '\"h'\nsend a 'i\"' 00*56\n");
        let [_, Owes::ReplyOrSilence(Unsure::NoFrame { undue, .. })] = halves.as_slice() else {
            panic!("{halves:?}")
        };
        assert_eq!(undue[0].text(), Some("hi"));
    }

    #[test]
    fn a_datagram_says_nothing_of_the_next() {
        let owed = owed(&format!(
            "send a ffffffff\nsend a 000000\nempty a\nsend a {FRAME}"
        ));
        assert!(matches!(owed.last(), Some(Owes::Reply(_))));
        assert_eq!(owed.len(), 4);
    }
}
