//! What must hold of the whole table of cases for clients, and of the judge.

use super::judge::{Outcome, judge};
use super::*;
use crate::model::reader;
use crate::profile::Profile;
use crate::wire::Encoder;
use arbitrary::{Arbitrary as _, Unstructured};
use bytes::BytesMut;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

fn client() -> Client {
    Client {
        shows: Shows::AtOnce,
        again: true,
        ahead: true,
        carries: Some(0),
        shape: Shape::learn("> one\n> two\n", "one", "two"),
        process: true,
    }
}

fn circumstances<'a>(profile: &'a Profile, client: &'a Client) -> Circumstances<'a> {
    Circumstances {
        profile,
        client,
        input: Some("\"{text}\""),
        reply: None,
        seed: 1,
    }
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for case in all() {
        assert!(seen.insert(case.id), "{} stands twice", case.id);
        assert!(case.clause().is_some(), "{}: no such clause", case.id);
        let (_, variant) = case.id.split_once('/').unwrap();
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase());
        assert!(variant.split('-').all(word), "{}", case.id);
        assert!(case.why.ends_with('.'), "{}: {}", case.id, case.why);
    }
    let in_tables: usize = TABLES.iter().map(|table| table.len()).sum();
    assert_eq!(seen.len(), in_tables);
}

#[test]
fn every_clause_has_two_cases_and_causes() {
    for clause in spec::CLIENT_CLAUSES {
        let cases = all().filter(|case| case.slug() == clause.slug).count();
        assert!(cases >= 2, "{}: {cases}", clause.slug);
        assert!(!likely_causes(clause.slug).is_empty(), "{}", clause.slug);
    }
    assert!(CAUSES.iter().all(|(slug, _)| spec::clause(slug).is_some()));
}

/// With a limit declared and without, so that nothing is left out.
#[test]
fn every_case_has_a_play_in_the_built_in_formats() {
    let client = client();
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let declared = profile.clone().with_max_body(6_000).unwrap();
        for case in all() {
            let plays = [&profile, &declared].map(|p| case.play(&circumstances(p, &client)));
            let play = plays.into_iter().find_map(Result::ok);
            let play = play.unwrap_or_else(|| panic!("{} in {}", case.id, profile.name()));
            let asks = play.requests > 0 || !play.texts.is_empty() || !play.acts.is_empty();
            assert!(asks, "{}", case.id);
        }
    }
}

/// Whatever the format: what is typed fits into a frame of it, and a reply that must be shown is one.
fn holds_in(profile: &Profile) {
    let client = client();
    let encoder = Encoder::new(profile);
    for case in all() {
        let Ok(play) = case.play(&circumstances(profile, &client)) else {
            continue;
        };
        let lines = play.acts.iter().filter_map(|act| match act {
            Act::Type(line) | Act::EndedOnceUsed(line) | Act::Noticed(line) => Some(&line.typed),
            _ => None,
        });
        for typed in lines {
            let framed = encoder.encode(typed.as_bytes(), &mut BytesMut::new());
            assert_eq!(framed, Ok(()), "{} in {profile:?}", case.id);
        }
        let sent = play.acts.iter().filter_map(|act| match act {
            Act::Send(segments) => Some(segments.concat()),
            _ => None,
        });
        let sent = sent.collect::<Vec<_>>().concat();
        let frames = reader::read(profile, &sent).frames;
        for text in play.texts {
            if matches!(text.fate, Fate::Hidden(_)) {
                continue;
            }
            let frame = frames.iter().find(|frame| frame.body.end == text.due);
            let frame = frame.unwrap_or_else(|| panic!("{} in {profile:?}: no reply", case.id));
            let payload = String::from_utf8_lossy(&sent[frame.payload.clone()]);
            assert!(payload.contains(&text.text), "{} in {profile:?}", case.id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn plays_are_possible_in_every_format(seed in prop::collection::vec(any::<u8>(), 0..60)) {
        holds_in(&Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap());
    }
}

/// No client is so poor that a case would be built without saying why it does not apply.
#[test]
fn whatever_a_client_cannot_do_is_a_reason() {
    let profile = Profile::tutorial();
    let poor = Client {
        shows: Shows::Nothing,
        again: false,
        ahead: false,
        carries: None,
        shape: None,
        process: false,
    };
    for case in all() {
        let Ok(play) = case.play(&circumstances(&profile, &poor)) else {
            continue;
        };
        let is_judged = play.requests > 0 || play.must_end.is_some();
        assert!(is_judged, "{} asks for nothing", case.id);
        let shown = |text: &Text| !matches!(text.fate, Fate::Hidden(_));
        assert!(!play.texts.iter().any(shown), "{}", case.id);
    }
}

#[test]
fn a_client_that_follows_up_is_asked_once_for_each_reply() {
    let profile = Profile::tutorial();
    let client = Client {
        shows: Shows::NextRequest,
        ahead: false,
        ..client()
    };
    let play = case("client-boundary/one-behind-the-other")
        .unwrap()
        .play(&circumstances(&profile, &client))
        .unwrap();
    assert_eq!(play.requests, 4);
    assert_eq!(play.texts.len(), 3);
}

fn transcript(seen: Vec<Seen>) -> Transcript {
    let entry = |seen| Entry {
        at: Duration::ZERO,
        seen,
    };
    Transcript {
        entries: seen.into_iter().map(entry).collect(),
        acts: usize::MAX,
    }
}

/// A play of that case, judged upon what is seen; `{reply}` is what the play sends.
fn judged(id: &str, seen: impl FnOnce(&Play) -> Vec<Seen>) -> Outcome {
    let (profile, client) = (Profile::tutorial(), client());
    let case = case(id).unwrap();
    let play = case.play(&circumstances(&profile, &client)).unwrap();
    let transcript = transcript(seen(&play));
    judge(&profile, &client, case.slug(), &play, &transcript)
}

fn frame(payload: &[u8]) -> Seen {
    let profile = Profile::tutorial();
    Seen::Sent(crate::script::craft::Craft::new(&profile).frame(payload))
}

fn typed(play: &Play) -> &Line {
    play.acts
        .iter()
        .find_map(|act| match act {
            Act::Type(line) => Some(line),
            _ => None,
        })
        .unwrap()
}

fn replied(play: &Play) -> Vec<Seen> {
    let sent = |act: &Act| match act {
        Act::Send(segments) => segments.clone(),
        _ => Vec::new(),
    };
    play.acts.iter().flat_map(sent).map(Seen::Replied).collect()
}

#[test]
fn a_request_is_held_to_what_was_typed() {
    let with = |payload: &dyn Fn(&str) -> Vec<u8>| {
        judged("client-text/plain", |play| {
            let line = typed(play);
            vec![Seen::Typed(line.typed.clone()), frame(&payload(&line.text))]
        })
    };
    assert_eq!(
        with(&|text| format!("\"{text}\"").into()),
        Outcome::default()
    );
    let found = |outcome: Outcome| outcome.findings[0].what.clone();
    assert!(found(with(&|_| b"\"other\"".to_vec())).contains("the user typed"));
    assert!(found(with(&|text| text.into())).contains("no JSON text"));
    assert!(found(with(&|text| format!("\u{feff}\"{text}\"").into())).contains("byte order mark"));
    assert!(found(with(&|_| b"\"\xe9\"".to_vec())).contains("not UTF-8"));
}

#[test]
fn padding_is_nul_and_no_more_than_needed() {
    let with = |octets: Vec<u8>| {
        let outcome = judged("client-padding/part-of-a-chunk", |_| {
            vec![Seen::Sent(octets)]
        });
        outcome.findings.first().map(|finding| finding.what.clone())
    };
    let body = |fill: u8, len: usize| {
        let mut body = b"\"abc\"".to_vec();
        body.resize(len, fill);
        [(len as u32).to_be_bytes().to_vec(), body].concat()
    };
    assert_eq!(with(body(0, 60)), None);
    assert!(
        with(body(0, 120))
            .unwrap()
            .contains("115 octets of padding")
    );
    assert!(with(body(b' ', 60)).unwrap().contains("55 octets 20"));
    assert!(with(body(b'0', 60)).unwrap().contains("55 octets 30"));
    assert!(with(body(0, 5)).unwrap().contains("whole number"));
}

#[test]
fn what_stands_between_requests_is_found() {
    let outcome = judged("client-framing/first-request", |_| {
        vec![frame(b"1"), Seen::Sent(b"\n".to_vec())]
    });
    assert_eq!(outcome.findings[0].clause, "client-framing");
    let outcome = judged("client-framing/in-a-row", |_| {
        vec![
            frame(b"1"),
            Seen::Sent(b"\n".to_vec()),
            frame(b"2"),
            frame(b"3"),
        ]
    });
    assert!(outcome.findings[0].what.contains("no header"));
}

#[test]
fn a_reply_must_be_shown_whole_and_in_order() {
    let id = "client-boundary/two-in-one-segment";
    let with = |print: &dyn Fn(&str, &str) -> String| {
        judged(id, |play| {
            let [one, other] = &play.texts[..] else {
                panic!()
            };
            let printed = print(&one.text, &other.text).into_bytes();
            let mut seen = vec![frame(b"1"), frame(b"2")];
            seen.extend(replied(play));
            seen.push(Seen::Printed(printed));
            seen.push(Seen::Farewell);
            seen.push(Seen::Exited(Exit::Signal(9)));
            seen
        })
        .findings
    };
    assert_eq!(with(&|one, other| format!("> {one}\n> {other}\n")), []);
    assert!(
        with(&|one, other| format!("> {other}\n> {one}\n"))[0]
            .what
            .contains("out of order")
    );
    assert!(
        with(&|one, _| format!("> {one}\n"))[0]
            .what
            .contains("does not show")
    );
}

#[test]
fn a_reply_that_never_was_whole_must_not_be_shown_as_one() {
    let id = "client-truncation/inside-the-padding";
    let with = |front: &str| {
        judged(id, |play| {
            let line = format!("{front}{}\n", play.texts[0].text);
            let mut seen = vec![frame(b"1")];
            seen.extend(replied(play));
            seen.extend([Seen::ServerFin, Seen::Printed(line.into_bytes()), Seen::Fin]);
            seen
        })
        .findings
    };
    assert!(with("> ")[0].what.contains("as a reply"));
    assert_eq!(with("raw octets: "), []);
}

#[test]
fn whoever_has_to_end_and_does_not_is_found() {
    let gave_up = Seen::GaveUp(Wanted::End, Duration::from_secs(1));
    let outcome = judged("client-limit/two-gibibytes", |_| vec![frame(b"1"), gave_up]);
    assert!(
        outcome.findings[0]
            .what
            .contains("claims more than the limit")
    );
    let spins = Seen::Used {
        busy: Duration::from_millis(300),
        over: Duration::from_millis(400),
    };
    let outcome = judged("client-limit/two-gibibytes", |_| {
        vec![frame(b"1"), spins, Seen::Fin]
    });
    assert!(outcome.findings[0].what.contains("processor time"));
    let grew = Seen::Grew {
        resident: 1 << 20,
        address_space: 2 << 30,
    };
    let outcome = judged("client-limit/two-gibibytes", |_| {
        vec![frame(b"1"), grew, Seen::Fin]
    });
    assert!(
        outcome.findings[0]
            .what
            .contains("2048 MiB of address space")
    );
}

#[test]
fn what_was_waited_for_in_vain_is_always_a_finding() {
    for case in all() {
        for wanted in [Wanted::Connection, Wanted::Request(0)] {
            let (profile, client) = (Profile::tutorial().with_max_body(6_000).unwrap(), client());
            let Ok(play) = case.play(&circumstances(&profile, &client)) else {
                continue;
            };
            let seen = transcript(vec![Seen::GaveUp(wanted, Duration::from_secs(1))]);
            let outcome = judge(&profile, &client, case.slug(), &play, &seen);
            let is_told = !outcome.findings.is_empty() || outcome.skip.is_some();
            assert!(is_told, "{}: {wanted:?}", case.id);
        }
    }
}

#[test]
fn a_client_that_dies_is_found_and_one_that_complains_is_warned() {
    let outcome = judged("client-undecodable/no-json", |_| {
        vec![frame(b"1"), Seen::Exited(Exit::Signal(11))]
    });
    assert!(outcome.findings[0].what.contains("SIGSEGV"));
    let traceback = b"Traceback (most recent call last):\n  File \"x\"\nValueError: no\n".to_vec();
    let with = |code| {
        judged("client-undecodable/no-json", |_| {
            let said = Seen::Complained(traceback.clone());
            vec![frame(b"1"), said, Seen::Exited(Exit::Code(code))]
        })
    };
    assert_eq!(with(1).findings[0].level, Level::Should);
    assert!(with(1).findings[0].what.contains("ValueError: no"));
    assert_eq!(with(0), Outcome::default());
}

#[test]
fn a_request_of_another_length_than_needed_proves_nothing() {
    let outcome = judged("client-padding/exact-fill", |_| vec![frame(b"\"short\"")]);
    assert!(outcome.skip.unwrap().contains("60 octets"));
}
