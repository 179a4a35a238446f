//! What a connection begins with where a script says it by itself: whether it is the prologue that the profile has,
//! cut however it likes, or something that begins no session.

use super::reader::{Ending, FrameAt};
use super::{Carried, Owes, permitted_for};
use crate::lang::{Hole, Text, say};
use crate::profile::{Profile, Said, Speaker, Turn};
use crate::script::craft::Craft;
use crate::script::{Opening, OwnEnd};

/// A connection that does not begin as the profile has it, so that nothing on it is a request.
#[derive(Debug, Clone, PartialEq)]
pub struct NoSession {
    /// What is wrong with how it begins.
    pub why: Astray,
    /// What would have been asked if it had begun rightly: whoever answers that has taken it for a session.
    pub undue: Vec<Carried>,
}

/// In what a beginning is not that of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// It breaks off behind so many of so many octets.
    Short(usize, usize),
    /// An octet is another.
    Wrong {
        /// Which, counted from 0 over all that the client has to say.
        at: usize,
        /// The one that is said.
        found: u8,
        /// The one that belongs there.
        expected: u8,
    },
    /// So many octets stand behind all that the client has to say.
    Long(usize),
}

impl Astray {
    /// Whether the server can tell by what has come.
    #[must_use]
    pub const fn is_seen(self) -> bool {
        matches!(self, Self::Wrong { .. })
    }
}

impl Hole for Astray {
    fn text(&self) -> Text {
        match self {
            Self::Short(said, all) => {
                say!(
                    "a prologue of which {said} of {all} octets are said",
                    said,
                    all
                )
            }
            Self::Wrong {
                at,
                found,
                expected,
            } => say!(
                "a prologue with \"{found}\" where \"{expected}\" belongs, at octet {at}",
                found = format!("{found:02x}"),
                expected = format!("{expected:02x}"),
                at
            ),
            Self::Long(more) => say!("a prologue with {more} octets behind it", more),
        }
    }
}

/// The octets that a turn is said with; of a frame, those of an empty one.
#[must_use]
pub fn said(profile: &Profile, turn: &Turn) -> Vec<u8> {
    match &turn.said {
        Said::Octets(octets) => octets.sent().to_vec(),
        Said::Frame => Craft::new(&profile.unmarked()).frame(&[]),
        Said::Reply => {
            let last = profile.of_last_frames();
            Craft::new(&last.unwrap_or_else(|| profile.of_replies())).frame(&[])
        }
    }
}

/// What the client's turns have, `None` for an octet that may be anything. In place of a frame there may be another.
fn expected(profile: &Profile) -> Vec<Option<u8>> {
    let turns = of_client(profile);
    let octets = turns.flat_map(|turn| match &turn.said {
        Said::Octets(octets) => octets.octets().to_vec(),
        Said::Frame | Said::Reply => vec![None; said(profile, turn).len()],
    });
    octets.collect()
}

fn of_client(profile: &Profile) -> impl Iterator<Item = &Turn> {
    let turns = profile.prologue().iter();
    turns.filter(|turn| turn.speaker == Speaker::Client)
}

/// Why a connection that begins so is no session, if it is none.
pub(super) fn no_session(profile: &Profile, opening: &Opening, stream: &[u8]) -> Option<NoSession> {
    let own = opening.octets();
    let expected = expected(profile);
    let all = own.iter().chain(stream);
    let mut pairs = all.zip(&expected).enumerate();
    let wrong = pairs.find_map(|(at, (found, expected))| {
        let expected = expected.filter(|expected| expected != found)?;
        let found = *found;
        Some(Astray::Wrong {
            at,
            found,
            expected,
        })
    });
    let why = match own.len().cmp(&expected.len()) {
        _ if wrong.is_some() => wrong?,
        std::cmp::Ordering::Less => Astray::Short(own.len(), expected.len()),
        std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Greater => Astray::Long(own.len().saturating_sub(expected.len())),
    };
    let undue = match why {
        Astray::Wrong { .. } => [own.as_slice(), stream].map(|octets| messages(profile, octets)),
        // Who can tell what comes behind from what is missing?
        Astray::Short(..) | Astray::Long(_) => [Vec::new(), Vec::new()],
    };
    Some(NoSession {
        why,
        undue: undue.concat(),
    })
}

/// What the frames in these octets would ask.
fn messages(profile: &Profile, octets: &[u8]) -> Vec<Carried> {
    let duties = permitted_for(profile, octets, OwnEnd::Open).duties;
    let carried = duties.into_iter().filter_map(|duty| match duty.owes {
        Owes::Reply(carried) => Some(carried),
        _ => None,
    });
    carried.collect()
}

/// The segments of a beginning, turn by turn of the client's, and whether it is all that the client has to say. Where it
/// goes astray the last turn has all the rest, and nothing can be expected of the server from there on.
#[must_use]
pub fn by_turns(profile: &Profile, opening: &Opening) -> (Vec<Vec<Vec<u8>>>, bool) {
    let own = opening.octets();
    let expected = expected(profile);
    let fits = |(found, expected): &(&u8, &Option<u8>)| expected.is_none_or(|one| one == **found);
    let right = own.iter().zip(&expected).take_while(fits).count();
    let (mut turns, mut from) = (Vec::new(), 0_usize);
    for turn in of_client(profile) {
        let end = from.saturating_add(said(profile, turn).len());
        if right < end {
            turns.push(opening.between(from, usize::MAX));
            return (turns, false);
        }
        turns.push(opening.between(from, end));
        from = end;
    }
    let rest = opening.between(from, usize::MAX);
    let is_whole = rest.is_empty();
    turns.extend((!is_whole).then_some(rest));
    (turns, is_whole)
}

/// Places behind which replies may begin in what a server sends where the client's beginning goes astray: behind each of
/// its turns that it may still have said, and in front of all.
#[must_use]
pub fn behind_turns(profile: &Profile, octets: &[u8]) -> Vec<usize> {
    let turns = profile.prologue().iter();
    let servers: Vec<&Turn> = turns
        .filter(|turn| turn.speaker == Speaker::Server)
        .collect();
    let last = |count: usize| servers.iter().skip(servers.len().saturating_sub(count));
    let behind = |count: usize| {
        last(count).try_fold(0_usize, |at, turn| {
            let len = heard(profile, turn, octets.get(at..)?).ok().flatten()?;
            at.checked_add(len)
        })
    };
    (0..=servers.len()).filter_map(behind).collect()
}

/// Octets of a turn at the front, once it is all there.
///
/// # Errors
/// If what is there is not what the turn has.
pub fn heard(profile: &Profile, turn: &Turn, came: &[u8]) -> Result<Option<usize>, NotHeard> {
    match &turn.said {
        Said::Octets(expected) => {
            let mut pairs = expected.octets().iter().zip(came);
            let agrees = pairs.all(|(expected, octet)| expected.is_none_or(|one| one == *octet));
            let is_whole = came.len() >= expected.len();
            agrees
                .then(|| is_whole.then(|| expected.len()))
                .ok_or(NotHeard)
        }
        whose @ (Said::Frame | Said::Reply) => {
            let reading = super::reader::read_with_limit(&profile.unmarked(), came, u128::MAX);
            let ends = |frame: &&FrameAt| {
                let header = came.get(frame.start..frame.body.start);
                *whose == Said::Frame || header.is_some_and(|header| profile.ends_reply(header))
            };
            match (reading.frames.iter().find(ends), reading.ending) {
                (Some(frame), _) => Ok(Some(frame.end)),
                (None, Ending::Malformed { .. }) => Err(NotHeard),
                (None, _) => Ok(None),
            }
        }
    }
}

/// What came is not what a turn has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHeard;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permitted;

    fn profile() -> Profile {
        let text = "name = 'p'\nlength.width = 1\n\
            exchange.prologue = ['server 68 69', 'client 01 ??', 'server frame', 'client 03 04']";
        Profile::from_toml(text).unwrap()
    }

    fn judged(steps: &str) -> Option<(Astray, usize)> {
        let script = format!("framespec script 1\n{steps}\n").parse().unwrap();
        let none = permitted(&profile(), &script).remove(0).no_session?;
        Some((none.why, none.undue.len()))
    }

    #[test]
    fn however_it_is_cut_it_is_the_same_prologue() {
        for opening in ["01 ff 03 04", "01 | 00 | 03 | 04", "01 00 03 | 04 +"] {
            assert_eq!(judged(&format!("begin a {opening}\nsend a 01 '1'")), None);
        }
    }

    #[test]
    fn what_is_no_prologue_begins_no_session() {
        let wrong = Astray::Wrong {
            at: 2,
            found: 9,
            expected: 3,
        };
        let message = "send a 01 '1'";
        assert_eq!(
            judged(&format!("begin a 01 00 09 04\n{message}")),
            Some((wrong, 1))
        );
        assert_eq!(
            judged("begin a 01 00 03\nfin a"),
            Some((Astray::Short(3, 4), 0))
        );
        assert_eq!(judged("begin a\nfin a"), Some((Astray::Short(0, 4), 0)));
        assert_eq!(judged("begin a 01 00 03 04 05"), Some((Astray::Long(1), 0)));
    }

    #[test]
    fn turns_are_told_apart_as_far_as_they_are_right() {
        let turns = |steps: &str| {
            let script: crate::script::Script =
                format!("framespec script 1\n{steps}\n").parse().unwrap();
            let crate::script::Action::Begin(opening) = &script.steps()[0].action else {
                panic!("{steps}")
            };
            by_turns(&profile(), opening)
        };
        let octets = |octets: &[u8]| vec![octets.to_vec()];
        assert_eq!(
            turns("begin a 01 00 03 | 04"),
            (vec![octets(&[1, 0]), vec![vec![3], vec![4]]], true)
        );
        assert_eq!(
            turns("begin a 02 00 03 04"),
            (vec![octets(&[2, 0, 3, 4])], false)
        );
        assert_eq!(
            turns("begin a 01 00"),
            (vec![octets(&[1, 0]), vec![]], false)
        );
    }

    #[test]
    fn replies_are_looked_for_behind_whichever_turns_a_server_has_said() {
        let behind = |octets: &[u8]| behind_turns(&profile(), octets);
        assert_eq!(behind(b"\x01x\x01y"), [0, 2]);
        assert_eq!(behind(b"hi\x01x\x01y"), [0, 4]);
    }
}
