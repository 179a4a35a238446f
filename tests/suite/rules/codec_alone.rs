//! What comes along for those who want the codec and nothing else.

use super::none;
use std::collections::BTreeSet;
use std::process::Command;

/// The crates that may be compiled with the codec, for each set of features: `bytes`, which frames are
/// made of, with the feature `checksum` what reckons checksums, and with `tokio-util` what that crate needs itself.
const ALLOWED: [(&str, &[&str]); 3] = [
    ("", &["bytes"]),
    (
        "checksum",
        &[
            "block-buffer",
            "bytes",
            "cfg-if",
            "cpufeatures",
            "crc",
            "crc-catalog",
            "crypto-common",
            "digest",
            "hybrid-array",
            "libc",
            "sha2",
            "typenum",
        ],
    ),
    (
        "tokio-util",
        &[
            "bytes",
            "futures-core",
            "futures-sink",
            "libc",
            "pin-project-lite",
            "tokio",
            "tokio-util",
        ],
    ),
];

#[test]
fn the_codec_alone_compiles_little_else() {
    let mut found = Vec::new();
    for (features, allowed) in ALLOWED {
        let compiled = compiled_with(features);
        assert!(compiled.contains("bytes"), "{compiled:?}");
        for extra in compiled
            .iter()
            .filter(|name| !allowed.contains(&name.as_str()))
        {
            found.push(format!("{extra}, with the features [{features}]"));
        }
    }
    none(found);
}

/// The crates that are compiled for this machine with these features and no others.
fn compiled_with(features: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--locked", "--edges=normal,build"])
        .args(["--no-default-features", "--features", features])
        .args(["--prefix=none", "--format={p}"])
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != env!("CARGO_PKG_NAME"))
        .map(str::to_owned)
        .collect()
}
