//! The table of faults as a whole.

use super::*;
use std::collections::BTreeSet;

#[test]
fn names_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for fault in Fault::all() {
        assert!(seen.insert(fault.name), "{} stands twice", fault.name);
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        assert!(fault.name.split('-').all(word), "{}", fault.name);
        assert_eq!(fault.alteration.name, fault.name);
    }
    assert!(seen.len() >= 65, "{}", seen.len());
}

#[test]
fn what_a_fault_does_is_one_sentence() {
    for fault in Fault::all() {
        let about = fault.about;
        assert!(about.ends_with('.'), "{}", fault.name);
        assert!(
            !about.trim_end_matches('.').contains(". "),
            "{}",
            fault.name
        );
        assert!(
            about.starts_with(|c: char| c.is_uppercase()),
            "{}",
            fault.name
        );
        assert!(about.len() > 20, "{}", fault.name);
    }
}

#[test]
fn no_two_faults_are_described_alike() {
    let abouts: BTreeSet<_> = Fault::all().map(|fault| fault.about).collect();
    assert_eq!(abouts.len(), Fault::all().count());
}

#[test]
fn a_fault_is_found_by_its_name() {
    for fault in Fault::all() {
        assert_eq!(
            Fault::named(fault.name).map(|found| found.about),
            Some(fault.about)
        );
    }
    assert!(Fault::named("none").is_none());
}

#[test]
fn what_is_copied_is_a_thread_or_a_cve() {
    for fault in Fault::all().filter(|fault| !fault.copies.is_empty()) {
        for copied in fault.copies.split(", ") {
            let thread = copied
                .split_once('#')
                .is_some_and(|(_, number)| number.parse::<u32>().is_ok());
            assert!(
                thread || copied.starts_with("CVE-"),
                "{}: {copied}",
                fault.name
            );
        }
    }
}

#[cfg(feature = "suite")]
#[test]
fn every_clause_has_two_faults() {
    for clause in crate::spec::CLAUSES {
        let faults = Fault::all()
            .filter(|fault| fault.clause == clause.slug)
            .count();
        assert!(faults >= 2, "{}: {faults}", clause.slug);
    }
    for fault in Fault::all() {
        assert!(
            crate::spec::clause(fault.clause).is_some(),
            "{}",
            fault.name
        );
    }
}
