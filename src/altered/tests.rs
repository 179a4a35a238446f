//! The tables of faults and variants as a whole, for each role.

use super::{Alterable, Alteration, Fault, Variant, server};
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

fn the_table_holds_together<H: Alterable>() {
    names_are_told_apart::<H>();
    each_is_found_by_its_name::<H>();
    each_is_described_in_one_sentence_of_its_own::<H>();
    what_is_copied_is_a_thread_or_a_cve::<H>();
}

#[test]
fn the_table_of_servers_holds_together() {
    the_table_holds_together::<server::Hooks>();
    assert!(server::Fault::all().count() >= 65);
    assert!(server::Variant::all().count() >= 12);
}

#[cfg(feature = "suite")]
#[test]
fn every_clause_has_two_faults() {
    for clause in crate::spec::CLAUSES {
        let own = |fault: &&server::Fault| fault.clause == clause.slug;
        let faults = server::Fault::all().filter(own).count();
        assert!(faults >= 2, "{}: {faults}", clause.slug);
    }
    let unknown = |fault: &&server::Fault| crate::spec::clause(fault.clause).is_none();
    let unknown = server::Fault::all().find(unknown);
    assert_eq!(unknown.map(|fault| fault.name), None);
}
