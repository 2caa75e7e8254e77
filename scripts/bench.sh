#!/usr/bin/env bash
# Measures Stele and a real Temporal server under the same Go worker: bench.sh BUILD_DIRECTORY [...].
# Further arguments go to the program in bench/compare, as in `-in-flight 1 -measure 5s`. Writes
# bench/results/<date>.md. Needs Go; the first build of Temporal takes minutes.
set -euo pipefail
build_directory=$(realpath "$1")
shift
root=$(realpath "$(dirname "$0")/..")

command -v go >/dev/null || { echo "bench: go is not installed" >&2; exit 1; }
echo "bench: building the worker and the Temporal server"
(cd "$root/bench/compare" && go test -count=1 ./... && go build -o "$build_directory/bench-compare" .)
(cd "$root/tests/reference" && go build -o "$build_directory/bench-reference" .)
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
exec "$build_directory/bench-compare" -stele "$build_directory/stele" \
    -reference "$build_directory/bench-reference" -commit "$commit" \
    -results "$root/bench/results" "$@"
