#!/usr/bin/env bash
# Collects what the compiler is told of a server's load (ADR 19): profile.sh, which writes
# profile/server.profdata. Builds the server once more, so that it counts, in build/collect; that and the
# loads take a quarter of an hour on two processors. Needs llvm-profdata (Debian: llvm-19).
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build/collect

command -v llvm-profdata-19 >/dev/null || { echo "profile: llvm-profdata-19 is not installed (Debian: llvm-19)" >&2; exit 1; }
scratch=$(mktemp -d)
server=

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap clean_up EXIT

# learn_from LOAD...: the load on a server and a store of its own.
learn_from() {
    rm -rf "$scratch/store"
    : >"$scratch/server.log"
    LLVM_PROFILE_FILE="$scratch/%p.profraw" "$build/stele" server start-dev --port 0 --headless --db-filename "$scratch/store" \
        --dynamic-config-value admin.matchingNamespaceTaskqueueToPartitionDispatchRate=1000000 \
        --dynamic-config-value admin.matchingNamespaceToPartitionDispatchRate=1000000 >>"$scratch/server.log" 2>&1 &
    server=$!
    local address='' attempt
    for ((attempt = 0; attempt < 300; ++attempt)); do
        address=$(sed -n 's/^gRPC: *//p' "$scratch/server.log")
        [ -n "$address" ] && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    if [ -z "$address" ]; then
        echo "profile: the server did not start:" >&2
        cat "$scratch/server.log" >&2
        exit 1
    fi
    LLVM_PROFILE_FILE=/dev/null "$build/stele_bench_load" --address "$address" --warm-up 0 --measure 4 "$@"
    # The counts are written as the program ends.
    kill "$server"
    wait "$server"
    server=
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
