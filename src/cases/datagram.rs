//! Datagrams: each is one frame, and those that are anything else must not touch those that are.

use super::{Case, Maker};
use crate::lang::say;
use crate::model::SURE_BODY;
use crate::profile::Carriage;
use crate::spec::Clause;

pub(super) const CASES: &[Case] = &[
    Case::must(
        Clause::Datagram,
        "empty",
        "A datagram without an octet is no end of anything: the next request is answered.",
        |s| {
            s.need_datagrams();
            between_requests(s, vec![Vec::new(), Vec::new()]);
        },
    ),
    Case::must(
        Clause::Datagram,
        "inside-header",
        "A datagram that ends inside its header says no length, and its rest does not come with the next.",
        |s| {
            s.need_datagrams();
            let request = s.request();
            let header = s.header_of(&request);
            let short = (1..header).filter_map(|octets| request.get(..octets));
            let short: Vec<Vec<u8>> = short.map(<[u8]>::to_vec).collect();
            s.need(
                !short.is_empty(),
                say!("a header of this profile has one octet"),
            );
            between_requests(s, short);
        },
    ),
    Case::must(
        Clause::Datagram,
        "inside-body",
        "A datagram that ends inside its body is no frame, and nothing of what came is kept for another.",
        |s| {
            s.need_datagrams();
            let request = s.request_of_chunks(2);
            let header = s.header_of(&request);
            let body = request.len().saturating_sub(header);
            let ends = [0, 1, body / 2, body.saturating_sub(1)];
            let short = ends.map(|octets| {
                let end = header.saturating_add(octets);
                request.get(..end).unwrap_or_default().to_vec()
            });
            between_requests(s, short.into());
        },
    ),
    Case::must(
        Clause::Datagram,
        "claims-more",
        "A header that claims more than has come, in front of a whole message: who asks the datagram and not the header takes it.",
        |s| {
            s.need_datagrams();
            let wrong = [1, 2, 200].map(|chunks| {
                misclaimed(s, |body, chunk| {
                    body.saturating_add(chunk.saturating_mul(chunks))
                })
            });
            between_requests(s, wrong.into());
        },
    ),
    Case::must(
        Clause::Datagram,
        "claims-less",
        "A header that claims less than has come: what stands behind its frame belongs to nothing.",
        |s| {
            s.need_datagrams();
            let none = misclaimed(s, |_, _| 0);
            let less = misclaimed(s, |body, chunk| body.saturating_sub(chunk));
            between_requests(s, vec![none, less]);
        },
    ),
    Case::must(
        Clause::Datagram,
        "claims-too-much",
        "A header that claims as much as its field can say, in front of a whole message.",
        |s| {
            s.need_datagrams();
            let most = s.craft().header_with(s.craft().largest_count());
            let request = s.request();
            let body = request.get(s.header_of(&request)..).unwrap_or_default();
            let wrong = [most.as_slice(), body].concat();
            between_requests(s, vec![wrong, most]);
        },
    ),
    Case::must(
        Clause::Datagram,
        "longer",
        "Octets behind the frame of a datagram, few and many: they are no part of it, nor of the next.",
        |s| {
            s.need_datagrams();
            let pad = s.profile().pad();
            let behind = [
                vec![pad],
                vec![b'x'],
                vec![pad; 300],
                b"more of this".repeat(20),
            ];
            let longer = behind.map(|behind| [s.request(), behind].concat());
            between_requests(s, longer.into());
        },
    ),
    Case::must(
        Clause::Datagram,
        "two-frames",
        "Two requests in one datagram are no two datagrams: at most one reply comes, and no second one.",
        |s| {
            s.need_datagrams();
            let two = [s.request(), s.request()].concat();
            let four = [two.clone(), s.request(), s.request()].concat();
            between_requests(s, vec![two, four]);
        },
    ),
    Case::must(
        Clause::Datagram,
        "one-frame-in-two",
        "The two halves of a request, each a datagram: nobody puts them together, and the request behind them is not taken for more of them.",
        |s| {
            s.need_datagrams();
            let a = s.open();
            for part in [1, 2, 3] {
                let request = s.request_of_chunks(3);
                let at = request.len().saturating_mul(part) / 4;
                let (first, rest) = request.split_at(at.min(request.len()));
                s.send(a, first);
                s.wait(a);
                s.send_between_requests(a, rest);
            }
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Datagram,
        "garbage",
        "Datagrams of anything: text, noise, one octet over and over.",
        |s| {
            s.need_datagrams();
            let noise = |s: &mut Maker<'_>, octets: usize| -> Vec<u8> {
                let draw = |_| u8::try_from(s.below(256)).unwrap_or_default();
                (0..octets).map(draw).collect()
            };
            let noise = [7, 90, 1_400].map(|octets| noise(s, octets));
            let text = b"GET / HTTP/1.1\r\n\r\n".to_vec();
            let same = [0xff, 0x00, b'{'].map(|octet| vec![octet; 500]);
            let all = noise.into_iter().chain([text]).chain(same);
            between_requests(s, all.collect());
        },
    ),
    Case::must(
        Clause::Datagram,
        "among-requests",
        "Requests are sent without waiting, and between them what is no frame: each of them is answered.",
        |s| {
            s.need_datagrams();
            let a = s.open();
            for _ in 0..3 {
                let request = s.request();
                s.send(a, &request);
                let part = request.len() / 2;
                s.send(a, request.get(..part).unwrap_or_default());
                let request = s.request();
                s.send(a, &request);
                s.send_empty(a);
                s.send(a, &[0xff; 20]);
            }
            let request = s.request();
            s.send(a, &request);
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Datagram,
        "sizes",
        "Requests of all sizes up to 30,000 octets: a buffer that is too small cuts a datagram, and the rest of it never comes.",
        |s| {
            s.need_datagrams();
            let a = s.open();
            for octets in [
                1, 60, 120, 500, 1_024, 1_473, 2_000, 4_096, 8_193, 20_000, 30_000,
            ] {
                let request = s.request_of(octets);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::Datagram,
        "largest",
        "A request as large as a datagram carries, or as any server must take.",
        |s| {
            s.need_datagrams();
            let frame = u64::try_from(Carriage::MOST_IN_DATAGRAM).unwrap_or(u64::MAX);
            let around = s
                .profile()
                .longest_header_len()
                .saturating_add(s.profile().trailer().len());
            let most = frame.saturating_sub(u64::try_from(around).unwrap_or_default());
            let most = most.min(s.profile().declared_max_body().unwrap_or(SURE_BODY));
            let octets = usize::try_from(most.min(s.craft().largest_body())).unwrap_or_default();
            let chunks = octets.checked_div(s.chunk()).unwrap_or_default();
            let a = s.open();
            let request = s.spacious_request(chunks);
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::ReplyFraming,
        "to-no-frame",
        "Whatever is said to datagrams that are no frames is said in frames.",
        |s| {
            s.need_datagrams();
            let a = s.open();
            for datagram in [&b"hello?"[..], b"\n", &[0xff; 90]] {
                s.send_between_requests(a, datagram);
            }
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Pipelining,
        "datagrams",
        "Twenty requests, each a datagram, are sent without waiting for a reply.",
        |s| {
            s.need_datagrams();
            let a = s.open();
            for _ in 0..20 {
                let request = s.request();
                s.send(a, &request);
            }
            s.wait(a);
            s.quiet(a);
        },
    ),
    Case::must(
        Clause::Crosstalk,
        "wrong-beside-right",
        "What is said to a datagram that is no frame is said to its sender, and not to the others who ask at the same time.",
        |s| {
            s.need_datagrams();
            s.need_text();
            let (a, b, c) = (s.open(), s.open(), s.open());
            for _ in 0..4 {
                let request = s.request();
                s.send(b, &request);
                s.send(a, b"this is no frame");
                let request = s.request();
                s.send(c, &request);
                s.send_empty(a);
                s.wait_for_all(&[b, c, a]);
            }
            s.quiet(b);
            s.quiet(c);
        },
    ),
];

/// Sends each of these and a request behind it, and lets another client ask in the end.
fn between_requests(s: &mut Maker<'_>, datagrams: Vec<Vec<u8>>) {
    let a = s.open();
    s.ask(a);
    for datagram in datagrams {
        s.send_between_requests(a, &datagram);
    }
    s.quiet(a);
    let b = s.open();
    s.ask(b);
}

/// A request whose header claims something else than its body, of which it is told the octets, and those of a chunk.
fn misclaimed(s: &mut Maker<'_>, claim: impl Fn(u64, u64) -> u64) -> Vec<u8> {
    let request = s.request();
    let body = request.get(s.header_of(&request)..).unwrap_or_default();
    let octets = body.len().saturating_sub(s.profile().trailer().len());
    let octets = u64::try_from(octets).unwrap_or_default();
    let header = s.craft().header(claim(octets, s.profile().chunk().into()));
    [header.as_slice(), body].concat()
}
