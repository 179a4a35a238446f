//! A run made by hand for the tests of reports: every verdict, several connections, and a peer that
//! tries everything to get out of the place where its octets are shown.

use crate::event::{
    Attempts, Calibration, CaseResult, Cause, Confidence, Diagnosis, Event, Evidence, FindingNote,
    Finished, FrameMark, Known, KnownKind, Moment, Problem, Role, Run, SCHEMA, Side, Stale,
    Started, Summary, Unchecked, Verdict, What,
};
use crate::spec::{Clause, Level};

/// Text that acts on terminals, turns the direction of writing, and ends any markup.
pub(crate) const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;title\u{7} \u{202e}gnp.exe\u{2066} \0 \u{9b}2J \
     ]]> <script>alert('x')</script> \"q\" `c` |a|b| @all # & \r\n::error::x";

/// The same trick in octets, and some that are no UTF-8.
pub(crate) fn hostile_octets() -> Vec<u8> {
    let mut octets = vec![0, 0, 0, 0xb4];
    octets.extend_from_slice(HOSTILE.as_bytes());
    octets.extend_from_slice(&[0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]);
    octets
}

/// The run.
pub(crate) fn run() -> Run {
    let results = results();
    let mut summary = Summary {
        elapsed_ms: 7_482,
        ..Summary::default()
    };
    for result in &results {
        summary.count(result.verdict);
    }
    Run {
        started: Started {
            role: Role::Server,
            schema: SCHEMA.into(),
            version: "0.1.0".into(),
            target: "127.0.0.1:7000".into(),
            profile: "tutorial".into(),
            datagrams: false,
            selected: results.len(),
            seed: 7,
            unix_ms: Some(1_764_000_000_000),
            selection: Vec::new(),
            strict: false,
        },
        calibration: Some(Calibration {
            client: "".into(),
            round_trip_us: 85,
            reply: "echo".into(),
            concurrent: true,
            slack_us: 2_000,
            timeout_ms: 5_000,
            notes: vec![format!("the first reply said {HOSTILE}").into()],
        }),
        finished: Finished {
            summary,
            broken_off: None,
            stale: Vec::new(),
            clauses_checked: [
                "length-prefix",
                "reassembly",
                "boundary",
                "padding",
                "reply-text",
                "one-reply",
                "patience",
            ]
            .map(str::to_owned)
            .into(),
            clauses_unchecked: [
                ("memory", "needs the process of the server: give --pid"),
                ("cpu", "needs the process of the server: give --pid"),
                ("deadline", "slow: give --slow"),
            ]
            .map(|(clause, why)| Unchecked {
                clause: clause.into(),
                why: why.into(),
            })
            .into(),
        },
        diagnosis: diagnosis(),
        results,
    }
}

fn diagnosis() -> Diagnosis {
    let sure = Cause {
        id: "header-in-one-read".into(),
        title: "The header is taken from a single read".into(),
        clause: "reassembly".into(),
        level: Level::Must,
        confidence: Confidence::Certain,
        advice: "Read until every octet of the header has come.".into(),
        sketch: "read-exactly".into(),
        explains: vec!["reassembly/octet-by-octet".into()],
        shows: Vec::new(),
        alike: Vec::new(),
    };
    let guess = Cause {
        id: "padding-removed-in-pairs".into(),
        title: "Padding is removed two octets at a time".into(),
        clause: "padding".into(),
        level: Level::Must,
        confidence: Confidence::Guess,
        advice: "Remove every pad octet at the end.".into(),
        sketch: "strip".into(),
        explains: vec!["padding/one-chunk-more".into()],
        shows: Vec::new(),
        alike: vec!["less-than-a-chunk-of-padding".into()],
    };
    Diagnosis {
        causes: vec![sure, guess],
        unexplained: vec!["boundary/two-at-once".into()],
        few: None,
    }
}

/// The run as the events that told it; the cases end in another order than that of the table.
pub(crate) fn events() -> Vec<Event> {
    let run = run();
    let selection = run.results.iter().map(|result| result.id.clone()).collect();
    let mut events = vec![Event::Started(Started {
        selection,
        ..run.started
    })];
    events.extend(run.calibration.map(Event::Calibrated));
    for result in run.results.iter().rev() {
        let id = result.id.clone();
        events.push(Event::CaseStarted { id });
    }
    for result in run.results.into_iter().rev() {
        events.push(Event::CaseFinished(Box::new(result)));
    }
    events.push(Event::Diagnosed(run.diagnosis));
    events.push(Event::Finished(run.finished));
    events
}

/// The run, of which some is known: a failure, a flaky case, and two entries that no longer hold.
pub(crate) fn known() -> Run {
    let mut run = run();
    let of = |kind, reason: &str| Known {
        kind,
        reason: reason.into(),
    };
    for result in &mut run.results {
        result.known = match result.id.as_str() {
            "reassembly/octet-by-octet" => Some(of(KnownKind::Failure, "reads once: issue 12")),
            "boundary/two-at-once" => Some(of(KnownKind::Failure, HOSTILE)),
            "one-reply/late-second" => Some(of(KnownKind::Flaky, "a race: issue 15")),
            _ => None,
        };
    }
    run.finished.stale = vec![
        Stale {
            case: "length-prefix/one-octet".into(),
            problem: Problem::Passes,
            known: of(KnownKind::Failure, "mended since"),
        },
        Stale {
            case: format!("order/{HOSTILE}"),
            problem: Problem::NoSuchCase,
            known: of(KnownKind::Flaky, HOSTILE),
        },
    ];
    run.finished.summary.known = 3;
    run.finished.summary.stale = 2;
    run
}

/// A run in which all is well but for what is known.
pub(crate) fn only_known() -> Run {
    let mut run = known();
    run.finished.stale.clear();
    run.finished.summary.stale = 0;
    run.finished.summary.error = 0;
    run.results
        .retain(|result| result.verdict != Verdict::Error);
    run
}

/// A run in which all is well.
pub(crate) fn full_pass() -> Run {
    let mut run = run();
    run.results = Role::Server
        .clauses()
        .map(|clause| case(&format!("{clause}/plain"), Verdict::Pass, ""))
        .collect();
    run.started.selected = run.results.len();
    run.finished = Finished {
        summary: Summary {
            pass: run.results.len(),
            elapsed_ms: 612,
            ..Summary::default()
        },
        clauses_checked: Role::Server
            .clauses()
            .map(|clause| clause.to_string())
            .collect(),
        ..Finished::default()
    };
    if let Some(calibration) = &mut run.calibration {
        calibration.notes.clear();
    }
    run
}

fn results() -> Vec<CaseResult> {
    vec![
        case("length-prefix/one-octet", Verdict::Pass, ""),
        case("length-prefix/two-chunks", Verdict::Pass, ""),
        in_pieces(),
        hostile(),
        CaseResult {
            level: Level::Should,
            ..case(
                "padding/one-chunk-more",
                Verdict::Warn,
                "connection a: closed (FIN) where the reply to a message with one chunk of surplus padding was expected",
            )
        },
        case("reply-text/echo", Verdict::Pass, ""),
        late(),
        case(
            "one-reply/harness",
            Verdict::Error,
            "the checker could not open a socket: Too many open files",
        ),
        case("patience/pause-in-header", Verdict::Pass, ""),
        case("deadline/half-a-header", Verdict::Skip, "slow: give --slow"),
        case(
            "memory/claimed",
            Verdict::Skip,
            "needs the process of the server: give --pid",
        ),
        case(
            "memory/returned",
            Verdict::Skip,
            "needs the process of the server: give --pid",
        ),
        case(
            "cpu/idle",
            Verdict::Skip,
            "needs the process of the server: give --pid",
        ),
    ]
}

/// A case without any evidence.
pub(crate) fn case(id: &str, verdict: Verdict, detail: &str) -> CaseResult {
    let clause = id.split('/').next().unwrap_or_default();
    let level = Clause::from_slug(clause).map_or(Level::Must, Clause::level);
    CaseResult {
        detail: detail.into(),
        elapsed_ms: 3,
        attempts: Attempts { failed: 0, of: 1 },
        ..CaseResult::bare(id, clause, level, verdict)
    }
}

/// One octet at a time, then nothing: the server waits for a header that it has half read.
fn in_pieces() -> CaseResult {
    let mut timeline = vec![moment(0, "a", What::Connected)];
    let frame = frame(b"{\"nombre\": \"Margot\", \"edad\": 15, \"raza\": \"Schnauzer\"}");
    for (octet, at) in frame.iter().zip(1_u64..) {
        timeline.push(moment(100 + at * 37, "a", sent(&[*octet])));
    }
    timeline.push(note(5_002_611, "a", "nothing for 5 s: given up"));
    timeline.push(moment(5_002_700, "a", What::ClientRst));
    failed(
        "reassembly/octet-by-octet",
        "connection a: no reply within 5 s to the message at 0000",
        Evidence {
            script: "framespec script 1\nopen a\n".into(),
            timeline,
            frames: vec![mark("a", Side::Client, 0, 53)],
            permitted: vec!["a 0000: exactly one reply, which means what the request means".into()],
            stderr: String::new(),
        },
    )
}

/// Two connections, a coalesced burst, a large message, and a reply full of tricks.
fn hostile() -> CaseResult {
    let mut burst = frame(b"1");
    burst.extend(frame(b"\"two\""));
    let large = frame(format!("\"{}\"", "x".repeat(4_000)).as_bytes());
    let timeline = vec![
        moment(0, "a", What::Connected),
        moment(41, "b", What::Connected),
        moment(112, "a", sent(&burst)),
        moment(118, "b", sent(&large)),
        moment(240, "a", received(&burst[..64])),
        moment(377, "b", received(&hostile_octets())),
        note(380, "b", HOSTILE),
        moment(401, "b", What::Fin),
        moment(433, "b", What::ClientFin),
        moment(470, "a", What::Rst),
    ];
    let mut result = failed(
        "boundary/two-at-once",
        &format!("connection b: the reply to the message at 0000 is {HOSTILE}"),
        Evidence {
            script: "framespec script 1\nopen a\nopen b\n".into(),
            timeline,
            frames: vec![
                mark("a", Side::Client, 0, 1),
                mark("a", Side::Client, 64, 5),
                mark("b", Side::Client, 0, 4_002),
                mark("a", Side::Server, 0, 1),
                FrameMark {
                    padding: 0,
                    ..mark("b", Side::Server, 0, hostile_octets().len() - 4)
                },
            ],
            permitted: vec![
                "a 0000: exactly one reply, which means what the request means".into(),
                "a 0040: exactly one reply, which means what the request means".into(),
                "b 0000: exactly one reply, which means what the request means".into(),
            ],
            stderr: format!(
                "Traceback (most recent call last):\n  File \"server.py\", line 12\n{HOSTILE}\n"
            ),
        },
    );
    result.findings.push(FindingNote {
        clause: "persistence".into(),
        level: Level::Must,
        what: "reset (RST) before the client had ended its stream".into(),
        conn: "a".into(),
        frame: Some(64),
    });
    result
}

/// Failed at first, and passed when run again alone.
fn late() -> CaseResult {
    let frame = frame(b"\"late\"");
    CaseResult {
        verdict: Verdict::Unstable,
        attempts: Attempts { failed: 1, of: 3 },
        ..failed(
            "one-reply/late-second",
            "connection a: a second reply to the message at 0000",
            Evidence {
                script: "framespec script 1\nopen a\n".into(),
                timeline: vec![
                    moment(0, "a", What::Connected),
                    moment(90, "a", sent(&frame)),
                    moment(204, "a", received(&frame)),
                    moment(1_204, "a", received(&frame)),
                    moment(1_300, "a", What::ClientFin),
                    moment(1_366, "a", What::Fin),
                ],
                frames: vec![
                    mark("a", Side::Client, 0, 6),
                    mark("a", Side::Server, 0, 6),
                    mark("a", Side::Server, 64, 6),
                ],
                permitted: vec![
                    "a 0000: exactly one reply, which means what the request means".into(),
                ],
                stderr: String::new(),
            },
        )
    }
}

fn failed(id: &str, detail: &str, evidence: Evidence) -> CaseResult {
    let result = case(id, Verdict::Fail, detail);
    let finding = FindingNote {
        clause: result.clause.clone(),
        level: Level::Must,
        what: detail.into(),
        conn: "a".into(),
        frame: Some(0),
    };
    CaseResult {
        elapsed_ms: 5_004,
        why: "A server that reads once and takes what it got for a frame works in every test on one machine and fails on the first slow link.".into(),
        attempts: Attempts { failed: 2, of: 2 },
        findings: vec![finding],
        rerun: format!("conformance check 127.0.0.1:7000 --run {id} --seed 7"),
        evidence: Some(evidence),
        ..result
    }
}

/// The payload as the tutorial's profile frames it.
fn frame(payload: &[u8]) -> Vec<u8> {
    let body = payload.len().next_multiple_of(60);
    let mut frame = u32::try_from(body).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(payload);
    frame.resize(4 + body, 0);
    frame
}

fn mark(conn: &str, from: Side, start: usize, payload: usize) -> FrameMark {
    FrameMark {
        conn: conn.into(),
        from,
        start,
        header: 4,
        payload,
        padding: payload.next_multiple_of(60) - payload,
        chunks: None,
    }
}

fn moment(at_us: u64, conn: &str, what: What) -> Moment {
    Moment {
        at_us,
        conn: conn.into(),
        what,
    }
}

fn note(at_us: u64, conn: &str, text: &str) -> Moment {
    moment(at_us, conn, What::Note { text: text.into() })
}

fn sent(octets: &[u8]) -> What {
    What::Sent {
        octets: octets.into(),
    }
}

fn received(octets: &[u8]) -> What {
    What::Received {
        octets: octets.into(),
    }
}
