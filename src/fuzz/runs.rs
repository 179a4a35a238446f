//! Runs made by chance, with texts and octets in them that try to get out of the place where they are shown.

use crate::event::{
    Attempts, Calibration, CaseResult, Cause, ChunkMarks, Confidence, Diagnosis, Evidence,
    FindingNote, Finished, FrameMark, Known, KnownKind, Moment, Problem, Run, SCHEMA, Side, Stale,
    Started, Summary, Unchecked, Verdict, What,
};
use crate::script::draws::Draws;
use crate::spec::{Clause, Level};

/// What acts on terminals, ends markup, or is a line of another format.
const PIECES: &[&str] = &[
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\u{202e}gnp.exe\u{2066}",
    "\u{2028}",
    "\u{feff}",
    "\u{ffff}",
    "\u{0}",
    "\r",
    "\n",
    "\t",
    "]]>",
    "-->",
    "<!--",
    "<script>alert(1)</script>",
    "<b onclick='x'>",
    "</td></table>",
    "&lt;",
    "'",
    "\"",
    "\\",
    "|",
    "`",
    "@all",
    "https://example.org",
    "\n::error::x",
    "\nnot ok 1 - x",
    "\n1..0",
    "\nBail out!",
    " # SKIP",
    "\n  ---\n  ...\n",
    "\n</pre></details>\n",
    "{text}",
    "\u{e9}\u{1f600}",
    "a",
    "word ",
    "no-space-in-it-for-as-long-as-a-line-of-a-report-is-wide-and-then-some-more-of-the-same-kind",
];

/// The run that octets stand for.
pub(super) fn run(draws: &mut Draws) -> Run {
    let results: Vec<_> = (0..draws.below(4)).map(|_| result(draws)).collect();
    let mut summary = Summary {
        elapsed_ms: draws.number(),
        ..Summary::default()
    };
    results
        .iter()
        .for_each(|result| summary.count(result.verdict));
    Run {
        started: started(&results, draws),
        calibration: draws.one_in(2).then(|| calibration(draws)),
        finished: finished(summary, draws),
        diagnosis: diagnosis(&results, draws),
        results,
    }
}

fn started(results: &[CaseResult], draws: &mut Draws) -> Started {
    Started {
        schema: SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        target: text(draws).into(),
        profile: text(draws),
        selected: results.len(),
        seed: draws.number(),
        unix_ms: draws.one_in(2).then(|| draws.number()),
        selection: results.iter().map(|result| result.id.clone()).collect(),
        strict: draws.one_in(2),
        datagrams: draws.one_in(2),
        ..Started::default()
    }
}

fn calibration(draws: &mut Draws) -> Calibration {
    Calibration {
        client: text(draws).into(),
        reply: text(draws),
        round_trip_us: draws.number(),
        notes: vec![text(draws).into()],
        ..Calibration::default()
    }
}

fn finished(summary: Summary, draws: &mut Draws) -> Finished {
    let clause = clause(draws).to_string();
    let stale = draws.one_in(3).then(|| Stale {
        case: text(draws),
        problem: Problem::NoSuchCase,
        known: known(draws),
    });
    let unchecked = draws.one_in(3).then(|| Unchecked {
        clause: clause.clone(),
        why: text(draws).into(),
    });
    Finished {
        summary,
        broken_off: draws.one_in(3).then(|| text(draws).into()),
        stale: stale.into_iter().collect(),
        clauses_checked: vec![clause],
        clauses_unchecked: unchecked.into_iter().collect(),
    }
}

fn diagnosis(results: &[CaseResult], draws: &mut Draws) -> Diagnosis {
    let explains = results.iter().take(1).map(|result| result.id.clone());
    let cause = draws.one_in(3).then(|| Cause {
        id: text(draws),
        title: text(draws).into(),
        clause: clause(draws).to_string(),
        level: level(draws),
        confidence: Confidence::Likely,
        advice: text(draws).into(),
        sketch: text(draws),
        explains: explains.collect(),
        shows: vec![text(draws)],
        alike: vec![text(draws)],
    });
    Diagnosis {
        causes: cause.into_iter().collect(),
        unexplained: vec![text(draws)],
        few: draws.one_in(2).then_some(1),
    }
}

fn result(draws: &mut Draws) -> CaseResult {
    let clause = clause(draws);
    // What a file is called that was replayed may be anything.
    let id = match draws.one_in(3) {
        true => text(draws),
        false => format!("{clause}/variant"),
    };
    CaseResult {
        id,
        clause: clause.to_string(),
        level: level(draws),
        verdict: one(&Verdict::ALL, Verdict::Error, draws),
        known: draws.one_in(4).then(|| known(draws)),
        detail: text(draws).into(),
        elapsed_ms: draws.number(),
        why: text(draws).into(),
        attempts: Attempts { failed: 1, of: 2 },
        findings: draws
            .one_in(2)
            .then(|| finding(draws))
            .into_iter()
            .collect(),
        rerun: text(draws),
        file: draws.one_in(2).then(|| text(draws)),
        evidence: draws.one_in(2).then(|| evidence(draws)),
    }
}

fn finding(draws: &mut Draws) -> FindingNote {
    FindingNote {
        clause: clause(draws).to_string(),
        level: level(draws),
        what: text(draws).into(),
        conn: text(draws),
        frame: draws.one_in(2).then(|| draws.below(1 << 20)),
    }
}

fn evidence(draws: &mut Draws) -> Evidence {
    let frames = (0..draws.below(3)).map(|_| mark(draws)).collect();
    Evidence {
        script: text(draws),
        timeline: (0..draws.below(8)).map(|_| moment(draws)).collect(),
        frames,
        permitted: vec![text(draws).into()],
        stderr: text(draws),
    }
}

fn moment(draws: &mut Draws) -> Moment {
    let what = match draws.below(10) {
        0 => What::Connected,
        1..=2 => What::Sent {
            octets: octets(draws),
        },
        3..=4 => What::Received {
            octets: octets(draws),
        },
        5 => What::ClientFin,
        6 => What::ClientRst,
        7 => What::Fin,
        8 => What::Rst,
        _ => What::Note {
            text: text(draws).into(),
        },
    };
    let at_us = match draws.one_in(8) {
        true => draws.number(),
        false => draws.number() >> 40,
    };
    Moment {
        at_us,
        conn: conn(draws),
        what,
    }
}

fn mark(draws: &mut Draws) -> FrameMark {
    let part = |draws: &mut Draws| match draws.one_in(8) {
        true => usize::MAX,
        false => draws.below(80),
    };
    FrameMark {
        conn: conn(draws),
        from: one(&[Side::Client, Side::Server], Side::Client, draws),
        start: part(draws),
        header: part(draws),
        payload: part(draws),
        padding: part(draws),
        chunks: draws.one_in(4).then(|| ChunkMarks {
            count: part(draws),
            header: part(draws),
            octets: part(draws),
        }),
    }
}

fn conn(draws: &mut Draws) -> String {
    match draws.one_in(6) {
        true => text(draws),
        false => one(&["a", "b"], "a", draws).to_owned(),
    }
}

fn known(draws: &mut Draws) -> Known {
    Known {
        kind: one(
            &[KnownKind::Failure, KnownKind::Flaky],
            KnownKind::Flaky,
            draws,
        ),
        reason: text(draws),
    }
}

fn clause(draws: &mut Draws) -> Clause {
    let all: Vec<_> = Clause::all().collect();
    one(&all, Clause::Order, draws)
}

fn level(draws: &mut Draws) -> Level {
    one(
        &[Level::May, Level::Should, Level::Must],
        Level::Must,
        draws,
    )
}

fn one<T: Copy>(several: &[T], otherwise: T, draws: &mut Draws) -> T {
    draws.pick(several).copied().unwrap_or(otherwise)
}

/// Pieces one behind the other, and octets that may be anything.
fn text(draws: &mut Draws) -> String {
    let mut text = String::new();
    for _ in 0..draws.below(5) {
        match draws.one_in(4) {
            true => text.push_str(&String::from_utf8_lossy(&octets(draws))),
            false => text.push_str(one(PIECES, "", draws)),
        }
    }
    text
}

fn octets(draws: &mut Draws) -> Vec<u8> {
    let octets = draws.below(90);
    let octet = |draws: &mut Draws| u8::try_from(draws.below(256)).unwrap_or_default();
    (0..octets).map(|_| octet(draws)).collect()
}
