//! Diagnoses of peers that are made up, by knowledge that is.

use super::*;
use crate::event::{CaseResult, Confidence, Diagnosis, Verdict};
use crate::spec::{CaseId, Clause, Level, Role};
use std::collections::BTreeSet;

const SILENT: &str = "no reply, the connection was still open after 435 ms";
const CLOSED: &str = "the server closed where a reply was owed";

/// What was seen: cases that failed, each with what was found, and cases that passed.
fn seen(failed: &[(&str, &str)], passed: &[&str]) -> Observation {
    let mut cases = serde_json::Map::new();
    for (case, what) in failed {
        let symptom = Symptom::told("one-reply", what);
        cases.insert((*case).to_owned(), symptom.as_str().into());
    }
    for case in passed {
        cases.insert((*case).to_owned(), serde_json::Value::Null);
    }
    serde_json::from_value(cases.into()).unwrap()
}

fn head(id: &str) -> Head {
    Head {
        id: id.to_owned(),
        role: Role::Server,
        copies: String::new(),
        clause: Clause::OneReply,
        title: format!("It is {id}"),
        advice: "Do otherwise.".to_owned(),
        sketch: String::new(),
        needs: String::new(),
    }
}

/// Three causes: one that silences a and b, one that closes c and d, one that closes e alone.
fn knowledge() -> Knowledge {
    let play = |id: &str, seen: Observation| {
        let play = Play {
            role: Role::Server,
            planted: vec![id.to_owned()],
            seen,
        };
        [play.clone(), play]
    };
    let plays = [
        play(
            "silent",
            seen(&[("a", SILENT), ("b", SILENT)], &["c", "d", "e"]),
        ),
        play(
            "closing",
            seen(&[("c", CLOSED), ("d", CLOSED)], &["a", "b", "e"]),
        ),
        play("single", seen(&[("e", CLOSED)], &["a", "b", "c", "d"])),
    ];
    let heads = ["silent", "closing", "single"].map(head);
    Knowledge::default().updated(heads.to_vec(), Vec::new(), plays.as_flattened())
}

fn diagnosed(failed: &[(&str, &str)], passed: &[&str]) -> Diagnosis {
    diagnose(&knowledge(), Role::Server, &seen(failed, passed))
}

fn ids(diagnosis: &Diagnosis) -> Vec<&str> {
    let causes = diagnosis.causes.iter();
    causes.map(|cause| cause.id.as_str()).collect()
}

#[test]
fn where_nothing_failed_there_is_no_cause() {
    assert_eq!(diagnosed(&[], &["a", "b"]), Diagnosis::default());
}

#[test]
fn one_cause_explains_all_that_it_fails() {
    let told = diagnosed(&[("a", SILENT), ("b", SILENT)], &["c", "d", "e"]);
    assert_eq!(ids(&told), ["silent"]);
    let cause = &told.causes[0];
    assert_eq!(cause.explains, ["a", "b"]);
    assert_eq!(cause.clause, "one-reply");
    assert_eq!(cause.title, "It is silent");
    assert!(told.unexplained.is_empty());
}

#[test]
fn several_causes_explain_what_none_does_alone() {
    let failed = [("a", SILENT), ("b", SILENT), ("c", CLOSED), ("d", CLOSED)];
    let mut told = diagnosed(&failed, &["e"]);
    told.causes.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(ids(&told), ["closing", "silent"]);
}

#[test]
fn what_passed_speaks_against_a_cause_and_what_was_not_played_does_not() {
    let contradicted = diagnosed(&[("a", SILENT)], &["b", "c", "d", "e"]);
    assert!(contradicted.causes.is_empty(), "{contradicted:?}");
    assert_eq!(contradicted.unexplained, ["a"]);
    let unplayed = diagnosed(&[("a", SILENT)], &["c", "d", "e"]);
    assert_eq!(ids(&unplayed), ["silent"]);
}

#[test]
fn a_cause_that_does_not_show_what_it_is_itself_a_breach_of_is_not_there() {
    const SPINS: &str = "cpu: all of the time was spent";
    let seen = |spins: serde_json::Value| -> Observation {
        let open = "orderly-close: the connection was still open";
        let cases =
            serde_json::json!({ "cpu/idle": spins, "a": open, "b": open, "c": open, "d": open });
        serde_json::from_value(cases).unwrap()
    };
    let spins = Head {
        clause: Clause::Cpu,
        ..head("spins")
    };
    let play = Play {
        role: Role::Server,
        planted: vec!["spins".to_owned()],
        seen: seen(SPINS.into()),
    };
    let knowledge = Knowledge::default().updated(vec![spins], Vec::new(), &[play.clone(), play]);
    let causes = |spins| ids(&diagnose(&knowledge, Role::Server, &seen(spins))).len();
    assert_eq!(causes(SPINS.into()), 1);
    assert_eq!(causes("orderly-close: it was still open".into()), 1);
    assert_eq!(causes(serde_json::Value::Null), 0);
}

#[test]
fn what_nothing_explains_is_told() {
    let told = diagnosed(&[("a", SILENT), ("b", SILENT), ("x", SILENT)], &["c", "d"]);
    assert_eq!(ids(&told), ["silent"]);
    assert_eq!(told.unexplained, ["x"]);
}

#[test]
fn where_most_is_not_explained_a_guess_blames_nobody() {
    let others: Vec<String> = (0..30).map(|number| format!("x/{number}")).collect();
    let told = |others: &[String]| {
        let mut failed = vec![("e", CLOSED)];
        failed.extend(others.iter().map(|case| (case.as_str(), SILENT)));
        diagnosed(&failed, &["a", "b", "c", "d"])
    };
    assert_eq!(ids(&told(&others[..3])), ["single"]);
    let told = told(&others);
    assert!(told.causes.is_empty(), "{told:?}");
    assert_eq!(told.unexplained.len(), 31);
}

#[test]
fn another_symptom_is_weaker() {
    let same = diagnosed(&[("c", CLOSED), ("d", CLOSED)], &["a", "b", "e"]);
    let half = diagnosed(&[("c", CLOSED), ("d", SILENT)], &["a", "b", "e"]);
    assert!(same.causes[0].confidence >= half.causes[0].confidence);
}

#[test]
fn what_only_looks_alike_blames_nobody() {
    let told = diagnosed(&[("c", SILENT), ("d", SILENT)], &["a", "b", "e"]);
    assert!(told.causes.is_empty(), "{told:?}");
    assert_eq!(told.unexplained, ["c", "d"]);
}

#[test]
fn a_single_case_makes_no_cause_certain() {
    let told = diagnosed(&[("e", CLOSED)], &["a", "b", "c", "d"]);
    assert_eq!(ids(&told), ["single"]);
    assert_ne!(told.causes[0].confidence, Confidence::Certain);
}

#[test]
fn a_role_has_its_own_causes() {
    let seen = seen(&[("a", SILENT), ("b", SILENT)], &[]);
    let told = diagnose(&knowledge(), Role::Client, &seen);
    assert!(told.causes.is_empty());
}

#[test]
fn knowledge_survives_being_written_and_what_is_not_played_again_is_kept() {
    let knowledge = knowledge();
    let read = Knowledge::parse(&knowledge.to_text().unwrap()).unwrap();
    assert_eq!(read, knowledge);
    let heads = knowledge.entries().iter().map(|entry| entry.head.clone());
    assert_eq!(
        knowledge.updated(heads.collect(), Vec::new(), &[]),
        knowledge
    );
}

#[test]
fn what_comes_with_the_program_can_be_read() {
    assert!(!Knowledge::embedded().entries().is_empty());
}

fn names(cases: &[&str]) -> BTreeSet<String> {
    cases.iter().map(|case| (*case).to_owned()).collect()
}

fn silent() -> Outcome {
    Outcome::Failed(Symptom::told("one-reply", SILENT))
}

#[test]
fn a_cause_explains_others_once_two_of_its_failures_are_confirmed() {
    let knowledge = knowledge();
    let seen = seen(&[("a", SILENT), ("b", SILENT)], &["c", "d", "e"]);
    let known = KnownCauses::of(&knowledge, Role::Server, &seen);
    let explaining = |case, confirmed: &[&str]| {
        let confirmed = names(confirmed);
        let cause = known.explaining(case, &silent(), &confirmed);
        cause.map(|cause| cause.id.clone())
    };
    assert_eq!(explaining("b", &["a"]), None);
    assert_eq!(explaining("b", &["a", "b"]).as_deref(), Some("silent"));
    assert_eq!(explaining("c", &["a", "b"]), None);
    let elsewhere = Outcome::Failed(Symptom::told("fidelity", "another text"));
    assert_eq!(known.explaining("b", &elsewhere, &names(&["a", "b"])), None);
    assert_eq!(
        known.explaining("b", &Outcome::Passed, &names(&["a", "b"])),
        None
    );
}

#[test]
fn only_a_certain_cause_foretells_and_only_what_always_failed() {
    let play = |failed: &[(&str, &str)], passed: &[&str]| Play {
        role: Role::Server,
        planted: vec!["silent".to_owned()],
        seen: seen(failed, passed),
    };
    let cases = ["a", "b", "f", "g", "h", "i"].map(|case| (case, SILENT));
    let plays = [
        play(&cases, &["c"]),
        play(&cases, &["c"]),
        play(&cases[1..], &["a", "c"]),
    ];
    let knowledge = Knowledge::default().updated(vec![head("silent")], Vec::new(), &plays);
    let known = KnownCauses::of(&knowledge, Role::Server, &seen(&cases[..5], &["c"]));
    let foretelling = |case, confirmed: &[&str]| {
        let confirmed = names(confirmed);
        known.foretelling(case, &confirmed).is_some()
    };
    assert!(foretelling("i", &["b", "f"]));
    assert!(!foretelling("i", &["b"]));
    assert!(!foretelling("a", &["b", "f"]));
    assert!(!foretelling("c", &["b", "f"]));
}

/// What there is none of in a format nobody can have made wrong there.
#[test]
fn a_cause_that_the_format_has_no_room_for_is_not_named() {
    let mut entry = head("closing");
    entry.needs = "ids".to_owned();
    let knowledge = knowledge();
    let knowledge = knowledge.updated(vec![head("silent"), entry], Vec::new(), &[]);
    let named = |lacking: Lacking| {
        let mut found = Observation::within(lacking);
        found.add(seen(&[("c", CLOSED), ("d", CLOSED)], &["a", "b"]));
        !diagnose(&knowledge, Role::Server, &found).causes.is_empty()
    };
    let without = |needs: &[&'static str], clauses: &[Clause]| Lacking {
        needs: needs.to_vec(),
        clauses: clauses.to_vec(),
    };
    assert!(named(without(&["varint"], &[Clause::Nesting])));
    assert!(!named(without(&["ids"], &[])));
    assert!(!named(without(&[], &[Clause::OneReply])));
}

/// Three that fail as many cases each: one of them shows at the first look, too.
fn ordered() -> Knowledge {
    let play = |id: &str, failed: &[(&str, &str)]| {
        let play = Play {
            role: Role::Server,
            planted: vec![id.to_owned()],
            seen: seen(failed, &["z"]),
        };
        [play.clone(), play]
    };
    let plays = [
        play("loud", &[("a", SILENT), ("b", SILENT), ("c", SILENT)]),
        play("mild", &[("d", CLOSED), ("e", CLOSED), ("f", CLOSED)]),
        play("seen", &[("g", CLOSED), (FIRST_LOOK, CLOSED)]),
    ];
    let heads = ["loud", "mild", "seen"].map(head);
    Knowledge::default().updated(heads.to_vec(), Vec::new(), plays.as_flattened())
}

#[test]
fn what_the_first_look_has_shown_comes_first_and_what_only_warns_last() {
    let mut found = seen(
        &[
            ("a", SILENT),
            ("b", SILENT),
            ("c", SILENT),
            ("g", CLOSED),
            (FIRST_LOOK, CLOSED),
        ],
        &["z"],
    );
    for case in ["d", "e", "f"] {
        found.note(&warned(case));
    }
    let told = diagnose(&ordered(), Role::Server, &found);
    assert_eq!(ids(&told), ["seen", "loud", "mild"]);
    for case in ["a", "b", "c"] {
        found.note(&warned(case));
    }
    let told = diagnose(&ordered(), Role::Server, &found);
    assert_eq!(ids(&told)[0], "seen");
}

fn warned(id: &str) -> CaseResult {
    let case = CaseId::new(Clause::OneReply, "single");
    CaseResult {
        id: id.to_owned(),
        verdict: Verdict::Warn,
        detail: CLOSED.into(),
        ..CaseResult::unjudged(case, Level::Should, "", "")
    }
}

#[test]
fn the_case_that_shows_a_cause_fails_just_as_is_typical_of_it() {
    let told = diagnosed(&[("a", SILENT), ("b", CLOSED)], &["c", "d"]);
    assert_eq!(told.causes[0].explains, ["a", "b"]);
    assert_eq!(told.causes[0].shows, ["a"]);
}

/// Two that fail a case alike, and another case each.
#[test]
fn what_no_case_tells_apart_that_was_played_is_a_guess_from_few() {
    let of = |id: &str, own: &str, other: &str| Play {
        role: Role::Server,
        planted: vec![id.to_owned()],
        seen: seen(&[("a", SILENT), ("b", SILENT), (own, SILENT)], &[other]),
    };
    let plays = [of("one", "c", "d"), of("two", "d", "c")];
    let plays = [plays.clone(), plays].concat();
    let knowledge =
        Knowledge::default().updated(vec![head("one"), head("two")], Vec::new(), &plays);
    let few = |failed: &[(&str, &str)], passed: &[&str]| {
        diagnose(&knowledge, Role::Server, &seen(failed, passed)).few
    };
    let both = [("a", SILENT), ("b", SILENT)];
    assert_eq!(few(&both, &[]), Some(2));
    assert_eq!(
        few(&[("a", SILENT), ("b", SILENT), ("c", SILENT)], &["d"]),
        None
    );
}
