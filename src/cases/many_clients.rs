//! Several clients at once, and what they may notice of each other.

use super::maker::{flood, parted};
use super::{Case, Maker};
use crate::script::Conn;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Concurrency,
        "two",
        "A second client is served while the first is still connected.",
        |s| {
            let (a, b) = (s.open(), s.open());
            s.ask(a);
            s.ask(b);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Concurrency,
        "sixteen-in-turn",
        "Sixteen clients are connected, and each is served.",
        |s| {
            let clients = opened(s, 16);
            for _ in 0..s.times(32, 16) / 16 {
                for client in &clients {
                    s.ask(*client);
                }
            }
        },
    )
    .alone(),
    Case::must(
        Clause::Concurrency,
        "sixteen-at-once",
        "Sixteen clients send before any of them has been answered.",
        |s| {
            let clients = opened(s, 16);
            s.ask_all(&clients);
        },
    )
    .alone(),
    Case::must(
        Clause::Isolation,
        "stalled-in-header",
        "A client that stops inside a header holds up nobody.",
        |s| {
            let half = s.header_len() / 2;
            beside_stalled(s, 1, half.max(1));
        },
    ),
    Case::must(
        Clause::Isolation,
        "stalled-in-body",
        "A client that stops inside a body holds up nobody.",
        |s| {
            let part = s.header_len().saturating_add(8);
            beside_stalled(s, 1, part);
        },
    ),
    Case::must(
        Clause::Isolation,
        "eight-stalled",
        "Eight stalled clients hold up nobody, so that a pool of a few workers is not enough.",
        |s| {
            let header = s.header_len();
            beside_stalled(s, 8, header);
        },
    ),
    Case::must(
        Clause::Isolation,
        "silent-client",
        "A client that connects and says nothing holds up nobody.",
        |s| {
            s.need_concurrency();
            let quiet = s.open();
            let b = s.open();
            s.ask(b);
            s.ask(quiet);
        },
    ),
    Case::must(
        Clause::Isolation,
        "never-reads",
        "A client that asks and never reads fills its buffers; the server must not wait for it with all the others behind.",
        |s| {
            s.need_concurrency();
            let deaf = s.open();
            let b = s.open();
            s.stall(deaf);
            flood(s, deaf);
            for _ in 0..10 {
                s.ask(b);
            }
            s.rst(deaf);
            s.ask(b);
        },
    ),
    Case::must(
        Clause::Isolation,
        "garbage",
        "A client that sends garbage is its own problem.",
        |s| {
            s.need_concurrency();
            let b = s.open();
            s.ask(b);
            let a = s.open();
            let garbage: Vec<u8> = (0..200).map(|n| 255 - n).collect();
            s.send(a, &garbage);
            s.quiet(b);
            s.ask(b);
            s.rst(a);
            s.ask(b);
        },
    ),
    Case::must(
        Clause::Isolation,
        "undecodable",
        "A payload that cannot be decoded is the problem of the one that sent it.",
        |s| {
            s.need_concurrency();
            s.need_json();
            let b = s.open();
            s.ask(b);
            for payload in [&b"\"\\ud800\""[..], b"nonsense", b"\xff\xff"] {
                let a = s.open();
                let frame = s.frame(payload);
                s.send(a, &frame);
                s.wait(a);
                s.ask(b);
                s.done_with(a);
            }
            s.ask(b);
        },
    )
    .undisturbed(),
    Case::must(
        Clause::Isolation,
        "oversize",
        "A header over the limit closes one connection and no other.",
        |s| {
            s.need_concurrency();
            let b = s.open();
            s.ask(b);
            let a = s.open();
            let header = s.craft().header_with(s.craft().largest_count());
            s.send(a, &header);
            s.quiet(b);
            s.ask(b);
            s.rst(a);
            s.ask(b);
        },
    ),
    Case::must(
        Clause::Isolation,
        "resets",
        "Others that reset, at various points, do not disturb a client in the middle of its frame.",
        |s| {
            s.need_concurrency();
            let b = s.open();
            let request = s.request();
            let (part, rest) = parted(&request, request.len() / 2);
            s.send(b, part);
            for octets in [0, 2, 20] {
                let a = s.open();
                let other = s.request();
                if let Some(part) = other.get(..octets).filter(|part| !part.is_empty()) {
                    s.send(a, part);
                }
                s.rst(a);
            }
            s.send(b, rest);
            s.wait(b);
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "in-turn",
        "Two clients take turns; each gets the replies to its own requests.",
        |s| {
            s.need_text();
            s.need_concurrency();
            let (a, b) = (s.open(), s.open());
            for _ in 0..5 {
                s.ask(a);
                s.ask(b);
            }
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "at-once",
        "Two clients send before either is answered.",
        |s| {
            s.need_text();
            s.need_concurrency();
            let (a, b) = (s.open(), s.open());
            for _ in 0..5 {
                for client in [a, b] {
                    let request = s.request();
                    s.send(client, &request);
                }
                s.wait(b);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "halves",
        "One client's frame is half there while the other's comes whole: buffers are per connection.",
        |s| {
            s.need_text();
            s.need_concurrency();
            let (a, b) = (s.open(), s.open());
            for cut in [2, 4, 20] {
                let request = s.request();
                let (part, rest) = parted(&request, cut);
                s.send(a, part);
                s.ask(b);
                s.send(a, rest);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "one-goes-one-comes",
        "Of three clients the first goes, and a new one comes: neither it nor those that are still there get the place of another.",
        |s| {
            s.need_text();
            s.need_concurrency();
            let clients = opened(s, 3);
            for client in &clients {
                s.ask(*client);
            }
            let Some((first, others)) = clients.split_first() else {
                return;
            };
            s.leave(*first);
            let new = s.open();
            for client in [&[new], others, &[new]].concat() {
                s.ask(client);
            }
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "three-octet-by-octet",
        "Three clients' frames arrive octet by octet in turn.",
        |s| {
            s.need_text();
            s.need_concurrency();
            interleaved(s, 3, 1);
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "twelve-in-pieces",
        "Twelve clients' frames arrive in pieces in turn.",
        |s| {
            s.need_text();
            s.need_concurrency();
            interleaved(s, 12, 13);
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "bursts",
        "Four clients each send twenty requests at once, ten times over: replies of parallel workers must not mix.",
        |s| {
            s.need_text();
            s.need_concurrency();
            let clients = opened(s, 4);
            for _ in 0..s.times(200, 40) / 20 {
                for client in &clients {
                    let mut octets = Vec::new();
                    for _ in 0..20 {
                        octets.extend(s.request());
                    }
                    s.send(*client, &octets);
                }
                for client in &clients {
                    s.wait(*client);
                }
            }
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "large-and-small",
        "One client gets large replies while another gets small ones.",
        |s| {
            s.need_text();
            s.need_concurrency();
            let (a, b) = (s.open(), s.open());
            for _ in 0..4 {
                let request = s.request_of(30_000);
                s.send(a, &request);
                s.ask(b);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Churn,
        "served-and-gone",
        "Sixty clients come, are served and go.",
        |s| {
            for _ in 0..s.times(60, 20) {
                let a = s.open();
                s.ask(a);
                s.leave(a);
            }
        },
    ),
    Case::must(
        Clause::Churn,
        "come-and-gone",
        "A hundred clients come and go without a word, then one is served.",
        |s| {
            for _ in 0..100 {
                let a = s.open();
                s.leave(a);
            }
            let a = s.open();
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Churn,
        "unfinished-and-gone",
        "Thirty clients leave in the middle of a frame; the next begins afresh.",
        |s| {
            for n in 0..30 {
                let a = s.open();
                let request = s.request();
                s.send(a, parted(&request, n + 1).0);
                s.leave(a);
            }
            let a = s.open();
            s.ask(a);
        },
    ),
    Case::must(
        Clause::Churn,
        "nothing-left-over",
        "What one connection left unfinished is not the beginning of the next one's first frame.",
        |s| {
            for octets in [1, 3, 10, 40] {
                let a = s.open();
                s.ask(a);
                let request = s.request();
                s.send(a, parted(&request, octets).0);
                s.rst(a);
                let b = s.open();
                s.ask(b);
                s.leave(b);
            }
        },
    ),
    Case::must(
        Clause::Churn,
        "first-client-gone",
        "When the first client has gone the server still listens.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.leave(a);
            let b = s.open();
            s.ask(b);
            s.leave(b);
        },
    ),
];

fn opened(s: &mut Maker<'_>, clients: usize) -> Vec<Conn> {
    (0..clients).map(|_| s.open()).collect()
}

/// Some clients stop after so many octets of a request; another is served; then they go on.
fn beside_stalled(s: &mut Maker<'_>, stalled: usize, octets: usize) {
    let mut rests = Vec::new();
    for _ in 0..stalled {
        let a = s.open();
        let request = s.request();
        let (part, rest) = parted(&request, octets);
        s.send(a, part);
        rests.push((a, rest.to_vec()));
    }
    let b = s.open();
    for _ in 0..3 {
        s.ask(b);
    }
    for (a, rest) in rests {
        s.send(a, &rest);
        s.wait(a);
    }
}

/// The most pieces that a frame is sent in by turns.
const MOST_PIECES: usize = 200;

/// Each client's request in pieces of that size, a piece of each in turn.
fn interleaved(s: &mut Maker<'_>, clients: usize, piece: usize) {
    let conns = opened(s, clients);
    let requests: Vec<Vec<u8>> = conns.iter().map(|_| s.request()).collect();
    let longest = requests.iter().map(Vec::len).max().unwrap_or_default();
    let piece = piece.max(longest / MOST_PIECES);
    for start in (0..longest).step_by(piece) {
        for (conn, request) in conns.iter().zip(&requests) {
            let end = start.saturating_add(piece).min(request.len());
            if let Some(octets) = request.get(start..end).filter(|octets| !octets.is_empty()) {
                s.send(*conn, octets);
            }
        }
    }
    for conn in conns {
        s.wait(conn);
    }
}
