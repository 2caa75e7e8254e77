#!/usr/bin/env bash
# Measures Stele, an empty gRPC server and a real Temporal server under bare gRPC calls: bench_raw.sh
# BUILD_DIRECTORY [...]. Further arguments go to the program in bench/compare/raw, as in `-in-flight 64
# -stele-flags '--shards 2'`. Writes bench/results/raw-<date>.md. Needs Go, and PostgreSQL (Debian: postgresql)
# for Temporal on it, which is left out otherwise; `-profiles DIRECTORY` needs perf (Debian: linux-perf). The
# first build of Temporal takes minutes. Cells in which a server ends less than a workflow a second need a longer
# time: `-activities 10 -in-flight 64 -warm-up 10s -measure 30s`. On a machine whose speed drifts, `-rounds 3`
# measures all of them in turn and shows medians.
set -euo pipefail
build_directory=$(realpath "$1")
shift
root=$(realpath "$(dirname "$0")/..")

command -v go >/dev/null || { echo "bench-raw: go is not installed" >&2; exit 1; }
echo "bench-raw: building the Temporal server"
(cd "$root/bench/compare" && go test -count=1 ./... && go build -o "$build_directory/bench-raw" ./raw)
(cd "$root/tests/reference" && go build -o "$build_directory/bench-reference" .)
postgres=$(pg_config --bindir 2>/dev/null || ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1) || true
[ -n "$postgres" ] || echo "bench-raw: PostgreSQL is not installed, so Temporal on it is left out" >&2
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
exec "$build_directory/bench-raw" -stele "$build_directory/stele" \
    -load "$build_directory/stele_bench_load" -empty "$build_directory/stele_bench_empty_server" \
    -reference "$build_directory/bench-reference" -commit "$commit" -postgres "$postgres" \
    -results "$root/bench/results" "$@"
