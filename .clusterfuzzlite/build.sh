#!/usr/bin/env bash
# Builds into $OUT what ClusterFuzzLite runs. All of it is in fuzz/build.sh, which `.ci/run` runs too.
set -euo pipefail
cd "$SRC/framespec"
exec fuzz/build.sh
