//! What a connection begins with: cut, glued to what follows, wrong, broken off, and said twice.

use super::{Case, Maker};
use crate::lang::say;
use crate::model::prologue::said;
use crate::profile::{Said, Speaker, Turn};
use crate::script::{Action, Conn, Opening};
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Prologue,
        "cut-anywhere",
        "What the client begins with comes in two segments, cut between two octets, on each connection between two others: one read need not bring all of it.",
        |s| {
            let own = own(s);
            for cut in spread(1..own.len()) {
                let a = begin(s, &own, &[cut]);
                s.ask(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "octet-by-octet",
        "What the client begins with comes octet by octet.",
        |s| {
            let own = own(s);
            let cuts: Vec<usize> = (1..own.len()).collect();
            let a = begin(s, &own, &cuts);
            s.ask(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Prologue,
        "glued-to-a-request",
        "The last of the prologue, or all of it, and the first request come in one segment: what a read brings beyond the prologue begins a frame.",
        |s| {
            let own = own(s);
            need_last_word(s);
            for cuts in [&[][..], &[own.len().saturating_sub(1)]] {
                let a = begin_glued(s, &own, cuts);
                s.ask(a);
                s.ask(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "glued-to-several",
        "The prologue comes in one segment with two requests and the header of a third, of which the rest comes later.",
        |s| {
            let own = own(s);
            need_last_word(s);
            let a = begin_glued(s, &own, &[]);
            let mut octets = [s.request(), s.request()].concat();
            let last = s.request();
            let cut = octets.len().saturating_add(s.header_of(&last));
            octets.extend(last);
            s.send_cut(a, &octets, &[cut]);
            s.wait(a);
        },
    ),
    Case::should(
        Clause::Prologue,
        "one-octet-altered",
        "Each fixed octet of what the client begins with, altered by itself: who compares only some of them takes a stranger for a client. What the profile leaves free is left alone.",
        |s| {
            let own = own(s);
            for at in spread(fixed(s).into_iter()) {
                for change in [0x01, 0x80] {
                    let mut wrong = own.clone();
                    if let Some(octet) = wrong.get_mut(at) {
                        *octet ^= change;
                    }
                    strange(s, &wrong);
                }
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "other-octets",
        "A turn of the client's has none of its fixed octets: whatever comes behind that is no request.",
        |s| {
            own(s);
            for wrong in each_turn_altered(s) {
                strange(s, &wrong);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "none-at-all",
        "A client begins with a request, as if there were no prologue, or speaks another protocol.",
        |s| {
            own(s);
            for _ in 0..2 {
                let request = s.request();
                strange(s, &request);
            }
            strange(s, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        },
    ),
    Case::should(
        Clause::Prologue,
        "wrong-and-left-open",
        "A client begins with something else and then waits: it is told so, or closed upon, and not left waiting.",
        |s| {
            own(s);
            for wrong in each_turn_altered(s) {
                let a = begin(s, &wrong, &[]);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "cut-short",
        "The stream ends inside what the client begins with, behind each of its octets once.",
        |s| {
            let own = own(s);
            for octets in spread(0..own.len()) {
                let a = begin(s, own.get(..octets).unwrap_or_default(), &[]);
                s.leave(a);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "left-inside",
        "Clients that stop inside the prologue, and stay, keep nobody else waiting.",
        |s| {
            let own = own(s);
            s.need_concurrency();
            for octets in [0, own.len() / 2, own.len().saturating_sub(1)] {
                let part = own.get(..octets).unwrap_or_default();
                begin(s, part, &[]);
                let b = s.open();
                s.ask(b);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "reset-inside",
        "Clients reset their connection inside the prologue.",
        |s| {
            let own = own(s);
            for octets in [0, own.len() / 2, own.len().saturating_sub(1)] {
                let a = begin(s, own.get(..octets).unwrap_or_default(), &[]);
                s.rst(a);
                let b = s.open();
                s.ask(b);
                s.done_with(b);
            }
        },
    ),
    Case::must(
        Clause::Prologue,
        "twice",
        "What the client begins with is said once more, behind a request: there it is a frame, or the beginning of one, like anything else.",
        |s| {
            let own = own(s);
            let a = s.open();
            s.ask(a);
            s.send(a, &own);
            s.wait(a);
            let request = s.request();
            s.send(a, &request);
            s.leave(a);
        },
    ),
];

/// How many places a case tries, at most.
const MOST_PLACES: usize = 40;

/// All of these, or as many as are tried, evenly spread, the first and the last among them.
fn spread(places: impl ExactSizeIterator<Item = usize>) -> Vec<usize> {
    let all: Vec<usize> = places.collect();
    let last = all.len().saturating_sub(1);
    let most = MOST_PLACES.min(all.len());
    let steps = most.saturating_sub(1);
    let place = |step: usize| {
        let at = step.saturating_mul(last).checked_div(steps);
        all.get(at.unwrap_or_default()).copied()
    };
    (0..most).filter_map(place).collect()
}

/// All that the client has to say, if that is anything.
fn own(s: &mut Maker<'_>) -> Vec<u8> {
    let octets: Vec<u8> = turns(s)
        .iter()
        .flat_map(|(_, octets)| octets.clone())
        .collect();
    s.need(
        !octets.is_empty(),
        say!("the client says nothing in the prologue of this profile"),
    );
    let is_stream = !s.profile().carriage().is_datagrams();
    s.need(is_stream, say!("a datagram has no stream"));
    octets
}

/// The client's turns, each with what is said in it.
fn turns(s: &Maker<'_>) -> Vec<(Turn, Vec<u8>)> {
    let profile = s.profile();
    let turns = profile.prologue().iter();
    let own = turns.filter(|turn| turn.speaker == Speaker::Client);
    own.map(|turn| (turn.clone(), said(profile, turn)))
        .collect()
}

fn need_last_word(s: &mut Maker<'_>) {
    let last = s.profile().prologue().last();
    let is_client = last.is_some_and(|turn| turn.speaker == Speaker::Client);
    s.need(
        is_client,
        say!("the server has the last word in the prologue of this profile"),
    );
}

/// Offsets in all that the client says of the octets that must be what they are.
fn fixed(s: &mut Maker<'_>) -> Vec<usize> {
    let (mut places, mut start) = (Vec::new(), 0_usize);
    for (turn, octets) in turns(s) {
        let of_turn = fixed_in(&turn).into_iter();
        places.extend(of_turn.map(|at| at.saturating_add(start)));
        start = start.saturating_add(octets.len());
    }
    s.need(
        !places.is_empty(),
        say!("what the client says in the prologue of this profile may be anything"),
    );
    places
}

fn fixed_in(turn: &Turn) -> Vec<usize> {
    match &turn.said {
        Said::Octets(mark) => {
            let octets = mark.octets().iter().enumerate();
            octets.filter_map(|(at, octet)| octet.map(|_| at)).collect()
        }
        Said::Frame | Said::Reply => Vec::new(),
    }
}

/// What the client says, for each of its turns once with no fixed octet of it right.
fn each_turn_altered(s: &mut Maker<'_>) -> Vec<Vec<u8>> {
    let (turns, fixed) = (turns(s), fixed(s));
    let all: Vec<u8> = turns
        .iter()
        .flat_map(|(_, octets)| octets.clone())
        .collect();
    let (mut altered, mut start) = (Vec::new(), 0_usize);
    for (_, octets) in &turns {
        let end = start.saturating_add(octets.len());
        let mut wrong = all.clone();
        for at in fixed.iter().filter(|at| (start..end).contains(at)) {
            if let Some(octet) = wrong.get_mut(*at) {
                *octet = !*octet;
            }
        }
        altered.extend((wrong != all).then_some(wrong));
        start = end;
    }
    altered
}

/// Begins a connection with these octets, cut there.
fn begin(s: &mut Maker<'_>, octets: &[u8], cuts: &[usize]) -> Conn {
    begin_as(s, octets, cuts, false)
}

/// The same, and the last segment goes out with what is sent next.
fn begin_glued(s: &mut Maker<'_>, octets: &[u8], cuts: &[usize]) -> Conn {
    begin_as(s, octets, cuts, true)
}

fn begin_as(s: &mut Maker<'_>, octets: &[u8], cuts: &[usize], is_glued: bool) -> Conn {
    let conn = s.script().connections();
    let segments = super::draft::cut(octets, cuts);
    s.push(conn, Action::Begin(Opening { segments, is_glued }));
    conn
}

/// A connection that begins with these octets and then goes on as if they were right, and ends.
fn strange(s: &mut Maker<'_>, octets: &[u8]) {
    let a = begin(s, octets, &[]);
    let request = s.request();
    s.send(a, &request);
    s.quiet(a);
    s.leave(a);
}
