//! A text in two languages, and how a language is chosen.

use super::*;

#[test]
fn a_template_is_filled_in_either_language() {
    let language = Language::named("es_MX.UTF-8").unwrap().unwrap();
    let why = say!("the server is gone");
    let text = say!("not run: {why}", why);
    assert_eq!(text, "not run: the server is gone");
    assert_eq!(text.to_string(), "not run: the server is gone");
    let spanish = language.text("the server is gone").unwrap();
    assert!(text.in_language(&language).ends_with(spanish));
    assert!(!text.in_language(&language).contains("not run"));
    assert_eq!(text.hole("why"), Some(&why));
}

#[test]
fn what_is_data_is_the_same_in_each() {
    let language = Language::named("es").unwrap().unwrap();
    let data = Text::from("the server is gone".to_owned());
    assert_eq!(data.in_language(&language), "the server is gone");
    let unknown = Text::whole("of this nothing is known");
    assert_eq!(unknown.in_language(&language), "of this nothing is known");
}

#[test]
fn braces_that_are_no_holes_stand_twice() {
    let port = 7;
    let text = say!("{{port}} becomes {port}", port);
    assert_eq!(text, "{port} becomes 7");
    assert_eq!(say!("{port} is said as it is"), "{port} is said as it is");
    assert_eq!(holes("{a} {{b}} {c}"), ["a", "c"]);
    assert_eq!(holes("{ and } and {"), [" and "]);
}

#[test]
fn a_hole_that_nothing_fills_is_seen_when_the_program_is_compiled() {
    assert!(is_filled("{a} {{b}} {ab}", &["a", "ab"]));
    assert!(is_filled("none", &["a"]));
    for template in ["{b}", "{ab}", "{a", "{}"] {
        assert!(!is_filled(template, &["a"]), "{template}");
    }
}

#[test]
fn the_environment_names_a_language_in_its_usual_order() {
    let chosen = |set: &[(&str, &str)]| {
        let value = |name: &str| set.iter().find(|(known, _)| *known == name);
        let language = from_environment(|name| value(name).map(|(_, value)| (*value).to_owned()));
        language.map(|language| language.code())
    };
    assert_eq!(chosen(&[]), None);
    assert_eq!(chosen(&[("LANG", "es_MX.UTF-8")]), Some("es"));
    assert_eq!(chosen(&[("LC_ALL", "C"), ("LANG", "es")]), None);
    assert_eq!(chosen(&[("LC_ALL", ""), ("LANG", "es@euro")]), Some("es"));
    assert_eq!(chosen(&[("LC_MESSAGES", "de_DE"), ("LANG", "es")]), None);
    assert_eq!(
        chosen(&[("LC_ALL", "ES"), ("LC_MESSAGES", "en")]),
        Some("es")
    );
}

#[test]
fn a_language_without_texts_is_told_with_those_that_there_are() {
    let unknown = Language::named("eo").unwrap_err().to_string();
    assert!(
        unknown.contains("\"eo\"") && unknown.contains("en, es"),
        "{unknown}"
    );
    assert!(Language::named("POSIX").unwrap().is_none());
}

#[test]
fn a_number_is_written_as_the_language_writes_it() {
    let language = Language::named("es").unwrap().unwrap();
    let told = |number: usize| {
        let text = say!("{count} octets", count = Text::number(number));
        let spanish = text.in_language(&language).into_owned();
        (text.as_str().to_owned(), spanish)
    };
    assert_eq!(told(4_500).0, "4,500 octets");
    assert_eq!(told(4_500).1, "4500 octetos");
    assert_eq!(told(1_073_016).0, "1,073,016 octets");
    assert_eq!(told(1_073_016).1, "1\u{a0}073\u{a0}016 octetos");
}

#[test]
fn a_word_changes_in_front_of_its_own_sound() {
    let language = Language::named("es").unwrap().unwrap();
    let or = |names: [&str; 2]| {
        let names = names.map(Text::from);
        let text = Text::joined(names, &say!(", or "));
        text.in_language(&language).into_owned()
    };
    assert_eq!(or(["a", "odd-length"]), "a, u odd-length");
    assert_eq!(or(["a", "hour"]), "a, u hour");
    assert_eq!(or(["a", "even"]), "a, o even");
}
