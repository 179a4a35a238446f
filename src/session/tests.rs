//! Sessions driven by hand, and compared with themselves and with the model over arbitrary streams.

use super::*;
use crate::wire::{DecodeErrorKind, Frame, FrameReader};
use arbitrary::{Arbitrary as _, Unstructured};
use proptest::prelude::*;

fn frame(profile: &Profile, payload: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    Encoder::new(profile).encode(payload, &mut out).unwrap();
    out.to_vec()
}

fn echo(session: &mut Session) {
    while let Some(request) = session.poll_request() {
        session.handle_reply(match request {
            Ok(message) => message.into(),
            Err(why) => Reply::undecodable(&why),
        });
    }
}

fn take_output(session: &mut Session, now: Instant) -> Vec<u8> {
    let output = session.poll_output().to_vec();
    session.handle_sent(output.len(), now);
    output
}

fn payloads(profile: &Profile, octets: &[u8]) -> Vec<String> {
    let frames = read(profile, octets).into_iter();
    frames
        .map(|frame| String::from_utf8(frame.payload().to_vec()).unwrap())
        .collect()
}

/// The frames of a whole stream.
fn read(profile: &Profile, octets: &[u8]) -> Vec<Frame> {
    let mut reader = FrameReader::new(octets, profile);
    std::iter::from_fn(|| reader.read_frame().unwrap()).collect()
}

/// A session that echoes, and the moment at which it began.
fn started(profile: &Profile, limits: Limits) -> (Session, Instant) {
    let now = Instant::now();
    (Session::new(profile, limits, now), now)
}

/// What an echoing session sends and how it ends, when the stream comes in these pieces, then FIN.
fn exchange<'a>(profile: &Profile, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, End) {
    let (mut session, now) = started(profile, Limits::default());
    let mut sent = Vec::new();
    for piece in pieces {
        if session.wants_input() {
            session.handle_input(piece, now);
        }
        echo(&mut session);
        sent.extend(take_output(&mut session, now));
    }
    session.handle_eof(now);
    echo(&mut session);
    sent.extend(take_output(&mut session, now));
    (sent, session.poll_end().expect("an end"))
}

#[test]
fn what_is_owed_no_reply_gets_none_whatever_the_handler_says() {
    let text = "name = 'p'\nlength.width = 1\nbody.payload = 'utf-8'\n\
        exchange = { request = '?{text}', unanswered = '!{text}' }";
    let profile = Profile::from_toml(text).unwrap();
    let now = Instant::now();
    let mut session = Session::new(&profile, Limits::default(), now);
    session.handle_input(b"\x02?a\x02!b\x02?c\x02!d", now);
    let mut asked = 0;
    while let Some(request) = session.poll_request() {
        session.handle_reply(Reply::from(request.unwrap()));
        asked += 1;
    }
    assert_eq!(asked, 4);
    assert_eq!(session.poll_output(), b"\x02?a\x02?c");
}

#[test]
fn replies_are_marked_as_such() {
    let profile = Profile::shipped("gearman").unwrap();
    let request = b"\0REQ\0\0\0\x10\0\0\0\x02hi";
    let (sent, end) = exchange(&profile, std::iter::once(&request[..]));
    assert_eq!(sent, b"\0RES\0\0\0\0\0\0\0\x02hi");
    assert_eq!(end, End::Closed);
    let (sent, end) = exchange(&profile, std::iter::once(&sent[..]));
    assert_eq!(sent, b"");
    assert!(matches!(end, End::Malformed(_)), "{end:?}");
}

#[test]
fn each_frame_gets_one_reply_and_an_undecodable_one_an_error() {
    let profile = Profile::tutorial();
    let stream: Vec<u8> = [
        &b"1"[..],
        b"",
        b"{\"a\": 1.0}",
        b"nonsense",
        b"1\x002",
        b"\"\xff\"",
        b"2",
    ]
    .iter()
    .flat_map(|payload| frame(&profile, payload))
    .collect();
    let (sent, end) = exchange(&profile, [&stream[..]].into_iter());
    assert_eq!(
        payloads(&profile, &sent),
        [
            "1",
            r#"{"error":"empty payload"}"#,
            r#"{"a": 1.0}"#,
            r#"{"error":"not one JSON text at line 1, octet 2"}"#,
            r#"{"error":"not one JSON text at line 1, octet 2"}"#,
            r#"{"error":"not UTF-8 at octet 1"}"#,
            "2",
        ]
    );
    assert_eq!(end, End::Closed);
}

#[test]
fn a_malformed_header_ends_it_after_the_replies_before_it() {
    let profile = Profile::tutorial();
    let (mut session, now) = started(&profile, Limits::default());
    let mut stream = frame(&profile, b"1");
    stream.extend(b"\xff\xff\xff\xff");
    stream.extend(frame(&profile, b"2"));
    session.handle_input(&stream, now);
    echo(&mut session);
    assert!(!session.wants_input());
    assert_eq!(session.poll_end(), None, "a reply is unsent");
    assert_eq!(payloads(&profile, &take_output(&mut session, now)), ["1"]);
    let end = session.poll_end().unwrap();
    assert!(
        matches!(end, End::Malformed(e) if e.kind == DecodeErrorKind::OverLimit && e.offset == 64)
    );
    assert!(end.may_be_sending());
    session.handle_input(&frame(&profile, b"3"), now);
    assert!(session.poll_request().is_none());
}

#[test]
fn nothing_is_sent_that_was_not_asked_for() {
    let profile = Profile::tutorial();
    let (mut session, now) = started(&profile, Limits::default());
    session.handle_reply("unasked".into());
    assert!(session.poll_output().is_empty());
    session.handle_input(&frame(&profile, b"1"), now);
    assert!(session.poll_request().is_some());
    session.handle_input(&frame(&profile, b"2"), now);
    assert!(session.poll_request().is_none(), "one waits already");
    session.handle_reply("first".into());
    session.handle_reply("again".into());
    assert_eq!(payloads(&profile, session.poll_output()), ["\"first\""]);
}

#[test]
fn replies_that_do_not_fit_become_errors_and_in_the_end_a_close() {
    let answer = |max_body, reply: Reply| {
        let profile = Profile::tutorial().with_max_body(max_body).unwrap();
        let (mut session, now) = started(&profile, Limits::default());
        session.handle_input(&frame(&profile, b"1"), now);
        assert!(session.poll_request().is_some());
        session.handle_reply(reply);
        let sent = take_output(&mut session, now);
        (payloads(&profile, &sent), session.poll_end())
    };
    let long = || Reply::from("x".repeat(300));
    let (sent, end) = answer(240, long());
    assert!(sent[0].contains("cannot be sent"), "{sent:?}");
    assert_eq!(end, None);
    assert_eq!(answer(60, long()), (vec![], Some(End::Asked)));
    assert_eq!(answer(60, Reply::Close), (vec![], Some(End::Asked)));
    assert_eq!(answer(60, Reply::Nothing), (vec![], None));
}

#[test]
fn while_too_much_is_unsent_nothing_is_taken_or_wanted() {
    let profile = Profile::tutorial();
    let limits = Limits {
        max_unsent: 128,
        ..Limits::default()
    };
    let (mut session, now) = started(&profile, limits);
    let stream = frame(&profile, b"1").repeat(10);
    session.handle_input(&stream, now);
    session.handle_eof(now);
    let mut replies = 0;
    while session.poll_end().is_none() {
        echo(&mut session);
        assert!(!session.wants_input());
        assert!(session.poll_output().len() <= 128, "two replies of 64");
        replies += payloads(&profile, &take_output(&mut session, now)).len();
    }
    assert_eq!(replies, 10);
}

#[test]
fn a_frame_has_a_deadline_that_its_octets_do_not_renew() {
    let profile = Profile::tutorial();
    let second = Duration::from_secs(1);
    let limits = Limits {
        frame_deadline: Some(10 * second),
        ..Limits::default()
    };
    let (mut session, start) = started(&profile, limits);
    let stream = frame(&profile, b"1").repeat(2);
    let (first, rest) = stream.split_at(60);
    for (i, octet) in first.iter().enumerate() {
        session.handle_input(&[*octet], start + second / 10 * i as u32);
        echo(&mut session);
        assert_eq!(session.poll_timeout(), Some(start + 10 * second));
    }
    let later = start + 9 * second;
    session.handle_input(&rest[..10], later);
    echo(&mut session);
    take_output(&mut session, later);
    assert_eq!(
        session.poll_timeout(),
        Some(later + 10 * second),
        "another frame"
    );
    session.handle_timeout(start + 10 * second);
    assert!(session.wants_input(), "woken too early");
    session.handle_timeout(later + 10 * second);
    assert_eq!(session.poll_end(), Some(End::Late));
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn between_frames_nothing_is_timed() {
    let profile = Profile::tutorial();
    let (mut session, now) = started(&profile, Limits::default());
    assert_eq!(session.poll_timeout(), None);
    session.handle_input(&frame(&profile, b"1"), now);
    echo(&mut session);
    take_output(&mut session, now);
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn a_client_that_takes_replies_too_slowly_is_given_up() {
    let profile = Profile::tutorial();
    let second = Duration::from_secs(1);
    let limits = Limits {
        write_deadline: Some(10 * second),
        ..Limits::default()
    };
    let (mut session, start) = started(&profile, limits);
    let text = format!("\"{}\"", "x".repeat(20_000));
    session.handle_input(&frame(&profile, text.as_bytes()), start);
    echo(&mut session);
    session.handle_sent(WRITE_PROGRESS, start + 5 * second);
    assert_eq!(
        session.poll_timeout(),
        Some(start + 15 * second),
        "progress"
    );
    for i in 6..15 {
        session.handle_sent(1, start + i * second);
    }
    assert_eq!(session.poll_timeout(), Some(start + 15 * second), "a drip");
    session.handle_timeout(start + 15 * second);
    assert_eq!(session.poll_end(), Some(End::Stuck));
    assert!(session.poll_output().is_empty());
}

/// Part of the replies before it may be on the wire: whatever followed now would be read as their rest.
#[test]
fn a_reply_that_comes_after_the_client_was_given_up_is_not_sent() {
    let profile = Profile::tutorial();
    let (mut session, start) = started(&profile, Limits::default());
    session.handle_input(&frame(&profile, b"1").repeat(2), start);
    let first = session.poll_request().unwrap().unwrap();
    session.handle_reply(first.into());
    session.handle_sent(10, start);
    let second = session.poll_request().unwrap().unwrap();
    session.handle_timeout(session.poll_timeout().unwrap());
    assert_eq!(
        session.poll_end(),
        None,
        "a request is still being answered"
    );
    session.handle_reply(second.into());
    assert!(session.poll_output().is_empty());
    assert_eq!(session.poll_end(), Some(End::Stuck));
}

#[test]
fn going_down_answers_what_is_here_whole() {
    let profile = Profile::tutorial();
    let (mut session, now) = started(&profile, Limits::default());
    let mut stream = frame(&profile, b"1").repeat(2);
    stream.extend(b"\0\0");
    session.handle_input(&stream, now);
    session.handle_shutdown(now);
    assert!(!session.wants_input());
    echo(&mut session);
    assert_eq!(
        payloads(&profile, &take_output(&mut session, now)),
        ["1", "1"]
    );
    assert_eq!(session.poll_end(), Some(End::Drained));
}

#[test]
fn a_reply_has_the_id_of_its_request() {
    let text = "name = 'ids'\nheader.after = 'id id'\nlength.width = 1\nreplies.after = 'id id'";
    let profile = Profile::from_toml(text).unwrap();
    let (mut session, now) = started(&profile, Limits::default());
    session.handle_input(b"\x01\x12\x341\x01\xff\0x", now);
    echo(&mut session);
    let replies = take_output(&mut session, now);
    assert!(replies.starts_with(b"\x01\x12\x341"));
    assert_eq!(replies.get(5..7), Some(&b"\xff\0"[..]));
}

#[test]
fn memory_that_was_lent_is_given_back_as_far_as_nothing_is_in_it() {
    let profile = Profile::u32_be();
    let (mut session, now) = started(&profile, Limits::default());
    let mut room = Room::default();
    let request = frame(&profile, b"1");
    session.take_room(&mut room);
    session.handle_input(&request, now);
    session.handle_input(&request[..2], now);
    echo(&mut session);
    assert_eq!(take_output(&mut session, now), request);
    session.give_room_back(&mut room);
    // Half a frame stays where it is, and the next session has the other half of the room.
    assert_eq!(session.received, &request[..2]);
    let [spare] = &mut room.spare[..] else {
        panic!("{room:?}")
    };
    assert!(spare.try_reclaim(request.len()));
    assert_eq!(session.unsent.capacity(), 0);
    session.take_room(&mut room);
    session.handle_input(&request[2..], now);
    echo(&mut session);
    assert_eq!(take_output(&mut session, now), request);
}

#[test]
fn large_buffers_are_given_back() {
    let profile = Profile::tutorial();
    let (mut session, now) = started(&profile, Limits::default());
    let text = format!("\"{}\"", "x".repeat(500_000));
    session.handle_input(&frame(&profile, text.as_bytes()), now);
    echo(&mut session);
    assert!(take_output(&mut session, now).len() > 500_000);
    assert!(session.received.capacity() <= KEPT_BUFFER);
    assert!(session.unsent.capacity() <= KEPT_BUFFER);
}

/// Streams that are mostly frames: good ones, doubtful ones, malformed ones and stubs.
fn streams(profile: Profile) -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        4 => "[0-9a-z]{0,80}".prop_map(|text| format!("{text:?}").into_bytes()),
        1 => Just(b"{\"a\":[null,true,1.5]}".to_vec()),
        1 => Just(Vec::new()),
        1 => Just(b"{\"a\":1}\0{\"b\":2}".to_vec()),
        1 => proptest::collection::vec(1..=255_u8, 1..70),
    ];
    let piece = prop_oneof![
        12 => payload.prop_map(move |payload| {
            // What the profile cannot say is left out.
            let mut out = BytesMut::new();
            let _ = Encoder::new(&profile).encode(&payload, &mut out);
            out.to_vec()
        }),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Any profile that has room for an excuse, which a session needs where there is no message.
fn other_profiles() -> impl Strategy<Value = Profile> {
    let seed = proptest::collection::vec(any::<u8>(), 0..60);
    seed.prop_filter_map("no room for an excuse", |seed| {
        let profile = Profile::arbitrary(&mut Unstructured::new(&seed)).ok()?;
        Encoder::new(&profile)
            .encoded_len(100)
            .ok()
            .map(|_| profile)
    })
}

/// With a limit that is declared, so that there is no doubt what is over it.
fn any_stream() -> impl Strategy<Value = (Profile, Vec<u8>)> {
    let profile = prop_oneof![
        Just(Profile::tutorial()),
        Just(Profile::chunk_count()),
        other_profiles(),
    ];
    profile.prop_flat_map(|profile| {
        let most = u64::from(profile.chunk()).max(600);
        let profile = profile.with_max_body(most).unwrap();
        (Just(profile.clone()), streams(profile))
    })
}

proptest! {
    #[test]
    fn how_the_stream_is_cut_makes_no_difference(
        (profile, stream) in any_stream(),
        cuts in proptest::collection::vec(1..40_usize, 1..30),
    ) {
        let whole = exchange(&profile, [&stream[..]].into_iter());
        prop_assert_eq!(&exchange(&profile, stream.chunks(1)), &whole);
        let mut rest = &stream[..];
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = left;
        }
        prop_assert_eq!(exchange(&profile, pieces.into_iter()), whole);
    }
}

#[cfg(feature = "suite")]
mod against_the_model {
    use super::*;
    use crate::model::payload::meaning;
    use crate::model::{Doubt, Owes, Tail, permitted_for};
    use crate::script::OwnEnd;

    proptest! {
        #[test]
        fn a_session_does_what_the_model_permits((profile, stream) in any_stream()) {
            let (sent, end) = exchange(&profile, stream.chunks(7));
            let replies = read(&profile.of_replies(), &sent);
            let mut replies = replies.iter().map(|frame| frame.payload());
            let permitted = permitted_for(&profile, &stream, OwnEnd::Fin);
            for duty in permitted.duties {
                match duty.owes {
                    Owes::Reply(carried) => {
                        let reply = replies.next().expect("a reply is owed");
                        prop_assert_eq!(meaning(&profile, reply), Some(carried.meaning));
                    }
                    Owes::ReplyOrClose(Doubt::OddLength | Doubt::OverLimit) | Owes::Close(_) => {
                        prop_assert!(matches!(end, End::Malformed(_)), "{end:?}");
                        prop_assert_eq!(replies.next(), None);
                        return Ok(());
                    }
                    Owes::Nothing(_) => {}
                    Owes::ReplyOrClose(_)
                    | Owes::ReplyOrSilence(_)
                    | Owes::Showing(_)
                    | Owes::ReadOnOrEnd(_) => {
                        let reply = replies.next().expect("it stays open, so it replies");
                        prop_assert!(meaning(&profile, reply).is_some());
                    }
                }
            }
            prop_assert_eq!(replies.next(), None);
            match permitted.tail {
                Tail::Boundary => prop_assert_eq!(end, End::Closed),
                Tail::Inside { .. } => {
                    // A length that is odd is noticed at the header, not only at the end.
                    prop_assert!(matches!(end, End::Truncated(_) | End::Malformed(_)), "{end:?}");
                }
                Tail::Void => prop_assert!(false, "a close would have been owed"),
                Tail::Apart => prop_assert!(false, "there is a stream"),
            }
        }
    }
}
