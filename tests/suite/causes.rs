//! What is known of causes, held against the faults that can be planted, and the diagnosis against peers
//! in which they are.

use crate::generated;
use framespec::diagnosis::Knowledge;
use framespec::profile::Profile;
use framespec::selftest::{Options, Planted, combined, learned, measured, plays};
use framespec::spec::Role;

const KNOWLEDGE: &str = "src/diagnosis/knowledge.json";

/// How many faults of a hundred must be known by what they do. Those of whom nothing is known yet are
/// named by no diagnosis; `conformance causes play` and `causes learn` teach them.
const LEARNED: usize = 90;

/// What is said of causes is what the tables of faults say.
#[test]
fn the_knowledge_is_of_the_faults_that_there_are() {
    let knowledge = learned(Knowledge::embedded(), &[]);
    generated::file(KNOWLEDGE, knowledge.to_text().unwrap().as_bytes());
}

#[test]
fn most_faults_are_known_by_what_they_do() {
    let all: Vec<Planted> = Planted::all().collect();
    let is_unknown = |fault: &&Planted| {
        let entry = Knowledge::embedded().entry(fault.name);
        entry.is_none_or(|entry| entry.lessons().next().is_none())
    };
    let unknown: Vec<&str> = all
        .iter()
        .filter(is_unknown)
        .map(|fault| fault.name)
        .collect();
    let known = all.len() - unknown.len();
    assert!(
        known * 100 >= all.len() * LEARNED,
        "to be learned: {unknown:?}"
    );
}

/// Every case and every clause that it tells of exists.
#[test]
fn the_knowledge_is_of_the_cases_that_there_are() {
    for entry in Knowledge::embedded().entries() {
        for (case, _) in entry.lessons() {
            let is_known =
                case == framespec::diagnosis::FIRST_LOOK || framespec::cases::case(case).is_some();
            assert!(is_known, "{}: {case}: learn it anew", entry.head.id);
        }
    }
}

/// A sample of what `conformance causes play` and `causes measure` do with many.
#[test]
fn planted_faults_are_named() {
    let named = |name| Planted::named(name).unwrap();
    let mut sets: Vec<Vec<Planted>> = [
        "header-in-one-read",
        "body-in-one-read",
        "no-limit",
        "end-ignored",
        "undecodable-ends-the-client",
        "length-counts-characters",
        "zero-digits-stripped",
    ]
    .map(|name| vec![named(name)])
    .into();
    sets.push(vec![named("header-in-one-read"), named("end-ignored")]);
    sets.push(vec![
        named("empty-frame-ignored"),
        named("padded-with-spaces"),
    ]);
    let options = Options::new(Profile::tutorial(), &[Role::Server]);
    let mut played = Vec::new();
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(plays(&options, &sets, 1, &mut |play| played.push(play)))
        .unwrap();
    assert_eq!(played.len(), sets.len());
    let measured = measured(Knowledge::embedded(), &played);
    for figures in measured.figures.values() {
        assert_eq!(figures.first, figures.plays, "{:#?}", measured.misses);
        assert_eq!(figures.all, figures.plays, "{:#?}", measured.misses);
    }
}

#[test]
fn sets_of_faults_follow_from_the_seed_and_go_together() {
    let sets = combined(Role::Server, 3, 20, 7);
    assert_eq!(sets.len(), 20);
    for set in &sets {
        let [one, two, three] = set[..] else {
            panic!("{set:?}")
        };
        assert!(one.goes_with(&two) && two.goes_with(&three) && one.goes_with(&three));
    }
    let names = |sets: &[Vec<Planted>]| -> Vec<&str> {
        sets.iter().flatten().map(|fault| fault.name).collect()
    };
    assert_eq!(names(&sets), names(&combined(Role::Server, 3, 20, 7)));
    assert_ne!(names(&sets), names(&combined(Role::Server, 3, 20, 8)));
}
