#!/usr/bin/env bash
# Collects what the compiler is told of a server's load (ADR 19): profile.sh, which writes
# profile/server.profdata. Builds the server and its libraries once more, so that they count, in build/collect
# and build/libraries-collect; that and the loads take half an hour on two processors.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build/collect

# shellcheck source=scripts/scratch_server.sh
. scripts/scratch_server.sh

# learn_from LOAD...: the load on a server and a store of its own; counts are written as a program ends.
learn_from() {
    rm -rf "$scratch/data"
    LLVM_PROFILE_FILE="$scratch/%p.profraw" start_server "$build/stele" \
        --dynamic-config-value admin.matchingNamespaceTaskqueueToPartitionDispatchRate=1000000 \
        --dynamic-config-value admin.matchingNamespaceToPartitionDispatchRate=1000000
    LLVM_PROFILE_FILE=/dev/null "$build/stele_bench_load" --address "$address" --warm-up 0 --measure 4 "$@"
    stop_server
}
# The load on an engine in its own process.
learn_embedded() {
    rm -rf "$scratch/data"
    LLVM_PROFILE_FILE="$scratch/%p.profraw" "$build/stele_bench_load" --embedded "$scratch/data" --warm-up 0 \
        --measure 4 "$@"
}

echo "profile: building the server that counts"
mkdir -p "$build"
scripts/libraries.sh collect
cmake --preset release -B "$build" -DSTELE_PROFILE=collect >"$build/configure.log" || { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --target stele stele_bench_load
echo "profile: learning from loads"
for activities in 1 10; do
    for in_flight in 1 16 64; do
        learn_from --in-flight "$in_flight" --activities "$activities"
    done
done
learn_embedded --in-flight 64
learn_embedded --in-flight 64 --eager
llvm-profdata-19 merge --text -o "$scratch/all" "$scratch"/*.profraw
scripts/hot_profile.py "$scratch/all" "$scratch/hot"
llvm-profdata-19 merge -o profile/server.profdata "$scratch/hot"
