//! The bodies of the fuzz targets, and what they hold against each other.
//!
//! A target in `fuzz/` is one line that calls a function of this room. Each takes whatever octets
//! there are and panics, with a text that says what disagreed, if the code under it is wrong. The
//! same functions are run over every file of `corpus/` by an ordinary `cargo test`.
//!
//! | target | input | what must hold |
//! |---|---|---|
//! | [`decoder`] | a file as [`Script::from_file`] reads it | all ways of reading agree with the model |
//! | [`profiles`] | octets that choose a profile and a stream | the same, in any wire format |
//! | [`profile_file`] | a profile file | what is read can be written, and reads back |
//! | [`script`] | a script file | what is read can be written, and reads back |
//!
//! [`Script::from_file`]: crate::script::Script::from_file

mod crafted;
mod cuts;
mod decoding;
mod mutate;

pub use decoding::{Disagreement, Way, compare};
pub use mutate::mend_lengths;

use crate::profile::Profile;
use crate::script::{Script, profile_of_file};
use std::fmt::Display;

/// What a fuzz target does with its input.
pub type Body = fn(&[u8]);

/// Every target by its name in `fuzz/`.
pub const TARGETS: [(&str, Body); 4] = [
    ("decoder", decoder),
    ("profiles", profiles),
    ("profile_file", profile_file),
    ("script", script),
];

/// The largest stream that is looked at, in octets. A file of a few octets can stand for megabytes.
pub const MAX_STREAM: usize = 2 << 20;

/// Decodes the streams of a script file in every way, by the profile that the file names.
///
/// Raw octets are one stream of the profile `tutorial`, cut in ways that follow from the octets
/// themselves. A script in text form is cut as it says as well.
pub fn decoder(data: &[u8]) {
    let (Ok(script), Ok(profile)) = (Script::from_file(data), profile_of_file(data)) else {
        return;
    };
    let profile = profile.unwrap_or_default();
    for conn in 0..script.connections() {
        let stream = script.stream(conn);
        if stream.len() > MAX_STREAM {
            continue;
        }
        let mut ways = cuts::derived(&stream, profile.header_len());
        ways.extend(cuts::written(&script, conn));
        agreed(compare(&profile, &stream, &ways));
    }
}

/// Decodes a stream that is made for a profile, both of them made from the data.
///
/// See `Profile`'s `Arbitrary` for the first part of the data. The rest chooses frames, claims that
/// are not kept, and noise.
pub fn profiles(data: &[u8]) {
    let Some((profile, stream)) = crafted::from(data) else {
        return;
    };
    let ways = cuts::derived(&stream, profile.header_len());
    agreed(compare(&profile, &stream, &ways));
    same(&Profile::from_toml(&profile.to_toml()), &Ok(profile));
}

/// Reads a profile file and writes it again.
pub fn profile_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(profile) = Profile::from_toml(text) {
        same(&Profile::from_toml(&profile.to_toml()), &Ok(profile));
    }
}

/// Reads a script file and writes it again.
pub fn script(data: &[u8]) {
    if let Ok(script) = Script::from_file(data) {
        same(&script.to_string().parse(), &Ok(script));
    }
}

#[track_caller]
fn agreed(outcome: Result<(), impl Display>) {
    let problem = outcome.err().map(|problem| problem.to_string());
    assert!(problem.is_none(), "{}", problem.unwrap_or_default());
}

#[track_caller]
fn same<T: PartialEq>(again: &T, first: &T) {
    assert!(again == first, "what was written does not read back");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_those_of_files() {
        for (name, _) in TARGETS {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_target_takes_any_octets(data in prop::collection::vec(any::<u8>(), 0..300)) {
            for (_, target) in TARGETS {
                target(&data);
            }
        }

        #[test]
        fn a_script_of_any_octets_in_any_segments(
            sent in "( ?(0000003c|00\\*[1-9]{1,3}|'[ -&(-~]{1,9}'|\\|)){1,12}",
            profile in prop::sample::select(&["chunk-count", "tutorial"]),
        ) {
            let file = format!("framespec script 1\n#: {profile}\nopen a\nsend a {sent}\nfin a\n");
            decoder(file.as_bytes());
            script(file.as_bytes());
        }
    }
}
