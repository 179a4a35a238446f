//! A run in Spanish, read for what is left in English.

use crate::program::{Served, conformance, said};
use std::fs;

/// Words that English cannot do without and Spanish does not have.
const ENGLISH: &[&str] = &[
    "the", "of", "and", "was", "were", "is", "are", "which", "that", "not", "it", "its", "to",
    "after", "by", "from", "with", "where", "when", "for", "on", "reply", "frame", "failed",
    "failure", "run", "cases", "clauses", "more",
];

/// The lines in which such words stand outside of what is quoted, and of what is a name or a command.
fn left_in_english(text: &str) -> Vec<&str> {
    let is_english = |word: &str| ENGLISH.contains(&word.to_lowercase().as_str());
    let is_left = |line: &&str| {
        let is_command = line.contains("conformance ") || line.trim_start().starts_with("--");
        let words = line.split(|c: char| !c.is_alphanumeric() && !"-_/".contains(c));
        let is_quoted = line.contains('"') || line.contains("&quot;");
        let is_of_octets = is_of_octets(line);
        let is_code = line.starts_with("    ") && line.ends_with([':', ';', ')', '{']);
        let is_exempt = is_command || is_quoted || is_of_octets || is_code;
        !is_exempt && words.into_iter().any(is_english)
    };
    text.lines().filter(is_left).collect()
}

/// Whether a line begins as octets are shown, with the offset of the first or without.
fn is_of_octets(line: &str) -> bool {
    let is_hex = |word: &str| word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut words = line
        .split_whitespace()
        .filter(|word| !word.starts_with('['));
    let first = words.next().unwrap_or_default();
    matches!(first.len(), 2 | 4) && is_hex(first)
}

/// What a page says, without its markup and style.
fn shown(html: &str) -> String {
    let (_, body) = html.split_once("<body>").unwrap();
    let mut text = String::new();
    for piece in body.split('<') {
        let (_, behind) = piece.split_once('>').unwrap_or(("", piece));
        text.push_str(behind);
        text.push('\n');
    }
    text
}

#[test]
fn a_report_in_spanish_is_all_in_spanish() {
    let server = Served::start(&["--fault", "body-in-one-read", "--fault", "no-limit"]);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut arguments = vec![
        "--lang=es".to_owned(),
        "check".to_owned(),
        server.addr.to_string(),
    ];
    for pattern in ["reassembly", "length-limit", "one-reply", "cpu/idle"] {
        arguments.extend(["--run".to_owned(), pattern.to_owned()]);
    }
    for format in ["html", "markdown", "json", "junit"] {
        arguments.extend(["--format".to_owned(), format!("{format}={}", at(format))]);
    }
    arguments.extend(["--format", "human", "--verbose"].map(str::to_owned));
    let output = conformance().args(&arguments).output().unwrap();
    let human = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{human}");
    assert!(
        human.contains("El cuerpo se toma de una sola lectura"),
        "{human}"
    );
    assert_eq!(left_in_english(&human), Vec::<&str>::new());
    let page = fs::read_to_string(at("html")).unwrap();
    assert!(page.contains("<html lang=\"es\">"));
    assert_eq!(left_in_english(&shown(&page)), Vec::<&str>::new());
    let markdown = fs::read_to_string(at("markdown")).unwrap();
    assert_eq!(left_in_english(&markdown), Vec::<&str>::new());
    // What programs read is in English, whatever people read.
    let json = fs::read_to_string(at("json")).unwrap();
    assert!(json.contains("The body is taken from a single read"));
    assert!(!json.contains("respuesta"));
    let junit = fs::read_to_string(at("junit")).unwrap();
    assert!(junit.contains("causa: El cuerpo") && junit.contains("<failure"));
}

#[test]
fn help_and_complaints_and_explanations_are_in_spanish() {
    for arguments in [
        &["check", "--help"][..],
        &["check", "-h"],
        &["check", "--run", "nada", "127.0.0.1:1"],
        &["check", "127.0.0.1:1"],
        &["check", "aqui"],
        &["check", "--jobs", "0"],
        &["explain", "header-in-one-read"],
        &["explain", "truncation/in-header"],
        &["explain", "nada"],
        &["--help"],
        &["list", "--run", "truncation"],
        &["list", "--help"],
        &["watch", "--help"],
        &["watch", "127.0.0.1:1"],
        &["watch", "--exec", "x {port}", "--watch", "/no/hay"],
        &["check", "--format", "xml"],
        &["check", "--foo"],
        &["check", "--pid", "x"],
        &["check-client", "-h"],
        &["check-client", "--list", "--run", "client-framing"],
        &["serve", "--fault", "nada"],
        &["grade", "--help"],
        &["grade", "/no/hay", "--exec", "x {dir} {port}"],
        &["replay", "--help"],
        &["replay", "/no/hay", "127.0.0.1:1"],
        &["show", "/no/hay"],
        &["profiles"],
        &["man", "check"],
    ] {
        let (_, told) = said(&[&["--lang", "es"], arguments].concat());
        let left = left_in_english(&told);
        assert!(left.is_empty(), "{arguments:?}: {left:#?}");
        assert!(
            told.contains(['ó', 'ú', 'ñ']) || told.contains("prueba") || told.contains("existe"),
            "{told}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_spanish() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let path = path.to_str().unwrap();
    for (option, text, told) in [
        (
            "--profile",
            "name = \"x\"\n[length]\nwidth = 9\n",
            "línea 3: length.width = 9: de 1 a 8 octetos",
        ),
        ("--profile", "name = \"x\"\n", "falta length.width"),
        (
            "--profile",
            "nom = 1\n",
            "línea 1: nom no es una clave de un perfil",
        ),
        (
            "--expect",
            "[[known-failure]]\ncase = \"a/b\"\nreason = \"\"\n",
            "línea 2: \"a/b\" no tiene razón",
        ),
    ] {
        fs::write(path, text).unwrap();
        let (code, said) = said(&["--lang", "es", "check", option, path, "127.0.0.1:1"]);
        assert!(code == 2 && said.contains(told), "{said}");
    }
}

#[test]
fn a_language_without_texts_is_told_of_if_it_was_asked_for() {
    let (code, told) = said(&["--lang", "eo", "list", "--run", "order"]);
    assert_eq!(code, 0);
    let first = told.lines().find(|line| line.contains("\"eo\"")).unwrap();
    assert!(first.contains("en, es"), "{first}");
    let list = |language: &str| {
        let mut list = conformance();
        list.args(["explain", "one-reply/single"])
            .env("LC_ALL", language);
        let output = list.output().unwrap();
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(list("eo_XX.UTF-8"), list("C"));
    assert!(list("es_MX.UTF-8").contains("Una solicitud, una respuesta"));
}
