//! What must hold of the whole table of cases for clients, and of how they are judged.

use super::*;
use crate::cases::{Case, Unfit, all, case};
use crate::judge::{ClientTraits, Finding, Shape, Shows, judge, missed_aim};
use crate::model::{self, Owes, Permitted, reader};
use crate::profile::Profile;
use crate::script::{Action, Awaited, Script, Typed};
use crate::spec::{Level, Role};
use crate::transcript::{Entry, Exit, Seen, Transcript};
use crate::wire::Encoder;
use arbitrary::{Arbitrary as _, Unstructured};
use bytes::BytesMut;
use proptest::prelude::*;
use std::time::Duration;

fn client() -> ClientTraits {
    ClientTraits {
        shows: Shows::AtOnce,
        again: true,
        ahead: true,
        carries: Some(0),
        shape: Shape::learn("> one\n> two\n", "one", "two"),
        process: true,
    }
}

fn circumstances<'a>(profile: &'a Profile, client: &'a ClientTraits) -> Circumstances<'a> {
    Circumstances {
        profile,
        client,
        input: Some("\"{text}\""),
        reply: None,
        seed: 1,
    }
}

fn permitted(profile: &Profile, script: &Script) -> Permitted {
    model::permitted(profile, script).remove(0)
}

/// With a limit declared and without, so that nothing is left out.
#[test]
fn every_case_has_a_script_in_the_built_in_formats() {
    let client = client();
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let declared = profile.clone().with_max_body(6_000).unwrap();
        for case in all(Role::Client) {
            let with = |profile| case.script_for_client(&circumstances(profile, &client));
            let script = [&profile, &declared].into_iter().find_map(|p| with(p).ok());
            let script = script.unwrap_or_else(|| panic!("{} in {}", case.id, profile.name()));
            assert_eq!(script.connections(), 1, "{}", case.id);
            assert_eq!(script.to_string().parse::<Script>().unwrap(), script);
        }
    }
}

/// A case of the one role has no script for the other.
#[test]
fn no_case_is_for_both_roles() {
    let (profile, client) = (Profile::tutorial(), client());
    let rule = crate::judge::ReplyRule::Echo;
    for case in all(Role::Client) {
        let script = case.script(&crate::cases::Circumstances::best(&profile, &rule));
        assert!(matches!(script, Err(Unfit::Skipped(_))), "{}", case.id);
    }
    for case in all(Role::Server) {
        let script = case.script_for_client(&circumstances(&profile, &client));
        assert!(matches!(script, Err(Unfit::Skipped(_))), "{}", case.id);
    }
}

/// No client owes anything for a reply that it has not asked for: a case that sends one shows nothing.
#[test]
fn every_reply_was_asked_for() {
    let (profile, client) = (Profile::tutorial(), client());
    for case in all(Role::Client) {
        let Ok(script) = case.script_for_client(&circumstances(&profile, &client)) else {
            continue;
        };
        let as_sent = Script::from_octets(&script.stream(0));
        let replies = permitted(&profile, &as_sent).duties;
        let owed = permitted(&profile, &script).duties;
        assert!(owed.len() >= replies.len(), "{}", case.id);
    }
}

fn typed(script: &Script) -> Vec<&Typed> {
    let steps = script.steps().iter();
    steps
        .filter_map(|step| match &step.action {
            Action::Type(typed) => Some(typed),
            _ => None,
        })
        .collect()
}

/// Whatever the format: what is typed fits into a frame of it, and a reply that must be shown is one.
fn holds_in(profile: &Profile) {
    let client = client();
    let encoder = Encoder::new(profile);
    for case in all(Role::Client) {
        let Ok(script) = case.script_for_client(&circumstances(profile, &client)) else {
            continue;
        };
        for typed in typed(&script) {
            let framed = encoder.encode(typed.line.as_bytes(), &mut BytesMut::new());
            assert_eq!(framed, Ok(()), "{} in {profile:?}", case.id);
        }
        let sent = script.stream(0);
        let frames = reader::read(profile, &sent).frames;
        for duty in permitted(profile, &script).duties {
            let Owes::Showing(showing) = duty.owes else {
                continue;
            };
            let frame = frames.iter().find(|frame| frame.end == duty.due);
            let frame = frame.unwrap_or_else(|| panic!("{} in {profile:?}: no reply", case.id));
            let payload = frame.payload(&sent);
            let payload = String::from_utf8_lossy(&payload);
            assert!(
                payload.contains(&showing.text),
                "{} in {profile:?}",
                case.id
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn scripts_are_possible_in_every_format(seed in prop::collection::vec(any::<u8>(), 0..60)) {
        holds_in(&Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap());
    }
}

/// No client is so poor that a case would be built without saying why it does not apply.
#[test]
fn whatever_a_client_cannot_do_is_a_reason() {
    let profile = Profile::tutorial();
    let poor = ClientTraits {
        shows: Shows::Nothing,
        again: false,
        ahead: false,
        carries: None,
        shape: None,
        process: false,
    };
    for case in all(Role::Client) {
        let Ok(script) = case.script_for_client(&circumstances(&profile, &poor)) else {
            continue;
        };
        let permitted = permitted(&profile, &script);
        let is_judged = permitted.requests() > 0 || permitted.must_end().is_some();
        assert!(is_judged, "{} asks for nothing", case.id);
        let mut duties = permitted.duties.iter();
        let is_shown = duties.any(|duty| matches!(duty.owes, Owes::Showing(_)));
        assert!(!is_shown, "{}", case.id);
    }
}

#[test]
fn a_client_that_follows_up_is_asked_once_for_each_reply() {
    let profile = Profile::tutorial();
    let client = ClientTraits {
        shows: Shows::NextRequest,
        ahead: false,
        ..client()
    };
    let case = case("client-boundary/one-behind-the-other").unwrap();
    let script = case
        .script_for_client(&circumstances(&profile, &client))
        .unwrap();
    let permitted = permitted(&profile, &script);
    assert_eq!((permitted.requests(), permitted.duties.len()), (4, 3));
}

fn transcript(seen: Vec<Seen>) -> Transcript {
    let entry = |seen| Entry {
        at: Duration::ZERO,
        conn: 0,
        seen,
    };
    Transcript {
        entries: seen.into_iter().map(entry).collect(),
        ..Transcript::default()
    }
}

fn script(case: &Case) -> Script {
    case.script_for_client(&circumstances(&Profile::tutorial(), &client()))
        .unwrap()
}

/// What a case finds upon what is seen.
fn judged(id: &str, seen: impl FnOnce(&Script) -> Vec<Seen>) -> Vec<Finding> {
    let (profile, client) = (Profile::tutorial(), client());
    let case = case(id).unwrap();
    let script = script(case);
    let permitted = model::permitted(&profile, &script);
    let transcript = transcript(seen(&script));
    let mut findings = judge(&profile, &client, &permitted, &transcript);
    findings.retain(|finding| finding.concerns(case.clause()));
    findings
}

fn frame(payload: &[u8]) -> Seen {
    let profile = Profile::tutorial();
    Seen::Received(
        crate::script::craft::Craft::new(&profile)
            .frame(payload)
            .into(),
    )
}

/// What the script sends, as it is seen.
fn sent(script: &Script) -> Vec<Seen> {
    let seen = |action: &Action| match action {
        Action::Send(segments) => segments.iter().map(|s| Seen::Sent(s.len())).collect(),
        _ => Vec::new(),
    };
    let steps = script.steps().iter();
    steps.flat_map(|step| seen(&step.action)).collect()
}

/// The texts of its replies.
fn texts(script: &Script) -> Vec<String> {
    let duties = permitted(&Profile::tutorial(), script).duties;
    duties
        .into_iter()
        .flat_map(|duty| match duty.owes {
            Owes::Showing(showing) => vec![showing.text],
            Owes::ReadOnOrEnd(no) => no.hidden.into_iter().map(|hidden| hidden.text).collect(),
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn a_request_is_held_to_what_was_typed() {
    let with = |payload: &dyn Fn(&str) -> Vec<u8>| {
        judged("client-text/plain", |script| {
            let typed = typed(script)[0];
            vec![
                Seen::Typed(typed.line.clone()),
                frame(&payload(&typed.text)),
            ]
        })
    };
    assert_eq!(with(&|text| format!("\"{text}\"").into()), []);
    let found = |findings: Vec<Finding>| findings[0].what.clone();
    assert!(
        found(with(&|_| b"\"other\"".to_vec()))
            .as_str()
            .contains("the user typed")
    );
    assert!(
        found(with(&|text| text.into()))
            .as_str()
            .contains("no JSON text")
    );
    assert!(
        found(with(&|text| format!("\u{feff}\"{text}\"").into()))
            .as_str()
            .contains("byte order mark")
    );
    assert!(
        found(with(&|_| b"\"\xe9\"".to_vec()))
            .as_str()
            .contains("not UTF-8")
    );
}

#[test]
fn padding_is_nul_and_no_more_than_needed() {
    let with = |octets: Vec<u8>| {
        let findings = judged("client-padding/part-of-a-chunk", |_| {
            vec![Seen::Received(octets.into())]
        });
        findings.first().map(|finding| finding.what.clone())
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
            .as_str()
            .contains("115 octets of padding")
    );
    assert!(
        with(body(b' ', 60))
            .unwrap()
            .as_str()
            .contains("55 octets 20")
    );
    assert!(
        with(body(b'0', 60))
            .unwrap()
            .as_str()
            .contains("55 octets 30")
    );
    assert!(with(body(0, 5)).unwrap().as_str().contains("whole number"));
}

#[test]
fn what_stands_between_requests_is_found() {
    let findings = judged("client-framing/first-request", |_| {
        vec![frame(b"1"), Seen::Received(b"\n".to_vec().into())]
    });
    assert_eq!(findings[0].clause, Clause::ClientFraming);
    let findings = judged("client-framing/in-a-row", |_| {
        vec![
            frame(b"1"),
            Seen::Received(b"\n".to_vec().into()),
            frame(b"2"),
            frame(b"3"),
        ]
    });
    assert!(findings[0].what.as_str().contains("no header"));
}

#[test]
fn a_reply_must_be_shown_whole_and_in_order() {
    let id = "client-boundary/two-in-one-segment";
    let with = |print: &dyn Fn(&str, &str) -> String| {
        judged(id, |script| {
            let texts = texts(script);
            let printed = print(&texts[0], &texts[1]).into_bytes();
            let mut seen = vec![frame(b"1"), frame(b"2")];
            seen.extend(sent(script));
            seen.push(Seen::Printed(printed));
            seen.push(Seen::Teardown);
            seen.push(Seen::Exited(Exit::Signal(9)));
            seen
        })
    };
    assert_eq!(with(&|one, other| format!("> {one}\n> {other}\n")), []);
    assert!(
        with(&|one, other| format!("> {other}\n> {one}\n"))[0]
            .what
            .as_str()
            .contains("out of order")
    );
    assert!(
        with(&|one, _| format!("> {one}\n"))[0]
            .what
            .as_str()
            .contains("does not show")
    );
}

#[test]
fn a_reply_that_never_was_whole_must_not_be_shown_as_one() {
    let id = "client-truncation/inside-the-padding";
    let with = |front: &str| {
        judged(id, |script| {
            let line = format!("{front}{}\n", texts(script)[0]);
            let mut seen = vec![frame(b"1")];
            seen.extend(sent(script));
            seen.extend([Seen::FinSent, Seen::Printed(line.into_bytes()), Seen::Fin]);
            seen
        })
    };
    assert!(with("> ")[0].what.as_str().contains("as a reply"));
    assert_eq!(with("raw octets: "), []);
}

#[test]
fn whoever_has_to_end_and_does_not_is_found() {
    let gave_up = Seen::GaveUp(Awaited::End, Duration::from_secs(1));
    let findings = judged("client-limit/two-gibibytes", |_| vec![frame(b"1"), gave_up]);
    assert!(findings[0].what.as_str().contains("over the limit"));
    let spins = Seen::Used {
        busy: Duration::from_millis(300),
        over: Duration::from_millis(400),
    };
    let findings = judged("client-limit/two-gibibytes", |script| {
        [vec![frame(b"1")], sent(script), vec![spins, Seen::Fin]].concat()
    });
    assert!(findings[0].what.as_str().contains("processor time"));
    let grew = Seen::Grew {
        resident: 1 << 20,
        address_space: 2 << 30,
    };
    let findings = judged("client-limit/two-gibibytes", |script| {
        [vec![frame(b"1")], sent(script), vec![grew, Seen::Fin]].concat()
    });
    assert!(
        findings[0]
            .what
            .as_str()
            .contains("2048 MiB of address space")
    );
}

#[test]
fn what_was_waited_for_in_vain_is_always_a_finding() {
    let (profile, client) = (Profile::tutorial().with_max_body(6_000).unwrap(), client());
    for case in all(Role::Client) {
        let Ok(script) = case.script_for_client(&circumstances(&profile, &client)) else {
            continue;
        };
        let all = model::permitted(&profile, &script);
        for awaited in [Awaited::Connection, Awaited::Request(0)] {
            let seen = transcript(vec![Seen::GaveUp(awaited, Duration::from_secs(1))]);
            let findings = judge(&profile, &client, &all, &seen);
            let is_told =
                !findings.is_empty() || missed_aim(&profile, &client, &all[0], &seen).is_some();
            assert!(is_told, "{}: {awaited:?}", case.id);
        }
    }
}

#[test]
fn a_client_that_dies_is_found_and_one_that_complains_is_warned() {
    let findings = judged("client-undecodable/no-json", |_| {
        vec![frame(b"1"), Seen::Exited(Exit::Signal(11))]
    });
    assert!(findings[0].what.as_str().contains("SIGSEGV"));
    let traceback = b"Traceback (most recent call last):\n  File \"x\"\nValueError: no\n".to_vec();
    let with = |code| {
        judged("client-undecodable/no-json", |_| {
            let said = Seen::Stderr(traceback.clone());
            vec![frame(b"1"), said, Seen::Exited(Exit::Code(code))]
        })
    };
    assert_eq!(with(1)[0].level, Level::Should);
    assert!(with(1)[0].what.as_str().contains("ValueError: no"));
    assert_eq!(with(0), []);
}

#[test]
fn a_request_of_another_length_than_needed_proves_nothing() {
    let (profile, client) = (Profile::tutorial(), client());
    let script = script(case("client-padding/exact-fill").unwrap());
    let seen = transcript(vec![frame(b"\"short\"")]);
    let missed = missed_aim(&profile, &client, &permitted(&profile, &script), &seen);
    assert!(missed.unwrap().as_str().contains("60 octets"));
}
