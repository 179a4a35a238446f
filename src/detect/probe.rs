//! Requests to a server of which nothing is known: one in each format, and what it says to them.

use super::{Proposal, doubt, evidence, layouts};
use crate::capture::{Exchange, Said};
use crate::model;
use crate::profile::{Draft, Order, Payload, Profile, Region};
use crate::script::craft::Craft;

/// The text of each request: a reply that holds it was made from it.
const TEXT: &str = "framespec";

/// What speaks for a format whose reply holds the text of the request, in bits: that comes by no chance.
const REPEATED: f64 = 40.0;

/// A request in one format.
#[derive(Debug, Clone)]
pub struct Probe {
    profile: Profile,
    is_known: bool,
    request: Vec<u8>,
}

/// A request in each format that this program knows and that begins with one, and in the plainest without a name. The
/// plainest come first, so that of formats with the same frames they stand for all.
pub fn probes() -> impl Iterator<Item = Probe> {
    let named = |name| Profile::built_in(name).or_else(|| Profile::shipped(name));
    let built_in = Profile::BUILT_IN.into_iter().filter_map(named);
    let shipped = Profile::shipped_names().filter_map(named);
    let known = |profile| (profile, true);
    let plain = plain().map(|profile| (profile, false));
    let all = built_in.map(known).chain(plain).chain(shipped.map(known));
    all.filter(|(profile, _)| profile.prologue().is_empty())
        .map(|(profile, is_known)| Probe {
            request: request(&profile),
            profile,
            is_known,
        })
}

fn request(profile: &Profile) -> Vec<u8> {
    let craft = Craft::new(profile);
    model::with_id(profile, craft.frame(&craft.payload(TEXT)), 1)
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

impl Probe {
    /// What to send on a connection of its own.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// What a server's answer says of the format; nothing if it is no reply in it.
    #[must_use]
    pub fn answered(&self, answer: Vec<u8>) -> Option<Proposal> {
        let repeats = answer
            .windows(TEXT.len())
            .any(|part| part == TEXT.as_bytes());
        let said = |octets| Said {
            octets,
            ..Said::default()
        };
        let sample = [Exchange {
            answered: said(answer),
            ..Exchange::default()
        }];
        let mut weight = evidence::weigh(&self.profile, &sample)?;
        if !weight.ends_whole() {
            return None;
        }
        weight.bits += if repeats { REPEATED } else { 0.0 };
        weight.bits -= layouts::KNOWN;
        Some(Proposal {
            frames: weight.frames,
            sizes: weight.sizes(),
            bits: weight.bits,
            doubt: doubt(&weight, true),
            alike: Vec::new(),
            profile: self.profile.clone(),
            is_known: self.is_known,
        })
    }
}

/// The plainest format in which a reply came, of those whose reply holds the text of the request if there are any, with
/// the names of the others; nothing if there is none.
#[must_use]
pub fn best(mut proposals: Vec<Proposal>) -> Option<Proposal> {
    proposals.sort_by_key(|one| (one.bits < REPEATED / 2.0, demands(&one.profile)));
    let mut proposals = proposals.into_iter();
    let mut best = proposals.next()?;
    let others = proposals.filter(|other| other.is_known);
    best.alike = others
        .map(|other| other.profile.name().to_owned())
        .collect();
    Some(best)
}

/// How much a format asks of its frames. Whoever speaks one that asks less can seem to speak one that asks more: zeros
/// in a wider length are text to him.
fn demands(profile: &Profile) -> usize {
    let pads = usize::from(profile.chunk() > 1);
    let counts_itself = usize::from(profile.covered_header_len() > 0);
    let around = profile.header_len().saturating_add(profile.trailer().len());
    around.saturating_add(pads).saturating_add(counts_itself)
}
