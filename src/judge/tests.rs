//! Transcripts with one thing in them that a judge could take amiss, or miss.

use super::*;
use crate::model::permitted;
use crate::script::{Awaited, Script};
use crate::spec::Clause;
use crate::transcript::{Entry, Seen};
use std::time::Duration;

/// The clauses that a peer breaks that lets these things be seen while the script is played.
fn broken(script: &str, seen: Vec<Seen>) -> Vec<Clause> {
    broken_by(&ReplyRule::Echo, script, seen)
}

/// The clauses that are broken where replies relate to requests like that.
fn broken_by(rule: &ReplyRule, script: &str, seen: Vec<Seen>) -> Vec<Clause> {
    broken_in(&Profile::tutorial(), rule, script, seen)
}

fn broken_in(profile: &Profile, rule: &ReplyRule, script: &str, seen: Vec<Seen>) -> Vec<Clause> {
    let script: Script = format!("framespec script 1\nopen a\n{script}")
        .parse()
        .unwrap();
    let entry = |seen| Entry {
        at: Duration::ZERO,
        conn: 0,
        seen,
    };
    let transcript = Transcript {
        entries: seen.into_iter().map(entry).collect(),
        ..Transcript::default()
    };
    let permitted = permitted(profile, &script);
    judge(profile, rule, &permitted, &transcript)
        .into_iter()
        .map(|finding| finding.clause)
        .collect()
}

/// Whether what has been seen by then is wrong, whatever comes.
fn contradicted(rule: &ReplyRule, script: &str, seen: Vec<Seen>) -> bool {
    let profile = Profile::tutorial();
    let script: Script = format!("framespec script 1\nopen a\n{script}")
        .parse()
        .unwrap();
    let entries = seen.into_iter().map(|seen| Entry {
        at: Duration::ZERO,
        conn: 0,
        seen,
    });
    let so_far = Transcript {
        entries: entries.collect(),
        ..Transcript::default()
    };
    is_contradicted(&profile, rule, &permitted(&profile, &script), 0, &so_far)
}

#[test]
fn some_replies_are_wrong_whatever_comes_behind_them() {
    let two = "send a 0000003c '1' 00*59 | 0000003c '2' 00*59\nawait a";
    let contradicted = |seen| contradicted(&ReplyRule::Any, two, seen);
    let early = vec![Seen::Sent(2), reply(), Seen::Sent(126)];
    assert!(contradicted(early), "it began before its request was whole");
    assert!(!contradicted(vec![Seen::Sent(128), reply()]), "one is owed");
    let part = Seen::Received(b"\0\0\0\x3c{"[..].into());
    assert!(!contradicted(vec![Seen::Sent(128), reply(), part]));
    let closed = vec![Seen::Sent(2), reply(), Seen::Sent(126), Seen::Fin];
    assert!(!contradicted(closed), "nothing is waited for any more");
}

#[test]
fn an_answer_to_another_request_is_wrong_whatever_comes_behind_it() {
    let script = "send a 0000003c '\"m0000000001\"' 00*47\nawait a";
    let answers = |text: &str| {
        let frame = [b"\0\0\0\x3c", text.as_bytes(), &vec![0; 60 - text.len()]].concat();
        let seen = vec![Seen::Sent(64), Seen::Received(frame.into())];
        contradicted(&ReplyRule::Echo, script, seen)
    };
    assert!(!answers("\"m0000000001\""));
    assert!(answers("\"m0000000002\""));
}

/// A last reply may say what was wrong, and a close behind it is still to come.
#[test]
fn what_may_still_be_refused_is_not_contradicted() {
    let over = "send a ffffffff\nawait a";
    assert!(!contradicted(
        &ReplyRule::Any,
        over,
        vec![Seen::Sent(4), reply()]
    ));
}

fn reply() -> Seen {
    Seen::Received([b"\0\0\0\x3c{}", &[0; 58][..]].concat().into())
}

/// The tutorial's format with a limit of two chunks, at a server that answers what is over it.
fn answering() -> Profile {
    let text = "name = \"answering\"\n[length]\nwidth = 4\n[body]\nchunk = 60\n[limits]\nmax_body = 120\nover = \"answered\"";
    Profile::from_toml(text).unwrap()
}

#[test]
fn what_is_over_the_limit_may_be_answered_where_the_profile_has_that() {
    let whole = "send a 000000b4 | 'x'*180 | 0000003c '1' 00*59\nawait a";
    let part = "send a 000000b4 | 'x'*60\nawait a";
    let broken = |script, seen| broken_in(&answering(), &ReplyRule::Any, script, seen);
    let in_step = vec![Seen::Sent(4), reply(), Seen::Sent(244), reply()];
    assert!(broken(whole, in_step).is_empty(), "answered at the header");
    let late = vec![Seen::Sent(248), reply(), reply()];
    assert!(broken(whole, late).is_empty(), "answered behind the body");
    assert!(broken(whole, vec![Seen::Sent(4), Seen::Fin]).is_empty());
    assert!(broken(part, vec![Seen::Sent(64), reply()]).is_empty());
    assert!(broken(part, vec![Seen::Sent(64), reply(), Seen::Fin]).is_empty());

    let twice = vec![Seen::Sent(64), reply(), reply()];
    assert_eq!(broken(part, twice), [Clause::Unsolicited]);
    let before_the_header = vec![Seen::Sent(3), reply(), Seen::Sent(61)];
    assert!(!broken(part, before_the_header).is_empty());
    let read_as_frames = vec![Seen::Sent(248), reply(), reply(), reply()];
    assert_eq!(broken(whole, read_as_frames), [Clause::Unsolicited]);
    let silent = vec![
        Seen::Sent(248),
        Seen::GaveUp(Awaited::Owed, Duration::from_secs(1)),
    ];
    assert!(broken(whole, silent).contains(&Clause::LengthLimit));
}

#[test]
fn a_length_may_be_refused_before_what_stands_behind_it_is_there() {
    let text = "name = \"behind\"\n[header]\nafter = \"01 02\"\n[length]\nwidth = 4\n[limits]\nmax_body = 120";
    let profile = Profile::from_toml(text).unwrap();
    let broken = |seen| {
        let script = "send a 000000b4 | 01 | 02\nawait a";
        broken_in(&profile, &ReplyRule::Any, script, seen)
    };
    assert!(broken(vec![Seen::Sent(4), Seen::Fin]).is_empty());
    assert!(broken(vec![Seen::Sent(4), Seen::Rst]).is_empty());
    let answer = Seen::Received(b"\0\0\0\x02\x01\x021\n"[..].into());
    assert!(broken(vec![Seen::Sent(4), answer, Seen::Fin]).is_empty());
    assert!(!broken(vec![Seen::Sent(3), Seen::Fin]).is_empty());
}

#[test]
fn a_refusal_of_its_own_form_may_stand_before_a_close_and_nowhere_else() {
    let text = "name = \"refusing\"\n[header]\nbefore = \"2a\"\n[replies]\nrefusal = \"2d\"\n[length]\nwidth = 4\n[limits]\nmax_body = 120";
    let profile = Profile::from_toml(text).unwrap();
    let broken = |script, seen| broken_in(&profile, &ReplyRule::Any, script, seen);
    let refusal = || Seen::Received(b"-too large\r\n"[..].into());
    let answer = || Seen::Received(b"*\0\0\0\x021\n"[..].into());

    let over = "send a 2a000000b4\nawait a";
    assert!(broken(over, vec![Seen::Sent(5), refusal(), Seen::Fin]).is_empty());
    let open = vec![
        Seen::Sent(5),
        refusal(),
        Seen::GaveUp(Awaited::Owed, Duration::from_secs(1)),
    ];
    assert!(broken(over, open).contains(&Clause::ReplyFraming));
    let early = vec![Seen::Sent(2), refusal(), Seen::Fin];
    assert!(!broken("send a 2a00 | 0000b4\nawait a", early).is_empty());

    let behind = "send a 2a00000001 '1' 2a000000b4\nawait a";
    assert!(broken(behind, vec![Seen::Sent(11), answer(), refusal(), Seen::Fin]).is_empty());
    let unanswered = vec![Seen::Sent(11), refusal(), Seen::Fin];
    assert_eq!(broken(behind, unanswered), [Clause::OneReply]);
    let uncalled_for = broken(
        "send a 2a00000001 '1'\nawait a",
        vec![Seen::Sent(6), refusal(), Seen::Fin],
    );
    assert!(uncalled_for.contains(&Clause::ReplyFraming));
}

#[test]
fn a_header_of_odd_length_may_be_refused_before_the_body_is_there() {
    for script in [
        "send a 0000003d | 'x'*61 | 0000003c '1' 00*59\nfin a",
        "send a 0000003d | 'x'*10\nawait a",
    ] {
        let refused = |seen: Vec<Seen>| broken(script, seen);
        assert!(refused(vec![Seen::Sent(4), Seen::Fin]).is_empty());
        assert!(refused(vec![Seen::Sent(4), Seen::Rst]).is_empty());
        assert!(refused(vec![Seen::Sent(4), reply(), Seen::Fin]).is_empty());
        let again = refused(vec![Seen::Sent(4), reply(), reply(), Seen::Fin]);
        assert!(!again.is_empty(), "two replies");
        let early = refused(vec![Seen::Sent(3), Seen::Fin, Seen::Sent(1)]);
        assert!(early.is_empty(), "what was sent meanwhile counts");
        assert!(!refused(vec![Seen::Sent(3), Seen::Fin]).is_empty());
    }
}

#[test]
fn a_close_inside_an_honest_frame_is_not_permitted() {
    let script = "send a 0000003c | '1' 00*59\nawait a";
    assert_eq!(
        broken(script, vec![Seen::Sent(4), Seen::Fin]),
        [Clause::Patience]
    );
    let all = vec![
        Seen::Sent(64),
        Seen::Received([b"\0\0\0\x3c1", &[0; 59][..]].concat().into()),
    ];
    assert!(broken(script, all).is_empty());
}

#[test]
fn a_body_that_not_every_server_takes_may_be_refused_upon_its_header() {
    let refused = vec![Seen::Sent(4), Seen::Fin];
    for script in ["send a 0ffffff0\nawait a", "send a 0000f000 | '1' 00*61439"] {
        assert!(broken(script, refused.clone()).is_empty(), "{script}");
    }
    // 7980 octets: every server must take that.
    for script in ["send a 00001f2c\nawait a", "send a 00001f2c | '1' 00*7979"] {
        assert!(!broken(script, refused.clone()).is_empty(), "{script}");
    }
}

#[test]
fn a_header_of_odd_length_may_be_complained_of_before_the_close() {
    let script = "send a 0000003d | 'x'*61\nawait a";
    let seen = |end: &[Seen]| broken(script, [&[Seen::Sent(65), reply()], end].concat());
    assert!(seen(&[Seen::Fin]).is_empty());
    assert_eq!(seen(&[]), [Clause::ChunkMultiple]);
}

#[test]
fn more_padding_than_needed_should_be_taken_and_is_not_a_must() {
    let script = "send a 00000078 | '{}' 00*118\nawait a";
    let findings = |end: Seen| {
        let profile = Profile::tutorial();
        let script: Script = format!("framespec script 1\nopen a\n{script}")
            .parse()
            .unwrap();
        let entry = |seen| Entry {
            at: Duration::ZERO,
            conn: 0,
            seen,
        };
        let entries = [Seen::Sent(124), end].map(entry).to_vec();
        let transcript = Transcript {
            entries,
            ..Transcript::default()
        };
        let permitted = permitted(&profile, &script);
        judge(&profile, &ReplyRule::Echo, &permitted, &transcript)
    };
    assert!(findings(reply()).is_empty());
    for refused in [
        Seen::Fin,
        Seen::Received([b"\0\0\0\x3c0", &[0; 59][..]].concat().into()),
    ] {
        let found = findings(refused);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].clause, found[0].level),
            (Clause::Padding, Level::Should)
        );
    }
    assert_eq!(
        findings(Seen::GaveUp(crate::script::Awaited::Owed, Duration::ZERO))[0].level,
        Level::Must
    );
}

/// A whole frame with that payload.
fn saying(payload: &str) -> Seen {
    let frame = crate::script::craft::Craft::new(&Profile::tutorial()).frame(payload.as_bytes());
    Seen::Received(frame.into())
}

#[test]
fn a_reply_that_holds_a_part_of_the_text_is_cut_short_whatever_its_size() {
    for words in ["plain words ", "many-"] {
        for repeated in [3, 4_000] {
            let text = format!("token1 {}end", words.repeat(repeated));
            let Seen::Received(request) = saying(&format!("\"{text}\"")) else {
                panic!("octets")
            };
            let hex = |octet: &u8| format!("{octet:02x}");
            let script = format!("send a {}", request.iter().map(hex).collect::<String>());
            let said = |rule: &ReplyRule, reply: &str| {
                broken_by(
                    rule,
                    &script,
                    vec![Seen::Sent(request.len()), saying(reply)],
                )
            };
            let half = &text[..text.len() / 2];
            for rule in [ReplyRule::Echo, ReplyRule::Token(None)] {
                let cut = said(&rule, &format!("\"{half}\""));
                assert_eq!(cut, [Clause::Fidelity], "{rule:?}: {words} {repeated}");
                assert!(said(&rule, &format!("\"{text}\"")).is_empty());
            }
            let around = format!("{{\"got\": [\"<{text}>\"], \"head\": \"token1\"}}");
            assert!(said(&ReplyRule::Token(None), &around).is_empty());
        }
    }
}

#[test]
fn where_there_are_no_replies_nothing_may_come() {
    let request = "send a 0000003c '1' 00*59\nquiet a";
    let seen = |more: &[Seen]| {
        let seen = [&[Seen::Sent(64)], more].concat();
        broken_by(&ReplyRule::None, request, seen)
    };
    assert!(seen(&[]).is_empty());
    for octets in [&b"\0\0\0\0"[..], b"ok", b"OK\r\n"] {
        let came = seen(&[Seen::Received(octets.to_vec().into())]);
        assert!(came.contains(&Clause::Unsolicited), "{octets:?}: {came:?}");
    }
}

/// What is broken if these come in answer to a request `"a"` with the id 7 and a request `"b"` with the id 8.
fn broken_with_ids(order: &str, replies: &[u8]) -> Vec<Clause> {
    let text =
        format!("name = 'ids'\nheader.before = 'id'\nlength.width = 1\nexchange.order = '{order}'");
    let profile = Profile::from_toml(&text).unwrap();
    let replies = Seen::Received(replies.to_vec().into());
    let seen = vec![
        Seen::Sent(10),
        replies,
        Seen::GaveUp(crate::script::Awaited::Owed, Duration::ZERO),
    ];
    let script = "send a 0703 '\"a\"' 0803 '\"b\"'\nawait a";
    broken_in(&profile, &ReplyRule::Echo, script, seen)
}

#[test]
fn a_reply_has_the_id_of_its_request() {
    for order in ["requests", "any"] {
        let broken = |replies| broken_with_ids(order, replies);
        assert_eq!(broken(b"\x07\x03\"a\"\x08\x03\"b\""), [], "{order}");
        let swapped = broken(b"\x08\x03\"a\"\x07\x03\"b\"");
        assert!(swapped.contains(&Clause::Order), "{order}: {swapped:?}");
        assert_eq!(
            broken(b"\x07\x03\"a\"\x00\x03\"b\""),
            [Clause::Order],
            "{order}"
        );
        let answered_once_more = broken(b"\x07\x03\"a\"\x08\x03\"b\"\x07\x03\"a\"");
        assert_eq!(answered_once_more, [Clause::Unsolicited], "{order}");
        let one_twice = broken(b"\x07\x03\"a\"\x07\x03\"a\"");
        assert!(!one_twice.is_empty(), "{order}");
    }
}

#[test]
fn replies_come_in_any_order_only_where_the_profile_says_so() {
    let replies = b"\x08\x03\"b\"\x07\x03\"a\"";
    assert_eq!(broken_with_ids("any", replies), []);
    assert!(broken_with_ids("requests", replies).contains(&Clause::Order));
}

#[test]
fn all_the_replies_that_are_asked_for_are_counted_however_many_they_are() {
    let profile =
        Profile::from_toml("name = \"octet\"\nlength.width = 1\nbody.payload = \"opaque\"")
            .unwrap();
    let requests = [1, b'1'].repeat(70_000);
    let all = |octets: &[u8]| {
        let script = format!("send a {}\nfin a", "01 31 ".repeat(70_000));
        let came = Seen::Received(octets.to_vec().into());
        let seen = vec![Seen::Sent(requests.len()), Seen::FinSent, came, Seen::Fin];
        broken_in(&profile, &ReplyRule::Echo, &script, seen)
    };
    assert_eq!(all(&requests), []);
    assert_ne!(all(&requests[2..]), [], "one is missing");
}

/// A frame whose payload is that text, for a script and as what comes.
fn text(text: &str) -> (String, Seen) {
    let script = format!("0000003c '\"{text}\"' 00*{}", 58 - text.len());
    let payload = format!("\"{text}\"");
    let octets = [
        b"\0\0\0\x3c",
        payload.as_bytes(),
        &vec![0; 60 - payload.len()],
    ]
    .concat();
    (script, Seen::Received(octets.into()))
}

#[test]
fn a_reply_that_comes_once_more_is_no_swapped_one() {
    let ((one, to_one), (two, to_two), (three, to_three)) = (text("m1"), text("m2"), text("m3"));
    let script = format!("send a {one} | {two} | {three}\nawait a");
    let seen = |replies: &[&Seen]| {
        let replies = replies.iter().map(|reply| (*reply).clone());
        broken(
            &script,
            [Seen::Sent(192)].into_iter().chain(replies).collect(),
        )
    };
    let none: [Clause; 0] = [];
    assert_eq!(seen(&[&to_one, &to_two, &to_three]), none);
    assert_eq!(
        seen(&[&to_one, &to_one, &to_two, &to_two, &to_three]),
        [Clause::OneReply; 2]
    );
    assert_eq!(seen(&[&to_two, &to_one, &to_three]), [Clause::Order; 2]);
    // An old one in its place is another's.
    assert_eq!(seen(&[&to_one, &to_one, &to_three]), [Clause::Order]);
}

#[test]
fn an_old_reply_to_a_request_that_begins_alike_is_not_cut_short() {
    let ((one, to_one), (two, _)) = (text("m123456789 abcd"), text("m123456789 abce"));
    let script = format!("send a {one} | {two}\nawait a");
    for rule in [ReplyRule::Echo, ReplyRule::Token(None)] {
        let seen = vec![Seen::Sent(128), to_one.clone(), to_one.clone()];
        assert_eq!(broken_by(&rule, &script, seen), [Clause::Order]);
    }
}

#[test]
fn what_the_canary_asked_is_another_clients_business() {
    let ((one, to_one), (_, to_canary)) = (text("m1"), text("canary0000000123"));
    let script = format!("send a {one}\nawait a");
    let seen = |replies: &[&Seen]| {
        let replies = replies.iter().map(|reply| (*reply).clone());
        broken(
            &script,
            [Seen::Sent(64)].into_iter().chain(replies).collect(),
        )
    };
    assert_eq!(seen(&[&to_canary]), [Clause::Crosstalk]);
    assert_eq!(seen(&[&to_one, &to_canary]), [Clause::Crosstalk]);
    assert_eq!(seen(&[&text("canary0").1]), [Clause::Fidelity]);
}

#[test]
fn octets_that_are_no_reply_to_what_is_undecodable_are_named_for_what_they_are() {
    let script = "send a 0000003c | 'x'*60\nawait a";
    let gave_up = Seen::GaveUp(crate::script::Awaited::Owed, Duration::from_secs(1));
    let seen = |octets: &'static [u8]| {
        let came = Seen::Received(octets.into());
        broken(script, vec![Seen::Sent(64), came, gave_up.clone()])
    };
    assert_eq!(seen(b"\xff\xff\xff\xffHTTP"), [Clause::ReplyFraming]);
    assert_eq!(seen(b"\0\0\0\x3c{"), [Clause::ReplyFraming]);
    assert_eq!(seen(b""), [Clause::Undecodable]);
}
