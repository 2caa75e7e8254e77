#!/usr/bin/env bash
# Collects what the compiler is told of a server's load (ADR 19): profile.sh, which writes
# profile/server.profdata. Builds the server once more, so that it counts, in build/collect; that and the
# loads take a quarter of an hour on two processors. Needs llvm-profdata (Debian: llvm-19).
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build/collect

command -v llvm-profdata-19 >/dev/null || { echo "profile: llvm-profdata-19 is not installed (Debian: llvm-19)" >&2; exit 1; }
# shellcheck source=scripts/scratch_server.sh
. scripts/scratch_server.sh

# learn_from LOAD...: the load on a server and a store of its own.
learn_from() {
    rm -rf "$scratch/data"
    LLVM_PROFILE_FILE="$scratch/%p.profraw" start_server "$build/stele" \
        --dynamic-config-value admin.matchingNamespaceTaskqueueToPartitionDispatchRate=1000000 \
        --dynamic-config-value admin.matchingNamespaceToPartitionDispatchRate=1000000
    LLVM_PROFILE_FILE=/dev/null "$build/stele_bench_load" --address "$address" --warm-up 0 --measure 4 "$@"
    stop_server  # the counts are written as the program ends
}

echo "profile: building the server that counts"
mkdir -p "$build"
cmake --preset optimised -B "$build" -DSTELE_PROFILE=collect >"$build/configure.log" || { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --target stele stele_bench_load
echo "profile: learning from loads"
for activities in 1 10; do
    for in_flight in 1 16 64; do
        learn_from --in-flight "$in_flight" --activities "$activities"
    done
done
llvm-profdata-19 merge --text -o "$scratch/all" "$scratch"/*.profraw
scripts/hot_profile.py "$scratch/all" "$scratch/hot"
llvm-profdata-19 merge -o profile/server.profdata "$scratch/hot"
