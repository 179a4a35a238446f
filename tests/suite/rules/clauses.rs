//! Clauses are called by their names in the sources, and cases by clause and variant: a slug in quotes
//! is one that the compiler does not know.

use super::source::Source;
use super::tree::File;
use super::{none, rust};
use framespec::spec::Clause;

/// The rooms that have to do with clauses before they are written down for anybody.
const ROOMS: &[&str] = &[
    "judge", "cases", "model", "cli", "run", "server", "altered", "check", "outcome", "peer",
    "grade", "selftest",
];

/// Every slug in quotes, and whatever begins as the name of a case does, outside of tests.
fn slugs_in(sources: &[Source]) -> Vec<String> {
    let is_test = |source: &Source| sources.iter().any(|other| other.declares_as_test(source));
    let ruled = |source: &&Source| ROOMS.contains(&source.room()) && !is_test(source);
    let mut found = Vec::new();
    for source in sources.iter().filter(ruled) {
        for text in &source.texts {
            // A variant may be called as some clause is.
            let is_variant = text.behind.iter().any(|name| name == "Clause");
            if !is_variant && begins_with_slug(&text.text) {
                let (path, line) = (&source.path, text.line);
                found.push(format!("{path}:{line}: {:?} is a clause's slug", text.text));
            }
        }
    }
    found
}

fn begins_with_slug(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    Clause::from_slug(first).is_some()
}

#[test]
fn no_slug_stands_in_quotes() {
    let sources: Vec<Source> = rust(&["src"]).iter().map(Source::of).collect();
    none(slugs_in(&sources));
}

#[test]
fn a_slug_in_quotes_is_found() {
    let found = |path: &str, text: &str| {
        let (path, text) = (path.to_owned(), text.to_owned());
        slugs_in(&[Source::of(&File { path, text })]).len()
    };
    let judge = "src/judge/mod.rs";
    assert_eq!(found(judge, "fn f() { must(\"order\", 0) }"), 1);
    assert_eq!(found(judge, "const X: &str = r#\"order/single\"#;"), 1);
    assert_eq!(
        found(judge, "fn f() { g(Clause::Isolation, \"order\") }"),
        0
    );
    assert_eq!(found(judge, "fn f() { g(\"in order\", \"orderly\") }"), 0);
    assert_eq!(
        found(judge, "// \"order\"\n#[cfg(test)]\nmod t { f(\"order\") }"),
        0
    );
    assert_eq!(found("src/spec/table.rs", "const X: &str = \"order\";"), 0);
}
