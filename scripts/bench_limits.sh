#!/usr/bin/env bash
# Drives Stele and a real Temporal server to their limits: bench_limits.sh BUILD_DIRECTORY [...].
# Further arguments go to the program in bench/limits, as in `-only timers` or `-closed 10000`. Writes
# bench/results/limits-<date>.md. Needs Go; the first build of Temporal takes minutes.
set -euo pipefail
build_directory=$(realpath "$1")
shift
root=$(realpath "$(dirname "$0")/..")

command -v go >/dev/null || { echo "bench-limits: go is not installed" >&2; exit 1; }
echo "bench-limits: building the clients and the Temporal server"
(cd "$root/bench/limits" && go build -o "$build_directory/bench-limits" .)
(cd "$root/tests/reference" && go build -o "$build_directory/bench-reference" .)
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
exec "$build_directory/bench-limits" -stele "$build_directory/stele" \
    -reference "$build_directory/bench-reference" -commit "$commit" \
    -results "$root/bench/results" "$@"
