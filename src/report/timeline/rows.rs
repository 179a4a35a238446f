//! Octets in rows, each with the part of the frame that it belongs to.

use super::Limits;
use crate::event::{FrameMark, Side};
use std::ops::Range;

/// Octets side by side.
#[derive(Debug)]
pub(in crate::report) enum Row {
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
pub(in crate::report) struct Cell {
    pub(in crate::report) octet: u8,
    pub(in crate::report) part: Part,
    /// Whether it is the first of a header.
    pub(in crate::report) begins: bool,
}

/// The part of a frame that an octet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Part {
    Header,
    Payload,
    Padding,
    Unknown,
}

impl Cell {
    /// The octet as a character that is harmless everywhere but in markup.
    pub(in crate::report) fn as_char(self) -> char {
        match self.octet {
            b' '..=b'~' => char::from(self.octet),
            _ => '.',
        }
    }
}

/// Octets of one side of a connection, as they lie in its moments.
pub(super) struct Piece<'a> {
    pub(super) at_us: u64,
    pub(super) octets: &'a [u8],
}

/// The marks of one side of one connection.
pub(super) struct Marks<'a> {
    pub(super) marks: &'a [FrameMark],
    pub(super) conn: &'a str,
    pub(super) from: Side,
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
            paint_chunks(&mut cells, offset, mark);
            let first = mark.start.checked_sub(offset);
            if let Some(cell) = first.and_then(|first| cells.get_mut(first)) {
                cell.begins = mark.header > 0;
            }
        }
        cells
    }
}

/// The headers of chunks, as far as these cells go.
fn paint_chunks(cells: &mut [Cell], offset: usize, mark: &FrameMark) {
    let Some(chunks) = mark.chunks else {
        return;
    };
    let step = chunks.header.saturating_add(chunks.octets).max(1);
    let first = mark.start.saturating_add(mark.header);
    let before = offset.saturating_sub(first).checked_div(step).unwrap_or(0);
    let end = offset.saturating_add(cells.len());
    for number in before..chunks.count {
        let start = first.saturating_add(number.saturating_mul(step));
        if start >= end {
            break;
        }
        let range = start..start.saturating_add(chunks.header);
        paint(cells, offset, &range, Part::Header);
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
pub(super) fn rows(
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
