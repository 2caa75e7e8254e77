#!/usr/bin/env bash
# Measures whether the cost of a workflow depends on what else the server holds, and what memory and disk it
# takes: bench_flat.sh BUILD_DIRECTORY [...]. Further arguments go to the program in bench/compare/flat, as in
# `-only 'shards|history'` or, which takes most of an hour, `-only growth`. Writes
# bench/results/flat-<date>.md. Needs Go.
set -euo pipefail
build_directory=$(realpath "$1")
shift
root=$(realpath "$(dirname "$0")/..")

command -v go >/dev/null || { echo "bench-flat: go is not installed" >&2; exit 1; }
(cd "$root/bench/compare" && go build -o "$build_directory/bench-flat" ./flat)
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
exec "$build_directory/bench-flat" -stele "$build_directory/stele" -load "$build_directory/stele_bench_load" \
    -commit "$commit" -results "$root/bench/results" "$@"
