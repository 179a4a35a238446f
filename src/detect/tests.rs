//! Formats that only the test knows, and what is found of them.

use super::*;
use crate::capture::{Speaker, read};
use crate::model;
use crate::profile::Payload;
use crate::script::craft::Craft;

/// What a client and a server say that speak a format: messages of several lengths, and as many replies.
fn said(profile: &Profile, messages: &[&[u8]], replies: &[&[u8]]) -> Exchange {
    let of_replies = profile.of_replies();
    let side = |profile: &Profile, messages: &[&[u8]]| {
        let mut said = Said::default();
        for (number, message) in (1_u64..).zip(messages) {
            let frame = Craft::new(profile).frame(message);
            let frame = model::with_id(profile, frame, number);
            said.octets.extend(&frame);
            said.ends.push(said.octets.len());
        }
        said
    };
    Exchange {
        asked: side(profile, messages),
        answered: side(&of_replies, replies),
        port: Some(4000),
        order: Vec::new(),
    }
}

fn profile(text: &str) -> Profile {
    Profile::from_toml(&format!("name = 'p'\n{text}")).unwrap()
}

const JSON: [&[u8]; 4] = [
    br#"{"name": "Ana", "age": 15}"#,
    br#"["a text that is a little longer than the others are, so that lengths differ", 1]"#,
    b"true",
    br#""short""#,
];

const OPAQUE: [&[u8]; 4] = [
    b"\x01\xfe\x80 and other octets",
    b"\x00\x07\xff",
    b"\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf\xb0",
    b"\x90\x05\xc0\xff\xee",
];

#[test]
fn the_tutorials_format_is_known() {
    let exchange = said(
        &Profile::tutorial(),
        &JSON,
        &[JSON[2], JSON[3], JSON[0], JSON[1]],
    );
    let found = detect(&[exchange]);
    assert_eq!(found[0].profile.name(), "tutorial", "{found:?}");
    assert_eq!(found[0].doubt, None);
}

/// Whatever the layout, the frames that are found are those that were meant.
#[test]
fn the_frames_of_many_layouts_are_found() {
    for text in [
        "length.width = 4\nbody.payload = 'opaque'",
        "length = { width = 2, order = 'little' }\nbody.payload = 'opaque'",
        "length = { width = 4, covers = ['length', 'payload'] }\nbody.payload = 'opaque'",
        "length.width = 3\nheader.before = 'ca fe'\nbody.payload = 'opaque'",
        "length = { width = 2, covers = ['before', 'length', 'after', 'payload'] }\nheader = { before = '03 00', after = '07' }\nbody.payload = 'opaque'",
        "length.width = 4\nheader = { before = 'aa ?? 01', after = '00 00' }\nbody.payload = 'opaque'",
        "length = { width = 5, form = 'varint' }\nbody.payload = 'opaque'",
        "length = { width = 9, form = 'decimal' }\ntrailer.octets = '2c'\nbody.payload = 'opaque'",
        "length = { width = 4, covers = ['payload'] }\nbody = { chunk = 4, payload = 'opaque' }",
    ] {
        let meant = profile(text);
        let sample = [
            said(&meant, &OPAQUE, &[OPAQUE[3], OPAQUE[0]]),
            said(&meant, &[OPAQUE[2], OPAQUE[1]], &OPAQUE),
        ];
        let found = detect(&sample);
        let best = found.first().unwrap_or_else(|| panic!("{text}"));
        let starts = |profile| evidence::weigh(profile, &sample).map(|weight| weight.starts);
        assert_eq!(starts(&best.profile), starts(&meant), "{text}: {best:?}");
        assert_eq!(best.doubt, None, "{text}: {found:?}");
    }
}

#[test]
fn what_is_fixed_and_what_repeats_an_id_is_told() {
    let meant = profile(
        "header.before = 'ca id id'\nreplies.before = 'fe id id'\nlength.width = 2\nbody.payload = 'opaque'",
    );
    let replies: [&[u8]; 4] = [
        b"yes, I do\x01",
        b"no\x02",
        b"\x03perhaps",
        b"\x04 not at all, though",
    ];
    let found = detect(&[said(&meant, &OPAQUE, &replies)]);
    let made = found[0].profile.to_toml();
    assert!(made.contains("before = \"ca id id\""), "{made}");
    assert!(made.contains("before = \"fe id id\""), "{made}");
}

#[test]
fn padded_json_is_told() {
    let meant = profile("length = { width = 2, order = 'little' }\nbody.chunk = 16");
    let found = detect(&[said(&meant, &JSON, &[JSON[1], JSON[1], JSON[0], JSON[3]])]);
    let made = &found[0].profile;
    assert_eq!(made.payload(), Payload::Json, "{}", made.to_toml());
    assert_eq!(made.chunk(), 16, "{}", made.to_toml());
}

#[test]
fn one_size_is_no_proof() {
    let meant = profile("length.width = 4\nbody.payload = 'opaque'");
    let same: [&[u8]; 3] = [
        b"\x81\x92\xa3\xb4",
        b"\xc1\xd2\xe3\xf4",
        b"\x91\x82\x73\x64",
    ];
    let found = detect(&[said(&meant, &same, &same)]);
    assert!(found.iter().all(|one| one.doubt.is_some()), "{found:?}");
}

#[test]
fn noise_is_nothing_or_a_guess() {
    let mut seed = 7_u32;
    let mut noise = |octets: usize| -> Vec<u8> {
        let octet = |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        };
        (0..octets).map(octet).collect()
    };
    for octets in [3, 17, 200, 5000] {
        let mut file = noise(octets);
        file[0] = 0xf3;
        let found = detect(&read(&file).unwrap());
        let is_sure = found.iter().any(|one| one.doubt.is_none());
        assert!(!is_sure, "{octets}: {:?}", found[0]);
    }
}

/// Both sides say something of their own first, the server a greeting that differs from connection to connection.
#[test]
fn what_stands_in_front_of_the_frames_is_told() {
    let meant = profile("length.width = 4\nbody.payload = 'opaque'");
    let greeted = |salt: u8, messages: &[&[u8]]| {
        let mut exchange = said(&meant, messages, messages);
        for (said, first) in [
            (&mut exchange.asked, b"HELLO 1\r\n".to_vec()),
            (
                &mut exchange.answered,
                [b"salt ".to_vec(), vec![salt; 3]].concat(),
            ),
        ] {
            let more = first.len();
            said.octets.splice(0..0, first);
            said.ends.iter_mut().for_each(|end| *end += more);
            said.ends.insert(0, more);
        }
        exchange.order = vec![
            Speaker::Server,
            Speaker::Client,
            Speaker::Client,
            Speaker::Server,
        ];
        exchange
    };
    let found = detect(&[greeted(7, &OPAQUE), greeted(8, &OPAQUE[1..])]);
    let made = found[0].profile.to_toml();
    assert_eq!(found[0].doubt, None, "{found:?}");
    assert!(
        made.contains("\"server 73 61 6c 74 20 ?? ?? ??\""),
        "{made}"
    );
    assert!(
        made.contains("\"client 48 45 4c 4c 4f 20 31 0d 0a\""),
        "{made}"
    );
}
