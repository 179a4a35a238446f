//! The documents, as far as they are made from the sources or can be held against them.

use crate::generated;
use crate::rules::rooms::ROOMS;
use bytes::BytesMut;
use framespec::lang::Language;
use framespec::model::payload::SURE_DEPTH;
use framespec::model::reader::{self, Ending, FrameAt, Part, Place};
use framespec::model::{self, Doubt, Owes, SURE_BODY, SURELY_TOO_LARGE};
use framespec::profile::{DEFAULT_MAX_BODY, Profile};
use framespec::script::OwnEnd;
use framespec::spec::{Clause, Group};
use framespec::wire::Encoder;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const PROTOCOL: &str = "docs/PROTOCOL.md";

/// The same in Spanish.
const PROTOCOLO: &str = "docs/es/PROTOCOL.md";

fn spanish() -> Language {
    Language::named("es").unwrap().unwrap()
}

#[test]
fn the_clauses_of_the_protocol_are_those_of_the_table() {
    let text = clauses("clause", str::to_owned);
    generated::part(PROTOCOL, "clauses", &text);
    assert!(Clause::all().all(|clause| text.contains(clause.slug())));
    let spanish = spanish();
    let told = |english: &str| spanish.text(english).unwrap().to_owned();
    generated::part(PROTOCOLO, "clauses", &clauses("cláusula", told));
}

/// The clauses by group, in the language in which they are told.
fn clauses(heading: &str, told: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let title = told(group.title());
        write!(text, "\n### {title}\n\n| {heading} | | |\n|---|---|---|\n").unwrap();
        for clause in group.clauses() {
            let (level, sentence) = (clause.level().to_string(), clause.sentence());
            let (level, sentence) = (told(&level), told(sentence));
            writeln!(text, "| `{clause}` | {level} | {sentence} |").unwrap();
        }
    }
    text.push('\n');
    text
}

#[test]
fn the_figures_of_the_protocol_are_those_of_the_model() {
    let english = [
        ("bodies that must be taken", "up to {}"),
        ("bodies that must be refused", "of {} and more"),
        ("limit of our own server, if not told otherwise", "{}"),
        ("nesting that must be managed", "up to {} levels"),
    ];
    generated::part(PROTOCOL, "figures", &figures(english));
    let spanish = [
        ("cuerpos que hay que aceptar", "hasta {}"),
        ("cuerpos que hay que rechazar", "de {} y más"),
        (
            "límite de nuestro propio servidor, si no se le dice otra cosa",
            "{}",
        ),
        ("anidamiento que hay que manejar", "hasta {} niveles"),
    ];
    generated::part(PROTOCOLO, "figures", &figures(spanish));
}

fn figures(rows: [(&str, &str); 4]) -> String {
    let figures = [
        octets(SURE_BODY),
        octets(SURELY_TOO_LARGE),
        octets(DEFAULT_MAX_BODY),
        SURE_DEPTH.to_string(),
    ];
    let mut text = String::from("\n| | |\n|---|---|\n");
    for ((what, told), figure) in rows.into_iter().zip(figures) {
        writeln!(text, "| {what} | {} |", told.replace("{}", &figure)).unwrap();
    }
    text.push('\n');
    text
}

/// The octets of the examples in a document, line by line.
fn shown_octets(document: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let is_pair =
        |word: &&str| word.len() == 2 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let lines = text.lines().filter_map(|line| {
        let (offset, rest) = line.trim_start().split_once("  ")?;
        offset.parse::<usize>().ok()?;
        let pairs: Vec<&str> = rest.split(' ').take_while(is_pair).collect();
        Some(format!("{offset}: {}", pairs.join(" ")))
    });
    lines.filter(|line| !line.ends_with(": ")).collect()
}

#[test]
fn the_spanish_protocol_shows_the_same_octets() {
    let english = shown_octets(PROTOCOL);
    assert!(english.len() > 40, "{english:?}");
    assert_eq!(shown_octets(PROTOCOLO), english);
}

fn octets(count: u64) -> String {
    match count {
        count if count >= 1 << 30 => format!("{} GiB", count >> 30),
        count if count >= 1 << 20 => format!("{} MiB", count >> 20),
        count => format!("{} KiB", count >> 10),
    }
}

/// Something that is sent, with what is to be seen in it.
struct Example {
    title: &'static str,
    stream: Vec<u8>,
}

const MARGOT: &str = r#"{"nombre": "Margot", "edad": 15, "raza": "Schnauzer"}"#;

fn frames(profile: &Profile, payloads: &[&str]) -> Vec<u8> {
    let mut stream = BytesMut::new();
    for payload in payloads {
        let encoder = Encoder::new(profile);
        encoder.encode(payload.as_bytes(), &mut stream).unwrap();
    }
    stream.to_vec()
}

fn header(profile: &Profile, count: u64) -> Vec<u8> {
    let mut stream = BytesMut::new();
    Encoder::new(profile).header_with(count, &mut stream);
    stream.to_vec()
}

fn examples(profile: &Profile) -> Vec<Example> {
    let full = "\"".to_owned() + &"x".repeat(profile.chunk() as usize - 2) + "\"";
    let mut examples = vec![
        Example {
            title: "An object of 53 octets",
            stream: frames(profile, &[MARGOT]),
        },
        Example {
            title: "A payload that fills its chunk to the last octet: no padding",
            stream: frames(profile, &[&full]),
        },
        Example {
            title: "Two messages, one behind the other",
            stream: frames(profile, &["1", "[true]"]),
        },
        Example {
            title: "The empty frame: whole, and undecodable",
            stream: header(profile, 0),
        },
        Example {
            title: "A NUL inside the payload: undecodable, and never two messages",
            stream: frames(profile, &["\"a\"\0\"b\""]),
        },
        Example {
            title: "The largest length there is: malformed",
            stream: header(profile, u64::from(u32::MAX)),
        },
    ];
    if profile.name() == "tutorial" {
        examples.push(Example {
            title: "A body length that is no whole number of chunks: malformed",
            stream: [header(profile, 61), vec![b'1'; 61]].concat(),
        });
    }
    let mut unfinished = frames(profile, &["\"never whole\""]);
    unfinished.truncate(9);
    examples.push(Example {
        title: "A stream that ends inside a body: unfinished",
        stream: unfinished,
    });
    examples
}

#[test]
fn the_worked_octets_are_what_encoder_and_model_make_of_them() {
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let mut text = String::from("\n");
        for example in examples(&profile) {
            write!(text, "{}:\n\n```text\n", example.title).unwrap();
            text.push_str(&dump(&profile, &example.stream));
            text.push_str("```\n\n");
        }
        let name = format!("octets-{}", profile.name());
        generated::part(PROTOCOL, &name, &text);
    }
}

/// The seed of both formats, octet for octet.
#[test]
fn the_object_of_53_octets_is_framed_as_it_always_was() {
    let payload = MARGOT.as_bytes();
    assert_eq!(payload.len(), 53);
    let tutorial = [b"\0\0\0\x3c", payload, &[0; 7]].concat();
    assert_eq!(frames(&Profile::tutorial(), &[MARGOT]), tutorial);
    let chunk_count = [b"\x0e\0\0\0", payload, &[0; 3]].concat();
    assert_eq!(frames(&Profile::chunk_count(), &[MARGOT]), chunk_count);
}

/// The octets of a stream, with what they read as and what they make a server owe.
fn dump(profile: &Profile, stream: &[u8]) -> String {
    let reading = reader::read(profile, stream);
    let mut text = String::new();
    for frame in &reading.frames {
        whole(profile, stream, frame, &mut text);
    }
    match reading.ending {
        Ending::Boundary => {}
        Ending::Malformed {
            start, end, fault, ..
        } => {
            let what = format!("header: {fault}");
            rows(stream, start..end, &what, &mut text);
            rows(stream, end..stream.len(), "", &mut text);
        }
        Ending::Inside { start, place, .. } => {
            let place = match place {
                Place::Header => "the stream ends inside the header",
                Place::Boundary => "the stream ends between header and body",
                Place::Body => "the stream ends inside the body",
            };
            rows(stream, start..stream.len(), place, &mut text);
        }
    }
    let permitted = model::permitted_for(profile, stream, OwnEnd::Fin);
    for duty in &permitted.duties {
        let owes = match &duty.owes {
            Owes::Reply(_) => "one reply",
            Owes::ReplyOrClose(Doubt::OddLength) => "a close; a reply is tolerated",
            Owes::ReplyOrClose(_) => "one reply, or a close",
            Owes::ReplyOrSilence(_) => "one reply, or nothing",
            Owes::Close(_) => "a close",
            Owes::Nothing(_) => "no reply",
            Owes::Showing(_) | Owes::ReadOnOrEnd(_) => "nothing of a server",
        };
        writeln!(text, "owed for the frame at {}: {owes}", duty.start).unwrap();
    }
    if permitted.duties.is_empty() {
        text.push_str("owed: nothing but the close\n");
    }
    text
}

fn whole(profile: &Profile, stream: &[u8], frame: &FrameAt, text: &mut String) {
    let chunk = profile.chunk() as usize;
    let body = frame.body.len();
    let chunks = match body / chunk {
        1 => "1 chunk".to_owned(),
        chunks => format!("{chunks} chunks"),
    };
    let counted = format!("header: {body} octets of body, {chunks}");
    rows(stream, frame.start..frame.body.start, &counted, text);
    for (part, range) in frame.parts() {
        let what = match part {
            Part::Index => "index",
            Part::Payload => "",
            Part::Padding => "padding",
        };
        rows(stream, range, what, text);
    }
}

/// 16 octets a line, and beside the first line what they are; without that, their text.
fn rows(stream: &[u8], range: std::ops::Range<usize>, what: &str, text: &mut String) {
    for (row, octets) in stream[range.clone()].chunks(16).enumerate() {
        let at = range.start + row * 16;
        let hex: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let said = match (what, row) {
            ("", _) => printable(octets),
            (what, 0) => what.to_owned(),
            _ => String::new(),
        };
        let line = format!("{at:3}  {:47}  {said}", hex.join(" "));
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
}

fn printable(octets: &[u8]) -> String {
    let shown = |octet: &u8| match octet {
        b' '..=b'~' => char::from(*octet),
        _ => '.',
    };
    octets.iter().map(shown).collect()
}

/// The rooms as they are, in the words that each begins with.
#[test]
fn the_map_of_the_architecture_is_that_of_the_sources() {
    let mut text = String::from("\n| room | what it is | imports |\n|---|---|---|\n");
    for room in ROOMS {
        let Some(about) = about(room.name) else {
            continue;
        };
        let imports: Vec<_> = room.may.iter().map(|name| format!("`{name}`")).collect();
        let imports = match room.name {
            "cli" => "everything".to_owned(),
            _ if imports.is_empty() => "–".to_owned(),
            _ => imports.join(", "),
        };
        writeln!(text, "| `{}` | {about} | {imports} |", room.name).unwrap();
    }
    text.push('\n');
    generated::part("docs/ARCHITECTURE.md", "rooms", &text);
}

/// The example is built by `cargo test` and run by `.ci/run`.
#[test]
fn the_readme_shows_the_example_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/codec.rs");
    let text = fs::read_to_string(path).unwrap();
    let code = text.trim_start_matches(|c| c != '\n').trim_start();
    generated::part("README.md", "codec", &format!("\n```rust\n{code}```\n\n"));
}

/// The first paragraph of a room's own documentation; `None` while there is no such room.
fn about(room: &str) -> Option<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = fs::read_to_string(src.join(room).join("mod.rs"))
        .or_else(|_| fs::read_to_string(src.join(room).with_extension("rs")))
        .ok()?;
    let lines = text.lines().map_while(|line| line.strip_prefix("//! "));
    Some(without_links(&lines.collect::<Vec<_>>().join(" ")))
}

/// Links of rustdoc lead nowhere outside it: their text stays.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let (word, behind) = link.split_once("`]").expect("a link that is closed");
        plain.push_str(&format!("{before}`{word}`"));
        rest = match behind.strip_prefix('(') {
            Some(target) => target.split_once(')').map_or("", |(_, rest)| rest),
            None => behind,
        };
    }
    plain + rest
}

/// Every link from a document to a file of the repository leads somewhere, and so does one to a heading.
#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for document in documents(root) {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = match file {
                "" => document.clone(),
                file => folder.join(file),
            };
            let is_there = path.exists() && (heading.is_empty() || has_heading(&path, heading));
            assert!(is_there, "{}: {link}", document.display());
            checked += 1;
        }
    }
    assert!(checked > 0);
}

/// What a document links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let behind = text.split("](").skip(1);
    behind.filter_map(|rest| rest.split(')').next())
}

/// Whether a document has a heading that is linked to so.
fn has_heading(path: &Path, heading: &str) -> bool {
    let text = fs::read_to_string(path).unwrap();
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading)
}

fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let words = heading.to_lowercase().replace(' ', "-");
    words.chars().filter(kept).collect()
}

/// The book has every document, and none twice; so has the page that it begins with, but for itself.
#[test]
fn the_book_has_every_document() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let of = |page: &str| -> Vec<String> {
        let text = fs::read_to_string(docs.join(page)).unwrap();
        let pages = links(&text).filter(|link| link.ends_with(".md"));
        let mut pages: Vec<_> = pages.map(str::to_owned).collect();
        pages.sort();
        pages
    };
    let mut there: Vec<String> = ["", "es/"]
        .iter()
        .flat_map(|folder| pages(&docs, folder))
        .filter(|name| name != "SUMMARY.md")
        .collect();
    there.sort();
    assert_eq!(of("SUMMARY.md"), there);
    let mut begun = [of("README.md"), vec!["README.md".to_owned()]].concat();
    begun.sort();
    begun.dedup();
    assert_eq!(begun, there);
}

/// The pages of a folder of `docs`, by their paths in there.
fn pages(docs: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(docs.join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| name.ends_with(".md"));
    pages.map(|name| format!("{folder}{name}")).collect()
}

fn documents(root: &Path) -> Vec<std::path::PathBuf> {
    let folders = [
        root.to_owned(),
        root.join("docs"),
        root.join("docs/es"),
        root.join("fuzz"),
    ];
    folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}
