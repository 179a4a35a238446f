//! The pieces that the streams of a script are made of: frames, and what is left where none is.

use super::edit::Edit;
use crate::model::reader;
use crate::model::{self, Doubt, Owes, Permitted, Tail, Unsure};
use crate::profile::{Carriage, Profile};
use crate::script::craft::Craft;
use crate::script::{Conn, ConnName, OwnEnd, Script};
use std::ops::Range;

/// A stretch of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) conn: Conn,
    pub(super) range: Range<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A whole frame.
    Frame {
        payload: Vec<u8>,
        /// Octets of padding behind it.
        padding: usize,
    },
    /// A header and a body that is no whole number of chunks.
    Odd,
    /// A header that nobody reads beyond.
    Header,
    /// A frame that the stream breaks off in, or octets that nobody reads.
    Rest,
}

/// A script's streams and what they are made of.
#[derive(Debug)]
pub(super) struct View {
    pub(super) streams: Vec<Vec<u8>>,
    pub(super) pieces: Vec<Piece>,
}

impl View {
    pub(super) fn of(profile: &Profile, script: &Script) -> Self {
        let streams = script.streams();
        let in_stream = |stream: &Vec<u8>| model::permitted_for(profile, stream, OwnEnd::Open);
        let read = match profile.carriage() {
            Carriage::Stream => streams.iter().map(in_stream).collect(),
            Carriage::Datagrams => model::permitted(profile, script),
        };
        let mut pieces = Vec::new();
        for (conn, (stream, permitted)) in streams.iter().zip(&read).enumerate() {
            pieces_of(profile, conn, stream, permitted, &mut pieces);
        }
        Self { streams, pieces }
    }

    fn octets(&self, conn: Conn, range: Range<usize>) -> &[u8] {
        self.streams
            .get(conn)
            .and_then(|stream| stream.get(range))
            .unwrap_or_default()
    }
}

fn pieces_of(
    profile: &Profile,
    conn: Conn,
    stream: &[u8],
    permitted: &Permitted,
    pieces: &mut Vec<Piece>,
) {
    let mut end = 0;
    for duty in &permitted.duties {
        let range = duty.start..duty.due;
        let kind = match &duty.owes {
            Owes::Close(_) | Owes::ReplyOrClose(Doubt::OverLimit) => Kind::Header,
            Owes::ReplyOrClose(Doubt::OddLength) => Kind::Odd,
            Owes::ReplyOrSilence(Unsure::NoFrame { .. }) => Kind::Rest,
            _ => frame(profile, stream, &range),
        };
        end = range.end;
        pieces.push(Piece { conn, range, kind });
    }
    let start = match permitted.tail {
        Tail::Inside { start, .. } => start,
        Tail::Boundary | Tail::Void | Tail::Apart => end,
    };
    if start < stream.len() {
        pieces.push(Piece {
            conn,
            range: start..stream.len(),
            kind: Kind::Rest,
        });
    }
}

/// What is in a whole frame.
fn frame(profile: &Profile, stream: &[u8], range: &Range<usize>) -> Kind {
    let octets = stream.get(range.clone()).unwrap_or_default();
    let reading = reader::read_with_limit(profile, octets, u128::MAX);
    let frame = reading.frames.first();
    frame.map_or(Kind::Header, |frame| Kind::Frame {
        payload: frame.payload(octets).into_owned(),
        padding: frame.padding_len(),
    })
}

impl Piece {
    /// Octets of padding in it.
    pub(super) fn padding(&self) -> usize {
        match &self.kind {
            Kind::Frame { padding, .. } => *padding,
            Kind::Odd | Kind::Header | Kind::Rest => 0,
        }
    }

    /// The octets that can be left out one by one: of a frame its payload, else the body.
    pub(super) fn loose<'a>(&'a self, profile: &Profile, view: &'a View) -> &'a [u8] {
        match &self.kind {
            Kind::Frame { payload, .. } => payload,
            _ => view.octets(self.conn, self.loose_range(profile, view)),
        }
    }

    /// Where they lie, if it is no frame.
    fn loose_range(&self, profile: &Profile, view: &View) -> Range<usize> {
        let header = reader::header_len(profile, view.octets(self.conn, self.range.clone()));
        let behind_header = self.range.start.saturating_add(header);
        match &self.kind {
            Kind::Odd | Kind::Rest if behind_header < self.range.end => {
                behind_header..self.range.end
            }
            Kind::Frame { .. } | Kind::Odd | Kind::Header | Kind::Rest => self.range.clone(),
        }
    }

    /// Takes the whole piece out.
    pub(super) fn removed(&self) -> Edit {
        self.replaced(Vec::new(), 0)
    }

    /// Takes some of the loose octets out, counted from the first of them, and makes the length fit.
    pub(super) fn without(
        &self,
        profile: &Profile,
        view: &View,
        out: Range<usize>,
    ) -> Option<Edit> {
        let mut left = self.loose(profile, view).to_vec();
        if out.end > left.len() || out.is_empty() {
            return None;
        }
        left.drain(out);
        let craft = Craft::new(profile);
        let octets = match &self.kind {
            Kind::Frame { .. } => {
                self.with_payload(profile, view, &left, self.spare_chunks(profile))
            }
            Kind::Odd => {
                let header = craft.header(u64::try_from(left.len()).ok()?);
                [self.refitted(profile, view, header), left].concat()
            }
            Kind::Header => return None,
            Kind::Rest => {
                let loose = self.loose_range(profile, view);
                let kept = view.octets(self.conn, self.range.start..loose.start);
                [kept, &left].concat()
            }
        };
        let header = reader::header_len(profile, &octets);
        Some(self.replaced(octets, header))
    }

    /// The smallest message in its place, told from others by its number; where there was no padding,
    /// the smallest that needs none.
    pub(super) fn smallest(&self, profile: &Profile, view: &View, number: usize) -> Option<Edit> {
        let Kind::Frame { .. } = &self.kind else {
            return None;
        };
        let craft = Craft::new(profile);
        let mut payload = craft.payload(&ConnName(number).to_string());
        let odd = payload.len().checked_rem(craft.chunk()).unwrap_or_default();
        if self.padding() == 0 && odd > 0 {
            let fill = "x".repeat(craft.chunk().saturating_sub(odd));
            payload = craft.payload(&format!("{}{fill}", ConnName(number)));
        }
        let octets = self.with_payload(profile, view, &payload, self.spare_chunks(profile));
        let header = reader::header_len(profile, &octets);
        Some(self.replaced(octets, header))
    }

    /// The same payload with no more padding than it needs.
    pub(super) fn unpadded(&self, profile: &Profile, view: &View) -> Option<Edit> {
        let Kind::Frame { payload, .. } = &self.kind else {
            return None;
        };
        let octets = self.with_payload(profile, view, payload, 0);
        let header = reader::header_len(profile, &octets);
        Some(self.replaced(octets, header))
    }

    /// Chunks of padding beyond what its payload needs.
    fn spare_chunks(&self, profile: &Profile) -> usize {
        let chunk = usize::try_from(profile.chunk()).unwrap_or(usize::MAX);
        self.padding().checked_div(chunk).unwrap_or_default()
    }

    fn with_payload(
        &self,
        profile: &Profile,
        view: &View,
        payload: &[u8],
        spare_chunks: usize,
    ) -> Vec<u8> {
        let mut frame = Craft::new(profile).frame_with(payload, spare_chunks);
        let body = frame.split_off(reader::header_len(profile, &frame));
        let mut frame = [self.refitted(profile, view, frame), body].concat();
        model::sum(profile, &mut frame);
        frame
    }

    /// A new header, with what is not the length as it stood in the old one.
    fn refitted(&self, profile: &Profile, view: &View, mut header: Vec<u8>) -> Vec<u8> {
        let old = view.octets(self.conn, self.range.clone());
        let old = old
            .get(..reader::header_len(profile, old))
            .unwrap_or_default();
        let (before, after) = (profile.before().len(), profile.after().len());
        for (new, old) in header.iter_mut().zip(old).take(before) {
            *new = *old;
        }
        if old.len() >= before.saturating_add(after) {
            for (new, old) in header.iter_mut().rev().zip(old.iter().rev()).take(after) {
                *new = *old;
            }
        }
        header
    }

    fn replaced(&self, by: Vec<u8>, fixed: usize) -> Edit {
        Edit {
            conn: self.conn,
            range: self.range.clone(),
            by,
            fixed,
        }
    }
}
