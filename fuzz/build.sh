#!/usr/bin/env bash
# Builds what OSS-Fuzz and ClusterFuzzLite run: each target, an archive of its seeds, and its dictionary, in $OUT.
# SANITIZER is theirs: address, unless it is said; none builds on stable.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

out=${OUT:-target/out}
sanitizer=${SANITIZER:-address}
if [ "$sanitizer" = none ]; then toolchain=stable; else toolchain=nightly; fi
export RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-$toolchain}

mkdir -p "$out"
cargo fuzz build -s "$sanitizer"
host=$(rustc -vV | sed -n 's/^host: //p')
for file in fuzz_targets/*.rs; do
  target=$(basename "$file" .rs)
  cp "target/$host/release/$target" "$out/$target"
  # A target without seeds of its own starts from what others read as well.
  seeds=corpus/$target
  if [ "$target" = profile_file ]; then seeds=../profiles; fi
  if [ ! -d "$seeds" ]; then seeds=corpus/decoder; fi
  rm -f "$out/${target}_seed_corpus.zip"
  python3 -m zipfile -c "$out/${target}_seed_corpus.zip" "$seeds"/*
  words=script
  if [ "$target" = profile_file ]; then words=profile_file; fi
  cp "dictionaries/$words.dict" "$out/$target.dict"
done
