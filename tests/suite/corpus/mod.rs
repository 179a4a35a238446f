//! The seeds of `corpus` are made from the table in [`seeds`].
//!
//! Files that are not in the table are finds of a fuzzer that somebody has given a name; they stay.

pub(crate) mod seeds;

use crate::generated;
use framespec::profile::Profile;
use framespec::script::{MAGIC, Script, profile_of_file};
use framespec::spec::{Clause, Group};
use framespec::wire::{DecodeErrorKind, FrameReader, Place, ReadError};
use std::collections::BTreeSet;

#[test]
fn the_seeds_are_what_the_table_says() {
    for (name, octets) in seeds::all() {
        generated::file(&format!("corpus/decoder/{name}"), &octets);
    }
    for (name, octets) in seeds::of_chance() {
        generated::file(&format!("corpus/{name}"), &octets);
    }
}

/// Each is input for the target whose folder it is in.
#[test]
fn the_seeds_are_read_by_their_targets() {
    for (name, octets) in seeds::of_chance() {
        let (target, _) = name.split_once('/').unwrap();
        let read_by = framespec::fuzz::feed(&octets).unwrap();
        assert!(read_by.contains(&target), "{name}: {read_by:?}");
    }
}

/// Each target has a file in `fuzz`, and each of those is a target.
#[test]
fn every_target_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let mut files = std::fs::read_dir(root.join("fuzz_targets"))
        .unwrap()
        .count();
    for (name, _) in framespec::fuzz::TARGETS {
        assert!(
            root.join(format!("fuzz_targets/{name}.rs")).is_file(),
            "{name}"
        );
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
        files -= 1;
    }
    assert_eq!(files, 0, "files that are no target");
}

#[test]
fn seeds_are_named_after_their_clauses() {
    let mut names = BTreeSet::new();
    for (name, _) in seeds::all() {
        let (slug, variant) = name.split_once('.').unwrap();
        assert!(Clause::from_slug(slug).is_some(), "{name}");
        assert!(!variant.is_empty() && names.insert(name), "{name}");
    }
    // A decoder reads streams.
    let of_streams = |clause: &Clause| *clause != Clause::Datagram;
    for clause in Group::Receiving.clauses().filter(of_streams) {
        let prefix = format!("{clause}.");
        let seeds = names.iter().filter(|name| name.starts_with(&prefix));
        assert!(seeds.count() >= 4, "{clause}");
    }
}

#[test]
fn every_seed_is_a_script_in_a_profile() {
    for (name, octets) in seeds::all() {
        assert!(Script::from_file(&octets).is_ok(), "{name}");
        assert!(profile_of_file(&octets).is_ok(), "{name}");
        let text = octets.starts_with(b"framespec");
        assert_eq!(text, octets.starts_with(MAGIC.as_bytes()), "{name}");
    }
}

/// What is wrong with a stream, if anything is.
fn error(profile: &Profile, stream: &[u8]) -> Option<DecodeErrorKind> {
    let mut reader = FrameReader::new(stream, profile);
    loop {
        match reader.read_frame() {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(ReadError::Decode(error)) => return Some(error.kind),
            Err(other) => panic!("{other}"),
        }
    }
}

/// The seeds do what their names say, as far as that is whole frames or a kind of error.
#[test]
fn the_seeds_reach_every_state_of_the_decoder() {
    let mut ends = BTreeSet::new();
    for (name, octets) in seeds::all() {
        let profile = profile_of_file(&octets).unwrap();
        let stream = Script::from_file(&octets).unwrap().stream(0);
        let error = error(&profile.unwrap_or_default(), &stream);
        let fits = match name.split_once('.').unwrap().0 {
            "truncation" => matches!(error, None | Some(DecodeErrorKind::Truncated { .. })),
            "chunk-multiple" => error == Some(DecodeErrorKind::NotWholeChunks),
            "checksum" => matches!(
                error,
                None | Some(DecodeErrorKind::Checksum | DecodeErrorKind::Truncated { .. })
            ),
            "chunk-index" => matches!(
                error,
                None | Some(DecodeErrorKind::Index | DecodeErrorKind::Truncated { .. })
            ),
            "length-limit" => matches!(error, None | Some(DecodeErrorKind::OverLimit)),
            "length-prefix" => !matches!(error, Some(DecodeErrorKind::OverLimit)),
            _ => error.is_none(),
        };
        assert!(fits, "{name}: {error:?}");
        ends.insert(format!("{error:?}"));
    }
    let places = [Place::Header, Place::Boundary, Place::Body];
    let truncated = places.map(|place| DecodeErrorKind::Truncated { place });
    let malformed = [
        DecodeErrorKind::Mark,
        DecodeErrorKind::Negative,
        DecodeErrorKind::Underflow,
        DecodeErrorKind::NotWholeChunks,
        DecodeErrorKind::OverLimit,
        DecodeErrorKind::Checksum,
        DecodeErrorKind::Index,
    ];
    for kind in truncated.into_iter().chain(malformed) {
        assert!(ends.contains(&format!("{:?}", Some(kind))), "{kind}");
    }
    assert!(
        Profile::tutorial().max_body() == 1 << 20,
        "seeds at the limit"
    );
}
