//! What must hold of the whole table of cases.

use super::*;
use crate::lang::say;
use crate::model;
use crate::model::reader::{self, Ending, Fault};
use crate::spec::Group;
use std::collections::BTreeSet;

fn circumstances<'a>(profile: &'a Profile, rule: &'a crate::judge::ReplyRule) -> Circumstances<'a> {
    Circumstances::best(profile, rule)
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for case in all(Role::Server) {
        assert!(seen.insert(case.id), "{} stands twice", case.id);
        assert_eq!(case.clause().role(), Role::Server, "{}", case.id);
        let word = |w: &str| {
            !w.is_empty()
                && w.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        assert!(case.id.variant.split('-').all(word), "{}", case.id);
        assert!(case.why.ends_with('.'), "{}: {}", case.id, case.why);
    }
}

#[test]
fn every_table_is_read_whole() {
    let in_tables: usize = TABLES.iter().map(|table| table.len()).sum();
    assert_eq!(all(Role::Server).count(), in_tables);
}

#[test]
fn every_clause_has_two_cases() {
    for clause in Role::Server.clauses() {
        let cases = of(clause).count();
        assert!(cases >= 2, "{clause}: {cases}");
    }
}

/// Both built-in formats, with a limit declared, so that nothing is left out.
#[test]
fn every_case_has_a_script_in_the_built_in_formats() {
    let rule = crate::judge::ReplyRule::Echo;
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let declared = profile.clone().with_max_body(1 << 20).unwrap();
        for case in all(Role::Server) {
            let looks = [&profile, &declared].map(|profile| circumstances(profile, &rule));
            let closer = Circumstances {
                closer: true,
                ..looks[0].clone()
            };
            match case.script(&looks[1]) {
                Ok(script) => {
                    // The longer script of a closer look has to keep to the same rules.
                    let is_closer = case.clause().group() == Group::Resources;
                    assert!(!is_closer || case.script(&closer).is_ok(), "{}", case.id);
                    assert!(script.connections() > 0, "{}", case.id);
                    assert!(
                        script.most_open() <= 16,
                        "{}: {}",
                        case.id,
                        script.most_open()
                    );
                    // A load of many MiB is of the same steps as any other.
                    let streams = (0..script.connections()).map(|conn| script.stream(conn).len());
                    if streams.sum::<usize>() < 4 << 20 {
                        assert_eq!(script.to_string().parse::<Script>().unwrap(), script);
                    }
                }
                Err(Unfit::Skipped(why)) => {
                    let odd = why == "a header of this profile cannot claim a part of a chunk";
                    let full_header = why.as_str().contains("of this profile have no")
                        || why.as_str().contains("counts nothing of the header");
                    let other = OF_OTHER_FORMATS.contains(&why.as_str());
                    let fits = full_header || other || (odd && profile.name() == "chunk-count");
                    assert!(fits, "{}: {why}", case.id);
                }
                Err(Unfit::Broken(error)) => panic!("{}: {error}", case.id),
            }
        }
    }
}

/// Why a case has no script in any format of the course.
const OF_OTHER_FORMATS: [&str; 10] = [
    "each message of this profile is owed a reply",
    "chunks of this profile have no index",
    "a stream has no datagrams",
    "the client says nothing in the prologue of this profile",
    "frames of this profile have no checksum",
    "payloads of this profile are not just any octets",
    "requests of this profile have no ids",
    "replies of this profile have no octets of their own in headers",
    "a length of this profile cannot be written so",
    "nothing that is fixed stands behind a body",
];

/// A case in which nothing is owed could not fail.
#[test]
fn every_script_makes_the_server_owe_something() {
    let rule = crate::judge::ReplyRule::Echo;
    let profile = Profile::tutorial().with_max_body(1 << 20).unwrap();
    let text = "name = \"p\"\nlength = { width = 4, covers = [\"before\", \"payload\"] }\nheader.before = \"f5 ??\"";
    let full_header = Profile::from_toml(text).unwrap();
    let shipped = |name| Profile::shipped(name).unwrap();
    let [netstring, gearman, mqtt] = ["netstring", "gearman", "mqtt"].map(shipped);
    let ids = Profile::from_toml("name = \"p\"\nlength.width = 4\nheader.before = \"id\"").unwrap();
    let sum = "name = \"p\"\nlength.width = 4\nheader.before = \"??\"\ntrailer.octets = \"ck ck\"\n\
        checksum = { kind = \"crc16-modbus\", covers = [\"before\", \"payload\"] }";
    let sum = Profile::from_toml(sum).unwrap();
    let datagrams = profile
        .clone()
        .carried_by(crate::profile::Carriage::Datagrams);
    let index = "name = \"p\"\nlength.width = 4\nbody = { chunk = 8, index = { width = 3 } }\n\
        limits.max_body = 1048576";
    let index = Profile::from_toml(index).unwrap();
    let prologue = "name = \"p\"\nlength.width = 4\nexchange.prologue = [\"client 01 02\"]";
    let prologue = Profile::from_toml(prologue).unwrap();
    let kinds = "name = \"p\"\nlength.width = 4\nbody.payload = \"opaque\"\nexchange.request = \"? {text}\"\nexchange.unanswered = \"! {text}\"";
    let kinds = Profile::from_toml(kinds).unwrap();
    for case in all(Role::Server) {
        let formats = [
            &profile,
            &datagrams,
            &full_header,
            &netstring,
            &gearman,
            &mqtt,
            &ids,
            &sum,
            &index,
            &prologue,
            &kinds,
        ];
        let in_one = |profile| Some((profile, case.script(&circumstances(profile, &rule)).ok()?));
        let (profile, script) = formats.into_iter().find_map(in_one).unwrap();
        let owed = model::permitted(profile, &script).iter().any(|permitted| {
            !permitted.duties.is_empty()
                || permitted.no_session.is_some()
                || permitted.own_end == crate::script::OwnEnd::Fin
                || case.check.is_some()
        });
        assert!(owed, "{}", case.id);
    }
}

#[test]
fn cases_differ_by_seed_only_where_chance_is_asked() {
    let profile = Profile::tutorial();
    let rule = crate::judge::ReplyRule::Echo;
    let one = circumstances(&profile, &rule);
    let other = Circumstances {
        seed: 2,
        ..one.clone()
    };
    let case = case("reassembly/random-cuts").unwrap();
    assert_eq!(case.script(&one), case.script(&one));
    assert_ne!(case.script(&one), case.script(&other));
}

#[test]
fn tokens_tell_requests_apart() {
    let profile = Profile::tutorial();
    let rule = crate::judge::ReplyRule::Echo;
    let script = case("persistence/two-hundred")
        .unwrap()
        .script(&circumstances(&profile, &rule))
        .unwrap();
    let permitted = model::permitted(&profile, &script);
    let tokens: BTreeSet<_> = permitted[0]
        .duties
        .iter()
        .map(|duty| match &duty.owes {
            model::Owes::Reply(carried) => carried.token().unwrap().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tokens.len(), 200);
}

#[cfg(feature = "fuzz")]
proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 8, max_shrink_iters: 0, ..Default::default() })]

    /// No profile makes a case panic, or go against the rules of scripts.
    #[test]
    fn every_profile_gets_scripts_or_reasons(
        chosen in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
    ) {
        use arbitrary::{Arbitrary, Unstructured};
        let profile = Profile::arbitrary(&mut Unstructured::new(&chosen)).unwrap();
        let rule = crate::judge::ReplyRule::Echo;
        for case in all(Role::Server) {
            if let Err(Unfit::Broken(error)) = case.script(&circumstances(&profile, &rule)) {
                panic!("{}: {error} ({profile:?})", case.id);
            }
        }
    }
}

/// Its chunks are so large that 65,536 of them would be 4 GiB.
#[test]
fn nothing_is_made_for_a_case_that_is_skipped() {
    let text = "name = \"p\"\nlength = { width = 4, unit = \"chunks\" }\nbody.chunk = 65536";
    let profile = Profile::from_toml(text).unwrap();
    let rule = crate::judge::ReplyRule::Echo;
    let case = case("length-prefix/sixteen-bits-fit").unwrap();
    let made = allocation_counter::measure(|| {
        let script = case.script(&circumstances(&profile, &rule));
        assert!(matches!(script, Err(Unfit::Skipped(_))), "{script:?}");
    });
    assert!(made.bytes_max < 1 << 20, "{made:?}");
}

#[test]
fn a_small_field_is_held_to_a_limit_that_it_can_exceed() {
    let profile = |limits: &str| {
        let text = format!("name = \"p\"\nlength = {{ width = 2, signed = true }}\n{limits}");
        Profile::from_toml(&text).unwrap()
    };
    let rule = crate::judge::ReplyRule::Echo;
    let script = |profile: &Profile, id| case(id).unwrap().script(&circumstances(profile, &rule));
    for id in [
        "length-limit/after-requests",
        "length-limit/behind-a-request",
        "length-limit/in-pieces",
        "length-limit/body-is-not-read-as-frames",
    ] {
        let declared = profile("limits.max_body = 1000");
        assert!(script(&declared, id).is_ok(), "{id}");
        let skipped = Unfit::Skipped(say!("the length field cannot claim more than the limit"));
        assert_eq!(script(&profile(""), id), Err(skipped), "{id}");
    }
    let skipped = Unfit::Skipped(say!("the length field cannot claim that much"));
    let declared = profile("limits.max_body = 1000");
    assert_eq!(script(&declared, "length-limit/two-gib"), Err(skipped));
}

/// However few bits of a length somebody keeps: one of the lengths over the limit is two chunks in them.
#[test]
fn lengths_look_small_in_as_many_bits_as_a_field_has_room_for() {
    let rule = crate::judge::ReplyRule::Echo;
    let case = case("length-limit/lower-bits-fit").unwrap();
    let looks_small = |profile: &Profile, bits: u32| {
        let script = case.script(&circumstances(profile, &rule)).unwrap();
        let ends = script
            .streams()
            .into_iter()
            .map(|stream| reader::read(profile, &stream).ending);
        ends.into_iter().any(|ending| {
            let Ending::Malformed {
                fault: Fault::OverLimit { body, .. },
                ..
            } = ending
            else {
                panic!("{ending:?}");
            };
            body.rem_euclid(1 << bits) == 120
        })
    };
    let profile = |length: &str| {
        let text = format!("name = \"p\"\nlength = {{ {length} }}\nbody.chunk = 60");
        Profile::from_toml(&text).unwrap()
    };
    for (length, all) in [
        ("width = 4", &[16, 24][..]),
        ("width = 8", &[16, 24, 31, 32, 40, 48, 56]),
        (
            "width = 8, signed = true, order = \"little\"",
            &[24, 32, 48, 56],
        ),
        ("form = \"varint\", width = 10", &[24, 28, 32, 35, 56]),
        ("form = \"decimal\", width = 19", &[24, 31, 32, 48, 56]),
    ] {
        for bits in all {
            assert!(looks_small(&profile(length), *bits), "{length}: {bits}");
        }
    }
}
