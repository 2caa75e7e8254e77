#!/usr/bin/env bash
# Measures workers of the C++, the Go and the Python SDK on the same Stele: bench_sdk.sh
# BUILD_DIRECTORY [...]. Further arguments go to the program in bench/sdk, as in `-measure 3s
# -idle-scale 0.1`. Writes bench/results/sdk-<date>.md. Needs Go; without Python's SDK, which the
# setup of tests/interop fetches, it is left out.
set -euo pipefail
build_directory=$(realpath "$1")
shift
root=$(realpath "$(dirname "$0")/..")

command -v go >/dev/null || { echo "bench-sdk: go is not installed" >&2; exit 1; }
(cd "$root/bench/sdk" && go test -count=1 ./... && go build -o "$build_directory/bench-sdk" .)
python=()
interop_build="$root/build/interop/python"
if "$root/tests/interop/python/setup" "$interop_build"; then
    python=(-python "$interop_build/venv/bin/python" -python-worker "$root/bench/sdk/python/worker.py")
else
    echo "bench-sdk: Python's SDK is not there, and left out" >&2
fi
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
exec "$build_directory/bench-sdk" -stele "$build_directory/stele" \
    -cpp "$build_directory/stele_bench_sdk" -commit "$commit" \
    -results "$root/bench/results" "${python[@]}" "$@"
