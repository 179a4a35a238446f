//! What must hold of the whole table of clauses.

use super::*;

#[test]
fn slugs_are_unique_and_well_formed() {
    let mut seen = std::collections::BTreeSet::new();
    for clause in Clause::all() {
        assert!(seen.insert(clause.slug()), "{clause} stands twice");
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        assert!(clause.slug().split('-').all(word), "{clause}");
    }
}

/// So that who knows the one knows the other.
#[test]
fn a_clause_is_called_in_the_sources_as_it_is_elsewhere() {
    for clause in Clause::all() {
        let name = format!("{clause:?}").to_lowercase();
        assert_eq!(name, clause.slug().replace('-', ""));
    }
}

#[test]
fn every_sentence_is_one() {
    for clause in Clause::all() {
        let sentence = clause.sentence();
        assert!(sentence.ends_with('.'), "{clause}");
        assert!(!sentence.trim_end_matches('.').contains(". "), "{clause}");
    }
}

#[test]
fn the_groups_hold_every_clause_in_the_order_of_the_table() {
    let grouped: Vec<Clause> = Group::ALL.into_iter().flat_map(Group::clauses).collect();
    assert_eq!(grouped, Clause::ALL);
}

#[test]
fn the_two_roles_are_told_apart_by_their_slugs() {
    for clause in Clause::all() {
        let is_clients = clause.slug().starts_with("client-");
        assert_eq!(clause.role() == Role::Client, is_clients, "{clause}");
    }
}

#[test]
fn a_clause_is_found_by_its_slug_and_written_as_that() {
    for clause in Clause::all() {
        assert_eq!(Clause::from_slug(&clause.to_string()), Some(clause));
        assert_eq!(serde_json::to_value(clause).unwrap(), clause.slug());
    }
    assert_eq!(Clause::from_slug("lenght-prefix"), None);
}
