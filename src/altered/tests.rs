//! The tables of faults and variants as a whole, for each role.

use super::{Alterable, Alteration, Alterations, Fault, Sketch, Variant, client, server};
use std::collections::BTreeSet;

/// Lower-case words joined by `-`.
fn is_well_formed(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.split('-').all(is_word)
}

fn is_one_sentence(about: &str) -> bool {
    about.ends_with('.')
        && !about.trim_end_matches('.').contains(". ")
        && about.starts_with(|c: char| c.is_uppercase())
        && about.len() > 20
}

fn is_thread_or_cve(copied: &str) -> bool {
    let number = copied.split_once('#').map(|(_, number)| number);
    copied.starts_with("CVE-") || number.is_some_and(|number| number.parse::<u32>().is_ok())
}

fn names_are_told_apart<H: Alterable>() {
    let faults = Fault::<H>::all().map(|fault| fault.name);
    let variants = Variant::<H>::all().map(|variant| variant.name);
    let mut seen = BTreeSet::from([Alteration::<H>::NONE.name]);
    for name in faults.chain(variants) {
        assert!(seen.insert(name), "{name} stands twice");
        assert!(is_well_formed(name), "{name}");
    }
}

fn each_is_found_by_its_name<H: Alterable>() {
    for fault in Fault::<H>::all() {
        let named = Fault::<H>::named(fault.name).map(|found| found.about);
        assert_eq!(named, Some(fault.about));
        assert_eq!(Alteration::from(fault).name, fault.name);
        assert!(Variant::<H>::named(fault.name).is_none());
    }
    for variant in Variant::<H>::all() {
        let named = Variant::<H>::named(variant.name).map(|found| found.about);
        assert_eq!(named, Some(variant.about));
        assert_eq!(Alteration::from(variant).name, variant.name);
    }
}

fn each_is_described_in_one_sentence_of_its_own<H: Alterable>() {
    let faults = Fault::<H>::all().map(|fault| (fault.name, fault.about));
    let variants = Variant::<H>::all().map(|variant| (variant.name, variant.about));
    let mut seen = BTreeSet::new();
    for (name, about) in faults.chain(variants) {
        assert!(is_one_sentence(about), "{name}");
        assert!(seen.insert(about), "{name}: {about}");
    }
}

fn what_is_copied_is_a_thread_or_a_cve<H: Alterable>() {
    for fault in Fault::<H>::all().filter(|fault| !fault.copies.is_empty()) {
        let copied = fault.copies.split(", ").find(|one| !is_thread_or_cve(one));
        assert_eq!(copied, None, "{}", fault.name);
    }
}

fn each_says_what_to_do_about_it<H: Alterable>() {
    let mut titles = BTreeSet::new();
    for fault in Fault::<H>::all() {
        let (name, mend) = (fault.name, fault.mend);
        let is_title = !mend.title.ends_with('.') && mend.title.starts_with(char::is_uppercase);
        assert!(is_title && mend.title.len() < 80, "{name}: {}", mend.title);
        assert!(titles.insert(mend.title), "{name}: {}", mend.title);
        assert!(is_one_sentence(mend.advice), "{name}: {}", mend.advice);
        assert!(is_short_code(&mend.sketch), "{name}: {}", mend.sketch.name);
    }
}

fn is_short_code(sketch: &Sketch) -> bool {
    let is_short = |code: &str| {
        !code.is_empty() && code.lines().count() <= 12 && code.lines().all(|line| line.len() <= 90)
    };
    is_well_formed(sketch.name) && [sketch.python, sketch.rust].into_iter().all(is_short)
}

fn each_replaces_a_step<H: Alterable>() {
    let nothing = Alteration::<H>::NONE;
    assert!(nothing.goes_with(nothing));
    for one in Fault::<H>::all().map(Alteration::from) {
        assert!(!one.goes_with(one), "{} replaces nothing", one.name);
        assert!(one.goes_with(nothing));
    }
}

fn the_table_holds_together<H: Alterable>() {
    each_says_what_to_do_about_it::<H>();
    each_replaces_a_step::<H>();
    names_are_told_apart::<H>();
    each_is_found_by_its_name::<H>();
    each_is_described_in_one_sentence_of_its_own::<H>();
    what_is_copied_is_a_thread_or_a_cve::<H>();
}

#[test]
fn the_tables_hold_together() {
    the_table_holds_together::<server::Hooks>();
    the_table_holds_together::<client::Hooks>();
    assert!(server::Fault::all().count() >= 65);
    assert!(server::Variant::all().count() >= 12);
    assert!(client::Fault::all().count() >= 45);
    assert!(client::Variant::all().count() >= 10);
}

#[test]
fn faults_go_together_that_replace_different_steps() {
    let named = |name| Alteration::from(server::Fault::named(name).unwrap());
    let (header, body, other) = (
        "header-in-one-read",
        "body-in-one-read",
        "short-body-is-a-disconnect",
    );
    let both = Alterations::of([named(header), named(body)]).unwrap();
    assert_eq!(both.names(), [header, body]);
    let clash = Alterations::of([named(header), named(body), named(other)]).unwrap_err();
    assert_eq!(clash.names, [body, other]);
}

/// A name alone says what is meant.
#[test]
fn no_name_stands_for_something_in_both_roles() {
    let names = |faults: Vec<&'static str>, variants: Vec<&'static str>| -> BTreeSet<&str> {
        faults.into_iter().chain(variants).collect()
    };
    let servers = names(
        server::Fault::all().map(|fault| fault.name).collect(),
        server::Variant::all().map(|variant| variant.name).collect(),
    );
    let clients = names(
        client::Fault::all().map(|fault| fault.name).collect(),
        client::Variant::all().map(|variant| variant.name).collect(),
    );
    assert_eq!(servers.intersection(&clients).next(), None);
}

#[cfg(feature = "suite")]
fn each_clause_has_two_faults<H: Alterable>(role: crate::spec::Role) {
    for clause in role.clauses() {
        let own = |fault: &&Fault<H>| fault.clause == clause;
        let faults = Fault::<H>::all().filter(own).count();
        assert!(faults >= 2, "{clause}: {faults}");
    }
    let unknown = Fault::<H>::all().find(|fault| fault.clause.role() != role);
    assert_eq!(unknown.map(|fault| fault.name), None);
}

#[cfg(feature = "suite")]
#[test]
fn every_clause_has_two_faults() {
    each_clause_has_two_faults::<server::Hooks>(crate::spec::Role::Server);
    each_clause_has_two_faults::<client::Hooks>(crate::spec::Role::Client);
}
