//! Whether the peers behave as they are said to. Nothing of the crate is used here.

use super::raw::{CHUNK_COUNT, Came, Format, TUTORIAL};
use super::{Peer, Raw, start};
use std::time::{Duration, Instant};

const FORMATS: [Format; 2] = [TUTORIAL, CHUNK_COUNT];
const CORRECT: [&str; 2] = ["correct.py", "correct_asyncio.py"];

fn peer(script: &str, format: Format) -> Option<Peer> {
    start(script, &["--profile", format.name])
}

fn hostile(mode: &str, more: &[&str]) -> Option<Peer> {
    start("hostile.py", &[&["--mode", mode], more].concat())
}

/// Each correct peer in each format.
fn correct(judge: impl Fn(&mut Peer, Format)) {
    for script in CORRECT {
        for format in FORMATS {
            if let Some(mut peer) = peer(script, format) {
                judge(&mut peer, format);
            }
        }
    }
}

fn reply(client: &mut Raw) -> String {
    match client.come() {
        Came::Reply(payload) => payload,
        other => panic!("a reply was owed, and {other:?} came"),
    }
}

fn exchange(client: &mut Raw, token: &str) {
    client.request(&format!("\"{token}\""));
    let reply = reply(client);
    assert!(reply.contains(token), "{token} was answered with {reply}");
}

#[test]
fn the_correct_ones_do_not_care_how_a_stream_is_cut() {
    correct(|peer, format| {
        let mut client = Raw::connect(peer.address, format);
        let frame =
            format.frame("\"a text that takes more than one chunk of either format, padded\"");
        for cut in 1..frame.len() {
            client.send(&frame[..cut]);
            client.send(&frame[cut..]);
            reply(&mut client);
        }
        for octet in &frame {
            client.send(&[*octet]);
        }
        reply(&mut client);
        client.send(&frame.repeat(100));
        for _ in 0..100 {
            reply(&mut client);
        }
        exchange(&mut client, "in-step");
    });
}

#[test]
fn the_correct_ones_answer_what_they_cannot_decode_once_and_stay_in_step() {
    let deep = "[".repeat(100_000);
    let digits = "7".repeat(5_000);
    let undecodable = [
        "",
        "NaN",
        "-Infinity",
        "\u{feff}1",
        "\"\\ud800\"",
        "1e999",
        "{\"a\":1}\0{\"b\":2}",
        "\0\"x\"",
        "01",
        &digits,
        &deep,
    ];
    correct(|peer, format| {
        let mut client = Raw::connect(peer.address, format);
        for payload in undecodable {
            client.request(payload);
            reply(&mut client);
            exchange(&mut client, "in-step");
        }
        let mut not_utf8 = format.frame("\"????\"");
        not_utf8[5] = 0xff;
        client.send(&not_utf8);
        reply(&mut client);
        exchange(&mut client, "in-step");
    });
}

#[test]
fn the_correct_ones_end_malformed_streams_by_fin_at_once() {
    correct(|peer, format| {
        let mut headers = vec![format.header(u32::MAX), format.header(1 << 31)];
        let odd = [0, 0, 0, 61];
        if format.name == TUTORIAL.name {
            headers.push(odd);
        }
        for header in headers {
            let mut client = Raw::connect(peer.address, format);
            client.request("\"first\"");
            client.send(&header);
            client.send(&[b'x'; 4096]);
            reply(&mut client);
            assert_eq!(client.come(), Came::Fin(0), "{header:?}");
        }
    });
}

#[test]
fn the_correct_ones_take_the_limit_and_no_chunk_more() {
    correct(|peer, format| {
        let chunk = u32::try_from(format.chunk).unwrap();
        let limit = (1 << 20) / chunk * chunk;
        let mut client = Raw::connect(peer.address, format);
        client.request(&format!("\"{}\"", "z".repeat(limit as usize - 2)));
        reply(&mut client);
        client.send(&format.header(limit + chunk));
        assert_eq!(client.come(), Came::Fin(0));
    });
}

#[test]
fn the_correct_ones_close_at_the_end_of_a_stream_and_answer_what_was_whole() {
    correct(|peer, format| {
        let frame = format.frame("\"half\"");
        for cut in 0..frame.len() {
            let mut client = Raw::connect(peer.address, format);
            client.send(&[&frame, &frame[..cut]].concat());
            client.fin();
            reply(&mut client);
            assert_eq!(client.come(), Came::Fin(0), "cut at {cut}");
        }
    });
}

#[test]
fn the_correct_ones_serve_64_clients_beside_some_that_stall() {
    correct(|peer, format| {
        let frame = format.frame("\"never finished\"");
        let _stalled: Vec<_> = (1..frame.len())
            .map(|cut| {
                let mut client = Raw::connect(peer.address, format);
                client.send(&frame[..cut]);
                client
            })
            .collect();
        std::thread::scope(|scope| {
            for client in 0..64 {
                let address = peer.address;
                scope.spawn(move || {
                    let mut raw = Raw::connect(address, format);
                    for request in 0..20 {
                        exchange(&mut raw, &format!("{client}-{request}"));
                    }
                });
            }
        });
    });
}

#[test]
fn the_tutorial_like_one_answers_as_the_tutorial_does() {
    for format in FORMATS {
        let Some(peer) = peer("tutorial_like.py", format) else {
            return;
        };
        let mut client = Raw::connect(peer.address, format);
        client.request("{\"edad\": 15}");
        assert_eq!(
            reply(&mut client),
            "\"Respuesta asociada al mensaje {'edad': 15}\""
        );
    }
}

#[test]
fn the_tutorial_like_one_reads_into_the_next_frame() {
    let Some(peer) = peer("tutorial_like.py", TUTORIAL) else {
        return;
    };
    // It does so only if its first read comes between the two writes, which is up to the system.
    let lost = (0..100).any(|_| loses_the_second_frame(&peer));
    assert!(lost, "in 100 attempts it lost nothing");
}

/// Sends a body in two parts, the second with another frame behind it. A read of 60 octets that
/// begins in the middle of the first body takes 40 octets of the second frame as well.
fn loses_the_second_frame(peer: &Peer) -> bool {
    let mut client = Raw::connect(peer.address, TUTORIAL);
    let first = TUTORIAL.frame("\"first\"");
    let (head, tail) = first.split_at(44);
    client.send(head);
    exchange_elsewhere(peer);
    client.send(&[tail, &TUTORIAL.frame("\"second\"")].concat());
    let replies = [reply(&mut client), reply(&mut client)];
    !replies.iter().any(|reply| reply.contains("second"))
}

/// What was sent before on another connection has been read by the time this has been answered.
fn exchange_elsewhere(peer: &Peer) {
    for _ in 0..5 {
        exchange(&mut Raw::connect(peer.address, TUTORIAL), "elsewhere");
    }
}

#[test]
fn the_tutorial_like_one_answers_the_end_of_a_stream_without_end() {
    let Some(peer) = peer("tutorial_like.py", TUTORIAL) else {
        return;
    };
    let mut client = Raw::connect(peer.address, TUTORIAL);
    client.fin();
    for _ in 0..1000 {
        assert_eq!(reply(&mut client), "\"Respuesta asociada al mensaje \"");
    }
}

#[test]
fn the_tutorial_like_one_leaves_a_socket_mute_when_its_thread_dies() {
    let Some(peer) = peer("tutorial_like.py", TUTORIAL) else {
        return;
    };
    let mut client = Raw::connect(peer.address, TUTORIAL);
    let mut not_utf8 = TUTORIAL.frame("\"????\"");
    not_utf8[5] = 0xff;
    client.send(&not_utf8);
    client.fin();
    exchange_elsewhere(&peer);
    client.stream.set_nonblocking(true).unwrap();
    let came = std::io::Read::read(&mut client.stream, &mut [0; 1]);
    assert_eq!(
        came.map_err(|error| error.kind()),
        Err(std::io::ErrorKind::WouldBlock)
    );
}

#[test]
fn hostile_ones_that_end_connections_end_them_as_they_say() {
    let Some(closing) = hostile("close-at-once", &[]) else {
        return;
    };
    let client = &mut Raw::connect(closing.address, TUTORIAL);
    assert_eq!(client.come(), Came::Fin(0));
    let Some(resetting) = hostile("reset-at-once", &[]) else {
        return;
    };
    let client = &mut Raw::connect(resetting.address, TUTORIAL);
    assert_eq!(client.come(), Came::Rst);
}

#[test]
fn hostile_ones_that_flood_do_not_stop() {
    const MEGABYTES: usize = 8;
    for mode in ["garbage-forever", "endless-frames", "replies-forever"] {
        let Some(peer) = hostile(mode, &[]) else {
            return;
        };
        let mut client = Raw::connect(peer.address, TUTORIAL);
        client.request("1");
        let mut octets = vec![0; MEGABYTES << 20];
        assert_eq!(client.fill(&mut octets, 0), Ok(()), "{mode}");
        if mode != "garbage-forever" {
            let frame = TUTORIAL.frame("\"nobody asked\"");
            assert!(octets.chunks(64).all(|frame_sent| frame_sent == frame));
        }
    }
}

#[test]
fn hostile_ones_that_drip_take_their_time() {
    for mode in ["drip", "huge-header"] {
        let Some(peer) = hostile(mode, &[]) else {
            return;
        };
        let mut client = Raw::connect(peer.address, TUTORIAL);
        let begun = Instant::now();
        client.request("1");
        let mut header = [0; 4];
        assert_eq!(client.fill(&mut header, 0), Ok(()));
        let claimed = u32::from_be_bytes(header);
        assert_eq!(
            claimed > 1 << 31,
            mode == "huge-header",
            "{mode}: {claimed}"
        );
        assert_eq!(client.fill(&mut [0; 10], 0), Ok(()));
        assert!(begun.elapsed() >= Duration::from_millis(400), "{mode}");
    }
}

#[test]
fn the_hostile_one_that_stalls_sends_half_a_frame() {
    let Some(peer) = hostile("half-frame-then-stall", &[]) else {
        return;
    };
    let mut client = Raw::connect(peer.address, TUTORIAL);
    client.request("1");
    let mut half = [0; 4 + 90];
    assert_eq!(client.fill(&mut half, 0), Ok(()));
    assert_eq!(half[..4], TUTORIAL.header(180));
}

#[test]
fn the_hostile_one_that_writes_to_terminals_frames_it_properly() {
    let Some(peer) = hostile("terminal-escapes", &[]) else {
        return;
    };
    let mut client = Raw::connect(peer.address, TUTORIAL);
    client.request("1");
    assert!(reply(&mut client).contains("\\u001b[2J"));
    client.request("2");
    assert!(reply(&mut client).starts_with("\u{1b}[2J"));
}

#[test]
fn the_mortal_one_dies_with_the_request_after_its_last() {
    let Some(mut peer) = hostile("die-after", &["--requests", "2"]) else {
        return;
    };
    let mut client = Raw::connect(peer.address, TUTORIAL);
    exchange(&mut client, "one");
    exchange(&mut Raw::connect(peer.address, TUTORIAL), "two");
    client.request("\"three\"");
    assert!(matches!(client.come(), Came::Fin(0) | Came::Rst));
    peer.wait();
}
