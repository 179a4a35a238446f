//! What is shown of timelines made by hand.

use super::*;
use crate::event::{ChunkMarks, FrameMark};

const LIMITS: Limits = Limits {
    per_row: 4,
    first_rows: 2,
    last_rows: 1,
    rows_of_client: usize::MAX,
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
            Item::Happened { what, .. } => shown.push(words(what).to_string()),
            Item::LeftOut(count) => shown.push(format!("{count} left out")),
            Item::Octets(stretch) => {
                shown.push(amount(stretch).to_string());
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
        chunks: None,
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
fn the_headers_of_chunks_are_shown_as_headers() {
    let chunks = Some(ChunkMarks {
        count: 3,
        header: 1,
        octets: 2,
    });
    let marked = FrameMark {
        chunks,
        ..mark(0, 1, 5, 3)
    };
    let evidence = evidence(vec![sent(0, &[0; 4]), sent(9, &[0; 6])], vec![marked]);
    assert_eq!(
        shown(&items(&evidence, &LIMITS)),
        ["4 octets", "0:Hhpp", "6 octets", "4:hp0h", "8:0?"]
    );
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
