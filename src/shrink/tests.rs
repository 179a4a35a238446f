//! What is shrunk here is played at servers that exist only on paper: they do what the model asks,
//! but for one fault, and the judge finds it.

use super::*;
use crate::judge::{ReplyRule, judge};
use crate::model::{self, Owes, Tail};
use crate::script::craft::Craft;
use crate::script::{Action, Conn, MAX_PAUSE};
use crate::spec::Clause;
use crate::transcript::{Entry, Seen, Transcript};
use proptest::prelude::*;
use std::time::Duration;

/// A request as a faulty server sees it.
struct Request<'a> {
    conn: Conn,
    /// Its number on its connection, counted from 0.
    number: usize,
    octets: &'a [u8],
    /// Where it was cut, counted from its first octet.
    cuts: Vec<usize>,
}

/// Whether a request is left without a reply.
type Fault = fn(&Request<'_>) -> bool;

/// The reply to a frame: its payload once more.
fn echo(profile: &Profile, frame: &[u8]) -> Vec<u8> {
    let reading = crate::model::reader::read(profile, frame);
    Craft::new(profile).frame(&reading.frames[0].payload(frame))
}

/// What the server on paper says to a script.
fn play(profile: &Profile, script: &Script, fault: Fault) -> Transcript {
    let permitted = model::permitted(profile, script);
    let streams: Vec<Vec<u8>> = (0..script.connections())
        .map(|conn| script.stream(conn))
        .collect();
    let mut entries = Vec::new();
    let mut note = |conn, seen| {
        let at = Duration::ZERO;
        entries.push(Entry { at, conn, seen });
    };
    let mut cuts = vec![vec![0]; streams.len()];
    let mut next = vec![0; streams.len()];
    let mut closed = vec![false; streams.len()];
    for step in script.steps() {
        let conn = step.conn;
        match &step.action {
            Action::Open | Action::Begin(_) => note(conn, Seen::Connected),
            Action::Send(segments) => {
                for segment in segments {
                    note(conn, Seen::Sent(segment.len()));
                    let sent = cuts[conn].last().unwrap() + segment.len();
                    cuts[conn].push(sent);
                    while let Some(duty) = permitted[conn].duties.get(next[conn])
                        && duty.due <= sent
                        && !closed[conn]
                    {
                        let inside = |cut: &&usize| (duty.start + 1..duty.due).contains(*cut);
                        let request = Request {
                            conn,
                            number: next[conn],
                            octets: &streams[conn][duty.start..duty.due],
                            cuts: cuts[conn]
                                .iter()
                                .filter(inside)
                                .map(|cut| cut - duty.start)
                                .collect(),
                        };
                        next[conn] += 1;
                        match duty.owes {
                            Owes::Reply(_) | Owes::ReplyOrClose(_) if fault(&request) => {}
                            Owes::Reply(_) => {
                                note(conn, Seen::Received(echo(profile, request.octets).into()))
                            }
                            _ => {
                                note(conn, Seen::Fin);
                                closed[conn] = true;
                            }
                        }
                    }
                }
            }
            Action::Fin => {
                note(conn, Seen::FinSent);
                note(conn, Seen::Fin);
                closed[conn] = true;
            }
            Action::Rst => {
                note(conn, Seen::RstSent);
                closed[conn] = true;
            }
            _ => {}
        }
    }
    for (conn, closed) in closed.iter().enumerate() {
        if !closed && permitted[conn].tail != Tail::Void {
            note(
                conn,
                Seen::GaveUp(crate::script::Awaited::Owed, Duration::from_secs(1)),
            );
        }
    }
    Transcript {
        entries,
        ..Transcript::default()
    }
}

/// Whether a reply is found to be missing.
fn shows(profile: &Profile, script: &Script, fault: Fault) -> bool {
    let permitted = model::permitted(profile, script);
    let transcript = play(profile, script, fault);
    let findings = judge(profile, &ReplyRule::Echo, &permitted, &transcript);
    findings
        .iter()
        .any(|finding| finding.clause == Clause::OneReply)
}

/// The script shrunk as far as the fault allows; every question is counted.
fn shrunk(profile: &Profile, script: &Script, fault: Fault) -> (Script, usize) {
    assert!(shows(profile, script, fault), "the fault is not to be seen");
    let mut asked = 0;
    let smallest = shrink(profile, script.clone(), 10_000, |candidate| {
        asked += 1;
        shows(profile, candidate, fault)
    });
    assert!(shows(profile, &smallest, fault));
    (smallest, asked)
}

fn text(script: &Script) -> String {
    let text = script.to_string();
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

/// Three connections, some twenty frames of all sizes, cut, with pauses and doubtful ones between.
fn busy(profile: &Profile) -> Script {
    let craft = Craft::new(profile);
    let mut script = Script::new();
    for conn in 0..3 {
        script.push(conn, Action::Open).unwrap();
    }
    for round in 0..3 {
        for conn in 0..3 {
            let payload = craft.payload(&format!("m{conn}{round} {}", "lorem ".repeat(400 * conn)));
            let frame = craft.frame(&payload);
            let (head, tail) = frame.split_at(2);
            let segments = vec![head.to_vec(), tail.to_vec()];
            script.push(conn, Action::Send(segments)).unwrap();
            script
                .push(0, Action::Pause(Duration::from_millis(200)))
                .unwrap();
            let whole = [craft.frame(&craft.payload("x")), craft.frame(b"1")].concat();
            script.push(conn, Action::Send(vec![whole])).unwrap();
            script.push(conn, Action::Await).unwrap();
        }
    }
    script
        .push(1, Action::Send(vec![craft.frame(b"\xff")]))
        .unwrap();
    script.push(1, Action::Fin).unwrap();
    script.push(2, Action::Rst).unwrap();
    script
}

#[test]
fn a_large_request_is_found_among_many() {
    let profile = Profile::tutorial();
    let (script, asked) = shrunk(&profile, &busy(&profile), |r| r.octets.len() > 1500);
    let size = Size::of_script(&profile, &script);
    assert_eq!(
        (size.connections, size.frames, size.steps, size.segments),
        (1, 1, 2, 1)
    );
    assert!((1500..1700).contains(&size.octets), "{size:?}");
    assert!(asked < 150, "{asked} questions");
}

#[test]
fn what_is_about_a_cut_keeps_it() {
    let profile = Profile::tutorial();
    let fault: Fault = |r| r.cuts.iter().any(|cut| *cut < 4);
    let (script, _) = shrunk(&profile, &busy(&profile), fault);
    assert_eq!(text(&script), "open a\nsend a 00 00 | 00 '<\"\"' 00*58");
}

#[test]
fn what_is_about_a_cut_in_a_body_keeps_it_in_the_body() {
    let profile = Profile::chunk_count();
    let craft = Craft::new(&profile);
    let frame = craft.frame(&craft.payload(&"lorem ipsum ".repeat(100)));
    let mut script = Script::new();
    script.push(0, Action::Open).unwrap();
    let (head, tail) = frame.split_at(700);
    script.push(0, Action::Send(vec![head.to_vec()])).unwrap();
    script.push(0, Action::Pause(MAX_PAUSE)).unwrap();
    script.push(0, Action::Send(vec![tail.to_vec()])).unwrap();
    let fault: Fault = |r| r.cuts.iter().any(|cut| *cut > 4);
    let (script, _) = shrunk(&profile, &script, fault);
    let size = Size::of_script(&profile, &script);
    assert_eq!(
        (size.frames, size.octets, size.segments, size.pause_ms),
        (1, 8, 2, 0)
    );
}

#[test]
fn what_is_about_the_third_request_keeps_two_in_front_of_it() {
    let profile = Profile::tutorial();
    let (script, _) = shrunk(&profile, &busy(&profile), |r| r.number == 2);
    let frames = "00 00 00 3c 22 61 22 00*57 00 00 00 3c 22 62 22 00*57 00 00 00 3c 31 00*59";
    let size = Size::of_script(&profile, &script);
    assert_eq!(
        (size.frames, size.segments, size.octets),
        (3, 1, 192),
        "{}\n{frames}",
        text(&script)
    );
}

#[test]
fn what_is_about_two_clients_keeps_both() {
    let profile = Profile::tutorial();
    let (script, _) = shrunk(&profile, &busy(&profile), |r| r.conn == 1 && r.number == 0);
    let size = Size::of_script(&profile, &script);
    assert_eq!((size.connections, size.frames), (2, 1), "{}", text(&script));
}

#[test]
fn lengths_fit_again_in_any_format() {
    let marked = "name = 'x'\nheader = { before = 'ca ??', after = '?? 01' }\n\
        length = { width = 2, covers = ['before', 'length', 'payload'] }\nbody.chunk = 4\n";
    let summed = "name = 'x'\nheader = { before = 'ca ??', after = '01 ck ck' }\nlength.width = 2\n\
        body.chunk = 4\nchecksum = { kind = 'crc16-modbus', covers = ['length', 'after', 'payload'] }";
    for profile in [
        Profile::tutorial(),
        Profile::chunk_count(),
        Profile::from_toml(marked).unwrap(),
        Profile::from_toml(summed).unwrap(),
    ] {
        let (script, _) = shrunk(&profile, &busy(&profile), |r| r.octets.len() > 1500);
        let permitted = model::permitted(&profile, &script);
        assert_eq!(permitted[0].duties.len(), 1, "{}", profile.name());
        assert_eq!(permitted[0].tail, Tail::Boundary, "{}", profile.name());
    }
}

#[test]
fn octets_of_a_header_that_are_not_its_length_are_kept() {
    let toml = "name = 'x'\nheader.before = 'ca ??'\nlength.width = 2\n";
    let profile = Profile::from_toml(toml).unwrap();
    let script = "framespec script 1\nopen a\nsend a ca77 0004 22 616263 22\n";
    let script: Script = script.replace("0004", "0005").parse().unwrap();
    let (script, _) = shrunk(&profile, &script, |r| r.octets.len() > 2);
    assert!(
        text(&script).contains("send a ca 77 00 0"),
        "{}",
        text(&script)
    );
}

#[test]
fn what_is_no_frame_shrinks_too() {
    let profile = Profile::tutorial();
    let script = "framespec script 1\nopen a\nsend a ffffffff 'rest that nobody reads'\nfin a\n";
    let shows = |script: &Script| script.stream(0).starts_with(&[0xff; 4]);
    let smallest = shrink(&profile, script.parse().unwrap(), 1000, shows);
    assert_eq!(text(&smallest), "open a\nsend a ff ff ff ff");

    let cut_off = "framespec script 1\nopen a\nsend a 0000003c 'not all of it'\nfin a\n";
    let inside = |script: &Script| {
        let permitted = model::permitted(&profile, script);
        permitted
            .iter()
            .any(|conn| matches!(conn.tail, Tail::Inside { .. }))
    };
    let smallest = shrink(&profile, cut_off.parse().unwrap(), 1000, inside);
    assert_eq!(smallest.stream(0).len(), 1, "{}", text(&smallest));
}

#[test]
fn padding_goes_where_it_does_not_matter_and_stays_where_it_does() {
    let profile = Profile::tutorial();
    let mut script = Script::new();
    script.push(0, Action::Open).unwrap();
    let frame = Craft::new(&profile).frame_with(b"\"lorem ipsum\"", 3);
    script.push(0, Action::Send(vec![frame])).unwrap();
    let smallest =
        |shows: fn(&Script) -> bool| text(&shrink(&profile, script.clone(), 1000, shows));
    let holds_a_p = |script: &Script| script.stream(0).contains(&b'p');
    assert_eq!(smallest(holds_a_p), "open a\nsend a 00 00 00 3c 70 00*59");
    let is_long = |script: &Script| script.stream(0).len() > 200;
    assert_eq!(smallest(is_long), "open a\nsend a 00 00 00 f0 22 00*239");
}

#[test]
fn a_nested_text_shrinks_from_its_middle() {
    let profile = Profile::tutorial();
    let nested = ["[".repeat(600), "]".repeat(600)].concat();
    let mut script = Script::new();
    script.push(0, Action::Open).unwrap();
    let frame = Craft::new(&profile).frame(nested.as_bytes());
    script.push(0, Action::Send(vec![frame])).unwrap();
    let deep = |script: &Script| {
        let stream = script.stream(0);
        let count = |bracket: u8| stream.iter().filter(|octet| **octet == bracket).count();
        count(b'[') == count(b']') && count(b'[') > 100
    };
    let smallest = shrink(&profile, script, 1000, deep);
    assert!(
        smallest.stream(0).len() < 300,
        "{}",
        smallest.stream(0).len()
    );
}

#[test]
fn nothing_is_asked_where_nothing_can_go() {
    let script: Script = "framespec script 1\nopen a\n".parse().unwrap();
    assert_eq!(
        Shrinker::new(&Profile::tutorial(), script).candidate(),
        None
    );
}

/// Without it a client would owe nothing, and the script would fail at every client that waits to be told what to send.
#[test]
fn what_is_typed_for_a_request_that_is_waited_for_stays() {
    let script: Script = "framespec script 1\n\
        side server\n\
        type '\"one\"' holds 'one'\n\
        type '\"two\"' holds 'two'\n\
        open a\n\
        await a\n\
        type '\"three\"' holds 'three'\n\
        quiet a\n"
        .parse()
        .unwrap();
    let waits = |script: &Script| {
        let mut steps = script.steps().iter();
        steps.any(|step| step.action == Action::Await)
    };
    let smallest = shrink(&Profile::tutorial(), script, 100, waits);
    let typed: Vec<String> = text(&smallest)
        .lines()
        .filter(|line| line.starts_with("type"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        typed,
        ["type '\"one\"' holds 'one'", "type '\"two\"' holds 'two'"]
    );
}

/// Any script, made of frames and noise.
fn any_script() -> impl Strategy<Value = Script> {
    let octets = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..70).prop_map(|payload| {
            Craft::new(&Profile::tutorial()).frame(&payload)
        }),
        1 => proptest::collection::vec(any::<u8>(), 1..30),
    ];
    let action = prop_oneof![
        6 => (octets, 1_usize..80).prop_map(|(octets, cut)| {
            Action::Send(octets.chunks(cut).map(<[u8]>::to_vec).collect())
        }),
        1 => Just(Action::Await),
        1 => Just(Action::Quiet),
        1 => (0..300_u64).prop_map(|ms| Action::Pause(Duration::from_millis(ms))),
        1 => Just(Action::Fin),
        1 => Just(Action::Rst),
    ];
    proptest::collection::vec((0_usize..3, action), 0..14).prop_map(|steps| {
        let mut script = Script::new();
        for conn in 0..3 {
            script.push(conn, Action::Open).unwrap();
        }
        for (conn, action) in steps {
            let conn = match action {
                Action::Pause(_) => 0,
                _ => conn,
            };
            // What cannot follow is left out.
            let _ = script.push(conn, action);
        }
        script
    })
}

proptest! {
    /// Whatever the answers: each proposal is smaller than the best, none is made twice, the end is
    /// reached, and the result is one that was said to show it.
    #[test]
    fn it_comes_to_an_end_whatever_it_is_told(script in any_script(), answers in any::<u64>()) {
        let profile = Profile::tutorial();
        let mut shrinker = Shrinker::new(&profile, script.clone());
        let mut best = script;
        let mut seen = HashSet::new();
        let mut asked = 0_u32;
        while let Some(candidate) = shrinker.candidate().cloned() {
            prop_assert!(Size::of_script(&profile, &candidate) < Size::of_script(&profile, &best));
            prop_assert!(seen.insert(candidate.to_string()));
            prop_assert_eq!(&candidate.to_string().parse::<Script>().unwrap(), &candidate);
            let shown = answers.rotate_left(asked) & 3 == 0;
            shrinker.answer(shown);
            if shown {
                best = candidate;
            }
            asked += 1;
            prop_assert!(asked < 20_000);
        }
        prop_assert_eq!(shrinker.best(), &best);
    }

    /// What is told yes to everything ends with one connection and nothing else, but for looks at silence.
    #[test]
    fn with_nothing_to_show_nothing_is_left(script in any_script()) {
        let smallest = shrink(&Profile::tutorial(), script, 10_000, |_| true);
        let text = text(&smallest);
        let done: Vec<&str> = text.lines().filter(|line| *line != "quiet a").collect();
        prop_assert_eq!(done, ["open a"]);
    }
}
