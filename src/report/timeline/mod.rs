//! A timeline brought into the form in which people read it: what happened line by line, octets in
//! rows with the part of the frame that each belongs to, long stretches left out.

mod rows;
mod words;

pub(super) use rows::{Cell, Part, Row};
pub(super) use words::{Noun, amount, counted, direction, millis, seconds, words};

use crate::event::{Evidence, Moment, Side, What};
use rows::{Marks, Piece};

/// From this many on, pieces that went the same way without anything in between are shown as one.
const MERGED_FROM: usize = 4;

/// How much of a timeline is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Octets in a row.
    pub(super) per_row: usize,
    /// Rows shown from the beginning of a stretch of octets.
    pub(super) first_rows: usize,
    /// Rows shown from its end.
    pub(super) last_rows: usize,
    /// Rows shown of octets that the client has sent, if fewer.
    pub(super) rows_of_client: usize,
    /// Items shown from the beginning of the timeline.
    pub(super) first_items: usize,
    /// Items shown from its end.
    pub(super) last_items: usize,
}

impl Limits {
    /// What holds for octets of that side.
    fn of(&self, from: Side) -> Self {
        match from {
            Side::Server => *self,
            Side::Client => Self {
                first_rows: self.first_rows.min(self.rows_of_client),
                last_rows: self.last_rows.min(self.rows_of_client.saturating_sub(1)),
                ..*self
            },
        }
    }
}

/// Something that happened.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// Anything but octets.
    Happened {
        at_us: u64,
        conn: &'a str,
        what: &'a What,
    },
    /// Octets on their way.
    Octets(Stretch<'a>),
    /// So many items are not shown.
    LeftOut(usize),
}

/// Octets that went one way.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    pub(super) at_us: u64,
    /// When the last of several pieces went.
    pub(super) until_us: u64,
    pub(super) conn: &'a str,
    pub(super) from: Side,
    /// In how many pieces.
    pub(super) pieces: usize,
    pub(super) len: usize,
    pub(super) rows: Vec<Row>,
}

/// The timeline as it is shown.
pub(super) fn items<'a>(evidence: &'a Evidence, limits: &Limits) -> Vec<Item<'a>> {
    let mut offsets = Offsets::default();
    let mut items = Vec::new();
    let mut rest = evidence.timeline.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        let Some((from, _)) = octets(first) else {
            items.push(Item::Happened {
                at_us: first.at_us,
                conn: &first.conn,
                what: &first.what,
            });
            rest = behind;
            continue;
        };
        let alike = alike(rest, first, from);
        let taken = if alike >= MERGED_FROM { alike } else { 1 };
        let (taken, behind) = rest.split_at_checked(taken).unwrap_or((rest, &[]));
        let pieces: Vec<Piece<'_>> = taken
            .iter()
            .filter_map(|moment| {
                octets(moment).map(|(_, octets)| Piece {
                    at_us: moment.at_us,
                    octets,
                })
            })
            .collect();
        let len = pieces
            .iter()
            .fold(0_usize, |sum, piece| sum.saturating_add(piece.octets.len()));
        let offset = offsets.advance(&first.conn, from, len);
        let marks = Marks {
            marks: &evidence.frames,
            conn: &first.conn,
            from,
        };
        items.push(Item::Octets(Stretch {
            at_us: first.at_us,
            until_us: pieces.last().map_or(first.at_us, |piece| piece.at_us),
            conn: &first.conn,
            from,
            pieces: pieces.len(),
            len,
            rows: rows::rows(&pieces, len, offset, &marks, &limits.of(from)),
        }));
        rest = behind;
    }
    leave_out_items(items, limits)
}

fn octets(moment: &Moment) -> Option<(Side, &[u8])> {
    match &moment.what {
        What::Sent { octets } => Some((Side::Client, octets)),
        What::Received { octets } => Some((Side::Server, octets)),
        _ => None,
    }
}

/// How many moments at the beginning of `moments` are octets that go the same way as the first.
fn alike(moments: &[Moment], first: &Moment, from: Side) -> usize {
    moments
        .iter()
        .take_while(|moment| {
            moment.conn == first.conn && octets(moment).is_some_and(|(side, _)| side == from)
        })
        .count()
}

/// How many octets each side of each connection has sent so far.
#[derive(Default)]
struct Offsets<'a>(Vec<(&'a str, Side, usize)>);

impl<'a> Offsets<'a> {
    /// The offset so far, which then grows by `len`.
    fn advance(&mut self, conn: &'a str, from: Side, len: usize) -> usize {
        let known = self
            .0
            .iter_mut()
            .find(|(known, side, _)| *known == conn && *side == from);
        match known {
            Some((_, _, offset)) => {
                let before = *offset;
                *offset = offset.saturating_add(len);
                before
            }
            None => {
                self.0.push((conn, from, len));
                0
            }
        }
    }
}

fn leave_out_items<'a>(mut items: Vec<Item<'a>>, limits: &Limits) -> Vec<Item<'a>> {
    let kept = limits.first_items.saturating_add(limits.last_items);
    if items.len() <= kept.saturating_add(1) {
        return items;
    }
    let left_out = items.len().saturating_sub(kept);
    let resumed = limits.first_items.saturating_add(left_out);
    items.splice(limits.first_items..resumed, [Item::LeftOut(left_out)]);
    items
}

#[cfg(test)]
mod tests;
