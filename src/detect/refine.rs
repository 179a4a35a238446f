//! From a layout of free octets to a description: which of them are fixed, which repeat an id, what payloads are
//! made of, and how they are padded.

use super::evidence::{LARGEST, means_something};
use crate::capture::{Exchange, Said};
use crate::model::reader;
use crate::profile::{Draft, Form, Payload, Profile, Region};
use std::collections::BTreeSet;
use std::ops::Range;

/// From how many frames on an octet that never changes is taken to be fixed.
const ENOUGH: usize = 3;

/// Octets of an id at most, and the widths that are looked for.
const WIDTHS: [usize; 4] = [4, 2, 8, 1];

/// How far into a body an id is looked for.
const MOST_IN_FRONT: usize = 8;

/// From how many requests on it is believed.
const ENOUGH_IDS: usize = 3;

/// The octet that padding is made of.
const PAD: u8 = 0;

/// All frames of one side, over all connections.
#[derive(Debug, Default)]
struct Frames {
    headers: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    trailers: Vec<Vec<u8>>,
}

/// Both sides of one connection.
type Both = (Frames, Frames);

/// The layout with all that can be told of it from the frames that it reads.
pub(super) fn refine(layout: &Profile, sample: &[Exchange]) -> Option<Profile> {
    let connections: Vec<Both> = sample
        .iter()
        .map(|exchange| read(layout, exchange))
        .collect();
    let asked: Frames = connections.iter().map(|(asked, _)| asked).collect();
    let answered: Frames = connections.iter().map(|(_, answered)| answered).collect();
    let mut draft = Draft::from(layout.clone());
    draft.about = "made by detect from what was said".to_owned();
    give_marks(&mut draft, layout, &asked, &answered);
    give_payload(&mut draft, &asked, &answered);
    give_id(&mut draft, layout, &connections);
    Profile::try_from(draft)
        .ok()
        .or_else(|| Some(layout.clone()))
}

fn read(layout: &Profile, exchange: &Exchange) -> Both {
    let frames = |said: &Said| {
        let reading = reader::read_with_limit(layout, &said.octets, LARGEST);
        let mut frames = Frames::default();
        let part = |range: Range<usize>| said.octets.get(range).unwrap_or_default().to_vec();
        for frame in reading.frames {
            frames.headers.push(part(frame.start..frame.body.start));
            frames.trailers.push(part(frame.body.end..frame.end));
            frames.bodies.push(part(frame.body));
        }
        frames
    };
    (frames(&exchange.asked), frames(&exchange.answered))
}

impl<'a> FromIterator<&'a Frames> for Frames {
    fn from_iter<T: IntoIterator<Item = &'a Frames>>(parts: T) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.headers.extend(part.headers.iter().cloned());
            all.bodies.extend(part.bodies.iter().cloned());
            all.trailers.extend(part.trailers.iter().cloned());
        }
        all
    }
}

/// Octets that never change, on both sides or on each.
fn give_marks(draft: &mut Draft, layout: &Profile, asked: &Frames, answered: &Frames) {
    let (before, after) = (layout.before().len(), layout.after().len());
    let ends = |header: &[u8]| header.len().saturating_sub(after)..header.len();
    let front = |frames: &Frames| columns(frames.headers.iter().map(|h| h.get(..before)));
    let back = |frames: &Frames| columns(frames.headers.iter().map(|h| h.get(ends(h))));
    (draft.before, draft.reply_before) = marks(before, front(asked), front(answered));
    (draft.after, draft.reply_after) = marks(after, back(asked), back(answered));
    let trailers = asked.trailers.iter().chain(&answered.trailers);
    let trailer = columns(trailers.map(|trailer| Some(trailer.as_slice())));
    draft.trailer = written(layout.trailer().len(), &trailer);
}

/// Each octet of the parts: its value if it is always the same, and was often enough.
fn columns<'a>(parts: impl Iterator<Item = Option<&'a [u8]>>) -> Vec<Option<u8>> {
    let parts: Vec<&[u8]> = parts.flatten().collect();
    let Some(first) = parts.first().filter(|_| parts.len() >= ENOUGH) else {
        return Vec::new();
    };
    let is_same = |at: usize, octet: u8| parts.iter().all(|part| part.get(at) == Some(&octet));
    let columns = first.iter().enumerate();
    columns
        .map(|(at, octet)| is_same(at, *octet).then_some(*octet))
        .collect()
}

fn written(octets: usize, columns: &[Option<u8>]) -> String {
    let octet = |at: usize| match columns.get(at).copied().flatten() {
        Some(octet) => format!("{octet:02x}"),
        None => "??".to_owned(),
    };
    (0..octets).map(octet).collect::<Vec<_>>().join(" ")
}

/// A mark of requests, and that of replies if it differs.
fn marks(
    octets: usize,
    asked: Vec<Option<u8>>,
    answered: Vec<Option<u8>>,
) -> (String, Option<String>) {
    // Of a side of which too little is known, what the other says has to do.
    let (asked, answered) = match (asked.is_empty(), answered.is_empty()) {
        (true, _) => (answered.clone(), answered),
        (_, true) => (asked.clone(), asked),
        _ => (asked, answered),
    };
    let (asked, answered) = (written(octets, &asked), written(octets, &answered));
    let reply = (answered != asked).then_some(answered);
    (asked, reply)
}

/// Octets that differ from request to request, and that the replies have as well.
fn give_id(draft: &mut Draft, layout: &Profile, connections: &[Both]) {
    let before = layout.before().len();
    let header = |at: Range<usize>| find_id(connections, |frames| &frames.headers, at);
    if let Some(at) = header(0..before) {
        draft.before = with_id(&draft.before, 0, &at);
        draft.reply_before = draft.reply_before.take().map(|mark| with_id(&mark, 0, &at));
        return;
    }
    let after = layout.after().len();
    let Some(first) = connections
        .iter()
        .find_map(|(asked, _)| asked.headers.first())
    else {
        return;
    };
    let end = first.len();
    let start = end.saturating_sub(after);
    if draft.form == Form::Binary
        && let Some(at) = header(start..end)
    {
        draft.after = with_id(&draft.after, start, &at);
        draft.reply_after = draft
            .reply_after
            .take()
            .map(|mark| with_id(&mark, start, &at));
        return;
    }
    let echoes = |(asked, answered): &Both| asked.bodies == answered.bodies;
    if after > 0 || draft.payload != Payload::Opaque || connections.iter().all(echoes) {
        return;
    }
    if let Some(at) = find_id(connections, |frames| &frames.bodies, 0..MOST_IN_FRONT) {
        draft.after = with_id(&written(at.end, &[]), 0, &at);
        draft.covers.push(Region::After);
    }
}

/// The octets at which, on each connection, replies have what requests have, each once.
fn find_id(
    connections: &[Both],
    parts: impl Fn(&Frames) -> &Vec<Vec<u8>>,
    within: Range<usize>,
) -> Option<Range<usize>> {
    let places = WIDTHS.into_iter().flat_map(|width| {
        let last = within.end.saturating_sub(width).saturating_add(1);
        (within.start..last.max(within.start)).map(move |at| at..at.saturating_add(width))
    });
    let mut places = places.filter(|place| place.end <= within.end);
    places.find(|place| {
        let mut seen = 0_usize;
        let all = connections.iter().all(|(asked, answered)| {
            let ids = |frames| ids(parts(frames), place);
            match (ids(asked), ids(answered)) {
                (Some(asked), Some(answered)) => {
                    seen = seen.saturating_add(asked.len());
                    asked == answered
                }
                _ => false,
            }
        });
        all && seen >= ENOUGH_IDS
    })
}

/// What stands there in all of these, if it is another in each.
fn ids(parts: &[Vec<u8>], place: &Range<usize>) -> Option<BTreeSet<Vec<u8>>> {
    let found: Option<Vec<_>> = parts.iter().map(|part| part.get(place.clone())).collect();
    let found = found?;
    let ids: BTreeSet<Vec<u8>> = found.iter().map(|id| id.to_vec()).collect();
    (ids.len() == found.len()).then_some(ids)
}

fn with_id(mark: &str, start: usize, id: &Range<usize>) -> String {
    let octets = mark.split(' ').enumerate();
    let octets = octets.map(|(at, octet)| match id.contains(&at.saturating_add(start)) {
        true => "id",
        false => octet,
    });
    octets.collect::<Vec<_>>().join(" ")
}

fn give_payload(draft: &mut Draft, asked: &Frames, answered: &Frames) {
    let bodies = asked.bodies.iter().chain(&answered.bodies);
    let bodies: Vec<&[u8]> = bodies
        .map(Vec::as_slice)
        .filter(|body| !body.is_empty())
        .collect();
    if bodies.is_empty() {
        return;
    }
    let trimmed = |body: &&[u8]| {
        let end = body.iter().rposition(|octet| *octet != PAD);
        body.get(..end.map_or(0, |end| end.saturating_add(1)))
            .unwrap_or_default()
            .to_vec()
    };
    let payloads: Vec<Vec<u8>> = bodies.iter().map(trimmed).collect();
    let are = |kind| {
        let right = payloads
            .iter()
            .filter(|payload| means_something(kind, payload))
            .count();
        let wrong = payloads.len().saturating_sub(right);
        wrong.saturating_mul(4) <= right
    };
    draft.payload = match (are(Payload::Json), are(Payload::Utf8)) {
        (true, _) => Payload::Json,
        (_, true) => Payload::Utf8,
        _ => return,
    };
    let is_padded = bodies.iter().any(|body| body.ends_with(&[PAD]));
    let chunk = bodies.iter().map(|body| body.len()).fold(0, divisor);
    match u32::try_from(chunk) {
        Ok(chunk @ 2..) if is_padded => (draft.chunk, draft.pad) = (chunk, PAD),
        // What ends in NULs that are no padding is no text.
        _ if is_padded && draft.chunk == 1 => draft.payload = Payload::Opaque,
        _ => {}
    }
}

/// The greatest common divisor.
fn divisor(one: usize, other: usize) -> usize {
    match other.checked_rem(one) {
        None => other,
        Some(0) => one,
        Some(rest) => divisor(rest, one),
    }
}
