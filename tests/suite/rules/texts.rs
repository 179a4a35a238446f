//! The texts of each language are those of the program, and no others.

use super::source::{self, Source};
use super::{none, rust};
use framespec::cases;
use framespec::diagnosis::Knowledge;
use framespec::lang::{Language, holes};
use framespec::profile::Profile;
use framespec::spec::{Clause, Group, Role};
use framespec::transport::{Address, Name};
use std::collections::BTreeSet;

/// The tables of a file that are held against other things than `say!`: the help, against that of the program, where it
/// is made, and sentences of rooms that know of no languages, and of other crates.
const APART: [&str; 3] = ["help", HEARD, "foreign"];
const HEARD: &str = "heard";

/// The texts of the sources, outside of tests, that are such.
fn texts(is_such: impl Fn(&source::Text) -> bool) -> Vec<String> {
    let sources: Vec<Source> = rust(&["src"]).iter().map(Source::of).collect();
    let is_test = |source: &&Source| !sources.iter().any(|other| other.declares_as_test(source));
    let texts = sources
        .iter()
        .filter(is_test)
        .flat_map(|source| &source.texts);
    let read = texts
        .filter(|text| is_such(text))
        .filter_map(|text| serde_json::from_str(&format!("\"{}\"", text.text)).ok());
    read.collect()
}

/// Every text in a `say!` of the sources, as long as there are words in it.
fn said() -> BTreeSet<String> {
    let said = texts(|text| text.is_said).into_iter();
    said.filter(|text| has_words(text)).collect()
}

fn has_words(template: &str) -> bool {
    let mut rest = template.to_owned();
    for hole in holes(template) {
        rest = rest.replace(&format!("{{{hole}}}"), "");
    }
    rest.contains(char::is_alphabetic)
}

/// Every text that stands in a table.
fn tabled() -> BTreeSet<String> {
    let mut texts: BTreeSet<&str> = BTreeSet::new();
    texts.extend(Group::ALL.map(Group::title));
    for clause in Clause::all() {
        texts.insert(clause.sentence());
        texts.extend(clause.likely_causes());
    }
    for role in [Role::Server, Role::Client] {
        texts.extend(cases::all(role).map(|case| case.why));
    }
    let knowledge = Knowledge::embedded();
    for entry in knowledge.entries() {
        texts.extend([entry.head.title.as_str(), &entry.head.advice]);
        for sketch in knowledge.sketches(entry) {
            let comments = sketch.lines().filter_map(|(_, comment)| comment);
            texts.extend(comments.filter(|comment| has_words(comment)));
        }
    }
    let elsewhere = ([127, 0, 0, 1], 1).into();
    let Ok(Name::Unix(path)) = "unix:/x".parse() else {
        panic!("that is a path")
    };
    let unusual = [Address::Udp(elsewhere), Address::Unix(path)];
    texts.extend(unusual.iter().filter_map(Address::no_reset));
    let texts = texts.into_iter().map(str::to_owned);
    texts.chain(profiles()).collect()
}

/// What profiles say of themselves that come with the program.
fn profiles() -> Vec<String> {
    let built_in = Profile::BUILT_IN.into_iter().filter_map(Profile::built_in);
    let shipped = Profile::shipped_names().filter_map(Profile::shipped);
    let all = built_in.chain(shipped);
    all.map(|profile| profile.about().to_owned()).collect()
}

fn languages() -> impl Iterator<Item = Language> {
    Language::codes().filter_map(|code| Language::named(code).unwrap())
}

#[test]
fn each_language_has_every_text_and_no_other() {
    let own: BTreeSet<String> = said().union(&tabled()).cloned().collect();
    assert!(own.len() > 1_000, "{}", own.len());
    let mut wrong = Vec::new();
    for language in languages() {
        let tables = language.tables().filter(|table| !APART.contains(table));
        let known: Vec<&str> = tables
            .flat_map(|table| language.table(table).map(|(english, _)| english))
            .collect();
        let once: BTreeSet<String> = known.iter().map(|text| (*text).to_owned()).collect();
        let code = language.code();
        wrong.extend(
            own.difference(&once)
                .map(|text| format!("{code}: missing: {text:?}")),
        );
        wrong.extend(
            once.difference(&own)
                .map(|text| format!("{code}: nowhere said: {text:?}")),
        );
        if known.len() > once.len() {
            wrong.push(format!("{code}: a text stands in two tables"));
        }
    }
    none(wrong);
}

#[test]
fn holes_are_the_same_in_each_language() {
    let sorted = |text: &str| {
        let holes: BTreeSet<String> = holes(text).into_iter().map(str::to_owned).collect();
        holes
    };
    let mut wrong = Vec::new();
    for language in languages() {
        for table in language.tables() {
            for (english, text) in language.table(table) {
                let ends = |text: &str| (text.starts_with(' '), text.ends_with(' '));
                let is_alike = sorted(english) == sorted(text) && ends(english) == ends(text);
                if text.is_empty() || !is_alike {
                    wrong.push(format!("{}: {english:?} is {text:?}", language.code()));
                }
            }
        }
    }
    none(wrong);
}

/// What a template says between its holes.
fn between_holes(template: &str) -> Vec<String> {
    let marked = holes(template)
        .into_iter()
        .fold(template.to_owned(), |text, hole| {
            text.replace(&format!("{{{hole}}}"), "\0")
        });
    marked.split('\0').map(str::to_owned).collect()
}

#[test]
fn what_is_heard_of_others_is_what_they_say() {
    let all = texts(|text| !text.is_said).join("\n");
    let mut wrong = Vec::new();
    for language in languages() {
        for (template, _) in language.table(HEARD) {
            let pieces = between_holes(template);
            let mut unsaid = pieces.iter().filter(|piece| !all.contains(*piece));
            wrong.extend(unsaid.next().map(|piece| {
                let code = language.code();
                format!("{code}: nowhere said: {piece:?} of {template:?}")
            }));
        }
    }
    none(wrong);
}
