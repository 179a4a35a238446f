//! Profile files held against each key, each mistake, and the examples of docs/PROFILES.md.

use super::*;
use crate::profile::{Length, Order, Payload, Unit};
use crate::wire::Encoder;
use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use proptest::prelude::*;

fn refused(text: &str) -> String {
    Profile::from_toml(text).unwrap_err().to_string()
}

#[test]
fn the_least_file_is_the_plainest_format() {
    let profile = Profile::from_toml("name = \"x\"\nlength.width = 4").unwrap();
    let plain = Length::Binary {
        width: 4,
        order: Order::Big,
        signed: false,
    };
    assert_eq!((profile.length(), profile.chunk()), (plain, 1));
    assert_eq!(profile.unit(), Unit::Octets);
    assert_eq!(profile.declared_max_body(), None);
    assert_eq!(profile.payload(), Payload::Json);
}

const DOCS: &str = include_str!("../../../docs/PROFILES.md");

/// The fenced blocks of the document: kind and text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let fenced = DOCS.split("```").skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').unwrap())
        .collect()
}

#[test]
fn the_document_shows_every_key() {
    // Checksums, indexes, replies of several frames and messages without one do not go together: four files show all keys.
    let files = blocks().into_iter().filter(|(kind, _)| *kind == "toml");
    let all: Vec<_> = files.take(4).flat_map(|(_, text)| text.lines()).collect();
    for key in KEYS {
        let last = key.rsplit('.').next().unwrap();
        let shown = all
            .iter()
            .any(|line| line.starts_with(&format!("{last} = ")));
        assert!(shown, "{key}");
        assert!(DOCS.contains(&format!("| `{key}` |")), "{key}");
    }
    let built_in = |name| {
        blocks()
            .iter()
            .any(|(_, text)| Profile::from_toml(text).ok() == Profile::built_in(name))
    };
    assert!(Profile::BUILT_IN.into_iter().all(built_in));
}

#[test]
fn the_worked_octets_of_the_document_are_right() {
    let mut profile = None;
    let mut worked = 0;
    for (kind, text) in blocks() {
        if kind == "toml" {
            profile = Some(Profile::from_toml(text).unwrap());
        }
        let line = |word| text.lines().find_map(|line| line.strip_prefix(word));
        if let (Some(payload), Some(frame)) = (line("payload "), line("frame ")) {
            let mut out = BytesMut::new();
            let encoder = Encoder::new(profile.as_ref().unwrap());
            encoder.encode(payload.trim().as_bytes(), &mut out).unwrap();
            let hex: String = out.iter().map(|octet| format!("{octet:02x}")).collect();
            let frame: String = frame.chars().filter(char::is_ascii_hexdigit).collect();
            assert_eq!(hex, frame, "{payload}");
            worked += 1;
        }
    }
    assert!(worked >= 2, "{worked} worked examples");
}

#[test]
fn the_built_in_profiles_are_files_too() {
    for name in Profile::BUILT_IN {
        let profile = Profile::built_in(name).unwrap();
        assert_eq!(Profile::from_toml(&profile.to_toml()), Ok(profile));
    }
}

#[test]
fn every_error_says_where_what_and_what_else() {
    let with = |line: &str| refused(&format!("name = \"x\"\n[length]\nwidth = 4\n{line}"));
    for (line, error) in [
        (
            "order = \"middle\"",
            "line 4: length.order = \"middle\": one of \"big\", \"little\"",
        ),
        (
            "order = 1",
            "line 4: length.order = 1: one of \"big\", \"little\"",
        ),
        (
            "signed = \"no\"",
            "line 4: length.signed = \"no\": true or false",
        ),
        (
            "covers = []",
            "line 4: length.covers = []: \"payload\", and with it",
        ),
        (
            "covers = [\"header\"]",
            "line 4: length.covers = [\"header\"]: a list of \"before\"",
        ),
        (
            "unit = \"chunks\"\ncovers = [\"payload\"]",
            "line 4: length.unit = \"chunks\": \"octets\", unless",
        ),
        (
            "[body]\npad = 256",
            "line 5: body.pad = 256: an octet, 0 to 255",
        ),
        (
            "[body]\npad = -1",
            "line 5: body.pad = -1: an octet, 0 to 255",
        ),
        (
            "[body]\nchunk = 8\npad = 0x7d",
            "line 6: body.pad = 0x7d: an octet that no JSON text ends in",
        ),
        (
            "covers = [\"length\"]",
            "line 4: length.covers = [\"length\"]: \"payload\", and with it",
        ),
        (
            "[body]\nchunk = 65537",
            "line 5: body.chunk = 65537: 1 to 65536 octets",
        ),
        (
            "[body]\nchunk = 8\n[limits]\nmax_body = 7",
            "line 7: limits.max_body = 7: at least one chunk, 8 octets",
        ),
        (
            "[limits]\nover = \"reset\"",
            "line 5: limits.over = \"reset\": one of \"close\", \"answered\"",
        ),
        (
            "[replies]\nrefusal = \"2d\"",
            "line 5: replies.refusal = \"2d\": octets of which one is another than replies begin with, by replies.before or header.before",
        ),
        (
            "[limits]\nmax_body = \"1M\"",
            "line 5: limits.max_body = \"1M\": a number of octets",
        ),
        (
            "[header]\nbefore = \"0g\"",
            "line 5: header.before = \"0g\": at most 64 octets",
        ),
        (
            "[header]\nbefore = { a = 1 }",
            "line 5: header.before = { a = 1 }: at most 64",
        ),
        (
            "[checksum]\nkind = \"md5\"",
            "line 5: checksum.kind = \"md5\": one of \"crc32\", \"crc32c\", \"crc16-modbus\", \"sha256d-4\"",
        ),
        (
            "[checksum]\nkind = \"crc32\"",
            "line 5: checksum.kind = \"crc32\": left out, unless ck in header.before, header.after or trailer.octets",
        ),
        (
            "[trailer]\noctets = \"ck ck\"",
            "line 5: trailer.octets = \"ck ck\": no ck, unless checksum.kind says",
        ),
        (
            "[trailer]\noctets = \"ck ck\"\n[checksum]\nkind = \"crc32\"",
            "line 5: trailer.octets = \"ck ck\": ck 4 times, as many octets as crc32 has",
        ),
        (
            "[header]\nafter = \"ck ck\"\n[checksum]\nkind = \"crc16-modbus\"\ncovers = [\"after\", \"payload\"]",
            "line 8: checksum.covers = [\"after\", \"payload\"]: no \"after\": the checksum stands there, and none is reckoned from itself",
        ),
        (
            "[checksum]\ncovers = [\"length\"]",
            "line 5: checksum.covers = [\"length\"]: \"payload\", and with it any of",
        ),
        (
            "[checksum]\ncover = []",
            "line 5: checksum.cover is no key of a profile",
        ),
        (
            "[exchange]\nreply = \"yes\"",
            "line 5: exchange.reply = \"yes\": one of \"auto\"",
        ),
        (
            "[exchange]\nrequest = \"{}\"",
            "line 5: exchange.request = \"{}\": a request with {text}",
        ),
        (
            "[body]\nindex = \"\"",
            "line 5: body.index = \"\": a table such as { width = 4, order = \"little\", from = 1 }",
        ),
        (
            "[body]\nindex = { width = 0 }",
            "line 5: body.index.width = 0: 1 to 8 octets",
        ),
        (
            "[body.index]\nwidth = 4\nfrom = 2",
            "line 6: body.index.from = 2: 0 or 1",
        ),
        (
            "[body.index]\nwidth = 4\nstart = 1",
            "line 6: body.index.start is no key of a profile",
        ),
        (
            "[body.index]\nfrom = 1",
            "body.index.width is missing: 1 to 8",
        ),
        (
            "[body]\nlast = \"short\"",
            "line 5: body.last = \"short\": \"padded\", unless body.index says",
        ),
        (
            "[body]\nlast = \"full\"",
            "line 5: body.last = \"full\": one of \"padded\", \"short\"",
        ),
        (
            "covers = [\"payload\", \"indexes\"]",
            "line 4: length.covers = [\"payload\", \"indexes\"]: no \"indexes\", unless body.index",
        ),
        (
            "sign = true",
            "line 4: length.sign is no key of a profile; the keys are name, about",
        ),
        ("[framing]", "line 4: framing is no key of a profile"),
        ("order = \"big\"\norder = \"big\"", "line 5: duplicate key"),
        ("\"a\\u001b\" = 1", "line 4: length.a\\u{1b} is no key"),
    ] {
        let said = with(line);
        assert!(said.starts_with(error), "{line}\n{said}\n{error}");
    }
}

#[test]
fn what_must_be_there_is_named() {
    assert_eq!(
        refused("name = \"x\""),
        "length.width is missing: 1 to 8 octets"
    );
    assert!(refused("").starts_with("name is missing: 1 to 64"));
    assert!(refused("name = ").starts_with("line 1: "));
    let short = refused(
        "name = \"x\"\nlength.width = 2\nbody.chunk = 9\nlength.unit = \"chunks\"\nlength.covers = [\"length\", \"payload\", \"padding\"]",
    );
    assert!(short.starts_with("line 4: length.unit"), "{short}");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(seed in prop::collection::vec(any::<u8>(), 0..200)) {
        let profile = Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap();
        prop_assert_eq!(Profile::from_toml(&profile.to_toml()), Ok(profile));
    }

    #[test]
    fn no_text_panics(text in "[a-z.=\"\\[\\]{}0-9\n]{0,60}") {
        let _ = Profile::from_toml(&text);
    }
}

#[test]
fn what_ends_a_reply_can_be_told_from_what_does_not() {
    let of = |more: &str| format!("name = \"x\"\nlength.width = 4\n{more}");
    let free = "header.before = \"51\"\nreplies.before = \"??\"\n";
    let profile = Profile::from_toml(&of(&format!("{free}replies.last = \"5a\""))).unwrap();
    assert!(profile.ends_reply(b"Z\0\0\0\0") && !profile.ends_reply(b"D\0\0\0\0"));
    let last = profile.of_last_frames().unwrap();
    assert_eq!(last.before().octets(), [Some(b'Z')]);
    for (marks, last) in [
        ("", "5a"),
        ("header.before = \"51\"\n", "5a"),
        (free, "00"),
        (free, "5a 00"),
        (free, "??"),
        ("header.before = \"id ??\"\n", "?? 5a"),
    ] {
        let error = refused(&of(&format!("{marks}replies.last = \"{last}\"")));
        assert!(
            error.contains(&format!("replies.last = \"{last}\": at most")),
            "{error}"
        );
        assert!(error.starts_with("line "), "{error}");
    }
    let error = refused(&of("exchange.prologue = [\"server reply\"]"));
    assert!(
        error.contains("exchange.prologue") && error.contains("replies.last"),
        "{error}"
    );
}

#[test]
fn a_connection_is_there_for_one_request_at_least() {
    let of = |most: &str| {
        refused(&format!(
            "name = \"x\"\nlength.width = 4\nexchange.requests_per_connection = {most}"
        ))
    };
    for most in ["0", "-1", "\"one\"", "4294967296"] {
        let error = of(most);
        let told = format!(
            "line 3: exchange.requests_per_connection = {most}: a number of requests, at least 1"
        );
        assert!(error.starts_with(&told), "{error}");
    }
}
