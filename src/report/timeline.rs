//! A timeline brought into the form in which people read it: what happened line by line, octets in
//! rows with the part of the frame that each belongs to, long stretches left out.

use crate::event::{Evidence, FrameMark, Moment, Side, What};
use std::ops::Range;

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
    /// Items shown from the beginning of the timeline.
    pub(super) first_items: usize,
    /// Items shown from its end.
    pub(super) last_items: usize,
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

/// Octets side by side.
#[derive(Debug)]
pub(super) enum Row {
    /// The octets, and the offset of the first in all that this side sent on the connection.
    Cells { offset: usize, cells: Vec<Cell> },
    /// The same octet again and again, but in no header.
    Same {
        offset: usize,
        octet: u8,
        len: usize,
    },
    /// So many octets are not shown.
    LeftOut(usize),
}

/// An octet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) octet: u8,
    pub(super) part: Part,
    /// Whether it is the first of a header.
    pub(super) begins: bool,
}

/// The part of a frame that an octet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Header,
    Payload,
    Padding,
    Unknown,
}

impl Cell {
    /// The octet as a character that is harmless everywhere but in markup.
    pub(super) fn as_char(self) -> char {
        match self.octet {
            b' '..=b'~' => char::from(self.octet),
            _ => '.',
        }
    }
}

/// Octets of one side of a connection, as they lie in its moments.
struct Piece<'a> {
    at_us: u64,
    octets: &'a [u8],
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
            rows: rows(&pieces, len, offset, &marks, limits),
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

/// The marks of one side of one connection.
struct Marks<'a> {
    marks: &'a [FrameMark],
    conn: &'a str,
    from: Side,
}

impl Marks<'_> {
    /// The cells of octets that begin at `offset`.
    fn cells(&self, octets: &[u8], offset: usize) -> Vec<Cell> {
        let mut cells: Vec<Cell> = octets
            .iter()
            .map(|octet| Cell {
                octet: *octet,
                part: Part::Unknown,
                begins: false,
            })
            .collect();
        let mine = self
            .marks
            .iter()
            .filter(|mark| mark.conn == self.conn && mark.from == self.from);
        for mark in mine {
            let payload = mark.start.saturating_add(mark.header);
            let padding = payload.saturating_add(mark.payload);
            let end = padding.saturating_add(mark.padding);
            for (range, part) in [
                (mark.start..payload, Part::Header),
                (payload..padding, Part::Payload),
                (padding..end, Part::Padding),
            ] {
                paint(&mut cells, offset, &range, part);
            }
            let first = mark.start.checked_sub(offset);
            if let Some(cell) = first.and_then(|first| cells.get_mut(first)) {
                cell.begins = mark.header > 0;
            }
        }
        cells
    }
}

fn paint(cells: &mut [Cell], offset: usize, range: &Range<usize>, part: Part) {
    let from = range.start.saturating_sub(offset);
    let to = range.end.saturating_sub(offset).min(cells.len());
    if let Some(cells) = cells.get_mut(from..to) {
        for cell in cells {
            cell.part = part;
        }
    }
}

/// The rows of a stretch, of which a long one has no middle.
fn rows(
    pieces: &[Piece<'_>],
    len: usize,
    offset: usize,
    marks: &Marks<'_>,
    limits: &Limits,
) -> Vec<Row> {
    let per_row = limits.per_row.max(1);
    let first = limits.first_rows.saturating_mul(per_row);
    let last = limits.last_rows.saturating_mul(per_row);
    // A gap of one row is no gain.
    if len <= first.saturating_add(last).saturating_add(per_row) {
        return fold(rows_of(pieces, 0..len, offset, marks, per_row), per_row);
    }
    let resumed = len.saturating_sub(last);
    let mut rows = rows_of(pieces, 0..first, offset, marks, per_row);
    rows.push(gap(pieces, first..resumed, offset));
    rows.extend(rows_of(pieces, resumed..len, offset, marks, per_row));
    fold(rows, per_row)
}

/// What stands for octets that are not shown: nothing is lost where they are all the same.
fn gap(pieces: &[Piece<'_>], range: Range<usize>, offset: usize) -> Row {
    let len = range.len();
    let mut octets = pieces
        .iter()
        .flat_map(|piece| piece.octets)
        .skip(range.start)
        .take(len)
        .copied();
    match octets.next() {
        Some(octet) if octets.all(|other| other == octet) => Row::Same {
            offset: offset.saturating_add(range.start),
            octet,
            len,
        },
        _ => Row::LeftOut(len),
    }
}

/// Puts full rows of one and the same octet together.
fn fold(rows: Vec<Row>, per_row: usize) -> Vec<Row> {
    let mut folded: Vec<Row> = Vec::new();
    for row in rows {
        let both = (
            folded.last().and_then(|last| uniform(last, per_row)),
            uniform(&row, per_row),
        );
        match both {
            (Some((offset, octet, before)), Some((_, other, more))) if octet == other => {
                folded.pop();
                let len = before.saturating_add(more);
                folded.push(Row::Same { offset, octet, len });
            }
            _ => folded.push(row),
        }
    }
    folded
}

/// The offset, the octet and the number of octets of a row that holds only one, but no header.
fn uniform(row: &Row, per_row: usize) -> Option<(usize, u8, usize)> {
    match row {
        Row::Same { offset, octet, len } => Some((*offset, *octet, *len)),
        Row::Cells { offset, cells } => {
            let octet = cells.first()?.octet;
            let is_uniform = cells.len() == per_row
                && cells
                    .iter()
                    .all(|cell| cell.octet == octet && cell.part != Part::Header);
            is_uniform.then_some((*offset, octet, cells.len()))
        }
        Row::LeftOut(_) => None,
    }
}

fn rows_of(
    pieces: &[Piece<'_>],
    range: Range<usize>,
    offset: usize,
    marks: &Marks<'_>,
    per_row: usize,
) -> Vec<Row> {
    let octets: Vec<u8> = pieces
        .iter()
        .flat_map(|piece| piece.octets)
        .skip(range.start)
        .take(range.len())
        .copied()
        .collect();
    let offset = offset.saturating_add(range.start);
    let cells = marks.cells(&octets, offset);
    let starts = (offset..).step_by(per_row);
    cells
        .chunks(per_row)
        .zip(starts)
        .map(|(cells, offset)| Row::Cells {
            offset,
            cells: cells.to_vec(),
        })
        .collect()
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

/// What is said of a moment that is not octets; notes are to be escaped.
pub(super) const fn words(what: &What) -> &str {
    match what {
        What::Connected => "connected",
        What::Sent { .. } => "sent",
        What::Received { .. } => "received",
        What::ClientFin => "the client ends its stream (FIN)",
        What::ClientRst => "the client resets the connection (RST)",
        What::Fin => "the server ends its stream (FIN)",
        What::Rst => "the server resets the connection (RST)",
        What::Note { text } => text.as_str(),
    }
}

/// Which way it went, if it went over the wire.
pub(super) const fn direction(what: &What) -> Option<Side> {
    match what {
        What::Sent { .. } | What::ClientFin | What::ClientRst => Some(Side::Client),
        What::Received { .. } | What::Fin | What::Rst => Some(Side::Server),
        What::Connected | What::Note { .. } => None,
    }
}

/// `64 octets`, and in how many pieces if in more than one.
pub(super) fn amount(stretch: &Stretch<'_>) -> String {
    let octets = counted(stretch.len, "octet");
    if stretch.pieces == 1 {
        return octets;
    }
    format!(
        "{octets} in {} pieces, the last at {}",
        stretch.pieces,
        millis(stretch.until_us)
    )
}

/// `1 octet`, `1,234 octets`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `0.112 ms`.
pub(super) fn millis(micros: u64) -> String {
    let (whole, part) = (micros / 1000, micros % 1000);
    format!("{whole}.{part:03} ms")
}

/// `0.82 s`.
pub(super) fn seconds(millis: u64) -> String {
    let (whole, part) = (millis / 1000, millis % 1000);
    format!("{whole}.{part:03} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        per_row: 4,
        first_rows: 2,
        last_rows: 1,
        first_items: 2,
        last_items: 1,
    };

    fn sent(at_us: u64, octets: &[u8]) -> Moment {
        Moment {
            at_us,
            conn: "a".into(),
            what: What::Sent {
                octets: octets.to_vec(),
            },
        }
    }

    fn evidence(timeline: Vec<Moment>, frames: Vec<FrameMark>) -> Evidence {
        Evidence {
            timeline,
            frames,
            ..Evidence::default()
        }
    }

    fn shown(items: &[Item<'_>]) -> Vec<String> {
        let mut shown = Vec::new();
        for item in items {
            match item {
                Item::Happened { what, .. } => shown.push(words(what).to_owned()),
                Item::LeftOut(count) => shown.push(format!("{count} left out")),
                Item::Octets(stretch) => {
                    shown.push(amount(stretch));
                    shown.extend(stretch.rows.iter().map(row));
                }
            }
        }
        shown
    }

    fn row(row: &Row) -> String {
        match row {
            Row::LeftOut(count) => format!("{count} left out"),
            Row::Same { offset, octet, len } => format!("{offset}: {len} times {octet}"),
            Row::Cells { offset, cells } => {
                let parts: String = cells
                    .iter()
                    .map(|cell| match cell.part {
                        Part::Header if cell.begins => 'H',
                        Part::Header => 'h',
                        Part::Payload => 'p',
                        Part::Padding => '0',
                        Part::Unknown => '?',
                    })
                    .collect();
                format!("{offset}:{parts}")
            }
        }
    }

    fn mark(start: usize, header: usize, payload: usize, padding: usize) -> FrameMark {
        FrameMark {
            conn: "a".into(),
            from: Side::Client,
            start,
            header,
            payload,
            padding,
        }
    }

    #[test]
    fn octets_know_their_part_across_rows_and_pieces() {
        let evidence = evidence(
            vec![sent(0, &[0; 6]), sent(9, &[0; 5])],
            vec![mark(0, 4, 3, 1), mark(8, 2, 0, 0)],
        );
        assert_eq!(
            shown(&items(&evidence, &LIMITS)),
            ["6 octets", "0:Hhhh", "4:pp", "5 octets", "6:p0Hh", "10:?"]
        );
    }

    #[test]
    fn marks_of_the_other_side_do_not_count() {
        let other = FrameMark {
            from: Side::Server,
            ..mark(0, 4, 0, 0)
        };
        let evidence = evidence(vec![sent(0, &[0; 2])], vec![other]);
        assert_eq!(shown(&items(&evidence, &LIMITS)), ["2 octets", "0:??"]);
    }

    #[test]
    fn many_small_pieces_become_one() {
        let timeline = (0..5).map(|at| sent(at, &[1])).collect();
        assert_eq!(
            shown(&items(&evidence(timeline, vec![]), &LIMITS)),
            [
                "5 octets in 5 pieces, the last at 0.004 ms",
                "0:????",
                "4:?"
            ]
        );
    }

    #[test]
    fn a_long_stretch_loses_its_middle_but_never_a_single_row() {
        let counting = |count: usize| -> Vec<u8> { (0..=255).cycle().take(count).collect() };
        let whole = evidence(vec![sent(0, &counting(16))], vec![]);
        assert_eq!(shown(&items(&whole, &LIMITS)).len(), 5);
        let long = evidence(vec![sent(0, &counting(4001))], vec![mark(3998, 2, 0, 0)]);
        assert_eq!(
            shown(&items(&long, &LIMITS)),
            [
                "4,001 octets",
                "0:????",
                "4:????",
                "3989 left out",
                "3997:?Hh?"
            ]
        );
    }

    #[test]
    fn the_same_octet_again_and_again_is_counted() {
        let mut octets = vec![0; 4];
        octets.extend([7; 13]);
        let short = evidence(vec![sent(0, &octets)], vec![mark(0, 4, 13, 0)]);
        assert_eq!(
            shown(&items(&short, &LIMITS)),
            ["17 octets", "0:Hhhh", "4: 13 times 7"]
        );
        let once = evidence(vec![sent(0, &[7, 7, 7, 7, 8, 8])], vec![]);
        assert_eq!(
            shown(&items(&once, &LIMITS)),
            ["6 octets", "0:????", "4:??"]
        );
    }

    #[test]
    fn a_long_timeline_loses_its_middle() {
        let mut timeline = Vec::new();
        for at in 0..3 {
            timeline.push(sent(at, &[1]));
            timeline.push(Moment {
                at_us: at,
                conn: "a".into(),
                what: What::Connected,
            });
        }
        assert_eq!(
            shown(&items(&evidence(timeline, vec![]), &LIMITS)),
            ["1 octet", "0:?", "connected", "3 left out", "connected"]
        );
    }

    #[test]
    fn marks_from_nowhere_do_no_harm() {
        let far = mark(usize::MAX, usize::MAX, usize::MAX, usize::MAX);
        let evidence = evidence(vec![sent(0, &[1; 3])], vec![far, mark(1, usize::MAX, 1, 1)]);
        assert_eq!(shown(&items(&evidence, &LIMITS)), ["3 octets", "0:?Hh"]);
    }
}
