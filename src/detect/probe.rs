//! Questions to a server of which nothing is known: one in each format, behind what the server says first, and what the
//! answers say of the format.

mod answered;

pub use answered::{Answered, best};

use super::{Doubt, Proposal};
use crate::model::{self, prologue};
use crate::profile::{Draft, Order, Payload, Profile, Region, Said, Speaker, Turn};
use crate::script::craft::Craft;

/// The text of each question: a reply that holds it was made from it. They differ in length, so that replies made from
/// them do, and the second has more octets than seven bits can count: a length of one octet and a varint differ there.
const TEXTS: [&str; 2] = [
    "framespec",
    "framespec asks once more, by a request that is longer than the first was, so that what could be another \
     format in short frames is told apart in this one",
];

/// How often a format is asked in that was answered in.
pub const QUESTIONS: usize = TEXTS.len();

/// What is a whole frame in no format that is asked in. Who answers it as it answers frames may not know any.
pub const NO_FRAME: &[u8] = b"framespec?\r\n";

/// The most octets that can be described of what a server says first.
const MOST_OCTETS: usize = 512;

/// Questions in one format.
#[derive(Debug, Clone)]
pub struct Probe {
    profile: Profile,
    is_known: bool,
    /// What speaks for the format once a server has gone through what its connections begin with, in bits.
    begun: f64,
}

/// A probe of each format that this program knows, and of the plainest without a name. The less a format asks of its frames, the
/// earlier it comes.
#[must_use]
pub fn probes() -> Vec<Probe> {
    let built_in = known().take(Profile::BUILT_IN.len());
    let shipped = known().skip(Profile::BUILT_IN.len());
    let is_known = |profile| (profile, true);
    let plain = plain().map(|profile| (profile, false));
    let all = built_in
        .map(is_known)
        .chain(plain)
        .chain(shipped.map(is_known));
    let mut all: Vec<Probe> = all
        .map(|(profile, known)| Probe::of(profile, known))
        .collect();
    all.sort_by_key(|probe| demands(&probe.profile));
    all
}

/// The formats that have a name, the built-in ones first.
fn known() -> impl Iterator<Item = Profile> {
    let names = Profile::BUILT_IN
        .into_iter()
        .chain(Profile::shipped_names());
    names.filter_map(|name| Profile::built_in(name).or_else(|| Profile::shipped(name)))
}

/// How much a format asks of its frames. Whoever speaks one that asks less can seem to speak one that asks more: zeros
/// in a wider length are text to him.
fn demands(profile: &Profile) -> usize {
    let pads = usize::from(profile.chunk() > 1);
    let counts_itself = usize::from(profile.covered_header_len() > 0);
    let around = profile.header_len().saturating_add(profile.trailer().len());
    around.saturating_add(pads).saturating_add(counts_itself)
}

fn plain() -> impl Iterator<Item = Profile> {
    let counted = [vec![Region::Payload], vec![Region::Length, Region::Payload]];
    let widths = [
        (4, Order::Big),
        (4, Order::Little),
        (2, Order::Big),
        (2, Order::Little),
        (8, Order::Big),
        (1, Order::Big),
    ];
    let drafts = widths.into_iter().flat_map(move |(width, order)| {
        let layouts = counted.clone().into_iter();
        layouts.flat_map(move |covers| {
            [Payload::Json, Payload::Utf8].map(|payload| Draft {
                name: "detected".to_owned(),
                about: "found by asking".to_owned(),
                width,
                order,
                covers: covers.clone(),
                chunk: 1,
                payload,
                ..Draft::default()
            })
        })
    });
    drafts.filter_map(|draft| Profile::try_from(draft).ok())
}

fn of_servers(profile: &Profile) -> impl Iterator<Item = &Turn> {
    let turns = profile.prologue().iter();
    turns.filter(|turn| turn.speaker == Speaker::Server)
}

/// What it says that a turn came as it was expected, in bits.
fn bits(profile: &Profile, turn: &Turn) -> f64 {
    let octets = match &turn.said {
        Said::Octets(octets) => octets.octets().iter().flatten().count(),
        Said::Frame | Said::Reply => profile.length().most_len().min(4),
    };
    8.0 * super::evidence::float(octets)
}

impl Probe {
    fn of(profile: Profile, is_known: bool) -> Self {
        // A frame could be that of any format with the same frames.
        let octets = of_servers(&profile).filter(|turn| matches!(turn.said, Said::Octets(_)));
        Self {
            begun: octets.map(|turn| bits(&profile, turn)).sum(),
            profile,
            is_known,
        }
    }

    /// The format, with what its connections begin with.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What to send on a connection of its own, behind what it begins with: the question of that number, counted from 0.
    #[must_use]
    pub fn request(&self, number: usize) -> Vec<u8> {
        let craft = Craft::new(&self.profile);
        let text = TEXTS.get(number).copied().unwrap_or_default();
        let number = u64::try_from(number).unwrap_or_default();
        model::with_id(&self.profile, craft.frame(&craft.payload(text)), number)
    }

    /// The probe for a server that has said that first on two connections, be it nothing; none if the format does not fit.
    #[must_use]
    pub fn behind(self, greetings: &[Vec<u8>; 2]) -> Option<Self> {
        let [greeting, other] = greetings;
        let turns = self.profile.prologue();
        let fits = match of_servers(&self.profile).next() {
            _ if greeting.is_empty() => turns
                .first()
                .is_none_or(|turn| turn.speaker == Speaker::Client),
            Some(turn) => prologue::heard(&self.profile, turn, greeting).is_ok(),
            None if turns.is_empty() => return self.greeted_by(greeting, other),
            None => false,
        };
        fits.then_some(self)
    }

    /// The probe of a format that knows of no greeting, behind one: a frame, or octets that are the same each time.
    fn greeted_by(&self, greeting: &[u8], other: &[u8]) -> Option<Self> {
        let are_frames = self.is_one_frame(greeting) && self.is_one_frame(other);
        let turn = match are_frames {
            true => "server frame".to_owned(),
            false => same_octets(greeting, other)?,
        };
        let mut draft = Draft::from(self.profile.clone());
        draft.prologue = vec![turn];
        let profile = Profile::try_from(draft).ok()?;
        Some(Self { profile, ..*self })
    }

    fn is_one_frame(&self, octets: &[u8]) -> bool {
        let turn = Turn {
            speaker: Speaker::Server,
            said: Said::Frame,
        };
        prologue::heard(&self.profile, &turn, octets) == Ok(Some(octets.len()))
    }

    /// A guess by what the server said first, for one that answers no question: its format is known, and begins so.
    fn greeted(&self, greeting: &[u8]) -> Option<Proposal> {
        let turn = of_servers(&self.profile).next()?;
        let heard = prologue::heard(&self.profile, turn, greeting);
        (heard == Ok(Some(greeting.len()))).then(|| Proposal {
            profile: self.profile.clone(),
            is_known: true,
            frames: 1,
            sizes: (greeting.len(), greeting.len()),
            bits: bits(&self.profile, turn),
            doubt: Some(Doubt::Unanswered),
            alike: Vec::new(),
        })
    }
}

/// The turn of a server that says this on one connection and that on another, as far as they are the same.
fn same_octets(one: &[u8], other: &[u8]) -> Option<String> {
    if one.len() != other.len() || one.len() > MOST_OCTETS {
        return None;
    }
    let octets = one
        .iter()
        .zip(other)
        .map(|(one, other)| match one == other {
            true => format!(" {one:02x}"),
            false => " ??".to_owned(),
        });
    Some(format!("server{}", octets.collect::<String>()))
}

/// The known formats whose connections begin with what the server said first, for one that answers no question, the
/// likeliest first.
#[must_use]
pub fn greeted(greeting: &[u8]) -> Vec<Proposal> {
    let probes = probes();
    let found = probes.iter().filter_map(|one| one.greeted(greeting));
    let mut found: Vec<Proposal> = found.collect();
    found.sort_by(|one, other| other.bits.total_cmp(&one.bits));
    found
}

#[cfg(test)]
mod tests;
